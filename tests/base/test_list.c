/* SPDX-License-Identifier: MIT */
/* test_list.c -- arrays that grow: what they hold, and what they cannot be. */
#include "base/list.h"
#include "tests/test.h"

#include <stdint.h>

/* One by one and many at once, in turns; realloc is asked a number of times that is logarithmic. */
static void items_stay(void)
{
    int *list = NULL, moves = 0;
    size_t count = 0;
    for (size_t step = 0; step < 300; step++) {
        size_t more = step % 50 == 49 ? 1000 : 1;
        int *grown = base_list_grow(list, count, more, sizeof *grown);
        CHECK(grown != NULL, "no memory at %zu", count);
        moves += !list || count == 16 || grown != list;
        list = grown;
        for (size_t i = 0; i < more; i++, count++)
            list[count] = (int)count;
    }
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++)
        wrong += list[i] != (int)i;
    CHECK(wrong == 0, "%zu of %zu items are wrong", wrong, count);
    CHECK(moves <= 12, "moved %d times", moves);
    free(list);
}

static void too_large_is_refused(void)
{
    int *list = base_list_grow(NULL, 0, 1, sizeof *list);
    CHECK(list != NULL, "no memory");
    list[0] = 7;
    CHECK(base_list_grow(list, 1, SIZE_MAX, 1) == NULL, "the count overflows");
    CHECK(base_list_grow(list, 1, SIZE_MAX - 1, sizeof *list) == NULL, "the bytes overflow");
    CHECK(base_list_grow(list, 1, SIZE_MAX / 4 + 1, sizeof *list) == NULL, "the bytes overflow");
    CHECK(list[0] == 7, "%d", list[0]);
    free(list);
}

int main(void)
{
    items_stay();
    too_large_is_refused();
    return test_end();
}
