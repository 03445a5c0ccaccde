/* SPDX-License-Identifier: MIT */
/* test_refine_mutate.h -- a text changed as a careless author, a bad copy or a bad model changes
 * it: bytes, tokens, lines, numbers, operators, names from elsewhere. For comparing two ways to run
 * programs, and for the fuzzer. */
#ifndef TEST_REFINE_MUTATE_H
#define TEST_REFINE_MUTATE_H

#include "base/random.h"
#include "base/text.h"
#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct mutate_span {
    size_t start, length;
} mutate_span;

static inline size_t mutate_below(base_random *random, size_t bound)
{
    return base_random_below(random, (uint32_t)bound);
}

/* Puts other bytes in a span's place. They may be the text's own. */
static inline void mutate_replace(base_text *text, mutate_span old, const char *bytes, size_t count)
{
    base_text whole = {0};
    base_text_add(&whole, text->data, old.start);
    base_text_add(&whole, bytes, count);
    base_text_add(&whole, text->data + old.start + old.length,
                  text->length - old.start - old.length);
    base_text_free(text);
    *text = whole;
}

/* Puts each of two spans in the other's place. */
static inline void mutate_swap(base_text *text, mutate_span a, mutate_span b)
{
    if (a.start > b.start) {
        mutate_span swap = a;
        a = b;
        b = swap;
    }
    if (a.start + a.length > b.start)
        return;
    char *first = base_copy(text->data + a.start, a.length);
    char *second = base_copy(text->data + b.start, b.length);
    mutate_replace(text, b, first, a.length);
    mutate_replace(text, a, second, b.length);
    free(first);
    free(second);
}

static inline bool mutate_is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.';
}

static inline bool mutate_is_operator(char c) { return c && strchr("+-*/%<>=!&|", c); }

/* A random token of a text that has one: a name or a number, operators side by side, or a byte. */
static inline mutate_span mutate_token(base_random *random, const char *text, size_t length)
{
    size_t i = mutate_below(random, length), end;
    while (i + 1 < length && isspace((unsigned char)text[i]))
        i++;
    bool (*is_alike)(char) = mutate_is_word(text[i])       ? mutate_is_word
                             : mutate_is_operator(text[i]) ? mutate_is_operator
                                                           : NULL;
    for (end = i + 1; is_alike && end < length && is_alike(text[end]);)
        end++;
    while (is_alike && i > 0 && is_alike(text[i - 1]))
        i--;
    return (mutate_span){i, end - i};
}

static inline mutate_span mutate_line(base_random *random, const base_text *text)
{
    size_t start = mutate_below(random, text->length), end = start;
    while (start > 0 && text->data[start - 1] != '\n')
        start--;
    while (end < text->length && text->data[end] != '\n')
        end++;
    return (mutate_span){start, end - start + (end < text->length)};
}

typedef enum mutate_class { MUTATE_NAME, MUTATE_NUMBER, MUTATE_OPERATOR } mutate_class;

static inline bool mutate_is(mutate_class class, char first)
{
    if (class == MUTATE_OPERATOR)
        return mutate_is_operator(first);
    bool is_digit = isdigit((unsigned char)first) || first == '.';
    return mutate_is_word(first) && is_digit == (class == MUTATE_NUMBER);
}

/* A token of that class, if it finds one soon. */
static inline mutate_span mutate_find(base_random *random, const char *text, size_t length,
                                      mutate_class class)
{
    mutate_span token = mutate_token(random, text, length);
    for (int i = 0; i < 40 && !mutate_is(class, text[token.start]); i++)
        token = mutate_token(random, text, length);
    return token;
}

/* ---- what happens to a text ---- */

static inline void mutate_bytes(base_random *random, base_text *text)
{
    char bytes[4];
    size_t start = mutate_below(random, text->length), rest = text->length - start;
    size_t gone = mutate_below(random, 5), come = mutate_below(random, 5);
    for (size_t i = 0; i < come; i++)
        bytes[i] = (char)(mutate_below(random, 4) ? ' ' + mutate_below(random, 95)
                                                  : mutate_below(random, 256));
    mutate_replace(text, (mutate_span){start, gone < rest ? gone : rest}, bytes, come);
}

static inline void mutate_number(base_random *random, base_text *text)
{
    static const char *const numbers[] = {"0",     "1",      "2",     "3",          "8",
                                          "16",    "-1",     "65536", "2147483647", "0.0",
                                          "1.0",   "0.5",    "2.5",   "1e-05",      "1e300",
                                          "1e308", "1e-300", "0x1p3", "08",         "99999999999"};
    const char *number = numbers[mutate_below(random, sizeof numbers / sizeof *numbers)];
    mutate_span old = mutate_find(random, text->data, text->length, MUTATE_NUMBER);
    mutate_replace(text, old, number, strlen(number));
}

static inline void mutate_operator(base_random *random, base_text *text)
{
    static const char *const operators[] = {
        "+",  "-", "*",  "/",  "%",  "<",  "<=", ">",  ">=", "==", "!=", "&&",
        "||", "=", "+=", "-=", "*=", "/=", "%=", "++", "--", "->", "&"};
    const char *sign = operators[mutate_below(random, sizeof operators / sizeof *operators)];
    mutate_span old = mutate_find(random, text->data, text->length, MUTATE_OPERATOR);
    mutate_replace(text, old, sign, strlen(sign));
}

/* A name becomes another one of the text itself, or of `other`. */
static inline void mutate_name(base_random *random, base_text *text, const char *other,
                               size_t other_length)
{
    mutate_span old = mutate_find(random, text->data, text->length, MUTATE_NAME);
    mutate_span new = mutate_find(random, other, other_length, MUTATE_NAME);
    char *name = base_copy(other + new.start, new.length);
    mutate_replace(text, old, name, new.length);
    free(name);
}

static inline void mutate_copy(base_text *text, mutate_span what, mutate_span to)
{
    char *copy = base_copy(text->data + what.start, what.length);
    mutate_replace(text, to, copy, what.length);
    free(copy);
}

/* One change. `other`: a text that names are taken from. */
static inline void mutate_once(base_random *random, base_text *text, const char *other,
                               size_t other_length)
{
    mutate_span token = mutate_token(random, text->data, text->length);
    mutate_span line = mutate_line(random, text);
    switch (mutate_below(random, 16)) {
    case 0:
        mutate_bytes(random, text);
        break;
    case 1:
        mutate_replace(text, token, "", 0);
        break;
    case 2:
        mutate_copy(text, token, (mutate_span){token.start, 0});
        break;
    case 3:
        mutate_swap(text, token, mutate_token(random, text->data, text->length));
        break;
    case 4:
        mutate_replace(text, line, "", 0);
        break;
    case 5:
        mutate_copy(text, line, (mutate_span){line.start, 0});
        break;
    case 6:
        mutate_swap(text, line, mutate_line(random, text));
        break;
    case 7:
    case 8:
        mutate_operator(random, text);
        break;
    case 9:
    case 10:
        mutate_name(random, text, text->data, text->length);
        break;
    case 11:
        mutate_name(random, text, other, other_length);
        break;
    default:
        mutate_number(random, text);
    }
}

/* One change, or a few; a text that nothing is left of stays so. */
static inline void mutate_text(base_random *random, base_text *text, const char *other,
                               size_t other_length)
{
    do
        if (text->length > 0)
            mutate_once(random, text, other, other_length);
    while (mutate_below(random, 3) == 0);
}

#endif
