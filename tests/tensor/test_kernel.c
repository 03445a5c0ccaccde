/* The kernels: the same bits in every set, the accuracy of exp, log, tanh and erf, and the fma
 * under all of them. */
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
static bool same(float a, float b)
{
    return bits_of(a) == bits_of(b) || (isnan(a) && isnan(b));
}

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

static long double exp_long(long double x)
{
    return expl(x);
}

static long double log_long(long double x)
{
    return logl(x);
}

static long double tanh_long(long double x)
{
    return tanhl(x);
}

static long double erf_long(long double x)
{
    return erfl(x);
}

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

/* Three inputs, three outputs, each with a margin that no kernel may touch; `first` makes pointers
 * unaligned. */
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

/* Runs kernel number `which`; false when there is none of that number. */
static bool run(const tensor_kernels *k, int which, arrays *a, int first, size_t n, float *result)
{
    float *x = a->in[0] + MARGIN + first, *y = a->in[1] + MARGIN, *z = a->in[2] + MARGIN + first;
    float *o = a->out[0] + MARGIN, *p = a->out[1] + MARGIN + first, *q = a->out[2] + MARGIN;
    tensor_update u = {.rate = 0.01F,
                       .decay = 0.1F,
                       .momentum = 0.9F,
                       .beta1 = 0.9F,
                       .beta2 = 0.99F,
                       .eps = 1e-8F,
                       .correction1 = 0.1F,
                       .correction2 = 0.1F,
                       .grad_scale = 0.7F,
                       .nesterov = false,
                       .first = false};
    *result = 0;
    switch (which) {
    case 0:
        *result = k->dot(x, y, n);
        break;
    case 1:
        *result = k->sum(x, n);
        break;
    case 2:
        *result = n ? k->max(x, n) : 0;
        break;
    case 3:
        k->add(o, x, n);
        break;
    case 4:
        k->axpy(o, 0.3F, x, n);
        break;
    case 5:
        k->scale(o, -1.7F, x, n);
        break;
    case 6:
        k->mul(o, x, y, n);
        break;
    case 7:
        k->mul_add(o, x, y, n);
        break;
    case 8:
        k->add_to(o, x, y, n);
        break;
    case 9:
        k->relu(o, x, n);
        break;
    case 10:
        k->relu_backward(o, x, y, n);
        break;
    case 11:
        k->gelu_new(o, x, n);
        break;
    case 12:
        k->gelu_new_backward(o, x, y, n);
        break;
    case 13:
        k->gelu_erf(o, x, n);
        break;
    case 14:
        k->gelu_erf_backward(o, x, y, n);
        break;
    case 15:
        k->tanh(o, x, n);
        break;
    case 16:
        k->tanh_backward(o, x, y, n);
        break;
    case 17:
        *result = k->exp_sum(o, x, 1.5F, n);
        break;
    case 18:
        k->softmax_backward(o, x, y, 0.2F, n);
        break;
    case 19:
        *result = k->rmsnorm(o, x, y, 1e-6F, n);
        break;
    case 20:
        k->rmsnorm_backward(o, p, x, y, z, 0.8F, n);
        break;
    case 21:
        k->rmsnorm_backward(NULL, p, x, y, z, 0.8F, n);
        break;
    case 22:
        k->rmsnorm_backward(o, NULL, x, y, z, 0.8F, n);
        break;
    case 23:
        k->sgd(o, x, p, n, &u);
        break;
    case 24:
        u.nesterov = true;
        k->sgd(o, x, p, n, &u);
        break;
    case 25:
        u.first = true;
        k->sgd(o, x, p, n, &u);
        break;
    case 26:
        u.momentum = 0;
        k->sgd(o, x, NULL, n, &u);
        break;
    case 27:
        k->rmsprop(o, x, p, q, n, &u);
        break;
    case 28:
        u.momentum = 0;
        k->rmsprop(o, x, p, NULL, n, &u);
        break;
    case 29:
        k->adam(o, x, p, q, n, &u);
        break;
    case 30:
        k->adamw(o, x, p, q, n, &u);
        break;
    case 31:
        k->relu(x, x, n);
        break; /* in place */
    case 32:
        k->copy(o, n / 3 + 2, x, n / 3 + 1, 3, n / 3);
        break;
    case 33:
        k->transpose(o, 4, x, n / 3 + 1, 3, n / 4);
        break;
    case 34:
        k->transpose(o, n / 20 + 1, x, 21, n / 21, 19);
        break;
    case 35:
        k->relu_gate(o, x, n);
        break;
    case 36:
        k->attention_row(x, 0.5F, y, n ? n : 1);
        break;
    case 37:
        k->attention_row(x, 1, NULL, n ? n : 1);
        break;
    case 38:
        k->attention_row_backward(o, x, y, n);
        break;
    case 39:
        for (size_t i = 0; i < n; i++)
            o[i] = k->log(x[i]);
        break;
    default:
        return false;
    }
    return true;
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
                for (int which = 0;; which++) {
                    want = start;
                    got = start;
                    if (!run(scalar, which, &want, first, length, &a))
                        break;
                    run(set, which, &got, first, length, &b);
                    bool equal = same(a, b) && same_arrays(&want, &got);
                    if (!equal || compared++ == 0)
                        CHECK(equal, "%s, kernel %d, n=%zu, kind %d: %a, scalar %a", name, which,
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

/* The same bits from every compiler and on every machine: one number stands for all results. */
static void test_known_bits(void)
{
    static arrays start, a;
    const tensor_kernels *set = tensor_kernels_pick(NULL);
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    float result;
    random_state = 99;
    for (int kind = 0; kind < 4; kind++)
        for (size_t n = 1; n <= LONGEST; n += 111) {
            fill(&start, kind);
            for (int which = 0;; which++) {
                a = start;
                if (!run(set, which, &a, 0, n, &result))
                    break;
                hash_floats(&hash, &result, 1);
                for (int j = 0; j < 3; j++)
                    hash_floats(&hash, a.out[j], ROOM);
            }
        }
    for (int i = 0; i < 100000; i++) {
        result = tensor_logf(float_of(random_bits()));
        hash_floats(&hash, &result, 1);
    }
    CHECK(hash == UINT64_C(0xd1b8497d8f4fbd7d), "%s: %016llx", set->name, (unsigned long long)hash);
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
        set->tanh(y, x, 4096);
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

static double gelu_erf_in_double(double x)
{
    return 0.5 * x * (1 + erf(x / sqrt(2)));
}

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
        void (*slot)(void);
        for (size_t at = offsetof(tensor_kernels, dot); at < sizeof *set; at += sizeof slot) {
            memcpy(&slot, (const char *)set + at, sizeof slot);
            CHECK(slot != NULL, "%s: an empty slot at byte %zu", names[i], at);
        }
    }
}

int main(void)
{
    test_pick();
    test_fma();
    test_accuracy();
    test_known_bits();
    for (const char *const *name = tensor_kernels_available(); *name; name++) {
        if (strcmp(*name, "scalar") != 0)
            test_same_bits(*name);
        test_functions_agree(*name);
        test_reductions_are_right(*name);
        test_gelu_is_right(*name);
    }
    static const char *const known[] = {"avx512", "avx2", "sse2", "neon"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!tensor_kernels_pick(known[i]))
            SKIP("%s: this machine or this build has no such kernels", known[i]);
    return test_end();
}
