/* SPDX-License-Identifier: MIT */
/* forward.c -- the T5 from token ids to logits and loss; backward is the tape's.
 *
 * Everything acts on rows: the sequences of a batch stand one after another in a matrix, a row for
 * each token, and only attention, which gets their spans, knows where one ends. So a batch of any
 * lengths costs what its tokens cost, and a sequence's numbers do not depend on what else is in the
 * batch.
 *
 * Shapes below, in the letters of tensor.h:
 *
 *   S, T, N   tokens of the batch: of its sources, of its targets, of either
 *   D, F, V   d_model, d_ff, vocab_size
 *   H, K, I   num_heads heads of d_kv numbers, which stand side by side in a row of I = H K
 *   R         at least the length of the longest sequence
 *
 * A weight (I,D) maps rows of D to rows of I, as torch's Linear has it. */
#include "t5/model.h"

#include "base/math.h"
#include "tensor/kernel.h"
#include <assert.h>
#include <string.h>
#include <math.h>

/* ---- Relative positions ---- */

/* Half of the n buckets hold one distance each; the other half divide the distances up to
 * max_distance evenly on a logarithmic scale. With e = n / 2, and n - 1 for all that is larger:
 *
 *   bucket = e + floor((n - e) log(distance / e) / log(max_distance / e))
 *
 * The encoder looks both ways: then either direction has half of the buckets, and keys behind the
 * query come first. The decoder never sees a key ahead of the query, which counts as distance 0.
 *
 * Where the quotient is a whole number (32 buckets to 128: distances 16, 32 and 64), rounding must
 * not take it below; so 1e-9 is added, far less than any other quotient lacks to the next whole
 * number. HF computes in float32 and gets the same buckets (tests/t5/test_model.c). */
int t5_relative_bucket(int relative_position, bool bidirectional, int buckets, int max_distance)
{
    int64_t distance = -(int64_t)relative_position; /* from the key forward to the query */
    int first = 0;
    if (bidirectional) {
        buckets /= 2;
        if (distance < 0) {
            first = buckets;
            distance = -distance;
        }
    } else if (distance < 0) {
        distance = 0;
    }
    int exact = buckets / 2;
    assert(exact >= 1 && max_distance > exact);
    if (distance < exact)
        return first + (int)distance;
    if (distance >= max_distance)
        return first + buckets - 1;
    double position = base_log((double)distance / exact) / base_log((double)max_distance / exact);
    int bucket = exact + (int)(position * (buckets - exact) + 1e-9);
    return first + (bucket < buckets ? bucket : buckets - 1);
}

/* Distances that share a bucket share a row of the table, and their gradients add up in it. */
tensor *t5_position_bias(const t5_model *model, const t5_stack *stack, int R)
{
    const t5_config *c = &model->config;
    int count = 2 * R - 1;
    int *ids = tensor_step_memory(model->ctx, (size_t)count * sizeof *ids);
    for (int i = 0; i < count; i++)
        ids[i] = t5_relative_bucket(i - (R - 1), !stack->decoder, c->relative_attention_num_buckets,
                                    c->relative_attention_max_distance);
    return tensor_embedding(stack->bias, ids, count);
}

/* ---- Sublayers ---- */

/* dropout NULL: none, as in generation. */
static bool drops(const t5_model *model, const t5_dropout *dropout)
{
    return dropout && model->config.dropout_rate > 0;
}

/* x (N,columns) -> the same. Every place of a pass draws from a stream of its own, and an element's
 * number is its index in the matrix of the whole batch: so what is dropped does not depend on the
 * slices in which a training step computes the batch. */
static tensor *drop(const t5_model *model, tensor *x, t5_dropout *dropout)
{
    float rate = (float)model->config.dropout_rate;
    if (!drops(model, dropout))
        return x;
    uint64_t stream = base_random_stream("dropout", dropout->stream, dropout->site++, 0);
    uint64_t first = (uint64_t)dropout->row * (uint64_t)x->dim[1];
    return tensor_dropout(x, rate, dropout->seed, stream, first);
}

/* x (N,D), weight (D) -> (N,D) */
tensor *t5_norm(const t5_model *model, tensor *x, tensor *weight)
{
    return tensor_rmsnorm(x, weight, (float)model->config.layer_norm_epsilon);
}

/* x (N,D) + y (N,n) weight^T (D,n) -> (N,D): the residual connection, y being what a sublayer has
 * made of x. In one pass over the result, unless dropout has to come in between. */
static tensor *sublayer_end(const t5_model *model, tensor *weight, tensor *x, tensor *y,
                            t5_dropout *dropout)
{
    if (!drops(model, dropout))
        return tensor_linear_add(y, weight, x);
    return tensor_add(x, drop(model, tensor_linear(y, weight, NULL), dropout));
}

tensor *t5_attention_end(const t5_model *model, const t5_attention *a, tensor *x, tensor *y,
                         t5_dropout *dropout)
{
    return sublayer_end(model, a->o, x, y, dropout);
}

/* x (N,D), bias (2R-1,H) -> x + attention(norm(x)), (N,D). */
static tensor *self_attention(const t5_model *model, const t5_attention *a, tensor *x, tensor *bias,
                              const tensor_attention_task *task, t5_dropout *dropout)
{
    tensor *n = t5_norm(model, x, a->norm);
    tensor *q = tensor_linear(n, a->q, NULL);
    tensor *k = tensor_linear(n, a->k, NULL);
    tensor *v = tensor_linear(n, a->v, NULL);
    tensor *y = tensor_attention(q, k, v, bias, task);
    return t5_attention_end(model, a, x, y, dropout);
}

/* x (T,D), encoder (S,D) -> x + attention(norm(x), encoder), (T,D). There are no biases by
 * position, and the encoder's output has been normalised already. */
static tensor *cross_attention(const t5_model *model, const t5_attention *a, tensor *x,
                               tensor *encoder, const tensor_attention_task *task,
                               t5_dropout *dropout)
{
    tensor *q = tensor_linear(t5_norm(model, x, a->norm), a->q, NULL);
    tensor *k = tensor_linear(encoder, a->k, NULL);
    tensor *v = tensor_linear(encoder, a->v, NULL);
    tensor *y = tensor_attention(q, k, v, NULL, task);
    return t5_attention_end(model, a, x, y, dropout);
}

/* x (N,D) -> x + feed_forward(norm(x)), (N,D). With n = norm(x), the hidden layer h (N,F) is
 * act(wi(n)), or with a gate act(wi_0(n)) * wi_1(n) (Shazeer 2020, arXiv:2002.05202); then comes
 * wo. */
tensor *t5_feed_forward_apply(const t5_model *model, const t5_feed_forward_layer *f, tensor *x,
                              t5_dropout *dropout)
{
    tensor *n = t5_norm(model, x, f->norm), *gate, *h;
    switch (model->config.feed_forward_proj) {
    case T5_RELU:
        h = tensor_linear_relu(n, f->wi, NULL);
        break;
    case T5_GELU:
        h = tensor_gelu_erf(tensor_linear(n, f->wi, NULL));
        break;
    default: /* in two statements: the order of records is that of gradients' sums */
        gate = tensor_gelu_new(tensor_linear(n, f->wi, NULL));
        h = tensor_mul(gate, tensor_linear(n, f->wi_gate, NULL));
        break;
    }
    return sublayer_end(model, f->wo, x, drop(model, h, dropout), dropout);
}

/* ---- Stacks ---- */

static int longest(const tensor_span *span, int spans)
{
    int most = 1;
    for (int b = 0; b < spans; b++)
        if (span[b].rows > most)
            most = span[b].rows;
    return most;
}

/* For t5_keep_hidden: x (N,D), the input of block i or the final state. */
static void keep(const t5_stack *stack, int i, tensor *x)
{
    if (stack->hidden)
        stack->hidden[i] = x;
}

/* x (N,D), the last block's output -> (N,D) */
static tensor *final_norm(const t5_model *model, const t5_stack *stack, tensor *x,
                          t5_dropout *dropout)
{
    x = drop(model, t5_norm(model, x, stack->norm), dropout);
    keep(stack, stack->layers, x);
    return x;
}

/* ids (S) -> (S,D) */
tensor *t5_encode(t5_model *model, const int *ids, int rows, const tensor_span *span, int spans,
                  t5_dropout *dropout)
{
    const t5_stack *stack = &model->encoder;
    tensor_attention_task task = {span, span, spans, model->config.num_heads, false, 1};
    tensor *bias = t5_position_bias(model, stack, longest(span, spans));
    tensor *x = drop(model, tensor_embedding(model->shared, ids, rows), dropout), *first = x;
    for (int i = 0; i < stack->layers; i++) {
        const t5_block *block = &stack->block[i];
        const size_t mark = tensor_mark(model->ctx);
        keep(stack, i, x);
        x = self_attention(model, &block->self, x, bias, &task, dropout);
        x = t5_feed_forward_apply(model, &block->forward, x, dropout);
        if (!dropout && !stack->hidden) { /* nobody reads what a block computed on its way */
            memcpy(first->val, x->val, (size_t)rows * (size_t)x->dim[1] * sizeof *x->val);
            tensor_release(model->ctx, mark);
            x = first;
        }
    }
    return final_norm(model, stack, x, dropout);
}

/* The decoder's blocks: encoder (S,D) -> (T,D), of which t5_before_head takes the final norm. */
static tensor *decode(t5_model *model, const t5_batch *batch, tensor *encoder, t5_dropout *dropout)
{
    const t5_stack *stack = &model->decoder;
    int rows = batch->target_rows, spans = batch->count, heads = model->config.num_heads;
    tensor_attention_task self = {batch->target, batch->target, spans, heads, true, 1};
    tensor_attention_task cross = {batch->target, batch->source, spans, heads, false, 1};
    int *ids = tensor_step_memory(model->ctx, (size_t)rows * sizeof *ids);
    t5_decoder_input(batch, ids);

    tensor *bias = t5_position_bias(model, stack, longest(batch->target, spans));
    tensor *x = drop(model, tensor_embedding(model->shared, ids, rows), dropout);
    for (int i = 0; i < stack->layers; i++) {
        const t5_block *block = &stack->block[i];
        keep(stack, i, x);
        x = self_attention(model, &block->self, x, bias, &self, dropout);
        x = cross_attention(model, &block->cross, x, encoder, &cross, dropout);
        x = t5_feed_forward_apply(model, &block->forward, x, dropout);
    }
    return x;
}

/* (T,D) -> (T,D). A tied head is the embedding, whose rows have a length near sqrt(D): hence the
 * scale, as in Mesh TensorFlow and HF. */
tensor *t5_before_head(t5_model *model, tensor *x, t5_dropout *dropout)
{
    x = final_norm(model, &model->decoder, x, dropout);
    if (t5_config_scales(&model->config))
        x = tensor_scale(x, (float)(1 / sqrt((double)model->config.d_model)));
    return x;
}

static void check_batch(const t5_model *model, const t5_batch *batch)
{
    if (batch->count < 1)
        tensor_fail(model->ctx, "t5_forward", "the batch is empty");
}

t5_output t5_forward(t5_model *model, const t5_batch *batch, const tensor_objective *objective,
                     uint64_t seed, uint64_t dropout_stream)
{
    check_batch(model, batch);
    t5_dropout dropout = {.seed = seed, .stream = dropout_stream};
    t5_output out;
    out.encoder = t5_encode(model, batch->source_ids, batch->source_rows, batch->source,
                            batch->count, &dropout);
    tensor *x = t5_before_head(model, decode(model, batch, out.encoder, &dropout), &dropout);
    out.logits = tensor_linear(x, model->head, NULL);
    out.row_loss =
        tensor_step_memory(model->ctx, (size_t)batch->target_rows * sizeof *out.row_loss);
    out.loss = tensor_cross_entropy(out.logits, batch->target_ids, objective, out.row_loss);
    return out;
}

/* ---- A training step, in slices ---- */

/* A training step need not hold a large batch at once: as no sequence depends on another, the
 * gradient of the batch is the sum of those of slices of it, each with a forward and a backward
 * pass of its own. The step arena then holds the results of one slice. SLICE tokens, source and
 * target together, are enough that packing the weights anew for each slice is a small part of the
 * products with them. */
enum { SLICE = 1536 };

/* Sequences first .. end-1 of a batch as a batch of its own, its spans in the step arena. */
static t5_batch slice_of(const t5_model *model, const t5_batch *batch, int first, int end)
{
    int count = end - first;
    size_t bytes = (size_t)count * sizeof(tensor_span);
    t5_batch slice = {.count = count,
                      .source = tensor_step_memory(model->ctx, bytes),
                      .target = tensor_step_memory(model->ctx, bytes)};
    int source = batch->source[first].start, target = batch->target[first].start;
    for (int i = 0; i < count; i++) {
        slice.source[i] = batch->source[first + i];
        slice.target[i] = batch->target[first + i];
        slice.source[i].start -= source;
        slice.target[i].start -= target;
    }
    const tensor_span *last = &slice.source[count - 1];
    slice.source_rows = last->start + last->rows;
    last = &slice.target[count - 1];
    slice.target_rows = last->start + last->rows;
    slice.source_ids = batch->source_ids + source;
    slice.target_ids = batch->target_ids + target;
    return slice;
}

typedef struct step {
    t5_model *model;
    const t5_batch *batch;
    tensor_objective objective; /* with the total of the whole batch, and its weights */
    uint64_t seed, stream;      /* of the dropout */
    float *row_loss;
    double sum; /* of the rows' losses so far */
} step;

/* Forward and backward of sequences first .. end-1. The row losses and the rows' weights begin at
 * the slice's first target row. Returns the loss of all slices so far. */
static double step_slice(step *s, int first, int end)
{
    t5_model *model = s->model;
    t5_batch slice = slice_of(model, s->batch, first, end);
    int source = s->batch->source[first].start, target = s->batch->target[first].start;
    tensor_objective objective = s->objective;
    if (objective.weight)
        objective.weight += target;
    t5_dropout dropout = {.seed = s->seed, .stream = s->stream, .row = source};
    tensor *encoder =
        t5_encode(model, slice.source_ids, slice.source_rows, slice.source, slice.count, &dropout);
    dropout.row = target;
    tensor *x = t5_before_head(model, decode(model, &slice, encoder, &dropout), &dropout);
    double loss = tensor_head_loss(x, model->head, slice.target_ids, &objective,
                                   s->row_loss + target, &s->sum);
    tensor_backward_from(x);
    tensor_step_end(model->ctx);
    return loss;
}

/* What the sum of the rows' losses is divided by: if the caller gives nothing else, the sum of the
 * weights of the rows that count. Each slice needs that of the whole batch. */
static double total_of(const t5_batch *batch, const tensor_objective *objective)
{
    double total = 0;
    if (objective->total > 0)
        return objective->total;
    for (int i = 0; i < batch->target_rows; i++)
        if (batch->target_ids[i] != -100)
            total += objective->weight ? (double)objective->weight[i] : 1;
    return total;
}

/* Slice i of n ends with the sequence that brings it to i / n of the batch's tokens: the cuts
 * depend on the lengths alone, and the slices are about equal. */
double t5_step(t5_model *model, const t5_batch *batch, const tensor_objective *objective,
               uint64_t seed, uint64_t dropout_stream, float *row_loss)
{
    check_batch(model, batch);
    step s = {.model = model,
              .batch = batch,
              .objective = objective ? *objective : (tensor_objective){0},
              .seed = seed,
              .stream = dropout_stream,
              .row_loss = row_loss};
    s.objective.total = total_of(batch, &s.objective);
    int64_t rows = (int64_t)batch->source_rows + batch->target_rows, done = 0;
    int64_t slices = (rows + SLICE - 1) / SLICE;
    double loss = 0;
    for (int first = 0, end = 0, i = 1; first < batch->count; first = end, i++) {
        for (; end < batch->count && (end == first || done * slices < rows * i); end++)
            done += batch->source[end].rows + batch->target[end].rows;
        loss = step_slice(&s, first, end);
    }
    return loss;
}
