#!/bin/sh
# SPDX-License-Identifier: MIT
# docs/pairs.md: from a file of identifiers to their camelCase, as the page has it
#
# At least 99 % of the held-out pairs, and of 300 identifiers behind the file's, must come out right.
set -u
cd "$(dirname "$0")/.." || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/phoenix-pairs-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
phoenix=${PHOENIX:-${BUILD:-build}/phoenix}
[ -x "$phoenix" ] || make >"$work/make.log" 2>&1 || tail -n 5 "$work/make.log"
passed=0 failed=0

# expect WHAT VALUE: a percentage.
expect() {
    if awk -v got="$2" 'BEGIN {exit !(got >= 99)}'; then
        passed=$((passed + 1))
    else
        echo "FAILED: $1: $2 %, expected 99"
        failed=$((failed + 1))
    fi
}

awk -v count=20300 -f docs/identifiers.awk >"$work/all.jsonl"
head -n 20000 "$work/all.jsonl" >"$work/names.jsonl"
tail -n 300 "$work/all.jsonl" >"$work/behind.jsonl"
started=$(date +%s)
"$phoenix" train --pairs "$work/names.jsonl" --out "$work/names" --vocabulary 259 --final-epochs 2 >"$work/train.log" 2>&1 ||
    tail -n 3 "$work/train.log"
expect "held-out pairs" "$(sed -n 's/.*held out.*exact match *\([0-9.]*\) %.*/\1/p' "$work/train.log")"
sed 's/.*"source": "\([^"]*\)".*/\1/' "$work/behind.jsonl" >"$work/snake"
sed 's/.*"target": "\([^"]*\)".*/\1/' "$work/behind.jsonl" >"$work/camel"
"$phoenix" generate "$work/names" "$work/snake" --lines --greedy >"$work/written"
expect "identifiers behind the file's" "$(paste "$work/written" "$work/camel" | awk '$1 == $2 {right++} END {print 100 * right / NR}')"
echo "identifiers: $(($(date +%s) - started)) s"
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
