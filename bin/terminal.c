/* SPDX-License-Identifier: MIT */
/* terminal.c -- the width is asked for anew each time, since a window may be resized while a program
 * runs. POSIX has no name for the question yet; where the system has none either, COLUMNS is
 * believed, which shells and make keep. */
#include "bin/terminal.h"
#include "base/memory.h"
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int terminal_columns(int descriptor)
{
    int columns = 0;
#ifdef TIOCGWINSZ
    struct winsize size;
    if (ioctl(descriptor, TIOCGWINSZ, &size) == 0)
        columns = size.ws_col;
#endif
    const char *said = getenv("COLUMNS");
    if (columns == 0 && said && isatty(descriptor) == 1)
        columns = atoi(said);
    if (columns <= 0 || columns > 10000)
        return TERMINAL_COLUMNS;
    return columns < 20 ? 20 : columns;
}

/* Cells of a line have two blanks or more between them. */
static size_t next_cell(const char *line, size_t length, size_t from)
{
    while (from < length && strncmp(line + from, "  ", 2) != 0)
        from++;
    while (from < length && line[from] == ' ')
        from++;
    return from;
}

static bool is_change(const char *cell) { return (*cell == '+' || *cell == '-') && cell[1] == ' '; }

static void put_two(base_text *to, const char *line, size_t head, int indent, const char *rest,
                    size_t length)
{
    while (head > 0 && line[head - 1] == ' ')
        head--;
    base_text_add(to, line, head);
    base_text_print(to, "%s%*s", head ? "\n" : "", indent, "");
    base_text_add(to, rest, length);
}

/* A row of a table as two lines: the first cell, then the others against the right edge, where those of all rows stand
 * below each other. With one or two others the last goes to the next line; so does a change of a source. False: it
 * does not fit so either. */
static bool fold_row(base_text *to, const char *line, size_t length, int columns)
{
    const size_t blanks = strspn(line, " "), first = next_cell(line, length, blanks);
    size_t last = first, cells = 0;
    const size_t change = is_change(line + blanks) ? blanks : first;
    if (first == length)
        return false;
    if (is_change(line + change)) {
        if (length - change + 2 > (size_t)columns)
            return false;
        put_two(to, line, change, 2, line + change, length - change);
        return true;
    }
    for (size_t at = first; at < length; cells++) {
        last = at;
        at = next_cell(line, length, at);
    }
    const bool aligned = cells > 2;
    const size_t from = aligned ? first : last, rest = length - from;
    if (from > (size_t)columns || rest + (aligned ? 1 : blanks + 2) > (size_t)columns)
        return false;
    put_two(to, line, from, aligned ? columns - 1 - (int)rest : (int)blanks + 2, line + from, rest);
    return true;
}

static void fold_line(base_text *to, const char *line, size_t length, int columns)
{
    size_t blanks = strspn(line, " ");
    if (length <= (size_t)columns) {
        base_text_add(to, line, length);
        return;
    }
    if (fold_row(to, line, length, columns))
        return;
    if (blanks > (size_t)columns / 2) {
        base_text_add(to, line, length);
        return;
    }
    char *words = base_copy(line + blanks, length - blanks);
    if (!words) {
        to->failed = true;
        return;
    }
    base_text_print(to, "%*s", (int)blanks, "");
    base_text_wrap(to, words, (int)blanks, (int)blanks + 2, columns);
    base_free(words);
}

void terminal_fold(base_text *to, const char *text, int columns)
{
    for (size_t length; *text; text += length) {
        length = strcspn(text, "\n");
        fold_line(to, text, length, columns);
        base_text_add(to, "\n", text[length] == '\n');
        length += text[length] == '\n';
    }
}
