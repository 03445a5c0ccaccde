/* SPDX-License-Identifier: MIT */
/* terminal.h -- how wide what is printed may be. */
#ifndef BIN_TERMINAL_H
#define BIN_TERMINAL_H

#include "base/text.h"
#include <stdbool.h>

enum { TERMINAL_COLUMNS = 80 }; /* where there is no terminal, or it does not say */

/* Of the terminal behind a file descriptor, as it is now; at least 20. */
int terminal_columns(int descriptor);

/* Appends a text, no line of which is longer than `columns`: a line that was has its last words on further lines, two
 * columns behind its own beginning, and a row of a table its last cells. */
void terminal_fold(base_text *to, const char *text, int columns);

#endif
