/* SPDX-License-Identifier: MIT */
/* onnx.c -- ONNX's format, which is protocol buffers: a message is a row of fields, each a number with a
 * kind, then a value; a value may be a message with its length before it.
 *
 *     field  = varint(number * 8 + kind) value      kind 0: varint, 2: length and bytes, 5: 4 bytes
 *     varint = 7 bits a byte, the lowest first; all bytes but the last have the eighth bit set
 *
 * The numbers of fields below are onnx.proto's (opset 17, IR version 8). */
#include "export/onnx.h"

#include "base/math.h"
#include "base/number.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IR_VERSION = 8, OPSET = 17 };

/* ---- protocol buffers ---- */

static void put_varint(base_text *to, uint64_t value)
{
    for (; value > 127; value >>= 7)
        base_text_add(to, (const char[]){(char)((value & 127) | 128)}, 1);
    base_text_add(to, (const char[]){(char)value}, 1);
}

static void put_int(base_text *to, int field, int64_t value)
{
    put_varint(to, (uint64_t)field << 3);
    put_varint(to, (uint64_t)value);
}

static void put_bytes(base_text *to, int field, const char *bytes, size_t count)
{
    put_varint(to, ((uint64_t)field << 3) | 2);
    put_varint(to, count);
    base_text_add(to, bytes ? bytes : "", count);
}

static void put_string(base_text *to, int field, const char *text)
{
    put_bytes(to, field, text, strlen(text));
}

static void put_four(base_text *to, uint32_t bits)
{
    const char bytes[4] = {(char)(bits & 255), (char)(bits >> 8 & 255), (char)(bits >> 16 & 255),
                           (char)(bits >> 24)};
    base_text_add(to, bytes, sizeof bytes);
}

/* Adds a part as a message, and frees it. */
static void put_message(base_text *to, int field, base_text *part)
{
    put_bytes(to, field, part->data, part->length);
    to->failed = to->failed || part->failed;
    base_text_free(part);
}

/* ---- shapes ---- */

static const char *next_size(const char *shape, char word[32])
{
    size_t length = strcspn(shape, ",");
    snprintf(word, 32, "%.*s", (int)length, shape);
    shape += length;
    return *shape ? shape + 1 : shape;
}

static bool is_number(const char *word) { return *word >= '0' && *word <= '9'; }

void export_onnx_io(base_text *list, const char *name, int type, const char *shape)
{
    base_text dims = {0}, tensor = {0}, kind = {0}, info = {0};
    char word[32];
    while (*shape) {
        base_text dim = {0};
        shape = next_size(shape, word);
        if (is_number(word))
            put_int(&dim, 1, strtoll(word, NULL, 10));
        else
            put_string(&dim, 2, word);
        put_message(&dims, 1, &dim);
    }
    put_int(&tensor, 1, type);
    put_message(&tensor, 2, &dims);
    put_message(&kind, 1, &tensor);
    put_string(&info, 1, name);
    put_message(&info, 2, &kind);
    put_message(list, 11, &info); /* GraphProto.input; an output is read under 12, see below */
}

/* ---- constants ---- */

/* Begins a TensorProto; returns how many values it has. size[2]: of its last two axes. */
static size_t begin_tensor(base_text *t, int type, const char *shape, size_t size[2])
{
    size_t count = 1;
    char word[32];
    size[0] = size[1] = 1;
    while (*shape) {
        shape = next_size(shape, word);
        size[0] = size[1];
        size[1] = (size_t)strtoull(word, NULL, 10);
        put_int(t, 1, (int64_t)size[1]);
        count *= size[1];
    }
    put_int(t, 2, type);
    return count;
}

static void end_tensor(onnx *g, base_text *t, const char *name, base_text *raw)
{
    put_string(t, 8, name);
    put_message(t, 9, raw);
    put_message(&g->initializers, 5, t);
}

void export_onnx_floats(onnx *g, const char *name, const char *shape, const float *values,
                        bool turned)
{
    base_text t = {0}, raw = {0};
    size_t size[2], count = begin_tensor(&t, ONNX_FLOAT, shape, size);
    for (size_t i = 0; i < count; i++)
        put_four(&raw,
                 base_bits_of_float(values[turned ? i % size[1] * size[0] + i / size[1] : i]));
    end_tensor(g, &t, name, &raw);
}

void export_onnx_integers(onnx *g, const char *name, const char *shape, const int64_t *values)
{
    base_text t = {0}, raw = {0};
    size_t size[2], count = begin_tensor(&t, ONNX_INT64, shape, size);
    for (size_t i = 0; i < count; i++) {
        put_four(&raw, (uint32_t)((uint64_t)values[i] & 0xffffffffU));
        put_four(&raw, (uint32_t)((uint64_t)values[i] >> 32));
    }
    end_tensor(g, &t, name, &raw);
}

onnx_name export_onnx_number(onnx *g, float value)
{
    onnx_name name;
    snprintf(name.text, sizeof name.text, "number_%d", g->names++);
    export_onnx_floats(g, name.text, "", &value, false);
    return name;
}

/* ---- nodes ---- */

static void end_attribute(onnx *g, base_text *a, int type)
{
    put_int(a, 20, type);
    put_message(&g->attributes, 5, a);
}

void export_onnx_int(onnx *g, const char *name, int64_t value)
{
    base_text a = {0};
    put_string(&a, 1, name);
    put_int(&a, 3, value);
    end_attribute(g, &a, 2);
}

void export_onnx_ints(onnx *g, const char *name, const int64_t *values, int count)
{
    base_text a = {0};
    put_string(&a, 1, name);
    for (int i = 0; i < count; i++)
        put_int(&a, 8, values[i]);
    end_attribute(g, &a, 7);
}

void export_onnx_float(onnx *g, const char *name, float value)
{
    base_text a = {0};
    put_string(&a, 1, name);
    put_varint(&a, (2 << 3) | 5);
    put_four(&a, base_bits_of_float(value));
    end_attribute(g, &a, 1);
}

/* inputs: with commas between them. */
static void put_node(onnx *g, const char *operation, const char *inputs, const char *output)
{
    base_text node = {0};
    while (*inputs) {
        size_t length = strcspn(inputs, ",");
        put_bytes(&node, 1, inputs, length);
        inputs += length + (inputs[length] == ',');
    }
    put_string(&node, 2, output);
    put_string(&node, 3, output);
    put_string(&node, 4, operation);
    base_text_add(&node, g->attributes.data ? g->attributes.data : "", g->attributes.length);
    node.failed = node.failed || g->attributes.failed;
    base_text_clear(&g->attributes);
    put_message(&g->nodes, 1, &node);
}

onnx_name export_onnx_node(onnx *g, const char *operation, const char *inputs, ...)
{
    onnx_name name;
    char line[512];
    va_list arguments;
    va_start(arguments, inputs);
    int length = base_print_list(line, sizeof line, inputs, arguments);
    va_end(arguments);
    g->nodes.failed = g->nodes.failed || length < 0 || length >= (int)sizeof line;
    snprintf(name.text, sizeof name.text, "%.20s_%d", operation, g->names++);
    put_node(g, operation, line, name.text);
    return name;
}

void export_onnx_output(onnx *g, const onnx_name *from, const char *name, int type,
                        const char *shape)
{
    base_text info = {0};
    put_node(g, "Identity", from->text, name);
    export_onnx_io(&info, name, type, shape);
    if (info.length > 0)
        info.data[0] = (char)((12 << 3) | 2); /* GraphProto.output, in place of input */
    base_text_add(&g->outputs, info.data ? info.data : "", info.length);
    g->outputs.failed = g->outputs.failed || info.failed;
    base_text_free(&info);
}

void export_onnx_note(onnx *g, const char *key, const char *value)
{
    base_text entry = {0};
    put_string(&entry, 1, key);
    put_string(&entry, 2, value);
    put_message(&g->metadata, 14, &entry);
}

/* ---- the file ---- */

bool export_onnx_end(onnx *g, const char *name, base_text *file, base_error *error)
{
    base_text graph = {0}, opset = {0};
    base_text *const part[] = {&g->nodes, &g->initializers, &g->inputs, &g->outputs};
    for (int i = 0; i < 4; i++) {
        base_text_add(&graph, part[i]->data ? part[i]->data : "", part[i]->length);
        graph.failed = graph.failed || part[i]->failed;
        if (i == 0)
            put_string(&graph, 2, name);
        base_text_free(part[i]);
    }
    put_int(file, 1, IR_VERSION);
    put_string(file, 2, "phoenix");
    put_message(file, 7, &graph);
    put_string(&opset, 1, "");
    put_int(&opset, 2, OPSET);
    put_message(file, 8, &opset);
    base_text_add(file, g->metadata.data ? g->metadata.data : "", g->metadata.length);
    file->failed = file->failed || g->metadata.failed;
    base_text_free(&g->metadata);
    base_text_free(&g->attributes);
    return !file->failed || base_fail(error, "no memory for the ONNX file");
}
