/* SPDX-License-Identifier: MIT */
/* test_training.c -- there is one training: that which a source leaves out and that which it writes
 * out are the plain loop of plain_training.h, to the bit; and it goes the same way however often it
 * is interrupted, and with any number of threads. */
#include "evolve/source/host.h"
#include "nn/safetensors.h"
#include "tensor/context.h"
#include "tests/evolve/plain_training.h"
#include "tests/evolve/test_evolve.h"
#include "tests/test_malloc.h"

/* A training with all that it needs, of one source. */
typedef struct bench {
    const evolve_settings *settings;
    tensor_context *ctx;
    t5_tokenizer *tokenizer;
    language_program *program;
    t5_model *model;
    source_pairs *pairs;
    source_host *host;
    int64_t save_at, stop_at; /* steps; 0: never */
    long allocations[64];     /* after each step */
} bench;

static void bench_free(bench *b)
{
    source_host_free(b->host);
    source_pairs_free(b->pairs);
    t5_model_free(b->model);
    language_program_free(b->program);
    t5_tokenizer_free(b->tokenizer);
    tensor_context_free(b->ctx);
}

static bench bench_new(const char *source, const evolve_settings *settings, int threads)
{
    base_error error = {""};
    t5_config config;
    language_diagnostic diagnostic = {.text = ""};
    bench b = {.settings = settings, .ctx = tensor_context_new()};
    b.tokenizer = source_tokenizer(settings, &error);
    b.pairs = source_pairs_new(settings, b.tokenizer, &error);
    tensor_set_threads(b.ctx, threads);
    b.program = source_parse("test.c", source, strlen(source), &diagnostic);
    CHECK(b.pairs && b.program, "%s%s\n%s", error.text, diagnostic.text, source);
    if (!b.program)
        exit(test_end());
    b.host = source_host_new(settings, t5_tokenizer_size(b.tokenizer));
    source_executor executor = source_interpreter(b.program);
    CHECK(source_host_model(b.host, &executor, "test.c", &config, &diagnostic) == LANGUAGE_OK, "%s",
          diagnostic.text);
    b.model = t5_model_new(b.ctx, &config, true, &error);
    return b;
}

static bool on_step(void *user, int64_t taken, int64_t total)
{
    bench *b = user;
    base_error error = {""};
    int64_t step = source_host_steps(b->host);
    CHECK(taken > 0 && taken <= total, "%d pairs of %d", (int)taken, (int)total);
    b->allocations[step % 64] = allocations;
    if (step == b->save_at)
        CHECK(source_checkpoint_save(b->host, at("training"), NULL, &error), "%s", error.text);
    return step != b->stop_at;
}

static language_failure train(bench *b, const source_plan *plan, language_diagnostic *diagnostic)
{
    source_executor executor = source_interpreter(b->program);
    source_host_observe(b->host, (source_observer){on_step, b});
    return source_host_train(b->host, &executor, "test.c", b->model, b->pairs, plan, NULL,
                             diagnostic);
}

/* To its end. */
static void train_all(bench *b, const source_plan *plan)
{
    language_diagnostic diagnostic = {.text = ""};
    language_failure failure = train(b, plan, &diagnostic);
    CHECK(failure == LANGUAGE_OK, "%s\n%s", diagnostic.text, diagnostic.snippet);
}

/* Weights, losses and operations, to the bit. */
static void same(const bench *a, const bench *b, const char *what)
{
    nn_params *params_a = t5_model_params(a->model), *params_b = t5_model_params(b->model);
    size_t size = nn_params_size(params_a);
    int64_t steps = source_host_steps(a->host);
    CHECK(size == nn_params_size(params_b) &&
              memcmp(nn_params_values(params_a), nn_params_values(params_b),
                     size * sizeof(float)) == 0,
          "%s: other weights", what);
    CHECK(steps == source_host_steps(b->host) &&
              memcmp(source_host_losses(a->host), source_host_losses(b->host),
                     (size_t)steps * sizeof(float)) == 0,
          "%s: other losses, in %d and %d steps", what, (int)steps,
          (int)source_host_steps(b->host));
    CHECK(source_host_flops(a->host) == source_host_flops(b->host), "%s: other operations", what);
}

static const source_plan one_epoch = {.first = 3, .count = 44, .epochs = 1, .seed = 7};
static const source_plan two_epochs = {.first = 3, .count = 24, .epochs = 2, .seed = 7};

/* With dropout, so that its numbers have to continue as well. */
static const char *dropping_source(void)
{
    return tiny_source(64, "    config.dropout_rate = 0.1;\n");
}

/* ---- one training ---- */

static void it_is_the_plain_loop(const source_plan *plan)
{
    for (int i = 0; i < 4 * NN_OPTIMIZERS; i++) {
        evolve_settings settings = tiny_settings();
        settings.optimizer = i / 4;
        settings.schedule = i % 4;
        settings.warmup = i % 3;
        settings.epochs = plan->epochs;
        settings.clip = i % 2 ? 0.5 : 0;
        settings.smoothing = i % 3 == 0 ? 0.1 : 0;
        base_text written = {0};
        base_text_print(&written, "%s", dropping_source());
        source_default_data(&settings, &written);
        source_default_training(&settings, &written);
        plain_training want = plain_train(dropping_source(), &settings, plan);
        const char *const sources[] = {dropping_source(), written.data};
        for (int k = 0; k < 2; k++) {
            bench b = bench_new(sources[k], &settings, 1);
            train_all(&b, plan);
            CHECK(source_host_steps(b.host) == want.steps &&
                      memcmp(source_host_losses(b.host), want.losses,
                             (size_t)want.steps * sizeof(float)) == 0,
                  "optimizer %d, schedule %d: other losses, %d steps", i / 4, i % 4,
                  (int)source_host_steps(b.host));
            CHECK(memcmp(nn_params_values(t5_model_params(b.model)), want.weights,
                         want.size * sizeof(float)) == 0,
                  "optimizer %d, schedule %d: other weights", i / 4, i % 4);
            bench_free(&b);
        }
        free(want.weights);
        base_text_free(&written);
    }
}

/* The pairs of a training are those of the dataset, from `first` on: the first k of a long training
 * are a short one. */
static void a_plan_says_which_pairs(void)
{
    evolve_settings settings = tiny_settings();
    settings.schedule = NN_CONSTANT; /* any other one depends on how many steps there are */
    source_plan two_steps = {.first = 3, .count = 16, .epochs = 1, .seed = 7};
    source_plan later = two_steps;
    later.first = 11;
    language_diagnostic diagnostic;
    bench whole = bench_new(dropping_source(), &settings, 1);
    bench part = bench_new(dropping_source(), &settings, 1);
    bench shifted = bench_new(dropping_source(), &settings, 1);
    whole.stop_at = 2;
    CHECK(train(&whole, &one_epoch, &diagnostic) == LANGUAGE_LIMIT &&
              strstr(diagnostic.text, "stopped"),
          "%s", diagnostic.text);
    train_all(&part, &two_steps);
    train_all(&shifted, &later);
    CHECK(memcmp(source_host_losses(whole.host), source_host_losses(part.host),
                 2 * sizeof(float)) == 0,
          "the first 16 of 44 pairs have other losses");
    CHECK(source_host_losses(part.host)[0] != source_host_losses(shifted.host)[0],
          "other pairs, the same loss");
    bench_free(&whole);
    bench_free(&part);
    bench_free(&shifted);
}

static void threads_make_no_difference(void)
{
    evolve_settings settings = tiny_settings();
    settings.epochs = 2;
    bench one = bench_new(dropping_source(), &settings, 1);
    train_all(&one, &two_epochs);
    for (int threads = 2; threads <= 3; threads++) {
        bench more = bench_new(dropping_source(), &settings, threads);
        train_all(&more, &two_epochs);
        same(&one, &more, threads == 2 ? "2 threads" : "3 threads");
        CHECK(source_host_bytes(one.host) == source_host_bytes(more.host), "other bytes");
        bench_free(&more);
    }
    bench_free(&one);
}

/* Batches of the same eight pairs, in another order each epoch: after two of them all that a step
 * needs is there, and it allocates its batch, which the program may keep (two blocks, and now and
 * then a longer list of them), and nothing else. */
static void steady_state(int threads)
{
    evolve_settings settings = tiny_settings();
    settings.epochs = 8;
    const source_plan plan = {.count = 8, .epochs = 8, .seed = 1};
    bench b = bench_new(dropping_source(), &settings, threads);
    train_all(&b, &plan);
    for (int step = 2; step < 8 && can_count; step++) {
        long n = b.allocations[step + 1] - b.allocations[step];
        CHECK(n == 2 || n == 3, "%ld allocations in step %d, %d threads", n, step + 1, threads);
    }
    bench_free(&b);
}

/* ---- checkpoints ---- */

/* Two halves of a batch for one update, and a rate that falls when the loss or the norm does not. */
static const char halves[] =
    "void train(t5 *model, dataset *data)\n{\n"
    "    optimizer *o = adamw(model, 0.9, 0.999, 1e-8, 0.01);\n"
    "    objective half = cross_entropy();\n    half.scale = 0.5;\n"
    "    double rate = 0.01;\n    double best = 100.0;\n"
    "    for (int step = 0; step < 5; step++) {\n"
    "        batch *first = next(data, 4);\n        double loss = learn(model, first, half);\n"
    "        batch *second = next(data, 4);\n        loss += learn(model, second, half);\n"
    "        if (clip(model, 1.0) > 2.0)\n            rate *= 0.7;\n"
    "        if (loss < best)\n            best = loss;\n        else\n            rate *= 0.5;\n"
    "        update(o, rate);\n    }\n}\n";

/* Two optimizers, the second made on the way; a rate of all losses; an average. */
static const char two_optimizers[] =
    "void train(t5 *model, dataset *data)\n{\n"
    "    optimizer *fast = sgd(model, 0.9, 0.0, 1);\n"
    "    objective loss = cross_entropy();\n    double sum = 0.0;\n"
    "    for (int step = 0; step < 4; step++) {\n"
    "        batch *b = slice(data, 4 * step, 4);\n        sum += learn(model, b, loss);\n"
    "        update(fast, 0.1 * power(sum, -0.5));\n"
    "        if (step > 0)\n            average(model, 0.6);\n    }\n"
    "    optimizer *slow = adafactor(model, -0.8, 1.0, 0.0, 1, 1);\n"
    "    for (int step = 4; step < 7; step++) {\n"
    "        batch *b = slice(data, 4 * step, 4);\n        learn(model, b, loss);\n"
    "        update(slow, 1.0);\n        average(model, 0.6);\n    }\n"
    "    take_average(model);\n}\n";

/* The default train() on pairs in an order of its own. */
static const char short_first[] =
    "dataset *data(void)\n{\n    dataset *d = pairs(0, 24);\n    sort_by_length(d);\n"
    "    shuffle(d, 3);\n    return d;\n}\n";

static void a_saved_training_continues_the_same(const char *functions,
                                                const evolve_settings *settings,
                                                const source_plan *plan)
{
    char source[4096], what[64];
    base_error error = {""};
    language_diagnostic diagnostic;
    snprintf(source, sizeof source, "%s\n%s", dropping_source(), functions);
    bench whole = bench_new(source, settings, 1);
    train_all(&whole, plan);
    int64_t steps = source_host_steps(whole.host);
    CHECK(steps >= 3, "%d steps", (int)steps);
    for (int64_t k = 1; k <= steps; k++) {
        snprintf(what, sizeof what, "%s, saved after %d of %d steps",
                 nn_optimizer_names[settings->optimizer], (int)k, (int)steps);
        bench first = bench_new(source, settings, 1), second = bench_new(source, settings, 1);
        first.save_at = first.stop_at = k;
        CHECK(train(&first, plan, &diagnostic) == LANGUAGE_LIMIT, "%s: not stopped", what);
        CHECK(source_checkpoint_resume(second.host, at("training"), &error), "%s", error.text);
        second.save_at = k + 1 < steps ? k + 1 : 0; /* a checkpoint of what was resumed */
        train_all(&second, plan);
        same(&whole, &second, what);
        if (second.save_at) {
            bench third = bench_new(source, settings, 1);
            CHECK(source_checkpoint_resume(third.host, at("training"), &error), "%s", error.text);
            train_all(&third, plan);
            same(&whole, &third, what);
            bench_free(&third);
        }
        bench_free(&first);
        bench_free(&second);
    }
    bench_free(&whole);
}

static void every_training_can_be_continued(void)
{
    static const int optimizers[] = {NN_ADAMW, NN_SGD, NN_ADAFACTOR};
    evolve_settings settings = tiny_settings();
    settings.schedule = NN_COSINE;
    settings.warmup = 2;
    settings.smoothing = 0.1;
    for (size_t i = 0; i < sizeof optimizers / sizeof *optimizers; i++) {
        settings.optimizer = optimizers[i];
        settings.epochs = 1;
        a_saved_training_continues_the_same("", &settings, &one_epoch);
        settings.epochs = 2;
        a_saved_training_continues_the_same("", &settings, &two_epochs);
    }
    settings.epochs = 1;
    a_saved_training_continues_the_same(halves, &settings, &one_epoch);
    a_saved_training_continues_the_same(two_optimizers, &settings, &one_epoch);
    a_saved_training_continues_the_same(short_first, &settings, &one_epoch);
}

/* What is no checkpoint of this training is refused, with a word about it. */
static void refused(const char *source, const evolve_settings *settings, const source_plan *plan,
                    const char *what)
{
    base_error error = {""};
    language_diagnostic diagnostic = {.text = ""};
    bench b = bench_new(source, settings, 1);
    bool resumed = source_checkpoint_resume(b.host, at("training"), &error);
    CHECK(!resumed || train(&b, plan, &diagnostic) == LANGUAGE_LIMIT, "%s was taken", what);
    const char *said = resumed ? diagnostic.text : error.text;
    CHECK(strstr(said, resumed ? "checkpoint" : "training") && !strchr(said, '\n'), "%s: %s", what,
          said);
    CHECK(!tensor_planning(b.ctx), "%s: the context still plans", what);
    bench_free(&b);
}

static void what_does_not_fit_is_refused(void)
{
    evolve_settings settings = tiny_settings();
    base_error error = {""};
    language_diagnostic diagnostic;
    bench saved = bench_new(dropping_source(), &settings, 1);
    saved.save_at = saved.stop_at = 4;
    train(&saved, &one_epoch, &diagnostic);
    refused(tiny_source(80, ""), &settings, &one_epoch, "another model's training");
    source_plan shorter = one_epoch;
    shorter.count = 16;
    refused(dropping_source(), &settings, &shorter, "a training of more steps");
    settings.optimizer = NN_SGD;
    refused(dropping_source(), &settings, &one_epoch, "another optimizer's training");
    settings = tiny_settings();
    size_t size;
    char *bytes = slurp(at("training"), &size);
    for (size_t i = 0; i < 12; i++) {
        spill(at("training"), bytes, i < 10 ? size * i / 10 : size - (i - 9));
        refused(dropping_source(), &settings, &one_epoch, "a torn file");
    }
    unlink(at("training"));
    refused(dropping_source(), &settings, &one_epoch, "no file");
    CHECK(nn_params_save(t5_model_params(saved.model), at("training"), NULL, &error), "%s",
          error.text);
    refused(dropping_source(), &settings, &one_epoch, "a model without its training");
    CHECK(!source_checkpoint_save(saved.host, at("nowhere/training"), NULL, &error) &&
              strstr(error.text, "nowhere"),
          "%s", error.text);
    free(bytes);
    bench_free(&saved);
}

static void impossible_plans_are_errors(void)
{
    evolve_settings settings = tiny_settings();
    language_diagnostic diagnostic = {.text = ""};
    const source_plan plans[] = {{.count = INT64_MAX / 16, .epochs = 1},
                                 {.count = 1 << 20, .epochs = 1 << 12}};
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        bench b = bench_new(dropping_source(), &settings, 1);
        CHECK(train(&b, &plans[i], &diagnostic) == LANGUAGE_LIMIT &&
                  strstr(diagnostic.text, "pairs"),
              "%s", diagnostic.text);
        bench_free(&b);
    }
}

/* The tokenizer is a function of the settings. */
static void the_tokenizer_is_the_same_every_time(void)
{
    evolve_settings settings = tiny_settings();
    base_error error = {""};
    char hash[2][BASE_HASH_TEXT];
    for (int i = 0; i < 2; i++) {
        t5_tokenizer *tokenizer = source_tokenizer(&settings, &error);
        CHECK(tokenizer && t5_tokenizer_write(tokenizer, at("tokenizer.json"), hash[i], &error),
              "%s", error.text);
        CHECK(t5_tokenizer_size(tokenizer) <= settings.vocabulary, "%d tokens",
              t5_tokenizer_size(tokenizer));
        t5_tokenizer_free(tokenizer);
    }
    CHECK(strcmp(hash[0], hash[1]) == 0, "%s, %s", hash[0], hash[1]);
}

/* auto: comparing where the T5 writes by names. */
static void first_weights_follow_the_settings(void)
{
    static const struct {
        evolve_first_weights asked;
        evolve_form form;
        bool compares;
    } cases[] = {
        {EVOLVE_AUTO_WEIGHTS, EVOLVE_EDIT, false},   {EVOLVE_AUTO_WEIGHTS, EVOLVE_PROGRAM, false},
        {EVOLVE_AUTO_WEIGHTS, EVOLVE_BY_NAME, true}, {EVOLVE_INDEPENDENT, EVOLVE_BY_NAME, false},
        {EVOLVE_COMPARING, EVOLVE_PROGRAM, true},
    };
    tensor_context *ctx = tensor_context_new();
    base_error error = {""};
    t5_config config = t5_config_small();
    config.vocab_size = 300;
    config.d_model = 32;
    config.d_kv = 4;
    t5_model *model = t5_model_new(ctx, &config, false, &error);
    t5_model *wanted = t5_model_new(ctx, &config, false, &error);
    CHECK(model && wanted, "%s", error.text);
    for (size_t i = 0; i < sizeof cases / sizeof *cases && model && wanted; i++) {
        evolve_settings settings = tiny_settings();
        settings.first_weights = cases[i].asked;
        settings.form = cases[i].form;
        source_init_model(model, &settings, 3);
        (cases[i].compares ? t5_model_init_comparing : t5_model_init)(wanted, 3);
        CHECK(memcmp(nn_params_values(t5_model_params(model)),
                     nn_params_values(t5_model_params(wanted)),
                     nn_params_size(t5_model_params(model)) * sizeof(float)) == 0,
              "case %d: other weights", (int)i);
    }
    t5_model_free(model);
    t5_model_free(wanted);
    tensor_context_free(ctx);
}

int main(void)
{
    first_weights_follow_the_settings();
    see_whether_malloc_counts();
    steady_state(1);
    steady_state(2);
    if (!scratch_make()) {
        SKIP("no folder can be made");
        return test_end();
    }
    it_is_the_plain_loop(&one_epoch);
    it_is_the_plain_loop(&two_epochs);
    a_plan_says_which_pairs();
    threads_make_no_difference();
    every_training_can_be_continued();
    what_does_not_fit_is_refused();
    impossible_plans_are_errors();
    the_tokenizer_is_the_same_every_time();
    remove_all(scratch);
    return test_end();
}
