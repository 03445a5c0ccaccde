/* SPDX-License-Identifier: MIT */
/* attention.c -- scaled dot-product attention over ragged batches, with relative-position biases.
 *
 * The unit of work is one head of one span: three small matrix products around a softmax, read and
 * written in place with a leading dimension of heads*K. What stands on the right of a product is
 * packed once a head (gemm.h); what stands on its left is taken in blocks of rows, so that under a
 * causal mask what is beyond a block's reach is never touched: of long sequences, half. Only where
 * a gradient is wanted are the probabilities kept. */
#include "base/math.h"
#include "tensor/context.h"
#include "tensor/gemm.h"

#include <limits.h>
#include <string.h>

/* Rows at a time: a multiple of what the kernel sets' tiles have (4, 6, 12), and the same for all
 * of them, since a masked pair within a block takes part in the sums, as 0. */
enum { BLOCK = 12 };

typedef struct attention {
    tensor_context *ctx;
    const tensor_kernels *kernels;
    tensor_attention_task task;
    int width;         /* K */
    size_t row;        /* heads * K: from one row of q, k, v, y to the next */
    int reach;         /* R: the bias has 2R-1 rows */
    const float *bias; /* (heads,2R-1), transposed: a row of scores finds its own in a row */
    float **kept;      /* probabilities (heads,rows,valid), one array a span; NULL: not kept */
    const float *q, *k, *v;
    float *y;
    /* backward */
    const float *dy;
    float *dq, *dk, *dv;
    float *dbias; /* (spans,heads,2R-1) */
} attention;

/* One head of one span: where its parts begin. */
typedef struct part {
    int head, rows, valid;
    size_t q, k; /* offsets into q, y and into k, v */
    int ahead;   /* position of the first query - position of the first key */
} part;

static part part_of(const attention *w, int span, int head)
{
    const tensor_span *query = &w->task.query[span], *key = &w->task.key[span];
    size_t column = (size_t)head * (size_t)w->width;
    return (part){.head = head,
                  .rows = query->rows,
                  .valid = key->valid,
                  .q = (size_t)query->start * w->row + column,
                  .k = (size_t)key->start * w->row + column,
                  .ahead = query->position - key->position};
}

/* Biases, 2R-1 for each head. */
static size_t bias_size(const attention *w)
{
    return (size_t)w->task.heads * (2 * (size_t)w->reach - 1);
}

/* How many keys, counted from the first, query row i may attend to. */
static int visible(const attention *w, const part *p, int i)
{
    int seen = p->ahead + i + 1;
    return w->task.causal && seen < p->valid ? seen : p->valid;
}

/* Row i's bias for key j stands at this plus j: R-1 + p_j - p_i. */
static size_t bias_row(const attention *w, const part *p, int i)
{
    return (size_t)p->head * (2 * (size_t)w->reach - 1) + (size_t)(w->reach - 1 - p->ahead - i);
}

/* Row i of scores q.k into probabilities; those of masked keys, up to `keys`, are 0. */
static void probabilities(const attention *w, const part *p, int i, float *score, int keys)
{
    size_t n = (size_t)visible(w, p, i);
    w->kernels->attention_row(score, w->task.scale, w->bias ? w->bias + bias_row(w, p, i) : NULL,
                              n);
    memset(score + n, 0, ((size_t)keys - n) * sizeof(float));
}

/* Row i of a head's probabilities (rows,valid). */
static float *kept_row(const attention *w, const part *p, int span, int i)
{
    return w->kept[span] + ((size_t)p->head * (size_t)p->rows + (size_t)i) * (size_t)p->valid;
}

/* ---- the definition ---- */

/* One query and the `seen` first keys, `row` floats apart: their scores, the softmax of these, and
 * the mean of the values that it weighs. score: room for `seen` floats; bias: likewise, or NULL. */
static void attend_plain(const tensor_kernels *kernels, float *y, const float *q, const float *k,
                         const float *v, size_t row, int width, size_t seen, float *score,
                         const float *bias, float scale)
{
    for (size_t j = 0; j < seen; j++) {
        score[j] = 0;
        for (int c = 0; c < width; c++)
            score[j] = tensor_fmaf(q[c], k[j * row + (size_t)c], score[j]);
    }
    kernels->attention_row(score, scale, bias, seen); /* softmax(scale * score + bias) */
    for (int c = 0; c < width; c++) {
        y[c] = 0;
        for (size_t j = 0; j < seen; j++)
            y[c] = tensor_fmaf(score[j], v[j * row + (size_t)c], y[c]);
    }
}

void tensor_attention_plain(float *y, const tensor *q, const tensor *k, const tensor *v,
                            const tensor *bias, const tensor_attention_task *task)
{
    tensor_context *ctx = q->ctx;
    size_t row = (size_t)q->dim[1];
    int heads = task->heads, width = q->dim[1] / heads, R = bias ? (bias->dim[0] + 1) / 2 : 0;
    float *score = tensor_step_memory(ctx, 2 * (size_t)k->dim[0] * sizeof(float));
    float *biases = bias ? score + k->dim[0] : NULL;
    memset(y, 0, tensor_size(q) * sizeof *y);
    for (int b = 0; b < task->spans; b++)
        for (int h = 0; h < heads; h++)
            for (int i = 0; i < task->query[b].rows; i++) {
                const tensor_span *query = &task->query[b], *key = &task->key[b];
                int ahead = query->position + i - key->position; /* of the first key */
                int seen = task->causal ? base_min(key->valid, ahead + 1) : key->valid;
                size_t at = (size_t)(query->start + i) * row + (size_t)(h * width);
                size_t from = (size_t)key->start * row + (size_t)(h * width);
                for (int j = 0; j < seen && bias; j++)
                    biases[j] = bias->val[(R - 1 + j - ahead) * heads + h];
                attend_plain(tensor_context_kernels(ctx), y + at, q->val + at, k->val + from,
                             v->val + from, row, width, (size_t)seen, score, biases, task->scale);
            }
}

/* ---- forward ---- */

/* Memory of a head in forward: packed K^T and V, and scores of a block. */
static size_t forward_floats(const attention *w, int valid)
{
    return tensor_packed_floats(w->kernels, valid, w->width) +
           tensor_packed_floats(w->kernels, w->width, valid) + BLOCK * (size_t)valid;
}

/* One head of one span, block of rows by block of rows: S = Q K^T, P = softmax(S), Y = P V. */
static void attend(void *argument, int index, int worker)
{
    const attention *w = argument;
    const tensor_kernels *kernels = w->kernels;
    int span = index / w->task.heads, head = index % w->task.heads, K = w->width;
    part p = part_of(w, span, head);
    float *keys = tensor_scratch(w->ctx, worker, TENSOR_SCRATCH_OP);
    float *values = keys + tensor_packed_floats(kernels, p.valid, K);
    float *block = values + tensor_packed_floats(kernels, K, p.valid);
    size_t ld = (size_t)p.valid;
    tensor_pack(kernels, keys, p.valid, K, w->k + p.k, w->row, true);
    tensor_pack(kernels, values, K, p.valid, w->v + p.k, w->row, false);
    for (int first = 0; first < p.rows; first += BLOCK) {
        int rows = base_min(BLOCK, p.rows - first), seen = visible(w, &p, first + rows - 1);
        size_t at = p.q + (size_t)first * w->row;
        float *score = w->kept ? kept_row(w, &p, span, first) : block;
        tensor_gemm_packed(kernels, rows, seen, K, (tensor_view){w->q + at, w->row, 1},
                           (tensor_panels){keys, K, 0}, (tensor_target){score, ld, false});
        for (int i = 0; i < rows; i++)
            probabilities(w, &p, first + i, score + (size_t)i * ld, w->kept ? p.valid : seen);
        tensor_gemm_packed(kernels, rows, K, seen, (tensor_view){score, ld, 1},
                           (tensor_panels){values, p.valid, 0},
                           (tensor_target){w->y + at, w->row, false});
    }
}

/* ---- backward ---- */

/* In matrices, for one head of one span: S = scale Q K^T + bias, P = softmax(S), Y = P V. Then
 *
 *     dV = P^T dY,   dP = dY V^T
 *     dS_ij = P_ij (dP_ij - sum_l P_il dP_il)         the softmax of each row (softmax.c)
 *     dQ = scale dS K,   dK = scale dS^T Q,   dbias[R-1 + p_j - p_i] += dS_ij
 *
 * Where P is 0, at masked keys, dS is 0 too. dbias is summed over the rows of a span here, and over
 * the spans, in order, afterwards. */
static void score_gradient(const attention *w, const part *p, int span, int i, const float *prob,
                           const float *dprob, float *dscore)
{
    const tensor_kernels *k = w->kernels;
    size_t n = (size_t)visible(w, p, i);
    k->attention_row_backward(dscore, prob, dprob, n);
    memset(dscore + n, 0, ((size_t)p->valid - n) * sizeof(float));
    if (w->dbias)
        k->add(w->dbias + (size_t)span * bias_size(w) + bias_row(w, p, i), dscore, n);
    if (w->task.scale != 1)
        k->scale(dscore, w->task.scale, dscore, n);
}

/* Memory of a head in backward: what is packed (V^T and K, or Q and dY), dP of a block and dS. */
static size_t backward_floats(const attention *w, int rows, int valid)
{
    size_t first = tensor_packed_floats(w->kernels, valid, w->width) +
                   tensor_packed_floats(w->kernels, w->width, valid);
    size_t second = 2 * tensor_packed_floats(w->kernels, w->width, rows);
    return (first > second ? first : second) + (BLOCK + (size_t)rows) * (size_t)valid;
}

/* dS, row by row, and dQ from it. */
static void back_to_queries(const attention *w, const part *p, int span, float *packed,
                            float *dprob, float *dscore)
{
    const tensor_kernels *kernels = w->kernels;
    int K = w->width;
    size_t ld = (size_t)p->valid;
    float *values = packed, *keys = packed + tensor_packed_floats(kernels, p->valid, K);
    tensor_pack(kernels, values, p->valid, K, w->v + p->k, w->row, true);
    if (w->dq)
        tensor_pack(kernels, keys, K, p->valid, w->k + p->k, w->row, false);
    for (int first = 0; first < p->rows; first += BLOCK) {
        int rows = base_min(BLOCK, p->rows - first), seen = visible(w, p, first + rows - 1);
        size_t at = p->q + (size_t)first * w->row;
        const float *prob = kept_row(w, p, span, first);
        float *ds = dscore + (size_t)first * ld;
        tensor_gemm_packed(kernels, rows, seen, K, (tensor_view){w->dy + at, w->row, 1},
                           (tensor_panels){values, K, 0}, (tensor_target){dprob, ld, false});
        for (int i = 0; i < rows; i++)
            score_gradient(w, p, span, first + i, prob + (size_t)i * ld, dprob + (size_t)i * ld,
                           ds + (size_t)i * ld);
        if (w->dq)
            tensor_gemm_packed(kernels, rows, K, seen, (tensor_view){ds, ld, 1},
                               (tensor_panels){keys, p->valid, 0},
                               (tensor_target){w->dq + at, w->row, true});
    }
}

/* dK += dS^T Q or dV += P^T dY: to = d^T from, where row i of d counts from the first key on that
 * sees it. */
static void back_to_keys(const attention *w, const part *p, const float *d, const float *from,
                         float *to, float *packed)
{
    size_t ld = (size_t)p->valid;
    tensor_pack(w->kernels, packed, w->width, p->rows, from + p->q, w->row, false);
    for (int first = 0; first < p->valid; first += BLOCK) {
        int blind = w->task.causal ? first - p->ahead : 0; /* rows that do not see these keys */
        blind = blind < 0 ? 0 : base_min(blind, p->rows);
        const float *left = d + (size_t)blind * ld + (size_t)first;
        tensor_gemm_packed(w->kernels, base_min(BLOCK, p->valid - first), w->width, p->rows - blind,
                           (tensor_view){left, 1, ld}, (tensor_panels){packed, p->rows, blind},
                           (tensor_target){to + p->k + (size_t)first * w->row, w->row, true});
    }
}

/* Likewise backward: dS and dQ row by row, then dK = dS^T Q and dV = P^T dY by keys. */
static void attend_back(void *argument, int index, int worker)
{
    const attention *w = argument;
    int span = index / w->task.heads, head = index % w->task.heads;
    part p = part_of(w, span, head);
    float *dscore = tensor_scratch(w->ctx, worker, TENSOR_SCRATCH_OP);
    float *dprob = dscore + (size_t)p.rows * (size_t)p.valid;
    float *packed = dprob + BLOCK * (size_t)p.valid;
    back_to_queries(w, &p, span, packed, dprob, dscore);
    if (w->dk)
        back_to_keys(w, &p, dscore, w->q, w->dk, packed);
    if (w->dv)
        back_to_keys(w, &p, kept_row(w, &p, span, 0), w->dy, w->dv, packed);
}

/* Scratch memory for the largest of the spans. */
static void reserve(const attention *w, bool backward)
{
    size_t most = 0;
    for (int b = 0; b < w->task.spans; b++) {
        size_t floats = backward ? backward_floats(w, w->task.query[b].rows, w->task.key[b].valid)
                                 : forward_floats(w, w->task.key[b].valid);
        most = floats > most ? floats : most;
    }
    tensor_scratch_all(w->ctx, TENSOR_SCRATCH_OP, most * sizeof(float));
}

/* The spans' shares are added up in the first; then dbias, which has a row a distance, gets it. */
static void add_bias_gradient(const attention *w, float *dbias)
{
    size_t heads = (size_t)w->task.heads, distances = 2 * (size_t)w->reach - 1;
    tensor_add_rows(w->ctx, w->dbias, w->dbias + bias_size(w), (size_t)w->task.spans - 1,
                    bias_size(w));
    for (size_t d = 0; d < distances && !tensor_planning(w->ctx); d++)
        for (size_t h = 0; h < heads; h++)
            dbias[d * heads + h] += w->dbias[h * distances + d];
}

static void attention_backward(tensor_tape_record *record)
{
    attention *w = record->saved;
    float *dbias = tensor_grad(record->in[3]);
    w->dq = tensor_grad(record->in[0]);
    w->dk = tensor_grad(record->in[1]);
    w->dv = tensor_grad(record->in[2]);
    w->dy = record->out->grad;
    if (dbias) {
        size_t bytes = (size_t)w->task.spans * bias_size(w) * sizeof(float);
        w->dbias = tensor_step_memory(w->ctx, bytes);
        tensor_zero(w->ctx, w->dbias, bytes / sizeof(float));
    }
    reserve(w, true);
    if (record->in[0] == record->in[1] || record->in[0] == record->in[2])
        for (int i = 0; i < w->task.spans * w->task.heads && !tensor_planning(w->ctx); i++)
            attend_back(w, i, 0); /* one gradient: query and key rows may meet */
    else
        tensor_parallel(w->ctx, w->task.spans * w->task.heads, attend_back, w);
    if (dbias)
        add_bias_gradient(w, dbias);
}

/* ---- the op ---- */

static const tensor_op attention_op = {"attention", attention_backward};

const float *tensor_attention_bias(const tensor *bias)
{
    size_t distances = (size_t)bias->dim[0], heads = (size_t)bias->dim[1];
    float *turned = tensor_step_memory(bias->ctx, tensor_size(bias) * sizeof(float));
    if (!tensor_planning(bias->ctx))
        tensor_context_kernels(bias->ctx)->transpose(turned, distances, bias->val, heads, distances,
                                                     heads);
    return turned;
}

static void check_shapes(const tensor *q, const tensor *k, const tensor *v, const tensor *bias,
                         int heads)
{
    char text_q[64], text_k[64], text_v[64];
    if (q->rank != 2 || k->rank != 2 || v->rank != 2 || k->dim[0] != v->dim[0] ||
        q->dim[1] != k->dim[1] || q->dim[1] != v->dim[1])
        tensor_fail(q->ctx, "attention",
                    "q %s, k %s, v %s; (Nq,heads*K), (Nk,heads*K) and again were expected",
                    tensor_shape_text(q, text_q), tensor_shape_text(k, text_k),
                    tensor_shape_text(v, text_v));
    if (heads < 1 || q->dim[1] % heads != 0)
        tensor_fail(q->ctx, "attention", "%d heads do not divide the rows of q %s", heads,
                    tensor_shape_text(q, text_q));
    if (bias && (bias->rank != 2 || bias->dim[0] % 2 == 0 || bias->dim[1] != heads))
        tensor_fail(q->ctx, "attention", "bias %s; (2R-1,%d) was expected",
                    tensor_shape_text(bias, text_q), heads);
}

/* Within the rows of its matrix, and with positions whose differences are ints. */
static bool span_fits(const tensor_span *s, int rows)
{
    return s->start >= 0 && s->rows >= 1 && s->rows <= rows && s->start <= rows - s->rows &&
           s->position >= 0 && s->position <= INT_MAX / 2 - s->rows;
}

/* Spans in order of start, the usual case, are checked in one pass; others pair by pair. */
static bool spans_overlap(const tensor_span *s, int spans)
{
    bool in_order = true;
    for (int i = 1; i < spans && in_order; i++)
        in_order = s[i].start >= s[i - 1].start + s[i - 1].rows;
    for (int i = 1; i < spans && !in_order; i++)
        for (int j = 0; j < i; j++)
            if (s[i].start < s[j].start + s[j].rows && s[j].start < s[i].start + s[i].rows)
                return true;
    return false;
}

/* Distances p_j - p_i run from that of the first key and the last query to that of the last key and
 * the first query, or to 0 where the mask is causal. */
static void check_spans(const attention *w, int query_rows, int key_rows)
{
    if (w->task.spans < 1 || w->task.spans > INT_MAX / w->task.heads)
        tensor_fail(w->ctx, "attention", "%d spans of %d heads", w->task.spans, w->task.heads);
    for (int b = 0; b < w->task.spans; b++) {
        const tensor_span *query = &w->task.query[b], *key = &w->task.key[b];
        if (!span_fits(query, query_rows))
            tensor_fail(w->ctx, "attention",
                        "query span %d: %d rows from %d on, of %d; position %d", b, query->rows,
                        query->start, query_rows, query->position);
        if (!span_fits(key, key_rows) || key->valid < 1 || key->valid > key->rows)
            tensor_fail(w->ctx, "attention",
                        "key span %d: %d rows (%d valid) from %d on, of %d; position %d", b,
                        key->rows, key->valid, key->start, key_rows, key->position);
        if (w->task.causal && query->position < key->position)
            tensor_fail(w->ctx, "attention",
                        "span %d: the query at position %d sees no key (%d on)", b, query->position,
                        key->position);
        int back = query->position + query->rows - 1 - key->position;
        int ahead = w->task.causal ? 0 : key->position + key->valid - 1 - query->position;
        if (w->bias && (back >= w->reach || ahead >= w->reach))
            tensor_fail(w->ctx, "attention", "span %d: distances -%d to %d; the bias reaches %d", b,
                        back, ahead, w->reach - 1);
    }
}

/* What backward needs and the caller may not keep: the spans and room for the probabilities. */
static void keep(attention *w)
{
    size_t spans = (size_t)w->task.spans;
    tensor_span *copy = tensor_step_memory(w->ctx, 2 * spans * sizeof *copy);
    memcpy(copy, w->task.query, spans * sizeof *copy);
    memcpy(copy + spans, w->task.key, spans * sizeof *copy);
    w->task.query = copy;
    w->task.key = copy + spans;
    w->kept = tensor_step_memory(w->ctx, spans * sizeof(uint64_t)); /* as tape.c says of records */
    for (size_t b = 0; b < spans; b++) {
        const int dim[] = {w->task.heads, w->task.query[b].rows, w->task.key[b].valid};
        size_t floats = tensor_check_shape(w->ctx, "attention", 3, dim);
        w->kept[b] = tensor_step_memory(w->ctx, floats * sizeof(float));
    }
}

tensor *tensor_attention(tensor *q, tensor *k, tensor *v, tensor *bias,
                         const tensor_attention_task *task)
{
    tensor *in[] = {q, k, v, bias};
    tensor_context *ctx = q->ctx;
    check_shapes(q, k, v, bias, task->heads);
    attention w = {.ctx = ctx,
                   .kernels = tensor_context_kernels(ctx),
                   .task = *task,
                   .width = q->dim[1] / task->heads,
                   .row = (size_t)q->dim[1],
                   .reach = bias ? (bias->dim[0] + 1) / 2 : 0,
                   .bias = bias ? bias->val : NULL,
                   .q = q->val,
                   .k = k->val,
                   .v = v->val};
    check_spans(&w, q->dim[0], k->dim[0]);
    if (spans_overlap(task->query, task->spans))
        tensor_fail(ctx, "attention", "query spans overlap");
    if (tensor_grad_enabled(ctx) && (k->wants_grad || v->wants_grad) &&
        spans_overlap(task->key, task->spans))
        tensor_fail(ctx, "attention", "key spans overlap, and a gradient is wanted for k or v");

    tensor *y = tensor_result(ctx, 2, q->dim, in, 4);
    w.y = y->val;
    tensor_zero(ctx, y->val, tensor_size(y));
    if (bias)
        w.bias = tensor_attention_bias(bias);
    if (y->wants_grad) {
        keep(&w);
        *(attention *)tensor_record(&attention_op, y, in, 4, sizeof w)->saved = w;
    }
    reserve(&w, false);
    tensor_parallel(ctx, task->spans * task->heads, attend, &w);
    return y;
}
