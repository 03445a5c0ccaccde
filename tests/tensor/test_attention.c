/* SPDX-License-Identifier: MIT */
/* test_attention.c -- attention.c against four loops in double: spans, masks, biases,
 * blocks. */
#include "tests/tensor/test_tensor.h"

/* ---- the reference ---- */

enum { MOST_KEYS = 256 };

typedef struct attention {
    int heads, width, spans, reach; /* reach 0: no bias */
    bool causal;
    float scale;
    const tensor_span *query, *key;
    int query_rows, key_rows;
} attention;

/* p[j] = the probability that row i of span b, head h, gives to key j; 0 where masked. */
static void ref_probabilities(double *p, double *const leaf[], const attention *s, int b, int h,
                              int i)
{
    const tensor_span *query = &s->query[b], *key = &s->key[b];
    int row = s->heads * s->width;
    const double *q = leaf[0] + (query->start + i) * row + h * s->width;
    double sum = 0;
    for (int j = 0; j < key->valid; j++) {
        const double *k = leaf[1] + (key->start + j) * row + h * s->width;
        int distance = key->position + j - (query->position + i);
        double score = 0;
        for (int c = 0; c < s->width; c++)
            score += (double)s->scale * q[c] * k[c];
        if (s->reach)
            score += leaf[3][(s->reach - 1 + distance) * s->heads + h];
        p[j] = s->causal && distance > 0 ? 0 : exp(score);
        sum += p[j];
    }
    for (int j = 0; j < key->valid; j++)
        p[j] /= sum;
}

static void ref_attention(double *y, double *const leaf[], const void *argument)
{
    const attention *s = argument;
    double p[MOST_KEYS];
    int row = s->heads * s->width;
    for (int i = 0; i < s->query_rows * row; i++)
        y[i] = 0;
    for (int b = 0; b < s->spans; b++)
        for (int h = 0; h < s->heads; h++)
            for (int i = 0; i < s->query[b].rows; i++) {
                double *out = y + (s->query[b].start + i) * row + h * s->width;
                ref_probabilities(p, leaf, s, b, h, i);
                for (int j = 0; j < s->key[b].valid; j++)
                    for (int c = 0; c < s->width; c++)
                        out[c] += p[j] * leaf[2][(s->key[b].start + j) * row + h * s->width + c];
            }
}

static tensor *op_attention(tensor *const leaf[], const void *argument)
{
    const attention *s = argument;
    tensor_attention_task task = {s->query, s->key, s->spans, s->heads, s->causal, s->scale};
    tensor *y = tensor_attention(leaf[0], leaf[1], leaf[2], leaf[3], &task);
    tensor *plain = tensor_new(y->ctx, 2, y->dim);
    tensor_attention_plain(plain->val, leaf[0], leaf[1], leaf[2], leaf[3], &task);
    CHECK(memcmp(y->val, plain->val, tensor_size(y) * sizeof(float)) == 0,
          "%s: not the bits of the plain loops", tensor_context_kernels(y->ctx)->name);
    return y;
}

/* The largest sum of probabilities that one key, or one distance, gets from all rows. */
static double largest_load(const attention *s)
{
    int row = s->heads * s->width;
    size_t size[] = {(size_t)(s->query_rows * row), (size_t)(s->key_rows * row), 0,
                     (size_t)((2 * s->reach) * s->heads)};
    double *leaf[4], largest = 0, p[MOST_KEYS];
    for (int l = 0; l < 4; l++) {
        leaf[l] = calloc(size[l] + 1, sizeof *leaf[l]);
        for (size_t i = 0; i < size[l]; i++)
            leaf[l][i] = (double)test_value((uint64_t)l, i);
    }
    for (int h = 0; h < s->heads; h++) {
        double *distance = calloc(4 * MOST_KEYS, sizeof *distance);
        for (int b = 0; b < s->spans; b++) {
            double key[MOST_KEYS] = {0};
            for (int i = 0; i < s->query[b].rows; i++) {
                ref_probabilities(p, leaf, s, b, h, i);
                for (int j = 0; j < s->key[b].valid; j++) {
                    int d = 2 * MOST_KEYS + s->key[b].position + j - s->query[b].position - i;
                    key[j] += p[j];
                    distance[d] += p[j];
                    largest = fmax(largest, fmax(key[j], distance[d]));
                }
            }
        }
        free(distance);
    }
    for (int l = 0; l < 4; l++)
        free(leaf[l]);
    return largest;
}

/* With K the width, n the keys, all inputs and c at most 1, scale at most 1:
 *
 * scores   of size K+1, from K fma (K^2 u), the scale, the bias and the largest: K^2 + 4 (K+1)
 * P        a relative error of twice (that and exp's 4u), and n + 2 roundings:
 *          E = 2 (K^2 + 4 (K+1) + 4) + n + 2
 * y        the mean of v with weights P: E, and n roundings of at most 1
 * dP       of size K: K^2, as the scores
 * dS       P times (dP - inner), which is at most 2K: P (2K E + 2 K^2 + (n + 4) K)
 * dq       the sum of dS k over j, where P adds up to 1, n roundings of 2K more
 * the other gradients sum dS or P over rows: the same times L, the largest sum of P over the rows
 *          of a key or a distance, at least 1 */
static void run(const char *name, const attention *s)
{
    int n = 0;
    for (int b = 0; b < s->spans; b++)
        n = s->key[b].valid > n ? s->key[b].valid : n;
    double k = s->width, e = 2 * (k * k + 4 * (k + 1) + 4) + n + 2;
    double row = 2 * k * e + 2 * k * k + (n + 4) * k + 2 * k * n;
    test_op t = {.name = name,
                 .op = op_attention,
                 .reference = ref_attention,
                 .argument = s,
                 .leaves = s->reach ? 4 : 3,
                 .value_error = (e + n) * U,
                 .gradient_error = row * fmax(1, largest_load(s)) * U};
    for (int l = 0; l < 3; l++) {
        t.shape[l].rank = 2;
        t.shape[l].dim[0] = l ? s->key_rows : s->query_rows;
        t.shape[l].dim[1] = s->heads * s->width;
    }
    t.shape[3].rank = 2;
    t.shape[3].dim[0] = 2 * s->reach - 1;
    t.shape[3].dim[1] = s->heads;
    test_op_run(&t);
}

/* ---- cases ---- */

static void cases(void)
{
    static const tensor_span one[] = {{0, 5, 5, 0}};
    run("one span", &(attention){2, 3, 1, 0, false, 0.5F, one, one, 5, 5});
    run("one span, causal, bias", &(attention){2, 3, 1, 5, true, 1, one, one, 5, 5});

    /* ragged, out of order, with rows between that belong to none, some keys not valid */
    static const tensor_span ragged[] = {{6, 3, 3, 0}, {1, 4, 3, 0}, {10, 2, 2, 0}};
    run("encoder", &(attention){2, 3, 3, 4, false, 1, ragged, ragged, 12, 12});
    run("decoder", &(attention){2, 3, 3, 4, true, 1, ragged, ragged, 12, 12});
    run("decoder, scaled", &(attention){2, 3, 3, 4, true, -0.7F, ragged, ragged, 12, 12});

    static const tensor_span cross_query[] = {{0, 2, 2, 0}, {2, 4, 4, 0}};
    static const tensor_span cross_key[] = {{3, 3, 2, 0}, {0, 3, 3, 0}};
    run("cross", &(attention){3, 2, 2, 0, false, 1, cross_query, cross_key, 6, 7});

    /* the last two rows of five: generation with the keys kept */
    static const tensor_span late[] = {{0, 2, 2, 3}}, all[] = {{1, 5, 5, 0}};
    run("late rows", &(attention){2, 3, 1, 5, true, 1, late, all, 2, 6});
    static const tensor_span shifted[] = {{0, 3, 3, 4}};
    run("keys from position 4 on", &(attention){2, 3, 1, 7, false, 1, one, shifted, 5, 3});

    /* more than one block of rows, and blocks of keys that begin elsewhere */
    static const tensor_span behind[] = {{1, 30, 30, 7}}, keys[] = {{2, 40, 37, 0}};
    run("rows behind the keys", &(attention){2, 5, 1, 40, true, 0.5F, behind, keys, 32, 43});
    static const tensor_span blocks[] = {{0, 70, 70, 0}};
    run("two blocks", &(attention){1, 2, 1, 70, true, 1, blocks, blocks, 70, 70});
    run("two blocks, both ways", &(attention){1, 2, 1, 70, false, 1, blocks, blocks, 70, 70});

    static const tensor_span large[] = {
        {0, 131, 131, 0}, {131, 64, 64, 0}, {195, 65, 1, 0}, {260, 129, 128, 0}};
    run("large", &(attention){3, 19, 4, 140, true, 1, large, large, 390, 390});
    run("large, both ways", &(attention){3, 19, 4, 140, false, 0.3F, large, large, 390, 390});
}

/* One tensor for q, k and v, and spans of queries that meet the keys of other spans. */
static tensor *op_self(tensor *const leaf[], const void *argument)
{
    tensor *const all[] = {leaf[0], leaf[0], leaf[0], NULL};
    return op_attention(all, argument);
}

static void ref_self(double *y, double *const leaf[], const void *argument)
{
    double *const all[] = {leaf[0], leaf[0], leaf[0], NULL};
    ref_attention(y, all, argument);
}

/* The bounds of run(), three gradients in one: K = 3, n = 4, at most 8 rows a key. */
static void one_tensor(void)
{
    static const tensor_span query[] = {{0, 4, 4, 0}, {4, 4, 4, 0}};
    static const tensor_span key[] = {{4, 4, 4, 0}, {0, 4, 3, 0}};
    const double e = 2 * (9 + 16 + 4) + 6, row = 6 * e + 18 + 24 + 24;
    test_op_run(&(test_op){.name = "x to x",
                           .op = op_self,
                           .reference = ref_self,
                           .argument = &(attention){2, 3, 2, 0, false, 1, query, key, 8, 8},
                           .leaves = 1,
                           .shape = {{2, {8, 6}}},
                           .value_error = (e + 4) * U,
                           .gradient_error = 3 * 8 * row * U});
}

/* ---- properties ---- */

enum { HEADS = 2, K = 3, ROW = HEADS * K, LONG = 90 };

typedef struct inputs {
    float q[LONG * ROW], k[LONG * ROW], v[LONG * ROW], bias[(2 * LONG - 1) * HEADS];
    tensor tq, tk, tv, tbias;
} inputs;

static void make_inputs(inputs *in, tensor_context *ctx)
{
    test_fill(in->q, LONG * ROW, 1);
    test_fill(in->k, LONG * ROW, 2);
    test_fill(in->v, LONG * ROW, 3);
    test_fill(in->bias, (2 * LONG - 1) * HEADS, 4);
    tensor_leaf(&in->tq, ctx, 2, (int[]){LONG, ROW}, in->q, NULL);
    tensor_leaf(&in->tk, ctx, 2, (int[]){LONG, ROW}, in->k, NULL);
    tensor_leaf(&in->tv, ctx, 2, (int[]){LONG, ROW}, in->v, NULL);
    tensor_leaf(&in->tbias, ctx, 2, (int[]){2 * LONG - 1, HEADS}, in->bias, NULL);
}

/* A row at a time over the keys so far gives what all rows at once give. */
static void generation_is_the_same(const char *kernels)
{
    static inputs in;
    tensor_context *ctx = test_context(kernels);
    make_inputs(&in, ctx);
    const tensor_span all = {0, LONG, LONG, 0};
    tensor_attention_task task = {&all, &all, 1, HEADS, true, 1};
    const float *y = tensor_attention(&in.tq, &in.tk, &in.tv, &in.tbias, &task)->val;
    size_t mark = tensor_mark(ctx);
    for (int i = 0; i < LONG; i++) {
        tensor q;
        const tensor_span query = {0, 1, 1, i}, key = {0, i + 1, i + 1, 0};
        tensor_leaf(&q, ctx, 2, (int[]){1, ROW}, in.q + i * ROW, NULL);
        task.query = &query;
        task.key = &key;
        const float *one = tensor_attention(&q, &in.tk, &in.tv, &in.tbias, &task)->val;
        for (int c = 0; c < ROW; c++)
            CHECK(one[c] == y[i * ROW + c], "%s: row %d, column %d: %.9g, all at once %.9g",
                  kernels, i, c, (double)one[c], (double)y[i * ROW + c]);
        tensor_release(ctx, mark);
    }
    tensor_context_free(ctx);
}

/* What is masked has no part in the result: later keys under a causal mask, and keys that are not
 * valid, even if they are NaN. */
static void masks_hold(void)
{
    static inputs in;
    tensor_context *ctx = test_context(NULL);
    make_inputs(&in, ctx);
    const tensor_span query = {0, LONG, LONG, 0}, key = {0, LONG, LONG - 5, 0};
    const tensor_attention_task task = {&query, &key, 1, HEADS, true, 1};
    const float *before = tensor_attention(&in.tq, &in.tk, &in.tv, &in.tbias, &task)->val;
    for (int i = 40 * ROW; i < LONG * ROW; i++) {
        in.k[i] = i < (LONG - 5) * ROW ? 100 : NAN;
        in.v[i] = i < (LONG - 5) * ROW ? -1000 : NAN;
    }
    const float *after = tensor_attention(&in.tq, &in.tk, &in.tv, &in.tbias, &task)->val;
    for (int i = 0; i < LONG * ROW; i++)
        if (i < 40 * ROW)
            CHECK(before[i] == after[i], "element %d: %g, then %g", i, (double)before[i],
                  (double)after[i]);
        else
            CHECK(isfinite(after[i]) && before[i] != after[i], "element %d: %g, then %g", i,
                  (double)before[i], (double)after[i]);
    in.q[0] = NAN;
    in.q[ROW + K] = INFINITY;
    const float *none = tensor_attention(&in.tq, &in.tk, &in.tv, &in.tbias, &task)->val;
    CHECK(isnan(none[0]) && !isnan(none[K]) && !isnan(none[2 * ROW]), "%g %g %g", (double)none[0],
          (double)none[K], (double)none[2 * ROW]);
    tensor_context_free(ctx);
}

/* Several queries over one stretch of keys, where no gradient is wanted for these. */
static void shared_keys(void)
{
    static inputs in;
    tensor_context *ctx = test_context(NULL);
    make_inputs(&in, ctx);
    const tensor_span query[] = {{0, 1, 1, 0}, {1, 1, 1, 0}, {2, 2, 2, 0}};
    const tensor_span key[] = {{5, 9, 9, 0}, {5, 9, 9, 0}, {8, 9, 9, 0}};
    tensor_attention_task task = {query, key, 3, HEADS, false, 1};
    const float *y = tensor_attention(&in.tq, &in.tk, &in.tv, NULL, &task)->val;
    for (int b = 0; b < 3; b++) {
        task = (tensor_attention_task){query + b, key + b, 1, HEADS, false, 1};
        const float *one = tensor_attention(&in.tq, &in.tk, &in.tv, NULL, &task)->val;
        for (int i = 0; i < query[b].rows * ROW; i++) {
            int at = query[b].start * ROW + i;
            CHECK(one[at] == y[at], "span %d, element %d: %g, alone %g", b, i, (double)y[at],
                  (double)one[at]);
        }
    }
    CHECK(y[4 * ROW] == 0 && y[LONG * ROW - 1] == 0, "rows outside every span");
    tensor_context_free(ctx);
}

/* ---- failures ---- */

static void failures(void)
{
    static float val[200], grad[200];
    const tensor_span whole = {0, 4, 4, 0}, late = {0, 4, 4, 3};
    const tensor_span two[] = {{0, 3, 3, 0}, {2, 2, 2, 0}}, apart[] = {{0, 2, 2, 0}, {2, 2, 2, 0}};
    tensor x, wide, bias, odd, learned;
    tensor_context *ctx = test_context(NULL);
    tensor_set_failure_handler(ctx, test_handler, NULL);
    tensor_leaf(&x, ctx, 2, (int[]){4, 6}, val, NULL);
    tensor_leaf(&wide, ctx, 2, (int[]){4, 8}, val, NULL);
    tensor_leaf(&bias, ctx, 2, (int[]){5, 2}, val, NULL);
    tensor_leaf(&odd, ctx, 2, (int[]){7, 3}, val, NULL);
    tensor_leaf(&learned, ctx, 2, (int[]){4, 6}, val, grad);
#define ATTEND(q, k, v, bias, query, key, spans, heads, causal) \
    tensor_attention(q, k, v, bias, &(tensor_attention_task){query, key, spans, heads, causal, 1})
    EXPECT_FAILURE(ctx, ATTEND(&x, &wide, &x, NULL, &whole, &whole, 1, 2, false),
                   "attention: q (4,6), k (4,8), v (4,6); (Nq,heads*K), (Nk,heads*K) and again "
                   "were expected");
    EXPECT_FAILURE(ctx, ATTEND(&x, &x, &x, NULL, &whole, &whole, 1, 4, false),
                   "attention: 4 heads do not divide the rows of q (4,6)");
    EXPECT_FAILURE(ctx, ATTEND(&x, &x, &x, &odd, &whole, &whole, 1, 2, false),
                   "attention: bias (7,3); (2R-1,2) was expected");
    EXPECT_FAILURE(ctx, ATTEND(&x, &x, &x, NULL, &whole, &whole, 0, 2, false),
                   "attention: 0 spans of 2 heads");
    EXPECT_FAILURE(ctx, ATTEND(&x, &x, &x, NULL, (&(tensor_span){1, 4, 4, 0}), &whole, 1, 2, false),
                   "attention: query span 0: 4 rows from 1 on, of 4; position 0");
    EXPECT_FAILURE(ctx, ATTEND(&x, &x, &x, NULL, &whole, (&(tensor_span){0, 4, 5, 0}), 1, 2, false),
                   "attention: key span 0: 4 rows (5 valid) from 0 on, of 4; position 0");
    EXPECT_FAILURE(ctx, ATTEND(&x, &x, &x, NULL, &whole, (&(tensor_span){0, 4, 0, 0}), 1, 2, false),
                   "attention: key span 0: 4 rows (0 valid) from 0 on, of 4; position 0");
    EXPECT_FAILURE(ctx, ATTEND(&x, &x, &x, &bias, &whole, &whole, 1, 2, false),
                   "attention: span 0: distances -3 to 3; the bias reaches 2");
    EXPECT_FAILURE(ctx, ATTEND(&x, &x, &x, NULL, &whole, &late, 1, 2, true),
                   "attention: span 0: the query at position 0 sees no key (3 on)");
    EXPECT_FAILURE(ctx, ATTEND(&x, &x, &x, NULL, two, apart, 2, 2, false),
                   "attention: query spans overlap");
    EXPECT_FAILURE(ctx, ATTEND(&x, &x, &learned, NULL, apart, two, 2, 2, false),
                   "attention: key spans overlap, and a gradient is wanted for k or v");
    tensor_set_grad(ctx, false);
    CHECK(ATTEND(&x, &x, &learned, NULL, apart, two, 2, 2, false), "no gradient is wanted");
    tensor_context_free(ctx);
}

int main(void)
{
    cases();
    one_tensor();
    for (const char *const *kernels = tensor_kernels_available(); *kernels; kernels++)
        generation_is_the_same(*kernels);
    masks_hold();
    shared_keys();
    failures();
    return test_end();
}
