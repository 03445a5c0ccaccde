/* SPDX-License-Identifier: MIT */
/* test_evolve_markup.h -- whether a text is well-formed markup: every element closed in order,
 * attributes in quotes and each once, nothing raw that should be escaped, printable ASCII only.
 * XML as far as SVG of ours needs it; with HTML's elements that have no end, and its doctype. */
#ifndef TEST_EVOLVE_MARKUP_H
#define TEST_EVOLVE_MARKUP_H

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { MARKUP_DEPTH = 64, MARKUP_NAME = 32 };

/* Reads a name at *at. */
static inline bool markup_name(const char **at, char name[MARKUP_NAME])
{
    size_t length = 0;
    while (isalnum((unsigned char)(*at)[length]) || ((*at)[length] == '-' && length))
        length++;
    if (length == 0 || length >= MARKUP_NAME)
        return false;
    memcpy(name, *at, length);
    name[length] = '\0';
    *at += length;
    return true;
}

/* Text up to one of `stop`; an & has to begin an entity. */
static inline bool markup_text(const char **at, const char *stop)
{
    for (; **at && !strchr(stop, **at); ++*at) {
        if (**at == '&') {
            const char *end = strchr(*at, ';');
            if (!end || end - *at > 8 || end - *at < 2)
                return false;
        } else if (**at == '<' || **at == '>' ||
                   !(isprint((unsigned char)**at) || **at == '\n' || **at == '\t'))
            return false;
    }
    return true;
}

static inline bool markup_attributes(const char **at)
{
    char seen[16][MARKUP_NAME];
    for (int n = 0; **at == ' '; n++) {
        ++*at;
        if (**at == '/')
            break;
        if (n == 16 || !markup_name(at, seen[n]) || **at != '=' || (*at)[1] != '"')
            return false;
        for (int i = 0; i < n; i++)
            if (strcmp(seen[i], seen[n]) == 0)
                return false;
        *at += 2;
        if (!markup_text(at, "\"") || **at != '"')
            return false;
        ++*at;
    }
    return true;
}

static inline bool markup_is_void(const char *name)
{
    return strcmp(name, "meta") == 0 || strcmp(name, "input") == 0 || strcmp(name, "br") == 0;
}

/* NULL: well-formed; else the place where it is not. */
static inline const char *markup_fault(const char *text)
{
    char open[MARKUP_DEPTH][MARKUP_NAME], name[MARKUP_NAME];
    int depth = 0;
    const char *at = text;
    if (strncmp(at, "<!DOCTYPE html>", 15) == 0)
        at += 15;
    for (;;) {
        if (!markup_text(&at, "<"))
            return at;
        if (!*at)
            return depth == 0 ? NULL : at;
        const char *start = at++;
        if (*at == '/') {
            at++;
            if (!markup_name(&at, name) || *at++ != '>' || depth == 0 ||
                strcmp(open[--depth], name) != 0)
                return start;
            continue;
        }
        if (depth == MARKUP_DEPTH || !markup_name(&at, open[depth]) || !markup_attributes(&at))
            return start;
        if (strcmp(open[depth], "style") == 0) { /* not escaped in HTML, needs none here */
            at = strstr(at, "</style");
            if (!at)
                return start;
            depth++;
            continue;
        }
        bool closed = *at == '/';
        at += closed;
        if (*at++ != '>')
            return start;
        if (!closed && !markup_is_void(open[depth]))
            depth++;
    }
}

#endif
