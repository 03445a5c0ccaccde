/* test_pairs.c -- a training goes the same way however often it is saved and taken up, and
 * with any number of threads. */
#include "evolve/source/pairs.h"
#include "evolve/source/host.h"
#include "nn/safetensors.h"
#include "tests/evolve/test_evolve.h"
#include "tests/test_malloc.h"

#include <math.h>

/* A training with all that it hangs on. */
typedef struct bench {
    tensor_context *ctx;
    t5_tokenizer *tokenizer;
    t5_model *model;
    source_pairs *pairs;
    source_training *training;
} bench;

static void bench_free(bench *b)
{
    source_training_free(b->training);
    source_pairs_free(b->pairs);
    if (b->model)
        t5_model_free(b->model);
    if (b->tokenizer)
        t5_tokenizer_free(b->tokenizer);
    if (b->ctx)
        tensor_context_free(b->ctx);
}

static bench bench_of(const char *source, const evolve_settings *settings, const source_plan *plan,
                      int threads)
{
    base_error error = {""};
    t5_config config;
    language_diagnostic diagnostic;
    bench b = {.ctx = tensor_context_new(), .tokenizer = source_tokenizer(settings, &error)};
    tensor_set_threads(b.ctx, threads);
    CHECK(source_run_model("test.c", source, strlen(source), settings,
                           t5_tokenizer_size(b.tokenizer), &config, NULL,
                           &diagnostic) == LANGUAGE_OK,
          "%s", diagnostic.text);
    b.model = t5_model_new(b.ctx, &config, true, &error);
    b.pairs = source_pairs_new(settings, b.tokenizer, &error);
    b.training = source_training_new(b.model, b.pairs, settings, plan, &error);
    CHECK(b.model && b.pairs && b.training, "%s", error.text);
    return b;
}

/* With dropout, so that its numbers have to go on as well. */
static bench bench_new(const evolve_settings *settings, const source_plan *plan, int d_ff,
                       int threads)
{
    return bench_of(tiny_source(d_ff, "    config.dropout_rate = 0.1;\n"), settings, plan, threads);
}

static void step(bench *b, int64_t steps)
{
    base_error error = {""};
    for (int64_t i = 0; i < steps; i++)
        CHECK(source_training_step(b->training, &error), "%s", error.text);
}

static void step_to_the_end(bench *b)
{
    step(b, source_training_steps(b->training) - source_training_done(b->training));
}

/* Weights, losses and every figure, to the bit. */
static void same(const bench *a, const bench *b, const char *what)
{
    nn_params *params_a = t5_model_params(a->model), *params_b = t5_model_params(b->model);
    size_t size = nn_params_size(params_a);
    int64_t done = source_training_done(a->training);
    CHECK(size == nn_params_size(params_b) &&
              memcmp(nn_params_values(params_a), nn_params_values(params_b),
                     size * sizeof(float)) == 0,
          "%s: other weights", what);
    CHECK(done == source_training_done(b->training) &&
              memcmp(source_training_losses(a->training), source_training_losses(b->training),
                     (size_t)done * sizeof(float)) == 0,
          "%s: other losses", what);
    CHECK(source_training_score(a->training) == source_training_score(b->training) &&
              source_training_score_pair(a->training) == source_training_score_pair(b->training),
          "%s: other scores", what);
    CHECK(source_training_flops(a->training) == source_training_flops(b->training),
          "%s: %lld operations, and %lld", what, (long long)source_training_flops(a->training),
          (long long)source_training_flops(b->training));
}

static const source_plan one_epoch = {.first = 3, .count = 44, .epochs = 1, .seed = 7};
static const source_plan two_epochs = {.first = 3, .count = 20, .epochs = 2, .seed = 7};

static void a_saved_training_goes_on_the_same(int optimizer, const source_plan *plan)
{
    evolve_settings settings = tiny_settings();
    char what[64];
    base_error error = {""};
    settings.optimizer = optimizer;
    settings.schedule = NN_COSINE;
    settings.warmup = 2;
    settings.smoothing = 0.1;
    bench whole = bench_new(&settings, plan, 64, 1);
    step_to_the_end(&whole);
    CHECK(source_training_done(whole.training) == 6, "%d steps",
          (int)source_training_done(whole.training));
    for (int64_t k = 0; k <= 6; k += k == 3 ? 3 : 1) {
        char hash[BASE_HASH_TEXT], again[BASE_HASH_TEXT];
        bench first = bench_new(&settings, plan, 64, 1);
        step(&first, k);
        snprintf(what, sizeof what, "%s, %d epochs, saved after %d steps",
                 nn_optimizer_names[optimizer], (int)plan->epochs, (int)k);
        CHECK(source_training_save(first.training, at("training"), hash, &error), "%s", error.text);
        CHECK(base_file_hash(at("training"), again, &error) && strcmp(hash, again) == 0, "%s: hash",
              what);
        bench second = bench_new(&settings, plan, 64, 1);
        step(&second, k == 0 ? 1 : 0); /* whatever it had done is forgotten */
        CHECK(source_training_load(second.training, at("training"), &error), "%s", error.text);
        CHECK(source_training_done(second.training) == k, "%s", what);
        if (k > 0)
            same(&first, &second, what);
        step_to_the_end(&second);
        same(&whole, &second, what);
        bench_free(&first);
        bench_free(&second);
    }
    bench_free(&whole);
}

static void threads_make_no_difference(void)
{
    evolve_settings settings = tiny_settings();
    bench one = bench_new(&settings, &two_epochs, 64, 1);
    bench two = bench_new(&settings, &two_epochs, 64, 2);
    bench three = bench_new(&settings, &two_epochs, 64, 3);
    step_to_the_end(&one);
    step_to_the_end(&two);
    step_to_the_end(&three);
    same(&one, &two, "2 threads");
    same(&one, &three, "3 threads");
    CHECK(source_training_bytes(one.training) == source_training_bytes(two.training),
          "%zu bytes, and %zu", source_training_bytes(one.training),
          source_training_bytes(two.training));
    bench_free(&one);
    bench_free(&two);
    bench_free(&three);
}

/* 20 pairs in steps of 8 are 8 + 8 + 4, twice; the second time in another order. Where weights stay
 * as they are, a pair loses the same both times, and so do all of them together: but for the
 * rounding of some 500 additions in another order, 500 * 2^-53 = 6e-14. */
static void every_pair_once_an_epoch(void)
{
    evolve_settings settings = tiny_settings();
    settings.rate = settings.weight_decay = 0;
    bench b = bench_of(tiny_source(64, ""), &settings, &two_epochs, 1);
    step(&b, 3);
    double once = source_training_score_pair(b.training);
    step(&b, 3);
    double twice = source_training_score_pair(b.training);
    CHECK(source_training_steps(b.training) == 6, "%d steps",
          (int)source_training_steps(b.training));
    CHECK(fabs(twice - once) < 1e-12 * once, "%.17g a pair, then %.17g: not the same pairs", once,
          twice);
    const float *losses = source_training_losses(b.training);
    CHECK(memcmp(losses, losses + 3, 3 * sizeof *losses) != 0, "the second epoch is the first");
    bench_free(&b);
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
    bench whole = bench_new(&settings, &one_epoch, 64, 1);
    bench part = bench_new(&settings, &two_steps, 64, 1);
    bench shifted = bench_new(&settings, &later, 64, 1);
    step(&whole, 2);
    step_to_the_end(&part);
    step_to_the_end(&shifted);
    same(&whole, &part, "the first 16 of 44 pairs");
    CHECK(source_training_losses(whole.training)[0] != source_training_losses(shifted.training)[0],
          "other pairs, the same loss");
    CHECK(source_training_score_pair(part.training) == source_training_score_pair(whole.training),
          "16 pairs in both");
    bench_free(&whole);
    bench_free(&part);
    bench_free(&shifted);
}

static void refused(bench *b, const char *what)
{
    base_error error = {""};
    CHECK(!source_training_load(b->training, at("training"), &error), "%s was loaded", what);
    CHECK(strstr(error.text, "training") && !strchr(error.text, '\n'), "%s: %s", what, error.text);
}

static void what_does_not_fit_is_refused(void)
{
    evolve_settings settings = tiny_settings();
    base_error error = {""};
    bench saved = bench_new(&settings, &one_epoch, 64, 1);
    step(&saved, 4);
    CHECK(source_training_save(saved.training, at("training"), NULL, &error), "%s", error.text);
    bench larger = bench_new(&settings, &one_epoch, 80, 1);
    refused(&larger, "another model's training");
    source_plan shorter = one_epoch;
    shorter.count = 16;
    bench brief = bench_new(&settings, &shorter, 64, 1);
    refused(&brief, "a training of more steps");
    settings.optimizer = NN_SGD;
    bench other = bench_new(&settings, &one_epoch, 64, 1);
    refused(&other, "another optimizer's training");

    settings = tiny_settings();
    bench good = bench_new(&settings, &one_epoch, 64, 1);
    size_t size;
    char *bytes = slurp(at("training"), &size);
    for (size_t i = 0; i < 12; i++) {
        size_t cut = i < 10 ? size * i / 10 : size - (i - 9);
        spill(at("training"), bytes, cut);
        refused(&good, "a torn file");
    }
    unlink(at("training"));
    refused(&good, "no file");
    CHECK(nn_params_save(t5_model_params(saved.model), at("training"), NULL, &error), "%s",
          error.text);
    refused(&good, "a model without its training");
    spill(at("training"), bytes, size);
    CHECK(source_training_load(good.training, at("training"), &error), "%s", error.text);
    same(&saved, &good, "after all");
    free(bytes);
    CHECK(!source_training_save(saved.training, at("nowhere/training"), NULL, &error) &&
              strstr(error.text, "nowhere"),
          "%s", error.text);
    bench_free(&saved);
    bench_free(&larger);
    bench_free(&brief);
    bench_free(&other);
    bench_free(&good);
}

#if defined __SANITIZE_ADDRESS__
/* The address sanitizer ends a program that asks for too much, unless it is told not to. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}
#endif

/* More steps than there is memory for. */
static void impossible_plans_are_errors(void)
{
    evolve_settings settings = tiny_settings();
    base_error error = {""};
    bench b = bench_new(&settings, &one_epoch, 64, 1);
    source_plan endless = {.count = INT64_MAX / 16, .epochs = 1};
    settings.batch = 1;
    CHECK(!source_training_new(b.model, b.pairs, &settings, &endless, &error) &&
              strstr(error.text, "steps"),
          "%s", error.text);
    source_plan shuffled = {.count = (int64_t)1 << 33, .epochs = 2};
    CHECK(!source_training_new(b.model, b.pairs, &settings, &shuffled, &error) &&
              strstr(error.text, "pairs"),
          "%s", error.text);
    bench_free(&b);
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

/* Batches of the same eight pairs, in another order each epoch: after two of them, everything that
 * a step needs is there, pairs made and all, and malloc is not called again. */
static void steady_state(int threads)
{
    evolve_settings settings = tiny_settings();
    settings.batch = 8;
    const source_plan plan = {.count = 8, .epochs = 8, .seed = 1};
    bench b = bench_new(&settings, &plan, 64, threads);
    step(&b, 2);
    long before = allocations;
    step(&b, 6);
    long after = allocations;
    if (can_count)
        CHECK(after == before, "%ld allocations in 6 steps, %d threads", after - before, threads);
    bench_free(&b);
}

int main(void)
{
    see_whether_malloc_counts();
    steady_state(1);
    steady_state(2);
    if (!scratch_make()) {
        SKIP("no folder can be made");
        return test_end();
    }
    static const int optimizers[] = {NN_ADAMW, NN_SGD, NN_ADAFACTOR};
    for (size_t i = 0; i < sizeof optimizers / sizeof *optimizers; i++) {
        a_saved_training_goes_on_the_same(optimizers[i], &one_epoch);
        a_saved_training_goes_on_the_same(optimizers[i], &two_epochs);
    }
    threads_make_no_difference();
    every_pair_once_an_epoch();
    a_plan_says_which_pairs();
    what_does_not_fit_is_refused();
    impossible_plans_are_errors();
    the_tokenizer_is_the_same_every_time();
    remove_all(scratch);
    return test_end();
}
