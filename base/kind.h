/* SPDX-License-Identifier: MIT */
/* kind.h -- what a file is, by its first bytes: for the message where another was expected. */
#ifndef BASE_KIND_H
#define BASE_KIND_H

#include <stddef.h>

/* "gzip-compressed", "an HTML page, ...": to stand behind "is". NULL: nothing that is known here.
 * A file of any format may begin with the same bytes by chance, so a reader asks only after its own
 * checks have failed. The text is static. */
const char *base_kind(const void *bytes, size_t size);

/* The bytes of UTF-8's byte order mark, with which some programs begin a text and which is no part of it: 3 or 0. */
size_t base_kind_mark(const void *bytes, size_t size);

/* Takes the mark away from a text that ends with a NUL, which *length does not count. */
void base_kind_drop_mark(char *text, size_t *length);

#endif
