/* memory.c -- whoever is refused memory is told so by NULL; the process is told by its handler, which
 * is what makes sure that no caller's way of going on without it becomes a result. */
#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>

#if defined __STDC_NO_ATOMICS__ || defined __TINYC__ /* tcc does not say that it has none */
static volatile size_t refusals;
#else
static _Atomic size_t refusals;
#endif
static base_memory_handler *on_refusal;

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

void *base_malloc(size_t size) { return given(malloc(size), size); }

void *base_calloc(size_t count, size_t size)
{
    return given(calloc(count, size),
                 size > 0 && count > SIZE_MAX / size ? SIZE_MAX : count * size);
}

void *base_realloc(void *old, size_t size) { return given(realloc(old, size), size); }

void *base_malloc_aligned(size_t alignment, size_t size)
{
    return given(aligned_alloc(alignment, size), size);
}

void *base_malloc_spare(size_t size) { return malloc(size); }
