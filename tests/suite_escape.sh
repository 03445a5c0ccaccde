#!/bin/sh
# attempts to escape from the sandbox, natively compiled, as root and as a normal user
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

# one PROGRAM MODE [nobody]: adds its sum.
one() {
    work=$(mktemp -d "$copy/escape.XXXXXX") && chmod 777 "$work"
    timeout 120 "./$1" "$work" "$2" ${3:+"$3"} >one.log 2>&1
    code=$?
    sum=$(tail -n 1 one.log)
    case $sum in
    [0-9]*" passed, "[0-9]*" failed, "[0-9]*" skipped") ;;
    *) sum="0 passed, 1 failed, 0 skipped" ;;
    esac
    echo "$1 $2 ${3:-$(id -un)}: $sum"
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
build escape-static "$CC" $flags -static $sources build/libphoenix.a -pthread && everybody worker candidate
# shellcheck disable=SC2086
if command -v musl-gcc >/dev/null 2>&1; then
    build escape-musl musl-gcc $flags -static $sources $product &&
        everybody worker candidate
else
    echo "SKIPPED musl: musl-gcc is not here"
    skipped=$((skipped + 1))
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
