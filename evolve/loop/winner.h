/* SPDX-License-Identifier: MIT */
/* winner.h -- what a run on pairs of text leaves: the T5 of its last source, trained on all of the training
 * part until it has learnt it, in the run's model/. */
#ifndef LOOP_WINNER_H
#define LOOP_WINNER_H

#include "evolve/loop/journal.h"
#include "evolve/loop/stage.h"

/* Trains it in that folder, without a journal; the result's model is freed. False: as for loop_stage_run. */
bool loop_winner_stage(const loop_options *options, const evolve_settings *settings,
                       const source_texts *texts, const char *source, const char *folder,
                       loop_stage_result *result, base_error *error);

/* Trains it, through the journal; candidate: the source's number. A source that cannot be trained so long
 * leaves no model: then the event says why. The lines for people are appended to `text`. */
bool loop_winner_train(const loop_options *options, const evolve_settings *settings,
                       const source_texts *texts, loop_journal *journal, int candidate,
                       const char *source, base_text *text, base_error *error);

#endif
