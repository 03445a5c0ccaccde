#!/bin/sh
# SPDX-License-Identifier: MIT
# Files as C, for what the program carries within itself.
#
#   sh make/embed.sh lines NAME FILE...          const char *const NAME[]: the lines of text, ended by 0;
#                                                includes of the tree's own headers are left out
#   sh make/embed.sh bytes TYPE NAME HEADER FOLDER FILE...
#                                                const TYPE NAME[]: {name, bytes, size} of each file of FOLDER
set -eu
kind=$1
shift
case $kind in
lines)
    name=$1
    shift
    echo "extern const char *const $name[];"
    echo "const char *const $name[] = {"
    sed -e '/^#include "[a-z]*\//d' -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/    "&\\n",/' "$@"
    echo '    0};'
    ;;
bytes)
    type=$1 name=$2 header=$3 folder=$4 n=0 rows=
    shift 4
    echo "#include \"$header\""
    for file in "$@"; do
        n=$((n + 1))
        echo "static const unsigned char file_$n[] = {"
        od -An -v -tu1 "$folder/$file" | sed 's/[0-9][0-9]*/&,/g'
        echo '};'
        rows="$rows    {\"$file\", file_$n, sizeof file_$n},
"
    done
    echo "const $type $name[$n] = {"
    printf '%s};\n' "$rows"
    ;;
esac
