/* SPDX-License-Identifier: MIT */
/* network.c -- the exported file as a whole: where everything stands in the caller's buffer, the
 * head, the functions that are called from outside, and the self-test.
 *
 * Layers are computed one after another, and each needs its input, its result and some scratch
 * memory. A convolution or a linear layer goes from one end of the buffer to the other; all others
 * can be computed in place, and a pool moves its result to the front. So the buffer is as large as
 * the largest sum of the three, which is the least for this order. Behind it stand copies of what
 * later sums ask for, from when it is computed to the last of them.
 *
 * Which convolutions are computed by Winograd's method depends on their shapes as in tensor/conv.c,
 * for a batch of BATCH images. */
#include "export/export.h"

#include "base/memory.h"
#include "base/random.h"
#include "export/parts.h"
#include "tensor/conv.h"
#include "vision/batch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 8, TESTS = 4 };

size_t export_size(vision_shape s)
{
    return (size_t)s.channels * (size_t)(s.height ? s.height : 1) * (size_t)(s.width ? s.width : 1);
}

/* ---- the plan ---- */

static bool is_product(const vision_layer *l)
{
    return l->kind == VISION_CONV2D || l->kind == VISION_DEPTHWISE2D || l->kind == VISION_LINEAR;
}

/* Whether the relu behind layer i is done with it: not where a sum asks for what comes before. */
static bool fuses_relu(const vision_architecture *net, int i, bool int8)
{
    const vision_layer *l = net->layer;
    bool fuses = is_product(&l[i]) && (int8 || l[i].kind != VISION_DEPTHWISE2D) &&
                 i + 1 < net->count && l[i + 1].kind == VISION_RELU;
    for (int j = i + 2; j < net->count && fuses; j++)
        fuses = l[j].kind != VISION_RESIDUAL || l[j].in != i + 1;
    return fuses;
}

static bool is_nothing(const vision_layer *l)
{
    return l->kind == VISION_FLATTEN || l->kind == VISION_DROPOUT;
}

static bool by_winograd(const export_step *s)
{
    const conv shape = {.B = BATCH,
                        .C = s->l->in,
                        .O = s->l->out,
                        .kernel = s->l->kernel,
                        .stride = s->l->stride,
                        .H2 = s->out.height,
                        .W2 = s->out.width};
    return s->l->kind == VISION_CONV2D && tensor_conv_by_winograd(&shape);
}

/* The steps, with their shapes; and the floats of the buffer. */
static void list_steps(export_plan *plan, const vision_shape *shapes, bool int8)
{
    const vision_architecture *net = &plan->model->net;
    vision_shape in = plan->model->input;
    plan->buffer = export_size(in);
    for (int i = 0; i < net->count; i++) {
        const vision_layer *l = &net->layer[i];
        export_step s = {.layer = i, .l = l, .in = in, .out = shapes[i]};
        in = shapes[i];
        if (is_nothing(l))
            continue;
        s.relu = fuses_relu(net, i, int8);
        i += s.relu;
        s.winograd = !int8 && by_winograd(&s);
        size_t need = export_size(s.in) + (int8 ? export_int8_scratch(&s) : export_scratch(&s));
        need += is_product(l) ? export_size(s.out) : 0;
        plan->buffer = need > plan->buffer ? need : plan->buffer;
        plan->multiply_adds += export_products(&s);
        plan->gelu = plan->gelu || l->kind == VISION_GELU;
        plan->winograd = plan->winograd || s.winograd;
        plan->step[plan->count++] = s;
    }
}

/* Where each step's input and result stand. */
static void place_steps(export_plan *plan)
{
    size_t at = 0;
    plan->between = plan->buffer;
    for (int i = 0; i < plan->count; i++) {
        export_step *s = &plan->step[i];
        s->from = s->to = at;
        if (is_product(s->l)) {
            s->to = at == 0 ? plan->buffer - export_size(s->out) : 0;
            s->scratch = at == 0 ? export_size(s->in) : export_size(s->out);
        } else if (s->l->kind == VISION_MAX_POOL2D || s->l->kind == VISION_AVG_POOL2D ||
                   s->l->kind == VISION_GLOBAL_AVG_POOL2D) {
            s->to = 0;
        }
        at = s->to;
    }
    plan->result = at;
}

int export_step_of(const export_plan *plan, int layers)
{
    int step = -1;
    while (step + 1 < plan->count && plan->step[step + 1].layer < layers)
        step++;
    return step;
}

static size_t size_of(const export_plan *plan, int step)
{
    return export_size(step < 0 ? plan->model->input : plan->step[step].out);
}

/* What sums ask for is kept behind the buffer, each at the first place that nothing has which is still
 * wanted. Index 0 of the arrays is the image. */
static void keep_results(export_plan *plan)
{
    int last[VISION_MAX_LAYERS + 1] = {0}; /* the last sum that asks for it, + 1; 0: none */
    size_t at[VISION_MAX_LAYERS + 1] = {0}, end = plan->buffer;
    for (int i = 0; i < plan->count; i++)
        if (plan->step[i].l->kind == VISION_RESIDUAL)
            last[export_step_of(plan, plan->step[i].l->in) + 1] = i + 1;
    for (int i = 0; i <= plan->count; i++) {
        export_step *s = i ? &plan->step[i - 1] : &plan->image;
        size_t size = size_of(plan, i - 1);
        if (!(s->keeps = last[i] > 0))
            continue;
        at[i] = plan->buffer;
        for (int j = 0; j < i; j++)
            if (last[j] > i && at[j] < at[i] + size && at[i] < at[j] + size_of(plan, j - 1)) {
                at[i] = at[j] + size_of(plan, j - 1);
                j = -1; /* the others are to be looked at again */
            }
        s->keep = at[i];
        end = at[i] + size > end ? at[i] + size : end;
    }
    for (int i = 0; i < plan->count; i++)
        if (plan->step[i].l->kind == VISION_RESIDUAL)
            plan->step[i].scratch = at[export_step_of(plan, plan->step[i].l->in) + 1];
    plan->buffer = end;
}

bool export_plan_make(export_plan *plan, const vision_model *model, bool int8, base_error *error)
{
    vision_shape shapes[VISION_MAX_LAYERS];
    memset(plan, 0, sizeof *plan);
    plan->model = model;
    if (!vision_shapes(&model->net, model->input, model->classes, shapes, error))
        return false;
    list_steps(plan, shapes, int8);
    place_steps(plan);
    keep_results(plan);
    plan->weights = nn_params_size(vision_network_params(model->network)) +
                    nn_params_size(vision_network_running(model->network));
    return true;
}

/* ---- the expected logits ---- */

/* The same numbers as the exported test draws: byte i of test image t. */
unsigned char export_noise(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return (unsigned char)(*state >> 24);
}

/* The logits as the file gives them: float or int32_t, by their bits. */
typedef struct expected {
    const vision_model *model;
    const export_plan *plan;
    uint32_t logits[TESTS * VISION_MAX_CLASSES];
} expected;

static void fill_rows(const expected *e, tensor *x)
{
    float cells[VISION_MAX_INPUTS];
    uint32_t state = 1;
    for (size_t i = 0; i < BATCH; i++) {
        export_columns_noise(e->plan, &state, cells);
        export_columns_inputs(e->model, cells, x->val + i * (size_t)e->model->input.channels);
    }
}

static void fill_images(const expected *e, tensor *x)
{
    const vision_model *m = e->model;
    size_t plane = (size_t)m->input.height * (size_t)m->input.width;
    uint32_t state = 1;
    for (size_t i = 0; i < tensor_size(x); i++) {
        size_t c = i / plane % (size_t)m->input.channels;
        float mean = 255 * m->normal.mean[c], scale = 1 / (255 * m->normal.deviation[c]);
        x->val[i] = ((float)export_noise(&state) - mean) * scale;
    }
}

/* For tensor_guarded: TESTS images or rows of noise, and some more to fill the batch. */
static void run_tests(void *argument)
{
    expected *e = argument;
    const vision_model *m = e->model;
    tensor_context *ctx = nn_params_context(vision_network_params(m->network));
    tensor_set_grad(ctx, false);
    tensor *x =
        tensor_new(ctx, m->columns ? 2 : 4,
                   (const int[]){BATCH, m->input.channels, m->input.height, m->input.width});
    (m->columns ? fill_rows : fill_images)(e, x);
    const tensor *logits = vision_forward(m->network, x, false, 0, 0);
    memcpy(e->logits, logits->val, (size_t)(TESTS * m->classes) * sizeof(float));
    tensor_step_end(ctx);
    tensor_set_grad(ctx, true);
}

static bool run_int8_tests(expected *e, export_int8 *int8, base_error *error)
{
    size_t size = export_size(e->model->input);
    unsigned char *pixels = base_malloc(size);
    int32_t logits[VISION_MAX_CLASSES], row[VISION_MAX_INPUTS];
    uint32_t state = 1;
    if (!pixels)
        return base_fail(error, "no memory for the self-test");
    for (int t = 0; t < TESTS; t++) {
        if (e->model->columns)
            export_columns_noise(e->plan, &state, row);
        for (size_t i = 0; i < size && !e->model->columns; i++)
            pixels[i] = export_noise(&state);
        export_int8_run(int8, e->model->columns ? (void *)row : pixels, logits);
        memcpy(e->logits + t * e->model->classes, logits,
               (size_t)e->model->classes * sizeof *logits);
    }
    base_free(pixels);
    return true;
}

static bool expect(expected *e, const export_options *o, base_error *error)
{
    char reason[256];
    tensor_context *ctx = nn_params_context(vision_network_params(e->model->network));
    if (o->int8)
        return run_int8_tests(e, o->int8, error);
    return tensor_guarded(ctx, run_tests, e, reason) ||
           base_fail(error, "the self-test's logits: %s", reason);
}

/* ---- the file ---- */

static size_t flash_of(const export_plan *plan)
{
    return plan->int8 ? export_int8_flash(plan->int8) : 4 * plan->weights;
}

/* A depthwise convolution in int8 has the sums of a line there. */
static int stack_of(const export_plan *plan)
{
    int widest = 0;
    for (int i = 0; plan->int8 && i < plan->count; i++)
        if (plan->step[i].l->kind == VISION_DEPTHWISE2D && plan->step[i].out.width > widest)
            widest = plan->step[i].out.width;
    return 1024 + 4 * widest;
}

static size_t ram_of(const export_plan *plan) { return (plan->int8 ? 1 : 4) * plan->buffer; }

static void remark(export_writer *w, const char *what, const char *text)
{
    export_print(w, " * %s", what);
    export_remark(w, text);
    export_put(w, "\n");
}

static void print_head(export_writer *w, const export_plan *plan, const export_options *o,
                       const char *ending)
{
    const vision_model *m = plan->model;
    export_print(
        w,
        EXPORT_LICENCE
        "/* @.%s -- a network of %d layers that phoenix has trained, as a C program.\n *\n",
        ending, m->net.count);
    remark(w, "task      ", m->task);
    remark(w, "version   ", m->version);
    const char *item = m->columns ? "row" : "image";
    export_print(w, " * seed      %" PRId64 "\n * trained   on %" PRId64 " %ss\n", m->seed,
                 m->trained, item);
    if (m->result.count && vision_model_is_regression(m))
        export_print(w, " * measured  R2 %.4f on %d rows that it had not seen\n",
                     m->result.accuracy, m->result.count);
    else if (m->result.count)
        export_print(w, " * measured  %d of %d %ss right that it had not seen (%.2f %%)\n",
                     m->result.right, m->result.count, item, 100 * m->result.accuracy);
    remark(w, "source    ", m->source);
    remark(w, "data      ", m->data);
    if (o->command)
        remark(w, "command   ", o->command);
    export_print(w,
                 " * flash     %zu bytes of weights, and code\n"
                 " * RAM       %zu bytes, the caller's buffer; the stack takes less than %d bytes\n"
                 " * work      %" PRId64 " multiply-adds %s %s\n *\n",
                 flash_of(plan), ram_of(plan), stack_of(plan), plan->multiply_adds,
                 m->columns ? "a" : "an", item);
    if (o->int8) {
        export_put(w,
                   " * In numbers of 8 bits, sums of 32, without floats: weights have a scale for\n"
                   " * each output channel, and batch norms are folded.\n");
        if (o->measured.count)
            export_print(w,
                         " * Of %d test %ss %d are right in int8 (%.2f %%), %d in float "
                         "(%.2f %%).\n",
                         o->measured.count, item, o->measured.int8,
                         100.0 * o->measured.int8 / o->measured.count, o->measured.floats,
                         100.0 * o->measured.floats / o->measured.count);
    } else if (o->fold)
        export_put(w,
                   " * Batch norms are folded into the convolutions before them: the logits are\n"
                   " * not the bits of the network that was trained, but near to them.\n");
    else
        export_print(w,
                     " * The logits are the bits of phoenix predict, %s\n"
                     " * on any machine whose float arithmetic is IEEE 754's.\n",
                     m->columns ? "in any batch," : "in any batch of 4 images and more,");
    export_put(w,
               " * Built with -D^_TEST it is a program that exits with 0 if that is so here. */\n");
}

/* What @_run is given. */
static const char *input_of(const export_plan *plan)
{
    return !plan->model->columns ? "uint8_t *pixels"
           : plan->int8          ? "int32_t *columns"
                                 : "float *columns";
}

/* What a pixel is and in which order they stand: as the files that were trained on. */
static const char *pixels_of(const vision_model *m)
{
    if (m->input.channels == 3)
        return "all of red, then green, then blue, line by line from the top, 0 to 255";
    if (m->input.channels > 1)
        return "channel by channel, line by line from the top, 0 to 255";
    return m->pictures ? "line by line from the top, 0 black to 255 white"
                       : "line by line from the top, 255 full ink";
}

static void print_normal(export_writer *w, const vision_model *m)
{
    export_print(w, "/* The same for %s normalised already: %s.",
                 m->columns ? "inputs that are" : "an image that is",
                 m->columns ? "(x - mean) / deviation" : "(p / 255 - mean) / deviation");
    for (int c = 0; !m->columns && c < m->input.channels; c++)
        export_print(w, "\n *   channel %d: mean %.9g, deviation %.9g", c,
                     (double)m->normal.mean[c], (double)m->normal.deviation[c]);
    export_print(w, " */\nvoid @_run_normal(const float *%s, float *logits, float *buffer);\n\n",
                 m->columns ? "inputs" : "image");
}

static void print_header(export_writer *w, const export_plan *plan, const export_options *o)
{
    const vision_model *m = plan->model;
    print_head(w, plan, o, "h");
    export_put(w, "#ifndef ^_H\n#define ^_H\n\n#include <stdint.h>\n\n");
    if (!m->columns)
        export_print(w,
                     "#define ^_CHANNELS %d\n#define ^_HEIGHT %d\n#define ^_WIDTH %d\n"
                     "#define ^_PIXELS %zu /* of an image */\n",
                     m->input.channels, m->input.height, m->input.width, export_size(m->input));
    else
        export_print(w, "#define ^_INPUTS %d\n", m->input.channels);
    export_print(w,
                 "#define ^_CLASSES %d\n#define ^_BUFFER %zu /* numbers that the caller lends */\n",
                 m->classes, plan->buffer);
    if (plan->int8)
        export_put(w, "#define ^_UNIT 65536 /* a logit of so much is 1 */\n");
    export_put(w, "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
    if (m->columns)
        export_columns_header(w, plan);
    if (m->columns)
        export_put(w, "/* Logits of a row: a number a column.");
    else
        export_print(w, "/* Logits of an image: ^_PIXELS bytes, %s.", pixels_of(m));
    export_print(w,
                 "\n * buffer is overwritten; nothing else is kept from call to call. */\n"
                 "void @_run(const %s, $ *logits, ~ *buffer);\n\n",
                 input_of(plan));
    if (!plan->int8)
        print_normal(w, m);
    if (m->columns)
        export_columns_calls_header(w);
    if (vision_model_is_regression(m))
        export_columns_value_header(w, plan);
    else
        export_put(w, "/* The class with the largest logit, of equals the first. */\n"
                      "int @_class(const $ *logits);\n\n");
    if (m->names) {
        export_put(w, "/* What the classes are called:");
        export_choices(w, m->names, m->classes);
        export_put(w, " */\nextern const char *const @_names[^_CLASSES];\n\n");
    }
    export_put(w, "#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
}

static void print_names(export_writer *w, const vision_model *m)
{
    if (!m->names)
        return;
    export_put(w, "\nconst char *const @_names[^_CLASSES] = {\n");
    for (int i = 0; i < m->classes; i++) {
        export_put(w, "    ");
        export_string(w, m->names[i]);
        export_put(w, ",\n");
    }
    export_put(w, "};\n");
}

/* What a later sum asks for is copied to where it stays. */
static void print_keep(export_writer *w, const export_step *s, size_t size)
{
    if (s->keeps)
        export_print(w, "    memcpy(buffer + %zu, buffer + %zu, %zu * sizeof *buffer);\n", s->keep,
                     s->to, size);
}

static const char asked_text[] =
    "\n"
    "#ifdef ASKED\n"
    "__attribute__((target(\"fma\"))) static void layers_by_fma(float *logits, float *buffer)\n"
    "{\n"
    "    all_layers(logits, buffer, 1);\n"
    "}\n"
    "\n"
    "static void run_layers(float *logits, float *buffer)\n"
    "{\n"
    "    if (__builtin_cpu_supports(\"fma\"))\n"
    "        layers_by_fma(logits, buffer);\n"
    "    else\n"
    "        all_layers(logits, buffer, 0);\n"
    "}\n"
    "#else\n"
    "static void run_layers(float *logits, float *buffer) { all_layers(logits, buffer); }\n"
    "#endif\n";

/* The layers in their order; the image stands at the buffer's beginning. */
static void print_layers(export_writer *w, const export_plan *plan)
{
    export_put(w, plan->int8 ? "\nstatic void run_layers($ *logits, ~ *buffer)\n{\n"
                             : "\nTWICE void all_layers($ *logits, ~ *buffer HOW)\n{\n");
    if (plan->int8)
        export_int8_begin(w, plan->int8);
    print_keep(w, &plan->image, export_size(plan->model->input));
    for (int i = 0; i < plan->count; i++) {
        const export_step *s = &plan->step[i];
        if (plan->int8)
            export_int8_call(w, plan->int8, i);
        else
            export_call(w, s);
        print_keep(w, s, export_size(s->out));
    }
    if (!plan->int8) {
        export_print(w, "    memcpy(logits, buffer + %zu, ^_CLASSES * sizeof *logits);\n}\n",
                     plan->result);
        export_put(w, asked_text);
    } else {
        export_int8_end(w, plan->int8);
    }
}

static void print_calls(export_writer *w, const vision_model *m)
{
    float mean[VISION_MAX_CHANNELS], scale[VISION_MAX_CHANNELS];
    for (int c = 0; c < m->input.channels; c++) {
        mean[c] = 255 * m->normal.mean[c];
        scale[c] = 1 / (255 * m->normal.deviation[c]);
    }
    export_put(w, "\nvoid @_run(const uint8_t *pixels, float *logits, float *buffer)\n{\n    ");
    export_floats(w, "mean", mean, (size_t)m->input.channels);
    export_put(w, "    ");
    export_floats(w, "scale", scale, (size_t)m->input.channels);
    export_put(w, "    int c, i;\n"
                  "    float *to = buffer;\n"
                  "    for (c = 0; c < ^_CHANNELS; c++)\n"
                  "        for (i = 0; i < ^_HEIGHT * ^_WIDTH; i++)\n"
                  "            *to++ = ((float)*pixels++ - mean[c]) * scale[c];\n"
                  "    run_layers(logits, buffer);\n"
                  "}\n"
                  "\n"
                  "void @_run_normal(const float *image, float *logits, float *buffer)\n"
                  "{\n"
                  "    memcpy(buffer, image, ^_PIXELS * sizeof *buffer);\n"
                  "    run_layers(logits, buffer);\n"
                  "}\n");
}

static void print_class(export_writer *w)
{
    export_put(w, "\n"
                  "int @_class(const $ *logits)\n"
                  "{\n"
                  "    int best = 0, i;\n"
                  "    for (i = 1; i < ^_CLASSES; i++)\n"
                  "        if (logits[i] > logits[best])\n"
                  "            best = i;\n"
                  "    return best;\n"
                  "}\n");
}

/* A NaN's bits are nobody's promise: it only has to be one. */
static void print_test(export_writer *w, const expected *e)
{
    const bool table = e->model->columns != NULL;
    int classes = e->model->classes;
    export_print(w, "\n#ifdef ^_TEST\nstatic const uint32_t expected[%d][^_CLASSES] = {\n", TESTS);
    for (int t = 0; t < TESTS; t++) {
        export_put(w, "    {");
        for (int i = 0; i < classes; i++) {
            export_print(w, "%s0x%08" PRIx32 "U,",
                         i % 6 ? " "
                         : i   ? "\n     "
                               : "",
                         e->logits[t * classes + i]);
        }
        export_put(w, "},\n");
    }
    export_put(w, "};\n");
    if (table)
        export_columns_test(w, e->plan);
    export_print(
        w,
        "\n/* %d %ss of noise: 0, or the number of the first that comes out wrong. */\n"
        "int main(void)\n"
        "{\n"
        "    static %s%s;\n"
        "    static ~ buffer[^_BUFFER];\n"
        "    $ logits[^_CLASSES];\n"
        "    uint32_t state = 1, bits;\n"
        "    int t, i;\n"
        "    for (t = 0; t < %d; t++) {\n"
        "        for (i = 0; i < %s; i++) {\n"
        "            state = state * 1664525U + 1013904223U;\n"
        "            %s;\n"
        "        }\n",
        TESTS, table ? "row" : "image", table ? e->plan->int8 ? "int32_t " : "float " : "uint8_t ",
        table ? "columns[^_COLUMNS]" : "pixels[^_PIXELS]", TESTS, table ? "^_COLUMNS" : "^_PIXELS",
        table ? "columns[i] = noise(i, (int)(state >> 24))" : "pixels[i] = (uint8_t)(state >> 24)");
    export_print(w,
                 "        @_run(%s, logits, buffer);\n"
                 "        for (i = 0; i < ^_CLASSES; i++) {\n"
                 "            memcpy(&bits, &logits[i], sizeof bits);\n"
                 "            if (bits != expected[t][i])\n"
                 "                return t + 1;\n"
                 "        }\n"
                 "    }\n"
                 "    return 0;\n"
                 "}\n"
                 "#endif\n",
                 table ? "columns" : "pixels");
}

static void print_source(export_writer *w, const export_plan *plan, const export_options *o,
                         const expected *e)
{
    print_head(w, plan, o, "c");
    export_print(w, "#include \"%s\"\n\n%s#include <string.h>\n\n", o->header,
                 plan->int8 ? "" : "#include <float.h>\n");
    export_prelude(w, plan);
    if (plan->int8)
        export_int8_common(w, plan->int8);
    else
        export_common(w, plan);
    if (plan->int8)
        export_int8_numbers(w, plan->int8);
    for (int i = 0; i < plan->count && !plan->int8; i++)
        export_weights(w, plan, &plan->step[i]);
    for (int i = 0; i < plan->count; i++)
        if (plan->int8)
            export_int8_function(w, plan->int8, i);
        else
            export_function(w, &plan->step[i]);
    print_layers(w, plan);
    if (plan->model->columns)
        export_columns_calls(w, plan);
    else if (plan->int8)
        export_int8_calls(w, plan->int8);
    else
        print_calls(w, plan->model);
    if (vision_model_is_regression(plan->model))
        export_columns_value(w, plan);
    else
        print_class(w);
    print_names(w, plan->model);
    print_test(w, e);
}

/* What is worked out of a network before its file is written: too much for a small stack. */
typedef struct draft {
    export_plan plan;
    expected e;
} draft;

static bool write_draft(draft *d, const export_options *options, base_text *source,
                        base_text *header, export_cost *cost, base_error *error)
{
    export_writer c, h;
    if (!export_writer_begin(&c, source, options->prefix, error) ||
        !export_writer_begin(&h, header, options->prefix, error) ||
        !export_plan_make(&d->plan, d->e.model, options->int8, error))
        return false;
    d->plan.int8 = options->int8;
    d->e.plan = &d->plan;
    if (!expect(&d->e, options, error))
        return false;
    if (d->plan.int8) {
        c.number = h.number = "uint8_t";
        c.logit = h.logit = "int32_t";
    }
    print_source(&c, &d->plan, options, &d->e);
    print_header(&h, &d->plan, options);
    if (cost)
        *cost = (export_cost){flash_of(&d->plan), ram_of(&d->plan), d->plan.multiply_adds};
    return !(source->failed || header->failed) || base_fail(error, "no memory for the C file");
}

/* A network whose batch norms are folded, if any are to be. */
static bool export_one(const vision_model *model, const export_options *options, base_text *source,
                       base_text *header, export_cost *cost, base_error *error)
{
    draft *d = base_calloc(1, sizeof *d);
    if (!d)
        return base_fail(error, "no memory for the C file");
    d->e.model = model;
    bool ok = write_draft(d, options, source, header, cost, error);
    base_free(d);
    return ok;
}

bool export_network(const vision_model *model, const export_options *options, base_text *source,
                    base_text *header, export_cost *cost, base_error *error)
{
    vision_model folded;
    if (options->int8)
        return export_one(&options->int8->model, options, source, header, cost, error);
    if (!options->fold)
        return export_one(model, options, source, header, cost, error);
    if (!export_fold(model, &folded, error))
        return false;
    bool ok = export_one(&folded, options, source, header, cost, error);
    export_fold_free(&folded);
    return ok;
}

void export_network_main(const char *prefix, bool table, bool int8, base_text *source)
{
    export_writer w;
    if (!export_writer_begin(&w, source, prefix, NULL))
        return;
    w.number = int8 ? "uint8_t" : "float";
    w.logit = int8 ? "int32_t" : "float";
    export_print(&w,
                 "\n#include <stdio.h>\n"
                 "int main(void)\n"
                 "{\n"
                 "    static %s row[%s];\n"
                 "    static $ logits[^_CLASSES];\n"
                 "    static ~ buffer[^_BUFFER];\n"
                 "    while (fread(row, 1, sizeof row, stdin) == sizeof row) {\n"
                 "        @_run(row, logits, buffer);\n"
                 "        fwrite(logits, 1, sizeof logits, stdout);\n"
                 "    }\n"
                 "    return fflush(stdout) != 0;\n"
                 "}\n",
                 !table ? "uint8_t" : w.logit, table ? "^_COLUMNS" : "^_PIXELS");
}
