/* SPDX-License-Identifier: MIT */
/* settings.c -- the table of settings and what is read from and written by it.
 *
 * A setting is one row: its name, where it lies, its range and a line of help. From the row follow the
 * option, --help, the manifest, the key by which scores are reused and a worker's arguments; a
 * setting that is not marked EVOLVE_SCORED cannot change a score and is not given to workers. Presets
 * are starting values: whatever is said after a preset, a scope or a task stays said. */
#include "evolve/settings.h"
#include "base/number.h"
#include "evolve/strategy.h"
#include "evolve/task.h"
#include "evolve/uses.h"
#include "nn/optimizer.h"
#include <inttypes.h>
#include <string.h>

/* Names of values, by their number. They stand in manifests and journals, so a name stays what it is. */
static const char *const no_yes[] = {"no", "yes", NULL};

static const char *const scopes[] = {"architecture", "learning", "objective",  "data",
                                     "all",          "deploy",   "deploy-all", NULL};

static const char *const scores[] = {"mean", "last-quarter", "held-out", NULL};
static const char *const forms[] = {"whole", "edit", "named", NULL};
static const char *const first_weights[] = {"auto", "independent", "comparing", NULL};
static const char *const proposers[] = {"t5",      "untrained", "tilted", "taught",
                                        "winners", "actor",     "rules",  "edits",
                                        "counts",  "critic",    NULL};
static const char *const parts[] = {"search", "final", NULL};

const char *const evolve_strategy_names[] = {
    [EVOLVE_GREEDY] = "greedy",   [EVOLVE_CLIMB] = "climb",
    [EVOLVE_GENETIC] = "genetic", [EVOLVE_AGEING] = "ageing",
    [EVOLVE_RANDOM] = "random",   [EVOLVE_HALVING] = "halving",
    [EVOLVE_LARGER] = "larger",   [EVOLVE_REFINED_HALVING] = "refined-halving",
    [EVOLVE_STRATEGIES] = NULL,
};

bool evolve_strategy_refines(evolve_strategy strategy) { return strategy < EVOLVE_RANDOM; }

/* A row of the table below: name, kind with range or names, marks, help. OF() says what the setting is of
 * (uses.h). */
#define AT(field)               offsetof(evolve_settings, field)
#define WHOLE(field, low, high) EVOLVE_WHOLE, AT(field), low, high, NULL
#define REAL(field, low, high)  EVOLVE_REAL, AT(field), low, high, NULL
#define NAMED(field, names)     EVOLVE_NAMED, AT(field), 0, 0, names
#define OF(use)                 EVOLVE_USE_##use
const evolve_field evolve_setting_fields[] = {
    {"task", NAMED(task, evolve_task_names), EVOLVE_SCORED | EVOLVE_SHORT | OF(ANY),
     "what is programmed"},
    {"seed", WHOLE(seed, 0, 1e15), EVOLVE_SCORED | EVOLVE_SHORT | OF(ANY),
     "all random numbers follow from it"},
    {"episodes", WHOLE(episodes, 1, 1000), EVOLVE_SHORT | OF(SEARCH),
     "how often a training stage and a reprogramming stage follow each other"},
    {"batches", WHOLE(batches, 1, 1000), EVOLVE_SHORT | OF(SEARCH),
     "batches of candidates per episode"},
    {"candidates", WHOLE(candidates, 1, 1000), EVOLVE_SHORT | OF(SEARCH), "candidates per batch"},
    {"stop-after", WHOLE(stop_after, 0, 1e6), EVOLVE_UNLESS_0 | OF(SEARCH),
     "batches without a gain after which the run ends (0: it goes on)"},
    {"elitism", NAMED(elitism, no_yes), OF(ELITISM), "keep the source where no candidate beats it"},
    {"reuse", NAMED(reuse, no_yes), OF(SEARCH), "score equal programs once"},
    {"early-stop", NAMED(early_stop, no_yes), OF(EARLY_STOP),
     "stop a candidate that can no longer beat the source (with --elitism yes)"},
    {"strategy", NAMED(strategy, evolve_strategy_names), EVOLVE_SHORT | OF(SEARCH),
     "how the search goes"},
    {"population", WHOLE(population, 2, 10000), OF(POPULATION),
     "size of the population of genetic and ageing search"},
    {"sample", WHOLE(sample, 1, 10000), OF(SAMPLE),
     "how many of the population ageing search draws, to refine the best of them"},
    {"proposer", NAMED(proposer, proposers), EVOLVE_SHORT | OF(REFINING),
     "who writes candidates. A T5: t5 imitates random edits; untrained has its first weights; "
     "tilted "
     "prefers edits that paid; taught is trained on such edits; winners also on the run's best "
     "ones; "
     "actor is asked for better edits and judges them. Without a T5: rules makes random edits; "
     "edits, one or more at once; counts prefers those that paid; critic chooses among them"},
    {"constrained", NAMED(constrained, no_yes), OF(WRITER),
     "a T5 writes only programs of the edit rules; what is no edit of theirs is drawn anew"},
    {"inherit", NAMED(inherit, no_yes), EVOLVE_UNLESS_0 | OF(INHERIT),
     "a network begins with its parent's weights; the first of a batch is the source, trained "
     "further"},
    {"scope", NAMED(scope, scopes), EVOLVE_SCORED | EVOLVE_SHORT | OF(ANY),
     "what a source may change"},
    {"form", NAMED(form, forms), EVOLVE_SCORED | OF(T5),
     "what a T5 writes: the whole refined source, only the lines that change, or the refined "
     "source "
     "with a name in the place of each unchanged line"},
    {"half-for-d-ff", NAMED(half_for_d_ff, no_yes), EVOLVE_SCORED | OF(RULES),
     "every second edit is to d_ff (no: every fourth)"},
    {"clamp", NAMED(clamp, no_yes), EVOLVE_SCORED | OF(RULES), "edits stay in the papers' ranges"},
    {"vocabulary", WHOLE(vocabulary, 259, 65536), EVOLVE_SCORED | OF(T5),
     "most tokens that the tokenizer may have"},
    {"d-model", WHOLE(d_model, 16, 8192), EVOLVE_SCORED | EVOLVE_SHORT | OF(T5),
     "width of t5_small()"},
    {"first-weights", NAMED(first_weights, first_weights), EVOLVE_SCORED | EVOLVE_UNLESS_0 | OF(T5),
     "of a T5: independent random numbers, or such that its attention compares what it has written "
     "with what it reads from the first step on (auto: so with --form named)"},
    {"max-parameters", WHOLE(max_parameters, 1, 1e12), EVOLVE_SCORED | OF(MODEL),
     "a model with more is refused"},
    {"max-flops", REAL(max_flops, 1, 1e19), EVOLVE_SCORED | OF(MODEL),
     "a training of more operations is refused"},
    {"optimizer", NAMED(optimizer, nn_optimizer_names),
     EVOLVE_SCORED | EVOLVE_SHORT | OF(T5) | OF(CODE), "optimizer of the training"},
    {"rate", REAL(rate, 0, 10), EVOLVE_SCORED | EVOLVE_SHORT | OF(T5) | OF(CODE), "learning rate"},
    {"weight-decay", REAL(weight_decay, 0, 1), EVOLVE_SCORED | OF(T5) | OF(CODE),
     "weight decay of the optimizer"},
    {"clip", REAL(clip, 0, 1e6), EVOLVE_SCORED | OF(T5) | OF(CODE),
     "limit of the norm of all gradients together (0: none)"},
    {"smoothing", REAL(smoothing, 0, 0.9), EVOLVE_SCORED | OF(T5) | OF(CODE), "label smoothing"},
    {"schedule", NAMED(schedule, nn_schedule_names), EVOLVE_SCORED | OF(T5) | OF(CODE),
     "how the learning rate changes"},
    {"warmup", WHOLE(warmup, 0, 1e9), EVOLVE_SCORED | OF(T5) | OF(CODE),
     "steps over which the rate rises"},
    {"batch", WHOLE(batch, 1, 65536), EVOLVE_SCORED | EVOLVE_SHORT | OF(T5) | OF(CODE),
     "pairs per training step"},
    {"samples", WHOLE(samples, 1, 1e12), EVOLVE_SHORT | OF(STAGE), "pairs that a T5 is trained on"},
    {"epochs", WHOLE(epochs, 1, 1e6), OF(STAGE), "passes over them"},
    {"corpus-samples", WHOLE(corpus_samples, 0, 1e9), EVOLVE_UNLESS_0 | OF(STAGE),
     "sequences of --corpus that it is trained on before (0: a quarter of --samples)"},
    {"score", NAMED(score, scores), EVOLVE_SCORED | EVOLVE_SHORT | OF(CANDIDATE),
     "mean loss on the pairs of a short training, on their last quarter, or on held-out pairs"},
    {"few-shot", WHOLE(few_shot, 1, 1e9), EVOLVE_SCORED | EVOLVE_SHORT | OF(FEW_SHOT),
     "pairs that a candidate is trained on for its score"},
    {"first-pair", WHOLE(first_pair, 0, 1e13), EVOLVE_SCORED | OF(FEW_SHOT),
     "index of the first of them"},
    {"data-seed", WHOLE(data_seed, -1, 1e15), EVOLVE_SCORED | OF(PAIRS),
     "seed of the dataset (-1: --seed)"},
    {"temperature", REAL(temperature, 0.01, 100), OF(SAMPLING),
     "temperature of the T5's proposals"},
    {"top-p", REAL(top_p, 0.001, 1), OF(SAMPLING),
     "proposals are drawn from the likeliest tokens that have this share"},
    {"top-k", WHOLE(top_k, 0, 65536), OF(SAMPLING),
     "proposals are drawn from the k likeliest tokens (0: all)"},
    {"max-tokens", WHOLE(max_tokens, 1, 4096), OF(SAMPLING), "most tokens of a proposal"},
    {"deadline", WHOLE(deadline, 1, 1e6), EVOLVE_SCORED | EVOLVE_SHORT | OF(CANDIDATE),
     "seconds of processor time that a candidate may take"},
    {"memory", WHOLE(memory, 16, 1e6), EVOLVE_SCORED | OF(MODEL), "MiB a candidate may take"},
    {"images", WHOLE(images, 1, 1e9), EVOLVE_SCORED | EVOLVE_SHORT | OF(NETWORK_SCORE),
     "images that a candidate is trained on"},
    {"held-images", WHOLE(held_images, 1, 1e9), EVOLVE_SCORED | EVOLVE_SHORT | OF(NETWORK_SCORE),
     "other images that it is measured on"},
    {"image-epochs", WHOLE(image_epochs, 1, 1e4), EVOLVE_SCORED | EVOLVE_SHORT | OF(NETWORK_SCORE),
     "passes over the images of a candidate"},
    {"final-epochs", WHOLE(final_epochs, 1, 1e4),
     EVOLVE_SCORED | EVOLVE_SHORT | OF(NETWORK) | OF(TEXTS),
     "passes over the whole training set, for the last comparison and by phoenix train"},
    {"image-batch", WHOLE(image_batch, 1, 65536), EVOLVE_SCORED | OF(NETWORK),
     "images per training step"},
    {"image-optimizer", NAMED(image_optimizer, nn_optimizer_names), EVOLVE_SCORED | OF(NETWORK),
     "optimizer of a network"},
    {"image-rate", REAL(image_rate, 0, 10), EVOLVE_SCORED | OF(NETWORK), "its learning rate"},
    {"image-decay", REAL(image_decay, 0, 1), EVOLVE_SCORED | OF(NETWORK), "its weight decay"},
    {"flip", NAMED(flip, no_yes), EVOLVE_SCORED | OF(NETWORK), "mirror every second image"},
    {"shift", WHOLE(shift, 0, 64), EVOLVE_SCORED | OF(NETWORK),
     "move images by up to so many pixels"},
    {"budget-flash", WHOLE(budget_flash, 0, 1e15), EVOLVE_SCORED | EVOLVE_UNLESS_0 | OF(NETWORK),
     "most bytes of a network's weights, 4 each; a larger network is refused (0: no limit)"},
    {"budget-ram", WHOLE(budget_ram, 0, 1e15), EVOLVE_SCORED | EVOLVE_UNLESS_0 | OF(NETWORK),
     "most bytes of its activations for one image, 4 each, likewise"},
    {"budget-int8", NAMED(budget_int8, no_yes), EVOLVE_SCORED | EVOLVE_UNLESS_0 | OF(NETWORK),
     "both count 1 byte each, as in what phoenix export --int8 writes"},
    {"budget-flops", REAL(budget_flops, 0, 1e19), EVOLVE_SCORED | EVOLVE_UNLESS_0 | OF(NETWORK),
     "most operations of its forward pass for one image, likewise"},
    {"part", NAMED(part, parts), EVOLVE_SCORED | OF(PART),
     "search: parts of the training set; final: all of it, and the test set"},
    {"held-out", WHOLE(held_out, 1, 1e6), OF(STAGE), "pairs that the held-out loss is measured on"},
    {"fidelity", WHOLE(fidelity, 0, 1e5), OF(STAGE),
     "sources that a trained T5 edits, to be measured as a mutator"},
    {"fresh-seeds", WHOLE(fresh_seeds, 0, 64), EVOLVE_SHORT | OF(SEARCH),
     "fresh seeds of the last comparison (0: there is none)"},
    {"final-times", WHOLE(final_times, 1, 1000), OF(FULL),
     "the last comparison trains T5s on this many times --few-shot pairs"},
    {0},
};

const char *evolve_settings_group(const evolve_field *setting)
{
    static const char *const groups[][2] = {
        {"task", "the run"},
        {"stop-after", "the search"},
        {"half-for-d-ff", "pairs of sources"},
        {"d-model", "models"},
        {"optimizer", "the training of T5s"},
        {"score", "the score"},
        {"temperature", "what a T5 writes"},
        {"deadline", "limits of a candidate"},
        {"images", "networks for images"},
        {"held-out", "measurements"},
    };
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (strcmp(setting->name, groups[i][0]) == 0)
            return groups[i][1];
    return NULL;
}

static const char *const presets[] = {"quick", "first-look", "self-programming", NULL};

const char *const *evolve_settings_presets(void) { return presets; }

/* What the presets share: the papers' numbers, and our choice where they say nothing. */
static const evolve_settings paper = {
    .seed = 1,
    .episodes = 10,
    .batches = 8,
    .candidates = 8,
    .elitism = 1,
    .population = 16,
    .sample = 4,
    .reuse = 1,
    .clamp = 1,
    .vocabulary = 512,
    .d_model = 512,
    .max_parameters = 200000000,
    .max_flops = 1e18,
    .optimizer = NN_ADAMW,
    .rate = 5e-4,
    .weight_decay = 0.01,
    .clip = 1,
    .schedule = NN_LINEAR,
    .warmup = 0,
    .batch = 8,
    .samples = 65536,
    .epochs = 1,
    .few_shot = 1024,
    .data_seed = -1,
    .temperature = 1,
    .top_p = 1,
    .max_tokens = 128,
    .deadline = 3600,
    .memory = 4096,
    .images = 8000,
    .held_images = 4000,
    .image_epochs = 2,
    .final_epochs = 10,
    .image_batch = 32,
    .image_optimizer = NN_SGD,
    .image_rate = 0.02,
    .image_decay = 5e-4,
    .held_out = 1024,
    .fidelity = 64,
    .fresh_seeds = 5,
    .final_times = 4,
};

/* The papers' numbers are for days of a large machine; quick is for minutes of a small one. */
bool evolve_settings_preset(evolve_settings *settings, const char *name, base_error *error)
{
    *settings = paper;
    for (int i = 0; presets[i]; i++)
        if (strcmp(presets[i], name) == 0)
            settings->preset = presets[i];
    if (!settings->preset)
        return base_fail(error, "--preset %s: expected quick, first-look or self-programming",
                         name);
    if (strcmp(name, "self-programming") == 0)
        settings->batches = 1;
    if (strcmp(name, "quick") == 0) {
        settings->episodes = 2; /* docs/results.md, "The main job" */
        settings->batches = 2;
        settings->d_model = 64;
        settings->optimizer = NN_ADAMW_SCALED; /* docs/results.md, "What the T5 learns" */
        settings->rate = 0.02;
        settings->form = EVOLVE_EDIT;
        settings->score = EVOLVE_LAST_QUARTER; /* docs/evidence.md, "Which score" */
        settings->proposer = EVOLVE_TILTED;    /* docs/evidence.md, "In runs" */
        settings->samples = 16384;
        settings->top_p = 0.95; /* so short a training leaves some noise in every token */
        settings->deadline = 120;
        settings->memory = 1024;
        settings->max_parameters = 20000000;
        settings->held_out = 512;
        settings->fidelity = 32;
    }
    return true;
}

/* Sources of more than the papers' seven lines, of about 125 tokens: docs/results.md, "What the T5 learns". */
static void for_long_sources(evolve_settings *settings, int64_t samples, double rate)
{
    settings->vocabulary = 1024;
    settings->max_tokens = 512;
    if (strcmp(settings->preset, "quick") != 0)
        return;
    settings->form = EVOLVE_BY_NAME;
    settings->constrained = 1;
    settings->top_p = 1; /* most lines are edited less often than a twentieth of the time */
    settings->samples = samples;
    settings->batch = 4;
    settings->rate = rate;
}

/* Changes what the preset starts with; settings that are given are set after it. */
bool evolve_settings_task(evolve_settings *settings, const char *name, base_error *error)
{
    if (!evolve_settings_set(settings, "task", name, error))
        return false;
    if (evolve_subject_of(settings) == EVOLVE_NETWORKS) {
        for_long_sources(settings, 40960, 0.015);
        settings->score = EVOLVE_BY_HELD_OUT;
        if (strcmp(settings->preset, "quick") == 0)
            settings->episodes = 3; /* a network is scored in less time than a T5 */
    }
    evolve_task_preset(settings);
    return true;
}

bool evolve_settings_scope(evolve_settings *settings, const char *name, base_error *error)
{
    evolve_settings given = *settings;
    if (!evolve_settings_set(&given, "scope", name, error))
        return false;
    bool networks = evolve_subject_of(settings) == EVOLVE_NETWORKS;
    if (given.scope != EVOLVE_ARCHITECTURE && networks != (given.scope >= EVOLVE_DEPLOY))
        return base_fail(error, "--scope %s: is of tasks whose sources build %s", name,
                         networks ? "a T5" : "networks");
    if (given.scope >= EVOLVE_DEPLOY && evolve_words_of(settings) != EVOLVE_WORDS_IMAGES)
        return base_fail(error,
                         "--scope %s: is of networks for images; those for a table's rows have no "
                         "convolutions",
                         name);
    settings->scope = given.scope;
    if (settings->scope >= EVOLVE_DEPLOY)
        settings->max_tokens = 1024; /* some sixty lines */
    if (settings->scope == EVOLVE_ARCHITECTURE || networks)
        return true;
    for_long_sources(settings, 30720, 0.02);
    if (settings->scope > EVOLVE_LEARNING)
        settings->score = EVOLVE_BY_HELD_OUT;
    if (strcmp(settings->preset, "quick") == 0) {
        settings->few_shot = 512;     /* longer pairs, and twice as many steps */
        settings->max_flops = 7.5e11; /* three times what the default source takes */
        settings->fidelity = 32;
        settings->final_times = 2;
        settings->fresh_seeds = 3;
    }
    return true;
}

bool evolve_settings_set(evolve_settings *settings, const char *name, const char *text,
                         base_error *error)
{
    const evolve_field *field = evolve_field_find(evolve_setting_fields, name);
    return field ? evolve_field_set(field, settings, text, error)
                 : base_fail(error, "--%s: there is no such setting", name);
}

void evolve_settings_print(const evolve_settings *settings, base_text *json)
{
    base_text_print(json, "{\"preset\":\"%s\",", settings->preset);
    evolve_fields_print(evolve_setting_fields, 0, settings, json);
    base_text_print(json, "}");
}

bool evolve_settings_read(evolve_settings *settings, const base_json *object, const char *origin,
                          base_error *error)
{
    const char *preset;
    if (!base_json_get_string(object, "preset", &preset, origin, error) ||
        !evolve_settings_preset(settings, preset, error))
        return false;
    for (const evolve_field *f = evolve_setting_fields; f->name; f++) {
        const base_json *member = base_json_get(object, f->name);
        char number[40];
        const char *text = number;
        if (!member && f->marks & EVOLVE_UNLESS_0)
            continue; /* a preset has 0 there */
        if (member && f->kind == EVOLVE_NAMED && member->kind == BASE_JSON_STRING)
            text = member->string;
        else if (member && member->kind == BASE_JSON_NUMBER && member->is_integer)
            base_print(number, sizeof number, "%" PRId64, member->integer);
        else if (member && member->kind == BASE_JSON_NUMBER)
            base_print(number, sizeof number, "%.17g", member->number);
        else
            return base_fail(error, "%s: expected a setting \"%s\"", origin, f->name);
        base_error why;
        if (!evolve_field_set(f, settings, text, &why))
            return base_fail(error, "%s: %s", origin, why.text);
    }
    return true;
}

uint64_t evolve_data_seed(const evolve_settings *settings)
{
    return (uint64_t)(settings->data_seed < 0 ? settings->seed : settings->data_seed);
}

size_t evolve_memory_bytes(const evolve_settings *settings)
{
    uint64_t bytes = (uint64_t)settings->memory << 20;
    return bytes < SIZE_MAX ? (size_t)bytes : SIZE_MAX;
}

bool evolve_writes(const evolve_settings *settings)
{
    return evolve_strategy_refines((evolve_strategy)settings->strategy) &&
           settings->proposer < EVOLVE_RULES;
}

bool evolve_learns(const evolve_settings *settings)
{
    return evolve_strategy_refines((evolve_strategy)settings->strategy) &&
           (settings->proposer >= EVOLVE_COUNTS || settings->proposer == EVOLVE_TILTED ||
            evolve_weighs(settings));
}

const char *evolve_scope_name(const evolve_settings *settings)
{
    return evolve_subject_of(settings) == EVOLVE_NETWORKS && settings->scope == EVOLVE_ARCHITECTURE
               ? "network"
               : scopes[settings->scope];
}

bool evolve_weighs(const evolve_settings *settings)
{
    return evolve_trains(settings) &&
           (settings->proposer == EVOLVE_TAUGHT || settings->proposer == EVOLVE_ACTOR);
}

bool evolve_trains(const evolve_settings *settings)
{
    return evolve_writes(settings) && settings->proposer != EVOLVE_UNTRAINED;
}

bool evolve_could_inherit(const evolve_settings *s)
{
    return evolve_subject_of(s) == EVOLVE_NETWORKS && s->strategy == EVOLVE_GREEDY && s->elitism &&
           s->score == EVOLVE_BY_HELD_OUT && s->candidates > 1;
}

bool evolve_inherits(const evolve_settings *s) { return s->inherit && evolve_could_inherit(s); }

static int64_t part_of(int64_t count, double share)
{
    int64_t part = (int64_t)((double)count * share);
    return part > 1 ? part : 1;
}

evolve_settings evolve_settings_share(const evolve_settings *settings, double share)
{
    evolve_settings part = *settings;
    if (evolve_subject_of(settings) == EVOLVE_T5S)
        part.few_shot = part_of(settings->few_shot, share);
    else
        part.images = part_of(settings->images, share);
    return part;
}
