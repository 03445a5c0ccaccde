/* SPDX-License-Identifier: MIT */
/* test_cheats.c -- sources that want a better score than they have earned. None gets one.
 *
 * Each cheat is a train() or a data() of the same model, and its score is held against the honest
 * default's: it must be no better, or there must be none. Training is long enough here to learn
 * something (the loss falls from 6 to below 3 nats a token), so that a score has room to gain. */
#include "base/random.h"
#include "evolve/score/evaluate.h"
#include "evolve/source/prequential.h"
#include "tests/evolve/test_evolve.h"
#include "tests/evolve/test_score.h"

#include <math.h>

enum { PAIRS = 256 };

static evolve_settings settings_of(evolve_scope scope)
{
    evolve_settings settings = tiny_settings();
    settings.few_shot = PAIRS;
    settings.d_model = 32;
    settings.optimizer = NN_ADAMW;
    settings.form = EVOLVE_PROGRAM;
    settings.rate = 0.01;
    settings.form = EVOLVE_PROGRAM; /* of more tokens, so that 256 pairs teach it something */
    tiny_scope(&settings, scope);
    return settings;
}

#define SOURCE(rest)                                                            \
    "#include \"phoenix.h\"\n\nt5 *model(void)\n{\n"                            \
    "    t5_config config = t5_small();\n"                                      \
    "    config.num_layers = 1;\n    config.num_decoder_layers = 1;\n"          \
    "    config.num_heads = 2;\n    config.d_kv = 16;\n    config.d_ff = 32;\n" \
    "    return t5_new(config);\n}\n\n" rest
#define TRAIN(body) "void train(t5 *model, dataset *data)\n{\n" body "}\n"
#define DATA(body) \
    "dataset *data(void)\n{\n    dataset *d = pairs(0, 256);\n" body "    return d;\n}\n"
#define OPTIMIZER                                                \
    "    optimizer *o = adamw(model, 0.9, 0.999, 1e-8, 0.01);\n" \
    "    objective loss = cross_entropy();\n"

static void score_of(const char *source, evolve_settings *settings, score_result *score)
{
    *score = score_text(source, (score_request){.settings = settings, .file = "cheat.c"});
    score_free(score);
}

static double honest(evolve_settings *settings)
{
    score_result score;
    score_of(SOURCE(""), settings, &score);
    CHECK(score.status == SCORE_OK && score.score < 5, "%s %g", score.reason, score.score);
    return score.score;
}

typedef struct cheat {
    const char *name, *source;
} cheat;

/* The default's step. */
#define STEP                                                      \
    "        learn(model, b, loss);\n        clip(model, 1.0);\n" \
    "        update(o, 0.01 * (1.0 - i / 32.0));\n"

/* Those that are no errors: they train as well as they do, and that is what they are told. They
 * have the default's batches, rates and clipping, so that the cheat is all that differs. */
static const struct {
    const char *name;
    bool as_good; /* as much is learnt as by the default: a hair above or below it is luck */
    const char *source;
} idle[] = {
    {"stops at once", false, SOURCE(TRAIN("    clip(model, size(data));\n"))},
    {"stops after a batch", false,
     SOURCE(TRAIN(OPTIMIZER "    for (int i = 0; i < 1; i++) {\n"
                            "        batch *b = next(data, 8);\n" STEP "    }\n"))},
    {"stops when it looks good", false,
     SOURCE(TRAIN(OPTIMIZER "    for (int i = 0; i < 32; i++) {\n"
                            "        batch *b = next(data, 8);\n"
                            "        if (learn(model, b, loss) < 5.0)\n            return;\n"
                            "        clip(model, 1.0);\n"
                            "        update(o, 0.01 * (1.0 - i / 32.0));\n    }\n"))},
    {"has no data", false, SOURCE(DATA("    take(d, 0);\n"))},
    {"trains on half, twice", true, SOURCE(DATA("    take(d, 128);\n    repeat(d, 2);\n"))},
    {"trains on a few, over and over", true,
     SOURCE(DATA("    take(d, 16);\n    repeat(d, 16);\n"))},
    {"takes each batch twice", true,
     SOURCE(TRAIN(OPTIMIZER "    batch *b = next(data, 8);\n"
                            "    for (int i = 0; i < 32; i++) {\n"
                            "        if (i % 2 == 0)\n            b = slice(data, 4 * i, 8);\n" STEP
                            "    }\n"))},
    {"learns from one pair, eight at a time", false,
     SOURCE(DATA("    take(d, 1);\n    repeat(d, 256);\n"))},
    {"skips the hard ones", false, SOURCE(DATA("    sort_by_length(d);\n    take(d, 128);\n"))},
    {"skips the hard ones, and trains twice on the others", true,
     SOURCE(DATA("    sort_by_length(d);\n    take(d, 128);\n    repeat(d, 2);\n"))},
    {"puts the hard ones last", true, SOURCE(DATA("    sort_by_length(d);\n"))},
    {"puts the hard ones first", true, SOURCE(DATA("    sort_by_length(d);\n    reverse(d);\n"))},
    {"puts the first last", true, SOURCE(DATA("    reverse(d);\n"))},
    {"drops every second batch", false,
     SOURCE(TRAIN(OPTIMIZER "    for (int i = 0; i < 32; i += 2) {\n"
                            "        next(data, 8);\n        batch *b = next(data, 8);\n" STEP
                            "    }\n"))},
    {"warms up on pairs that do not count", true,
     SOURCE("dataset *data(void)\n{\n    dataset *d = pairs(256, 128);\n"
            "    append(d, pairs(0, 128));\n    return d;\n}\n")},
    {"trains only on pairs that do not count", true,
     SOURCE("dataset *data(void)\n{\n    return pairs(100000, 256);\n}\n")},
    {"learns from all at once", false,
     SOURCE(TRAIN(OPTIMIZER "    batch *b = next(data, 256);\n    learn(model, b, loss);\n"
                            "    for (int i = 0; i < 32; i++)\n"
                            "        update(o, 0.01 * (1.0 - i / 32.0));\n"))},
    {"looks before it learns", false,
     SOURCE(TRAIN(OPTIMIZER "    for (int i = 0; i < 32; i++) {\n"
                            "        batch *b = next(data, 8);\n"
                            "        learn(model, b, loss);\n        update(o, 0.0);\n" STEP
                            "    }\n"))},
    {"takes the last quarter first", true,
     SOURCE("dataset *data(void)\n{\n    dataset *d = pairs(192, 64);\n"
            "    append(d, pairs(0, 192));\n    return d;\n}\n")},
    {"takes the last quarter again and again", true,
     SOURCE("dataset *data(void)\n{\n    dataset *d = pairs(192, 64);\n"
            "    repeat(d, 4);\n    return d;\n}\n")},
    {"has each pair twice in its batch", true,
     SOURCE("dataset *data(void)\n{\n    dataset *d = pairs(0, 128);\n"
            "    mix(d, pairs(0, 128));\n    return d;\n}\n")},
    {"gives hard tokens no weight", false,
     SOURCE(TRAIN(OPTIMIZER "    loss.edit_weight = 0.0;\n"
                            "    for (int i = 0; i < 32; i++) {\n"
                            "        batch *b = next(data, 8);\n" STEP "    }\n"))},
    {"makes its losses small", false,
     SOURCE(TRAIN(OPTIMIZER "    loss.scale = 0.000001;\n"
                            "    for (int i = 0; i < 32; i++) {\n"
                            "        batch *b = next(data, 8);\n"
                            "        double l = learn(model, b, loss);\n        l = l * 0.0;\n"
                            "        update(o, l);\n    }\n"))},
};

/* The mean score over some seeds; and the mean of all losses that learn() reported, which is what a
 * host would give that took a program's training for the papers'. */
static double mean_score(const char *source, evolve_settings settings, double *reported)
{
    enum { SEEDS = 1 };
    double sum = 0;
    *reported = 0;
    for (int seed = 1; seed <= SEEDS; seed++) {
        score_result score;
        settings.seed = seed;
        score = score_text(source, (score_request){.settings = &settings, .file = "cheat.c"});
        CHECK(score.status == SCORE_OK, "%s", score.reason);
        sum += score.score / SEEDS;
        for (int i = 0; i < score.steps; i++)
            *reported += (double)score.losses[i] / (double)score.steps / SEEDS;
        score_free(&score);
    }
    return sum;
}

static void idleness_does_not_pay(void)
{
    static const evolve_scope scopes[] = {EVOLVE_LEARNING, EVOLVE_ALL, EVOLVE_LEARNING};
    static const evolve_scoring scores[] = {EVOLVE_MEAN, EVOLVE_BY_HELD_OUT, EVOLVE_LAST_QUARTER};
    int tempting = 0;
    for (int s = 0; s < 3; s++) {
        evolve_settings settings = settings_of(scopes[s]);
        settings.score = scores[s];
        double reported, fair = mean_score(SOURCE(""), settings, &reported);
        for (size_t i = 0; i < sizeof idle / sizeof *idle; i += TEST_SANITIZED ? 4 : 1) {
            double score = mean_score(idle[i].source, settings, &reported);
            /* Which pairs and in which order is free where held-out ones decide: more luck. */
            double luck = !idle[i].as_good ? 0 : s == 0 ? 0.01 : 0.03;
            CHECK(score >= (1 - luck) * fair, "%s: %.9g; the default has %.9g", idle[i].name, score,
                  fair);
            tempting += s == 0 && reported < 0.97 * fair;
        }
    }
    CHECK(tempting >= (TEST_SANITIZED ? 1 : 3), "only %d would have gained where they are believed",
          tempting);
}

/* Losses are measured without dropout, whether a pair is learnt from or only its turn has come: else a
 * data() of other pairs would have its score without dropout, and the honest one with it. */
static void other_pairs_are_measured_alike(void)
{
    static const char model[] =
        "#include \"phoenix.h\"\n\nt5 *model(void)\n{\n    t5_config config = t5_small();\n"
        "    config.num_layers = 1;\n    config.num_decoder_layers = 1;\n"
        "    config.num_heads = 2;\n    config.d_kv = 16;\n    config.d_ff = 32;\n"
        "    config.dropout_rate = 0.3;\n    return t5_new(config);\n}\n";
    static const char others[] = "\ndataset *data(void)\n{\n    return pairs(256, 256);\n}\n";
    evolve_settings settings = settings_of(EVOLVE_LEARNING);
    double reported, honest_score = mean_score(model, settings, &reported);
    base_text text = {0};
    base_text_print(&text, "%s%s", model, others);
    double score = mean_score(text.data, settings, &reported);
    CHECK(score >= 0.99 * honest_score, "%.9g with other pairs, %.9g with its own", score,
          honest_score);
    CHECK(reported > 1.05 * honest_score, "%.9g: the steps' losses have dropout", reported);
    base_text_free(&text);
}

/* A false word about the loss changes nothing: the same score, to the bit. */
static void a_false_loss_is_not_asked_for(void)
{
    static const char *const sources[] = {
        SOURCE(TRAIN(OPTIMIZER "    for (int i = 0; i < 32; i++) {\n"
                               "        batch *b = next(data, 8);\n"
                               "        double l = learn(model, b, loss);\n        l = 0.0 * l;\n"
                               "        clip(model, 1.0 + l);\n"
                               "        update(o, 0.01 * (1.0 - (double)i / 32));\n    }\n")),
        SOURCE("static double score(double loss)\n{\n    return 0.0 * loss;\n}\n\n" TRAIN(
            OPTIMIZER "    for (int i = 0; i < 32; i++) {\n        batch *b = next(data, 8);\n"
                      "        score(learn(model, b, loss));\n        clip(model, 1.0);\n"
                      "        update(o, 0.01 * (1.0 - (double)i / 32));\n    }\n")),
    };
    evolve_settings settings = settings_of(EVOLVE_LEARNING);
    double fair = honest(&settings);
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        score_result score;
        score_of(sources[i], &settings, &score);
        CHECK(score.status == SCORE_OK && fabs(score.score - fair) < 1e-15, "%s %.17g, not %.17g",
              score.reason, score.score, fair);
    }
}

/* The budget ends the training where the honest one ends. */
static void the_budget_is_the_hosts(void)
{
    static const cheat greedy[] = {
        {"ten epochs", SOURCE(DATA("    repeat(d, 10);\n") "\n" TRAIN(
                           OPTIMIZER "    for (int i = 0; i < 320; i++) {\n"
                                     "        batch *b = next(data, 8);\n"
                                     "        learn(model, b, loss);\n        clip(model, 1.0);\n"
                                     "        update(o, 0.005);\n    }\n"))},
        {"for ever", SOURCE(TRAIN(OPTIMIZER "    int i = 0;\n    while (1) {\n"
                                            "        batch *b = slice(data, i % 256, 8);\n"
                                            "        learn(model, b, loss);\n"
                                            "        clip(model, 1.0);\n        update(o, 0.005);\n"
                                            "        i += 8;\n    }\n"))},
        {"calls itself",
         SOURCE(TRAIN(OPTIMIZER "    for (int i = 0; i < 32; i++) {\n"
                                "        batch *b = next(data, 8);\n"
                                "        learn(model, b, loss);\n        clip(model, 1.0);\n"
                                "        update(o, 0.005);\n    }\n"
                                "    if (size(data))\n        train(model, data);\n"))},
        {"more than is left", SOURCE(DATA("    repeat(d, 2);\n") "\n" TRAIN(
                                  OPTIMIZER "    while (budget() >= 0) {\n"
                                            "        batch *b = next(data, 8);\n"
                                            "        learn(model, b, loss);\n"
                                            "        clip(model, 1.0);\n"
                                            "        update(o, 0.005);\n    }\n"))},
    };
    const char *once =
        SOURCE(TRAIN(OPTIMIZER "    for (int i = 0; i < 32; i++) {\n"
                               "        batch *b = next(data, 8);\n"
                               "        learn(model, b, loss);\n        clip(model, 1.0);\n"
                               "        update(o, 0.005);\n    }\n"));
    for (int scope = EVOLVE_LEARNING; scope <= EVOLVE_ALL; scope += EVOLVE_ALL - EVOLVE_LEARNING) {
        evolve_settings settings = settings_of((evolve_scope)scope);
        score_result want, got;
        score_of(once, &settings, &want);
        for (size_t i = 0; i < sizeof greedy / sizeof *greedy; i++) {
            score_of(greedy[i].source, &settings, &got);
            CHECK(want.status == SCORE_OK && got.status == SCORE_OK &&
                      fabs(got.score - want.score) < 1e-15 && got.steps == want.steps &&
                      got.flops == want.flops,
                  "%s: %s %.17g after %d steps, not %.17g", greedy[i].name, got.reason, got.score,
                  (int)got.steps, want.score);
        }
    }
}

/* Those that get a status instead of a score. */
static void crime_has_its_status(void)
{
    static const struct {
        const char *name, *source;
        score_status status;
    } crimes[] = {
        {"a learn() of its own",
         SOURCE("double learn(t5 *model, batch *b, objective o)\n{\n"
                "    return 0.0;\n}\n"),
         SCORE_CHECK},
        {"a loss as train()'s result",
         SOURCE("double train(t5 *model, dataset *data)\n{\n"
                "    clip(model, size(data));\n"
                "    return 0.0;\n}\n"),
         SCORE_CHECK},
        {"writes a file",
         SOURCE(TRAIN("    fopen(\"result.json\", \"w\");\n    clip(model, size(data));\n")),
         SCORE_PARSE},
        {"writes the result", SOURCE(TRAIN("    puts(model);\n    clip(model, size(data));\n")),
         SCORE_CHECK},
        {"includes more", "#include <stdio.h>\n" SOURCE(""), SCORE_PARSE},
        {"declares more", SOURCE("int system(int command);\n"), SCORE_PARSE},
        {"a pointer of its own", SOURCE(TRAIN("    clip(model + 1, size(data));\n")), SCORE_CHECK},
        {"the address of a handle", SOURCE(TRAIN("    clip(*model, size(data));\n")), SCORE_PARSE},
        {"a number as a handle", SOURCE(TRAIN("    clip((t5 *)1, size(data));\n")), SCORE_PARSE},
        {"pairs before the first", SOURCE(DATA("    append(d, pairs(-1, 1));\n")), SCORE_RUN},
        {"losses that are no number",
         SOURCE(TRAIN(OPTIMIZER "    for (int i = 0; i < 32; i++) {\n"
                                "        batch *b = next(data, 8);\n"
                                "        learn(model, b, loss);\n"
                                "        for (int k = 0; k < 8; k++)\n"
                                "            update(o, 1000.0);\n    }\n")),
         SCORE_RUN},
        {"weights that are no number at the very end", SOURCE("t5 *grow(t5 *model);\n"),
         SCORE_PARSE},
        {"a rate that is no number",
         SOURCE(TRAIN(OPTIMIZER "    double zero = size(data) - 256.0;\n"
                                "    batch *b = next(data, 8);\n"
                                "    learn(model, b, loss);\n    update(o, zero / zero);\n")),
         SCORE_RUN},
        {"a model of its own",
         SOURCE(TRAIN(OPTIMIZER "    t5 *other = t5_new(t5_small());\n"
                                "    batch *b = next(data, 8);\n"
                                "    learn(other, b, loss);\n"
                                "    update(o, 0.1);\n")),
         SCORE_RUN},
        {"trains in model(), where nothing is measured",
         "#include \"phoenix.h\"\n\nt5 *model(void)\n{\n    t5 *m = t5_new(t5_small());\n"
         "    optimizer *o = sgd(m, 0.0, 0.5, 0);\n    update(o, 1.0);\n    return m;\n}\n",
         SCORE_RUN},
        {"keeps its model for data() to train", SOURCE("static t5 *kept;\n"), SCORE_PARSE},
        {"has fewer words to choose from",
         "#include \"phoenix.h\"\n\nt5 *model(void)\n{\n    t5_config config = t5_small();\n"
         "    config.vocab_size = 64;\n    return t5_new(config);\n}\n",
         SCORE_RUN},
        {"has batches of nothing between the others, for their updates",
         SOURCE(TRAIN(OPTIMIZER "    for (int i = 0; i < 32; i++) {\n"
                                "        batch *b = next(data, 8);\n" STEP
                                "        learn(model, slice(data, 0, 0), loss);\n    }\n")),
         SCORE_RUN},
        {"waits",
         SOURCE(TRAIN("    while (size(data))\n        cosine(0.5);\n"
                      "    clip(model, 1.0);\n")),
         SCORE_LIMIT},
    };
    for (int scope = EVOLVE_LEARNING; scope <= EVOLVE_ALL; scope += EVOLVE_ALL - EVOLVE_LEARNING) {
        evolve_settings settings = settings_of((evolve_scope)scope);
        for (size_t i = 0; i < sizeof crimes / sizeof *crimes; i++) {
            score_result score;
            score_of(crimes[i].source, &settings, &score);
            bool stopped = score.status == crimes[i].status ||
                           (score.status == SCORE_CHECK && crimes[i].status == SCORE_PARSE);
            CHECK(stopped && *score.reason, "%s: %s: %s", crimes[i].name,
                  score_status_name(score.status), score.reason);
        }
    }
}

/* Weights that are ruined by the last update are none of the few-shot score's business, and all of
 * the held-out one's. */
static void ruin_at_the_end_shows_where_it_counts(void)
{
    const char *source =
        SOURCE(TRAIN("    optimizer *o = sgd(model, 0.0, 1000.0, 0);\n"
                     "    objective loss = cross_entropy();\n"
                     "    for (int i = 0; i < 32; i++) {\n        batch *b = next(data, 8);\n"
                     "        learn(model, b, loss);\n    }\n"
                     "    for (int i = 0; i < 60; i++)\n        update(o, 1000.0);\n"));
    evolve_settings settings = settings_of(EVOLVE_ALL);
    score_result score;
    score_of(source, &settings, &score);
    CHECK(score.status == SCORE_RUN && strstr(score.reason, "not a number"), "%s: %s",
          score_status_name(score.status), score.reason);
}

/* So it does where the pairs are measured on the way: all weights to 0 once the last has been. */
static void ruin_behind_the_last_measurement_does_not_pay(void)
{
    static const char steps[] =
        "    for (int i = 0; i < 32; i++) {\n        batch *b = next(data, 8);\n" STEP "    }\n";
    for (int score = EVOLVE_MEAN; score < EVOLVE_BY_HELD_OUT; score++) {
        evolve_settings settings = settings_of(EVOLVE_LEARNING);
        base_text text = {0};
        double reported, whole, ruined;
        settings.score = score;
        base_text_print(&text, "%svoid train(t5 *model, dataset *data)\n{\n%s%s}\n", SOURCE(""),
                        OPTIMIZER, steps);
        whole = mean_score(text.data, settings, &reported);
        base_text_clear(&text);
        base_text_print(&text,
                        "%svoid train(t5 *model, dataset *data)\n{\n%s%s"
                        "    optimizer *end = sgd(model, 0.0, 1.0, 0);\n"
                        "    for (int i = 0; i < 20; i++)\n        update(end, 0.999);\n}\n",
                        SOURCE(""), OPTIMIZER, steps);
        ruined = mean_score(text.data, settings, &reported);
        CHECK(ruined > 1.25 * whole, "%d: %.9g ruined, %.9g whole", score, ruined, whole);
        base_text_free(&text);
    }
}

/* Nor other ways to leave less than was measured: weights that are no numbers, and the first weights,
 * kept as an average. The mean of all losses is near enough to the first that these need not lose. */
static void what_is_left_is_what_counts(void)
{
#define END(decay, gradient)                                         \
    "    optimizer *end = sgd(model, 0.0, " decay ", 0);\n" gradient \
    "    for (int i = 0; i < 60; i++)\n"                             \
    "        update(end, 1000.0);\n"
    static const char *const ends[] = {
        END("0.0", "    learn(model, slice(data, 0, 1), loss);\n"),
        END("1.0", ""),
        "    take_average(model);\n",
    };
    enum { GRADIENT, OVERFLOW, FIRST_WEIGHTS };
    for (int score = EVOLVE_MEAN; score < EVOLVE_BY_HELD_OUT; score++)
        for (int i = GRADIENT; i <= FIRST_WEIGHTS; i++) {
            evolve_settings settings = settings_of(EVOLVE_LEARNING);
            score_result whole, left;
            base_text text = {0};
            settings.score = score;
            /* One batch less, so that the budget has a pair for the end. */
            for (int with_end = 0; with_end < 2; with_end++) {
                base_text_clear(&text);
                base_text_print(&text,
                                "%svoid train(t5 *model, dataset *data)\n{\n%s"
                                "    average(model, 1.0);\n    for (int i = 0; i < 31; i++) {\n"
                                "        batch *b = next(data, 8);\n%s    }\n%s}\n",
                                SOURCE(""), OPTIMIZER, STEP, with_end ? ends[i] : "");
                score_of(text.data, &settings, with_end ? &left : &whole);
            }
            base_text_free(&text);
            CHECK(whole.status == SCORE_OK, "%s", whole.reason);
            if (i == OVERFLOW)
                CHECK(left.status == SCORE_RUN && strstr(left.reason, "not a number"), "%d: %s %s",
                      score, score_status_name(left.status), left.reason);
            else
                CHECK(left.status == SCORE_OK &&
                          left.score >= (score == EVOLVE_MEAN ? 1 : 1.25) * whole.score,
                      "%d, end %d: %.9g, %.9g whole", score, i, left.score, whole.score);
        }
}

/* A train() that looks where it is, and is honest only there: it has the honest score, and shows what
 * it is with another budget, as the comparison at a run's end and the next T5's training have. */
static void who_looks_for_the_judge_gains_nothing(void)
{
    static const char source[] =
        SOURCE(TRAIN(OPTIMIZER "    int looked_at = budget() == 256 && epochs() == 1;\n"
                               "    for (int i = 0; i < 32; i++) {\n"
                               "        batch *b = next(data, 8);\n" STEP "    }\n"
                               "    if (!looked_at)\n        for (int i = 0; i < 20; i++)\n"
                               "            update(o, 900.0);\n"));
    evolve_settings settings = settings_of(EVOLVE_LEARNING);
    score_result got;
    score_of(source, &settings, &got);
    const double fair = honest(&settings);
    CHECK(got.status == SCORE_OK && fabs(got.score - fair) < 1e-15, "%s %.17g, not %.17g",
          got.reason, got.score, fair);
    settings.few_shot = 2 * PAIRS;
    score_of(source, &settings, &got);
    const double longer = honest(&settings);
    CHECK(got.status == SCORE_RUN || got.score > 1.25 * longer, "%s %.9g, %.9g honest", got.reason,
          got.score, longer);
}

/* While a program is planned no batch has a loss. One that sees that, and then takes larger batches
 * than it has shown, is charged for what it took, and stopped where that is more than a run has. */
static void the_plan_is_no_alibi(void)
{
    static const char *const sources[] = {
        SOURCE(TRAIN(OPTIMIZER "    int n = 8;\n    double l = learn(model, next(data, n), loss);\n"
                               "    if (l > 0.0)\n        n = 248;\n"
                               "    learn(model, next(data, n), loss);\n    update(o, 0.01);\n")),
        SOURCE(TRAIN(OPTIMIZER "    int n = 248;\n    learn(model, next(data, 8), loss);\n"
                               "    learn(model, next(data, n), loss);\n    update(o, 0.01);\n")),
    };
    evolve_settings settings = settings_of(EVOLVE_LEARNING);
    score_result sly, open;
    score_of(sources[0], &settings, &sly);
    score_of(sources[1], &settings, &open);
    CHECK(sly.status == SCORE_OK && open.status == SCORE_OK, "%s %s", sly.reason, open.reason);
    CHECK(fabs(sly.score - open.score) < 1e-15 && sly.flops == open.flops &&
              sly.peak_bytes == open.peak_bytes,
          "%lld operations and %lld bytes, not %lld and %lld", (long long)sly.flops,
          (long long)sly.peak_bytes, (long long)open.flops, (long long)open.peak_bytes);
    settings.max_flops = (double)open.flops - 1;
    score_of(sources[0], &settings, &sly);
    CHECK(sly.status == SCORE_LIMIT, "%s", score_status_name(sly.status));
}

/* Recipes that learn less, or leave something else than what was measured on the way, have no better a
 * score for it; a network that says more than it is asked has none. */
static void networks_do_not_cheat_either(void)
{
#define NETWORK(extra)                                                                       \
    "#include \"phoenix.h\"\n\nnetwork *model(void)\n{\n    network *net = network_new();\n" \
    "    flatten(net);\n    int n = inputs();\n    linear(net, n, 10" extra                  \
    ");\n    return net;\n}\n"
    static const struct {
        const char *line;
        double worse; /* at least so many times the honest score */
    } recipes[] = {
        {"r.batch = 65536;", 1.25},       {"r.rate = 0.0;", 1.25},
        {"r.warmup = 1000000000;", 1.25}, {"r.label_smoothing = 0.999;", 1.25},
        {"r.average = 0.999999;", 1}, /* which soon forgets the first weights: vision/train.c */
    };
    vision_set digits = {0};
    base_error error;
    evolve_settings settings;
    evolve_settings_preset(&settings, "quick", NULL);
    CHECK(evolve_settings_task(&settings, "digits", &error), "%s", error.text);
    settings.images = 1024;
    settings.held_images = 128;
    const evolve_options options = {.data = NULL};
    CHECK(evolve_task_read(&settings, &options, &digits, &error), "%s", error.text);
    for (int score = EVOLVE_MEAN; score <= EVOLVE_BY_HELD_OUT; score++) {
        settings.score = score;
        score_request request = {
            .file = "cheat.c", .settings = &settings, .images = &digits, .threads = 1};
        score_result fair, got;
        request.text = NETWORK("");
        request.length = strlen(request.text);
        score_of_source(&request, &fair);
        CHECK(fair.status == SCORE_OK && fair.score < 2, "%s", fair.reason);
        for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++) {
            base_text text = {0};
            base_text_print(&text, "%s%s%s%s", NETWORK(""),
                            "\nrecipe train(void)\n{\n    recipe r = usual_recipe();\n    ",
                            recipes[i].line, "\n    return r;\n}\n");
            request.text = text.data;
            request.length = text.length;
            score_of_source(&request, &got);
            CHECK(got.status == SCORE_OK && got.score >= recipes[i].worse * fair.score,
                  "%d, %s: %s %.9g, %.9g fair", score, recipes[i].line, got.reason, got.score,
                  fair.score);
            score_free(&got);
            base_text_free(&text);
        }
        request.text = NETWORK(" + 1");
        request.length = strlen(request.text);
        score_of_source(&request, &got);
        CHECK(got.status == SCORE_RUN, "%s", score_status_name(got.status));
        score_free(&got);
        score_free(&fair);
    }
    vision_set_free(&digits);
}

/* No number of a pair leads to the held-out ones, wherever the budget's pairs begin. */
static void held_out_pairs_are_out_of_reach(void)
{
    static const char *const sources[] = {
        SOURCE("dataset *data(void)\n{\n    return pairs(0, 16);\n}\n"),
        SOURCE("dataset *data(void)\n{\n    return pairs(1, 16);\n}\n"),
        SOURCE("dataset *data(void)\n{\n    return pairs(2147483647, 16);\n}\n"),
    };
    const int64_t edge = (int64_t)SOURCE_HELD_OUT, fresh = (int64_t)SOURCE_FRESH;
    const struct {
        int64_t first;
        bool reached[3]; /* by each source */
    } cases[] = {
        {0, {true, true, true}},
        {edge - 16, {true, false, false}},
        {edge - 2147483647 - 16, {true, true, true}},
        {edge - 2147483647 - 15, {true, true, false}},
        {edge, {false, false, false}},
        {fresh - 1, {false, false, false}},
        {fresh, {true, true, true}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int j = 0; j < 3; j++) {
            evolve_settings settings = settings_of(EVOLVE_ALL);
            score_result score;
            settings.few_shot = 16;
            settings.first_pair = cases[i].first;
            score_of(sources[j], &settings, &score);
            CHECK(score.status == (cases[i].reached[j] ? SCORE_OK : SCORE_RUN) &&
                      (cases[i].reached[j] || strstr(score.reason, "no such pairs")),
                  "first pair %lld, source %d: %s", (long long)cases[i].first, j, score.reason);
        }
}

/* The rule itself, against random programs: each of N pairs is measured once, before it is taken,
 * and pair i before more than i pairs are. */
static void each_pair_is_measured_in_time(void)
{
    base_random r = {5, base_random_stream("tally", 0, 0, 0), 0};
    for (int round = 0; round < 300; round++) {
        enum { MOST = 64 };
        int n = 1 + (int)base_random_below(&r, MOST), taken = 0;
        int measured[MOST] = {0};
        bool learnt[MOST] = {false};
        const uint64_t first = 1000;
        const int skipped = round % 2 ? 3 * n : 0, budget = skipped + n;
        const source_scored scored = {.first = first, .count = n, .skipped = skipped};
        source_prequential tally;
        CHECK(source_prequential_begin(&tally, &scored, NULL), "no memory");
        while (taken < budget) {
            int batch = 1 + (int)base_random_below(&r, 9);
            uint64_t index[9], due;
            if (base_random_below(&r, 20) == 0)
                break;
            batch = batch < budget - taken ? batch : budget - taken;
            for (int i = 0; i < batch; i++) {
                index[i] = first - 2 + base_random_below(&r, (uint32_t)n + 4);
                if (round % 3 == 0)
                    index[i] = first + (uint64_t)(taken + i) - (uint64_t)skipped;
                if (source_prequential_claim(&tally, index[i])) {
                    CHECK(index[i] >= first && index[i] < first + (uint64_t)n &&
                              !learnt[index[i] - first],
                          "pair %d", (int)index[i]);
                    measured[index[i] - first]++;
                }
            }
            while (source_prequential_due(&tally, taken + batch, &due)) {
                CHECK(round % 3 != 0 && !learnt[due - first], "pair %d", (int)due);
                measured[due - first]++;
            }
            for (int i = 0; i < batch; i++)
                if (index[i] >= first && index[i] < first + (uint64_t)n)
                    learnt[index[i] - first] = true;
            taken += batch;
            for (int i = 0; i < taken - skipped; i++)
                CHECK(measured[i] == 1, "pair %d measured %d times", i, measured[i]);
        }
        for (uint64_t due; source_prequential_due(&tally, budget, &due);)
            measured[due - first]++;
        for (int i = 0; i < n; i++)
            CHECK(measured[i] == 1, "pair %d measured %d times", i, measured[i]);
        source_prequential_end(&tally);
    }
}

int main(void)
{
    other_pairs_are_measured_alike();
    each_pair_is_measured_in_time();
    idleness_does_not_pay();
    a_false_loss_is_not_asked_for();
    the_budget_is_the_hosts();
    crime_has_its_status();
    ruin_at_the_end_shows_where_it_counts();
    ruin_behind_the_last_measurement_does_not_pay();
    what_is_left_is_what_counts();
    who_looks_for_the_judge_gains_nothing();
    the_plan_is_no_alibi();
    networks_do_not_cheat_either();
    held_out_pairs_are_out_of_reach();
    return test_end();
}
