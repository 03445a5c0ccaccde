/* SPDX-License-Identifier: MIT */
/* test_context.c -- context.c, tape.c, parallel.c: memory, the tape, threads, and what
 * failures leave behind. */
#include "base/hash.h"
#include "tests/test_malloc.h"
#include "tests/tensor/test_tensor.h"

/* ---- a small transformer, which uses most ops ---- */

enum { VOCABULARY = 11, MODEL = 12, HEADS = 3, FORWARD = 20, REACH = 6, TOKENS = 9 };
enum { PARAMETERS = 6 };

typedef struct transformer {
    float *val, *grad;
    size_t floats;
    tensor table, gain, square, up, down, bias; /* square: all four projections */
} transformer;

static void transformer_new(transformer *t, tensor_context *ctx)
{
    struct {
        tensor *leaf;
        int rows, columns;
    } shape[PARAMETERS] = {{&t->table, VOCABULARY, MODEL}, {&t->gain, 0, MODEL},
                           {&t->square, MODEL, MODEL},     {&t->up, FORWARD, MODEL},
                           {&t->down, MODEL, FORWARD},     {&t->bias, 2 * REACH - 1, HEADS}};
    size_t at = 0;
    t->floats = 0;
    for (int i = 0; i < PARAMETERS; i++)
        t->floats += (size_t)((shape[i].rows ? shape[i].rows : 1) * shape[i].columns);
    t->val = test_floats(t->floats);
    t->grad = test_floats(t->floats);
    test_fill(t->val, t->floats, 5);
    for (int i = 0; i < PARAMETERS; i++) {
        const int dim[] = {shape[i].rows, shape[i].columns};
        bool vector = shape[i].rows == 0;
        tensor_leaf(shape[i].leaf, ctx, vector ? 1 : 2, vector ? dim + 1 : dim, t->val + at,
                    t->grad + at);
        at += tensor_size(shape[i].leaf);
    }
}

static void transformer_free(transformer *t)
{
    free(t->val);
    free(t->grad);
}

/* One op a statement where two share an input: C leaves the order of arguments open. */
static tensor *transformer_loss(transformer *t)
{
    static const int ids[TOKENS] = {1, 2, 3, 4, 10, 1, 3, 5, 7};
    static const int target[TOKENS] = {2, 3, 4, -100, 1, 3, 5, 7, 0};
    static const tensor_span spans[] = {{0, 4, 4, 0}, {4, 5, 5, 0}};
    tensor *x = tensor_embedding(&t->table, ids, TOKENS);
    tensor *h = tensor_rmsnorm(x, &t->gain, 1e-6F);
    tensor *q = tensor_linear(h, &t->square, NULL);
    tensor *k = tensor_matmul(h, &t->square);
    tensor *v = tensor_linear(h, &t->square, &t->gain);
    tensor_attention_task task = {spans, spans, 2, HEADS, true, 1};
    tensor *a = tensor_attention(q, k, v, &t->bias, &task);
    x = tensor_add(x, tensor_dropout(a, 0.1F, 1, 2, 0));
    h = tensor_layernorm(x, &t->gain, &t->gain, 1e-5F);
    tensor *up = tensor_linear(h, &t->up, NULL);
    tensor *gate = tensor_gelu_new(up);
    up = tensor_mul(gate, tensor_relu(up));
    x = tensor_add(x, tensor_linear(up, &t->down, NULL));
    tensor *logits = tensor_linear(tensor_scale(x, 0.3F), &t->table, NULL);
    tensor *loss =
        tensor_cross_entropy(logits, target, &(tensor_objective){.smoothing = 0.1F}, NULL);
    tensor *sum = tensor_sum(tensor_tanh(tensor_softmax(logits, 0)));
    return tensor_add(loss, tensor_scale(sum, 1.0F / (float)tensor_size(logits)));
}

/* ---- memory ---- */

static void step_memory(void)
{
    enum { PIECES = 200 };
    unsigned char *piece[PIECES];
    size_t total = 0;
    tensor_context *ctx = test_context(NULL);
    for (int step = 0; step < 3; step++) {
        total = 0;
        for (int i = 0; i < PIECES; i++) {
            size_t bytes = (size_t)(i * 37 % 5000);
            piece[i] = tensor_step_memory(ctx, bytes);
            CHECK((uintptr_t)piece[i] % 64 == 0, "piece %d is at %p", i, (void *)piece[i]);
            memset(piece[i], i, bytes);
            total += (bytes + 63) / 64 * 64;
        }
        for (int i = 0; i < PIECES; i++)
            for (size_t j = 0; j < (size_t)(i * 37 % 5000); j++)
                if (piece[i][j] != (unsigned char)i) {
                    CHECK(false, "step %d: piece %d, byte %zu is %d", step, i, j, piece[i][j]);
                    break;
                }
        CHECK(tensor_step_peak(ctx) == total, "peak %zu, %zu taken", tensor_step_peak(ctx), total);
        if (step > 0) /* one chunk now: the pieces stand one behind the other */
            CHECK((size_t)(piece[PIECES - 1] - piece[0]) < total, "pieces are far apart");
        tensor_step_end(ctx);
    }
    tensor_step_memory(ctx, 64);
    CHECK(tensor_step_peak(ctx) == total, "a small step makes the peak %zu", tensor_step_peak(ctx));
    tensor_context_free(ctx);
}

/* Whatever was taken in between, in however many chunks, the next piece is where it was the time
 * before, and nothing of before the mark is lost. */
static void mark_and_release(void)
{
    tensor_context *ctx = test_context(NULL);
    tensor_set_grad(ctx, false);
    CHECK(tensor_mark(ctx) == 0, "%zu bytes in use at first", tensor_mark(ctx));
    tensor_release(ctx, 0);
    tensor *kept = tensor_new(ctx, 1, (int[]){100});
    test_fill(kept->val, 100, 1);
    size_t mark = tensor_mark(ctx);
    tensor *again = NULL;
    for (int round = 0; round < 10; round++) {
        tensor *small = tensor_new(ctx, 1, (int[]){10});
        CHECK(!again || small == again, "round %d: not the same place", round);
        again = small;
        for (int i = 0; i < 20; i++) {
            tensor *large = tensor_new(ctx, 2, (int[]){20 + round, 500});
            memset(large->val, 0, tensor_size(large) * sizeof(float));
            size_t inner = tensor_mark(ctx);
            memset(tensor_step_memory(ctx, 30000), 1, 30000);
            tensor_release(ctx, inner);
            CHECK(tensor_mark(ctx) == inner, "%zu in use, %zu before", tensor_mark(ctx), inner);
        }
        tensor_release(ctx, mark);
        CHECK(tensor_mark(ctx) == mark, "%zu in use, %zu before", tensor_mark(ctx), mark);
    }
    for (size_t i = 0; i < 100; i++)
        CHECK(kept->val[i] == test_value(1, i), "element %zu is lost", i);
    tensor_context_free(ctx);
}

static void steady_state(int threads)
{
    transformer t;
    tensor_context *ctx = test_context(NULL);
    tensor_set_threads(ctx, threads);
    transformer_new(&t, ctx);
    size_t peak = 0;
    for (int step = 0; step < 6; step++) {
        long before = allocations;
        tensor_backward(transformer_loss(&t));
        tensor_step_end(ctx);
        if (step == 0)
            peak = tensor_step_peak(ctx);
        CHECK(tensor_step_peak(ctx) == peak, "step %d: peak %zu", step, tensor_step_peak(ctx));
        if (can_count && step == 0)
            CHECK(allocations > before, "the first step takes no memory");
        if (can_count && step > 0)
            CHECK(allocations == before, "%d threads, step %d: %ld allocations", threads, step,
                  allocations - before);
    }
    transformer_free(&t);
    tensor_context_free(ctx);
}

/* At the limit all is well; a byte beyond it fails, and tensor_step_end() makes it usable again. */
static void step_limit(void)
{
    transformer t;
    tensor_context *ctx = test_context(NULL);
    tensor_set_failure_handler(ctx, test_handler, NULL);
    transformer_new(&t, ctx);
    tensor *loss = transformer_loss(&t);
    float first = loss->val[0];
    tensor_backward(loss);
    tensor_step_end(ctx);
    size_t peak = tensor_step_peak(ctx);

    tensor_set_step_limit(ctx, peak);
    tensor_backward(transformer_loss(&t));
    tensor_step_end(ctx);
    CHECK(tensor_step_peak(ctx) == peak, "peak %zu, then %zu", peak, tensor_step_peak(ctx));

    int failed = 0;
    for (size_t limit = 64; limit < peak; limit += 64 * 7) {
        tensor_set_step_limit(ctx, limit);
        if (setjmp(test_jump) == 0) {
            tensor_backward(transformer_loss(&t));
            CHECK(false, "limit %zu of %zu: did not fail", limit, peak);
        } else
            failed += strncmp(test_message, "step memory: ", 13) == 0;
        tensor_step_end(ctx);
    }
    CHECK((size_t)failed == (peak - 65) / (64 * 7) + 1, "%d failures; the last: %s", failed,
          test_message);
    tensor_set_step_limit(ctx, 1000);
    EXPECT_FAILURE(ctx, tensor_step_memory(ctx, 961),
                   "step memory: 961 bytes asked for with 0 in use; the limit is 1000");
    CHECK(tensor_step_memory(ctx, 960), "960 bytes of 1000");
    EXPECT_FAILURE(ctx, tensor_step_memory(ctx, 1),
                   "step memory: 1 bytes asked for with 960 in use; the limit is 1000");
    tensor_set_step_limit(ctx, 0);
    CHECK(transformer_loss(&t)->val[0] == first, "the loss is not what it was");
    transformer_free(&t);
    tensor_context_free(ctx);
}

/* A planned step takes what a step takes, and touches nothing of the caller's. */
static void planning(void)
{
    transformer t;
    tensor_context *ctx = test_context(NULL);
    transformer_new(&t, ctx);
    tensor_backward(transformer_loss(&t));
    tensor_step_end(ctx);
    size_t peak = tensor_step_peak(ctx);
    transformer_free(&t);
    tensor_context_free(ctx);

    ctx = test_context(NULL);
    transformer_new(&t, ctx);
    tensor_set_planning(ctx, true);
    tensor_backward(transformer_loss(&t));
    CHECK(tensor_step_peak(ctx) == peak, "planned %zu bytes, taken %zu", tensor_step_peak(ctx),
          peak);
    for (size_t i = 0; i < t.floats; i++)
        CHECK(t.grad[i] == 0, "gradient %zu was written", i);
    tensor_step_end(ctx);
    tensor_set_planning(ctx, false);
    tensor_backward(transformer_loss(&t));
    CHECK(t.grad[0] != 0, "no gradient after planning");
    CHECK(tensor_step_peak(ctx) == peak, "taken %zu bytes, planned %zu", tensor_step_peak(ctx),
          peak);
    transformer_free(&t);
    tensor_context_free(ctx);
}

/* One step whose allocation number n fails, and one after it. True: there was that allocation. */
static bool step_without(long n, int *failures)
{
    transformer t;
    tensor_context *ctx = test_context(NULL);
    tensor_set_failure_handler(ctx, test_handler, NULL);
    transformer_new(&t, ctx);
    fail_at = allocations + n;
    if (setjmp(test_jump) == 0)
        tensor_backward(transformer_loss(&t));
    else
        ++*failures;
    bool reached = allocations > fail_at;
    fail_at = -1;
    tensor_step_end(ctx);
    memset(t.grad, 0, t.floats * sizeof(float));
    tensor_backward(transformer_loss(&t));
    CHECK(t.grad[0] != 0, "allocation %ld: no gradient afterwards", n);
    transformer_free(&t);
    tensor_context_free(ctx);
    return reached;
}

/* Every allocation fails in its turn: the handler is called, or the arena makes do with less, and
 * afterwards all is as before. */
static void no_memory(void)
{
    int failures = 0;
    if (!can_count) {
        SKIP("allocations cannot be made to fail here");
        return;
    }
    for (long n = 0; step_without(n, &failures); n++)
        continue;
    CHECK(failures >= 3, "%d failures", failures); /* each scratch slot's, at least */
    fail_at = allocations;
    tensor_context *ctx = tensor_context_new();
    fail_at = -1;
    CHECK(!ctx, "a context out of nothing");
}

/* ---- leaves, results, shapes ---- */

static void shapes(void)
{
    float val[24], grad[24];
    tensor x, scalar;
    char text[64];
    tensor_context *ctx = test_context(NULL), *other = test_context(NULL);
    tensor_set_failure_handler(ctx, test_handler, NULL);
    tensor_leaf(&x, ctx, 3, (int[]){2, 3, 4}, val, grad);
    tensor_leaf(&scalar, other, 0, NULL, val, NULL);
    CHECK(tensor_size(&x) == 24 && tensor_size(&scalar) == 1 && tensor_rows(&x) == 6, "sizes");
    CHECK(x.wants_grad && !scalar.wants_grad && x.val == val && x.grad == grad, "a leaf's parts");
    CHECK(strcmp(tensor_shape_text(&x, text), "(2,3,4)") == 0, "%s", text);
    CHECK(strcmp(tensor_shape_text(&scalar, text), "()") == 0, "%s", text);
    CHECK((uintptr_t)tensor_new(ctx, 1, (int[]){3})->val % 64 == 0, "values are not aligned");
    EXPECT_FAILURE(ctx, tensor_new(ctx, 5, (int[]){1, 1, 1, 1, 1}),
                   "new: rank 5; 0 to 4 can be had");
    EXPECT_FAILURE(ctx, tensor_new(ctx, 2, ((int[]){3, 0})), "new: (3,0) has a dimension below 1");
    EXPECT_FAILURE(ctx, tensor_leaf(&x, ctx, 1, (int[]){-1}, val, NULL),
                   "leaf: (-1) has a dimension below 1");
    EXPECT_FAILURE(ctx, tensor_new(ctx, 4, ((int[]){2147483647, 2147483647, 2147483647, 2})),
                   "new: (2147483647,2147483647,2147483647,2) is too large");
    EXPECT_FAILURE(ctx, tensor_add(&x, &scalar), "result: the inputs belong to different contexts");
    tensor_context_free(other);
    tensor_context_free(ctx);
}

static void kernels_by_name(void)
{
    for (const char *const *name = tensor_kernels_available(); *name; name++) {
        tensor_context *ctx = test_context(*name);
        const char *got = tensor_context_kernels(ctx)->name;
        CHECK(strcmp(got, *name) == 0, "%s: got %s", *name, got);
        tensor_context_free(ctx);
    }
    setenv("PHOENIX_KERNEL", "abacus", 1);
    CHECK(!tensor_context_new(), "a context with unknown kernels");
    unsetenv("PHOENIX_KERNEL");
    tensor_context_free(NULL);
}

/* ---- the tape ---- */

/* y = sum(x x) + sum(3 x): every dx is 2 x + 3, added to what was there. */
static void gradients_add_up(void)
{
    float val[3] = {1, -2, 0.5F}, grad[3] = {10, 20, 30}, other[3] = {1, 1, 1}, none[3] = {0};
    tensor x, unused;
    tensor_context *ctx = test_context(NULL);
    tensor_leaf(&x, ctx, 1, (int[]){3}, val, grad);
    tensor_leaf(&unused, ctx, 1, (int[]){3}, other, none);
    tensor *aside = tensor_mul(&x, &unused);
    tensor_backward(tensor_add(tensor_sum(tensor_mul(&x, &x)), tensor_sum(tensor_scale(&x, 3))));
    for (int i = 0; i < 3; i++)
        CHECK(grad[i] == (float)(10 * (i + 1)) + 2 * val[i] + 3 && none[i] == 0, "%g and %g",
              (double)grad[i], (double)none[i]);
    CHECK(!aside->grad, "what had no part in the scalar has a gradient");
    tensor_step_end(ctx); /* and with it the tape, which is in the way of no release any more */
    size_t mark = tensor_mark(ctx);
    tensor_new(ctx, 0, NULL);
    tensor_release(ctx, mark);
    tensor_context_free(ctx);
}

/* What stood in a forgotten gradient counts as zeros: for a weight that is its own input, for one that
 * an op adds to, and for one that no op reaches. */
static void forgotten_gradients(void)
{
    enum { N = 3 * 3 };
    float val[2][N], zeroed[3][N] = {{0}}, forgotten[3][N];
    test_fill(val[0], N, 1);
    test_fill(val[1], N, 2);
    for (int i = 0; i < 3; i++)
        test_fill(forgotten[i], N, 3 + (uint64_t)i);
    for (int forget = 0; forget < 2; forget++) {
        float(*grad)[N] = forget ? forgotten : zeroed;
        tensor square, other, unused;
        tensor *leaf[] = {&square, &other, &unused};
        tensor_context *ctx = test_context(NULL);
        for (int i = 0; i < 3; i++) {
            tensor_leaf(leaf[i], ctx, 2, (int[]){3, 3}, val[i % 2], grad[i]);
            if (forget)
                tensor_forget_grad(leaf[i]);
        }
        tensor *twice = tensor_linear(&square, &square, NULL);
        tensor_backward(tensor_sum(tensor_mul(tensor_linear(twice, &other, NULL), &other)));
        tensor_settle_grad(&unused);
        tensor_context_free(ctx);
    }
    CHECK(memcmp(zeroed, forgotten, sizeof zeroed) == 0, "what was forgotten is still there");
    CHECK(zeroed[0][0] != 0 && zeroed[1][0] != 0 && zeroed[2][0] == 0, "not what should be there");
}

static void without_gradients(void)
{
    float val[3] = {1, 2, 3}, grad[3] = {0};
    tensor x, constant;
    tensor_context *ctx = test_context(NULL);
    tensor_set_failure_handler(ctx, test_handler, NULL);
    tensor_leaf(&x, ctx, 1, (int[]){3}, val, grad);
    tensor_leaf(&constant, ctx, 1, (int[]){3}, val, NULL);
    CHECK(!tensor_add(&constant, &constant)->wants_grad, "a constant's double wants a gradient");
    CHECK(tensor_add(&constant, &x)->wants_grad && tensor_add(&x, &constant)->wants_grad,
          "one of two wants it, the sum does not");
    CHECK(!tensor_grad(&constant) && !tensor_grad(NULL) && tensor_grad(&x) == grad, "tensor_grad");
    tensor_set_grad(ctx, false);
    CHECK(!tensor_grad_enabled(ctx) && !tensor_sum(&x)->wants_grad, "gradients are off");
    EXPECT_FAILURE(ctx, tensor_backward(tensor_sum(&x)),
                   "backward: the scalar depends on nothing that wants a gradient");
    tensor_set_grad(ctx, true);
    EXPECT_FAILURE(ctx, tensor_backward(tensor_add(&x, &x)), "backward: (3) is not a scalar");
    tensor_backward(tensor_sum(&x));
    EXPECT_FAILURE(ctx, tensor_backward(tensor_sum(&x)),
                   "backward: called twice between two calls of tensor_step_end");
    size_t mark = tensor_mark(ctx);
    tensor_sum(&x);
    EXPECT_FAILURE(ctx, tensor_release(ctx, mark),
                   "release: the tape holds results made since the mark");
    EXPECT_FAILURE(ctx, tensor_release(ctx, 64),
                   "release: the mark 64 lies beyond the 0 bytes in use");
    tensor_context_free(ctx);
}

/* A failure in the middle of a step, a jump out of it, and the next step is right. */
static void after_a_failure(void)
{
    transformer t;
    tensor_context *ctx = test_context(NULL);
    tensor_set_failure_handler(ctx, test_handler, NULL);
    transformer_new(&t, ctx);
    tensor_backward(transformer_loss(&t));
    tensor_step_end(ctx);
    float *want = test_floats(t.floats);
    memcpy(want, t.grad, t.floats * sizeof(float));
    memset(t.grad, 0, t.floats * sizeof(float));
    EXPECT_FAILURE(ctx, tensor_linear(transformer_loss(&t), &t.up, NULL),
                   "linear: x () and weight (20,12); (...,K) and (N,K) were expected");
    tensor_backward(transformer_loss(&t));
    CHECK(memcmp(want, t.grad, t.floats * sizeof(float)) == 0, "gradients differ");
    free(want);
    transformer_free(&t);
    tensor_context_free(ctx);
}

/* ---- threads ---- */

typedef struct visits {
    tensor_context *ctx;
    int threads, wrong, count[1000];
} visits;

static void nested(void *argument, int i, int worker)
{
    int *sum = argument;
    sum[0] += i;
    sum[1] = worker;
}

static void visit(void *argument, int i, int worker)
{
    visits *v = argument;
    int sum[2] = {0, -1};
    tensor_parallel(v->ctx, 10, nested, sum);
    v->count[i]++;
    if (worker < 0 || worker >= v->threads || sum[0] != 45 || sum[1] != worker)
        v->count[i] = -1000;
}

static void visit_stretch(void *argument, size_t first, size_t count, int worker)
{
    visits *v = argument;
    for (size_t i = first; i < first + count; i++)
        v->count[i] += worker < v->threads ? 1 : -1000;
}

static void every_index_once(void)
{
    static const int counts[] = {0, 1, 2, 3, 17, 1000};
    static visits v;
    tensor_context *ctx = test_context(NULL);
    v.ctx = ctx;
    for (v.threads = 1; v.threads <= 5; v.threads++)
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
            for (int way = 0; way < 4; way++) {
                memset(v.count, 0, sizeof v.count);
                tensor_set_threads(ctx, v.threads);
                size_t total = (size_t)counts[c];
                if (way == 0)
                    tensor_parallel(ctx, counts[c], visit, &v);
                else if (way == 1)
                    tensor_parallel_ranges(ctx, total, 3000, visit_stretch, &v);
                else if (way == 2)
                    tensor_parallel_ranges(ctx, total, 1 << 20, visit_stretch, &v);
                else
                    tensor_parallel_columns(ctx, total, 700, visit_stretch, &v);
                for (int i = 0; i < 1000; i++)
                    CHECK(v.count[i] == (i < counts[c]), "%d threads, way %d: %d of %d: %d times",
                          v.threads, way, i, counts[c], v.count[i]);
            }
    tensor_set_failure_handler(ctx, test_handler, NULL);
    EXPECT_FAILURE(ctx, tensor_set_threads(ctx, 0), "set_threads: 0 threads; 1 to 64 can be had");
    EXPECT_FAILURE(ctx, tensor_set_threads(ctx, 65), "set_threads: 65 threads; 1 to 64 can be had");
    CHECK(tensor_threads(ctx) == 5, "%d threads", tensor_threads(ctx));
    tensor_context_free(ctx);
}

static void scratch(void)
{
    tensor_context *ctx = test_context(NULL);
    tensor_set_threads(ctx, 3);
    for (size_t bytes = 1; bytes < 100000; bytes = bytes * 3 + 1)
        for (int slot = 0; slot < TENSOR_SCRATCH_SLOTS; slot++) {
            tensor_scratch_all(ctx, slot, bytes);
            for (int worker = 0; worker < 3; worker++) {
                unsigned char *p = tensor_scratch(ctx, worker, slot);
                CHECK((uintptr_t)p % 64 == 0, "at %p", (void *)p);
                memset(p, worker + 3 * slot, bytes);
            }
            for (int worker = 0; worker < 3; worker++) {
                const unsigned char *p = tensor_scratch(ctx, worker, slot);
                CHECK(p[0] == worker + 3 * slot && p[bytes - 1] == worker + 3 * slot,
                      "worker %d, slot %d share", worker, slot);
            }
        }
    tensor_context_free(ctx);
}

static void rows_added(void)
{
    enum { ROWS = 300, COLUMNS = 1001 };
    static float x[ROWS * COLUMNS], want[COLUMNS], got[COLUMNS];
    test_fill(x, ROWS * COLUMNS, 3);
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < COLUMNS; c++)
            want[c] += x[r * COLUMNS + c];
    for (int threads = 1; threads <= 3; threads++) {
        tensor_context *ctx = test_context(NULL);
        tensor_set_threads(ctx, threads);
        memset(got, 0, sizeof got);
        tensor_add_rows(ctx, got, x, ROWS, COLUMNS);
        CHECK(memcmp(want, got, sizeof got) == 0, "%d threads", threads);
        tensor_context_free(ctx);
    }
}

/* The hash of some floats' bits, lowest byte first whatever the machine. */
static void hash_floats(const float *x, size_t n, char text[BASE_HASH_TEXT])
{
    base_hash hash;
    base_hash_start(&hash);
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        const uint8_t bytes[4] = {(uint8_t)bits, (uint8_t)(bits >> 8), (uint8_t)(bits >> 16),
                                  (uint8_t)(bits >> 24)};
        base_hash_add(&hash, bytes, sizeof bytes);
    }
    base_hash_end_text(&hash, text);
}

/* The whole transformer's gradients, for every kernel set and thread count here; the hash is the
 * same for every compiler and machine, and changes only with the arithmetic of record. */
static void same_bits(void)
{
    static const char want[] = "c6fa1ac76faf0f9937c65c3856ecd0ff3d77c53de8f04dd66523a5ee3e489ce0";
    for (const char *const *name = tensor_kernels_available(); *name; name++)
        for (int threads = 1; threads <= 3; threads++) {
            transformer t;
            char got[BASE_HASH_TEXT];
            tensor_context *ctx = test_context(*name);
            tensor_set_threads(ctx, threads);
            transformer_new(&t, ctx);
            tensor_backward(transformer_loss(&t));
            hash_floats(t.grad, t.floats, got);
            CHECK(strcmp(want, got) == 0, "%s, %d threads: %s", *name, threads, got);
            transformer_free(&t);
            tensor_context_free(ctx);
        }
}

/* ---- a tape to read ---- */

static void tape_as_text(void)
{
    static const char want[] = "embedding (3,4) <- (5,4)\n"
                               "rmsnorm (3,4) <- (3,4) (4)\n"
                               "linear (3,5) <- (3,4) (5,4)\n"
                               "relu (3,5) <- (3,5)\n"
                               "sum () <- (3,5)\n";
    float val[24] = {0}, grad[24] = {0};
    tensor table, gain;
    base_text before = {0}, after = {0};
    tensor_context *ctx = test_context(NULL);
    tensor_leaf(&table, ctx, 2, (int[]){5, 4}, val, grad);
    tensor_leaf(&gain, ctx, 1, (int[]){4}, val + 20, grad + 20);
    tensor_tape_print(ctx, &before);
    CHECK(before.length == 0, "an empty tape: %s", before.data);
    tensor *x = tensor_rmsnorm(tensor_embedding(&table, (int[]){0, 1, 4}, 3), &gain, 1e-6F);
    tensor *y = tensor_sum(tensor_relu(tensor_linear(x, &table, NULL)));
    tensor_tape_print(ctx, &before);
    tensor_tape_print(ctx, &after);
    CHECK(strcmp(before.data, want) == 0, "%s", before.data);
    CHECK(strcmp(after.data, want) == 0, "printed twice: %s", after.data);
    tensor_backward(y);
    tensor_step_end(ctx);
    base_text_free(&before);
    base_text_free(&after);
    tensor_context_free(ctx);
}

/* ---- guarded work ---- */

typedef struct guarded {
    tensor_context *ctx;
    bool deep; /* the failure is in work guarded by the work */
    bool inner, went_on;
    char reason[256];
} guarded;

static void multiply_wrongly(void *argument)
{
    guarded *g = argument;
    tensor_set_grad(g->ctx, false);
    tensor_matmul(tensor_new(g->ctx, 2, (int[]){2, 3}), tensor_new(g->ctx, 2, (int[]){2, 3}));
    g->went_on = true;
}

static void work(void *argument)
{
    guarded *g = argument;
    if (g->deep) {
        g->inner = tensor_guarded(g->ctx, multiply_wrongly, g, g->reason);
        tensor_new(g->ctx, 1, (int[]){1}); /* goes on as if nothing had been */
    } else
        multiply_wrongly(g);
}

static void guarded_work(void)
{
    tensor_context *ctx = test_context(NULL);
    char reason[256] = "";
    guarded g = {.ctx = ctx};
    tensor_set_failure_handler(ctx, test_handler, NULL);
    CHECK(!tensor_guarded(ctx, work, &g, reason) && !g.went_on, "a wrong product went through");
    CHECK(strncmp(reason, "matmul: ", 8) == 0 && strstr(reason, "(2,3)"), "\"%s\"", reason);
    CHECK(tensor_mark(ctx) == 0 && tensor_grad_enabled(ctx), "something is left of it");
    g.deep = true;
    CHECK(tensor_guarded(ctx, work, &g, reason) && !g.inner && !g.went_on,
          "the outer guard took the inner one's failure");
    CHECK(strcmp(g.reason, reason) == 0, "\"%s\"", g.reason);
    tensor_step_end(ctx);
    EXPECT_FAILURE(ctx, tensor_new(ctx, 1, (int[]){0}), "new: (0) has a dimension below 1");
    tensor_context_free(ctx);
}

int main(void)
{
    see_whether_malloc_counts();
    step_memory();
    mark_and_release();
    steady_state(1);
    steady_state(2);
    step_limit();
    planning();
    no_memory();
    shapes();
    kernels_by_name();
    gradients_add_up();
    forgotten_gradients();
    without_gradients();
    after_a_failure();
    tape_as_text();
    guarded_work();
    every_index_once();
    scratch();
    rows_added();
    same_bits();
    return test_end();
}
