#!/bin/sh
# SPDX-License-Identifier: MIT
# sources of every scope, derived and mutated, from the text to the result: interpreted and compiled
. "$(dirname "$0")/copy.sh"
passed=0 failed=0 skipped=0
make -j2 >make.log 2>&1 || tail -n 5 make.log
cc -std=c11 -D_POSIX_C_SOURCE=200809L -I. -O1 -pthread -o differential \
    tests/evolve/source/test_differential.c build/libphoenix.a -lm || exit 1

# one COMPILER SOURCES FIRST: so many derived and so many mutated ones, into COMPILER-FIRST.log.
one() {
    if command -v "$1" >/dev/null 2>&1; then
        timeout 1200 ./differential "$2" "$1" "$3" >"$1-$3.log" 2>&1
    else
        printf '%s\n' "SKIPPED: $1 is not here" "0 passed, 0 failed, 1 skipped" >"$1-$3.log"
    fi
}

# tcc compiles twenty times as fast as the others, so it has most of them. Two at a time. PHOENIX_SLOW=1:
# 5,000 of them, some ten minutes.
half=150 slow=25
[ -z "${PHOENIX_SLOW:-}" ] || half=2500 slow=300
one tcc $half 0 &
one tcc $half 2500 &
wait
one gcc $slow 10000 &
one clang $slow 20000 &
wait

add_logs sources tcc-0.log tcc-2500.log gcc-10000.log clang-20000.log
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
