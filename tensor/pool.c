/* SPDX-License-Identifier: MIT */
/* pool.c -- the largest or the mean value in windows of an image, and the mean of the whole.
 *
 * A plane (one channel of one image) is by itself, forward and backward, so planes are what threads
 * share out; windows may overlap within one. */
#include "tensor/context.h"

#include <stdint.h>
#include <string.h>

typedef struct pool {
    int H, W, H2, W2, kernel, stride;
    size_t planes; /* B C */
} pool;

typedef struct pool_task {
    pool s;
    const tensor_image_kernels *kernels;
    const float *x, *dy;
    float *y, *dx;
    bool fresh;       /* dx is not zeroed yet */
    uint32_t *chosen; /* for each result, which element of its window; NULL:
                         nobody asks */
} pool_task;

/* Checks the call; the result's shape goes to dim. */
static pool check(const char *name, const tensor *x, int kernel, int stride, int dim[4])
{
    char text[64];
    if (x->rank != 4)
        tensor_fail(x->ctx, name, "x %s, expected (B,C,H,W)", tensor_shape_text(x, text));
    if (kernel < 1 || stride < 1)
        tensor_fail(x->ctx, name, "kernel %d, stride %d: expected at least 1", kernel, stride);
    if (kernel > x->dim[2] || kernel > x->dim[3])
        tensor_fail(x->ctx, name, "a window of %d does not fit into x %s", kernel,
                    tensor_shape_text(x, text));
    pool s = {.H = x->dim[2], .W = x->dim[3], .kernel = kernel, .stride = stride};
    s.H2 = (s.H - kernel) / stride + 1;
    s.W2 = (s.W - kernel) / stride + 1;
    s.planes = (size_t)x->dim[0] * (size_t)x->dim[1];
    dim[0] = x->dim[0];
    dim[1] = x->dim[1];
    dim[2] = s.H2;
    dim[3] = s.W2;
    return s;
}

static size_t plane_size(const pool *s) { return (size_t)s->H * (size_t)s->W; }

static size_t result_size(const pool *s) { return (size_t)s->H2 * (size_t)s->W2; }

/* Where the window of plane p's result (y2,x2) begins. */
static size_t window_at(const pool *s, size_t p, int y2, int x2)
{
    size_t y = (size_t)y2 * (size_t)s->stride, x = (size_t)x2 * (size_t)s->stride;
    return p * plane_size(s) + y * (size_t)s->W + x;
}

/* ---- max ---- */

/* A kernel takes the window at every column, whatever the stride, since it computes a vec of
 * columns at once; every stride-th of its results is used. Work is cut into pieces of some results
 * in some lines, whose columns fit on the stack; kernels write whole vecs, hence the room between
 * lines. */
enum { FLOATS = 2048, ROOM = 16 };

typedef struct piece {
    size_t results, columns, room, lines; /* room: from line to line */
} piece;

static piece piece_of(const pool *s)
{
    size_t stride = (size_t)s->stride, most = (FLOATS - ROOM - 1) / stride + 1;
    piece p = {.results = (size_t)s->W2 < most ? (size_t)s->W2 : most};
    p.columns = (p.results - 1) * stride + 1;
    p.room = (p.columns + ROOM - 1) / ROOM * ROOM;
    p.lines = FLOATS / p.room;
    return p;
}

/* Results [column, column + results) of some lines. */
static void max_piece(const pool *s, const tensor_image_kernels *kernels, float *y,
                      uint32_t *chosen, const float *x, const piece *p, size_t lines)
{
    float best[FLOATS], which[FLOATS];
    size_t stride = (size_t)s->stride, W = (size_t)s->W, W2 = (size_t)s->W2;
    for (size_t line = 0; line < lines; line++)
        kernels->window_max(best + line * p->room, which + line * p->room, x + line * stride * W, W,
                            s->kernel, p->columns);
    for (size_t line = 0; line < lines; line++) {
        const float *from = best + line * p->room, *element = which + line * p->room;
        for (size_t j = 0; j < p->results; j++)
            y[line * W2 + j] = from[j * stride];
        for (size_t j = 0; j < p->results && chosen; j++)
            chosen[line * W2 + j] = (uint32_t)element[j * stride];
    }
}

/* Some planes, cut into pieces that fit on the stack: y, and for backward which element it was. */
static void max_forward(void *argument, size_t first, size_t count, int worker)
{
    const pool_task *task = argument;
    const pool *s = &task->s;
    const piece whole = piece_of(s);
    size_t H2 = (size_t)s->H2, W2 = (size_t)s->W2;
    (void)worker;
    for (size_t plane = first; plane < first + count; plane++)
        for (size_t line = 0; line < H2; line += whole.lines)
            for (size_t column = 0; column < W2; column += whole.results) {
                size_t at = plane * result_size(s) + line * W2 + column;
                piece p = whole;
                if (p.results > W2 - column)
                    p.results = W2 - column;
                p.columns = (p.results - 1) * (size_t)s->stride + 1;
                max_piece(s, task->kernels, task->y + at, task->chosen ? task->chosen + at : NULL,
                          task->x + window_at(s, plane, (int)line, (int)column), &p,
                          H2 - line < p.lines ? H2 - line : p.lines);
            }
}

/* A gradient that is new is zeroed a plane at a time, shortly before something is added to it. */
static void begin_plane(const pool_task *task, size_t p)
{
    size_t size = plane_size(&task->s);
    if (task->fresh)
        memset(task->dx + p * size, 0, size * sizeof *task->dx);
}

/* To element `chosen` of each window of a line; the kernel is a constant where it can be. */
static inline void max_line_backward(float *dx, const float *dy, const uint32_t *chosen,
                                     size_t results, size_t stride, size_t W, uint32_t kernel)
{
    for (size_t i = 0; i < results; i++)
        dx[i * stride + chosen[i] / kernel * W + chosen[i] % kernel] += dy[i];
}

/* Windows lie inside their planes, so ranges of planes write to different places. */
static void max_planes_backward(void *argument, size_t first, size_t count, int worker)
{
    const pool_task *task = argument;
    const pool *s = &task->s;
    size_t W = (size_t)s->W, results = (size_t)s->W2, i = first * result_size(s);
    (void)worker;
    for (size_t p = first; p < first + count; p++) {
        begin_plane(task, p);
        for (int y2 = 0; y2 < s->H2; y2++, i += results) {
            float *dx = task->dx + window_at(s, p, y2, 0);
            if (s->kernel == 2)
                max_line_backward(dx, task->dy + i, task->chosen + i, results, (size_t)s->stride, W,
                                  2);
            else
                max_line_backward(dx, task->dy + i, task->chosen + i, results, (size_t)s->stride, W,
                                  (uint32_t)s->kernel);
        }
    }
}

static void max_backward(tensor_tape_record *record)
{
    pool_task *task = record->saved;
    task->dy = record->out->grad;
    task->dx = tensor_grad_first(record->in[0], &task->fresh);
    tensor_parallel_ranges(record->out->ctx, task->s.planes, plane_size(&task->s),
                           max_planes_backward, task);
}

static const tensor_op max_op = {"max_pool2d", max_backward};

tensor *tensor_max_pool2d(tensor *x, int kernel, int stride)
{
    int dim[4];
    pool_task task = {.s = check("max_pool2d", x, kernel, stride, dim), .x = x->val};
    task.kernels = tensor_context_kernels(x->ctx)->image;
    tensor *y = tensor_result(x->ctx, 4, dim, &x, 1);
    task.y = y->val;
    if (y->wants_grad)
        task.chosen = tensor_step_memory(x->ctx, tensor_size(y) * sizeof *task.chosen);
    tensor_parallel_ranges(x->ctx, task.s.planes, plane_size(&task.s), max_forward, &task);
    if (y->wants_grad) {
        tensor_tape_record *record = tensor_record(&max_op, y, &x, 1, sizeof task);
        *(pool_task *)record->saved = task;
    }
    return y;
}

/* ---- mean ---- */

/* One line of results, (W2): sums of windows for every column, of which every stride-th is taken,
 * divided by the window's area. */
static void mean_line(const pool *s, const tensor_image_kernels *kernels, float *y, const float *x)
{
    float sum[FLOATS + ROOM];
    const float area = (float)s->kernel * (float)s->kernel;
    size_t stride = (size_t)s->stride, results = (size_t)s->W2;
    size_t most = (FLOATS - 1) / stride + 1;
    for (size_t i = 0, some; i < results; i += some) {
        some = results - i < most ? results - i : most;
        kernels->window_sum(sum, x + i * stride, (size_t)s->W, s->kernel, (some - 1) * stride + 1);
        for (size_t j = 0; j < some; j++)
            y[i + j] = sum[j * stride] / area;
    }
}

static void mean_forward(void *argument, size_t first, size_t count, int worker)
{
    const pool_task *task = argument;
    const pool *s = &task->s;
    size_t i = first * result_size(s);
    (void)worker;
    for (size_t p = first; p < first + count; p++)
        for (int y2 = 0; y2 < s->H2; y2++, i += (size_t)s->W2)
            mean_line(s, task->kernels, task->y + i, task->x + window_at(s, p, y2, 0));
}

/* dx += dy / area over each window: windows that overlap add up. */
static void mean_planes_backward(void *argument, size_t first, size_t count, int worker)
{
    const pool_task *task = argument;
    const pool *s = &task->s;
    const float area = (float)s->kernel * (float)s->kernel;
    const float *dy = task->dy + first * result_size(s);
    (void)worker;
    for (size_t p = first; p < first + count; p++) {
        begin_plane(task, p);
        for (int y2 = 0; y2 < s->H2; y2++)
            for (int x2 = 0; x2 < s->W2; x2++, dy++) {
                float *window = task->dx + window_at(s, p, y2, x2), share = *dy / area;
                for (size_t y = 0; y < (size_t)s->kernel; y++)
                    for (size_t x = 0; x < (size_t)s->kernel; x++)
                        window[y * (size_t)s->W + x] += share;
            }
    }
}

static void mean_backward(tensor_tape_record *record)
{
    pool_task *task = record->saved;
    task->dy = record->out->grad;
    task->dx = tensor_grad_first(record->in[0], &task->fresh);
    tensor_parallel_ranges(record->out->ctx, task->s.planes, plane_size(&task->s),
                           mean_planes_backward, task);
}

static const tensor_op mean_op = {"avg_pool2d", mean_backward};

tensor *tensor_avg_pool2d(tensor *x, int kernel, int stride)
{
    int dim[4];
    pool_task task = {.s = check("avg_pool2d", x, kernel, stride, dim), .x = x->val};
    task.kernels = tensor_context_kernels(x->ctx)->image;
    tensor *y = tensor_result(x->ctx, 4, dim, &x, 1);
    task.y = y->val;
    tensor_parallel_ranges(x->ctx, task.s.planes, plane_size(&task.s), mean_forward, &task);
    if (y->wants_grad) {
        tensor_tape_record *record = tensor_record(&mean_op, y, &x, 1, sizeof task);
        *(pool_task *)record->saved = task;
    }
    return y;
}

/* ---- the mean of a plane ---- */

typedef struct plane_task {
    const tensor_kernels *kernels;
    size_t size; /* of a plane */
    const float *x, *dy;
    float *y, *dx;
    bool fresh; /* dx is not set yet */
} plane_task;

static void global_forward(void *argument, size_t first, size_t count, int worker)
{
    const plane_task *task = argument;
    (void)worker;
    for (size_t p = first; p < first + count; p++)
        task->y[p] = task->kernels->sum(task->x + p * task->size, task->size) / (float)task->size;
}

static void global_planes_backward(void *argument, size_t first, size_t count, int worker)
{
    const plane_task *task = argument;
    (void)worker;
    for (size_t p = first; p < first + count; p++) {
        float *dx = task->dx + p * task->size, share = task->dy[p] / (float)task->size;
        for (size_t i = 0; i < task->size; i++)
            dx[i] = task->fresh ? share : dx[i] + share;
    }
}

static void global_backward(tensor_tape_record *record)
{
    plane_task *task = record->saved;
    task->dy = record->out->grad;
    task->dx = tensor_grad_first(record->in[0], &task->fresh);
    tensor_parallel_ranges(record->out->ctx, tensor_size(record->out), task->size,
                           global_planes_backward, task);
}

static const tensor_op global_op = {"global_avg_pool2d", global_backward};

tensor *tensor_global_avg_pool2d(tensor *x)
{
    char text[64];
    if (x->rank != 4)
        tensor_fail(x->ctx, global_op.name, "x %s, expected (B,C,H,W)", tensor_shape_text(x, text));
    tensor *y = tensor_result(x->ctx, 4, (int[]){x->dim[0], x->dim[1], 1, 1}, &x, 1);
    plane_task task = {.kernels = tensor_context_kernels(x->ctx),
                       .size = (size_t)x->dim[2] * (size_t)x->dim[3],
                       .x = x->val,
                       .y = y->val};
    tensor_parallel_ranges(x->ctx, tensor_size(y), task.size, global_forward, &task);
    if (y->wants_grad)
        *(plane_task *)tensor_record(&global_op, y, &x, 1, sizeof task)->saved = task;
    return y;
}
