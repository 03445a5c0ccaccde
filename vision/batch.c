/* SPDX-License-Identifier: MIT */
/* batch.c -- splitting a set, its mean and deviation, and its images as batches of floats, flipped
 * and shifted.
 *
 * Augmentation (a mirrored or shifted copy in place of the image) is random, and a batch is filled
 * by several threads. Both go together because the numbers are drawn by position: the image at
 * place p of an epoch reads numbers 16 p .. 16 p + 15 of the epoch's stream, whichever thread fills
 * it, and whatever batch size cuts the epoch. So an image is one item of work and depends on
 * nothing but its bytes, its place and the seed. */
#include "vision/batch.h"

#include "base/math.h"
#include "base/memory.h"
#include "tensor/context.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- parts of a set ---- */

void vision_shuffle(int *order, int count, uint64_t seed, uint64_t stream)
{
    base_random r = {.seed = seed, .stream = stream};
    for (int i = 0; i < count; i++)
        order[i] = i;
    base_random_shuffle(&r, order, (size_t)count, sizeof *order);
}

/* One shuffle of all indexes: the first `train` of them are one part, the next `held_out` the
 * other, so the parts are disjoint and each is a uniform sample. */
bool vision_split_draw(vision_split *split, const vision_images *images, int train, int held_out,
                       uint64_t seed, base_error *error)
{
    if (train < 1 || held_out < 0 || (int64_t)train + held_out > images->count)
        return base_fail(error, "a split into %d and %d images: there are %d", train, held_out,
                         images->count);
    int *block = base_malloc((size_t)images->count * sizeof *block);
    if (!block)
        return base_fail(error, "no memory to split %d images", images->count);
    vision_shuffle(block, images->count, seed, base_random_stream("split", 0, 0, 0));
    *split = (vision_split){.train = {images, block, train},
                            .held_out = {images, block + train, held_out},
                            .block = block};
    return true;
}

void vision_split_free(vision_split *split)
{
    base_free(split->block);
    *split = (vision_split){.block = NULL};
}

/* ---- pixels ---- */

static size_t plane_size(const vision_images *images)
{
    return (size_t)images->height * (size_t)images->width;
}

/* The image at a place of the part: (C,H,W), a byte each. */
static const unsigned char *pixels_of(const vision_part *part, int place)
{
    const vision_images *images = part->images;
    size_t size = (size_t)images->channels * plane_size(images);
    return images->pixels + (size_t)part->index[place] * size;
}

/* In two passes, the mean first: the difference of two sums of squares would lose its digits where the numbers
 * are far from 0. */
double vision_squares_about_mean(const float *numbers, const int *index, int count, double *mean)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < count; i++)
        sum += (double)numbers[index ? index[i] : i];
    *mean = sum / count;
    for (int i = 0; i < count; i++) {
        const double away = (double)numbers[index ? index[i] : i] - *mean;
        squares += away * away;
    }
    return squares;
}

/* Of the numbers to answer with, likewise: over the part that is trained on alone. */
static void normal_of_targets(const vision_part *part, vision_normal *normal)
{
    double mean,
        squares = vision_squares_about_mean(part->images->targets, part->index, part->count, &mean);
    const float deviation = (float)sqrt(squares / part->count);
    normal->target_mean = (float)mean;
    normal->target_deviation = deviation > 0 ? deviation : 1;
}

/* Of each input by itself, in double precision and two passes: the mean, then the mean square of what differs from
 * it. Missing numbers (NAN) take no part. A constant input has no deviation and gets 1, so that it becomes 0. */
static vision_normal normal_of_rows(const vision_part *part)
{
    vision_normal normal = {.target_deviation = 1};
    size_t inputs = (size_t)part->images->channels;
    for (size_t c = 0; c < inputs; c++) {
        double sum = 0, squares = 0, mean = 0;
        int n = 0;
        for (int pass = 0; pass < 2; pass++) {
            for (int i = 0; i < part->count; i++) {
                double value = (double)part->images->values[(size_t)part->index[i] * inputs + c];
                if (isnan(value))
                    continue;
                n += pass == 0;
                sum += pass == 0 ? value : 0;
                squares += pass == 1 ? (value - mean) * (value - mean) : 0;
            }
            mean = n > 0 ? sum / n : 0;
        }
        float deviation = n > 0 ? (float)sqrt(squares / n) : 0;
        normal.mean[c] = (float)mean;
        normal.deviation[c] = deviation > 0 ? deviation : 1;
    }
    if (part->images->targets)
        normal_of_targets(part, &normal);
    return normal;
}

/* Mean and deviation of each channel over all pixels of the part, as values from 0 to 1. A pixel
 * has only 256 values, so their counts say all: a sum of 256 products instead of millions, and the
 * deviation is that from the mean, without the cancellation of E[x^2] - E[x]^2. */
vision_normal vision_normal_of(const vision_part *part)
{
    vision_normal normal = {.target_deviation = 1};
    if (part->images->values)
        return normal_of_rows(part);
    size_t plane = plane_size(part->images);
    for (int c = 0; c < part->images->channels; c++) {
        uint64_t times[256] = {0};
        double n = (double)part->count * (double)plane, sum = 0, squares = 0;
        for (int i = 0; i < part->count; i++) {
            const unsigned char *p = pixels_of(part, i) + (size_t)c * plane;
            for (size_t j = 0; j < plane; j++)
                times[p[j]]++;
        }
        for (int v = 0; v < 256; v++)
            sum += (double)times[v] * (v / 255.0);
        double mean = sum / n;
        for (int v = 0; v < 256; v++)
            squares += (double)times[v] * (v / 255.0 - mean) * (v / 255.0 - mean);
        normal.mean[c] = (float)mean;
        normal.deviation[c] = squares > 0 ? (float)sqrt(squares / n) : 1;
    }
    return normal;
}

/* (p / 255 - mean) / deviation = (p - 255 mean) * 1 / (255 deviation): a subtraction and a product
 * a pixel. */
void vision_pixels_begin(vision_pixels *pixels, const vision_part *part,
                         const vision_normal *normal)
{
    *pixels =
        (vision_pixels){.part = part,
                        .target_mean = normal->target_mean,
                        .target_scale = part->images->targets ? 1 / normal->target_deviation : 0};
    for (int c = 0; c < part->images->channels; c++) {
        if (part->images->values) {
            pixels->mean[c] = normal->mean[c];
            pixels->scale[c] = 1 / normal->deviation[c];
            continue;
        }
        pixels->mean[c] = 255 * normal->mean[c];
        pixels->scale[c] = 1 / (255 * normal->deviation[c]);
    }
}

/* An augmentation: pixel (y, x) of the result is pixel (y - down, x - right) of the image, which is
 * mirrored left to right before. Pixels from outside of the image count as 0. */
typedef struct move {
    bool mirrored;
    int right, down;
    int cut_x, cut_y; /* the centre of what is cut out of the result */
} move;

/* Numbers reserved for a place: five draws, and room for those that base_random_below rejects
 * (each with probability below 2^-20), so that no two places share a number. */
enum { DRAWS = 16 };

/* Into *to, and not as a result: tcc 0.9.27 writes a struct of 12 bytes that a function returns over what
 * stands beside it. */
static void draw_move(move *to, const vision_pixels *pixels, int place)
{
    move m = {.mirrored = false};
    const vision_images *images = pixels->part->images;
    base_random r = pixels->draws;
    uint32_t shifts = 2 * (uint32_t)pixels->shift + 1;
    r.index = (uint64_t)place * DRAWS;
    if (pixels->flip)
        m.mirrored = base_random_below(&r, 2) == 1;
    if (pixels->shift > 0) {
        m.right = (int)base_random_below(&r, shifts) - pixels->shift;
        m.down = (int)base_random_below(&r, shifts) - pixels->shift;
    }
    if (pixels->cut > 0) {
        m.cut_x = (int)base_random_below(&r, (uint32_t)images->width);
        m.cut_y = (int)base_random_below(&r, (uint32_t)images->height);
    }
    *to = m;
}

/* One channel of an image, and what is done to it. */
typedef struct plane {
    int height, width;
    float mean, scale;
    move move;
} plane;

static float value_of(unsigned char pixel, float mean, float scale)
{
    return ((float)pixel - mean) * scale;
}

/* Pixels of one call of fill_run: a loop of constant length becomes vector instructions in gcc and
 * clang at -O2 as well. */
enum { RUN = 16 };

static void fill_run(float *restrict to, const unsigned char *restrict from, float mean,
                     float scale)
{
    for (int i = 0; i < RUN; i++)
        to[i] = value_of(from[i], mean, scale);
}

/* Pixels side by side in the image and in the result: nearly all of a batch. */
static void fill_straight(const plane *p, float *to, const unsigned char *from, size_t count)
{
    size_t i = 0;
    for (; count - i >= RUN; i += RUN)
        fill_run(to + i, from + i, p->mean, p->scale);
    for (; i < count; i++)
        to[i] = value_of(from[i], p->mean, p->scale);
}

/* Pixels from outside: black as the network sees it, which is (0 - mean) * scale and not 0. */
static void fill_zero(const plane *p, float *to, int count)
{
    for (int i = 0; i < count; i++)
        to[i] = value_of(0, p->mean, p->scale);
}

/* One line of the result from one line of the image. Columns begin .. end - 1 come from inside of
 * the image; the others are on the side from which it moved away. */
static void fill_line(const plane *p, float *to, const unsigned char *from)
{
    int right = p->move.right, begin = right > 0 ? right : 0;
    int end = right < 0 ? p->width + right : p->width;
    if (begin >= end) { /* shifted by the whole width: nothing of it is left */
        fill_zero(p, to, p->width);
        return;
    }
    fill_zero(p, to, begin);
    if (p->move.mirrored)
        for (int x = begin; x < end; x++)
            to[x] = value_of(from[p->width - 1 - (x - right)], p->mean, p->scale);
    else
        fill_straight(p, to + begin, from + begin - right, (size_t)(end - begin));
    fill_zero(p, to + end, p->width - end);
}

/* A whole channel. If it is not moved, it is one run of pixels without lines. */
static void fill_plane(const plane *p, float *to, const unsigned char *from)
{
    if (!p->move.mirrored && p->move.right == 0 && p->move.down == 0) {
        fill_straight(p, to, from, (size_t)p->height * (size_t)p->width);
        return;
    }
    for (int y = 0; y < p->height; y++, to += p->width) {
        int line = y - p->move.down;
        if (line < 0 || line >= p->height)
            fill_zero(p, to, p->width);
        else
            fill_line(p, to, from + (size_t)line * (size_t)p->width);
    }
}

/* The rows, or columns, of a square of that side around a centre, as far as it lies within `size`. */
static void square_of(int centre, int side, int size, int *begin, int *end)
{
    *begin = centre - side / 2;
    *end = *begin + side < size ? *begin + side : size;
    *begin = *begin > 0 ? *begin : 0;
}

/* Cutout (DeVries & Taylor 2017, arXiv:1708.04552): a square of each image is 0, the mean, wherever its
 * centre lies in the image; so at the edge less than the square is gone. */
static void cut_out(const plane *p, float *to, int side)
{
    int left, right, top, bottom;
    square_of(p->move.cut_x, side, p->width, &left, &right);
    square_of(p->move.cut_y, side, p->height, &top, &bottom);
    for (int y = top; y < bottom; y++)
        for (int x = left; x < right; x++)
            to[(size_t)y * (size_t)p->width + (size_t)x] = 0;
}

typedef struct filling {
    const vision_pixels *pixels;
    float *x;
    const int *order;
    int first, count;
} filling;

static int place_in_part(const int *order, int place) { return order ? order[place] : place; }

/* Images in random order lie in no cache, and no processor predicts which comes next: so it is
 * requested while the one AHEAD of it is filled. */
static void prefetch(const unsigned char *from, size_t size)
{
#ifdef __GNUC__
    for (size_t i = 0; i < size; i += 64)
        __builtin_prefetch(from + i);
#else
    (void)from;
    (void)size;
#endif
}

enum { AHEAD = 4 };

/* Image i of the batch, (C,H,W) floats: the body of tensor_parallel. */
static void fill_image(void *argument, int i, int worker)
{
    const filling *f = argument;
    const vision_pixels *pixels = f->pixels;
    const vision_images *images = pixels->part->images;
    int place = f->first + i;
    size_t size = plane_size(images);
    (void)worker;
    const unsigned char *from = pixels_of(pixels->part, place_in_part(f->order, place));
    if (i + AHEAD < f->count)
        prefetch(pixels_of(pixels->part, place_in_part(f->order, place + AHEAD)),
                 (size_t)images->channels * size);
    float *to = f->x + (size_t)i * (size_t)images->channels * size;
    plane p = {.height = images->height, .width = images->width};
    draw_move(&p.move, pixels, place);
    for (int c = 0; c < images->channels; c++, to += size, from += size) {
        p.mean = pixels->mean[c];
        p.scale = pixels->scale[c];
        fill_plane(&p, to, from);
        if (pixels->cut > 0)
            cut_out(&p, to, pixels->cut);
    }
}

/* Row i of the batch, likewise: (inputs) floats. A missing number becomes 0, which after normalising is the mean. */
static void fill_row(void *argument, int i, int worker)
{
    const filling *f = argument;
    const vision_pixels *pixels = f->pixels;
    const vision_part *part = pixels->part;
    size_t inputs = (size_t)part->images->channels;
    int row = part->index[place_in_part(f->order, f->first + i)];
    const float *from = part->images->values + (size_t)row * inputs;
    float *to = f->x + (size_t)i * inputs;
    (void)worker;
    for (size_t c = 0; c < inputs; c++)
        to[c] = isnan(from[c]) ? 0 : (from[c] - pixels->mean[c]) * pixels->scale[c];
}

void vision_pixels_fill(const vision_pixels *pixels, tensor *images, const int *order, int first)
{
    filling f = {pixels, images->val, order, first, images->dim[0]};
    tensor_parallel(images->ctx, images->dim[0], images->rank == 2 ? fill_row : fill_image, &f);
}

/* U^(1/a) / (U^(1/a) + V^(1/a)) has that distribution where the sum is at most 1 (Johnk 1964), so U and V are drawn
 * until it is. By logarithms, since the powers of a small a are below the smallest number. */
float vision_mixup_share(double alpha, base_random *random)
{
    for (;;) {
        const double u = base_log(1 - base_random_uniform(random)) / alpha;
        const double v = base_log(1 - base_random_uniform(random)) / alpha;
        if (base_exp(u) + base_exp(v) <= 1)
            return (float)(1 / (1 + base_exp(v - u)));
    }
}

/* Both of a pair at once: neither is read again after it was written. The middle one of an odd count is its own
 * partner and stays what it is. */
void vision_mix(float *rows, size_t size, int count, float share)
{
    const float other = 1 - share;
    for (int i = 0; i < count / 2; i++) {
        float *a = rows + (size_t)i * size, *b = rows + (size_t)(count - 1 - i) * size;
        for (size_t j = 0; j < size; j++) {
            const float x = a[j], y = b[j];
            a[j] = share * x + other * y;
            b[j] = share * y + other * x;
        }
    }
}

void vision_pixels_labels(const vision_pixels *pixels, int *labels, int count, const int *order,
                          int first)
{
    const vision_part *part = pixels->part;
    for (int i = 0; i < count; i++)
        labels[i] = part->images->labels[part->index[place_in_part(order, first + i)]];
}

/* (target - mean) / deviation, of the training part's numbers, for places first .. first + count - 1 of
 * the order. */
void vision_pixels_targets(const vision_pixels *pixels, float *targets, int count, const int *order,
                           int first)
{
    const vision_part *part = pixels->part;
    for (int i = 0; i < count; i++) {
        const float target = part->images->targets[part->index[place_in_part(order, first + i)]];
        targets[i] = (target - pixels->target_mean) * pixels->target_scale;
    }
}
