/* test_memory.c -- a refusal is heard by the handler, with its size; spare memory is not missed. */
#include "base/memory.h"
#include "tests/test.h"
#include <stdint.h>
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
    case 2:
        return base_realloc(NULL, size);
    default:
        return base_malloc_aligned(64, size);
    }
}

static void every_way_of_asking(void)
{
    for (int how = 0; how < 4; how++) {
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

int main(void)
{
    every_way_of_asking();
    sizes_that_wrap();
    what_can_be_done_without();
    return test_end();
}
