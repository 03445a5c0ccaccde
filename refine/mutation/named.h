/* SPDX-License-Identifier: MIT */
/* named.h -- a refinement as its source's lines by name, and what is new in full.
 *
 * An edit by line numbers (script.h) begins with a number that says where, before anything is known of
 * what. In a source of eleven lines that is soon learnt; in one of forty, whose lines are others each time,
 * it is not. Here a line has a name, a single byte, that says what the line is, not where it stands: the
 * same line has nearly always the same name. A refinement is then written from its first line to its last,
 * and a line that stands in the source is written as its name:
 *
 *     source                      named                        refined
 *     double rate = 0.02;         R double rate = 0.02;        R=0.05
 *     int width = 256;            W int width = 256;           W*50
 *     int warmup = 100;           U int warmup = 100;
 *     step(rate, 0.9, 0.99);      S step(rate, 0.9, 0.99);     S2=0.999
 *     return;                     E return;                    clip();
 *                                                              E
 *
 *     refined = { line }
 *     line    = name                                the source's line of that name
 *             | name [ index ] "=" number "\n"      the same with another number in it, which of them by an
 *                                                   index from 1 where it has several
 *             | name [ index ] "*" percent "\n"     the same with so many hundredths of it, if it is a whole
 *                                                   one (lines.h)
 *             | text "\n"                           a new one
 *
 * Half of a number is always "*50", so that a layer doubles or halves by the same tokens, whatever it has. What is left
 * out is gone. So the T5 goes through its source as it writes, and decides at each line
 * whether this is the one that it edits; where to look is always the line behind the one just named. */
#ifndef MUTATION_NAMED_H
#define MUTATION_NAMED_H

#include "base/text.h"
#include "refine/mutation/lines.h"

/* Of numbers from here on there are percentages: the smallest size of a layer of the networks. */
enum { MUTATION_LEAST_HALVED = 16 };

/* Appends the source with the name of each line in front of it. False: mutation_lines_cut() has none of
 * it, or a line begins with a digit, "=" or "*". A name comes from the text up to the first digit; of lines
 * that would share one the later gets the next that is free. */
bool mutation_named_source(const char *source, size_t length, base_text *named, base_error *error);

/* Appends the refinement by names of the source's lines. False: one of the two cannot be cut. */
bool mutation_named_of(const char *source, size_t length, const char *refined,
                       size_t refined_length, base_text *named, base_error *error);

/* How it is read: of a line that was named nothing is known until it is clear whether a number of it changes.
 * mutation_edit_apply() of it is mutation_named_of()'s inverse. */
extern const mutation_reading mutation_named;

#endif
