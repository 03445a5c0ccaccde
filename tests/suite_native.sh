#!/bin/sh
# random programs, interpreted and compiled: the same outcome, reasons and bits; and as plain C
. "$(dirname "$0")/copy.sh"
passed=0 failed=0 skipped=0
make -j2 >make.log 2>&1 || tail -n 5 make.log
cc -std=c11 -D_POSIX_C_SOURCE=200809L -I. -O1 -pthread -o native tests/evolve/score/test_native.c build/libphoenix.a -lm || exit 1

# one COMPILER ARGUMENTS...: adds its sum.
one() {
    if ! command -v "$1" >/dev/null 2>&1; then
        echo "SKIPPED: $1 is not here"
        skipped=$((skipped + 1))
        return
    fi
    shift
    timeout 1200 ./native "$@" >one.log 2>&1
    code=$?
    sum=$(tail -n 1 one.log)
    case $sum in
    [0-9]*" passed, "[0-9]*" failed, "[0-9]*" skipped")
        grep -E 'programs:|FAILED|SKIPPED' one.log | sed "s|^|$*: |" | head -n 20
        # shellcheck disable=SC2086
        set -- $sum
        passed=$((passed + $1)) failed=$((failed + $3)) skipped=$((skipped + $5))
        ;;
    *)
        echo "FAILED $*: exit code $code"
        tail -n 5 one.log
        failed=$((failed + 1))
        ;;
    esac
}

traps="-fsanitize=signed-integer-overflow,integer-divide-by-zero,float-cast-overflow
    -fsanitize-undefined-trap-on-error"
# gcc takes minutes over what tcc takes seconds for, so most of the programs are tcc's.
one tcc 12000 tcc
one gcc 500 gcc 20000
one clang 1000 clang 30000
one musl-gcc 200 musl-gcc 40000
one gcc plain 300 gcc "-O2 $(echo $traps)"
one clang plain 300 clang "-O1 $(echo $traps)"
one tcc plain 300 tcc

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
