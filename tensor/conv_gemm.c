/* SPDX-License-Identifier: MIT */
/* conv_gemm.c -- convolution of images as matrix products (im2col: Chellapilla, Puri & Simard 2006,
 * "High Performance Convolutional Neural Networks for Document Processing").
 *
 * One image x (C,H,W) is unfolded into a matrix U (K,P): a column for each of the P = H'W' places
 * of the kernel, with the K = C k k pixels that the kernel covers there, 0 where it reaches into
 * the padding. With the weight as a matrix w (O,K) and the loss's gradient dy (O,P):
 *
 *   y     = w U + bias
 *   dw    = sum over images of dy U^T
 *   dbias = sum over images and places of dy
 *   dU    = w^T dy,   and dx(pixel) = the sum of dU wherever U holds that pixel (fold)
 *
 * U is never whole in memory: each thread unfolds the piece that its part of the product needs. Of small images
 * some are taken side by side, as one with more places, since a product of a few columns, or of a few terms, keeps
 * no processor busy; each element's sum is what it would be alone. How
 * the work is cut depends on the shapes alone, and where a cut goes through a sum, so does the
 * order in which the parts are added; tests/tensor/test_conv.c has the plain loops. */
#include "base/math.h"
#include "tensor/conv.h"
#include "tensor/gemm.h"

#include <string.h>

enum {
    PIECE = 1 << 17,   /* floats of U at a time: half a megabyte, about a core's own cache */
    RUN = 8,           /* images whose dw is one chain, at least */
    PARTIAL = 1 << 20, /* floats that all runs' dw may take together */
    WEIGHT_ROWS = 128, /* rows of U that one part of dw takes */
    CHANNELS = 16,     /* of the result, whose dw is added up at a time */
    PAD = 16,          /* floats between rows of U, which should not be a power of 2 apart */
    PLACES = 64,       /* of as many images as have so many a product is made */
};

/* ---- folding ---- */

/* Row i of U belongs to one channel and one element of the kernel. */
typedef struct kernel_place {
    int c, y, x;
} kernel_place;

static kernel_place place_of(const conv *s, int i)
{
    int area = s->kernel * s->kernel;
    return (kernel_place){i / area, i % area / s->kernel, i % s->kernel};
}

/* The columns of the result [*low, *high) for which that kernel column lies inside the image. */
static void inside(const conv *s, int kernel_x, int *low, int *high)
{
    int first = s->padding - kernel_x; /* of the image's column 0, in steps of 1 */
    int end = first + s->W;
    *low = first > 0 ? (first - 1) / s->stride + 1 : 0;
    *high = end > 0 ? (end - 1) / s->stride + 1 : 0;
    if (*high > s->W2)
        *high = s->W2;
    if (*low > *high)
        *low = *high;
}

/* What of a channel lies under the kernel at some lines of the result, padding included. Columns that are the stride
 * apart stand side by side: plane p of the frame has columns p, p + stride, ..., so that a row of U is lines of one
 * plane. */
static size_t frame_width(const conv *s)
{
    return (size_t)s->W2 + (size_t)((s->kernel - 1) / s->stride);
}

static size_t frame_rows(const conv *s, int lines)
{
    return (size_t)(lines - 1) * (size_t)s->stride + (size_t)s->kernel;
}

/* Columns that no kernel meets have no plane. */
static int frame_planes(const conv *s) { return base_min(s->stride, s->kernel); }

static size_t frame_floats(const conv *s, int lines)
{
    return (size_t)frame_planes(s) * frame_rows(s, lines) * frame_width(s);
}

/* Lines [line, line + lines) of the result; where the padding is, zeros stand already. */
static void fill_frame(const tensor_kernels *kernels, const conv *s, const float *channel, int line,
                       int lines, float *frame)
{
    const size_t wide = frame_width(s);
    const int rows = (int)frame_rows(s, lines), top = line * s->stride - s->padding;
    const int first = top < 0 ? -top : 0, end = base_min(rows, s->H - top);
    for (int plane = 0; plane < frame_planes(s) && first < end;
         plane++, frame += (size_t)rows * wide) {
        /* Column j of the plane is pixel plane + j stride - padding of a row. */
        const int before = s->padding - plane,
                  low = before > 0 ? base_ceil_div(before, s->stride) : 0;
        const int within = s->W + before > 0 ? base_ceil_div(s->W + before, s->stride) : 0;
        const int high = base_min((int)wide, within);
        if (s->stride == 1 && low < high) {
            kernels->copy(frame + (size_t)first * wide + low, wide,
                          channel + (size_t)(top + first) * (size_t)s->W + (low - before),
                          (size_t)s->W, (size_t)(end - first), (size_t)(high - low));
            continue;
        }
        for (int row = first; row < end; row++) {
            const float *from = channel + (size_t)(top + row) * (size_t)s->W;
            float *to = frame + (size_t)row * wide;
            for (int j = low; j < high; j++)
                to[j] = from[j * s->stride - before];
        }
    }
}

/* Rows [row, row + rows) of U at the result's lines [line, line + lines): u (rows, lines W2),
 * its rows `stride` apart. */
static void unfold(const tensor_kernels *kernels, const conv *s, const float *image, int row,
                   int rows, int line, int lines, float *frame, float *u, size_t stride)
{
    const size_t wide = frame_width(s), step = (size_t)s->stride, W2 = (size_t)s->W2;
    memset(frame, 0, frame_floats(s, lines) * sizeof *frame);
    for (int i = row; i < row + rows; i++, u += stride) {
        const kernel_place at = place_of(s, i);
        if (i == row || (at.y == 0 && at.x == 0))
            fill_frame(kernels, s, image + (size_t)at.c * (size_t)s->H * (size_t)s->W, line, lines,
                       frame);
        const size_t plane = (size_t)at.x % step, from = (size_t)at.x / step;
        kernels->copy(u, W2, frame + (plane * frame_rows(s, lines) + (size_t)at.y) * wide + from,
                      step * wide, (size_t)lines, W2);
    }
}

/* A kernel of one pixel covers the image as it is: U is the image. */
static bool is_pointwise(const conv *s)
{
    return s->kernel == 1 && s->stride == 1 && s->padding == 0;
}

/* Adds rows [row, row + rows) of dU, `stride` apart, all P columns of them, to an image's gradient. */
static void fold(const conv *s, const float *dU, size_t stride, int row, int rows, float *image)
{
    for (int i = row; i < row + rows; i++, dU += stride) {
        kernel_place at = place_of(s, i);
        const float *u = dU;
        int low, high;
        inside(s, at.x, &low, &high);
        for (int y2 = 0; y2 < s->H2; y2++, u += s->W2) {
            int y = y2 * s->stride - s->padding + at.y;
            if (y < 0 || y >= s->H || low == high)
                continue;
            float *to = image + ((size_t)at.c * (size_t)s->H + (size_t)y) * (size_t)s->W +
                        (low * s->stride - s->padding + at.x);
            for (int x2 = low; x2 < high; x2++)
                to[(x2 - low) * s->stride] += u[x2];
        }
    }
}

/* ---- the three products ---- */

/* What the parts of a product share, and how it is cut into them. */
typedef struct work {
    const conv_task *task;
    const conv *s;
    int images;     /* side by side; where that is more than one, all their lines */
    int lines;      /* of the result in a piece of U */
    int parts;      /* pieces of as many images (y, dx), or of a run (dw) */
    int channels;   /* in a piece of dU */
    size_t frame;   /* floats of one */
    int run, runs;  /* images in a run of dw */
    float *partial; /* dw of each run, (runs,O,K) */
} work;

/* How many things of `each` floats go into a piece of U: at least one, at most `all`. */
static int fit(size_t each, int all)
{
    size_t n = PIECE / each;
    return n < 1 ? 1 : n > (size_t)all ? all : (int)n;
}

/* Image b of x, and where line `line` of image b begins in y. */
static const float *image_of(const conv *s, const float *x, int b)
{
    return x + (size_t)b * (size_t)s->C * (size_t)s->H * (size_t)s->W;
}

static size_t result_at(const conv *s, int b, int line)
{
    return (size_t)b * (size_t)s->O * (size_t)s->P + (size_t)line * (size_t)s->W2;
}

static int images_together(const conv *s) { return base_min(s->B, base_ceil_div(PLACES, s->P)); }

/* Rows [row, row + rows) of U at some lines of `images` images from b on, side by side: where they lie, or made in
 * u by way of a frame. *stride: between the rows. */
static const float *unfolded(const work *w, int b, int images, int row, int rows, int line,
                             int lines, float *frame, float *u, size_t *stride)
{
    const conv *s = w->s;
    const size_t P = (size_t)s->P;
    if (is_pointwise(s) && w->images == 1) {
        *stride = P;
        return image_of(s, w->task->x, b) + (size_t)row * P + (size_t)line * (size_t)s->W2;
    }
    const tensor_kernels *kernels = tensor_context_kernels(w->task->ctx);
    for (int n = 0; n < images; n++) {
        const float *image = image_of(s, w->task->x, b + n);
        if (is_pointwise(s))
            kernels->copy(u + (size_t)n * P, *stride, image + (size_t)row * P, P, (size_t)rows, P);
        else
            unfold(kernels, s, image, row, rows, line, lines, frame, u + (size_t)n * P, *stride);
    }
    return u;
}

/* dy of some lines likewise, all channels. */
static const float *side_by_side(const work *w, int b, int images, int line, float *to,
                                 size_t *stride)
{
    const size_t P = (size_t)w->s->P;
    if (w->images == 1) {
        *stride = P;
        return w->task->dy + result_at(w->s, b, line);
    }
    *stride = (size_t)images * P;
    for (int n = 0; n < images; n++)
        tensor_context_kernels(w->task->ctx)
            ->copy(to + (size_t)n * P, *stride, w->task->dy + result_at(w->s, b + n, 0), P,
                   (size_t)w->s->O, P);
    return to;
}

/* Some lines of one image's result, or some images', all channels: y = bias, then y += w U. */
static void forward_part(void *argument, int i, int worker)
{
    const work *w = argument;
    const conv_task *task = w->task;
    const conv *s = w->s;
    const tensor_kernels *kernels = tensor_context_kernels(task->ctx);
    int b = i / w->parts * w->images, line = i % w->parts * w->lines;
    int images = base_min(w->images, s->B - b), lines = base_min(w->lines, s->H2 - line);
    const int columns = images * lines * s->W2;
    const size_t O = (size_t)s->O, P = (size_t)s->P;
    float *frame = tensor_scratch(task->ctx, worker, TENSOR_SCRATCH_OP);
    float *room = frame + w->frame;
    size_t stride = (size_t)columns;
    const float *u = unfolded(w, b, images, 0, s->K, line, lines, frame, room, &stride);
    const bool together = w->images > 1;
    float *y = together ? room + (size_t)s->K * stride : task->y + result_at(s, b, line);
    const size_t ldy = together ? stride : P;
    for (size_t o = 0; o < O && task->bias; o++)
        kernels->image->fill(y + o * ldy, task->bias[o], (size_t)columns);
    tensor_gemm_task product = tensor_gemm_ab(s->O, columns, s->K, task->weight, u, y);
    product.ldb = stride;
    product.ldc = ldy;
    product.accumulate = task->bias != NULL;
    tensor_gemm_single(task->ctx, worker, &product);
    for (size_t o = 0; o < O && s->relu; o++)
        kernels->relu(y + o * ldy, y + o * ldy, (size_t)columns);
    for (int n = 0; n < images && together; n++)
        kernels->copy(task->y + result_at(s, b + n, 0), P, y + (size_t)n * P, ldy, O, P);
}

static void forward(work *w)
{
    const conv_task *task = w->task;
    const conv *s = w->s;
    size_t line = (size_t)s->K * (size_t)s->W2;
    w->images = images_together(s);
    w->lines = w->images > 1 ? s->H2 : fit(line, s->H2);
    w->parts = base_ceil_div(s->H2, w->lines);
    const size_t columns = (size_t)(w->images * w->lines * s->W2);
    const size_t results = w->images > 1 ? (size_t)s->O : 0;
    w->frame = frame_floats(s, w->lines);
    tensor_scratch_all(task->ctx, TENSOR_SCRATCH_OP,
                       (w->frame + ((size_t)s->K + results) * columns) * sizeof(float));
    tensor_gemm_reserve(task->ctx, s->O, (int)columns, s->K);
    tensor_parallel(task->ctx, base_ceil_div(s->B, w->images) * w->parts, forward_part, w);
}

/* Some channels of one image's dx, or of some images'. An element of dU is one chain over O; a pixel's are added in
 * the order of the kernel's elements. */
static void input_part(void *argument, int i, int worker)
{
    const work *w = argument;
    const conv_task *task = w->task;
    const conv *s = task->s;
    int b = i / w->parts * w->images, images = base_min(w->images, s->B - b);
    int c = i % w->parts * w->channels, area = s->kernel * s->kernel;
    int row = c * area, rows = base_min(w->channels, s->C - c) * area;
    const size_t P = (size_t)s->P, pixels = (size_t)s->C * (size_t)s->H * (size_t)s->W;
    const bool set = task->fresh && is_pointwise(s), in_place = set && w->images == 1;
    float *dx = task->dx + (size_t)b * pixels,
          *room = tensor_scratch(task->ctx, worker, TENSOR_SCRATCH_OP);
    float *u = in_place ? dx + (size_t)row * P : room;
    const size_t columns = (size_t)images * P;
    size_t ldb;
    const float *dy = side_by_side(w, b, images, 0, room + (size_t)rows * columns, &ldb);
    tensor_gemm_task product = tensor_gemm_atb(rows, (int)columns, s->O, task->weight + row, dy, u);
    product.lda = (size_t)s->K;
    product.ldb = ldb;
    tensor_gemm_single(task->ctx, worker, &product);
    for (int n = 0; n < images && !in_place; n++)
        if (set)
            tensor_context_kernels(task->ctx)->copy(dx + (size_t)n * pixels + (size_t)row * P, P,
                                                    u + (size_t)n * P, columns, (size_t)rows, P);
        else
            fold(s, u + (size_t)n * P, columns, row, rows, dx + (size_t)n * pixels);
}

static void input_gradient(work *w)
{
    const conv_task *task = w->task;
    const conv *s = w->s;
    w->images = images_together(s);
    const size_t area = (size_t)s->kernel * (size_t)s->kernel;
    const size_t columns = (size_t)w->images * (size_t)s->P;
    const size_t results = w->images > 1 ? (size_t)s->O : 0;
    w->channels = fit(area * columns, s->C);
    w->parts = base_ceil_div(s->C, w->channels);
    tensor_scratch_all(task->ctx, TENSOR_SCRATCH_OP,
                       ((size_t)w->channels * area + results) * columns * sizeof(float));
    tensor_gemm_reserve(task->ctx, w->channels * (int)area, (int)columns, s->O);
    tensor_parallel(task->ctx, base_ceil_div(s->B, w->images) * w->parts, input_part, w);
}

/* Some rows of dw^T = U dy^T, summed over one run of images: for each element a chain over images
 * and places. (That the places come in pieces does not show: kernel.h, rule 3.) It is dw^T since a
 * first layer's few rows are better down a tile than across it. */
static void weight_part(void *argument, int i, int worker)
{
    const work *w = argument;
    const conv_task *task = w->task;
    const conv *s = task->s;
    const tensor_kernels *kernels = tensor_context_kernels(task->ctx);
    int run = i / w->parts, row = i % w->parts * WEIGHT_ROWS;
    int rows = base_min(WEIGHT_ROWS, s->K - row);
    int first = run * w->run, end = first + base_min(w->run, s->B - first);
    float *frame = tensor_scratch(task->ctx, worker, TENSOR_SCRATCH_OP), *room = frame + w->frame;
    float *dy = tensor_scratch(task->ctx, worker, TENSOR_SCRATCH_PACK_B);
    float *dw = w->partial + ((size_t)run * (size_t)s->K + (size_t)row) * (size_t)s->O;
    for (int b = first; b < end; b += w->images)
        for (int line = 0; line < s->H2; line += w->lines) {
            int images = base_min(w->images, end - b), lines = base_min(w->lines, s->H2 - line);
            const int columns = images * lines * s->W2;
            size_t stride = (size_t)columns + PAD, ldb;
            float *behind = room + (size_t)rows * stride;
            const float *u = unfolded(w, b, images, row, rows, line, lines, frame, room, &stride);
            const float *results = side_by_side(w, b, images, line, behind, &ldb);
            tensor_pack(kernels, dy, s->O, columns, results, ldb, true);
            tensor_gemm_packed(kernels, rows, s->O, columns, (tensor_view){u, stride, 1},
                               (tensor_panels){dy, columns, 0},
                               (tensor_target){dw, (size_t)s->O, b > first || line > 0});
        }
}

/* dw += that of each run, some channels of the result at a time. */
static void add_runs(void *argument, int i, int worker)
{
    const work *w = argument;
    const conv_task *task = w->task;
    const tensor_kernels *kernels = tensor_context_kernels(task->ctx);
    size_t O = (size_t)task->s->O, K = (size_t)task->s->K, o = (size_t)i * CHANNELS;
    size_t some = O - o < CHANNELS ? O - o : CHANNELS;
    float *turned = tensor_scratch(task->ctx, worker, TENSOR_SCRATCH_OP);
    for (size_t run = 0; run < (size_t)w->runs; run++) {
        kernels->transpose(turned, K, w->partial + run * O * K + o, O, K, some);
        kernels->add(task->dw + o * K, turned, some * K);
    }
}

/* Images are taken in runs, so that there is work for threads even where dw is small. Where it is
 * large, runs are longer, for there is a dw for each. */
static void weight_gradient(work *w)
{
    const conv_task *task = w->task;
    const conv *s = w->s;
    size_t size = (size_t)s->O * (size_t)s->K;
    int most = size < PARTIAL ? (int)(PARTIAL / size) : 1;
    w->run = base_ceil_div(s->B, base_min(most, base_ceil_div(s->B, RUN)));
    w->runs = base_ceil_div(s->B, w->run);
    w->parts = base_ceil_div(s->K, WEIGHT_ROWS);
    int rows = base_min(s->K, WEIGHT_ROWS);
    w->images = base_min(w->run, images_together(s));
    w->lines = w->images > 1 ? s->H2
                             : base_min(fit((size_t)rows * (size_t)s->W2, s->H2),
                                        fit((size_t)s->O * (size_t)s->W2, s->H2));
    size_t columns = (size_t)w->images * (size_t)w->lines * (size_t)s->W2;
    size_t u = (size_t)rows * (columns + PAD) + (w->images > 1 ? (size_t)s->O * columns : 0);
    size_t turned = CHANNELS * (size_t)s->K;
    w->frame = frame_floats(s, w->lines);
    u += w->frame;
    tensor_scratch_all(task->ctx, TENSOR_SCRATCH_OP, (u > turned ? u : turned) * sizeof(float));
    tensor_scratch_all(task->ctx, TENSOR_SCRATCH_PACK_B,
                       tensor_packed_floats(tensor_context_kernels(task->ctx), s->O, (int)columns) *
                           sizeof(float));
    size_t mark = tensor_mark(task->ctx);
    w->partial = tensor_step_memory(task->ctx, (size_t)w->runs * size * sizeof(float));
    tensor_parallel(task->ctx, w->runs * w->parts, weight_part, w);
    tensor_parallel(task->ctx, base_ceil_div(s->O, CHANNELS), add_runs, w);
    tensor_release(task->ctx, mark);
}

/* dbias[o] += the sum of dy's plane (b,o), image after image. */
static void bias_part(void *argument, int o, int worker)
{
    enum { AT_ONCE = 32 };
    const work *w = argument;
    const conv_task *task = w->task;
    const conv *s = w->s;
    const size_t P = (size_t)s->P;
    float sums[AT_ONCE];
    (void)worker;
    for (int b = 0; b < s->B; b += AT_ONCE) {
        const int some = base_min(AT_ONCE, s->B - b);
        tensor_context_kernels(task->ctx)->plane_sums(
            sums, task->dy + result_at(s, b, 0) + (size_t)o * P, (size_t)s->O * P, (size_t)some, P);
        for (int i = 0; i < some; i++)
            task->dbias[o] += sums[i];
    }
}

/* ---- the two ways ---- */

void tensor_conv_gemm_forward(const conv_task *task)
{
    forward(&(work){.task = task, .s = task->s});
}

void tensor_conv_gemm_backward(const conv_task *task)
{
    const conv *s = task->s;
    work w = {.task = task, .s = s};
    if (task->dx && task->fresh && !is_pointwise(s))
        tensor_zero(task->ctx, task->dx, (size_t)s->B * (size_t)s->C * (size_t)s->H * (size_t)s->W);
    if (task->dx)
        input_gradient(&w);
    if (task->dw)
        weight_gradient(&w);
    if (task->dbias)
        tensor_parallel(task->ctx, s->O, bias_part, &w);
}
