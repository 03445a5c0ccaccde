/* SPDX-License-Identifier: MIT */
/* onnx_network.c -- a network as an ONNX graph: from bytes of pixels, or a table's row, to logits, a node or a few
 * for each layer. */
#include "export/export.h"

#include "base/memory.h"
#include "base/number.h"
#include "export/onnx.h"
#include "export/parts.h"
#include "vision/table.h"
#include <stdio.h>
#include <string.h>

/* A constant's name, "weight_3", and its shape from a tensor's. */
static void put_tensor(onnx *g, const vision_model *m, int layer, const char *what)
{
    char name[48], shape[64] = "";
    const tensor *t = export_tensor(vision_network_params(m->network), layer, what);
    if (!t)
        t = export_tensor(vision_network_running(m->network), layer, what);
    snprintf(name, sizeof name, "%s_%d", what, layer);
    for (int i = 0; i < t->rank; i++)
        snprintf(shape + strlen(shape), sizeof shape - strlen(shape), "%s%d", i ? "," : "",
                 t->dim[i]);
    export_onnx_floats(g, name, shape, t->val, false);
}

/* (p - 255 mean) / (255 deviation), as the library has it: in this order, by a factor. */
static onnx_name normalise(onnx *g, const vision_model *m)
{
    float mean[VISION_MAX_CHANNELS], scale[VISION_MAX_CHANNELS];
    char shape[32];
    for (int c = 0; c < m->input.channels; c++) {
        mean[c] = 255 * m->normal.mean[c];
        scale[c] = 1 / (255 * m->normal.deviation[c]);
    }
    snprintf(shape, sizeof shape, "1,%d,1,1", m->input.channels);
    export_onnx_floats(g, "mean", shape, mean, false);
    export_onnx_floats(g, "scale", shape, scale, false);
    export_onnx_int(g, "to", ONNX_FLOAT);
    onnx_name x = export_onnx_node(g, "Cast", "pixels");
    x = export_onnx_node(g, "Sub", "%s,mean", x.text);
    return export_onnx_node(g, "Mul", "%s,scale", x.text);
}

/* What an input of a table's row is made of, a vector for all inputs: which column; of a text, the code for
 * which it is 1; 1 where it is of a text; 1 where it says that a number is missing; and what normalises it. */
typedef struct row_inputs {
    int64_t *column;
    float *code, *text, *missing, *mean, *scale;
} row_inputs;

static void fill_inputs(const vision_model *m, row_inputs *to)
{
    for (int i = 0, at = 0; i < m->columns->count; i++) {
        const vision_column *c = &m->columns->column[i];
        for (int n = vision_column_inputs(c), v = 0; v < n; v++, at++) {
            to->column[at] = i;
            to->code[at] = (float)v;
            to->text[at] = c->values != 0;
            to->missing[at] = !c->values && v > 0;
            to->mean[at] = m->normal.mean[at];
            to->scale[at] = 1 / m->normal.deviation[at];
        }
    }
}

static onnx_name cast(onnx *g, const char *x, int type)
{
    export_onnx_int(g, "to", type);
    return export_onnx_node(g, "Cast", "%s", x);
}

/* A row as export_columns_inputs has it: codes of texts, numbers as they are, NaN where one is missing. */
static onnx_name put_inputs(onnx *g, const row_inputs *row, int inputs)
{
    static const char *const names[] = {"code", "text", "missing", "mean", "scale"};
    const float *const values[] = {row->code, row->text, row->missing, row->mean, row->scale};
    char shape[16];
    snprintf(shape, sizeof shape, "%d", inputs);
    export_onnx_integers(g, "column", shape, row->column);
    for (int i = 0; i < 5; i++)
        export_onnx_floats(g, names[i], shape, values[i], false);
    export_onnx_int(g, "axis", 1);
    onnx_name cell = export_onnx_node(g, "Gather", "columns,column"), x;
    onnx_name is_code = export_onnx_node(g, "Equal", "%s,code", cell.text);
    onnx_name is_missing = export_onnx_node(g, "IsNaN", "%s", cell.text);
    is_code = cast(g, is_code.text, ONNX_FLOAT);
    is_missing = cast(g, is_missing.text, ONNX_FLOAT);
    onnx_name of_text = cast(g, "text", ONNX_BOOL), of_missing = cast(g, "missing", ONNX_BOOL);
    x = export_onnx_node(g, "Where", "%s,%s,%s", of_missing.text, is_missing.text, cell.text);
    x = export_onnx_node(g, "Where", "%s,%s,%s", of_text.text, is_code.text, x.text);
    x = export_onnx_node(g, "Sub", "%s,mean", x.text);
    x = export_onnx_node(g, "Mul", "%s,scale", x.text);
    onnx_name unknown = export_onnx_node(g, "IsNaN", "%s", x.text), zero = export_onnx_number(g, 0);
    return export_onnx_node(g, "Where", "%s,%s,%s", unknown.text, zero.text, x.text);
}

static bool put_row(onnx *g, const vision_model *m, onnx_name *x, base_error *error)
{
    char shape[32];
    size_t n = (size_t)m->columns->inputs;
    int64_t *columns = base_calloc(n, sizeof *columns);
    float *numbers = base_calloc(5 * n, sizeof *numbers);
    bool ok = (columns && numbers) || base_fail(error, "no memory for the ONNX file");
    if (ok) {
        row_inputs row = {columns,         numbers,         numbers + n,
                          numbers + 2 * n, numbers + 3 * n, numbers + 4 * n};
        snprintf(shape, sizeof shape, "batch,%d", m->columns->count);
        export_onnx_io(&g->inputs, "columns", ONNX_FLOAT, shape);
        fill_inputs(m, &row);
        *x = put_inputs(g, &row, m->columns->inputs);
    }
    base_free(columns);
    base_free(numbers);
    return ok;
}

/* Beside the logits what users want of a row: probabilities, or the number itself. */
static void put_answer(onnx *g, const vision_model *m, const onnx_name *logits, const char *shape)
{
    if (!vision_model_is_regression(m)) {
        export_onnx_int(g, "axis", 1);
        onnx_name p = export_onnx_node(g, "Softmax", "%s", logits->text);
        export_onnx_output(g, &p, "probabilities", ONNX_FLOAT, shape);
        return;
    }
    onnx_name mean = export_onnx_number(g, m->normal.target_mean);
    onnx_name deviation = export_onnx_number(g, m->normal.target_deviation);
    onnx_name value = export_onnx_node(g, "Mul", "%s,%s", logits->text, deviation.text);
    value = export_onnx_node(g, "Add", "%s,%s", value.text, mean.text);
    export_onnx_output(g, &value, "value", ONNX_FLOAT, shape);
}

static void put_window(onnx *g, const vision_layer *l)
{
    const int64_t kernel[] = {l->kernel, l->kernel}, stride[] = {l->stride, l->stride};
    const int64_t padding[] = {l->padding, l->padding, l->padding, l->padding};
    bool is_pool = l->kind == VISION_MAX_POOL2D || l->kind == VISION_AVG_POOL2D;
    export_onnx_ints(g, "kernel_shape", kernel, 2);
    export_onnx_ints(g, "strides", stride, 2);
    if (!is_pool)
        export_onnx_ints(g, "pads", padding, 4);
    if (l->kind == VISION_DEPTHWISE2D)
        export_onnx_int(g, "group", l->in);
}

static onnx_name gelu(onnx *g, const onnx_name *x)
{
    onnx_name half = export_onnx_number(g, 0.5F), root_half = export_onnx_number(g, 0.707106781F);
    half = export_onnx_node(g, "Mul", "%s,%s", x->text, half.text);
    onnx_name e = export_onnx_node(g, "Mul", "%s,%s", x->text, root_half.text);
    e = export_onnx_node(g, "Erf", "%s", e.text);
    e = export_onnx_node(g, "Mul", "%s,%s", e.text, half.text);
    return export_onnx_node(g, "Add", "%s,%s", e.text, half.text);
}

static onnx_name relu6(onnx *g, const onnx_name *x)
{
    onnx_name zero = export_onnx_number(g, 0), six = export_onnx_number(g, 6);
    return export_onnx_node(g, "Clip", "%s,%s,%s", x->text, zero.text, six.text);
}

static onnx_name put_layer(onnx *g, const vision_model *m, int i, const onnx_name *given)
{
    const vision_layer *l = &m->net.layer[i];
    const char *x = given[i].text;
    bool has_weight = l->kind == VISION_CONV2D || l->kind == VISION_DEPTHWISE2D ||
                      l->kind == VISION_LINEAR || l->kind == VISION_BATCH_NORM2D;
    if (has_weight) {
        put_tensor(g, m, i, "weight");
        put_tensor(g, m, i, "bias");
    }
    switch (l->kind) {
    case VISION_CONV2D:
    case VISION_DEPTHWISE2D:
        put_window(g, l);
        return export_onnx_node(g, "Conv", "%s,weight_%d,bias_%d", x, i, i);
    case VISION_LINEAR:
        export_onnx_int(g, "transB", 1);
        return export_onnx_node(g, "Gemm", "%s,weight_%d,bias_%d", x, i, i);
    case VISION_BATCH_NORM2D:
        put_tensor(g, m, i, "running_mean");
        put_tensor(g, m, i, "running_var");
        export_onnx_float(g, "epsilon", 1e-5F);
        return export_onnx_node(g, "BatchNormalization",
                                "%s,weight_%d,bias_%d,running_mean_%d,running_var_%d", x, i, i, i,
                                i);
    case VISION_MAX_POOL2D:
        put_window(g, l);
        return export_onnx_node(g, "MaxPool", "%s", x);
    case VISION_AVG_POOL2D:
        put_window(g, l);
        return export_onnx_node(g, "AveragePool", "%s", x);
    case VISION_GLOBAL_AVG_POOL2D:
        return export_onnx_node(g, "GlobalAveragePool", "%s", x);
    case VISION_RELU:
        return export_onnx_node(g, "Relu", "%s", x);
    case VISION_RELU6:
        return relu6(g, &given[i]);
    case VISION_HARD_SWISH:
        return export_onnx_node(g, "HardSwish", "%s", x);
    case VISION_GELU:
        return gelu(g, &given[i]);
    case VISION_RESIDUAL:
        return export_onnx_node(g, "Add", "%s,%s", x, given[l->in].text);
    case VISION_FLATTEN:
        return export_onnx_node(g, "Flatten", "%s", x);
    default: /* dropout */
        return given[i];
    }
}

static void put_notes(onnx *g, const vision_model *m)
{
    base_text names = {0};
    export_onnx_note(g, "task", m->task);
    export_onnx_note(g, "source", m->source);
    export_onnx_note(g, "data", m->data);
    for (int i = 0; i < m->classes && m->names; i++)
        base_text_print(&names, "%s%s", i ? "\n" : "", m->names[i]);
    if (m->names && !names.failed)
        export_onnx_note(g, "classes", names.data);
    base_text_clear(&names);
    if (m->columns) {
        base_text_print(&names, "{");
        vision_columns_print(m->columns, &names);
        base_text_print(&names, "\"format\":1}");
    }
    if (m->columns && !names.failed)
        export_onnx_note(g, "columns", names.data);
    g->metadata.failed = g->metadata.failed || names.failed;
    base_text_free(&names);
}

bool export_network_onnx(const vision_model *model, base_text *file, base_error *error)
{
    onnx g = {0};
    onnx_name given[VISION_MAX_LAYERS + 1];
    char shape[64];
    if (model->columns) {
        if (!put_row(&g, model, &given[0], error))
            return false;
    } else {
        snprintf(shape, sizeof shape, "batch,%d,%d,%d", model->input.channels, model->input.height,
                 model->input.width);
        export_onnx_io(&g.inputs, "pixels", ONNX_UINT8, shape);
        given[0] = normalise(&g, model);
    }
    for (int i = 0; i < model->net.count; i++)
        given[i + 1] = put_layer(&g, model, i, given);
    snprintf(shape, sizeof shape, "batch,%d", model->classes);
    export_onnx_output(&g, &given[model->net.count], "logits", ONNX_FLOAT, shape);
    if (model->columns)
        put_answer(&g, model, &given[model->net.count], shape);
    put_notes(&g, model);
    return export_onnx_end(&g, "network", file, error);
}
