/* SPDX-License-Identifier: MIT */
/* lineage.h -- a run folder as something to look things up in: which candidate was made from which
 * source, its outcome, which source was the current one at which time. The report, `phoenix why`,
 * `phoenix compare` and verification read runs through it; nothing that the journal says is decided
 * again.
 *
 * Everything comes from the journal, but for the loss curves, the seconds and the default source's
 * text, which stand in files beside it. A run that goes on can be read at any time: what has not
 * happened yet is missing. The journal's seals say that it is whole, not that it is honest: every
 * number that is used as an index is checked, and all text stays hostile. */
#ifndef REPORT_LINEAGE_H
#define REPORT_LINEAGE_H

#include "evolve/loop/candidate.h"
#include "evolve/loop/journal.h"
#include "evolve/loop/summary.h"
#include "evolve/task.h"

enum { REPORT_MOST_CSV = 1 << 28 }; /* bytes of a file that stands beside the journal */

enum { REPORT_NAME = 40 };

typedef struct report_batch {
    int episode, batch;
    int first, count;       /* its candidates */
    bool selected;          /* it is over; else `after` is `before` */
    int before, after;      /* sources, by number */
    search_request request; /* what the search asked for */
} report_batch;

typedef struct report_trained {
    int source; /* that the model was built from; LOOP_NOBODY: none of these, a T5's */
    loop_event event;
} report_trained;

/* A source with a good score that no stage could train: the last that one could took its place. */
typedef struct report_untrained {
    int episode, source, back;
    const char *reason;
} report_untrained;

/* The operations that a run took to find what it found. The last comparison is not among them,
 * since it measures what was found; nor are the measurements of a trained T5, nor trainings and
 * candidates that failed. */
typedef struct report_compute {
    double training;     /* of the T5s that write candidates */
    double generation;   /* by them, or of a critic that chooses */
    double evaluation;   /* of the default source and of candidates that were no repetition */
    int64_t evaluations; /* how many these were */
} report_compute;

typedef struct report_lineage {
    char *folder;
    const char *name; /* the folder's last part */
    base_json *manifest;
    const char *version; /* of the program that made it */
    evolve_settings settings;
    loop_journal *journal;

    evolve_subject subject;
    bool trains;        /* a T5 is trained to write candidates */
    bool stages;        /* in each episode: the T5 that its source defines */
    bool writes;        /* a T5 writes them, trained or not */
    const char *task;   /* "self", "digits", ... */
    vision_shape image; /* of networks */
    int classes;

    loop_candidates candidates; /* by number */
    report_batch *batch;
    report_trained *trained;
    report_untrained *untrained;
    int batch_count, trained_count, untrained_count;
    int begun;     /* episodes that have begun */
    int last;      /* the current source */
    bool is_asked; /* trials are asked for, and not proposed yet: */
    loop_event asked;
    report_compute compute;

    loop_candidates kept;     /* the last source, whose network is in model/; of T5s none */
    bool has_model;           /* of T5s for pairs of text: the last source's, in model/ */
    loop_event model;         /* MODEL */
    loop_candidates compared; /* of each fresh seed the default source and the last */
    search_sample fresh[2];   /* their scores, by seed, in pairs */
    bool finished;
    loop_event ending; /* FINISHED */
    double floor;      /* nats a pair that no model can do without, of the training pairs */
    char *default_source;
    bool own_first; /* it is first.c, somebody's own */
    char *timing;   /* timing.jsonl; NULL: there is none */
} report_lineage;

double report_compute_all(const report_compute *compute);

/* NULL: there is no run in that folder, or it is damaged; the error says where. The calling process
 * must not have the run's journal open. */
report_lineage *report_lineage_read(const char *folder, base_error *error);
void report_lineage_free(report_lineage *lineage);

/* Below, `number` is a candidate's; 0 is the default source. */

/* "default", "3.0.5"; "-" for LOOP_NOBODY. */
const char *report_lineage_name(const report_lineage *lineage, int number, char name[REPORT_NAME]);

/* The candidate of that name; also "default" and "last" (the current source). */
bool report_lineage_find(const report_lineage *lineage, const char *name, int *number,
                         base_error *error);

const char *report_lineage_text(const report_lineage *lineage, int number);
const score_result *report_lineage_score(const report_lineage *lineage, int number);

/* What a candidate's text is compared with: what it was made from, or, where it was drawn, the
 * source of that time. */
int report_lineage_origin(const report_lineage *lineage, int number);

/* The batch of a candidate, which is not the default source. */
const report_batch *report_lineage_batch(const report_lineage *lineage, int number);

/* Place of a scored candidate in its batch, 1 the best, and of how many with a score; 0: it has no
 * score. Of equals the earlier is better, as in the selection. */
int report_lineage_rank(const report_lineage *lineage, int number, int *of);

/* The source after that many episodes, of which 0 gives the default one; LOOP_NOBODY: not known
 * yet. */
int report_lineage_after(const report_lineage *lineage, int episodes);

/* The score with the losses of the few-shot training, step by step: read from the journal once,
 * kept by the lineage. NULL: it has no score, or there was no memory. */
const score_result *report_lineage_training(const report_lineage *lineage, int number,
                                            base_error *error);

/* How far the scores of two candidates, of which the first was made from the second or held against it, may
 * be apart by chance: the standard error of their difference. NAN: not known. Both are scored. */
bool report_lineage_noise(const report_lineage *lineage, int from, int to, double *noise,
                          base_error *error);

/* The layers of the network that a source builds for the run's images. False: it builds none. */
bool report_lineage_network(const report_lineage *lineage, int number, vision_architecture *net);

/* Nats a token that a pair's nats are spread over: score_pair / score of the default source. 0: not
 * known. */
double report_lineage_tokens(const report_lineage *lineage);

/* The loss of each step of an episode's training, from its losses.csv; malloc'ed. *count is 0 where
 * there is no such file. False: it is damaged, or there was no memory. */
bool report_lineage_losses(const report_lineage *lineage, int episode, double **losses, int *count,
                           base_error *error);

/* Seconds by kind ("training", "batch") from timing.jsonl, in the order of their first appearance;
 * lines that cannot be read are passed over, as losing one loses nothing. */
typedef struct report_seconds {
    char kind[32];
    int times;
    double seconds;
} report_seconds;
enum { REPORT_KINDS = 16 };
int report_lineage_seconds(const report_lineage *lineage, report_seconds kinds[REPORT_KINDS]);

/* The numbers that a source gives to fields, as `config.d_ff = 1024;` does: name and value of each,
 * in order, of a repeated name the last. Returns how many; none where the text is no program. */
typedef struct report_design {
    char name[32];
    double value;
} report_design;
enum { REPORT_DESIGNS = 32 };
int report_source_design(const char *text, report_design designs[REPORT_DESIGNS]);

#endif
