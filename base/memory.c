/* SPDX-License-Identifier: MIT */
/* memory.c -- whoever is refused memory is told so by NULL; the process is told by its handler, which
 * is what makes sure that no caller's way of going on without it becomes a result. */
#include "base/memory.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined __STDC_NO_ATOMICS__ || defined __TINYC__ /* tcc does not say that it has none */
static volatile size_t refusals;
#else
static _Atomic size_t refusals;
#endif
static base_memory_handler *on_refusal;
static base_allocator own; /* of the caller's; resize NULL: the C library's is used */

void base_memory_use(const base_allocator *allocator)
{
    own = allocator ? *allocator : (base_allocator){0};
}

/* malloc() for old NULL, and realloc(). */
static void *resized(void *old, size_t size)
{
    if (!own.resize)
        return old ? realloc(old, size) : malloc(size);
    return own.resize(own.user, old, size ? size : 1);
}

void base_memory_on_refusal(base_memory_handler *handler) { on_refusal = handler; }

size_t base_memory_refusals(void) { return refusals; }

void base_memory_refused(size_t size)
{
    refusals++;
    if (on_refusal)
        on_refusal(size);
}

/* A request for 0 bytes may be answered by NULL, which is no refusal. */
static void *given(void *memory, size_t size)
{
    if (!memory && size > 0)
        base_memory_refused(size);
    return memory;
}

void *base_malloc(size_t size) { return given(resized(NULL, size), size); }

void *base_calloc(size_t count, size_t size)
{
    const bool wraps = size > 0 && count > SIZE_MAX / size;
    const size_t bytes = wraps ? SIZE_MAX : count * size;
    void *memory = NULL;
    if (!own.resize)
        memory = calloc(count, size); /* whose pages may be zero without having been touched */
    else if (!wraps && (memory = resized(NULL, bytes)))
        memset(memory, 0, bytes);
    return given(memory, bytes);
}

void *base_realloc(void *old, size_t size) { return given(resized(old, size), size); }

void *base_malloc_spare(size_t size) { return resized(NULL, size); }

void base_free(void *memory)
{
    if (!own.resize)
        free(memory);
    else if (memory)
        own.release(own.user, memory);
}
