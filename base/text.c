/* SPDX-License-Identifier: MIT */
/* text.c -- a growing string.
 *
 * Its memory doubles, so that n additions cost O(n) copies in all. Printing tries the memory that is
 * there first: the length of the result is known only afterwards. */
#include "base/text.h"

#include "base/memory.h"
#include "base/number.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BYTES = 64 };

/* Enlarges the memory for `more` bytes and a NUL. No object is larger than PTRDIFF_MAX. */
static bool grow(base_text *text, size_t more)
{
    if (more >= PTRDIFF_MAX - text->length)
        return false;
    size_t need = text->length + more + 1;
    size_t capacity = text->capacity ? text->capacity : FIRST_BYTES;
    while (capacity < need)
        capacity = capacity > PTRDIFF_MAX / 2 ? need : capacity * 2;
    char *data = base_realloc(text->data, capacity);
    if (!data)
        return false;
    text->data = data;
    text->capacity = capacity;
    return true;
}

/* Makes room for `more` bytes. False: there is none, and the text has become `failed`. */
static bool reserve(base_text *text, size_t more)
{
    bool room = text->capacity > text->length && more < text->capacity - text->length;
    if (!text->failed && !room)
        text->failed = !grow(text, more);
    return !text->failed;
}

void base_text_add(base_text *text, const char *bytes, size_t count)
{
    if (!reserve(text, count))
        return;
    if (count)
        memcpy(text->data + text->length, bytes, count);
    text->length += count;
    text->data[text->length] = '\0';
}

void base_text_print(base_text *text, const char *format, ...)
{
    va_list arguments;
    size_t room = text->failed ? 0 : text->capacity - text->length;
    char *end = room ? text->data + text->length : NULL;
    va_start(arguments, format);
    int length = base_print_list(end, room, format, arguments);
    va_end(arguments);
    if (length >= 0 && (size_t)length < room) {
        text->length += (size_t)length;
        return;
    }
    if (end)
        *end = '\0'; /* what was printed is cut off */
    if (length < 0) {
        text->failed = true;
        return;
    }
    if (!reserve(text, (size_t)length))
        return;
    va_start(arguments, format);
    base_print_list(text->data + text->length, (size_t)length + 1, format, arguments);
    va_end(arguments);
    text->length += (size_t)length;
}

static bool word_shows(const char *word, size_t length)
{
    for (size_t i = 0, some; i < length; i += some) {
        some = base_utf8_length(word + i, length - i);
        if (some == 0 || !base_utf8_shows(word + i, some))
            return false;
    }
    return true;
}

void base_text_add_word(base_text *text, const char *word)
{
    const size_t length = strlen(word), bare = strspn(word, "abcdefghijklmnopqrstuvwxyz"
                                                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                            "0123456789_-+=./:,");
    if (length > 0 && bare == length) {
        base_text_add(text, word, length);
        return;
    }
    const bool shows = word_shows(word, length);
    base_text_print(text, shows ? "'" : "\"$(printf '");
    for (size_t i = 0; i < length; i++) {
        const unsigned char c = (unsigned char)word[i];
        if (shows && c == '\'')
            base_text_print(text, "'\\''");
        else if (!shows && c == '%')
            base_text_print(text, "%%%%");
        else if (!shows && (c < ' ' || c > '~' || strchr("'\\-", c))) /* "-": no option of its */
            base_text_print(text, "\\%03o", c);
        else
            base_text_add(text, word + i, 1);
    }
    base_text_print(text, shows ? "'" : "')\"");
}

void base_text_add_path(base_text *text, const char *path)
{
    base_text_add(text, "./", *path == '-' ? 2 : 0);
    base_text_add_word(text, path);
}

void base_text_clear(base_text *text)
{
    text->length = 0;
    text->failed = false;
    if (text->data)
        text->data[0] = '\0';
}

void base_text_free(base_text *text)
{
    base_free(text->data);
    *text = (base_text){0};
}

static int columns_of(const char *word, size_t length)
{
    int columns = 0;
    for (size_t i = 0; i < length; i++)
        columns += ((unsigned char)word[i] & 0xc0) != 0x80;
    return columns;
}

void base_text_wrap(base_text *text, const char *words, int column, int indent, int width)
{
    size_t blanks = strspn(words, " \n"), length;
    bool first = true; /* of its line */
    for (words += blanks; (length = strcspn(words, " \n")) > 0; words += length + blanks) {
        int columns = columns_of(words, length);
        if (!first && column + 1 + columns > width) {
            base_text_print(text, "\n%*s", indent, "");
            column = indent;
            first = true;
        }
        base_text_print(text, "%s%.*s", first ? "" : " ", (int)length, words);
        column += columns + !first;
        first = false;
        blanks = strspn(words + length, " \n");
        if (words[length + blanks] && strncmp(words + length, "\n\n", 2) == 0) {
            base_text_print(text, "\n\n%*s", indent, "");
            column = indent;
            first = true;
        }
    }
}

bool base_next_line(const char **at, const char *end, const char **line, size_t *length)
{
    if (*at >= end)
        return false;
    const char *feed = memchr(*at, '\n', (size_t)(end - *at));
    *line = *at;
    *length = (size_t)((feed ? feed : end) - *line);
    *at = feed ? feed + 1 : end;
    if (*length > 0 && (*line)[*length - 1] == '\r')
        --*length;
    return true;
}

char *base_copy(const char *bytes, size_t length)
{
    char *copy = base_malloc(length + 1);
    if (!copy)
        return NULL;
    memcpy(copy, bytes, length);
    copy[length] = '\0';
    return copy;
}

size_t base_utf8_length(const char *bytes, size_t count)
{
    const unsigned char *b = (const unsigned char *)bytes;
    if (b[0] < 0x80)
        return 1;
    size_t length = b[0] >= 0xF0 ? 4 : b[0] >= 0xE0 ? 3 : 2;
    if (b[0] < 0xC2 || b[0] > 0xF4 || count < length)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((b[i] & 0xC0) != 0x80)
            return 0;
    if ((b[0] == 0xE0 && b[1] < 0xA0) || (b[0] == 0xED && b[1] > 0x9F) ||
        (b[0] == 0xF0 && b[1] < 0x90) || (b[0] == 0xF4 && b[1] > 0x8F))
        return 0;
    return length;
}

bool base_utf8_shows(const char *bytes, size_t length)
{
    const unsigned char *b = (const unsigned char *)bytes;
    if (length < 2)
        return b[0] >= ' ' && b[0] <= '~';
    if (length == 2)
        return b[0] != 0xC2 || b[1] >= 0xA0;
    const bool turns = b[0] == 0xE2 && ((b[1] == 0x80 && b[2] >= 0xAA && b[2] <= 0xAE) ||
                                        (b[1] == 0x81 && b[2] >= 0xA6 && b[2] <= 0xA9));
    return !turns;
}

void base_text_add_visible(base_text *text, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count;) {
        const unsigned char c = (unsigned char)bytes[i];
        const size_t length = base_utf8_length(bytes + i, count - i);
        if (c == '\n' || c == '\t' || (length > 0 && base_utf8_shows(bytes + i, length))) {
            base_text_add(text, bytes + i, length);
            i += length;
        } else {
            base_text_print(text, "\\x%02x", c);
            i++;
        }
    }
}
