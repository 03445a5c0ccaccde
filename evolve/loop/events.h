/* SPDX-License-Identifier: MIT */
/* events.h -- the events of a run's journal: what each is called, which members it has, and what
 * they mean. Writers and readers share this table: a member is a field of loop_event and a member
 * of the JSON object, by the same name. A new event is a row here, and the code that writes and
 * reads it.
 *
 * A run writes, in this order: started, default; for each episode trained (untrainable and trained
 * again, where a source's training fails), and for each of its batches asked (but for the greedy
 * search, which always asks for refinements of the source), proposed, an evaluated per candidate,
 * selected; in the end, of networks, kept, and of T5s for pairs of text, model; the compared ones, two
 * per fresh seed; and finished.
 *
 * Candidates are numbered in the order of their proposals; number 0 is the source that the run starts
 * from, the default one unless it was given another. */
#ifndef LOOP_EVENTS_H
#define LOOP_EVENTS_H

#include "evolve/score/result.h"

/* clang-format off */

/*        event        its name         what happened */
#define LOOP_EVENTS(event)                                                                         \
    event(STARTED,     "started")       /* the run began, with these settings */                   \
    event(DEFAULT,     "default")       /* the default source was scored */                        \
    event(TRAINED,     "trained")       /* a training stage made a model */                        \
    event(UNTRAINABLE, "untrainable")   /* it could not: the last source that could is back */     \
    event(ASKED,       "asked")         /* the search asked for trials */                          \
    event(PROPOSED,    "proposed")      /* their texts were written */                             \
    event(EVALUATED,   "evaluated")     /* one of them was scored */                               \
    event(SELECTED,    "selected")      /* the search has a source after the batch */              \
    event(KEPT,        "kept")          /* the last source's network was trained and written */    \
    event(MODEL,       "model")         /* the last source's T5 was trained on pairs of text */    \
    event(COMPARED,    "compared")      /* the first or the last source on fresh pairs */          \
    event(FINISHED,    "finished")      /* the run's last files were written */

/* MAY: left out where it is NULL or 0. A hash is a SHA-256, 64 hexadecimal digits, or "" for none.
 *
 *         type   member       of which events                 unit, meaning */
#define LOOP_MEMBERS(member)                                                                       \
    member(text,  version,     STARTED)                     /* of the program */                   \
    member(json,  settings,    STARTED)                     /* object: every setting */            \
    member(hash,  images,      MAY(STARTED))                /* SHA-256 of the task's images */     \
    member(json,  image,       MAY(STARTED))                /* channels, height, width (pixels) */ \
    member(hash,  pairs,       MAY(STARTED))                /* SHA-256 of the task's file of pairs */ \
    member(hash,  corpus,      MAY(STARTED))                /* SHA-256 of its texts (source/corpus.h) */ \
    member(whole, classes,     MAY(STARTED))                /* of images */                        \
    member(hash,  first,       MAY(STARTED))                /* SHA-256 of first.c */               \
    member(hash,  more,        MAY(STARTED))                /* SHA-256 of first-2.c, first-3.c, ... */ \
    member(hash,  experience,  MAY(STARTED))                /* SHA-256 of experience.csv */        \
    member(whole, episode,     TRAINED | UNTRAINABLE | ASKED | PROPOSED | EVALUATED | SELECTED)    \
    member(whole, batch,       ASKED | PROPOSED | EVALUATED | SELECTED) /* of the episode */       \
    member(whole, seed,        COMPARED)                    /* which fresh seed, from 0 */         \
    member(text,  request,     MAY(ASKED))                  /* refine, draw, grow or again */      \
    member(real,  share,       MAY(ASKED))                  /* of the pairs of a score, 0 .. 1 */  \
    member(json,  from,        ASKED)                       /* each trial's source: a candidate's  \
                                                             * number, or -1 for none */           \
    member(json,  texts,       PROPOSED)                    /* strings: sources, one per trial */  \
    member(whole, candidate,   DEFAULT | EVALUATED | KEPT | MODEL | COMPARED | SELECTED) /* its number; SELECTED: \
                                                             * that of the source from now on */   \
    member(hash,  key,         DEFAULT | EVALUATED | KEPT | COMPARED) /* SHA-256 of its normal form and \
                                                             * settings; "": it is no program */   \
    member(truth, reused,      DEFAULT | EVALUATED | KEPT | COMPARED) /* from an equal program */  \
    member(truth, accepted,    SELECTED)                    /* the source is another one now */    \
    member(real,  score,       SELECTED)                    /* of the source (evaluate.h) */       \
    member(text,  untrainable, UNTRAINABLE | MAY(MODEL))    /* the reason */                       \
    member(hash,  losses,      TRAINED | MODEL)             /* SHA-256 of losses.csv */            \
    member(whole, parameters,  TRAINED | MODEL)             /* of the model */                     \
    member(whole, steps,       TRAINED | MODEL)             /* of the training */                  \
    member(whole, flops,       TRAINED | MODEL | PROPOSED)  /* of training; of writing the texts */ \
    member(real,  loss,        TRAINED | MODEL)             /* nats a token, last tenth of steps */ \
    member(whole, corpus_flops, MAY(TRAINED))               /* of flops, those on the corpus */    \
    member(real,  corpus_loss, MAY(TRAINED))                /* likewise as loss */                 \
    member(hash,  config,      TRAINED | MODEL)             /* SHA-256 of model/config.json */     \
    member(hash,  weights,     TRAINED | MODEL)             /* ... of model/model.safetensors */   \
    member(hash,  tokenizer,   TRAINED | MODEL)             /* ... of model/tokenizer.json */      \
    member(json,  held_out,    TRAINED)                     /* nats a pair (score/measure.h) */    \
    member(json,  measured,    MODEL)                       /* epochs, and by parts (score/measure.h) */ \
    member(json,  fidelity,    TRAINED)                     /* counts of samples (likewise) */     \
    member(text,  source,      SELECTED | FINISHED)         /* its text; SHA-256 of source.c */    \
    member(hash,  summary,     FINISHED)                    /* SHA-256 of summary.txt */           \
    member(score, result,      DEFAULT | EVALUATED | KEPT | COMPARED) /* its members (score_members) */

/* clang-format on */

#define LOOP_KIND(kind, name) LOOP_##kind,
typedef enum loop_kind { LOOP_EVENTS(LOOP_KIND) LOOP_KINDS } loop_kind;

typedef const char *loop_text;
typedef const char *loop_hash;
typedef int64_t loop_whole; /* not negative */
typedef double loop_real;
typedef bool loop_truth;
typedef score_result loop_score; /* read: without losses */
typedef struct loop_json {
    const char *text;       /* to be written */
    const base_json *value; /* as it was read */
} loop_json;

#define LOOP_FIELD(type, member, events) loop_##type member;
typedef struct loop_event {
    loop_kind kind;
    LOOP_MEMBERS(LOOP_FIELD)
    const base_json *json; /* read: the whole object, which owns all texts; NULL: to be written */
} loop_event;

/* "started", ... */
const char *loop_kind_name(loop_kind kind);

/* Whether a run's first source is the one that its first event names: own is the text of first.c; NULL: the run
 * started from the default source. Every reader of a run asks this, whether it goes on, verifies or shows. */
bool loop_first_is(const loop_event *started, const char *own, const char *folder,
                   base_error *error);

/* Appends `"event":"selected","episode":0,...`: the members of a JSON object, without braces. */
void loop_event_print(const loop_event *event, base_text *json);

/* Reads what was printed so. The event points into json. False: no event, or one that lacks a
 * member; the error begins with origin. */
bool loop_event_read(loop_event *event, const base_json *json, const char *origin,
                     base_error *error);

/* The first member in which two objects differ, in order of the first; objects in them are looked
 * into. False: there is none. A value is text for a message. */
typedef struct loop_difference {
    const char *name;
    char first[80], second[80];
} loop_difference;
bool loop_differs(const base_json *first, const base_json *second, loop_difference *difference);

#endif
