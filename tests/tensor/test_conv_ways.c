/* SPDX-License-Identifier: MIT */
/* test_conv_ways.c -- the ways of computing a convolution, held against its definition:
 * unfolding (conv_gemm.c) bit for bit, Winograd's (conv_winograd.c) by what it may round; and what an activation
 * is fused with against the two apart.
 *
 * Winograd's way computes y = A^T [sum over c of (G w G^T) * (B^T d B)] A. With every matrix and
 * every number made positive, the same formula bounds the sum of the magnitudes of all the terms
 * that make an element, and each term has passed through at most (steps of the chain + 24)
 * roundings: 2 * 4 in A, 2 * 5 in G with its rounded entries, 2 * 3 in B. Their product, times
 * epsilon / 2, bounds the error. It is a bound of the worst case, some thousand times what is
 * found, so the root of the mean square is held to something tighter as well. */
#include "base/random.h"
#include "tensor/conv.h"
#include "tests/test.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

enum { MOST = 66000, MOST_CHANNELS = 64 };

typedef struct shape {
    int B, C, H, W, O, kernel, stride, padding;
} shape;

typedef struct result {
    float y[MOST], dx[MOST], dw[MOST], db[MOST_CHANNELS];
} result;

static float x[MOST], w[MOST], b[MOST_CHANNELS], dy[MOST];

static int places(int in, const shape *s)
{
    return (in + 2 * s->padding - s->kernel) / s->stride + 1;
}

static int x_size(const shape *s) { return s->B * s->C * s->H * s->W; }

static int w_size(const shape *s) { return s->O * s->C * s->kernel * s->kernel; }

static int y_size(const shape *s) { return s->B * s->O * places(s->H, s) * places(s->W, s); }

static const char *describe(const shape *s)
{
    static char text[96];
    snprintf(text, sizeof text, "x(%d,%d,%d,%d) O%d k%d s%d p%d", s->B, s->C, s->H, s->W, s->O,
             s->kernel, s->stride, s->padding);
    return text;
}

/* Uniform in [-1, 1). */
static void fill(float *to, int count, uint64_t stream)
{
    base_random r = {1, stream, 0};
    for (int i = 0; i < count; i++)
        to[i] = (float)(base_random_next(&r) >> 8) * 0x1p-23F - 1;
}

static void fill_all(const shape *s)
{
    CHECK(x_size(s) <= MOST && w_size(s) <= MOST && y_size(s) <= MOST, "%s is too large",
          describe(s));
    fill(x, x_size(s), 1);
    fill(w, w_size(s), 2);
    fill(b, s->O, 3);
    fill(dy, y_size(s), 4);
}

/* ---- through the library ---- */

enum { WANT_X = 1, WANT_W = 2, WANT_B = 4, WANT_ALL = 7 };

/* Gradients are begun from what stands in `out`. */
static void run(const shape *s, const char *set, int threads, int want, result *out)
{
    setenv("PHOENIX_KERNEL", set, 1);
    tensor_context *ctx = tensor_context_new();
    tensor_set_threads(ctx, threads);
    tensor tx, tw, tb, tc;
    tensor_leaf(&tx, ctx, 4, (int[]){s->B, s->C, s->H, s->W}, x, want & WANT_X ? out->dx : NULL);
    tensor_leaf(&tw, ctx, 4, (int[]){s->O, s->C, s->kernel, s->kernel}, w,
                want & WANT_W ? out->dw : NULL);
    tensor_leaf(&tb, ctx, 1, (int[]){s->O}, b, want & WANT_B ? out->db : NULL);
    tensor *y = tensor_conv2d(&tx, &tw, &tb, s->stride, s->padding);
    tensor_leaf(&tc, ctx, 4, y->dim, dy, NULL);
    CHECK((int)tensor_size(y) == y_size(s), "%s: %zu results", describe(s), tensor_size(y));
    memcpy(out->y, y->val, tensor_size(y) * sizeof(float));
    if (want)
        tensor_backward(tensor_sum(tensor_mul(y, &tc)));
    tensor_context_free(ctx);
    unsetenv("PHOENIX_KERNEL");
}

static void run_from_zero(const shape *s, const char *set, int threads, int want, result *out)
{
    memset(out, 0, sizeof *out);
    run(s, set, threads, want, out);
}

/* ---- in double ---- */

static double Y[MOST], DX[MOST], DW[MOST], DB[MOST_CHANNELS];

static void reference(const shape *s)
{
    memset(DX, 0, sizeof DX);
    memset(DW, 0, sizeof DW);
    memset(DB, 0, sizeof DB);
    int at = 0, k = s->kernel;
    for (int image = 0; image < s->B; image++)
        for (int o = 0; o < s->O; o++)
            for (int row = 0; row < places(s->H, s); row++)
                for (int column = 0; column < places(s->W, s); column++, at++) {
                    double sum = (double)b[o], g = (double)dy[at];
                    DB[o] += g;
                    for (int i = 0; i < s->C * k * k; i++) {
                        int c = i / k / k;
                        int r = row * s->stride - s->padding + i / k % k;
                        int q = column * s->stride - s->padding + i % k;
                        if (r < 0 || r >= s->H || q < 0 || q >= s->W)
                            continue;
                        int from = ((image * s->C + c) * s->H + r) * s->W + q;
                        int by = o * s->C * k * k + i;
                        sum += (double)w[by] * (double)x[from];
                        DX[from] += (double)w[by] * g;
                        DW[by] += (double)x[from] * g;
                    }
                    Y[at] = sum;
                }
}

/* ---- what may be rounded ---- */

static const double BT[6][6] = {
    {0.87890625, 0, -2.640625, 0, 1, 0},   {0, -1.40625, -2.25, 0.625, 1, 0},
    {0, 1.40625, -2.25, -0.625, 1, 0},     {0, -0.5859375, -0.390625, 1.5, 1, 0},
    {0, 0.5859375, -0.390625, -1.5, 1, 0}, {0, 0.87890625, 0, -2.640625, 0, 1}};
static const double G_ROWS[6] = {1.1379, 1.3876, 1.3876,
                                 0.5677, 0.5677, 1}; /* sums of magnitudes */
static const double AT[4][6] = {{1, 1, 1, 1, 1, 0},
                                {0, 0.625, -0.625, 1.5, -1.5, 0},
                                {0, 0.390625, 0.390625, 2.25, 2.25, 0},
                                {0, 0.244140625, -0.244140625, 3.375, -3.375, 1}};

static double b_row(int i)
{
    double sum = 0;
    for (int j = 0; j < 6; j++)
        sum += fabs(BT[i][j]);
    return sum;
}

static double a_row(int i)
{
    double sum = 0;
    for (int j = 0; j < 4; j++)
        sum += fabs(AT[j][i]);
    return sum;
}

/* The largest sums of magnitudes in one dimension, where all of x, w and dy are at most 1. */
static double largest_y(void)
{
    double most = 0;
    for (int i = 0; i < 4; i++) {
        double sum = 0;
        for (int j = 0; j < 6; j++)
            sum += fabs(AT[i][j]) * G_ROWS[j] * b_row(j);
        most = fmax(most, sum);
    }
    return most;
}

/* Two tiles may overlap. */
static double largest_dx(void)
{
    double most = 0;
    for (int i = 0; i < 6; i++) {
        double sum = 0;
        for (int j = 0; j < 6; j++)
            sum += fabs(BT[j][i]) * G_ROWS[j] * a_row(j);
        most = fmax(most, 2 * sum);
    }
    return most;
}

/* No entry of G is larger than its row's sum. */
static double largest_dw(void)
{
    double sum = 0;
    for (int j = 0; j < 6; j++)
        sum += G_ROWS[j] * b_row(j) * a_row(j);
    return sum;
}

static void check_error(const shape *s, const char *what, const float *got, const double *want,
                        int count, int chain, double largest)
{
    double bound = (chain + 24) * (double)FLT_EPSILON / 2 * chain * largest * largest;
    double squares = 0, errors = 0, most = 0;
    for (int i = 0; i < count; i++) {
        double error = (double)got[i] - want[i];
        squares += want[i] * want[i];
        errors += error * error;
        most = fmax(most, fabs(error));
    }
    CHECK(most <= bound, "%s: %s is off by %g, at most %g was to be expected", describe(s), what,
          most, bound);
    /* found: 2 to 12 epsilon, the most for dw over 256 tiles */
    CHECK(sqrt(errors) <= 24 * (double)FLT_EPSILON * sqrt(squares),
          "%s: the error of %s is %g epsilon of it", describe(s), what,
          sqrt(errors / squares) / (double)FLT_EPSILON);
}

/* ---- the tests ---- */

static void check_same_bits(const shape *s, const result *first)
{
    static result other;
    for (const char *const *set = tensor_kernels_available(); *set; set++)
        for (int threads = 1; threads <= 3; threads++) {
            run_from_zero(s, *set, threads, WANT_ALL, &other);
            CHECK(memcmp(first, &other, sizeof other) == 0, "%s: %s, %d threads differ",
                  describe(s), *set, threads);
        }
}

/* Each gradient alone is what it is with the others, and is added to what is there. */
static void check_alone(const shape *s, const result *all)
{
    static result one;
    for (int want = 0; want < WANT_ALL; want++) {
        memset(&one, 0, sizeof one);
        run(s, "", 2, want, &one);
        CHECK(memcmp(one.y, all->y, sizeof one.y) == 0, "%s: y differs", describe(s));
        CHECK(!(want & WANT_X) || memcmp(one.dx, all->dx, sizeof one.dx) == 0, "%s: dx alone, %d",
              describe(s), want);
        CHECK(!(want & WANT_W) || memcmp(one.dw, all->dw, sizeof one.dw) == 0, "%s: dw alone, %d",
              describe(s), want);
        CHECK(!(want & WANT_B) || memcmp(one.db, all->db, sizeof one.db) == 0, "%s: db alone, %d",
              describe(s), want);
    }
}

static void test_winograd(void)
{
    static const shape shapes[] = {
        {2, 16, 6, 7, 16, 3, 1, 0},   /* parts of tiles */
        {1, 17, 5, 9, 19, 3, 1, 1},   /* parts of vecs */
        {4, 8, 3, 3, 8, 3, 1, 0},     /* one place in each image */
        {4, 9, 1, 1, 33, 3, 1, 1},    /* one pixel in each image */
        {2, 12, 9, 34, 10, 3, 1, 2},  /* lines of more than one strip; the kernel fits outside */
        {1, 40, 8, 12, 33, 3, 1, 1},  /* several panels */
        {1, 8, 5, 61, 9, 3, 1, 5},    /* strips that are all padding */
        {4, 16, 32, 32, 16, 3, 1, 1}, /* several blocks, cut within an image */
    };
    static result got;
    for (size_t t = 0; t < sizeof shapes / sizeof *shapes; t++) {
        const shape *s = &shapes[t];
        int tiles = s->B * ((places(s->H, s) + 3) / 4) * ((places(s->W, s) + 3) / 4);
        int all = s->B * places(s->H, s) * places(s->W, s);
        fill_all(s);
        reference(s);
        run_from_zero(s, "", 1, WANT_ALL, &got);
        check_error(s, "y", got.y, Y, y_size(s), s->C, largest_y());
        check_error(s, "dx", got.dx, DX, x_size(s), s->O, largest_dx());
        check_error(s, "dw", got.dw, DW, w_size(s), tiles, largest_dw());
        for (int o = 0; o < s->O; o++)
            CHECK(fabs((double)got.db[o] - DB[o]) <= all * (double)FLT_EPSILON / 2 * all,
                  "%s: db[%d] is %g, expected %g", describe(s), o, (double)got.db[o], DB[o]);
        check_same_bits(s, &got);
        check_alone(s, &got);
    }
}

/* One tile: the definition in double gives the direct sums, and each set's transforms the definition.
 * Both go through at most 24 roundings, of double's and of float's size. */
static void test_one_tile(void)
{
    double d[36], k[9], y[16], size = largest_y() * largest_y();
    fill(x, 36, 5);
    fill(w, 9, 6);
    for (int i = 0; i < 36; i++)
        d[i] = (double)x[i];
    for (int i = 0; i < 9; i++)
        k[i] = (double)w[i];
    tensor_winograd_plain(y, d, k);
    for (int i = 0; i < 16; i++) {
        double sum = 0;
        for (int j = 0; j < 9; j++)
            sum += k[j] * d[(i / 4 + j / 3) * 6 + i % 4 + j % 3];
        CHECK(fabs(y[i] - sum) <= 24 * DBL_EPSILON / 2 * size, "y[%d] is %.17g, not %.17g", i, y[i],
              sum);
    }
    const tensor_winograd_strip in = {.H = 6, .W = 6, .tiles = 1, .channels = 1, .point_stride = 1};
    const tensor_winograd_strip out = {
        .H = 4, .W = 4, .tiles = 1, .channels = 1, .point_stride = 1};
    for (const char *const *set = tensor_kernels_available(); *set; set++) {
        const tensor_image_kernels *kernels = tensor_kernels_pick(*set)->image;
        float U[36], V[36], got[16];
        kernels->points_of_weight(U, 1, w, 1, 1);
        kernels->points_of_input(V, x, &in);
        for (int p = 0; p < 36; p++)
            V[p] *= U[p];
        kernels->result_of_points(got, V, NULL, false, &out);
        for (int i = 0; i < 16; i++)
            CHECK(fabs((double)got[i] - y[i]) <= 24 * (double)FLT_EPSILON / 2 * size,
                  "%s: y[%d] is %g, not %g", *set, i, (double)got[i], y[i]);
    }
}

/* Adding to a gradient that is there: once more of the same doubles it, to a rounding or two. */
static void test_gradients_add_up(void)
{
    static const shape s = {2, 16, 7, 10, 16, 3, 1, 1};
    static result once, twice;
    fill_all(&s);
    run_from_zero(&s, "", 1, WANT_ALL, &once);
    twice = once;
    run(&s, "", 1, WANT_ALL, &twice);
    int wrong = 0;
    for (int i = 0; i < x_size(&s); i++) /* up to four tiles are added, each to all before */
        wrong += !(fabsf(twice.dx[i] - 2 * once.dx[i]) <= 16 * FLT_EPSILON * 64);
    for (int i = 0; i < w_size(&s); i++)
        wrong += twice.dw[i] != 2 * once.dw[i];
    CHECK(wrong == 0, "%d gradients were not added to", wrong);
}

/* conv2d_relu is relu of conv2d, and so are its gradients, whichever way is taken. */
static void run_relu(const shape *s, int threads, bool fused, result *out)
{
    memset(out, 0, sizeof *out);
    tensor_context *ctx = tensor_context_new();
    tensor_set_threads(ctx, threads);
    tensor tx, tw, tb, tc;
    tensor_leaf(&tx, ctx, 4, (int[]){s->B, s->C, s->H, s->W}, x, out->dx);
    tensor_leaf(&tw, ctx, 4, (int[]){s->O, s->C, s->kernel, s->kernel}, w, out->dw);
    tensor_leaf(&tb, ctx, 1, (int[]){s->O}, b, out->db);
    tensor *y = fused ? tensor_conv2d_relu(&tx, &tw, &tb, s->stride, s->padding)
                      : tensor_relu(tensor_conv2d(&tx, &tw, &tb, s->stride, s->padding));
    tensor_leaf(&tc, ctx, 4, y->dim, dy, NULL);
    memcpy(out->y, y->val, tensor_size(y) * sizeof(float));
    tensor_backward(tensor_sum(tensor_mul(y, &tc)));
    tensor_context_free(ctx);
}

static void test_relu(void)
{
    static const shape shapes[] = {{2, 16, 6, 19, 17, 3, 1, 1}, {2, 3, 9, 8, 5, 3, 1, 0}};
    static result apart, together;
    for (size_t t = 0; t < sizeof shapes / sizeof *shapes; t++) {
        fill_all(&shapes[t]);
        run_relu(&shapes[t], 1, false, &apart);
        run_relu(&shapes[t], 2, true, &together);
        int zeros = 0;
        for (int i = 0; i < y_size(&shapes[t]); i++)
            zeros += together.y[i] == 0;
        CHECK(zeros > y_size(&shapes[t]) / 4, "%s: %d zeros", describe(&shapes[t]), zeros);
        CHECK(memcmp(&apart, &together, sizeof apart) == 0, "%s: conv2d_relu differs",
              describe(&shapes[t]));
    }
}

/* batchnorm2d_bent is relu or relu6 of batchnorm2d, in all gradients too, for planes that are bent on the way and for
 * shorter ones. */
static void run_bent(const shape *s, bool fused, tensor_bend bend, result *out)
{
    float mean[MOST_CHANNELS] = {0}, variance[MOST_CHANNELS] = {0};
    memset(out, 0, sizeof *out);
    tensor_context *ctx = tensor_context_new();
    tensor tx, tw, tb, tc;
    tensor_leaf(&tx, ctx, 4, (int[]){s->B, s->C, s->H, s->W}, x, out->dx);
    tensor_leaf(&tw, ctx, 1, (int[]){s->C}, w, out->dw);
    tensor_leaf(&tb, ctx, 1, (int[]){s->C}, b, out->db);
    tensor *y;
    if (fused) {
        y = tensor_batchnorm2d_bent(&tx, &tw, &tb, mean, variance, true, 0.1F, 1e-5F, bend);
    } else {
        y = tensor_batchnorm2d(&tx, &tw, &tb, mean, variance, true, 0.1F, 1e-5F);
        y = bend == TENSOR_RELU ? tensor_relu(y) : tensor_relu6(y);
    }
    tensor_leaf(&tc, ctx, 4, y->dim, dy, NULL);
    memcpy(out->y, y->val, tensor_size(y) * sizeof(float));
    tensor_backward(tensor_sum(tensor_mul(y, &tc)));
    memcpy(out->dw + s->C, mean, (size_t)s->C * sizeof *mean);
    memcpy(out->dw + 2 * s->C, variance, (size_t)s->C * sizeof *variance);
    tensor_context_free(ctx);
}

static void test_bent(void)
{
    static const shape shapes[] = {{35, 4, 9, 8, 4, 1, 1, 0}, {5, 7, 3, 4, 7, 1, 1, 0}};
    static result apart, together;
    for (size_t t = 0; t < sizeof shapes / sizeof *shapes; t++)
        for (tensor_bend bend = TENSOR_RELU; bend <= TENSOR_RELU6; bend++) {
            fill_all(&shapes[t]);
            for (int c = 0; c < shapes[t].C; c++)
                w[c] = 9; /* so that some are above 6 */
            run_bent(&shapes[t], false, bend, &apart);
            run_bent(&shapes[t], true, bend, &together);
            int bent = 0;
            for (int i = 0; i < y_size(&shapes[t]); i++)
                bent += together.y[i] == 0 || together.y[i] == 6;
            CHECK(bent > y_size(&shapes[t]) / 4, "%s: %d are bent", describe(&shapes[t]), bent);
            CHECK(memcmp(&apart, &together, sizeof apart) == 0, "%s, bend %d: differs",
                  describe(&shapes[t]), (int)bend);
        }
}

/* Shapes that Winograd's way does not take. */
static void test_plain(void)
{
    static const shape shapes[] = {
        {2, 3, 7, 6, 5, 3, 1, 0},     {2, 3, 20, 21, 40, 3, 1, 1}, {2, 16, 9, 9, 17, 3, 2, 1},
        {1, 9, 12, 11, 16, 5, 1, 2},  {3, 16, 5, 4, 20, 1, 1, 0},  {1, 16, 6, 6, 16, 3, 1, 0},
        {1, 1, 100, 110, 2, 7, 1, 3}, {70, 5, 4, 4, 7, 3, 2, 1},   {13, 6, 4, 5, 33, 1, 1, 0}};
    static result got;
    static float plain[MOST];
    for (size_t t = 0; t < sizeof shapes / sizeof *shapes; t++) {
        const shape *s = &shapes[t];
        int area = s->kernel * s->kernel, H2 = places(s->H, s), W2 = places(s->W, s);
        conv c = {.B = s->B, .C = s->C, .H = s->H, .W = s->W, .O = s->O, .kernel = s->kernel};
        c.stride = s->stride, c.padding = s->padding, c.H2 = H2, c.W2 = W2;
        c.K = s->C * area, c.P = H2 * W2;
        fill_all(s);
        tensor_conv_plain(&(conv_task){.s = &c, .x = x, .weight = w, .bias = b, .y = plain});
        run_from_zero(s, "", 2, 0, &got);
        CHECK(memcmp(got.y, plain, (size_t)y_size(s) * sizeof *plain) == 0,
              "%s: not what the definition gives", describe(s));
    }
}

int main(void)
{
    test_one_tile();
    test_winograd();
    test_gradients_add_up();
    test_relu();
    test_bent();
    test_plain();
    return test_end();
}
