/* referee.h -- candidates to scores: parse, look up, evaluate in worker processes, write down.
 *
 * A candidate that is no program gets its verdict here and costs nothing. One whose normal form was
 * scored before under the same settings takes that score over. The others go to workers, `jobs` at
 * once, through the launcher; whatever a worker does (loop, die, print garbage), its candidate gets
 * a typed outcome and a reason. Outcomes are journalled in the order of the candidates, not of
 * their arrival, so the journal does not depend on `jobs`. */
#ifndef EVOLVE_REFEREE_H
#define EVOLVE_REFEREE_H

#include "base/hash.h"
#include "evolve/evaluate.h"
#include "evolve/journal.h"
#include "evolve/run.h"

typedef struct evolve_candidate {
    const char *text; /* the caller's */
    size_t length;
    const evolve_settings *settings; /* of its evaluation: the caller's */
    bool needed; /* the run cannot go on without its score: anything else is an error, and is not
                  * written down, so that resuming tries again */
    /* filled in */
    char key[BASE_HASH_TEXT]; /* of (normal form, settings); empty: it does not parse and check */
    bool reused;              /* the score is that of an equal program */
    evolve_score score;
} evolve_candidate;

typedef struct evolve_referee evolve_referee;

/* The journal and the options must outlive it. reuse: the setting. NULL: no memory. */
evolve_referee *evolve_referee_new(evolve_journal *journal, const evolve_options *options,
                                   bool reuse);
void evolve_referee_free(evolve_referee *referee);

/* Scores candidates 0 .. count-1, or takes what the journal has of them. event: what journal lines
 * are called; members: JSON members that each of them starts with ("\"episode\":1"). what: for
 * progress. False with an empty error text: interrupted. */
bool evolve_referee_score(evolve_referee *referee, const char *event, const char *members,
                          const char *what, evolve_candidate *candidates, int count,
                          base_error *error);

void evolve_candidates_free(evolve_candidate *candidates, int count); /* their scores' memory */

#endif
