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
 * source is EVOLVE_FIRST, named "default". */
#ifndef EVOLVE_LINEAGE_H
#define EVOLVE_LINEAGE_H

#include "evolve/evaluate.h"
#include "evolve/journal.h"
#include "evolve/spent.h"
#include "evolve/summary.h"
#include "vision/network.h"

enum { EVOLVE_FIRST = -1, EVOLVE_NOBODY = -2, EVOLVE_NAME = 40 };

typedef struct evolve_record {
    int episode, batch, number;
    const char *text; /* ends at its first NUL */
    int parent;       /* the source that it was made from: a candidate or EVOLVE_FIRST;
                       * EVOLVE_NOBODY: it was drawn from the whole space */
    double share;     /* of a score's pairs that it was scored on */
    bool scored;      /* its outcome is known; else nothing below is */
    bool accepted;    /* it became the source */
    bool reused;      /* its score is that of an equal program: of candidate `original` */
    int original;     /* EVOLVE_NOBODY where it is not reused */
    const char *key;
    evolve_score score;     /* without losses; of EVOLVE_STOPPED, the least that it can be */
    const base_json *event; /* of the outcome; NULL: it is not known */
} evolve_record;

typedef struct evolve_batch {
    int episode, batch;
    int first, count; /* its candidates */
    bool selected;    /* it is over; else `after` is `before` */
    int before, after;
    const base_json *asked; /* the event; NULL: refinements of the source, as ever */
} evolve_batch;

typedef struct evolve_trained {
    int episode;
    int source; /* that the model was built from; EVOLVE_NOBODY: none of these, a T5's */
    int64_t parameters, steps;
    const base_json *event; /* the rest: "held_out", "fidelity", the hashes of the model's files */
} evolve_trained;

/* A source that its short training liked and that no stage could train: the last that one could
 * took its place. */
typedef struct evolve_untrained {
    int episode, source, back;
    const char *reason;
} evolve_untrained;

typedef struct evolve_lineage {
    char *folder;
    const char *name; /* the folder's last part */
    base_json *manifest;
    evolve_journal *journal;
    const base_json *settings; /* the manifest's */
    const char *version, *preset;
    int64_t episodes, batches, candidates; /* that it is set to do, of the latter two each time */
    int begun;                             /* episodes that have begun */

    /* What evolves is the T5, a model an episode; else networks for images, by one T5. */
    bool self;
    bool trains;      /* a T5 is trained to write candidates */
    bool writes;      /* a T5 writes them, trained or not */
    const char *task; /* "self", "digits", ... */
    const char *strategy;
    vision_shape image; /* of networks; channels 0: the journal does not say */
    int classes;

    char *first_text; /* the first source */
    const char *first_key;
    const base_json *first_event;
    evolve_score first_score; /* without losses; steps 0: not known yet */
    bool first_scored;

    evolve_record *records;
    evolve_batch *batch;
    evolve_trained *trained;
    evolve_untrained *untrained;
    int record_count, batch_count, trained_count, untrained_count;
    int last;               /* the source of now */
    const base_json *asked; /* the event, where no proposals have followed it yet */
    evolve_spent spent;

    evolve_sample fresh[2]; /* first and last source, by seed, in pairs */
    bool finished;

    double floor;     /* nats a pair that no model can do without, of the training pairs */
    bool floor_exact; /* else it is the mean over the held-out pairs; 0 and not exact: not known */
} evolve_lineage;

/* NULL: there is no run in that folder, or it is damaged; the error says where. The calling process
 * must not have the run's journal open. */
evolve_lineage *evolve_lineage_read(const char *folder, base_error *error);
void evolve_lineage_free(evolve_lineage *lineage);

/* "default", "3.0.5"; "-" for EVOLVE_NOBODY. */
const char *evolve_lineage_name(const evolve_lineage *lineage, int index, char name[EVOLVE_NAME]);

/* The candidate of that name; also "default" and "last" (the source of now). */
bool evolve_lineage_find(const evolve_lineage *lineage, const char *name, int *index,
                         base_error *error);

/* A candidate's or the first source's. */
const char *evolve_lineage_text(const evolve_lineage *lineage, int index);
const evolve_score *evolve_lineage_score(const evolve_lineage *lineage, int index);

/* The source that a candidate's text is held against: what it was made from, or, where it was
 * drawn, the source of that time. */
int evolve_lineage_origin(const evolve_lineage *lineage, int index);

/* The batch that a candidate is of. */
const evolve_batch *evolve_lineage_batch(const evolve_lineage *lineage, int index);

/* Place of a scored candidate in its batch, 1 the best, and of how many with a score; 0: it has no
 * score. Of equals the earlier is better, as in the selection. */
int evolve_lineage_rank(const evolve_lineage *lineage, int index, int *of);

/* How many of an episode's candidates got how far; episode -1: of all. */
evolve_funnel evolve_lineage_funnel(const evolve_lineage *lineage, int episode);

/* The source after that many episodes, of which 0 gives the first; EVOLVE_NOBODY: it is not known
 * yet. */
int evolve_lineage_after(const evolve_lineage *lineage, int episodes);

/* What a source's few-shot training lost, step by step; free with evolve_score_free. False: it has
 * no score, or there was no memory. */
bool evolve_lineage_training(const evolve_lineage *lineage, int index, evolve_score *score,
                             base_error *error);

/* The layers of the network that a source builds for the images of the run. False: it builds none,
 * or the journal does not say what the images are. */
bool evolve_lineage_network(const evolve_lineage *lineage, int index, vision_architecture *net);

/* Nats a token that a pair's nats are spread over: score_pair / score of the first source. 0: not
 * known. */
double evolve_lineage_tokens(const evolve_lineage *lineage);

/* The loss of each step of an episode's training, from its losses.csv; malloc'ed. *count is 0 where
 * there is no such file. False: it is damaged, or there was no memory. */
bool evolve_lineage_losses(const evolve_lineage *lineage, int episode, double **losses, int *count,
                           base_error *error);

/* Seconds by kind ("training", "batch") from timing.jsonl, in the order of their first appearance;
 * lines that cannot be read are passed over, as losing one loses nothing. */
typedef struct evolve_seconds {
    char kind[32];
    int times;
    double seconds;
} evolve_seconds;
enum { EVOLVE_KINDS = 16 };
int evolve_lineage_seconds(const evolve_lineage *lineage, evolve_seconds kinds[EVOLVE_KINDS]);

/* The numbers that a source gives to fields, as `config.d_ff = 1024;` does: name and value of each,
 * in order, of a repeated name the last. Returns how many; none where the text is no program. */
typedef struct evolve_design {
    char name[32];
    double value;
} evolve_design;
enum { EVOLVE_DESIGNS = 32 };
int evolve_source_design(const char *text, evolve_design designs[EVOLVE_DESIGNS]);

#endif
