/* SPDX-License-Identifier: MIT */
/* test_config.c -- configurations: what is refused, what is counted, config.json both ways. */
#include "tests/test.h"

#include "base/file.h"
#include "base/json.h"
#include "nn/params.h"
#include "t5/t5.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char scratch[] = "/tmp/test_t5_config.XXXXXX"; /* a folder */

static const char *const cases[] = {"case1-tiny-relu", "case2-uneven-long-pad",
                                    "case3-gated-gelu-untied"};

static const char *write_file(const char *text)
{
    static char path[64];
    base_error error;
    snprintf(path, sizeof path, "%s/config.json", scratch);
    base_bytes bytes = {text, strlen(text)};
    CHECK(base_file_write(path, &bytes, 1, NULL, &error), "%s", error.text);
    return path;
}

static bool read_text(t5_config *config, const char *text, base_error *error)
{
    const char *path = write_file(text);
    bool good = t5_config_read(config, path, error);
    CHECK(good || strncmp(error->text, path, strlen(path)) == 0, "no file in: %s", error->text);
    return good;
}

static void small_is_codet5_small(void)
{
    t5_config c = t5_config_small();
    base_error error;
    CHECK(t5_config_check(&c, &error), "%s", error.text);
    CHECK(c.d_model == 512 && c.vocab_size == 32100 && c.num_layers == 6, "%d %d %d", c.d_model,
          c.vocab_size, c.num_layers);
    /* "60M". By hand: embedding 32100 * 512;
     * 18 attentions of 4 * 512 * 512, 12 feed-forwards of 2 * 512 * 2048, 32 norms of 512, 2 tables
     * of 32 * 8. */
    int64_t by_hand =
        32100LL * 512 + 18LL * 4 * 512 * 512 + 12LL * 2 * 512 * 2048 + 32LL * 512 + 2LL * 32 * 8;
    CHECK(t5_config_parameters(&c) == by_hand && by_hand == 60492288, "%lld, want %lld",
          (long long)t5_config_parameters(&c), (long long)by_hand);
}

static void refused_with_the_name_of_the_field(void)
{
    base_error error;
    t5_config c;

#define REFUSE(name, value)                                                                       \
    do {                                                                                          \
        c = t5_config_small();                                                                    \
        c.name = (value);                                                                         \
        error.text[0] = '\0';                                                                     \
        CHECK(!t5_config_check(&c, &error) && strstr(error.text, #name), #name " " #value ": %s", \
              error.text);                                                                        \
    } while (0)
    REFUSE(vocab_size, 0);
    REFUSE(vocab_size, 1);
    REFUSE(vocab_size, INT_MAX);
    REFUSE(d_model, 0);
    REFUSE(d_model, -1);
    REFUSE(d_kv, 0);
    REFUSE(d_ff, INT_MIN);
    REFUSE(num_layers, 0);
    REFUSE(num_layers, INT_MAX);
    REFUSE(num_decoder_layers, 0);
    REFUSE(num_heads, 0);
    REFUSE(num_heads, 1 << 24); /* times d_kv */
    REFUSE(relative_attention_num_buckets, 2);
    REFUSE(relative_attention_num_buckets, 31);
    REFUSE(relative_attention_max_distance, 16);
    REFUSE(relative_attention_max_distance, 0);
    REFUSE(feed_forward_proj, T5_FEED_FORWARDS);
    REFUSE(eos_token_id, 32100);
    REFUSE(eos_token_id, 0);
    REFUSE(dropout_rate, 1);
    REFUSE(dropout_rate, -0.1);
    REFUSE(dropout_rate, (double)NAN);
    REFUSE(layer_norm_epsilon, 0);
    REFUSE(layer_norm_epsilon, (double)INFINITY);
    REFUSE(dropout_rate, 0.999999999); /* the float is 1 */
    REFUSE(layer_norm_epsilon, 1e-60); /* the float is 0 */
    REFUSE(layer_norm_epsilon, 0.999999999);
    REFUSE(scale_decoder_outputs, T5_NOT_SCALED + 1);
    REFUSE(initializer_factor, -1);
    REFUSE(initializer_factor, (double)NAN);
#undef REFUSE

    c = t5_config_small();
    c.relative_attention_max_distance = 17;
    CHECK(t5_config_check(&c, &error), "%s", error.text);
}

/* The largest that passes the checks one by one has too many parameters for 64 bits or not, but
 * never a wrapped number of them. */
static void figures_saturate(void)
{
    t5_config c = t5_config_small();
    c.d_model = c.d_ff = c.vocab_size = 1 << 24;
    c.num_heads = 1 << 12;
    c.d_kv = 1 << 12;
    c.num_layers = c.num_decoder_layers = 512;
    c.feed_forward_proj = T5_GATED_GELU;
    /* 2^48 a matrix: 1536 attentions of 4, 1024 feed-forwards of 3, embedding, 2560 + 2 norms. */
    int64_t want =
        (1536LL * 4 + 1024 * 3 + 1) * (1LL << 48) + (2562LL << 24) + 2LL * 32 * (1 << 12);
    CHECK(t5_config_parameters(&c) == want, "%lld, want %lld", (long long)t5_config_parameters(&c),
          (long long)want);
    int length = INT_MAX;
    CHECK(t5_config_step_flops(&c, &length, &length, 1) == INT64_MAX, "%lld",
          (long long)t5_config_step_flops(&c, &length, &length, 1));
}

/* Counted by going through a forward pass, product by product, in the naive way. */
static int64_t count_flops(const t5_config *c, int S, int T)
{
    int64_t D = c->d_model, I = (int64_t)c->num_heads * c->d_kv, F = c->d_ff, sum = 0;
    int matrices = c->feed_forward_proj == T5_GATED_GELU ? 3 : 2;
    for (int layer = 0; layer < c->num_layers; layer++)
        for (int t = 0; t < S; t++)
            sum += 4 * D * I + matrices * D * F + 2 * I * S;
    for (int layer = 0; layer < c->num_decoder_layers; layer++) {
        for (int t = 0; t < T; t++)
            sum += 4 * D * I + 2 * I * (t + 1) + 2 * D * I + 2 * I * S + matrices * D * F;
        for (int t = 0; t < S; t++)
            sum += 2 * D * I;
    }
    sum += (int64_t)T * D * c->vocab_size;
    return 2 * 3 * sum;
}

static void flops_are_counted(void)
{
    t5_config c = t5_config_small();
    c.d_kv = 48;
    c.num_layers = 3;
    c.num_decoder_layers = 5;
    const int source[] = {7, 100, 1}, target[] = {9, 1, 64};
    for (int gated = 0; gated < 2; gated++) {
        c.feed_forward_proj = gated ? T5_GATED_GELU : T5_RELU;
        int64_t want = 0;
        for (int i = 0; i < 3; i++)
            want += count_flops(&c, source[i], target[i]);
        CHECK(t5_config_step_flops(&c, source, target, 3) == want, "%lld, want %lld",
              (long long)t5_config_step_flops(&c, source, target, 3), (long long)want);
    }
    CHECK(t5_config_step_flops(&c, NULL, NULL, 0) == 0, "nothing costs something");
    /* A sequence generated is a pass forward, a third of a step; the source's part is done once. */
    int three[] = {5, 1, 12}, none = 0, seven[] = {7, 7, 7};
    int64_t once = count_flops(&c, 7, none) / 3;
    CHECK(3 * (t5_config_generation_flops(&c, 7, three, 3) + 2 * once) ==
              t5_config_step_flops(&c, seven, three, 3),
          "%lld", (long long)t5_config_generation_flops(&c, 7, three, 3));
}

/* What is counted is what a model has. */
static void parameters_are_those_of_a_model(void)
{
    tensor_context *ctx = tensor_context_new();
    t5_config c = t5_config_small();
    c.vocab_size = 50;
    c.d_model = 12;
    c.d_ff = 20;
    c.num_heads = 3;
    c.d_kv = 5;
    c.num_layers = 2;
    c.num_decoder_layers = 3;
    for (int i = 0; i < 4; i++) {
        base_error error;
        c.tie_word_embeddings = i % 2;
        c.feed_forward_proj = i / 2 ? T5_GATED_GELU : T5_GELU;
        t5_model *model = t5_model_new(ctx, &c, false, &error);
        CHECK(model, "%s", error.text);
        if (model)
            CHECK((int64_t)nn_params_size(t5_model_params(model)) == t5_config_parameters(&c),
                  "%zu, counted %lld", nn_params_size(t5_model_params(model)),
                  (long long)t5_config_parameters(&c));
        t5_model_free(model);
    }
    tensor_context_free(ctx);
}

static void missing_keys_have_defaults(void)
{
    t5_config c;
    base_error error;
    CHECK(read_text(&c, "{}", &error), "%s", error.text);
    CHECK(c.vocab_size == 32128 && c.dropout_rate == 0.1 && c.tie_word_embeddings &&
              c.feed_forward_proj == T5_RELU && c.eos_token_id == 1,
          "%d %g", c.vocab_size, c.dropout_rate);
    CHECK(read_text(&c, "{\"num_layers\": 3, \"num_decoder_layers\": null, \"n_positions\": 7}",
                    &error),
          "%s", error.text);
    CHECK(c.num_layers == 3 && c.num_decoder_layers == 3, "%d %d", c.num_layers,
          c.num_decoder_layers);
    CHECK(read_text(&c, "{\"eos_token_id\": 2, \"feed_forward_proj\": \"gated-gelu\"}", &error),
          "%s", error.text);
    CHECK(c.eos_token_id == 2 && c.feed_forward_proj == T5_GATED_GELU, "%d %d", c.eos_token_id,
          (int)c.feed_forward_proj);
}

/* transformers takes these for d_model and others; whole numbers may be written as floats. */
static void other_names_and_forms(void)
{
    t5_config c;
    base_error error;
    CHECK(read_text(&c,
                    "{\"hidden_size\": 24, \"head_dim\": 3, \"num_attention_heads\": 5, "
                    "\"num_heads\": 5.0, \"num_hidden_layers\": 4, \"d_ff\": 32.0}",
                    &error),
          "%s", error.text);
    CHECK(c.d_model == 24 && c.d_kv == 3 && c.num_heads == 5 && c.num_layers == 4 &&
              c.num_decoder_layers == 4 && c.d_ff == 32,
          "%d %d %d %d %d %d", c.d_model, c.d_kv, c.num_heads, c.num_layers, c.num_decoder_layers,
          c.d_ff);
    CHECK(read_text(&c,
                    "{\"n_positions\": 512, \"torch_dtype\": \"bfloat16\", \"dtype\": "
                    "\"float32\", \"transformers_version\": \"5.12.1\", \"_name_or_path\": "
                    "\"x\", \"output_past\": true, \"task_specific_params\": {\"a\": {}}, "
                    "\"some_new_key\": null}",
                    &error),
          "%s", error.text);
}

/* transformers 5 writes tie_word_embeddings as true whatever the weights are, and says with another
 * key whether to scale; both are kept when the configuration is written again. */
static void scaling_of_transformers_5(void)
{
    static const struct {
        const char *text;
        bool scales, tied;
    } files[] = {
        {"{}", true, true},
        {"{\"tie_word_embeddings\": false}", false, false},
        {"{\"scale_decoder_outputs\": true, \"tie_word_embeddings\": true}", true, true},
        {"{\"scale_decoder_outputs\": false, \"tie_word_embeddings\": true}", false, true},
        {"{\"scale_decoder_outputs\": false, \"tie_word_embeddings\": false}", false, true},
        {"{\"scale_decoder_outputs\": null, \"tie_word_embeddings\": false}", false, false},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        t5_config c, back;
        base_error error;
        base_text text = {0};
        CHECK(read_text(&c, files[i].text, &error), "%s", error.text);
        CHECK(t5_config_scales(&c) == files[i].scales && c.tie_word_embeddings == files[i].tied,
              "%s: %d %d", files[i].text, t5_config_scales(&c), c.tie_word_embeddings);
        t5_config_print(&c, &text);
        CHECK(read_text(&back, text.data, &error), "%s", error.text);
        CHECK(t5_config_scales(&back) == files[i].scales &&
                  back.tie_word_embeddings == files[i].tied,
              "%s: %s", files[i].text, text.data);
        base_text_free(&text);
    }
}

static void refused_files(void)
{
    static const struct {
        const char *text, *expected;
    } files[] = {
        {"", "expected"},
        {"[]", "object"},
        {"{\"d_model\": 512", "expected"},
        {"{\"d_model\": \"512\"}", "d_model"},
        {"{\"d_model\": 512.5}", "d_model"},
        {"{\"d_model\": 0}", "d_model"},
        {"{\"d_model\": 1e30}", "d_model"},
        {"{\"num_layers\": 100000}", "num_layers"},
        {"{\"dropout_rate\": true}", "dropout_rate"},
        {"{\"dropout_rate\": 1.5}", "dropout_rate"},
        {"{\"relative_attention_num_buckets\": 7}", "even"},
        {"{\"model_type\": \"longt5\"}", "model_type"},
        {"{\"model_type\": 5}", "model_type"},
        {"{\"feed_forward_proj\": \"gated-silu\"}", "feed_forward_proj"},
        {"{\"feed_forward_proj\": \"relu\\u0000x\"}", "feed_forward_proj"},
        {"{\"dense_act_fn\": \"silu\"}", "dense_act_fn"},
        {"{\"feed_forward_proj\": \"gelu\", \"is_gated_act\": true}", "contradict"},
        {"{\"tie_word_embeddings\": 1}", "tie_word_embeddings"},
        {"{\"is_encoder_decoder\": false}", "is_encoder_decoder"},
        {"{\"is_decoder\": true}", "is_decoder"},
        {"{\"pad_token_id\": 3}", "pad_token_id"},
        {"{\"decoder_start_token_id\": 1}", "decoder_start_token_id"},
        {"{\"eos_token_id\": [1, 2]}", "eos_token_id"},
        {"{\"eos_token_id\": 99, \"vocab_size\": 99}", "eos_token_id"},
        {"{\"hidden_size\": 24, \"d_model\": 16}", "hidden_size"},
        {"{\"head_dim\": 0}", "head_dim"},
        {"{\"scale_decoder_outputs\": 1}", "scale_decoder_outputs"},
        {"{\"rms_norm_eps\": 1e-5}", "rms_norm_eps"},
        {"{\"some_new_key\": false}", "some_new_key"},
        {"{\"layer_norm_epsilon\": 1e-60}", "layer_norm_epsilon"},
        {"{\"dropout_rate\": 0.999999999}", "dropout_rate"},
        {"{\"d_ff\": 32.5}", "d_ff"},
        {"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 7\n", "Git LFS"},
        {"<!DOCTYPE html><html></html>", "web page"},
        {"{\"pruned_heads\": {\"0\": [1]}}", "pruned_heads"},
        {"{\"quantization_config\": {\"bits\": 4}}", "quantization_config"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        t5_config c = {.d_model = 77};
        base_error error = {""};
        CHECK(!read_text(&c, files[i].text, &error) && strstr(error.text, files[i].expected),
              "%s: %s", files[i].text, error.text);
        CHECK(c.d_model == 77, "%s: changed the configuration", files[i].text);
    }
    t5_config c;
    base_error error = {""};
    CHECK(!t5_config_read(&c, "/nowhere/config.json", &error) && strstr(error.text, "/nowhere/"),
          "%s", error.text);
}

static void written_and_read_back(void)
{
    t5_config c = t5_config_small(), back;
    base_error error;
    c.d_model = 33;
    c.eos_token_id = 2;
    c.dropout_rate = 0.1;
    c.layer_norm_epsilon = 1e-5 / 3;
    c.initializer_factor = 0.05;
    c.tie_word_embeddings = false;
    for (int kind = 0; kind < T5_FEED_FORWARDS; kind++) {
        base_text first = {0}, second = {0};
        c.feed_forward_proj = (t5_feed_forward)kind;
        t5_config_print(&c, &first);
        CHECK(read_text(&back, first.data, &error), "%s", error.text);
        t5_config_print(&back, &second);
        CHECK(strcmp(first.data, second.data) == 0, "%s\n%s", first.data, second.data);
        CHECK(back.layer_norm_epsilon == c.layer_norm_epsilon, "%.17g", back.layer_norm_epsilon);
        CHECK(back.feed_forward_proj == c.feed_forward_proj && !back.tie_word_embeddings &&
                  back.eos_token_id == 2,
              "%d", (int)back.feed_forward_proj);
        base_text_free(&first);
        base_text_free(&second);
    }
}

/* What HF saved, read and printed, is what HF saved, but for the line with its version. */
static void as_hugging_face_writes_it(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[128];
        snprintf(name, sizeof name, "golden/%s/config.json", cases[i]);
        const char *path = test_shared(name);
        if (!path) {
            SKIP("%s is not there", name);
            continue;
        }
        t5_config c;
        base_error error;
        base_text text = {0};
        CHECK(t5_config_read(&c, path, &error), "%s", error.text);
        t5_config_print(&c, &text);
        size_t size;
        char *theirs = base_file_read(path, 1 << 20, &size, &error), *line, *end;
        CHECK(theirs, "%s", error.text);
        if (theirs && (line = strstr(theirs, "  \"transformers_version\"")) &&
            (end = strchr(line, '\n')))
            memmove(line, end + 1, strlen(end + 1) + 1);
        CHECK(theirs && strcmp(theirs, text.data) == 0, "%s:\n%s", path, text.data);
        free(theirs);
        base_text_free(&text);
    }
}

int main(void)
{
    if (!mkdtemp(scratch)) {
        perror(scratch);
        return 1;
    }
    small_is_codet5_small();
    refused_with_the_name_of_the_field();
    figures_saturate();
    flops_are_counted();
    parameters_are_those_of_a_model();
    missing_keys_have_defaults();
    other_names_and_forms();
    scaling_of_transformers_5();
    refused_files();
    written_and_read_back();
    as_hugging_face_writes_it();
    unlink(write_file(""));
    rmdir(scratch);
    return test_end();
}
