/* SPDX-License-Identifier: MIT */
/* test_networks.c -- networks for images as programs: what a source may build, how it is
 * refused, and what its score is made of. */
#include "evolve/score/evaluate.h"
#include "evolve/score/network.h"
#include "evolve/source/host.h"
#include "evolve/task.h"
#include "tests/evolve/test_evolve.h"
#include "tests/evolve/test_score.h"
#include <math.h>

#define SOURCE(body)                                                                         \
    "#include \"phoenix.h\"\n\nnetwork *model(void)\n{\n"                                    \
    "    network *net = network_new();\n    int c = image_channels();\n"                     \
    "    int h = image_height();\n    int w = image_width();\n    int n = c * h * w;\n" body \
    "    return net;\n}\n"
#define DENSE                                                          \
    "    flatten(net);\n    n = linear(net, n, 16);\n    relu(net);\n" \
    "    linear(net, n, image_classes());\n"

static vision_set digits;

static evolve_settings settings_of(const char *task)
{
    evolve_settings settings;
    base_error error = {""};
    evolve_settings_preset(&settings, "quick", &error);
    CHECK(evolve_settings_task(&settings, task, &error), "%s", error.text);
    settings.images = 200;
    settings.held_images = 100;
    return settings;
}

static score_result score_of(const char *source, const evolve_settings *settings, int threads)
{
    return score_text(source,
                      (score_request){.settings = settings, .images = &digits, .threads = threads});
}

/* The list of layers that a source builds, for the digits. */
static vision_architecture built(const char *source)
{
    evolve_settings settings = settings_of("digits");
    language_diagnostic diagnostic = {0};
    vision_architecture net = {.count = 0};
    vision_plan plan;
    source_host *host = source_host_new(&settings, 0);
    language_program *program = source_parse("test.c", source, strlen(source), &diagnostic);
    CHECK(host && program, "%s", diagnostic.text);
    source_executor executor = source_interpreter(program);
    CHECK(source_host_network(host, &executor, "test.c", &digits, &net, &plan, &diagnostic) ==
              LANGUAGE_OK,
          "%s", diagnostic.text);
    source_host_free(host);
    language_program_free(program);
    return net;
}

static void check_kinds(const vision_architecture *net, const vision_kind *kinds, int count)
{
    CHECK(net->count == count, "%d layers", net->count);
    for (int i = 0; i < net->count && i < count; i++)
        CHECK(net->layer[i].kind == kinds[i], "layer %d: kind %d", i, (int)net->layer[i].kind);
}

static void every_layer_can_be_said(void)
{
    static const vision_kind kinds[] = {VISION_CONV2D,     VISION_BATCH_NORM2D, VISION_GELU,
                                        VISION_MAX_POOL2D, VISION_CONV2D,       VISION_RELU,
                                        VISION_AVG_POOL2D, VISION_DROPOUT,      VISION_FLATTEN,
                                        VISION_LINEAR,     VISION_RELU,         VISION_LINEAR};
    const vision_architecture net = built(
        SOURCE("    c = conv2d(net, c, 4, 3, 1, 1);\n    batch_norm2d(net, c);\n    gelu(net);\n"
               "    max_pool2d(net, 2, 2);\n    c = conv2d(net, c, 6, 3, 2, 1);\n    relu(net);\n"
               "    avg_pool2d(net, 2, 2);\n    dropout(net, 0.25);\n    n = c * 2 * 2;\n" DENSE));
    check_kinds(&net, kinds, 12);
    CHECK(net.layer[4].in == 4 && net.layer[4].out == 6 && net.layer[4].kernel == 3 &&
              net.layer[4].stride == 2 && net.layer[4].padding == 1 && net.layer[7].rate >= 0.25 &&
              net.layer[7].rate <= 0.25,
          "other numbers");
}

/* Blocks in a loop, each with a sum over it. */
static void blocks_can_be_repeated(void)
{
    static const vision_kind kinds[] = {
        VISION_CONV2D,   VISION_DEPTHWISE2D, VISION_RELU6,       VISION_CONV2D,
        VISION_RESIDUAL, VISION_HARD_SWISH,  VISION_DEPTHWISE2D, VISION_RELU6,
        VISION_CONV2D,   VISION_RESIDUAL,    VISION_HARD_SWISH,  VISION_GLOBAL_AVG_POOL2D,
        VISION_FLATTEN,  VISION_LINEAR,      VISION_RELU,        VISION_LINEAR};
    const vision_architecture net =
        built(SOURCE("    c = conv2d(net, c, 8, 3, 2, 1);\n    for (int i = 0; i < 2; i++) {\n"
                     "        int from = mark(net);\n        c = depthwise2d(net, c, 5, 1, 2);\n"
                     "        relu6(net);\n        c = conv2d(net, c, c, 1, 1, 0);\n"
                     "        residual(net, from);\n        hard_swish(net);\n    }\n"
                     "    global_avg_pool2d(net);\n    n = c;\n" DENSE));
    check_kinds(&net, kinds, 16);
    CHECK(net.layer[4].in == 1 && net.layer[9].in == 6, "sums of %d and %d layers", net.layer[4].in,
          net.layer[9].in);
    CHECK(net.layer[6].in == 8 && net.layer[6].kernel == 5 && net.layer[6].padding == 2,
          "other numbers");
}

static void what_does_not_fit_is_refused(void)
{
    static const struct {
        const char *source, *reason;
        score_status status;
    } cases[] = {
        {"network *model(", "", SCORE_PARSE},
        {"#include \"phoenix.h\"\n\nt5 *model(void)\n{\n    return t5_new(t5_small());\n}\n",
         "network *model(void)", SCORE_CHECK},
        {SOURCE("    flatten(net);\n    linear(net, n + 1, image_classes());\n"),
         "layer 2, linear: takes 197 numbers and gets 196", SCORE_RUN},
        {SOURCE("    flatten(net);\n    linear(net, n, 9);\n"), "expected 10 numbers", SCORE_RUN},
        {SOURCE("    linear(net, n, image_classes());\n"), "gets images of 1x14x14", SCORE_RUN},
        {SOURCE("    c = conv2d(net, c, 4, 15, 1, 0);\n" DENSE), "does not fit", SCORE_RUN},
        {SOURCE("    dropout(net, 1.0);\n" DENSE), "rate is 1", SCORE_RUN},
        {SOURCE("    n = n + c - 1;\n"), "0 layers", SCORE_RUN},
        {SOURCE("    int from = mark(net);\n    c = conv2d(net, c, 4, 3, 1, 1);\n"
                "    residual(net, from);\n" DENSE),
         "layer 2, residual: adds 1x14x14 to 4x14x14", SCORE_RUN},
        {SOURCE("    residual(net, 1);\n" DENSE), "adds what 1 layers have given", SCORE_RUN},
        {SOURCE("    c = depthwise2d(net, 3, 3, 1, 1);\n" DENSE), "takes 3 channels and gets 1",
         SCORE_RUN},
        {SOURCE("    while (n > 0)\n        relu(net);\n"), "more than 160 layers", SCORE_LIMIT},
        {SOURCE("    while (n > 0)\n        net = network_new();\n"), "more than 16 networks",
         SCORE_LIMIT},
        {SOURCE("    while (n > 0)\n        c = n;\n"), "steps", SCORE_LIMIT},
        {SOURCE("    flatten(net);\n    n = linear(net, n, 200000);\n"
                "    linear(net, n, image_classes());\n"),
         "parameters: at most", SCORE_LIMIT},
        {SOURCE("    c = conv2d(net, c, 512, 3, 1, 1);\n    c = conv2d(net, c, 512, 3, 1, 1);\n"
                "    n = c * h * w;\n" DENSE),
         "operations: at most", SCORE_LIMIT},
    };
    evolve_settings settings = settings_of("digits");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        score_result score = score_of(cases[i].source, &settings, 1);
        CHECK(score.status == cases[i].status && strstr(score.reason, cases[i].reason),
              "case %zu: %s: %s", i, score_status_name(score.status), score.reason);
        score_free(&score);
    }
    settings.memory = 16;
    score_result score = score_of(SOURCE("    c = conv2d(net, c, 256, 3, 1, 1);\n"
                                         "    n = c * h * w;\n" DENSE),
                                  &settings, 1);
    CHECK(score.status == SCORE_LIMIT, "%s: %s", score_status_name(score.status), score.reason);
    score_free(&score);
    settings = settings_of("digits");
    settings.image_rate = 10;
    settings.image_epochs = 20;
    score =
        score_of(SOURCE("    c = conv2d(net, c, 8, 3, 1, 1);\n    c = conv2d(net, c, 8, 3, 1, 1);\n"
                        "    n = c * h * w;\n" DENSE),
                 &settings, 1);
    CHECK(score.status == SCORE_RUN && strstr(score.reason, "not a number"), "%s: %s",
          score_status_name(score.status), score.reason);
    score_free(&score);
}

/* What a network takes where it is used is refused before it is trained; up to the last byte it is
 * not. */
static void budgets_are_kept(void)
{
    static const char source[] = SOURCE("    c = conv2d(net, c, 4, 3, 2, 1);\n"
                                        "    batch_norm2d(net, c);\n    relu(net);\n"
                                        "    n = c * 7 * 7;\n" DENSE);
    const int64_t weights = 40 + 16 + 197 * 16 + 170, activations = 196 * 2,
                  flops = 2 * (36 * 49 + 196 * 16 + 160);
    evolve_settings settings = settings_of("digits");
    settings.budget_flash = 4 * weights;
    settings.budget_ram = 4 * activations;
    settings.budget_flops = (double)flops;
    score_result score = score_of(source, &settings, 1);
    CHECK(score.status == SCORE_OK, "%s", score.reason);
    score_free(&score);
    static const char *const reasons[] = {"13512 bytes: --budget-flash is 13511",
                                          "1568 bytes: --budget-ram is 1567",
                                          "operations: --budget-flops is"};
    for (int i = 0; i < 3; i++) {
        evolve_settings less = settings;
        less.budget_flash -= i == 0;
        less.budget_ram -= i == 1;
        less.budget_flops -= i == 2;
        score = score_of(source, &less, 1);
        CHECK(score.status == SCORE_LIMIT && strstr(score.reason, reasons[i]) && score.steps == 0,
              "%s", score.reason);
        score_free(&score);
    }
    settings.budget_int8 = 1;
    settings.budget_flash = weights;
    settings.budget_ram = activations;
    score = score_of(source, &settings, 1);
    CHECK(score.status == SCORE_OK, "%s", score.reason);
    score_free(&score);
    static const char *const whole[] = {"3378 bytes: --budget-flash is 3377",
                                        "392 bytes: --budget-ram is 391"};
    for (int i = 0; i < 2; i++) {
        evolve_settings less = settings;
        less.budget_flash -= i == 0;
        less.budget_ram -= i == 1;
        score = score_of(source, &less, 1);
        CHECK(score.status == SCORE_LIMIT && strstr(score.reason, whole[i]), "%s", score.reason);
        score_free(&score);
    }
}

#define MODEL SOURCE("    c = conv2d(net, c, 4, 3, 2, 1);\n    n = c * 7 * 7;\n" DENSE)

/* What train() says is how the network is trained; the rest is as usual. */
static void sources_say_how_they_are_trained(void)
{
    static const struct {
        const char *source, *reason;
        score_status status;
    } cases[] = {
        {MODEL "\nvoid train(void)\n{\n}\n", "expected recipe train(void)", SCORE_CHECK},
        {MODEL "\nrecipe train(void)\n{\n    recipe r = usual_recipe();\n    r.batch = 0;\n"
               "    return r;\n}\n",
         "train() returned a recipe whose batch is 0: expected 1 .. 65536", SCORE_RUN},
        {MODEL "\nrecipe train(void)\n{\n    recipe r = usual_recipe();\n    r.average = 1.0;\n"
               "    return r;\n}\n",
         "whose average is 1: expected 0 .. 0.999999", SCORE_RUN},
        {MODEL "\nrecipe train(void)\n{\n    recipe r = usual_recipe();\n    r.optimizer = 6;\n"
               "    return r;\n}\n",
         "whose optimizer is 6: expected 0 .. 5", SCORE_RUN},
    };
    evolve_settings settings = settings_of("digits");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        score_result score = score_of(cases[i].source, &settings, 1);
        CHECK(score.status == cases[i].status && strstr(score.reason, cases[i].reason),
              "case %zu: %s: %s", i, score_status_name(score.status), score.reason);
        score_free(&score);
    }
    score_result usual = score_of(MODEL, &settings, 1);
    score_result same =
        score_of(MODEL "\nrecipe train(void)\n{\n    return usual_recipe();\n}\n", &settings, 1);
    CHECK(same.status == SCORE_OK && same.steps == usual.steps &&
              memcmp(same.losses, usual.losses, (size_t)usual.steps * sizeof *same.losses) == 0 &&
              same.score_pair == usual.score_pair,
          "the usual recipe is another: %s", same.reason);
    static const char own[] = MODEL
        "\nrecipe train(void)\n{\n    recipe r = usual_recipe();\n"
        "    r.optimizer = UPDATE_ADAMW;\n    r.schedule = RATE_LINEAR;\n    r.warmup = 3;\n"
        "    r.batch = 8;\n    r.flip = 1;\n    r.shift = 0;\n    r.cut = 5;\n    r.rate = 0.002;\n"
        "    r.weight_decay = 0.01;\n    r.label_smoothing = 0.1;\n    r.average = 0.9;\n"
        "    r.mixup = 0.3;\n    return r;\n}\n";
    score_result other = score_of(own, &settings, 2);
    CHECK(other.status == SCORE_OK && other.steps == 50 && usual.steps == 14 &&
              other.peak_bytes < usual.peak_bytes,
          "%s, %lld steps", other.reason, (long long)other.steps);
    /* the same by hand */
    vision_plan plan = source_usual_plan(&settings);
    vision_architecture net = built(own);
    plan.optimizer = nn_optimizer_default(NN_ADAMW);
    plan.optimizer.rate = 0.002;
    plan.optimizer.weight_decay = 0.01;
    plan.schedule = (nn_schedule){.kind = NN_LINEAR, .warmup = 3};
    plan.batch = 8;
    plan.flip = true;
    plan.shift = 0;
    plan.cut = 5;
    plan.label_smoothing = 0.1;
    plan.average = 0.9;
    plan.mixup = 0.3;
    score_result hand = {.status = SCORE_OK};
    base_error error = {""};
    const score_request request = {.settings = &settings, .images = &digits, .threads = 1};
    CHECK(score_of_network(&net, &plan, &request, &hand, &error) == SCORE_OK, "%s", error.text);
    CHECK(hand.steps == 50 && memcmp(hand.losses, other.losses, 50 * sizeof *hand.losses) == 0 &&
              hand.score_pair == other.score_pair,
          "not what train() said");
    score_free(&usual);
    score_free(&same);
    score_free(&other);
    score_free(&hand);
}

/* What was planned is what was counted; threads make no difference; another seed does; a network
 * that learns gets more right than a guess. */
static void scores_are_what_they_say(void)
{
    static const char source[] = SOURCE("    c = conv2d(net, c, 8, 3, 1, 1);\n    relu(net);\n"
                                        "    max_pool2d(net, 2, 2);\n    n = c * 7 * 7;\n" DENSE);
    evolve_settings settings = settings_of("digits");
    settings.images = 1000;
    settings.held_images = 500;
    score_result one = score_of(source, &settings, 1), two = score_of(source, &settings, 2);
    CHECK(one.status == SCORE_OK && two.status == SCORE_OK, "%s", one.reason);
    CHECK(one.steps == 64 && memcmp(one.losses, two.losses, 64 * sizeof *one.losses) == 0 &&
              one.score == two.score && one.score_pair == two.score_pair,
          "%lld steps; threads make a difference", (long long)one.steps);
    CHECK(one.score < 0.5, "%g of the images are wrong", one.score); /* a guess: 0.9 */
    CHECK(one.parameters == 8 * 10 + (8 * 49 + 1) * 16 + 17 * 10, "%lld parameters",
          (long long)one.parameters);
    int64_t flops = (2 * 2 * 9 * 8 * 196 + 3 * 2 * (8 * 49 * 16 + 16 * 10)) * INT64_C(2000);
    CHECK(one.flops == flops, "%lld operations, by hand %lld", (long long)one.flops,
          (long long)flops);
    CHECK(fabs(one.score * 500 - round(one.score * 500)) < 1e-9, "no share of 500 images: %g",
          one.score);
    settings.score = EVOLVE_LAST_QUARTER; /* of the same training */
    score_result last = score_of(source, &settings, 1);
    double sum = 0;
    for (int i = 48; i < 64; i++)
        sum += (double)one.losses[i];
    CHECK(last.status == SCORE_OK && memcmp(last.losses, one.losses, 64 * sizeof *one.losses) == 0,
          "how it is scored changes the training");
    CHECK(last.score == sum / 16 && last.score_pair == sum / 16, "%.17g", last.score);
    score_free(&last);
    settings.seed = 2;
    score_result other = score_of(source, &settings, 1);
    CHECK(other.losses && other.losses[0] != one.losses[0], "another seed, the same start");
    settings.part = EVOLVE_FINAL;
    settings.final_epochs = 1;
    score_result final = score_of(source, &settings, 1);
    CHECK(final.status == SCORE_OK && final.steps == 75 &&
              fabs(final.score * 800 - round(final.score * 800)) < 1e-9,
          "%lld steps, %g", (long long) final.steps, final.score);
    score_free(&one);
    score_free(&two);
    score_free(&other);
    score_free(&final);
}

/* A set that is smaller than both parts together is shared out between them. */
static void small_sets_are_shared(void)
{
    evolve_settings settings = settings_of("digits");
    settings.images = 3 * 2400;
    settings.held_images = 2400;
    score_result score = score_of(SOURCE(DENSE), &settings, 1);
    CHECK(score.status == SCORE_OK && score.steps == 2 * ((1800 + 31) / 32), "%s, %lld steps",
          score.reason, (long long)score.steps);
    score_free(&score);
}

static void tasks_have_their_images(void)
{
    base_error error = {""};
    vision_set set = {0};
    const evolve_options nothing = {.data = NULL}, nowhere = {.data = "nowhere"};
    evolve_settings settings = settings_of("images");
    CHECK(!evolve_task_read(&settings, &nothing, &set, &error) && strstr(error.text, "--data"),
          "%s", error.text);
    CHECK(!evolve_task_read(&settings, &nowhere, &set, &error) && strstr(error.text, "nowhere"),
          "%s", error.text);
    settings = settings_of("mnist");
    CHECK(!evolve_task_read(&settings, &nowhere, &set, &error), "images from nowhere");
    settings = settings_of("self");
    CHECK(evolve_task_read(&settings, &nowhere, &set, &error) && set.train.count == 0,
          "the T5 needs no images");
}

/* The whole grammars: each network that they draw is a program that builds what fits, for images of
 * all the tasks' sizes; those worth deploying for any. */
static void drawn_networks_fit(mutation_grammar grammar, const vision_shape sizes[4])
{
    base_random random = {3, base_random_stream("test networks", 0, 0, 0), 0};
    base_text text = {0};
    for (int i = 0; i < 400; i++) {
        vision_shape size = sizes[i % 4];
        vision_set set = {.train = {.channels = size.channels,
                                    .height = size.height,
                                    .width = size.width,
                                    .classes = 7}};
        evolve_settings settings = settings_of("digits");
        mutation_tree tree = mutation_tree_sample(&grammar, &random);
        base_text_clear(&text);
        mutation_tree_print(&grammar, &tree, &text);
        language_diagnostic diagnostic = {0};
        vision_architecture net;
        vision_plan plan;
        source_host *host = source_host_new(&settings, 0);
        language_program *program = source_parse("test.c", text.data, text.length, &diagnostic);
        source_executor executor = source_interpreter(program);
        CHECK(program && source_host_network(host, &executor, "test.c", &set, &net, &plan,
                                             &diagnostic) == LANGUAGE_OK,
              "%s\n%s", diagnostic.text, text.data);
        source_host_free(host);
        language_program_free(program);
    }
    base_text_free(&text);
}

/* All the stages, each with as many of the longest blocks as it may have. */
static void the_longest_network_fits(void)
{
    mutation_grammar grammar = mutation_deploy_grammar(MUTATION_ARCHITECTURE);
    base_text text = {0};
    static const char *const holes[] = {"stages", "dropout", "entry_2", "entry_3", "entry_4"};
    for (int i = 0; i < 5; i++)
        grammar.begun[mutation_grammar_find(&grammar, holes[i], strlen(holes[i]))] =
            (signed char[]){4, 1, 2, 2, 2}[i];
    for (int stage = 0; stage < 4; stage++) {
        char block[] = "block_1", repeats[] = "repeats_1";
        block[6] = repeats[8] = (char)('1' + stage);
        grammar.begun[mutation_grammar_find(&grammar, block, 7)] = 4;
        grammar.begun[mutation_grammar_find(&grammar, repeats, 9)] = 3;
    }
    mutation_tree tree = mutation_tree_first(&grammar);
    mutation_tree_print(&grammar, &tree, &text);
    const vision_architecture net = built(text.data);
    CHECK(net.count == 3 + 27 + 3 * (6 + 27) + 4, "%d layers", net.count);
    base_text_free(&text);
}

int main(void)
{
    base_error error;
    if (!vision_digits(&digits, &error)) {
        CHECK(0, "%s", error.text);
        return test_end();
    }
    every_layer_can_be_said();
    blocks_can_be_repeated();
    what_does_not_fit_is_refused();
    budgets_are_kept();
    sources_say_how_they_are_trained();
    scores_are_what_they_say();
    small_sets_are_shared();
    tasks_have_their_images();
    drawn_networks_fit(mutation_network_grammar(),
                       (const vision_shape[]){{1, 14, 14}, {1, 28, 28}, {3, 32, 32}, {1, 8, 11}});
    drawn_networks_fit(mutation_deploy_grammar(MUTATION_ARCHITECTURE | MUTATION_LEARNING),
                       (const vision_shape[]){{1, 14, 14}, {1, 1, 1}, {3, 32, 32}, {16, 3, 1024}});
    the_longest_network_fits();
    vision_set_free(&digits);
    return test_end();
}
