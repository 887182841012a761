# What `cmake --install build/release --prefix /usr` lays where. The program looks for its scripts in
# ../share/calhost from its own folder.
include(GNUInstallDirs)

install(TARGETS calhost RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES config/calhost.yaml config/sandbox.yaml
    DESTINATION ${CMAKE_INSTALL_DATADIR}/calhost/config)
foreach(folder providers plugins scripts)
    if(EXISTS ${CMAKE_SOURCE_DIR}/${folder})
        install(DIRECTORY ${folder} DESTINATION ${CMAKE_INSTALL_DATADIR}/calhost)
    endif()
endforeach()
install(FILES README.md DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/calhost)

# The unit names absolute paths, which only the prefix of the installation makes true.
install(CODE "
    file(READ \"${CMAKE_SOURCE_DIR}/config/packaging/calhost.service\" unit)
    string(REPLACE \"/usr/\" \"\${CMAKE_INSTALL_PREFIX}/\" unit \"\${unit}\")
    file(WRITE \"${CMAKE_BINARY_DIR}/calhost.service\" \"\${unit}\")
    file(INSTALL \"${CMAKE_BINARY_DIR}/calhost.service\"
        DESTINATION \"\${CMAKE_INSTALL_PREFIX}/lib/systemd/system\")")
