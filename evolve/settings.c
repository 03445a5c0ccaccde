/* settings.c -- the table of settings and what is read from and written by it. */
#include "evolve/settings.h"
#include "evolve/search/search.h"
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum kind { WHOLE, REAL, NAMED } kind;

typedef struct setting {
    const char *name;
    kind kind;
    size_t offset;
    double low, high;
    const char *const *names; /* NAMED: what the values are called, NULL-ended */
    bool scores;              /* a candidate's score depends on it: workers are told */
    const char *help;
} setting;

static const char *const no_yes[] = {"no", "yes", NULL};
static const char *const optimizers[] = {"sgd", "rmsprop", "adam", "adamw", "adafactor", NULL};
static const char *const schedules[] = {"constant", "linear", "cosine", "inverse_sqrt", NULL};

static const char *const scopes[] = {"architecture", "learning", "objective", "data", "all", NULL};

static const char *const tasks[] = {"self",   "digits",   "mnist",  "fashion-mnist",
                                    "emnist", "cifar-10", "images", NULL};
static const char *const proposers[] = {"t5", "untrained", "rules", NULL};
static const char *const parts[] = {"search", "final", NULL};

#define AT(field) offsetof(evolve_settings, field)
static const setting table[] = {
    {"task", NAMED, AT(task), 0, EVOLVE_IMAGES, tasks, true, "what is programmed"},
    {"seed", WHOLE, AT(seed), 0, 1e15, NULL, true, "all random numbers follow from it"},
    {"episodes", WHOLE, AT(episodes), 1, 1000, NULL, false, "training stage + reprogramming stage"},
    {"batches", WHOLE, AT(batches), 1, 1000, NULL, false, "batches of candidates a stage"},
    {"candidates", WHOLE, AT(candidates), 1, 1000, NULL, false, "candidates a batch"},
    {"elitism", NAMED, AT(elitism), 0, 1, no_yes, false, "keep a source that no candidate beats"},
    {"reuse", NAMED, AT(reuse), 0, 1, no_yes, false, "score equal programs once"},
    {"early-stop", NAMED, AT(early_stop), 0, 1, no_yes, false,
     "stop a candidate that cannot beat the source any more (with --elitism yes)"},
    {"strategy", NAMED, AT(strategy), 0, SEARCH_STRATEGIES - 1, search_strategy_names, false,
     "how the search goes"},
    {"population", WHOLE, AT(population), 2, 10000, NULL, false, "of genetic and ageing search"},
    {"sample", WHOLE, AT(sample), 1, 10000, NULL, false,
     "of the population; ageing search refines its best"},
    {"proposer", NAMED, AT(proposer), 0, EVOLVE_RULES, proposers, false,
     "who refines a source: a T5 trained on edits, one with its first weights, or the edit rules"},
    {"constrained", NAMED, AT(constrained), 0, 1, no_yes, false,
     "a T5 may only write programs that the edit rules could make"},
    {"scope", NAMED, AT(scope), 0, EVOLVE_ALL, scopes, true, "what a source may change"},
    {"half-for-d-ff", NAMED, AT(half_for_d_ff), 0, 1, no_yes, true,
     "every second edit is to d_ff (no: every fourth)"},
    {"clamp", NAMED, AT(clamp), 0, 1, no_yes, true, "edits stay in the papers' ranges"},
    {"vocabulary", WHOLE, AT(vocabulary), 259, 65536, NULL, true, "most tokens of the tokenizer"},
    {"d-model", WHOLE, AT(d_model), 16, 8192, NULL, true, "width of t5_small()"},
    {"max-parameters", WHOLE, AT(max_parameters), 1, 1e12, NULL, true, "a larger model is refused"},
    {"max-flops", REAL, AT(max_flops), 1, 1e19, NULL, true, "a costlier training is refused"},
    {"optimizer", NAMED, AT(optimizer), 0, NN_OPTIMIZERS - 1, optimizers, true, "of the training"},
    {"rate", REAL, AT(rate), 0, 10, NULL, true, "learning rate"},
    {"weight-decay", REAL, AT(weight_decay), 0, 1, NULL, true, "of the optimizer"},
    {"clip", REAL, AT(clip), 0, 1e6, NULL, true, "most global gradient norm (0: no clipping)"},
    {"smoothing", REAL, AT(smoothing), 0, 0.9, NULL, true, "of the labels"},
    {"schedule", NAMED, AT(schedule), 0, 3, schedules, true, "of the learning rate"},
    {"warmup", WHOLE, AT(warmup), 0, 1e9, NULL, true, "steps in which the rate rises"},
    {"batch", WHOLE, AT(batch), 1, 65536, NULL, true, "pairs a training step"},
    {"samples", WHOLE, AT(samples), 1, 1e12, NULL, false, "pairs of a training stage"},
    {"epochs", WHOLE, AT(epochs), 1, 1e6, NULL, false, "passes over them"},
    {"few-shot", WHOLE, AT(few_shot), 1, 1e9, NULL, true, "pairs of a score"},
    {"first-pair", WHOLE, AT(first_pair), 0, 1e13, NULL, true, "index of the first of them"},
    {"data-seed", WHOLE, AT(data_seed), -1, 1e15, NULL, true, "of the dataset (-1: --seed)"},
    {"temperature", REAL, AT(temperature), 0.01, 100, NULL, false, "of proposals"},
    {"top-p", REAL, AT(top_p), 0.001, 1, NULL, false, "of proposals: likeliest to this share"},
    {"top-k", WHOLE, AT(top_k), 0, 65536, NULL, false, "of proposals: k likeliest (0: all)"},
    {"max-tokens", WHOLE, AT(max_tokens), 1, 4096, NULL, false, "of a proposal"},
    {"deadline", WHOLE, AT(deadline), 1, 1e6, NULL, true, "seconds a candidate may take"},
    {"memory", WHOLE, AT(memory), 16, 1e6, NULL, true, "MiB a candidate may take"},
    {"images", WHOLE, AT(images), 1, 1e9, NULL, true, "that train a candidate network"},
    {"held-images", WHOLE, AT(held_images), 1, 1e9, NULL, true, "others, that measure it"},
    {"image-epochs", WHOLE, AT(image_epochs), 1, 1e4, NULL, true,
     "passes over a candidate's images"},
    {"final-epochs", WHOLE, AT(final_epochs), 1, 1e4, NULL, true,
     "passes over all of them, in the last comparison"},
    {"image-batch", WHOLE, AT(image_batch), 1, 65536, NULL, true, "images a training step"},
    {"image-optimizer", NAMED, AT(image_optimizer), 0, NN_OPTIMIZERS - 1, optimizers, true,
     "of a network's training"},
    {"image-rate", REAL, AT(image_rate), 0, 10, NULL, true, "its learning rate"},
    {"image-decay", REAL, AT(image_decay), 0, 1, NULL, true, "its weight decay"},
    {"flip", NAMED, AT(flip), 0, 1, no_yes, true, "mirror every second image"},
    {"shift", WHOLE, AT(shift), 0, 64, NULL, true, "move images by up to so many pixels"},
    {"part", NAMED, AT(part), 0, 1, parts, true,
     "search: parts of the training set; final: all of it, and the test set"},
    {"held-out", WHOLE, AT(held_out), 1, 1e6, NULL, false, "pairs of the held-out loss"},
    {"fidelity", WHOLE, AT(fidelity), 0, 1e5, NULL, false, "sources of the mutator's measurement"},
    {"fresh-seeds", WHOLE, AT(fresh_seeds), 0, 64, NULL, false, "seeds of the last comparison"},
};
enum { SETTINGS = sizeof table / sizeof *table };

static const char *const presets[] = {"quick", "first-look", "self-programming", NULL};

const char *const *evolve_settings_presets(void)
{
    return presets;
}

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
};

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
        settings->episodes = 3;
        settings->batches = 2;
        settings->d_model = 128;
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

/* Sources of more than the papers' seven lines, of about 125 tokens: a T5 of some minutes needs
 * many steps, and large ones, before it begins to copy them. */
static void for_long_sources(evolve_settings *settings)
{
    settings->vocabulary = 1024;
    settings->max_tokens = 512;
    if (strcmp(settings->preset, "quick") != 0)
        return;
    settings->d_model = 64;
    settings->rate = 5e-3;
    settings->warmup = 50;
    settings->samples = 20480;
}

/* The T5 that writes networks is trained once (C1), so it may take longer; digits shall be done in
 * two minutes. From 49,152 pairs in batches of 8 it learns the edits to 1.0 nats of the floor,
 * copies included, and then the whole of its distribution is worth having. */
static void for_networks(evolve_settings *settings)
{
    for_long_sources(settings);
    if (strcmp(settings->preset, "quick") != 0)
        return;
    if (settings->task == EVOLVE_DIGITS) {
        settings->batch = 4;
        settings->samples = 8192;
        return;
    }
    settings->samples = 49152;
    settings->rate = 4e-3;
    settings->warmup = 100;
    settings->top_p = 1;
    settings->deadline = 600;
}

/* What the papers say of it is C5 to C8; the rest was tried on MNIST and CIFAR-10 with networks of
 * two and three convolutions. */
bool evolve_settings_task(evolve_settings *settings, const char *name, base_error *error)
{
    if (!evolve_settings_set(settings, "task", name, error))
        return false;
    if (settings->task == EVOLVE_SELF)
        return true;
    for_networks(settings);
    settings->episodes = 5; /* C8 */
    settings->batches = 1;
    settings->fresh_seeds = 1;
    settings->max_flops = 4e12;
    settings->shift = 1;
    settings->flip = settings->task == EVOLVE_FASHION_MNIST;
    if (settings->task == EVOLVE_DIGITS) {
        settings->images = 1600;
        settings->held_images = 800;
        settings->max_flops = 3e11;
        settings->fresh_seeds = 3;
    }
    if (settings->task == EVOLVE_CIFAR_10) {
        settings->episodes = 10; /* R8 */
        settings->images = 16000;
        settings->max_flops = 1e13;
        settings->shift = 2;
        settings->flip = 1;
    }
    return true;
}

bool evolve_settings_scope(evolve_settings *settings, const char *name, base_error *error)
{
    if (!evolve_settings_set(settings, "scope", name, error))
        return false;
    if (settings->scope == EVOLVE_ARCHITECTURE)
        return true;
    for_long_sources(settings);
    if (strcmp(settings->preset, "quick") == 0) {
        settings->max_flops = 2e12; /* three times what the default source takes */
        settings->episodes = 2;
        settings->fidelity = 8;
    }
    return true;
}

static const setting *find(const char *name)
{
    for (int i = 0; i < SETTINGS; i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

bool evolve_settings_known(const char *name)
{
    return find(name) != NULL;
}

static void *place(evolve_settings *settings, const setting *s)
{
    return (char *)settings + s->offset;
}

static const void *value_of(const evolve_settings *settings, const setting *s)
{
    return (const char *)settings + s->offset;
}

static bool set_named(evolve_settings *settings, const setting *s, const char *text,
                      base_error *error)
{
    base_text expected = {0};
    for (int i = 0; s->names[i]; i++) {
        if (strcmp(s->names[i], text) == 0) {
            *(int64_t *)place(settings, s) = i;
            base_text_free(&expected);
            return true;
        }
        base_text_print(&expected, "%s%s", i ? ", " : "", s->names[i]);
    }
    base_fail(error, "--%s %s: expected one of %s", s->name, text,
              expected.failed ? "its names" : expected.data);
    base_text_free(&expected);
    return false;
}

bool evolve_settings_set(evolve_settings *settings, const char *name, const char *text,
                         base_error *error)
{
    const setting *s = find(name);
    if (!s)
        return base_fail(error, "--%s: there is no such setting", name);
    if (s->kind == NAMED)
        return set_named(settings, s, text, error);
    char *end;
    errno = 0;
    long long whole = 0;
    double real;
    if (s->kind == WHOLE)
        real = (double)(whole = strtoll(text, &end, 10));
    else
        real = strtod(text, &end);
    /* No white space, no hexadecimal digits, no "inf": what strto... would take as well. */
    bool number =
        end != text && *end == '\0' && errno == 0 && text[strspn(text, "+-.0123456789eE")] == '\0';
    if (!number || !(real >= s->low && real <= s->high))
        return base_fail(error, "--%s %s: expected %s from %.15g to %.15g", name, text,
                         s->kind == WHOLE ? "a whole number" : "a number", s->low, s->high);
    if (s->kind == WHOLE)
        *(int64_t *)place(settings, s) = whole;
    else
        *(double *)place(settings, s) = real;
    return true;
}

/* The value as text: what --name takes, and (numbers) what JSON takes. */
static void print_value(const evolve_settings *settings, const setting *s, base_text *text)
{
    if (s->kind == REAL)
        base_json_put_number(text, *(const double *)value_of(settings, s));
    else if (s->kind == NAMED)
        base_text_print(text, "%s", s->names[*(const int64_t *)value_of(settings, s)]);
    else
        base_text_print(text, "%" PRId64, *(const int64_t *)value_of(settings, s));
}

void evolve_settings_print(const evolve_settings *settings, base_text *json)
{
    base_text_print(json, "{\"preset\":\"%s\"", settings->preset);
    for (int i = 0; i < SETTINGS; i++) {
        const char *quote = table[i].kind == NAMED ? "\"" : "";
        base_text_print(json, ",\"%s\":%s", table[i].name, quote);
        print_value(settings, &table[i], json);
        base_text_print(json, "%s", quote);
    }
    base_text_print(json, "}");
}

bool evolve_settings_read(evolve_settings *settings, const base_json *object, const char *origin,
                          base_error *error)
{
    const char *preset;
    if (!base_json_get_string(object, "preset", &preset, origin, error) ||
        !evolve_settings_preset(settings, preset, error))
        return false;
    for (int i = 0; i < SETTINGS; i++) {
        const base_json *member = base_json_get(object, table[i].name);
        char number[40];
        const char *text = number;
        if (member && table[i].kind == NAMED && member->kind == BASE_JSON_STRING)
            text = member->string;
        else if (member && member->kind == BASE_JSON_NUMBER && member->is_integer)
            snprintf(number, sizeof number, "%" PRId64, member->integer);
        else if (member && member->kind == BASE_JSON_NUMBER)
            snprintf(number, sizeof number, "%.17g", member->number);
        else
            return base_fail(error, "%s: expected a setting \"%s\"", origin, table[i].name);
        base_error why;
        if (!evolve_settings_set(settings, table[i].name, text, &why))
            return base_fail(error, "%s: %s", origin, why.text);
    }
    return true;
}

void evolve_settings_arguments(const evolve_settings *settings, char **argv, int *count, int most)
{
    for (int i = 0; i < SETTINGS; i++) {
        if (!table[i].scores)
            continue;
        assert(*count + 2 <= most);
        base_text value = {0}, flag = {0};
        base_text_print(&flag, "--%s", table[i].name);
        print_value(settings, &table[i], &value);
        argv[(*count)++] = flag.failed ? NULL : base_copy(flag.data, flag.length);
        argv[(*count)++] = value.failed ? NULL : base_copy(value.data, value.length);
        base_text_free(&flag);
        base_text_free(&value);
    }
    (void)most;
}

void evolve_settings_help(const evolve_settings *defaults, base_text *text)
{
    for (int i = 0; i < SETTINGS; i++) {
        const setting *s = &table[i];
        base_text_print(text, "  --%-15s %s (", s->name, s->help);
        if (s->kind == NAMED)
            for (int j = 0; s->names[j]; j++)
                base_text_print(text, "%s%s", j ? ", " : "", s->names[j]);
        else
            base_text_print(text, "%.15g .. %.15g", s->low, s->high);
        base_text_print(text, "; default ");
        print_value(defaults, s, text);
        base_text_print(text, ")\n");
    }
}

/* The papers' experiments have the papers' edits, where d_ff takes any value; wherever code varies
 * as well, model() is as the grammar has it. */
mutation_mutator evolve_mutator(const evolve_settings *settings)
{
    static const unsigned sets[] = {
        [EVOLVE_LEARNING] = MUTATION_LEARNING,
        [EVOLVE_OBJECTIVE] = MUTATION_OBJECTIVE,
        [EVOLVE_DATA] = MUTATION_DATA,
        [EVOLVE_ALL] =
            MUTATION_ARCHITECTURE | MUTATION_LEARNING | MUTATION_OBJECTIVE | MUTATION_DATA,
    };
    if (settings->task != EVOLVE_SELF) {
        mutation_grammar grammar = mutation_network_grammar();
        return mutation_mutator_of_grammar(&grammar, "network *model(void)");
    }
    if (settings->scope == EVOLVE_ARCHITECTURE) {
        mutation_rules rules = mutation_paper_rules();
        rules.half_for_d_ff = settings->half_for_d_ff != 0;
        rules.clamp = settings->clamp != 0;
        return mutation_mutator_of_rules(&rules);
    }
    mutation_grammar grammar = mutation_grammar_of(sets[settings->scope]);
    return mutation_mutator_of_grammar(&grammar, "t5 *model(void)");
}

nn_optimizer_config evolve_optimizer(const evolve_settings *settings)
{
    nn_optimizer_config config = nn_optimizer_default((nn_optimizer_kind)settings->optimizer);
    config.rate = settings->rate;
    config.weight_decay = settings->weight_decay;
    return config;
}

nn_schedule evolve_schedule(const evolve_settings *settings, int64_t steps)
{
    nn_schedule schedule = {
        .kind = (nn_schedule_kind)settings->schedule, .warmup = settings->warmup, .total = steps};
    return schedule;
}

t5_sampling evolve_sampling(const evolve_settings *settings)
{
    t5_sampling sampling = t5_sampling_default();
    sampling.temperature = settings->temperature;
    sampling.top_k = (int)settings->top_k;
    sampling.top_p = settings->top_p;
    return sampling;
}

t5_config evolve_base_config(const evolve_settings *settings, int vocab_size)
{
    t5_config config = t5_config_small();
    config.vocab_size = vocab_size;
    config.d_model = (int)settings->d_model;
    config.d_kv = config.d_model / config.num_heads;
    return config;
}

uint64_t evolve_data_seed(const evolve_settings *settings)
{
    return (uint64_t)(settings->data_seed < 0 ? settings->seed : settings->data_seed);
}

bool evolve_writes(const evolve_settings *settings)
{
    return search_strategy_refines((search_strategy)settings->strategy) &&
           settings->proposer != EVOLVE_RULES;
}

bool evolve_trains(const evolve_settings *settings)
{
    return evolve_writes(settings) && settings->proposer != EVOLVE_UNTRAINED;
}

static int64_t part_of(int64_t count, double share)
{
    int64_t part = (int64_t)((double)count * share);
    return part > 1 ? part : 1;
}

evolve_settings evolve_settings_share(const evolve_settings *settings, double share)
{
    evolve_settings part = *settings;
    if (settings->task == EVOLVE_SELF)
        part.few_shot = part_of(settings->few_shot, share);
    else
        part.images = part_of(settings->images, share);
    return part;
}
