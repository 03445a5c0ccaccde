/* SPDX-License-Identifier: MIT */
/* onnx_network.c -- a network as an ONNX graph: from bytes of pixels to logits, a node or a few for
 * each layer. */
#include "export/export.h"

#include "base/number.h"
#include "export/onnx.h"
#include "export/parts.h"
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
    g->metadata.failed = g->metadata.failed || names.failed;
    base_text_free(&names);
}

bool export_network_onnx(const vision_model *model, base_text *file, base_error *error)
{
    onnx g = {0};
    onnx_name given[VISION_MAX_LAYERS + 1];
    char shape[64];
    if (model->columns)
        return base_fail(error, "a network of a table's rows is exported as C alone, not as ONNX");
    snprintf(shape, sizeof shape, "batch,%d,%d,%d", model->input.channels, model->input.height,
             model->input.width);
    export_onnx_io(&g.inputs, "pixels", ONNX_UINT8, shape);
    given[0] = normalise(&g, model);
    for (int i = 0; i < model->net.count; i++)
        given[i + 1] = put_layer(&g, model, i, given);
    snprintf(shape, sizeof shape, "batch,%d", model->classes);
    export_onnx_output(&g, &given[model->net.count], "logits", ONNX_FLOAT, shape);
    put_notes(&g, model);
    return export_onnx_end(&g, "network", file, error);
}
