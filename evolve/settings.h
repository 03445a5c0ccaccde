/* SPDX-License-Identifier: MIT */
/* settings.h -- every choice that a run's results depend on, in one struct and one table.
 *
 * The papers leave most of these open (optimizer, rate, batch size, decoding, dataset size), so
 * each is a setting with a name, a range and a line of help. The one table (settings.c) serves the
 * command line, the manifest of a run, the settings handed to a worker, and --help.
 *
 * What does not change a result (jobs, threads, launcher, folder) is not here. */
#ifndef EVOLVE_SETTINGS_H
#define EVOLVE_SETTINGS_H

#include "base/json.h"
#include "evolve/field.h"
#include <stdint.h>

#define EVOLVE_VERSION "0.1.0" /* of the program */

/* That it was built from, as git describes it; "" where git or the repository is not there. Made by make/rules.sh. */
extern const char evolve_commit[];

/* What a source may change. */
typedef enum evolve_scope {
    EVOLVE_ARCHITECTURE, /* model(): the papers' experiments; networks have this and the last two */
    EVOLVE_LEARNING,     /* train() */
    EVOLVE_OBJECTIVE,    /* what train() minimises */
    EVOLVE_DATA,         /* data() */
    EVOLVE_ALL,
    EVOLVE_DEPLOY,    /* model() of a network: blocks that are worth deploying */
    EVOLVE_DEPLOY_ALL /* and its train() */
} evolve_scope;

/* What a score is the mean loss of (evolve/source/prequential.h): all pairs of the budget or their
 * last quarter, each before it is learnt, or held-out pairs after the training. Of a network: the
 * steps of its training, their last quarter, or what it gets wrong of held-out images. */
typedef enum evolve_scoring {
    EVOLVE_MEAN, /* the papers' */
    EVOLVE_LAST_QUARTER,
    EVOLVE_BY_HELD_OUT
} evolve_scoring;

/* What a T5 writes: evolve/source/form.h. The last is no setting: pairs of one's own are as they are. */
typedef enum evolve_form { EVOLVE_PROGRAM, EVOLVE_EDIT, EVOLVE_BY_NAME, EVOLVE_PLAIN } evolve_form;

/* How a T5's weights begin (source_init_model). */
typedef enum evolve_first_weights {
    EVOLVE_AUTO_WEIGHTS, /* comparing where it writes by names, else independent */
    EVOLVE_INDEPENDENT,  /* t5_model_init */
    EVOLVE_COMPARING     /* t5_model_init_comparing */
} evolve_first_weights;

/* Which images train a network and which measure it. */
typedef enum evolve_part {
    EVOLVE_SEARCH, /* disjoint parts of the training set */
    EVOLVE_FINAL   /* all of it, and the test set */
} evolve_part;

/* Who makes a refinement of a source (search.h, SEARCH_REFINE). */
typedef enum evolve_proposing {
    EVOLVE_T5,        /* the T5 of the papers, trained on refinements */
    EVOLVE_UNTRAINED, /* the same with its first weights */
    EVOLVE_TILTED,    /* the T5, which is to EVOLVE_T5 as EVOLVE_COUNTS is to the rules */
    EVOLVE_TAUGHT,    /* the T5, trained on edits that are weighted so */
    EVOLVE_WINNERS, /* the T5, every second of whose pairs is one of the run's own edits that paid most */
    EVOLVE_ACTOR, /* the T5, asked for edits that are better, which it judges itself (evolve/source/judge.h) */
    EVOLVE_RULES,  /* the rules that the T5 is trained to imitate, themselves */
    EVOLVE_EDITS,  /* the same, one edit a child and each further one with chance 1/2 */
    EVOLVE_COUNTS, /* the same, weighted by which edits paid (evolve/search/counts.h) */
    EVOLVE_CRITIC  /* the same as edits, every second child the best of 64 by a critic (critic.h) */
} evolve_proposing;

typedef struct evolve_settings {
    const char *preset;
    int64_t task; /* a row of task.c */

    /* the run */
    int64_t seed;
    int64_t episodes, batches, candidates;
    int64_t stop_after;  /* batches without a gain that end the run; 0: none do */
    int64_t elitism;     /* keep the source where all candidates underperform */
    int64_t strategy;    /* evolve_strategy */
    int64_t population;  /* of genetic and ageing search */
    int64_t sample;      /* of ageing search: the parent is the best of so many */
    int64_t proposer;    /* evolve_proposing */
    int64_t constrained; /* a T5 writes only what the mutator could (constraint.h) */
    int64_t inherit;     /* a network begins with its parent's weights (evolve_inherits) */
    int64_t scope;       /* evolve_scope */
    int64_t form;        /* evolve_form */
    int64_t reuse;       /* a program that was scored before is not scored again */
    int64_t
        early_stop; /* a candidate that cannot beat the source any more is stopped (prequential.h) */

    /* the dataset */
    int64_t half_for_d_ff; /* how the edited parameter is chosen */
    int64_t clamp;         /* edits that leave their range are drawn again */
    int64_t vocabulary;    /* most tokens of the tokenizer */

    /* the models */
    int64_t d_model;        /* of t5_small() */
    int64_t first_weights;  /* evolve_first_weights */
    int64_t max_parameters; /* t5_new refuses more: a typed rejection, not an exhausted machine */
    double max_flops;       /* of a candidate's training, likewise */

    /* training: the default train() */
    int64_t optimizer; /* nn_optimizer_kind */
    double rate, weight_decay, clip, smoothing;
    int64_t schedule;       /* nn_schedule_kind */
    int64_t warmup;         /* steps */
    int64_t batch;          /* pairs a step */
    int64_t samples;        /* pairs of the training stage */
    int64_t epochs;         /* passes over them */
    int64_t corpus_samples; /* sequences of --corpus that come before (corpus.h); 0: none do */

    /* the few-shot score */
    int64_t score;      /* evolve_scoring */
    int64_t few_shot;   /* pairs: the first of the dataset, seen once */
    int64_t first_pair; /* index of the first of them */
    int64_t data_seed;  /* of the dataset; -1: the run's seed */

    /* proposals */
    double temperature, top_p;
    int64_t top_k;
    int64_t max_tokens; /* of a proposal */

    /* limits of a candidate */
    int64_t deadline; /* seconds */
    int64_t memory;   /* MiB */

    /* networks for images */
    int64_t images,
        held_images; /* a candidate is trained on, and measured by; fewer in a small set */
    int64_t image_epochs, final_epochs; /* of a candidate, and of the last comparison */
    int64_t image_batch;
    int64_t image_optimizer; /* nn_optimizer_kind */
    double image_rate, image_decay;
    int64_t flip, shift;              /* vision_plan */
    int64_t budget_flash, budget_ram; /* bytes of a network where it is used; 0: any */
    int64_t budget_int8;              /* of which a number takes one, and not four */
    double budget_flops;              /* of one image's forward pass; 0: any */
    int64_t part;                     /* evolve_part */

    /* measurements */
    int64_t held_out;    /* pairs that no training sees */
    int64_t fidelity;    /* sources whose refinements are sampled, 8 samples each */
    int64_t fresh_seeds; /* seeds for the final comparison */
    int64_t final_times; /* its trainings of T5s, in few-shot trainings (evolve/loop/candidate.h) */
} evolve_settings;

/* Their table. Of its marks, SCORED: a candidate's score depends on it, so it goes to workers; SHORT:
 * --help shows it even where not asked for all; the others: uses.h. */
extern const evolve_field evolve_setting_fields[];
enum { EVOLVE_SCORED = 1, EVOLVE_SHORT = 2 };

/* The heading of the group of settings that begins with this one; NULL: it begins none. */
const char *evolve_settings_group(const evolve_field *setting);

/* The presets: "quick", "first-look", "self-programming". */
bool evolve_settings_preset(evolve_settings *settings, const char *name, base_error *error);

/* Sets the scope, and what a preset's starting values are for it: whole programs are longer. Behind
 * the task, to which it has to fit. */
bool evolve_settings_scope(evolve_settings *settings, const char *name, base_error *error);

/* Likewise of the task (task.h). */
bool evolve_settings_task(evolve_settings *settings, const char *name, base_error *error);

const char *const *evolve_settings_presets(void); /* NULL-ended */

/* Sets one by its name ("d-model") from text. The error names the setting and its range. */
bool evolve_settings_set(evolve_settings *settings, const char *name, const char *value,
                         base_error *error);

/* A JSON object of all settings, in the table's order; and back. Reading demands every setting. */
void evolve_settings_print(const evolve_settings *settings, base_text *json);
bool evolve_settings_read(evolve_settings *settings, const base_json *object, const char *origin,
                          base_error *error);

uint64_t evolve_data_seed(const evolve_settings *settings);
size_t evolve_memory_bytes(const evolve_settings *settings); /* of a candidate */

/* Whether a T5 writes candidates, and whether one is trained for it. A strategy that draws from the
 * whole space needs none. */
bool evolve_writes(const evolve_settings *settings);
bool evolve_trains(const evolve_settings *settings);

/* Whether who writes them learns from the outcomes of earlier runs. */
bool evolve_learns(const evolve_settings *settings);

/* What a source may change, as outcomes have it (search/experience.h): the scope's name; "network" for the papers' networks. */
const char *evolve_scope_name(const evolve_settings *settings);

/* Whether what was learnt weighs the pairs that a T5 is trained on. */
bool evolve_weighs(const evolve_settings *settings);

/* Whether networks begin with what their parents have learnt (vision/inherit.h). Then a score is that of all the
 * training from the first source on, and can be compared only with one that had as much: among the candidates of a
 * batch, all made from one source, of which the first is that source, trained on as they are. So: whether that could
 * be, with these settings; and whether it is. */
bool evolve_could_inherit(const evolve_settings *settings);
bool evolve_inherits(const evolve_settings *settings);

/* Of a score on a share of the pairs, or of the images that train a network. */
evolve_settings evolve_settings_share(const evolve_settings *settings, double share);

#endif
