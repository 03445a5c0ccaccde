/* SPDX-License-Identifier: MIT */
/* test_kv_cache.c -- kv_cache.c: a position at a time gives what tensor_attention gives for
 * all of them at once, slot by slot, copies included. */
#include "tests/tensor/test_tensor.h"

enum { HEADS = 3, WIDTH = 19, ROW = HEADS * WIDTH, LONG = 70, SLOTS = 3 };

static float q_val[SLOTS][LONG * ROW], k_val[SLOTS][LONG * ROW], v_val[SLOTS][LONG * ROW];
static float bias_val[(2 * LONG - 1) * HEADS];

/* All rows of a slot at once. */
static const float *at_once(tensor_context *ctx, int slot, tensor *bias)
{
    const tensor_span all = {0, LONG, LONG, 0};
    const int dim[2] = {LONG, ROW};
    tensor *q = tensor_new(ctx, 2, dim), *k = tensor_new(ctx, 2, dim), *v = tensor_new(ctx, 2, dim);
    memcpy(q->val, q_val[slot], sizeof q_val[slot]);
    memcpy(k->val, k_val[slot], sizeof k_val[slot]);
    memcpy(v->val, v_val[slot], sizeof v_val[slot]);
    tensor_attention_task task = {&all, &all, 1, HEADS, true, 1};
    return tensor_attention(q, k, v, bias, &task)->val;
}

/* Rows of the slots at a position, in the order of slot[]. */
static tensor *rows_of(tensor_context *ctx, float from[][LONG * ROW], const int *source, int count,
                       int position)
{
    tensor *t = tensor_new(ctx, 2, (int[]){count, ROW});
    for (int i = 0; i < count; i++)
        memcpy(t->val + i * ROW, from[source[i]] + position * ROW, ROW * sizeof(float));
    return t;
}

static void check_rows(const float *y, const float *const *want, const int *source, int count,
                       int position, const char *kernels)
{
    for (int i = 0; i < count; i++)
        for (int c = 0; c < ROW; c++)
            CHECK(y[i * ROW + c] == want[source[i]][position * ROW + c],
                  "%s: position %d, sequence %d, column %d", kernels, position, source[i], c);
}

/* Three slots go on for 40 positions, in another order each time; then slot 2 becomes a copy of
 * slot 0 and both go on as sequence 0. */
static void same_as_at_once(const char *kernels, bool with_bias, int threads)
{
    tensor_context *ctx = test_context(kernels);
    tensor bias;
    tensor_set_threads(ctx, threads);
    tensor_set_grad(ctx, false);
    tensor_leaf(&bias, ctx, 2, (int[]){2 * LONG - 1, HEADS}, bias_val, NULL);
    tensor *b = with_bias ? &bias : NULL;
    const float *want[SLOTS];
    for (int s = 0; s < SLOTS; s++)
        want[s] = at_once(ctx, s, b);
    tensor_kv_cache *cache = tensor_kv_cache_new(ctx, SLOTS, LONG, HEADS, WIDTH, b);
    for (int position = 0; position < LONG; position++) {
        int slot[SLOTS] = {position % 3, (position + 1) % 3, (position + 2) % 3}, source[SLOTS];
        if (position == 40)
            tensor_kv_copy(cache, 2, 0, position);
        for (int i = 0; i < SLOTS; i++)
            source[i] = position >= 40 && slot[i] == 2 ? 0 : slot[i];
        size_t mark = tensor_mark(ctx);
        tensor *q = rows_of(ctx, q_val, source, SLOTS, position);
        tensor *k = rows_of(ctx, k_val, source, SLOTS, position);
        tensor *v = rows_of(ctx, v_val, source, SLOTS, position);
        tensor *y = tensor_kv_attention(cache, q, k, v, slot, SLOTS, position);
        check_rows(y->val, want, source, SLOTS, position, kernels);
        tensor_release(ctx, mark);
    }
    tensor_context_free(ctx);
}

static void failures(void)
{
    static float val[2 * ROW];
    static const int slot[2] = {0, SLOTS};
    tensor x, line;
    tensor_context *ctx = test_context(NULL);
    tensor_set_failure_handler(ctx, test_handler, NULL);
    tensor_leaf(&x, ctx, 2, (int[]){2, ROW}, val, NULL);
    tensor_leaf(&line, ctx, 1, (int[]){ROW}, val, NULL);
    EXPECT_FAILURE(ctx, tensor_kv_cache_new(ctx, 0, 1, 1, 1, NULL),
                   "kv_cache: 0 slots of 1 positions, 1 heads of 1");
    EXPECT_FAILURE(ctx, tensor_kv_cache_new(ctx, 1, 2, HEADS, 1, &line),
                   "kv_cache: bias (57); (2R-1,3) with R at least 2 was expected");
    /* a failure ends the step, and with it a cache */
    tensor_kv_cache *cache = tensor_kv_cache_new(ctx, SLOTS, 4, HEADS, WIDTH, NULL);
    EXPECT_FAILURE(ctx, tensor_kv_attention(cache, &x, &x, &line, slot, 2, 0),
                   "kv_attention: an input is (57); (2,57) was expected");
    cache = tensor_kv_cache_new(ctx, SLOTS, 4, HEADS, WIDTH, NULL);
    EXPECT_FAILURE(ctx, tensor_kv_attention(cache, &x, &x, &x, slot, 2, 0),
                   "kv_attention: position 0 of 4; gradients must be off");
    tensor_set_grad(ctx, false);
    cache = tensor_kv_cache_new(ctx, SLOTS, 4, HEADS, WIDTH, NULL);
    EXPECT_FAILURE(ctx, tensor_kv_attention(cache, &x, &x, &x, slot, 2, 4),
                   "kv_attention: position 4 of 4; gradients must be off");
    cache = tensor_kv_cache_new(ctx, SLOTS, 4, HEADS, WIDTH, NULL);
    EXPECT_FAILURE(ctx, tensor_kv_attention(cache, &x, &x, &x, slot, 2, 0),
                   "kv_attention: slot 3 of 3");
    tensor_context_free(ctx);
}

int main(void)
{
    for (int s = 0; s < SLOTS; s++) {
        test_fill(q_val[s], LONG * ROW, 3 * (uint64_t)s);
        test_fill(k_val[s], LONG * ROW, 3 * (uint64_t)s + 1);
        test_fill(v_val[s], LONG * ROW, 3 * (uint64_t)s + 2);
    }
    test_fill(bias_val, (2 * LONG - 1) * HEADS, 20);
    for (const char *const *name = tensor_kernels_available(); *name; name++)
        for (int threads = 1; threads <= 2; threads++) {
            same_as_at_once(*name, false, threads);
            same_as_at_once(*name, true, threads);
        }
    failures();
    return test_end();
}
