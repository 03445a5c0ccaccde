/* SPDX-License-Identifier: MIT */
/* test_memory.c -- a refusal is heard by the handler, with its size; spare memory is not missed. */
#include "base/memory.h"
#include "tests/test.h"
#include <stdint.h>
#include <stddef.h>
#include <stdlib.h>

/* More than any machine has. Where an address has 64 bits it is positive as a signed number, since
 * valgrind reports one that is not; where it has 32, only a negative one is sure to be refused. */
static const size_t too_much = SIZE_MAX / 2 > UINT32_MAX ? PTRDIFF_MAX - 4095
                                                         : PTRDIFF_MAX + (size_t)1;

static size_t heard; /* bytes of the last refusal + 1; 0: none */
static void hear(size_t size) { heard = size + 1; }

static void *ask(int how, size_t size)
{
    switch (how) {
    case 0:
        return base_malloc(size);
    case 1:
        return base_calloc(size / 8, 8);
    default:
        return base_realloc(NULL, size);
    }
}

static void every_way_of_asking(void)
{
    for (int how = 0; how < 3; how++) {
        base_memory_on_refusal(hear);
        heard = 0;
        void *some = ask(how, 640);
        CHECK(some && heard == 0, "way %d: %p, heard %zu", how, some, heard);
        free(some);
        void *none = ask(how, too_much);
        CHECK(!none && heard == too_much + 1, "way %d: %p, heard %zu", how, none, heard);
        free(none);
        heard = 0;
        base_memory_on_refusal(NULL);
        none = ask(how, too_much);
        CHECK(!none && heard == 0, "way %d: without a handler %p, heard %zu", how, none, heard);
        free(none);
    }
}

static void sizes_that_wrap(void)
{
    base_memory_on_refusal(hear);
    heard = 1;
    void *none = base_calloc(SIZE_MAX / 2, 4);
    CHECK(!none && heard - 1 == SIZE_MAX, "%p, heard %zu", none, heard - 1);
    free(none);
    base_memory_on_refusal(NULL);
}

static void what_can_be_done_without(void)
{
    base_memory_on_refusal(hear);
    heard = 0;
    void *none = base_malloc_spare(too_much);
    CHECK(!none && heard == 0, "%p, heard %zu", none, heard);
    free(none);
    free(base_malloc(0));
    free(base_calloc(0, 8));
    CHECK(heard == 0, "nothing was asked for, and %zu bytes refused", heard);
    base_memory_on_refusal(NULL);
}

/* An allocator of the caller's: a pool that is used up and never used again. */
typedef struct pool {
    max_align_t memory[64];
    size_t used; /* of the places of memory; before each piece stands how long it is */
    int held;    /* pieces that were not given back */
} pool;

static void *from_pool(void *user, void *old, size_t size)
{
    pool *p = user;
    size_t places = 1 + (size + sizeof *p->memory - 1) / sizeof *p->memory;
    if (places > sizeof p->memory / sizeof *p->memory - p->used)
        return NULL;
    max_align_t *piece = p->memory + p->used + 1;
    p->used += places;
    memcpy(piece - 1, &size, sizeof size);
    if (old) {
        size_t had;
        memcpy(&had, (max_align_t *)old - 1, sizeof had);
        memcpy(piece, old, had < size ? had : size);
    }
    p->held += !old;
    return piece;
}

static void to_pool(void *user, void *memory) { ((pool *)user)->held -= memory != NULL; }

static void an_allocator_of_the_callers(void)
{
    static pool p;
    memset(p.memory, 0xaa, sizeof p.memory);
    base_memory_use(&(base_allocator){from_pool, to_pool, &p});
    base_memory_on_refusal(hear);
    heard = 0;
    char *text = base_malloc(3), *zero = base_calloc(5, 4), *spare = base_malloc_spare(1);
    memcpy(text, "ab", 3);
    text = base_realloc(text, 40);
    CHECK(strcmp(text, "ab") == 0 && p.held == 3, "%s, %d pieces", text, p.held);
    for (int i = 0; i < 20; i++)
        CHECK(zero[i] == 0, "byte %d is %d", i, zero[i]);
    CHECK(!base_malloc(sizeof p.memory) && heard == sizeof p.memory + 1, "heard %zu", heard);
    CHECK(!base_calloc(SIZE_MAX / 2, 4) && heard == 0, "heard %zu", heard); /* SIZE_MAX + 1 */
    base_free(text);
    base_free(zero);
    base_free(spare);
    base_free(NULL);
    CHECK(p.held == 0, "%d pieces are not back", p.held);
    base_memory_use(NULL);
    base_memory_on_refusal(NULL);
    void *again = base_malloc(1);
    CHECK(again && p.held == 0, "%p, %d pieces", again, p.held);
    base_free(again);
}

int main(void)
{
    an_allocator_of_the_callers();
    every_way_of_asking();
    sizes_that_wrap();
    what_can_be_done_without();
    return test_end();
}
