/* conv.c -- convolution of images as matrix products (im2col: Chellapilla, Puri & Simard 2006,
 * "High Performance Convolutional Neural Networks for Document Processing").
 *
 * One image x (C,H,W) is unfolded into a matrix U (K,P): a column for each of the P = H'W' places
 * of the kernel, with the K = C k k pixels that the kernel covers there, 0 where it reaches into
 * the padding. With the weight as a matrix w (O,K) and the loss's gradient dy (O,P):
 *
 *   y  = w U + bias
 *   dw = sum over images of dy U^T
 *   dU = w^T dy,   and dx(pixel) = the sum of dU wherever U holds that pixel (fold)
 *   dbias = sum over images and places of dy
 *
 * U is never whole in memory: each thread unfolds the piece that its part of the product needs. How
 * the work is cut depends on the shapes alone, and where a cut goes through a sum, so does the
 * order in which the parts are added; tests/test_tensor_conv.c has the plain loops. */
#include "tensor/context.h"
#include "tensor/gemm.h"

#include <limits.h>
#include <string.h>

enum {
    PIECE = 1 << 17,   /* floats of U at a time: half a megabyte, about a core's own cache */
    RUN = 8,           /* images whose dw is one chain, at least */
    PARTIAL = 1 << 20, /* floats that all runs' dw may take together */
    WEIGHT_ROWS = 128, /* rows of U that one part of dw takes */
};

typedef struct conv {
    int B, C, H, W, O, kernel, stride, padding;
    int H2, W2; /* of the result */
    int K, P;
} conv;

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

/* Rows [row, row + rows) of U at the result's lines [line, line + lines): u (rows, lines W2). */
static void unfold(const conv *s, const float *image, int row, int rows, int line, int lines,
                   float *u)
{
    for (int i = row; i < row + rows; i++) {
        kernel_place at = place_of(s, i);
        int low, high;
        inside(s, at.x, &low, &high);
        for (int y2 = line; y2 < line + lines; y2++, u += s->W2) {
            int y = y2 * s->stride - s->padding + at.y;
            if (y < 0 || y >= s->H || low == high) {
                memset(u, 0, (size_t)s->W2 * sizeof *u);
                continue;
            }
            const float *from = image + ((size_t)at.c * (size_t)s->H + (size_t)y) * (size_t)s->W +
                                (low * s->stride - s->padding + at.x);
            memset(u, 0, (size_t)low * sizeof *u);
            if (s->stride == 1)
                memcpy(u + low, from, (size_t)(high - low) * sizeof *u);
            else
                for (int x2 = low; x2 < high; x2++)
                    u[x2] = from[(x2 - low) * s->stride];
            memset(u + high, 0, (size_t)(s->W2 - high) * sizeof *u);
        }
    }
}

/* Adds rows [row, row + rows) of dU, all P columns of them, to an image's gradient. */
static void fold(const conv *s, const float *u, int row, int rows, float *image)
{
    for (int i = row; i < row + rows; i++) {
        kernel_place at = place_of(s, i);
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

/* What a thread's part of one of them is told. */
typedef struct conv_task {
    const conv *s;
    tensor_context *ctx;
    const float *x, *weight, *bias, *dy;
    float *y, *dx, *dw, *dbias;
    int lines;      /* of the result in a piece of U */
    int parts;      /* an image's pieces (y, dx), or a run's (dw) */
    int channels;   /* in a piece of dU */
    int run, runs;  /* images in a run of dw */
    float *partial; /* dw of each run, (runs,O,K) */
} conv_task;

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* How many pieces of that size make a whole. */
static int pieces(int whole, int piece)
{
    return (int)(((int64_t)whole + piece - 1) / piece);
}

/* How many things of `each` floats go into a piece of U: at least one, at most `all`. */
static int fit(size_t each, int all)
{
    size_t n = PIECE / each;
    return n < 1 ? 1 : n > (size_t)all ? all : (int)n;
}

static const float *image_of(const conv *s, const float *x, int b)
{
    return x + (size_t)b * (size_t)s->C * (size_t)s->H * (size_t)s->W;
}

static size_t result_at(const conv *s, int b, int line)
{
    return (size_t)b * (size_t)s->O * (size_t)s->P + (size_t)line * (size_t)s->W2;
}

/* Some lines of one image's result, all channels: y = bias, then y += w U. */
static void forward_part(void *argument, int i, int worker)
{
    const conv_task *task = argument;
    const conv *s = task->s;
    int b = i / task->parts, line = i % task->parts * task->lines;
    int lines = smaller(task->lines, s->H2 - line), columns = lines * s->W2;
    float *u = tensor_scratch(task->ctx, worker, TENSOR_SCRATCH_OP);
    float *y = task->y + result_at(s, b, line);
    unfold(s, image_of(s, task->x, b), 0, s->K, line, lines, u);
    for (int o = 0; o < s->O && task->bias; o++)
        for (int j = 0; j < columns; j++)
            y[(size_t)o * (size_t)s->P + (size_t)j] = task->bias[o];
    tensor_gemm_single(task->ctx, worker,
                       &(tensor_gemm_task){.m = s->O,
                                           .n = columns,
                                           .k = s->K,
                                           .a = task->weight,
                                           .lda = (size_t)s->K,
                                           .b = u,
                                           .ldb = (size_t)columns,
                                           .c = y,
                                           .ldc = (size_t)s->P,
                                           .accumulate = task->bias != NULL});
}

static void forward(conv_task *task)
{
    const conv *s = task->s;
    size_t line = (size_t)s->K * (size_t)s->W2;
    task->lines = fit(line, s->H2);
    task->parts = pieces(s->H2, task->lines);
    tensor_scratch_all(task->ctx, TENSOR_SCRATCH_OP, (size_t)task->lines * line * sizeof(float));
    tensor_gemm_reserve(task->ctx, s->O, task->lines * s->W2, s->K);
    tensor_parallel(task->ctx, s->B * task->parts, forward_part, task);
}

/* Some channels of one image's dx. An element of dU is one chain over O; a pixel's are added in the
 * order of the kernel's elements. */
static void input_part(void *argument, int i, int worker)
{
    const conv_task *task = argument;
    const conv *s = task->s;
    int b = i / task->parts, c = i % task->parts * task->channels, area = s->kernel * s->kernel;
    int row = c * area, rows = smaller(task->channels, s->C - c) * area;
    float *u = tensor_scratch(task->ctx, worker, TENSOR_SCRATCH_OP);
    tensor_gemm_single(task->ctx, worker,
                       &(tensor_gemm_task){.m = rows,
                                           .n = s->P,
                                           .k = s->O,
                                           .transpose_a = true,
                                           .a = task->weight + row,
                                           .lda = (size_t)s->K,
                                           .b = task->dy + result_at(s, b, 0),
                                           .ldb = (size_t)s->P,
                                           .c = u,
                                           .ldc = (size_t)s->P});
    fold(s, u, row, rows, task->dx + (size_t)b * (size_t)s->C * (size_t)s->H * (size_t)s->W);
}

static void input_gradient(conv_task *task)
{
    const conv *s = task->s;
    size_t channel = (size_t)s->kernel * (size_t)s->kernel * (size_t)s->P;
    task->channels = fit(channel, s->C);
    task->parts = pieces(s->C, task->channels);
    tensor_scratch_all(task->ctx, TENSOR_SCRATCH_OP,
                       (size_t)task->channels * channel * sizeof(float));
    tensor_gemm_reserve(task->ctx, task->channels * s->kernel * s->kernel, s->P, s->O);
    tensor_parallel(task->ctx, s->B * task->parts, input_part, task);
}

/* Some columns of dw, summed over one run of images: for each element a chain over images and
 * places. (That the places come in pieces does not show: kernel.h, rule 3.) */
static void weight_part(void *argument, int i, int worker)
{
    const conv_task *task = argument;
    const conv *s = task->s;
    int run = i / task->parts, row = i % task->parts * WEIGHT_ROWS;
    int rows = smaller(WEIGHT_ROWS, s->K - row);
    int first = run * task->run, end = first + smaller(task->run, s->B - first);
    float *u = tensor_scratch(task->ctx, worker, TENSOR_SCRATCH_OP);
    float *dw = task->partial + (size_t)run * (size_t)s->O * (size_t)s->K + row;
    for (int b = first; b < end; b++)
        for (int line = 0; line < s->H2; line += task->lines) {
            int lines = smaller(task->lines, s->H2 - line), columns = lines * s->W2;
            unfold(s, image_of(s, task->x, b), row, rows, line, lines, u);
            tensor_gemm_single(task->ctx, worker,
                               &(tensor_gemm_task){.m = s->O,
                                                   .n = rows,
                                                   .k = columns,
                                                   .transpose_b = true,
                                                   .a = task->dy + result_at(s, b, line),
                                                   .lda = (size_t)s->P,
                                                   .b = u,
                                                   .ldb = (size_t)columns,
                                                   .c = dw,
                                                   .ldc = (size_t)s->K,
                                                   .accumulate = b > first || line > 0});
        }
}

static void add_runs(void *argument, size_t first, size_t count, int worker)
{
    const conv_task *task = argument;
    const tensor_kernels *kernels = tensor_context_kernels(task->ctx);
    size_t size = (size_t)task->s->O * (size_t)task->s->K;
    (void)worker;
    for (int run = 0; run < task->runs; run++)
        kernels->add(task->dw + first, task->partial + (size_t)run * size + first, count);
}

/* Images are taken in runs, so that there is work for threads even where dw is small. Where it is
 * large, runs are longer, for there is a dw for each. */
static void weight_gradient(conv_task *task)
{
    const conv *s = task->s;
    size_t size = (size_t)s->O * (size_t)s->K;
    int most = size < PARTIAL ? (int)(PARTIAL / size) : 1;
    task->run = pieces(s->B, smaller(most, pieces(s->B, RUN)));
    task->runs = pieces(s->B, task->run);
    task->parts = pieces(s->K, WEIGHT_ROWS);
    size_t line = (size_t)smaller(s->K, WEIGHT_ROWS) * (size_t)s->W2;
    task->lines = fit(line, s->H2);
    tensor_scratch_all(task->ctx, TENSOR_SCRATCH_OP, (size_t)task->lines * line * sizeof(float));
    tensor_gemm_reserve(task->ctx, s->O, smaller(s->K, WEIGHT_ROWS), task->lines * s->W2);
    size_t mark = tensor_mark(task->ctx);
    task->partial = tensor_step_memory(task->ctx, (size_t)task->runs * size * sizeof(float));
    tensor_parallel(task->ctx, task->runs * task->parts, weight_part, task);
    tensor_parallel_stretches(task->ctx, size, (size_t)task->runs, add_runs, task);
    tensor_release(task->ctx, mark);
}

static void bias_part(void *argument, int o, int worker)
{
    const conv_task *task = argument;
    const conv *s = task->s;
    const tensor_kernels *kernels = tensor_context_kernels(task->ctx);
    (void)worker;
    for (int b = 0; b < s->B; b++)
        task->dbias[o] +=
            kernels->sum(task->dy + result_at(s, b, 0) + (size_t)o * (size_t)s->P, (size_t)s->P);
}

/* ---- the op ---- */

static void conv_backward(tensor_tape_record *record)
{
    tensor *x = record->in[0], *weight = record->in[1], *bias = record->in[2];
    const conv *s = record->saved;
    conv_task task = {.s = s,
                      .ctx = x->ctx,
                      .x = x->val,
                      .weight = weight->val,
                      .dy = record->out->grad,
                      .dx = tensor_grad(x),
                      .dw = tensor_grad(weight),
                      .dbias = tensor_grad(bias)};
    if (task.dx)
        input_gradient(&task);
    if (task.dw)
        weight_gradient(&task);
    if (task.dbias)
        tensor_parallel(task.ctx, s->O, bias_part, &task);
}

/* (in + 2 padding - kernel) / stride + 1; 0 where the kernel does not fit once. */
static int64_t places(int in, int kernel, int stride, int padding)
{
    int64_t room = (int64_t)in + 2 * (int64_t)padding - kernel;
    return room < 0 ? 0 : room / stride + 1;
}

static conv check(tensor *x, tensor *weight, tensor *bias, int stride, int padding)
{
    char a[64], b[64];
    const tensor_context *ctx = x->ctx;
    if (x->rank != 4 || weight->rank != 4 || weight->dim[1] != x->dim[1] ||
        weight->dim[2] != weight->dim[3])
        tensor_fail(ctx, "conv2d", "x %s and weight %s, expected (B,C,H,W) and (O,C,k,k)",
                    tensor_shape_text(x, a), tensor_shape_text(weight, b));
    if (bias && (bias->rank != 1 || bias->dim[0] != weight->dim[0]))
        tensor_fail(ctx, "conv2d", "bias %s, expected one for each channel of weight %s",
                    tensor_shape_text(bias, a), tensor_shape_text(weight, b));
    if (stride < 1 || padding < 0)
        tensor_fail(ctx, "conv2d", "stride %d, padding %d: expected at least 1 and 0", stride,
                    padding);
    int kernel = weight->dim[2];
    int64_t high = places(x->dim[2], kernel, stride, padding);
    int64_t wide = places(x->dim[3], kernel, stride, padding);
    if (high < 1 || wide < 1)
        tensor_fail(ctx, "conv2d", "a kernel of %d does not fit into x %s with padding %d", kernel,
                    tensor_shape_text(x, a), padding);
    int64_t covered = (int64_t)kernel * kernel, images = x->dim[0], channels = x->dim[1];
    if (padding > (INT_MAX - x->dim[2]) / 2 || padding > (INT_MAX - x->dim[3]) / 2 ||
        high * wide > INT_MAX || high * images > INT_MAX || channels * images > INT_MAX ||
        covered > INT_MAX / channels)
        tensor_fail(ctx, "conv2d", "x %s with a kernel of %d and padding %d is too large",
                    tensor_shape_text(x, a), kernel, padding);
    return (conv){.B = x->dim[0],
                  .C = x->dim[1],
                  .H = x->dim[2],
                  .W = x->dim[3],
                  .O = weight->dim[0],
                  .kernel = kernel,
                  .stride = stride,
                  .padding = padding,
                  .H2 = (int)high,
                  .W2 = (int)wide,
                  .K = (int)(covered * channels),
                  .P = (int)(high * wide)};
}

tensor *tensor_conv2d(tensor *x, tensor *weight, tensor *bias, int stride, int padding)
{
    conv s = check(x, weight, bias, stride, padding);
    tensor *const in[] = {x, weight, bias};
    tensor *y = tensor_result(x->ctx, 4, (int[]){s.B, s.O, s.H2, s.W2}, in, 3);
    conv_task task = {.s = &s,
                      .ctx = x->ctx,
                      .x = x->val,
                      .weight = weight->val,
                      .bias = bias ? bias->val : NULL,
                      .y = y->val};
    forward(&task);
    if (y->wants_grad) {
        tensor_tape_record *record = tensor_record("conv2d", conv_backward, y, in, 3, sizeof s);
        *(conv *)record->saved = s;
    }
    return y;
}
