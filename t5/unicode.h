/* SPDX-License-Identifier: MIT */
/* unicode.h -- characters of UTF-8, and the three classes of them that tokenizers ask for. */
#ifndef T5_UNICODE_H
#define T5_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define T5_NO_CHARACTER UINT32_MAX

/* The character at the beginning of length >= 1 bytes and its length. A byte that begins no well-formed
 * sequence is T5_NO_CHARACTER, and one long. */
size_t t5_unicode_next(const char *text, size_t length, uint32_t *character);

bool t5_unicode_is_letter(uint32_t character); /* \p{L} */
bool t5_unicode_is_number(uint32_t character); /* \p{N} */
bool t5_unicode_is_space(uint32_t character);  /* White_Space, which is \s */

#endif
