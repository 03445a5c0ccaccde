#!/bin/sh
# SPDX-License-Identifier: MIT
# a machine that is short of something: the same journal, or one line that says what is missing
#
#   sh tests/suite_limits.sh                   some of the limits; under a minute
#   PHOENIX_SLOW=1 sh tests/suite_limits.sh    all 40 of them, and the native executor as well
#
# One small run of everything (a T5 trained, its rewrites scored, the comparison at the end) under limits
# of address space, data, stack, descriptors, processes, file size and processor time, from far too little
# to more than enough. Each time it ends with exit code 0 and the bytes of the undisturbed run, or with
# exit code 1 and one line; and then, without the limit, the same folder is brought to the same bytes.
set -u
cd "$(dirname "$0")/.." || exit 1
phoenix=${PHOENIX:-$PWD/build/phoenix}
case $phoenix in
/*) ;;
*) phoenix=$PWD/$phoenix ;;
esac
LC_ALL=C
export LC_ALL
work=$(mktemp -d "${TMPDIR:-/tmp}/phoenix-limits-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
chmod 755 "$work"
cd "$work" || exit 1
passed=0 failed=0 skipped=0 said=0
options="--quiet --d-model 16 --samples 64 --few-shot 16 --batch 8 --episodes 2 --held-out 16 --fidelity 2
    --max-tokens 24 --batches 1 --candidates 3 --fresh-seeds 1 --final-times 1 --proposer untrained
    --constrained yes --scope all --threads 2 --jobs 2"

# The number of processes is counted a user, and root has none of these limits.
as_nobody=
if [ "$(id -u)" -eq 0 ]; then
    as_nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"
fi

# limited LIMIT VALUE COMMAND...
limited() {
    limit=$1 value=$2
    shift 2
    # shellcheck disable=SC2086,SC3045 # shells without ulimit -v: those limits are skipped
    case $limit in
    as) (ulimit -v "$value" && exec "$@") ;;
    nproc) prlimit --nproc="$value" $as_nobody "$@" ;;
    *) prlimit "--$limit=$value" "$@" ;;
    esac
}

# try LIMIT VALUE EXECUTOR
try() {
    name=$1-$2-$3 limit=$1 value=$2
    mkdir "$name"
    [ "$limit" != nproc ] || chmod 777 "$name"
    if ! limited "$limit" "$value" "$phoenix" --version >/dev/null 2>&1; then
        echo "SKIPPED $limit $value: cannot be set, or no program can be started under it"
        skipped=$((skipped + 1))
        return
    fi
    # What it says goes through a pipe: a file may have a limit of its own.
    {
        # shellcheck disable=SC2086
        limited "$limit" "$value" "$phoenix" evolve --run "$name/run" $options --executor "$3"
        echo $? >"$name/code"
    } 2>&1 >"$name/out" | cat >"$name/errors"
    code=$(cat "$name/code")
    lines=$(grep -cv 'the interpreter is used$' "$name/errors")
    if [ "$code" -eq 0 ] && cmp -s whole/journal.jsonl "$name/run/journal.jsonl"; then
        passed=$((passed + 1))
    elif [ "$code" -eq 1 ] && [ "$lines" -eq 1 ] && grep -q '^phoenix: ..*' "$name/errors"; then
        passed=$((passed + 1)) said=$((said + 1))
        [ -z "${SHOW:-}" ] || echo "$limit $value: $(tail -n 1 "$name/errors")"
    else
        echo "FAILED $limit $value, $3: exit code $code, $lines lines: $(tail -n 2 "$name/errors")"
        failed=$((failed + 1))
    fi
    resume=
    [ ! -f "$name/run/manifest.json" ] || resume=--resume
    # shellcheck disable=SC2086
    if "$phoenix" evolve --run "$name/run" $options $resume >"$name/out" 2>&1 &&
        cmp -s whole/journal.jsonl "$name/run/journal.jsonl"; then
        passed=$((passed + 1))
    else
        echo "FAILED $limit $value, $3: afterwards: $(tail -n 1 "$name/out")"
        failed=$((failed + 1))
    fi
    rm -rf "$name"
}

# shellcheck disable=SC2086
"$phoenix" evolve --run whole $options >out 2>&1 || {
    echo "FAILED undisturbed: $(tail -n 1 out)"
    echo "0 passed, 1 failed, 0 skipped"
    exit 1
}
some="as:24000 as:36000 as:50000 data:6000000 stack:65536 nofile:9 fsize:100000 cpu:1"
all="as:14000 as:17000 as:20000 as:28000 as:32000 as:40000 as:44000 as:60000 as:70000 as:80000
    as:200000 data:5000000 data:7000000 data:8000000 data:10000000 data:14000000 data:30000000
    stack:32768 stack:98304 stack:1000000 nofile:4 nofile:5 nofile:6 nofile:12 nofile:16 nproc:1
    nproc:2 nproc:3 nproc:5 fsize:0 fsize:10000 cpu:2"
for one in $some; do
    try "${one%:*}" "${one#*:}" interpret
done
if [ -n "${PHOENIX_SLOW:-}" ]; then
    for one in $all; do
        try "${one%:*}" "${one#*:}" interpret
    done
    for one in as:40000 as:100000 data:8000000 nofile:12 nproc:4 fsize:100000; do
        try "${one%:*}" "${one#*:}" native
    done
fi
echo "$said of these said what is missing"

# ---- the least memory of a job, which docs/boxes.md has ----

# fits JOB MEGABYTES COMMAND...: the same output in so much address space, the program and its C library included.
fits() {
    job=$1 most=$2
    shift 2
    rm -rf run
    "$phoenix" "$@" >out 2>errors || echo "exit code $?" >>out
    [ ! -f run/journal.jsonl ] || cp run/journal.jsonl out
    rm -rf run
    limited as $((most * 1024)) "$phoenix" "$@" >out2 2>errors || echo "exit code $?" >>out2
    [ ! -f run/journal.jsonl ] || cp run/journal.jsonl out2
    if cmp -s out out2; then
        passed=$((passed + 1))
    else
        echo "FAILED $job in $most MB: $(tail -n 1 errors)"
        failed=$((failed + 1))
    fi
}

# What is there before a job begins: an ordinary C library and 64-bit code take 5 MB, a sanitizer terabytes.
if limited as 5632 "$phoenix" --version >/dev/null 2>&1; then
    small="--quiet --jobs 1 --threads 1 --episodes 1 --batches 1 --fresh-seeds 1"
    "$phoenix" train --out small --d-model 32 --samples 64 --held-out 8 --fidelity 0 >out 2>&1
    fits "generate, d-model 32" 8 generate small/model --count 1 --threads 1
    # shellcheck disable=SC2086
    fits "the loop, digits" 12 evolve --run run $small --task digits --proposer rules --budget-ram 16384 --images 400 \
        --held-images 200 --image-batch 8 --image-epochs 1 --final-epochs 1 --candidates 4
    # shellcheck disable=SC2086
    fits "the loop, self, d-model 32" 24 evolve --run run $small --d-model 32 --samples 64 --few-shot 64 --held-out 8 \
        --fidelity 0 --final-times 1 --candidates 2
else
    echo "SKIPPED the least memory of jobs: the program takes more than 5.5 MB before it begins"
    skipped=$((skipped + 1))
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
