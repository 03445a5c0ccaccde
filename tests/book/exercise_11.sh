#!/bin/sh
# SPDX-License-Identifier: MIT
# Chapter 11: a source for each outcome. Fails until write_sources() has written parse.c, check.c, run.c, limit.c and ok.c
# to the folder that it is called in.
set -u
cd "$(dirname "$0")/../.." || exit 1
phoenix=$PWD/build/phoenix

write_sources() {
    : # yours: five files
}

work=$(mktemp -d "${TMPDIR:-/tmp}/phoenix-exercise-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
write_sources
passed=0 failed=0
for outcome in parse check run limit ok; do
    status=$("$phoenix" evaluate $outcome.c --d-model 16 --few-shot 16 2>&1 | sed 's/.*"status":"\([a-z]*\)".*/\1/')
    if [ "$status" = $outcome ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$outcome.c: expected the status $outcome, got $status"
    fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
