/* SPDX-License-Identifier: MIT */
/* export_t5.c -- phoenix export of a T5: its files, and how they are held against phoenix generate.
 *
 * With --check the file is compiled with a main() that takes texts, and writes of each its tokens and of two
 * answers, the likeliest and a sampled one, tokens, log-probabilities and text. The library does the same,
 * and not a byte may differ. */
#include "base/file.h"
#include "base/memory.h"
#include "base/math.h"
#include "base/number.h"
#include "bin/command.h"
#include "bin/export_check.h"
#include "bin/export_request.h"
#include "evolve/source/form.h"
#include "evolve/source/host.h"
#include "export/export.h"
#include "t5/t5.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_NEW = 128, MOST_TEXTS = 65536, LONGEST_TEXT = 1 << 24 };

typedef struct work {
    const export_request *r;
    t5_model *model;
    t5_tokenizer *tokenizer;
    evolve_form form;
    int most, longest; /* tokens of an answer; of the longest text that was asked */
    base_text asked;   /* of each text its length, 4 bytes, and its bytes */
    int texts;
    base_text source, header, weights;
} work;

/* ---- the texts ---- */

static void put_word(base_text *to, uint32_t word)
{
    const char bytes[4] = {(char)(word & 255), (char)(word >> 8 & 255), (char)(word >> 16 & 255),
                           (char)(word >> 24)};
    base_text_add(to, bytes, sizeof bytes);
}

static uint32_t get_word(const char *from)
{
    const unsigned char *byte = (const unsigned char *)from;
    return byte[0] | (uint32_t)byte[1] << 8 | (uint32_t)byte[2] << 16 | (uint32_t)byte[3] << 24;
}

static bool add_text(work *w, const char *text, size_t length, base_error *error)
{
    base_text asked = {0};
    bool ok = source_form_ask(w->form, text, length, &asked, error);
    put_word(&w->asked, (uint32_t)asked.length);
    base_text_add(&w->asked, asked.data ? asked.data : "", asked.length);
    ok = ok &&
         (!(w->asked.failed || asked.failed) || base_fail(error, "no memory for the texts")) &&
         (++w->texts <= MOST_TEXTS ||
          base_fail(error, "more than %d texts: expected fewer", (int)MOST_TEXTS));
    base_text_free(&asked);
    return ok;
}

static bool add_lines(work *w, const char *at, const char *end, base_error *error)
{
    const char *line;
    size_t length;
    bool ok = true;
    while (ok && base_next_line(&at, end, &line, &length))
        ok = length == 0 || add_text(w, line, length, error);
    return ok;
}

static bool read_texts(work *w, base_error *error)
{
    base_text source = {0};
    bool ok = true;
    for (int i = 1; ok && i < EXPORT_OPERANDS && w->r->operands[i]; i++) {
        size_t length;
        char *text = base_file_read_text(w->r->operands[i], LONGEST_TEXT, &length, error);
        ok = text &&
             (w->r->lines ? add_lines(w, text, text + length, error)
                          : add_text(w, text, source_form_length(w->form, text, length), error));
        base_free(text);
    }
    if (ok && !w->r->operands[1] && w->form != EVOLVE_PLAIN) {
        source_default_source(&source);
        ok = add_text(w, source.data, source.length, error);
        base_text_free(&source);
    }
    return ok && (w->texts > 0 || !w->r->check ||
                  base_fail(error, "%s: is a model of pairs: a TEXT was expected to check it by",
                            w->r->operands[0]));
}

/* ---- what the library answers ---- */

typedef struct answers {
    base_text bytes; /* as the program is to write them */
    int64_t tokens;
    double log_probability; /* of the greedy ones, and how many they are */
    int64_t greedy;
} answers;

static bool answer_one(const work *w, const int *ids, int count, bool greedy, answers *to,
                       base_error *error)
{
    t5_request r = {.source = ids,
                    .source_count = count,
                    .count = 1,
                    .most = w->most,
                    .sampling = t5_sampling_default(),
                    .seed = 1,
                    .stream = base_random_stream("generate", 0, 0, 0)};
    t5_sample s;
    base_text text = {0};
    r.sampling.greedy = greedy;
    if (!t5_generate(w->model, &r, &s, error))
        return false;
    put_word(&to->bytes, (uint32_t)s.count);
    for (int i = 0; i < s.count; i++)
        put_word(&to->bytes, (uint32_t)s.ids[i]);
    for (int i = 0; i < s.count; i++)
        put_word(&to->bytes, base_bits_of_float(s.token_log_probability[i]));
    t5_detokenize(w->tokenizer, s.ids, s.count, &text);
    put_word(&to->bytes, (uint32_t)text.length);
    base_text_add(&to->bytes, text.data ? text.data : "", text.length);
    to->tokens += s.count;
    to->greedy += greedy ? s.count : 0;
    to->log_probability += greedy ? s.log_probability : 0;
    to->bytes.failed = to->bytes.failed || text.failed;
    base_text_free(&text);
    t5_samples_free(&s, 1);
    return true;
}

/* The length of each text's answers goes to `size` (w->texts). */
static bool answer_all(work *w, answers *to, size_t *size, base_error *error)
{
    int *ids = base_malloc(T5_MOST_SOURCE * sizeof *ids);
    bool ok = ids || base_fail(error, "no memory for a text's tokens");
    const char *at = w->asked.data;
    for (int i = 0; ok && i < w->texts; i++) {
        size_t length = get_word(at), before = to->bytes.length;
        int count = t5_tokenize(w->tokenizer, at + 4, length, ids, T5_MOST_SOURCE);
        at += 4 + length;
        if (count > T5_MOST_SOURCE)
            ok = base_fail(error, "text %d: has %d tokens, expected %d at most", i + 1, count,
                           (int)T5_MOST_SOURCE);
        w->longest = count > w->longest ? count : w->longest;
        put_word(&to->bytes, (uint32_t)count);
        for (int k = 0; ok && k < count; k++)
            put_word(&to->bytes, (uint32_t)ids[k]);
        for (int k = 0; ok && k < 2; k++)
            ok = answer_one(w, ids, count, k == 0, to, error);
        size[i] = to->bytes.length - before;
    }
    base_free(ids);
    return ok && (!to->bytes.failed || base_fail(error, "no memory for the answers"));
}

/* ---- the program that answers ---- */

static const char program_text[] =
    "\n#include <stdio.h>\n"
    "static void put_word(uint32_t word)\n"
    "{\n"
    "    int i;\n"
    "    for (i = 0; i < 4; i++)\n"
    "        putchar((int)(word >> 8 * i & 255));\n"
    "}\n"
    "static int get_word(uint32_t *word)\n"
    "{\n"
    "    unsigned char byte[4];\n"
    "    if (fread(byte, 1, 4, stdin) != 4)\n"
    "        return 0;\n"
    "    *word = byte[0] | (uint32_t)byte[1] << 8 | (uint32_t)byte[2] << 16 | (uint32_t)byte[3] << "
    "24;\n"
    "    return 1;\n"
    "}\n"
    "static char text[LONGEST_TEXT + 1];\n"
    "static int32_t source[LONGEST_TEXT + 1], ids[T5_MOST_NEW];\n"
    "static float log_probability[T5_MOST_NEW];\n"
    "static t5_memory memory;\n"
    "int main(void)\n"
    "{\n"
    "    uint32_t length;\n"
    "    int i, k, n, count;\n"
    "#ifdef BESIDE\n"
    "    static t5_parameters t5_weights[PARAMETERS];\n"
    "    float *number = (float *)(void *)t5_weights;\n"
    "    for (i = 0; i < T5_NUMBERS; i++) {\n"
    "        uint32_t word;\n"
    "        if (!get_word(&word))\n"
    "            return 2;\n"
    "        memcpy(&number[i], &word, sizeof word);\n"
    "    }\n"
    "#if T5_INT8\n"
    "    if (fread(t5_weights->wholes, 1, T5_WHOLES, stdin) != T5_WHOLES)\n"
    "        return 2;\n"
    "#endif\n"
    "#endif\n"
    "    while (get_word(&length)) {\n"
    "        if (length > LONGEST_TEXT || fread(text, 1, length, stdin) != length)\n"
    "            return 3;\n"
    "        count = t5_tokenize(text, length, source);\n"
    "        put_word((uint32_t)count);\n"
    "        for (i = 0; i < count; i++)\n"
    "            put_word((uint32_t)source[i]);\n"
    "        for (k = 0; k < 2; k++) {\n"
    "            t5_how how = {T5_MOST_NEW, 0, 1.0F, 0, 1.0, 1, 0};\n"
    "            size_t written;\n"
    "            how.greedy = k == 0;\n"
    "            n = t5_generate(t5_weights, source, count, &how, ids, log_probability, &memory);\n"
    "            put_word((uint32_t)n);\n"
    "            for (i = 0; i < n; i++)\n"
    "                put_word((uint32_t)ids[i]);\n"
    "            for (i = 0; i < n; i++)\n"
    "                put_word(bits_of(log_probability[i]));\n"
    "            written = t5_detokenize(ids, n, text, LONGEST_TEXT);\n"
    "            put_word((uint32_t)written);\n"
    "            fwrite(text, 1, written < LONGEST_TEXT ? written : LONGEST_TEXT, stdout);\n"
    "        }\n"
    "    }\n"
    "    return fflush(stdout) != 0;\n"
    "}\n";

/* What an answer may be long, too, in bytes. */
static size_t longest_text(const work *w)
{
    size_t longest = (size_t)w->most * 256;
    const char *at = w->asked.data;
    for (int i = 0; i < w->texts; i++, at += 4 + get_word(at))
        longest = get_word(at) > longest ? get_word(at) : longest;
    return longest;
}

static bool make_program(const work *w, base_text *text)
{
    const char *header = strrchr(w->r->header, '/');
    char line[200];
    snprintf(line, sizeof line, "#define T5_MOST_SOURCE %d\n#define T5_MOST_NEW %d\n", w->longest,
             w->most);
    export_t5_lines(w->r->prefix, line, text);
    if (!export_check_join(&w->header, &w->source, header ? header + 1 : w->r->header, text))
        return false;
    snprintf(line, sizeof line, "#define LONGEST_TEXT %zu\n#define PARAMETERS %s\n%s",
             longest_text(w), w->r->int8 ? "1" : "T5_NUMBERS",
             w->r->weights ? "#define BESIDE\n" : "");
    export_t5_lines(w->r->prefix, line, text);
    export_t5_lines(w->r->prefix, program_text, text);
    return !text->failed;
}

/* Compares what it wrote, text by text; one line of what was found. */
static bool check(work *w, const answers *expected, const size_t *size, base_error *error)
{
    base_text text = {0}, input = {0};
    int differ = 0, first = 0;
    bool ok = make_program(w, &text) || base_fail(error, "no memory for the program");
    base_text_add(&input, w->weights.data ? w->weights.data : "", w->weights.length);
    base_text_add(&input, w->asked.data, w->asked.length);
    ok = ok && (!input.failed || base_fail(error, "no memory for the program's input"));
    char *got =
        ok ? export_check_run(&text, &input, expected->bytes.length, &w->r->run, error) : NULL;
    base_text_free(&text);
    base_text_free(&input);
    if (!got)
        return false;
    size_t at = 0;
    for (int i = 0; i < w->texts; at += size[i++])
        if (memcmp(got + at, expected->bytes.data + at, size[i]) != 0 && differ++ == 0)
            first = i + 1;
    base_free(got);
    printf("check: %d texts, %lld tokens of answers, %d differ\n", w->texts,
           (long long)expected->tokens, differ);
    return differ == 0 || base_fail(error,
                                    "%s: tokens or log-probabilities of %d of %d texts are not as "
                                    "expected, first of text %d",
                                    w->r->out, differ, w->texts, first);
}

/* ---- the files ---- */

static bool write_files(work *w, base_error *error)
{
    const export_request *r = w->r;
    const char *slash = strrchr(r->header, '/');
    const export_options options = {.prefix = r->prefix,
                                    .header = slash ? slash + 1 : r->header,
                                    .command = r->command,
                                    .beside = r->weights != NULL,
                                    .bytes = r->int8};
    size_t bytes;
    bool ok = export_t5(w->model, w->tokenizer, &options, &w->source, &w->header, &w->weights,
                        &bytes, error) &&
              base_file_write_together(
                  (const base_whole[]){{r->header, w->header.data, w->header.length},
                                       {r->out, w->source.data, w->source.length},
                                       {r->weights, w->weights.data, w->weights.length}},
                  r->weights ? 3 : 2, error);
    if (ok)
        printf("%s, %s: %zu bytes of weights%s%s\n", r->out, r->header, bytes,
               r->weights ? " in " : "", r->weights ? r->weights : "");
    return ok;
}

/* How many texts have the same answers before and after rounding, and how likely the greedy ones are. */
static void say_rounded(const work *w, const answers *before, const size_t *size_before,
                        const answers *after, const size_t *size)
{
    int same = 0;
    size_t a = 0, b = 0;
    for (int i = 0; i < w->texts; i++) {
        const char *x = before->bytes.data + a, *y = after->bytes.data + b;
        size_t skip = 4 + 4 * (size_t)get_word(x); /* the source */
        size_t count = get_word(x + skip);
        same += get_word(y + skip) == count && memcmp(x + skip + 4, y + skip + 4, 4 * count) == 0;
        a += size_before[i];
        b += size[i];
    }
    base_print_to(
        stdout,
        "of %d texts %d have the same greedy answer in int8; log-probability of its tokens "
        "%.4f in float, %.4f in int8\n",
        w->texts, same, before->log_probability / (double)before->greedy,
        after->log_probability / (double)after->greedy);
}

static bool write_checked(work *w, base_error *error)
{
    answers floats = {{0}, 0, 0, 0}, expected = {{0}, 0, 0, 0};
    size_t *size = base_calloc(2 * (size_t)w->texts + 1, sizeof *size);
    bool ok = size || base_fail(error, "no memory for the answers");
    ok = ok && (!w->r->int8 || answer_all(w, &floats, size + w->texts, error));
    if (ok && w->r->int8)
        export_t5_round(w->model);
    ok = ok && answer_all(w, &expected, size, error) && write_files(w, error);
    if (ok && w->r->int8 && w->texts > 0)
        say_rounded(w, &floats, size + w->texts, &expected, size);
    ok = ok && (!w->r->check || check(w, &expected, size, error));
    base_text_free(&floats.bytes);
    base_text_free(&expected.bytes);
    base_free(size);
    return ok;
}

static bool write_t5(work *w, const char *folder, base_error *error)
{
    const export_request *r = w->r;
    w->most = r->most ? (int)r->most : MOST_NEW;
    bool ok = !(r->check || r->int8) ? write_files(w, error)
                                     : source_form_load(&w->form, folder, error) &&
                                           read_texts(w, error) && write_checked(w, error);
    base_text *all[] = {&w->source, &w->header, &w->weights, &w->asked};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        base_text_free(all[i]);
    return ok;
}

/* t5.onnx as t5-encoder.onnx and t5-decoder.onnx. */
static bool write_t5_onnx(const export_request *r, t5_model *model, base_error *error)
{
    static const char *const part[] = {"encoder", "decoder"};
    base_text file[2] = {{0}, {0}};
    size_t length = strlen(r->onnx), stem = length - strlen(".onnx");
    char path[2][2 * EXPORT_LONGEST];
    for (int i = 0; i < 2; i++)
        snprintf(path[i], sizeof path[i], "%.*s-%s.onnx", (int)stem, r->onnx, part[i]);
    bool ok =
        export_t5_onnx(model, &file[0], &file[1], error) &&
        base_file_write_together((const base_whole[]){{path[0], file[0].data, file[0].length},
                                                      {path[1], file[1].data, file[1].length}},
                                 2, error);
    for (int i = 0; i < 2; i++) {
        if (ok)
            tell("%s: %zu bytes\n", path[i], file[i].length);
        base_text_free(&file[i]);
    }
    return ok;
}

bool export_t5_folder(const export_request *r, const char *folder, base_error *error)
{
    t5_tokenizer *tokenizer = NULL;
    tensor_context *ctx = tensor_context_open(1, error);
    work w = {.r = r};
    t5_model *model = w.model = ctx ? t5_folder_read(ctx, folder, false, &tokenizer, error) : NULL;
    w.tokenizer = tokenizer;
    bool ok = model && (!r->onnx || write_t5_onnx(r, model, error)) &&
              (!r->out || write_t5(&w, folder, error));
    t5_model_free(model);
    t5_tokenizer_free(tokenizer);
    tensor_context_free(ctx);
    return ok;
}
