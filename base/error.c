/* SPDX-License-Identifier: MIT */
/* error.c -- the text of an error.
 *
 * Whatever a message quotes (names of files, pieces of hostile text), what comes out is one line of
 * printable bytes: it will stand in logs, on terminals and in journals of one event a line. */
#include "base/error.h"

#include "base/number.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The length of text without a UTF-8 sequence that was cut off at its end. */
static size_t whole_characters(const char *text, size_t length)
{
    for (size_t back = 1; back <= 3 && back <= length; back++) {
        unsigned char c = (unsigned char)text[length - back];
        if ((c & 0xC0) == 0x80) /* not yet the sequence's first byte */
            continue;
        size_t want = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
        return want > back ? length - back : length;
    }
    return length;
}

bool base_fail(base_error *error, const char *format, ...)
{
    if (!error)
        return false;
    /* Formatted elsewhere first: the arguments may well include error->text itself. */
    char text[sizeof error->text];
    va_list arguments;
    va_start(arguments, format);
    int length = base_print_list(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0)
        snprintf(text, sizeof text, "an error whose message could not be formatted");
    else if ((size_t)length >= sizeof text)
        text[whole_characters(text, sizeof text - 1)] = '\0';
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = ' ';
    memcpy(error->text, text, sizeof text);
    return false;
}
