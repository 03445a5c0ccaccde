/* SPDX-License-Identifier: MIT */
/* writer.c -- text that is C in any locale and whatever a name holds.
 *
 * Names of the exported file begin with its user's prefix, so that two networks fit into one
 * program. Templates have @ where the prefix stands, ^ where its capitals do, ~ and $ for the types
 * of numbers, which C needs for nothing that is written here. */
#include "export/writer.h"

#include "base/number.h"
#include <stdint.h>
#include <string.h>

enum { ROW = 8 }; /* numbers in a line of an array */

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool export_writer_begin(export_writer *w, base_text *text, const char *prefix, base_error *error)
{
    size_t length = strlen(prefix);
    bool good = length > 0 && length < sizeof w->upper && is_letter(prefix[0]);
    *w = (export_writer){.text = text, .prefix = prefix, .number = "float", .logit = "float"};
    for (size_t i = 0; i < length && good; i++) {
        char c = prefix[i];
        good = is_letter(c) || is_digit(c) || c == '_';
        w->upper[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    }
    return good || base_fail(error,
                             "prefix \"%.40s\": expected 1 to 31 letters, digits and underscores, "
                             "a letter first",
                             prefix);
}

void export_put(export_writer *w, const char *text)
{
    while (*text) {
        size_t plain = strcspn(text, "@^~$");
        base_text_add(w->text, text, plain);
        text += plain;
        if (*text)
            base_text_print(w->text, "%s",
                            *text == '@'   ? w->prefix
                            : *text == '^' ? w->upper
                            : *text == '~' ? w->number
                                           : w->logit);
        text += *text != 0;
    }
}

void export_print(export_writer *w, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    int length = base_print_list(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length < 0 || length >= (int)sizeof line)
        w->text->failed = true;
    else
        export_put(w, line);
}

void export_float(export_writer *w, float value)
{
    char number[40];
    base_print(number, sizeof number, "%.9g", (double)value);
    base_text_print(w->text, "%s%sF", number, strpbrk(number, ".e") ? "" : ".0");
}

void export_floats(export_writer *w, const char *name, const float *values, size_t count)
{
    export_print(w, "static const float %s[%zu] = {", name, count);
    export_float_list(w, values, count);
    export_put(w, "\n};\n");
}

void export_float_list(export_writer *w, const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        base_text_print(w->text, i % ROW ? " " : "\n    ");
        export_float(w, values[i]);
        base_text_print(w->text, ",");
    }
}

void export_integers(export_writer *w, const char *type, const char *name, const void *values,
                     size_t count)
{
    const unsigned char *byte = values;
    const int8_t *narrow = values;
    const int32_t *wide = values;
    export_print(w, "static const %s %s[%zu] = {", type, name, count);
    for (size_t i = 0; i < count; i++) {
        long value = type[0] == 'u'   ? (long)byte[i]
                     : type[3] == '3' ? (long)wide[i]
                                      : (long)narrow[i];
        base_text_print(w->text, "%s%ld,", i % (2 * ROW) ? " " : "\n    ", value);
    }
    base_text_print(w->text, "\n};\n");
}

/* Whatever is no letter, digit, space or dash is written in octal: no quote, backslash or trigraph
 * is left. */
void export_string(export_writer *w, const char *text)
{
    base_text_print(w->text, "\"");
    for (; *text; text++)
        if (is_letter(*text) || is_digit(*text) || *text == ' ' || *text == '-' || *text == '_')
            base_text_add(w->text, text, 1);
        else
            base_text_print(w->text, "\\%03o", (unsigned)(unsigned char)*text);
    base_text_print(w->text, "\"");
}

void export_remark(export_writer *w, const char *text)
{
    for (char before = 0; *text; before = *text++) {
        bool ends = (before == '*' && *text == '/') || (before == '/' && *text == '*');
        bool shown = (unsigned char)*text >= ' ' && *text != 127 && *text != '\\';
        base_text_add(w->text, " ", ends);
        base_text_add(w->text, shown ? text : "?", 1);
    }
}
