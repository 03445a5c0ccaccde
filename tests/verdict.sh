# SPDX-License-Identifier: MIT
# Sourced by the suites that look at pages and screens, with the tree as their folder: what they count by.
passed=0 failed=0 skipped=0

verdict() { # what was looked at; what is wrong, or nothing
    if [ -z "$2" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED $1: $2"
    fi
}
