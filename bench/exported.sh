#!/bin/sh
# SPDX-License-Identifier: MIT
# What exported networks cost: flash and RAM on a Cortex-M4, what the flash holds, instructions of an image on emulated
# Cortex-M4 and M7, and the time that an image takes on this machine.
#
#   sh bench/exported.sh MODEL [FILE.c CALL]
#
# MODEL is a folder of `phoenix train` or of a run, for images; DATA its set (data/TASK). FILE.c is another's C for the same
# network, if there is one, and CALL how it is called with `pixels` and `logits` (void *), such as "entry(pixels, logits)".
# Needs gcc, clang, arm-none-eabi-gcc and qemu-system-arm. PHOENIX=build/phoenix
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
: "${PHOENIX:=$here/build/phoenix}" "${DATA:=}"
model=$1 peer=${2:-} call=${3:-}
work=$(mktemp -d "${TMPDIR:-/tmp}/phoenix.XXXXXX")
trap 'rm -rf "$work"' EXIT

cp "$here"/tests/boxes/start.c "$work"
sed 's/0x21000000, LENGTH = 16M/0x20000000, LENGTH = 4M/' "$here"/tests/boxes/board.ld >"$work"/board.ld # which both boards have
for form in float fold int8; do
    option=--$form
    [ $form != float ] || option=
    # shellcheck disable=SC2086
    "$PHOENIX" export "$model" --out "$work/$form.c" --prefix net $option ${DATA:+--data "$DATA"} >&2
done
[ -z "$peer" ] || cp "$peer" "$work/other.c"
cd "$work"

# One image of noise, COUNT times; the least time or number of instructions of one.
cat >main.c <<'END_OF_C'
#include HEADER
#include <stdio.h>
#include <time.h>
#ifdef CALL
#define BUFFER 1
void entry();
#else
#define BUFFER NET_BUFFER
#define CALL net_run(pixels, logits, buffer)
#endif
#ifdef NET_UNIT
static uint8_t buffer[BUFFER];
#else
static float buffer[BUFFER];
#endif
#ifdef __arm__
static volatile uint32_t *const timer = (volatile uint32_t *)0xe000e010; /* 25 MHz, downwards */
static double now(void) { return (0xffffff - timer[2]) * 40.0; }
#else
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}
#endif
int main(void)
{
    static uint8_t image[NET_PIXELS];
    static int32_t result[NET_CLASSES];
    void *pixels = image, *logits = result;
    double least = 1e9;
    for (int i = 0; i < NET_PIXELS; i++)
        image[i] = (uint8_t)(i * 37);
#ifdef __arm__
    timer[1] = 0xffffff, timer[2] = 0, timer[0] = 5;
    while (timer[2] == 0) {
    }
#endif
    (void)buffer;
    for (int i = 0; i < COUNT; i++) {
        double begin = now();
        CALL;
        double took = now() - begin;
        least = took < least ? took : least;
    }
    printf("%.0f\n", COUNT == 1 ? least : 10 * least);
    return 0;
}
END_OF_C

build() { # COMPILER FORM OUT FLAGS...
    compiler=$1 form=$2 out=$3
    shift 3
    header=$form.h
    [ "$form" != other ] || header=float.h
    if [ "$form" = other ]; then set -- "$@" "-DCALL=$call"; fi
    $compiler -w -O2 -DHEADER="\"$header\"" "$@" main.c "$form.c" -lm -o "$out"
}
board() { # M4|M7 FORM
    case $1 in
    M4) flags="-mcpu=cortex-m4 -mfpu=fpv4-sp-d16" machine=mps2-an386 ;;
    M7) flags="-mcpu=cortex-m7 -mfpu=fpv5-d16" machine=mps2-an500 ;;
    esac
    # shellcheck disable=SC2086
    build "arm-none-eabi-gcc $flags -mthumb -mfloat-abi=hard --specs=rdimon.specs -nostartfiles -T board.ld start.c" \
        "$2" program -DCOUNT=1
    qemu-system-arm -M $machine -nographic -monitor none -serial none -icount shift=0 \
        -semihosting-config enable=on,target=native -kernel program
}

echo "form,weights,of channels,of layers,code: bytes of flash on M4"
for form in float fold int8; do
    arm-none-eabi-gcc -w -mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mthumb -mfloat-abi=hard -O2 -c "$form.c" -o m4.o
    arm-none-eabi-nm -S -t d m4.o | awk -v form=$form '
        NF == 4 {
            part = $3 == "t" || $3 == "T" ? "code" : $4 ~ /^weight/ && of[part = "weight"] >= 0 ? "weight" : $4 ~ /^layer/ ? "layer" : "channel"
            of[part] += $2
        }
        END {print form "," of["weight"] "," of["channel"] "," of["layer"] + 0 "," of["code"]}'
done
echo "form,M4 flash,M4 RAM,M4 instructions,M7 instructions,gcc us,gcc native us,clang us,clang native us"
for form in float fold int8 ${peer:+other}; do
    size=$(arm-none-eabi-gcc -w -mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mthumb -mfloat-abi=hard -O2 -c "$form.c" -o m4.o &&
        arm-none-eabi-size m4.o | awk 'NR == 2 {print $1 "," $2 + $3}')
    ram=${size#*,}
    case $form in
    int8) ram=$((ram + $(awk '/define NET_BUFFER/ {print $3}' int8.h))) ;;
    float | fold) ram=$((ram + 4 * $(awk '/define NET_BUFFER/ {print $3}' $form.h))) ;;
    esac
    line="$form,${size%,*},$ram,$(board M4 "$form"),$(board M7 "$form")"
    for compiler in gcc "gcc -march=native" clang "clang -march=native"; do
        build "$compiler" "$form" program -DCOUNT=2000
        line="$line,$(./program | awk '{printf "%.1f", $1 / 10}')"
    done
    echo "$line"
done
