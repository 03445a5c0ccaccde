/* SPDX-License-Identifier: MIT */
/* test_kernel.c -- the kernels: the same bits in every set, the accuracy of exp, log, tanh and erf,
 * and the fma under all of them. */
#include "tensor/kernel.h"
#include "tests/test.h"

#include <float.h>
#include <math.h>
#include <stdint.h>

static uint64_t random_state = 1;

static uint32_t random_bits(void) /* Steele, Lea & Flood 2014: splitmix64 */
{
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(z >> 32);
}

static float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* Any NaN is as good as another. */
static bool same(float a, float b) { return bits_of(a) == bits_of(b) || (isnan(a) && isnan(b)); }

static float uniform(float low, float high)
{
    return low + (high - low) * (float)(random_bits() >> 8) * 0x1p-24F;
}

/* ---- fma ---- */

static long fma_wrong;

static void one_fma(float x, float y, float z)
{
    float want = fmaf(x, y, z);
    if (same(tensor_fmaf_exact(x, y, z), want) && same(tensor_fmaf(x, y, z), want))
        return;
    if (fma_wrong++ < 5)
        printf("fma(%a, %a, %a): %a and %a, want %a\n", (double)x, (double)y, (double)z,
               (double)tensor_fmaf_exact(x, y, z), (double)tensor_fmaf(x, y, z), (double)want);
}

/* fmaf of the C library is right, or this test says so. Beside random bits: sums that almost
 * cancel, sums that fall on or next to a tie, denormal results. */
static void test_fma(void)
{
    const float special[] = {0.0F,     -0.0F,         1.0F,       -1.0F,         FLT_MIN,
                             -FLT_MIN, 0x1p-149F,     -0x1p-149F, FLT_MAX,       -FLT_MAX,
                             INFINITY, -INFINITY,     NAN,        0x1.fffffep0F, 0x1p-126F,
                             0x1p-24F, 0x1.000002p0F, 0x1p24F,    0x1p-75F,      0x1.fffffep-127F};
    const size_t count = sizeof special / sizeof *special;
    fma_wrong = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            for (size_t k = 0; k < count; k++)
                one_fma(special[i], special[j], special[k]);
    CHECK(fma_wrong == 0, "%ld of the special triples", fma_wrong);

    fma_wrong = 0;
    for (int n = 0; n < 300000; n++)
        one_fma(float_of(random_bits()), float_of(random_bits()), float_of(random_bits()));
    CHECK(fma_wrong == 0, "%ld of the random triples", fma_wrong);

    fma_wrong = 0;
    for (int n = 0; n < 300000; n++) {
        /* few bits in each, at exponents where the product's end meets that of z */
        float x = ldexpf((float)(random_bits() % 4096 + 1), (int)(random_bits() % 24));
        float y = ldexpf((float)(random_bits() % 4096 + 1), (int)(random_bits() % 24) - 12);
        int shift = (int)(random_bits() % 80) - 40;
        float z = ldexpf((float)((int)(random_bits() % 8193) - 4096), shift);
        one_fma(x, y, z);
        one_fma(x, y, -(x * y)); /* all but the error cancels */
        one_fma(1.0F + 0x1p-23F * (float)(random_bits() % 8), 0x1p-24F, x); /* near a tie of x */
        one_fma(x * 0x1p-100F, y * 0x1p-60F, z * 0x1p-149F);                /* denormal */
    }
    CHECK(fma_wrong == 0, "%ld of the adversarial triples", fma_wrong);
}

/* ---- accuracy ---- */

/* The distance of got from want, in units of want's last place as a float. */
static double ulps(float got, long double want)
{
    if (isnan(got) || isnan(want))
        return isnan(got) && isnan(want) ? 0 : INFINITY;
    if (fabsl(want) >= 0x1.ffffffp127L) /* rounds to infinity */
        return isinf(got) && (got > 0) == (want > 0) ? 0 : INFINITY;
    if (isinf(got))
        return INFINITY;
    int exponent;
    frexpl(want, &exponent);
    if (want == 0 || exponent < -125)
        exponent = -125;
    return (double)(fabsl((long double)got - want) / ldexpl(1, exponent - 24));
}

static long double exp_long(long double x) { return expl(x); }

static long double log_long(long double x) { return logl(x); }

static long double tanh_long(long double x) { return tanhl(x); }

static long double erf_long(long double x) { return erfl(x); }

/* Every exponent with `steps` mantissas each, both signs; intervals that matter more closely. */
static void one_accuracy(const char *name, float (*got)(float), long double (*want)(long double),
                         double limit)
{
    double worst = 0;
    float worst_x = 0;
    for (uint32_t exponent = 0; exponent < 256; exponent++) {
        uint32_t steps = exponent >= 118 && exponent <= 134 ? 8192 : 256;
        for (uint32_t i = 0; i <= steps; i++)
            for (uint32_t sign = 0; sign < 2; sign++) {
                uint32_t mantissa = i == steps ? 0x7fffff : i * (0x800000 / steps) + i % 7;
                float x = float_of(sign << 31 | exponent << 23 | mantissa);
                double error = ulps(got(x), want((long double)x));
                if (error > worst) {
                    worst = error;
                    worst_x = x;
                }
            }
    }
    printf("%s: largest error %.3f units in the last place, at %a\n", name, worst, (double)worst_x);
    CHECK(worst <= limit, "%s(%a) = %a: off by %g", name, (double)worst_x, (double)got(worst_x),
          worst);
}

/* The limits were measured over all floats. */
static void test_accuracy(void)
{
    one_accuracy("exp", tensor_expf, exp_long, 0.90);
    one_accuracy("log", tensor_logf, log_long, 1.66);
    one_accuracy("tanh", tensor_tanhf, tanh_long, 1.37);
    one_accuracy("erf", tensor_erff, erf_long, 1.04);

    CHECK(same(tensor_tanhf(-0.0F), -0.0F) && same(tensor_erff(-0.0F), -0.0F),
          "lost the sign of 0");
    CHECK(tensor_tanhf(INFINITY) == 1.0F && tensor_tanhf(-INFINITY) == -1.0F, "tanh(inf)");
    CHECK(tensor_erff(INFINITY) == 1.0F && tensor_erff(-INFINITY) == -1.0F, "erf(inf)");
    CHECK(tensor_expf(-0.0F) == 1.0F && tensor_expf(0x1p-140F) == 1.0F, "exp(0)");
    CHECK(same(tensor_expf(-INFINITY), 0.0F) && tensor_expf(INFINITY) == INFINITY, "exp(inf)");
    CHECK(tensor_logf(-0.0F) == -INFINITY && tensor_logf(INFINITY) == INFINITY, "log(0), log(inf)");
    CHECK(same(tensor_logf(1.0F), 0.0F) && isnan(tensor_logf(-1.0F)), "log(1), log(-1)");
}

/* ---- the same bits ---- */

enum { LONGEST = 1000, MARGIN = 24, ROOM = LONGEST + 2 * MARGIN };

/* Three inputs, three outputs, each with a margin that no kernel may touch. */
typedef struct arrays {
    float in[3][ROOM], out[3][ROOM];
} arrays;

static void fill(arrays *a, int kind)
{
    const float special[] = {0.0F,      -0.0F,      INFINITY, -INFINITY, NAN,   0x1p-149F,
                             FLT_MAX,   -FLT_MAX,   1e-30F,   -1e-30F,   0.5F,  -1.0F,
                             0x1p-126F, -0x1p-140F, 100.0F,   -100.0F,   88.5F, -104.5F};
    for (int i = 0; i < ROOM; i++)
        for (int j = 0; j < 6; j++) {
            float x = uniform(-4.0F, 4.0F);
            if (kind == 1 && random_bits() % 4 == 0)
                x = special[random_bits() % (sizeof special / sizeof *special)];
            if (kind == 2) /* tiny: products underflow, to -0 as well */
                x *= 0x1p-70F;
            if (kind == 3)
                x = float_of(random_bits());
            *(j < 3 ? &a->in[j][i] : &a->out[j - 3][i]) = x;
        }
}

/* What a case gets: three inputs, three outputs that are inputs of kernels that add, and a length. */
typedef struct operands {
    float *x, *y, *z, *o, *p, *q;
    size_t n;
    float result; /* of a kernel that returns a number */
} operands;

static const tensor_update update = {.rate = 0.01F,
                                     .decay = 0.1F,
                                     .momentum = 0.9F,
                                     .beta1 = 0.9F,
                                     .beta2 = 0.99F,
                                     .eps = 1e-8F,
                                     .correction1 = 0.1F,
                                     .correction2 = 0.1F,
                                     .grad_scale = 0.7F};

/* One case for each row of kernel_list.h. A kernel with several ways through it is called for each;
 * since the calls go on with each other's results, a difference in any of them stays to the end. */
#define CASE(name) static void case_##name(const tensor_kernels *k, operands *a)

/* clang-format off */
CASE(dot)               { a->result = k->dot(a->x, a->y, a->n); }
CASE(sum)               { a->result = k->sum(a->x, a->n); }
CASE(max)               { a->result = a->n ? k->max(a->x, a->n) : 0; }
CASE(add)               { k->add(a->o, a->x, a->n); }
CASE(axpy)              { k->axpy(a->o, 0.3F, a->x, a->n); }
CASE(scale)             { k->scale(a->o, -1.7F, a->x, a->n); }
CASE(mul)               { k->mul(a->o, a->x, a->y, a->n); }
CASE(mul_add)           { k->mul_add(a->o, a->x, a->y, a->n); }
CASE(add_to)            { k->add_to(a->o, a->x, a->y, a->n); }
CASE(relu_backward)     { k->relu_backward(a->o, a->x, a->y, a->n); }
CASE(relu_gate)         { k->relu_gate(a->o, a->x, a->n); }
CASE(relu6)             { k->relu6(a->o, a->x, a->n); k->relu6(a->p, a->z, a->n); }
CASE(relu6_gate)        { k->relu6_gate(a->o, a->z, a->n); k->relu6_gate(a->p, a->x, a->n); }
CASE(relu6_backward)    { k->relu6_backward(a->o, a->x, a->y, a->n); }
CASE(hard_swish)        { k->hard_swish(a->o, a->x, a->n); }
CASE(hard_swish_backward) { k->hard_swish_backward(a->o, a->x, a->y, a->n); }
CASE(gelu_new)          { k->gelu_new(a->o, a->x, a->n); }
CASE(gelu_new_backward) { k->gelu_new_backward(a->o, a->x, a->y, a->n); }
CASE(gelu_erf)          { k->gelu_erf(a->o, a->x, a->n); }
CASE(gelu_erf_backward) { k->gelu_erf_backward(a->o, a->x, a->y, a->n); }
CASE(tanh_forward)      { k->tanh_forward(a->o, a->x, a->n); }
CASE(tanh_backward)     { k->tanh_backward(a->o, a->x, a->y, a->n); }
CASE(exp_sum)           { a->result = k->exp_sum(a->o, a->x, 1.5F, a->n); }
CASE(softmax_backward)  { k->softmax_backward(a->o, a->x, a->y, 0.2F, a->n); }
CASE(attention_row_backward) { k->attention_row_backward(a->o, a->x, a->y, a->n); }
CASE(rmsnorm)           { a->result = k->rmsnorm(a->o, a->x, a->y, 1e-6F, a->n); }
CASE(adam)              { k->adam(a->o, a->x, a->p, a->q, a->n, &update); }
CASE(adamw)             { k->adamw(a->o, a->x, a->p, a->q, a->n, &update); }
CASE(fill)              { k->image->fill(a->o, 0.7F, a->n); }
CASE(batchnorm)         { k->image->batchnorm(a->o, a->x, 0.3F, 1.7F, 0.6F, -0.2F, a->n); }
CASE(batchnorm_backward) { k->image->batchnorm_backward(a->o, a->x, a->y, 0, 1, 0.4F, 0.1F, -0.3F, true, a->n); }
/* clang-format on */

CASE(ln)
{
    for (size_t i = 0; i < a->n; i++)
        a->o[i] = k->ln(a->x[i]);
}

CASE(relu)
{
    k->relu(a->o, a->x, a->n);
    k->relu(a->x, a->x, a->n); /* in place */
}

CASE(attention_row)
{
    k->attention_row(a->x, 0.5F, a->y, a->n ? a->n : 1);
    k->attention_row(a->z, 1, NULL, a->n ? a->n : 1);
}

CASE(rmsnorm_backward)
{
    k->rmsnorm_backward(a->o, a->p, a->x, a->y, a->z, 0.8F, a->n);
    k->rmsnorm_backward(NULL, a->p, a->x, a->y, a->z, 0.8F, a->n);
    k->rmsnorm_backward(a->o, NULL, a->x, a->y, a->z, 0.8F, a->n);
}

CASE(sgd)
{
    tensor_update first = update, nesterov = update, plain = update;
    first.first = true;
    nesterov.nesterov = true;
    plain.momentum = 0;
    k->sgd(a->o, a->x, a->p, a->n, &first);
    k->sgd(a->o, a->x, a->p, a->n, &update);
    k->sgd(a->o, a->x, a->p, a->n, &nesterov);
    k->sgd(a->o, a->x, NULL, a->n, &plain);
}

CASE(rmsprop)
{
    tensor_update plain = update;
    plain.momentum = 0;
    k->rmsprop(a->o, a->x, a->p, a->q, a->n, &update);
    k->rmsprop(a->o, a->x, a->p, NULL, a->n, &plain);
}

CASE(copy) { k->copy(a->o, a->n / 3 + 2, a->x, a->n / 3 + 1, 3, a->n / 3); }

/* How wide a tile is differs from set to set; where its elements are follows from that. */
CASE(pack_tiles)
{
    static float packed[2 * ROOM];
    size_t steps = 3, cols = a->n / 3, high = (size_t)k->tile_m;
    k->pack_tiles(packed, a->x, cols + 1, steps, cols);
    for (size_t s = 0; s < steps; s++)
        for (size_t j = 0; j < cols; j++)
            a->o[s * cols + j] = packed[(j / high * steps + s) * high + j % high];
}

/* More columns than rows, and the other way round. */
CASE(transpose)
{
    k->transpose(a->o, 4, a->x, a->n / 3 + 1, 3, a->n / 4);
    k->transpose(a->p, a->n / 20 + 1, a->x, 21, a->n / 21, 19);
}

/* Sizes that the smallest tile has, 4x4; the largest reads 32 floats of a row of b. */
CASE(gemm_tile)
{
    tensor_tile t = {.rows = 1 + (int)(a->n % 4), .cols = 1 + (int)(a->n / 4 % 4), .k = a->n / 40};
    t.a = a->y, t.a_row = 25, t.a_step = 1;
    t.b = a->x, t.b_step = 32;
    t.c = a->o, t.ldc = 7;
    k->gemm_tile(&t);
    t.accumulate = true;
    t.c = a->p;
    k->gemm_tile(&t);
}

/* Tiles whose left, upper and right edges lie outside of planes of 6x9. */
static tensor_winograd_strip strip_of(size_t n)
{
    return (tensor_winograd_strip){.H = 6,
                                   .W = 9,
                                   .y = -1,
                                   .x = -1,
                                   .tiles = 1 + (int)(n % 2),
                                   .channels = 1 + (int)(n % 7),
                                   .point_stride = 20,
                                   .tile_stride = 9};
}

CASE(points_of_input)
{
    tensor_winograd_strip s = strip_of(a->n);
    k->image->points_of_input(a->o, a->x, &s);
}

CASE(points_of_result)
{
    tensor_winograd_strip s = strip_of(a->n);
    k->image->points_of_result(a->o, a->x, &s);
}

CASE(input_of_points)
{
    tensor_winograd_strip s = strip_of(a->n);
    k->image->input_of_points(a->o, a->x, &s);
}

CASE(result_of_points)
{
    tensor_winograd_strip s = strip_of(a->n);
    s.y = s.x = 0;
    k->image->result_of_points(a->o, a->x, NULL, false, &s);
    k->image->result_of_points(a->p, a->x, a->y, true, &s);
}

CASE(points_of_weight) { k->image->points_of_weight(a->o, 24, a->x, 24, a->n % 25); }

CASE(weight_of_points) { k->image->weight_of_points(a->o, 24, a->x, 24, a->n % 25); }

/* Windows of 3x3, in lines of 40. Vectors are written whole, so not all of them is the result. */
enum { WINDOWS = 200 };

CASE(window_max)
{
    float best[WINDOWS + 16], which[WINDOWS + 16];
    size_t n = a->n % WINDOWS;
    k->image->window_max(best, which, a->x, 40, 3, n);
    memcpy(a->o, best, n * sizeof *best);
    memcpy(a->p, which, n * sizeof *which);
}

CASE(window_sum)
{
    float sum[WINDOWS + 16];
    size_t n = a->n % WINDOWS;
    k->image->window_sum(sum, a->x, 40, 3, n);
    memcpy(a->o, sum, n * sizeof *sum);
}

/* A window of 3x3 in lines of 40, forwards and back, and two places more. */
static const ptrdiff_t places[11] = {0, 1, 2, 40, 41, 42, 80, 81, 82, 7, 11};
static const ptrdiff_t back[4] = {82, 81, 0, -3};

CASE(taps)
{
    size_t rows = 1 + a->n % 6, cols = 1 + a->n % 33;
    tensor_taps window = {
        .count = 9, .weight = a->y, .at = places, .start = 0.3F, .ldy = 33, .ldx = 40};
    k->image->taps(a->o, a->x, rows, cols, &window);
    window.at = back, window.count = 4, window.accumulate = true;
    k->image->taps(a->p, a->x + 3, rows, cols, &window);
}

CASE(dots) { k->dots(a->o, a->x, places, 11, a->y, a->n * 9 / 10); }

/* Five planes of a fifth each, with one float between. */
CASE(plane_sums) { k->plane_sums(a->o, a->x, a->n / 5 + 1, 5, a->n / 5); }

CASE(plane_squares) { k->plane_squares(a->o, a->x, 0.3F, a->n / 5 + 1, 5, a->n / 5); }

CASE(plane_slopes)
{
    k->plane_slopes(a->o, a->p, a->y, a->x, 0.3F, 1.7F, a->n / 5 + 1, 5, a->n / 5);
}

/* The rows of the lists; one without a case does not compile. */
typedef struct kernel_case {
    const char *name;
    void (*run)(const tensor_kernels *k, operands *a);
} kernel_case;

static const kernel_case cases[] = {
#define KERNEL(result, name, parameters) {#name, case_##name},
#include "tensor/kernel_list.h"
#define KERNEL(result, name, parameters) {#name, case_##name},
#include "tensor/image_kernel_list.h"
};

enum { KERNELS = sizeof cases / sizeof *cases };

/* first: 1 makes pointers unaligned. */
static float run(const tensor_kernels *k, const kernel_case *c, arrays *a, int first, size_t n)
{
    operands o = {.x = a->in[0] + MARGIN + first,
                  .y = a->in[1] + MARGIN,
                  .z = a->in[2] + MARGIN + first,
                  .o = a->out[0] + MARGIN,
                  .p = a->out[1] + MARGIN + first,
                  .q = a->out[2] + MARGIN,
                  .n = n};
    c->run(k, &o);
    return o.result;
}

static bool same_arrays(const arrays *a, const arrays *b)
{
    for (int j = 0; j < 3; j++)
        for (int i = 0; i < ROOM; i++)
            if (!same(a->in[j][i], b->in[j][i]) || !same(a->out[j][i], b->out[j][i]))
                return false;
    return true;
}

static void test_same_bits(const char *name)
{
    static arrays start, want, got;
    const tensor_kernels *scalar = tensor_kernels_pick("scalar"), *set = tensor_kernels_pick(name);
    float a, b;
    int compared = 0;
    for (int kind = 0; kind < 4; kind++)
        for (size_t n = 0; n <= 71; n++)
            for (int first = 0; first < 2; first++) {
                size_t length = n == 71 ? LONGEST : n;
                fill(&start, kind);
                for (int i = 0; i < KERNELS; i++) {
                    want = start;
                    got = start;
                    a = run(scalar, &cases[i], &want, first, length);
                    b = run(set, &cases[i], &got, first, length);
                    bool equal = same(a, b) && same_arrays(&want, &got);
                    if (!equal || compared++ == 0)
                        CHECK(equal, "%s: %s, n=%zu, kind %d: %a, scalar %a", name, cases[i].name,
                              length, kind, (double)b, (double)a);
                    else
                        test_passed++;
                }
            }
    printf("%s: %d comparisons with scalar\n", name, compared);
}

/* FNV-1a (Fowler, Noll & Vo 1991) over the bits, NaN made equal. */
static void hash_floats(uint64_t *hash, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = isnan(x[i]) ? 0x7fc00000 : bits_of(x[i]);
        for (int byte = 0; byte < 4; byte++)
            *hash = (*hash ^ (bits >> 8 * byte & 255)) * UINT64_C(0x100000001b3);
    }
}

/* The same bits from every compiler and on every machine: a number stands for a kernel's results. */
static const struct {
    const char *name;
    uint64_t hash;
} known[] = {
    {"ln", UINT64_C(0xea41ccfc766c0996)},
    {"dot", UINT64_C(0x81e4891ad7051ae6)},
    {"sum", UINT64_C(0x40cf9f54c2c5733e)},
    {"max", UINT64_C(0x6fda8b0b3f482221)},
    {"dots", UINT64_C(0xc0806d8502441c1a)},
    {"plane_sums", UINT64_C(0x325bd8009a93d257)},
    {"plane_squares", UINT64_C(0x2af0c37797cdc007)},
    {"plane_slopes", UINT64_C(0x8457ecf4f36d3f99)},
    {"add", UINT64_C(0xf6b5a774a368321c)},
    {"axpy", UINT64_C(0x80b5c7d43dca8cc4)},
    {"scale", UINT64_C(0x8aec0a3bd1d95520)},
    {"mul", UINT64_C(0x723b044e9bf35741)},
    {"mul_add", UINT64_C(0x65900f83d9db2c07)},
    {"add_to", UINT64_C(0x198e75f72eeae5a4)},
    {"relu", UINT64_C(0x572785352df236c1)},
    {"relu_backward", UINT64_C(0xf48d489100678057)},
    {"relu_gate", UINT64_C(0x649fde59b29e6291)},
    {"relu6", UINT64_C(0xd1cbbbb7230c8f94)},
    {"relu6_backward", UINT64_C(0xa85fd661ac95eb3a)},
    {"relu6_gate", UINT64_C(0xa50ae8a9a87d5010)},
    {"hard_swish", UINT64_C(0x2e8750ac766e6d09)},
    {"hard_swish_backward", UINT64_C(0x40bdb8e8b4429978)},
    {"gelu_new", UINT64_C(0x237dfcdfd7fe5ecd)},
    {"gelu_new_backward", UINT64_C(0x751d901137a1faa2)},
    {"gelu_erf", UINT64_C(0x38f9c590040e1982)},
    {"gelu_erf_backward", UINT64_C(0x685e87a0130c4466)},
    {"tanh_forward", UINT64_C(0xaddf2c7a7568e779)},
    {"tanh_backward", UINT64_C(0x29cc2660d1723151)},
    {"exp_sum", UINT64_C(0x3afa67ca3d2ac90c)},
    {"softmax_backward", UINT64_C(0xa7c6dfe946accf74)},
    {"attention_row", UINT64_C(0x41ab439be3c19072)},
    {"attention_row_backward", UINT64_C(0x25b2207de91047d5)},
    {"rmsnorm", UINT64_C(0x15606e32a695f2e3)},
    {"rmsnorm_backward", UINT64_C(0xbd197d0dc6741d0b)},
    {"sgd", UINT64_C(0x95099b223a1626a6)},
    {"rmsprop", UINT64_C(0x4d11876fc71460eb)},
    {"adam", UINT64_C(0x99fb8bc414b9e842)},
    {"adamw", UINT64_C(0xb895d45c19cc7745)},
    {"copy", UINT64_C(0x482853f6f3f40452)},
    {"pack_tiles", UINT64_C(0x45de4edb0535fb17)},
    {"transpose", UINT64_C(0x37819f705c7b824d)},
    {"gemm_tile", UINT64_C(0x2a7990bb489f9284)},
    {"points_of_input", UINT64_C(0x63678084f55f29e4)},
    {"result_of_points", UINT64_C(0xaf7f9c0546311bb9)},
    {"points_of_result", UINT64_C(0xf0236e7d8c6655af)},
    {"input_of_points", UINT64_C(0x1f3d0fde005fa291)},
    {"points_of_weight", UINT64_C(0x10c748a84f853d54)},
    {"weight_of_points", UINT64_C(0x5b65549c98fbf92b)},
    {"window_max", UINT64_C(0x65f4365ed7986f0e)},
    {"window_sum", UINT64_C(0xb26acec2cd640542)},
    {"taps", UINT64_C(0x8fa828d9ce3a453b)},
    {"fill", UINT64_C(0x310c758c4f18e9cd)},
    {"batchnorm", UINT64_C(0x5900112d1bb876ce)},
    {"batchnorm_backward", UINT64_C(0xd35a6c2235630165)},
};

static uint64_t known_bits(const char *name)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].hash;
    return 0;
}

static void test_known_bits(const char *name)
{
    static arrays start, a;
    const tensor_kernels *set = tensor_kernels_pick(name);
    for (int i = 0; i < KERNELS; i++) {
        uint64_t hash = UINT64_C(0xcbf29ce484222325);
        random_state = 99;
        for (int kind = 0; kind < 4; kind++)
            for (size_t n = 1; n <= LONGEST; n += 111) {
                fill(&start, kind);
                a = start;
                float result = run(set, &cases[i], &a, 0, n);
                hash_floats(&hash, &result, 1);
                hash_floats(&hash, a.in[0], 3 * ROOM);
                hash_floats(&hash, a.out[0], 3 * ROOM);
            }
        CHECK(hash == known_bits(cases[i].name), "%s, %s: 0x%016llx", name, cases[i].name,
              (unsigned long long)hash);
    }
}

/* A set's functions for single values stand in for its vectors'. */
static void test_functions_agree(const char *name)
{
    static float x[4096], y[4096];
    const tensor_kernels *set = tensor_kernels_pick(name);
    long wrong = 0;
    for (int round = 0; round < 50; round++) {
        for (size_t i = 0; i < 4096; i++)
            x[i] = round % 2 ? float_of(random_bits()) : uniform(-110.0F, 90.0F);
        set->tanh_forward(y, x, 4096);
        for (size_t i = 0; i < 4096; i++)
            wrong += !same(y[i], tensor_tanhf(x[i]));
        set->exp_sum(y, x, 0.0F, 4096);
        for (size_t i = 0; i < 4096; i++)
            wrong += !same(y[i], tensor_expf(x[i]));
    }
    CHECK(wrong == 0, "%s: %ld values", name, wrong);
}

/* ---- against double ---- */

/* Every rounding error is at most half an epsilon of what stood there at that moment. */
static void test_reductions_are_right(const char *name)
{
    static float x[LONGEST], y[LONGEST];
    const tensor_kernels *set = tensor_kernels_pick(name);
    for (size_t n = 1; n <= LONGEST; n += n < 70 ? 1 : 93) {
        double dot = 0, sum = 0, dot_size = 0, sum_size = 0;
        float largest = -INFINITY;
        for (size_t i = 0; i < n; i++) {
            x[i] = uniform(-1.0F, 1.0F);
            y[i] = uniform(-1.0F, 1.0F);
            dot += (double)x[i] * (double)y[i];
            dot_size += fabs((double)x[i] * (double)y[i]);
            sum += (double)x[i];
            sum_size += fabs((double)x[i]);
            largest = x[i] > largest ? x[i] : largest;
        }
        double each = (double)(n / 16 + 5) * (double)FLT_EPSILON / 2;
        double got_dot = (double)set->dot(x, y, n), got_sum = (double)set->sum(x, n);
        CHECK(fabs(got_dot - dot) <= each * dot_size, "%s n=%zu: %g, want %g", name, n, got_dot,
              dot);
        CHECK(fabs(got_sum - sum) <= each * sum_size, "%s n=%zu: %g, want %g", name, n, got_sum,
              sum);
        CHECK(set->max(x, n) == largest, "%s n=%zu", name, n);
        x[n / 2] = NAN;
        CHECK(isnan(set->max(x, n)), "%s n=%zu: lost a NaN", name, n);
    }
    CHECK(isinf(set->max(&(float){-INFINITY}, 1)), "%s: max of -inf", name);
}

static double gelu_new_in_double(double x)
{
    return 0.5 * x * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
}

static double gelu_erf_in_double(double x) { return 0.5 * x * (1 + erf(x / sqrt(2))); }

/* Values to a few units of the last place of |x|, since 1 + t cancels for negative x; slopes
 * against central differences in double, whose error is about h^2. */
static void test_gelu_is_right(const char *name)
{
    enum { N = 1601 };
    static float x[N], y[N], z[N], d[N], e[N], one[N];
    const tensor_kernels *set = tensor_kernels_pick(name);
    for (int i = 0; i < N; i++) {
        x[i] = (float)(i - 800) / 100.0F;
        one[i] = 1.0F;
        d[i] = e[i] = 0.0F;
    }
    set->gelu_new(y, x, N);
    set->gelu_erf(z, x, N);
    set->gelu_new_backward(d, x, one, N);
    set->gelu_erf_backward(e, x, one, N);
    double value = 0, slope = 0;
    const double h = 1e-5;
    for (int i = 0; i < N; i++) {
        double v = (double)x[i], size = fabs(v) + 1e-30;
        value = fmax(value, fabs((double)y[i] - gelu_new_in_double(v)) / size);
        value = fmax(value, fabs((double)z[i] - gelu_erf_in_double(v)) / size);
        double new_slope = (gelu_new_in_double(v + h) - gelu_new_in_double(v - h)) / (2 * h);
        double erf_slope = (gelu_erf_in_double(v + h) - gelu_erf_in_double(v - h)) / (2 * h);
        slope = fmax(slope, fmax(fabs((double)d[i] - new_slope), fabs((double)e[i] - erf_slope)));
    }
    CHECK(value <= 8 * (double)FLT_EPSILON, "%s: %g", name, value);
    CHECK(slope <= 8 * (double)FLT_EPSILON, "%s: %g", name, slope);
}

/* ---- choosing ---- */

static void test_pick(void)
{
    const char *const *names = tensor_kernels_available();
    int count = 0;
    while (names[count])
        count++;
    CHECK(count >= 1 && strcmp(names[count - 1], "scalar") == 0, "%d sets", count);
    CHECK(tensor_kernels_pick(NULL) == tensor_kernels_pick(names[0]), "the best is not the first");
    CHECK(tensor_kernels_pick("") == tensor_kernels_pick(names[0]), "empty name");
    CHECK(tensor_kernels_pick("mmx") == NULL, "there is no such set");
    for (int i = 0; i < count; i++) {
        const tensor_kernels *set = tensor_kernels_pick(names[i]);
        CHECK(set && strcmp(set->name, names[i]) == 0, "%s", names[i]);
    }
}

int main(void)
{
    test_pick();
    test_fma();
    test_accuracy();
    for (const char *const *name = tensor_kernels_available(); *name; name++) {
        if (strcmp(*name, "scalar") != 0)
            test_same_bits(*name);
        test_known_bits(*name);
        test_functions_agree(*name);
        test_reductions_are_right(*name);
        test_gelu_is_right(*name);
    }
    static const char *const sets[] = {"avx512", "avx2", "sse2", "neon"};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        if (!tensor_kernels_pick(sets[i]))
            SKIP("%s: this machine or this build has no such kernels", sets[i]);
    return test_end();
}
