/* SPDX-License-Identifier: MIT */
/* start.c -- what runs before main() on an emulated board; the C library speaks to the emulator by itself. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
extern uint32_t stack_top[], data_start[], data_end[], data_load[], bss_start[], bss_end[];
int main(void);
void initialise_monitor_handles(void);
static void fault(void) { _Exit(99); }
void _init(void) {}
void _fini(void) {}
void reset(void)
{
    *(volatile uint32_t *)0xe000ed88 |= 0xfU << 20; /* the FPU */
    __asm__ volatile("dsb\nisb");
    memcpy(data_start, data_load, (size_t)(data_end - data_start) * 4);
    memset(bss_start, 0, (size_t)(bss_end - bss_start) * 4);
    initialise_monitor_handles();
    exit(main());
}
__attribute__((section(".vectors"), used)) static void *const vectors[16] = {
    stack_top, reset, fault, fault, fault, fault, fault};
