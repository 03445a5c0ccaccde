/* SPDX-License-Identifier: MIT */
/* int8.c -- a network in whole numbers: a real x is scale (q - zero), with q of 8 bits, 0 .. 255.
 *
 * A product of such numbers and weights w = scale_o v, symmetric and with a scale for each output
 * channel, is a scale times a sum of whole numbers, so that the result's q is, rounded down,
 *
 *     (sum_i v_i q_i factor_o + bias_o) / 2^shift,   factor_o / 2^shift = scale_o scale_x / scale_y
 *     bias_o = 2^shift (b_o / scale_y + zero_y + 1/2) - factor_o zero_x sum_i v_i
 *
 * (after Jacob et al. 2018, arXiv:1712.05877), all of it in 32 bits. Of each channel the file keeps 16 bits: 4 of a factor
 * and 12 of a bias, in a unit that its layer's channels share. Nothing of a factor is cut off: scale_o is made so much larger
 * that the factor is a whole number. A channel with a small factor gets weights that are coarse beside its own, but not beside
 * the others', and so are its results. 12 bits of a bias are fine enough where what is 0 in the input is 0 in q as well, as it
 * is behind relu: a bias is within the results' range then. The range of each result, and so its scale and its zero, is that
 * of the calibration images. Pools, relu and relu6 keep their input's; gelu and hard swish are tables of their 256 results; a
 * batch norm that is not folded is a product of one weight a channel, the mean of a plane one of equal weights. Of a
 * residual sum both parts come to the result's scale by factors of 21 bits with one shift, so that their sum fits into 32.
 * The last linear layer's sums become logits of 32 bits at once: its rows, which are compared with each other, have one
 * scale, and biases of 16 bits. int8_run.c has the same arithmetic in plain loops. */
#include "base/memory.h"
#include "export/parts.h"
#include "vision/batch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    AT_ONCE = 16,
    MOST_SHIFT = 62,   /* of a table's numbers */
    NARROW_SHIFT = 22, /* results of 8 bits before it take 30 */
    IMAGE_SHIFT = 15,
    MOST_FACTOR = EXPORT_BIAS_UNIT - 1,
    MOST_BIAS = 2047,   /* of EXPORT_BIAS_UNIT each */
    LOGIT_FACTOR = 255, /* finer ones would be of no use */
    LOGIT_BIAS = 32767,
    MOST_DEVIATIONS = 8,
    SUM_BITS = 21
};

static const double logit_unit = 1.0 / 65536;

/* Sums stay below it, and so within 32 bits when their bias is rounded. */
static const double most_sum = 2147483647.0 - (1 << 21);

/* A result's unit is at least so many units of its sum, so that a factor of 4 bits has a shift. */
static const double least_units = 2.0625;

typedef struct range {
    double low, high; /* 0 is between them */
} range;

typedef struct making {
    export_int8 *q;
    vision_pixels pixels;
    range inputs; /* of a table's rows */
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

/* Inputs further from 0 than that: as the exported file has them, and the ranges behind them. */
static void cut_off(making *m, const tensor *x)
{
    for (size_t i = 0; i < tensor_size(x); i++)
        x->val[i] = x->val[i] > MOST_DEVIATIONS    ? MOST_DEVIATIONS
                    : x->val[i] < -MOST_DEVIATIONS ? -MOST_DEVIATIONS
                                                   : x->val[i];
    widen(&m->inputs, x->val, tensor_size(x));
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
        tensor *x = tensor_new(ctx, model->columns ? 2 : 4,
                               (const int[]){count, in.channels, in.height, in.width});
        vision_pixels_fill(&m->pixels, x, NULL, first);
        if (model->columns)
            cut_off(m, x);
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

/* For tensor_guarded: what a function makes of the 256 numbers that a step's input can be. */
typedef struct function_table {
    tensor_context *ctx;
    tensor *(*function)(tensor *x);
    double scale, scale_out;
    export_quantum *u;
} function_table;

static int nearest(double value, int low, int high)
{
    double whole = floor(value + 0.5);
    return (int)(whole < low ? low : whole > high ? high : whole);
}

static void fill_table(void *argument)
{
    const function_table *g = argument;
    tensor_set_grad(g->ctx, false);
    tensor *x = tensor_new(g->ctx, 1, (const int[]){256});
    for (int i = 0; i < 256; i++)
        x->val[i] = (float)(g->scale * (i - g->u->from_zero));
    const tensor *y = g->function(x);
    for (int i = 0; i < 256; i++)
        g->u->table[i] = (uint8_t)nearest((double)y->val[i] / g->scale_out + g->u->zero, 0, 255);
    tensor_step_end(g->ctx);
    tensor_set_grad(g->ctx, true);
}

/* ---- numbers ---- */

bool export_int8_factor(double factor, int32_t *multiplier, int8_t *shift)
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

/* The scale of a range, where sums come in such units, and what stands for 0. */
static double scale_of(range r, double unit, int *zero)
{
    double scale = fmax((r.high - r.low) / 255, least_units * unit);
    scale = scale > 0 ? scale : 1;
    *zero = nearest(-r.low / scale, 0, 255);
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

/* The least unit that a row's sums can have, of inputs of that scale: its largest weight is 127 then. */
static double unit_of(const double *weight, int each, double from)
{
    double largest = 0;
    for (int i = 0; i < each; i++)
        largest = fabs(weight[i]) > largest ? fabs(weight[i]) : largest;
    return largest / 127 * from;
}

/* A row of real weights and its bias, whose factor is there. from, to: the scales of inputs and results. False: the
 * largest sum that it can have is too large. */
static bool quantise_row(export_quantum *u, int row, const double *weight, double bias, double from,
                         double to)
{
    double factor = u->multiplier[row], one = ldexp(1, u->shift[row]), up = 0, down = 0;
    double unit = factor / one * to / from; /* of weights */
    int8_t *v = u->weight + (size_t)row * (size_t)u->each;
    for (int i = 0; i < u->each; i++) {
        v[i] = (int8_t)(unit > 0 ? nearest(weight[i] / unit, -127, 127) : 0);
        up += v[i] > 0 ? v[i] : 0;
        down -= v[i] < 0 ? v[i] : 0;
    }
    double zero = u->wide ? 0 : u->zero;
    double whole = (bias / to + zero + 0.5) * one - factor * u->from_zero * (up - down);
    if (!(fabs(whole) + fmax(factor, 1) * 255 * fmax(up, down) < most_sum))
        return false;
    u->bias[row] = (int32_t)floor(whole + 0.5);
    return true;
}

/* Biases as multiples of the least power of 2 that leaves so many of their bits. */
static void round_biases(export_quantum *u)
{
    const double most = u->wide ? LOGIT_BIAS : MOST_BIAS;
    double largest = 0, unit = u->wide ? 1 : EXPORT_BIAS_UNIT;
    for (int i = 0; i < u->rows; i++)
        largest = fmax(largest, fabs((double)u->bias[i]));
    for (u->up = 0; floor(largest / unit + 0.5) > most; u->up++)
        unit *= 2;
    for (int i = 0; i < u->rows; i++)
        u->bias[i] = (int32_t)(floor(u->bias[i] / unit + 0.5) * unit);
}

/* Factors from sums of the units in `unit` to results, by that shift. False: they are too large. */
static bool choose_factors(export_quantum *u, const double *unit, double to, int shift)
{
    bool small = true;
    double largest = 0;
    for (int i = 0; i < u->rows; i++)
        largest = fmax(largest, unit[i]);
    for (int i = 0; i < u->rows; i++) {
        double factor = ceil(ldexp((u->wide ? largest : unit[i]) / to, shift));
        small = small && (u->wide && shift > 0 ? factor <= LOGIT_FACTOR
                          : u->wide            ? factor < most_sum
                                               : factor <= MOST_FACTOR);
        u->multiplier[i] = small ? (int32_t)factor : 0;
        u->shift[i] = (int8_t)shift;
    }
    return small;
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

/* The least units of the sums of its rows, to unit (rows); the largest of them. weight: room for a row. */
static double units(const export_quantum *u, const vision_model *m, const export_step *s,
                    double from, double *weight, double *unit)
{
    double largest = 0;
    for (int row = 0; row < u->rows; row++) {
        row_of(m, s, row, u->each, weight);
        unit[row] = unit_of(weight, u->each, from);
        largest = fmax(largest, unit[row]);
    }
    return largest;
}

static bool quantise_rows(export_quantum *u, const vision_model *m, const export_step *s,
                          double from, double to, double *weight)
{
    for (int row = 0; row < u->rows; row++) {
        double bias = row_of(m, s, row, u->each, weight);
        if (!quantise_row(u, row, weight, bias, from, to))
            return false;
    }
    round_biases(u);
    return true;
}

/* A product, to results in the range of the images; *to: their scale. */
static bool quantise_product(making *m, int i, double from, double *to, base_error *error)
{
    const export_step *s = &m->q->plan.step[i];
    const vision_model *model = &m->q->model;
    export_quantum *u = &m->q->step[i];
    const vision_layer *l = s->l;
    int each = l->kind == VISION_CONV2D        ? l->in * l->kernel * l->kernel
               : l->kind == VISION_DEPTHWISE2D ? l->kernel * l->kernel
               : l->kind == VISION_LINEAR      ? l->in
                                               : 1;
    int rows = l->kind == VISION_CONV2D || l->kind == VISION_LINEAR ? l->out : l->in;
    double *unit = base_calloc((size_t)rows + (size_t)each, sizeof *unit);
    bool ok = allocate(u, rows, each, error) &&
              (unit || base_fail(error, "no memory for a network in int8"));
    if (ok) { /* the largest shift, and so the finest factors, by which all fits */
        double *weight = unit + rows, largest = units(u, model, s, from, weight, unit);
        int shift = NARROW_SHIFT, least = u->wide ? 0 : 1;
        *to = u->wide ? logit_unit : scale_of(m->step[i], largest, &u->zero);
        while (shift >= least && !(choose_factors(u, unit, *to, shift) &&
                                   quantise_rows(u, model, s, from, *to, weight)))
            shift--;
        ok = shift >= least || base_fail(error, "layer %d, %s: its sums are too large for int8",
                                         s->layer, vision_kind_name(s->l->kind));
    }
    base_free(unit);
    return ok;
}

static bool quantise_row_inputs(making *m, double *scale, base_error *error)
{
    export_quantum *u = &m->q->image;
    *scale = scale_of(m->inputs, 0, &u->zero);
    return allocate(u, m->q->model.columns->count, 0, error) &&
           export_int8_columns(m->q, *scale, error);
}

/* Pixels p of a channel are (p - mean) scale: a product and a bias. */
static bool quantise_image(making *all, double *scale, base_error *error)
{
    export_quantum *u = &all->q->image;
    const vision_model *m = &all->q->model;
    range r = {0, 0};
    int channels = m->input.channels;
    if (m->columns)
        return quantise_row_inputs(all, scale, error);
    if (!allocate(u, channels, 0, error))
        return false;
    for (int c = 0; c < channels; c++) {
        float mean = m->normal.mean[c], deviation = m->normal.deviation[c];
        widen(&r, (const float[]){(0 - mean) / deviation, (1 - mean) / deviation}, 2);
    }
    *scale = scale_of(r, 0, &u->zero);
    for (int c = 0; c < channels; c++) {
        double unit = (double)m->normal.deviation[c] * *scale;
        double zero = u->zero - (double)m->normal.mean[c] / unit;
        u->bias[c] = (int32_t)floor(ldexp(zero + 0.5, IMAGE_SHIFT) + 0.5);
        u->multiplier[c] = (int32_t)floor(ldexp(1 / (255 * unit), IMAGE_SHIFT) + 0.5);
        u->shift[c] = IMAGE_SHIFT;
    }
    return true;
}

static bool is_product(const vision_layer *l)
{
    return l->kind == VISION_CONV2D || l->kind == VISION_DEPTHWISE2D || l->kind == VISION_LINEAR ||
           l->kind == VISION_BATCH_NORM2D;
}

static tensor *(*function_of(const vision_layer *l))(tensor *x)
{
    return l->kind == VISION_GELU         ? tensor_gelu_erf
           : l->kind == VISION_HARD_SWISH ? tensor_hard_swish
                                          : NULL;
}

/* What numbers of 8 bits mean. */
typedef struct meaning {
    double scale;
    int zero;
} meaning;

static bool fill_function(making *m, int i, double from, double to, base_error *error)
{
    const export_step *s = &m->q->plan.step[i];
    char reason[256];
    tensor_context *ctx = nn_params_context(vision_network_params(m->q->model.network));
    function_table f = {ctx, function_of(s->l), from, to, &m->q->step[i]};
    return tensor_guarded(ctx, fill_table, &f, reason) ||
           base_fail(error, "%s: %s", vision_kind_name(s->l->kind), reason);
}

/* m_x and m_y of x m_x + y m_y + bias, whose shift makes the larger of them one of SUM_BITS. */
static bool quantise_sum(export_quantum *u, meaning x, meaning y, double to, base_error *error)
{
    int exponent;
    if (!allocate(u, 2, 0, error))
        return false;
    frexp(fmax(x.scale, y.scale) / to, &exponent);
    if (exponent >= SUM_BITS || exponent < SUM_BITS - 30)
        return base_fail(error, "a residual sum: its parts are too far from it for int8");
    int shift = SUM_BITS - exponent;
    const double factor[2] = {ldexp(x.scale / to, shift), ldexp(y.scale / to, shift)};
    for (int k = 0; k < 2; k++) {
        u->multiplier[k] = (int32_t)floor(factor[k] + 0.5);
        u->shift[k] = (int8_t)shift;
    }
    u->bias[0] = (1 << (shift - 1)) - x.zero * u->multiplier[0] - y.zero * u->multiplier[1];
    return true;
}

static bool quantise_mean(making *m, int i, double from, double *to, base_error *error)
{
    const vision_shape in = m->q->plan.step[i].in;
    export_quantum *u = &m->q->step[i];
    int count = in.height * in.width, shift = NARROW_SHIFT;
    if (!allocate(u, 1, 0, error))
        return false;
    *to = scale_of(m->step[i], from / count, &u->zero);
    while (shift > 0 && ldexp(255 * from / *to, shift) > 1 << 30)
        shift--;
    double factor = floor(ldexp(from / count / *to, shift));
    if (factor < 1)
        return base_fail(error, "layer %d: its results are too far from its inputs for int8",
                         m->q->plan.step[i].layer);
    *to = ldexp(from / count / factor, shift); /* no less */
    u->zero = nearest(-m->step[i].low / *to, 0, 255);
    u->multiplier[0] = (int32_t)factor;
    u->shift[0] = (int8_t)shift;
    u->bias[0] = (int32_t)(ldexp(u->zero + 0.5, shift) - factor * count * u->from_zero);
    return true;
}

/* Step i, from what its input means (given: what a sum adds) to what its result does. */
static bool quantise_step(making *m, int i, meaning *now, const meaning *given, base_error *error)
{
    export_int8 *q = m->q;
    const export_step *s = &q->plan.step[i];
    export_quantum *u = &q->step[i];
    const meaning from = *now;
    const vision_kind kind = s->l->kind;
    u->from_zero = u->zero = from.zero;
    u->low = 0;
    u->high = 255;
    u->wide = kind == VISION_LINEAR && !s->relu && i + 1 == q->plan.count;
    const bool product = is_product(s->l), mean = kind == VISION_GLOBAL_AVG_POOL2D,
               sum = kind == VISION_RESIDUAL, function = function_of(s->l) != NULL;
    if ((product || mean || sum || function) &&
        (!isfinite(m->step[i].low) || !isfinite(m->step[i].high)))
        return base_fail(error, "layer %d: its results are not finite", s->layer);
    if ((product && !quantise_product(m, i, from.scale, &now->scale, error)) ||
        (mean && !quantise_mean(m, i, from.scale, &now->scale, error)))
        return false;
    if (sum || function)
        now->scale = scale_of(m->step[i], 0, &u->zero);
    if (s->relu || kind == VISION_RELU || kind == VISION_RELU6)
        u->low = u->zero;
    if (kind == VISION_RELU6)
        u->high = nearest(6 / now->scale + u->zero, 0, 255);
    now->zero = u->zero;
    if (function)
        return fill_function(m, i, from.scale, now->scale, error);
    return !sum || quantise_sum(u, from, *given, now->scale, error);
}

static bool quantise(making *m, base_error *error)
{
    export_int8 *q = m->q;
    meaning given[VISION_MAX_LAYERS + 1]; /* by the image, and by each step */
    if (!quantise_image(m, &given[0].scale, error))
        return false;
    given[0].zero = q->image.zero;
    for (int i = 0; i < q->plan.count; i++) {
        const export_step *s = &q->plan.step[i];
        int other = s->l->kind == VISION_RESIDUAL ? export_step_of(&q->plan, s->l->in) + 1 : 0;
        given[i + 1] = given[i];
        if (!quantise_step(m, i, &given[i + 1], &given[other], error))
            return false;
    }
    if (!allocate(&q->logit, 1, 0, error) || !allocate(&q->value, 1, 0, error) ||
        !export_int8_value(q, error))
        return false;
    double unit = floor(given[q->plan.count].scale / logit_unit + 0.5);
    q->logit.zero = given[q->plan.count].zero;
    q->logit.multiplier[0] = unit * 255 < most_sum ? (int32_t)unit : 0;
    return unit * 255 < most_sum || base_fail(error, "logits are too large for int8");
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
    for (int i = 0; ok && i < 3; i++)
        if (!(q->buffer[i] = base_malloc(q->plan.buffer)))
            ok = base_fail(error, "no memory for a network in int8");
    if (ok)
        return q;
    export_int8_free(q);
    return NULL;
}

static void free_quantum(export_quantum *u)
{
    base_free(u->weight);
    base_free(u->bias);
    base_free(u->multiplier);
    base_free(u->shift);
}

void export_int8_free(export_int8 *q)
{
    if (!q)
        return;
    free_quantum(&q->image);
    free_quantum(&q->logit);
    free_quantum(&q->value);
    for (int i = 0; i < q->plan.count; i++)
        free_quantum(&q->step[i]);
    base_free(q->unit);
    base_free(q->flag);
    for (int i = 0; i < 3; i++)
        base_free(q->buffer[i]);
    export_fold_free(&q->model);
    base_free(q);
}

size_t export_int8_flash(const export_int8 *q)
{
    size_t bytes = (q->model.columns ? 9 : 8) * (size_t)q->image.rows;
    bytes += q->model.columns ? 2 * (size_t)q->model.columns->inputs + (size_t)q->image.rows : 0;
    for (int i = 0; i < q->plan.count; i++) {
        const export_quantum *u = &q->step[i];
        bytes += (size_t)u->rows * ((size_t)u->each + 2);
        bytes += function_of(q->plan.step[i].l) ? sizeof u->table : 0;
    }
    return bytes;
}
