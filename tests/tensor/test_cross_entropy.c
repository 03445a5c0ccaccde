/* SPDX-License-Identifier: MIT */
/* test_cross_entropy.c -- cross_entropy.c: against sums in double, and the form that makes
 * its own logits against the ops one by one, bit for bit. */
#include "tests/tensor/test_tensor.h"

enum { ROWS = 6, CLASSES = 9 };

typedef struct entropy {
    int target[ROWS];
    tensor_objective objective;
} entropy;

static tensor *op_entropy(tensor *const leaf[], const void *argument)
{
    const entropy *s = argument;
    return tensor_cross_entropy(leaf[0], s->target, &s->objective, NULL);
}

static double plain_loss(const double *x, int target)
{
    double sum = 0;
    for (int v = 0; v < CLASSES; v++)
        sum += exp(x[v]);
    return log(sum) - x[target];
}

static void ref_entropy(double *y, double *const leaf[], const void *argument)
{
    const entropy *s = argument;
    const tensor_objective *o = &s->objective;
    double smoothing = (double)o->smoothing, sum = 0, weights = 0;
    for (int i = 0; i < ROWS; i++)
        if (s->target[i] != -100) {
            const double *x = leaf[0] + i * CLASSES;
            double weight = o->weight ? (double)o->weight[i] : 1, loss = 0;
            double all = plain_loss(x, 0) + x[0];
            for (int v = 0; v < CLASSES; v++)
                loss += smoothing / CLASSES * plain_loss(x, v);
            loss += (1 - smoothing) * plain_loss(x, s->target[i]) + (double)o->z_loss * all * all;
            sum += weight * loss;
            weights += weight;
        }
    if (o->total > 0)
        weights = o->total;
    y[0] = weights > 0 ? sum / weights : 0;
}

/* A row's loss, below 5: the sum of 9 exponentials (each to 6u) to 15u relative, so its logarithm
 * to 15u and 4u of 2.2 more; m - x to 2u; their sum to 5u; smoothing rounds thrice more what is
 * below 5, and the mean of 9 logits has 9u. Below 64u; z at most 0.02 of its square adds a tenth of
 * 2 * 4u. A gradient is the mean of probabilities to 20u, of size 1 at most, and a few roundings:
 * below 32u. */
static void entropies(void)
{
    static const float weight[ROWS] = {0.5F, 1, 0, 7, 0.25F, 1};
    static const entropy cases[] = {
        {{0, 8, 3, -100, 3, 5}, {.total = 0}},
        {{0, 8, 3, -100, 3, 5}, {.smoothing = 0.1F}},
        {{1, 1, 1, 1, 1, 1}, {.smoothing = 1}},
        {{-100, -100, -100, -100, -100, -100}, {.smoothing = 0.1F}},
        {{0, 8, 3, -100, 3, 5}, {.z_loss = 0.01F}},
        {{0, 8, 3, -100, 3, 5}, {.weight = weight}},
        {{0, 8, 3, -100, 3, 5}, {0.1F, 0.02F, weight, 11}},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        test_op_run(&(test_op){.name = "cross_entropy",
                               .op = op_entropy,
                               .reference = ref_entropy,
                               .argument = &cases[c],
                               .leaves = 1,
                               .shape = {{2, {ROWS, CLASSES}}},
                               .value_error = 64 * U,
                               .gradient_error = 32 * U});
}

static tensor *op_large_entropy(tensor *const leaf[], const void *argument)
{
    return tensor_cross_entropy(leaf[0], argument, &(tensor_objective){.smoothing = 0.1F}, NULL);
}

static void large_entropy(void)
{
    int target[203];
    for (int i = 0; i < 203; i++)
        target[i] = i % 7 == 3 ? -100 : i * 5;
    test_op_run(&(test_op){.name = "large cross_entropy",
                           .op = op_large_entropy,
                           .argument = target,
                           .leaves = 1,
                           .shape = {{2, {203, 1021}}}});
}

/* row_loss is the plain loss whatever the smoothing, 0 where ignored; a confident row loses
 * nothing. */
static void row_losses(void)
{
    static const int target[ROWS] = {0, 8, 3, -100, 3, 5};
    float val[ROWS * CLASSES], row[ROWS];
    tensor x;
    tensor_context *ctx = test_context(NULL);
    test_fill(val, ROWS * CLASSES, 0);
    for (int v = 0; v < CLASSES; v++)
        val[v] = v == 0 ? 3e38F : -3e38F;
    tensor_leaf(&x, ctx, 2, (int[]){ROWS, CLASSES}, val, NULL);
    tensor_cross_entropy(&x, target, &(tensor_objective){.smoothing = 0.3F}, row);
    CHECK(row[0] == 0, "confident: %g", (double)row[0]);
    CHECK(row[3] == 0, "ignored: %g", (double)row[3]);
    for (int i = 0; i < ROWS; i++) {
        double logits[CLASSES];
        for (int v = 0; v < CLASSES; v++)
            logits[v] = (double)val[i * CLASSES + v];
        if (i != 0 && i != 3)
            CHECK(fabs((double)row[i] - plain_loss(logits, target[i])) <= 32 * U, "row %d: %.9g", i,
                  (double)row[i]);
    }
    tensor_context_free(ctx);
}

/* ---- logits made on the way ---- */

/* Its rows take two chunks, which hold 2^23 logits each. */
typedef struct head {
    int rows, width, classes;
    tensor_objective objective;
} head;

typedef struct head_result {
    float loss, *row_loss, *dx, *dweight;
} head_result;

/* dx passes through a scale, as in a T5 whose head is its embedding. */
static head_result run_head(const head *s, bool whole, int threads)
{
    tensor_context *ctx = test_context(NULL);
    tensor_set_threads(ctx, threads);
    size_t x_size = (size_t)s->rows * (size_t)s->width;
    size_t w_size = (size_t)s->classes * (size_t)s->width;
    head_result r = {.row_loss = test_floats((size_t)s->rows),
                     .dx = test_floats(x_size),
                     .dweight = test_floats(w_size)};
    float *x_val = test_floats(x_size), *w_val = test_floats(w_size);
    int *target = calloc((size_t)s->rows, sizeof *target);
    CHECK(target != NULL, "no memory");
    test_fill(x_val, x_size, 1);
    test_fill(w_val, w_size, 2);
    memset(r.dx, 0, x_size * sizeof(float));
    test_fill(r.dweight, w_size, 3); /* it is added to */
    for (int i = 0; i < s->rows; i++)
        target[i] = i % 5 == 4 ? -100 : i * 7 % s->classes;
    tensor x, w;
    tensor_leaf(&x, ctx, 2, (int[]){s->rows, s->width}, x_val, r.dx);
    tensor_leaf(&w, ctx, 2, (int[]){s->classes, s->width}, w_val, r.dweight);
    tensor *scaled = tensor_scale(&x, 0.5F);
    if (whole) {
        tensor *logits = tensor_linear(scaled, &w, NULL);
        tensor *loss = tensor_cross_entropy(logits, target, &s->objective, r.row_loss);
        r.loss = loss->val[0];
        tensor_backward(loss);
    } else {
        r.loss = (float)tensor_head_loss(scaled, &w, target, &s->objective, r.row_loss, NULL);
        tensor_backward_from(scaled);
    }
    free(x_val);
    free(w_val);
    free(target);
    tensor_context_free(ctx);
    return r;
}

static void free_head(head_result *r)
{
    free(r->row_loss);
    free(r->dx);
    free(r->dweight);
}

static void heads(void)
{
    static const head cases[] = {{7, 5, 11, {.total = 0}},
                                 {40, 33, 70, {0.1F, 0.01F, NULL, 60}},
                                 {19, 3, 700000, {.smoothing = 0.1F}}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        const head *s = &cases[c];
        head_result want = run_head(s, true, 1);
        for (int threads = 1; threads <= TEST_THREADS; threads++) {
            head_result got = run_head(s, false, threads);
            CHECK(memcmp(&got.loss, &want.loss, sizeof want.loss) == 0, "case %zu: loss %.9g, %.9g",
                  c, (double)got.loss, (double)want.loss);
            CHECK(memcmp(got.row_loss, want.row_loss, (size_t)s->rows * 4) == 0, "case %zu", c);
            CHECK(memcmp(got.dx, want.dx, (size_t)s->rows * (size_t)s->width * 4) == 0,
                  "case %zu, %d threads: dx", c, threads);
            CHECK(memcmp(got.dweight, want.dweight, (size_t)s->classes * (size_t)s->width * 4) == 0,
                  "case %zu, %d threads: dweight", c, threads);
            free_head(&got);
        }
        free_head(&want);
    }
}

/* Without gradients: the loss alone. */
static void head_without_gradients(void)
{
    float val[12], dx[6] = {0}, dw[6] = {0};
    tensor x, w;
    tensor_context *ctx = test_context(NULL);
    test_fill(val, 12, 1);
    tensor_leaf(&x, ctx, 2, (int[]){2, 3}, val, dx);
    tensor_leaf(&w, ctx, 2, (int[]){2, 3}, val + 6, dw);
    tensor_set_grad(ctx, false);
    double loss = tensor_head_loss(&x, &w, (int[]){0, 1}, NULL, NULL, NULL);
    tensor *logits = tensor_linear(&x, &w, NULL);
    CHECK((float)loss == tensor_cross_entropy(logits, (int[]){0, 1}, NULL, NULL)->val[0], "%g",
          loss);
    for (int i = 0; i < 6; i++)
        CHECK(dx[i] == 0 && dw[i] == 0, "gradient %d was touched", i);
    tensor_context_free(ctx);
}

static void failures(void)
{
    static float val[ROWS * CLASSES];
    tensor x, line, w;
    tensor_context *ctx = test_context(NULL);
    tensor_set_failure_handler(ctx, test_handler, NULL);
    tensor_leaf(&x, ctx, 2, (int[]){3, 4}, val, NULL);
    tensor_leaf(&line, ctx, 1, (int[]){4}, val, NULL);
    tensor_leaf(&w, ctx, 2, (int[]){4, 3}, val, NULL);
    EXPECT_FAILURE(ctx, tensor_cross_entropy(&line, (int[]){0}, NULL, NULL),
                   "cross_entropy: the logits are (4); (N,V) was expected");
    EXPECT_FAILURE(ctx, tensor_cross_entropy(&x, ((int[]){0, 4, 1}), NULL, NULL),
                   "cross_entropy: target 4 of row 1 is no class of (3,4)");
    EXPECT_FAILURE(ctx, tensor_cross_entropy(&x, ((int[]){0, 3, -1}), NULL, NULL),
                   "cross_entropy: target -1 of row 2 is no class of (3,4)");
    const tensor_objective smooth = {.smoothing = 1.5F}, z = {.z_loss = -1};
    EXPECT_FAILURE(ctx, tensor_cross_entropy(&x, ((int[]){0, 3, 1}), &smooth, NULL),
                   "cross_entropy: smoothing 1.5; 0 to 1 was expected");
    EXPECT_FAILURE(ctx, tensor_cross_entropy(&x, ((int[]){0, 3, 1}), &z, NULL),
                   "cross_entropy: z_loss -1, total 0; at least 0 was expected");
    EXPECT_FAILURE(ctx, tensor_head_loss(&x, &w, ((int[]){0, 3, 1}), NULL, NULL, NULL),
                   "head_loss: x (3,4) and weight (4,3); (N,D) and (V,D) were expected");
    tensor_context_free(ctx);
}

int main(void)
{
    entropies();
    large_entropy();
    row_losses();
    heads();
    head_without_gradients();
    failures();
    return test_end();
}
