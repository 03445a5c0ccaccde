/* SPDX-License-Identifier: MIT */
/* embedding.c -- rows of a table, looked up by number.
 *
 * The product of a matrix of ones and zeros (count,V), one 1 a row, with the table (V,D): forward
 * copies the rows that the ones select; backward, the transposed product, adds each row of dy to
 * the row that it was copied from. Neither does any arithmetic with the zeros. */
#include "tensor/context.h"

#include <string.h>

typedef struct lookup {
    const tensor_kernels *kernels;
    int count, width;
    const int *ids;
    float *table_grad;
    const float *dy;
} lookup;

/* Two ids may name one row, so it is columns, not ids, that go to different threads. */
static void add_rows_back(void *argument, size_t first, size_t count, int worker)
{
    const lookup *w = argument;
    size_t width = (size_t)w->width;
    (void)worker;
    for (int i = 0; i < w->count; i++)
        w->kernels->add(w->table_grad + (size_t)w->ids[i] * width + first,
                        w->dy + (size_t)i * width + first, count);
}

/* y_i = weight[ids_i]: dweight[v] = the sum of dy_i over those i with ids_i = v, first to last. */
static void embedding_backward(tensor_tape_record *record)
{
    tensor *weight = record->in[0], *y = record->out;
    lookup w = {.kernels = tensor_context_kernels(weight->ctx),
                .count = y->dim[0],
                .width = y->dim[1],
                .ids = record->saved,
                .table_grad = tensor_grad(weight),
                .dy = y->grad};
    tensor_parallel_columns(weight->ctx, (size_t)w.width, (size_t)w.count, add_rows_back, &w);
}

static const tensor_op embedding_op = {"embedding", embedding_backward};

/* The ids are kept for backward, since the caller's array may be gone by then. */
tensor *tensor_embedding(tensor *weight, const int *ids, int count)
{
    char text[64];
    if (weight->rank != 2)
        tensor_fail(weight->ctx, "embedding", "the table is %s; (V,D) was expected",
                    tensor_shape_text(weight, text));
    if (count < 1)
        tensor_fail(weight->ctx, "embedding", "%d ids; at least 1 was expected", count);
    for (int i = 0; i < count; i++)
        if (ids[i] < 0 || ids[i] >= weight->dim[0])
            tensor_fail(weight->ctx, "embedding", "id %d at place %d of %d is no row of %s", ids[i],
                        i, count, tensor_shape_text(weight, text));
    size_t width = (size_t)weight->dim[1];
    tensor *y = tensor_result(weight->ctx, 2, (int[]){count, weight->dim[1]}, &weight, 1);
    for (int i = 0; i < count && !tensor_planning(weight->ctx); i++)
        memcpy(y->val + (size_t)i * width, weight->val + (size_t)ids[i] * width,
               width * sizeof(float));
    if (y->wants_grad) {
        size_t bytes = (size_t)count * sizeof *ids;
        memcpy(tensor_record(&embedding_op, y, &weight, 1, bytes)->saved, ids, bytes);
    }
    return y;
}
