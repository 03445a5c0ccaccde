/* SPDX-License-Identifier: MIT */
/* test_conv.c -- images: conv.c, pool.c, batchnorm.c.
 *
 * Values are held against plain loops in double. Gradients are held against differences of those
 * loops: of the scalar L = sum(weighting * y), by the five-point formula
 *   L' = (L(-2h) - 8 L(-h) + 8 L(h) - L(2h)) / 12h + O(h^4)
 * which in double is good to ten digits. What is left is float32's rounding, and tolerances are
 * bounds of that: (number of roundings) * epsilon * (sum of the magnitudes that are added up). */
#include "base/random.h"
#include "tensor/context.h"
#include "tensor/tensor.h"
#include "tests/test.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdbool.h>

enum { MOST = 40000, MOST_CHANNELS = 64 };

enum { CONV, MAX_POOL, AVG_POOL, NORM_TRAIN, NORM_EVAL };

/* One call: x, up to two parameters, and what it gave. */
typedef struct call {
    int op;
    int B, C, H, W, O, kernel, stride, padding;
    bool bias;
} call;

typedef struct result {
    int size, dim[4];
    float y[MOST], dx[MOST], dw[MOST], db[MOST_CHANNELS];
    float running_mean[MOST_CHANNELS], running_var[MOST_CHANNELS];
} result;

static const double EPSILON = FLT_EPSILON;
static const float MOMENTUM = 0.125F, EPS = 0.0009765625F; /* 2^-3, 2^-10 */

static int places(int in, const call *c)
{
    return (in + 2 * c->padding - c->kernel) / c->stride + 1;
}

static int x_size(const call *c) { return c->B * c->C * c->H * c->W; }

static int w_size(const call *c)
{
    return c->op == CONV ? c->O * c->C * c->kernel * c->kernel : c->op >= NORM_TRAIN ? c->C : 0;
}

static int b_size(const call *c)
{
    return c->op == CONV ? (c->bias ? c->O : 0) : c->op >= NORM_TRAIN ? c->C : 0;
}

static int y_size(const call *c)
{
    if (c->op >= NORM_TRAIN)
        return x_size(c);
    return c->B * (c->op == CONV ? c->O : c->C) * places(c->H, c) * places(c->W, c);
}

/* The numbers of a call: multiples of 1/1024 in [-2, 2), so that ties are rare but do happen. */
static float x[MOST], w[MOST], b[MOST_CHANNELS], weighting[MOST];

static void fill(float *to, int count, uint64_t stream)
{
    base_random r = {1, stream, 0};
    for (int i = 0; i < count; i++)
        to[i] = (float)(base_random_next(&r) >> 20) / 1024 - 2;
}

static void fill_all(const call *c)
{
    fill(x, x_size(c), 1);
    fill(w, w_size(c), 2);
    fill(b, b_size(c), 3);
    fill(weighting, y_size(c), 4);
}

static void start_running(float *mean, float *var)
{
    for (int i = 0; i < MOST_CHANNELS; i++) {
        mean[i] = (float)i / 16 - 1;
        var[i] = 0.5F + (float)i / 8;
    }
}

/* ---- through the library ---- */

static void run(const call *c, const char *set, int threads, result *out)
{
    static float gx[MOST], gw[MOST], gb[MOST_CHANNELS];
    memset(out, 0, sizeof *out);
    memset(gx, 0, sizeof gx);
    memset(gw, 0, sizeof gw);
    memset(gb, 0, sizeof gb);
    start_running(out->running_mean, out->running_var);
    setenv("PHOENIX_KERNEL", set, 1);
    tensor_context *ctx = tensor_context_new();
    tensor_set_threads(ctx, threads);
    tensor tx, tw, tb;
    tensor_leaf(&tx, ctx, 4, (int[]){c->B, c->C, c->H, c->W}, x, gx);
    if (c->op == CONV)
        tensor_leaf(&tw, ctx, 4, (int[]){c->O, c->C, c->kernel, c->kernel}, w, gw);
    else
        tensor_leaf(&tw, ctx, 1, (int[]){c->C}, w, gw);
    tensor_leaf(&tb, ctx, 1, (int[]){c->op == CONV ? c->O : c->C}, b, gb);
    tensor *y = NULL;
    switch (c->op) {
    case CONV:
        y = tensor_conv2d(&tx, &tw, c->bias ? &tb : NULL, c->stride, c->padding);
        break;
    case MAX_POOL:
        y = tensor_max_pool2d(&tx, c->kernel, c->stride);
        break;
    case AVG_POOL:
        y = tensor_avg_pool2d(&tx, c->kernel, c->stride);
        break;
    default:
        y = tensor_batchnorm2d(&tx, &tw, &tb, out->running_mean, out->running_var,
                               c->op == NORM_TRAIN, MOMENTUM, EPS);
        break;
    }
    out->size = (int)tensor_size(y);
    memcpy(out->dim, y->dim, sizeof out->dim);
    tensor tc;
    tensor_leaf(&tc, ctx, 4, y->dim, weighting, NULL);
    tensor_backward(tensor_sum(tensor_mul(y, &tc)));
    memcpy(out->y, y->val, tensor_size(y) * sizeof(float));
    memcpy(out->dx, gx, sizeof gx);
    memcpy(out->dw, gw, sizeof gw);
    memcpy(out->db, gb, sizeof gb);
    tensor_context_free(ctx);
    unsetenv("PHOENIX_KERNEL");
}

/* ---- in double ---- */

static double X[MOST], W[MOST], B[MOST_CHANNELS], Y[MOST];

static double pixel(const call *c, int image, int channel, int row, int column)
{
    if (row < 0 || row >= c->H || column < 0 || column >= c->W)
        return 0;
    return X[((image * c->C + channel) * c->H + row) * c->W + column];
}

static double conv_at(const call *c, int image, int o, int row, int column)
{
    double sum = c->bias ? B[o] : 0;
    for (int channel = 0; channel < c->C; channel++)
        for (int ky = 0; ky < c->kernel; ky++)
            for (int kx = 0; kx < c->kernel; kx++)
                sum += W[((o * c->C + channel) * c->kernel + ky) * c->kernel + kx] *
                       pixel(c, image, channel, row * c->stride - c->padding + ky,
                             column * c->stride - c->padding + kx);
    return sum;
}

static double pool_at(const call *c, int image, int channel, int row, int column)
{
    double sum = 0, most = -INFINITY;
    for (int ky = 0; ky < c->kernel; ky++)
        for (int kx = 0; kx < c->kernel; kx++) {
            double p = pixel(c, image, channel, row * c->stride + ky, column * c->stride + kx);
            sum += p;
            most = p > most ? p : most;
        }
    return c->op == MAX_POOL ? most : sum / (c->kernel * c->kernel);
}

static void norm_channel(const call *c, int channel, double *mean, double *var)
{
    int n = c->B * c->H * c->W;
    *mean = *var = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int image = 0; image < c->B; image++)
            for (int i = 0; i < c->H * c->W; i++) {
                double p = X[(image * c->C + channel) * c->H * c->W + i];
                if (pass == 0)
                    *mean += p / n;
                else
                    *var += (p - *mean) * (p - *mean) / n;
            }
}

/* Fills Y and returns sum(weighting * Y). */
static double reference(const call *c)
{
    if (c->op >= NORM_TRAIN) {
        float running_mean[MOST_CHANNELS], running_var[MOST_CHANNELS];
        start_running(running_mean, running_var);
        for (int channel = 0; channel < c->C; channel++) {
            double mean = (double)running_mean[channel], var = (double)running_var[channel];
            if (c->op == NORM_TRAIN)
                norm_channel(c, channel, &mean, &var);
            for (int image = 0; image < c->B; image++)
                for (int i = 0; i < c->H * c->W; i++) {
                    int at = (image * c->C + channel) * c->H * c->W + i;
                    Y[at] = (X[at] - mean) / sqrt(var + (double)EPS) * W[channel] + B[channel];
                }
        }
    } else {
        int at = 0;
        for (int image = 0; image < c->B; image++)
            for (int o = 0; o < (c->op == CONV ? c->O : c->C); o++)
                for (int row = 0; row < places(c->H, c); row++)
                    for (int column = 0; column < places(c->W, c); column++)
                        Y[at++] = c->op == CONV ? conv_at(c, image, o, row, column)
                                                : pool_at(c, image, o, row, column);
    }
    double sum = 0;
    for (int i = 0; i < y_size(c); i++)
        sum += (double)weighting[i] * Y[i];
    return sum;
}

static void to_double(double *to, const float *from, int count)
{
    for (int i = 0; i < count; i++)
        to[i] = (double)from[i];
}

static void load(const call *c)
{
    to_double(X, x, x_size(c));
    to_double(W, w, w_size(c));
    to_double(B, b, b_size(c));
}

/* dL / d(*variable). Where L is piecewise linear (pools), h stays below the gap of its inputs. */
static double slope(const call *c, double *variable)
{
    const double h = 0x1p-12, middle = *variable;
    static const double at[4] = {-2, -1, 1, 2}, factor[4] = {1, -8, 8, -1};
    double sum = 0;
    for (int i = 0; i < 4; i++) {
        *variable = middle + at[i] * h;
        sum += factor[i] * reference(c);
    }
    *variable = middle;
    return sum / (12 * h);
}

/* ---- the same bits ---- */

static const char *describe(const call *c)
{
    static char text[128];
    static const char *const names[] = {"conv2d", "max_pool2d", "avg_pool2d", "batchnorm2d train",
                                        "batchnorm2d eval"};
    snprintf(text, sizeof text, "%s x(%d,%d,%d,%d) O%d k%d s%d p%d%s", names[c->op], c->B, c->C,
             c->H, c->W, c->O, c->kernel, c->stride, c->padding, c->bias ? " bias" : "");
    return text;
}

static void check_same_bits(const call *c, const result *first)
{
    static result other;
    for (const char *const *set = tensor_kernels_available(); *set; set++)
        for (int threads = 1; threads <= 3; threads++) {
            run(c, *set, threads, &other);
            CHECK(memcmp(first, &other, sizeof other) == 0, "%s: %s, %d threads differ from scalar",
                  describe(c), *set, threads);
        }
}

/* ---- tolerances ---- */

/* conv2d is linear in each of x, w, bias; with all signs made positive, L's derivative by one of
 * them is the sum of the magnitudes that its gradient adds up. */
static void make_positive(const call *c, float *saved)
{
    for (int i = 0; i < x_size(c); i++)
        X[i] = fabs(X[i]);
    for (int i = 0; i < w_size(c); i++)
        W[i] = fabs(W[i]);
    for (int i = 0; i < b_size(c); i++)
        B[i] = fabs(B[i]);
    for (int i = 0; i < y_size(c); i++) {
        saved[i] = weighting[i];
        weighting[i] = fabsf(weighting[i]);
    }
}

static double magnitude(const call *c, double *variable)
{
    static float saved[MOST];
    static double XX[MOST], WW[MOST], BB[MOST_CHANNELS];
    memcpy(XX, X, sizeof X);
    memcpy(WW, W, sizeof W);
    memcpy(BB, B, sizeof B);
    make_positive(c, saved);
    double sum = slope(c, variable);
    memcpy(X, XX, sizeof X);
    memcpy(W, WW, sizeof W);
    memcpy(B, BB, sizeof B);
    memcpy(weighting, saved, (size_t)y_size(c) * sizeof *saved);
    return sum;
}

static void check_close(const call *c, const char *what, int i, float got, double want,
                        double bound)
{
    CHECK(fabs((double)got - want) <= bound, "%s: %s[%d] is %g, expected %g within %g", describe(c),
          what, i, (double)got, want, bound);
}

/* ---- conv ---- */

static void check_conv_gradients(const call *c, const result *got)
{
    /* a pixel's: a chain over O, then k*k additions; a weight's: chains and additions over all
     * places of all images; a bias's: additions over the same */
    int steps_x = c->O + c->kernel * c->kernel + 1;
    int steps_w = c->B * places(c->H, c) * places(c->W, c) + 1;
    for (int i = 0; i < x_size(c); i++)
        check_close(c, "dx", i, got->dx[i], slope(c, &X[i]),
                    steps_x * EPSILON * magnitude(c, &X[i]) + 1e-9);
    for (int i = 0; i < w_size(c); i++)
        check_close(c, "dw", i, got->dw[i], slope(c, &W[i]),
                    steps_w * EPSILON * magnitude(c, &W[i]) + 1e-9);
    for (int i = 0; i < b_size(c); i++)
        check_close(c, "db", i, got->db[i], slope(c, &B[i]),
                    steps_w * EPSILON * magnitude(c, &B[i]) + 1e-9);
}

static void test_conv(void)
{
    static const call small[] = {
        {CONV, 2, 3, 5, 7, 5, 1, 1, 0, true},  {CONV, 2, 3, 7, 6, 5, 3, 1, 0, true},
        {CONV, 2, 3, 6, 7, 3, 3, 1, 1, false}, {CONV, 3, 2, 9, 8, 4, 3, 2, 1, true},
        {CONV, 1, 1, 6, 9, 3, 5, 1, 2, true},  {CONV, 2, 2, 7, 5, 2, 4, 3, 2, true},
        {CONV, 1, 1, 1, 1, 1, 3, 1, 1, true},  {CONV, 1, 2, 1, 2, 2, 1, 1, 3, true},
        {CONV, 1, 1, 2, 3, 2, 3, 5, 4, true},  {CONV, 1, 1, 4, 2, 1, 2, 9, 0, false},
    };
    static result got;
    for (size_t t = 0; t < sizeof small / sizeof *small; t++) {
        const call *c = &small[t];
        fill_all(c);
        run(c, "scalar", 1, &got);
        load(c);
        reference(c);
        CHECK(got.size == y_size(c) && got.dim[0] == c->B && got.dim[1] == c->O, "%s: %d elements",
              describe(c), got.size);
        int steps = c->C * c->kernel * c->kernel + 1;
        for (int i = 0; i < got.size; i++) /* |x|, |w| and |bias| are at most 2 */
            check_close(c, "y", i, got.y[i], Y[i], steps * EPSILON * (4.0 * steps));
        check_conv_gradients(c, &got);
        check_same_bits(c, &got);
    }
}

/* Shapes large enough to be cut: y and dU into pieces, dw into runs of images and rows; and images so small that
 * several are taken together, the last of them fewer. */
static void test_conv_in_pieces(void)
{
    static const call large[] = {
        {CONV, 20, 3, 20, 20, 4, 3, 1, 1, true},  {CONV, 9, 40, 8, 8, 6, 5, 1, 2, true},
        {CONV, 1, 3, 100, 110, 1, 7, 1, 3, true}, {CONV, 17, 2, 24, 40, 2, 3, 2, 1, false},
        {CONV, 37, 5, 4, 4, 7, 3, 2, 1, true},    {CONV, 13, 6, 4, 5, 33, 1, 1, 0, true},
        {CONV, 21, 4, 3, 2, 5, 1, 1, 0, false},
    };
    static result got;
    for (size_t t = 0; t < sizeof large / sizeof *large; t++) {
        const call *c = &large[t];
        fill_all(c);
        run(c, "scalar", 1, &got);
        load(c);
        reference(c);
        int steps = c->C * c->kernel * c->kernel + 1;
        for (int i = 0; i < got.size; i++)
            check_close(c, "y", i, got.y[i], Y[i], steps * EPSILON * (4.0 * steps));
        check_same_bits(c, &got);
        /* slopes of the scalar cost a whole pass each: a few elements here and there */
        int places_of_all = c->B * places(c->H, c) * places(c->W, c);
        for (int i = 0; i < x_size(c); i += x_size(c) / 7)
            check_close(c, "dx", i, got.dx[i], slope(c, &X[i]),
                        (c->O + c->kernel * c->kernel) * EPSILON * magnitude(c, &X[i]) + 1e-7);
        for (int i = 0; i < w_size(c); i += w_size(c) / 7)
            check_close(c, "dw", i, got.dw[i], slope(c, &W[i]),
                        places_of_all * EPSILON * magnitude(c, &W[i]) + 1e-7);
    }
}

/* A weight so large that all images are one run: dw for a second one would take too much memory.
 * There is one place, so dw = sum over images of dy x. */
static void test_conv_large_weight(void)
{
    enum { IMAGES = 9, C_IN = 1024, C_OUT = 32, K = C_IN * 25 };
    float *image = calloc(IMAGES * K, sizeof *image), *kernel = calloc(C_OUT * K, sizeof *kernel);
    float *dw = calloc(C_OUT * K, sizeof *dw), dy[IMAGES * C_OUT];
    fill(image, IMAGES * K, 1);
    fill(dy, IMAGES * C_OUT, 4);
    tensor_context *ctx = tensor_context_new();
    tensor tx, tw, tc;
    tensor_leaf(&tx, ctx, 4, (int[]){IMAGES, C_IN, 5, 5}, image, NULL);
    tensor_leaf(&tw, ctx, 4, (int[]){C_OUT, C_IN, 5, 5}, kernel, dw);
    tensor_leaf(&tc, ctx, 4, (int[]){IMAGES, C_OUT, 1, 1}, dy, NULL);
    tensor_backward(tensor_sum(tensor_mul(tensor_conv2d(&tx, &tw, NULL, 1, 0), &tc)));
    int wrong = 0;
    for (int o = 0; o < C_OUT; o++)
        for (int i = 0; i < K; i++) {
            double want = 0, size = 0;
            for (int image_no = 0; image_no < IMAGES; image_no++) {
                double term = (double)dy[image_no * C_OUT + o] * (double)image[image_no * K + i];
                want += term;
                size += fabs(term);
            }
            wrong += !(fabs((double)dw[o * K + i] - want) <= IMAGES * EPSILON * size);
        }
    CHECK(wrong == 0, "%d elements of dw are wrong", wrong);
    size_t one = (size_t)C_OUT * K * sizeof(float);
    CHECK(tensor_step_peak(ctx) < one + one / 2, "%zu bytes of step memory for a dw of %zu",
          tensor_step_peak(ctx), one);
    tensor_context_free(ctx);
    free(dw);
    free(kernel);
    free(image);
}

/* ---- pools ---- */

static void test_pools(void)
{
    static const int shapes[][6] = {/* B, C, H, W, kernel, stride */
                                    {2, 3, 6, 8, 2, 2}, {2, 2, 7, 5, 2, 2},   {1, 2, 7, 8, 3, 2},
                                    {2, 1, 5, 5, 3, 1}, {1, 1, 3, 3, 3, 3},   {3, 2, 4, 4, 1, 1},
                                    {1, 3, 9, 7, 2, 3}, {5, 20, 12, 12, 2, 2}};
    static result got;
    for (size_t t = 0; t < sizeof shapes / sizeof *shapes; t++)
        for (int op = MAX_POOL; op <= AVG_POOL; op++) {
            const int *s = shapes[t];
            call c = {.op = op,
                      .B = s[0],
                      .C = s[1],
                      .H = s[2],
                      .W = s[3],
                      .O = s[1],
                      .kernel = s[4],
                      .stride = s[5]};
            fill_all(&c);
            for (int i = 0; i < x_size(&c); i++) /* all different, by at least 2^-9 */
                x[i] = (float)((i * 211) % x_size(&c)) / 512 - 1;
            run(&c, "scalar", 1, &got);
            load(&c);
            reference(&c);
            CHECK(got.size == y_size(&c), "%s: %d elements", describe(&c), got.size);
            int area = c.kernel * c.kernel;
            double bound = op == MAX_POOL ? 0 : 2.0 * area * EPSILON * 8;
            for (int i = 0; i < got.size; i++)
                check_close(&c, "y", i, got.y[i], Y[i], bound);
            for (int i = 0; i<x_size(&c); i += x_size(&c)> 1000 ? 97 : 1)
                check_close(&c, "dx", i, got.dx[i], slope(&c, &X[i]),
                            2.0 * area * (area + 1) * EPSILON + 1e-9);
            check_same_bits(&c, &got);
        }
}

static void test_max_pool_ties(void)
{
    static const call c = {
        .op = MAX_POOL, .B = 1, .C = 1, .H = 4, .W = 4, .O = 1, .kernel = 2, .stride = 2};
    static const float image[16] = {0, 0, 5, 7, 0, 0, 7, 5, -1, -2, 3, NAN, -1, -1, 4, NAN};
    static const float want[16] = {1, 0, 0, 2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 4};
    static result got;
    memcpy(x, image, sizeof image);
    for (int i = 0; i < 4; i++)
        weighting[i] = (float)(i + 1);
    run(&c, "scalar", 1, &got);
    CHECK(got.y[0] == 0 && got.y[1] == 7 && got.y[2] == -1, "%g %g %g", (double)got.y[0],
          (double)got.y[1], (double)got.y[2]);
    CHECK(got.y[3] != got.y[3], "a window with a NaN gave %g", (double)got.y[3]);
    CHECK(memcmp(got.dx, want, sizeof want) == 0, "the gradient went elsewhere than to the first");
}

/* ---- batchnorm ---- */

static void check_running(const call *c, const result *got)
{
    float mean_before[MOST_CHANNELS], var_before[MOST_CHANNELS];
    start_running(mean_before, var_before);
    double n = c->B * c->H * c->W, keep = 1 - (double)MOMENTUM, take = (double)MOMENTUM;
    for (int i = 0; i < c->C; i++) {
        double mean, var, before = (double)mean_before[i], spread = (double)var_before[i];
        norm_channel(c, i, &mean, &var);
        if (c->op == NORM_EVAL)
            take = 0, keep = 1;
        check_close(c, "running mean", i, got->running_mean[i], keep * before + take * mean,
                    (n + 4) * EPSILON * 2);
        check_close(c, "running var", i, got->running_var[i],
                    keep * spread + take * var * n / (n - 1), (n + 4) * EPSILON * 8);
    }
}

static void test_batchnorm(void)
{
    static const int shapes[][4] = {
        {4, 3, 5, 5}, {3, 5, 3, 7}, {2, 1, 1, 1}, {1, 2, 4, 4}, {2, 4, 9, 8}};
    static result got;
    for (size_t t = 0; t < sizeof shapes / sizeof *shapes; t++)
        for (int op = NORM_TRAIN; op <= NORM_EVAL; op++) {
            const int *s = shapes[t];
            call c = {.op = op, .B = s[0], .C = s[1], .H = s[2], .W = s[3]};
            fill_all(&c);
            run(&c, "scalar", 1, &got);
            load(&c);
            /* With |x|, |g|, |dy| <= 2 and n roundings at most in each of the sums: h has an error
             * of n eps (|x| + |mean|) r, relative to 1 + h; a gradient adds three terms, the last
             * of them with two factors h. */
            double n = c.B * c.H * c.W, r = 0;
            for (int i = 0; i < c.C; i++) {
                double mean, var;
                norm_channel(&c, i, &mean, &var);
                if (op == NORM_EVAL)
                    var = 0.5;
                r = fmax(r, 1 / sqrt(var + (double)EPS));
            }
            double h = 4 * r, roundings = (n + 16) * EPSILON;
            reference(&c);
            for (int i = 0; i < got.size; i++)
                check_close(&c, "y", i, got.y[i], Y[i], roundings * (2 * h + 2));
            for (int i = 0; i < x_size(&c); i++)
                check_close(&c, "dx", i, got.dx[i], slope(&c, &X[i]),
                            roundings * 2 * r * 2 * (2 + 2 * h * h) + 1e-8);
            for (int i = 0; i < c.C; i++) {
                check_close(&c, "dg", i, got.dw[i], slope(&c, &W[i]), roundings * n * 2 * h + 1e-8);
                check_close(&c, "db", i, got.db[i], slope(&c, &B[i]), roundings * n * 2 + 1e-8);
            }
            check_running(&c, &got);
            check_same_bits(&c, &got);
        }
}

/* The variance of a channel far from 0: 1e-5 of it must not be lost in the mean's square. */
static void test_batchnorm_far_from_zero(void)
{
    static const call c = {.op = NORM_TRAIN, .B = 2, .C = 1, .H = 4, .W = 4};
    static result got;
    fill_all(&c);
    for (int i = 0; i < 32; i++)
        x[i] = 4096 + (float)(i % 2);
    w[0] = 1;
    b[0] = 0;
    run(&c, "scalar", 1, &got);
    double want = 0.5 / sqrt(0.25 + (double)EPS);
    for (int i = 0; i < 32; i++)
        check_close(&c, "y", i, got.y[i], i % 2 ? want : -want, 4 * EPSILON);
}

/* ---- the caller's bugs ---- */

static jmp_buf after_failure;
static char failure[256];

static void on_failure(void *user, const char *operation, const char *message)
{
    (void)user;
    snprintf(failure, sizeof failure, "%s: %s", operation, message);
    longjmp(after_failure, 1);
}

static void check_fails(tensor_context *ctx, int which)
{
    static float values[600], running[8];
    tensor image, weight, oblong, bias, row;
    tensor_leaf(&image, ctx, 4, (int[]){1, 2, 4, 4}, values, NULL);
    tensor_leaf(&weight, ctx, 4, (int[]){3, 2, 3, 3}, values, NULL);
    tensor_leaf(&oblong, ctx, 4, (int[]){3, 2, 3, 1}, values, NULL);
    tensor_leaf(&bias, ctx, 1, (int[]){2}, values, NULL);
    tensor_leaf(&row, ctx, 1, (int[]){4}, values, NULL);
    failure[0] = '\0';
    if (setjmp(after_failure) == 0) {
        switch (which) {
        case 0:
            tensor_conv2d(&row, &weight, NULL, 1, 0);
            break;
        case 1:
            tensor_conv2d(&image, &weight, &bias, 1, 0);
            break;
        case 2:
            tensor_conv2d(&image, &weight, NULL, 0, 0);
            break;
        case 3:
            tensor_conv2d(&image, &weight, NULL, 1, -1);
            break;
        case 4:
            tensor_conv2d(&image, &weight, NULL, 1, 1 << 30);
            break;
        case 5:
            tensor_conv2d(&image, &oblong, NULL, 1, 0);
            break;
        case 6:
            tensor_max_pool2d(&image, 5, 1);
            break;
        case 7:
            tensor_avg_pool2d(&image, 2, 0);
            break;
        case 8:
            tensor_max_pool2d(&row, 1, 1);
            break;
        case 9:
            tensor_batchnorm2d(&image, &row, &bias, running, running, true, 0.1F, 1e-5F);
            break;
        default:
            tensor_batchnorm2d(&row, &bias, &bias, running, running, true, 0.1F, 1e-5F);
            break;
        }
    }
    CHECK(failure[0] != '\0', "wrong call %d was taken", which);
    tensor_step_end(ctx);
}

static void test_failures(void)
{
    tensor_context *ctx = tensor_context_new();
    tensor_set_failure_handler(ctx, on_failure, NULL);
    for (int which = 0; which <= 10; which++)
        check_fails(ctx, which);
    tensor_context_free(ctx);
}

int main(void)
{
    test_conv();
    test_conv_in_pieces();
    test_conv_large_weight();
    test_pools();
    test_max_pool_ties();
    test_batchnorm();
    test_batchnorm_far_from_zero();
    test_failures();
    return test_end();
}
