/* SPDX-License-Identifier: MIT */
/* t5.c -- a T5 as a C program: what is a number of this model, written as tables and sizes; then the
 * program that all exported T5s have in common (t5_body.h), with the user's prefix.
 *
 * The program is t5/generate.c's arithmetic in its plain form, for one sequence: the order of each
 * sum is that of docs/order-of-sums.md, so tokens and log-probabilities are the same bits. Matrices
 * are turned, so that the loops which a compiler makes wide run along memory. */
#include "export/export.h"

#include "base/math.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/random.h"
#include "export/parts.h"
#include "t5/tokenizer_internal.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SAMPLES = 64,    /* streams of random numbers that the file has */
    FARTHEST = 8192, /* distances that the tables of buckets have */
    TEST_SOURCE = 7,
    TEST_NEW = 12
};

/* The lines of the two files, made by the Makefile. */
extern const char *const export_t5_body[], *const export_t5_interface[];

typedef struct t5_work {
    const t5_model *model;
    const t5_config *config;
    nn_params *params;
    const t5_tokenizer *tokenizer;
    const export_options *options;
    float *numbers; /* weights in the order in which t5_body.h takes them */
    int8_t *wholes; /* with options->bytes: matrices; their scales are among the numbers */
    size_t count, whole_count;
    base_error *error;
} t5_work;

/* ---- weights ---- */

enum { NAME = 128 };

/* The weight of that name, which is printed to `name`. NULL: error says that there is none. */
static const tensor *find(const t5_work *w, char name[NAME], const char *format, va_list arguments)
{
    base_print_list(name, NAME, format, arguments);
    const tensor *t = nn_params_find(w->params, name);
    if (!t)
        base_fail(w->error, "there is no weight %s", name);
    return t;
}

static bool add_vector(t5_work *w, const char *format, ...) BASE_PRINTF(2, 3);
static bool add_matrix(t5_work *w, const char *format, ...) BASE_PRINTF(2, 3);

static bool add_vector(t5_work *w, const char *format, ...)
{
    char name[NAME];
    va_list arguments;
    va_start(arguments, format);
    const tensor *t = find(w, name, format, arguments);
    va_end(arguments);
    for (size_t i = 0; t && i < tensor_size(t); i++)
        w->numbers[w->count++] = t->val[i];
    return t != NULL;
}

/* The scale of a row that export_t5_round() has rounded, or will: with 16 bits, so that its products with
 * whole numbers of 8 are floats, and a row that was rounded has the same scale again. */
static float scale_of(const float *row, size_t count)
{
    float most = 0;
    int exponent;
    for (size_t i = 0; i < count; i++)
        most = fabsf(row[i]) > most ? fabsf(row[i]) : most;
    double fraction = frexp((double)most / 127, &exponent);
    float scale = (float)ldexp(ceil(ldexp(fraction, 16)), exponent - 16);
    return most > 0 && scale >= FLT_MIN ? scale : 1;
}

/* (out,in) turned to (in,out). */
static bool add_matrix(t5_work *w, const char *format, ...)
{
    char name[NAME];
    va_list arguments;
    va_start(arguments, format);
    const tensor *t = find(w, name, format, arguments);
    va_end(arguments);
    if (!t)
        return false;
    size_t out = (size_t)t->dim[0], in = tensor_size(t) / out;
    for (size_t j = 0; j < out && w->options->bytes; j++) {
        const float *row = t->val + j * in, scale = scale_of(row, in);
        w->numbers[w->count++] = scale;
        for (size_t i = 0; i < in; i++) {
            float whole = floorf(row[i] / scale + 0.5F);
            w->wholes[w->whole_count + i * out + j] = (int8_t)whole;
            if (scale * whole != row[i])
                return base_fail(w->error, "%s: was not rounded to 8 bits", name);
        }
    }
    if (w->options->bytes)
        w->whole_count += in * out;
    for (size_t i = 0; i < in && !w->options->bytes; i++)
        for (size_t j = 0; j < out; j++)
            w->numbers[w->count++] = t->val[j * in + i];
    return true;
}

/* Relative biases are tables of two dimensions that are read by places, and not matrices. */
static bool is_matrix(const tensor *t, const char *name)
{
    return t->rank == 2 && !strstr(name, "relative_attention_bias");
}

void export_t5_round(t5_model *model)
{
    const nn_params *params = t5_model_params(model);
    for (int k = 0; k < nn_params_count(params); k++) {
        const tensor *t = nn_params_tensor(params, k);
        if (!is_matrix(t, nn_params_name(params, k)))
            continue;
        size_t out = (size_t)t->dim[0], in = tensor_size(t) / out;
        for (size_t j = 0; j < out; j++) {
            float *row = t->val + j * in, scale = scale_of(row, in);
            for (size_t i = 0; i < in; i++)
                row[i] = scale * floorf(row[i] / scale + 0.5F);
        }
    }
}

static bool add_attention(t5_work *w, const char *prefix, const char *kind)
{
    static const char *const part[] = {"q", "k", "v", "o"};
    bool ok = add_vector(w, "%s.layer_norm.weight", prefix);
    for (int i = 0; ok && i < 4; i++)
        ok = add_matrix(w, "%s.%s.%s.weight", prefix, kind, part[i]);
    return ok;
}

static bool add_feed_forward(t5_work *w, const char *prefix)
{
    bool gated = w->config->feed_forward_proj == T5_GATED_GELU;
    return add_vector(w, "%s.layer_norm.weight", prefix) &&
           add_matrix(w, "%s.DenseReluDense.%s.weight", prefix, gated ? "wi_0" : "wi") &&
           (!gated || add_matrix(w, "%s.DenseReluDense.wi_1.weight", prefix)) &&
           add_matrix(w, "%s.DenseReluDense.wo.weight", prefix);
}

static bool add_block(t5_work *w, bool decoder, int i)
{
    char prefix[64];
    int sublayer = 0;
    const char *stack = decoder ? "decoder" : "encoder";
    snprintf(prefix, sizeof prefix, "%s.block.%d.layer.%d", stack, i, sublayer++);
    if (!add_attention(w, prefix, "SelfAttention"))
        return false;
    snprintf(prefix, sizeof prefix, "%s.block.%d.layer.%d", stack, i, sublayer++);
    if (decoder && !add_attention(w, prefix, "EncDecAttention"))
        return false;
    snprintf(prefix, sizeof prefix, "%s.block.%d.layer.%d", stack, i, decoder ? sublayer : 1);
    return add_feed_forward(w, prefix);
}

static bool add_weights(t5_work *w)
{
    static const char *const stack[] = {"encoder", "decoder"};
    bool ok = add_matrix(w, "shared.weight") &&
              (w->config->tie_word_embeddings || add_matrix(w, "lm_head.weight"));
    for (int i = 0; ok && i < 2; i++)
        ok = add_vector(w, "%s.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
                        stack[i]);
    for (int i = 0; ok && i < 2; i++)
        ok = add_vector(w, "%s.final_layer_norm.weight", stack[i]);
    for (int i = 0; ok && i < w->config->num_layers; i++)
        ok = add_block(w, false, i);
    for (int i = 0; ok && i < w->config->num_decoder_layers; i++)
        ok = add_block(w, true, i);
    return ok;
}

/* ---- head and sizes ---- */

static void put_remark(export_writer *w, const char *what, const char *text)
{
    export_print(w, " * %s", what);
    export_remark(w, text);
    export_put(w, "\n");
}

static void put_head(export_writer *w, const t5_work *t, const char *ending)
{
    const t5_config *c = t->config;
    export_print(w,
                 EXPORT_LICENCE "/* @.%s -- a T5 that phoenix has trained, as a C program.\n *\n",
                 ending);
    if (t->options->command)
        put_remark(w, "command   ", t->options->command);
    export_print(w,
                 " * model     %d + %d layers of %d, %d heads of %d, hidden layers of %d, %d "
                 "tokens\n"
                 " * flash     %zu bytes of weights%s, tables and code\n"
                 " * RAM       the caller's @_memory, whose size its source and its result have\n"
                 " *\n",
                 c->num_layers, c->num_decoder_layers, c->d_model, c->num_heads, c->d_kv, c->d_ff,
                 c->vocab_size, 4 * t->count + t->whole_count,
                 t->options->beside ? " in a file of their own" : "");
    export_print(w,
                 " * Tokens and log-probabilities are the bits of phoenix generate%s, on any "
                 "machine whose\n * float arithmetic is IEEE 754's.",
                 t->options->bytes ? " of a model whose\n * matrices are rounded to 8 bits" : "");
    if (!t->options->beside)
        export_put(w, " Built with -D^_TEST it is a program that exits with 0\n"
                      " * if that is so here.");
    export_put(w, " */\n");
}

static void put_size(export_writer *w, const char *name, int value)
{
    export_print(w, "#define ^_%s %d\n", name, value);
}

static void put_header(export_writer *w, const t5_work *t)
{
    const t5_config *c = t->config;
    put_head(w, t, "h");
    export_put(w, "#ifndef ^_H\n#define ^_H\n\n#include <stddef.h>\n#include <stdint.h>\n\n");
    put_size(w, "WIDTH", c->d_model);
    put_size(w, "INNER", c->num_heads * c->d_kv);
    put_size(w, "HEADS", c->num_heads);
    put_size(w, "HIDDEN", c->d_ff);
    put_size(w, "VOCABULARY", c->vocab_size);
    put_size(w, "ENCODER_LAYERS", c->num_layers);
    put_size(w, "DECODER_LAYERS", c->num_decoder_layers);
    put_size(w, "SAMPLES", SAMPLES);
    put_size(w, "INT8", t->options->bytes);
    export_print(w, "#define ^_NUMBERS %zu /* floats of the weights */\n", t->count);
    if (t->options->bytes)
        export_print(w, "#define ^_WHOLES %zu /* whole numbers of their matrices */\n",
                     t->whole_count);
}

static void put_header_end(export_writer *w, const t5_work *t)
{
    if (t->options->beside)
        export_put(
            w,
            "\n/* The weights are the file beside this one: ^_NUMBERS floats of 4 bytes, the "
            "lowest byte\n * first, then whole numbers if there are some; anywhere in memory at a "
            "multiple of 4. */\n");
    else
        export_print(w,
                     "\n#ifdef __cplusplus\nextern \"C\"\n#else\nextern\n#endif\n"
                     "const @_parameters @_weights[%s];\n",
                     t->options->bytes ? "1" : "^_NUMBERS");
    export_put(w, "\n#endif\n");
}

static bool continues_name(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static void put_line(export_writer *w, const char *line)
{
    for (const char *at = line; *at;) {
        bool starts = at == line || !continues_name(at[-1]);
        bool low = starts && strncmp(at, "t5_", 3) == 0;
        bool high = starts && strncmp(at, "T5_", 3) == 0;
        if (low || high)
            base_text_print(w->text, "%s_", low ? w->prefix : w->upper);
        else
            base_text_add(w->text, at, 1);
        at += low || high ? 3 : 1;
    }
}

void export_t5_lines(const char *prefix, const char *text, base_text *to)
{
    export_writer w;
    if (export_writer_begin(&w, to, prefix, NULL))
        put_line(&w, text);
}

/* The lines of a file of the tree below its first comment. */
static void put_lines(export_writer *w, const char *const *line)
{
    while (*line && (!strstr(*line, "*/") || strstr(*line, "SPDX-")))
        line++;
    for (line += *line != NULL; *line; line++)
        put_line(w, *line);
}

/* ---- tables ---- */

static void put_buckets(export_writer *w, const t5_config *c, int farthest)
{
    static const char *const names[] = {"decoder_bucket", "encoder_bucket"};
    int32_t *bucket = base_calloc((size_t)farthest + 1, sizeof *bucket);
    w->text->failed = w->text->failed || !bucket;
    for (int both = 0; both < 2 && bucket; both++) {
        for (int i = 0; i <= farthest; i++)
            bucket[i] = t5_relative_bucket(-i, both, c->relative_attention_num_buckets,
                                           c->relative_attention_max_distance);
        export_integers(w, "int32_t", names[both], bucket, (size_t)farthest + 1);
    }
    base_free(bucket);
}

/* Merges as triples in the order in which they apply, and their order by pairs; then the tokens'
 * bytes one after another, none for special ones. */
static bool put_tokenizer(export_writer *w, const t5_tokenizer *t)
{
    size_t merges = (size_t)t->merge_count, tokens = (size_t)t->size;
    int32_t *table = base_calloc(4 * merges + tokens + 5, sizeof *table);
    if (!table)
        return false;
    int32_t *order = table + 3 * merges, *start = order + merges;
    base_text bytes = {0};
    for (size_t i = 0; i < merges; i++) {
        const t5_merge *m = &t->merges[i];
        const int32_t triple[3] = {m->left, m->right, m->result};
        memcpy(table + 3 * i, triple, sizeof triple);
        order[i] = (int32_t)t->keys[i].rank;
    }
    for (size_t i = 0; i < tokens; i++) {
        start[i] = (int32_t)bytes.length;
        if (!t->tokens[i].special)
            base_text_add(&bytes, t5_token_bytes(t, (int)i), t->tokens[i].length);
    }
    start[tokens] = (int32_t)bytes.length;
    export_integers(w, "int32_t", "byte_id", t->byte_id, 256);
    export_integers(w, "int32_t", "merges", table, 3 * merges + (merges == 0));
    export_integers(w, "int32_t", "merge_order", order, merges + (merges == 0));
    export_integers(w, "int32_t", "token_start", start, tokens + 1);
    export_integers(w, "uint8_t", "token_bytes", bytes.data, bytes.length);
    bool ok = !bytes.failed;
    base_text_free(&bytes);
    base_free(table);
    return ok;
}

/* Sample i draws from the stream that sample i of phoenix generate has. */
static uint64_t stream_of(int i)
{
    return base_random_stream("sample", base_random_stream("generate", 0, 0, 0), (uint64_t)i, 0);
}

static void put_streams(export_writer *w)
{
    export_put(w, "static const uint64_t streams[^_SAMPLES] = {");
    for (int i = 0; i < SAMPLES; i++)
        export_print(w, "%s0x%016" PRIx64 "U,", i % 4 ? " " : "\n    ", stream_of(i));
    export_put(w, "\n};\n");
}

static void put_weights(export_writer *w, const t5_work *t)
{
    if (!t->options->bytes) {
        export_put(w, "\nconst @_parameters @_weights[^_NUMBERS] = {");
        export_float_list(w, t->numbers, t->count);
        export_put(w, "\n};\n");
        return;
    }
    export_put(w, "\nconst @_parameters @_weights[1] = {{{");
    export_float_list(w, t->numbers, t->count);
    export_put(w, "\n}, {");
    for (size_t i = 0; i < t->whole_count; i++)
        base_text_print(w->text, "%s%d,", i % 24 ? " " : "\n    ", t->wholes[i]);
    export_put(w, "\n}}};\n");
}

static bool put_tables(export_writer *w, const t5_work *t)
{
    const t5_config *c = t->config;
    int farthest = base_min(c->relative_attention_max_distance, FARTHEST);
    export_put(w, "\n");
    put_size(w, "BUCKETS", c->relative_attention_num_buckets);
    put_size(w, "FAR", farthest);
    put_size(w, "GATED", c->feed_forward_proj == T5_GATED_GELU);
    put_size(w, "GELU", c->feed_forward_proj == T5_GELU);
    put_size(w, "TIED", c->tie_word_embeddings);
    put_size(w, "SCALES", t5_config_scales(c));
    put_size(w, "START", T5_PAD);
    put_size(w, "END", c->eos_token_id);
    put_size(w, "TEXT_END", T5_EOS);
    put_size(w, "TOKENS", t->tokenizer->size);
    put_size(w, "MERGES", t->tokenizer->merge_count);
    export_put(w, "#define ^_EPSILON ");
    export_float(w, (float)c->layer_norm_epsilon);
    export_put(w, "\n#define ^_SCALE ");
    export_float(w, (float)(1 / sqrt((double)c->d_model)));
    export_put(w, "\n\n");
    put_buckets(w, c, farthest);
    put_streams(w);
    if (!put_tokenizer(w, t->tokenizer))
        return base_fail(t->error, "no memory for the tokenizer's tables");
    if (!t->options->beside) {
        put_weights(w, t);
    }
    export_put(w, "\n");
    return true;
}

/* ---- the self-test ---- */

/* Greedy and sampled, from a source of some tokens. */
static bool put_test(export_writer *w, const t5_work *t)
{
    int source[TEST_SOURCE];
    t5_request r = {.source = source,
                    .source_count = TEST_SOURCE,
                    .count = 1,
                    .most = TEST_NEW,
                    .sampling = t5_sampling_default(),
                    .seed = 1,
                    .stream = base_random_stream("generate", 0, 0, 0)};
    for (int i = 0; i < TEST_SOURCE; i++)
        source[i] = (5 + 41 * i) % t->config->vocab_size;
    export_put(w, "\n#ifdef ^_TEST\n"
                  "static const int32_t expected_ids[2][12] = {");
    base_text bits = {0};
    int counts[2];
    for (int k = 0; k < 2; k++) {
        t5_sample sample;
        r.sampling.greedy = k == 0;
        if (!t5_generate((t5_model *)(uintptr_t)t->model, &r, &sample, t->error)) {
            base_text_free(&bits);
            return false;
        }
        counts[k] = sample.count;
        export_put(w, "\n    {");
        base_text_print(&bits, "\n    {");
        for (int i = 0; i < sample.count; i++) {
            uint32_t value = base_bits_of_float(sample.token_log_probability[i]);
            export_print(w, "%s%d", i ? ", " : "", sample.ids[i]);
            base_text_print(&bits, "%s0x%08" PRIx32 "U", i % 6 ? ", " : i ? ",\n     " : "", value);
        }
        export_put(w, "},");
        base_text_print(&bits, "},");
        t5_samples_free(&sample, 1);
    }
    export_put(w, "\n};\nstatic const uint32_t expected_bits[2][12] = {");
    if (!bits.failed)
        export_put(w, bits.data);
    w->text->failed = w->text->failed || bits.failed;
    base_text_free(&bits);
    export_print(w,
                 "\n};\n\n"
                 "/* 0, or the number of the search, greedy or sampled, that comes out wrong. */\n"
                 "int main(void)\n"
                 "{\n"
                 "    static @_memory memory;\n"
                 "    static const int count[2] = {%d, %d};\n"
                 "    int32_t source[%d], ids[12];\n"
                 "    float log_probability[12];\n"
                 "    int k, i;\n"
                 "    for (i = 0; i < %d; i++)\n"
                 "        source[i] = (5 + 41 * i) %% ^_VOCABULARY;\n"
                 "    for (k = 0; k < 2; k++) {\n"
                 "        @_how how = {12, 0, 1.0F, 0, 1.0, 1, 0};\n"
                 "        how.greedy = k == 0;\n",
                 counts[0], counts[1], TEST_SOURCE, TEST_SOURCE);
    export_print(w,
                 "        if (@_generate(@_weights, source, %d, &how, ids, log_probability, "
                 "&memory) !=\n"
                 "            count[k])\n"
                 "            return k + 1;\n"
                 "        for (i = 0; i < count[k]; i++)\n"
                 "            if (ids[i] != expected_ids[k][i] ||\n"
                 "                bits_of(log_probability[i]) != expected_bits[k][i])\n"
                 "                return k + 1;\n"
                 "    }\n"
                 "    return 0;\n"
                 "}\n"
                 "#endif\n",
                 TEST_SOURCE);
    return true;
}

/* ---- the file ---- */

static bool put_all(t5_work *t, base_text *source, base_text *header)
{
    export_writer c, h;
    if (!export_writer_begin(&c, source, t->options->prefix, t->error) ||
        !export_writer_begin(&h, header, t->options->prefix, t->error) || !add_weights(t))
        return false;
    put_header(&h, t);
    put_lines(&h, export_t5_interface);
    put_header_end(&h, t);
    put_head(&c, t, "c");
    export_print(&c, "#include \"%s\"\n\n#include <float.h>\n#include <string.h>\n\n",
                 t->options->header);
    export_prelude_fma(&c, false);
    if (!put_tables(&c, t))
        return false;
    put_lines(&c, export_t5_body);
    if (!t->options->beside && !put_test(&c, t))
        return false;
    return !(source->failed || header->failed) || base_fail(t->error, "no memory for the C file");
}

static void put_beside(const t5_work *t, base_text *weights)
{
    for (size_t i = 0; i < t->count; i++) {
        uint32_t bits = base_bits_of_float(t->numbers[i]);
        const char bytes[4] = {(char)(bits & 255), (char)(bits >> 8 & 255),
                               (char)(bits >> 16 & 255), (char)(bits >> 24)};
        base_text_add(weights, bytes, sizeof bytes);
    }
    base_text_add(weights, (const char *)t->wholes, t->whole_count);
}

bool export_t5(t5_model *model, const t5_tokenizer *tokenizer, const export_options *options,
               base_text *source, base_text *header, base_text *weights, size_t *bytes,
               base_error *error)
{
    nn_params *params = t5_model_params(model);
    size_t most = nn_params_size(params);
    t5_work t = {.model = model,
                 .config = t5_model_config(model),
                 .params = params,
                 .tokenizer = tokenizer,
                 .options = options,
                 .error = error};
    if (tokenizer->kind != T5_LINES) /* the C file has the pieces of ours alone */
        return base_fail(error,
                         "only a T5 with a tokenizer that was trained here is exported as C");
    t.numbers =
        base_malloc(most * sizeof *t.numbers); /* a scale replaces a column of one at least */
    t.wholes = base_malloc(most);
    bool ok = t.numbers && t.wholes ? put_all(&t, source, header)
                                    : base_fail(error, "no memory for %zu weights", most);
    if (ok && options->beside)
        put_beside(&t, weights);
    *bytes = 4 * t.count + t.whole_count;
    base_free(t.numbers);
    base_free(t.wholes);
    return ok && (!options->beside || !weights->failed ||
                  base_fail(error, "no memory for the file of weights"));
}
