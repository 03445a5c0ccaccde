/* SPDX-License-Identifier: MIT */
/* kernel_scalar.c -- every kernel in its plain form: what the SIMD sets must equal, bit for bit.
 *
 * Read this file to know what a kernel computes; kernel_body.h says how to do it quickly. It also
 * has the fma that all arithmetic rests on, exact with hardware or without, and the functions for
 * single values. */
#include "tensor/kernel_sets.h"

#include "base/math.h"

#include <math.h>
#include <stdint.h>

enum { LANES = 16, TILE_M = 4, TILE_N = 16 };

/* ---- fma ---- */

/* x y + z, rounded once, out of double arithmetic (Boldo & Melquiond 2008, "Emulation of FMA and
 * correctly rounded sums: proved algorithms using rounding to odd", IEEE Trans. Computers 57(4)).
 *
 * The product of two floats has 48 bits: exact in double. Its sum with z need not be, and rounding
 * that sum to 53 bits and then to 24 could round twice, wrongly where the first step lands on a
 * tie of the second. So the first step rounds to odd instead: cut off what does not fit and, if
 * that was anything, set the last bit. No tie of 24 bits (nor of fewer, for denormals) is odd in
 * 53, so the second step sees on which side of it the exact sum lies.
 *
 * What the addition lost is had exactly by Knuth's TwoSum. Where it has the sign opposite to the
 * sum, the sum was rounded away from zero; the next double towards zero is the cut one, and as an
 * integer it is one less. Infinities and NaN make `lost` a NaN, for which both tests are false. */
static inline float fused_exactly(float x, float y, float z)
{
    double product = (double)x * (double)y, addend = (double)z;
    double sum = product + addend;
    double part = sum - product;
    double lost = (product - (sum - part)) + (addend - part);
    double side = lost * sum; /* never underflows: both are far from the end of double's range */
    uint64_t bits = base_bits_of_double(sum);
    if (side < 0.0)
        bits = (bits - 1) | 1;
    else if (side > 0.0)
        bits |= 1;
    return (float)base_double_of_bits(bits);
}

static inline float fused(float x, float y, float z)
{
#ifdef FP_FAST_FMAF
    return fmaf(x, y, z);
#else
    return fused_exactly(x, y, z);
#endif
}

float tensor_fmaf(float x, float y, float z) { return fused(x, y, z); }

float tensor_fmaf_exact(float x, float y, float z) { return fused_exactly(x, y, z); }

/* ---- single values ---- */

typedef float vec;

/* clang-format off */
static inline vec vec_set(float x)             { return x; }
static inline vec vec_add(vec a, vec b)        { return a + b; }
static inline vec vec_sub(vec a, vec b)        { return a - b; }
static inline vec vec_mul(vec a, vec b)        { return a * b; }
static inline vec vec_div(vec a, vec b)        { return a / b; }
static inline vec vec_fma(vec a, vec b, vec c) { return fused(a, b, c); }
static inline vec vec_max(vec a, vec b)        { return a > b ? a : b; }
static inline vec vec_min(vec a, vec b)        { return a < b ? a : b; }
static inline bool vec_less(vec a, vec b)      { return a < b; }
static inline vec vec_select(bool mask, vec a, vec b) { return mask ? a : b; }
/* clang-format on */

/* The bits of a float: 1 of sign, 8 of exponent, 23 of fraction. */
static inline vec vec_abs(vec a) { return base_float_of_bits(base_bits_of_float(a) & 0x7fffffff); }

static inline vec vec_shift23(vec a) { return base_float_of_bits(base_bits_of_float(a) << 23); }

static inline vec vec_copysign(vec size, vec sign)
{
    return base_float_of_bits((base_bits_of_float(size) & 0x7fffffff) |
                              (base_bits_of_float(sign) & 0x80000000));
}

#define SCALAR_FMA fused
#include "tensor/log_body.h"
#include "tensor/vec_math_body.h"

/* clang-format off */
float tensor_expf(float x)  { return vec_exp(x); }
float tensor_tanhf(float x) { return vec_tanh(x); }
float tensor_erff(float x)  { return vec_erf(x); }
float tensor_logf(float x)  { return ln(x); }
/* clang-format on */

/* ---- reductions: kernel.h, rule 3 ---- */

/* The lanes' sum, in halves. */
static float fold(float *lane)
{
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++)
            lane[j] += lane[j + half];
    return lane[0];
}

static float dot(const float *x, const float *y, size_t n)
{
    float lane[LANES] = {0};
    for (size_t i = 0; i < n; i++)
        lane[i % LANES] = fused(x[i], y[i], lane[i % LANES]);
    return fold(lane);
}

static float dot_standardised(const float *y, const float *x, float mean, float r, size_t n)
{
    float lane[LANES] = {0};
    for (size_t i = 0; i < n; i++)
        lane[i % LANES] = fused(y[i], (x[i] - mean) * r, lane[i % LANES]);
    return fold(lane);
}

static float squares_about(const float *x, float mean, size_t n)
{
    float lane[LANES] = {0};
    for (size_t i = 0; i < n; i++)
        lane[i % LANES] = fused(x[i] - mean, x[i] - mean, lane[i % LANES]);
    return fold(lane);
}

static float sum(const float *x, size_t n)
{
    float lane[LANES] = {0};
    for (size_t i = 0; i < n; i++)
        lane[i % LANES] += x[i];
    return fold(lane);
}

static void dots(float *to, const float *x, const ptrdiff_t *at, size_t count, const float *y,
                 size_t n)
{
    for (size_t t = 0; t < count; t++)
        to[t] += dot(x + at[t], y, n);
}

static void plane_sums(float *to, const float *x, size_t stride, size_t count, size_t n)
{
    for (size_t p = 0; p < count; p++)
        to[p] = sum(x + p * stride, n);
}

static void plane_squares(float *to, const float *x, float mean, size_t stride, size_t count,
                          size_t n)
{
    for (size_t p = 0; p < count; p++)
        to[p] = squares_about(x + p * stride, mean, n);
}

static void plane_slopes(float *to, float *dots_with, const float *y, const float *x, float mean,
                         float r, size_t stride, size_t count, size_t n)
{
    for (size_t p = 0; p < count; p++, y += stride, x += stride) {
        to[p] = sum(y, n);
        dots_with[p] = dot_standardised(y, x, mean, r, n);
    }
}

/* The larger; the first of equals; NaN if either is NaN. */
static float larger(float a, float b) { return b > a || isnan(b) ? b : a; }

static float max(const float *x, size_t n)
{
    float lane[LANES];
    for (int j = 0; j < LANES; j++)
        lane[j] = -INFINITY;
    for (size_t i = 0; i < n; i++)
        lane[i % LANES] = larger(lane[i % LANES], x[i]);
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++)
            lane[j] = larger(lane[j], lane[j + half]);
    return lane[0];
}

/* ---- element by element ---- */

static void add(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = y[i] + x[i];
}

static void axpy(float *y, float a, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = fused(a, x[i], y[i]);
}

static void scale(float *y, float a, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = a * x[i];
}

static void mul(float *y, const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = a[i] * b[i];
}

static void mul_add(float *y, const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = fused(a[i], b[i], y[i]);
}

static void add_to(float *y, const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = a[i] + b[i];
}

/* ---- activations ---- */

static void relu(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = 0.0F > x[i] ? 0.0F : x[i]; /* a NaN stays one */
}

static void relu_backward(float *dx, const float *y, const float *dy, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (y[i] > 0.0F)
            dx[i] = dx[i] + dy[i];
}

static void relu_gate(float *dy, const float *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dy[i] = y[i] > 0.0F ? dy[i] : 0.0F;
}

static float to_six(float x) { return vec_min(6.0F, vec_max(0.0F, x)); } /* a NaN stays one */

static void relu6(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = to_six(x[i]);
}

static void relu6_backward(float *dx, const float *y, const float *dy, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (0.0F < y[i] && y[i] < 6.0F)
            dx[i] = dx[i] + dy[i];
}

static void relu6_gate(float *dy, const float *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dy[i] = 0.0F < y[i] && y[i] < 6.0F ? dy[i] : 0.0F;
}

static void hard_swish(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] * (to_six(x[i] + 3.0F) * (1.0F / 6));
}

/* Between -3 and 3 the derivative of x (x + 3) / 6. */
static void hard_swish_backward(float *dx, const float *x, const float *dy, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float slope = x[i] < 3.0F ? fused(x[i], 1.0F / 3, 0.5F) : 1.0F;
        slope = -3.0F < x[i] ? slope : 0.0F;
        dx[i] = fused(dy[i], slope, dx[i]);
    }
}

/* Both GELUs are x Phi(x), where Phi(x) = 0.5 (1 + t) is or resembles the normal distribution's
 * integral: y = h + h t with h = x/2. The slope is Phi + x Phi'. Beyond 16 it is 0 or 1 in float32;
 * x is held there so that no product of 0 and infinity comes up. */
static float clamp(float x) { return vec_min(16.0F, vec_max(-16.0F, x)); }

/* 1 - t^2, the slope of t = tanh(u), without cancellation: 1 - t is exact from t = 0.5 on. */
static float sech2_of_tanh(float t) { return (1.0F - t) * (1.0F + t); }

static const float GELU_C = 0.797884561F;         /* sqrt(2/pi) */
static const float GELU_CUBE = 0.0356774081F;     /* 0.044715 sqrt(2/pi) */
static const float GELU_SLOPE = 0.107032224F;     /* 3 * 0.044715 sqrt(2/pi) */
static const float SQRT_HALF = 0.707106781F;      /* sqrt(1/2) */
static const float NORMAL_DENSITY = 0.398942280F; /* 1 / sqrt(2 pi) */

/* t = tanh(u), u = sqrt(2/pi) (x + 0.044715 x^3) */
static void gelu_new(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float h = 0.5F * x[i];
        float u = x[i] * fused(GELU_CUBE, x[i] * x[i], GELU_C);
        y[i] = fused(h, tensor_tanhf(u), h);
    }
}

/* Phi' = 0.5 (1 - t^2) du/dx, du/dx = sqrt(2/pi) (1 + 3 * 0.044715 x^2) */
static void gelu_new_backward(float *dx, const float *x, const float *dy, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float z = clamp(x[i]), square = z * z;
        float t = tensor_tanhf(z * fused(GELU_CUBE, square, GELU_C));
        float half_sech2 = 0.5F * sech2_of_tanh(t);
        float slope =
            fused(half_sech2 * z, fused(GELU_SLOPE, square, GELU_C), fused(0.5F, t, 0.5F));
        dx[i] = fused(dy[i], slope, dx[i]);
    }
}

/* t = erf(x / sqrt 2) */
static void gelu_erf(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float h = 0.5F * x[i];
        y[i] = fused(h, tensor_erff(SQRT_HALF * x[i]), h);
    }
}

/* Phi' = exp(-x^2/2) / sqrt(2 pi) */
static void gelu_erf_backward(float *dx, const float *x, const float *dy, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float z = clamp(x[i]);
        float t = tensor_erff(SQRT_HALF * z);
        float density = NORMAL_DENSITY * tensor_expf(-0.5F * z * z);
        float slope = fused(z, density, fused(0.5F, t, 0.5F));
        dx[i] = fused(dy[i], slope, dx[i]);
    }
}

static void tanh_forward(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = tensor_tanhf(x[i]);
}

static void tanh_backward(float *dx, const float *y, const float *dy, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dx[i] = fused(dy[i], sech2_of_tanh(y[i]), dx[i]);
}

/* ---- rows ---- */

static float exp_sum(float *y, const float *x, float shift, size_t n)
{
    float lane[LANES] = {0};
    for (size_t i = 0; i < n; i++) {
        y[i] = tensor_expf(x[i] - shift);
        lane[i % LANES] += y[i];
    }
    return fold(lane);
}

static void softmax_backward(float *dx, const float *y, const float *dy, float inner, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dx[i] = fused(y[i], dy[i] - inner, dx[i]);
}

static void attention_row(float *x, float factor, const float *bias, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = bias ? factor * x[i] + bias[i] : factor * x[i];
    scale(x, 1.0F / exp_sum(x, x, max(x, n), n), x, n);
}

static void attention_row_backward(float *ds, const float *p, const float *dp, size_t n)
{
    float inner = dot(p, dp, n);
    for (size_t i = 0; i < n; i++)
        ds[i] = p[i] * (dp[i] - inner);
}

static float rmsnorm(float *y, const float *x, const float *g, float eps, size_t n)
{
    float r = 1.0F / sqrtf(dot(x, x, n) / (float)n + eps);
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] * r * g[i];
    return r;
}

/* y_i = g_i x_i r with r = (sum_j x_j^2 / n + eps)^(-1/2), so dr/dx_j = -r^3 x_j / n, and
 *   dx_j = r g_j dy_j + sum_i g_i x_i dy_i dr/dx_j = r (g_j dy_j - x_j r^2/n sum_i g_i dy_i x_i) */
static void rmsnorm_backward(float *dx, float *dg, const float *x, const float *g, const float *dy,
                             float r, size_t n)
{
    if (dx) {
        float lane[LANES] = {0};
        for (size_t i = 0; i < n; i++)
            lane[i % LANES] = fused(g[i] * dy[i], x[i], lane[i % LANES]);
        float minus = -(r * r / (float)n * fold(lane));
        for (size_t i = 0; i < n; i++)
            dx[i] = fused(r, fused(minus, x[i], g[i] * dy[i]), dx[i]);
    }
    if (dg)
        for (size_t i = 0; i < n; i++)
            dg[i] = fused(dy[i], x[i] * r, dg[i]);
}

/* ---- optimizers ---- */

/* gradient = s g + decay p; buffer = momentum buffer + gradient, at first just the gradient;
 * p -= rate (nesterov ? gradient + momentum buffer : buffer). No momentum: no buffer. */
static void sgd(float *p, const float *g, float *m, size_t n, const tensor_update *u)
{
    for (size_t i = 0; i < n; i++) {
        float step = fused(u->decay, p[i], u->grad_scale * g[i]);
        if (u->momentum > 0.0F) {
            m[i] = u->first ? step : fused(u->momentum, m[i], step);
            step = u->nesterov ? fused(u->momentum, m[i], step) : m[i];
        }
        p[i] = fused(-u->rate, step, p[i]);
    }
}

/* v = alpha v + (1 - alpha) gradient^2; step = gradient / (sqrt(v) + eps), with momentum
 * m = momentum m + step in its place; p -= rate step. */
static void rmsprop(float *p, const float *g, float *v, float *m, size_t n, const tensor_update *u)
{
    for (size_t i = 0; i < n; i++) {
        float gradient = fused(u->decay, p[i], u->grad_scale * g[i]);
        v[i] = fused(u->beta2, v[i], (1.0F - u->beta2) * gradient * gradient);
        float step = gradient / (sqrtf(v[i]) + u->eps);
        if (u->momentum > 0.0F)
            step = m[i] = fused(u->momentum, m[i], step);
        p[i] = fused(-u->rate, step, p[i]);
    }
}

/* m = beta1 m + (1 - beta1) gradient, v = beta2 v + (1 - beta2) gradient^2;
 * p -= rate/correction1 m / (sqrt(v)/correction2 + eps). Returns the new p. */
static float adam_step(float p, float gradient, float *m, float *v, const tensor_update *u)
{
    *m = fused(u->beta1, *m, (1.0F - u->beta1) * gradient);
    *v = fused(u->beta2, *v, (1.0F - u->beta2) * gradient * gradient);
    float step = *m / (sqrtf(*v) / u->correction2 + u->eps);
    return fused(-(u->rate / u->correction1), step, p);
}

static void adam(float *p, const float *g, float *m, float *v, size_t n, const tensor_update *u)
{
    for (size_t i = 0; i < n; i++) {
        float gradient = fused(u->decay, p[i], u->grad_scale * g[i]);
        p[i] = adam_step(p[i], gradient, &m[i], &v[i], u);
    }
}

/* The decay acts on p itself, before the step. */
static void adamw(float *p, const float *g, float *m, float *v, size_t n, const tensor_update *u)
{
    float keep = fused(-u->rate, u->decay, 1.0F);
    for (size_t i = 0; i < n; i++)
        p[i] = adam_step(keep * p[i], u->grad_scale * g[i], &m[i], &v[i], u);
}

/* ---- matrix product ---- */

static void gemm_tile(const tensor_tile *t)
{
    for (size_t i = 0; i < (size_t)t->rows; i++)
        for (size_t j = 0; j < (size_t)t->cols; j++) {
            const float *a = t->a + i * t->a_row, *b = t->b + j;
            float *c = t->c + i * t->ldc + j, chain = t->accumulate ? *c : 0.0F;
            for (size_t l = 0; l < t->k; l++, a += t->a_step, b += t->b_step)
                chain = fused(*a, *b, chain);
            *c = chain;
        }
}

static void copy(float *y, size_t ldy, const float *x, size_t ldx, size_t rows, size_t cols)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j++)
            y[i * ldy + j] = x[i * ldx + j];
}

static void pack_tiles(float *y, const float *x, size_t ldx, size_t steps, size_t cols)
{
    for (size_t k = 0; k < steps; k++)
        for (size_t j = 0; j < cols; j++)
            y[(j / TILE_M * steps + k) * TILE_M + j % TILE_M] = x[k * ldx + j];
}

static void transpose(float *y, size_t ldy, const float *x, size_t ldx, size_t rows, size_t cols)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j++)
            y[j * ldy + i] = x[i * ldx + j];
}

/* ---- images: the body of all sets, with a vec of one float ---- */

enum { VEC_WIDTH = 1 };

/* clang-format off */
static inline vec vec_load(const float *p)                { return *p; }
static inline void vec_store(float *p, vec a)             { *p = a; }
static inline vec get(const float *x, size_t i, size_t n) { return i < n ? x[i] : 0.0F; }
static inline bool vec_nan(vec a)                         { return a != a; }
static inline void vec_transpose(const vec *row)          { (void)row; }
/* clang-format on */

static inline void put(float *y, size_t i, size_t n, vec v)
{
    if (i < n)
        y[i] = v;
}

#include "tensor/image_body.h"

_Static_assert(TENSOR_WIDEST_TILE % TILE_N == 0, "the width of a tile");

const tensor_kernels tensor_kernels_scalar = {
    .name = "scalar",
    .tile_m = TILE_M,
    .tile_n = TILE_N,
#define KERNEL(result, name, parameters) name, /* in the order of the list, as in the struct */
#include "tensor/kernel_list.h"
    .image = &image_kernels,
};
