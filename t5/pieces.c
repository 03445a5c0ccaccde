/* SPDX-License-Identifier: MIT */
/* pieces.c -- how GPT-2 cuts a text before it merges bytes (Radford et al. 2019), which RoBERTa and CodeT5 do alike.
 *
 * The rule is a regular expression, whose first alternative that fits is taken, from left to right:
 *
 *     's|'t|'re|'ve|'m|'ll|'d | ?\p{L}+ | ?\p{N}+ | ?[^\s\p{L}\p{N}]+ | \s+(?!\S) | \s+
 *
 * that is: an English ending; a run of letters, of numbers or of anything else that is no white space, with one
 * space before it; white space up to the end of the text, or but for its last character, which goes to what
 * follows. */
#include "t5/tokenizer_internal.h"
#include "t5/unicode.h"
#include <string.h>

typedef enum character_class { LETTER, NUMBER, OTHER, SPACE } character_class;

static character_class class_of(const char *text, size_t length, size_t *next)
{
    uint32_t character;
    *next = t5_unicode_next(text, length, &character);
    if (character == T5_NO_CHARACTER)
        return OTHER;
    return t5_unicode_is_letter(character)   ? LETTER
           : t5_unicode_is_number(character) ? NUMBER
           : t5_unicode_is_space(character)  ? SPACE
                                             : OTHER;
}

/* The length of the run of characters of a class; *last: of its last character. */
static size_t run(const char *text, size_t length, character_class wanted, size_t *last)
{
    size_t at = 0, next;
    while (at < length && class_of(text + at, length - at, &next) == wanted) {
        at += next;
        *last = next;
    }
    return at;
}

size_t t5_gpt2_piece_length(const char *text, size_t length)
{
    static const char *const endings[] = {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};
    size_t next, last = 0;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t size = strlen(endings[i]);
        if (size <= length && memcmp(text, endings[i], size) == 0)
            return size;
    }
    size_t space = *text == ' ' && length > 1 && class_of(text + 1, length - 1, &next) != SPACE;
    character_class first = class_of(text + space, length - space, &next);
    if (first != SPACE)
        return space + run(text + space, length - space, first, &last);
    size_t spaces = run(text, length, SPACE, &last);
    return spaces == length || spaces == last ? spaces : spaces - last;
}
