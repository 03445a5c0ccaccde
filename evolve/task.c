/* SPDX-License-Identifier: MIT */
/* task.c -- the table of tasks. A set of images is a row: where it lies, how it is read, and what a
 * preset starts with for it. */
#include "evolve/task.h"
#include "base/file.h"
#include "nn/optimizer.h"
#include "vision/table.h"
#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

const char *const evolve_task_names[] = {"self",   "digits",   "mnist", "fashion-mnist",
                                         "emnist", "cifar-10", "table", "regression",
                                         "images", "pairs",    NULL};

int64_t evolve_task_named(const char *name)
{
    int64_t images = 0;
    for (int64_t task = 0; evolve_task_names[task]; task++) {
        if (task > 0 && strcmp(evolve_task_names[task], name) == 0)
            return task;
        images = strcmp(evolve_task_names[task], "images") == 0 ? task : images;
    }
    return images;
}

static bool is_quick(const evolve_settings *settings)
{
    return strcmp(settings->preset, "quick") == 0;
}

/* The T5 that writes networks is trained once, so it may take longer; then the whole of its
 * distribution is worth having. */
static void train_writer(evolve_settings *settings)
{
    if (!is_quick(settings))
        return;
    settings->samples = 49152;
    settings->top_p = 1;
    settings->deadline = 600;
}

/* Done in two minutes. */
static void start_digits(evolve_settings *settings)
{
    settings->images = 1600;
    settings->held_images = 800;
    settings->max_flops = 3e11;
    settings->fresh_seeds = 3;
    if (!is_quick(settings))
        return;
    settings->samples = 16384;
}

static void start_fashion(evolve_settings *settings)
{
    train_writer(settings);
    settings->flip = 1;
}

static void start_cifar(evolve_settings *settings)
{
    train_writer(settings);
    /* The second paper: MNIST has converged after four, this gains for ten. */
    settings->episodes = 10;
    settings->images = 16000;
    settings->max_flops = 1e13;
    settings->shift = 2;
    settings->flip = 1;
}

/* A candidate has two hundred steps to show what it is worth, and a file is gone through until a T5 has
 * learnt it. */
static void start_pairs(evolve_settings *settings) { settings->fresh_seeds = 3; }

/* A table is small beside images, and a network for it quick: so it is trained for longer, and in small batches, without
 * which a hundred rows make too few steps. */
static void start_table(evolve_settings *settings)
{
    start_digits(settings);
    settings->images = 8000;
    settings->held_images = 4000;
    settings->image_batch = 8;
    settings->image_epochs = 20;
    settings->final_epochs = 40;
    settings->shift = 0;
}

/* In the order of their names. */
static const struct {
    evolve_subject subject;
    const char *folder; /* where make data puts a published set; NULL: --data has to say */
    int classes;        /* 0: as many as there are labels */
    bool transposed;    /* its images lie on their side */
    bool (*read)(vision_set *set, base_error *error); /* of images in the tree; else NULL */
    void (*preset)(evolve_settings *settings);        /* after what all sets of images have */
    bool pairs;                                       /* it has a file of pairs instead of images */
    bool numbers;                                     /* of a table it answers with a number */
} tasks[] = {
    {EVOLVE_T5S, NULL, 0, false, NULL, NULL, false, false},
    {EVOLVE_NETWORKS, NULL, 0, false, vision_digits, start_digits, false, false},
    {EVOLVE_NETWORKS, "data/mnist", 10, false, NULL, train_writer, false, false},
    {EVOLVE_NETWORKS, "data/fashion-mnist", 10, false, NULL, start_fashion, false, false},
    {EVOLVE_NETWORKS, "data/emnist", 62, true, NULL, train_writer, false, false},
    {EVOLVE_NETWORKS, "data/cifar-10", 10, false, NULL, start_cifar, false, false},
    {EVOLVE_NETWORKS, NULL, 0, false, NULL, start_table, false, false},
    {EVOLVE_NETWORKS, NULL, 0, false, NULL, start_table, false, true},
    {EVOLVE_NETWORKS, NULL, 0, false, NULL, train_writer, false, false},
    {EVOLVE_T5S, NULL, 0, false, NULL, start_pairs, true, false},
};
_Static_assert(sizeof tasks / sizeof *tasks + 1 ==
                   sizeof evolve_task_names / sizeof *evolve_task_names,
               "a task without a name");

static bool is_table(int64_t task) { return tasks[task].preset == start_table; }

evolve_words evolve_words_of(const evolve_settings *settings)
{
    return tasks[settings->task].subject == EVOLVE_T5S ? EVOLVE_WORDS_T5S
           : !is_table(settings->task)                 ? EVOLVE_WORDS_IMAGES
           : tasks[settings->task].numbers             ? EVOLVE_WORDS_NUMBERS
                                                       : EVOLVE_WORDS_ROWS;
}

const char *evolve_items_of(const evolve_settings *settings)
{
    return is_table(settings->task) ? "rows" : "images";
}

evolve_subject evolve_subject_of(const evolve_settings *settings)
{
    return tasks[settings->task].subject;
}

/* Episodes, batches and candidates are the second paper's; the rest was tried on MNIST and CIFAR-10
 * with networks of two and three convolutions. */
static void start_images(evolve_settings *settings)
{
    settings->episodes = 5;
    settings->batches = 1;
    settings->fresh_seeds = 1;
    settings->max_flops = 4e12;
    settings->shift = 1;
    settings->flip = 0;
}

void evolve_task_preset(evolve_settings *settings)
{
    if (tasks[settings->task].subject == EVOLVE_NETWORKS)
        start_images(settings);
    if (tasks[settings->task].preset)
        tasks[settings->task].preset(settings);
}

static vision_wanted wanted_by(int64_t task, const evolve_options *options)
{
    static const int channels[] = {0, 1, 3};
    return (vision_wanted){.classes = options->split ? 0 : tasks[task].classes,
                           .transposed = tasks[task].transposed,
                           .split = options->split,
                           .label = options->label,
                           .without = options->without,
                           .numbers = tasks[task].numbers,
                           .guessed = options->guessed,
                           .height = (int)options->size,
                           .width = (int)options->size,
                           .channels = channels[options->colours]};
}

static bool read_task(int64_t task, const char *folder, const vision_wanted *wanted,
                      vision_set *set, base_error *error)
{
    folder = folder ? folder : tasks[task].folder;
    if (tasks[task].subject == EVOLVE_T5S)
        return true;
    if (tasks[task].read)
        return tasks[task].read(set, error);
    bool table = is_table(task);
    if (!folder)
        return base_fail(error, "--task %s: --data %s was expected with it",
                         evolve_task_names[task], table ? "FILE.csv" : "FOLDER");
    if (table)
        return vision_read_table(set, folder, wanted, error);
    if (folder == tasks[task].folder && !base_file_exists(folder))
        return base_fail(error,
                         "%s: is not here: make data downloads the sets of images, or --data "
                         "FOLDER says where this one is",
                         folder);
    return vision_read_folder(set, folder, wanted, error);
}

bool evolve_task_read(const evolve_settings *settings, const evolve_options *options,
                      vision_set *set, base_error *error)
{
    vision_wanted wanted = wanted_by(settings->task, options);
    return read_task(settings->task, options->data, &wanted, set, error);
}

/* Where both have names, a label of the set is the network's class of that name. */
static bool match_names(const vision_model *m, const char *file, vision_set *set, base_error *error)
{
    unsigned char class[VISION_MAX_CLASSES];
    if (!m->names || !set->names)
        return true;
    for (int i = 0; i < set->test.classes; i++) {
        int same = 0;
        while (same < m->classes && strcmp(m->names[same], set->names[i]) != 0)
            same++;
        if (same == m->classes)
            return base_fail(error, "%s: has a class called %s, which the network has not", file,
                             set->names[i]);
        class[i] = (unsigned char)same;
    }
    for (int i = 0; i < set->test.count; i++)
        set->test.labels[i] = class[set->test.labels[i]];
    return true;
}

/* A file that is named and not read would have the answers to others under its name. */
static bool reads(int64_t task, const char *data, base_error *error)
{
    if (tasks[task].subject == EVOLVE_T5S)
        return base_fail(error, "--task %s: has no images and no table", evolve_task_names[task]);
    return !data || !tasks[task].read ||
           base_fail(error,
                     "--data %s: would change nothing: --task %s reads no folder, --task images "
                     "and --task table do",
                     data, evolve_task_names[task]);
}

/* What the training said of its data is the model's: it may be repeated; anything else would change nothing. */
static bool repeats(const vision_model *model, const evolve_options *options, base_error *error)
{
    static const int channels[] = {0, 1, 3};
    static const char nothing[] = "would change nothing: the network";
    const vision_columns *columns = model->columns;
    const vision_shape input = model->input;
    const int size = (int)options->size, wanted = channels[options->colours];
    if (options->label && !(columns && strcmp(options->label, columns->label) == 0))
        return base_fail(error, "--label %.60s: %s answers for %s", options->label, nothing,
                         columns ? columns->label : "pictures");
    for (int i = 0; columns && options->without && i < columns->count; i++)
        if (vision_is_listed(options->without, columns->column[i].name))
            return base_fail(error, "--without %.60s: %s takes the column %s", options->without,
                             nothing, columns->column[i].name);
    if (model->pictures && size && (size != input.height || size != input.width))
        return base_fail(error, "--size %d: %s takes pictures of %dx%d", size, nothing, input.width,
                         input.height);
    return !model->pictures || !wanted || wanted == input.channels ||
           base_fail(error, "--colours: %s takes pictures that are %s", nothing,
                     input.channels == 1 ? "grey" : "rgb");
}

bool evolve_task_read_for(const vision_model *model, int64_t task, const evolve_options *options,
                          const char **name, vision_set *set, base_error *error)
{
    task = task > 0 ? task : evolve_task_named(model->task);
    *name = options->data ? options->data : evolve_task_names[task];
    vision_wanted wanted = wanted_by(task, options);
    wanted.columns = model->columns;
    if (model->pictures) {
        wanted.channels = model->input.channels;
        wanted.height = model->input.height;
        wanted.width = model->input.width;
    }
    if (!reads(task, options->data, error) || !repeats(model, options, error) ||
        !read_task(task, options->data, &wanted, set, error))
        return false;
    bool ok = match_names(model, *name, set, error);
    if (!ok)
        vision_set_free(set);
    return ok;
}

bool evolve_task_has_pairs(const evolve_settings *settings) { return tasks[settings->task].pairs; }

bool evolve_task_has_folder(const evolve_settings *settings)
{
    return tasks[settings->task].subject == EVOLVE_NETWORKS && !tasks[settings->task].read;
}

bool evolve_task_is_table(const evolve_settings *settings) { return is_table(settings->task); }

bool evolve_task_transposed(int64_t task) { return tasks[task].transposed; }

vision_shape evolve_task_shape(const vision_set *set)
{
    return (vision_shape){set->train.channels, set->train.height, set->train.width};
}

/* ---- how the sources of a subject are drawn and refined ---- */

mutation_grammar evolve_network_grammar(const evolve_settings *settings)
{
    if (is_table(settings->task))
        return mutation_row_grammar();
    if (settings->scope < EVOLVE_DEPLOY)
        return mutation_network_grammar();
    return mutation_deploy_grammar(settings->scope == EVOLVE_DEPLOY
                                       ? MUTATION_ARCHITECTURE
                                       : MUTATION_ARCHITECTURE | MUTATION_LEARNING);
}

static mutation_mutator mutator_of_networks(const evolve_settings *settings)
{
    mutation_grammar grammar = evolve_network_grammar(settings);
    return mutation_mutator_of_grammar(&grammar, "network *model(void)");
}

/* The grammar's defaults become those of the default source (evolve/source/default.c), so that an edit
 * of that source is one of the text that the run begins with. A number that a grid lacks is added to it; a
 * schedule that the grammar has no alternative for leaves its rule as it is. */
static void begin_with(mutation_grammar *g, const evolve_settings *s)
{
    /* line: the rule that reaches this one, where a source may do without; text: what its line begins with. */
    const struct {
        const char *rule;
        double value;
        const char *line, *text;
    } numbers[] = {{"rate", s->rate, NULL, NULL},
                   {"decay", s->weight_decay, NULL, NULL},
                   {"batch", (double)s->batch, NULL, NULL},
                   {"clip_norm", s->clip, "clip", "        clip"},
                   {"smoothing_value", s->smoothing, "smoothing", "    loss"},
                   {"warmup_steps", (double)s->warmup, "warmup", "    if"}};
    char optimizer[32];
    snprintf(optimizer, sizeof optimizer, "%s(", nn_optimizer_names[s->optimizer]);
    mutation_grammar_begin_text(g, "optimizer", optimizer);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        bool there = !numbers[i].line || numbers[i].value > 0;
        if (numbers[i].line)
            mutation_grammar_begin_text(g, numbers[i].line, there ? numbers[i].text : "");
        if (there)
            mutation_grammar_begin_number(g, numbers[i].rule, numbers[i].value);
    }
    mutation_grammar_begin_text(g, "schedule",
                                s->schedule == NN_COSINE ? "0.5 * (1.0 +" : "1.0 - ");
}

/* The papers' experiments have the papers' edits, where d_ff takes any value; wherever code varies
 * as well, model() is as the grammar has it. */
static mutation_mutator mutator_of_t5s(const evolve_settings *settings)
{
    static const unsigned sets[] = {
        [EVOLVE_LEARNING] = MUTATION_LEARNING,
        [EVOLVE_OBJECTIVE] = MUTATION_OBJECTIVE,
        [EVOLVE_DATA] = MUTATION_DATA,
        [EVOLVE_ALL] =
            MUTATION_ARCHITECTURE | MUTATION_LEARNING | MUTATION_OBJECTIVE | MUTATION_DATA,
        [EVOLVE_DEPLOY] = MUTATION_ARCHITECTURE,
        [EVOLVE_DEPLOY_ALL] = MUTATION_ARCHITECTURE,
    };
    if (settings->scope == EVOLVE_ARCHITECTURE) {
        mutation_rules rules = mutation_paper_rules();
        rules.half_for_d_ff = settings->half_for_d_ff != 0;
        rules.clamp = settings->clamp != 0;
        return mutation_mutator_of_rules(&rules);
    }
    mutation_grammar grammar = mutation_grammar_of(sets[settings->scope]);
    begin_with(&grammar, settings);
    return mutation_mutator_of_grammar(&grammar, "t5 *model(void)");
}

mutation_mutator evolve_mutator(const evolve_settings *settings)
{
    return evolve_subject_of(settings) == EVOLVE_T5S ? mutator_of_t5s(settings)
                                                     : mutator_of_networks(settings);
}
