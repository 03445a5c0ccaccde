#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the test_*.c below tests/ against the library and runs them, and four scripts, two tests at
# a time; tests that are named run alone. The last line is the sum: N passed, N failed, N skipped. A test that
# does not build, crashes, or prints no sum counts as one failure.
set -u
BUILD=$(cd "${BUILD:-build}" && pwd) || exit 1
export BUILD
cd "$(dirname "$0")/.." || exit 1
: "${CC:=cc}" "${LDFLAGS:=}" "${WRAP:=}"
: "${CFLAGS:=$(sed -n 's/^ALL_CFLAGS = //p' "$BUILD/rules.mk")}" # those that the library was built with

# One that hangs is to be named, and not to keep the others waiting: LIMIT seconds are far more than any
# takes. HANGS=again: it gets a second chance, and the first is reported.
: "${LIMIT:=900}" "${HANGS:=fail}"
limit=
if timeout 1 true >/dev/null 2>&1; then
    limit="timeout -s ABRT -k 10 $LIMIT"
fi

# The longest first, so that none of them ends alone. WHICH: "short", what `make test` runs; "long", what
# tests/suite_long.sh has for the slower suites: whole runs over and over, attempts to cheat, exported files by each
# compiler; "all". LEFT_OUT: tests that a suite does without.
: "${WHICH:=short}"
long="tests/evolve/loop/test_strategies.c tests/evolve/loop/test_run.c tests/evolve/source/test_cheats.c
tests/export/test_t5.c tests/export/test_network.c tests/evolve/loop/test_stop.c tests/export/test_int8.c
tests/evolve/source/test_train_hash.c tests/evolve/score/test_native.c tests/export/test_columns.c"
longest="tests/ordinary.sh tests/evolve/loop/test_scorer.c tests/cli.sh tests/tensor/test_gemm.c
tests/evolve/source/test_host_train.c tests/evolve/source/test_differential.c tests/evolve/loop/test_learning.c
tests/cases.sh tests/evolve/score/test_cost.c tests/fetch.sh"
if [ $# -eq 0 ]; then
    # shellcheck disable=SC2046,SC2086
    set -- $(printf '%s\n' $long $longest $(find tests -name 'test_*.c' | LC_ALL=C sort) | awk '!seen[$0]++' |
        case $WHICH in
        short) grep -vxF "$(printf '%s\n' $long)" ;;
        long) grep -xF "$(printf '%s\n' $long)" ;;
        *) cat ;;
        esac | grep -vxF "$(printf '%s\n' ${LEFT_OUT:-none})")
fi

# name FILE: tests/nn/test_params.c is nn_params.
name_of() {
    echo "$1" | sed -e 's|^tests/||' -e 's|/test_|/|' -e 's|/|_|g' -e 's|\.[a-z]*$||'
}
mkdir -p "$BUILD/tests"
passed=0 failed=0 skipped=0
run=$(mktemp -d "$BUILD/tests/run.XXXXXX") || exit 1 # this run's own: another may be under way
trap 'rm -rf "$run"' EXIT

# The command's own files, for tests of them: of an archive the linker takes what a test asks for.
find "$BUILD/bin" "$BUILD/bench" -name '*.o' ! -path "$BUILD/bin/main.o" -exec ar rc "$run/bin.a" {} +

build() {
    name=$(name_of "$1")
    rm -f "$BUILD/tests/$name"
    # shellcheck disable=SC2086
    $CC $CFLAGS -Wall -Wextra -o "$BUILD/tests/$name" -DTEST_PHOENIX="\"$BUILD/phoenix\"" "$1" "$run/bin.a" "$BUILD/libphoenix.a" \
        $LDFLAGS -lm >"$BUILD/tests/$name.log" 2>&1
}

# spend NAME: $spent becomes the seconds of a processor that this lane's commands have taken so far.
spend() {
    times >"$run/$1.times" # of this shell: within $() it would be that of another
    spent=$(awk 'NR == 2 { gsub(/[ms]/, " "); print int(60 * ($1 + $3) + $2 + $4) }' "$run/$1.times")
}

# Runs a command; its sum goes to NAME.sum.
count() {
    name=$1
    shift
    began=$(date +%s)
    spend "$name"
    before=$spent
    $limit "$@" >"$BUILD/tests/$name.out" 2>&1
    code=$?
    if [ $(($(date +%s) - began)) -ge "$LIMIT" ] && [ "$HANGS" = again ]; then
        echo "HUNG: $name, after these lines; once more"
        tail -n 20 "$BUILD/tests/$name.out"
        $limit "$@" >"$BUILD/tests/$name.out" 2>&1
        code=$?
    fi
    sum=$(tail -n 1 "$BUILD/tests/$name.out")
    case $sum in
    [0-9]*" passed, "[0-9]*" failed, "[0-9]*" skipped")
        # shellcheck disable=SC2086
        set -- $sum
        ;;
    *)
        sum="no result"
        set -- 0 passed, 1 failed, 0 skipped
        ;;
    esac
    [ $code -eq 0 ] || [ "$3" -gt 0 ] || set -- "$1" passed, 1 failed, "$5" skipped
    echo "$1 $3 $5" >"$run/$name.sum"
    if [ "$3" -gt 0 ] || [ "$5" -gt 0 ]; then
        grep -v " passed, " "$BUILD/tests/$name.out" | tail -n 40
    fi
    spend "$name"
    printf '%-32s %s (exit %d, %d s, %d s of a processor)\n' "$name" "$sum" $code $(($(date +%s) - began)) \
        $((spent - before))
}

# Takes the next test that the other lane has not taken (of two who make a folder one succeeds).
lane() {
    for test in "$@"; do
        name=$(name_of "$test")
        mkdir "$run/$name.taken" 2>/dev/null || continue
        case $test in
        *.c)
            build "$test"
            [ ! -s "$BUILD/tests/$name.log" ] || cat "$BUILD/tests/$name.log"
            # shellcheck disable=SC2086
            count "$name" $WRAP "$BUILD/tests/$name"
            ;;
        *) count "$name" sh "$test" ;;
        esac
    done
}

lane "$@" &
lane "$@" &
wait

for test in "$@"; do
    read -r good bad left <"$run/$(name_of "$test").sum" || good=0 bad=1 left=0
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + left))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
