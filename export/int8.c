/* int8.c -- a network in whole numbers: a real x is scale (q - zero), with q of 8 bits.
 *
 * A product of such numbers and weights w = scale_o v, symmetric and with a scale for each output
 * channel, is a scale times a sum of whole numbers:
 *
 *     sum_i w_i x_i + b  =  scale_o scale_x (sum_i v_i q_i + bias),   bias = b / (scale_o scale_x)
 *                                                                            - zero_x sum_i v_i
 *
 * and the result's q is zero_y + sum m / 2^shift, where m / 2^shift is scale_o scale_x / scale_y to
 * 31 bits (Jacob et al. 2018, arXiv:1712.05877). The range of each result, and so its scale and its
 * zero, is that of the calibration images. Pools and relu keep their input's; gelu is a table of its
 * 256 results; a batch norm that is not folded is a product of one weight a channel. The last linear
 * layer's sums become logits of 32 bits at once. */
#include "base/memory.h"
#include "export/parts.h"
#include "vision/batch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 16, IMAGE_WEIGHT = 256, MOST_SHIFT = 62 };

static const double logit_unit = 1.0 / 65536;

typedef struct range {
    double low, high; /* 0 is between them */
} range;

typedef struct making {
    export_int8 *q;
    vision_pixels pixels;
    range step[VISION_MAX_LAYERS];
    tensor *result[VISION_MAX_LAYERS];
} making;

/* ---- ranges ---- */

static void widen(range *r, const float *x, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double value = (double)x[i];
        if (!isfinite(value))
            r->low = r->high = NAN; /* and so they stay */
        else if (value < r->low)
            r->low = value;
        else if (value > r->high)
            r->high = value;
    }
}

/* For tensor_guarded: the ranges of all steps, over all images. */
static void measure(void *argument)
{
    making *m = argument;
    vision_model *model = &m->q->model;
    const export_plan *plan = &m->q->plan;
    tensor_context *ctx = nn_params_context(vision_network_params(model->network));
    vision_shape in = model->input;
    int all = m->pixels.part->count;
    tensor_set_grad(ctx, false);
    vision_keep_results(model->network, m->result);
    for (int first = 0, count; first < all; first += count) {
        count = all - first < AT_ONCE ? all - first : AT_ONCE;
        tensor *x = tensor_new(ctx, 4, (const int[]){count, in.channels, in.height, in.width});
        vision_pixels_fill(&m->pixels, x, NULL, first);
        vision_forward(model->network, x, false, 0, 0);
        for (int i = 0; i < plan->count; i++) {
            const tensor *y = m->result[plan->step[i].layer + plan->step[i].relu];
            widen(&m->step[i], y->val, tensor_size(y));
        }
        tensor_step_end(ctx);
    }
    vision_keep_results(model->network, NULL);
    tensor_set_grad(ctx, true);
}

/* For tensor_guarded: gelu of the 256 numbers that a step's input can be. */
typedef struct gelu_table {
    tensor_context *ctx;
    double scale, scale_out;
    export_quantum *u;
} gelu_table;

static int8_t clamp(double value, int low)
{
    double nearest = floor(value + 0.5);
    return (int8_t)(nearest < low ? low : nearest > 127 ? 127 : nearest);
}

static void fill_table(void *argument)
{
    const gelu_table *g = argument;
    tensor_set_grad(g->ctx, false);
    tensor *x = tensor_new(g->ctx, 1, (const int[]){256});
    for (int i = 0; i < 256; i++)
        x->val[i] = (float)(g->scale * (i - 128 - g->u->from_zero));
    const tensor *y = tensor_gelu_erf(x);
    for (int i = 0; i < 256; i++)
        g->u->table[i] = clamp((double)y->val[i] / g->scale_out + g->u->zero, -128);
    tensor_step_end(g->ctx);
    tensor_set_grad(g->ctx, true);
}

/* ---- numbers ---- */

/* factor = multiplier / 2^shift. False: it is too large for that. */
static bool as_shift(double factor, int32_t *multiplier, int8_t *shift)
{
    int exponent;
    double m = floor(ldexp(frexp(factor, &exponent), 31) + 0.5);
    if (!(factor >= 0) || exponent > 29)
        return false;
    for (; m > 2147483647.0 || 31 - exponent > MOST_SHIFT; exponent++)
        m = floor(m / 2);
    *multiplier = (int32_t)m;
    *shift = (int8_t)(31 - exponent);
    return true;
}

/* The scale of a range, and what stands for 0. */
static double scale_of(range r, int *zero)
{
    double scale = (r.high - r.low) / 255;
    scale = scale > 0 ? scale : 1;
    *zero = clamp(-128 - r.low / scale, -128);
    return scale;
}

static bool allocate(export_quantum *u, int rows, int each, base_error *error)
{
    size_t n = (size_t)rows;
    u->rows = rows;
    u->each = each;
    u->weight = each ? base_calloc(n * (size_t)each, 1) : NULL;
    u->bias = base_calloc(n, sizeof *u->bias);
    u->multiplier = base_calloc(n, sizeof *u->multiplier);
    u->shift = base_calloc(n, sizeof *u->shift);
    return ((!each || u->weight) && u->bias && u->multiplier && u->shift) ||
           base_fail(error, "no memory for a network in int8");
}

/* A row of real weights and its bias, of inputs of that scale, to results of the other. False: the
 * largest sum that it can have is no int32, or a factor is too large. */
static bool quantise_row(export_quantum *u, int row, const double *weight, double bias, double from,
                         double to)
{
    double largest = fabs(bias) / (from * (1 << 28)) * 127, sum = 0, most = 0;
    int8_t *v = u->weight + (size_t)row * (size_t)u->each;
    for (int i = 0; i < u->each; i++)
        largest = fabs(weight[i]) > largest ? fabs(weight[i]) : largest;
    double scale = largest > 0 ? largest / 127 : 1;
    for (int i = 0; i < u->each; i++) {
        v[i] = clamp(weight[i] / scale, -127);
        sum += v[i];
        most += 128 * abs(v[i]);
    }
    double whole = floor(bias / (scale * from) + 0.5) - u->from_zero * sum;
    if (!(fabs(whole) + most < 2147483647.0))
        return false;
    u->bias[row] = (int32_t)whole;
    return as_shift(scale * from / to, &u->multiplier[row], &u->shift[row]);
}

static const float *values(const vision_model *m, int layer, const char *what)
{
    const tensor *t = export_tensor(vision_network_params(m->network), layer, what);
    return (t ? t : export_tensor(vision_network_running(m->network), layer, what))->val;
}

/* A row of a layer as real numbers: weights, and the bias. */
static double row_of(const vision_model *m, const export_step *s, int row, int each, double *weight)
{
    const float *w = values(m, s->layer, "weight"), *b = values(m, s->layer, "bias");
    if (s->l->kind == VISION_BATCH_NORM2D) {
        const float *mean = values(m, s->layer, "running_mean");
        double variance = (double)values(m, s->layer, "running_var")[row];
        weight[0] = (double)w[row] / sqrt(variance + (double)1e-5F);
        return (double)b[row] - (double)mean[row] * weight[0];
    }
    for (int i = 0; i < each; i++)
        weight[i] = (double)w[(size_t)row * (size_t)each + (size_t)i];
    return (double)b[row];
}

static bool quantise_product(export_quantum *u, const vision_model *m, const export_step *s,
                             double from, double to, base_error *error)
{
    const vision_layer *l = s->l;
    int each = l->kind == VISION_CONV2D   ? l->in * l->kernel * l->kernel
               : l->kind == VISION_LINEAR ? l->in
                                          : 1;
    int rows = l->kind == VISION_BATCH_NORM2D ? l->in : l->out;
    double *weight = base_malloc((size_t)each * sizeof *weight);
    bool ok = allocate(u, rows, each, error) &&
              (weight || base_fail(error, "no memory for a network in int8"));
    for (int row = 0; ok && row < rows; row++) {
        double bias = row_of(m, s, row, each, weight);
        if (!quantise_row(u, row, weight, bias, from, to))
            ok = base_fail(error, "layer %d, %s: its sums may not fit into 32 bits", s->layer,
                           vision_kind_name(l->kind));
    }
    free(weight);
    return ok;
}

/* Pixels p of a channel are (p - mean) scale: as a product with weight 256 and a bias. */
static bool quantise_image(export_quantum *u, const vision_model *m, double *scale,
                           base_error *error)
{
    range r = {0, 0};
    int channels = m->input.channels;
    if (!allocate(u, channels, 0, error))
        return false;
    for (int c = 0; c < channels; c++) {
        float mean = m->normal.mean[c], deviation = m->normal.deviation[c];
        widen(&r, (const float[]){(0 - mean) / deviation, (1 - mean) / deviation}, 2);
    }
    *scale = scale_of(r, &u->zero);
    u->low = -128;
    for (int c = 0; c < channels; c++) {
        double pixel = 1 / (255 * (double)m->normal.deviation[c]);
        u->bias[c] = (int32_t)floor(-255 * IMAGE_WEIGHT * (double)m->normal.mean[c] + 0.5);
        if (!as_shift(pixel / *scale / IMAGE_WEIGHT, &u->multiplier[c], &u->shift[c]))
            return base_fail(error, "channel %d of the images: its deviation is too small", c);
    }
    return true;
}

static bool is_product(const vision_layer *l)
{
    return l->kind == VISION_CONV2D || l->kind == VISION_LINEAR || l->kind == VISION_BATCH_NORM2D;
}

/* Step i, from numbers of that scale and zero, which become those of its result. */
static bool quantise_step(making *m, int i, double *scale, int *zero, base_error *error)
{
    export_int8 *q = m->q;
    const export_step *s = &q->plan.step[i];
    export_quantum *u = &q->step[i];
    double from = *scale;
    char reason[256];
    u->from_zero = u->zero = *zero;
    u->low = -128;
    u->wide = s->l->kind == VISION_LINEAR && i + 1 == q->plan.count;
    if (s->l->kind == VISION_GELU || is_product(s->l)) {
        if (!isfinite(m->step[i].low) || !isfinite(m->step[i].high))
            return base_fail(error, "layer %d: its results are not finite", s->layer);
        *scale = u->wide ? logit_unit : scale_of(m->step[i], &u->zero);
    }
    if (s->relu || s->l->kind == VISION_RELU)
        u->low = u->zero;
    *zero = u->zero;
    if (s->l->kind == VISION_GELU) {
        tensor_context *ctx = nn_params_context(vision_network_params(q->model.network));
        gelu_table g = {ctx, from, *scale, u};
        return tensor_guarded(ctx, fill_table, &g, reason) || base_fail(error, "gelu: %s", reason);
    }
    return !is_product(s->l) || quantise_product(u, &q->model, s, from, *scale, error);
}

static bool quantise(making *m, base_error *error)
{
    export_int8 *q = m->q;
    double scale;
    if (!quantise_image(&q->image, &q->model, &scale, error))
        return false;
    int zero = q->image.zero;
    for (int i = 0; i < q->plan.count; i++)
        if (!quantise_step(m, i, &scale, &zero, error))
            return false;
    if (!allocate(&q->logit, 1, 0, error))
        return false;
    q->logit.zero = zero;
    return as_shift(scale / logit_unit, q->logit.multiplier, q->logit.shift) ||
           base_fail(error, "logits are too large for int8");
}

export_int8 *export_int8_new(const vision_model *model, const vision_part *calibration,
                             base_error *error)
{
    char reason[256];
    export_int8 *q = base_calloc(1, sizeof *q);
    making m = {.q = q};
    if (!q)
        base_fail(error, "no memory for a network in int8");
    bool ok = q && export_fold(model, &q->model, error) &&
              export_plan_make(&q->plan, &q->model, true, error);
    if (ok) {
        q->plan.int8 = q;
        vision_pixels_begin(&m.pixels, calibration, &model->normal);
        tensor_context *ctx = nn_params_context(vision_network_params(q->model.network));
        ok = (tensor_guarded(ctx, measure, &m, reason) ||
              base_fail(error, "calibrating: %s", reason)) &&
             quantise(&m, error);
    }
    for (int i = 0; ok && i < 2; i++)
        if (!(q->buffer[i] = base_malloc(q->plan.buffer)))
            ok = base_fail(error, "no memory for a network in int8");
    if (ok)
        return q;
    export_int8_free(q);
    return NULL;
}

static void free_quantum(export_quantum *u)
{
    free(u->weight);
    free(u->bias);
    free(u->multiplier);
    free(u->shift);
}

void export_int8_free(export_int8 *q)
{
    if (!q)
        return;
    free_quantum(&q->image);
    free_quantum(&q->logit);
    for (int i = 0; i < q->plan.count; i++)
        free_quantum(&q->step[i]);
    free(q->buffer[0]);
    free(q->buffer[1]);
    export_fold_free(&q->model);
    free(q);
}

size_t export_int8_flash(const export_int8 *q)
{
    size_t bytes = 9 * (size_t)q->image.rows;
    for (int i = 0; i < q->plan.count; i++) {
        const export_quantum *u = &q->step[i];
        bytes += (size_t)u->rows * ((size_t)u->each + 9);
        bytes += q->plan.step[i].l->kind == VISION_GELU ? sizeof u->table : 0;
    }
    return bytes;
}

/* ---- the same arithmetic in plain loops ---- */

/* What the exported file's scaled() is; a division that rounds down stands for its shift. */
static int64_t scaled(const export_quantum *u, int row, int32_t sum)
{
    int64_t divisor = (int64_t)1 << u->shift[row];
    int64_t value = (int64_t)sum * u->multiplier[row] + divisor / 2;
    return value / divisor - (value % divisor < 0);
}

static int8_t narrow(const export_quantum *u, int row, int32_t sum)
{
    int64_t value = scaled(u, row, sum) + u->zero;
    return (int8_t)(value < u->low ? u->low : value > 127 ? 127 : value);
}

static int32_t wide(const export_quantum *u, int row, int32_t sum)
{
    int64_t value = scaled(u, row, sum);
    return (int32_t)(value < -INT32_MAX ? -INT32_MAX : value > INT32_MAX ? INT32_MAX : value);
}

/* What lies at (c, row, column) of x; beyond its edges stands 0. */
static int at(const export_step *s, const export_quantum *u, const int8_t *x, int c, int row,
              int column)
{
    if (row < 0 || row >= s->in.height || column < 0 || column >= s->in.width)
        return u->from_zero;
    return x[(c * s->in.height + row) * s->in.width + column];
}

static int32_t convolve(const export_step *s, const export_quantum *u, const int8_t *x, int o,
                        int row, int column)
{
    const vision_layer *l = s->l;
    const int8_t *weight = u->weight + o * u->each;
    int32_t sum = u->bias[o];
    for (int c = 0; c < l->in; c++)
        for (int i = 0; i < l->kernel; i++)
            for (int k = 0; k < l->kernel; k++)
                sum += *weight++ * at(s, u, x, c, row * l->stride - l->padding + i,
                                      column * l->stride - l->padding + k);
    return sum;
}

static int8_t pool(const export_step *s, const export_quantum *u, const int8_t *x, int c, int row,
                   int column)
{
    const vision_layer *l = s->l;
    int most = -128, sum = 0, n = l->kernel * l->kernel;
    for (int i = 0; i < l->kernel; i++)
        for (int k = 0; k < l->kernel; k++) {
            int value = at(s, u, x, c, row * l->stride + i, column * l->stride + k);
            most = value > most ? value : most;
            sum += value;
        }
    if (l->kind == VISION_MAX_POOL2D)
        return (int8_t)most;
    return (int8_t)((sum < 0 ? sum - n / 2 : sum + n / 2) / n);
}

/* Element (c, row, column) of a step's result. */
static int8_t element(const export_step *s, const export_quantum *u, const int8_t *x, int c,
                      int row, int column, size_t place)
{
    switch (s->l->kind) {
    case VISION_CONV2D:
        return narrow(u, c, convolve(s, u, x, c, row, column));
    case VISION_BATCH_NORM2D:
        return narrow(u, c, u->bias[c] + u->weight[c] * x[place]);
    case VISION_GELU:
        return u->table[x[place] + 128];
    case VISION_RELU:
        return x[place] < u->low ? (int8_t)u->low : x[place];
    default:
        return pool(s, u, x, c, row, column);
    }
}

static int32_t multiply(const export_quantum *u, const int8_t *x, int o)
{
    int32_t sum = u->bias[o];
    for (int i = 0; i < u->each; i++)
        sum += u->weight[o * u->each + i] * x[i];
    return sum;
}

static void run_step(const export_step *s, const export_quantum *u, const int8_t *x, int8_t *y)
{
    int height = s->out.height ? s->out.height : 1, width = s->out.width ? s->out.width : 1;
    size_t place = 0;
    if (s->l->kind == VISION_LINEAR) {
        for (int o = 0; o < u->rows; o++)
            y[o] = narrow(u, o, multiply(u, x, o));
        return;
    }
    for (int c = 0; c < s->out.channels; c++)
        for (int row = 0; row < height; row++)
            for (int column = 0; column < width; column++, place++)
                y[place] = element(s, u, x, c, row, column, place);
}

void export_int8_run(export_int8 *q, const unsigned char *pixels, int32_t *logits)
{
    int8_t *x = q->buffer[0], *y = q->buffer[1], *other;
    size_t size = export_size(q->model.input), plane = size / (size_t)q->model.input.channels;
    for (size_t i = 0; i < size; i++) {
        int c = (int)(i / plane);
        x[i] = narrow(&q->image, c, IMAGE_WEIGHT * pixels[i] + q->image.bias[c]);
    }
    for (int i = 0; i < q->plan.count; i++, other = x, x = y, y = other) {
        const export_quantum *u = &q->step[i];
        if (u->wide)
            for (int o = 0; o < u->rows; o++)
                logits[o] = wide(u, o, multiply(u, x, o));
        else
            run_step(&q->plan.step[i], u, x, y);
    }
    if (q->plan.count == 0 || !q->step[q->plan.count - 1].wide)
        for (int i = 0; i < q->model.classes; i++)
            logits[i] = wide(&q->logit, 0, x[i] - q->logit.zero);
}
