/* SPDX-License-Identifier: MIT */
/* judge.h -- a T5 that writes and is its own critic (--proposer actor), in text: its sources begin with a word.
 *
 *   source                          target
 *   better SOURCE                   a refinement that is expected to be better
 *   worse SOURCE                    one that is not
 *   judge SOURCE REFINEMENT         "better" or "worse"
 *
 * Words end their line; source and refinement are in the run's form (form.h). A pair to train on has the word "better" with the
 * chance with which counts would take its edit (evolve/search/counts.h), so a T5 that has learnt its pairs perfectly writes what counts do where
 * it is asked for "better", as source_write() asks it. Of what it wrote it then says how likely that word is. */
#ifndef SOURCE_JUDGE_H
#define SOURCE_JUDGE_H

#include "evolve/source/write.h"

extern const char *const source_words[2]; /* by whether it is expected to be better; a line each */

/* What the T5 of these settings is asked for: "better"; of any other proposer "". */
const char *source_word(const evolve_settings *settings);

/* Appends what it reads to judge a refinement. False: as source_form_ask(). */
bool source_ask_judgement(evolve_form form, const base_text *source, const base_text *refined,
                          base_text *asked, base_error *error);

/* The log-probability of "better", in nats, of each of `count` refinements of the source. *flops: the operations are
 * added. False: no memory, or texts of more than T5_MOST_SOURCE tokens. */
bool source_judge(const source_writer *writer, const base_text *source, const base_text *refined,
                  int count, double *log_probability, int64_t *flops, base_error *error);

#endif
