/* SPDX-License-Identifier: MIT */
/* summary.h -- what a run prints at its end: a table of its episodes, and the comparison of the
 * last source with the default one. */
#ifndef LOOP_SUMMARY_H
#define LOOP_SUMMARY_H

#include "base/text.h"
#include "evolve/loop/candidate.h"
#include "evolve/search/experience.h"
#include "evolve/search/statistics.h"
#include "refine/mutation/mutator.h"
#include <stdint.h>

/* How many candidates got how far: each line counts those of the line before that went on. */
typedef struct loop_funnel {
    int generated;
    int parsed;    /* are programs */
    int valid;     /* pass the checker, run, and build a model within the limits */
    int fresh;     /* of the valid, are no repetition of a program scored before */
    int evaluated; /* of the fresh, were trained to a score, and not stopped on the way */
    int accepted;  /* became the source */
} loop_funnel;

typedef struct loop_episode {
    int number;
    int64_t parameters;
    double before, after; /* score of the source before and after the stage (evaluate.h) */
    double distance; /* of the trained model from the floor, nats a pair, held-out pairs; NAN: none
                      * was trained */
    loop_funnel funnel;
    char *change; /* diff of the source; malloc'ed */
} loop_episode;

/* What the two exact savings saved: pairs of the few-shot score that were not measured. */
typedef struct loop_savings {
    int64_t measured;               /* pairs */
    int64_t reused, reused_pairs;   /* scores taken over from equal programs */
    int64_t stopped, stopped_pairs; /* candidates that could not beat the source any more */
} loop_savings;

/* Of the candidates of an episode whose outcome is known; episode -1: of all. */
loop_funnel loop_funnel_of(const loop_candidates *candidates, int episode);

/* Of all candidates, scored by the settings. A reused score saves what its original measured. */
loop_savings loop_savings_of(const loop_candidates *candidates, const evolve_settings *settings);
void loop_summary_savings(const loop_savings *savings, base_text *text);

/* What a run that learns from outcomes learnt from: the experience (NULL: none), by the edits that paid in it,
 * and how often its own candidates were better than what they were made from. */
void loop_summary_experience(const search_experience *experience, const mutation_mutator *mutator,
                             const loop_candidates *candidates, base_text *text);

/* What the lines of a run call the score of its subject (evolve/task.h). */
typedef struct loop_words {
    const char *scored;   /* printf's format of the first source's name, score, score_pair */
    const char *table;    /* what stands above the table */
    const char *searched; /* the score in the search */
    const char *compared; /* the score in the last comparison: printf's format of its pairs */
    const char *kept;     /* of the network in model/: printf's format of score, score_pair */
    bool stops_early;     /* the score is known while a candidate is trained, so savings are */
} loop_words;

const loop_words *loop_words_of(const evolve_settings *settings);

/* floor: of the pairs that a T5 was trained on, nats a pair; 0: their edits were weighted, and it is known of each pair
 * alone. */
void loop_summary_table(const loop_episode *episodes, int count, double floor,
                        const loop_words *words, base_text *text);

/* first, last: by seed. origin: what the first source is called, "default" or "first". */
void loop_summary_comparison(const char *origin, const search_sample *first,
                             const search_sample *last, const evolve_settings *settings,
                             base_text *text);

#endif
