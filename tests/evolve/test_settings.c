/* SPDX-License-Identifier: MIT */
/* test_settings.c -- every setting, by its name: through JSON, through a worker's command
 * line, at the borders of its range and beyond.
 *
 * The names come from the JSON of all settings, the ranges from the lines of --help, so that a new
 * setting is tested the day it is made. */
#include "evolve/config.h"
#include "evolve/task.h"
#include "base/number.h"
#include "base/random.h"
#include "evolve/source/pairs.h"
#include "tests/test.h"

#include <inttypes.h>

enum { MOST_ARGUMENTS = 256 };

/* A setting's help: "... (low .. high; default X)" or "... (a, b; default a)". */
typedef struct range {
    bool named;
    double low, high;
    char name[16][32];
    int names;
} range;

static evolve_settings quick(void)
{
    evolve_settings settings;
    base_error error = {""};
    CHECK(evolve_settings_preset(&settings, "quick", &error), "%s", error.text);
    return settings;
}

/* The same where no field is left out for being 0. */
static evolve_settings complete(void)
{
    evolve_settings settings = quick();
    for (const evolve_field *f = evolve_setting_fields; f->name; f++) {
        const char *value = f->kind == EVOLVE_NAMED ? f->names[1] : "1";
        if (f->marks & EVOLVE_UNLESS_0)
            CHECK(evolve_settings_set(&settings, f->name, value, NULL), "--%s %s", f->name, value);
    }
    return settings;
}

static range range_of(const char *name)
{
    evolve_settings defaults = quick();
    base_text help = {0};
    range r = {.low = 1, .high = 0};
    evolve_field_help(evolve_field_find(evolve_setting_fields, name), &defaults, &help);
    const char *open = NULL;
    for (const char *c = help.data; *c; c++)
        if (*c == '(' && strstr(c, "; default "))
            open = c + 1; /* the last parenthesis before the default */
    CHECK(open, "--help does not say the range of %s", name);
    char *low = NULL, *high = NULL;
    if (open)
        r.low = base_read_number(open, &low);
    if (open && strncmp(low, " .. ", 4) == 0)
        r.high = base_read_number(low + 4, &high);
    if (open && (!high || high == low + 4 || *high != ';')) {
        r.named = true;
        for (size_t length; (length = strcspn(open, ",;")) < sizeof r.name[0] && r.names < 16;) {
            memcpy(r.name[r.names], open, length);
            r.name[r.names++][length] = '\0';
            if (open[length] == ';')
                break;
            open += length + 2;
        }
    }
    base_text_free(&help);
    return r;
}

static base_json *all_settings(const evolve_settings *settings, base_text *text)
{
    base_error error = {""};
    base_text_clear(text);
    evolve_settings_print(settings, text);
    base_json *json = base_json_parse(text->data, text->length, "settings", &error);
    CHECK(json, "%s: %s", error.text, text->data);
    return json;
}

static bool same(const evolve_settings *a, const evolve_settings *b)
{
    base_text text_a = {0}, text_b = {0};
    evolve_settings_print(a, &text_a);
    evolve_settings_print(b, &text_b);
    bool equal = strcmp(text_a.data, text_b.data) == 0;
    base_text_free(&text_a);
    base_text_free(&text_b);
    return equal;
}

/* Whether the setting has that value now, as JSON says it. */
static bool has_value(const evolve_settings *settings, const char *name, const char *value)
{
    base_text text = {0};
    base_json *json = all_settings(settings, &text);
    const base_json *member = base_json_get(json, name);
    const evolve_field *field = evolve_field_find(evolve_setting_fields, name);
    bool left_out = field->marks & EVOLVE_UNLESS_0;
    double number = member ? member->number : 0;
    const char *text_is = member && member->kind == BASE_JSON_STRING ? member->string
                          : left_out && field->kind == EVOLVE_NAMED  ? field->names[0]
                                                                     : NULL;
    bool equal = (member || left_out) &&
                 (text_is ? strcmp(text_is, value) == 0 : number == base_read_number(value, NULL));
    base_json_free(json);
    base_text_free(&text);
    return equal;
}

static void refuse(const char *name, const char *value, const char *low, const char *high)
{
    evolve_settings settings = quick(), before = settings;
    base_error error = {""};
    char flag[64];
    snprintf(flag, sizeof flag, "--%s ", name);
    CHECK(!evolve_settings_set(&settings, name, value, &error), "--%s took \"%s\"", name, value);
    CHECK(strncmp(error.text, flag, strlen(flag)) == 0 && strstr(error.text, low) &&
              strstr(error.text, high) && !strchr(error.text, '\n'),
          "--%s %s: %s", name, value, error.text);
    CHECK(same(&settings, &before), "--%s %s changed something", name, value);
}

static void accept(const char *name, const char *value)
{
    evolve_settings settings = quick();
    base_error error = {""};
    CHECK(evolve_settings_set(&settings, name, value, &error), "%s", error.text);
    CHECK(has_value(&settings, name, value), "--%s %s is something else now", name, value);
}

static const char *const malformed[] = {"",
                                        " ",
                                        "abc",
                                        "1x",
                                        "0x10",
                                        "nan",
                                        "inf",
                                        "-inf",
                                        "1e400",
                                        "1 ",
                                        " 1",
                                        "--1",
                                        "1,5",
                                        "1\n",
                                        "1.2.3",
                                        "1e",
                                        "99999999999999999999"};

static void check_number(const char *name)
{
    range r = range_of(name);
    char low[64], high[64], text[64];
    evolve_settings settings = quick();
    base_print(text, sizeof text, "%.17g", r.low + (r.high - r.low) / 3 + 0.25);
    bool whole = !evolve_settings_set(&settings, name, text, NULL); /* takes no fraction */
    const char *format = whole ? "%.0f" : "%.17g";
    double step = whole ? 1 : r.high * 1e-9;
    base_print(low, sizeof low, whole ? "%.0f" : "%.15g", r.low);
    base_print(high, sizeof high, whole ? "%.0f" : "%.15g", r.high);
    CHECK(r.low < r.high, "--%s: %s .. %s", name, low, high);
    base_print(text, sizeof text, format, r.low);
    accept(name, text);
    base_print(text, sizeof text, format, r.high);
    accept(name, text);
    base_print(text, sizeof text, format, r.low - step);
    refuse(name, text, low, high);
    base_print(text, sizeof text, format, r.high + step);
    refuse(name, text, low, high);
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++)
        refuse(name, malformed[i], low, high);
    if (whole) {
        refuse(name, "1.5", low, high);
        refuse(name, "1e2", low, high);
        refuse(name, "9223372036854775808", low, high);
    }
}

static void check_names(const char *name, const range *r)
{
    CHECK(r->names >= 2, "--%s: %d names", name, r->names);
    for (int i = 0; i < r->names; i++)
        accept(name, r->name[i]);
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++)
        refuse(name, malformed[i], r->name[0], r->name[r->names - 1]);
    refuse(name, "0", r->name[0], r->name[r->names - 1]);
}

static void every_range_is_kept(void)
{
    evolve_settings defaults = complete();
    base_text text = {0};
    base_json *json = all_settings(&defaults, &text);
    int count = 0;
    for (const base_json *member = json->child; member; member = member->next) {
        if (strcmp(member->name, "preset") == 0)
            continue;
        count++;
        CHECK(evolve_field_find(evolve_setting_fields, member->name), "%s", member->name);
        range r = range_of(member->name);
        if (r.named)
            check_names(member->name, &r);
        else
            check_number(member->name);
    }
    CHECK(count >= 30, "%d settings", count);
    CHECK(!evolve_field_find(evolve_setting_fields, "preset") &&
              !evolve_field_find(evolve_setting_fields, "no-such") &&
              !evolve_field_find(evolve_setting_fields, ""),
          "what is no setting");
    base_error error = {""};
    CHECK(!evolve_settings_set(&defaults, "no-such", "1", &error) &&
              strstr(error.text, "--no-such"),
          "%s", error.text);
    base_json_free(json);
    base_text_free(&text);
}

/* Every setting drawn at random in its range. */
static evolve_settings draw(base_random *r)
{
    evolve_settings settings = complete();
    const evolve_settings defaults = settings;
    base_text text = {0};
    base_json *json = all_settings(&defaults, &text);
    for (const base_json *member = json->child->next; member; member = member->next) {
        char value[64];
        base_error error = {""};
        range of = range_of(member->name);
        double u = base_random_uniform(r);
        if (of.named)
            snprintf(value, sizeof value, "%s", of.name[(int)(u * of.names)]);
        else
            base_print(value, sizeof value, "%.17g", of.low + (of.high - of.low) * u);
        if (!evolve_settings_set(&settings, member->name, value, NULL)) { /* a whole number */
            snprintf(value, sizeof value, "%" PRId64, (int64_t)(of.low + (of.high - of.low) * u));
            CHECK(evolve_settings_set(&settings, member->name, value, &error), "%s", error.text);
        }
    }
    base_json_free(json);
    base_text_free(&text);
    return settings;
}

static void json_gives_every_setting_back(void)
{
    base_random r = {1, base_random_stream("settings", 0, 0, 0), 0};
    base_error error = {""};
    for (int round = 0; round < 50; round++) {
        evolve_settings settings = draw(&r), back;
        base_text text = {0};
        base_json *json = all_settings(&settings, &text);
        CHECK(evolve_settings_read(&back, json, "here", &error), "%s", error.text);
        CHECK(same(&settings, &back), "%s", text.data);
        base_json_free(json);
        base_text_free(&text);
    }
}

/* Reading demands every setting, each of its kind; but those that are written unless they are 0. */
static void json_that_is_not_whole_is_refused(void)
{
    evolve_settings settings = complete(), back;
    base_text whole = {0};
    base_error error;
    base_json *json = all_settings(&settings, &whole);
    for (const base_json *member = json->child; member; member = member->next) {
        char start[64];
        snprintf(start, sizeof start, "\"%s\":", member->name);
        char *at = strstr(whole.data, start);
        size_t length = strcspn(at, ",}");
        static const char *const instead[] = {"", "null", "[]", "\"?\"", "1e300"};
        const evolve_field *field = evolve_field_find(evolve_setting_fields, member->name);
        bool left_out = field && field->marks & EVOLVE_UNLESS_0;
        for (size_t i = left_out; i < sizeof instead / sizeof *instead; i++) {
            base_text text = {0};
            base_text_add(&text, whole.data, (size_t)(at - whole.data));
            base_text_print(&text, "%s%s", *instead[i] ? start : "\"x\":0", instead[i]);
            base_text_print(&text, "%s", at + length);
            base_json *other = base_json_parse(text.data, text.length, "here", &error);
            CHECK(other, "%s", error.text);
            error.text[0] = '\0';
            CHECK(!evolve_settings_read(&back, other, "here", &error) &&
                      strstr(error.text, member->name),
                  "%s%s: %s", start, instead[i], error.text);
            base_json_free(other);
            base_text_free(&text);
        }
    }
    CHECK(!evolve_settings_read(&back, NULL, "here", &error), "no object");
    settings = quick();
    CHECK(!strstr(whole.data, "\"budget-ram\":0") &&
              evolve_settings_read(&back, json, "here", &error) && back.budget_ram == 1,
          "%s", error.text);
    base_json_free(json);
    json = all_settings(&settings, &whole);
    CHECK(!strstr(whole.data, "budget") && evolve_settings_read(&back, json, "here", &error) &&
              back.budget_ram == 0,
          "%s", whole.data);
    base_json_free(json);
    base_text_free(&whole);
}

/* What a worker is not told: a score must not depend on it. (Of --inherit it is told the network.) */
static const char *const untold[] = {
    "stop-after", "episodes",    "batches",     "candidates",  "elitism",    "reuse",
    "early-stop", "samples",     "epochs",      "strategy",    "population", "sample",
    "proposer",   "constrained", "temperature", "top-p",       "top-k",      "max-tokens",
    "held-out",   "fidelity",    "fresh-seeds", "final-times", "inherit",    "corpus-samples",
};

static bool is_untold(const char *name)
{
    for (size_t i = 0; i < sizeof untold / sizeof *untold; i++)
        if (strcmp(untold[i], name) == 0)
            return true;
    return false;
}

static void arguments_give_every_setting_of_a_score_back(void)
{
    base_random r = {2, base_random_stream("settings", 0, 0, 0), 0};
    base_error error = {""};
    for (int round = 0; round < 20; round++) {
        evolve_settings settings = draw(&r), back = quick();
        char *argv[MOST_ARGUMENTS] = {NULL};
        int count = 0;
        evolve_fields_arguments(evolve_setting_fields, EVOLVE_SCORED, &settings, argv, &count,
                                MOST_ARGUMENTS);
        for (int i = 0; i + 1 < count; i += 2) {
            CHECK(strncmp(argv[i], "--", 2) == 0 && !is_untold(argv[i] + 2), "%s", argv[i]);
            CHECK(evolve_settings_set(&back, argv[i] + 2, argv[i + 1], &error), "%s", error.text);
        }
        base_text text = {0}, text_back = {0};
        base_json *json = all_settings(&settings, &text);
        base_json *json_back = all_settings(&back, &text_back);
        int told = 0;
        for (const base_json *member = json->child->next; member; member = member->next) {
            if (is_untold(member->name))
                continue;
            const base_json *other = base_json_get(json_back, member->name);
            told++;
            CHECK(member->kind == BASE_JSON_STRING ? strcmp(member->string, other->string) == 0
                                                   : member->number == other->number,
                  "%s", member->name);
        }
        CHECK(count == 2 * told, "%d arguments for %d settings", count, told);
        base_json_free(json);
        base_json_free(json_back);
        base_text_free(&text);
        base_text_free(&text_back);
        for (int i = 0; i < count; i++)
            free(argv[i]);
    }
}

/* A worker is told of pairs that no training gets to: their indexes have to be in range. */
static void pairs_of_the_last_comparison_are_in_range(void)
{
    char number[32];
    snprintf(number, sizeof number, "%" PRIu64, SOURCE_FRESH);
    accept("first-pair", number);
    range samples = range_of("samples"), held_out = range_of("held-out");
    CHECK(samples.high <= (double)SOURCE_HELD_OUT, "training pairs reach the held-out ones");
    CHECK((double)SOURCE_HELD_OUT + held_out.high <= (double)SOURCE_FRESH,
          "held-out pairs reach the fresh ones");
}

static void presets(void)
{
    evolve_settings settings;
    base_error error = {""};
    int count = 0;
    for (const char *const *name = evolve_settings_presets(); *name; name++, count++) {
        CHECK(evolve_settings_preset(&settings, *name, &error), "%s", error.text);
        CHECK(strcmp(settings.preset, *name) == 0, "%s", settings.preset);
        base_text text = {0};
        base_json *json = all_settings(&settings, &text);
        evolve_settings back;
        CHECK(evolve_settings_read(&back, json, "here", &error) && same(&settings, &back), "%s: %s",
              *name, error.text); /* which also says that each default is in its range */
        base_json_free(json);
        base_text_free(&text);
    }
    CHECK(count == 3, "%d presets", count);
    CHECK(!evolve_settings_preset(&settings, "no-such", &error) && strstr(error.text, "no-such") &&
              strstr(error.text, "self-programming"),
          "%s", error.text);

    /* The papers' numbers: 10 episodes; 8 batches of 8, and one generation of 8; 1024 pairs. */
    evolve_settings_preset(&settings, "first-look", &error);
    CHECK(settings.episodes == 10 && settings.batches == 8 && settings.candidates == 8 &&
              settings.few_shot == 1024 && settings.d_model == 512 && settings.score == EVOLVE_MEAN,
          "first-look");
    evolve_settings_preset(&settings, "self-programming", &error);
    CHECK(settings.episodes == 10 && settings.batches == 1 && settings.candidates == 8,
          "self-programming");
}

/* The names that settings are given by are those of what they stand for. */
static void names_mean_what_they_say(void)
{
    evolve_settings settings = quick();
    base_error error = {""};
    for (int kind = 0; kind < NN_OPTIMIZERS; kind++) {
        const char *name = nn_optimizer_names[kind];
        CHECK(evolve_settings_set(&settings, "optimizer", name, &error), "%s", error.text);
        CHECK(evolve_optimizer(&settings).kind == (nn_optimizer_kind)kind, "%s", name);
    }
    for (int kind = NN_CONSTANT; kind <= NN_INVERSE_SQRT; kind++) {
        const char *name = nn_schedule_names[kind];
        CHECK(evolve_settings_set(&settings, "schedule", name, &error), "%s", error.text);
        CHECK(evolve_schedule(&settings, 10).kind == (nn_schedule_kind)kind, "%s", name);
    }
    settings = quick();
    evolve_settings_set(&settings, "rate", "0.125", &error);
    evolve_settings_set(&settings, "weight-decay", "0.25", &error);
    evolve_settings_set(&settings, "warmup", "7", &error);
    CHECK(evolve_optimizer(&settings).rate == 0.125 &&
              evolve_optimizer(&settings).weight_decay == 0.25,
          "optimizer");
    CHECK(evolve_schedule(&settings, 10).warmup == 7 && evolve_schedule(&settings, 10).total == 10,
          "schedule");
    evolve_settings_set(&settings, "temperature", "0.5", &error);
    evolve_settings_set(&settings, "top-k", "3", &error);
    evolve_settings_set(&settings, "top-p", "0.75", &error);
    t5_sampling sampling = evolve_sampling(&settings);
    CHECK(sampling.temperature == 0.5 && sampling.top_k == 3 && sampling.top_p == 0.75 &&
              !sampling.greedy && sampling.beams <= 1,
          "sampling");
    evolve_settings_set(&settings, "half-for-d-ff", "yes", &error);
    evolve_settings_set(&settings, "clamp", "no", &error);
    mutation_rules rules = evolve_mutator(&settings).rules;
    CHECK(rules.half_for_d_ff && !rules.clamp, "rules");
    evolve_settings_set(&settings, "d-model", "64", &error);
    t5_config config = evolve_base_config(&settings, 300);
    CHECK(config.vocab_size == 300 && config.d_model == 64 &&
              config.d_kv * config.num_heads == 64 && t5_config_check(&config, &error),
          "%s", error.text);
    settings.seed = 5;
    settings.data_seed = -1;
    CHECK(evolve_data_seed(&settings) == 5, "the run's seed");
    settings.data_seed = 0;
    CHECK(evolve_data_seed(&settings) == 0, "its own seed");
}

/* Whole programs and networks are longer than the papers' sources, and start from other values; a
 * name that there is not changes nothing. */
static void scopes_and_tasks_have_their_values(void)
{
    base_error error;
    evolve_settings settings = quick(), plain = quick();
    CHECK(evolve_settings_scope(&settings, "architecture", &error) &&
              memcmp(&settings, &plain, sizeof plain) == 0,
          "the papers' scope is the default");
    CHECK(!evolve_settings_scope(&settings, "everything", &error) &&
              strstr(error.text, "architecture, learning, objective, data, all") &&
              memcmp(&settings, &plain, sizeof plain) == 0,
          "%s", error.text);
    CHECK(evolve_settings_scope(&settings, "all", &error) && settings.scope == EVOLVE_ALL &&
              settings.vocabulary == 1024 && settings.max_tokens == 512 && settings.d_model == 64,
          "all");
    CHECK(plain.score == EVOLVE_LAST_QUARTER && settings.score == EVOLVE_BY_HELD_OUT,
          "what scores are of");
    mutation_mutator mutator = evolve_mutator(&settings);
    CHECK(!mutation_mutator_is_of_rules(&mutator) &&
              strcmp(mutator.declaration, "t5 *model(void)") == 0,
          "all");
    CHECK(evolve_settings_preset(&settings, "first-look", &error) &&
              evolve_settings_scope(&settings, "all", &error) && settings.d_model == 512,
          "a papers' preset keeps its model");
    settings = quick();
    CHECK(!evolve_settings_task(&settings, "chess", &error) && strstr(error.text, "cifar-10"), "%s",
          error.text);
    CHECK(evolve_settings_task(&settings, "self", &error) &&
              memcmp(&settings, &plain, sizeof plain) == 0,
          "the T5 is the default");
    CHECK(evolve_settings_task(&settings, "cifar-10", &error) && settings.episodes == 10 &&
              settings.batches == 1 && settings.flip && settings.part == EVOLVE_SEARCH &&
              settings.score == EVOLVE_BY_HELD_OUT,
          "cifar-10");
    mutator = evolve_mutator(&settings);
    CHECK(!mutation_mutator_is_of_rules(&mutator) &&
              strcmp(mutator.declaration, "network *model(void)") == 0,
          "cifar-10");
    const mutation_grammar papers = mutator.grammar;
    CHECK(!evolve_settings_scope(&settings, "all", &error) && strstr(error.text, "a T5") &&
              settings.scope == EVOLVE_ARCHITECTURE,
          "%s", error.text);
    CHECK(evolve_settings_scope(&settings, "deploy", &error) && settings.max_tokens == 1024 &&
              settings.episodes == 10,
          "deploy");
    mutator = evolve_mutator(&settings);
    CHECK(mutator.grammar.rules != papers.rules, "the papers' space");
    settings = quick();
    CHECK(!evolve_settings_scope(&settings, "deploy", &error) &&
              strstr(error.text, "build networks") && settings.scope == EVOLVE_ARCHITECTURE,
          "%s", error.text);
}

int main(void)
{
    every_range_is_kept();
    json_gives_every_setting_back();
    json_that_is_not_whole_is_refused();
    arguments_give_every_setting_of_a_score_back();
    pairs_of_the_last_comparison_are_in_range();
    presets();
    names_mean_what_they_say();
    scopes_and_tasks_have_their_values();
    return test_end();
}
