/// The text of providers/caldav.
#pragma once

#include <fstream>
#include <sstream>
#include <string>

namespace calhost::test {

inline std::string caldav_code() {
    std::ostringstream text;
    text << std::ifstream(CALHOST_SOURCE_DIR "/providers/caldav/provider.lua").rdbuf();
    return text.str();
}

}  // namespace calhost::test
