#!/bin/sh
# SPDX-License-Identifier: MIT
# threads that parse, run, train and generate at once, under ThreadSanitizer
. "$(dirname "$0")/copy.sh"
passed=0 failed=0 skipped=0
flags="-std=c11 -D_POSIX_C_SOURCE=200809L -I. -O1 -g -pthread -DTENSOR_POSIX_THREADS -fsanitize=thread"

for cc in gcc clang; do
    echo 'int main(void) { return 0; }' >try.c
    # shellcheck disable=SC2086
    if ! $cc $flags try.c -o try 2>/dev/null || ! $plain ./try; then
        echo "SKIPPED $cc: no ThreadSanitizer here"
        skipped=$((skipped + 1))
        continue
    fi
    make clean >/dev/null
    make -j2 CC="$cc" CFLAGS="-O1 -g -fsanitize=thread" LDFLAGS=-fsanitize=thread >make.log 2>&1 ||
        tail -n 5 make.log
    : >threads.log
    # shellcheck disable=SC2086
    if $cc $flags -o threads tests/evolve/score/test_threads.c build/libphoenix.a -lm &&
        TSAN_OPTIONS=exitcode=66 timeout 1200 $plain ./threads >threads.log 2>&1; then
        passed=$((passed + 1))
    else
        echo "FAILED $cc"
        head -n 40 threads.log
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
