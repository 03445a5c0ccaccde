/* test_train_hash.c -- training ends in the same bits everywhere (docs/order-of-sums.md).
 *
 * A small T5 and a small convolutional network are trained for 50 steps each, from data and weights
 * drawn by counter. What counts is one SHA-256 of each training: of its losses, step by step, and
 * of the weights at the end.
 *
 *   test_train_hash        every kernel set of this machine, with 1, 2 and 3 threads: one hash
 *   test_train_hash SET    prints the two hashes, from that set with 2 threads
 *   test_train_hash sets   prints the sets' names; for tests/suite_bits.sh, which compares many
 *                          builds
 *
 * The sets that have no fma compute it exactly, and slowly. They go all the way with 2 threads, and
 * with 1 and 3 only as far as EARLY, where the hash is taken as well. */
#include "base/hash.h"
#include "nn/optimizer.h"
#include "t5/t5.h"
#include "tensor/kernel.h"
#include "tests/test.h"

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
    uint8_t digest[BASE_HASH_BYTES];
    add_floats(&copy, x, n);
    base_hash_end(&copy, digest);
    base_hash_digits(digest, text);
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

/* ---- everywhere ---- */

typedef trained training(const char *kernels, int threads, int steps);

static bool emulates_fma(const char *kernels)
{
#ifdef FP_FAST_FMAF
    return strcmp(kernels, "sse2") == 0;
#else
    return strcmp(kernels, "sse2") == 0 || strcmp(kernels, "scalar") == 0;
#endif
}

static void same_everywhere(const char *what, training *train)
{
    const char *const *names = tensor_kernels_available();
    trained want = train(names[0], 1, STEPS);
    printf("%s %s\n", what, want.whole);
    CHECK(isfinite(want.first) && want.last < want.first - 0.2, "%s: the loss went from %g to %g",
          what, want.first, want.last);
    for (const char *const *name = names; *name; name++)
        for (int threads = 1; threads <= 3; threads++) {
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
    if (argc == 2) {
        printf("t5 %s\n", train_t5(argv[1], 2, STEPS).whole);
        printf("convolutions %s\n", train_network(argv[1], 2, STEPS).whole);
        return 0;
    }
    same_everywhere("t5", train_t5);
    same_everywhere("convolutions", train_network);
    return test_end();
}
