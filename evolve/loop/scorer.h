/* SPDX-License-Identifier: MIT */
/* scorer.h -- candidates to scores: parse, look up, evaluate in worker processes, write down.
 *
 * A candidate that is no program gets its verdict here and costs nothing. One whose normal form was
 * scored before under the same settings takes that score over. A candidate that was stopped left a
 * lower bound of its score, which is enough for an equal program whose score to beat is not above it.
 * The others go to workers, `jobs` at once, through the launcher. Outcomes are journalled in the
 * order of the candidates, not of their arrival, so the journal does not depend on `jobs`.
 *
 * What a worker says of its candidate is a whole sealed result, of whatever status; a source that
 * takes too long or too much is stopped by the worker itself, which says so. Anything else (no
 * result, half a result, a signal, a launcher that hangs, memory refused) is the machine's doing, and
 * the candidate goes to another worker, LOOP_ATTEMPTS times in all. Between attempts a text that is no
 * program is sent to as many workers as there are at once. When all of them answer, the machine
 * works, and the next attempt is a fair one. When they do not answer for some seconds, or the last
 * attempt is lost as well, there is an error that says what was seen, and nothing is written down, so
 * that resuming tries again. So what is lost, be it every node, leaves no trace in the journal.
 *
 * The last resort is the clock: a worker that says nothing is lost after options.patience seconds, by
 * itself a minute and ten times the deadline, and more where jobs share processors.
 *
 * A deadline is counted in time that the worker works, but by a machine that may have been slow just
 * then: it takes LOOP_DEADLINES workers that meet it, and an equal program does not take it over. */
#ifndef LOOP_SCORER_H
#define LOOP_SCORER_H

#include "evolve/loop/candidate.h"
#include "evolve/loop/how.h"
#include "evolve/loop/journal.h"

enum { LOOP_ATTEMPTS = 3, LOOP_DEADLINES = 2 };

typedef struct loop_scorer loop_scorer;

/* All must outlive it. journal: NULL to score without one. settings: the run's. NULL: no memory. */
loop_scorer *loop_scorer_new(loop_journal *journal, const loop_options *options,
                             const evolve_settings *settings);
void loop_scorer_free(loop_scorer *scorer);

/* Scores candidates 0 .. count-1 of the array, or takes what the journal has of them: fills in
 * their keys and outcomes. Without the score of one that is not LOOP_EVALUATED the run cannot go
 * on: then anything else is an error, and is not written down, so that resuming tries again. what:
 * for progress. False with an empty error text: interrupted. */
bool loop_scorer_score(loop_scorer *scorer, const char *what, loop_candidate *candidates, int count,
                       base_error *error);

#endif
