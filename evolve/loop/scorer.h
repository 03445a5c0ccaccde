/* scorer.h -- candidates to scores: parse, look up, evaluate in worker processes, write down.
 *
 * A candidate that is no program gets its verdict here and costs nothing. One whose normal form was
 * scored before under the same settings takes that score over; of one that was stopped it is known
 * how much its score is at least, which does for an equal one that has to beat no more than that.
 * The others go to workers, `jobs` at once, through the launcher. Outcomes are journalled in the
 * order of the candidates, not of their arrival, so the journal does not depend on `jobs`.
 *
 * What a worker says of its candidate is a whole sealed result, of whatever status; a source that
 * takes too long or too much is stopped by the worker itself, which says so. Anything else (no
 * result, half a result, a signal, a launcher that hangs) is the machine's doing, and the candidate
 * goes to another worker, LOOP_ATTEMPTS times in all. Between attempts, and after the last, a
 * text that is no program is sent to as many workers as there are at once. When all of them answer,
 * the machine works: the next attempt is a fair one, and after the last the candidate is one that
 * kills workers, and gets an outcome of crash or deadline, which no equal program takes over. When
 * they do not answer for some seconds, the machine is broken: an error, and nothing is written
 * down, so that resuming tries again. So a lost node, or all of them, leaves no trace in the
 * journal. */
#ifndef LOOP_SCORER_H
#define LOOP_SCORER_H

#include "base/hash.h"
#include "evolve/score/evaluate.h"
#include "evolve/loop/how.h"
#include "evolve/loop/journal.h"

enum { LOOP_ATTEMPTS = 3 };

typedef struct loop_candidate {
    const char *text; /* the caller's */
    size_t length;
    const evolve_settings *settings; /* of its evaluation: the caller's */
    double bound; /* the score that it has to beat: it is stopped when it cannot; 0: it is not */
    bool needed;  /* the run cannot go on without its score: anything else is an error, and is not
                   * written down, so that resuming tries again */
    /* filled in */
    char key[BASE_HASH_TEXT]; /* of (normal form, settings); empty: it does not parse and check */
    bool reused;              /* the score is that of an equal program */
    score_result score;
} loop_candidate;

typedef struct loop_scorer loop_scorer;

/* The journal and the options must outlive it. journal: NULL to score without one. reuse: the
 * setting. NULL: no memory. */
loop_scorer *loop_scorer_new(loop_journal *journal, const loop_options *options, bool reuse);
void loop_scorer_free(loop_scorer *referee);

/* Scores candidates 0 .. count-1, or takes what the journal has of them. event: what journal lines
 * are called; members: JSON members that each of them starts with ("\"episode\":1"). what: for
 * progress. False with an empty error text: interrupted. */
bool loop_scorer_score(loop_scorer *referee, const char *event, const char *members,
                       const char *what, loop_candidate *candidates, int count, base_error *error);

void loop_candidates_free(loop_candidate *candidates, int count); /* their scores' memory */

#endif
