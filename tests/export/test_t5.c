/* SPDX-License-Identifier: MIT */
/* test_t5.c -- export/t5.c: tokens, log-probabilities and texts of an exported T5 are those of t5_tokenize,
 * t5_generate and t5_detokenize, bit for bit, with every compiler that is here. */
#include "t5/t5.h"
#include "tests/export/test_export.h"

enum { MOST = 24, ROOM = 400 };

/* Each has another feed-forward layer; the second has a head of its own and more heads than its
 * width has room for. */
static const t5_config configs[] = {
    {.vocab_size = 300,
     .d_model = 24,
     .d_kv = 7,
     .d_ff = 40,
     .num_layers = 2,
     .num_decoder_layers = 3,
     .num_heads = 3,
     .relative_attention_num_buckets = 8,
     .relative_attention_max_distance = 20,
     .feed_forward_proj = T5_RELU,
     .tie_word_embeddings = true,
     .layer_norm_epsilon = 1e-6,
     .initializer_factor = 1,
     .eos_token_id = 1},
    {.vocab_size = 290,
     .d_model = 17,
     .d_kv = 8,
     .d_ff = 33,
     .num_layers = 1,
     .num_decoder_layers = 1,
     .num_heads = 4,
     .relative_attention_num_buckets = 32,
     .relative_attention_max_distance = 128,
     .feed_forward_proj = T5_GELU,
     .tie_word_embeddings = false,
     .layer_norm_epsilon = 1e-5,
     .initializer_factor = 2,
     .eos_token_id = 2},
    {.vocab_size = 310,
     .d_model = 32,
     .d_kv = 16,
     .d_ff = 48,
     .num_layers = 2,
     .num_decoder_layers = 2,
     .num_heads = 2,
     .relative_attention_num_buckets = 6,
     .relative_attention_max_distance = 9,
     .feed_forward_proj = T5_GATED_GELU,
     .tie_word_embeddings = true,
     .scale_decoder_outputs = T5_NOT_SCALED,
     .layer_norm_epsilon = 1e-6,
     .initializer_factor = 1,
     .eos_token_id = 1},
};

/* With the weights in the C file or in one of their own, in floats or with matrices of 8 bits. */
static const struct {
    const char *name;
    int config;
    bool beside, bytes;
} cases[] = {{"relu", 0, false, false},
             {"gelu", 1, false, false},
             {"gated", 2, true, false},
             {"gelu, int8", 1, false, true},
             {"gated, int8", 2, true, true}};
enum { CASES = sizeof cases / sizeof *cases };

static const char text[] =
    "while (count < 1024) {\n    count = count + step1;\n\ttotal -= 10;\n}\n\n\xc3\xa4 7x_2 99\n"
    "while (count < 4096) {\n    count = count + step2;\n    return total;\n}\n";

/* What is asked of a model; the number of each is its line in the driver. */
static const struct {
    const char *how; /* as the driver has it */
    t5_sampling sampling;
    int most, sample;
    uint64_t seed;
} asked[] = {
    {"{24, 1, 0, 0, 0, 0, 0}", {.greedy = true}, 24, 0, 0},
    {"{24, 0, 1.0F, 0, 1.0, 1, 0}", {.temperature = 1, .top_p = 1}, 24, 0, 1},
    {"{24, 0, 1.0F, 0, 1.0, 1, 5}", {.temperature = 1, .top_p = 1}, 24, 5, 1},
    {"{9, 0, 0.7F, 0, 1.0, 81985529216486895U, 63}",
     {.temperature = 0.7F, .top_p = 1},
     9,
     63,
     UINT64_C(81985529216486895)},
    {"{24, 0, 1.5F, 10, 1.0, 3, 1}", {.temperature = 1.5, .top_k = 10, .top_p = 1}, 24, 1, 3},
    {"{24, 0, 2.0F, 0, 0.5, 4, 2}", {.temperature = 2, .top_p = 0.5}, 24, 2, 4},
    {"{24, 0, 3.0F, 50, 0.75, 5, 3}", {.temperature = 3, .top_k = 50, .top_p = 0.75}, 24, 3, 5},
    {"{1, 0, 1.0F, 1, 1.0, 5, 3}", {.temperature = 1, .top_k = 1, .top_p = 1}, 1, 3, 5},
};
enum { ASKED = sizeof asked / sizeof *asked };

/* ---- what is expected: as the driver writes it ---- */

static void put(base_text *out, const void *bytes, size_t count)
{
    base_text_add(out, bytes, count);
}

static void expect(t5_model *model, const t5_tokenizer *tokenizer, base_text *out)
{
    base_error error = {""};
    int ids[ROOM], count = t5_tokenize(tokenizer, text, sizeof text - 1, ids, ROOM);
    int32_t length = count;
    put(out, &length, 4);
    put(out, ids, 4 * (size_t)count);
    for (size_t i = 0; i < ASKED; i++) {
        t5_sample samples[64];
        base_text answer = {0};
        t5_request r = {.source = ids,
                        .source_count = count,
                        .count = asked[i].sample + 1,
                        .most = asked[i].most,
                        .sampling = asked[i].sampling,
                        .seed = asked[i].seed,
                        .stream = base_random_stream("generate", 0, 0, 0)};
        r.sampling.beams = 1;
        CHECK(t5_generate(model, &r, samples, &error), "%s", error.text);
        const t5_sample *s = &samples[asked[i].sample];
        length = s->count;
        put(out, &length, 4);
        put(out, s->ids, 4 * (size_t)s->count);
        put(out, s->token_log_probability, 4 * (size_t)s->count);
        t5_detokenize(tokenizer, s->ids, s->count, &answer);
        length = (int32_t)answer.length;
        put(out, &length, 4);
        put(out, answer.data, answer.length);
        base_text_free(&answer);
        t5_samples_free(samples, r.count);
    }
}

/* ---- the driver ---- */

static void put_driver(base_text *out, bool beside, bool bytes)
{
    base_text_print(out, "#include \"net.h\"\n#include <stdio.h>\n#include <string.h>\n"
                         "static const net_how how[] = {\n");
    for (size_t i = 0; i < ASKED; i++)
        base_text_print(out, "    %s,\n", asked[i].how);
    base_text_print(out, "};\nstatic const unsigned char text[] = {");
    for (size_t i = 0; i + 1 < sizeof text; i++)
        base_text_print(out, "%d,", (unsigned char)text[i]);
    base_text_print(
        out,
        "};\n"
        "static void put(const void *bytes, size_t count) { fwrite(bytes, 1, count, stdout); }\n"
        "static void put_words(const void *from, int count) /* the lowest byte first */\n"
        "{\n"
        "    const unsigned char *bytes = (const unsigned char *)from;\n"
        "    for (; count > 0; count--, bytes += 4) {\n"
        "        uint32_t word;\n"
        "        int i;\n"
        "        memcpy(&word, bytes, 4);\n"
        "        for (i = 0; i < 4; i++)\n"
        "            putchar((int)(word >> 8 * i & 255));\n"
        "    }\n"
        "}\n"
        "%s"
        "int main(void)\n"
        "{\n"
        "    static net_memory memory;\n"
        "    static int32_t source[sizeof text + 1], ids[NET_MOST_NEW];\n"
        "    static float p[NET_MOST_NEW];\n"
        "    static char answer[1000];\n"
        "    const net_how wrong = {NET_MOST_NEW + 1, 1, 0, 0, 0, 0, 0};\n"
        "    int32_t count = net_tokenize((const char *)text, sizeof text, source);\n"
        "    size_t i;\n"
        "    %s\n"
        "    put_words(&count, 1);\n"
        "    put_words(source, count);\n"
        "    for (i = 0; i < sizeof how / sizeof *how; i++) {\n"
        "        int32_t n, length;\n"
        "        memset(&memory, 255, sizeof memory);\n"
        "        n = net_generate(net_weights, source, count, &how[i], ids, p, &memory);\n"
        "        if (n < 0 || n > how[i].most)\n"
        "            return 2;\n"
        "        put_words(&n, 1);\n"
        "        put_words(ids, n);\n"
        "        put_words(p, n);\n"
        "        length = (int32_t)net_detokenize(ids, n, answer, sizeof answer);\n"
        "        put_words(&length, 1);\n"
        "        put(answer, (size_t)length);\n"
        "    }\n"
        "    source[0] = NET_VOCABULARY;\n"
        "    return net_generate(net_weights, source, count, how, ids, p, &memory) != -1 ||\n"
        "           net_generate(net_weights, source + 1, 0, how, ids, p, &memory) != -1 ||\n"
        "           net_generate(net_weights, source + 1, 1, &wrong, ids, p, &memory) != -1;\n"
        "}\n",
        !beside ? ""
        : bytes
            ? "static net_parameters net_weights[1];\n"
              "enum { SIZE = 4 * NET_NUMBERS + NET_WHOLES };\n"
            : "static net_parameters net_weights[NET_NUMBERS];\nenum { SIZE = 4 * NET_NUMBERS };\n",
        beside ? "if (fread(net_weights, 1, SIZE, stdin) != SIZE) return 3;" : "");
}

/* weights: the file of them, as the machine's floats. */
static void check_with(const char *name, bool beside, base_text *weights, const base_text *expected,
                       int i)
{
    base_error error = {""};
    size_t length;
    const char *cc = compilers[i].command, *flags = compilers[i].flags;
    CHECK(shell("cd '%s' && %s %s net.c main.c -o net >log 2>&1 || { cat log; false; }", scratch,
                cc, flags),
          "%s: %s %s does not take it", name, cc, flags);
    swap(weights->data, weights->length, i);
    store("weights", weights);
    swap(weights->data, weights->length, i);
    CHECK(shell("cd '%s' && %s./net <weights >said", scratch, compilers[i].runner),
          "%s: %s %s: ends with an error", name, cc, flags);
    char *got = base_file_read(below("said"), 1 << 20, &length, &error);
    CHECK(got && length == expected->length && memcmp(got, expected->data, length) == 0,
          "%s: %s %s: other bits", name, cc, flags);
    free(got);
    if (!beside && (i == 0 || *compilers[i].runner))
        CHECK(shell("cd '%s' && %s %s -DNET_TEST net.c -o self >log 2>&1 && %s./self", scratch, cc,
                    flags, compilers[i].runner),
              "%s: %s %s: the self-test fails", name, cc, flags);
}

static void test_case(tensor_context *ctx, const t5_tokenizer *tokenizer, int c, const bool *there)
{
    base_error error = {""};
    base_text source = {0}, header = {0}, weights = {0}, main_c = {0}, expected = {0};
    const export_options options = {.prefix = "net",
                                    .header = "net.h",
                                    .command = "a*/b",
                                    .beside = cases[c].beside,
                                    .bytes = cases[c].bytes};
    t5_model *model = t5_model_new(ctx, &configs[cases[c].config], false, &error);
    CHECK(model, "%s", error.text);
    t5_model_init(model, 11);
    if (cases[c].bytes) {
        size_t bytes;
        CHECK(!export_t5(model, tokenizer, &options, &source, &header, &weights, &bytes, &error) &&
                  strstr(error.text, "was not rounded"),
              "%s", error.text);
        base_text_clear(&source);
        base_text_clear(&header);
        export_t5_round(model);
    }
    expect(model, tokenizer, &expected);
    size_t bytes, floats = 4 * nn_params_size(t5_model_params(model));
    CHECK(export_t5(model, tokenizer, &options, &source, &header, &weights, &bytes, &error), "%s",
          error.text);
    CHECK(weights.length == (cases[c].beside ? bytes : 0), "%zu bytes of weights", weights.length);
    CHECK(cases[c].bytes ? bytes < floats / 2 : bytes == floats, "%zu bytes of %zu", bytes, floats);
    put_driver(&main_c, cases[c].beside, cases[c].bytes);
    store("net.c", &source);
    store("net.h", &header);
    store("main.c", &main_c);
    for (int i = 0; i < COMPILERS; i++)
        if (compiles(there, i, c) && !(compilers[i].swapped && cases[c].beside && cases[c].bytes))
            check_with(cases[c].name, cases[c].beside, &weights, &expected, i);
    base_text *all[] = {&source, &header, &weights, &main_c, &expected};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        base_text_free(all[i]);
    t5_model_free(model);
}

/* Nothing is wanted from outside but what copies and fills memory. */
static void test_symbols(void)
{
    if (!shell("nm --version >/dev/null 2>&1 && gcc --version >/dev/null 2>&1"))
        SKIP("no nm or no gcc here");
    else
        CHECK(
            shell("cd '%s' && gcc -O2 -c net.c -o net.o && "
                  "! nm -u net.o | grep -v -w -E 'memcpy|memmove|memset|_GLOBAL_OFFSET_TABLE_' && "
                  "! nm -g net.o | grep ' [TDBRC] ' | grep -v ' net_'",
                  scratch),
            "symbols beside net_, what gcc itself asks for");
}

int main(void)
{
    bool there[COMPILERS];
    base_error error = {""};
    const char *texts[] = {text};
    tensor_context *ctx = begin(there);
    t5_tokenizer *tokenizer = t5_tokenizer_train(texts, 1, 285, &error);
    CHECK(tokenizer && t5_tokenizer_size(tokenizer) > 270, "%s", error.text);
    for (int c = 0; c < CASES; c++)
        test_case(ctx, tokenizer, c, there);
    test_symbols();
    t5_tokenizer_free(tokenizer);
    tensor_context_free(ctx);
    base_remove_folder(scratch);
    return test_end();
}
