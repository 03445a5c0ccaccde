#!/bin/sh
# SPDX-License-Identifier: MIT
# attempts to escape from the sandbox, natively compiled, as root and as a normal user
#
# PHOENIX_SLOW=1: with a launcher and by the level "limits" too. TABLE=FILE (a whole path): what held what, as a
# table of Markdown (of all of them, so with PHOENIX_SLOW=1).
: "${TABLE:=}"
. "$(dirname "$0")/copy.sh"
: "${CC:=cc}"
passed=0 failed=0 skipped=0
if [ "$(uname -s)" != Linux ]; then
    echo "SKIPPED: the strict level is Linux's"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
make -j2 CC="$CC" >make.log 2>&1 || tail -n 5 make.log
flags="-std=c11 -D_POSIX_C_SOURCE=200809L -I. -O2 -ffp-contract=off"
sources="tests/escape/escape_driver.c tests/escape/escape_attempts.c"
product="$(echo base/*.c evolve/sandbox/*.c)"
chmod 755 .
export PHOENIX_VERBOSE=1

# one PROGRAM MODE [nobody] [limits]: adds its sum.
one() {
    work=$(mktemp -d "$copy/escape.XXXXXX") && chmod 777 "$work"
    timeout 300 "./$1" "$work" "$2" ${3:+"$3"} ${4:+"$4"} >one.log 2>&1
    code=$?
    sed -n "s/^$2  *\([^ ].*[^ ]\)  *\(ESCAPED\|flooded\|deadline\|killed: .*\|refused: .*\)\$/$2 ${3:-root} ${4:-strict};\1;\2/p" one.log >>outcomes
    sum=$(tail -n 1 one.log)
    case $sum in
    [0-9]*" passed, "[0-9]*" failed, "[0-9]*" skipped") ;;
    *) sum="0 passed, 1 failed, 0 skipped" ;;
    esac
    echo "$1 $2 ${3:-$(id -un)}${4:+ $4}: $sum"
    [ $code -eq 0 ] && grep -E 'SKIPPED|entering' one.log || [ $code -eq 0 ] || cat one.log
    # shellcheck disable=SC2086
    set -- $sum
    passed=$((passed + $1)) failed=$((failed + $3)) skipped=$((skipped + $5))
}

# build NAME COMMAND...
build() {
    name=$1
    shift
    rm -f "$name"
    "$@" -o "$name" -lm >build.log 2>&1 && [ -x "$name" ] && return 0
    echo "SKIPPED $name: does not build here"
    head -n 3 build.log
    skipped=$((skipped + 1))
    return 1
}

everybody() {
    for mode in "$@"; do
        one "$name" "$mode"
        [ "$(id -u)" -ne 0 ] || one "$name" "$mode" nobody
    done
}

# shellcheck disable=SC2086
build escape-dynamic "$CC" $flags $sources build/libphoenix.a -pthread && everybody nothing worker compiler
# shellcheck disable=SC2086
if build escape-static "$CC" $flags -static $sources build/libphoenix.a -pthread; then
    everybody worker candidate
    if [ -n "${PHOENIX_SLOW:-}" ]; then
        everybody launcher
        for mode in worker candidate launcher; do
            one escape-static $mode "" limits
            [ "$(id -u)" -ne 0 ] || one escape-static $mode nobody limits
        done
    fi
fi
# shellcheck disable=SC2086
if command -v musl-gcc >/dev/null 2>&1; then
    build escape-musl musl-gcc $flags -static $sources $product &&
        everybody worker candidate
else
    echo "SKIPPED musl: musl-gcc is not here"
    skipped=$((skipped + 1))
fi
# A row for all attempts that came to the same in each column.
[ -z "$TABLE" ] || awk -F ';' '
    BEGIN {
        columns = split("worker root strict,worker nobody strict,candidate root strict,candidate nobody strict," \
            "launcher root strict,launcher nobody strict,worker root limits,worker nobody limits," \
            "candidate root limits,candidate nobody limits,launcher root limits,launcher nobody limits", column, ",")
        print "| attempts | interpreted: root | user | native: root | user | launcher: root | user |" \
            " limits, interpreted: root | user | native: root | user | launcher: root | user |"
        print "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    }
    !($2 in seen) { seen[$2] = 1; order[++attempts] = $2 }
    {
        sub(/^killed: Bad system call$/, "killed", $3); sub(/^(killed|refused): /, "", $3)
        sub(/ESCAPED/, "**out**", $3)
        came[$1, $2] = $3
    }
    END {
        for (i = 1; i <= attempts; i++) {
            key = ""
            for (c = 1; c <= columns; c++)
                key = key " " ((column[c], order[i]) in came ? came[column[c], order[i]] : "-") " |"
            if (!(key in row)) keys[++rows] = key
            row[key] = row[key] (key in row && row[key] != "" ? "; " : "") order[i]
        }
        for (i = 1; i <= rows; i++) print "| " row[keys[i]] " |" keys[i]
    }' outcomes >"$TABLE"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
