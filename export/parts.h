/* parts.h -- the parts of an exported file: between network.c, layers.c and prelude.c. */
#ifndef EXPORT_PARTS_H
#define EXPORT_PARTS_H

#include "export/export.h"
#include "export/writer.h"

/* One step of the exported program: layer `layer`, its relu with it, from one place of the buffer to
 * another. Sizes and places are in floats. */
typedef struct export_step {
    int layer;
    const vision_layer *l;
    vision_shape in, out;
    bool relu, winograd;
    size_t from, to, scratch; /* scratch: where it begins */
} export_step;

typedef struct export_plan {
    const vision_model *model;
    export_step step[VISION_MAX_LAYERS];
    int count;
    size_t buffer;  /* floats of the caller's memory */
    size_t result;  /* where the logits stand in it */
    size_t weights; /* floats that the file holds */
    int64_t multiply_adds;
    bool gelu, winograd; /* whether any step has it */
} export_plan;

size_t export_size(vision_shape s); /* floats of a shape */

/* layers.c: floats that a step needs beside its input and result; its multiply-adds. */
size_t export_scratch(const export_step *s);
int64_t export_products(const export_step *s);

/* layers.c: the weights of a step, and the function that computes it. */
void export_weights(export_writer *w, const export_plan *plan, const export_step *s);
void export_function(export_writer *w, const export_step *s);

/* prelude.c: what comes before the layers: fma, erf and Winograd's transforms as they are used. */
void export_prelude(export_writer *w, const export_plan *plan);

#endif
