/* SPDX-License-Identifier: MIT */
/* context.h -- what ops share: arenas, the tape, threads. For the files of tensor/ and those who
 * write ops of their own.
 *
 * Writing an op: check shapes (tensor_fail), make the result with tensor_result(), compute, and if
 * result->wants_grad, append a record with tensor_record() and fill in what backward needs. Its
 * backward function reads record->out->grad and adds to the gradients of the inputs that want one
 * (tensor_grad() gives their memory, zeroed on first use). */
#ifndef TENSOR_CONTEXT_H
#define TENSOR_CONTEXT_H

#include "tensor/kernel.h"
#include "tensor/tensor.h"

enum { TENSOR_MAX_INPUTS = 4, TENSOR_ALIGNMENT = 64 };

/* The smallest multiple of TENSOR_ALIGNMENT at or after p: a line of the cache, the widest vector. */
void *tensor_align(void *p);

typedef struct tensor_tape_record tensor_tape_record;

/* One row an op, beside its backward function. */
typedef struct tensor_op {
    const char *name;
    void (*backward)(tensor_tape_record *record);
} tensor_op;

struct tensor_tape_record {
    const tensor_op *op;
    int inputs;
    tensor *out, *in[TENSOR_MAX_INPUTS]; /* an input that was not given (a bias) is NULL */
    void *saved;                         /* what forward kept, in the step arena; NULL if nothing */
    tensor_tape_record *previous;
};

/* A result; its wants_grad: gradients are on and any of the inputs (NULL: none) wants one. */
tensor *tensor_result(tensor_context *ctx, int rank, const int *dim, tensor *const *in, int inputs);

/* Appends a record of op for out, which wants a gradient; record->saved has saved_bytes. */
tensor_tape_record *tensor_record(const tensor_op *op, tensor *out, tensor *const *in, int inputs,
                                  size_t saved_bytes);

/* The gradient of t, made and zeroed if it is not there yet or stale; NULL if t is NULL or wants none. */
float *tensor_grad(tensor *t);

/* Like tensor_grad(), without zeroing. *first: what is in the memory means nothing and the op must
 * assign every element; otherwise it must add. */
float *tensor_grad_first(tensor *t, bool *first);

/* For y = x + ..., in the backward function, after all else has read record->out->grad: makes it
 * the gradient of t, of the same size, if t has none yet; false: it has one, or wants none. */
bool tensor_grad_pass(tensor_tape_record *record, tensor *t);

const tensor_kernels *tensor_context_kernels(const tensor_context *ctx);

/* True after tensor_set_planning(true): then tensor_parallel(), tensor_gemm() and tensor_zero() do
 * nothing, and an op must not do any of its work outside of them. */
bool tensor_planning(const tensor_context *ctx);

/* x[i] = 0 for i < n, unless the context is planning. */
void tensor_zero(const tensor_context *ctx, float *x, size_t n);

/* Whether ops record: tensor_set_grad(). */
bool tensor_grad_enabled(const tensor_context *ctx);

/* The product of the dimensions; fails unless each is at least 1 and memory can hold that many. */
size_t tensor_check_shape(const tensor_context *ctx, const char *operation, int rank,
                          const int *dim);

/* The product of all dimensions but the last, which is the length of a row. */
int tensor_rows(const tensor *t);

/* Calls body(argument, i, worker) for every i in 0..count-1, spread over the context's threads in
 * contiguous runs; worker is 0..threads-1. What is written for different i must not overlap, and no
 * sum may cross from one i to another: that is what keeps results the same for any thread count.
 * Inside a body, nothing may fail and tensor_parallel runs serially. */
typedef void tensor_parallel_body(void *argument, int i, int worker);
void tensor_parallel(tensor_context *ctx, int count, tensor_parallel_body *body, void *argument);

/* The same for work best done in ranges: body(argument, first, count, worker) is called for
 * ranges that together make 0..total-1, cut so that each is worth a thread's while; `cost` is
 * about how many floats one item touches. The cuts depend on total and cost alone. */
typedef void tensor_range_body(void *argument, size_t first, size_t count, int worker);
void tensor_parallel_ranges(tensor_context *ctx, size_t total, size_t cost, tensor_range_body *body,
                            void *argument);

/* The same over columns, for sums that run down the rows of a matrix: whole cache lines. */
void tensor_parallel_columns(tensor_context *ctx, size_t columns, size_t rows,
                             tensor_range_body *body, void *argument);

/* sum[j] += x[0][j] + x[1][j] + ..., row after row: the gradient of what was added to each row. */
void tensor_add_rows(tensor_context *ctx, float *sum, const float *x, size_t rows, size_t columns);

/* dy[i] = 0 where not y[i] > 0: relu's gradient, in place. */
void tensor_relu_gate(tensor_context *ctx, float *dy, const float *y, size_t n);

/* tensor_attention() in plain loops, its definition: y (Nq,heads*K), the same bits. */
void tensor_attention_plain(float *y, const tensor *q, const tensor *k, const tensor *v,
                            const tensor *bias, const tensor_attention_task *task);

/* A bias (2R-1, heads) transposed, (heads, 2R-1): the biases of a row of scores stand side by
 * side. */
const float *tensor_attention_bias(const tensor *bias);

/* At least `bytes` of scratch memory that belongs to that worker and that slot until the next call
 * for the same pair; 64-byte aligned; kept for the life of the context. Call it before the parallel
 * region for every worker (tensor_scratch_all), since getting memory may fail. */
enum { TENSOR_SCRATCH_PACK_A, TENSOR_SCRATCH_PACK_B, TENSOR_SCRATCH_OP, TENSOR_SCRATCH_SLOTS };
void tensor_scratch_all(tensor_context *ctx, int slot, size_t bytes);
void *tensor_scratch(tensor_context *ctx, int worker, int slot);

/* "(2,3,4)" of a shape, in buffers of the caller, for messages. */
const char *tensor_shape_text(const tensor *t, char text[64]);

#endif
