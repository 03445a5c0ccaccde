#!/bin/sh
# SPDX-License-Identifier: MIT
# any box: each compiler and each machine that is here; the same bits, no warning, whole journals, tests that fit
#
# A row is `make amalgamation` and tests/boxes/box.c, compiled alone, and run, under qemu where the machine is another:
# so a row costs one compilation. `whole` rows are all of the tree, as make builds it. Without PHOENIX_SLOW=1 and
# without names, a few rows and what is to be refused.
#
#   sh tests/suite_boxes.sh            the last line is the sum; before it, a line a row
#   sh tests/suite_boxes.sh ROW...     the rows whose names begin so, beside the first, whose bits the others are to have
set -u
cd "$(dirname "$0")/.." || exit 1
tree=$PWD
phoenix=${PHOENIX:-$PWD/build/phoenix}
work=$(mktemp -d "${TMPDIR:-/tmp}/phoenix-boxes-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
passed=0 failed=0 skipped=0 wanted='' wanted_journals=''

sh make/amalgamate.sh . "$work" || exit 1
cp tests/boxes/* "$work/"
cd "$work" || exit 1
: >only
[ $# -eq 0 ] || printf '%s\n' "$@" >only
printf '#include <errno.h>\nint main(void) { return 0; }\n' >empty.c # of some systems the headers are a package of their own

fail() {
    echo "FAILED $*"
    failed=$((failed + 1))
}

skip() {
    echo "SKIPPED $*"
    skipped=$((skipped + 1))
}

pass() {
    echo "$*"
    passed=$((passed + 1))
}

# wants NAME: whether a row of that name was asked for.
wants() {
    [ -s only ] || return 0
    while IFS= read -r prefix; do
        case $1 in "$prefix"*) return 0 ;; esac
    done <only
    return 1
}

# here NAME TOOL...: whether all of them are.
here() {
    row=$1
    shift
    for tool in "$@"; do
        if ! command -v "$tool" >/dev/null 2>&1; then
            skip "$row: $tool is not here"
            return 1
        fi
    done
}

# links COMPILER FLAGS: whether it does, with what its C library has.
links() {
    # shellcheck disable=SC2086
    $1 $2 empty.c -o empty >/dev/null 2>&1 || {
        skip "$name: no library for it is here"
        return 1
    }
}

# row NAME RUNNER COMPILER FLAGS [SET...]: the first that runs is what the others have to print. SET: kernel sets
# that are asked for one by one, where the machine has them.
row() {
    name=$1 runner=$2 compiler=$3 flags=$4
    shift 4
    [ -z "$wanted" ] || wants "$name" || return
    # shellcheck disable=SC2086
    here "$name" ${compiler%% *} $runner || return
    links "$compiler" "$flags" || return
    # shellcheck disable=SC2086
    if ! { $compiler $flags -I. -c phoenix.c -o phoenix.o && $compiler $flags -I. -c box.c -o box.o &&
        $compiler $flags -o box box.o phoenix.o -lm; } >log 2>&1 || grep -q 'warning' log; then
        fail "$name: does not build, or not without a warning"
        head -n 5 log
        return
    fi
    for set in "" "$@"; do
        PHOENIX_KERNEL=$set $runner ./box >got 2>heap
        judge "$name${set:+, $set}" $?
    done
}

# lacks FILE NAME: whether it says there that the machine does not have the kernel set; then NAME is skipped.
lacks() {
    grep -q 'PHOENIX_KERNEL names a set' "$1" && skip "$2: this machine does not have it"
}

# judge NAME CODE: what box has printed.
judge() {
    if lacks got "$1"; then return; fi
    [ -n "$wanted" ] || [ "$2" -ne 0 ] || wanted=$(cat got)
    if [ "$2" -eq 0 ] && [ "$(cat got)" = "$wanted" ]; then
        pass "same bits: $1"
    else
        fail "$1: other bits, exit code $2"
        head -n 5 got heap
    fi
}

# ---- whole journals: candidates and T5s that write them are trained, peak_bytes and all figures sealed ----

# few FROM COUNT TO: so many of the digits, as IDX files.
few() {
    octal=$(printf '%o' "$2") digits=$tree/vision/digits/$1
    mkdir -p images
    # shellcheck disable=SC2059
    {
        printf "\\0\\0\\10\\3\\0\\0\\0\\$octal\\0\\0\\0\\16\\0\\0\\0\\16"
        gzip -dc "$digits-images-idx3-ubyte.gz" | tail -c +17 | head -c $(($2 * 196))
    } >"images/$3-images-idx3-ubyte"
    # shellcheck disable=SC2059
    {
        printf "\\0\\0\\10\\1\\0\\0\\0\\$octal"
        gzip -dc "$digits-labels-idx1-ubyte.gz" | tail -c +9 | head -c "$2"
    } >"images/$3-labels-idx1-ubyte"
}

few train 48 train
few test 16 t10k
cat >t5.c <<'END'
#include "phoenix.h"

t5 *model(void)
{
    t5_config config = t5_small();
    config.num_layers = 1;
    config.num_decoder_layers = 1;
    config.num_heads = 2;
    config.d_kv = 4;
    config.d_ff = 16;
    return t5_new(config);
}
END

# journals NAME PROGRAM [RUNNER]: the first are what the others have to be, byte for byte.
journals() {
    rm -rf runs
    mkdir runs
    few_things="--quiet --seed 1 --episodes 1 --batches 1 --fresh-seeds 1 --jobs 1 --threads 1 --deadline 100000
        ${3:+--launcher $3}"
    # shellcheck disable=SC2086
    if ! { ${3:-} "$2" evolve --run runs/networks $few_things --task images --data images --proposer rules \
        --images 24 --held-images 16 --image-epochs 1 --image-batch 8 --final-epochs 1 --candidates 4 --max-flops 1e8 &&
        ${3:-} "$2" evolve --run runs/texts $few_things --source t5.c --constrained yes --d-model 16 --vocabulary 259 \
            --samples 4 --few-shot 4 --held-out 2 --batch 2 --fidelity 0 --final-times 1 --max-tokens 100 \
            --candidates 2; } >log 2>&1; then
        lacks log "$1, journals" || fail "$1, journals: $(tail -n 1 log)"
        return
    fi
    cat runs/*/journal.jsonl >got
    [ -n "$wanted_journals" ] || wanted_journals=$(cat got)
    if [ "$(cat got)" = "$wanted_journals" ]; then
        pass "same journals: $1"
    else
        fail "$1: another journal"
        echo "$wanted_journals" | diff - got | cut -c 1-300 | head -n 4
    fi
}

# Tests that start no program, of what may depend on the order of bytes and the width of a pointer: a minute of qemu. (For
# sin(), cos() and long double, powerpc's C library has mffscrni, which qemu 7.2 refuses; tests that call them are left out.)
fit="tests/base/test_file.c tests/base/test_hash.c tests/base/test_list.c tests/base/test_number.c tests/base/test_random.c
    tests/base/test_text.c tests/tensor/test_norm.c tests/nn/test_safetensors.c tests/t5/test_folder.c
    tests/vision/test_png.c tests/refine/language/test_lex.c tests/refine/language/test_parse.c
    tests/refine/language/test_interpret.c tests/evolve/test_settings.c tests/evolve/search/test_counts.c
    tests/evolve/loop/test_journal.c"

# whole NAME RUNNER MAKE COMPILER FLAGS [ARGUMENTS OF MAKE...]: box.c with the library that make leaves, the journals of
# the program, and, under a RUNNER, the tests that fit.
whole() {
    name=$1 runner=$2 make=$3 compiler=$4 flags=$5
    shift 5
    wants "$name" || return
    # shellcheck disable=SC2086
    here "$name" "$make" ${compiler%% *} $runner || return
    links "$compiler" "$flags" || return
    rm -rf built
    if ! (cd "$tree" && "$make" -j2 BUILD="$work/built" CC="$compiler" CFLAGS="$flags" "$@") >log 2>&1 ||
        grep -q 'warning' log; then
        fail "$name: does not build, or not without a warning"
        grep -E 'error|warning' log | head -n 5
        return
    fi
    # shellcheck disable=SC2046
    $compiler $(sed -n 's/^ALL_CFLAGS = //p' built/rules.mk) -o box box.c built/libphoenix.a -lm >log 2>&1 || cat log
    $runner ./box >got 2>heap
    judge "$name" $?
    [ -n "$wanted_journals" ] || journals build/phoenix "$phoenix"
    journals "$name" built/phoenix "$runner"
    [ -n "$runner" ] || return
    # shellcheck disable=SC2086
    if BUILD=$work/built CC=$compiler WRAP=$runner sh "$tree/tests/run.sh" $fit >log 2>&1; then
        pass "tests: $name: $(tail -n 1 log)"
    else
        fail "$name: tests: $(tail -n 1 log)"
        grep -E 'FAILED|no result' log | head -n 5
    fi
}

# board CORE MACHINE RAM FLAGS: on a microcontroller without an operating system, with newlib, where qemu emulates it;
# its memory begins at RAM.
board() {
    wants "Cortex-$1" || return
    here "Cortex-$1" arm-none-eabi-gcc qemu-system-arm || return
    sed "s/0x21000000/$3/" board.ld >ram.ld
    # shellcheck disable=SC2086
    if ! arm-none-eabi-gcc -mcpu=cortex-$4 -mfloat-abi=hard -mthumb -std=gnu11 -Wall -Os -ffunction-sections -fdata-sections \
        --specs=rdimon.specs -nostartfiles -Wl,--gc-sections -T ram.ld -I. start.c box.c phoenix.c -lm -o box >log 2>&1 ||
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
        pass "same bits: Cortex-$1, $(arm-none-eabi-size box | awk 'NR == 2 {print $1 + $2}') bytes of flash"
        cat heap
    else
        fail "Cortex-$1: other bits, exit code $code"
        head -n 5 got heap
    fi
}

# refused NAME COMPILER FLAGS: with that arithmetic it does not build, and says why.
refused() {
    wants "$1" || return
    # shellcheck disable=SC2086
    if ! $2 $3 empty.c -o empty >/dev/null 2>&1; then
        skip "$1: $2 does not have it"
    # shellcheck disable=SC2086
    elif ! $2 $3 -I. -E phoenix.c >log 2>&1 && grep -q -E 'same bits|other bits' log; then
        pass "refused: $1"
    else
        fail "$1 is not refused"
    fi
}

# at_start NAME FLAGS: the objects of the row before, linked with these, refuse to compute, and say why.
at_start() {
    # shellcheck disable=SC2086
    if ! gcc $2 -o box box.o phoenix.o -lm >log 2>&1 || ! [ "$(uname -m)" = x86_64 ]; then
        skip "$1: gcc does not have it here"
    elif ! ./box >got 2>&1 && grep -q 'would have other bits here' got; then
        pass "refused at start: $1"
    else
        fail "$1 is not refused"
    fi
}

# small NAME COMPILER FLAGS BYTES: generate.c of docs/embedding.md, linked with nothing but what it uses, takes at most
# so many, its C library included.
small() {
    wants "$1" || return
    name=$1
    here "$1" "$2" && links "$2" -static || return
    awk '/^```c$/ {inside = 1; next} /^```/ {inside = 0; mine = 0}
        inside && /^\/\* generate\.c/ {mine = 1; print "#include \"phoenix.h\""}
        mine && !/^#include <phoenix/' "$tree/docs/embedding.md" >generate.c
    # shellcheck disable=SC2086
    if ! $2 -static $3 -ffunction-sections -fdata-sections -Wl,--gc-sections -s -I. -o generate generate.c phoenix.c \
        -lm >log 2>&1 || grep -q 'warning' log; then
        fail "$1: does not build, or not without a warning"
        head -n 5 log
        return
    fi
    bytes=$(($(wc -c <generate)))
    if [ "$bytes" -le "$4" ] && ./generate missing x 2>&1 | grep -q '^generate: missing'; then
        pass "$1: $bytes bytes"
    else
        fail "$1: $bytes bytes, at most $4"
    fi
}

# The library's own way of building, with all of its kernel sets, then a compiler that has nothing of all that.
row "gcc -O1" "" gcc "-O1 -Wall -Wextra" scalar sse2 avx2 avx512
at_start "linked with -ffast-math, which sets flush to zero" -ffast-math
row tcc "" tcc -Wall
. "$tree/tests/boxes/m32.sh"
row "gcc -m32, SSE2" "$runner32" "gcc $m32" "-O0 -msse2 -mfpmath=sse"
refused "gcc -m32, x87" gcc "$m32"
refused "gcc -ffast-math" gcc -ffast-math
if wants "build/phoenix"; then
    for set in avx512 avx2 sse2 scalar; do
        PHOENIX_KERNEL=$set
        export PHOENIX_KERNEL
        journals "build/phoenix, $set" "$phoenix"
    done
    unset PHOENIX_KERNEL
fi
if [ -n "${PHOENIX_SLOW:-}" ] || [ -s only ]; then
    row "gcc -O0" "" gcc "-O0 -Wall -Wextra"
    row "gcc -O2, threads" "" gcc "-O2 -pthread -DTENSOR_POSIX_THREADS"
    row "gcc -O2, OpenMP" "" gcc "-O2 -fopenmp -Wall -Wextra"
    row "gcc -Os, one kernel set" "" gcc "-Os -DTENSOR_ONE_SET -Wall -Wextra"
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
    board M4 mps2-an386 0x21000000 "m4 -mfpu=fpv4-sp-d16"
    board M7 mps2-an500 0x60000000 "m7 -mfpu=fpv5-d16"
    small "static inference" musl-gcc "-Os -DPHOENIX_INFERENCE -DTENSOR_ONE_SET" 200000
    whole "bmake, without threads" "" bmake gcc -O1 THREADS=
    whole "make, OpenMP" "" make gcc -O1 THREADS= OMP=-fopenmp
    whole "make, tcc" "" make tcc ""
    whole "make, musl" "" make musl-gcc "-O1 -static"
    whole "make, -m32" "$runner32" make "gcc $m32" -O1
    whole "make, powerpc" qemu-ppc-static make powerpc-linux-gnu-gcc "-O1 -static"
    whole "make, armhf" qemu-arm-static make arm-linux-gnueabihf-gcc "-O1 -static"
    whole "make, s390x" qemu-s390x-static make s390x-linux-gnu-gcc "-O1 -static"
fi
cd "$tree" || exit 1
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
