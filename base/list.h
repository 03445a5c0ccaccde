/* SPDX-License-Identifier: MIT */
/* list.h -- arrays that grow.
 *
 * An array of count items that is grown here alone has memory for the next power of two, 16 at
 * least. Its capacity follows from its count, so that nobody has to keep it:
 *
 *     item *grown = base_list_grow(list, count, 1, sizeof *grown);
 *     if (!grown)
 *         return false;        (list is as it was)
 *     list = grown;
 *     list[count++] = next; */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stddef.h>

/* The array, moved where that was needed, with memory for `more` >= 1 items of `size` bytes after
 * its first count. list: NULL, or what this function returned; the count may have fallen since.
 * NULL: no memory for so many, and the array is still there. base_free() ends it. */
void *base_list_grow(void *list, size_t count, size_t more, size_t size);

#endif
