/* SPDX-License-Identifier: MIT */
/* model.c -- a trained network as three files: which lies a folder can tell, and where they end.
 *
 * Two of the files are believed only because the third names their digests, and the third, the
 * JSON, is believed a number at a time. They are checked in the order in which they could do harm:
 * each number's range; then the list of layers as a whole (vision_shapes, which bounds all products
 * and sums); then the size of the weights' file, which has to be what the layers ask for; only then
 * memory is taken for the network. At last every weight has to be a finite number, and no variance
 * below zero, so that no picture is answered with "not a number". */
#include "vision/model.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/number.h"
#include "nn/safetensors.h"
#include "vision/images_internal.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* FORMAT is to grow when what is written would be misread by an older program. Members that may be left out
 * (names, pictures, columns) need no new one: a file without them means what it always meant. */
enum { FORMAT = 1, MOST_JSON = 1 << 20, MOST_HEADER = 1 << 16 };

static const char JSON[] = "network.json", WEIGHTS[] = "model.safetensors", SOURCE[] = "source.c";

/* ---- layers ---- */

/* One struct serves all kinds of layer, so each kind says which of its numbers mean something: those alone are
 * written, and those alone have to be there. Depthwise and batch norm have as many outputs as inputs; a
 * residual's `in` is the number of the layer whose result is added, 0 for the images. */
enum { IN = 1, OUT = 2, KERNEL = 4, STRIDE = 8, PADDING = 16, RATE = 32 };

/* The numbers that a kind of layer has. */
static const unsigned numbers_of[VISION_KINDS] = {
    [VISION_CONV2D] = IN | OUT | KERNEL | STRIDE | PADDING,
    [VISION_MAX_POOL2D] = KERNEL | STRIDE,
    [VISION_AVG_POOL2D] = KERNEL | STRIDE,
    [VISION_BATCH_NORM2D] = IN,
    [VISION_DROPOUT] = RATE,
    [VISION_LINEAR] = IN | OUT,
    [VISION_DEPTHWISE2D] = IN | KERNEL | STRIDE | PADDING,
    [VISION_RESIDUAL] = IN,
};

/* The whole numbers of a layer, by the bit that says it has them; the rate, which is not whole, stands apart. */
static const struct {
    unsigned bit;
    const char *name;
    size_t offset;
} whole_number[] = {
    {IN, "in", offsetof(vision_layer, in)},
    {OUT, "out", offsetof(vision_layer, out)},
    {KERNEL, "kernel", offsetof(vision_layer, kernel)},
    {STRIDE, "stride", offsetof(vision_layer, stride)},
    {PADDING, "padding", offsetof(vision_layer, padding)},
};
enum { NUMBERS = sizeof whole_number / sizeof *whole_number };

/* {"kind":"conv2d","in":1,"out":8,"kernel":3,"stride":1,"padding":0}: one line a layer, so that two
 * networks can be compared by diff. */
static void print_layer(const vision_layer *l, base_text *json)
{
    base_text_print(json, "{\"kind\":\"%s\"", vision_kind_name(l->kind));
    for (int i = 0; i < NUMBERS; i++)
        if (numbers_of[l->kind] & whole_number[i].bit)
            base_text_print(json, ",\"%s\":%d", whole_number[i].name,
                            *(const int *)(const void *)((const char *)l + whole_number[i].offset));
    if (numbers_of[l->kind] & RATE) {
        base_text_print(json, ",\"rate\":");
        base_json_put_number(json, l->rate);
    }
    base_text_print(json, "}");
}

/* Ranges are wide here (0 .. INT_MAX): what a size may be depends on the layers before it, which
 * vision_shapes() goes through when all are known. number: from 1, for messages. */
static bool read_layer(const base_json *object, const char *origin, int number, vision_layer *l,
                       base_error *error)
{
    char where[300];
    const char *name;
    int kind = 0;
    base_print(where, sizeof where, "%.200s: layer %d", origin, number);
    if (object->kind != BASE_JSON_OBJECT)
        return base_fail(error, "%s: expected an object", where);
    if (!base_json_get_string(object, "kind", &name, where, error))
        return false;
    while (kind < VISION_KINDS && strcmp(vision_kind_name((vision_kind)kind), name) != 0)
        kind++;
    if (kind == VISION_KINDS)
        return base_fail(error, "%s: there is no kind \"%.40s\"", where, name);
    *l = (vision_layer){.kind = (vision_kind)kind};
    for (int i = 0; i < NUMBERS; i++) {
        int64_t value;
        if (!(numbers_of[kind] & whole_number[i].bit))
            continue;
        if (!base_json_get_int(object, whole_number[i].name, 0, INT_MAX, &value, where, error))
            return false;
        *(int *)(void *)((char *)l + whole_number[i].offset) = (int)value;
    }
    return !(numbers_of[kind] & RATE) ||
           base_json_get_number(object, "rate", &l->rate, where, error);
}

/* ---- network.json ---- */

static void print_word(base_text *json, const char *word)
{
    base_json_put_string(json, word, strlen(word));
}

/* As many digits as it takes to read the same float back (base_json_put_number), so that pixels are normalised
 * to the same bits by whoever loads the model. */
static void print_floats(base_text *json, const char *name, const float *values, int count)
{
    base_text_print(json, " \"%s\":[", name);
    for (int i = 0; i < count; i++) {
        base_text_add(json, ",", i > 0);
        base_json_put_number(json, (double)values[i]);
    }
    base_text_print(json, "],\n");
}

/* A regression answers with one number; everything else with a class. */
bool vision_model_is_regression(const vision_model *m) { return m->columns && m->columns->numbers; }

/* An answer in the units of the label's column: the network is trained on (target - mean) / deviation.
 * Product and sum are two statements, so that no compiler may make one rounding of them. */
float vision_model_value(const vision_model *m, float y)
{
    const float scaled = y * m->normal.target_deviation;
    return scaled + m->normal.target_mean;
}

/* Names are texts of whoever made the data, so they are escaped as JSON asks. */
static void print_names(const vision_model *m, base_text *json)
{
    base_text_print(json, " \"names\":[");
    for (int i = 0; i < m->classes; i++) {
        base_text_add(json, ",", i > 0);
        print_word(json, m->names[i]);
    }
    base_text_print(json, "],\n");
}

/* The whole of network.json; source, weights: the digests of the other two files. Members are always written in
 * this order, so that the same model has the same bytes, and a digest of this file names all three. */
static void print_json(const vision_model *m, const char *source, const char *weights,
                       base_text *json)
{
    base_text_print(json, "{\"format\":%d,\n \"version\":", FORMAT);
    print_word(json, m->version);
    base_text_print(json, ",\n \"task\":");
    print_word(json, m->task);
    base_text_print(json, ",\n \"seed\":%" PRId64 ",\n \"input\":[%d,%d,%d],\n \"classes\":%d,\n",
                    m->seed, m->input.channels, m->input.height, m->input.width, m->classes);
    if (m->names)
        print_names(m, json);
    if (m->pictures)
        base_text_print(json, " \"pictures\":true,\n");
    if (m->columns)
        vision_columns_print(m->columns, json);
    print_floats(json, "mean", m->normal.mean, m->input.channels);
    print_floats(json, "deviation", m->normal.deviation, m->input.channels);
    if (vision_model_is_regression(m))
        print_floats(json, "target",
                     (const float[]){m->normal.target_mean, m->normal.target_deviation}, 2);
    base_text_print(json, " \"layers\":[\n");
    for (int i = 0; i < m->net.count; i++) {
        base_text_print(json, "  ");
        print_layer(&m->net.layer[i], json);
        base_text_print(json, "%s\n", i + 1 < m->net.count ? "," : "],");
    }
    base_text_print(
        json, " \"trained\":%" PRId64 ",\n \"measured\":{\"images\":%d,\"right\":%d,\"loss\":",
        m->trained, m->result.count, m->result.right);
    base_json_put_number(json, m->result.loss);
    if (vision_model_is_regression(m)) {
        base_text_print(json, ",\"variance\":");
        base_json_put_number(json, m->result.variance);
    }
    base_text_print(json, "},\n \"source\":\"%s\",\n \"data\":\"%s\",\n \"weights\":\"%s\"}\n",
                    source, m->data, weights);
}

/* What reading shares: the object, its name in messages, and the error. */
typedef struct reader {
    const base_json *root;
    const char *origin;
    base_error *error;
} reader;

static bool get_int(const reader *r, const char *name, int64_t low, int64_t high, int64_t *value)
{
    return base_json_get_int(r->root, name, low, high, value, r->origin, r->error);
}

/* The first element of an array of so many, at least one. NULL: it is none, and error says so. */
static const base_json *get_array(const reader *r, const char *name, int count)
{
    const base_json *array = base_json_get(r->root, name);
    if (array && array->kind == BASE_JSON_ARRAY && array->length == (size_t)count)
        return array->child;
    base_fail(r->error, "%s: expected an array of %d called \"%s\"", r->origin, count, name);
    return NULL;
}

/* A text that is shown to people: empty, or a name without control characters, which could move a terminal's cursor. */
static bool is_word(const char *text, size_t length)
{
    return length == 0 || vision_is_name(text, length);
}

/* The text of a member, as it may be shown: no control characters, and short enough for its field. */
static bool get_word(const reader *r, const char *name, char word[VISION_MODEL_WORD])
{
    const char *text;
    if (!base_json_get_string(r->root, name, &text, r->origin, r->error))
        return false;
    if (!is_word(text, strlen(text)))
        return base_fail(r->error, "%s: \"%s\" is no word of at most %d bytes", r->origin, name,
                         VISION_MODEL_WORD - 1);
    strcpy(word, text);
    return true;
}

/* A digest in lower case, the way it is compared with one that was computed: by strcmp. */
static bool get_digest(const reader *r, const char *name, char digest[BASE_HASH_TEXT])
{
    const char *text;
    if (!base_json_get_string(r->root, name, &text, r->origin, r->error))
        return false;
    if (!base_hash_is_text(text))
        return base_fail(r->error, "%s: \"%s\" is no SHA-256 of 64 hexadecimal digits", r->origin,
                         name);
    strcpy(digest, text);
    return true;
}

/* Three sizes; of a table's rows how many numbers there are, and two zeros. */
static bool read_input(const reader *r, vision_model *m)
{
    static const int images[3] = {VISION_MAX_CHANNELS, VISION_MAX_SIDE, VISION_MAX_SIDE};
    static const int rows[3] = {VISION_MAX_INPUTS, 0, 0};
    vision_shape *input = &m->input;
    const int *most = m->columns ? rows : images;
    int *const sizes[3] = {&input->channels, &input->height, &input->width};
    const base_json *at = get_array(r, "input", 3);
    for (int i = 0; i < 3; i++, at = at->next) {
        if (!at)
            return false;
        int least = most[i] ? 1 : 0;
        if (at->kind != BASE_JSON_NUMBER || !at->is_integer || at->integer < least ||
            at->integer > most[i])
            return base_fail(r->error, "%s: number %d of \"input\": expected %d to %d", r->origin,
                             i + 1, least, most[i]);
        *sizes[i] = (int)at->integer;
    }
    return !m->columns || input->channels == m->columns->inputs ||
           base_fail(r->error, "%s: its columns make %d inputs, and \"input\" has %d", r->origin,
                     m->columns->inputs, input->channels);
}

/* Every number finite as a float and greater than `above`, which is -infinity where any will do: whatever else
 * stands there, text or null, becomes `above` itself and so fails the one comparison. */
static bool read_floats(const reader *r, const char *name, int count, float above, float *values)
{
    const base_json *at = get_array(r, name, count);
    if (!at)
        return false;
    for (int i = 0; at; at = at->next, i++) {
        values[i] =
            at->kind == BASE_JSON_NUMBER && fabs(at->number) < 1e30 ? (float)at->number : above;
        if (!(values[i] > above))
            return base_fail(r->error, "%s: number %d of \"%s\": expected one%s", r->origin, i + 1,
                             name, above < 0 ? "" : " above 0");
    }
    return true;
}

/* Mean and deviation of the numbers that a regression was trained on; it gives one. */
static bool read_target(const reader *r, vision_model *m)
{
    float target[2];
    m->normal.target_deviation = 1;
    if (!vision_model_is_regression(m))
        return true;
    if (!read_floats(r, "target", 2, -HUGE_VALF, target))
        return false;
    if (!(target[1] > 0) || m->classes != 1)
        return base_fail(r->error,
                         "%s: a regression has a \"target\" of a mean and a deviation above 0, "
                         "and 1 \"classes\"",
                         r->origin);
    m->normal.target_mean = target[0];
    m->normal.target_deviation = target[1];
    return true;
}

/* Of pictures they may be left out: the classes are numbers then. */
static bool read_names(const reader *r, vision_model *m)
{
    const bool of_table = m->columns && !m->columns->numbers;
    if (!of_table && !base_json_get(r->root, "names"))
        return true;
    const base_json *at = get_array(r, "names", m->classes);
    m->names = at ? base_malloc((size_t)m->classes * sizeof *m->names) : NULL;
    if (at && !m->names)
        return base_fail(r->error, "%s: no memory for the names of its classes", r->origin);
    for (int i = 0; at; at = at->next, i++) {
        if (at->kind != BASE_JSON_STRING || !is_word(at->string, at->length))
            return base_fail(r->error, "%s: the name of class %d is no word of at most %d bytes",
                             r->origin, i, VISION_MODEL_WORD - 1);
        memcpy(m->names[i], at->string, at->length + 1);
    }
    return m->names != NULL;
}

static bool read_layers(const reader *r, vision_architecture *net)
{
    const base_json *layers = base_json_get(r->root, "layers");
    if (!layers || layers->kind != BASE_JSON_ARRAY || layers->length < 1 ||
        layers->length > VISION_MAX_LAYERS)
        return base_fail(r->error, "%s: expected an array of 1 to %d called \"layers\"", r->origin,
                         VISION_MAX_LAYERS);
    for (const base_json *at = layers->child; at; at = at->next, net->count++)
        if (!read_layer(at, r->origin, net->count + 1, &net->layer[net->count], r->error))
            return false;
    return true;
}

/* "measured" = {"images", "right", "loss"}: accuracy is not stored but divided again, so that the three cannot
 * disagree; of a regression it follows from "loss" and "variance". */
static bool read_measured(const reader *r, bool regression, vision_result *result)
{
    int64_t count, right;
    const reader m = {base_json_get(r->root, "measured"), r->origin, r->error};
    if (!m.root || m.root->kind != BASE_JSON_OBJECT)
        return base_fail(r->error, "%s: expected an object called \"measured\"", r->origin);
    if (!get_int(&m, "images", 0, INT_MAX, &count) || !get_int(&m, "right", 0, count, &right) ||
        !base_json_get_number(m.root, "loss", &result->loss, r->origin, r->error))
        return false;
    if (regression &&
        !base_json_get_number(m.root, "variance", &result->variance, r->origin, r->error))
        return false;
    if (!(result->loss >= 0) || !(result->variance >= 0))
        return base_fail(r->error, "%s: \"%s\" is below 0", r->origin,
                         result->loss >= 0 ? "variance" : "loss");
    result->count = (int)count;
    result->right = (int)right;
    result->accuracy = regression  ? vision_explained(result->loss, result->variance)
                       : count > 0 ? (double)right / (double)count
                                   : 0;
    return true;
}

/* All but the weights; their digest goes to `weights`. The list of layers is checked last, as it has to end in
 * as many numbers as there are classes. */
static bool read_json(const reader *r, vision_model *m, char weights[BASE_HASH_TEXT])
{
    int64_t format, classes;
    vision_shape shapes[VISION_MAX_LAYERS];
    base_error why;
    if (!get_int(r, "format", 0, INT64_MAX, &format))
        return false;
    if (format != FORMAT)
        return base_fail(r->error, "%s: its format is %" PRId64 ", expected %d", r->origin, format,
                         FORMAT);
    if (base_json_get(r->root, "columns") &&
        !(m->columns = vision_columns_read(r->root, r->origin, r->error)))
        return false;
    if (!get_word(r, "version", m->version) || !get_word(r, "task", m->task) ||
        !get_int(r, "seed", 0, INT64_MAX, &m->seed) || !read_input(r, m) ||
        !get_int(r, "classes", 1, VISION_MAX_CLASSES, &classes))
        return false;
    m->classes = (int)classes;
    m->pictures = base_json_is_true(r->root, "pictures");
    if (m->pictures && (m->columns || (m->input.channels != 1 && m->input.channels != 3)))
        return base_fail(r->error, "%s: \"pictures\" have 1 or 3 channels, not %d", r->origin,
                         m->input.channels);
    if (!read_names(r, m) ||
        !read_floats(r, "mean", m->input.channels, -HUGE_VALF, m->normal.mean) ||
        !read_floats(r, "deviation", m->input.channels, 0, m->normal.deviation) ||
        !read_target(r, m) || !read_layers(r, &m->net) ||
        !get_int(r, "trained", 0, INT64_MAX, &m->trained) ||
        !read_measured(r, vision_model_is_regression(m), &m->result) ||
        !get_digest(r, "source", m->source) || !get_digest(r, "data", m->data) ||
        !get_digest(r, "weights", weights))
        return false;
    return vision_shapes(&m->net, m->input, m->classes, shapes, &why) ||
           base_fail(r->error, "%s: %s", r->origin, why.text);
}

/* ---- model.safetensors ---- */

/* Parameters and the running statistics of batch norms in one file, as torch's state_dict() has them. */
static bool print_weights(vision_network *network, base_text *bytes, base_error *error)
{
    static const char *const metadata[] = {"format", "pt", NULL};
    const nn_params *params = vision_network_params(network),
                    *running = vision_network_running(network);
    int count = nn_params_count(params), all = count + nn_params_count(running);
    nn_safetensors_item *items = base_calloc((size_t)all + 1, sizeof *items);
    if (!items)
        return base_fail(error, "%s: no memory", WEIGHTS);
    nn_params_items(params, items);
    nn_params_items(running, items + count);
    bool good = nn_safetensors_print(bytes, WEIGHTS, items, all, metadata, error);
    base_free(items);
    return good;
}

/* Each of the two calls below finds the other's tensors in the file, too; load_weights() has looked for
 * strangers before. */
static bool any(const char *name)
{
    (void)name;
    return true;
}

/* A square root is taken of variances. */
static bool check_variances(const nn_params *running, const char *origin, base_error *error)
{
    for (int i = 0; i < nn_params_count(running); i++) {
        const tensor *t = nn_params_tensor(running, i);
        const char *name = nn_params_name(running, i);
        bool variance = strstr(name, ".running_var") != NULL;
        for (size_t j = 0; variance && j < tensor_size(t); j++)
            if (t->val[j] < 0)
                return base_fail(error, "%s: tensor \"%s\": number %zu is below 0", origin, name,
                                 j);
    }
    return true;
}

/* Exactly the network's tensors: none that is unknown here, and then nn_params_load() finds each with its shape. */
static bool load_weights(vision_network *network, const nn_safetensors *file, const char *origin,
                         base_error *error)
{
    nn_params *params = vision_network_params(network), *running = vision_network_running(network);
    for (int i = 0; i < nn_safetensors_count(file); i++) {
        const char *name = nn_safetensors_at(file, i)->name;
        if (!nn_params_find(params, name) && !nn_params_find(running, name))
            return base_fail(error, "%s: tensor \"%s\" is no part of this network", origin, name);
    }
    return nn_params_load(params, file, origin, any, error) &&
           nn_params_load(running, file, origin, any, error) &&
           nn_params_finite(params, origin, error) && nn_params_finite(running, origin, error) &&
           check_variances(running, origin, error);
}

/* ---- both ---- */

/* The bytes of the two files that the program makes. The third, source.c, is its caller's text. */
void vision_model_files_free(vision_model_files *files)
{
    base_text_free(&files->json);
    base_text_free(&files->weights);
}

/* Weights first, as the JSON has their digest in it. */
bool vision_model_pack(const vision_model *model, const char *source, size_t length,
                       vision_model_files *files, base_error *error)
{
    char digests[2][BASE_HASH_TEXT];
    *files = (vision_model_files){0};
    bool good = print_weights(model->network, &files->weights, error);
    if (good) {
        base_hash_text(source, length, digests[0]);
        base_hash_text(files->weights.data, files->weights.length, digests[1]);
        print_json(model, digests[0], digests[1], &files->json);
        good = !files->json.failed || base_fail(error, "%s: no memory", JSON);
    }
    if (!good)
        vision_model_files_free(files);
    return good;
}

/* Whether these are the weights of a model whose JSON was read. A file that has fewer numbers than the
 * layers ask for is refused before they cost any memory; then its digest has to be the one that the JSON
 * names, so that weights of another training are never used under this one's names and measurements. */
static bool check_weights(const vision_model *m, const base_text *bytes, const char *digest,
                          const char *origin, base_error *error)
{
    char found[BASE_HASH_TEXT];
    int64_t wanted = vision_footprint_of(&m->net, m->input).weights;
    if (bytes->length / sizeof(float) < (uint64_t)wanted)
        return base_fail(error, "%s: has %zu bytes, expected the %" PRId64 " numbers of the layers",
                         origin, bytes->length, wanted);
    base_hash_text(bytes->data, bytes->length, found);
    return strcmp(found, digest) == 0 ||
           base_fail(error,
                     "%s: is not the file that network.json names: another save's, or changed",
                     origin);
}

/* The network is made with seed 0 and its initial values are overwritten: that no tensor keeps them is what
 * nn_params_load() makes sure of. */
static bool unpack_weights(vision_model *m, tensor_context *ctx, const base_text *bytes,
                           const char *digest, const char *origin, base_error *error)
{
    if (!check_weights(m, bytes, digest, origin, error))
        return false;
    nn_safetensors *file = nn_safetensors_parse(bytes->data, bytes->length, origin, error);
    bool good = file && (m->network = vision_network_blank(ctx, &m->net, m->input, error)) &&
                load_weights(m->network, file, origin, error);
    nn_safetensors_free(file);
    return good;
}

/* A failure may leave names and columns in *m, which its owner frees as those of a whole model. */
static bool unpack_json(vision_model *m, const base_text *json, const char *origin,
                        char weights[BASE_HASH_TEXT], base_error *error)
{
    *m = (vision_model){0};
    base_json *root = base_json_parse(json->data ? json->data : "", json->length, origin, error);
    const reader r = {root, origin, error};
    bool good = root && read_json(&r, m, weights);
    base_json_free(root);
    return good;
}

/* vision_model_free() takes a model in any state from {0} on, so that one exit serves every failure. */
bool vision_model_unpack(vision_model *model, tensor_context *ctx, const vision_model_files *files,
                         const char *const origin[2], base_error *error)
{
    char weights[BASE_HASH_TEXT];
    if (unpack_json(model, &files->json, origin[0], weights, error) &&
        unpack_weights(model, ctx, &files->weights, weights, origin[1], error))
        return true;
    vision_model_free(model);
    return false;
}

/* What a parent process does with the bytes of its worker before it stores them: everything but
 * building the network and reading its tensors, for which it would need a context and memory. */
bool vision_model_check(const vision_model_files *files, const char *const origin[2],
                        base_error *error)
{
    vision_model model;
    char weights[BASE_HASH_TEXT];
    bool good = unpack_json(&model, &files->json, origin[0], weights, error) &&
                check_weights(&model, &files->weights, weights, origin[1], error);
    vision_model_free(&model);
    return good;
}

/* A model's own parts; the context that the network was made in is its caller's. */
void vision_model_free(vision_model *model)
{
    vision_network_free(model->network);
    base_free(model->names);
    vision_columns_free(model->columns);
    *model = (vision_model){0};
}

/* ---- the folder ---- */

/* Whole or not at all, whatever was there before (base_file_write). */
static bool write_file(const char *folder, const char *name, const char *bytes, size_t size,
                       base_error *error)
{
    char *path = base_file_path(folder, name);
    const base_bytes part = {bytes, size};
    bool good = path ? base_file_write(path, &part, 1, NULL, error)
                     : base_fail(error, "%s: no memory for the name of %s", folder, name);
    base_free(path);
    return good;
}

/* The JSON last: a save that is interrupted leaves no new network.json, and the old one, if there was any, names
 * digests that the new files do not have. */
bool vision_model_store(const vision_model_files *files, const char *source, size_t length,
                        const char *folder, base_error *error)
{
    return base_file_make_folder(folder, error) &&
           write_file(folder, SOURCE, source, length, error) &&
           write_file(folder, WEIGHTS, files->weights.data, files->weights.length, error) &&
           write_file(folder, JSON, files->json.data, files->json.length, error);
}

bool vision_model_save(const vision_model *model, const char *source, size_t length,
                       const char *folder, base_error *error)
{
    vision_model_files files;
    bool good = vision_model_pack(model, source, length, &files, error) &&
                vision_model_store(&files, source, length, folder, error);
    vision_model_files_free(&files);
    return good;
}

/* A whole file, read by base_file_read() or its like, into a text. */
static bool read_file(char *(*read)(const char *, size_t, size_t *, base_error *), const char *path,
                      size_t most, base_text *text, base_error *error)
{
    size_t size = 0;
    text->data = read(path, most, &size, error);
    text->length = text->capacity = size;
    return text->data != NULL;
}

/* The weights' file may have as many bytes as the layers ask for, and a header: a larger file is refused
 * before it takes memory. What the layers ask for was bounded when the JSON was checked. */
static bool load(vision_model *m, tensor_context *ctx, const char *const paths[2],
                 base_error *error)
{
    char digest[BASE_HASH_TEXT];
    vision_model_files files = {0};
    bool good = read_file(base_file_read_text, paths[0], MOST_JSON, &files.json, error) &&
                unpack_json(m, &files.json, paths[0], digest, error);
    if (good) {
        uint64_t most =
            (uint64_t)vision_footprint_of(&m->net, m->input).weights * sizeof(float) + MOST_HEADER;
        good = read_file(base_file_read, paths[1], most < PTRDIFF_MAX ? (size_t)most : PTRDIFF_MAX,
                         &files.weights, error) &&
               unpack_weights(m, ctx, &files.weights, digest, paths[1], error);
    }
    vision_model_files_free(&files);
    return good;
}

/* Both folders are good, the model's own and the run's that has it as model/; where both have a network.json, it is
 * the one that was named. */
bool vision_model_load(vision_model *model, tensor_context *ctx, const char *folder,
                       base_error *error)
{
    *model = (vision_model){0};
    char *inside = base_file_path(folder, "model");
    char *paths[2] = {base_file_path(folder, JSON), NULL};
    char *below = inside ? base_file_path(inside, JSON) : NULL;
    if (paths[0] && below && !base_file_exists(paths[0]) && base_file_exists(below)) {
        base_free(paths[0]);
        paths[0] = below, below = NULL, folder = inside;
    }
    paths[1] = base_file_path(folder, WEIGHTS);
    bool good = paths[0] && paths[1] ? load(model, ctx, (const char *const *)paths, error)
                                     : base_fail(error, "%s: no memory for a name", folder);
    if (!good)
        vision_model_free(model);
    base_free(below);
    base_free(inside);
    base_free(paths[0]);
    base_free(paths[1]);
    return good;
}

/* Compared is what the shape of the first layer and the range of a label depend on, so that neither
 * vision_forward() nor vision_measure() meets what it cannot take. */
bool vision_model_takes(const vision_model *model, const vision_images *images, const char *file,
                        base_error *error)
{
    vision_shape s = model->input;
    if ((images->values == NULL) != (model->columns == NULL))
        return base_fail(error, "%s: holds %s, the network takes %s", file,
                         images->values ? "rows of a table" : "images",
                         model->columns ? "rows of a table (CSV)" : "images");
    if (images->channels != s.channels)
        return base_fail(error, "%s: has %d channel%s, expected the %d of the network's images%s",
                         file, images->channels, images->channels == 1 ? "" : "s", s.channels,
                         s.channels == 1 ? " (grey)" : "");
    if (images->height != s.height || images->width != s.width)
        return base_fail(error,
                         "%s: is %dx%d, expected %dx%d (width x height) as the network was "
                         "trained on",
                         file, images->width, images->height, s.width, s.height);
    if ((images->labels && vision_model_is_regression(model)) ||
        (images->targets && !vision_model_is_regression(model)))
        return base_fail(error, "%s: has %s for labels, the network gives %s", file,
                         images->targets ? "numbers" : "classes",
                         images->targets ? "classes" : "numbers");
    for (int i = 0; images->labels && i < images->count; i++)
        if (images->labels[i] >= model->classes)
            return base_fail(error, "%s: image %d is of class %d, the network has %d classes", file,
                             i, images->labels[i], model->classes);
    return true;
}

bool vision_model_batch(const vision_model *m, int most, const char *file, int *batch,
                        base_error *error)
{
    vision_shape shapes[VISION_MAX_LAYERS];
    double floats = 0, room = 1 << 28;
    if (!vision_shapes(&m->net, m->input, m->classes, shapes, error))
        return false;
    for (int i = 0; i < m->net.count; i++)
        floats += (double)shapes[i].channels * (shapes[i].height ? shapes[i].height : 1) *
                  (shapes[i].width ? shapes[i].width : 1);
    *batch = floats > room / most ? (int)(room / floats) : most;
    return *batch > 0 || base_fail(error, "%s: takes more than a gigabyte for one image", file);
}
