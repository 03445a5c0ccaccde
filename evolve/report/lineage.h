/* lineage.h -- a run folder as something to look things up in: which candidate was made from which
 * source, what became of it, which source was the one of which time.
 *
 * Everything comes from the journal, but for the loss curves, the seconds and the text of the first
 * source, which hang off it as files. A run that goes on can be read at any time: what has not
 * happened yet is missing. The journal's seals say that it is whole, not that it is honest: every
 * number that is used as an index is checked, and all text stays hostile.
 *
 * Candidates are numbered in the order in which they were proposed, and named by their place:
 * 3.0.5 is candidate 5 of batch 0 of episode 3, each counted from 0 as in episode-3/. The first
 * source is REPORT_FIRST, named "default". */
#ifndef REPORT_LINEAGE_H
#define REPORT_LINEAGE_H

#include "evolve/score/evaluate.h"
#include "evolve/loop/journal.h"
#include "evolve/loop/compute.h"
#include "evolve/loop/summary.h"
#include "evolve/task.h"

enum { REPORT_FIRST = -1, REPORT_NOBODY = -2, REPORT_NAME = 40 };

typedef struct report_record {
    int episode, batch, number;
    const char *text; /* ends at its first NUL */
    int parent;       /* the source that it was made from: a candidate or REPORT_FIRST;
                       * REPORT_NOBODY: it was drawn from the whole space */
    double share;     /* of a score's pairs that it was scored on */
    bool scored;      /* its outcome is known; else nothing below is */
    bool accepted;    /* it became the source */
    bool reused;      /* its score is that of an equal program: of candidate `original` */
    int original;     /* REPORT_NOBODY where it is not reused */
    const char *key;
    score_result score;     /* without losses; of SCORE_STOPPED, the least that it can be */
    const base_json *event; /* of the outcome; NULL: it is not known */
} report_record;

typedef struct report_batch {
    int episode, batch;
    int first, count; /* its candidates */
    bool selected;    /* it is over; else `after` is `before` */
    int before, after;
    const base_json *asked; /* the event; NULL: refinements of the source, as ever */
} report_batch;

typedef struct report_trained {
    int episode;
    int source; /* that the model was built from; REPORT_NOBODY: none of these, a T5's */
    int64_t parameters, steps;
    const base_json *event; /* the rest: "held_out", "fidelity", the hashes of the model's files */
} report_trained;

/* A source that its short training liked and that no stage could train: the last that one could
 * took its place. */
typedef struct report_untrained {
    int episode, source, back;
    const char *reason;
} report_untrained;

typedef struct report_lineage {
    char *folder;
    const char *name; /* the folder's last part */
    base_json *manifest;
    loop_journal *journal;
    const base_json *settings; /* the manifest's */
    const char *version, *preset;
    int64_t episodes, batches, candidates; /* that it is set to do, of the latter two each time */
    int begun;                             /* episodes that have begun */

    evolve_subject subject;
    bool trains;      /* a T5 is trained to write candidates */
    bool stages;      /* in each episode: the T5 that its source defines */
    bool writes;      /* a T5 writes them, trained or not */
    const char *task; /* "self", "digits", ... */
    const char *strategy;
    vision_shape image; /* of networks; channels 0: the journal does not say */
    int classes;

    char *first_text; /* the first source */
    const char *first_key;
    const base_json *first_event;
    score_result first_score; /* without losses; steps 0: not known yet */
    bool first_scored;

    report_record *records;
    report_batch *batch;
    report_trained *trained;
    report_untrained *untrained;
    int record_count, batch_count, trained_count, untrained_count;
    int last;               /* the source of now */
    const base_json *asked; /* the event, where no proposals have followed it yet */
    loop_compute spent;

    loop_sample fresh[2]; /* first and last source, by seed, in pairs */
    bool finished;

    double floor;     /* nats a pair that no model can do without, of the training pairs */
    bool floor_exact; /* else it is the mean over the held-out pairs; 0 and not exact: not known */
} report_lineage;

/* NULL: there is no run in that folder, or it is damaged; the error says where. The calling process
 * must not have the run's journal open. */
report_lineage *report_lineage_read(const char *folder, base_error *error);
void report_lineage_free(report_lineage *lineage);

/* "default", "3.0.5"; "-" for REPORT_NOBODY. */
const char *report_lineage_name(const report_lineage *lineage, int index, char name[REPORT_NAME]);

/* The candidate of that name; also "default" and "last" (the source of now). */
bool report_lineage_find(const report_lineage *lineage, const char *name, int *index,
                         base_error *error);

/* A candidate's or the first source's. */
const char *report_lineage_text(const report_lineage *lineage, int index);
const score_result *report_lineage_score(const report_lineage *lineage, int index);

/* The source that a candidate's text is held against: what it was made from, or, where it was
 * drawn, the source of that time. */
int report_lineage_origin(const report_lineage *lineage, int index);

/* The batch that a candidate is of. */
const report_batch *report_lineage_batch(const report_lineage *lineage, int index);

/* Place of a scored candidate in its batch, 1 the best, and of how many with a score; 0: it has no
 * score. Of equals the earlier is better, as in the selection. */
int report_lineage_rank(const report_lineage *lineage, int index, int *of);

/* How many of an episode's candidates got how far; episode -1: of all. */
loop_funnel report_lineage_funnel(const report_lineage *lineage, int episode);

/* The source after that many episodes, of which 0 gives the first; REPORT_NOBODY: it is not known
 * yet. */
int report_lineage_after(const report_lineage *lineage, int episodes);

/* What a source's few-shot training lost, step by step; free with score_free. False: it has
 * no score, or there was no memory. */
bool report_lineage_training(const report_lineage *lineage, int index, score_result *score,
                             base_error *error);

/* The layers of the network that a source builds for the images of the run. False: it builds none,
 * or the journal does not say what the images are. */
bool report_lineage_network(const report_lineage *lineage, int index, vision_architecture *net);

/* Nats a token that a pair's nats are spread over: score_pair / score of the first source. 0: not
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
