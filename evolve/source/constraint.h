/* SPDX-License-Identifier: MIT */
/* constraint.h -- a T5 that may only write programs: which token may follow which text.
 *
 * A token may follow if the text with it is still the beginning of a program that the run's
 * mutator could write (refine/mutation/prefix.h), and the end token if the text is one. Such a T5
 * always writes what parses and checks, whatever it has learnt, unless `most` tokens end it
 * before. Where it answers in another form (form.h), the text is what is known of the refinement
 * by then. */
#ifndef SOURCE_CONSTRAINT_H
#define SOURCE_CONSTRAINT_H

#include "evolve/settings.h"
#include "t5/tokenizer.h"

typedef struct source_constraint source_constraint;

/* For `rows` samples at once, of refinements of that source. Source and tokenizer must outlive it.
 * NULL: no memory, or a source that the settings' form has no answers for. */
source_constraint *source_constraint_new(const evolve_settings *settings, const char *source,
                                         const t5_tokenizer *tokenizer, int rows,
                                         base_error *error);
void source_constraint_free(source_constraint *constraint);

/* t5_sampling's `allowed`, with the constraint as its user. From call to call the ids of a row get
 * longer, or start again from none. Where memory runs out nothing is allowed. */
bool source_constraint_allowed(void *constraint, int row, const int *ids, int count, int token);

/* Whether it did: then a refusal says nothing about a text. */
bool source_constraint_failed(const source_constraint *constraint);

#endif
