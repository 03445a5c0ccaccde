/* pool.c -- the largest or the mean value in windows of an image.
 *
 * A plane (one channel of one image) is by itself, forward and backward, so planes are what threads
 * share out; windows may overlap within one. */
#include "tensor/context.h"

typedef struct pool {
    int H, W, H2, W2, kernel, stride;
    size_t planes; /* B C */
} pool;

typedef struct pool_task {
    pool s;
    const float *x, *dy;
    float *y, *dx;
    size_t *chosen; /* for each result, where in x the maximum was; NULL: nobody asks */
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

static size_t plane_size(const pool *s)
{
    return (size_t)s->H * (size_t)s->W;
}

static size_t result_size(const pool *s)
{
    return (size_t)s->H2 * (size_t)s->W2;
}

/* Where the window of plane p's result (y2,x2) begins. */
static size_t window_at(const pool *s, size_t p, int y2, int x2)
{
    size_t y = (size_t)y2 * (size_t)s->stride, x = (size_t)x2 * (size_t)s->stride;
    return p * plane_size(s) + y * (size_t)s->W + x;
}

/* ---- max ---- */

/* The first maximum in row-major order; the last NaN, if there is one, as in torch. */
static size_t find_max(const pool *s, const float *values, size_t start)
{
    size_t best = start;
    for (int y = 0; y < s->kernel; y++)
        for (int x = 0; x < s->kernel; x++) {
            size_t at = start + (size_t)y * (size_t)s->W + (size_t)x;
            if (values[at] > values[best] || values[at] != values[at])
                best = at;
        }
    return best;
}

static void max_forward(void *argument, size_t first, size_t count, int worker)
{
    const pool_task *task = argument;
    const pool *s = &task->s;
    size_t i = first * result_size(s);
    (void)worker;
    for (size_t p = first; p < first + count; p++)
        for (int y2 = 0; y2 < s->H2; y2++)
            for (int x2 = 0; x2 < s->W2; x2++, i++) {
                size_t at = find_max(s, task->x, window_at(s, p, y2, x2));
                task->y[i] = task->x[at];
                if (task->chosen)
                    task->chosen[i] = at;
            }
}

/* Windows lie inside their planes, so stretches of planes write to different places. */
static void max_planes_backward(void *argument, size_t first, size_t count, int worker)
{
    const pool_task *task = argument;
    size_t results = result_size(&task->s);
    (void)worker;
    for (size_t i = first * results; i < (first + count) * results; i++)
        task->dx[task->chosen[i]] += task->dy[i];
}

static void max_backward(tensor_tape_record *record)
{
    pool_task *task = record->saved;
    task->dy = record->out->grad;
    task->dx = tensor_grad(record->in[0]);
    tensor_parallel_stretches(record->out->ctx, task->s.planes, plane_size(&task->s),
                              max_planes_backward, task);
}

tensor *tensor_max_pool2d(tensor *x, int kernel, int stride)
{
    int dim[4];
    pool_task task = {.s = check("max_pool2d", x, kernel, stride, dim), .x = x->val};
    tensor *y = tensor_result(x->ctx, 4, dim, &x, 1);
    task.y = y->val;
    if (y->wants_grad)
        task.chosen = tensor_step_memory(x->ctx, tensor_size(y) * sizeof *task.chosen);
    tensor_parallel_stretches(x->ctx, task.s.planes, plane_size(&task.s), max_forward, &task);
    if (y->wants_grad) {
        tensor_tape_record *record =
            tensor_record("max_pool2d", max_backward, y, &x, 1, sizeof task);
        *(pool_task *)record->saved = task;
    }
    return y;
}

/* ---- mean ---- */

static void mean_forward(void *argument, size_t first, size_t count, int worker)
{
    const pool_task *task = argument;
    const pool *s = &task->s;
    const float area = (float)s->kernel * (float)s->kernel;
    float *out = task->y + first * result_size(s);
    (void)worker;
    for (size_t p = first; p < first + count; p++)
        for (int y2 = 0; y2 < s->H2; y2++)
            for (int x2 = 0; x2 < s->W2; x2++, out++) {
                const float *window = task->x + window_at(s, p, y2, x2);
                float sum = 0;
                for (size_t y = 0; y < (size_t)s->kernel; y++)
                    for (size_t x = 0; x < (size_t)s->kernel; x++)
                        sum += window[y * (size_t)s->W + x];
                *out = sum / area;
            }
}

static void mean_planes_backward(void *argument, size_t first, size_t count, int worker)
{
    const pool_task *task = argument;
    const pool *s = &task->s;
    const float area = (float)s->kernel * (float)s->kernel;
    const float *dy = task->dy + first * result_size(s);
    (void)worker;
    for (size_t p = first; p < first + count; p++)
        for (int y2 = 0; y2 < s->H2; y2++)
            for (int x2 = 0; x2 < s->W2; x2++, dy++) {
                float *window = task->dx + window_at(s, p, y2, x2), share = *dy / area;
                for (size_t y = 0; y < (size_t)s->kernel; y++)
                    for (size_t x = 0; x < (size_t)s->kernel; x++)
                        window[y * (size_t)s->W + x] += share;
            }
}

static void mean_backward(tensor_tape_record *record)
{
    pool_task *task = record->saved;
    task->dy = record->out->grad;
    task->dx = tensor_grad(record->in[0]);
    tensor_parallel_stretches(record->out->ctx, task->s.planes, plane_size(&task->s),
                              mean_planes_backward, task);
}

tensor *tensor_avg_pool2d(tensor *x, int kernel, int stride)
{
    int dim[4];
    pool_task task = {.s = check("avg_pool2d", x, kernel, stride, dim), .x = x->val};
    tensor *y = tensor_result(x->ctx, 4, dim, &x, 1);
    task.y = y->val;
    tensor_parallel_stretches(x->ctx, task.s.planes, plane_size(&task.s), mean_forward, &task);
    if (y->wants_grad) {
        tensor_tape_record *record =
            tensor_record("avg_pool2d", mean_backward, y, &x, 1, sizeof task);
        *(pool_task *)record->saved = task;
    }
    return y;
}
