/* SPDX-License-Identifier: MIT */
/* kernel_body.h -- every kernel once more, as a machine with vectors does it. Included by each
 * kernel_<set>.c after it has defined the operations of vec_math_body.h and these:
 *
 *   VEC_WIDTH                       floats in a vec: 4, 8 or 16
 *   vec_load(p), vec_store(p, v)    at any address
 *   vec_load_part(p, n), vec_store_part(p, v, n)   only the first n < VEC_WIDTH; others load as 0
 *   vec_first(n)                    a mask: the first n < VEC_WIDTH of the floats
 *   vec_nan(v)                      a mask: those which are NaN
 *   vec_sqrt(v)
 *   vec_transpose(rows)             of VEC_WIDTH x VEC_WIDTH floats in an array of vec, in place
 *   SCALAR_FMA(x, y, z)             of single floats, rounded once
 *   TILE_ROWS(CASE), TILE_VECS      a tile of C has up to TILE_ROWS rows, CASE(1) CASE(2) ...,
 *                                   and is TILE_VECS vec wide
 *   SET, SET_NAME                   tensor_kernels_avx2, "avx2"
 *
 * Each kernel does operation for operation what its namesake in kernel_scalar.c does to each
 * element, so this file does not explain again what they compute. Element i of a sum is in lane
 * i % 16, that is in vec i / VEC_WIDTH % PARTS. */

#include "tensor/log_body.h"

#include <math.h>
#include <string.h>

enum { LANES = 16, PARTS = LANES / VEC_WIDTH, TILE_N = TILE_VECS * VEC_WIDTH };

#define TILE_COUNT(rows) +1
enum { TILE_M = TILE_ROWS(TILE_COUNT) };

/* A loop over i in steps of VEC_WIDTH handles its rest with the same lines as everything before it,
 * by asking each time: get() reads x[i], x[i + 1], ... and 0 from x[n] on, put() writes none from
 * y[n] on, keep() takes over only the lanes before n. The branch is nearly always predicted. */
static inline vec get(const float *x, size_t i, size_t n)
{
    if (i + VEC_WIDTH <= n)
        return vec_load(x + i);
    return i < n ? vec_load_part(x + i, n - i) : vec_set(0.0F);
}

static inline void put(float *y, size_t i, size_t n, vec v)
{
    if (i + VEC_WIDTH <= n)
        vec_store(y + i, v);
    else if (i < n)
        vec_store_part(y + i, v, n - i);
}

static inline vec keep(vec now, vec before, size_t i, size_t n)
{
    if (i + VEC_WIDTH <= n)
        return now;
    return i < n ? vec_select(vec_first(n - i), now, before) : before;
}

/* ---- reductions ---- */

static inline void lanes_set(vec *lane, float x)
{
    UNROLL
    for (int j = 0; j < PARTS; j++)
        lane[j] = vec_set(x);
}

static inline void lanes_store(float *all, const vec *lane)
{
    UNROLL
    for (int j = 0; j < PARTS; j++)
        vec_store(all + j * VEC_WIDTH, lane[j]);
}

/* Four floats that any of the sets has in one register; they may lie anywhere. */
typedef float four __attribute__((vector_size(16), aligned(4), may_alias));
typedef int four_ints __attribute__((vector_size(16)));

/* The lanes' sum in halves, 16 -> 8 -> 4 -> 2 -> 1, the first two as vectors of four. */
static inline float fold(const vec *lane)
{
    float all[LANES];
    lanes_store(all, lane);
    const four *part = (const four *)(const void *)all;
    four x = (part[0] + part[2]) + (part[1] + part[3]);
    return (x[0] + x[2]) + (x[1] + x[3]);
}

static float dot(const float *x, const float *y, size_t n)
{
    vec lane[PARTS];
    lanes_set(lane, 0.0F);
    for (size_t i = 0; i < n; i += LANES) {
        UNROLL
        for (size_t j = 0; j < PARTS; j++) {
            size_t at = i + j * VEC_WIDTH;
            lane[j] = keep(vec_fma(get(x, at, n), get(y, at, n), lane[j]), lane[j], at, n);
        }
    }
    return fold(lane);
}

/* Several reductions side by side: as many chains as it takes to have an addition begin in each cycle. */
enum { DOTS = PARTS == 1 ? 9 : 3, PLANES = PARTS == 1 ? 4 : PARTS == 2 ? 2 : 1 };

static inline __attribute__((always_inline)) void some_dots(float *to, const float *x,
                                                            const ptrdiff_t *at, const float *y,
                                                            size_t n, const size_t count)
{
    vec lane[DOTS][PARTS];
    UNROLL
    for (size_t t = 0; t < count; t++)
        lanes_set(lane[t], 0.0F);
    for (size_t i = 0; i < n; i += LANES) {
        UNROLL
        for (size_t j = 0; j < PARTS; j++) {
            const size_t k = i + j * VEC_WIDTH;
            const vec factor = get(y, k, n);
            UNROLL
            for (size_t t = 0; t < count; t++)
                lane[t][j] =
                    keep(vec_fma(get(x + at[t], k, n), factor, lane[t][j]), lane[t][j], k, n);
        }
    }
    UNROLL
    for (size_t t = 0; t < count; t++)
        to[t] += fold(lane[t]);
}

static void dots(float *to, const float *x, const ptrdiff_t *at, size_t count, const float *y,
                 size_t n)
{
    size_t t = 0;
    for (; t + DOTS <= count; t += DOTS)
        some_dots(to + t, x, at + t, y, n, DOTS);
    for (; t < count; t++)
        some_dots(to + t, x, at + t, y, n, 1);
}

static inline __attribute__((always_inline)) void some_sums(float *to, const float *x,
                                                            size_t stride, size_t n,
                                                            const size_t count)
{
    vec lane[PLANES][PARTS];
    UNROLL
    for (size_t p = 0; p < count; p++)
        lanes_set(lane[p], 0.0F);
    for (size_t i = 0; i < n; i += LANES) {
        UNROLL
        for (size_t j = 0; j < PARTS; j++) {
            const size_t at = i + j * VEC_WIDTH;
            UNROLL
            for (size_t p = 0; p < count; p++)
                lane[p][j] =
                    keep(vec_add(lane[p][j], get(x + p * stride, at, n)), lane[p][j], at, n);
        }
    }
    UNROLL
    for (size_t p = 0; p < count; p++)
        to[p] = fold(lane[p]);
}

static float sum(const float *x, size_t n)
{
    float all;
    some_sums(&all, x, 0, n, 1);
    return all;
}

static void plane_sums(float *to, const float *x, size_t stride, size_t count, size_t n)
{
    size_t p = 0;
    for (; p + PLANES <= count; p += PLANES)
        some_sums(to + p, x + p * stride, stride, n, PLANES);
    for (; p < count; p++)
        some_sums(to + p, x + p * stride, stride, n, 1);
}

static inline __attribute__((always_inline)) void some_squares(float *to, const float *x,
                                                               float mean, size_t stride, size_t n,
                                                               const size_t count)
{
    vec lane[PLANES][PARTS];
    UNROLL
    for (size_t p = 0; p < count; p++)
        lanes_set(lane[p], 0.0F);
    for (size_t i = 0; i < n; i += LANES) {
        UNROLL
        for (size_t j = 0; j < PARTS; j++) {
            const size_t at = i + j * VEC_WIDTH;
            UNROLL
            for (size_t p = 0; p < count; p++) {
                vec h = vec_sub(get(x + p * stride, at, n), vec_set(mean));
                lane[p][j] = keep(vec_fma(h, h, lane[p][j]), lane[p][j], at, n);
            }
        }
    }
    UNROLL
    for (size_t p = 0; p < count; p++)
        to[p] = fold(lane[p]);
}

static void plane_squares(float *to, const float *x, float mean, size_t stride, size_t count,
                          size_t n)
{
    size_t p = 0;
    for (; p + PLANES <= count; p += PLANES)
        some_squares(to + p, x + p * stride, mean, stride, n, PLANES);
    for (; p < count; p++)
        some_squares(to + p, x + p * stride, mean, stride, n, 1);
}

static inline __attribute__((always_inline)) void some_slopes(float *to, float *dots_with,
                                                              const float *y, const float *x,
                                                              float mean, float r, size_t stride,
                                                              size_t n, const size_t count)
{
    vec lane[PLANES][PARTS], product[PLANES][PARTS];
    UNROLL
    for (size_t p = 0; p < count; p++) {
        lanes_set(lane[p], 0.0F);
        lanes_set(product[p], 0.0F);
    }
    for (size_t i = 0; i < n; i += LANES) {
        UNROLL
        for (size_t j = 0; j < PARTS; j++) {
            const size_t at = i + j * VEC_WIDTH;
            UNROLL
            for (size_t p = 0; p < count; p++) {
                vec d = get(y + p * stride, at, n);
                vec h = vec_mul(vec_sub(get(x + p * stride, at, n), vec_set(mean)), vec_set(r));
                lane[p][j] = keep(vec_add(lane[p][j], d), lane[p][j], at, n);
                product[p][j] = keep(vec_fma(d, h, product[p][j]), product[p][j], at, n);
            }
        }
    }
    UNROLL
    for (size_t p = 0; p < count; p++) {
        to[p] = fold(lane[p]);
        dots_with[p] = fold(product[p]);
    }
}

static void plane_slopes(float *to, float *dots_with, const float *y, const float *x, float mean,
                         float r, size_t stride, size_t count, size_t n)
{
    size_t p = 0;
    for (; p + PLANES <= count; p += PLANES)
        some_slopes(to + p, dots_with + p, y + p * stride, x + p * stride, mean, r, stride, n,
                    PLANES);
    for (; p < count; p++)
        some_slopes(to + p, dots_with + p, y + p * stride, x + p * stride, mean, r, stride, n, 1);
}

static inline float larger(float a, float b) { return b > a || isnan(b) ? b : a; }

static inline four larger_fours(four a, four b)
{
    four_ints mask = (four_ints)(b > a) | (four_ints)(b != b);
    return (four)(((four_ints)b & mask) | ((four_ints)a & ~mask));
}

static inline float fold_max(const vec *lane)
{
    float all[LANES];
    lanes_store(all, lane);
    const four *part = (const four *)(const void *)all;
    four x = larger_fours(larger_fours(part[0], part[2]), larger_fours(part[1], part[3]));
    return larger(larger(x[0], x[2]), larger(x[1], x[3]));
}

/* A lane takes over v unless what it has is larger; NaN stays. */
static inline vec larger_or_nan(vec v, vec lane)
{
    return vec_select(vec_nan(v), v, vec_max(v, lane));
}

static float max(const float *x, size_t n)
{
    vec lane[PARTS];
    lanes_set(lane, -INFINITY);
    for (size_t i = 0; i < n; i += LANES) {
        UNROLL
        for (size_t j = 0; j < PARTS; j++) {
            size_t at = i + j * VEC_WIDTH;
            lane[j] = keep(larger_or_nan(get(x, at, n), lane[j]), lane[j], at, n);
        }
    }
    return fold_max(lane);
}

/* ---- element by element ---- */

static void add(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i += VEC_WIDTH)
        put(y, i, n, vec_add(get(y, i, n), get(x, i, n)));
}

static void axpy(float *y, float a, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i += VEC_WIDTH)
        put(y, i, n, vec_fma(vec_set(a), get(x, i, n), get(y, i, n)));
}

static void scale(float *y, float a, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i += VEC_WIDTH)
        put(y, i, n, vec_mul(vec_set(a), get(x, i, n)));
}

static void mul(float *y, const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i += VEC_WIDTH)
        put(y, i, n, vec_mul(get(a, i, n), get(b, i, n)));
}

static void mul_add(float *y, const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i += VEC_WIDTH)
        put(y, i, n, vec_fma(get(a, i, n), get(b, i, n), get(y, i, n)));
}

static void add_to(float *y, const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i += VEC_WIDTH)
        put(y, i, n, vec_add(get(a, i, n), get(b, i, n)));
}

/* ---- activations ---- */

static void relu(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i += VEC_WIDTH)
        put(y, i, n, vec_max(vec_set(0.0F), get(x, i, n)));
}

static void relu_backward(float *dx, const float *y, const float *dy, size_t n)
{
    for (size_t i = 0; i < n; i += VEC_WIDTH) {
        vec before = get(dx, i, n), after = vec_add(before, get(dy, i, n));
        put(dx, i, n, vec_select(vec_less(vec_set(0.0F), get(y, i, n)), after, before));
    }
}

static void relu_gate(float *dy, const float *y, size_t n)
{
    for (size_t i = 0; i < n; i += VEC_WIDTH) {
        vec zero = vec_set(0.0F);
        put(dy, i, n, vec_select(vec_less(zero, get(y, i, n)), get(dy, i, n), zero));
    }
}

static inline vec to_six(vec x) { return vec_min(vec_set(6.0F), vec_max(vec_set(0.0F), x)); }

static void relu6(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i += VEC_WIDTH)
        put(y, i, n, to_six(get(x, i, n)));
}

static void relu6_backward(float *dx, const float *y, const float *dy, size_t n)
{
    for (size_t i = 0; i < n; i += VEC_WIDTH) {
        vec at = get(y, i, n), before = get(dx, i, n), after = vec_add(before, get(dy, i, n));
        after = vec_select(vec_less(at, vec_set(6.0F)), after, before);
        put(dx, i, n, vec_select(vec_less(vec_set(0.0F), at), after, before));
    }
}

static void relu6_gate(float *dy, const float *y, size_t n)
{
    for (size_t i = 0; i < n; i += VEC_WIDTH) {
        vec zero = vec_set(0.0F), at = get(y, i, n);
        vec kept = vec_select(vec_less(at, vec_set(6.0F)), get(dy, i, n), zero);
        put(dy, i, n, vec_select(vec_less(zero, at), kept, zero));
    }
}

static void hard_swish(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i += VEC_WIDTH) {
        vec v = get(x, i, n), gate = to_six(vec_add(v, vec_set(3.0F)));
        put(y, i, n, vec_mul(v, vec_mul(gate, vec_set(1.0F / 6))));
    }
}

static void hard_swish_backward(float *dx, const float *x, const float *dy, size_t n)
{
    for (size_t i = 0; i < n; i += VEC_WIDTH) {
        vec v = get(x, i, n), slope = vec_fma(v, vec_set(1.0F / 3), vec_set(0.5F));
        slope = vec_select(vec_less(v, vec_set(3.0F)), slope, vec_set(1.0F));
        slope = vec_select(vec_less(vec_set(-3.0F), v), slope, vec_set(0.0F));
        put(dx, i, n, vec_fma(get(dy, i, n), slope, get(dx, i, n)));
    }
}

static inline vec clamp(vec x) { return vec_min(vec_set(16.0F), vec_max(vec_set(-16.0F), x)); }

static inline vec sech2_of_tanh(vec t)
{
    return vec_mul(vec_sub(vec_set(1.0F), t), vec_add(vec_set(1.0F), t));
}

static const float GELU_C = 0.797884561F;
static const float GELU_CUBE = 0.0356774081F;
static const float GELU_SLOPE = 0.107032224F;
static const float SQRT_HALF = 0.707106781F;
static const float NORMAL_DENSITY = 0.398942280F;

static void gelu_new(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i += VEC_WIDTH) {
        vec v = get(x, i, n), h = vec_mul(vec_set(0.5F), v);
        vec u = vec_mul(v, vec_fma(vec_set(GELU_CUBE), vec_mul(v, v), vec_set(GELU_C)));
        put(y, i, n, vec_fma(h, vec_tanh(u), h));
    }
}

static void gelu_new_backward(float *dx, const float *x, const float *dy, size_t n)
{
    const vec half = vec_set(0.5F), c = vec_set(GELU_C);
    for (size_t i = 0; i < n; i += VEC_WIDTH) {
        vec z = clamp(get(x, i, n)), square = vec_mul(z, z);
        vec t = vec_tanh(vec_mul(z, vec_fma(vec_set(GELU_CUBE), square, c)));
        vec half_sech2 = vec_mul(half, sech2_of_tanh(t));
        vec slope = vec_fma(vec_mul(half_sech2, z), vec_fma(vec_set(GELU_SLOPE), square, c),
                            vec_fma(half, t, half));
        put(dx, i, n, vec_fma(get(dy, i, n), slope, get(dx, i, n)));
    }
}

static void gelu_erf(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i += VEC_WIDTH) {
        vec v = get(x, i, n), h = vec_mul(vec_set(0.5F), v);
        put(y, i, n, vec_fma(h, vec_erf(vec_mul(vec_set(SQRT_HALF), v)), h));
    }
}

static void gelu_erf_backward(float *dx, const float *x, const float *dy, size_t n)
{
    const vec half = vec_set(0.5F);
    for (size_t i = 0; i < n; i += VEC_WIDTH) {
        vec z = clamp(get(x, i, n));
        vec t = vec_erf(vec_mul(vec_set(SQRT_HALF), z));
        vec density = vec_exp(vec_mul(vec_mul(vec_set(-0.5F), z), z));
        density = vec_mul(vec_set(NORMAL_DENSITY), density);
        vec slope = vec_fma(z, density, vec_fma(half, t, half));
        put(dx, i, n, vec_fma(get(dy, i, n), slope, get(dx, i, n)));
    }
}

static void tanh_forward(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i += VEC_WIDTH)
        put(y, i, n, vec_tanh(get(x, i, n)));
}

static void tanh_backward(float *dx, const float *y, const float *dy, size_t n)
{
    for (size_t i = 0; i < n; i += VEC_WIDTH) {
        vec slope = sech2_of_tanh(get(y, i, n));
        put(dx, i, n, vec_fma(get(dy, i, n), slope, get(dx, i, n)));
    }
}

/* ---- rows ---- */

static float exp_sum(float *y, const float *x, float shift, size_t n)
{
    vec lane[PARTS];
    lanes_set(lane, 0.0F);
    for (size_t i = 0; i < n; i += LANES) {
        UNROLL
        for (size_t j = 0; j < PARTS; j++) {
            size_t at = i + j * VEC_WIDTH;
            vec e = vec_exp(vec_sub(get(x, at, n), vec_set(shift)));
            put(y, at, n, e);
            lane[j] = keep(vec_add(lane[j], e), lane[j], at, n);
        }
    }
    return fold(lane);
}

static void softmax_backward(float *dx, const float *y, const float *dy, float inner, size_t n)
{
    for (size_t i = 0; i < n; i += VEC_WIDTH) {
        vec d = vec_sub(get(dy, i, n), vec_set(inner));
        put(dx, i, n, vec_fma(get(y, i, n), d, get(dx, i, n)));
    }
}

static void attention_row(float *x, float factor, const float *bias, size_t n)
{
    vec lane[PARTS];
    lanes_set(lane, -INFINITY);
    for (size_t i = 0; i < n; i += LANES) {
        UNROLL
        for (size_t j = 0; j < PARTS; j++) {
            size_t at = i + j * VEC_WIDTH;
            vec v = vec_mul(vec_set(factor), get(x, at, n));
            if (bias)
                v = vec_add(v, get(bias, at, n));
            put(x, at, n, v);
            lane[j] = keep(larger_or_nan(v, lane[j]), lane[j], at, n);
        }
    }
    scale(x, 1.0F / exp_sum(x, x, fold_max(lane), n), x, n);
}

static void attention_row_backward(float *ds, const float *p, const float *dp, size_t n)
{
    vec inner = vec_set(dot(p, dp, n));
    for (size_t i = 0; i < n; i += VEC_WIDTH)
        put(ds, i, n, vec_mul(get(p, i, n), vec_sub(get(dp, i, n), inner)));
}

static float rmsnorm(float *y, const float *x, const float *g, float eps, size_t n)
{
    float r = 1.0F / sqrtf(dot(x, x, n) / (float)n + eps);
    for (size_t i = 0; i < n; i += VEC_WIDTH)
        put(y, i, n, vec_mul(vec_mul(get(x, i, n), vec_set(r)), get(g, i, n)));
    return r;
}

static void rmsnorm_backward(float *dx, float *dg, const float *x, const float *g, const float *dy,
                             float r, size_t n)
{
    if (dx) {
        vec lane[PARTS];
        lanes_set(lane, 0.0F);
        for (size_t i = 0; i < n; i += LANES) {
            UNROLL
            for (size_t j = 0; j < PARTS; j++) {
                size_t at = i + j * VEC_WIDTH;
                vec gdy = vec_mul(get(g, at, n), get(dy, at, n));
                lane[j] = keep(vec_fma(gdy, get(x, at, n), lane[j]), lane[j], at, n);
            }
        }
        vec minus = vec_set(-(r * r / (float)n * fold(lane)));
        for (size_t i = 0; i < n; i += VEC_WIDTH) {
            vec gdy = vec_mul(get(g, i, n), get(dy, i, n));
            vec d = vec_fma(minus, get(x, i, n), gdy);
            put(dx, i, n, vec_fma(vec_set(r), d, get(dx, i, n)));
        }
    }
    if (dg)
        for (size_t i = 0; i < n; i += VEC_WIDTH) {
            vec scaled = vec_mul(get(x, i, n), vec_set(r));
            put(dg, i, n, vec_fma(get(dy, i, n), scaled, get(dg, i, n)));
        }
}

/* ---- optimizers ----
 *
 * The constants are copied: of what `u` points to a compiler has to think that each store into the
 * arrays may change it, and reads it, and divides by it, again for every vector. */

static inline vec decayed_gradient(const float *p, const float *g, size_t i, size_t n,
                                   const tensor_update *u)
{
    vec scaled = vec_mul(vec_set(u->grad_scale), get(g, i, n));
    return vec_fma(vec_set(u->decay), get(p, i, n), scaled);
}

static void sgd(float *p, const float *g, float *m, size_t n, const tensor_update *update)
{
    const tensor_update own = *update, *u = &own;
    const vec momentum = vec_set(u->momentum);
    for (size_t i = 0; i < n; i += VEC_WIDTH) {
        vec step = decayed_gradient(p, g, i, n, u);
        if (u->momentum > 0.0F) {
            vec buffer = u->first ? step : vec_fma(momentum, get(m, i, n), step);
            put(m, i, n, buffer);
            step = u->nesterov ? vec_fma(momentum, buffer, step) : buffer;
        }
        put(p, i, n, vec_fma(vec_set(-u->rate), step, get(p, i, n)));
    }
}

/* beta v + (1 - beta) gradient^2 */
static inline vec second_moment(vec v, vec gradient, float beta)
{
    vec square = vec_mul(vec_mul(vec_set(1.0F - beta), gradient), gradient);
    return vec_fma(vec_set(beta), v, square);
}

static void rmsprop(float *p, const float *g, float *v, float *m, size_t n,
                    const tensor_update *update)
{
    const tensor_update own = *update, *u = &own;
    for (size_t i = 0; i < n; i += VEC_WIDTH) {
        vec gradient = decayed_gradient(p, g, i, n, u);
        vec second = second_moment(get(v, i, n), gradient, u->beta2);
        put(v, i, n, second);
        vec step = vec_div(gradient, vec_add(vec_sqrt(second), vec_set(u->eps)));
        if (u->momentum > 0.0F) {
            step = vec_fma(vec_set(u->momentum), get(m, i, n), step);
            put(m, i, n, step);
        }
        put(p, i, n, vec_fma(vec_set(-u->rate), step, get(p, i, n)));
    }
}

static inline vec adam_step(vec p, vec gradient, float *m, float *v, size_t i, size_t n,
                            const tensor_update *u)
{
    vec first =
        vec_fma(vec_set(u->beta1), get(m, i, n), vec_mul(vec_set(1.0F - u->beta1), gradient));
    vec second = second_moment(get(v, i, n), gradient, u->beta2);
    put(m, i, n, first);
    put(v, i, n, second);
    vec root = vec_div(vec_sqrt(second), vec_set(u->correction2));
    vec step = vec_div(first, vec_add(root, vec_set(u->eps)));
    return vec_fma(vec_set(-(u->rate / u->correction1)), step, p);
}

static void adam(float *p, const float *g, float *m, float *v, size_t n,
                 const tensor_update *update)
{
    const tensor_update own = *update, *u = &own;
    for (size_t i = 0; i < n; i += VEC_WIDTH) {
        vec gradient = decayed_gradient(p, g, i, n, u);
        put(p, i, n, adam_step(get(p, i, n), gradient, m, v, i, n, u));
    }
}

static void adamw(float *p, const float *g, float *m, float *v, size_t n,
                  const tensor_update *update)
{
    const tensor_update own = *update, *u = &own;
    float keep_share = tensor_fmaf(-u->rate, u->decay, 1.0F);
    for (size_t i = 0; i < n; i += VEC_WIDTH) {
        vec gradient = vec_mul(vec_set(u->grad_scale), get(g, i, n));
        vec decayed = vec_mul(vec_set(keep_share), get(p, i, n));
        put(p, i, n, adam_step(decayed, gradient, m, v, i, n, u));
    }
}

/* ---- matrices ---- */

static void copy(float *y, size_t ldy, const float *x, size_t ldx, size_t rows, size_t cols)
{
    for (size_t i = 0; i < rows; i++, y += ldy, x += ldx) {
        size_t j = 0;
        for (; j + 2 * VEC_WIDTH <= cols; j += 2 * VEC_WIDTH) {
            vec first = vec_load(x + j), second = vec_load(x + j + VEC_WIDTH);
            vec_store(y + j, first);
            vec_store(y + j + VEC_WIDTH, second);
        }
        for (; j < cols; j += VEC_WIDTH)
            put(y, j, cols, get(x, j, cols));
    }
}

/* Up to VEC_WIDTH x VEC_WIDTH, in registers. */
static inline void transpose_block(float *y, size_t ldy, const float *x, size_t ldx, size_t rows,
                                   size_t cols)
{
    vec block[VEC_WIDTH];
    UNROLL
    for (size_t i = 0; i < VEC_WIDTH; i++)
        block[i] = i < rows ? get(x + i * ldx, 0, cols) : vec_set(0.0F);
    vec_transpose(block);
    UNROLL
    for (size_t i = 0; i < VEC_WIDTH; i++)
        if (i < cols)
            put(y + i * ldy, 0, rows, block[i]);
}

static void transpose(float *y, size_t ldy, const float *x, size_t ldx, size_t rows, size_t cols)
{
    for (size_t i = 0; i < rows; i += VEC_WIDTH)
        for (size_t j = 0; j < cols; j += VEC_WIDTH)
            transpose_block(y + j * ldy + i, ldy, x + i * ldx + j, ldx, rows - i, cols - j);
}

static void pack_tiles(float *y, const float *x, size_t ldx, size_t steps, size_t cols)
{
    for (size_t k = 0; k < steps; k++, x += ldx, y += TILE_M) {
        size_t j = 0;
        for (; j + TILE_M <= cols; j += TILE_M)
            memcpy(y + j * steps, x + j, TILE_M * sizeof *x);
        if (j < cols)
            memcpy(y + j * steps, x + j, (cols - j) * sizeof *x);
    }
}

/* Floats by which a tile has the cache look ahead in packed B. With a few rows, as in decoding, it
 * comes straight from the L3 cache or from memory, and is used as fast as it comes: 8 rows times
 * 512 x 512 took 45 us without this, 23 us with it. (16 KiB: a quarter, or half of that were too
 * little. A prefetch beyond the end does no harm.) */
enum { AHEAD = 4096 };

/* One tile of C. `rows` and `vecs` are constants wherever this is inlined, so that all the sums are
 * registers: per step, `vecs` loads of b, and one of each a for `vecs` fma. */
static inline __attribute__((always_inline)) void tile(const tensor_tile *t, const size_t rows,
                                                       const size_t vecs)
{
    const float *a = t->a, *b = t->b;
    const size_t a_row = t->a_row, a_step = t->a_step, b_step = t->b_step, ldc = t->ldc;
    const size_t cols = (size_t)t->cols;
    float *c = t->c;
    vec sums[TILE_M][TILE_VECS], right[TILE_VECS];
    UNROLL
    for (size_t i = 0; i < rows; i++) {
        UNROLL
        for (size_t j = 0; j < vecs; j++)
            sums[i][j] = t->accumulate ? get(c + i * ldc, j * VEC_WIDTH, cols) : vec_set(0.0F);
    }
    for (size_t k = t->k; k > 0; k--, a += a_step, b += b_step) {
        UNROLL
        for (size_t j = 0; j < vecs; j++)
            __builtin_prefetch(b + AHEAD + j * VEC_WIDTH);
        UNROLL
        for (size_t j = 0; j < vecs; j++)
            right[j] = vec_load(b + j * VEC_WIDTH);
        UNROLL
        for (size_t i = 0; i < rows; i++) {
            vec left = vec_set(a[i * a_row]);
            UNROLL
            for (size_t j = 0; j < vecs; j++)
                sums[i][j] = vec_fma(left, right[j], sums[i][j]);
        }
    }
    UNROLL
    for (size_t i = 0; i < rows; i++) {
        UNROLL
        for (size_t j = 0; j < vecs; j++)
            put(c + i * ldc, j * VEC_WIDTH, cols, sums[i][j]);
    }
}

static void gemm_tile(const tensor_tile *t)
{
    bool narrow = t->cols <= VEC_WIDTH;
    switch (t->rows) {
#define TILE_CASE(count)               \
    case count:                        \
        if (narrow)                    \
            tile(t, count, 1);         \
        else                           \
            tile(t, count, TILE_VECS); \
        break;
        TILE_ROWS(TILE_CASE)
    }
}

#include "tensor/image_body.h"

_Static_assert(TENSOR_WIDEST_TILE % TILE_N == 0, "the width of a tile");

const tensor_kernels SET = {
    .name = SET_NAME,
    .tile_m = TILE_M,
    .tile_n = TILE_N,
#define KERNEL(result, name, parameters) name, /* in the order of the list, as in the struct */
#include "tensor/kernel_list.h"
    .image = &image_kernels,
};
