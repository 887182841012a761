# Sums up a ctest log: `N passed, N failed`. A doctest program and a Python unittest count by their
# cases, any other test counts once; a program that died without saying so counts as one failure.
/^[0-9]+\/[0-9]+ Testing: / { said = good = bad = 0 }
/^\[doctest\] test cases:/ { said = 1; good += $6; bad += $9 }
/^Ran [0-9]+ tests? in / { said = 1; good += $2 }
/^FAILED \(/ {
    if (match($0, /failures=[0-9]+/)) failures = substr($0, RSTART + 9, RLENGTH - 9); else failures = 0
    if (match($0, /errors=[0-9]+/)) failures += substr($0, RSTART + 7, RLENGTH - 7)
    good -= failures; bad += failures
}
# CTest logs such a test as passed.
/^Unable to find executable/ { failed += 1; passed -= 1 }
/^Test Passed\.$/ { passed += said ? good : 1 }
/^Test Failed\.$/ { passed += said ? good : 0; failed += said && bad ? bad : 1 }
END { printf "%d passed, %d failed\n", passed, failed }
