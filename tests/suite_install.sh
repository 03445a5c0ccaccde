#!/bin/sh
# SPDX-License-Identifier: MIT
# the installed tree: built from the tarball, away from it; what it holds; the programs of docs/embedding.md
set -u
cd "$(dirname "$0")/.." || exit 1
tree=$PWD
: "${CC:=cc}"
work=$(mktemp -d "${TMPDIR:-/tmp}/phoenix-install-XXXXXX") || exit 1
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
passed=0 failed=0 skipped=0

# is WHAT GOT WANTED
is() {
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED $1: $2, expected $3"
    fi
}

# does WHAT COMMAND...: it succeeds and prints no warning.
does() {
    what=$1
    shift
    "$@" >"$work/log" 2>&1
    code=$?
    warnings=$(grep -c -i 'warning' "$work/log")
    is "$what" "$code, $warnings warnings" "0, 0 warnings"
    [ "$code, $warnings" = "0, 0" ] || tail -n 5 "$work/log"
}

skip() {
    echo "SKIPPED $1"
    skipped=$((skipped + 1))
}

# ---- the tarball, unpacked where nothing can be written, is built elsewhere and staged ----
version=$(sed -n 's/^#define EVOLVE_VERSION "\([0-9.]*\)".*/\1/p' evolve/settings.h)
does "make dist" make dist BUILD="$work/dist"
gzip -dc "$work/dist/phoenix-$version.tar.gz" | (cd "$work" && tar xf -)
source=$work/phoenix-$version
chmod -R a-w "$source"
mkdir "$work/away"
cd "$work/away" || exit 1
prefix=$work/usr
away() { make -f "$source/Makefile" SRC="$source" CC="$CC" PREFIX="$prefix" -j2 "$@"; }
away_amalgamation() { (cd "$work/away" && away amalgamation); }
does "make install" away install
find "$prefix" -type f -o -type l | sed "s|^$prefix/||" | LC_ALL=C sort >"$work/files"
away install DESTDIR="$work/stage" >/dev/null 2>&1
is "DESTDIR" "$(find "$work/stage" -type f -o -type l | sed "s|^$work/stage$prefix/||" | LC_ALL=C sort | cksum)" \
    "$(cksum <"$work/files")"
for file in bin/phoenix lib/libphoenix.a lib/pkgconfig/phoenix.pc include/phoenix/t5/t5.h share/man/man1/phoenix.1; do
    [ -f "$prefix/$file" ] || echo "$file"
done >"$work/missing"
is "what is installed" "$(cat "$work/missing")" ""
is "nothing of this build's folders in it" "$(grep -l -F "$work/away" -r "$prefix/include" "$prefix/share" "$prefix/lib/pkgconfig")" ""

# ---- man pages and completion have what --help has ----
phoenix=$prefix/bin/phoenix
commands=$("$phoenix" --help | sed -n 's/^  phoenix \([a-z]*\) .*/\1/p')
for command in $commands; do
    page=$prefix/share/man/man1/phoenix-$command.1
    "$phoenix" "$command" --help all | sed -n 's/^  \(--[a-z0-9-]*\).*/\1/p' >"$work/options"
    while IFS= read -r option; do
        escaped=$(echo "$option" | sed 's/-/\\-/g')
        grep -q -x -F ".B $escaped" "$page" || echo "$command: $option is not in the page"
        name=${option#--}
        for shell in bash-completion/completions/phoenix zsh/site-functions/_phoenix; do
            grep -q -e "$option" "$prefix/share/$shell" || echo "$option is not in $shell"
        done
        grep -q -e "from $command' -l $name " "$prefix/share/fish/vendor_completions.d/phoenix.fish" ||
            echo "$command $option is not in fish's"
    done <"$work/options"
    grep -q -F "BR phoenix\\-$command (1)" "$prefix/share/man/man1/phoenix.1" || echo "phoenix.1 has no $command"
done >"$work/missing"
is "options in pages and completion" "$(head -n 5 "$work/missing")" ""
is "commands" "$([ "$(echo "$commands" | wc -l)" -gt 10 ] && echo many)" many
if command -v groff >/dev/null 2>&1; then
    is "groff's opinion of the pages" "$(groff -man -ww -z "$prefix"/share/man/man1/*.1 2>&1 | head -n 3)" ""
else
    skip "man pages by groff: it is not here"
fi
if command -v bash >/dev/null 2>&1; then
    # complete WORD...: what bash offers for the last of them.
    complete() {
        bash -c '. "$0"; COMP_WORDS=(phoenix "$@"); COMP_CWORD=$#; _phoenix; echo "${COMPREPLY[*]}"' \
            "$prefix/share/bash-completion/completions/phoenix" "$@"
    }
    is "bash: a command" "$(complete evol)" evolve
    is "bash: an option" "$(complete train --optimi)" --optimizer
    is "bash: a value" "$(complete train --optimizer adam)" "adam adamw adamw_scaled"
    is "bash: a preset" "$(complete evolve --preset "")" "quick first-look self-programming"
else
    skip "completion in bash: it is not here"
fi
for shell in zsh fish; do
    command -v $shell >/dev/null 2>&1 || continue
    does "$shell reads its completion" $shell -n "$(echo "$prefix"/share/$shell/*/*phoenix*)"
done

# ---- the shared library exports what the headers declare, under the rooms' names ----
rooms='base|tensor|nn|t5|vision|export|language|mutation|evolve|sandbox|source|score|search|loop|report'
if [ -f "$prefix/lib/libphoenix.so" ]; then
    nm -D --defined-only "$prefix/lib/libphoenix.so" | awk '{print $NF}' >"$work/exported"
    is "exported names without a room's name" "$(grep -v -E "^($rooms)_" "$work/exported")" ""
    find "$prefix/include" -name '*.h' -exec cat {} + | tr -cs 'A-Za-z0-9_' '\n' | sort -u >"$work/words"
    is "exported names that no header has" "$(sort "$work/exported" | comm -23 - "$work/words")" ""
    is "t5_generate is exported" "$(grep -c -x t5_generate "$work/exported")" 1
else
    skip "the shared library: this compiler or linker makes none"
fi

# ---- a program has pkg-config alone to go by ----
if ! command -v pkg-config >/dev/null 2>&1; then
    skip "programs: pkg-config is not here"
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
    exit
fi
export PKG_CONFIG_PATH="$prefix/lib/pkgconfig" LD_LIBRARY_PATH="$prefix/lib"
is "pkg-config's version" "$(pkg-config --modversion phoenix)" "$version"
mkdir "$work/programs"
cd "$work/programs" || exit 1
awk '
    /^```(c|cpp)$/ {inside = 1; next}
    /^```/ {inside = 0; name = ""}
    inside && name == "" && /^\/\* [a-z]+\.c(pp)?/ {name = $2; sub(/:$/, "", name)}
    inside && name != "" {print >name}' "$tree/docs/embedding.md"
is "programs on the page" "$(echo *)" "fit.c generate.c predict.cpp rule.c search.c"
strict="-Wall -Wextra -Wpedantic -Wshadow -Wconversion"

# build NAME COMPILER: with the shared library, and without it.
build() {
    # shellcheck disable=SC2046,SC2086
    does "$1" $2 $strict -o "${1%.*}" "$1" $(pkg-config --cflags --libs phoenix)
    # shellcheck disable=SC2046,SC2086
    does "$1, static" $2 -static -o "${1%.*}.static" "$1" $(pkg-config --static --cflags --libs phoenix)
}
for program in *.c; do build "$program" "$CC -std=c11"; done

"$phoenix" train --out trained --d-model 16 --vocabulary 259 --samples 16 --held-out 1 --fidelity 0 >train.log 2>&1
is "phoenix train" $? 0
for kind in "" .static; do
    ./fit$kind >out
    is "fit$kind" "$? $(grep -c 'after 300 steps 0.0' out)" "0 1"
    ./rule$kind >out
    is "rule$kind" "$? $(cat out)" "0 lamp 3: 0.38"
    ./generate$kind trained/model "int x;" >out$kind
    is "generate$kind" "$? $(grep -c '^[1-9][0-9]* tokens, log probability -' out$kind)" "0 2"
    ./search$kind run$kind >out
    is "search$kind" "$? $(grep -c 'evaluations; the source is' out)" "0 1"
done
is "generate, both ways" "$(cksum <out.static)" "$(./generate trained/model "int x;" | cksum)"
is "search, both ways" "$(cksum <run/journal.jsonl)" "$(cksum <run.static/journal.jsonl)"
is "what the search liked" "$(grep -c 'num_layers = 1;' run/source.c)" 1
./generate missing "int x;" >out 2>err
is "generate without a folder" "$? $(grep -c '^generate: missing' err)" "1 1"

if command -v g++ >/dev/null 2>&1; then
    build predict.cpp "g++ -std=c++11"
    for kind in "" .static; do
        is "predict$kind" "$(./predict$kind | sed 's/^[0-4] of 4 right, loss [0-9.]*$/said/')" said
    done
    (cd "$prefix/include" && find . -name '*.h') | sed 's|^\./||' | while read -r header; do
        # shellcheck disable=SC2046
        echo "#include <$header>" | g++ -std=c++11 -Wall -Wextra -fsyntax-only -x c++ $(pkg-config --cflags phoenix) - 2>&1
    done >"$work/missing"
    is "each header in C++" "$(head -n 3 "$work/missing")" ""
else
    skip "C++: g++ is not here"
fi

# ---- one file: the same numbers, compiled as whoever has no flags compiles it ----
does "make amalgamation" away_amalgamation
for program in fit.c generate.c; do
    { echo '#include "phoenix.h"'; grep -v '^#include <phoenix/' $program; } >"one_$program"
done
one="-I$work/away/build/amalgamation"
native=-march=native # where the compiler would contract, if it were let
echo 'int main(void) { return 0; }' >empty.c
$CC $native -o empty empty.c 2>/dev/null || native=
# shellcheck disable=SC2086
does "phoenix.c" $CC -O1 -Wall -Wextra $native -c "$work/away/build/amalgamation/phoenix.c" -o one.o
# shellcheck disable=SC2086
does "fit.c with it" $CC $one -o one_fit one_fit.c one.o -lm
is "fit.c's numbers" "$(./one_fit)" "$(./fit)"
small=$CC
! command -v tcc >/dev/null 2>&1 || small=tcc
# shellcheck disable=SC2086
does "generate.c with inference alone ($small)" $small $one -DPHOENIX_INFERENCE -o one_generate one_generate.c \
    "$work/away/build/amalgamation/phoenix.c" -lm
is "generate.c's text" "$(./one_generate trained/model "int x;" | cksum)" "$(cksum <out.static)"

# ---- and away with it ----
cd "$work/away" || exit 1
does "make uninstall" away uninstall
is "what is left" "$(find "$prefix" -type f -o -type l)" ""

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
