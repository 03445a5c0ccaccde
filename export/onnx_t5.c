/* SPDX-License-Identifier: MIT */
/* onnx_t5.c -- a T5 as two ONNX graphs: the encoder, and the decoder with its past.
 *
 *   encoder   input_ids (batch,source) -> hidden (batch,source,D)
 *   decoder   input_ids (batch,new), hidden (batch,source,D), past_key_I, past_value_I
 *             (batch,heads,past,d_kv) -> logits (batch,new,V), present_key_I, present_value_I
 *             (batch,heads,past + new,d_kv), for each layer I
 *
 * The decoder's past is empty at first, and then what the call before has given as the present; ids
 * are 0 at first, then the tokens that were chosen. Sources of one batch have equal lengths. */
#include "export/export.h"

#include "base/memory.h"
#include "base/number.h"
#include "export/onnx.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FARTHEST = 8192 };

typedef struct stack {
    onnx g;
    const t5_config *c;
    nn_params *params;
    const char *name; /* encoder, decoder */
    bool missing;     /* a weight */
    base_error *error;
} stack;

/* A weight under its own name, which is returned; a matrix turned, so that rows are multiplied by it. */
static const char *weight(stack *s, const char *name)
{
    const tensor *t = nn_params_find(s->params, name);
    char shape[64];
    if (!t) {
        s->missing = true;
        return name;
    }
    bool matrix = t->rank == 2 && !strstr(name, "bias") && strcmp(name, "shared.weight") != 0;
    if (t->rank == 1)
        snprintf(shape, sizeof shape, "%d", t->dim[0]);
    else
        snprintf(shape, sizeof shape, "%d,%d", t->dim[matrix], t->dim[!matrix]);
    export_onnx_floats(&s->g, name, shape, t->val, matrix);
    return name;
}

static onnx_name linear(stack *s, const onnx_name *x, const char *prefix, const char *what)
{
    char name[128];
    snprintf(name, sizeof name, "%s.%s.weight", prefix, what);
    return export_onnx_node(&s->g, "MatMul", "%s,%s", x->text, weight(s, name));
}

static onnx_name norm(stack *s, const onnx_name *x, const char *name)
{
    onnx_name square = export_onnx_node(&s->g, "Mul", "%s,%s", x->text, x->text);
    onnx_name epsilon = export_onnx_number(&s->g, (float)s->c->layer_norm_epsilon);
    export_onnx_ints(&s->g, "axes", (const int64_t[]){-1}, 1);
    onnx_name r = export_onnx_node(&s->g, "ReduceMean", "%s", square.text);
    r = export_onnx_node(&s->g, "Add", "%s,%s", r.text, epsilon.text);
    r = export_onnx_node(&s->g, "Sqrt", "%s", r.text);
    r = export_onnx_node(&s->g, "Div", "%s,%s", x->text, r.text);
    return export_onnx_node(&s->g, "Mul", "%s,%s", r.text, weight(s, name));
}

static onnx_name norm_in(stack *s, const onnx_name *x, const char *prefix)
{
    char name[128];
    snprintf(name, sizeof name, "%s.layer_norm.weight", prefix);
    return norm(s, x, name);
}

/* (batch,rows,I) -> (batch,heads,rows,d_kv) */
static onnx_name by_heads(stack *s, const onnx_name *x)
{
    onnx_name y = export_onnx_node(&s->g, "Reshape", "%s,split", x->text);
    export_onnx_ints(&s->g, "perm", (const int64_t[]){0, 2, 1, 3}, 4);
    return export_onnx_node(&s->g, "Transpose", "%s", y.text);
}

/* x + o(softmax(q k^T + bias) v), all by heads; bias NULL: none. */
static onnx_name attend(stack *s, const onnx_name *x, const onnx_name qkv[3], const onnx_name *bias,
                        const char *prefix, const char *what)
{
    export_onnx_ints(&s->g, "perm", (const int64_t[]){0, 1, 3, 2}, 4);
    onnx_name k = export_onnx_node(&s->g, "Transpose", "%s", qkv[1].text);
    onnx_name y = export_onnx_node(&s->g, "MatMul", "%s,%s", qkv[0].text, k.text);
    if (bias)
        y = export_onnx_node(&s->g, "Add", "%s,%s", y.text, bias->text);
    y = export_onnx_node(&s->g, "Softmax", "%s", y.text);
    y = export_onnx_node(&s->g, "MatMul", "%s,%s", y.text, qkv[2].text);
    export_onnx_ints(&s->g, "perm", (const int64_t[]){0, 2, 1, 3}, 4);
    y = export_onnx_node(&s->g, "Transpose", "%s", y.text);
    y = export_onnx_node(&s->g, "Reshape", "%s,join", y.text);
    y = linear(s, &y, prefix, what);
    return export_onnx_node(&s->g, "Add", "%s,%s", x->text, y.text);
}

static onnx_name times(stack *s, const onnx_name *x, float factor)
{
    onnx_name number = export_onnx_number(&s->g, factor);
    return export_onnx_node(&s->g, "Mul", "%s,%s", x->text, number.text);
}

/* h + h t with h = x / 2, and t = erf(x / sqrt 2) or its like by tanh. */
static onnx_name gelu(stack *s, const onnx_name *x, bool by_tanh)
{
    onnx *g = &s->g;
    onnx_name half = times(s, x, 0.5F), t;
    if (by_tanh) {
        onnx_name line = export_onnx_number(g, 0.797884561F);
        t = export_onnx_node(g, "Mul", "%s,%s", x->text, x->text);
        t = times(s, &t, 0.0356774081F);
        t = export_onnx_node(g, "Add", "%s,%s", t.text, line.text);
        t = export_onnx_node(g, "Mul", "%s,%s", t.text, x->text);
        t = export_onnx_node(g, "Tanh", "%s", t.text);
    } else {
        t = times(s, x, 0.707106781F);
        t = export_onnx_node(g, "Erf", "%s", t.text);
    }
    t = export_onnx_node(g, "Mul", "%s,%s", t.text, half.text);
    return export_onnx_node(g, "Add", "%s,%s", t.text, half.text);
}

static onnx_name feed_forward(stack *s, const onnx_name *x, const char *prefix)
{
    bool gated = s->c->feed_forward_proj == T5_GATED_GELU;
    onnx_name n = norm_in(s, x, prefix);
    onnx_name h = linear(s, &n, prefix, gated ? "DenseReluDense.wi_0" : "DenseReluDense.wi");
    if (s->c->feed_forward_proj == T5_RELU)
        h = export_onnx_node(&s->g, "Relu", "%s", h.text);
    else
        h = gelu(s, &h, gated);
    if (gated) {
        onnx_name gate = linear(s, &n, prefix, "DenseReluDense.wi_1");
        h = export_onnx_node(&s->g, "Mul", "%s,%s", h.text, gate.text);
    }
    h = linear(s, &h, prefix, "DenseReluDense.wo");
    return export_onnx_node(&s->g, "Add", "%s,%s", x->text, h.text);
}

/* ---- positions ---- */

/* A size of a tensor as a single number. axis: its constant's name. */
static onnx_name size_of(stack *s, const char *x, const char *axis)
{
    onnx_name shape = export_onnx_node(&s->g, "Shape", "%s", x);
    return export_onnx_node(&s->g, "Gather", "%s,%s", shape.text, axis);
}

/* first .. last - 1 as a column (places,1), or as a row (1,places). */
static onnx_name line(stack *s, const char *first, const onnx_name *last, const char *axis)
{
    onnx_name range = export_onnx_node(&s->g, "Range", "%s,%s,one", first, last->text);
    return export_onnx_node(&s->g, "Unsqueeze", "%s,%s", range.text, axis);
}

/* Rows of the table of biases by distance, from -far to far: (2 far + 1). */
static bool put_buckets(stack *s, int far)
{
    char shape[16];
    bool both = s->name[0] == 'e';
    int64_t *bucket = base_malloc((2 * (size_t)far + 1) * sizeof *bucket);
    if (!bucket)
        return base_fail(s->error, "no memory for the buckets of distances");
    for (int i = -far; i <= far; i++)
        bucket[i + far] = t5_relative_bucket(i, both, s->c->relative_attention_num_buckets,
                                             s->c->relative_attention_max_distance);
    snprintf(shape, sizeof shape, "%d", 2 * far + 1);
    export_onnx_integers(&s->g, "buckets", shape, bucket);
    base_free(bucket);
    return true;
}

/* (heads,queries,keys): the biases of self-attention; of a decoder, what lies ahead is masked. */
static onnx_name position_bias(stack *s, const onnx_name *past, const onnx_name *end)
{
    onnx *g = &s->g;
    char name[128];
    snprintf(name, sizeof name, "%s.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
             s->name);
    onnx_name query = line(s, past ? past->text : "zero", end, "axis_1");
    onnx_name key = line(s, "zero", end, "axis_0");
    onnx_name distance = export_onnx_node(g, "Sub", "%s,%s", key.text, query.text);
    onnx_name row = export_onnx_node(g, "Clip", "%s,nearest,farthest", distance.text);
    row = export_onnx_node(g, "Add", "%s,farthest", row.text);
    row = export_onnx_node(g, "Gather", "buckets,%s", row.text);
    onnx_name bias = export_onnx_node(g, "Gather", "%s,%s", weight(s, name), row.text);
    export_onnx_ints(g, "perm", (const int64_t[]){2, 0, 1}, 3);
    bias = export_onnx_node(g, "Transpose", "%s", bias.text);
    if (!past)
        return bias;
    onnx_name ahead = export_onnx_node(g, "Greater", "%s,%s", key.text, query.text);
    onnx_name masked = export_onnx_number(g, -3e38F);
    return export_onnx_node(g, "Where", "%s,%s,%s", ahead.text, masked.text, bias.text);
}

static void put_integer(stack *s, const char *name, const char *shape, int64_t value)
{
    export_onnx_integers(&s->g, name, shape, &value);
}

/* The constants of both graphs. */
static bool put_constants(stack *s)
{
    const t5_config *c = s->c;
    int far = c->relative_attention_max_distance;
    far = far < FARTHEST ? far : FARTHEST;
    put_integer(s, "zero", "", 0);
    put_integer(s, "one", "", 1);
    put_integer(s, "axis_0", "1", 0);
    put_integer(s, "axis_1", "1", 1);
    put_integer(s, "nearest", "", -far);
    put_integer(s, "farthest", "", far);
    export_onnx_integers(&s->g, "split", "4", (const int64_t[]){0, 0, c->num_heads, c->d_kv});
    export_onnx_integers(&s->g, "join", "3", (const int64_t[]){0, 0, c->num_heads * c->d_kv});
    return put_buckets(s, far);
}

/* ---- the two graphs ---- */

static onnx_name self_attention(stack *s, const onnx_name *x, const onnx_name *bias,
                                const char *prefix, onnx_name present[2])
{
    static const char *const part[] = {"SelfAttention.q", "SelfAttention.k", "SelfAttention.v"};
    onnx_name n = norm_in(s, x, prefix), qkv[3];
    for (int i = 0; i < 3; i++) {
        qkv[i] = linear(s, &n, prefix, part[i]);
        qkv[i] = by_heads(s, &qkv[i]);
        if (present && i > 0) {
            export_onnx_int(&s->g, "axis", 2);
            qkv[i] = export_onnx_node(&s->g, "Concat", "%s,%s", present[i - 1].text, qkv[i].text);
            present[i - 1] = qkv[i];
        }
    }
    return attend(s, x, qkv, bias, prefix, "SelfAttention.o");
}

static onnx_name cross_attention(stack *s, const onnx_name *x, const char *prefix)
{
    static const char *const part[] = {"EncDecAttention.q", "EncDecAttention.k",
                                       "EncDecAttention.v"};
    const onnx_name hidden = {"hidden"};
    onnx_name n = norm_in(s, x, prefix), qkv[3];
    for (int i = 0; i < 3; i++) {
        qkv[i] = linear(s, i ? &hidden : &n, prefix, part[i]);
        qkv[i] = by_heads(s, &qkv[i]);
    }
    return attend(s, x, qkv, NULL, prefix, "EncDecAttention.o");
}

static onnx_name embed(stack *s)
{
    return export_onnx_node(&s->g, "Gather", "%s,input_ids", weight(s, "shared.weight"));
}

static bool end(stack *s, base_text *file)
{
    bool ok = export_onnx_end(&s->g, s->name, file, s->error);
    return ok && (!s->missing || base_fail(s->error, "the model lacks a weight"));
}

static bool put_encoder(stack *s, base_text *file)
{
    char prefix[64], shape[64];
    if (!put_constants(s))
        return false;
    export_onnx_io(&s->g.inputs, "input_ids", ONNX_INT64, "batch,source");
    onnx_name length = size_of(s, "input_ids", "one");
    onnx_name bias = position_bias(s, NULL, &length), x = embed(s);
    for (int i = 0; i < s->c->num_layers; i++) {
        snprintf(prefix, sizeof prefix, "encoder.block.%d.layer.0", i);
        x = self_attention(s, &x, &bias, prefix, NULL);
        snprintf(prefix, sizeof prefix, "encoder.block.%d.layer.1", i);
        x = feed_forward(s, &x, prefix);
    }
    x = norm(s, &x, "encoder.final_layer_norm.weight");
    snprintf(shape, sizeof shape, "batch,source,%d", s->c->d_model);
    export_onnx_output(&s->g, &x, "hidden", ONNX_FLOAT, shape);
    return end(s, file);
}

static onnx_name decoder_block(stack *s, const onnx_name *x, const onnx_name *bias, int i)
{
    static const char *const part[] = {"key", "value"};
    char prefix[64], name[32], shape[64];
    onnx_name present[2] = {{""}}, y;
    snprintf(shape, sizeof shape, "batch,%d,past,%d", s->c->num_heads, s->c->d_kv);
    for (int k = 0; k < 2; k++) {
        snprintf(present[k].text, sizeof present[k].text, "past_%s_%d", part[k], i);
        export_onnx_io(&s->g.inputs, present[k].text, ONNX_FLOAT, shape);
    }
    snprintf(prefix, sizeof prefix, "decoder.block.%d.layer.0", i);
    y = self_attention(s, x, bias, prefix, present);
    snprintf(prefix, sizeof prefix, "decoder.block.%d.layer.1", i);
    y = cross_attention(s, &y, prefix);
    snprintf(prefix, sizeof prefix, "decoder.block.%d.layer.2", i);
    y = feed_forward(s, &y, prefix);
    snprintf(shape, sizeof shape, "batch,%d,all,%d", s->c->num_heads, s->c->d_kv);
    for (int k = 0; k < 2; k++) {
        snprintf(name, sizeof name, "present_%s_%d", part[k], i);
        export_onnx_output(&s->g, &present[k], name, ONNX_FLOAT, shape);
    }
    return y;
}

static bool put_decoder(stack *s, base_text *file)
{
    char shape[64];
    if (!put_constants(s))
        return false;
    put_integer(s, "two", "", 2);
    export_onnx_io(&s->g.inputs, "input_ids", ONNX_INT64, "batch,new");
    snprintf(shape, sizeof shape, "batch,source,%d", s->c->d_model);
    export_onnx_io(&s->g.inputs, "hidden", ONNX_FLOAT, shape);
    onnx_name past = size_of(s, "past_key_0", "two");
    onnx_name more = size_of(s, "input_ids", "one");
    onnx_name all = export_onnx_node(&s->g, "Add", "%s,%s", past.text, more.text);
    onnx_name bias = position_bias(s, &past, &all), x = embed(s);
    for (int i = 0; i < s->c->num_decoder_layers; i++)
        x = decoder_block(s, &x, &bias, i);
    x = norm(s, &x, "decoder.final_layer_norm.weight");
    if (t5_config_scales(s->c))
        x = times(s, &x, (float)(1 / sqrt((double)s->c->d_model)));
    if (s->c->tie_word_embeddings) {
        onnx_name head = export_onnx_node(&s->g, "Transpose", "shared.weight");
        x = export_onnx_node(&s->g, "MatMul", "%s,%s", x.text, head.text);
    } else {
        x = export_onnx_node(&s->g, "MatMul", "%s,%s", x.text, weight(s, "lm_head.weight"));
    }
    snprintf(shape, sizeof shape, "batch,new,%d", s->c->vocab_size);
    export_onnx_output(&s->g, &x, "logits", ONNX_FLOAT, shape);
    return end(s, file);
}

bool export_t5_onnx(t5_model *model, base_text *encoder, base_text *decoder, base_error *error)
{
    stack e = {.c = t5_model_config(model),
               .params = t5_model_params(model),
               .name = "encoder",
               .error = error};
    stack d = e;
    d.name = "decoder";
    return put_encoder(&e, encoder) && put_decoder(&d, decoder);
}
