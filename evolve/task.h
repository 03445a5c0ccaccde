/* SPDX-License-Identifier: MIT */
/* task.h -- what can be programmed: a row for each --task (task.c).
 *
 * A task has a subject, what its sources define, and, where those are networks, images. All that is
 * different between subjects is a table with a row for each, one in a room: how sources are refined
 * (task.c), what the first one is (source/default.c), how one is scored (score/evaluate.c), what a
 * run's summary calls the score (loop/summary.c), what a page shows (report/subject.c). */
#ifndef EVOLVE_TASK_H
#define EVOLVE_TASK_H

#include "evolve/options.h"
#include "evolve/settings.h"
#include "refine/mutation/mutator.h"
#include "vision/images.h"
#include "vision/model.h"
#include "vision/network.h"

typedef enum evolve_subject {
    EVOLVE_T5S,     /* a source defines the T5 that writes the next sources: it rewrites itself */
    EVOLVE_NETWORKS /* networks for images or tables, which one T5 writes, trained once */
} evolve_subject;

/* What a task is spoken of in: what its networks see, and what they say of it. */
typedef enum evolve_words {
    EVOLVE_WORDS_T5S,
    EVOLVE_WORDS_IMAGES,  /* classes of images */
    EVOLVE_WORDS_ROWS,    /* classes of a table's rows */
    EVOLVE_WORDS_NUMBERS, /* numbers for them */
    EVOLVE_WORDS
} evolve_words;

evolve_words evolve_words_of(const evolve_settings *settings);
const char *evolve_items_of(const evolve_settings *settings); /* "images" or "rows" */

extern const char *const evolve_task_names[]; /* of --task, NULL-ended; the first is "self" */

/* The number of the task of images that has this name; of "images", the last, where none has. */
int64_t evolve_task_named(const char *name);

evolve_subject evolve_subject_of(const evolve_settings *settings);

/* Sets what a preset's starting values are for a task. For evolve_settings_task(). */
void evolve_task_preset(evolve_settings *settings);

/* What sources are drawn from and refined by, in the settings' scope. */
mutation_mutator evolve_mutator(const evolve_settings *settings);

/* The rules of networks: for rows of a table, and for images in the settings' scope the papers' or those
 * worth deploying. */
mutation_grammar evolve_network_grammar(const evolve_settings *settings);

/* Reads the task's set of images or its table: the tree's digits, or those in the folder options->data (NULL:
 * data/TASK, where make data puts them), as the options want it. Where sources define T5s there is nothing
 * to read. */
bool evolve_task_read(const evolve_settings *settings, const evolve_options *options,
                      vision_set *set, base_error *error);

/* The same for a network that was trained: of its own task (task 0) or another, pictures made to fit as
 * those of its training were, labels by the names of its classes. *name: what the set is called in
 * messages. */
bool evolve_task_read_for(const vision_model *model, int64_t task, const evolve_options *options,
                          const char **name, vision_set *set, base_error *error);

/* Whether its T5s are trained and scored on pairs of text, by --pairs (source/texts.h). */
bool evolve_task_has_pairs(const evolve_settings *settings);

/* Whether its images lie in a folder, or it reads a table; whether it is a table. */
bool evolve_task_has_folder(const evolve_settings *settings);
bool evolve_task_is_table(const evolve_settings *settings);

/* Whether the task's images are turned when they are read, as they lie on their side in their files. */
bool evolve_task_transposed(int64_t task);

/* Of the images of a set. */
vision_shape evolve_task_shape(const vision_set *set);

#endif
