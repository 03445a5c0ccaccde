#!/bin/sh
# SPDX-License-Identifier: MIT
# Holds the tree against its own rules. Each rule prints what breaks it; the last line is the sum.
# A tool that is not there is a rule skipped, by name.
set -u
cd "$(dirname "$0")/.." || exit 1
: "${CC:=cc}"
passed=0 failed=0 skipped=0

library="base tensor nn t5 vision export refine/language refine/native refine/mutation evolve evolve/sandbox evolve/source
    evolve/score evolve/search evolve/loop evolve/report"
rooms="$library bin bin/vectors bench"

# files ROOMS ENDINGS: the files of some rooms.
files() {
    for room in $1; do
        for ending in $2; do
            for file in "$room"/*."$ending"; do
                [ ! -f "$file" ] || echo "$file"
            done
        done
    done
}

found=$(mktemp) || exit 1
trap 'rm -f "$found"' EXIT

# rule "what it demands": the lines in $found break it.
rule() {
    if [ -s "$found" ]; then
        echo "BROKEN: $1"
        head -n 20 "$found"
        failed=$((failed + 1))
    else
        passed=$((passed + 1))
    fi
}

skip() {
    echo "SKIPPED: $1: $2 is not here"
    skipped=$((skipped + 1))
}

# Arrows between rooms point one way. reach ROOM 'ROOMS': what a room may include, itself left out.
reach() {
    for file in $(files "$1" "c h"); do
        grep -n -E '^#include "' "$file" | sed "s|^|$file:|" |
            grep -v -E "\"($1$(for room in $2; do printf '|%s' "$room"; done))/[a-z0-9_]+\.h\""
    done
}
below="base tensor nn t5 vision refine/language refine/mutation evolve"
{
    reach base ''
    reach tensor base
    reach nn 'base tensor'
    reach t5 'base tensor nn'
    reach vision 'base tensor nn'
    reach export 'base tensor nn t5 vision'
    reach refine/language base
    reach refine/native 'base refine/language'
    reach refine/mutation 'base refine/language'
    reach evolve 'base tensor nn t5 vision refine/language refine/mutation evolve/sandbox'
    reach evolve/sandbox base
    reach evolve/source "$below"
    reach evolve/score "$below refine/native evolve/sandbox evolve/source"
    reach evolve/search "$below evolve/sandbox evolve/source evolve/score"
    reach evolve/loop "$below evolve/sandbox evolve/source evolve/score evolve/search"
    reach evolve/report "$below evolve/sandbox evolve/source evolve/score evolve/search evolve/loop"
} >"$found"
rule "a room includes only what lies below it"

# Every symbol that an object of a room exports begins with the room's name; those of the reference
# vectors, with what is done with them.
if [ -f build/libphoenix.a ]; then
    for room in $library bin/vectors bench; do
        name=${room##*/}
        [ "$name" != vectors ] || name=verify
        for object in build/"$room"/*.o; do
            nm -g "$object" 2>/dev/null |
                awk -v m="$name" -v o="$object" \
                    'NF == 3 && $2 ~ /[TDBRVC]/ && $3 !~ "^_?" m "_" {print o ": " $3}'
        done
    done >"$found"
    rule "exported symbols begin with their room's name"
else
    skip "exported symbols begin with their room's name" "build/libphoenix.a"
fi

for room in $rooms tests; do
    n=$(find "$room" -maxdepth 1 -type f | wc -l)
    [ "$n" -le 40 ] || echo "$room: $n files"
done >"$found"
rule "no folder has more than 40 files"

# The library never ends the process (but in the failure handler's default) and never prints.
grep -n -E '(^|[^_a-z.>])(exit|_exit|abort|printf|puts|perror)\(' \
    $(files "$library" c) |
    grep -v -E 'tensor/context.c:.*abort|evolve/(sandbox/pool|score/native).c:.*_exit' >"$found"
rule "no library file exits or prints"

# Memory is asked for and given back in one place, which hears when it is refused; two functions of the system
# give memory of their own.
grep -n -E '(^|[^_a-z.>])(malloc|calloc|realloc|aligned_alloc|posix_memalign|strn?dup|free)\(' $(files "$library bin bin/vectors" c) |
    grep -v -E "^base/memory\\.c|:[0-9]+: *(/\\*|\\*|//)|language/library\\.c|^base/file\\.c.*free.real|scandir's|free.l->entries" >"$found"
rule "memory is asked for and given back through base/memory.h"

# No libm function that rounds as it likes.
grep -n -E '(^|[^_a-z.>])(expf?|logf?|log2f?|powf?|tanhf?|sinf?|cosf?|erff?|exp2f?|log1pf?|expm1f?)\(' \
    $(files "$library" c) |
    grep -v -E ':[0-9]+: *(/\*|\*|//)' | grep -v -E '/\*[^*]*(exp|log|pow|tanh|sin|cos|erf)[a-z0-9]*\(' >"$found"
rule "no transcendental function of libm in a library file"

# What has a decimal point is printed and read by base/number.c, the same in every locale; so is what
# a test expects the program to say.
for file in $(files "$rooms" c | grep -v '^base/number\.c'); do
    grep -n -E '(^|[^_a-z])(vsn?printf|strto[df]|strtold|atof|localeconv)\(' "$file" |
        sed "s|^|$file:|"
    tr '\n' ' ' <"$file" |
        grep -o -E '[^_a-z](s?n?f?printf|s?f?scanf|complain)\([^;]*%[-+ #0-9.*]*[aefgAEFG][^;]*;' | sed "s|^|$file: |"
done >"$found"
for file in $(find tests -name "*.[ch]" ! -name test_number.c); do
    tr '\n' ' ' <"$file" |
        grep -o -E '[^_a-z](sn?printf|sscanf)\([^;]*%[-+#0-9.*]*[aefgAEFG][^;]*;' | sed "s|^|$file: |"
done >>"$found"
rule "numbers are printed and read the same in every locale"

grep -n -w -E 'TODO|FIXME|XXX|HACK' -r base tensor nn t5 vision export refine evolve bin bench docs README.md >"$found"
rule "nothing is left undone in the text"

awk 'FNR == 1 && NR > 1 && n > 900 {print f ": " n " lines"} {f = FILENAME; n = FNR}
     END {if (n > 900) print f ": " n " lines"}' $(files "$rooms" "c h") >"$found"
rule "no file is longer than 900 lines"

for file in $(files "$rooms" "c h") $(find tests -name '*.[ch]'); do
    sed -n 2p "$file" | grep -q "^/\* ${file##*/} -- " || echo "$file: $(sed -n 2p "$file")"
done >"$found"
rule "every file opens with its name and what it is about, below its licence"

# In the first lines, so that a file says its licence wherever it goes; of the sources in docs, whose lines the book counts, in
# the last.
for file in $(find . -type f \( -name '*.[ch]' -o -name '*.sh' -o -name '*.py' -o -name '*.awk' -o -name '*.ld' \
    -o -name '*.js' -o -name '*.mjs' \) ! -path './build*' ! -path './.git/*') Makefile .ci/run libphoenix.h; do
    { sed 2q "$file" && tail -n 1 "$file"; } | grep -q 'SPDX-License-Identifier: MIT' ||
        echo "$file: no SPDX-License-Identifier: MIT in its first two lines"
done >"$found"
rule "every source file names its licence"

# Every header compiles alone, in one unit with all the others in either order, and as C++. (A body is
# compiled once for each kernel set, candidate.h is a program's text, and phoenix.h is for sources.)
headers=$(files "$rooms" h | grep -v -E '_body\.h$|native/candidate\.h$')
flags="-std=c11 -D_POSIX_C_SOURCE=200809L -I. -fsyntax-only -Wall -Wextra"
for header in $headers; do
    echo "#include \"$header\"" | $CC $flags -x c - 2>&1
done >"$found"
rule "every header compiles alone"
for order in sort "sort -r"; do
    echo "$headers" | grep -v source/phoenix.h | LC_ALL=C $order | sed 's/.*/#include "&"/' | $CC $flags -x c - 2>&1
done >"$found"
rule "all headers compile together"
{
    sh make/amalgamate.sh . build/amalgamation &&
        $CC -std=c11 -fsyntax-only -Wall -Wextra -Ibuild/amalgamation build/amalgamation/phoenix.c
} >"$found" 2>&1
rule "the library is one file as well, by make/amalgamate.sh"
if command -v g++ >/dev/null 2>&1; then
    for header in $headers; do
        echo "#include \"$header\"" | g++ -std=c++17 -I. -fsyntax-only -Wall -Wextra -x c++ - 2>&1
    done >"$found"
    rule "every header compiles as C++"
    {
        echo '#include "libphoenix.h"'
        echo 'int main() { tensor_context_free(tensor_context_new()); }'
    } | g++ -std=c++17 -I. -Wall -Wextra -o build/cplusplus -x c++ - -x none build/libphoenix.a \
        -pthread >"$found" 2>&1
    rule "a C++ program links with the library"
else
    skip "every header compiles as C++" g++
fi

# A char has a sign on x86-64 and none on ARM or POWER: each of the two compilers takes one of these for granted.
for compiler in gcc clang; do
    [ $compiler = gcc ] && char=-funsigned-char || char=-fsigned-char
    if command -v $compiler >/dev/null 2>&1; then
        for file in $(files "$rooms" c) $(find tests -name '*.c' ! -path 'tests/boxes/*'); do
            $compiler -std=c11 -D_POSIX_C_SOURCE=200809L -I. -O2 -ffp-contract=off -fsyntax-only $char \
                -Wall -Wextra -Wpedantic -Wshadow -Wconversion "$file" 2>&1
        done >"$found"
        rule "$compiler has no warning"
    else
        skip "no warning" $compiler
    fi
done

if command -v clang-format >/dev/null 2>&1; then
    # shellcheck disable=SC2046
    clang-format --dry-run $(files "$rooms" "c h") $(find tests -name '*.[ch]') 2>&1 |
        grep 'warning:' >"$found"
    rule "the format is clang-format's"
else
    skip "format" clang-format
fi

if command -v cppcheck >/dev/null 2>&1; then
    # It knows noreturn only by its old name.
    cppcheck -j 2 --quiet --std=c11 --enable=warning,portability,performance -I. \
        '-D_Noreturn=__attribute__((noreturn))' -D__STDC_VERSION__=201112L \
        --suppress=missingIncludeSystem \
        base tensor nn t5 vision export refine evolve bin bench >"$found" 2>&1
    rule "cppcheck finds nothing"
else
    skip "static analysis" cppcheck
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
