#!/bin/sh
# SPDX-License-Identifier: MIT
# Chapter 10: which candidates of a run were accepted, from its journal. Fails until accepted() is written.
set -u
cd "$(dirname "$0")/../.." || exit 1

# accepted FILE: for each candidate that became the source, a line "EPISODE BATCH NUMBER", its number in the journal.
accepted() {
    : "$1" # yours
}

work=$(mktemp -d "${TMPDIR:-/tmp}/phoenix-exercise-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
build/phoenix evolve --run "$work/run" --proposer rules --d-model 16 --few-shot 32 --episodes 2 --batches 3 --candidates 3 \
    --fresh-seeds 0 --quiet >"$work/log" || { cat "$work/log"; exit 1; }
for episode in 0 1; do
    for batch in 0 1 2; do
        for place in 0 1 2; do
            build/phoenix why "$work/run" $episode.$batch.$place | grep -q '^verdict     accepted' &&
                echo "$episode $batch $((1 + (3 * episode + batch) * 3 + place))"
        done
    done
done >"$work/want"
accepted "$work/run/journal.jsonl" >"$work/got"
if [ -s "$work/want" ] && cmp -s "$work/want" "$work/got"; then
    echo "1 passed, 0 failed, 0 skipped"
else
    echo "expected:"
    cat "$work/want"
    echo "got:"
    cat "$work/got"
    echo "0 passed, 1 failed, 0 skipped"
    exit 1
fi
