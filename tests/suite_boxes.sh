#!/bin/sh
# SPDX-License-Identifier: MIT
# any box: phoenix.c by each compiler and for each machine that is here; the same bits, no warning
#
# A row is `make amalgamation` and tests/boxes/box.c, compiled alone, and run, under qemu where the machine is another:
# so a row costs one compilation. Without PHOENIX_SLOW=1, three rows and what is to be refused.
#
#   sh tests/suite_boxes.sh            the last line is the sum; before it, a line a row
set -u
cd "$(dirname "$0")/.." || exit 1
tree=$PWD
work=$(mktemp -d "${TMPDIR:-/tmp}/phoenix-boxes-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
passed=0 failed=0 skipped=0 wanted=

sh make/amalgamate.sh . "$work" || exit 1
cp tests/boxes/* "$work/"
cd "$work" || exit 1
printf '#include <errno.h>\nint main(void) { return 0; }\n' >empty.c # of some systems the headers are a package of their own

fail() {
    echo "FAILED $*"
    failed=$((failed + 1))
}

# row NAME RUNNER COMPILER FLAGS [SET...]: the first that runs is what the others have to print. SET: kernel sets
# that are asked for one by one, where the machine has them.
row() {
    name=$1 runner=$2 compiler=$3 flags=$4
    shift 4
    for tool in ${compiler%% *} $runner; do
        if ! command -v "$tool" >/dev/null 2>&1; then
            echo "SKIPPED $name: $tool is not here"
            skipped=$((skipped + 1))
            return
        fi
    done
    # shellcheck disable=SC2086
    if ! $compiler $flags empty.c -o empty >/dev/null 2>&1; then
        echo "SKIPPED $name: no library for it is here"
        skipped=$((skipped + 1))
        return
    fi
    # shellcheck disable=SC2086
    if ! { $compiler $flags -I. -c phoenix.c -o phoenix.o && $compiler $flags -I. -c box.c -o box.o &&
        $compiler $flags -o box box.o phoenix.o -lm; } >log 2>&1 || grep -q 'warning' log; then
        fail "$name: does not build, or not without a warning"
        head -n 5 log
        return
    fi
    for set in "" "$@"; do
        PHOENIX_KERNEL=$set $runner ./box >got 2>heap
        code=$?
        if [ -n "$set" ] && grep -q 'PHOENIX_KERNEL names a set' got; then
            echo "SKIPPED $name, $set: this machine does not have it"
            skipped=$((skipped + 1))
            continue
        fi
        [ -n "$wanted" ] || [ $code -ne 0 ] || wanted=$(cat got)
        if [ $code -eq 0 ] && [ "$(cat got)" = "$wanted" ]; then
            passed=$((passed + 1))
            echo "same bits: $name${set:+, $set}"
        else
            fail "$name${set:+, $set}: other bits, exit code $code"
            head -n 5 got heap
        fi
    done
}

# board CORE MACHINE FLAGS: on a microcontroller without an operating system, with newlib, where qemu emulates it.
board() {
    for tool in arm-none-eabi-gcc qemu-system-arm; do
        if ! command -v $tool >/dev/null 2>&1; then
            echo "SKIPPED Cortex-$1: $tool is not here"
            skipped=$((skipped + 1))
            return
        fi
    done
    # shellcheck disable=SC2086
    if ! arm-none-eabi-gcc -mcpu=cortex-$3 -mfloat-abi=hard -mthumb -std=gnu11 -Wall -Os -ffunction-sections -fdata-sections \
        --specs=rdimon.specs -nostartfiles -Wl,--gc-sections -T board.ld -I. start.c box.c phoenix.c -lm -o box >log 2>&1 ||
        grep -v 'not implemented' log | grep -q 'warning'; then # newlib's linker says what of POSIX it does not have
        fail "Cortex-$1: does not build, or not without a warning"
        head -n 5 log
        return
    fi
    timeout 300 qemu-system-arm -M "$2" -nographic -monitor none -serial none -semihosting-config enable=on,target=native \
        -kernel box >got 2>heap
    code=$?
    grep '^heap' got >>heap
    if [ $code -eq 0 ] && [ "$(grep -v '^heap' got)" = "$wanted" ]; then
        passed=$((passed + 1))
        echo "same bits: Cortex-$1, $(arm-none-eabi-size box | awk 'NR == 2 {print $1 + $2}') bytes of flash"
        cat heap
    else
        fail "Cortex-$1: other bits, exit code $code"
        head -n 5 got heap
    fi
}

# refused NAME COMPILER FLAGS: with that arithmetic it does not build, and says why.
refused() {
    # shellcheck disable=SC2086
    if ! $2 $3 empty.c -o empty >/dev/null 2>&1; then
        echo "SKIPPED $1: $2 does not have it"
        skipped=$((skipped + 1))
    # shellcheck disable=SC2086
    elif ! $2 $3 -I. -E phoenix.c >log 2>&1 && grep -q -E 'same bits|other bits' log; then
        passed=$((passed + 1))
        echo "refused: $1"
    else
        fail "$1 is not refused"
    fi
}

# at_start NAME FLAGS: the objects of the row before, linked with these, refuse to compute, and say why.
at_start() {
    # shellcheck disable=SC2086
    if ! gcc $2 -o box box.o phoenix.o -lm >log 2>&1 || ! [ "$(uname -m)" = x86_64 ]; then
        echo "SKIPPED $1: gcc does not have it here"
        skipped=$((skipped + 1))
    elif ! ./box >got 2>&1 && grep -q 'would have other bits here' got; then
        passed=$((passed + 1))
        echo "refused at start: $1"
    else
        fail "$1 is not refused"
    fi
}

# The library's own way of building, with all of its kernel sets, then a compiler that has nothing of all that.
row "gcc -O1" "" gcc "-O1 -Wall -Wextra" scalar sse2 avx2 avx512
at_start "linked with -ffast-math, which sets flush to zero" -ffast-math
row tcc "" tcc -Wall
row "gcc -m32, SSE2" "" "gcc -m32" "-O0 -msse2 -mfpmath=sse"
refused "gcc -m32, x87" gcc -m32
refused "gcc -ffast-math" gcc -ffast-math
if [ -n "${PHOENIX_SLOW:-}" ]; then
    row "gcc -O0" "" gcc "-O0 -Wall -Wextra"
    row "gcc -O2, threads" "" gcc "-O2 -pthread -DTENSOR_POSIX_THREADS"
    row "gcc -O3 -march=native" "" gcc "-O3 -march=native"
    row "clang -O2" "" clang "-O2 -Wall -Wextra" sse2 avx2 avx512
    row "clang -O3 -march=native" "" clang "-O3 -march=native"
    row "musl" "" musl-gcc "-O1 -static"
    row "aarch64, NEON" qemu-aarch64-static aarch64-linux-gnu-gcc "-O1 -static" scalar
    row "armhf" qemu-arm-static arm-linux-gnueabihf-gcc "-O1 -static"
    row "riscv64" qemu-riscv64-static riscv64-linux-gnu-gcc "-O1 -static"
    row "ppc64le" qemu-ppc64le-static powerpc64le-linux-gnu-gcc "-O1 -static"
    row "s390x (big-endian)" qemu-s390x-static s390x-linux-gnu-gcc "-O1 -static"
    row "mips (big-endian, 32 bits)" qemu-mips-static mips-linux-gnu-gcc "-O1 -static"
    row "powerpc (big-endian, 32 bits)" qemu-ppc-static powerpc-linux-gnu-gcc "-O1 -static"
    board M4 mps2-an386 "m4 -mfpu=fpv4-sp-d16"
    board M7 mps2-an500 "m7 -mfpu=fpv5-d16"
fi
cd "$tree" || exit 1
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
