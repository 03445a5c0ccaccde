/* SPDX-License-Identifier: MIT */
/* diff.h -- what changed between two texts, line by line. */
#ifndef BASE_DIFF_H
#define BASE_DIFF_H

#include "base/text.h"

/* Appends the lines that only one of the two has, in order: "- old\n", "+ new\n". Lines in common
 * (a longest common subsequence, Wagner & Fischer 1974) are left out. Two texts of which one has more
 * than 2000 lines are not compared: a line says so for each. */
void base_diff(const char *before, const char *after, base_text *text);

/* Appends the hunks of a unified diff (diff -u without its two lines of names; `patch` takes it):
 * "@@ -1,4 +1,4 @@\n", then the changed lines with `context` lines in common around them. Nothing
 * for equal texts. Whether the last line ends in a line feed is not compared. */
void base_diff_unified(const char *before, const char *after, int context, base_text *text);

#endif
