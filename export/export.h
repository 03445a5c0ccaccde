/* SPDX-License-Identifier: MIT */
/* export.h -- a trained network as a C program: one C99 file and its header, which need nothing else.
 *
 * The file holds the weights (static const), and one loop after another that computes what
 * vision_forward() computes, in the same order, so that the logits are the same bits on any machine
 * with IEEE floats. It calls nothing of a C library but memcpy; the caller gives it the memory for
 * what passes between layers, whose size is a macro of the header.
 *
 *     vision_model model;                       (of vision_model_load)
 *     export_options options = {.prefix = "digits", .header = "digits.h"};
 *     base_text source = {0}, header = {0};
 *     if (export_network(&model, &options, &source, &header, &error))
 *         ... base_file_write() both */
#ifndef EXPORT_EXPORT_H
#define EXPORT_EXPORT_H

#include "base/text.h"
#include "t5/t5.h"
#include "vision/model.h"

/* A network in numbers of 8 bits (int8.c). */
typedef struct export_int8 export_int8;

/* Right answers by floats and by int8, for the head of the file. */
typedef struct export_measured {
    int count, floats, int8;
} export_measured;

typedef struct export_options {
    const char
        *prefix; /* of every name that the file exports: a C identifier of at most 31 bytes */
    const char *header;  /* the name by which the C file includes its header */
    const char *command; /* what was typed, for the head of the file; NULL: nothing is said */
    bool fold;           /* batch norms into the convolutions before them: other bits */
    export_int8 *int8;   /* of the model: the file computes in whole numbers. NULL: in floats */
    export_measured measured; /* of int8; count 0: nothing is said */
    bool beside;              /* a T5's weights are a file of their own */
    bool bytes; /* a T5's matrices are of 8 bits: of a model that export_t5_round has rounded */
} export_options;

/* What the file will cost on its target. */
typedef struct export_cost {
    size_t flash; /* bytes of weights and tables, without code */
    size_t ram;   /* bytes of the caller's buffer */
    int64_t multiply_adds;
} export_cost;

/* Appends the C file and its header. cost may be NULL. The model's context computes the expected
 * logits of the file's self-test. False: a prefix that is no identifier, weights that folding makes
 * infinite, a failure of an op, or no memory; the texts are then worth nothing. */
bool export_network(const vision_model *model, const export_options *options, base_text *source,
                    base_text *header, export_cost *cost, base_error *error);

/* Appends a main() to the C file's text: it reads images (bytes) or rows (table: whether it is of a table;
 * floats or, in int8, int32_t, one a column) from standard input as long as there is one, and writes the
 * logits of each to standard output, as they lie in memory. */
void export_network_main(const char *prefix, bool table, bool int8, base_text *source);

/* The same for a T5, with greedy and sampled generation, a key-value cache and the tokenizer: tokens
 * and log-probabilities have the bits of t5_generate. weights: with options->beside gets them as
 * floats of 4 bytes, the lowest first, and whole numbers after them; otherwise they are in the source, and
 * it may be NULL. *bytes: what they take. */
bool export_t5(t5_model *model, const t5_tokenizer *tokenizer, const export_options *options,
               base_text *source, base_text *header, base_text *weights, size_t *bytes,
               base_error *error);

/* Appends C in which t5_ and T5_ stand before names with the prefix in their place, as export_t5 does. */
void export_t5_lines(const char *prefix, const char *text, base_text *to);

/* Rounds a T5's matrices, each row to multiples -127 .. 127 of a number of its own: what options->bytes
 * keeps of them. Rounded again, they do not change. */
void export_t5_round(t5_model *model);

/* ---- ONNX (onnx.c): what every other tool reads ---- */

/* Appends a network as an ONNX model: bytes of pixels (batch,channels,height,width), uint8, to
 * logits (batch,classes). Of a table: `columns` (batch,columns) of float, as the exported C takes them, to logits,
 * and to probabilities (batch,classes) or, of a regression, value (batch,1). */
bool export_network_onnx(const vision_model *model, base_text *file, base_error *error);

/* The same for a T5, as two models: onnx_t5.c says what goes in and out. */
bool export_t5_onnx(t5_model *model, base_text *encoder, base_text *decoder, base_error *error);

/* Makes a model with batch norms folded into the convolutions directly before them: w' = w g r and
 * b' = (b - mean) g r + shift with r = (variance + eps)^(-1/2), computed in double. A batch norm
 * behind anything else stays. Freed by export_fold_free. False: no memory, or a weight that is not
 * finite. */
bool export_fold(const vision_model *model, vision_model *folded, base_error *error);
void export_fold_free(vision_model *folded);

/* Makes an int8 form of a network, with batch norms folded. Weights are symmetric, with a scale for
 * each output channel; what passes between layers has a scale and a number for 0, so that the
 * range is that of the calibration images, of which there is at least one. Sums are int32, and
 * become int8 by a factor m / 2^shift; logits are int32, in units of 2^-16. NULL: no memory, a
 * number that is not finite, or sums that may not fit. The model's context must outlive it. */
export_int8 *export_int8_new(const vision_model *model, const vision_part *calibration,
                             base_error *error);
void export_int8_free(export_int8 *network);

/* Logits (classes) of an image of bytes, or of a table's row as export_int8_row makes it, by the
 * arithmetic of the exported file, in plain loops. */
void export_int8_run(export_int8 *network, const void *image, int32_t *logits);

/* Of a table: a row of inputs (vision_images.values) as whole numbers, one a column, in the column's unit;
 * INT32_MIN where one is missing. */
void export_int8_row(const export_int8 *network, const float *inputs, int32_t *row);

#endif
