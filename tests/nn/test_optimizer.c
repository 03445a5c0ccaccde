/* SPDX-License-Identifier: MIT */
/* test_optimizer.c -- nn/optimizer.c and nn/adafactor.c against the definitions, in double.
 *
 * Gradients are prescribed, so that errors do not feed back on themselves, with 1/8 <= |g| <= 2.
 * Tolerance: in S steps of rate r an average of gradients collects at most 3 S roundings of
 * |g| <= 2, and is divided by a root of at least 1/8; that 48 S eps comes in S times with the
 * factor r, next to S roundings of p itself and some ten of the update: S eps (|p| + r (48 S +
 * 64)). */
#include "base/random.h"
#include "nn/optimizer.h"
#include "tensor/context.h"
#include "tests/test.h"

#include <float.h>
#include <math.h>

enum { STEPS = 12, TENSORS = 6, MOST = 20000 };

static const double EPSILON = FLT_EPSILON;

static const struct {
    const char *name;
    int rank, dim[4];
} shapes[TENSORS] = {
    {"scalar", 0, {0}},      {"vector", 1, {7}},           {"matrix", 2, {5, 9}},
    {"stack", 3, {3, 4, 5}}, {"kernels", 4, {2, 3, 5, 5}}, {"large", 2, {40, 450}},
};

typedef struct model {
    tensor_context *ctx;
    nn_params *params;
    nn_optimizer *optimizer;
} model;

static model make(const nn_optimizer_config *config, const char *set, int threads)
{
    model m;
    base_error error;
    setenv("PHOENIX_KERNEL", set, 1);
    m.ctx = tensor_context_new();
    unsetenv("PHOENIX_KERNEL");
    tensor_set_threads(m.ctx, threads);
    m.params = nn_params_new(m.ctx);
    for (int i = 0; i < TENSORS; i++)
        nn_param(m.params, shapes[i].name, shapes[i].rank, shapes[i].dim);
    CHECK(nn_params_allocate(m.params, true, &error), "%s", error.text);
    for (int i = 0; i < TENSORS; i++)
        nn_init_kaiming_uniform(nn_params_tensor(m.params, i), 1, 3, (uint64_t)i);
    m.optimizer = nn_optimizer_new(m.params, config, &error);
    CHECK(m.optimizer, "%s", error.text);
    return m;
}

static void destroy(model *m)
{
    nn_optimizer_free(m->optimizer);
    nn_params_free(m->params);
    tensor_context_free(m->ctx);
}

static float gradient(int step, size_t i)
{
    uint32_t word = base_random_word(9, (uint64_t)step, i);
    float size = 0.125F + (float)(word >> 8) * 0x1p-24F * 1.875F;
    return word & 1 ? size : -size;
}

/* The schedule and the clipping of a step. */
static double factor_of(int step) { return 1 - 0.03125 * step; }

static float clip_of(int step) { return step % 3 == 2 ? 0.5F : 1; }

static void step(model *m, int number)
{
    for (size_t i = 0; i < nn_params_size(m->params); i++)
        nn_params_gradients(m->params)[i] = gradient(number, i) / clip_of(number);
    nn_optimizer_step(m->optimizer, factor_of(number), clip_of(number));
}

/* ---- the definitions ---- */

static double P[MOST], M[MOST], V[MOST], G[MOST];

/* torch.optim, one element. t counts from 1. */
static void step_element(const nn_optimizer_config *c, double rate, int t, size_t i)
{
    double g = G[i];
    if (c->kind == NN_ADAMW || c->kind == NN_ADAMW_SCALED)
        P[i] *= 1 - rate * c->weight_decay;
    else
        g += c->weight_decay * P[i];
    switch (c->kind) {
    case NN_SGD:
        if (c->momentum > 0) {
            M[i] = t == 1 ? g : c->momentum * M[i] + g;
            g = c->nesterov ? g + c->momentum * M[i] : M[i];
        }
        P[i] -= rate * g;
        break;
    case NN_RMSPROP:
        V[i] = c->beta2 * V[i] + (1 - c->beta2) * g * g;
        g /= sqrt(V[i]) + c->eps;
        if (c->momentum > 0)
            g = M[i] = c->momentum * M[i] + g;
        P[i] -= rate * g;
        break;
    default:
        M[i] = c->beta1 * M[i] + (1 - c->beta1) * g;
        V[i] = c->beta2 * V[i] + (1 - c->beta2) * g * g;
        P[i] -= rate / (1 - pow(c->beta1, t)) * M[i] /
                (sqrt(V[i]) / sqrt(1 - pow(c->beta2, t)) + c->eps);
        break;
    }
}

/* transformers' Adafactor, one tensor of n matrices of (R,C) at `first`. M has the averages of rows
 * and V those of columns, or of the elements themselves, at the matrix's first places. */
static void step_adafactor(const nn_optimizer_config *c, double factor, int t, size_t first,
                           size_t n, size_t R, size_t C, bool factored)
{
    static double U[MOST];
    double beta2 = 1 - pow(t, c->decay_rate), rms_p = 0, rms_u = 0;
    for (size_t k = 0; k < n; k++) {
        const double *g = G + first + k * R * C;
        double *u = U + first + k * R * C, *row = M + first + k * R * C,
               *col = V + first + k * R * C;
        double mean = 0;
        for (size_t i = 0; i < R && factored; i++) {
            double sum = 0;
            for (size_t j = 0; j < C; j++)
                sum += (g[i * C + j] * g[i * C + j] + c->eps1) / (double)C;
            row[i] = beta2 * row[i] + (1 - beta2) * sum;
            mean += row[i] / (double)R;
        }
        for (size_t j = 0; j < C; j++) {
            double sum = 0;
            for (size_t i = 0; i < R; i++)
                sum += (g[i * C + j] * g[i * C + j] + c->eps1) / (double)R;
            col[j] = beta2 * col[j] + (1 - beta2) * sum;
        }
        for (size_t i = 0; i < R; i++)
            for (size_t j = 0; j < C; j++) {
                double v = factored ? row[i] / mean * col[j] : col[j];
                u[i * C + j] = g[i * C + j] / sqrt(v);
            }
    }
    size_t size = n * R * C;
    for (size_t i = first; i < first + size; i++) {
        rms_p += P[i] * P[i] / (double)size;
        rms_u += U[i] * U[i] / (double)size;
    }
    double rate = c->relative_step ? fmin(1e-2, 1 / sqrt(t)) : c->rate;
    rate *= factor * (c->scale_parameter ? fmax(c->eps2, sqrt(rms_p)) : 1);
    for (size_t i = first; i < first + size; i++) {
        P[i] -= c->weight_decay * rate * P[i];
        P[i] -= rate * U[i] / fmax(1, sqrt(rms_u) / c->clip_threshold);
    }
}

static double rms_of(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * x[i];
    return sqrt(sum / (double)n);
}

static void step_reference(const nn_optimizer_config *c, int number)
{
    size_t first = 0;
    for (size_t i = 0; i < MOST; i++)
        G[i] = (double)gradient(number, i);
    for (int t = 0; t < TENSORS; t++) {
        size_t n = 1, R = 1, C = 1;
        int rank = shapes[t].rank;
        for (int i = 0; i < rank; i++)
            *(i == rank - 1 ? &C : i == rank - 2 ? &R : &n) *= (size_t)shapes[t].dim[i];
        double rate = c->rate * factor_of(number);
        if (c->kind == NN_ADAMW_SCALED)
            rate *= fmax(c->eps2, rms_of(P + first, n * R * C));
        if (c->kind == NN_ADAFACTOR)
            step_adafactor(c, factor_of(number), number + 1, first, n, R, C, rank >= 2);
        else
            for (size_t i = first; i < first + n * R * C; i++)
                step_element(c, rate, number + 1, i);
        first += n * R * C;
    }
}

/* ---- the tests ---- */

static nn_optimizer_config variant(int which)
{
    nn_optimizer_config c = nn_optimizer_default(NN_SGD);
    c.rate = 0.03125;
    switch (which) {
    case 0:
        return c;
    case 1:
        c.momentum = 0.875;
        c.weight_decay = 0.125;
        return c;
    case 2:
        c.momentum = 0.75;
        c.nesterov = true;
        return c;
    case 3:
        c = nn_optimizer_default(NN_RMSPROP);
        c.eps = 0.25;
        c.weight_decay = 0.0625;
        return c;
    case 4:
        c = nn_optimizer_default(NN_RMSPROP);
        c.momentum = 0.5;
        return c;
    case 5:
        c = nn_optimizer_default(NN_ADAM);
        c.eps = 0.25;
        c.weight_decay = 0.125;
        c.rate = 0.0625;
        return c;
    case 6:
        c = nn_optimizer_default(NN_ADAMW);
        c.rate = 0.0625;
        c.weight_decay = 0.5;
        c.beta2 = 0.75;
        return c;
    case 7:
        c = nn_optimizer_default(NN_ADAM);
        c.beta1 = 0;
        return c;
    case 8:
        return nn_optimizer_default(NN_ADAFACTOR);
    case 9:
        c = nn_optimizer_default(NN_ADAFACTOR);
        c.relative_step = c.scale_parameter = false;
        c.clip_threshold = 0.5;
        c.rate = 0.0625;
        c.weight_decay = 0.25;
        return c;
    case 10: /* rates of tensors of deviation 1 / sqrt(3), and of none above the least */
        c = nn_optimizer_default(NN_ADAMW_SCALED);
        c.rate = 0.0625;
        c.weight_decay = 0.5;
        return c;
    case 11:
        c = nn_optimizer_default(NN_ADAMW_SCALED);
        c.eps2 = 4;
        return c;
    default:
        c = nn_optimizer_default(NN_ADAFACTOR);
        c.eps1 = 0.5;
        c.eps2 = 2;
        c.weight_decay = 4;
        c.clip_threshold = 4;
        c.decay_rate = -0.5;
        return c;
    }
}

enum { VARIANTS = 13 };

static void test_definition(int which)
{
    nn_optimizer_config c = variant(which);
    model m = make(&c, "scalar", 1);
    memset(M, 0, sizeof M);
    memset(V, 0, sizeof V);
    size_t size = nn_params_size(m.params);
    for (size_t i = 0; i < size; i++)
        P[i] = (double)nn_params_values(m.params)[i];
    double rate = c.relative_step ? 1e-2 * fmax(1, c.eps2) : c.rate;
    if (c.kind == NN_ADAMW_SCALED)
        rate *= fmax(1, c.eps2);
    for (int number = 0; number < STEPS; number++) {
        step(&m, number);
        step_reference(&c, number);
        double worst = 0, most = 0;
        for (size_t i = 0; i < size; i++) {
            worst = fmax(worst, fabs((double)nn_params_values(m.params)[i] - P[i]));
            most = fmax(most, fabs(P[i]));
        }
        int taken = number + 1;
        double bound = taken * EPSILON * (most + rate * (48 * taken + 64));
        CHECK(worst <= bound, "%s (%d), step %d: %g from the definition, expected within %g",
              nn_optimizer_names[c.kind], which, taken, worst, bound);
    }
    destroy(&m);
}

static void test_same_bits(int which)
{
    static float first[MOST];
    nn_optimizer_config c = variant(which);
    bool is_first = true;
    for (const char *const *set = tensor_kernels_available(); *set; set++)
        for (int threads = 1; threads <= 3; threads++) {
            model m = make(&c, *set, threads);
            for (int number = 0; number < 3; number++)
                step(&m, number);
            size_t bytes = nn_params_size(m.params) * sizeof *first;
            if (is_first)
                memcpy(first, nn_params_values(m.params), bytes);
            is_first = false;
            CHECK(memcmp(first, nn_params_values(m.params), bytes) == 0,
                  "%s (%d): %s with %d threads has other bits", nn_optimizer_names[c.kind], which,
                  *set, threads);
            destroy(&m);
        }
}

/* Stopped after some steps, saved, restored elsewhere: the same bits at the end. */
static void test_resume(int which)
{
    nn_optimizer_config c = variant(which);
    model straight = make(&c, "", 1), before = make(&c, "", 1), after = make(&c, "", 1);
    for (int number = 0; number < STEPS; number++) {
        step(&straight, number);
        if (number < 5)
            step(&before, number);
    }
    size_t count, room, size = nn_params_size(before.params);
    const float *from = nn_optimizer_state(before.optimizer, &count);
    float *to = nn_optimizer_state(after.optimizer, &room);
    CHECK(count == room, "%zu and %zu floats of state", count, room);
    memcpy(to, from, count * sizeof *to);
    memcpy(nn_params_values(after.params), nn_params_values(before.params), size * sizeof *to);
    nn_optimizer_set_steps(after.optimizer, 5);
    for (int number = 5; number < STEPS; number++)
        step(&after, number);
    CHECK(memcmp(nn_params_values(straight.params), nn_params_values(after.params),
                 size * sizeof *to) == 0,
          "%s (%d): a resumed run ends with other bits", nn_optimizer_names[c.kind], which);
    destroy(&straight);
    destroy(&before);
    destroy(&after);
}

static void check_state(nn_optimizer_kind kind, double momentum, size_t want)
{
    nn_optimizer_config c = nn_optimizer_default(kind);
    c.momentum = momentum;
    model m = make(&c, "", 1);
    size_t count;
    nn_optimizer_state(m.optimizer, &count);
    CHECK(count == want, "%s keeps %zu floats, expected %zu", nn_optimizer_names[kind], count,
          want);
    destroy(&m);
}

static void test_state_size(void)
{
    size_t all = 1 + 7 + 45 + 60 + 150 + 18000;
    check_state(NN_SGD, 0, 0);
    check_state(NN_SGD, 0.5, all);
    check_state(NN_RMSPROP, 0, all);
    check_state(NN_RMSPROP, 0.5, 2 * all);
    check_state(NN_ADAM, 0, 2 * all);
    check_state(NN_ADAMW, 0.5, 2 * all);
    check_state(NN_ADAFACTOR, 0, 1 + 7 + (5 + 9) + 3 * (4 + 5) + 6 * (5 + 5) + (40 + 450));
}

static void check_refused(nn_optimizer_config c, const char *word)
{
    base_error error = {""};
    tensor_context *ctx = tensor_context_new();
    nn_params *params = nn_params_new(ctx);
    nn_param(params, "p", 1, (int[]){1});
    CHECK(nn_params_allocate(params, true, &error), "%s", error.text);
    nn_optimizer *optimizer = nn_optimizer_new(params, &c, &error);
    CHECK(!optimizer && strstr(error.text, word), "%s: taken, or: \"%s\"", word, error.text);
    nn_optimizer_free(optimizer);
    nn_params_free(params);
    tensor_context_free(ctx);
}

static void test_refused(void)
{
    nn_optimizer_config c = nn_optimizer_default(NN_ADAM), bad = c;
    bad.rate = NAN;
    check_refused(bad, "rate");
    bad.rate = -1;
    check_refused(bad, "rate");
    bad.rate = INFINITY;
    check_refused(bad, "rate");
    bad = c, bad.beta1 = 1;
    check_refused(bad, "beta1");
    bad = c, bad.beta2 = 1.5;
    check_refused(bad, "beta2");
    bad = c, bad.eps = -1e-8;
    check_refused(bad, "eps");
    bad = c, bad.weight_decay = NAN;
    check_refused(bad, "decay");
    bad = c, bad.kind = NN_OPTIMIZERS;
    check_refused(bad, "none");
    bad = nn_optimizer_default(NN_SGD), bad.nesterov = true;
    check_refused(bad, "nesterov");
    bad = nn_optimizer_default(NN_ADAFACTOR), bad.decay_rate = 0.8;
    check_refused(bad, "decay rate");
    bad = nn_optimizer_default(NN_ADAFACTOR), bad.clip_threshold = 0;
    check_refused(bad, "clip threshold");
}

int main(void)
{
    for (int which = 0; which < VARIANTS; which++) {
        test_definition(which);
        test_same_bits(which);
        test_resume(which);
    }
    test_state_size();
    test_refused();
    return test_end();
}
