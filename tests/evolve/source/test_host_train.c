/* SPDX-License-Identifier: MIT */
/* test_host_train.c -- train() and data() as code: the default written out trains as the
 * default does, to the bit; what each function does; and what each refuses. */
#include "evolve/score/evaluate.h"
#include "evolve/source/host.h"
#include "evolve/source/host_state.h"
#include "tests/evolve/test_evolve.h"
#include "tests/evolve/test_score.h"

#include <math.h>

/* A source of the tiny model with that train() and data(); either may be "". */
static const char *source_of(const char *train, const char *data)
{
    static char sources[8][4096];
    static int next;
    char *source = sources[next++ % 8];
    int length = snprintf(source, sizeof sources[0], "%s", tiny_source(32, ""));
    if (*data)
        length += snprintf(source + length, sizeof sources[0] - (size_t)length,
                           "\ndataset *data(void)\n{\n%s}\n", data);
    if (*train)
        snprintf(source + length, sizeof sources[0] - (size_t)length,
                 "\nvoid train(t5 *model, dataset *data)\n{\n%s%s}\n",
                 strstr(train, ", plain)") ? "    objective plain = cross_entropy();\n" : "",
                 train);
    return source;
}

static void evaluate(const char *source, const evolve_settings *settings, int threads,
                     score_result *score)
{
    *score = score_text(source, (score_request){.settings = settings, .threads = threads});
}

/* ---- the default, written out ---- */

static evolve_settings of_case(int kind, int schedule, int i)
{
    evolve_settings settings = tiny_settings();
    settings.optimizer = kind;
    settings.schedule = schedule;
    settings.few_shot = 45; /* a last batch of its own size */
    settings.batch = 4 + i % 3;
    settings.rate = kind == NN_SGD ? 0.1 : 0.003;
    settings.warmup = i % 4;
    settings.clip = i % 2 ? 0.5 : 0;
    settings.smoothing = i % 3 == 0 ? 0.1 : 0;
    settings.first_pair = 1000 * i;
    settings.epochs = 1 + i % 2; /* a score has one, whatever a stage has */
    return settings;
}

/* Whether a source leaves its training out or writes out the default's, it has the same result;
 * that it is the right one is test_training.c's to say. The first optimizer meets each schedule in
 * each scope, for the others the scopes take turns. */
static void the_default_in_full_trains_to_the_bit(void)
{
    int compared = 0;
    for (int kind = 0; kind < NN_OPTIMIZERS; kind++)
        for (int schedule = 0; schedule < 4; schedule++) {
            evolve_settings settings = of_case(kind, schedule, compared);
            const char *model =
                tiny_source(32, compared % 2 ? "    config.dropout_rate = 0.1;\n" : "");
            for (int scope = EVOLVE_ARCHITECTURE; scope <= EVOLVE_ALL; scope++) {
                if (kind > 0 && scope != compared % (EVOLVE_ALL + 1))
                    continue;
                base_text full = {0};
                score_result short_score, full_score;
                tiny_scope(&settings, scope);
                base_text_print(&full, "%s", model);
                if (scope != EVOLVE_LEARNING)
                    source_default_data(&settings, &full);
                if (scope != EVOLVE_DATA)
                    source_default_training(&settings, &full);
                evaluate(model, &settings, 1, &short_score);
                evaluate(full.data, &settings, 1 + compared % 2, &full_score);
                char *want = members_of(&short_score), *got = members_of(&full_score);
                CHECK(short_score.status == SCORE_OK && strcmp(want, got) == 0,
                      "optimizer %d, schedule %d, scope %d:\n%s\n%s", kind, schedule, scope, want,
                      got);
                free(want);
                free(got);
                score_free(&short_score);
                score_free(&full_score);
                base_text_free(&full);
            }
            compared++;
        }
    CHECK(compared == 4 * NN_OPTIMIZERS, "%d", compared);
}

/* What is printed is C, to a compiler that is asked for every warning. */
static void compilers_take_the_default_without_a_word(void)
{
    static const char *const compilers[] = {"gcc", "clang", "tcc"};
    base_error error = {""};
    if (!scratch_make()) {
        SKIP("no folder for the compiler");
        return;
    }
    for (size_t c = 0; c < sizeof compilers / sizeof *compilers; c++) {
        char command[1400];
        snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", compilers[c]);
        if (system(command) != 0) {
            SKIP("%s is not here", compilers[c]);
            continue;
        }
        for (int i = 0; i < NN_OPTIMIZERS * 4; i++) {
            evolve_settings settings = of_case(i / 4, i % 4, i);
            base_text source = {0};
            tiny_scope(&settings, EVOLVE_ALL);
            source_default_source_of(&settings, &source);
            base_bytes part = {source.data, source.length};
            CHECK(base_file_write(at("full.c"), &part, 1, NULL, &error), "%s", error.text);
            snprintf(command, sizeof command,
                     "%s -std=c11 -Wall -Wextra -Wpedantic -Werror -Ievolve/source -c %s -o %s.o",
                     compilers[c], at("full.c"), at("full.c"));
            CHECK(system(command) == 0, "%s", source.data);
            base_text_free(&source);
        }
    }
    remove_all(scratch);
}

static void scopes_write_out_what_they_may_change(void)
{
    static const bool has[][2] = {
        {false, false}, {true, false}, {true, false}, {false, true}, {true, true}};
    for (int scope = 0; scope <= EVOLVE_ALL; scope++) {
        evolve_settings settings = tiny_settings();
        base_text source = {0};
        tiny_scope(&settings, scope);
        source_default_source_of(&settings, &source);
        bool train = strstr(source.data, "\nvoid train(t5 *model, dataset *data)\n") != NULL;
        bool data = strstr(source.data, "\ndataset *data(void)\n") != NULL;
        CHECK(train == has[scope][0] && data == has[scope][1], "scope %d: %s", scope, source.data);
        base_text_free(&source);
    }
}

/* ---- what the functions do ---- */

static double score_of(const char *train, const char *data, evolve_settings *settings)
{
    score_result score;
    evaluate(source_of(train, data), settings, 1, &score);
    CHECK(score.status == SCORE_OK, "%s\n%s", score.reason, train);
    score_free(&score);
    return score.status == SCORE_OK ? score.score : NAN;
}

#define LOOP(body)                                               \
    "    optimizer *o = adamw(model, 0.9, 0.999, 1e-8, 0.01);\n" \
    "    objective loss = cross_entropy();\n"                    \
    "    for (int i = 0; i < 16; i++) {\n        " body "\n    }\n"
#define PLAIN LOOP("learn(model, next(data, 4), loss); update(o, 0.005);")

static void every_choice_has_an_effect(void)
{
    static const char *const choices[] = {
        PLAIN,
        LOOP("learn(model, next(data, 4), loss); update(o, 0.004);"),
        LOOP("learn(model, next(data, 4), loss); clip(model, 0.1); update(o, 0.005);"),
        LOOP("loss.label_smoothing = 0.1; learn(model, next(data, 4), loss); update(o, 0.005);"),
        LOOP("loss.z_loss = 0.01; learn(model, next(data, 4), loss); update(o, 0.005);"),
        LOOP("loss.end_weight = 0; learn(model, next(data, 4), loss); update(o, 0.005);"),
        LOOP("loss.edit_weight = 4; learn(model, next(data, 4), loss); update(o, 0.005);"),
        LOOP("learn(model, next(data, 4), loss); if (i % 2) update(o, 0.005);"),
        LOOP("learn(model, next(data, 4), loss); update(o, 0.005); average(model, 0.5); if (i == "
             "15) "
             "take_average(model);"),
        LOOP("if (learn(model, next(data, 4), loss) < 6.2) { return; } update(o, 0.005);"),
        LOOP("learn(model, slice(data, 4 * (15 - i), 4), loss); update(o, 0.005);"),
        LOOP("learn(model, next(data, 4), loss); update(o, 0.005 * power(0.9, i));"),
        LOOP("learn(model, next(data, 4), loss); update(o, 0.005 * (1.0 + cosine(i / 32.0)));"),
        LOOP("learn(model, next(data, 4), loss); update(o, 0.01 * square_root(1.0 / (i + 1)));"),
    };
    evolve_settings settings = tiny_settings();
    settings.few_shot = 64;
    tiny_scope(&settings, EVOLVE_ALL);
    enum { CHOICES = sizeof choices / sizeof *choices };
    double scores[CHOICES];
    for (int i = 0; i < CHOICES; i++) {
        scores[i] = score_of(choices[i], "", &settings);
        for (int j = 0; j < i; j++)
            CHECK(scores[i] < scores[j] || scores[i] > scores[j], "%d is like %d: %g", i, j,
                  scores[i]);
    }
    /* And with optimizers of all kinds. */
    static const char *const optimizers[] = {
        "sgd(model, 0, 0, 0)", "sgd(model, 0.9, 0.001, 1)", "rmsprop(model, 0.99, 1e-8, 0.5, 0)",
        "adam(model, 0.9, 0.99, 1e-8, 0)", "adafactor(model, -0.8, 1, 0, 0, 1)"};
    for (size_t i = 0; i < sizeof optimizers / sizeof *optimizers; i++) {
        char train[512];
        snprintf(train, sizeof train,
                 "    optimizer *o = %s;\n    for (int i = 0; i < 16; i++) {\n"
                 "        batch *b = next(data, 4);\n        learn(model, b, plain);\n"
                 "        update(o, 0.002);\n    }\n",
                 optimizers[i]);
        double score = score_of(train, "", &settings);
        /* ln 512 = 6.24 is what an even guess loses, and random logits a little more */
        CHECK(score > 2 && score < 7.24, "%s: %g", optimizers[i], score);
    }
}

/* Gradients of two halves with half the scale are the whole's, but for rounding: a mean of means is
 * the mean, where the halves have equally many tokens. */
static void halves_add_up(void)
{
    evolve_settings settings = tiny_settings();
    settings.few_shot = 16;
    tiny_scope(&settings, EVOLVE_ALL);
    double whole =
        score_of("    optimizer *o = sgd(model, 0, 0, 0);\n"
                 "    batch *b = next(data, 8);\n"
                 "    learn(model, b, plain);\n    update(o, 1.0);\n",
                 "    dataset *d = pairs(0, 4);\n    append(d, d);\n    return d;\n", &settings);
    double halves =
        score_of("    optimizer *o = sgd(model, 0, 0, 0);\n"
                 "    objective half = cross_entropy();\n    half.scale = 0.5;\n"
                 "    for (int i = 0; i < 2; i++) {\n"
                 "        batch *b = next(data, 4);\n"
                 "        learn(model, b, half);\n    }\n    update(o, 1.0);\n",
                 "    dataset *d = pairs(0, 4);\n    append(d, d);\n    return d;\n", &settings);
    double nothing = score_of("    learn(model, next(data, 8), plain);\n", "", &settings);
    CHECK(fabs(whole - halves) < 1e-5 * whole && fabs(whole - nothing) > 1e-3,
          "%.9g, %.9g; untrained %.9g", whole, halves, nothing);
}

/* The norm that clip() returns, the first loss that learn() does, and the average. */
static void results_come_back(void)
{
    evolve_settings settings = tiny_settings();
    tiny_scope(&settings, EVOLVE_ALL);
    /* 1 / 0 is an error: status run. */
    static const char *const holds[] = {
        "    double l = learn(model, next(data, 4), plain);\n"
        "    double a = clip(model, 0.5);\n    double b = clip(model, 0.5);\n"
        "    int zero = size(data) - 16;\n"
        "    if (!(l > 4.0 && l < 9.0 && a > 0.5 && b < 0.5001 && b > 0.4999))\n"
        "        zero = 1 / zero;\n    if (zero)\n        return;\n",
        /* The average of equal weights is theirs; with decay 1 it stays at the first. */
        "    optimizer *o = sgd(model, 0, 0, 0);\n    average(model, 1.0);\n"
        "    double a = learn(model, slice(data, 0, 4), plain);\n"
        "    update(o, 0.5);\n    average(model, 1.0);\n"
        "    double b = learn(model, slice(data, 0, 4), plain);\n"
        "    take_average(model);\n"
        "    double c = learn(model, slice(data, 0, 4), plain);\n"
        "    int zero = size(data) - 16;\n"
        "    if (!(a == c && b < a))\n        zero = 1 / zero;\n    if (zero)\n        return;\n",
        "    int zero = size(data) - 16;\n    int before = budget();\n"
        "    learn(model, next(data, 5), plain);\n"
        "    double root = square_root(2.25);\n"
        "    if (before != 16 || budget() != 11 || root < 1.5 || root > 1.5)\n"
        "        zero = 1 / zero;\n    if (zero)\n        return;\n",
    };
    for (size_t i = 0; i < sizeof holds / sizeof *holds; i++)
        score_of(holds[i], "", &settings);
}

static void the_same_for_any_thread_count(void)
{
    evolve_settings settings = tiny_settings();
    const char *source =
        source_of(LOOP("loss.edit_weight = 2; learn(model, next(data, 4), loss); clip(model, 1.0); "
                       "update(o, 0.005); average(model, 0.9); if (i == 15) take_average(model);"),
                  "    dataset *d = pairs(0, 64);\n    shuffle(d, 3);\n    sort_by_length(d);\n"
                  "    mix(d, pairs(64, 16));\n    return d;\n");
    settings.few_shot = 64;
    tiny_scope(&settings, EVOLVE_LEARNING);
    score_result a, b;
    evaluate(source, &settings, 1, &a);
    evaluate(source, &settings, 3, &b);
    char *first = members_of(&a), *second = members_of(&b);
    CHECK(a.status == SCORE_OK && strcmp(first, second) == 0, "%s\n%s", first, second);
    free(first);
    free(second);
    score_free(&a);
    score_free(&b);
}

/* ---- datasets ---- */

/* Runs data() of that body and compares its pairs with a list that ends in -1. */
static void data_is(const char *body, const int *want)
{
    evolve_settings settings = tiny_settings();
    source_host *h = source_host_new(&settings, 300);
    const char *source = source_of("", body);
    language_diagnostic diagnostic;
    language_program *program = source_parse("test.c", source, strlen(source), &diagnostic);
    CHECK(program, "%s", diagnostic.text);
    language_host bound = source_host_bound(h);
    language_limits limits = language_default_limits();
    language_value result = {.kind = LANGUAGE_HANDLE};
    if (program && language_run(program, &(language_invocation){"data", NULL, 0, &bound, &limits},
                                &result, &diagnostic) == LANGUAGE_OK) {
        const source_dataset *d = h->objects[source_handle_number(&result) - 1].own;
        int count = 0;
        while (want[count] >= 0)
            count++;
        CHECK(d->count == count, "%s%d pairs", body, (int)d->count);
        for (int i = 0; i < count && i < d->count; i++)
            CHECK(d->index[i] == (uint64_t)want[i], "%spair %d is %d", body, i, (int)d->index[i]);
    } else
        CHECK(false, "%s", diagnostic.text);
    language_program_free(program);
    source_host_free(h);
}

static void datasets_are_lists_of_pairs(void)
{
    data_is("    return pairs(3, 4);\n", (const int[]){3, 4, 5, 6, -1});
    data_is("    return pairs(0, 0);\n", (const int[]){-1});
    data_is("    dataset *d = pairs(0, 4);\n    reverse(d);\n    return d;\n",
            (const int[]){3, 2, 1, 0, -1});
    data_is("    dataset *d = pairs(1, 2);\n    repeat(d, 3);\n    return d;\n",
            (const int[]){1, 2, 1, 2, 1, 2, -1});
    data_is("    dataset *d = pairs(0, 9);\n    skip(d, 2);\n    take(d, 3);\n    return d;\n",
            (const int[]){2, 3, 4, -1});
    data_is("    dataset *d = pairs(0, 3);\n    take(d, 7);\n    skip(d, 7);\n    return d;\n",
            (const int[]){-1});
    data_is("    dataset *d = pairs(0, 2);\n    append(d, pairs(7, 1));\n    append(d, d);\n"
            "    return d;\n",
            (const int[]){0, 1, 7, 0, 1, 7, -1});
    data_is("    dataset *d = pairs(0, 1);\n    mix(d, pairs(5, 3));\n    mix(d, d);\n"
            "    return d;\n",
            (const int[]){0, 0, 5, 5, 6, 6, 7, 7, -1});
    data_is("    dataset *d = pairs(0, 0);\n    dataset *all = pairs(0, 9);\n"
            "    for (int i = 8; i >= 0; i -= 3)\n        add(d, all, i);\n    add(d, d, 0);\n"
            "    return d;\n",
            (const int[]){8, 5, 2, 8, -1});
    /* A shuffle is an order, another one for another seed. */
    evolve_settings settings = tiny_settings();
    for (int seed = 0; seed < 2; seed++)
        settings.seed += seed;
    source_host *h = source_host_new(&settings, 300);
    language_value arguments[2] = {{.kind = LANGUAGE_INT}, {.kind = LANGUAGE_INT}}, result;
    language_failure failure;
    char reason[200];
    uint64_t orders[2][50];
    for (int seed = 0; seed < 2; seed++) {
        bool seen[50] = {false};
        arguments[0].as.i = 0;
        arguments[1].as.i = 50;
        source_data_functions[2].call(h, arguments, 2, &result, &failure, reason);
        arguments[0] = result;
        arguments[1].as.i = seed;
        CHECK(strcmp(source_data_functions[5].name, "shuffle") == 0 &&
                  source_data_functions[5].call(h, arguments, 2, &result, &failure, reason),
              "%s", reason);
        const source_dataset *d = h->objects[h->count - 1].own;
        for (int i = 0; i < 50; i++) {
            orders[seed][i] = d->index[i];
            CHECK(d->index[i] < 50 && !seen[d->index[i]], "pair %d twice", (int)d->index[i]);
            seen[d->index[i]] = true;
        }
        arguments[0] = (language_value){.kind = LANGUAGE_INT};
    }
    CHECK(memcmp(orders[0], orders[1], sizeof orders[0]) != 0, "the same order");
    source_host_free(h);
}

static void length_sorts(void)
{
    evolve_settings settings = tiny_settings();
    tiny_scope(&settings, EVOLVE_ALL);
    score_of("    int zero = size(data) - 16;\n"
             "    int last = 0;\n"
             "    for (int i = 0; i < size(data); i++) {\n        int now = tokens(data, i);\n"
             "        if (last > now)\n            zero = 1 / zero;\n"
             "        last = now;\n    }\n    if (zero)\n        return;\n"
             "    learn(model, next(data, 8), plain);\n",
             "    dataset *d = pairs(0, 16);\n    sort_by_length(d);\n    return d;\n", &settings);
}

/* ---- what is refused ---- */

static void fails(const char *train, const char *data, score_status want, const char *piece)
{
    evolve_settings settings = tiny_settings();
    score_result score;
    settings.max_parameters = 1000000;
    evaluate(source_of(train, data), &settings, 1, &score);
    CHECK(score.status == want && strstr(score.reason, piece), "%s%s: %s: %s", train, data,
          score_status_name(score.status), score.reason);
    score_free(&score);
}

static void refusals(void)
{
    static const struct {
        const char *statement;
        score_status status;
        const char *piece;
    } cases[] = {
        {"update(o, -0.1);", SCORE_RUN, "the rate is -0.1"},
        {"update(o, 1e9);", SCORE_RUN, "the rate is 1e+09"},
        {"learn(t5_new(t5_small()), b, loss);", SCORE_RUN, "only the model"},
        {"loss.label_smoothing = 1.5; learn(model, b, loss);", SCORE_RUN, "label_smoothing is 1.5"},
        {"loss.z_loss = -1; learn(model, b, loss);", SCORE_RUN, "z_loss"},
        {"loss.scale = 0; learn(model, b, loss);", SCORE_RUN, "scale is 0"},
        {"loss.edit_weight = 1e9; learn(model, b, loss);", SCORE_RUN, "edit_weight"},
        {"clip(model, 0);", SCORE_RUN, "the norm is 0"},
        {"next(data, 0);", SCORE_RUN, "the batch is 0"},
        {"next(data, -5);", SCORE_RUN, "the batch is -5"},
        {"slice(data, 9, 8);", SCORE_RUN, "8 pairs from pair 9"},
        {"slice(data, 16, 1);", SCORE_RUN, "pair 16 of a dataset of 16"},
        {"tokens(data, -1);", SCORE_RUN, "pair -1"},
        {"pairs(-1, 4);", SCORE_RUN, "first pair is -1"},
        {"pairs(0, -4);", SCORE_RUN, "number of pairs is -4"},
        {"pairs(0, 2000000000);", SCORE_LIMIT, "pairs moved about"},
        {"repeat(data, 0);", SCORE_RUN, "how often is 0"},
        {"repeat(data, 2000000000);", SCORE_LIMIT, "pairs"},
        {"take(data, -1);", SCORE_RUN, "-1"},
        {"take_average(model);", SCORE_RUN, "no average"},
        {"average(model, 1.5);", SCORE_RUN, "decay is 1.5"},
        {"adamw(model, 1.0, 0.9, 1e-8, 0);", SCORE_RUN, "beta1"},
        {"sgd(model, 0, 0, 1);", SCORE_RUN, "nesterov"},
        {"sgd(model, 0, 0, 2);", SCORE_RUN, "nesterov is 2"},
        {"sgd(model, 0, -1, 0);", SCORE_RUN, "weight_decay"},
        {"adafactor(model, 0.8, 1, 0, 1, 1);", SCORE_RUN, "decay_rate"},
        {"adafactor(model, -0.8, 0, 0, 1, 1);", SCORE_RUN, "clip threshold"},
        {"square_root(-1);", SCORE_RUN, "the number is -1"},
        {"power(0, 2);", SCORE_RUN, "the number is 0"},
        {"power(10, 400);", SCORE_RUN, "too large"},
        {"while (1)\n            update(o, 0);", SCORE_LIMIT, "updates"},
        {"while (1)\n            clip(model, 1);", SCORE_LIMIT, "clips"},
        {"while (1)\n            repeat(data, 1);", SCORE_LIMIT, "moved about"},
        {"while (1)\n            tokens(data, 0);", SCORE_LIMIT, "moved about"},
        {"while (1)\n            slice(data, 0, 1);", SCORE_LIMIT, "moved about"},
        {"while (1)\n            budget();", SCORE_LIMIT, "steps"},
        {"next(model, 1);", SCORE_CHECK, "test.c:"},
        {"learn(model, b);", SCORE_CHECK, "test.c:"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char train[1024];
        snprintf(train, sizeof train,
                 "    optimizer *o = sgd(model, 0, 0, 0);\n    objective loss = cross_entropy();\n"
                 "    batch *b = slice(data, 0, 2);\n    if (size(data)) {\n        %s\n    }\n"
                 "    learn(model, b, loss);\n    update(o, 0.1);\n",
                 cases[i].statement);
        fails(train, "", cases[i].status, cases[i].piece);
    }
    /* There is no handle of nothing to be had, nor one of another kind. */
    fails("", "    return 0;\n", SCORE_CHECK, "dataset *");
    fails("    update(model, 0.1);\n", "", SCORE_CHECK, "optimizer *");
    fails("",
          "    dataset *d = pairs(0, 1);\n    while (size(d))\n        d = pairs(0, 1);\n    "
          "return d;\n",
          SCORE_LIMIT, "pairs");
}

static void functions_of_another_type_are_no_train(void)
{
    static const char *const others[] = {
        ("int train(t5 *model, dataset *data)\n{\n    clip(model, 1.0);\n"
         "    return size(data);\n}\n"),
        "void train(t5 *model)\n{\n    clip(model, 1.0);\n}\n",
        "double train(void)\n{\n    return 0.0;\n}\n",
        "dataset *data(int n)\n{\n    return pairs(0, n);\n}\n",
        "int data(void)\n{\n    return 1;\n}\n",
    };
    evolve_settings settings = tiny_settings();
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char source[2048];
        score_result score;
        snprintf(source, sizeof source, "%s\n%s", tiny_source(32, ""), others[i]);
        evaluate(source, &settings, 1, &score);
        CHECK(score.status == SCORE_CHECK && strstr(score.reason, "expected"), "%s%s", others[i],
              score.reason);
        score_free(&score);
    }
}

/* A training of its own keeps to the run's operations as the default one does. Where it can be
 * known what it takes, it is refused before; where the source goes by its losses, what it has done
 * until then is no score. */
static void operations_have_a_limit(void)
{
    evolve_settings settings = tiny_settings();
    score_result score;
    base_text source = {0};
    tiny_scope(&settings, EVOLVE_ALL);
    source_default_source_of(&settings, &source);
    evaluate(source.data, &settings, 1, &score);
    CHECK(score.status == SCORE_OK, "%s", score.reason);
    settings.max_flops = (double)score.flops;
    score_free(&score);
    evaluate(source.data, &settings, 1, &score);
    CHECK(score.status == SCORE_OK, "%s", score.reason);
    score_free(&score);
    settings.max_flops -= 1;
    evaluate(source.data, &settings, 1, &score);
    CHECK(score.status == SCORE_LIMIT && strstr(score.reason, "operations: at most"), "%s",
          score.reason);
    score_free(&score);

    const char learn[] = "learn(model, b, loss);";
    char *place = strstr(source.data, learn);
    base_text careful = {0};
    CHECK(place != NULL, "%s", source.data);
    base_text_add(&careful, source.data, (size_t)(place - source.data));
    base_text_print(&careful, "if (learn(model, b, loss) < 0.1)\n            return;%s",
                    place + sizeof learn - 1);
    evaluate(careful.data, &settings, 1, &score);
    CHECK(score.status == SCORE_LIMIT && strstr(score.reason, "operations of this run"), "%s",
          score.reason);
    score_free(&score);
    base_text_free(&careful);
    base_text_free(&source);
}

static void memory_has_a_limit(void)
{
    evolve_settings settings = tiny_settings();
    score_result score;
    char source[2048];
    settings.memory = 16;
    snprintf(source, sizeof source,
             "%s\nvoid train(t5 *model, dataset *data)\n{\n    for (int i = 0; i < 8; i++)\n"
             "        adam(model, 0.9, 0.99, 1e-8, 0.0);\n"
             "    next(data, 8);\n}\n",
             tiny_source(8192, ""));
    evaluate(source, &settings, 1, &score);
    CHECK(score.status == SCORE_LIMIT && strstr(score.reason, "16 MiB"), "%s", score.reason);
    score_free(&score);
}

/* ---- calls as a hostile process would make them ---- */

/* One letter an argument: t, d, b, o for handles, i for int, f for double, j for an objective. */
static const struct {
    const char *name, *arguments;
    char result;
} signatures[] = {
    {"budget", "", 'i'},
    {"epochs", "", 'i'},
    {"pairs", "ii", 'h'},
    {"size", "d", 'i'},
    {"tokens", "di", 'i'},
    {"shuffle", "di", 'v'},
    {"sort_by_length", "d", 'v'},
    {"reverse", "d", 'v'},
    {"repeat", "di", 'v'},
    {"take", "di", 'v'},
    {"skip", "di", 'v'},
    {"append", "dd", 'v'},
    {"mix", "dd", 'v'},
    {"add", "ddi", 'v'},
    {"next", "di", 'h'},
    {"slice", "dii", 'h'},
    {"learn", "tbj", 'f'},
    {"clip", "tf", 'f'},
    {"sgd", "tffi", 'h'},
    {"rmsprop", "tffff", 'h'},
    {"adam", "tffff", 'h'},
    {"adamw", "tffff", 'h'},
    {"adamw_scaled", "tffff", 'h'},
    {"update", "of", 'v'},
    {"adafactor", "tfffii", 'h'},
    {"average", "tf", 'v'},
    {"take_average", "t", 'v'},
    {"cosine", "f", 'f'},
    {"square_root", "f", 'f'},
    {"power", "ff", 'f'},
    {"image_channels", "", 'i'},
    {"image_height", "", 'i'},
    {"image_width", "", 'i'},
    {"image_classes", "", 'i'},
    {"network_new", "", 'h'},
    {"conv2d", "diiiii", 'i'},
    {"linear", "dii", 'i'},
    {"relu", "d", 'v'},
    {"gelu", "d", 'v'},
    {"max_pool2d", "dii", 'v'},
    {"avg_pool2d", "dii", 'v'},
    {"batch_norm2d", "di", 'v'},
    {"dropout", "df", 'v'},
    {"flatten", "d", 'v'},
    {"depthwise2d", "diiii", 'i'},
    {"relu6", "d", 'v'},
    {"hard_swish", "d", 'v'},
    {"global_avg_pool2d", "d", 'v'},
    {"mark", "d", 'i'},
    {"residual", "di", 'v'},
    {"inputs", "", 'i'},
    {"outputs", "", 'i'},
};
enum { SIGNATURES = sizeof signatures / sizeof *signatures, OF_TABLES = 2 /* the last */ };

static const char *const term_names[] = {"label_smoothing", "z_loss", "end_weight", "edit_weight",
                                         "scale"};

static double any_double(base_random *r)
{
    static const double some[] = {0,    1,      -1,       0.5,       1e-8, 0.9, 1e300,
                                  -0.0, 1e-300, INFINITY, -INFINITY, NAN,  2};
    return some[base_random_below(r, sizeof some / sizeof *some)];
}

static int any_int(base_random *r)
{
    static const int some[] = {0, 1, 2, 3, 8, 16, 100, -1, INT32_MAX, INT32_MIN, 65537};
    return some[base_random_below(r, sizeof some / sizeof *some)];
}

/* Often a handle that there is, of whatever kind; sometimes none. */
static void *any_handle(base_random *r, const source_host *h)
{
    static const uintptr_t some[] = {0, (uintptr_t)-1, 0x7fffffff, 0x80000001, 1u << 20};
    if (base_random_below(r, 8) == 0)
        return (void *)some[base_random_below(r, 5)];
    uint32_t number = 1 + base_random_below(r, (uint32_t)h->count + 1);
    if (base_random_below(r, 2) == 0)
        number = 1 + base_random_below(r, 8);
    return (void *)(uintptr_t)number;
}

static void nothing_a_process_says_does_harm(void)
{
    evolve_settings settings = tiny_settings();
    settings.few_shot = 64;
    settings.memory = 64;
    base_error error;
    t5_tokenizer *tokenizer = source_tokenizer(&settings, &error);
    source_host *h = source_host_new(&settings, t5_tokenizer_size(tokenizer));
    const char *source = tiny_source(32, "");
    language_diagnostic diagnostic;
    language_program *program = source_parse("test.c", source, strlen(source), &diagnostic);
    source_executor executor = source_interpreter(program);
    t5_config config;
    source_host_model(h, &executor, "test.c", &config, &diagnostic);
    tensor_context *ctx = tensor_context_new();
    tensor_set_step_limit(ctx, 64 << 20);
    t5_model *model = t5_model_new(ctx, &config, true, &error);
    source_pairs *pairs = source_pairs_new(&settings, tokenizer, &error);
    source_plan plan = {.count = 64, .epochs = 1, .seed = 1};
    language_host bound = source_host_bound(h);
    base_random r = {11, base_random_stream("hostile", 0, 0, 0), 0};
    int done = 0, refused = 0;
    for (int round = 0; round < 20000; round++) {
        if (round == 500) /* before, there is no model to train */
            CHECK(source_host_begin(h, model, pairs, &plan, true, &error), "%s", error.text);
        int which = (int)base_random_below(&r, SIGNATURES - OF_TABLES);
        if (round > 501 && round < 600)
            which = 16 + (int)base_random_below(&r, 8); /* before the work runs out */
        language_value arguments[6], terms[5];
        int count = 0;
        for (const char *c = signatures[which].arguments; *c; c++, count++) {
            language_value *a = &arguments[count];
            if (*c == 'i')
                *a = (language_value){.kind = LANGUAGE_INT, .as.i = any_int(&r)};
            else if (*c == 'f')
                *a = (language_value){.kind = LANGUAGE_DOUBLE, .as.d = any_double(&r)};
            else if (*c == 'j') {
                for (int i = 0; i < 5; i++)
                    terms[i] = (language_value){.kind = LANGUAGE_DOUBLE,
                                                .as.d = base_random_below(&r, 5) ? i >= 2
                                                                                 : any_double(&r)};
                *a = (language_value){.kind = LANGUAGE_STRUCT, .as.fields = {terms, term_names, 5}};
            } else
                *a = (language_value){.kind = LANGUAGE_HANDLE,
                                      .as.handle = *c == 't' && base_random_below(&r, 2)
                                                       ? (void *)(uintptr_t)h->trained
                                                       : any_handle(&r, h)};
        }
        language_value result = {.kind = LANGUAGE_VOID};
        language_failure failure = LANGUAGE_RUN;
        char reason[200] = "";
        for (int i = 0; i < bound.count; i++)
            if (strcmp(bound.functions[i].name, signatures[which].name) == 0) {
                bool ok = bound.functions[i].call(bound.user, arguments, count, &result, &failure,
                                                  reason);
                done += ok;
                refused += !ok;
                CHECK(ok || (*reason && !strchr(reason, '\n')), "%s refuses without a word",
                      signatures[which].name);
            }
    }
    CHECK(done > 1000 && refused > 1000 && h->taken <= 64 && h->steps > 0,
          "%d done, %d refused, %d pairs taken", done, refused, (int)h->taken);
    language_program_free(program);
    source_host_free(h);
    source_pairs_free(pairs);
    t5_model_free(model);
    tensor_context_free(ctx);
    t5_tokenizer_free(tokenizer);
}

/* Every function that phoenix.h declares is there, and no other. */
static void every_function_is_bound(void)
{
    evolve_settings settings = tiny_settings();
    source_host *h = source_host_new(&settings, 300);
    language_host bound = source_host_bound(h);
    for (int i = 0; i < SIGNATURES; i++) {
        int found = 0;
        for (int j = 0; j < bound.count; j++)
            found += strcmp(bound.functions[j].name, signatures[i].name) == 0;
        CHECK(found == 1, "%s: %d", signatures[i].name, found);
    }
    /* t5_small, t5_new, cross_entropy, usual_recipe */
    CHECK(bound.count == SIGNATURES + 4, "%d functions", bound.count);
    source_host_free(h);
}

int main(void)
{
    the_default_in_full_trains_to_the_bit();
    compilers_take_the_default_without_a_word();
    scopes_write_out_what_they_may_change();
    every_choice_has_an_effect();
    halves_add_up();
    results_come_back();
    the_same_for_any_thread_count();
    datasets_are_lists_of_pairs();
    length_sorts();
    refusals();
    functions_of_another_type_are_no_train();
    operations_have_a_limit();
    memory_has_a_limit();
    nothing_a_process_says_does_harm();
    every_function_is_bound();
    return test_end();
}
