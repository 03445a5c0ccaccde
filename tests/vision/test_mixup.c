/* SPDX-License-Identifier: MIT */
/* test_mixup.c -- vision/train.c and vision/batch.c: mixed images, their labels and the gradient against plain
 * arithmetic in double precision. */
#include "tests/tensor/test_tensor.h"
#include "tests/vision/test_vision.h"
#include "vision/batch.h"
#include <math.h>

enum { SIDE = 3, COUNT = 7, CLASSES = 3, PIXELS = SIDE * SIDE };

static const vision_architecture linear = {2, {FLATTEN, LINEAR(PIXELS, CLASSES)}};

static vision_images noise(void)
{
    static unsigned char pixels[COUNT * PIXELS], labels[COUNT];
    base_random r = {1, 1, 0};
    for (int i = 0; i < COUNT * PIXELS; i++)
        pixels[i] = (unsigned char)base_random_below(&r, 256);
    for (int b = 0; b < COUNT; b++)
        labels[b] = (unsigned char)(b % CLASSES);
    return (vision_images){COUNT, 1, SIDE, SIDE, CLASSES, pixels, labels, NULL, NULL};
}

/* The uniform distribution where alpha is 1; for all the mean 1/2 and the variance 1 / (4 (2 alpha + 1)). */
static void test_share(void)
{
    static const double alphas[] = {1, 0.4, 0.1, 0.001};
    enum { DRAWS = 20000 };
    for (int a = 0; a < 4; a++) {
        base_random r = {2, (uint64_t)a, 0};
        double sum = 0, squares = 0, want = 1 / (4 * (2 * alphas[a] + 1));
        int outside = 0, tenths[10] = {0};
        for (int i = 0; i < DRAWS; i++) {
            const double x = (double)vision_mixup_share(alphas[a], &r);
            outside += !(x >= 0 && x <= 1);
            sum += x - 0.5;
            squares += (x - 0.5) * (x - 0.5);
            tenths[x < 1 ? (int)(10 * x) : 9]++;
        }
        CHECK(outside == 0, "%d outside of 0 .. 1", outside);
        /* five deviations: of the mean sqrt(want / n); of the variance at most sqrt(1/16 / n), as no
         * square is above 1/4 */
        CHECK(fabs(sum / DRAWS) < 5 * sqrt(want / DRAWS), "alpha %g: mean 0.5 + %g", alphas[a],
              sum / DRAWS);
        CHECK(fabs(squares / DRAWS - want) < 5 * 0.25 / sqrt(DRAWS), "alpha %g: variance %g",
              alphas[a], squares / DRAWS);
        for (int i = 0; a == 0 && i < 10; i++)
            CHECK(abs(tenths[i] - DRAWS / 10) < 5 * 43, "%d of %d in tenth %d", tenths[i], DRAWS,
                  i);
    }
}

/* Each row and its partner, of an odd count and of an even one; a share of 1 changes nothing. */
static void test_rows(void)
{
    for (int count = 1; count <= 4; count++) {
        float rows[8], was[8];
        for (int i = 0; i < 8; i++)
            rows[i] = was[i] = (float)(i * i) - 3;
        vision_mix(rows, 2, count, 1);
        CHECK(memcmp(rows, was, sizeof rows) == 0, "%d rows: changed", count);
        vision_mix(rows, 2, count, 0.75F);
        for (int i = 0; i < count; i++)
            for (int j = 0; j < 2; j++) {
                float want = 0.75F * was[2 * i + j] + 0.25F * was[2 * (count - 1 - i) + j];
                CHECK(rows[2 * i + j] == want, "%d rows, %d: %g, not %g", count, i,
                      (double)rows[2 * i + j], (double)want);
            }
        CHECK(count == 4 || rows[2 * count] == was[2 * count], "%d rows: one more", count);
    }
}

typedef struct plainly {
    double loss, weight[CLASSES][PIXELS], bias[CLASSES];
} plainly;

/* One step of gradient descent from those weights, (CLASSES,PIXELS) and CLASSES, on the images in that order. */
static void descend(const vision_part *part, const vision_normal *normal, const vision_plan *plan,
                    const float *weights, plainly *after)
{
    int order[COUNT];
    vision_shuffle(order, COUNT, plan->seed, base_random_stream("order", 0, 0, 0));
    base_random random = {plan->seed, base_random_stream("mixup", 0, 0, 0), 0};
    const double share = (double)vision_mixup_share(plan->mixup, &random);
    CHECK(share > 0.05 && share < 0.95, "the share %g shows nothing", share);
    after->loss = 0;
    for (int c = 0; c < CLASSES; c++) {
        after->bias[c] = (double)weights[CLASSES * PIXELS + c];
        for (int i = 0; i < PIXELS; i++)
            after->weight[c][i] = (double)weights[c * PIXELS + i];
    }
    for (int b = 0; b < COUNT; b++) {
        double x[PIXELS], logit[CLASSES], sum = 0;
        const int image[2] = {part->index[order[b]], part->index[order[COUNT - 1 - b]]};
        const unsigned char *p = part->images->pixels, *label = part->images->labels;
        for (int i = 0; i < PIXELS; i++) {
            const double mixed =
                share * p[image[0] * PIXELS + i] + (1 - share) * p[image[1] * PIXELS + i];
            x[i] = (mixed / 255 - (double)normal->mean[0]) / (double)normal->deviation[0];
        }
        for (int c = 0; c < CLASSES; c++) {
            logit[c] = (double)weights[CLASSES * PIXELS + c];
            for (int i = 0; i < PIXELS; i++)
                logit[c] += (double)weights[c * PIXELS + i] * x[i];
            sum += exp(logit[c]);
        }
        for (int c = 0; c < CLASSES; c++) {
            const double plain =
                share * (c == label[image[0]]) + (1 - share) * (c == label[image[1]]);
            const double wanted =
                (1 - plan->label_smoothing) * plain + plan->label_smoothing / CLASSES;
            const double step = plan->optimizer.rate * (exp(logit[c]) / sum - wanted) / COUNT;
            after->loss -= plain * (logit[c] - log(sum)) / COUNT;
            after->bias[c] -= step;
            for (int i = 0; i < PIXELS; i++)
                after->weight[c][i] -= step * x[i];
        }
    }
}

static void test_step(double smoothing)
{
    const vision_images images = noise();
    vision_split split;
    base_error error = {""};
    CHECK(vision_split_draw(&split, &images, COUNT, 0, 1, &error), "%s", error.text);
    const vision_normal normal = vision_normal_of(&split.train);
    tensor_context *ctx = test_context(NULL);
    vision_network *network =
        vision_network_new(ctx, &linear, (vision_shape){1, SIDE, SIDE}, 4, &error);
    CHECK(network != NULL, "%s", error.text);
    vision_plan plan = {.epochs = 1,
                        .batch = COUNT,
                        .optimizer = {.kind = NN_SGD, .rate = 0.5},
                        .label_smoothing = smoothing,
                        .mixup = 1,
                        .seed = 3};
    plainly after;
    const float *w = nn_params_values(vision_network_params(network));
    descend(&split.train, &normal, &plan, w, &after);
    float loss;
    int64_t steps;
    CHECK(vision_train(network, &split.train, &normal, &plan, &loss, &steps, &error) && steps == 1,
          "%s", error.text);
    /* Float32 has 2^-24; a pixel and a logit of below 4 are some 20 roundings of numbers below 8 away from
     * the plain ones, and a step is half of their product. */
    const double most = 20 * 8 * 4 / 16777216.0;
    CHECK(fabs((double)loss - after.loss) < most, "loss %.8f, not %.8f", (double)loss, after.loss);
    for (int c = 0; c < CLASSES; c++) {
        const double bias = (double)w[CLASSES * PIXELS + c];
        CHECK(fabs(bias - after.bias[c]) < most, "bias %d: %.8f, not %.8f", c, bias, after.bias[c]);
        for (int i = 0; i < PIXELS; i++) {
            const double is = (double)w[c * PIXELS + i], want = after.weight[c][i];
            CHECK(fabs(is - want) < most, "weight %d, %d: %.8f, not %.8f", c, i, is, want);
        }
    }
    plan.mixup = 1.5;
    CHECK(!vision_train(network, &split.train, &normal, &plan, &loss, &steps, &error) &&
              strcmp(error.text, "training: mixup is 1.5, expected 0 to 1") == 0,
          "%s", error.text);
    vision_network_free(network);
    tensor_context_free(ctx);
    vision_split_free(&split);
}

int main(void)
{
    test_share();
    test_rows();
    test_step(0);
    test_step(0.1);
    return test_end();
}
