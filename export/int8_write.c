/* SPDX-License-Identifier: MIT */
/* int8_write.c -- a network in whole numbers as C functions.
 *
 * Sums of whole numbers have no order, so a compiler may cut them as it likes, and all go along weights as they lie.
 * Flash is short where such a file runs, so it holds as little as possible beside weights: what layers of a kind have in
 * common is one function; a layer is a line of a table; its weights and channels follow those of the layer before, and
 * where its input and result stand follows from their sizes, as network.c places them. Code that takes little of the time
 * is marked, for a compiler to make it short. */
#include "export/parts.h"

#include <stdio.h>

/* ---- numbers ---- */

static bool is_function(const vision_layer *l)
{
    return l->kind == VISION_GELU || l->kind == VISION_HARD_SWISH;
}

/* "layer 2, conv2d, then relu" */
static void put_what(export_writer *w, const export_step *s)
{
    export_print(w, "/* layer %d, %s%s */", s->layer, vision_kind_name(s->l->kind),
                 s->relu ? ", then relu" : "");
}

static int weight_of(const export_quantum *u, size_t i) { return u->weight[i]; }

/* Of logits a channel is nothing but a bias: their factor is that of all. */
static int channel_of(const export_quantum *u, size_t row)
{
    return u->bias[row] / ((int32_t)1 << u->up) + (u->wide ? 0 : u->multiplier[row]);
}

/* An array of numbers of all layers that have weights: of each row `each` numbers, 0: as many as it has weights. */
static void put_numbers(export_writer *w, const export_int8 *q, const char *array, int each,
                        int in_line, int (*number_of)(const export_quantum *u, size_t i))
{
    export_print(w, "\nstatic const %s[] = {\n", array);
    for (int i = 0; i < q->plan.count; i++) {
        const export_quantum *u = &q->step[i];
        if (!u->weight)
            continue;
        export_put(w, "    ");
        put_what(w, &q->plan.step[i]);
        const size_t count = (size_t)u->rows * (size_t)(each ? each : u->each);
        for (size_t k = 0; k < count; k++)
            export_print(w, "%s%d,", k % (size_t)in_line ? " " : "\n    ", number_of(u, k));
        export_put(w, "\n");
    }
    export_put(w, "};\n");
}

static int larger(int a, int b) { return a > b ? a : b; }

static int largest_of(vision_shape s) { return larger(s.channels, larger(s.height, s.width)); }

/* The type that holds all sizes of the table. */
static const char *size_type(const export_plan *plan)
{
    int most = largest_of(plan->model->input);
    for (int i = 0; i < plan->count; i++) {
        const vision_layer *l = plan->step[i].l;
        most = larger(most, largest_of(plan->step[i].out));
        most = larger(most, larger(l->kernel, larger(l->stride, l->padding)));
    }
    return most < 256 ? "uint8_t" : most < 65536 ? "uint16_t" : "int32_t";
}

static void put_layer(export_writer *w, vision_shape s, const vision_layer *l,
                      const export_quantum *u)
{
    const bool table = !s.height;
    const bool window = l && (l->kind == VISION_CONV2D || l->kind == VISION_DEPTHWISE2D);
    export_print(w, "    {%d, %d, %d, %d, %d, %d, %d, %d, %d},", s.channels, table ? 1 : s.height,
                 table ? 1 : s.width, window ? l->kernel : 0, window ? l->stride : 0,
                 window ? l->padding : 0, u->weight ? u->up : 0, u->weight ? u->shift[0] : 0,
                 u->zero);
}

static void put_layers(export_writer *w, const export_int8 *q)
{
    const export_plan *plan = &q->plan;
    export_put(w, "\n/* The input, and what each layer leaves. */\n"
                  "static const layer layers[] = {\n");
    put_layer(w, plan->model->input, NULL, &q->image);
    export_put(w, "\n");
    for (int i = 0; i < plan->count && !q->step[i].wide; i++) {
        put_layer(w, plan->step[i].out, plan->step[i].l, &q->step[i]);
        export_put(w, " ");
        put_what(w, &plan->step[i]);
        export_put(w, "\n");
    }
    export_put(w, "};\n");
}

bool export_int8_has_weights(const export_int8 *q)
{
    bool has = false;
    for (int i = 0; i < q->plan.count; i++)
        has = has || q->step[i].weight;
    return has;
}

void export_int8_numbers(export_writer *w, const export_int8 *q)
{
    char name[32];
    if (export_int8_has_weights(q)) {
        put_numbers(w, q, "int8_t weights", 0, 16, weight_of);
        put_numbers(w, q, "int16_t channels", 1, 10, channel_of);
    }
    put_layers(w, q);
    for (int i = 0; i < q->plan.count; i++)
        if (is_function(q->plan.step[i].l)) {
            snprintf(name, sizeof name, "table_%d", q->plan.step[i].layer);
            export_put(w, "\n");
            export_integers(w, "uint8_t", name, q->step[i].table, sizeof q->step[i].table);
        }
}

/* ---- what layers share ---- */

static const char marks_text[] =
    "#if defined __GNUC__ && !defined __TINYC__\n"
    "#define HOT __attribute__((noinline, hot)) static /* most of the time is spent here */\n"
    "#define COLD __attribute__((cold)) static /* little of it: to be short */\n"
    "#else\n"
    "#define HOT static\n"
    "#define COLD static\n"
    "#endif\n";

static const char narrow_text[] =
    "\n"
    "/* value / (1 << shift), rounded down, in 8 bits. */\n"
    "static uint8_t narrow(int32_t value, int shift)\n"
    "{\n"
    "    value >>= shift;\n"
    "    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);\n"
    "}\n";

static const char layer_text[] =
    "\n"
    "/* What a layer leaves: the shape of its result, the kernel that it came from, and what its "
    "numbers\n"
    " * mean. */\n"
    "typedef struct layer {\n"
    "    %s channels, height, width, kernel, stride, padding;\n"
    "    uint8_t up, shift; /* of its channels' biases, and of its sums */\n"
    "    uint8_t zero; /* what stands for 0 */\n"
    "} layer;\n";

static const char run_text[] =
    "\n"
    "/* Where a run is: at a layer and its numbers, and in the buffer. */\n"
    "typedef struct run {\n"
    "    const layer *l; /* the last that has begun; the next stands behind it */\n"
    "    const int8_t *weights; /* of the next: (channels, each) */\n"
    "    const int16_t *channels; /* and its channels, 16 bias + factor each */\n"
    "    uint8_t *buffer, *y; /* the last result */\n"
    "    uint8_t *x, *scratch; /* a layer's input, and room for what it needs beside */\n"
    "    const int8_t *weight; /* its weights and channels */\n"
    "    const int16_t *channel;\n"
    "    int32_t apart, next; /* of results that follow each other: in y, and by channels */\n"
    "} run;\n";

static const char begin_text[] = "\n"
                                 "static int32_t size_of(const layer *l)\n"
                                 "{\n"
                                 "    return (int32_t)l->channels * l->height * l->width;\n"
                                 "}\n"
                                 "\n"
                                 "/* The next layer, with `each` weights for a channel. Its result "
                                 "goes to the other end of the buffer. */\n"
                                 "static void begin(run *r, int32_t each)\n"
                                 "{\n"
                                 "    const int32_t in = size_of(r->l++), out = size_of(r->l);\n"
                                 "    r->weight = r->weights;\n"
                                 "    r->weights += r->l->channels * each;\n"
                                 "    r->channel = r->channels;\n"
                                 "    r->channels += r->l->channels;\n"
                                 "    r->x = r->y;\n"
                                 "    r->y = r->buffer;\n"
                                 "    r->scratch = r->y + out;\n"
                                 "    if (r->x == r->buffer) {\n"
                                 "        r->y += (int32_t)%zu - out;\n"
                                 "        r->scratch = r->x + in;\n"
                                 "    }\n"
                                 "}\n";

static const char scaled_text[] =
    "\n"
    "/* A sum by its channel's factor, and the bias. */\n"
    "static int32_t scaled(int32_t sum, int channel, int up)\n"
    "{\n"
    "    const int factor = channel & 15;\n"
    "    return sum * factor + (channel - factor) * ((int32_t)1 << up);\n"
    "}\n";

static const char finish_text[] = "\n"
                                  "/* Sums become results. */\n"
                                  "HOT void finish(const run *r, const int16_t *channel, const "
                                  "int32_t *sum, int32_t count, uint8_t *y)\n"
                                  "{\n"
                                  "    const int shift = r->l->shift, up = r->l->up;\n"
                                  "    const int32_t apart = r->apart, next = r->next;\n"
                                  "    do {\n"
                                  "        *y = narrow(scaled(*sum++, *channel, up), shift);\n"
                                  "        y += apart;\n"
                                  "        channel += next;\n"
                                  "    } while (--count > 0);\n"
                                  "}\n";

static const char sums_text[] =
    "\n"
    "/* x times four rows of weights: four sums that stay in registers, for which x is read once. "
    "*/\n"
    "static void sums(const uint8_t *RESTRICT x, const int8_t *RESTRICT a, int32_t each, int32_t "
    "apart,\n"
    "                 int32_t *RESTRICT sum)\n"
    "{\n"
    "    const int8_t *b = a + apart, *c = b + apart, *d = c + apart;\n"
    "    const uint8_t *const end = x + each;\n"
    "    int32_t sum_a = 0, sum_b = 0, sum_c = 0, sum_d = 0;\n"
    "    do {\n"
    "        const uint8_t value = *x++;\n"
    "        sum_a += *a++ * value;\n"
    "        sum_b += *b++ * value;\n"
    "        sum_c += *c++ * value;\n"
    "        sum_d += *d++ * value;\n"
    "    } while (x != end);\n"
    "    sum[0] = sum_a;\n"
    "    sum[1] = sum_b;\n"
    "    sum[2] = sum_c;\n"
    "    sum[3] = sum_d;\n"
    "}\n";

static const char results_text[] =
    "\n"
    "/* All rows of weights times x: four at a time, and the last of them again where four do not "
    "go into them. */\n"
    "HOT void results(const run *r, const uint8_t *x, uint8_t *y, int32_t each)\n"
    "{\n"
    "    const int32_t rows = r->l->channels%s;\n"
    "    int32_t row, sum[4];\n"
    "    for (row = 0; row < rows; row += %s) {\n"
    "        if (row + %s > rows)\n"
    "            row = rows - %s;\n"
    "        sums(x, r->weight + row * each, each, %s, sum);\n"
    "        finish(r, r->channel + row, sum, %s, y + row * r->apart);\n"
    "    }\n"
    "}\n";

static const char linear_text[] = "\n"
                                  "static void linear(run *r)\n"
                                  "{\n"
                                  "    const int32_t each = size_of(r->l);\n"
                                  "    begin(r, each);\n"
                                  "    r->apart = r->next = 1;\n"
                                  "    results(r, r->x, r->y, each);\n"
                                  "}\n";

static const char convolution_text[] =
    "\n"
    "/* At each place of the result, what lies under the kernel is laid side by side. */\n"
    "static void convolution(run *r)\n"
    "{\n"
    "    const layer *from = r->l, *l = from + 1;\n"
    "    const int32_t C = from->channels, H = from->height, W = from->width, k = l->kernel;\n"
    "    const int32_t places = (int32_t)l->height * l->width, stride = l->stride;\n"
    "    int32_t row = -l->padding, column = row, place, c, i, j;\n"
    "    begin(r, C * k * k);\n"
    "    r->apart = places;\n"
    "    r->next = 1;\n"
    "    for (place = 0; place < places; place++) {\n"
    "        uint8_t *to = r->scratch;\n"
    "        for (i = row; i < row + k; i++)\n"
    "            for (j = column; j < column + k; j++, to++) {\n"
    "                const int inside = i >= 0 && i < H && j >= 0 && j < W;\n"
    "                const uint8_t *x = inside ? r->x + i * W + j : &from->zero;\n"
    "                const int32_t apart = inside ? H * W : 0;\n"
    "                for (c = 0; c < C; c++)\n"
    "                    to[c * k * k] = x[c * apart];\n"
    "            }\n"
    "        results(r, r->scratch, r->y + place, C * k * k);\n"
    "        column += stride;\n"
    "        if (column + k > W + l->padding) {\n"
    "            column = -l->padding;\n"
    "            row += stride;\n"
    "        }\n"
    "    }\n"
    "}\n";

static const char depthwise_text[] =
    "\n"
    "/* A plane after the other, with zeros around it, a line of results at a time. */\n"
    "COLD void depthwise(run *r, add_line *add)\n"
    "{\n"
    "    const layer *from = r->l, *l = from + 1;\n"
    "    const int32_t H = from->height, W = from->width, p = l->padding, wide = W + 2 * p, k = "
    "l->kernel;\n"
    "    int32_t c, row, i, sum[%d];\n";

static const char depthwise_text_2[] =
    "    const uint8_t *x = r->y;\n"
    "    uint8_t *y;\n"
    "    begin(r, k * k);\n"
    "    r->apart = 1;\n"
    "    r->next = 0;\n"
    "    y = r->y;\n"
    "    for (c = 0; c < l->channels; c++) {\n"
    "        memset(r->scratch, from->zero, (size_t)((H + 2 * p) * wide));\n"
    "        for (row = 0; row < H; row++, x += W)\n"
    "            memcpy(r->scratch + (row + p) * wide + p, x, (size_t)W);\n"
    "        for (row = 0; row < l->height; row++, y += l->width) {\n"
    "            const int8_t *weight = r->weight;\n"
    "            const uint8_t *line = r->scratch + row * l->stride * wide;\n"
    "            memset(sum, 0, sizeof sum);\n"
    "            for (i = 0; i < k; i++, weight += k, line += wide)\n"
    "                add(weight, line, l->width, sum);\n"
    "            finish(r, r->channel, sum, l->width, y);\n"
    "        }\n"
    "        r->weight += k * k;\n"
    "        r->channel++;\n"
    "    }\n"
    "}\n";

/* All columns of a line of the kernel at once, so that a sum is read and written once for them. */
static void put_line(export_writer *w, const vision_layer *l)
{
    const int k = l->kernel;
    const bool unrolled = k <= EXPORT_UNROLLED;
    export_print(
        w,
        "\n"
        "/* A line of a depthwise kernel of %d with a stride of %d, to the sums of a line. */\n"
        "HOT void line_%d_%d(const int8_t *RESTRICT weight, const uint8_t *RESTRICT x, int32_t "
        "count,\n"
        "                   int32_t *RESTRICT sum)\n"
        "{\n"
        "    const int32_t *const end = sum + count;\n"
        "    do {\n"
        "        int32_t value = *sum;\n",
        k, l->stride, k, l->stride);
    for (int i = 0; i < (unrolled ? k : 1); i++)
        export_print(w,
                     unrolled ? "        value += weight[%d] * x[%d];\n"
                              : "        int i;\n        for (i = 0; i < %d; i++)\n"
                                "            value += weight[i] * x[i];\n",
                     unrolled ? i : k, i);
    export_print(w,
                 "        *sum++ = value;\n"
                 "        x += %d;\n"
                 "    } while (sum != end);\n"
                 "}\n",
                 l->stride);
}

static bool is_depthwise(const export_step *s, const vision_layer *as)
{
    return s->l->kind == VISION_DEPTHWISE2D &&
           (!as || (s->l->kernel == as->kernel && s->l->stride == as->stride));
}

/* One function for all depthwise layers, and one for lines of each kernel and stride. */
static void put_depthwise(export_writer *w, const export_plan *plan)
{
    int widest = 0;
    for (int i = 0; i < plan->count; i++) {
        bool before = false;
        if (!is_depthwise(&plan->step[i], NULL))
            continue;
        for (int j = 0; j < i; j++)
            before = before || is_depthwise(&plan->step[j], plan->step[i].l);
        if (!before)
            put_line(w, plan->step[i].l);
        widest = larger(widest, plan->step[i].out.width);
    }
    export_put(w, "\ntypedef void add_line(const int8_t *weight, const uint8_t *x, int32_t count, "
                  "int32_t *sum);\n");
    export_print(w, depthwise_text, widest);
    export_put(w, depthwise_text_2);
}

/* What layers of a kind share, as far as it is used. */
void export_int8_common(export_writer *w, const export_int8 *q)
{
    const export_plan *plan = &q->plan;
    int kinds[VISION_KINDS] = {0}, least = 4;
    for (int i = 0; i < plan->count; i++) {
        const vision_kind kind = plan->step[i].l->kind;
        if (q->step[i].wide)
            continue;
        kinds[kind]++;
        if ((kind == VISION_CONV2D || kind == VISION_LINEAR) && q->step[i].rows < least)
            least = q->step[i].rows;
    }
    const int rows = kinds[VISION_CONV2D] + kinds[VISION_LINEAR],
              depthwise = kinds[VISION_DEPTHWISE2D], norms = kinds[VISION_BATCH_NORM2D];
    const char *some = least < 4 ? "some" : "4";
    export_put(w, marks_text);
    if (!q->model.columns ||
        rows + depthwise + norms + kinds[VISION_GLOBAL_AVG_POOL2D] + kinds[VISION_RESIDUAL] > 0)
        export_put(w, narrow_text);
    export_print(w, layer_text, size_type(plan));
    export_put(w, run_text);
    if (rows + depthwise > 0)
        export_print(w, begin_text, plan->between);
    if (rows + depthwise + norms > 0)
        export_put(w, scaled_text);
    if (rows + depthwise > 0)
        export_put(w, finish_text);
    if (rows > 0)
        export_put(w, sums_text);
    if (rows > 0)
        export_print(w, results_text, least < 4 ? ", some = rows < 4 ? 1 : 4" : "", some, some,
                     some, least < 4 ? "some == 1 ? 0 : each" : "each", some);
    if (kinds[VISION_LINEAR] > 0)
        export_put(w, linear_text);
    if (kinds[VISION_CONV2D] > 0)
        export_put(w, convolution_text);
    if (depthwise > 0)
        put_depthwise(w, plan);
}
