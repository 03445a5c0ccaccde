/* SPDX-License-Identifier: MIT */
/* columns.c -- a table's row as a caller has it, a number for each column, to the inputs of a network.
 *
 * Whoever embeds such a network has what a sensor or a form says, and not the numbers that the network was
 * trained on: so the exported file knows which column is divided by what, and which text has which code.
 * Without floats a number comes in a unit of its own, a power of ten of which a hundred and more are a
 * deviation: finer than 8 bits can tell, and as people write it down. A column's results are cut off at
 * MOST deviations from its mean, lest one rare value take the bits of all others. */
#include "export/parts.h"

#include "base/math.h"
#include "base/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum { MOST = 8, FINE = 100, COARSE = 1000000, FLAGS = 2, ON_A_LINE = 16 };

static const vision_column *column_of(const vision_model *m, int i)
{
    return &m->columns->column[i];
}

/* ---- in numbers of 8 bits ---- */

/* A power of ten: the division by one is as exact as its decimal digits. */
static double unit_of(double deviation)
{
    double over = 1, under = 1;
    while (deviation * under < FINE)
        under *= 10;
    while (deviation / over > COARSE)
        over *= 10;
    return over > 1 ? over : 1 / under;
}

/* Number column i, whose input is `at`: (x unit - mean) / deviation / scale. */
static bool quantise_number(export_int8 *q, int i, int at, double scale, base_error *error)
{
    const vision_normal *normal = &q->model.normal;
    export_quantum *u = &q->image;
    double deviation = (double)normal->deviation[at], unit = q->unit[i] = unit_of(deviation);
    double mean = floor((double)normal->mean[at] / unit + 0.5);
    bool fits = fabs(mean) + MOST * deviation / unit < 1 << 30 &&
                export_int8_factor(unit / deviation / scale, &u->multiplier[i], &u->shift[i]);
    u->bias[i] = fits ? (int32_t)-mean : 0;
    return fits ||
           base_fail(error,
                     "column \"%s\": its numbers, of mean %g and deviation %g, do not fit into "
                     "32 bits (--without leaves it out)",
                     column_of(&q->model, i)->name, (double)normal->mean[at], deviation);
}

bool export_int8_columns(export_int8 *q, double scale, base_error *error)
{
    const vision_model *m = &q->model;
    q->unit = base_calloc((size_t)m->columns->count, sizeof *q->unit);
    q->flag = base_calloc((size_t)m->columns->inputs, FLAGS);
    if (!q->unit || !q->flag)
        return base_fail(error, "no memory for a network in int8");
    for (int i = 0, at = 0; i < m->columns->count; at += vision_column_inputs(column_of(m, i++))) {
        if (!column_of(m, i)->values && !quantise_number(q, i, at, scale, error))
            return false;
        q->unit[i] = column_of(m, i)->values ? 1 : q->unit[i];
    }
    for (int i = 0; i < FLAGS * m->columns->inputs; i++) {
        double x = (i % FLAGS - (double)m->normal.mean[i / FLAGS]) /
                   (double)m->normal.deviation[i / FLAGS];
        double nearest = floor(x / scale + 0.5) + q->image.zero;
        q->flag[i] = (uint8_t)(nearest < 0 ? 0 : nearest > 255 ? 255 : nearest);
    }
    return true;
}

void export_int8_row(const export_int8 *q, const float *inputs, int32_t *row)
{
    const vision_columns *columns = q->model.columns;
    float cells[VISION_MAX_INPUTS];
    vision_columns_cells(columns, inputs, cells);
    for (int i = 0; i < columns->count; i++) {
        double x = floor((double)cells[i] / q->unit[i] + 0.5);
        row[i] = isnan(x)         ? INT32_MIN
                 : x > INT32_MAX  ? INT32_MAX
                 : x < -INT32_MAX ? -INT32_MAX
                                  : (int32_t)x;
    }
}

void export_int8_inputs(const export_int8 *q, const int32_t *row, uint8_t *to)
{
    const vision_columns *columns = q->model.columns;
    const uint8_t *flag = q->flag;
    for (int i = 0; i < columns->count; i++) {
        const vision_column *c = &columns->column[i];
        const bool missing = row[i] == INT32_MIN;
        int n = vision_column_inputs(c), is = c->values ? row[i] : missing;
        for (int v = 0; v < n; v++, flag += FLAGS)
            to[v] = flag[c->values ? is == v : is];
        if (!c->values)
            to[0] = missing ? (uint8_t)q->image.zero : export_int8_offset(&q->image, i, row[i]);
        to += n;
    }
}

/* ---- the header ---- */

void export_choices(export_writer *w, char (*text)[VISION_NAME], int count)
{
    for (int i = 0; i < count; i++) {
        export_print(w, "%s%d ", i % 4 ? ", " : i ? ",\n *        " : " ", i);
        export_remark(w, text[i]);
    }
}

void export_columns_header(export_writer *w, const export_plan *plan)
{
    const vision_model *m = plan->model;
    export_print(w, "#define ^_COLUMNS %d /* numbers of a row */\n", m->columns->count);
    if (plan->int8)
        export_put(w, "#define ^_MISSING INT32_MIN\n");
    export_put(w, "\n/* The columns of a row, in this order. A number that is missing is ");
    export_print(w,
                 "%s. Of texts the code is\n * given, as here or by @_code(): -1 for one that is "
                 "missing or not known.\n *\n",
                 plan->int8 ? "^_MISSING" : "not a number (NAN)");
    for (int i = 0; i < m->columns->count; i++) {
        export_print(w, " *   %d  ", i);
        export_remark(w, column_of(m, i)->name);
        if (column_of(m, i)->values)
            export_put(w, ":");
        else if (plan->int8)
            export_print(w, ": a number, in units of %g", plan->int8->unit[i]);
        else
            export_put(w, ": a number");
        export_choices(w, column_of(m, i)->value, column_of(m, i)->values);
        export_put(w, "\n");
    }
    export_put(w, " */\nextern const char *const @_columns[^_COLUMNS];\n\n");
}

void export_columns_calls_header(export_writer *w)
{
    export_put(w, "/* The code of a text in a column; -1: it has none. */\n"
                  "int @_code(int column, const char *text);\n\n");
}

/* Whole numbers count in the unit that a column of such numbers would have. */
static double unit_of_value(const vision_model *m)
{
    return unit_of((double)m->normal.target_deviation);
}

void export_columns_value_header(export_writer *w, const export_plan *plan)
{
    export_put(w, "/* The network answers with one number, of which this is the value");
    if (plan->int8)
        export_print(w, ", in units of %g", unit_of_value(plan->model));
    export_put(w, ": that of the\n * column ");
    export_remark(w, plan->model->columns->label);
    export_put(w, ". */\n$ @_value(const $ *logits);\n\n");
}

/* ---- the file ---- */

void export_columns_value(export_writer *w, const export_plan *plan)
{
    const vision_normal *normal = &plan->model->normal;
    export_put(w, "\n$ @_value(const $ *logits)\n{\n");
    if (plan->int8) {
        const export_quantum *u = &plan->int8->value;
        export_print(w,
                     "    int64_t answer = product(logits[0], %" PRId32 ", %d) + %" PRId32 ";\n"
                     "    return (int32_t)(answer < -INT32_MAX ? -INT32_MAX : answer > INT32_MAX ? "
                     "INT32_MAX : answer);\n}\n",
                     u->multiplier[0], u->shift[0], u->bias[0]);
        return;
    }
    export_put(w, "    const float scaled = logits[0] * ");
    export_float(w, normal->target_deviation);
    export_put(w, ";\n    return scaled + ");
    export_float(w, normal->target_mean);
    export_put(w, ";\n}\n");
}

bool export_int8_value(export_int8 *q, base_error *error)
{
    const vision_normal *normal = &q->model.normal;
    const double unit = unit_of_value(&q->model),
                 mean = floor((double)normal->target_mean / unit + 0.5);
    if (!vision_model_is_regression(&q->model))
        return true;
    bool fits = fabs(mean) + MOST * (double)normal->target_deviation / unit < 1 << 30 &&
                export_int8_factor((double)normal->target_deviation / unit / 65536,
                                   q->value.multiplier, q->value.shift);
    q->value.bias[0] = fits ? (int32_t)mean : 0;
    return fits || base_fail(error, "column \"%s\": its numbers do not fit into 32 bits",
                             q->model.columns->label);
}

/* Of column i: how many values it has; of numbers 0, and -1 where an input says whether it is missing. */
static int kind_of(const vision_model *m, int i)
{
    return column_of(m, i)->values ? column_of(m, i)->values : -column_of(m, i)->missing;
}

static void put_names(export_writer *w, const vision_model *m)
{
    export_put(w, "\nconst char *const @_columns[^_COLUMNS] = {\n");
    for (int i = 0; i < m->columns->count; i++) {
        export_put(w, "    ");
        export_string(w, column_of(m, i)->name);
        export_put(w, ",\n");
    }
    export_put(
        w,
        "};\n\n/* Values of texts; 0 of numbers, -1 where it matters whether one is missing. */\n"
        "static const int8_t kind[^_COLUMNS] = {");
    for (int i = 0; i < m->columns->count; i++)
        export_print(w, "%s%d", i % ON_A_LINE ? ", " : i ? ",\n    " : "", kind_of(m, i));
    export_put(w, "};\n");
}

static void put_code(export_writer *w, const vision_model *m)
{
    int all = 0;
    for (int i = 0; i < m->columns->count; i++)
        all += column_of(m, i)->values;
    if (all == 0) {
        export_put(w, "\nint @_code(int column, const char *text)\n{\n"
                      "    (void)column;\n    (void)text;\n    return -1;\n}\n");
        return;
    }
    export_print(w, "\nstatic const char *const value[%d] = {\n", all);
    for (int i = 0; i < m->columns->count; i++)
        for (int v = 0; v < column_of(m, i)->values; v++) {
            export_put(w, "    ");
            export_string(w, column_of(m, i)->value[v]);
            export_put(w, ",\n");
        }
    export_put(w, "};\n"
                  "\n"
                  "int @_code(int column, const char *text)\n"
                  "{\n"
                  "    int c, i, at = 0;\n"
                  "    if (column < 0 || column >= ^_COLUMNS)\n"
                  "        return -1;\n"
                  "    for (c = 0; c < column; c++)\n"
                  "        at += kind[c] > 0 ? kind[c] : 0;\n"
                  "    for (c = 0; c < kind[column]; c++) {\n"
                  "        const char *other = value[at + c];\n"
                  "        for (i = 0; text[i] == other[i] && text[i]; i++)\n"
                  "            ;\n"
                  "        if (text[i] == other[i])\n"
                  "            return c;\n"
                  "    }\n"
                  "    return -1;\n"
                  "}\n");
}

static void put_float_run(export_writer *w, const vision_model *m)
{
    float scale[VISION_MAX_INPUTS];
    for (int i = 0; i < m->columns->inputs; i++)
        scale[i] = 1 / m->normal.deviation[i];
    export_put(w, "\n");
    export_floats(w, "mean", m->normal.mean, (size_t)m->columns->inputs);
    export_floats(w, "scale", scale, (size_t)m->columns->inputs);
    export_put(w, "\n"
                  "void @_run(const float *columns, float *logits, float *buffer)\n"
                  "{\n"
                  "    int c, v, i = 0;\n"
                  "    for (c = 0; c < ^_COLUMNS; c++) {\n"
                  "        const float x = columns[c];\n"
                  "        if (kind[c] <= 0) {\n"
                  "            buffer[i] = x != x ? 0.0F : (x - mean[i]) * scale[i];\n"
                  "            i++;\n"
                  "        }\n"
                  "        if (kind[c] < 0) {\n"
                  "            buffer[i] = ((x != x ? 1.0F : 0.0F) - mean[i]) * scale[i];\n"
                  "            i++;\n"
                  "        }\n"
                  "        for (v = 0; v < kind[c]; v++, i++)\n"
                  "            buffer[i] = ((x == (float)v ? 1.0F : 0.0F) - mean[i]) * scale[i];\n"
                  "    }\n"
                  "    run_layers(logits, buffer);\n"
                  "}\n"
                  "\n"
                  "void @_run_normal(const float *inputs, float *logits, float *buffer)\n"
                  "{\n"
                  "    memcpy(buffer, inputs, ^_INPUTS * sizeof *buffer);\n"
                  "    run_layers(logits, buffer);\n"
                  "}\n");
}

static const char product_text[] =
    "\n"
    "/* sum factor / (1 << bits), to the nearest whole number. */\n"
    "static int64_t product(int32_t sum, int32_t factor, int bits)\n"
    "{\n"
    "    return ((int64_t)sum * factor + ((int64_t)1 << (bits - 1))) >> bits;\n"
    "}\n";

/* x - mean is a sum of 64 bits, which becomes one of 32. */
static void put_int8_run(export_writer *w, const export_int8 *q)
{
    export_put(w, "\n");
    const size_t columns = (size_t)q->image.rows;
    export_integers(w, "int32_t", "bias", q->image.bias, columns);
    export_integers(w, "int32_t", "multiplier", q->image.multiplier, columns);
    export_integers(w, "int8_t", "shift", q->image.shift, columns);
    export_put(w, "/* Of each input: where it is not so, and where it is. */\n");
    export_integers(w, "uint8_t", "flag", q->flag, FLAGS * (size_t)q->model.columns->inputs);
    export_put(w, product_text);
    export_print(w,
                 "\n"
                 "static uint8_t number(int c, int32_t x)\n"
                 "{\n"
                 "    int64_t sum = (int64_t)x + bias[c];\n"
                 "    sum = sum > INT32_MAX ? INT32_MAX : sum < -INT32_MAX ? -INT32_MAX : sum;\n"
                 "    sum = product((int32_t)sum, multiplier[c], shift[c]) + %d;\n"
                 "    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);\n"
                 "}\n"
                 "\n"
                 "void @_run(const int32_t *columns, int32_t *logits, uint8_t *buffer)\n"
                 "{\n"
                 "    const uint8_t *is = flag;\n"
                 "    int c, v;\n"
                 "    uint8_t *to = buffer;\n"
                 "    for (c = 0; c < ^_COLUMNS; c++) {\n"
                 "        const int32_t x = columns[c];\n"
                 "        const int missing = x == ^_MISSING;\n"
                 "        if (kind[c] <= 0) {\n"
                 "            *to++ = missing ? %d : number(c, x);\n"
                 "            is += 2;\n"
                 "        }\n"
                 "        if (kind[c] < 0) {\n"
                 "            *to++ = is[missing];\n"
                 "            is += 2;\n"
                 "        }\n"
                 "        for (v = 0; v < kind[c]; v++, is += 2)\n"
                 "            *to++ = is[x == v];\n"
                 "    }\n"
                 "    run_layers(logits, buffer);\n"
                 "}\n",
                 q->image.zero, q->image.zero);
}

void export_columns_calls(export_writer *w, const export_plan *plan)
{
    put_names(w, plan->model);
    put_code(w, plan->model);
    if (plan->int8)
        put_int8_run(w, plan->int8);
    else
        put_float_run(w, plan->model);
}

/* ---- rows of noise ---- */

/* What numbers of column i are drawn around, and how far apart they are for neighbouring bytes. */
static void noise_of(const export_plan *plan, int i, int at, double *middle, double *apart)
{
    const vision_normal *normal = &plan->model->normal;
    *middle = (double)normal->mean[at];
    *apart = (double)(normal->deviation[at] / 32);
    if (plan->int8) {
        *middle = -(double)plan->int8->image.bias[i];
        *apart = floor(*apart / plan->int8->unit[i]) + 1;
    }
}

void export_columns_noise(const export_plan *plan, uint32_t *state, void *row)
{
    const vision_model *m = plan->model;
    float *cells = row;
    int32_t *whole = row;
    for (int i = 0, at = 0; i < m->columns->count; at += vision_column_inputs(column_of(m, i++))) {
        int byte = export_noise(state), values = column_of(m, i)->values;
        double middle, apart;
        noise_of(plan, i, at, &middle, &apart);
        float away = (float)(byte - 128) * (float)apart;
        bool missing = values == 0 && byte < 16;
        if (plan->int8)
            whole[i] = values    ? byte % (values + 1) - 1
                       : missing ? INT32_MIN
                                 : (int32_t)middle + (byte - 128) * (int32_t)apart;
        else
            cells[i] = values    ? (float)(byte % (values + 1) - 1)
                       : missing ? NAN
                                 : (float)middle + away;
    }
}

void export_columns_inputs(const vision_model *m, const float *cells, float *inputs)
{
    for (int i = 0, at = 0; i < m->columns->count; i++) {
        const vision_column *c = column_of(m, i);
        for (int n = vision_column_inputs(c), v = 0; v < n; v++, at++) {
            float flag = c->values ? cells[i] == (float)v : (isnan(cells[i]) != 0);
            float x = c->values || v ? flag : cells[i];
            inputs[at] = isnan(x) ? 0 : (x - m->normal.mean[at]) * (1 / m->normal.deviation[at]);
        }
    }
}

void export_columns_test(export_writer *w, const export_plan *plan)
{
    const vision_model *m = plan->model;
    float numbers[2][VISION_MAX_INPUTS];
    int32_t whole[2][VISION_MAX_INPUTS];
    for (int i = 0, at = 0; i < m->columns->count; at += vision_column_inputs(column_of(m, i++))) {
        double n[2];
        noise_of(plan, i, at, &n[0], &n[1]);
        for (int k = 0; k < 2; k++) {
            n[k] = column_of(m, i)->values ? 0 : n[k];
            numbers[k][i] = (float)n[k];
            whole[k][i] = plan->int8 ? (int32_t)n[k] : 0;
        }
    }
    for (int k = 0; k < 2; k++)
        if (plan->int8)
            export_integers(w, "int32_t", k ? "apart" : "middle", whole[k],
                            (size_t)m->columns->count);
        else
            export_floats(w, k ? "apart" : "middle", numbers[k], (size_t)m->columns->count);
    export_print(w,
                 "\nstatic %s noise(int c, int byte)\n{\n    %s x;\n"
                 "    if (kind[c] > 0)\n"
                 "        return (%s)(byte %% (kind[c] + 1) - 1);\n",
                 plan->int8 ? "int32_t" : "float", plan->int8 ? "int32_t" : "float",
                 plan->int8 ? "int32_t" : "float");
    export_put(w, plan->int8 ? "    if (byte < 16)\n"
                               "        return ^_MISSING;\n"
                             : "    if (byte < 16) {\n"
                               "        const uint32_t missing = 0x7fc00000U;\n"
                               "        memcpy(&x, &missing, sizeof x);\n"
                               "        return x;\n"
                               "    }\n");
    export_print(w, "    x = %s(byte - 128) * apart[c];\n    return middle[c] + x;\n}\n",
                 plan->int8 ? "(int32_t)" : "(float)");
}
