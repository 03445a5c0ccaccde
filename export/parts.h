/* SPDX-License-Identifier: MIT */
/* parts.h -- the parts of an exported file: between network.c, layers.c and prelude.c. */
#ifndef EXPORT_PARTS_H
#define EXPORT_PARTS_H

#include "export/export.h"
#include "export/writer.h"

/* One step of the exported program: layer `layer`, its relu with it, from one place of the buffer to
 * another. Sizes and places are in numbers: floats, or bytes where the file computes in int8. */
typedef struct export_step {
    int layer;
    const vision_layer *l;
    vision_shape in, out;
    bool relu, winograd;
    size_t from, to, scratch; /* scratch: where it begins; of a sum, what is added */
    bool keeps; /* its result is wanted by a later sum, which finds a copy at `keep` */
    size_t keep;
} export_step;

typedef struct export_plan {
    const vision_model *model;
    export_step step[VISION_MAX_LAYERS];
    export_step image; /* of this only whether it is kept, and where */
    int count;
    size_t buffer;  /* numbers of the caller's memory */
    size_t between; /* of these: what layers go to and fro in */
    size_t result;  /* where the logits stand in it */
    size_t weights; /* floats that the file holds */
    int64_t multiply_adds;
    bool gelu, winograd;     /* whether any step has it */
    const export_int8 *int8; /* NULL: the file computes in floats */
} export_plan;

size_t export_size(vision_shape s); /* numbers of a shape */

/* network.c: the steps, and where all stands. int8: without Winograd's method. */
bool export_plan_make(export_plan *plan, const vision_model *model, bool int8, base_error *error);

/* The step that leaves what so many layers give; -1: the image itself. */
int export_step_of(const export_plan *plan, int layers);

/* layers.c: floats that a step needs beside its input and result; its multiply-adds. */
size_t export_scratch(const export_step *s);
int64_t export_products(const export_step *s);

/* layers.c: "0.weight"; NULL: there is none. */
const tensor *export_tensor(const nn_params *params, int layer, const char *what);

/* layers.c: whether a step's function sums products of floats by fma. */
bool export_needs_fma(const export_step *s);

/* layers.c: how a step's function begins; the second where y may be x. */
void export_begin(export_writer *w, const export_step *s, bool scratch);
void export_begin_in_place(export_writer *w, const export_step *s);
void export_begin_residual(export_writer *w, const export_step *s);

/* A line of a kernel up to so wide is written without a loop. */
enum { EXPORT_UNROLLED = 7 };

/* layers.c: the weights of a step, the function that computes it, where it is not one that it shares, and its
 * call. And the functions that are shared. */
void export_weights(export_writer *w, const export_plan *plan, const export_step *s);
void export_function(export_writer *w, const export_step *s);
void export_call(export_writer *w, const export_step *s);
void export_common(export_writer *w, const export_plan *plan);

/* prelude.c: what comes before the layers: fma, erf and Winograd's transforms as they are used. */
void export_prelude(export_writer *w, const export_plan *plan);

/* Of that, what every file that computes in floats has: fma. twice: with TWICE before a function that needs it,
 * HOW behind its parameters and SO behind what it is given. */
void export_prelude_fma(export_writer *w, bool twice);

/* network.c: byte after byte of the noise that the self-test draws as well. */
unsigned char export_noise(uint32_t *state);

/* ---- columns.c: networks of a table's rows ---- */

/* " 0 cat, 1 dog", in a comment. */
void export_choices(export_writer *w, char (*text)[VISION_NAME], int count);

/* Of the header: the columns and what their numbers mean; the functions beside @_run. */
void export_columns_header(export_writer *w, const export_plan *plan);
void export_columns_calls_header(export_writer *w);

/* Of a regression: the number that is meant, in the header and in the file. */
void export_columns_value_header(export_writer *w, const export_plan *plan);
void export_columns_value(export_writer *w, const export_plan *plan);

/* Of the file: @_run from a row as its caller has it. Of its self-test: a row of noise. */
void export_columns_calls(export_writer *w, const export_plan *plan);
void export_columns_test(export_writer *w, const export_plan *plan);

/* A row of the same noise: a number a column, float or, in int8, int32_t. And its normalised inputs. */
void export_columns_noise(const export_plan *plan, uint32_t *state, void *row);
void export_columns_inputs(const vision_model *model, const float *cells, float *inputs);

/* ---- int8.c, int8_write.c, int8_layers.c ---- */

/* A channel of the exported file is bias EXPORT_BIAS_UNIT + factor, 16 bits. */
enum { EXPORT_BIAS_UNIT = 16 };

/* Of a step, or of the image: whole numbers from which its result is computed. */
typedef struct export_quantum {
    int rows, each;             /* output channels; weights of each */
    int8_t *weight;             /* (rows, each) */
    int32_t *bias, *multiplier; /* (rows): a result is (sum multiplier + bias) / 2^shift */
    int8_t *shift;              /* (rows); of products one, 0 .. 22 */
    int up;   /* of products: biases are multiples of EXPORT_BIAS_UNIT << up, of logits 1 << up */
    int zero; /* what stands for 0 in the result */
    int low, high;      /* of relu and relu6: the least and the largest result */
    int from_zero;      /* what stands for 0 in the input */
    bool wide;          /* the last product: its results are logits */
    uint8_t table[256]; /* of a function, by input */
} export_quantum;

struct export_int8 {
    vision_model model; /* its batch norms folded */
    export_plan plan;
    export_quantum image, step[VISION_MAX_LAYERS],
        logit;            /* where no product is the last: (x - zero) multiplier */
    export_quantum value; /* of a regression: a logit to the number that is meant */
    double *unit;       /* of a table: of each column (image.rows), what its whole numbers count */
    uint8_t *flag;      /* and of each input: where something is not so, and where it is */
    uint8_t *buffer[3]; /* of int8_run.c: an input and a result, and what is kept for sums */
};

/* factor = multiplier / 2^shift. False: it is too large for that. */
bool export_int8_factor(double factor, int32_t *multiplier, int8_t *shift);

/* columns.c: a table's part of image, unit and flag, whose zero is there; a row of whole numbers, one a
 * column, to inputs of 8 bits. int8_run.c: the one of row `row`, of a sum with its bias. */
bool export_int8_columns(export_int8 *q, double scale, base_error *error);
bool export_int8_value(export_int8 *q, base_error *error);
void export_int8_inputs(const export_int8 *q, const int32_t *row, uint8_t *to);
uint8_t export_int8_offset(const export_quantum *u, int row, int32_t x);

size_t export_int8_flash(const export_int8 *q);   /* bytes */
size_t export_int8_scratch(const export_step *s); /* as export_scratch */

/* Of the file: what layers of a kind share; weights and numbers of all; a layer's own function; its line in run_layers,
 * and the lines before the first and behind the last; @_run of an image. */
bool export_int8_has_weights(const export_int8 *q);
void export_int8_common(export_writer *w, const export_int8 *q);
void export_int8_numbers(export_writer *w, const export_int8 *q);
void export_int8_function(export_writer *w, const export_int8 *q, int step);
void export_int8_call(export_writer *w, const export_int8 *q, int step);
void export_int8_begin(export_writer *w, const export_int8 *q);
void export_int8_end(export_writer *w, const export_int8 *q);
void export_int8_calls(export_writer *w, const export_int8 *q);

#endif
