#!/bin/sh
# SPDX-License-Identifier: MIT
# The book and all pages say what is so: quotes are the files' own lines, links lead somewhere, commands and options exist,
# what a command prints is what it prints now, and each exercise fails until its solution is there. Some
# twenty seconds; with PHOENIX_SLOW=1 also exercises that change the tree.
set -u
cd "$(dirname "$0")/.." || exit 1
tree=$PWD
make -j2 >/dev/null
work=$(mktemp -d "${TMPDIR:-/tmp}/phoenix-book-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
. tests/verdict.sh
skip() {
    skipped=$((skipped + 1))
    echo "SKIPPED $1"
}
# README.md and docs/**/*.md
pages=$(find README.md CONTRIBUTING.md SECURITY.md CHANGELOG.md docs -name "*.md" | LC_ALL=C sort)

# ---- links ----

# GitHub's anchors of a page's headings.
anchors() {
    awk '/^```/ {inside = !inside} !inside && sub(/^#+ +/, "") {print tolower($0)}' "$1" |
        sed -e 's/[^a-z0-9 _-]//g' -e 's/ /-/g'
}
for page in $pages; do
    folder=$(dirname "$page") wrong=
    awk '/^```/ {inside = !inside} !inside' "$page" | grep -o '](\([^)]*\))' | sed 's/^](//; s/)$//' >"$work/links"
    while read -r link; do
        case $link in
        *://* | mailto:*) continue ;;
        esac
        file=${link%%#*}
        to=$page
        [ -z "$file" ] || to=$folder/$file
        [ -e "$to" ] || wrong="$wrong $link"
        [ "$file" = "$link" ] || anchors "$to" 2>/dev/null | grep -qxF -e "${link#*#}" || wrong="$wrong $link"
    done <"$work/links"
    verdict "links of $page" "${wrong:+lead nowhere:$wrong}"

    # Files that a page names as code.
    wrong=
    for file in $(grep -oE '`(base|tensor|nn|t5|vision|refine|evolve|export|bin|bench|tests|docs|make)/[a-zA-Z0-9_./-]*\.(c|h|md|sh|csv|py|awk)`' "$page" |
        tr -d '`' | grep -v '[A-Z][A-Z][A-Z].*/\|NAME\|_FILE' | sort -u); do
        [ -e "$file" ] || wrong="$wrong $file"
    done
    verdict "files of $page" "${wrong:+are not there:$wrong}"
done

# ---- commands ----

for command in $(build/phoenix --help | sed -n 's/^  phoenix \([a-z]*\) .*/\1/p'); do
    COLUMNS=200 build/phoenix "$command" --help all | # its table, and lists that only the usage has
        sed -n -e "s/^  --\([a-z0-9-]*\).*/$command \1/p" -e "s/^phoenix $command .*\[--\([a-z-]*\) [A-Z].*/$command \1/p"
done >"$work/options"
for page in $pages; do
    wrong=$(awk -v options="$work/options" '
        BEGIN {
            while ((getline line <options) > 0) {
                known[line] = 1
                split(line, part, " ")
                command[part[1]] = 1
            }
        }
        /^```/ {inside = !inside; next}
        !inside && !/^    / {next}
        {
            sub(/  #.*/, "")
            gsub(/"[^"]*"/, "TEXT")
            n = split($0, word, /[ \t]+/)
            of = ""
            for (i = 1; i <= n; i++) {
                if (word[i] ~ /^(\||;|&&|>)$/) {
                    of = ""
                } else if (word[i] ~ /^(.*\/)?phoenix$/ && i < n && word[i + 1] ~ /^[a-z]/ && (i == 1 || word[i - 1] ~ /^(\$|)$/)) {
                    of = word[++i]
                    if (!(of in command) && of != "help")
                        print NR ": " of
                } else if (of in command && word[i] ~ /^--[a-z]/) {
                    name = substr(word[i], 3)
                    sub(/[=,.)].*/, "", name)
                    if (!((of " " name) in known))
                        print NR ": " of " --" name
                }
            }
        }' "$page" | tr '\n' ' ')
    verdict "commands of $page" "${wrong:+are none: line $wrong}"
done

# ---- quotes, and what commands print ----

# Commands run in a folder that has the tree's in it, and may leave files there. One that prints to the terminal is silent.
run_block() { # FILE
    awk -v to="$work/wanted" '/^\$ / {print substr($0, 3)}' "$1" >"$work/commands"
    n=0
    while IFS= read -r command; do
        n=$((n + 1))
        (cd "$place" && sh -c "$command") >"$work/got" 2>"$work/errors" </dev/null || [ -s "$work/got" ] || cat "$work/errors" >>"$work/got"
        awk -v n=$n '/^\$ / {k++; next} k == n' "$1" | sed '1{/^$/d;}' >"$work/wanted"
        awk -v start=1 -v end=1 -f tests/book/lines.awk "$work/got" "$work/wanted" >"$work/missing"
        [ ! -s "$work/wanted" ] || [ ! -s "$work/missing" ] || printf '%s: expected %s\n' "$command" "$(cat "$work/missing")"
    done <"$work/commands"
}
place=$work/place
mkdir "$place"
for each in "$tree"/*; do ln -s "$each" "$place/"; done
for page in docs/book/*.md; do
    mkdir -p "$work/blocks"
    awk -v to="$work/blocks" -f tests/book/blocks.awk "$page" >"$work/list"
    while read -r n mark line; do
        block=$work/blocks/$n.$mark
        what=$(head -n 1 "$block")
        sed 1d "$block" >"$work/text"
        case $mark in
        quote)
            wrong=
            [ -f "$what" ] || wrong="there is no $what"
            [ -n "$wrong" ] || wrong=$(awk -f tests/book/lines.awk "$what" "$work/text")
            ;;
        run) wrong=$(run_block "$work/text") ;;
        *) wrong="no such mark" ;;
        esac
        verdict "$page, block at line $line${what:+, $what}" "${wrong:+not there: $wrong}"
    done <"$work/list"
    rm -rf "$work/blocks"
done

# ---- figures ----

sh docs/book/figures.sh "$work/figures" >/dev/null 2>"$work/errors" || cat "$work/errors"
for figure in docs/book/figures/*.svg; do
    verdict "$figure" "$(cmp "$figure" "$work/figures/$(basename "$figure")" 2>&1)"
done

# Chapter 3's table has the numbers that its figure is drawn from.
verdict "the table of docs/book/03-products.md" "$(awk '
    FNR == NR {if (gsub(/^[|] `|`|,| %| ms/, "") && /^walk/) said[$1] = $3 " " $5 " " $7; next}
    split($0, cell, ",") == 4 && /^walk/ && said[cell[1]] != cell[2] " " cell[3] " " cell[4] {
        print cell[1] ": " said[cell[1]] ", measured: " cell[2] " " cell[3] " " cell[4]
    }' docs/book/03-products.md bench/walk.csv)"

# ---- exercises ----

flags=$(sed -n 's/^ALL_CFLAGS = //p' build/rules.mk)
ran() { # FOLDER NAME WORK: compiles an exercise of that folder and runs it; the line with the sum
    case $2 in
    *.c)
        # shellcheck disable=SC2086
        (cd "$1" && ${CC:-cc} $flags -O0 -I"$tree" -o "$3/exercise" "tests/book/$2" "$tree/build/libphoenix.a" -lm) >"$3/log" 2>&1 &&
            "$3/exercise" 2>&1 | tail -n 1
        ;;
    *) (cd "$1" && sh "tests/book/$2" 2>&1 | tail -n 1) ;;
    esac
}
done_well() { # a sum of checks that all passed
    case $1 in
    "0 passed,"*) return 1 ;;
    *" passed, 0 failed, 0 skipped") return 0 ;;
    esac
    return 1
}
# exercise FILE WORK: a line for each thing that was looked at: what it is, a tab, and what is wrong.
exercise() {
    name=$(basename "$1") number=$(basename "${1%.*}" | sed 's/exercise_//')
    solution=docs/book/solutions/$number.diff
    wrong=
    ! done_well "$(ran "$tree" "$name" "$2")" || wrong="it passes as it stands"
    printf '%s\t%s\n' "$1" "$wrong"
    wrong=
    if grep -q '^+++ b/[^t]' "$solution" 2>/dev/null; then # it changes the tree
        patch -p1 --dry-run <"$solution" >"$2/log" 2>&1 || wrong="does not apply: $(tail -n 1 "$2/log")"
        printf '%s\t%s\n' "$solution" "$wrong"
        return
    fi
    rm -rf "$2/solved"
    mkdir -p "$2/solved/tests/book"
    ln -s "$tree/build" "$tree/base" "$tree/tensor" "$2/solved/"
    cp "$1" "$2/solved/tests/book/"
    if (cd "$2/solved" && patch -p1 <"$tree/$solution") >"$2/log" 2>&1; then
        sum=$(ran "$2/solved" "$name" "$2")
        done_well "$sum" || wrong="is none: $sum $(head -n 3 "$2/log")"
    else
        wrong="does not apply: $(tail -n 1 "$2/log")"
    fi
    printf '%s\t%s\n' "$solution" "$wrong"
}
for lane in 0 1; do
    mkdir "$work/$lane"
    i=0
    for each in tests/book/exercise_*; do
        i=$((i + 1))
        [ $((i % 2)) -ne $lane ] || exercise "$each" "$work/$lane"
    done >"$work/lane$lane" &
done
wait
while IFS="$(printf '\t')" read -r what wrong; do
    verdict "$what" "$wrong"
done <<END_OF_LANES
$(cat "$work/lane0" "$work/lane1")
END_OF_LANES

# Those that change the tree, all in one copy of it.
if [ -n "${PHOENIX_SLOW:-}" ]; then
    whole=$(grep -l '^+++ b/[^t]' docs/book/solutions/*.diff | sed 's|.*/||; s|\.diff||')
    mkdir "$work/copy"
    tar cf - --exclude=./build --exclude=./runs --exclude=./.git . | (cd "$work/copy" && tar xf -)
    for number in $whole; do (cd "$work/copy" && patch -p1 <"docs/book/solutions/$number.diff" >/dev/null); done
    (cd "$work/copy" && make -j2) >"$work/log" 2>&1
    for number in $whole; do
        sum=$(cd "$work/copy" && sh tests/run.sh tests/book/exercise_"$number".* | tail -n 1)
        wrong=
        done_well "$sum" || wrong="is none: $sum"
        verdict "solution $number, built" "$wrong"
    done
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
