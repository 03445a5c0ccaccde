/* diff.h -- what changed between two sources, line by line. */
#ifndef REPORT_DIFF_H
#define REPORT_DIFF_H

#include "base/text.h"

/* Appends the lines that only one of the two has, in order: "- old\n", "+ new\n". Lines in common
 * (a longest common subsequence, Wagner & Fischer 1974) are left out. Sources of more than 2000
 * lines each are shown as wholly different. */
void report_diff(const char *before, const char *after, base_text *text);

/* The same as hunks of a unified diff (diff -u without its two lines of names; `patch` takes it):
 * "@@ -1,4 +1,4 @@\n", then the lines with so many in common around each change. Nothing for equal
 * texts. Whether the last line ends in a line feed is not compared. */
void report_diff_unified(const char *before, const char *after, int context, base_text *text);

#endif
