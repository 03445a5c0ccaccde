/* SPDX-License-Identifier: MIT */
/* script.h -- a refinement as an edit: which lines of a source are replaced, and by what.
 *
 * A T5 that writes a whole program copies 24 or 125 tokens to change a few. Here it reads the source
 * with its lines numbered from 0, and writes only what changes:
 *
 *     source                     numbered                     refined by the script
 *     int a = 1;                 0 int a = 1;                 1
 *     int b = 2;                 1 int b = 2;                 int b = 3;
 *     return a;                  2 return a;
 *
 * A number n is a single byte, 0x80 + n: no source has such bytes, and every tokenizer here has a token
 * for each. So numbers cost a token a line and no vocabulary.
 *
 *     script = { hunk }              hunks ascend
 *     hunk   = first [end] { line }  lines first .. end - 1 are replaced by these
 *            | first "*" percent     the line's last number becomes so many hundredths of it, cut
 *              "\n"                  towards 0; of numbers from MUTATION_LEAST_SCALED on (lines.h)
 *
 * Without an end it is one line that is replaced, by one or more. With one, it is several, or none
 * (the lines are put before `first`), or one that is taken away (or replaced by lines of which the first
 * begins with "*"). Numbers go from 0 to MUTATION_LINES, the end of the last line. Of two texts mutation_script_of()
 * always gives the same script, with the fewest lines taken away and put in, and lines that stay between
 * its hunks; so the floor of a model of scripts is that of a model of refinements. */
#ifndef MUTATION_SCRIPT_H
#define MUTATION_SCRIPT_H

#include "base/text.h"
#include "refine/mutation/lines.h"

enum { MUTATION_LEAST_SCALED = 32 };

/* Appends the source with numbers. False: it has too many lines, a byte that is not ASCII, or a last
 * line without a line feed. */
bool mutation_script_number(const char *source, size_t length, base_text *numbered,
                            base_error *error);

/* Appends the script that makes the one of the other, both of which can be numbered. */
bool mutation_script_of(const char *source, size_t length, const char *refined,
                        size_t refined_length, base_text *script, base_error *error);

/* How it is read. mutation_edit_apply() of it is mutation_script_of()'s inverse. */
extern const mutation_reading mutation_script;

#endif
