#!/bin/sh
# SPDX-License-Identifier: MIT
# Repeats the figures of README.md and docs/ that take under ten minutes, and holds the pages to them.
#
#   sh docs/figures.sh [MINUTES [PAGE...]]      only commands that take at most so long on two idle cores (default: 10),
#                                               of these pages (default: all)
#
# A page marks what it can be held to by a comment above it, in which the minutes and the command are:
#
#     <!-- repeat 4: phoenix evolve --run 1 -->
#
# The commands of a page are run one after another in one new folder that has the tree's folders in it, `phoenix` is
# build/phoenix, and $tree the tree itself. One that needs what another left has that one's minutes. Each number with a
# decimal point or a comma between thousands, up to the next empty line, must be in what the command prints, rounded as
# the page has it; a suite that prints SKIPPED is not held against the page. (The book's figures are held by
# tests/suite_book.sh.) The last line is the sum.
set -u
cd "$(dirname "$0")/.." || exit 1
tree=$PWD most=${1:-10}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- README.md docs/*.md
. tests/verdict.sh
make -j2 >/dev/null || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/phoenix-figures-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
PATH=$tree/build:$PATH
export PATH tree

for page; do
    place=$work/$(basename "$page")
    mkdir "$place"
    for each in "$tree"/*; do ln -s "$each" "$place/"; done
    grep -n '^<!-- repeat [0-9]*: .* -->$' "$page" >"$work/marks"
    while IFS= read -r mark; do
        line=${mark%%:*} rest=${mark#*<!-- repeat }
        minutes=${rest%%:*} command=${rest#*: }
        command=${command% -->}
        if [ "$minutes" -gt "$most" ]; then
            skipped=$((skipped + 1))
            echo "SKIPPED $page:$line: $command: $minutes minutes"
            continue
        fi
        echo "$page:$line: $command"
        (cd "$place" && sh -c "$command") >"$work/said" 2>"$work/errors" </dev/null ||
            verdict "$page:$line: $command" "$(tail -n 2 "$work/errors")"
        cat "$work/errors" >>"$work/said"
        if grep '^SKIPPED' "$work/said"; then
            skipped=$((skipped + 1))
            continue
        fi
        verdict "$page:$line: its figures" "$(awk -v from="$line" '
            # The numbers of a text; of a page, those that have a point, or commas between thousands.
            function numbers(text, list, page,   n, each) {
                for (n = 0; match(text, page ? "[0-9]+(,[0-9][0-9][0-9])*([.][0-9]+)?" : "[0-9]+([.][0-9]+)?");
                     text = substr(text, RSTART + RLENGTH)) {
                    each = substr(text, RSTART, RLENGTH)
                    if (!page || each ~ /[.,]/)
                        list[++n] = each
                }
                return n
            }
            FNR == NR {for (n = numbers($0, found); n > 0; n--) said[++count] = found[n]; next}
            FNR <= from {next}
            $0 == "" && began {exit}
            $0 == "" {next}
            {
                began = 1
                for (n = numbers($0, found, 1); n > 0; n--) {
                    each = found[n]
                    gsub(/,/, "", each)
                    half = 0.5000001
                    if (index(each, "."))
                        for (i = length(each) - index(each, "."); i > 0; i--) half /= 10
                    for (i = 1; i <= count; i++)
                        if (said[i] - each <= half && each - said[i] <= half) break
                    asked++
                    if (i > count) print "line " FNR ": " found[n] " is not printed"
                }
            }
            END {if (!asked) print "the page has no figure there"}' "$work/said" "$page" | head -n 5)"
    done <"$work/marks"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
