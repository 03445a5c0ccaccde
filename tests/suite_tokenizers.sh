#!/bin/sh
# SPDX-License-Identifier: MIT
# tokenizers of published T5s: the ids and the texts of 10,000 lines, against Hugging Face's own in JavaScript
#
#   sh tests/suite_tokenizers.sh [LINES]
#
# Folders are written in the formats of T5 and Flan (tokenizer.json, spiece.model), CodeT5 (tokenizer.json, vocab.json
# with merges.txt) and ByT5, and lines of many scripts (tests/tokenizers.mjs). The reference is the package
# @huggingface/tokenizers of the npm registry, which transformers.js encodes with.
set -u
cd "$(dirname "$0")/.." || exit 1
lines=${1:-10000}
passed=0 failed=0
if ! command -v node >/dev/null 2>&1 || ! command -v npm >/dev/null 2>&1; then
    echo "SKIPPED: node and npm are not here: tokenizers are held against no reference"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/phoenix-tokenizers-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cp tests/tokenizers.mjs "$work"
if ! (cd "$work" && npm install --ignore-scripts --no-audit --no-fund --silent @huggingface/tokenizers@0.2.0) >"$work/npm.log" 2>&1; then
    echo "SKIPPED: npm cannot install @huggingface/tokenizers: $(tail -n 1 "$work/npm.log")"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
: "${CC:=cc}" "${BUILD:=build}"
[ -f "$BUILD/libphoenix.a" ] || make >"$work/make.log" 2>&1 || tail -n 5 "$work/make.log"
flags=$(sed -n 's/^ALL_CFLAGS = //p' "$BUILD/rules.mk")
# shellcheck disable=SC2086
if ! $CC $flags -o "$work/print_ids" tests/t5/print_ids.c "$BUILD/libphoenix.a" -lm >"$work/cc.log" 2>&1 ||
    ! (cd "$work" && node tokenizers.mjs make . "$lines"); then
    cat "$work/cc.log"
    echo "0 passed, 1 failed, 0 skipped"
    exit 1
fi
for kind in unigram spiece gpt2 merges bytes; do
    if "$work/print_ids" "$work/$kind" "$work/lines" >"$work/$kind.jsonl" && (cd "$work" && node tokenizers.mjs hold . $kind); then
        passed=$((passed + 1))
    else
        echo "FAILED $kind"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
