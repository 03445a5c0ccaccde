/* SPDX-License-Identifier: MIT */
/* number.c -- printf and strtod in the C locale.
 *
 * POSIX's uselocale() sets the locale of the calling thread alone, so that neither other threads nor
 * the program around see a change, and what was set before is set again. C libraries have the C
 * locale at hand: no memory is taken, no file read. */
#include "base/number.h"
#include "base/memory.h"

#include <locale.h>
#include <stdlib.h>

/* Sets this thread's locale to C; *before is for leave(). False: the system has no memory for it. */
static bool enter(locale_t *before)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    *before = c ? uselocale(c) : (locale_t)0;
    if (!c)
        base_memory_refused(0);
    return c != (locale_t)0;
}

static void leave(locale_t before) { freelocale(uselocale(before)); }

int base_print_list(char *text, size_t size, const char *format, va_list list)
{
    locale_t before;
    if (!enter(&before))
        return -1;
    int length = vsnprintf(text, size, format, list);
    leave(before);
    return length;
}

int base_print(char *text, size_t size, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int length = base_print_list(text, size, format, list);
    va_end(list);
    return length;
}

int base_print_to(FILE *file, const char *format, ...)
{
    locale_t before;
    if (!enter(&before))
        return -1;
    va_list list;
    va_start(list, format);
    int length = vfprintf(file, format, list);
    va_end(list);
    leave(before);
    return length;
}

double base_read_number(const char *text, char **end)
{
    locale_t before;
    if (!enter(&before)) {
        if (end)
            *end = (char *)text;
        return 0;
    }
    double number = strtod(text, end);
    leave(before);
    return number;
}

void base_print_digits(char digits[BASE_DIGITS], double number)
{
    for (int precision = 15; precision <= 17; precision++) {
        base_print(digits, BASE_DIGITS, "%.*g", precision, number);
        if (base_read_number(digits, NULL) == number)
            return;
    }
}
