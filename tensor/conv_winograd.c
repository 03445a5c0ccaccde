/* SPDX-License-Identifier: MIT */
/* conv_winograd.c -- convolution with a kernel of 3x3 and stride 1 by Winograd's method: Lavin &
 * Gray 2016, "Fast Algorithms for Convolutional Neural Networks", CVPR, arXiv:1509.09308.
 *
 * In one dimension, four results y of three weights w and six inputs d, y_i = sum_j w_j d_(i+j),
 * are a product of polynomials transposed, and a product of polynomials of degrees 2 and 3 is given
 * by its values at six points (Toom and Cook). That makes y = A^T (G w * B^T d), where * multiplies
 * six numbers by six: 6 products in place of 12. In two dimensions the transforms go down the
 * columns and along the lines, and a tile of 4x4 results takes 36 products in place of 144:
 *
 *   y = A^T [ (G w G^T) * (B^T d B) ] A
 *
 * Sums over channels are taken before the last transform, so for each point p of the 36, with U_p
 * (O,C), V_p (T,C) and M_p (T,O), T tiles, the work is one product of matrices. With the
 * transforms' transposes the gradients are
 *
 *   M = V U^T              forward
 *   dM = A dy A^T          in every tile and channel
 *   dV = dM U,  dx = B dV B^T, added up where tiles overlap
 *   dU = dM^T V summed over all tiles,  dw = G^T dU G
 *
 * For the points 0, a, -a, b, -b and infinity,
 *
 *         | a^2b^2    0    -a^2-b^2    0      1   0 |         | 1   1    1    1    1   0 |
 *         |   0    -ab^2     -b^2      a      1   0 |   A^T = | 0   a   -a    b   -b   0 |
 *   B^T = |   0     ab^2     -b^2     -a      1   0 |         | 0  a^2  a^2  b^2  b^2  0 |
 *         |   0    -a^2b     -a^2      b      1   0 |         | 0  a^3 -a^3  b^3 -b^3  1 |
 *         |   0     a^2b     -a^2     -b      1   0 |
 *         |   0    a^2b^2      0    -a^2-b^2  0   1 |
 *
 * and the rows of G are (1, 0, 0) / a^2b^2, (1, z, z^2) / 2z^2(z^2 - z'^2) for z = a, -a, b, -b
 * where z' is the other of a and b, and (0, 0, 1). The points are not those of the paper, 1 and 2,
 * but a = 5/8 and b = 3/2, whose powers are as exact in binary and whose matrices are smaller: with
 * normally distributed x and w and 128 channels the error is 1.8 times that of the plain sums, and
 * not 4 times (root of the mean square, relative to that of y).
 *
 * Tiles are taken in blocks whose points fit into the cache. In each, three rounds of work are
 * shared out over threads: into points, the products, and back. */
#include "base/math.h"
#include "tensor/conv.h"
#include "tensor/gemm.h"

#include <stdint.h>
#include <string.h>

enum {
    BLOCK = 1 << 19, /* floats that the points of a block may take, or as many as U has */
    PAD = 16,     /* floats between the rows of a matrix, which should not be a power of 2 apart */
    STEPS = 256,  /* of a product at a time: 32 KiB of its right side in panels of 32 */
    PAIRS = 1024, /* pairs of channels whose kernels are computed from their points at a time */
    GROUP = 16    /* channels whose dx is one thread's */
};

typedef struct winograd {
    const conv_task *task;
    const conv *s;
    const tensor_image_kernels *kernels;
    int tile_rows, tile_columns;         /* of an image */
    int first, rows;                     /* the block, among the rows of tiles of all images */
    size_t panel;                        /* its columns */
    size_t c_stride, o_stride;           /* from tile to tile in V and M */
    size_t c_points, o_points, u_points; /* from point to point in V, M and U */
    size_t pairs;                        /* and in dU */
    float *U, *V, *M;                    /* M: dM in backward */
    float *dU, *dV, *sums;               /* sums: of dy's planes, (B,O); NULL: not wanted */
    float *scratch;                      /* 9 for each pair of channels */
} winograd;

/* ---- the definition ---- */

/* to (rows,rows) = T x T^T, for T (rows,cols) and x (cols,cols). */
static void transform(double *to, const double *T, int rows, int cols, const double *x)
{
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < rows; j++) {
            double sum = 0;
            for (int k = 0; k < cols; k++)
                for (int l = 0; l < cols; l++)
                    sum += T[i * cols + k] * x[k * cols + l] * T[j * cols + l];
            to[i * rows + j] = sum;
        }
}

void tensor_winograd_plain(double y[16], const double d[36], const double w[9])
{
    const double a = 0.625, b = 1.5, aa = a * a, bb = b * b;
    const double ga = 1 / (2 * aa * (aa - bb)), gb = 1 / (2 * bb * (bb - aa));
    /* clang-format off */
    const double BT[] = {aa * bb,  0,       -aa - bb,  0,        1, 0,  /* 0 */
                         0,       -a * bb,  -bb,       a,        1, 0,  /* a */
                         0,        a * bb,  -bb,      -a,        1, 0,  /* -a */
                         0,       -aa * b,  -aa,       b,        1, 0,  /* b */
                         0,        aa * b,  -aa,      -b,        1, 0,  /* -b */
                         0,        aa * bb,  0,       -aa - bb,  0, 1}; /* infinity */
    const double G[] = {1 / (aa * bb), 0, 0,   ga,  a * ga, aa * ga,   ga, -a * ga, aa * ga,
                        gb,  b * gb, bb * gb,  gb, -b * gb, bb * gb,    0,  0,       1};
    const double AT[] = {1,  1,       1,       1,       1,      0,  /* z^0 */
                         0,  a,      -a,       b,      -b,      0,  /* z^1 */
                         0,  aa,      aa,      bb,      bb,     0,  /* z^2 */
                         0,  a * aa, -a * aa,  b * bb, -b * bb, 1}; /* z^3 */
    /* clang-format on */
    double U[36], V[36];
    transform(U, G, 6, 3, w);
    transform(V, BT, 6, 6, d);
    for (int p = 0; p < 36; p++)
        V[p] *= U[p];
    transform(y, AT, 4, 6, V);
}

/* ---- weights ---- */

/* Products read their right side in panels of tile_n columns, one after another (gemm.c); points
 * are written there as panels at once. Columns beyond the last are 0. */

/* U^T, (36,C,O), for the forward product: some channels of it. As a matrix (O,9C) the weight's
 * transpose has for each channel 9 rows of O. */
static void forward_weight(void *argument, size_t first, size_t count, int worker)
{
    const winograd *w = argument;
    const tensor_kernels *kernels = tensor_context_kernels(w->task->ctx);
    size_t O = (size_t)w->s->O, K = (size_t)w->s->K;
    (void)worker;
    kernels->transpose(w->scratch + first * 9 * O, O, w->task->weight + first * 9, K, O, count * 9);
    for (size_t c = first; c < first + count; c++)
        for (size_t o = 0; o < O; o += w->panel)
            w->kernels->points_of_weight(w->U + o * (size_t)w->s->C + c * w->panel, w->u_points,
                                         w->scratch + c * 9 * O + o, O,
                                         O - o < w->panel ? O - o : w->panel);
}

/* U, (36,O,C), for backward: some channels of the result. */
static void backward_weight(void *argument, size_t first, size_t count, int worker)
{
    const winograd *w = argument;
    const tensor_kernels *kernels = tensor_context_kernels(w->task->ctx);
    size_t O = (size_t)w->s->O, C = (size_t)w->s->C;
    (void)worker;
    for (size_t o = first; o < first + count; o++) {
        float *turned = w->scratch + o * 9 * C;
        kernels->transpose(turned, C, w->task->weight + o * 9 * C, 9, C, 9);
        for (size_t c = 0; c < C; c += w->panel)
            w->kernels->points_of_weight(w->U + c * O + o * w->panel, w->u_points, turned + c, C,
                                         C - c < w->panel ? C - c : w->panel);
    }
}

static void weight_gradient(void *argument, size_t first, size_t count, int worker)
{
    const winograd *w = argument;
    const tensor_kernels *kernels = tensor_context_kernels(w->task->ctx);
    float turned[PAIRS * 9];
    (void)worker;
    for (size_t end = first + count; first < end; first += PAIRS) {
        size_t some = end - first < PAIRS ? end - first : PAIRS;
        w->kernels->weight_of_points(w->scratch + first, w->pairs, w->dU + first, w->pairs, some);
        kernels->transpose(turned, 9, w->scratch + first, w->pairs, 9, some);
        kernels->add(w->task->dw + first * 9, turned, some * 9);
    }
}

/* ---- blocks ---- */

/* A row of tiles is done a strip at a time. */
typedef struct place {
    tensor_winograd_strip strip;
    size_t image, tile; /* tile: the strip's first, in the block */
} place;

static int strips_in_row(const winograd *w)
{
    return base_ceil_div(w->tile_columns, WINOGRAD_STRIP);
}

/* Where a strip of a row of the block is; on_input() and on_result() say in which planes. */
static place place_of(const winograd *w, int row, int strip)
{
    int strips = strips_in_row(w), line = w->first + row;
    int from = (int)((int64_t)w->tile_columns * strip / strips);
    int to = (int)((int64_t)w->tile_columns * (strip + 1) / strips);
    return (place){.strip = {.y = line % w->tile_rows * WINOGRAD_STEP,
                             .x = from * WINOGRAD_STEP,
                             .tiles = to - from},
                   .image = (size_t)(line / w->tile_rows),
                   .tile = (size_t)row * (size_t)w->tile_columns + (size_t)from};
}

static void on_input(const winograd *w, place *at)
{
    at->strip.H = w->s->H;
    at->strip.W = w->s->W;
    at->strip.y -= w->s->padding;
    at->strip.x -= w->s->padding;
    at->strip.channels = w->s->C;
    at->strip.point_stride = w->c_points;
    at->strip.tile_stride = w->c_stride;
}

static void on_result(const winograd *w, place *at)
{
    at->strip.H = w->s->H2;
    at->strip.W = w->s->W2;
    at->strip.channels = w->s->O;
    at->strip.point_stride = w->o_points;
    at->strip.tile_stride = w->o_stride;
}

static size_t input_size(const winograd *w)
{
    return (size_t)w->s->C * (size_t)w->s->H * (size_t)w->s->W;
}

static size_t result_size(const winograd *w) { return (size_t)w->s->O * (size_t)w->s->P; }

/* V as the right side of a product. */
static void input_panels(const winograd *w, const float *x, place *at)
{
    size_t tiles = (size_t)w->rows * (size_t)w->tile_columns;
    at->strip.tile_stride = w->panel;
    for (int c = 0; c < w->s->C; c += (int)w->panel) {
        at->strip.channels = base_min((int)w->panel, w->s->C - c);
        w->kernels->points_of_input(w->V + (size_t)c * tiles + at->tile * w->panel,
                                    x + (size_t)c * (size_t)w->s->H * (size_t)w->s->W, &at->strip);
    }
}

/* The sums that make dbias are taken when an image is read for the first time. */
static void sum_planes(const winograd *w, size_t image)
{
    const tensor_kernels *kernels = tensor_context_kernels(w->task->ctx);
    const float *dy = w->task->dy + image * result_size(w);
    size_t O = (size_t)w->s->O, P = (size_t)w->s->P;
    kernels->plane_sums(w->sums + image * O, dy, P, O, P);
}

static void into_points(void *argument, int row, int worker)
{
    const winograd *w = argument;
    (void)worker;
    if (w->sums && (w->first + row) % w->tile_rows == 0)
        sum_planes(w, (size_t)((w->first + row) / w->tile_rows));
    for (int strip = 0; strip < strips_in_row(w); strip++) {
        place at = place_of(w, row, strip), of_y = at;
        on_result(w, &of_y);
        if (w->task->dy)
            w->kernels->points_of_result(w->M + at.tile * w->o_stride,
                                         w->task->dy + at.image * result_size(w), &of_y.strip);
        on_input(w, &at);
        const float *x = w->task->x + at.image * input_size(w);
        if (w->V && !w->task->dy)
            w->kernels->points_of_input(w->V + at.tile * w->c_stride, x, &at.strip);
        else if (w->V)
            input_panels(w, x, &at);
    }
}

static void into_result(void *argument, int row, int worker)
{
    const winograd *w = argument;
    (void)worker;
    for (int strip = 0; strip < strips_in_row(w); strip++) {
        place at = place_of(w, row, strip);
        on_result(w, &at);
        w->kernels->result_of_points(w->task->y + at.image * result_size(w),
                                     w->M + at.tile * w->o_stride, w->task->bias, w->s->relu,
                                     &at.strip);
    }
}

/* Rows of tiles overlap, so an image's channels are what may be shared out. */
static void into_input(void *argument, int i, int worker)
{
    const winograd *w = argument;
    int groups = base_ceil_div(w->s->C, GROUP), c = i % groups * GROUP,
        channels = base_min(GROUP, w->s->C - c);
    int image = w->first / w->tile_rows + i / groups;
    int from = image * w->tile_rows - w->first, to = base_min(from + w->tile_rows, w->rows);
    size_t plane = (size_t)w->s->H * (size_t)w->s->W;
    float *dx = w->task->dx + (size_t)image * input_size(w) + (size_t)c * plane;
    (void)worker;
    if (from >= 0 && w->task->fresh)
        memset(dx, 0, (size_t)channels * plane * sizeof *dx);
    for (int row = from < 0 ? 0 : from; row < to; row++)
        for (int strip = 0; strip < strips_in_row(w); strip++) {
            place at = place_of(w, row, strip);
            on_input(w, &at);
            at.strip.channels = channels;
            w->kernels->input_of_points(dx, w->dV + at.tile * w->c_stride + c, &at.strip);
        }
}

static int block_tiles(const winograd *w) { return w->rows * w->tile_columns; }

/* A product, some of its steps at a time, so that a panel's part stays in the L1 cache. */
static void multiply(const winograd *w, int m, int n, int k, tensor_view a, const float *b,
                     tensor_target c)
{
    for (int done = 0; done < k; done += STEPS, a.at += STEPS * a.step, c.accumulate = true)
        tensor_gemm_packed(tensor_context_kernels(w->task->ctx), m, n, base_min(STEPS, k - done), a,
                           (tensor_panels){b, k, done}, c);
}

static void forward_product(void *argument, int p, int worker)
{
    const winograd *w = argument;
    size_t point = (size_t)p;
    (void)worker;
    multiply(w, block_tiles(w), w->s->O, w->s->C,
             (tensor_view){w->V + point * w->c_points, w->c_stride, 1}, w->U + point * w->u_points,
             (tensor_target){w->M + point * w->o_points, w->o_stride, false});
}

static void backward_products(void *argument, int p, int worker)
{
    const winograd *w = argument;
    size_t point = (size_t)p;
    (void)worker;
    int tiles = block_tiles(w), O = w->s->O, C = w->s->C;
    const float *dM = w->M + point * w->o_points;
    if (w->dV)
        multiply(w, tiles, C, O, (tensor_view){dM, w->o_stride, 1}, w->U + point * w->u_points,
                 (tensor_target){w->dV + point * w->c_points, w->c_stride, false});
    if (w->dU)
        multiply(w, O, C, tiles, (tensor_view){dM, 1, w->o_stride}, w->V + point * w->c_points,
                 (tensor_target){w->dU + point * w->pairs, (size_t)C, w->first > 0});
}

/* ---- the whole ---- */

static float *floats(const winograd *w, size_t count)
{
    return tensor_step_memory(w->task->ctx, count * sizeof(float));
}

/* Whole panels of any kernel set, so that the memory taken does not tell which one this is: it is sealed
 * into scores. */
static size_t in_panels(int columns)
{
    return (size_t)base_ceil_div(columns, TENSOR_WIDEST_TILE) * TENSOR_WIDEST_TILE;
}

/* Memory for U (36,rows,columns), each point in panels. */
static void room_for_weight(winograd *w, int rows, int columns)
{
    w->u_points = (size_t)rows * in_panels(columns) + PAD;
    w->U = floats(w, w->u_points * WINOGRAD_POINTS);
    if ((size_t)columns % w->panel)
        tensor_zero(w->task->ctx, w->U, w->u_points * WINOGRAD_POINTS);
}

/* How many rows of tiles a block has, at most. */
static int block_rows(const winograd *w)
{
    size_t row = (w->c_stride + w->o_stride) * (size_t)w->tile_columns * WINOGRAD_POINTS;
    size_t U = (size_t)w->s->O * (size_t)w->s->C * WINOGRAD_POINTS;
    size_t rows = (U > BLOCK ? U : BLOCK) / row, all = (size_t)w->s->B * (size_t)w->tile_rows;
    return (int)(rows < 1 ? 1 : rows < all ? rows : all);
}

static winograd prepare(const conv_task *task)
{
    const conv *s = task->s;
    winograd w = {.task = task, .s = s, .kernels = tensor_context_kernels(task->ctx)->image};
    w.tile_rows = base_ceil_div(s->H2, WINOGRAD_STEP);
    w.tile_columns = base_ceil_div(s->W2, WINOGRAD_STEP);
    w.panel = (size_t)tensor_context_kernels(task->ctx)->tile_n;
    w.c_stride = in_panels(s->C) + PAD;
    w.o_stride = (size_t)s->O + PAD;
    w.pairs = (size_t)s->O * (size_t)s->C + PAD;
    w.rows = block_rows(&w);
    w.c_points = (size_t)block_tiles(&w) * w.c_stride;
    w.o_points = (size_t)block_tiles(&w) * w.o_stride;
    w.scratch = floats(&w, w.pairs * 9);
    w.M = floats(&w, w.o_points * WINOGRAD_POINTS);
    return w;
}

void tensor_conv_winograd_forward(const conv_task *task)
{
    tensor_context *ctx = task->ctx;
    size_t mark = tensor_mark(ctx);
    winograd w = prepare(task);
    w.V = floats(&w, w.c_points * WINOGRAD_POINTS);
    room_for_weight(&w, task->s->C, task->s->O);
    tensor_parallel_ranges(ctx, (size_t)task->s->C, (size_t)task->s->O * WINOGRAD_POINTS,
                           forward_weight, &w);
    int step = w.rows, all = task->s->B * w.tile_rows;
    for (w.first = 0; w.first < all; w.first += step) {
        w.rows = base_min(step, all - w.first);
        tensor_parallel(ctx, w.rows, into_points, &w);
        tensor_parallel(ctx, WINOGRAD_POINTS, forward_product, &w);
        tensor_parallel(ctx, w.rows, into_result, &w);
    }
    tensor_release(ctx, mark);
}

void tensor_conv_winograd_backward(const conv_task *task)
{
    const conv *s = task->s;
    tensor_context *ctx = task->ctx;
    size_t mark = tensor_mark(ctx);
    winograd w = prepare(task);
    if (task->dw) {
        w.V = floats(&w, w.c_points * WINOGRAD_POINTS);
        w.dU = floats(&w, w.pairs * WINOGRAD_POINTS);
        if ((size_t)s->C % w.panel)
            tensor_zero(ctx, w.V, w.c_points * WINOGRAD_POINTS);
    }
    if (task->dx) {
        w.dV = floats(&w, w.c_points * WINOGRAD_POINTS);
        room_for_weight(&w, s->O, s->C);
        tensor_parallel_ranges(ctx, (size_t)s->O, (size_t)s->C * WINOGRAD_POINTS, backward_weight,
                               &w);
    }
    if (task->dbias)
        w.sums = floats(&w, (size_t)s->B * (size_t)s->O);
    int step = w.rows, all = s->B * w.tile_rows;
    for (w.first = 0; w.first < all; w.first += step) {
        w.rows = base_min(step, all - w.first);
        tensor_parallel(ctx, w.rows, into_points, &w);
        tensor_parallel(ctx, WINOGRAD_POINTS, backward_products, &w);
        int images = (w.first + w.rows - 1) / w.tile_rows - w.first / w.tile_rows + 1;
        if (task->dx)
            tensor_parallel(ctx, images * base_ceil_div(s->C, GROUP), into_input, &w);
    }
    if (task->dw)
        tensor_parallel_ranges(ctx, (size_t)s->O * (size_t)s->C, WINOGRAD_POINTS, weight_gradient,
                               &w);
    for (int b = 0; b < s->B && task->dbias && !tensor_planning(ctx); b++)
        tensor_context_kernels(ctx)->add(task->dbias, w.sums + (size_t)b * (size_t)s->O,
                                         (size_t)s->O);
    tensor_release(ctx, mark);
}
