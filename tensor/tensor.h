/* SPDX-License-Identifier: MIT */
/* tensor.h -- float32 arrays that remember how they were made.
 *
 * An op computes its value at once and, where a gradient is wanted, appends one record to its
 * context's tape. Execution order is already a topological order, so tensor_backward() walks the
 * tape from the last record to the first; nothing is ever sorted.
 *
 * True of every op:
 *   Shapes  outermost axis first, row-major, contiguous: (B,T,D).
 *   Owner   a result lives in its context's step arena, until tensor_step_end().
 *   Errors  wrong shapes, or an arena at its limit, call the failure handler; no op returns NULL.
 *           They are raised before any state changes, so a handler may longjmp out and call
 *           tensor_step_end().
 *   Order   every sum is taken in a fixed order that depends on nothing but the shapes (see
 *           kernel.h), so results have the same bits for any thread count and instruction set.
 *           Gradients of a tensor that is used twice add up in the reverse order of its uses; C
 *           leaves open which argument of mul(f(x), g(x)) is made first, so write two statements.
 *
 * One layer, its loss and its gradients:
 *
 *     tensor_context *ctx = tensor_context_new();
 *     tensor w;
 *     tensor_leaf(&w, ctx, 2, (int[]){10, 64}, values, gradients);        640 floats each
 *     tensor *logits = tensor_linear(x, &w, NULL);                        x (N,64) -> (N,10)
 *     tensor_backward(tensor_cross_entropy(logits, target, NULL, NULL));  adds to gradients
 *     tensor_step_end(ctx);
 *
 * Two contexts in one process do not know of each other. One context is used by one thread at a
 * time; its ops spread their own work over tensor_set_threads() threads. */
#ifndef TENSOR_TENSOR_H
#define TENSOR_TENSOR_H

#include "base/error.h"
#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TENSOR_MAX_RANK = 4 };

typedef struct tensor_context tensor_context; /* opaque: arenas, tape, kernels, handler */

typedef struct tensor {
    int rank, dim[TENSOR_MAX_RANK]; /* dim[0] is the outermost axis; rank 0 is a scalar */
    bool wants_grad;                /* a leaf that does, or computed from one that does */
    bool grad_stale;                /* of a leaf: grad is to count as zeros (tensor_forget_grad) */
    float *val;                     /* size() floats */
    float *grad;         /* a leaf's own, or NULL; others have one while backward is at them */
    const float *packed; /* of tensor_packed(); otherwise NULL */
    tensor_context *ctx;
} tensor;

size_t tensor_size(const tensor *t); /* number of elements */

/* ---- context ---- */

/* NULL: no memory, an unknown PHOENIX_KERNEL, or arithmetic of this thread that would give other bits than
 * elsewhere (tensor_arithmetic_fault); tensor_context_open says which. */
tensor_context *tensor_context_new(void);

/* The same for a caller that reports errors, with the work split over so many threads. */
tensor_context *tensor_context_open(int threads, base_error *error);
void tensor_context_free(tensor_context *ctx);

/* What a caller's bug calls. It must not return: the default prints `operation: message` and
 * aborts; another may longjmp. */
typedef void tensor_failure_handler(void *user, const char *operation, const char *message);
void tensor_set_failure_handler(tensor_context *ctx, tensor_failure_handler *handler, void *user);
BASE_NORETURN void tensor_fail(const tensor_context *ctx, const char *operation, const char *format,
                               ...) BASE_PRINTF(3, 4);

/* Calls work(argument). False: an op in it failed; the work ended there and the step with it,
 * reason has "operation: message", and gradients are on. */
bool tensor_guarded(tensor_context *ctx, void (*work)(void *argument), void *argument,
                    char reason[256]);

/* 1 .. 64; more than 1 has an effect only where threads are built in. Never changes a result. */
void tensor_set_threads(tensor_context *ctx, int threads);
int tensor_threads(const tensor_context *ctx);

/* The step arena takes memory as it needs it, keeps it, and after the first step of a kind never
 * asks for more. Going beyond the limit (0: none, the default) is a failure that names what was
 * asked for. */
void tensor_set_step_limit(tensor_context *ctx, size_t bytes);
size_t tensor_step_peak(const tensor_context *ctx); /* most bytes a step has taken so far */

/* While this is on, ops check shapes, take step memory and record, forward and backward, but
 * compute nothing: values are unset, the caller's arrays are neither read nor written, and
 * tensor_step_peak() says what the same steps will take. */
void tensor_set_planning(tensor_context *ctx, bool planning);

/* Frees every result since the last call, and the tape. Leaves stay. */
void tensor_step_end(tensor_context *ctx);

/* Frees only the results made since tensor_mark(), for loops under tensor_set_grad(false). */
size_t tensor_mark(const tensor_context *ctx);
void tensor_release(tensor_context *ctx, size_t mark);

/* false: ops record nothing and results want no gradient (generation, evaluation). Default true. */
void tensor_set_grad(tensor_context *ctx, bool enabled);

/* ---- leaves ---- */

/* Makes *leaf a tensor over the caller's memory. grad NULL: no gradient is wanted. The caller
 * zeroes grad between steps, or forgets it; backward adds to it. */
void tensor_leaf(tensor *leaf, tensor_context *ctx, int rank, const int *dim, float *val,
                 float *grad);

/* From now on leaf's gradient counts as zeros, whatever is in its memory: what backward adds first
 * is written instead, which saves two passes over memory and gives the same bits. Whoever reads
 * leaf->grad after a backward that may not have reached the leaf settles it first: then it is zeroed
 * if nothing was added. */
void tensor_forget_grad(tensor *leaf);
void tensor_settle_grad(tensor *leaf);

/* A result without history, in the step arena, values unset. */
tensor *tensor_new(tensor_context *ctx, int rank, const int *dim);

/* Memory of the step arena, 64-byte aligned, unset, until tensor_step_end(). */
void *tensor_step_memory(tensor_context *ctx, size_t bytes);

/* Adds d(scalar)/d(leaf) to every leaf's grad. `scalar` has one element; call once a tape. Values
 * stay until tensor_step_end(), gradients of results are gone as soon as they are passed on. */
void tensor_backward(tensor *scalar);

/* One line for each op on the tape, in order of execution, with the shapes of its result and of its
 * inputs:  "rmsnorm (48,128) <- (48,128) (128)". */
void tensor_tape_print(tensor_context *ctx, base_text *text);

/* ---- element by element (elementwise.c) ---- */

/* y = a + b, a - b, a * b. The shape of b is that of a, or the last axes of it: then b is repeated
 * along the others (a bias), and its gradient is the sum over the repeats, first to last. */
tensor *tensor_add(tensor *a, tensor *b);
tensor *tensor_sub(tensor *a, tensor *b);
tensor *tensor_mul(tensor *a, tensor *b);
tensor *tensor_scale(tensor *x, float factor);

tensor *tensor_relu(tensor *x); /* gradient at 0 is 0 */
/* min(max(x, 0), 6), and x min(max(x + 3, 0), 6) / 6: Howard et al. 2019, arXiv:1905.02244. Their
 * gradients at the corners are torch's: 0 for relu6, and for hard_swish 0 at -3 and 1 at 3. */
tensor *tensor_relu6(tensor *x);
tensor *tensor_hard_swish(tensor *x);
/* 0.5 x (1 + erf(x / sqrt 2)), and with tanh(sqrt(2/pi) (x + 0.044715 x^3)) in the place of the
 * erf: Hendrycks & Gimpel 2016, arXiv:1606.08415. */
tensor *tensor_gelu_erf(tensor *x);
tensor *tensor_gelu_new(tensor *x);
tensor *tensor_tanh(tensor *x);

/* y_i = x_i / (1 - rate) where number first + i of (seed, stream) is at least rate * 2^32, else 0.
 * first: where x begins in a larger tensor that is computed piece by piece; otherwise 0.
 * 0 <= rate < 1; rate 0 or gradients off: x itself. */
tensor *tensor_dropout(tensor *x, float rate, uint64_t seed, uint64_t stream, uint64_t first);

tensor *tensor_sum(tensor *x);                               /* -> () */
tensor *tensor_reshape(tensor *x, int rank, const int *dim); /* the same values, no copy */

/* ---- products (matmul.c) ---- */

/* a (...,M,K) . b (...,K,N) -> (...,M,N); leading axes broadcast as in torch.matmul (1 or missing),
 * gradients of broadcast axes are summed. Both ranks at least 2. */
tensor *tensor_matmul(tensor *a, tensor *b);

/* x (...,K), weight (N,K), bias (N) or NULL -> x . weight^T + bias (...,N). torch's Linear. */
tensor *tensor_linear(tensor *x, tensor *weight, tensor *bias);

/* The same and what usually follows, in one pass over the result: relu(x . weight^T + bias), and
 * x . weight^T + residual (of the result's shape). */
tensor *tensor_linear_relu(tensor *x, tensor *weight, tensor *bias);
tensor *tensor_linear_add(tensor *x, tensor *weight, tensor *residual);

/* The same weight (N,K), without gradient, and beside it a copy in the order in which products read
 * it: for the linear ops above, called again and again with a few rows, as in generation. */
tensor *tensor_packed(tensor *weight);

/* The same in memory of the caller's, tensor_packed_bytes() of it at a multiple of 64; the weight has to outlive it. */
size_t tensor_packed_bytes(const tensor *weight);
tensor *tensor_packed_at(void *memory, tensor *weight);

/* ---- rows ---- */

/* weight (V,D), count ids in 0..V-1 -> (count,D). The ids are copied. (embedding.c) */
tensor *tensor_embedding(tensor *weight, const int *ids, int count);

/* axis counts from 0. The largest value is subtracted first. (softmax.c) */
tensor *tensor_softmax(tensor *x, int axis);
tensor *tensor_log_softmax(tensor *x, int axis);

/* What a row's loss is made of, and how rows add up. All zero: the plain mean. */
typedef struct tensor_objective {
    float smoothing;     /* s, 0 .. 1: (1-s) of it at the target, s the mean over all classes */
    float z_loss;        /* >= 0; adds z_loss * (log sum_v exp logit_v)^2 */
    const float *weight; /* of each row; NULL: 1 */
    double total;        /* the rows' sum is divided by this; 0: by the weights of those counted */
} tensor_objective;

/* The mean over the rows with target != -100 of -log softmax(logits)[target], or what the objective
 * (NULL: all zero) makes of it. No row counted: 0. (cross_entropy.c)
 *   logits (N,V), target N ints in 0..V-1 or -100 -> ()
 * row_loss (N floats, or NULL) gets each row's plain -log softmax(logits)[target], 0 where ignored:
 * what a score is made of, whatever the objective. */
tensor *tensor_cross_entropy(tensor *logits, const int *target, const tensor_objective *objective,
                             float *row_loss);

/* The same of logits = x . weight^T, a chunk of rows at a time, so that all of them never stand in
 * memory; x (N,D), weight (V,D). Where gradients are on, those of x and weight are computed at
 * once: tensor_backward_from(x) takes them on. The bits are those of the three ops one by one.
 * sum: NULL; or, for a batch in slices (objective->total is the batch's), the rows' losses of the
 * slices before, to which this slice's are added; the loss is then that of all slices so far. */
double tensor_head_loss(tensor *x, tensor *weight, const int *target,
                        const tensor_objective *objective, float *row_loss, double *sum);

/* Goes back from y, whose gradient is there already, as tensor_backward() does from a scalar. */
void tensor_backward_from(tensor *y);

/* y = g * x / sqrt(mean(x^2) + eps), the mean taken over the last axis. (norm.c)
 *   x (...,D), g (D) -> y (...,D)          eps > 0; T5 uses 1e-6
 * T5's "layer norm": no mean is subtracted, no bias added. Zhang & Sennrich 2019,
 * arXiv:1910.07467, eq. 4. */
tensor *tensor_rmsnorm(tensor *x, tensor *g, float eps);

/* y = g * (x - mean) / sqrt(var + eps) + b over the last axis, var the biased variance.
 * Ba, Kiros & Hinton 2016, arXiv:1607.06450. */
tensor *tensor_layernorm(tensor *x, tensor *g, tensor *b, float eps);

/* ---- attention over ragged batches (attention.c) ---- */

/* Sequences of different lengths are laid one after another in the rows of one matrix, so that no
 * arithmetic is spent on padding. A span is one of them. */
typedef struct tensor_span {
    int start;    /* its first row in the matrix */
    int rows;     /* how many rows it has */
    int valid;    /* keys: only the first `valid` rows may be attended to, 1 <= valid <= rows */
    int position; /* of its first row in its sequence: 0, or the rows generated before */
} tensor_span;

typedef struct tensor_attention_task {
    const tensor_span *query, *key; /* query span b attends to key span b */
    int spans, heads;
    bool causal;
    float scale;
} tensor_attention_task;

/* For each span b, head h and query row i:
 *   y_i = sum_j softmax_j(scale * q_i . k_j + bias[R-1 + p_j - p_i][h]) v_j
 * over the valid keys j of key span b, only those with p_j <= p_i if causal, where p is a row's
 * position in its sequence.
 *   q (Nq,heads*K), k (Nk,heads*K), v (Nk,heads*K), bias (2R-1,heads) or NULL -> y (Nq,heads*K)
 * Heads stand side by side in a row and are used in place. R must exceed every distance.
 * Rows outside every query span are 0. Query spans do not overlap; key spans may (samples that
 * share one encoder output), but then no gradient may be wanted for k or v. T5 passes scale 1.
 * Vaswani et al. 2017, arXiv:1706.03762, eq. 1; Raffel et al. 2020, arXiv:1910.10683, 2.1. */
tensor *tensor_attention(tensor *q, tensor *k, tensor *v, tensor *bias,
                         const tensor_attention_task *task);

/* ---- attention one position at a time (kv_cache.c) ---- */

/* The keys and values of all positions so far of some sequences (slots), in the order in which
 * attention reads them, in the step arena. */
typedef struct tensor_kv_cache tensor_kv_cache;

/* positions: the most that a slot will have; heads * width floats in a row of keys or values.
 * bias: (2R-1, heads) as for tensor_attention, R at least `positions`; or NULL. */
tensor_kv_cache *tensor_kv_cache_new(tensor_context *ctx, int slots, int positions, int heads,
                                     int width, const tensor *bias);

/* Stores row i of k and v (count, heads*width) as slot[i]'s at `position`, and gives row i of
 * attention with query row i of q over that slot's positions up to this one: (count, heads*width),
 * the same bits as tensor_attention's with causal and scale 1. Gradients must be off. */
tensor *tensor_kv_attention(tensor_kv_cache *cache, tensor *q, const tensor *k, const tensor *v,
                            const int *slot, int count, int position);

/* Makes slot `to` a copy of slot `from`, for its first `positions` positions. */
void tensor_kv_copy(tensor_kv_cache *cache, int to, int from, int positions);

/* ---- images (conv.c, depthwise.c, pool.c, batchnorm.c): x (B,C,H,W) ---- */

/* weight (O,C,kernel,kernel), bias (O) or NULL -> (B,O,H',W'), H' = (H + 2 padding - kernel) /
 * stride + 1. Cross-correlation, as torch's Conv2d. Fails where H' or W' would be below 1. Kernels
 * of 3 with stride 1 are computed by Winograd's method where that is faster (conv.c): its error is
 * about twice as large, and a NaN or an infinity in x spreads over a tile of 4x4. */
tensor *tensor_conv2d(tensor *x, tensor *weight, tensor *bias, int stride, int padding);

/* relu of that, in one pass over the result. */
tensor *tensor_conv2d_relu(tensor *x, tensor *weight, tensor *bias, int stride, int padding);

/* Each channel with a kernel of its own: weight (C,1,kernel,kernel), bias (C) or NULL -> (B,C,H',W'),
 * torch's Conv2d with groups = C. A NaN or an infinity in x makes its channel's gradients NaN. */
tensor *tensor_depthwise2d(tensor *x, tensor *weight, tensor *bias, int stride, int padding);

/* Windows that do not fit whole are left out. The gradient goes to the first maximum of a window in
 * row-major order. */
tensor *tensor_max_pool2d(tensor *x, int kernel, int stride);
tensor *tensor_avg_pool2d(tensor *x, int kernel, int stride);

/* The mean of each channel of each image -> (B,C,1,1). */
tensor *tensor_global_avg_pool2d(tensor *x);

/* y = g * (x - mean_c) / sqrt(var_c + eps) + b, a channel c at a time (g, b, mean, var: (C)).
 * train: mean and biased variance of the batch; running = (1 - momentum) running + momentum *
 * batch, where the variance's batch value is the unbiased one. Otherwise: the running values.
 * running_mean, running_var: C floats of the caller's. Ioffe & Szegedy 2015, arXiv:1502.03167. */
tensor *tensor_batchnorm2d(tensor *x, tensor *g, tensor *b, float *running_mean, float *running_var,
                           bool train, float momentum, float eps);

/* The same, and relu or relu6 of it, in one pass. */
typedef enum tensor_bend { TENSOR_RELU, TENSOR_RELU6 } tensor_bend;
tensor *tensor_batchnorm2d_bent(tensor *x, tensor *g, tensor *b, float *running_mean,
                                float *running_var, bool train, float momentum, float eps,
                                tensor_bend bend);

#endif
