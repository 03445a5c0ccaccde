#!/bin/sh
# SPDX-License-Identifier: MIT
# How much hand-written code there is, room by room: all lines of *.c and *.h under base, tensor, nn,
# t5, vision, export, refine, evolve, bin and bench, blank ones and comments too, and of *.sh and *.py
# there.
# Left out is what make makes (*_h.c, vision/digits/data.c). Tests are counted apart.
#
# comments/code: of *.c only, lines that have some comment over lines that have some code (a line can
# have both).
set -u
cd "$(dirname "$0")/.." || exit 1

# files FOLDER: what is counted there.
files() {
    find "$1" -type f \( -name '*.[ch]' -o -name '*.sh' -o -name '*.py' \) \
        ! -name '*_h.c' ! -path vision/digits/data.c | sort
}

# row NAME FILE...: a line of the table.
row() {
    name=$1
    shift
    awk -v name="$name" '
        FNR == 1 {
            files++
            is_c = FILENAME ~ /\.c$/
            inside = 0
        }
        { lines++ }
        /SPDX-License-Identifier/ {next}
        is_c {
            code = 0
            comment = inside
            for (rest = $0; rest != "";) {
                if (inside) {
                    end = index(rest, "*/")
                    rest = end ? substr(rest, end + 2) : ""
                    inside = !end
                } else if (match(rest, /^("([^"\\]|\\.)*"|\047([^\047\\]|\\.)*\047)/)) {
                    code = 1
                    rest = substr(rest, RLENGTH + 1)
                } else if (substr(rest, 1, 2) == "/*") {
                    inside = comment = 1
                    rest = substr(rest, 3)
                } else {
                    code = code || substr(rest, 1, 1) ~ /[^ \t]/
                    rest = substr(rest, 2)
                }
            }
            codes += code
            comments += comment
        }
        END {
            printf "%-10s %4d files %6d lines   %.2f comments/code\n", name, files, lines,
                codes ? comments / codes : 0
        }' "$@" /dev/null
}

rooms="base tensor nn t5 vision export refine evolve bin bench"
for room in $rooms; do
    # shellcheck disable=SC2046
    row "$room" $(files "$room")
    for inner in $(find "$room" -mindepth 1 -maxdepth 1 -type d ! -path vision/digits | sort); do
        # shellcheck disable=SC2046
        row "  ${inner#*/}" $(files "$inner")
    done
done
# shellcheck disable=SC2046
row all $(for room in $rooms; do files "$room"; done)
# shellcheck disable=SC2046
row tests $(files tests)
