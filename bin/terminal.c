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

static void fold_line(base_text *to, const char *line, size_t length, int columns)
{
    size_t blanks = strspn(line, " ");
    if (length <= (size_t)columns || blanks > (size_t)columns / 2) {
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
