/* SPDX-License-Identifier: MIT */
/* list.c -- arrays that grow. Their memory doubles, so that n additions copy fewer than 2n items in
 * all. */
#include "base/list.h"
#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>

enum { FEWEST = 16 };

/* The items that an array of so many has memory for. */
static size_t capacity(size_t count)
{
    size_t items = count > 0 ? FEWEST : 0;
    while (items < count)
        items = items > SIZE_MAX / 2 ? SIZE_MAX : 2 * items;
    return items;
}

void *base_list_grow(void *list, size_t count, size_t more, size_t size)
{
    if (more > SIZE_MAX - count)
        return NULL;
    size_t wanted = capacity(count + more);
    if (wanted == capacity(count))
        return list;
    return wanted > SIZE_MAX / size ? NULL : base_realloc(list, wanted * size);
}
