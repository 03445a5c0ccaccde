#!/bin/sh
# SPDX-License-Identifier: MIT
# random programs, interpreted and compiled: the same outcome, reasons and bits; and as plain C
. "$(dirname "$0")/copy.sh"
passed=0 failed=0 skipped=0
make -j2 >make.log 2>&1 || tail -n 5 make.log
cc -std=c11 -D_POSIX_C_SOURCE=200809L -I. -O1 -pthread -o native tests/evolve/score/test_native.c build/libphoenix.a -lm || exit 1

# one COMPILER ARGUMENTS...: what it says goes to a log of its own.
one() {
    if ! command -v "$1" >/dev/null 2>&1; then
        printf '%s\n' "SKIPPED: $1 is not here" "0 passed, 0 failed, 1 skipped"
        return
    fi
    shift
    timeout 1200 ./native "$@"
}

traps="-fsanitize=signed-integer-overflow,integer-divide-by-zero,float-cast-overflow
    -fsanitize-undefined-trap-on-error"
# gcc takes minutes over what tcc takes seconds for, so most of the programs are tcc's. Two at a time.
{
    one tcc 12000 tcc >tcc.log 2>&1
    one musl-gcc 200 musl-gcc 40000 >musl.log 2>&1
    one gcc plain 300 gcc "-O2 $(echo $traps)" >plain-gcc.log 2>&1
} &
{
    one gcc 250 gcc 20000 >gcc.log 2>&1
    one clang 500 clang 30000 >clang.log 2>&1
    one clang plain 300 clang "-O1 $(echo $traps)" >plain-clang.log 2>&1
    one tcc plain 300 tcc >plain-tcc.log 2>&1
} &
wait
add_logs programs tcc.log musl.log plain-gcc.log gcc.log clang.log plain-clang.log plain-tcc.log

# A whole run, both ways: the same journal.
tiny="--d-model 16 --few-shot 16 --samples 64 --held-out 8 --fidelity 1 --episodes 2 --batches 1
    --candidates 4 --fresh-seeds 2 --quiet"
for executor in interpret native; do
    # shellcheck disable=SC2086
    build/phoenix evolve --run $executor-run --executor $executor $tiny >$executor.log 2>&1 ||
        tail -n 3 $executor.log
done
if cmp interpret-run/journal.jsonl native-run/journal.jsonl; then
    passed=$((passed + 1))
else
    failed=$((failed + 1))
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
