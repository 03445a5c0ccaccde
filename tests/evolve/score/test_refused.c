/* SPDX-License-Identifier: MIT */
/* test_refused.c -- whoever embeds the library and has little memory: each allocation of loading, generating,
 * training and evaluating is refused once, in turn. Each time an error is reported, the process goes on, and
 * what was taken is given back, to an allocator of the caller's that counts it. */
#include "base/memory.h"
#include "evolve/score/evaluate.h"
#include "nn/optimizer.h"
#include "t5/t5.h"
#include "tests/evolve/test_evolve.h"
#include "vision/train.h"

enum { MOST = 2000 };

static struct {
    long asked, refuse; /* how often memory was asked for; which is refused, from 1 (0: none) */
    long held;          /* pieces that are not back */
} counter;

static void *resize(void *user, void *old, size_t size)
{
    (void)user;
    if (++counter.asked == counter.refuse)
        return NULL;
    void *piece = realloc(old, size);
    counter.held += piece && !old;
    return piece;
}

static void release(void *user, void *piece)
{
    (void)user;
    counter.held--;
    free(piece);
}

/* Runs `work`, which begins and ends with nothing in memory, until none of its allocations is left to refuse.
 * Where the library could do without what it was refused, the result is as ever. */
static void refuse_each(const char *name, bool (*work)(base_error *error), long at_least)
{
    bool good = false, whole = false;
    long n = 0, failed = 0;
    while (!whole && n < MOST) {
        base_error error = {""};
        size_t refusals = base_memory_refusals();
        counter.refuse = ++n;
        counter.asked = counter.held = 0;
        good = work(&error);
        whole = counter.asked < n;
        CHECK(good == (base_memory_refusals() == refusals), "%s: allocation %ld of %ld: %s", name,
              n, counter.asked, good ? "went on without it" : error.text);
        CHECK(good || *error.text, "%s: allocation %ld failed without a word", name, n);
        CHECK(counter.held == 0, "%s: allocation %ld: %ld pieces are not back", name, n,
              counter.held);
        failed += !good;
        counter.refuse = 0;
    }
    CHECK(good || n == MOST, "%s: all %ld allocations were given", name, counter.asked);
    CHECK(failed >= at_least, "%s: %ld allocations were refused", name, failed);
}

/* ---- a T5: written once, read and used ---- */

static t5_config tiny_config(void)
{
    t5_config c = t5_config_small();
    c.vocab_size = T5_LEAST_TOKENS;
    c.d_model = c.d_kv = c.d_ff = 8;
    c.num_layers = c.num_decoder_layers = c.num_heads = 1;
    return c;
}

static bool make_folder(base_error *error)
{
    const char *text = "int x;";
    t5_tokenizer *tokenizer = t5_tokenizer_train(&text, 1, T5_LEAST_TOKENS, error);
    tensor_context *ctx = tensor_context_open(1, error);
    t5_config config = tiny_config();
    t5_model *model = ctx && tokenizer ? t5_model_new(ctx, &config, false, error) : NULL;
    if (model)
        t5_model_init(model, 1);
    bool good = model && t5_folder_write(model, tokenizer, at("t5"), NULL, error);
    t5_tokenizer_free(tokenizer);
    t5_model_free(model);
    tensor_context_free(ctx);
    return good;
}

static bool generate(t5_model *model, const t5_tokenizer *tokenizer, int beams, base_error *error)
{
    int ids[16], count = t5_tokenize(tokenizer, "int x;", 6, ids, 16);
    t5_sample samples[3];
    t5_request request = {.source = ids, .source_count = count, .count = 3, .most = 5, .seed = 1};
    request.sampling = t5_sampling_default();
    request.sampling.beams = beams;
    if (count > 16)
        return base_fail(error, "tokenize: no memory");
    if (!t5_generate(model, &request, samples, error))
        return false;
    base_text text = {0};
    for (int i = 0; i < 3; i++)
        t5_detokenize(tokenizer, samples[i].ids, samples[i].count, &text);
    bool good = !text.failed || base_fail(error, "detokenize: no memory");
    base_text_free(&text);
    t5_samples_free(samples, 3);
    return good;
}

static bool load_and_generate(base_error *error)
{
    t5_tokenizer *tokenizer = NULL;
    tensor_context *ctx = tensor_context_open(1, error);
    t5_model *model = ctx ? t5_folder_read(ctx, at("t5"), false, &tokenizer, error) : NULL;
    bool good =
        model && generate(model, tokenizer, 1, error) && generate(model, tokenizer, 3, error);
    if (model)
        t5_tokenizer_free(tokenizer);
    t5_model_free(model);
    tensor_context_free(ctx);
    return good;
}

typedef struct training {
    t5_model *model;
    t5_batch batch;
    nn_optimizer *optimizer;
} training;

static void steps(void *argument)
{
    training *t = argument;
    float losses[64];
    nn_params *params = t5_model_params(t->model);
    for (uint64_t step = 0; step < 2; step++) {
        nn_zero_grad(params);
        t5_step(t->model, &t->batch, NULL, 1, step, losses);
        nn_optimizer_step(t->optimizer, 1, nn_clip_scale(nn_grad_norm(params), 1));
    }
}

static bool train(base_error *error)
{
    training t = {0};
    char reason[256];
    const int ids[] = {5, 6, 7, 8, 9, 10, 11, 12};
    tensor_context *ctx = tensor_context_open(2, error);
    t5_config config = tiny_config();
    t.model = ctx ? t5_model_new(ctx, &config, true, error) : NULL;
    bool good = t.model != NULL;
    for (int i = 0; i < 4 && good; i++)
        good = t5_batch_add(&t.batch, ids, 3 + i, ids + i, 4) || base_fail(error, "no memory");
    nn_optimizer_config how = nn_optimizer_default(NN_ADAMW);
    if (good)
        t5_model_init(t.model, 1);
    good = good && (t.optimizer = nn_optimizer_new(t5_model_params(t.model), &how, error));
    if (good && !tensor_guarded(ctx, steps, &t, reason))
        good = base_fail(error, "%s", reason);
    nn_optimizer_free(t.optimizer);
    t5_batch_free(&t.batch);
    t5_model_free(t.model);
    tensor_context_free(ctx);
    return good;
}

/* ---- a network ---- */

enum { SIDE = 8, IMAGES = 6 };

static bool train_network(base_error *error)
{
    static unsigned char pixels[IMAGES * SIDE * SIDE], labels[IMAGES] = {0, 1, 2, 0, 1, 2};
    static int index[IMAGES] = {0, 1, 2, 3, 4, 5};
    vision_images images = {
        .count = IMAGES, .channels = 1, .height = SIDE, .width = SIDE, .classes = 3};
    images.pixels = pixels;
    images.labels = labels;
    vision_part part = {&images, index, IMAGES};
    vision_architecture net = {.count = 4};
    net.layer[0] = (vision_layer){
        .kind = VISION_CONV2D, .in = 1, .out = 4, .kernel = 3, .stride = 1, .padding = 1};
    net.layer[1] = (vision_layer){.kind = VISION_BATCH_NORM2D, .in = 4};
    net.layer[2] = (vision_layer){.kind = VISION_FLATTEN};
    net.layer[3] = (vision_layer){.kind = VISION_LINEAR, .in = 4 * SIDE * SIDE, .out = 3};
    vision_shape input = {1, SIDE, SIDE};
    vision_normal normal = vision_normal_of(&part);
    vision_plan plan = {.epochs = 1, .batch = 4, .shift = 1, .seed = 2};
    plan.optimizer = nn_optimizer_default(NN_SGD);
    vision_result result;
    int64_t done;
    tensor_context *ctx = tensor_context_open(1, error);
    vision_network *network = ctx ? vision_network_new(ctx, &net, input, 1, error) : NULL;
    bool good = network && vision_train(network, &part, &normal, &plan, NULL, &done, error) &&
                vision_measure(network, &part, &normal, 4, &result, error);
    vision_network_free(network);
    tensor_context_free(ctx);
    return good;
}

/* ---- a source's score ---- */

static evolve_settings settings;

static bool evaluate(base_error *error)
{
    const char *source = tiny_source(64, "");
    score_result score;
    score_of_source(&(score_request){.file = "test.c",
                                     .text = source,
                                     .length = strlen(source),
                                     .settings = &settings,
                                     .threads = 1},
                    &score);
    bool good = score.status == SCORE_OK ||
                base_fail(error, "%s: %s", score_status_name(score.status), score.reason);
    score_free(&score);
    return good;
}

int main(void)
{
    base_error error = {""};
    if (!scratch_make()) {
        perror("mkdtemp");
        return 1;
    }
    at("t5"); /* which keeps its path */
    settings = tiny_settings();
    base_memory_use(&(base_allocator){resize, release, NULL});
    CHECK(make_folder(&error), "%s", error.text);
    refuse_each("load, generate", load_and_generate, 100);
    refuse_each("train", train, 20);
    refuse_each("train a network", train_network, 10);
    refuse_each("evaluate", evaluate, 200);
    base_memory_use(NULL);
    remove_all(scratch);
    return test_end();
}
