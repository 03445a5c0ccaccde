#!/bin/sh
# SPDX-License-Identifier: MIT
# The public headers: what libphoenix.h reaches.
#
#   sh make/headers.sh list SRC               their paths below SRC
#   sh make/headers.sh write SRC FOLDER       copies in FOLDER, which include each other as
#                                             <phoenix/t5/t5.h> and have C's linkage in C++
#   nm -g LIBRARY | sh make/headers.sh exported SRC   a linker's list of the names that they declare
set -eu
kind=$1 src=$2
shift 2

# Each header before those that include it.
list() {
    seen=' '
    visit libphoenix.h
}
visit() {
    case $seen in *" $1 "*) return ;; esac
    seen="$seen$1 "
    for inner in $(sed -n 's/^#include "\([a-z0-9_/]*\.h\)"$/\1/p' "$src/$1"); do
        visit "$inner"
    done
    echo "$1"
}

case $kind in
list) list ;;
write)
    for header in $(list); do
        mkdir -p "$(dirname "$1/$header")"
        # The linkage goes around what stands between the last #include (or the guard) and the last
        # #endif: a system's headers see to their own.
        last=$(awk '/^#include|^#define [A-Z0-9_]*_H$/ {n = NR} END {print n}' "$src/$header")
        end=$(awk '/^#endif/ {n = NR} END {print n}' "$src/$header")
        [ "$header" != libphoenix.h ] || last=0 end=0
        awk -v last="$last" -v end="$end" '
            NR == end {print "#ifdef __cplusplus\n}\n#endif"}
            {print}
            NR == last {print "\n#ifdef __cplusplus\nextern \"C\" {\n#endif"}' "$src/$header" |
            sed 's|^#include "\([a-z0-9_/]*\.h\)"$|#include <phoenix/\1>|' >"$1/$header"
    done
    ;;
exported)
    words=${TMPDIR:-/tmp}/phoenix-words.$$
    trap 'rm -f "$words"' EXIT
    list | sed "s|^|$src/|" | xargs cat | tr -cs 'A-Za-z0-9_' '\n' | LC_ALL=C sort -u >"$words"
    echo '{ global:'
    awk 'NF == 3 && $2 ~ /^[TDBRVC]$/ {print $3}' | LC_ALL=C sort -u | LC_ALL=C comm -12 - "$words" | sed 's/$/;/'
    echo 'local: *; };'
    ;;
esac
