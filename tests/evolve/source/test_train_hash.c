/* SPDX-License-Identifier: MIT */
/* test_train_hash.c -- training ends in the same bits everywhere (docs/order-of-sums.md).
 *
 * A small T5, a convolutional network written out op by op, and three that vision/ runs are trained
 * for 50 steps each, from data and weights drawn by counter. What counts is one SHA-256 of each
 * training: of its losses, step by step, and of the weights at the end.
 *
 *   test_train_hash        every kernel set of this machine, with 1, 2 and 3 threads: one hash
 *   test_train_hash SET    prints the hashes, from that set with 2 threads
 *   test_train_hash sets   prints the sets' names; for tests/suite_bits.sh, which compares many
 *                          builds
 *
 * The sets that have no fma compute it exactly, and slowly. They go all the way with 2 threads, and
 * with 1 and 3 only as far as EARLY, where the hash is taken as well. The network of the paper's
 * Table 2 would take them minutes: they and the plain set train one of its form with an eighth of
 * the channels, as all others do too, and a "-" stands where its hash would. */
#include "base/hash.h"
#include "nn/optimizer.h"
#include "t5/t5.h"
#include "tensor/kernel.h"
#include "tests/test.h"
#include "tests/vision/test_vision.h"
#include "vision/train.h"

#include <math.h>

enum { STEPS = 50, EARLY = 3, TERM = 10 };

/* ---- the hash ---- */

typedef struct trained {
    char early[BASE_HASH_TEXT], whole[BASE_HASH_TEXT]; /* after EARLY steps, after STEPS */
    double first, last;                                /* mean losses of as many steps as TERM */
} trained;

/* Lowest byte first, whatever the machine's order. */
static void add_word(base_hash *hash, uint64_t word, size_t bytes)
{
    uint8_t byte[8];
    for (size_t i = 0; i < bytes; i++)
        byte[i] = (uint8_t)(word >> 8 * i);
    base_hash_add(hash, byte, bytes);
}

static void add_floats(base_hash *hash, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        add_word(hash, bits, sizeof bits);
    }
}

static void add_loss(base_hash *hash, double loss)
{
    uint64_t bits;
    memcpy(&bits, &loss, sizeof bits);
    add_word(hash, bits, sizeof bits);
}

/* The digest of what is in the hash and some floats, leaving the hash as it is. */
static void digest_with(const base_hash *hash, const float *x, size_t n, char text[BASE_HASH_TEXT])
{
    base_hash copy = *hash;
    add_floats(&copy, x, n);
    base_hash_end_text(&copy, text);
}

static void after_step(trained *t, base_hash *hash, int step, double loss, const nn_params *params)
{
    add_loss(hash, loss);
    if (step < TERM)
        t->first += loss / TERM;
    if (step >= STEPS - TERM)
        t->last += loss / TERM;
    if (step == EARLY - 1)
        digest_with(hash, nn_params_values(params), nn_params_size(params), t->early);
    if (step == STEPS - 1)
        digest_with(hash, nn_params_values(params), nn_params_size(params), t->whole);
}

/* ---- what both trainings need ---- */

static tensor_context *context(const char *kernels, int threads)
{
    setenv("PHOENIX_KERNEL", kernels, 1);
    tensor_context *ctx = tensor_context_new();
    if (!ctx) {
        printf("no context for kernels %s\n", kernels);
        exit(1);
    }
    tensor_set_threads(ctx, threads);
    return ctx;
}

static void must(bool ok, const base_error *error)
{
    if (ok)
        return;
    printf("%s\n", error->text);
    exit(1);
}

static nn_optimizer *adamw(nn_params *params)
{
    base_error error = {""};
    nn_optimizer_config config = nn_optimizer_default(NN_ADAMW);
    config.rate = 3e-3;
    nn_optimizer *optimizer = nn_optimizer_new(params, &config, &error);
    must(optimizer, &error);
    return optimizer;
}

static void update(nn_optimizer *optimizer, nn_params *params, int step)
{
    const nn_schedule schedule = {.kind = NN_LINEAR, .warmup = 5, .total = STEPS, .floor = 0.1};
    float clip = nn_clip_scale(nn_grad_norm(params), 1);
    nn_optimizer_step(optimizer, nn_schedule_factor(&schedule, step), clip);
}

/* ---- a T5 ---- */

/* Sizes that fill no tile; gated, so that tanh takes part as well. */
static t5_config config_of_t5(void)
{
    t5_config c = t5_config_small();
    c.vocab_size = 41;
    c.d_model = 30;
    c.d_kv = 9;
    c.num_heads = 2;
    c.d_ff = 66;
    c.num_layers = c.num_decoder_layers = 2;
    c.relative_attention_num_buckets = 8;
    c.relative_attention_max_distance = 16;
    c.feed_forward_proj = T5_GATED_GELU;
    c.dropout_rate = 0.1;
    return c;
}

enum { LONGEST = 21, TOO_MANY = 110, LARGE_STEP = 20 };

/* Two sequences of 1 to 21 tokens each way; once so many that t5_step takes them in slices, and
 * that threads share out single products. A target's tokens are one of three, by its source's first
 * token, which can be learnt. */
static void draw_sequences(t5_batch *batch, int step)
{
    base_random r = {.seed = 3, .stream = base_random_stream("sequences", (uint64_t)step, 0, 0)};
    int sequences = step == LARGE_STEP ? TOO_MANY : 2;
    t5_batch_clear(batch);
    for (int i = 0; i < sequences; i++) {
        int source[LONGEST], target[LONGEST];
        int from = 1 + (int)base_random_below(&r, LONGEST);
        int to = 1 + (int)base_random_below(&r, LONGEST);
        for (int j = 0; j < from; j++)
            source[j] = 2 + (int)base_random_below(&r, 39);
        for (int j = 0; j < to; j++)
            target[j] = 2 + source[0] % 3;
        if (!t5_batch_add(batch, source, from, target, to))
            exit(1);
    }
}

static trained train_t5(const char *kernels, int threads, int steps)
{
    static float row_loss[TOO_MANY * LONGEST];
    const tensor_objective objective = {.smoothing = 0.1F, .z_loss = 1e-3F};
    tensor_context *ctx = context(kernels, threads);
    t5_config config = config_of_t5();
    base_error error = {""};
    t5_model *model = t5_model_new(ctx, &config, true, &error);
    must(model, &error);
    t5_model_init(model, 1);
    nn_params *params = t5_model_params(model);
    nn_optimizer *optimizer = adamw(params);
    t5_batch batch = {0};
    trained t = {.first = 0};
    base_hash hash;
    base_hash_start(&hash);
    for (int step = 0; step < steps; step++) {
        draw_sequences(&batch, step);
        nn_zero_grad(params);
        double loss = t5_step(model, &batch, &objective, 2, (uint64_t)step, row_loss);
        add_floats(&hash, row_loss, (size_t)batch.target_rows);
        update(optimizer, params, step);
        after_step(&t, &hash, step, loss, params);
    }
    t5_batch_free(&batch);
    nn_optimizer_free(optimizer);
    t5_model_free(model);
    tensor_context_free(ctx);
    return t;
}

/* ---- a network for images ---- */

/* conv 3 -> 32, batch norm, relu; conv 32 -> 32, batch norm, relu, maxima of 2x2; conv 32 -> 20
 * with stride 2, relu, the mean of each channel; linear. So there is a first layer, one of enough
 * channels for Winograd's method, and one whose stride rules that out. Images are of any size. */
enum { CHANNELS = 32, NARROW = 20, CLASSES = 5, IMAGES = 9, LARGEST = 16 };

typedef struct network {
    tensor *conv[3], *shift[3], *scale[2], *offset[2], *linear, *bias;
    float mean[2][CHANNELS], variance[2][CHANNELS];
} network;

static void start_network(network *net, nn_params *params)
{
    static const int shape[3][4] = {
        {CHANNELS, 3, 3, 3}, {CHANNELS, CHANNELS, 3, 3}, {NARROW, CHANNELS, 3, 3}};
    static const int inputs[3] = {3 * 9, CHANNELS * 9, CHANNELS * 9};
    base_error error = {""};
    char name[32];
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "conv.%d", i);
        net->conv[i] = nn_param(params, name, 4, shape[i]);
        snprintf(name, sizeof name, "conv.%d.bias", i);
        net->shift[i] = nn_param(params, name, 1, shape[i]);
    }
    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "norm.%d", i);
        net->scale[i] = nn_param(params, name, 1, (const int[]){CHANNELS});
        snprintf(name, sizeof name, "norm.%d.bias", i);
        net->offset[i] = nn_param(params, name, 1, (const int[]){CHANNELS});
    }
    net->linear = nn_param(params, "linear", 2, (const int[]){CLASSES, NARROW});
    net->bias = nn_param(params, "linear.bias", 1, (const int[]){CLASSES});
    must(nn_params_allocate(params, true, &error), &error);
    for (int i = 0; i < 3; i++) {
        nn_init_kaiming_uniform(net->conv[i], inputs[i], 1, (uint64_t)i);
        nn_init_kaiming_uniform(net->shift[i], inputs[i], 1, 10 + (uint64_t)i);
    }
    for (int i = 0; i < 2; i++) {
        nn_init_constant(net->scale[i], 1);
        for (int c = 0; c < CHANNELS; c++) {
            net->mean[i][c] = 0;
            net->variance[i][c] = 1;
        }
    }
    nn_init_kaiming_uniform(net->linear, NARROW, 1, 20);
    nn_init_kaiming_uniform(net->bias, NARROW, 1, 21);
}

/* An image of a class is noise on stripes of a width of its own. */
static void draw_images(float *x, int *target, int images, int side, int step)
{
    int size = 3 * side * side;
    base_random r = {.seed = 4, .stream = base_random_stream("images", (uint64_t)step, 0, 0)};
    for (int b = 0; b < images; b++) {
        target[b] = (int)base_random_below(&r, CLASSES);
        for (int i = 0; i < size; i++)
            x[b * size + i] = (float)(base_random_uniform(&r) + (i % side % (2 + target[b]) == 0));
    }
}

static tensor *conv_norm_relu(network *net, int i, tensor *x)
{
    x = tensor_conv2d(x, net->conv[i], net->shift[i], 1, 1);
    x = tensor_batchnorm2d(x, net->scale[i], net->offset[i], net->mean[i], net->variance[i], true,
                           0.1F, 1e-5F);
    return tensor_relu(x);
}

static double image_step(network *net, tensor *x, const int *target)
{
    tensor_context *ctx = x->ctx;
    int images = x->dim[0], rest = x->dim[2] / 4;
    x = conv_norm_relu(net, 0, x);
    x = tensor_max_pool2d(conv_norm_relu(net, 1, x), 2, 2);
    x = tensor_relu(tensor_conv2d(x, net->conv[2], net->shift[2], 2, 1));
    x = tensor_reshape(tensor_avg_pool2d(x, rest, rest), 2, (const int[]){images, NARROW});
    x = tensor_cross_entropy(tensor_linear(x, net->linear, net->bias), target, NULL, NULL);
    double loss = (double)x->val[0];
    tensor_backward(x);
    tensor_step_end(ctx);
    return loss;
}

/* One image of 8x8 a step, since convolutions without fma take long; one of 16x16 in every fifth;
 * nine of them, more than one run of a weight's gradient, in the second step and the last. */
static trained train_network(const char *kernels, int threads, int steps)
{
    static float pixels[IMAGES * 3 * LARGEST * LARGEST];
    tensor_context *ctx = context(kernels, threads);
    nn_params *params = nn_params_new(ctx);
    if (!params)
        exit(1);
    network net;
    start_network(&net, params);
    nn_optimizer *optimizer = adamw(params);
    trained t = {.first = 0};
    base_hash hash;
    base_hash_start(&hash);
    for (int step = 0; step < steps; step++) {
        bool many = step == 1 || step == STEPS - 1;
        int target[IMAGES], images = many ? IMAGES : 1, side = many || step % 5 == 0 ? LARGEST : 8;
        tensor x;
        draw_images(pixels, target, images, side, step);
        tensor_leaf(&x, ctx, 4, (const int[]){images, 3, side, side}, pixels, NULL);
        nn_zero_grad(params);
        double loss = image_step(&net, &x, target);
        update(optimizer, params, step);
        add_floats(&hash, net.mean[1], CHANNELS);
        add_floats(&hash, net.variance[1], CHANNELS);
        after_step(&t, &hash, step, loss, params);
    }
    nn_optimizer_free(optimizer);
    nn_params_free(params);
    tensor_context_free(ctx);
    return t;
}

/* ---- networks of vision/ ---- */

/* What is new in each: sizes, products that threads share out, Winograd's tiles by the hundred. */
static const vision_architecture small_table_2 = {
    11,
    {CONV2D(1, 16, 3, 1, 0), RELU, CONV2D(16, 32, 3, 1, 0), RELU, MAX_POOL2D(2, 2), FLATTEN,
     LINEAR(4608, 8), RELU, LINEAR(8, 8), RELU, LINEAR(8, 62)}};

/* Running statistics, the other activation, the other pool, dropout, two modes. */
static const vision_architecture mixed = {12,
                                          {CONV2D(3, 12, 3, 1, 1), BATCH_NORM2D(12), GELU,
                                           AVG_POOL2D(2, 2), DROPOUT(0.1), CONV2D(12, 20, 3, 1, 0),
                                           BATCH_NORM2D(20), RELU, AVG_POOL2D(2, 2), FLATTEN,
                                           DROPOUT(0.2), LINEAR(80, CLASSES)}};

/* 25 steps an epoch, the last one of a single image. */
enum { PICTURES = 49, AT_ONCE = 2, MOST_PIXELS = 28 * 28 };

/* A class is a bright band at a height of its own, which a flip does not change. */
static void draw_pictures(vision_images *images, unsigned char *pixels, unsigned char *labels)
{
    int side = images->width, size = images->channels * side * side;
    for (int b = 0; b < images->count; b++) {
        base_random r = {5, base_random_stream("pictures", (uint64_t)b, 0, 0), 0};
        int label = (int)base_random_below(&r, (uint32_t)images->classes);
        for (int i = 0; i < size; i++) {
            bool bright = i / side % side / (side / CLASSES) == label;
            pixels[b * size + i] = (unsigned char)(base_random_below(&r, 128) + (bright ? 127 : 0));
        }
        labels[b] = (unsigned char)label;
    }
    images->pixels = pixels;
    images->labels = labels;
}

typedef struct picture_run {
    vision_network *network;
    const vision_part *part;
    const vision_normal *normal;
    base_hash hash;
    trained trained;
    int steps;
} picture_run;

/* The loss without training, which the running statistics are in, where a hash is taken. */
static bool after_picture_step(void *user, int64_t step, int64_t steps, double loss)
{
    picture_run *run = user;
    base_error error = {""};
    vision_result result;
    if (step == EARLY - 1 || step == steps - 1) {
        must(vision_measure(run->network, run->part, run->normal, 8, &result, &error), &error);
        add_loss(&run->hash, result.loss);
    }
    after_step(&run->trained, &run->hash, (int)step, loss, vision_network_params(run->network));
    return step + 1 < run->steps;
}

static trained train_pictures(const vision_architecture *net, vision_shape input,
                              const char *kernels, int threads, int steps)
{
    static unsigned char pixels[PICTURES * MOST_PIXELS], labels[PICTURES];
    int index[PICTURES];
    vision_images images = {PICTURES, input.channels, input.height, input.width, CLASSES,
                            NULL,     NULL,           NULL,         NULL};
    draw_pictures(&images, pixels, labels);
    for (int i = 0; i < PICTURES; i++)
        index[i] = i;
    const vision_part part = {&images, index, PICTURES};
    const vision_normal normal = vision_normal_of(&part);
    base_error error = {""};
    tensor_context *ctx = context(kernels, threads);
    vision_network *pupil = vision_network_new(ctx, net, input, 1, &error);
    must(pupil, &error);
    picture_run run = {.network = pupil, .part = &part, .normal = &normal, .steps = steps};
    base_hash_start(&run.hash);
    vision_plan plan = {.epochs = 2,
                        .batch = AT_ONCE,
                        .optimizer = nn_optimizer_default(NN_ADAMW),
                        .schedule = {.kind = NN_COSINE, .warmup = 5},
                        .label_smoothing = 0.05,
                        .flip = input.channels > 1,
                        .shift = 1,
                        .seed = 2,
                        .step = after_picture_step,
                        .user = &run};
    plan.optimizer.rate = 3e-3;
    int64_t done;
    bool all = vision_train(pupil, &part, &normal, &plan, NULL, &done, &error);
    must(all || done == steps, &error);
    vision_network_free(pupil);
    tensor_context_free(ctx);
    return run.trained;
}

static trained train_table_2(const char *kernels, int threads, int steps)
{
    return train_pictures(&table_2, (vision_shape){1, 28, 28}, kernels, threads, steps);
}

static trained train_small_table_2(const char *kernels, int threads, int steps)
{
    return train_pictures(&small_table_2, (vision_shape){1, 28, 28}, kernels, threads, steps);
}

static trained train_mixed(const char *kernels, int threads, int steps)
{
    return train_pictures(&mixed, (vision_shape){3, 12, 12}, kernels, threads, steps);
}

/* ---- everywhere ---- */

typedef trained training(const char *kernels, int threads, int steps);

static const struct {
    const char *name;
    training *train;
    bool large; /* too much for the slow sets */
} trainings[] = {{"t5", train_t5, false},
                 {"convolutions", train_network, false},
                 {"mixed", train_mixed, false},
                 {"small_table_2", train_small_table_2, false},
                 {"table_2", train_table_2, true}};
enum { TRAININGS = sizeof trainings / sizeof *trainings };

static bool is_slow(const char *kernels)
{
    return strcmp(kernels, "sse2") == 0 || strcmp(kernels, "scalar") == 0;
}

static bool emulates_fma(const char *kernels)
{
#ifdef FP_FAST_FMAF
    return strcmp(kernels, "sse2") == 0;
#else
    return strcmp(kernels, "sse2") == 0 || strcmp(kernels, "scalar") == 0;
#endif
}

static void same_everywhere(const char *what, training *train, bool large)
{
    const char *const *names = tensor_kernels_available();
    if (large && is_slow(names[0])) {
        SKIP("%s: this machine has slow kernel sets only", what);
        return;
    }
    trained want = train(names[0], 1, STEPS);
    printf("%s %s\n", what, want.whole);
    CHECK(isfinite(want.first) && want.last < want.first - 0.2, "%s: the loss went from %g to %g",
          what, want.first, want.last);
    for (const char *const *name = names; *name; name++)
        for (int threads = 1; threads <= 3; threads++) {
            if (large && is_slow(*name))
                continue;
            bool early = emulates_fma(*name) && threads != 2;
            trained got = train(*name, threads, early ? EARLY : STEPS);
            CHECK(strcmp(got.early, want.early) == 0, "%s, %s, %d threads: %s, not %s", what, *name,
                  threads, got.early, want.early);
            CHECK(early || strcmp(got.whole, want.whole) == 0, "%s, %s, %d threads: %s, not %s",
                  what, *name, threads, got.whole, want.whole);
        }
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "sets") == 0) {
        for (const char *const *name = tensor_kernels_available(); *name; name++)
            puts(*name);
        return 0;
    }
    for (int i = 0; i < TRAININGS; i++) {
        if (argc == 1)
            same_everywhere(trainings[i].name, trainings[i].train, trainings[i].large);
        else if (trainings[i].large && is_slow(argv[1]))
            printf("%s -\n", trainings[i].name);
        else
            printf("%s %s\n", trainings[i].name, trainings[i].train(argv[1], 2, STEPS).whole);
    }
    return argc == 1 ? test_end() : 0;
}
