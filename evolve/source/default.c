/* SPDX-License-Identifier: MIT */
/* default.c -- the default source: the papers' model, and the training that a run's settings ask for,
 * as a program.
 *
 * This is the only place that describes a training: what a source leaves out is taken from here
 * (training.c), and where a scope lets train() or data() be refined, a run begins with this text. */
#include "evolve/source/host.h"
#include "evolve/config.h"
#include "evolve/task.h"
#include "refine/mutation/sample.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void source_default_source(base_text *text)
{
    const mutation_design design = {.value = {[MUTATION_EDIT_NUM_LAYERS] = 2,
                                              [MUTATION_EDIT_NUM_DECODER_LAYERS] = 2,
                                              [MUTATION_EDIT_NUM_HEADS] = 8,
                                              [MUTATION_EDIT_D_FF] = 1024}};
    mutation_print(&design, text);
}

/* Epochs are the same pairs again, the first in order, each later one shuffled. */
void source_default_data(const evolve_settings *settings, base_text *text)
{
    base_text_print(text, "\ndataset *data(void)\n{\n%s}\n",
                    settings->epochs == 1 ? "    return pairs(0, budget());\n"
                                          : "    int passes = epochs();\n"
                                            "    int count = budget() / passes;\n"
                                            "    dataset *all = pairs(0, count);\n"
                                            "    for (int epoch = 1; epoch < passes; epoch++) {\n"
                                            "        dataset *again = pairs(0, count);\n"
                                            "        shuffle(again, epoch);\n"
                                            "        append(all, again);\n"
                                            "    }\n"
                                            "    return all;\n");
}

/* A double literal that reads back as the same number. */
static void number(base_text *text, double value)
{
    size_t start = text->length;
    base_json_put_number(text, value);
    if (!text->failed && !strpbrk(text->data + start, ".eE"))
        base_text_print(text, ".0");
}

static void optimizer(base_text *text, const nn_optimizer_config *c)
{
    base_text_print(text, "    optimizer *o = %s(model", nn_optimizer_names[c->kind]);
    for (const nn_argument *a = nn_optimizer_arguments(c->kind); a->name; a++) {
        const void *field = (const char *)c + a->offset;
        base_text_print(text, ", ");
        if (a->is_flag)
            base_text_print(text, "%d", *(const bool *)field);
        else
            number(text, *(const double *)field);
    }
    base_text_print(text, ");\n");
}

/* The schedule behind its warm-up, as an expression of the step, in the words of the grammar
 * (refine/mutation/grammar_table.c). A rate that falls does so from the first step on, of which the
 * warm-up takes the place. */
static void factor(base_text *text, const nn_schedule *s)
{
    if (s->kind == NN_LINEAR)
        base_text_print(text, "1.0 - (double)step / steps");
    else if (s->kind == NN_COSINE)
        base_text_print(text, "0.5 * (1.0 + cosine((double)step / steps / 2.0))");
    else if (s->kind == NN_INVERSE_SQRT && s->warmup > 1)
        base_text_print(text, "square_root(%" PRId64 ".0 / step)", s->warmup);
    else if (s->kind == NN_INVERSE_SQRT)
        base_text_print(text, "step > 1 ? square_root(1.0 / step) : 1.0");
    else
        base_text_print(text, "1.0");
}

/* The rate at a step, where it changes: a function of its own. */
static void rate(base_text *text, const nn_schedule *s)
{
    bool constant = s->kind == NN_CONSTANT || s->kind == NN_INVERSE_SQRT;
    base_text_print(text, "\nstatic double factor(int step%s)\n{\n", constant ? "" : ", int steps");
    if (s->warmup > 0)
        base_text_print(text,
                        "    if (step < %" PRId64 ")\n        return (step + 1.0) / %" PRId64 ";\n",
                        s->warmup, s->warmup);
    base_text_print(text, "    return ");
    factor(text, s);
    base_text_print(text, ";\n}\n");
}

void source_default_training(const evolve_settings *settings, base_text *text)
{
    nn_optimizer_config config = evolve_optimizer(settings);
    nn_schedule schedule = evolve_schedule(settings, 0);
    bool constant = schedule.kind == NN_CONSTANT || schedule.kind == NN_INVERSE_SQRT;
    bool changes = schedule.kind != NN_CONSTANT || schedule.warmup > 0;
    bool relative = config.kind == NN_ADAFACTOR && config.relative_step;
    if (changes)
        rate(text, &schedule);
    base_text_print(text, "\nvoid train(t5 *model, dataset *data)\n{\n");
    optimizer(text, &config);
    base_text_print(text, "    objective loss = cross_entropy();\n");
    if (settings->smoothing > 0) {
        base_text_print(text, "    loss.label_smoothing = ");
        number(text, settings->smoothing);
        base_text_print(text, ";\n");
    }
    base_text_print(text,
                    "    int steps = (size(data) + %" PRId64 ") / %" PRId64 ";\n"
                    "    for (int step = 0; step < steps; step++) {\n"
                    "        batch *b = next(data, %" PRId64 ");\n"
                    "        learn(model, b, loss);\n",
                    settings->batch - 1, settings->batch, settings->batch);
    if (settings->clip > 0) {
        base_text_print(text, "        clip(model, ");
        number(text, settings->clip);
        base_text_print(text, ");\n");
    }
    base_text_print(text, "        update(o, ");
    if (!relative)
        number(text, config.rate);
    if (changes)
        base_text_print(text, "%sfactor(step%s)", relative ? "" : " * ", constant ? "" : ", steps");
    else if (relative)
        base_text_print(text, "1.0");
    base_text_print(text, ");\n    }\n}\n");
}

static void default_network(const evolve_settings *settings, base_text *text)
{
    mutation_grammar grammar = evolve_network_grammar(settings);
    mutation_tree first = mutation_tree_first(&grammar);
    mutation_tree_print(&grammar, &first, text);
}

static void default_t5(const evolve_settings *settings, base_text *text)
{
    source_default_source(text);
    if (settings->scope >= EVOLVE_DATA)
        source_default_data(settings, text);
    if (settings->scope == EVOLVE_LEARNING || settings->scope == EVOLVE_OBJECTIVE ||
        settings->scope == EVOLVE_ALL)
        source_default_training(settings, text);
}

static void papers_t5(const evolve_settings *settings, base_text *text)
{
    source_default_source(text);
    (void)settings;
}

/* What sources of a subject begin as, and the T5 that writes them. */
static const struct {
    void (*first)(const evolve_settings *settings, base_text *text);
    void (*generator)(const evolve_settings *settings, base_text *text);
} subjects[] = {
    [EVOLVE_T5S] = {default_t5, default_t5}, [EVOLVE_NETWORKS] = {default_network, papers_t5}};

void source_default_source_of(const evolve_settings *settings, base_text *text)
{
    subjects[evolve_subject_of(settings)].first(settings, text);
}

void source_generator_source(const evolve_settings *settings, base_text *text)
{
    subjects[evolve_subject_of(settings)].generator(settings, text);
}
