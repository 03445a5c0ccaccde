/* SPDX-License-Identifier: MIT */
/* test_malloc.h -- a malloc that counts, and fails on request. For one file of a program. */
#ifndef TEST_MALLOC_H
#define TEST_MALLOC_H

#include "tests/test.h"
#include <stdbool.h>

/* volatile: compilers know malloc, and take it that it does not touch these */
static volatile long allocations;  /* so far */
static volatile long fail_at = -1; /* the allocation of that number fails */
static bool can_count = true;      /* false: malloc is not the one below */

#if defined __GLIBC__ && defined __GNUC__ && !TEST_SANITIZED
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

/* weak: in a static program the library's own take their place */
__attribute__((weak)) void *malloc(size_t size)
{
    return allocations++ == fail_at ? NULL : __libc_malloc(size);
}

__attribute__((weak)) void *calloc(size_t count, size_t size)
{
    return allocations++ == fail_at ? NULL : __libc_calloc(count, size);
}

__attribute__((weak)) void *realloc(void *old, size_t size)
{
    return allocations++ == fail_at ? NULL : __libc_realloc(old, size);
}
#endif

static inline void see_whether_malloc_counts(void)
{
    long before = allocations;
    void *volatile p = malloc(1);
    free(p);
    can_count = allocations > before;
    if (!can_count)
        SKIP("this build or this run has a malloc of its own: allocations are not counted");
}

#endif
