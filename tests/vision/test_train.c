/* SPDX-License-Identifier: MIT */
/* test_train.c -- vision/train.c and vision/batch.c. */
#include "tests/test_malloc.h"
#include "tests/tensor/test_tensor.h"
#include "tests/vision/test_vision.h"
#include "vision/batch.h"

#include <math.h>
#include <sys/resource.h>

/* ---- images made up ---- */

enum { SIDE = 10, IMAGES = 300, PIXELS = SIDE * SIDE };

/* Two classes: stripes that lie, stripes that stand, anywhere, in noise. Two channels, the second
 * one nothing but noise. */
static vision_images stripes(void)
{
    static unsigned char pixels[IMAGES * 2 * PIXELS], labels[IMAGES];
    for (int b = 0; b < IMAGES; b++) {
        base_random r = {1, base_random_stream("stripes", (uint64_t)b, 0, 0), 0};
        unsigned char *p = pixels + b * 2 * PIXELS;
        int phase = (int)base_random_below(&r, 4);
        labels[b] = (unsigned char)base_random_below(&r, 2);
        for (int i = 0; i < PIXELS; i++) {
            int along = labels[b] ? i % SIDE : i / SIDE;
            p[i] =
                (unsigned char)(base_random_below(&r, 100) + ((along + phase) % 4 < 2 ? 100 : 0));
            p[PIXELS + i] = (unsigned char)base_random_below(&r, 256);
        }
    }
    return (vision_images){IMAGES, 2, SIDE, SIDE, 2, pixels, labels, NULL, NULL};
}

/* 10x10 -> 10x10 -> 5x5 -> 5x5 -> 1x1: batch norms over many values, and over one an image. */
static const vision_architecture norms = {
    11,
    {CONV2D(2, 8, 3, 1, 1), BATCH_NORM2D(8), RELU, MAX_POOL2D(2, 2), CONV2D(8, 8, 3, 1, 1), RELU,
     AVG_POOL2D(5, 5), BATCH_NORM2D(8), FLATTEN, DROPOUT(0.1), LINEAR(8, 2)}};
static const vision_architecture linear = {2, {FLATTEN, LINEAR(2 * PIXELS, 2)}};
static const vision_shape input = {2, SIDE, SIDE};

static vision_plan plan_of(int epochs, int batch, double rate)
{
    vision_plan plan = {
        .epochs = epochs, .batch = batch, .optimizer = nn_optimizer_default(NN_SGD), .seed = 3};
    plan.optimizer.rate = rate;
    plan.optimizer.momentum = 0.9;
    return plan;
}

static vision_network *new_network(const char *kernels, int threads, const vision_architecture *net)
{
    base_error error = {""};
    tensor_context *ctx = test_context(kernels);
    tensor_set_threads(ctx, threads);
    vision_network *network = vision_network_new(ctx, net, input, 4, &error);
    CHECK(network != NULL, "%s", error.text);
    return network;
}

static tensor_context *context_of(vision_network *network)
{
    return nn_params_context(vision_network_params(network));
}

static void free_network(vision_network *network)
{
    tensor_context *ctx = context_of(network);
    vision_network_free(network);
    tensor_context_free(ctx);
}

/* The first `count` of the split that all tests share. */
static vision_part part_of(const vision_split *split, int count)
{
    vision_part part = split->train;
    part.count = count;
    return part;
}

/* ---- splitting ---- */

static void test_split(const vision_images *images)
{
    vision_split split, again, other;
    base_error error = {""};
    CHECK(vision_split_draw(&split, images, 200, 90, 1, &error), "%s", error.text);
    CHECK(split.train.count == 200 && split.held_out.count == 90, "other sizes");
    int times[IMAGES] = {0}, twice = 0, all = 0, in_order = 0;
    for (int i = 0; i < 290; i++) {
        int image = i < 200 ? split.train.index[i] : split.held_out.index[i - 200];
        twice += times[image]++;
        in_order += image == i;
    }
    for (int i = 0; i < IMAGES; i++)
        all += times[i];
    CHECK(twice == 0 && all == 290, "%d twice, %d in all", twice, all);
    CHECK(in_order < 10, "%d where they were", in_order); /* 1 expected */
    CHECK(vision_split_draw(&again, images, 200, 90, 1, &error) &&
              vision_split_draw(&other, images, 200, 90, 2, &error),
          "%s", error.text);
    CHECK(memcmp(split.block, again.block, 290 * sizeof(int)) == 0, "one seed, two splits");
    CHECK(memcmp(split.block, other.block, 290 * sizeof(int)) != 0, "two seeds, one split");
    vision_split_free(&split);
    vision_split_free(&again);
    vision_split_free(&other);
    CHECK(!split.block && split.train.count == 0, "not empty");

    static const struct {
        int train, held_out;
        const char *error;
    } wrong[] = {
        {200, 101, "a split into 200 and 101 images: there are 300"},
        {0, 10, "a split into 0 and 10 images: there are 300"},
        {10, -1, "a split into 10 and -1 images: there are 300"},
        {2147483647, 2147483647, "a split into 2147483647 and 2147483647 images: there are 300"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK(!vision_split_draw(&split, images, wrong[i].train, wrong[i].held_out, 1, &error) &&
                  strcmp(error.text, wrong[i].error) == 0,
              "\"%s\"", error.text);
    fail_at = can_count ? allocations : -1;
    CHECK(!can_count || (!vision_split_draw(&split, images, 1, 1, 1, &error) &&
                         strcmp(error.text, "no memory to split 300 images") == 0),
          "\"%s\"", error.text);
    fail_at = -1;
}

static void test_shuffle(void)
{
    /* the six orders of three, each as often: 6000 draws, deviation sqrt(6000 * 5 / 36) = 29 */
    int times[27] = {0}, order[3];
    for (uint64_t i = 0; i < 6000; i++) {
        vision_shuffle(order, 3, 1, i);
        times[order[0] * 9 + order[1] * 3 + order[2]]++;
    }
    static const int orders[6] = {5, 7, 11, 15, 19, 21};
    for (int i = 0; i < 6; i++)
        CHECK(abs(times[orders[i]] - 1000) < 5 * 29, "order %d: %d times", i, times[orders[i]]);
}

/* ---- pixels ---- */

static void test_normal(void)
{
    unsigned char pixels[3][2][2] = {{{0, 255}, {7, 7}}, {{9, 9}, {9, 9}}, {{51, 102}, {7, 7}}};
    unsigned char labels[3] = {0};
    const vision_images images = {3, 2, 1, 2, 1, &pixels[0][0][0], labels, NULL, NULL};
    const int index[2] = {2, 0}; /* not the one in the middle */
    const vision_part part = {&images, index, 2};
    vision_normal normal = vision_normal_of(&part);
    /* 0, 1, 0.2, 0.4: mean 0.4, squares 0.16 + 0.36 + 0.04 + 0 */
    CHECK(fabs((double)normal.mean[0] - 0.4) < U &&
              fabs((double)normal.deviation[0] - sqrt(0.14)) < U,
          "%g, %g", (double)normal.mean[0], (double)normal.deviation[0]);
    CHECK(fabs((double)normal.mean[1] - 7 / 255.0) < U && normal.deviation[1] == 1,
          "a channel that is the same everywhere: %g, %g", (double)normal.mean[1],
          (double)normal.deviation[1]);

    vision_pixels p;
    float x[8];
    tensor_context *ctx = test_context(NULL);
    tensor batch;
    tensor_leaf(&batch, ctx, 4, (const int[]){2, 2, 1, 2}, x, NULL);
    vision_pixels_begin(&p, &part, &normal);
    vision_pixels_fill(&p, &batch, NULL, 0);
    /* three roundings each of mean and scale, two of the value, sizes below 2 */
    static const int bytes[4] = {51, 102, 0, 255};
    for (int i = 0; i < 4; i++) {
        double want = (bytes[i] / 255.0 - 0.4) / sqrt(0.14), got = (double)x[i / 2 * 4 + i % 2];
        CHECK(fabs(got - want) < 8 * 2 * U, "%d: %.9g, not %.9g", bytes[i], got, want);
    }
    CHECK(fabsf(x[2]) < 4e-8F && x[2] == x[7], "a constant is %g", (double)x[2]);
    tensor_context_free(ctx);
}

/* What an image becomes, by the words of the header: mirrored, then moved, 0 coming in. */
static float moved(const vision_pixels *p, const unsigned char *image, int i, bool mirrored,
                   int right, int down)
{
    int c = i / PIXELS, y = i % PIXELS / SIDE - down, x = i % SIDE - right;
    bool inside = y >= 0 && y < SIDE && x >= 0 && x < SIDE;
    int from = c * PIXELS + y * SIDE + (mirrored ? SIDE - 1 - x : x);
    return ((float)(inside ? image[from] : 0) - p->mean[c]) * p->scale[c];
}

/* Every image is one of those that the moves make of it; each move comes about as often. */
static void test_moves(const vision_split *split)
{
    enum { SHIFT = 2, WAYS = 2 * SHIFT + 1, MOVES = 2 * WAYS * WAYS, EPOCHS = 10, COUNT = 200 };
    static int times[MOVES];
    const vision_part part = part_of(split, COUNT);
    vision_normal normal = vision_normal_of(&part);
    tensor_context *ctx = test_context(NULL);
    vision_pixels p;
    vision_pixels_begin(&p, &part, &normal);
    p.flip = true;
    p.shift = SHIFT;
    tensor_set_threads(ctx, 2);
    int order[COUNT], strange = 0, wrong_labels = 0;
    for (uint64_t epoch = 0; epoch < EPOCHS; epoch++) {
        vision_shuffle(order, COUNT, 1, epoch);
        p.draws = (base_random){5, epoch, 0};
        for (int first = 0; first < COUNT; first += 40) {
            tensor *x = tensor_new(ctx, 4, (const int[]){40, 2, SIDE, SIDE});
            int labels[40];
            vision_pixels_fill(&p, x, order, first);
            vision_pixels_labels(&p, labels, 40, order, first);
            for (int b = 0; b < 40; b++) {
                int image = part.index[order[first + b]], found = -1;
                const unsigned char *from = part.images->pixels + image * 2 * PIXELS;
                for (int m = 0; m < MOVES && found < 0; m++) {
                    int i = 0, right = m / 2 % WAYS - SHIFT, down = m / 2 / WAYS - SHIFT;
                    while (i < 2 * PIXELS &&
                           x->val[b * 2 * PIXELS + i] == moved(&p, from, i, m % 2, right, down))
                        i++;
                    if (i == 2 * PIXELS)
                        found = m;
                }
                if (found >= 0)
                    times[found]++;
                strange += found < 0;
                wrong_labels += labels[b] != part.images->labels[image];
            }
            tensor_step_end(ctx);
        }
    }
    CHECK(strange == 0 && wrong_labels == 0, "%d strange, %d wrong labels", strange, wrong_labels);
    /* 2000 draws of 50 moves: 40 each, deviation 6.3 */
    for (int m = 0; m < MOVES; m++)
        CHECK(abs(times[m] - 40) < 5 * 6.3, "move %d: %d times", m, times[m]);
    tensor_context_free(ctx);
}

/* A shift may be larger than the image: then nothing but 0 is left, or some of it. */
static void test_far_moves(const vision_split *split)
{
    const vision_part part = part_of(split, 64);
    vision_normal normal = vision_normal_of(&part);
    tensor_context *ctx = test_context(NULL);
    vision_pixels p;
    vision_pixels_begin(&p, &part, &normal);
    p.shift = VISION_MAX_SIDE;
    p.draws = (base_random){1, 1, 0};
    tensor *x = tensor_new(ctx, 4, (const int[]){64, 2, SIDE, SIDE});
    vision_pixels_fill(&p, x, NULL, 0);
    int empty = 0;
    for (int b = 0; b < 64; b++) {
        int zeros = 0;
        for (int i = 0; i < PIXELS; i++)
            zeros += x->val[b * 2 * PIXELS + i] == (0 - p.mean[0]) * p.scale[0];
        empty += zeros == PIXELS;
    }
    CHECK(empty > 56, "%d are empty", empty); /* any part stays in sight once in 110 */
    tensor_context_free(ctx);
}

/* Of each image a square is the mean, by the words of the header, and the rest is as it was; its centre is
 * anywhere, as often here as there. */
static void test_cuts(const vision_split *split)
{
    enum { CUT = 3, EPOCHS = 40, COUNT = 64 };
    static int times[PIXELS];
    const vision_part part = part_of(split, COUNT);
    vision_normal normal = vision_normal_of(&part);
    tensor_context *ctx = test_context(NULL);
    vision_pixels whole, cut;
    vision_pixels_begin(&whole, &part, &normal);
    vision_pixels_begin(&cut, &part, &normal);
    cut.cut = CUT;
    int strange = 0;
    for (uint64_t epoch = 0; epoch < EPOCHS; epoch++) {
        tensor *x = tensor_new(ctx, 4, (const int[]){COUNT, 2, SIDE, SIDE});
        tensor *y = tensor_new(ctx, 4, (const int[]){COUNT, 2, SIDE, SIDE});
        cut.draws = (base_random){7, epoch, 0};
        vision_pixels_fill(&whole, x, NULL, 0);
        vision_pixels_fill(&cut, y, NULL, 0);
        for (int b = 0; b < COUNT; b++) {
            int found = -1;
            for (int centre = 0; centre < PIXELS && found < 0; centre++) {
                int i = 0, row = centre / SIDE, column = centre % SIDE;
                for (; i < 2 * PIXELS; i++) {
                    int down = i % PIXELS / SIDE - row, right = i % SIDE - column;
                    bool gone = abs(down) <= CUT / 2 && abs(right) <= CUT / 2;
                    if (y->val[b * 2 * PIXELS + i] != (gone ? 0 : x->val[b * 2 * PIXELS + i]))
                        break;
                }
                found = i == 2 * PIXELS ? centre : -1;
            }
            if (found >= 0)
                times[found]++;
            strange += found < 0;
        }
        tensor_step_end(ctx);
    }
    CHECK(strange == 0, "%d strange", strange);
    const double mean = (double)(EPOCHS * COUNT) / PIXELS; /* Poisson's deviation is its root */
    for (int i = 0; i < PIXELS; i++)
        CHECK(fabs(times[i] - mean) < 5 * sqrt(mean), "centre %d: %d times", i, times[i]);
    tensor_context_free(ctx);
}

/* ---- training ---- */

typedef struct watch {
    int64_t calls, stop_at, wrong;
    long allocations[2]; /* after the second step, after the last */
    float *losses;
} watch;

static bool on_step(void *user, int64_t step, int64_t steps, double loss)
{
    watch *w = user;
    w->wrong += step != w->calls || steps != 15 || !(loss > 0);
    w->calls++;
    if (w->calls == 2)
        w->allocations[0] = allocations;
    w->allocations[1] = allocations;
    return w->calls != w->stop_at;
}

/* Three epochs of 9 images, 2 at a time: a batch of one is the last of each. */
static void test_steps(const vision_split *split)
{
    const vision_part part = part_of(split, 9);
    vision_normal normal = vision_normal_of(&part);
    for (int threads = 1; threads <= 2; threads++) {
        vision_network *network = new_network(NULL, threads, &norms);
        watch w = {0};
        vision_plan plan = plan_of(3, 2, 0.05);
        plan.flip = true;
        plan.shift = 1;
        plan.step = on_step;
        plan.user = &w;
        float losses[16];
        losses[15] = -1;
        int64_t steps;
        base_error error = {""};
        CHECK(vision_steps(&plan, 9) == 15 && vision_steps(&plan, 8) == 12, "other steps");
        CHECK(vision_train(network, &part, &normal, &plan, losses, &steps, &error), "%s",
              error.text);
        CHECK(steps == 15 && w.calls == 15 && w.wrong == 0, "%d steps, %d calls, %d wrong",
              (int)steps, (int)w.calls, (int)w.wrong);
        CHECK(losses[15] == -1, "a loss too many");
        CHECK(w.allocations[0] == w.allocations[1], "%ld allocations in steps",
              w.allocations[1] - w.allocations[0]);
        w = (watch){.stop_at = 7};
        strcpy(error.text, "old");
        CHECK(!vision_train(network, &part, &normal, &plan, NULL, &steps, &error) && steps == 7 &&
                  error.text[0] == 0,
              "%d steps, \"%s\"", (int)steps, error.text);
        free_network(network);
    }
}

/* With a rate of 0 nothing is learnt, so each epoch's losses are of the same images: their sum is
 * the same, that of each image once, but the batches are not. Smoothing is not in the losses. */
static void test_epochs(const vision_split *split)
{
    const vision_part part = part_of(split, 50);
    vision_normal normal = vision_normal_of(&part);
    vision_network *network = new_network(NULL, 1, &linear);
    vision_plan plan = plan_of(3, 8, 0);
    float losses[21], smoothed[21];
    int64_t steps;
    base_error error = {""};
    vision_result result;
    CHECK(vision_train(network, &part, &normal, &plan, losses, &steps, &error), "%s", error.text);
    CHECK(vision_measure(network, &part, &normal, 16, &result, &error), "%s", error.text);
    for (int epoch = 0; epoch < 3; epoch++) {
        double sum = 0;
        for (int i = 0; i < 7; i++)
            sum += (double)losses[epoch * 7 + i] * (i < 6 ? 8 : 2);
        /* each of 50 losses of about 1 is rounded where its batch is cut differently: 200 terms */
        CHECK(fabs(sum / 50 - result.loss) < 202 * 2 * U, "epoch %d: %.9g, not %.9g", epoch,
              sum / 50, result.loss);
        CHECK(epoch == 0 || memcmp(losses, losses + epoch * 7, 7 * sizeof *losses) != 0,
              "epoch %d has the first one's batches", epoch);
    }
    plan.label_smoothing = 0.1;
    plan.schedule.total = 12345; /* is set to what it is */
    CHECK(vision_train(network, &part, &normal, &plan, smoothed, &steps, &error), "%s", error.text);
    CHECK(memcmp(losses, smoothed, sizeof losses) == 0, "smoothing is in the losses");
    free_network(network);
}

/* A linear schedule ends with the training: one whose total says so gives the same bits. */
static void test_schedule(const vision_split *split)
{
    const vision_part part = part_of(split, 20);
    vision_normal normal = vision_normal_of(&part);
    float losses[2][15];
    int64_t steps;
    base_error error = {""};
    for (int i = 0; i < 2; i++) {
        vision_network *network = new_network(NULL, 1, &linear);
        vision_plan plan = plan_of(3, 4, 0.1);
        plan.schedule = (nn_schedule){.kind = NN_LINEAR, .warmup = 2, .total = i ? 15 : 0};
        CHECK(vision_train(network, &part, &normal, &plan, losses[i], &steps, &error), "%s",
              error.text);
        free_network(network);
    }
    CHECK(memcmp(losses[0], losses[1], sizeof losses[0]) == 0, "the end was taken from the plan");
}

/* The average of the weights after each step, and of the running statistics, is what is left; each
 * step is as without it. */
typedef struct averaging {
    vision_network *network;
    float average[1000];
} averaging;

static size_t take_values(vision_network *network, float *to)
{
    const nn_params *params[2] = {vision_network_params(network), vision_network_running(network)};
    size_t count = 0;
    for (int i = 0; i < 2; count += nn_params_size(params[i++]))
        memcpy(to + count, nn_params_values(params[i]), nn_params_size(params[i]) * sizeof *to);
    return count;
}

static bool add_to_average(void *user, int64_t step, int64_t steps, double loss)
{
    averaging *a = user;
    float now[1000];
    size_t count = take_values(a->network, now);
    double early = (1 + (double)step) / (10 + (double)step);
    float share = (float)(1 - (early < 0.3 ? early : 0.3));
    for (size_t i = 0; i < count; i++)
        a->average[i] += share * (now[i] - a->average[i]);
    (void)steps, (void)loss;
    return true;
}

static void test_average(const vision_split *split)
{
    const vision_part part = part_of(split, 30);
    vision_normal normal = vision_normal_of(&part);
    float losses[2][16], left[2][1000];
    base_error error = {""};
    int64_t steps;
    averaging by_hand = {0};
    size_t count = 0;
    for (int i = 0; i < 2; i++) {
        vision_network *network = new_network(NULL, 1, &norms);
        vision_plan plan = plan_of(2, 4, 0.1);
        count = take_values(network, by_hand.average);
        by_hand.network = network;
        plan.average = i ? 0.3 : 0;
        plan.step = i ? NULL : add_to_average;
        plan.user = &by_hand;
        CHECK(count <= 1000 &&
                  vision_train(network, &part, &normal, &plan, losses[i], &steps, &error),
              "%s", error.text);
        if (i == 0)
            memcpy(left[0], by_hand.average, sizeof left[0]);
        take_values(network, left[1]);
        free_network(network);
    }
    CHECK(memcmp(losses[0], losses[1], 16 * sizeof(float)) == 0, "it changes the training");
    CHECK(memcmp(left[0], left[1], count * sizeof(float)) == 0, "another average");
}

static void test_wrong_plans(const vision_split *split)
{
    static const struct {
        int images, epochs, batch, shift;
        double rate;
        const char *error;
    } wrong[] = {
        {0, 1, 1, 0, 0.1,
         "training: 1 epochs of 0 images, 1 at a time: expected at least 1 of each"},
        {9, 0, 1, 0, 0.1,
         "training: 0 epochs of 9 images, 1 at a time: expected at least 1 of each"},
        {9, 1, -1, 0, 0.1,
         "training: 1 epochs of 9 images, -1 at a time: expected at least 1 of each"},
        {9, 1, 1, -1, 0.1, "training: shift is -1, expected 0 to 1024"},
        {9, 1, 1, 1025, 0.1, "training: shift is 1025, expected 0 to 1024"},
        {9, 1, 1, 0, -1, "optimizer sgd: learning rate is -1, expected at least 0 and below inf"},
    };
    vision_network *network = new_network(NULL, 1, &linear);
    vision_normal normal = vision_normal_of(&split->train);
    base_error error;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const vision_part part = part_of(split, wrong[i].images);
        vision_plan plan = plan_of(wrong[i].epochs, wrong[i].batch, wrong[i].rate);
        plan.shift = wrong[i].shift;
        int64_t steps = -1;
        CHECK(!vision_train(network, &part, &normal, &plan, NULL, &steps, &error) &&
                  strcmp(error.text, wrong[i].error) == 0 && steps == 0,
              "\"%s\"", error.text);
    }
    const vision_part none = part_of(split, 0);
    vision_result result;
    CHECK(!vision_measure(network, &none, &normal, 1, &result, &error) &&
              strcmp(error.text, "measuring: 0 images, 1 at a time: expected at least 1") == 0,
          "\"%s\"", error.text);
    CHECK(!vision_measure(network, &split->train, &normal, 0, &result, &error), "batches of 0");
    free_network(network);
}

/* ---- measuring ---- */

/* A linear layer of weights 0 makes logits of its bias: 1, 1, 0 for every image. The first of the
 * largest is the answer, and -log of its softmax is known. */
static void test_measure(const vision_split *split)
{
    static const vision_architecture net = {2, {FLATTEN, LINEAR(2 * PIXELS, 3)}};
    vision_network *network = new_network(NULL, 1, &net);
    nn_params *params = vision_network_params(network);
    tensor *bias = nn_params_find(params, "1.bias");
    nn_init_constant(nn_params_find(params, "1.weight"), 0);
    bias->val[0] = bias->val[1] = 1;
    bias->val[2] = 0;
    vision_normal normal = vision_normal_of(&split->train);
    int zeros = 0;
    for (int i = 0; i < split->train.count; i++)
        zeros += split->train.images->labels[split->train.index[i]] == 0;
    for (int batch = 1; batch <= 1000; batch *= 10) {
        vision_result result;
        base_error error = {""};
        CHECK(vision_measure(network, &split->train, &normal, batch, &result, &error), "%s",
              error.text);
        CHECK(result.count == 200 && result.right == zeros && result.accuracy == zeros / 200.0,
              "%d of %d", result.right, result.count);
        double want = log(2 + exp(-1)); /* -1 + log(2e + 1), of size 1, in a few roundings */
        CHECK(fabs(result.loss - want) < 8 * U, "loss %.9g, not %.9g", result.loss, want);
    }
    CHECK(zeros > 0 && zeros < 200, "%d of class 0", zeros);
    bias->val[0] = 0;
    vision_result result;
    CHECK(vision_measure(network, &split->train, &normal, 64, &result, NULL) &&
              result.right == 200 - zeros,
          "%d right", result.right);
    free_network(network);
}

/* ---- bits, bytes, memory ---- */

/* Of 3x3 results a few images are summed in another order than many, and the last batch is never so few. */
static void test_measure_in_batches(const vision_split *split)
{
    static const vision_architecture net = {
        5,
        {CONV2D(2, 8, 3, 1, 1), MAX_POOL2D(3, 3), CONV2D(8, 8, 3, 1, 1), FLATTEN, LINEAR(72, 3)}};
    vision_network *network = new_network(NULL, 1, &net);
    vision_normal normal = vision_normal_of(&split->train);
    vision_result whole, result;
    base_error error = {""};
    CHECK(vision_measure(network, &split->train, &normal, 200, &whole, &error), "%s", error.text);
    for (int batch = 99; batch > 4; batch /= 2) { /* 2, 4, 8, 8 and 2 images are left */
        CHECK(vision_measure(network, &split->train, &normal, batch, &result, &error) &&
                  result.loss == whole.loss && result.right == whole.right,
              "%d at a time: %.17g, not %.17g", batch, result.loss, whole.loss);
    }
    free_network(network);
}

enum { LOSSES = 2 * 6 };

static void train_somewhere(const vision_split *split, const char *kernels, int threads, float *out)
{
    const vision_part part = part_of(split, 23);
    vision_normal normal = vision_normal_of(&part);
    vision_network *network = new_network(kernels, threads, &norms);
    nn_params *params = vision_network_params(network);
    vision_plan plan = plan_of(2, 4, 0.05);
    plan.flip = true;
    plan.shift = 2;
    plan.label_smoothing = 0.1;
    plan.schedule.kind = NN_COSINE;
    int64_t steps;
    base_error error = {""};
    vision_result result;
    CHECK(vision_train(network, &part, &normal, &plan, out, &steps, &error), "%s", error.text);
    CHECK(vision_measure(network, &split->held_out, &normal, 7, &result, &error), "%s", error.text);
    out[LOSSES] = (float)result.loss;
    memcpy(out + LOSSES + 1, nn_params_values(params), nn_params_size(params) * sizeof *out);
    free_network(network);
}

static void test_everywhere(const vision_split *split)
{
    static float want[1000], got[1000];
    train_somewhere(split, "scalar", 1, want);
    for (const char *const *name = tensor_kernels_available(); *name; name++)
        for (int threads = 1; threads <= 3; threads++) {
            train_somewhere(split, *name, threads, got);
            CHECK(memcmp(got, want, sizeof got) == 0, "%s, %d threads: other bits", *name, threads);
        }
}

/* What was planned is what a training takes, to the byte. */
static void test_bytes(const vision_split *split)
{
    static const struct {
        const vision_architecture *net;
        nn_optimizer_kind optimizer;
        int batch, images, state; /* state: floats a parameter */
    } cases[] = {{&norms, NN_SGD, 8, 20, 1},
                 {&norms, NN_ADAMW, 20, 20, 2},
                 {&linear, NN_ADAM, 3, 20, 2},
                 {&linear, NN_SGD, 7, 20, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const vision_part part = part_of(split, cases[i].images);
        vision_normal normal = vision_normal_of(&part);
        vision_plan plan = plan_of(2, cases[i].batch, 0.01);
        plan.optimizer = nn_optimizer_default(cases[i].optimizer);
        plan.optimizer.momentum = 0.9;
        plan.flip = true;
        plan.label_smoothing = 0.1;
        plan.average = i == 1 ? 0.9 : 0;
        base_error error = {""};
        size_t bytes = 0, again = 0;
        CHECK(vision_training_bytes(cases[i].net, input, &plan, SIZE_MAX, &bytes, &error), "%s",
              error.text);
        vision_network *network = new_network(NULL, 1, cases[i].net);
        size_t parameters = nn_params_size(vision_network_params(network));
        int64_t steps;
        CHECK(vision_train(network, &part, &normal, &plan, NULL, &steps, &error), "%s", error.text);
        size_t counted = (size_t)(2 + cases[i].state) * parameters * sizeof(float) +
                         tensor_step_peak(context_of(network));
        if (plan.average > 0)
            counted +=
                (parameters + nn_params_size(vision_network_running(network))) * sizeof(float);
        CHECK(bytes == counted, "%zu: %zu bytes planned, %zu counted", i, bytes, counted);
        CHECK(vision_training_bytes(cases[i].net, input, &plan, bytes, &again, &error) &&
                  again == bytes,
              "%zu bytes of %zu: %s", again, bytes, error.text);
        for (size_t most = bytes; most > 0; most /= 3) {
            error = (base_error){""};
            CHECK(!vision_training_bytes(cases[i].net, input, &plan, most - 1, &again, &error) &&
                      strncmp(error.text, "training: ", 10) == 0,
                  "at most %zu: \"%s\"", most - 1, error.text);
        }
        free_network(network);
    }
}

/* Kilobytes that this process has had in memory at once. */
static long resident(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* Large networks are planned, or refused, without touching the memory they would take. */
static void test_large_plans(void)
{
    static const vision_architecture net = {
        4, {FLATTEN, LINEAR(2 * PIXELS, 1000000), RELU, LINEAR(1000000, 2)}};
    size_t bytes = 0;
    base_error error = {""};
    vision_plan plan = plan_of(1000000, 64, 0.1);
    CHECK(!vision_training_bytes(&net, input, &plan, 1 << 20, &bytes, &error) &&
              strcmp(error.text,
                     "training: weights and gradients take 1624000016 bytes: at most 1048576") == 0,
          "\"%s\"", error.text);
    CHECK(!vision_training_bytes(&norms, input, &plan, 200000, &bytes, &error) &&
              strstr(error.text, "training: step 1 of 1: step memory: "),
          "\"%s\"", error.text);
    if (can_count) { /* where malloc is what it mostly is: 2.4 GB of addresses */
        long before = resident();
        CHECK(vision_training_bytes(&net, input, &plan, SIZE_MAX, &bytes, &error) &&
                  bytes > 2436000024,
              "%zu bytes: %s", bytes, error.text);
        CHECK(resident() - before < 10000, "%ld kB for a plan", resident() - before);
    }
    plan.batch = 2147483647;
    CHECK(!vision_training_bytes(&norms, input, &plan, (size_t)1 << 34, &bytes, &error) &&
              strstr(error.text, "training: step 1 of 1: "),
          "\"%s\"", error.text);
}

/* Every allocation of a training fails once, the arena's too; then a limit stands in its way. */
static void test_no_memory(const vision_split *split)
{
    const vision_part part = part_of(split, 9);
    vision_normal normal = vision_normal_of(&part);
    vision_plan plan = plan_of(1, 4, 0.1);
    int64_t steps;
    bool done = !can_count;
    for (long n = 0; !done; n++) {
        base_error error = {""};
        vision_network *network = new_network(NULL, 1, &norms);
        fail_at = allocations + n;
        done = vision_train(network, &part, &normal, &plan, NULL, &steps, &error);
        fail_at = -1;
        CHECK(done || error.text[0], "allocation %ld: no word", n);
        done = done && steps == 3;
        free_network(network);
    }
    base_error error = {""};
    vision_result result;
    vision_network *network = new_network(NULL, 1, &norms);
    tensor_set_failure_handler(context_of(network), test_handler, NULL);
    tensor_set_step_limit(context_of(network), 20000);
    CHECK(!vision_train(network, &part, &normal, &plan, NULL, &steps, &error) &&
              strncmp(error.text, "training: step 1 of 3: step memory: ", 36) == 0,
          "\"%s\"", error.text);
    CHECK(!vision_measure(network, &part, &normal, 9, &result, &error) &&
              strncmp(error.text, "measuring: step memory: ", 24) == 0,
          "\"%s\"", error.text);
    EXPECT_FAILURE(context_of(network), tensor_new(context_of(network), 1, (const int[]){9999}),
                   "step memory: 40060 bytes asked for with 0 in use; the limit is 20000");
    free_network(network);
}

/* ---- learning ---- */

static void test_learning(const vision_split *split)
{
    vision_normal normal = vision_normal_of(&split->train);
    vision_network *network = new_network(NULL, 1, &norms);
    vision_plan plan = plan_of(8, 16, 0.1);
    plan.schedule.kind = NN_COSINE;
    plan.flip = true;
    plan.shift = 1;
    int64_t steps;
    base_error error = {""};
    vision_result before, after;
    CHECK(vision_measure(network, &split->held_out, &normal, 32, &before, &error) &&
              vision_train(network, &split->train, &normal, &plan, NULL, &steps, &error) &&
              vision_measure(network, &split->held_out, &normal, 32, &after, &error),
          "%s", error.text);
    CHECK(before.right < 70, "%d of 90 right untrained", before.right);
    CHECK(after.right == 90 && after.loss < 0.1, "%d of 90 right, loss %g", after.right,
          after.loss);
    free_network(network);
}

int main(void)
{
    see_whether_malloc_counts();
    const vision_images images = stripes();
    base_error error = {""};
    vision_split split;
    test_split(&images);
    CHECK(vision_split_draw(&split, &images, 200, 90, 1, &error), "%s", error.text);
    test_shuffle();
    test_normal();
    test_moves(&split);
    test_cuts(&split);
    test_far_moves(&split);
    test_steps(&split);
    test_epochs(&split);
    test_schedule(&split);
    test_average(&split);
    test_wrong_plans(&split);
    test_measure(&split);
    test_measure_in_batches(&split);
    test_everywhere(&split);
    test_bytes(&split);
    test_large_plans();
    test_no_memory(&split);
    test_learning(&split);
    vision_split_free(&split);
    return test_end();
}
