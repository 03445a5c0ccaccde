#!/bin/sh
# Holds the tree against its own rules. Each rule prints what breaks it; the last line is the sum.
# A tool that is not there is a rule skipped, by name.
set -u
cd "$(dirname "$0")/.." || exit 1
: "${CC:=cc}"
passed=0 failed=0 skipped=0

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

# Arrows between modules point one way: base <- tensor <- nn <- {t5, vision} <- evolve <- bin, and
# base <- refine <- evolve.
arrows() {
    grep -n -E "^#include \"($2)/" "$1"/*.[ch]
}
{
    arrows base 'tensor|nn|t5|vision|refine|evolve|bin'
    arrows tensor 'nn|t5|vision|refine|evolve|bin'
    arrows nn 't5|vision|refine|evolve|bin'
    arrows t5 'vision|refine|evolve|bin'
    arrows vision 't5|refine|evolve|bin'
    arrows refine 'tensor|nn|t5|vision|evolve|bin'
    arrows evolve 'bin'
} >"$found"
rule "a module includes only what lies below it"

# Every symbol that an object of a module exports begins with the module's name.
if [ -f build/libphoenix.a ]; then
    for module in base tensor nn t5 vision refine evolve; do
        for object in "$module"/*.o; do
            nm -g "$object" 2>/dev/null |
                awk -v m="$module" -v o="$object" \
                    'NF == 3 && $2 ~ /[TDBRVC]/ && $3 !~ "^_?" m "_" {print o ": " $3}'
        done
    done >"$found"
    rule "exported symbols begin with their module's name"
else
    skip "exported symbols begin with their module's name" "build/libphoenix.a"
fi

# The library never ends the process (but in the failure handler's default) and never prints.
grep -n -E '(^|[^_a-z.>])(exit|_exit|abort|printf|puts|perror)\(' \
    base/*.c tensor/*.c nn/*.c t5/*.c vision/*.c refine/*.c evolve/*.c |
    grep -v -E 'tensor/context.c:.*abort|evolve/(pool|native).c:.*_exit|refine/candidate_h.c' >"$found"
rule "no library file exits or prints"

# No libm function that rounds as it likes.
grep -n -E '(^|[^_a-z.>])(expf?|logf?|log2f?|powf?|tanhf?|sinf?|cosf?|erff?|exp2f?|log1pf?|expm1f?)\(' \
    base/*.c tensor/*.c nn/*.c t5/*.c vision/*.c refine/*.c evolve/*.c |
    grep -v -E ':[0-9]+: *(/\*|\*|//)' | grep -v -E '/\*[^*]*(exp|log|pow|tanh|sin|cos|erf)[a-z0-9]*\(' >"$found"
rule "no transcendental function of libm in a library file"

grep -n -w -E 'TODO|FIXME|XXX|HACK' -r base tensor nn t5 vision refine evolve bin docs README.md >"$found"
rule "nothing is left undone in the text"

awk 'FNR == 1 && NR > 1 && n > 900 {print f ": " n " lines"} {f = FILENAME; n = FNR}
     END {if (n > 900) print f ": " n " lines"}' base/*.[ch] tensor/*.[ch] nn/*.[ch] t5/*.[ch] \
    vision/*.[ch] refine/*.[ch] evolve/*.[ch] bin/*.[ch] >"$found"
rule "no file is longer than 900 lines"

# Every source file is in the Makefile.
for file in base/*.c tensor/*.c nn/*.c t5/*.c vision/*.c refine/*.c evolve/*.c bin/*.c; do
    grep -q "${file%.c}\.o" Makefile || echo "$file"
done >"$found"
rule "every source file is built"

for compiler in gcc clang; do
    if command -v $compiler >/dev/null 2>&1; then
        for file in base/*.c tensor/*.c nn/*.c t5/*.c vision/*.c refine/*.c evolve/*.c bin/*.c tests/*.c; do
            $compiler -std=c11 -D_POSIX_C_SOURCE=200809L -I. -O2 -ffp-contract=off -fsyntax-only \
                -Wall -Wextra -Wpedantic -Wshadow -Wconversion "$file" 2>&1
        done >"$found"
        rule "$compiler has no warning"
    else
        skip "no warning" $compiler
    fi
done

if command -v clang-format >/dev/null 2>&1; then
    clang-format --dry-run base/*.[ch] tensor/*.[ch] nn/*.[ch] t5/*.[ch] vision/*.[ch] refine/*.[ch] \
        evolve/*.[ch] bin/*.[ch] tests/*.[ch] 2>&1 | grep 'warning:' |
        grep -v -E 'evolve/phoenix_h.c|refine/candidate_h.c' >"$found"
    rule "the format is clang-format's"
else
    skip "format" clang-format
fi

if command -v cppcheck >/dev/null 2>&1; then
    # It does not see that options_read() fills what the tables of options point at (the two that end
    # in ctu), and knows noreturn only by its old name.
    cppcheck -j 2 --quiet --std=c11 --enable=warning,portability,performance -I. \
        '-D_Noreturn=__attribute__((noreturn))' -D__STDC_VERSION__=201112L \
        --suppress=missingIncludeSystem --suppress=ctunullpointer --suppress=ctuuninitvar \
        base tensor nn t5 vision refine evolve bin >"$found" 2>&1
    rule "cppcheck finds nothing"
else
    skip "static analysis" cppcheck
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
