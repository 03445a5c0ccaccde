/* attention.c -- scaled dot-product attention over ragged batches, with relative-position biases.
 *
 * The unit of work is one head of one span: three small matrix products around a softmax, read and
 * written in place with a leading dimension of heads*K (gemm.h). Queries are taken in blocks of
 * rows, so that under a causal mask the keys beyond a block's last row are never touched, and
 * scores need little memory. Only where a gradient is wanted are the probabilities kept. */
#include "tensor/context.h"
#include "tensor/gemm.h"

#include <limits.h>
#include <string.h>

enum { BLOCK = 64 }; /* query rows at a time */

typedef struct attention {
    tensor_context *ctx;
    const tensor_kernels *kernels;
    int spans, heads, width; /* width: K */
    size_t row;              /* heads * K: from one row of q, k, v, y to the next */
    bool causal;
    float scale;
    const tensor_span *query, *key;
    int longest;       /* most valid keys of a span */
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
    const tensor_span *query = &w->query[span], *key = &w->key[span];
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
    return (size_t)w->heads * (2 * (size_t)w->reach - 1);
}

/* How many keys, counted from the first, query row i may attend to. */
static int visible(const attention *w, const part *p, int i)
{
    int seen = p->ahead + i + 1;
    return w->causal && seen < p->valid ? seen : p->valid;
}

/* Row i's bias for key j stands at this plus j: R-1 + p_j - p_i. */
static size_t bias_row(const attention *w, const part *p, int i)
{
    return (size_t)p->head * (2 * (size_t)w->reach - 1) + (size_t)(w->reach - 1 - p->ahead - i);
}

/* Row i of scores q.k, `keys` long, into probabilities; those of masked keys are 0. */
static void probabilities(const attention *w, const part *p, int i, float *score, int keys)
{
    const tensor_kernels *k = w->kernels;
    size_t n = (size_t)visible(w, p, i);
    if (w->scale != 1)
        k->scale(score, w->scale, score, n);
    if (w->bias)
        k->add(score, w->bias + bias_row(w, p, i), n);
    float sum = k->exp_sum(score, score, k->max(score, n), n);
    k->scale(score, 1 / sum, score, n);
    memset(score + n, 0, ((size_t)keys - n) * sizeof(float));
}

/* A matrix where it lies, or its transpose. */
typedef struct view {
    const float *at;
    size_t ld;
    bool transpose;
} view;

/* C (m,n) = A (m,k) B (k,n), or added to C. */
static void multiply(const attention *w, int worker, int m, int n, int k, view a, view b, float *c,
                     size_t ldc, bool add)
{
    tensor_gemm_task task = {.m = m, .n = n, .k = k, .c = c, .ldc = ldc, .accumulate = add};
    task.a = a.at, task.lda = a.ld, task.transpose_a = a.transpose;
    task.b = b.at, task.ldb = b.ld, task.transpose_b = b.transpose;
    tensor_gemm_single(w->ctx, worker, &task);
}

static float *kept_row(const attention *w, const part *p, int span, int i)
{
    return w->kept[span] + ((size_t)p->head * (size_t)p->rows + (size_t)i) * (size_t)p->valid;
}

static void attend(void *argument, int index, int worker)
{
    const attention *w = argument;
    int span = index / w->heads, head = index % w->heads;
    part p = part_of(w, span, head);
    for (int first = 0; first < p.rows; first += BLOCK) {
        int rows = p.rows - first < BLOCK ? p.rows - first : BLOCK;
        int keys = visible(w, &p, first + rows - 1);
        size_t at = p.q + (size_t)first * w->row, ld = (size_t)keys;
        float *score = tensor_scratch(w->ctx, worker, TENSOR_SCRATCH_OP);
        if (w->kept) {
            score = kept_row(w, &p, span, first);
            ld = (size_t)p.valid;
        }
        multiply(w, worker, rows, keys, w->width, (view){w->q + at, w->row, false},
                 (view){w->k + p.k, w->row, true}, score, ld, false);
        for (int i = 0; i < rows; i++)
            probabilities(w, &p, first + i, score + (size_t)i * ld, keys);
        multiply(w, worker, rows, w->width, keys, (view){score, ld, false},
                 (view){w->v + p.k, w->row, false}, w->y + at, w->row, false);
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
                           const float *dprob, float *dscore, int keys)
{
    const tensor_kernels *k = w->kernels;
    size_t n = (size_t)visible(w, p, i);
    memset(dscore, 0, (size_t)keys * sizeof(float));
    k->softmax_backward(dscore, prob, dprob, k->dot(prob, dprob, n), n);
    if (w->dbias)
        k->add(w->dbias + (size_t)span * bias_size(w) + bias_row(w, p, i), dscore, n);
    if (w->scale != 1)
        k->scale(dscore, w->scale, dscore, n);
}

static void attend_back(void *argument, int index, int worker)
{
    const attention *w = argument;
    int span = index / w->heads, head = index % w->heads;
    part p = part_of(w, span, head);
    float *dprob = tensor_scratch(w->ctx, worker, TENSOR_SCRATCH_OP);
    float *dscore = dprob + (size_t)BLOCK * (size_t)w->longest;
    for (int first = 0; first < p.rows; first += BLOCK) {
        int rows = p.rows - first < BLOCK ? p.rows - first : BLOCK;
        int keys = visible(w, &p, first + rows - 1);
        size_t at = p.q + (size_t)first * w->row, ld = (size_t)keys;
        const float *prob = kept_row(w, &p, span, first);
        view dy = {w->dy + at, w->row, false}, ds = {dscore, ld, false};

        multiply(w, worker, rows, keys, w->width, dy, (view){w->v + p.k, w->row, true}, dprob, ld,
                 false);
        for (int i = 0; i < rows; i++)
            score_gradient(w, &p, span, first + i, prob + (size_t)i * (size_t)p.valid,
                           dprob + (size_t)i * ld, dscore + (size_t)i * ld, keys);
        if (w->dq)
            multiply(w, worker, rows, w->width, keys, ds, (view){w->k + p.k, w->row, false},
                     w->dq + at, w->row, true);
        if (w->dk)
            multiply(w, worker, keys, w->width, rows, (view){dscore, ld, true},
                     (view){w->q + at, w->row, false}, w->dk + p.k, w->row, true);
        if (w->dv)
            multiply(w, worker, keys, w->width, rows, (view){prob, (size_t)p.valid, true}, dy,
                     w->dv + p.k, w->row, true);
    }
}

/* Room for the scores of a block, twice for backward, and for the products of either. */
static void reserve(const attention *w, int arrays)
{
    int most = w->longest > w->width ? w->longest : w->width;
    if (most < BLOCK)
        most = BLOCK;
    tensor_gemm_reserve(w->ctx, arrays == 1 ? BLOCK : most, most, most);
    tensor_scratch_all(w->ctx, TENSOR_SCRATCH_OP,
                       (size_t)arrays * BLOCK * (size_t)w->longest * sizeof(float));
}

/* The spans' shares are added up in the first; then dbias, which has a row a distance, gets it. */
static void add_bias_gradient(const attention *w, float *dbias)
{
    size_t heads = (size_t)w->heads, distances = 2 * (size_t)w->reach - 1;
    tensor_add_rows(w->ctx, w->dbias, w->dbias + bias_size(w), (size_t)w->spans - 1, bias_size(w));
    for (size_t d = 0; d < distances; d++)
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
        size_t bytes = (size_t)w->spans * bias_size(w) * sizeof(float);
        w->dbias = tensor_step_memory(w->ctx, bytes);
        memset(w->dbias, 0, bytes);
    }
    reserve(w, 2);
    if (record->in[0] == record->in[1] || record->in[0] == record->in[2])
        for (int i = 0; i < w->spans * w->heads;
             i++) /* one gradient: query and key rows may meet */
            attend_back(w, i, 0);
    else
        tensor_parallel(w->ctx, w->spans * w->heads, attend_back, w);
    if (dbias)
        add_bias_gradient(w, dbias);
}

/* ---- the op ---- */

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

static bool span_fits(const tensor_span *s, int rows)
{
    return s->start >= 0 && s->rows >= 1 && s->rows <= rows && s->start <= rows - s->rows &&
           s->position >= 0 && s->position <= INT_MAX / 2 - s->rows;
}

/* Spans in order of start, the usual case, are seen to be apart at a glance; others pair by pair.
 */
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
    if (w->spans < 1 || w->spans > INT_MAX / w->heads)
        tensor_fail(w->ctx, "attention", "%d spans of %d heads", w->spans, w->heads);
    for (int b = 0; b < w->spans; b++) {
        const tensor_span *query = &w->query[b], *key = &w->key[b];
        if (!span_fits(query, query_rows))
            tensor_fail(w->ctx, "attention",
                        "query span %d: %d rows from %d on, of %d; position %d", b, query->rows,
                        query->start, query_rows, query->position);
        if (!span_fits(key, key_rows) || key->valid < 1 || key->valid > key->rows)
            tensor_fail(w->ctx, "attention",
                        "key span %d: %d rows (%d valid) from %d on, of %d; position %d", b,
                        key->rows, key->valid, key->start, key_rows, key->position);
        if (w->causal && query->position < key->position)
            tensor_fail(w->ctx, "attention",
                        "span %d: the query at position %d sees no key (%d on)", b, query->position,
                        key->position);
        int back = query->position + query->rows - 1 - key->position;
        int ahead = w->causal ? 0 : key->position + key->valid - 1 - query->position;
        if (w->bias && (back >= w->reach || ahead >= w->reach))
            tensor_fail(w->ctx, "attention", "span %d: distances -%d to %d; the bias reaches %d", b,
                        back, ahead, w->reach - 1);
    }
}

/* What backward needs and the caller may not keep: the spans and room for the probabilities. */
static void keep(attention *w)
{
    size_t spans = (size_t)w->spans;
    tensor_span *copy = tensor_step_memory(w->ctx, 2 * spans * sizeof *copy);
    memcpy(copy, w->query, spans * sizeof *copy);
    memcpy(copy + spans, w->key, spans * sizeof *copy);
    w->query = copy;
    w->key = copy + spans;
    w->kept = tensor_step_memory(w->ctx, spans * sizeof *w->kept);
    for (size_t b = 0; b < spans; b++) {
        const int dim[] = {w->heads, w->query[b].rows, w->key[b].valid};
        size_t floats = tensor_check_shape(w->ctx, "attention", 3, dim);
        w->kept[b] = tensor_step_memory(w->ctx, floats * sizeof(float));
    }
}

tensor *tensor_attention(tensor *q, tensor *k, tensor *v, tensor *bias, const tensor_span *query,
                         const tensor_span *key, int spans, int heads, bool causal, float scale)
{
    tensor *in[] = {q, k, v, bias};
    tensor_context *ctx = q->ctx;
    check_shapes(q, k, v, bias, heads);
    attention w = {.ctx = ctx,
                   .kernels = tensor_context_kernels(ctx),
                   .spans = spans,
                   .heads = heads,
                   .width = q->dim[1] / heads,
                   .row = (size_t)q->dim[1],
                   .causal = causal,
                   .scale = scale,
                   .query = query,
                   .key = key,
                   .reach = bias ? (bias->dim[0] + 1) / 2 : 0,
                   .bias = bias ? bias->val : NULL,
                   .q = q->val,
                   .k = k->val,
                   .v = v->val};
    check_spans(&w, q->dim[0], k->dim[0]);
    if (spans_overlap(query, spans))
        tensor_fail(ctx, "attention", "query spans overlap");
    if (tensor_grad_enabled(ctx) && (k->wants_grad || v->wants_grad) && spans_overlap(key, spans))
        tensor_fail(ctx, "attention", "key spans overlap, and a gradient is wanted for k or v");
    for (int b = 0; b < spans; b++)
        w.longest = key[b].valid > w.longest ? key[b].valid : w.longest;

    tensor *y = tensor_result(ctx, 2, q->dim, in, 4);
    w.y = y->val;
    memset(y->val, 0, tensor_size(y) * sizeof(float));
    if (bias) {
        size_t distances = (size_t)bias->dim[0];
        float *transposed = tensor_step_memory(ctx, tensor_size(bias) * sizeof(float));
        w.kernels->transpose(transposed, distances, bias->val, (size_t)heads, distances,
                             (size_t)heads);
        w.bias = transposed;
    }
    if (y->wants_grad) {
        keep(&w);
        *(attention *)tensor_record("attention", attention_backward, y, in, 4, sizeof w)->saved = w;
    }
    reserve(&w, 1);
    tensor_parallel(ctx, spans * heads, attend, &w);
    return y;
}
