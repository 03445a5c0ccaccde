/* SPDX-License-Identifier: MIT */
/* image_body.h -- the kernels of image_kernels.h over the vec_ operations of kernel_body.h, which
 * includes this (and kernel_scalar.c, with a vec of one float).
 *
 * The channels of an image are planes, so that pixels stand side by side; points are wanted with
 * the channels side by side, for the products. So a vec holds pixels of a line in the transform
 * down the columns, is transposed together with the same pixels of other channels, and then holds
 * channels in the transform along the lines. */
#include <string.h>

#ifdef __GNUC__
#define ALWAYS_INLINE inline __attribute__((always_inline)) /* for arguments that are constants */
#define FLATTEN       __attribute__((flatten)) /* with all it calls; for arrays of vec */
#else
#define ALWAYS_INLINE inline
#define FLATTEN
#endif

enum { WINOGRAD_COLUMNS = 32 }; /* of a strip: at most 4 * 7 + 2, and whole vecs */

/* The points' abscissae are 0, a, -a, b, -b and infinity; all of these are exact. */
static const float W_A = 0.625F, W_B = 1.5F, W_AA = 0.390625F, W_BB = 2.25F;
static const float W_AAA = 0.244140625F, W_BBB = 3.375F;
static const float W_ABB = 1.40625F, W_AAB = 0.5859375F;    /* a b^2, a^2 b */
static const float W_AABB = 0.87890625F, W_SUM = 2.640625F; /* a^2 b^2, a^2 + b^2 */

/* 1 / (a^2 b^2), and for z = a, b: 1, z and z^2 times 1 / (2 z^2 (z^2 - the other's)) */
static const float W_G0 = (float)(1 / 0.87890625);
static const float W_GA[3] = {(float)(-1 / 1.4526367187500), (float)(-0.625 / 1.4526367187500),
                              (float)(-0.390625 / 1.4526367187500)};
static const float W_GB[3] = {(float)(1 / 8.3671875), (float)(1.5 / 8.3671875),
                              (float)(2.25 / 8.3671875)};

static inline vec vec_times(vec x, float factor, vec plus)
{
    return vec_fma(vec_set(factor), x, plus);
}

/* to = B^T from: 6 to 6 */
static inline void winograd_bt(vec *to, const vec *from)
{
    to[0] = vec_times(from[0], W_AABB, vec_times(from[2], -W_SUM, from[4]));
    vec even = vec_times(from[2], -W_BB, from[4]), odd = vec_times(from[1], -W_BB, from[3]);
    to[1] = vec_times(odd, W_A, even);
    to[2] = vec_times(odd, -W_A, even);
    even = vec_times(from[2], -W_AA, from[4]), odd = vec_times(from[1], -W_AA, from[3]);
    to[3] = vec_times(odd, W_B, even);
    to[4] = vec_times(odd, -W_B, even);
    to[5] = vec_times(from[1], W_AABB, vec_times(from[3], -W_SUM, from[5]));
}

/* to = B from: 6 to 6 */
static inline void winograd_b(vec *to, const vec *from)
{
    vec sum_a = vec_add(from[1], from[2]), sum_b = vec_add(from[3], from[4]);
    vec odd_a = vec_sub(from[1], from[2]), odd_b = vec_sub(from[3], from[4]);
    to[0] = vec_mul(vec_set(W_AABB), from[0]);
    to[1] = vec_times(odd_b, -W_AAB, vec_mul(vec_set(W_AABB), from[5]));
    to[1] = vec_times(odd_a, -W_ABB, to[1]);
    to[2] = vec_times(sum_b, -W_AA, vec_mul(vec_set(-W_SUM), from[0]));
    to[2] = vec_times(sum_a, -W_BB, to[2]);
    to[3] = vec_times(odd_b, W_B, vec_mul(vec_set(-W_SUM), from[5]));
    to[3] = vec_times(odd_a, W_A, to[3]);
    to[4] = vec_add(from[0], vec_add(sum_a, sum_b));
    to[5] = from[5];
}

/* to = A^T from: 6 to 4 */
static inline void winograd_at(vec *to, const vec *from)
{
    vec sum_a = vec_add(from[1], from[2]), sum_b = vec_add(from[3], from[4]);
    vec odd_a = vec_sub(from[1], from[2]), odd_b = vec_sub(from[3], from[4]);
    to[0] = vec_add(from[0], vec_add(sum_a, sum_b));
    to[1] = vec_times(odd_a, W_A, vec_mul(vec_set(W_B), odd_b));
    to[2] = vec_times(sum_a, W_AA, vec_mul(vec_set(W_BB), sum_b));
    to[3] = vec_times(odd_a, W_AAA, vec_times(odd_b, W_BBB, from[5]));
}

/* to = A from: 4 to 6 */
static inline void winograd_a(vec *to, const vec *from)
{
    to[0] = from[0];
    vec even = vec_times(from[2], W_AA, from[0]), odd = vec_times(from[3], W_AA, from[1]);
    to[1] = vec_times(odd, W_A, even);
    to[2] = vec_times(odd, -W_A, even);
    even = vec_times(from[2], W_BB, from[0]), odd = vec_times(from[3], W_BB, from[1]);
    to[3] = vec_times(odd, W_B, even);
    to[4] = vec_times(odd, -W_B, even);
    to[5] = from[3];
}

/* to = G from: 3 to 6 */
static inline void winograd_g(vec *to, const vec *from)
{
    to[0] = vec_mul(vec_set(W_G0), from[0]);
    vec even = vec_times(from[2], W_GA[2], vec_mul(vec_set(W_GA[0]), from[0]));
    to[1] = vec_times(from[1], W_GA[1], even);
    to[2] = vec_times(from[1], -W_GA[1], even);
    even = vec_times(from[2], W_GB[2], vec_mul(vec_set(W_GB[0]), from[0]));
    to[3] = vec_times(from[1], W_GB[1], even);
    to[4] = vec_times(from[1], -W_GB[1], even);
    to[5] = from[2];
}

/* to = G^T from: 6 to 3 */
static inline void winograd_gt(vec *to, const vec *from)
{
    vec sum_a = vec_add(from[1], from[2]), sum_b = vec_add(from[3], from[4]);
    vec odd_a = vec_sub(from[1], from[2]), odd_b = vec_sub(from[3], from[4]);
    to[0] = vec_times(sum_a, W_GA[0], vec_mul(vec_set(W_G0), from[0]));
    to[0] = vec_times(sum_b, W_GB[0], to[0]);
    to[1] = vec_times(odd_a, W_GA[1], vec_mul(vec_set(W_GB[1]), odd_b));
    to[2] = vec_times(sum_a, W_GA[2], vec_times(sum_b, W_GB[2], from[5]));
}

/* ---- between lines and points ---- */

/* Line i of some channels after, or before, the transform down the columns. What is only ours is
 * read and written as whole vecs, which needs some room behind a line: what was written in part
 * could be read only after it has reached the cache. */
enum { WINOGRAD_ROOM = WINOGRAD_COLUMNS + VEC_WIDTH };
typedef float winograd_lines[WINOGRAD_SIDE][VEC_WIDTH][WINOGRAD_ROOM];

/* What of a strip lies inside the image: its lines [top, bottom) and columns [left, right); and
 * where its first line would begin in the first plane. */
typedef struct winograd_window {
    int top, bottom;
    size_t left, right;
    ptrdiff_t start;
} winograd_window;

static inline winograd_window winograd_inside(const tensor_winograd_strip *s, int lines,
                                              int columns)
{
    int left = s->x < 0 ? -s->x : 0, right = s->W - s->x < columns ? s->W - s->x : columns;
    return (winograd_window){.top = s->y < 0 ? -s->y : 0,
                             .bottom = s->H - s->y < lines ? s->H - s->y : lines,
                             .left = (size_t)left,
                             .right = (size_t)(right > left ? right : left),
                             .start = (ptrdiff_t)s->y * s->W + s->x};
}

/* from (columns, channels) to (channels, columns) or back, whole vecs of both. */
static FLATTEN void winograd_turn(float *to, size_t to_stride, const float *from,
                                  size_t from_stride)
{
    vec block[VEC_WIDTH];
    UNROLL
    for (size_t i = 0; i < VEC_WIDTH; i++)
        block[i] = vec_load(from + i * from_stride);
    vec_transpose(block);
    UNROLL
    for (size_t i = 0; i < VEC_WIDTH; i++)
        vec_store(to + i * to_stride, block[i]);
}

/* side: of a tile's pixels, 6 (of the input) or 4 (of the result). */
static ALWAYS_INLINE void points_of(float *points, const float *planes,
                                    const tensor_winograd_strip *s, const int side)
{
    static const float zeros[WINOGRAD_COLUMNS];
    winograd_lines lines;
    float across[WINOGRAD_COLUMNS][VEC_WIDTH];
    const int columns = WINOGRAD_STEP * s->tiles + side - WINOGRAD_STEP;
    const winograd_window in = winograd_inside(s, side, columns);
    const size_t low = in.left, high = in.right;
    const ptrdiff_t W = s->W, plane = (ptrdiff_t)s->H * W;
    if (low > 0 || high < (size_t)columns || s->channels % VEC_WIDTH)
        memset(lines, 0, sizeof lines);
    for (int c = 0; c < s->channels; c += VEC_WIDTH) {
        int lanes = s->channels - c < VEC_WIDTH ? s->channels - c : VEC_WIDTH;
        for (int lane = 0; lane < lanes; lane++) {
            const float *line[WINOGRAD_SIDE];
            const ptrdiff_t start = in.start + (c + lane) * plane + (ptrdiff_t)low;
            for (int i = 0; i < side; i++)
                line[i] = i < in.top || i >= in.bottom ? zeros : planes + (start + i * W);
            for (size_t j = 0; j < high - low; j += VEC_WIDTH) {
                vec pixels[WINOGRAD_SIDE], turned[WINOGRAD_SIDE];
                UNROLL
                for (int i = 0; i < WINOGRAD_SIDE; i++)
                    pixels[i] = i < side ? get(line[i], j, high - low) : vec_set(0.0F);
                if (side == WINOGRAD_SIDE)
                    winograd_bt(turned, pixels);
                else
                    winograd_a(turned, pixels);
                UNROLL
                for (int i = 0; i < WINOGRAD_SIDE; i++)
                    vec_store(lines[i][lane] + low + j, turned[i]);
            }
        }
        for (size_t i = 0; i < WINOGRAD_SIDE; i++) {
            for (int j = 0; j < columns; j += VEC_WIDTH)
                winograd_turn(across[j], VEC_WIDTH, lines[i][0] + j, WINOGRAD_ROOM);
            float *to = points + i * WINOGRAD_SIDE * s->point_stride + c;
            for (int t = 0; t < s->tiles; t++, to += s->tile_stride) {
                vec pixels[WINOGRAD_SIDE], turned[WINOGRAD_SIDE];
                UNROLL
                for (int j = 0; j < WINOGRAD_SIDE; j++)
                    pixels[j] = j < side ? vec_load(across[WINOGRAD_STEP * t + j]) : vec_set(0.0F);
                if (side == WINOGRAD_SIDE)
                    winograd_bt(turned, pixels);
                else
                    winograd_a(turned, pixels);
                UNROLL
                for (size_t j = 0; j < WINOGRAD_SIDE; j++)
                    put(to + j * s->point_stride, 0, (size_t)lanes, turned[j]);
            }
        }
    }
}

static void points_of_input(float *points, const float *planes, const tensor_winograd_strip *s)
{
    points_of(points, planes, s, WINOGRAD_SIDE);
}

static void points_of_result(float *points, const float *planes, const tensor_winograd_strip *s)
{
    points_of(points, planes, s, WINOGRAD_STEP);
}

/* Tiles of the input (side 6) overlap: each adds its first two columns to the last two of the tile
 * before, and what comes out is added to the planes. Those of the result are stored. */
static ALWAYS_INLINE void pixels_of(float *planes, const float *points, const float *bias,
                                    bool relu_too, const tensor_winograd_strip *s, const int side)
{
    winograd_lines lines;
    float across[WINOGRAD_COLUMNS][VEC_WIDTH];
    const int columns = WINOGRAD_STEP * s->tiles + side - WINOGRAD_STEP;
    const winograd_window in = winograd_inside(s, side, columns);
    const size_t low = in.left, high = in.right;
    const ptrdiff_t W = s->W, plane = (ptrdiff_t)s->H * W;
    memset(across, 0, sizeof across);
    for (int c = 0; c < s->channels; c += VEC_WIDTH) {
        int lanes = s->channels - c < VEC_WIDTH ? s->channels - c : VEC_WIDTH;
        for (size_t i = 0; i < WINOGRAD_SIDE; i++) {
            const float *from = points + i * WINOGRAD_SIDE * s->point_stride + c;
            vec before[2] = {vec_set(0.0F), vec_set(0.0F)};
            for (int t = 0; t < s->tiles; t++, from += s->tile_stride) {
                vec turned[WINOGRAD_SIDE], pixels[WINOGRAD_SIDE];
                UNROLL
                for (size_t j = 0; j < WINOGRAD_SIDE; j++)
                    turned[j] = get(from + j * s->point_stride, 0, (size_t)lanes);
                if (side == WINOGRAD_SIDE) {
                    winograd_b(pixels, turned);
                    pixels[0] = vec_add(before[0], pixels[0]);
                    pixels[1] = vec_add(before[1], pixels[1]);
                    before[0] = pixels[4];
                    before[1] = pixels[5];
                } else {
                    winograd_at(pixels, turned);
                }
                UNROLL
                for (int j = 0; j < WINOGRAD_STEP; j++)
                    vec_store(across[WINOGRAD_STEP * t + j], pixels[j]);
            }
            if (side == WINOGRAD_SIDE) {
                vec_store(across[columns - 2], before[0]);
                vec_store(across[columns - 1], before[1]);
            }
            for (int j = 0; j < columns; j += VEC_WIDTH)
                winograd_turn(lines[i][0] + j, WINOGRAD_ROOM, across[j], VEC_WIDTH);
        }
        for (int lane = 0; lane < lanes; lane++) {
            const ptrdiff_t start = in.start + (c + lane) * plane;
            vec shift = vec_set(bias ? bias[c + lane] : 0.0F);
            for (size_t j = low; j < high; j += VEC_WIDTH) {
                vec turned[WINOGRAD_SIDE], pixels[WINOGRAD_SIDE];
                UNROLL
                for (int i = 0; i < WINOGRAD_SIDE; i++)
                    turned[i] = vec_load(lines[i][lane] + j);
                if (side == WINOGRAD_SIDE)
                    winograd_b(pixels, turned);
                else
                    winograd_at(pixels, turned);
                for (int i = in.top; i < in.bottom; i++) {
                    const ptrdiff_t at = start + i * W + (ptrdiff_t)j;
                    if (side == WINOGRAD_SIDE)
                        shift = get(planes + at, 0, high - j);
                    vec v = vec_add(pixels[i], shift);
                    put(planes + at, 0, high - j, relu_too ? vec_max(vec_set(0.0F), v) : v);
                }
            }
        }
    }
}

static void result_of_points(float *planes, const float *points, const float *bias, bool relu_too,
                             const tensor_winograd_strip *s)
{
    pixels_of(planes, points, bias, relu_too, s, WINOGRAD_STEP);
}

static void input_of_points(float *planes, const float *points, const tensor_winograd_strip *s)
{
    pixels_of(planes, points, NULL, false, s, WINOGRAD_SIDE);
}

/* ---- weights ---- */

static void points_of_weight(float *points, size_t point_stride, const float *w, size_t stride,
                             size_t n)
{
    for (size_t at = 0; at < n; at += VEC_WIDTH) {
        vec down[3][WINOGRAD_SIDE]; /* G w, by columns */
        UNROLL
        for (size_t j = 0; j < 3; j++) {
            vec column[3];
            UNROLL
            for (size_t i = 0; i < 3; i++)
                column[i] = get(w + (3 * i + j) * stride, at, n);
            winograd_g(down[j], column);
        }
        UNROLL
        for (size_t i = 0; i < WINOGRAD_SIDE; i++) {
            vec line[3] = {down[0][i], down[1][i], down[2][i]}, turned[WINOGRAD_SIDE];
            winograd_g(turned, line);
            UNROLL
            for (size_t j = 0; j < WINOGRAD_SIDE; j++)
                put(points + (WINOGRAD_SIDE * i + j) * point_stride, at, n, turned[j]);
        }
    }
}

static void weight_of_points(float *w, size_t stride, const float *points, size_t point_stride,
                             size_t n)
{
    for (size_t at = 0; at < n; at += VEC_WIDTH) {
        vec across[WINOGRAD_SIDE][3]; /* points G */
        UNROLL
        for (size_t i = 0; i < WINOGRAD_SIDE; i++) {
            vec line[WINOGRAD_SIDE];
            UNROLL
            for (size_t j = 0; j < WINOGRAD_SIDE; j++)
                line[j] = get(points + (WINOGRAD_SIDE * i + j) * point_stride, at, n);
            winograd_gt(across[i], line);
        }
        UNROLL
        for (size_t j = 0; j < 3; j++) {
            vec column[WINOGRAD_SIDE], turned[3];
            UNROLL
            for (size_t i = 0; i < WINOGRAD_SIDE; i++)
                column[i] = across[i][j];
            winograd_gt(turned, column);
            UNROLL
            for (size_t i = 0; i < 3; i++)
                put(w + (3 * i + j) * stride, at, n, turned[i]);
        }
    }
}

/* ---- windows ---- */

static inline void take_larger(vec *most, vec *at, vec value, float element)
{
    vec number = vec_set(element), larger_at = vec_select(vec_less(*most, value), number, *at);
    vec larger_value = vec_select(vec_less(*most, value), value, *most);
    *at = vec_select(vec_nan(value), number, larger_at);
    *most = vec_select(vec_nan(value), value, larger_value);
}

static void window_max(float *best, float *which, const float *x, size_t W, int kernel, size_t n)
{
    for (size_t j = 0; j < n; j += VEC_WIDTH) {
        vec most = get(x, j, n), at = vec_set(0.0F);
        if (kernel == 2) { /* the usual one, without a loop */
            take_larger(&most, &at, get(x + 1, j, n), 1);
            take_larger(&most, &at, get(x + W, j, n), 2);
            take_larger(&most, &at, get(x + W + 1, j, n), 3);
        } else {
            for (int i = 1; i < kernel * kernel; i++)
                take_larger(&most, &at,
                            get(x + (size_t)(i / kernel) * W + (size_t)(i % kernel), j, n),
                            (float)i);
        }
        vec_store(best + j, most);
        vec_store(which + j, at);
    }
}

static void window_sum(float *y, const float *x, size_t W, int kernel, size_t n)
{
    for (size_t j = 0; j < n; j += VEC_WIDTH) {
        vec all = vec_set(0.0F);
        for (size_t line = 0; line < (size_t)kernel; line++)
            for (size_t column = 0; column < (size_t)kernel; column++)
                all = vec_add(all, get(x + line * W + column, j, n));
        vec_store(y + j, all);
    }
}

/* ---- depthwise convolution ---- */

/* `lines` rows and `count` taps, which are constants where this is inlined: the sums stay in registers, and a
 * weight serves all the rows. */
static ALWAYS_INLINE void tap_rows(float *y, const float *x, size_t cols, const tensor_taps *t,
                                   const size_t lines, const size_t count)
{
    for (size_t j = 0; j < cols; j += VEC_WIDTH) {
        vec sum[4];
        UNROLL
        for (size_t i = 0; i < lines; i++)
            sum[i] = vec_set(t->start);
        UNROLL
        for (size_t k = 0; k < count; k++) {
            const vec weight = vec_set(t->weight[k]);
            const float *from = x + t->at[k] + j;
            UNROLL
            for (size_t i = 0; i < lines; i++)
                sum[i] = vec_fma(weight, vec_load(from + i * t->ldx), sum[i]);
        }
        UNROLL
        for (size_t i = 0; i < lines; i++) {
            float *to = y + i * t->ldy;
            put(to, j, cols, t->accumulate ? vec_add(get(to, j, cols), sum[i]) : sum[i]);
        }
    }
}

static FLATTEN void taps(float *y, const float *x, size_t rows, size_t cols, const tensor_taps *t)
{
    size_t i = 0;
    for (; i + 4 <= rows; i += 4)
        if (t->count == 9) /* the usual one, without a loop */
            tap_rows(y + i * t->ldy, x + i * t->ldx, cols, t, 4, 9);
        else
            tap_rows(y + i * t->ldy, x + i * t->ldx, cols, t, 4, t->count);
    for (; i < rows; i++)
        tap_rows(y + i * t->ldy, x + i * t->ldx, cols, t, 1, t->count);
}

/* ---- the rest ---- */

static void fill(float *y, float value, size_t n)
{
    for (size_t i = 0; i < n; i += VEC_WIDTH)
        put(y, i, n, vec_set(value));
}

static void batchnorm(float *y, const float *x, float mean, float r, float g, float b, size_t n)
{
    for (size_t i = 0; i < n; i += VEC_WIDTH) {
        vec h = vec_mul(vec_sub(get(x, i, n), vec_set(mean)), vec_set(r));
        put(y, i, n, vec_add(vec_mul(h, vec_set(g)), vec_set(b)));
    }
}

static void batchnorm_backward(float *dx, const float *dy, const float *x, float mean, float r,
                               float scale, float mean_dy, float mean_dyh, bool accumulate,
                               size_t n)
{
    for (size_t i = 0; i < n; i += VEC_WIDTH) {
        vec h = vec_mul(vec_sub(get(x, i, n), vec_set(mean)), vec_set(r));
        vec d = vec_sub(get(dy, i, n), vec_set(mean_dy));
        d = vec_sub(d, vec_mul(h, vec_set(mean_dyh)));
        d = vec_mul(vec_set(scale), d);
        put(dx, i, n, accumulate ? vec_add(get(dx, i, n), d) : d);
    }
}

static const tensor_image_kernels image_kernels = {
#define KERNEL(result, name, parameters) name, /* in the order of the list, as in the struct */
#include "tensor/image_kernel_list.h"
};
