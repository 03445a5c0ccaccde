/* SPDX-License-Identifier: MIT */
/* generator.h -- the T5 that writes a run's candidates: the one that a source defines, trained on
 * refinements of such sources, or left with its first weights (--proposer untrained).
 *
 * Where sources define T5s, each episode has a generator of its own, which the source of that time
 * defines; where they define networks, one generator is trained for the whole run. */
#ifndef LOOP_GENERATOR_H
#define LOOP_GENERATOR_H

#include "evolve/loop/how.h"
#include "evolve/loop/journal.h"
#include "evolve/settings.h"
#include "evolve/source/pairs.h"
#include "t5/t5.h"

typedef struct loop_generator loop_generator;

/* All of it must outlive the generator. corpus: what its training begins with; NULL: none. NULL: error says why. */
loop_generator *loop_generator_new(const loop_options *options, const evolve_settings *settings,
                                   const source_corpus *corpus, loop_journal *journal,
                                   base_error *error);
void loop_generator_free(loop_generator *generator);

/* Makes it the one that this source defines (the caller's text), and frees what was trained before.
 * Nothing is trained yet. lesson: of its training pairs, the caller's, for as long as it trains. */
void loop_generator_take(loop_generator *generator, int episode, const char *source,
                         const source_lesson *lesson);

/* The event of its training: TRAINED, or UNTRAINABLE where the source is at fault. Trains where the
 * journal does not have it; *seconds is then how long it took, else 0. False: an error, or
 * interrupted. */
bool loop_generator_train(loop_generator *generator, loop_event *event, double *seconds,
                          base_error *error);

/* The model, which the generator owns: the one in memory; or the saved one of a training that was
 * replayed; or one with its first weights where none was trained. NULL: error says why. */
t5_model *loop_generator_model(loop_generator *generator, base_error *error);

const t5_tokenizer *loop_generator_tokenizer(const loop_generator *generator);

#endif
