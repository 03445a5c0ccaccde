/* SPDX-License-Identifier: MIT */
/* onnx.h -- a graph in ONNX's format, node by node: between onnx.c and the two that have graphs to write.
 *
 *     onnx g = {0};
 *     export_onnx_io(&g.inputs, "x", ONNX_FLOAT, "batch,8");
 *     export_onnx_floats(&g, "w", "8,3", values, false);
 *     onnx_name y = export_onnx_node(&g, "MatMul", "x,%s", "w");
 *     export_onnx_output(&g, &y, "y", ONNX_FLOAT, "batch,3");
 *     ok = export_onnx_end(&g, "graph", &file); */
#ifndef EXPORT_ONNX_H
#define EXPORT_ONNX_H

#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

enum { ONNX_FLOAT = 1, ONNX_UINT8 = 2, ONNX_INT64 = 7, ONNX_BOOL = 9 }; /* TensorProto.DataType */

/* All zero is empty. Parts of the file, each a row of messages. attributes: of the next node. */
typedef struct onnx {
    base_text nodes, initializers, inputs, outputs, attributes, metadata;
    int names; /* made so far */
} onnx;

/* What a node has computed. */
typedef struct onnx_name {
    char text[32];
} onnx_name;

/* Adds an input or an output. shape: sizes with commas between them; a word is a size that is not
 * known. */
void export_onnx_io(base_text *list, const char *name, int type, const char *shape);

/* Adds constants. shape: as above, numbers alone; "": a single value. turned: values are (columns,
 * rows) for a shape of rows,columns. */
void export_onnx_floats(onnx *g, const char *name, const char *shape, const float *values,
                        bool turned);
void export_onnx_integers(onnx *g, const char *name, const char *shape, const int64_t *values);

/* Adds a single float. */
onnx_name export_onnx_number(onnx *g, float value);

/* Attributes of the node that comes next. */
void export_onnx_int(onnx *g, const char *name, int64_t value);
void export_onnx_ints(onnx *g, const char *name, const int64_t *values, int count);
void export_onnx_float(onnx *g, const char *name, float value);

/* Adds a node. inputs: names with commas between them, a format of printf. */
onnx_name export_onnx_node(onnx *g, const char *operation, const char *inputs, ...)
    BASE_PRINTF(3, 4);

/* Gives what a node has computed a name, and makes it an output of the graph. */
void export_onnx_output(onnx *g, const onnx_name *from, const char *name, int type,
                        const char *shape);

void export_onnx_note(onnx *g, const char *key, const char *value); /* metadata */

/* Appends the model to a file, and frees the graph. False: no memory. */
bool export_onnx_end(onnx *g, const char *name, base_text *file, base_error *error);

#endif
