#!/bin/sh
# SPDX-License-Identifier: MIT
# Writes $BUILD/rules.mk: the compiler's flags, found out by trying, and a rule for each object.
#
# The Makefile runs this before anything else, with its variables in the environment. What was found out is
# kept in $BUILD/flags for as long as the compiler and the flags stay the same; every object depends
# on that file, and on the headers that the compiler said it read (-MMD). So a rule needs no
# language of any one make: no pattern, no conditional, no shell assignment.
#
# Files are written under names of this process and renamed, so that two makes at once cannot see halves.
set -eu
: "${CC:=cc}" "${AR:=ar}" "${CFLAGS:=-O2}" "${LDFLAGS:=}" "${LDLIBS:=}" "${OMP:=}" "${THREADS=auto}" "${V:=}"
: "${SRC:=.}" "${BUILD:=build}" "${NM:=nm}"
[ "$SRC" = . ] || SRC=$(cd "$SRC" && pwd)
from=$SRC/
[ "$SRC" != . ] || from=

# The shared library's name is that of its interface, which stays the same within a minor version.
version=$(sed -n 's/^#define EVOLVE_VERSION "\([0-9.]*\)".*/\1/p' "$SRC/evolve/settings.h")
soname=libphoenix.so.${version%.*}

rooms="base tensor nn t5 vision export refine/language refine/native refine/mutation evolve/sandbox evolve/source evolve/score
    evolve/search evolve/loop evolve/report evolve"
mkdir -p "$BUILD"
try=$BUILD/try.$$
trap 'rm -rf "$try"' EXIT
trap 'exit 1' INT TERM

stop() {
    echo "make: $1" >&2
    shift
    [ $# -eq 0 ] || printf '%s\n' "$@" | head -n 3 | sed 's/^/make:   /' >&2
    exit 1
}

# compiles FLAG...: whether $CC builds $try/try.c with these. $said: what it printed.
compiles() {
    # shellcheck disable=SC2086
    said=$($CC -std=c11 $CFLAGS "$@" "$try/try.c" -o "$try/try" $LDFLAGS 2>&1)
}

find_flags() {
    mkdir -p "$try"
    echo 'int main(void) { return 0; }' >"$try/try.c"
    compiles || stop "CC=\"$CC\" CFLAGS=\"$CFLAGS\" cannot build an empty program:" "$said"

    # clang does not let a program see what base/math.h asks gcc for.
    for flag in $CC $CFLAGS; do
        case $flag in
        -funsafe-math-optimizations | -fassociative-math | -freciprocal-math | -fno-signed-zeros | -fapprox-func)
            stop "$flag changes results, which are to be the same bits everywhere"
            ;;
        esac
    done

    # Results are the same bits everywhere: no contraction that is not written as fma, no excess
    # precision. gcc knows both flags; a compiler that refuses one is not given it.
    bits=
    for flag in -ffp-contract=off -fexcess-precision=fast; do
        ! compiles -Werror $flag || bits="$bits $flag"
    done

    # Of 32-bit x86 the registers of SSE2 round as all other machines do, those of x87 do not.
    printf '#include <float.h>\ntypedef int plain[FLT_EVAL_METHOD == 0 || FLT_EVAL_METHOD == 16 ? 1 : -1];\n' >>"$try/try.c"
    if ! compiles && compiles -msse2 -mfpmath=sse; then
        bits="$bits -msse2 -mfpmath=sse"
    fi
    echo 'int main(void) { return 0; }' >"$try/try.c"

    # POSIX threads and C11 atomics of 64 bits; a system without them has no threads.
    threads=$THREADS
    if [ "$THREADS" = auto ]; then
        threads="-pthread -DTENSOR_POSIX_THREADS"
        printf '#include <pthread.h>\n#include <stdatomic.h>\n#include <stdint.h>\n_Atomic uint64_t n;\n' >"$try/try.c"
        echo 'int main(void) { uint64_t was = 0; return !atomic_compare_exchange_strong(&n, &was, 1); }' >>"$try/try.c"
        if ! compiles -pthread; then
            threads=
            echo "make: no POSIX threads with C11 atomics here: built without threads" >&2
        fi
        echo 'int main(void) { return 0; }' >"$try/try.c"
    fi

    # A shared library that exports what a list says, where the linker can make one.
    shared="-shared -fPIC -Wl,-soname,$soname -Wl,--version-script="
    echo '{ global: main; local: *; };' >"$try/try.map"
    compiles $shared"$try/try.map" || shared=

    # Lists of the headers that were read; without them every object depends on every header.
    lists=
    ! compiles -MMD -MP || lists="-MMD -MP"
}

# What the last make found out holds if it was asked the same.
# shellcheck disable=SC2086
asked="$(cksum <"$SRC/make/rules.sh")|$version|$($CC --version 2>/dev/null | head -n 1)|$CC|$CFLAGS|$LDFLAGS|$THREADS|$OMP|$SRC"
if [ ! -f "$BUILD/flags" ] || ! { IFS= read -r was && [ "$was" = "$asked" ]; } <"$BUILD/flags"; then
    find_flags
    mkdir -p "$try"
    printf '%s\n' "$asked" "$bits $threads $OMP" "$lists" "$shared" >"$try/flags"
    mv "$try/flags" "$BUILD/flags"
fi
{
    IFS= read -r asked
    IFS= read -r found
    IFS= read -r lists
    IFS= read -r shared
} <"$BUILD/flags"

# sources ROOM...: the hand-written files of the rooms, without their ending.
sources() {
    for room in "$@"; do
        for file in "$SRC/$room"/*.c; do
            file=${file#"$SRC/"}
            echo "${file%.c}"
        done
    done
}

# shellcheck disable=SC2086
library=$(sources $rooms | grep -v _h$) command=$(sources bin bin/vectors bench)
made="evolve/source/phoenix_h evolve/search/experience_h refine/native/candidate_h vision/digits/data export/t5_body_h export/t5_interface_h evolve/commit"
headers=
[ -n "$lists" ] || headers=$(cd "$SRC" && find base tensor nn t5 vision export refine evolve bin bench -name '*.h' | sed "s|^|$from|" | tr '\n' ' ')
# shellcheck disable=SC2086
(cd "$BUILD" && for object in $library $command $made; do echo "${object%/*}"; done | sort -u | xargs mkdir -p)

# What it was built from, for who reads a run's times. Written where it has changed, so that a commit compiles one file.
commit=
[ ! -e "$SRC/.git" ] || commit=$(git -C "$SRC" describe --tags --always --dirty 2>/dev/null) || :
printf '#include "evolve/settings.h"\nconst char evolve_commit[] = "%s";\n' "$commit" >"$BUILD/commit.$$"
if cmp -s "$BUILD/commit.$$" "$BUILD/evolve/commit.c"; then
    rm "$BUILD/commit.$$"
else
    mv "$BUILD/commit.$$" "$BUILD/evolve/commit.c"
fi

# with PREFIX SUFFIX WORD...: each word between the two, on one line.
with() {
    before=$1 after=$2
    shift 2
    for word in "$@"; do printf ' %s%s%s' "$before" "$word" "$after"; done
    echo
}

say='	@echo "  ' quiet=@
[ -z "$V" ] || say='	@: "' quiet=

# rule TARGET PREREQUISITES WORD COMMAND: prints WORD and the target, or, with V=1, the command.
rule() {
    printf '%s: %s\n%s%s %s"\n\t%s%s\n' "$1" "$2" "$say" "$3" "$1" "$quiet" "$4"
}

# shellcheck disable=SC2086
{
    echo "# Made by make/rules.sh."
    echo "CC = $CC"
    # Large files and inodes on 32-bit systems, which folders are not read without.
    echo "ALL_CFLAGS = -std=c11 -D_POSIX_C_SOURCE=200809L -D_FILE_OFFSET_BITS=64 -I$SRC $found $CFLAGS"
    echo "WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion"
    echo "LIBRARY =$(with "$BUILD/" .o $library $made)"
    echo "COMMAND =$(with "$BUILD/" .o $command)"
    echo "all: $BUILD/phoenix"
    rule "$BUILD/libphoenix.a" '$(LIBRARY)' AR "rm -f \$@ && $AR rc \$@ \$(LIBRARY)"
    rule "$BUILD/phoenix" "\$(COMMAND) $BUILD/libphoenix.a" LINK \
        "\$(CC) \$(ALL_CFLAGS) $LDFLAGS -o \$@ \$(COMMAND) $BUILD/libphoenix.a $LDLIBS"

    embed=${from}make/embed.sh
    rule "$BUILD/evolve/source/phoenix_h.c" "${from}evolve/source/phoenix.h $embed" MAKE \
        "sh $embed lines source_phoenix_h ${from}evolve/source/phoenix.h >\$@.\$\$\$\$ && mv \$@.\$\$\$\$ \$@"
    rule "$BUILD/evolve/search/experience_h.c" "${from}evolve/search/experience.csv $embed" MAKE \
        "sh $embed lines search_experience_lines ${from}evolve/search/experience.csv >\$@.\$\$\$\$ && mv \$@.\$\$\$\$ \$@"
    for part in body interface; do
        file=${from}export/t5_$part.h
        [ $part = body ] || file=${from}export/t5_${part}_body.h
        rule "$BUILD/export/t5_${part}_h.c" "$file $embed" MAKE \
            "sh $embed lines export_t5_$part $file >\$@.\$\$\$\$ && mv \$@.\$\$\$\$ \$@"
    done
    wire="${from}refine/native/wire.h ${from}refine/native/candidate.h"
    rule "$BUILD/refine/native/candidate_h.c" "$wire $embed" MAKE \
        "sh $embed lines native_candidate_h $wire >\$@.\$\$\$\$ && mv \$@.\$\$\$\$ \$@"
    digits=
    for part in train test; do
        digits="$digits vision/digits/$part-images-idx3-ubyte.gz vision/digits/$part-labels-idx1-ubyte.gz"
    done
    rule "$BUILD/vision/digits/data.c" "$(with "$from" '' $digits) $embed" MAKE \
        "sh $embed bytes vision_digits_file vision_digits_files vision/images_internal.h $SRC $digits >\$@.\$\$\$\$ && mv \$@.\$\$\$\$ \$@"

    # compile ENDING FLAGS OBJECT...
    compile() {
        ending=$1 more=$2
        shift 2
        for object in "$@"; do
            case " $made " in *" $object "*) at=$BUILD/ ;; *) at=$from ;; esac
            rule "$BUILD/$object$ending" "$at$object.c $BUILD/flags $headers" CC \
                "\$(CC) \$(ALL_CFLAGS) \$(WARNINGS) $more$lists -c $at$object.c -o \$@"
        done
    }
    compile .o '' $library $command $made

    # The shared library has objects of its own, and exports what the public headers declare.
    if [ -n "$shared" ]; then
        echo "SHARED =$(with "$BUILD/" .pic.o $library $made)"
        echo "shared: $BUILD/libphoenix.so"
        rule "$BUILD/libphoenix.map" "$BUILD/libphoenix.a ${from}make/headers.sh" MAKE \
            "$NM -g $BUILD/libphoenix.a | sh ${from}make/headers.sh exported $SRC >\$@.\$\$\$\$ && mv \$@.\$\$\$\$ \$@"
        rule "$BUILD/libphoenix.so" "\$(SHARED) $BUILD/libphoenix.map" LINK \
            "\$(CC) \$(ALL_CFLAGS) $LDFLAGS $shared$BUILD/libphoenix.map -o \$@ \$(SHARED) $LDLIBS"
        compile .pic.o "-fPIC " $library $made
    else
        printf 'shared:\n\t@echo "make: no shared library: this compiler or linker makes none"\n'
    fi
    for object in $library $command $made; do
        for list in "$BUILD/$object.d" "$BUILD/$object.pic.d"; do
            [ ! -f "$list" ] || cat "$list"
        done
    done
} >"$BUILD/rules.$$"
mv "$BUILD/rules.$$" "$BUILD/rules.mk"
