/* SPDX-License-Identifier: MIT */
/* held.h -- an allocator that counts the bytes which are in use, and the most that ever were. For one file of a
 * program; box.c is compiled where there may be no max_align_t, so two doubles keep what follows aligned. */
#ifndef TEST_HELD_H
#define TEST_HELD_H

#include <stdlib.h>
#include <string.h>

static size_t held, peak;

static void *resize(void *user, void *old, size_t size)
{
    (void)user;
    double *block = old ? (double *)old - 2 : NULL; /* before each piece stands how long it is */
    size_t before = 0;
    if (block)
        memcpy(&before, block, sizeof before);
    block = realloc(block, size + 2 * sizeof *block);
    if (!block)
        return NULL;
    memcpy(block, &size, sizeof size);
    held += size - before;
    if (peak < held)
        peak = held;
    return block + 2;
}

static void release(void *user, void *memory)
{
    (void)user;
    size_t size;
    double *block = (double *)memory - 2;
    memcpy(&size, block, sizeof size);
    held -= size;
    free(block);
}

#endif
