/* SPDX-License-Identifier: MIT */
/* test_host.c -- what a source sees of the library, and what the library gets from it. */
#include "evolve/source/host.h"
#include "evolve/config.h"
#include "tests/test.h"

enum { VOCABULARY = 300 };

static evolve_settings tiny(void)
{
    evolve_settings settings;
    evolve_settings_preset(&settings, "quick", NULL);
    settings.d_model = 16;
    return settings;
}

/* Runs a model() of that body. */
static language_failure run(const char *body, t5_config *config, language_diagnostic *diagnostic)
{
    evolve_settings settings = tiny();
    base_text text = {0};
    base_text_print(&text, "#include \"phoenix.h\"\n\nt5 *model(void)\n{\n%s}\n", body);
    memset(diagnostic, 0, sizeof *diagnostic);
    language_failure failure = source_run_model("test.c", text.data, text.length, &settings,
                                                VOCABULARY, config, NULL, diagnostic);
    CHECK(failure == diagnostic->failure, "%d, and the diagnostic says %d", (int)failure,
          (int)diagnostic->failure);
    base_text_free(&text);
    return failure;
}

static void builds(const char *body, t5_config *config)
{
    language_diagnostic diagnostic;
    memset(config, 0xAA, sizeof *config);
    CHECK(run(body, config, &diagnostic) == LANGUAGE_OK, "%s: %s", body, diagnostic.text);
}

static void fails(const char *body, language_failure want, const char *piece)
{
    t5_config config;
    language_diagnostic diagnostic;
    language_failure got = run(body, &config, &diagnostic);
    CHECK(got == want && strstr(diagnostic.text, piece) &&
              strncmp(diagnostic.text, "test.c", 6) == 0 && !strchr(diagnostic.text, '\n'),
          "%s: failure %d: %s", body, (int)got, diagnostic.text);
}

static void t5_small_is_what_the_library_says(void)
{
    evolve_settings settings = tiny();
    t5_config got, want = evolve_base_config(&settings, VOCABULARY);
    base_text got_text = {0}, want_text = {0};
    builds("return t5_new(t5_small());\n", &got);
    t5_config_print(&got, &got_text);
    t5_config_print(&want, &want_text);
    CHECK(strcmp(got_text.data, want_text.data) == 0, "got %s\nwant %s", got_text.data,
          want_text.data);
    CHECK(got.eos_token_id == want.eos_token_id && got.eos_token_id == T5_EOS, "end token %d",
          got.eos_token_id);
    base_text_free(&got_text);
    base_text_free(&want_text);
}

static void every_field_gets_through(void)
{
    t5_config config;
    builds(
        "t5_config c = t5_small();\n"
        "c.d_model = 24; c.d_kv = 5; c.d_ff = 40; c.num_layers = 3; c.num_decoder_layers = 2;\n"
        "c.num_heads = 7; c.relative_attention_num_buckets = 16;\n"
        "c.relative_attention_max_distance = 64; c.feed_forward_proj = FEED_FORWARD_GATED_GELU;\n"
        "c.tie_word_embeddings = 0; c.dropout_rate = 0.25; c.layer_norm_epsilon = 0.001;\n"
        "c.initializer_factor = 0.5;\n"
        "return t5_new(c);\n",
        &config);
    CHECK(config.vocab_size == VOCABULARY && config.d_model == 24 && config.d_kv == 5 &&
              config.d_ff == 40 && config.num_layers == 3 && config.num_decoder_layers == 2 &&
              config.num_heads == 7 && config.relative_attention_num_buckets == 16 &&
              config.relative_attention_max_distance == 64 &&
              config.feed_forward_proj == T5_GATED_GELU && !config.tie_word_embeddings &&
              config.dropout_rate == 0.25 && config.layer_norm_epsilon == 0.001 &&
              config.initializer_factor == 0.5,
          "some field is another");
    builds("t5_config c = t5_small();\nc.feed_forward_proj = FEED_FORWARD_GELU;\n"
           "return t5_new(c);\n",
           &config);
    CHECK(config.feed_forward_proj == T5_GELU, "%d", (int)config.feed_forward_proj);
    builds("t5_config c = t5_small();\nc.feed_forward_proj = FEED_FORWARD_RELU;\n"
           "return t5_new(c);\n",
           &config);
    CHECK(config.feed_forward_proj == T5_RELU, "%d", (int)config.feed_forward_proj);
}

/* The model is the one that is returned, not the last that was made. */
static void the_returned_model_counts(void)
{
    t5_config config;
    builds("t5_config c = t5_small();\nc.d_ff = 11;\nt5 *first = t5_new(c);\n"
           "c.d_ff = 12;\nt5_new(c);\nreturn first;\n",
           &config);
    CHECK(config.d_ff == 11, "d_ff %d", config.d_ff);
}

static void refusals(void)
{
    fails("t5_config c = t5_small();\nc.vocab_size = 299;\nreturn t5_new(c);\n", LANGUAGE_RUN,
          "vocab_size 299");
    fails("t5_config c = t5_small();\nc.d_kv = 0;\nreturn t5_new(c);\n", LANGUAGE_RUN, "d_kv");
    fails("t5_config c = t5_small();\nc.num_heads = -8;\nreturn t5_new(c);\n", LANGUAGE_RUN,
          "num_heads");
    fails("t5_config c = t5_small();\nc.dropout_rate = 1;\nreturn t5_new(c);\n", LANGUAGE_RUN,
          "dropout_rate");
    fails("t5_config c = t5_small();\nc.feed_forward_proj = 3;\nreturn t5_new(c);\n", LANGUAGE_RUN,
          "feed_forward_proj 3");
    fails("t5_config c = t5_small();\nc.tie_word_embeddings = 2;\nreturn t5_new(c);\n",
          LANGUAGE_RUN, "tie_word_embeddings 2");
    fails("t5_config c = t5_small();\nc.d_ff = 16000000;\nreturn t5_new(c);\n", LANGUAGE_LIMIT,
          "at most 20000000");
    fails("t5_config c = t5_small();\nc.d_ff = 2147483647;\n"
          "return t5_new(c);\n",
          LANGUAGE_RUN, "d_ff is 2147483647");
    fails("for (int i = 0; i < 17; i++)\nt5_new(t5_small());\nreturn t5_new(t5_small());\n",
          LANGUAGE_LIMIT, "models");
    fails("return t5_new(t5_small()\n", LANGUAGE_PARSE, "test.c:");
    fails("return t5_old(t5_small());\n", LANGUAGE_CHECK, "t5_old");
    fails("t5_config c = t5_small();\nc.d_fff = 1;\nreturn t5_new(c);\n", LANGUAGE_CHECK, "d_fff");
    fails("while (1) {\n}\nreturn t5_new(t5_small());\n", LANGUAGE_LIMIT, "test.c:");
}

static void a_source_without_model_is_refused(void)
{
    static const char *const sources[] = {
        "#include \"phoenix.h\"\n",
        "#include \"phoenix.h\"\nint model(void)\n{\n    return 1;\n}\n",
        "#include \"phoenix.h\"\nt5 *other(void)\n{\n    return t5_new(t5_small());\n}\n",
        ("#include \"phoenix.h\"\nt5 *model(int n)\n{\n    t5_config c = t5_small();\n"
         "    c.d_ff = n;\n    return t5_new(c);\n}\n"),
    };
    evolve_settings settings = tiny();
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        t5_config config;
        language_diagnostic diagnostic;
        language_failure failure =
            source_run_model("test.c", sources[i], strlen(sources[i]), &settings, VOCABULARY,
                             &config, NULL, &diagnostic);
        CHECK((failure == LANGUAGE_CHECK || failure == LANGUAGE_PARSE) && *diagnostic.text,
              "source %zu: failure %d: %s", i, (int)failure, diagnostic.text);
    }
}

/* Layout and comments make no other program. */
static void the_default_source_has_a_normal_form(void)
{
    evolve_settings settings = tiny();
    base_text source = {0}, first = {0}, second = {0};
    t5_config config;
    language_diagnostic diagnostic;
    source_default_source(&source);
    CHECK(source_run_model("a.c", source.data, source.length, &settings, VOCABULARY, &config,
                           &first, &diagnostic) == LANGUAGE_OK,
          "%s", diagnostic.text);
    CHECK(config.num_layers == 2 && config.num_decoder_layers == 2 && config.num_heads == 8 &&
              config.d_ff == 1024 && config.d_kv == 2,
          "the papers' default");
    base_text_print(&source, "/* more */\n\n\n");
    CHECK(source_run_model("b.c", source.data, source.length, &settings, VOCABULARY, &config,
                           &second, &diagnostic) == LANGUAGE_OK,
          "%s", diagnostic.text);
    CHECK(first.length > 0 && strcmp(first.data, second.data) == 0, "%s", second.data);
    base_text_free(&source);
    base_text_free(&first);
    base_text_free(&second);
}

int main(void)
{
    t5_small_is_what_the_library_says();
    every_field_gets_through();
    the_returned_model_counts();
    refusals();
    a_source_without_model_is_refused();
    the_default_source_has_a_normal_form();
    return test_end();
}
