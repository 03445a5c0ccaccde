/* diff.h -- what changed between two sources, line by line. */
#ifndef EVOLVE_DIFF_H
#define EVOLVE_DIFF_H

#include "base/text.h"

/* Appends the lines that only one of the two has, in order: "- old\n", "+ new\n". Lines in common
 * (a longest common subsequence, Wagner & Fischer 1974) are left out. Sources of more than 2000
 * lines each are shown as wholly different. */
void evolve_diff(const char *before, const char *after, base_text *text);

#endif
