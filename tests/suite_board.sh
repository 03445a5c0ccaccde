#!/bin/sh
# SPDX-License-Identifier: MIT
# exported files on emulated boards with a Cortex-M4 and an M7, without an operating system: the same bits
#
#   sh tests/suite_board.sh [MODEL]    MODEL: the folder of a network for the digits, which alone is tried, in int8
model=
[ $# -eq 0 ] || model=$(cd "$1" && pwd) || exit 1
. "$(dirname "$0")/copy.sh"
passed=0 failed=0

cc=arm-none-eabi-gcc qemu=qemu-system-arm
for need in $cc $qemu; do
    if ! command -v $need >/dev/null 2>&1; then
        echo "SKIPPED: $need is not here"
        echo "0 passed, 0 failed, 1 skipped"
        exit 0
    fi
done
make -j2 >make.log 2>&1 || tail -n 5 make.log
phoenix=$copy/build/phoenix

# What runs before main() and after it. The exit code and a line of text go to the emulator
# (semihosting); on a real board their place is taken by whatever the board has.
cat >start.c <<'END'
#include <stdint.h>
#include <string.h>
extern uint32_t stack_top[], data_start[], data_end[], data_load[], bss_start[], bss_end[];
int main(void);

uint32_t ask(uint32_t what, const void *about)
{
    register uint32_t r0 __asm__("r0") = what;
    register const void *r1 __asm__("r1") = about;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}
void say(const char *line) { ask(0x04, line); }
static void leave(int code)
{
    const uint32_t block[2] = {0x20026, (uint32_t)code};
    for (;;)
        ask(0x20, block);
}
static void fault(void) { leave(99); }
void reset(void)
{
    *(volatile uint32_t *)0xe000ed88 |= 0xfU << 20; /* the FPU */
    __asm__ volatile("dsb\nisb");
    memcpy(data_start, data_load, (size_t)(data_end - data_start) * 4);
    memset(bss_start, 0, (size_t)(bss_end - bss_start) * 4);
    leave(main());
}
__attribute__((section(".vectors"), used)) static void *const vectors[16] = {
    stack_top, reset, fault, fault, fault, fault, fault};
END
cat >board.ld <<'END'
MEMORY { FLASH (rx) : ORIGIN = 0, LENGTH = flash  RAM (rw) : ORIGIN = 0x20000000, LENGTH = ram }
stack_top = ORIGIN(RAM) + LENGTH(RAM);
SECTIONS {
    .text : { KEEP(*(.vectors)) *(.text*) *(.rodata*) . = ALIGN(4); } > FLASH
    .ARM.exidx : { *(.ARM.exidx*) } > FLASH
    .data : { . = ALIGN(4); data_start = .; *(.data*) . = ALIGN(4); data_end = .; } > RAM AT > FLASH
    data_load = LOADADDR(.data);
    .bss (NOLOAD) : { . = ALIGN(4); bss_start = .; *(.bss*) *(COMMON) . = ALIGN(4); bss_end = .; } > RAM
}
END

# board M4|M7 FLASH RAM OUT FILE...: builds a program for it.
board() {
    core=$1 flash=$2 ram=$3 out=$4
    shift 4
    case $core in
    M4) flags="-mcpu=cortex-m4 -mfpu=fpv4-sp-d16" ;;
    M7) flags="-mcpu=cortex-m7 -mfpu=fpv5-d16" ;;
    esac
    sed -e "s/= flash/= $flash/" -e "s/= ram/= $ram/" board.ld >"$out.ld"
    # shellcheck disable=SC2086
    $cc $flags -mthumb -mfloat-abi=hard -O2 -std=gnu99 -nostartfiles -ffunction-sections -Wl,--gc-sections \
        -T "$out.ld" start.c "$@" -o "$out"
}

# run M4|M7 PROGRAM: an instruction takes a nanosecond of the board's clock.
run() {
    machine=mps2-an386
    [ "$1" = M4 ] || machine=mps2-an500
    timeout 300 $qemu -M $machine -nographic -monitor none -serial none -icount shift=0 \
        -semihosting-config enable=on,target=native -kernel "$2" 2>&1
}

# How long an image takes, by a timer of 25 MHz that counts down, and how many test images are right, of files that the
# emulator reads.
cat >main.c <<'END'
#include "net.h"
#ifdef NET_UNIT
typedef uint8_t number;
typedef int32_t logit;
#else
typedef float number, logit;
#endif
uint32_t ask(uint32_t what, const void *about);
void say(const char *line);

static uint32_t open_file(const char *name)
{
    const uint32_t block[3] = {(uint32_t)name, 1, 6};
    return ask(0x01, block);
}
static int take(uint32_t file, void *to, uint32_t size) /* whether all of it was there */
{
    const uint32_t block[3] = {file, (uint32_t)to, size};
    return ask(0x06, block) == 0;
}
static void say_number(uint32_t number)
{
    char line[13] = "           \n";
    for (int i = 10; number > 0; number /= 10)
        line[i--] = (char)('0' + number % 10);
    say(line);
}
int main(void)
{
    static uint8_t pixels[NET_PIXELS];
    static number buffer[NET_BUFFER];
    static logit logits[NET_CLASSES];
    volatile uint32_t *timer = (volatile uint32_t *)0xe000e010; /* control, reload, value */
    uint32_t right = 0, images = open_file("images"), labels = open_file("labels");
    uint8_t label;
    timer[1] = 0xffffff;
    timer[2] = 0;
    timer[0] = 5;
    net_run(pixels, logits, buffer);
    say_number((0xffffff - timer[2]) * 40);
    for (int i = 0; i < 16; i++) /* what stands before the images, and before the labels */
        if (!take(images, pixels, 1) || (i < 8 && !take(labels, pixels, 1)))
            return 1;
    while (take(images, pixels, NET_PIXELS) && take(labels, &label, 1)) {
        net_run(pixels, logits, buffer);
        right += net_class(logits) == label;
    }
    say_number(right);
    return 0;
}
END
gzip -dc vision/digits/test-images-idx3-ubyte.gz >images
gzip -dc vision/digits/test-labels-idx1-ubyte.gz >labels

# 64 kB of flash and 16 kB of RAM are all that these have.
cat >small.c <<'END'
#include "phoenix.h"

network *model(void)
{
    network *net = network_new();
    conv2d(net, 1, 8, 3, 1, 1);
    batch_norm2d(net, 8);
    relu(net);
    max_pool2d(net, 2, 2);
    conv2d(net, 8, 16, 3, 1, 1);
    batch_norm2d(net, 16);
    relu(net);
    max_pool2d(net, 2, 2);
    flatten(net);
    linear(net, 16 * 3 * 3, image_classes());
    return net;
}
END
forms="--float --fold --int8"
[ -z "$model" ] || forms=--int8
[ -n "$model" ] || $phoenix train small.c --task digits --final-epochs 4 --out small >train.log 2>&1 || tail -n 3 train.log
for form in $forms; do
    option=$form
    [ "$form" != --float ] || option=
    # shellcheck disable=SC2086
    check "export $form" $phoenix export "${model:-small}" --out net.c --check --task digits $option
    expected=$(sed -n 's/^check:.* \([0-9]*\) ([0-9.]* %) by net.c$/\1/p' one.log)
    for core in M4 M7; do
        check "$core $form: build" board $core 64K 16K self -DNET_TEST net.c
        check "$core $form: the self-test" run $core self
        check "$core $form: build" board $core 64K 16K images.elf main.c net.c
        # shellcheck disable=SC2046
        set -- $(run $core images.elf) none none
        flash=$(arm-none-eabi-size -A images.elf | awk '/^.text/ {print $2}')
        ram=$(arm-none-eabi-size -A images.elf | awk '/^.(bss|data)/ {n += $2} END {print n}')
        echo "$core, digits $form: $flash bytes of flash, $ram of RAM without the stack, $1 instructions an image, $2 of 800 right"
        check "$core $form: as many right as on this machine" test "$2" -eq "$expected"
        [ "$form" != --float ] || { plain=$flash && echo "$1" >"plain-$core"; }
        [ "$form" != --int8 ] || [ -n "$model" ] ||
            check "$core: int8 in fewer instructions than floats, and in 3/8 of their flash" \
                test "$1" -lt "$(cat "plain-$core")" -a $((8 * flash)) -le $((3 * plain))
    done
done
if [ -n "$model" ]; then
    echo "$passed passed, $failed failed, 0 skipped"
    exit "$((failed > 0))"
fi

# A T5, with the tokens and log-probabilities of its self-test.
$phoenix train --samples 256 --d-model 32 --out t5 >train.log 2>&1 || tail -n 3 train.log
check "export a T5" $phoenix export t5 --out t5.c
for core in M4 M7; do
    check "$core, T5: build" board $core 4M 4M self -DT5_TEST -DT5_MOST_SOURCE=64 -DT5_MOST_NEW=32 t5.c
    check "$core, T5: the self-test" run $core self
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
