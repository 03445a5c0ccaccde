#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes the book's figures anew, by the program's own hand: sh docs/book/figures.sh [FOLDER] (default: docs/book/figures).
# Half a minute. They are the same bytes on every machine, and tests/suite_book.sh holds those in the tree to that.
set -eu
cd "$(dirname "$0")/../.."
to=${1:-docs/book/figures}
work=$(mktemp -d "${TMPDIR:-/tmp}/phoenix-figures-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# The run of chapter 10, whose T5's training is chapter 7's example.
wheel=$(sed -n 's/^\$ build\/phoenix \(evolve --run\) wheel \(.*\)$/\2/p' docs/book/10-loop.md | head -n 1)
# shellcheck disable=SC2086
build/phoenix evolve --run "$work/wheel" $wheel >/dev/null
build/phoenix report "$work/wheel" --out "$work/wheel.html" --figures >/dev/null
build/phoenix compare --table bench/table.csv --figures "$work/searches" >/dev/null
build/phoenix compare --table bench/table.csv --arms proposers --score last-quarter --figures "$work/proposers" >/dev/null

${CC:-cc} -I. docs/book/walk.c build/libphoenix.a -lm -pthread -o "$work/walk"
"$work/walk" <bench/walk.csv >"$work/walk.svg"

mkdir -p "$to"
cp "$work/walk.svg" "$to/03-walk.svg"
cp "$work/figures/losses.svg" "$to/07-losses.svg"
cp "$work/figures/candidates.svg" "$to/10-candidates.svg"
cp "$work/searches/few-shot-equal-evaluations.svg" "$to/12-searches.svg"
cp "$work/searches/full-equal-evaluations.svg" "$to/12-searches-in-full.svg"
cp "$work/proposers/few-shot-equal-evaluations.svg" "$to/13-proposers.svg"
