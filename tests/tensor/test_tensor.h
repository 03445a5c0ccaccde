/* SPDX-License-Identifier: MIT */
/* test_tensor.h -- what the tests of ops share: one op held against a reference, everywhere.
 *
 * test_op_run() runs an op forward and backward for every kernel set of this machine and for 1, 2
 * and 3 threads, on leaves of seeded random values. It checks
 *
 *   bits       values and gradients are the same for all of them;
 *   values     against a reference in double, within value_error;
 *   gradients  those of sum_i c_i y_i, the c_i random and at most 1 in size, against differences of
 *              the reference, within gradient_error.
 *
 * The differences are taken of the reference, not of the op: in double they can be had nearly
 * exactly, while differences of the op could not see a wrong thousandth through float32's rounding.
 * With four points at h = 2^-9 what is left is h^4/30 < 5e-13 times the fifth derivative, allowed
 * to be 1000, and the rounding of the N values of y that move, of size 1 or so: 18 N 2^-53 / 12 h <
 * N 2^-42. Everything else is the op's own rounding, and each test derives its two bounds from
 * that: u = 2^-24 for each operation, times the size of what was rounded. */
#ifndef TEST_TENSOR_H
#define TEST_TENSOR_H

#include "base/random.h"
#include "tensor/context.h"
#include "tests/test.h"

#include <math.h>
#include <setjmp.h>

#define U 0x1p-24 /* half a unit in the last place of 1 */

enum { TEST_LEAVES = 4, TEST_THREADS = 3, TEST_SAMPLES = 12 };

typedef struct test_op {
    const char *name;
    tensor *(*op)(tensor *const leaf[], const void *argument);
    void (*reference)(double *y, double *const leaf[], const void *argument); /* NULL: bits only */
    const void *argument;
    int leaves;
    struct {
        int rank, dim[TENSOR_MAX_RANK];
    } shape[TEST_LEAVES];
    double value_error, gradient_error;
} test_op;

/* Value i of a stream, in [-1, 1), never within 1/64 of 0: no difference step crosses a kink. */
static inline float test_value(uint64_t stream, size_t i)
{
    double x = base_random_word(7, stream, i) * 0x1p-31 - 1;
    return (float)(fabs(x) < 1.0 / 64 ? x + (x < 0 ? -1.0 : 1.0) / 64 : x);
}

static inline void test_fill(float *x, size_t n, uint64_t stream)
{
    for (size_t i = 0; i < n; i++)
        x[i] = test_value(stream, i);
}

/* A context that uses the kernels of that name (NULL: the best). */
static inline tensor_context *test_context(const char *kernels)
{
    setenv("PHOENIX_KERNEL", kernels ? kernels : "", 1);
    tensor_context *ctx = tensor_context_new();
    unsetenv("PHOENIX_KERNEL");
    if (!ctx) {
        printf("no context for kernels %s\n", kernels ? kernels : "(best)");
        exit(1);
    }
    return ctx;
}

/* ---- failures ---- */

static jmp_buf test_jump;
static char test_message[1024];

static inline void test_handler(void *user, const char *operation, const char *message)
{
    (void)user;
    snprintf(test_message, sizeof test_message, "%s: %s", operation, message);
    longjmp(test_jump, 1);
}

/* `call` must fail with exactly that message. The context's handler must be test_handler. */
#define EXPECT_FAILURE(ctx, call, expected)                                                \
    do {                                                                                   \
        if (setjmp(test_jump) == 0) {                                                      \
            call;                                                                          \
            CHECK(false, "%s: did not fail", #call);                                       \
        } else                                                                             \
            CHECK(strcmp(test_message, expected) == 0, "%s: \"%s\"", #call, test_message); \
        tensor_step_end(ctx);                                                              \
    } while (0)

/* ---- one op, everywhere ---- */

typedef struct test_result {
    size_t size[TEST_LEAVES + 1]; /* of the leaves, and of y at the end */
    float *y, *grad[TEST_LEAVES];
} test_result;

static inline float *test_floats(size_t n)
{
    float *x = calloc(n ? n : 1, sizeof *x);
    if (!x) {
        printf("out of memory\n");
        exit(1);
    }
    return x;
}

static inline void test_result_free(test_result *r)
{
    free(r->y);
    for (int l = 0; l < TEST_LEAVES; l++)
        free(r->grad[l]);
}

static inline test_result test_op_once(const test_op *t, const char *kernels, int threads)
{
    test_result r = {.y = NULL};
    tensor leaf[TEST_LEAVES], *in[TEST_LEAVES] = {NULL};
    float *val[TEST_LEAVES] = {NULL};
    tensor_context *ctx = test_context(kernels);
    tensor_set_threads(ctx, threads);
    for (int l = 0; l < t->leaves; l++) {
        r.size[l] = 1;
        for (int i = 0; i < t->shape[l].rank; i++)
            r.size[l] *= (size_t)t->shape[l].dim[i];
        val[l] = test_floats(r.size[l]);
        r.grad[l] = test_floats(r.size[l]);
        test_fill(val[l], r.size[l], (uint64_t)l);
        tensor_leaf(&leaf[l], ctx, t->shape[l].rank, t->shape[l].dim, val[l], r.grad[l]);
        in[l] = &leaf[l];
    }
    tensor *y = t->op(in, t->argument);
    tensor *c = tensor_new(ctx, y->rank, y->dim);
    test_fill(c->val, tensor_size(c), 99);
    tensor_backward(tensor_sum(tensor_mul(y, c)));
    r.size[TEST_LEAVES] = tensor_size(y);
    r.y = test_floats(r.size[TEST_LEAVES]);
    memcpy(r.y, y->val, r.size[TEST_LEAVES] * sizeof(float));
    tensor_context_free(ctx);
    for (int l = 0; l < t->leaves; l++)
        free(val[l]);
    return r;
}

/* The largest error of got, whether it is within the bound. NaN is the worst of errors. */
static inline void test_close(const char *name, const char *what, const float *got,
                              const double *want, size_t n, double bound)
{
    size_t worst = 0;
    double largest = 0;
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)got[i] - want[i]) <= largest)) {
            largest = fabs((double)got[i] - want[i]);
            worst = i;
        }
    CHECK(largest <= bound, "%s: %s %zu of %zu: got %.9g, want %.9g; error %.3g, bound %.3g", name,
          what, worst, n, (double)got[worst], want[worst], largest, bound);
    if (getenv("TEST_VERBOSE"))
        printf("%s: %s: error %.3g, bound %.3g\n", name, what, largest, bound);
}

/* d(sum_i c_i y_i)/d(*x), *x one of the leaves' values; room for 4 times n. */
static inline double test_difference(const test_op *t, double *room, size_t n, double *const leaf[],
                                     double *x)
{
    const double h = 0x1p-9, here = *x;
    double *above = room, *below = room + n, *above2 = room + 2 * n, *below2 = room + 3 * n;
    double sum = 0;
    *x = here + h;
    t->reference(above, leaf, t->argument);
    *x = here - h;
    t->reference(below, leaf, t->argument);
    *x = here + 2 * h;
    t->reference(above2, leaf, t->argument);
    *x = here - 2 * h;
    t->reference(below2, leaf, t->argument);
    *x = here;
    for (size_t i = 0; i < n; i++)
        sum += (double)test_value(99, i) * (8 * (above[i] - below[i]) - (above2[i] - below2[i]));
    return sum / (12 * h);
}

/* Every element of every leaf is tried where y is small, some where it is large. */
static inline void test_against_reference(const test_op *t, const test_result *r)
{
    size_t n = r->size[TEST_LEAVES];
    double *leaf[TEST_LEAVES] = {NULL}, *y = calloc(4 * n, sizeof *y);
    for (int l = 0; l < t->leaves; l++) {
        leaf[l] = calloc(r->size[l], sizeof *leaf[l]);
        for (size_t i = 0; i < r->size[l]; i++)
            leaf[l][i] = (double)test_value((uint64_t)l, i);
    }
    t->reference(y, leaf, t->argument);
    test_close(t->name, "value", r->y, y, n, t->value_error);
    for (int l = 0; l < t->leaves; l++) {
        size_t step = n <= 500 ? 1 : r->size[l] / TEST_SAMPLES + 1, tried = 0;
        double *slope = calloc(r->size[l], sizeof *slope);
        float *grad = test_floats(r->size[l]);
        char what[32];
        for (size_t i = 0; i < r->size[l]; i += step, tried++) {
            slope[tried] = test_difference(t, y, n, leaf, &leaf[l][i]);
            grad[tried] = r->grad[l][i];
        }
        snprintf(what, sizeof what, "gradient %d", l);
        test_close(t->name, what, grad, slope, tried,
                   t->gradient_error + (double)n * 0x1p-42 + 5e-10);
        free(grad);
        free(slope);
    }
    for (int l = 0; l < t->leaves; l++)
        free(leaf[l]);
    free(y);
}

static inline void test_same_bits(const test_op *t, const test_result *r, const test_result *other,
                                  const char *kernels, int threads)
{
    size_t n = r->size[TEST_LEAVES];
    CHECK(n == other->size[TEST_LEAVES] && memcmp(r->y, other->y, n * sizeof(float)) == 0,
          "%s: values differ with %s, %d threads", t->name, kernels, threads);
    for (int l = 0; l < t->leaves; l++)
        CHECK(memcmp(r->grad[l], other->grad[l], r->size[l] * sizeof(float)) == 0,
              "%s: gradient %d differs with %s, %d threads", t->name, l, kernels, threads);
}

static inline void test_op_run(const test_op *t)
{
    test_result first = test_op_once(t, "scalar", 1);
    for (const char *const *kernels = tensor_kernels_available(); *kernels; kernels++)
        for (int threads = 1; threads <= TEST_THREADS; threads++) {
            test_result other = test_op_once(t, *kernels, threads);
            test_same_bits(t, &first, &other, *kernels, threads);
            test_result_free(&other);
        }
    if (t->reference)
        test_against_reference(t, &first);
    test_result_free(&first);
}

#endif
