/* SPDX-License-Identifier: MIT */
/* test_texts.c -- pairs of one's own: how a file is divided, what is refused and how it is said; a training
 * on them, which ends with the weights of its lowest validation loss, interrupted or not; and what is said
 * of the model, held against what it writes. */
#include "evolve/loop/stage.h"
#include "evolve/source/host.h"
#include "evolve/source/prequential.h"
#include "tests/evolve/test_evolve.h"

static const evolve_options named = {.pairs = "f.jsonl"};

static evolve_settings settings_of_pairs(void)
{
    evolve_settings settings = tiny_settings();
    CHECK(evolve_settings_task(&settings, "pairs", NULL), "there is no such task");
    settings.vocabulary = T5_LEAST_TOKENS;
    return settings;
}

/* ---- the file ---- */

/* 200 pairs, each second source twice. */
static base_text file_of(int pairs)
{
    base_text text = {0};
    for (int i = 0; i < pairs; i++)
        base_text_print(&text, "{\"source\": \"s%d\", \"other\": [1, {}], \"target\": \"t%d\"}%s",
                        i / 2 * 2, i, i % 3 ? "\r\n" : "\n");
    return text;
}

static void equal_sources_are_in_one_part(void)
{
    base_error error = {""};
    evolve_settings settings = settings_of_pairs();
    base_text text = file_of(200);
    source_texts *t = source_texts_parse(text.data, text.length, &named, &settings, &error);
    CHECK(t, "%s", error.text);
    bool seen[201] = {false};
    int part_of[200];
    memset(part_of, -1, sizeof part_of);
    for (int part = 0; t && part < SOURCE_PARTS; part++) {
        int64_t count = source_texts_count(t, (source_part)part);
        CHECK(part == SOURCE_TRAINING ? count == 168 : count == 16, "part %d: %d", part,
              (int)count);
        for (int64_t i = 0; i < count; i++) {
            const source_text_pair *p = source_texts_pair(t, (source_part)part, (uint64_t)i);
            int source = atoi(p->source + 1), target = atoi(p->target + 1);
            CHECK(p->line == target + 1 && source == target / 2 * 2 && !seen[target],
                  "line %d: %s, %s", p->line, p->source, p->target);
            CHECK(part_of[source] == -1 || part_of[source] == part, "%s is in two parts",
                  p->source);
            seen[target] = true;
            part_of[source] = part;
            CHECK(source_texts_pair(t, (source_part)part, (uint64_t)(i + 3 * count)) == p,
                  "no cycle");
        }
    }
    /* Whatever the order of the lines: the file backwards has the same parts. */
    base_text backwards = {0};
    for (int i = 199; i >= 0; i--)
        base_text_print(&backwards, "{\"source\": \"s%d\", \"target\": \"t%d\"}\n", i / 2 * 2, i);
    source_texts *b =
        source_texts_parse(backwards.data, backwards.length - 1, &named, &settings, &error);
    CHECK(b, "%s", error.text);
    for (int i = 0; t && b && i < 200; i++)
        CHECK(strcmp(t->pairs[i].source, b->pairs[i].source) == 0, "%d: %s, %s", i,
              t->pairs[i].source, b->pairs[i].source);
    settings.few_shot = 1000;
    source_texts_settle(t, &settings);
    CHECK(settings.few_shot == 168, "%d", (int)settings.few_shot);
    source_texts_free(t);
    source_texts_free(b);
    base_text_free(&text);
    base_text_free(&backwards);
}

static void what_is_no_pair_is_named(void)
{
    const struct {
        const char *text, *error;
    } cases[] = {
        {"", "f.jsonl: expected pairs with at least three different sources"},
        {"{\"source\":\"a\",\"target\":\"b\"}\n", "at least three different sources"},
        /* a byte order mark and lines without anything are passed over */
        {"\xef\xbb\xbf\n{\"source\":\"a\",\"target\":\"b\"}\r\n \t\r\n\n",
         "at least three different sources"},
        {"\n{\"source\":\"a\"\n", "f.jsonl:2:14: expected"},
        {"[\r\n{\"source\":\"a\",\"target\":\"b\"},\n",
         "f.jsonl:1: expected an object on each line (JSON Lines)"},
        {"{\"source\":\"a\",\"target\":\"b\"}\n{\"source\":\"a\" 1}\n", "f.jsonl:2:15: expected"},
        {"[\"a\",\"b\"]\n", "f.jsonl:1: expected an object"},
        {"{\"source\":\"a\"}\n",
         "f.jsonl:1: has no \"target\": it has \"source\" (--target-key names it)"},
        {"{\"source\":1,\"target\":\"b\"}\n", "f.jsonl:1: \"source\": expected a string"},
        {"{\"source\":\"\\u0000\",\"target\":\"b\"}\n",
         "f.jsonl:1: \"source\": expected a string without NUL"},
        {"{\"source\":\"a\",\"source\":\"b\",\"target\":\"b\"}\n", "f.jsonl:1:"},
        {"{\"source\":\"\xff\",\"target\":\"b\"}\n", "f.jsonl:1:12: expected"},
        {"\x1f\x8b\x08\x08....", "f.jsonl:1: is gzip-compressed, expected JSON"},
        {"source,target\na,b\n", "f.jsonl:1:1: expected a value, found 's'"},
    };
    evolve_settings settings = settings_of_pairs();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        base_error error = {""};
        source_texts *t =
            source_texts_parse(cases[i].text, strlen(cases[i].text), &named, &settings, &error);
        CHECK(!t && strstr(error.text, cases[i].error), "%s: want %s", error.text, cases[i].error);
        source_texts_free(t);
    }
    base_error error = {""};
    base_text text = {0};
    base_text_print(&text, "{\"source\":\"");
    for (int i = 0; i < 8192; i++)
        base_text_add(&text, "x", 1);
    base_text_print(&text, "\",\"target\":\"b\"}");
    CHECK(!source_texts_parse(text.data, text.length, &named, &settings, &error) &&
              strstr(error.text, "f.jsonl:1: \"source\": 8192 bytes, expected at most 8191"),
          "%s", error.text);
    const evolve_options same = {.pairs = "f", .source_key = "target"};
    CHECK(!source_texts_parse(text.data, text.length, &same, &settings, &error) &&
              strstr(error.text, "--target-key"),
          "%s", error.text);
    const evolve_options other = {.pairs = "f", .pairs_digest = "00"};
    CHECK(!source_texts_parse(text.data, text.length, &other, &settings, &error) &&
              strstr(error.text, "another file"),
          "%s", error.text);
    source_texts *texts;
    CHECK(!source_texts_of_task(&settings, &(evolve_options){0}, &texts, &error) &&
              strstr(error.text, "--pairs FILE was expected"),
          "%s", error.text);
    settings = tiny_settings();
    CHECK(!source_texts_of_task(&settings, &named, &texts, &error) && strstr(error.text, "--pairs"),
          "%s", error.text);
    base_text_free(&text);
}

static void keys_are_by_option(void)
{
    base_error error = {""};
    const evolve_options keys = {.pairs = "f", .source_key = "en", .target_key = "de"};
    evolve_settings settings = settings_of_pairs();
    static const char text[] =
        "{\"en\":\"a\",\"de\":\"\xc3\xa4\",\"source\":1}\n{\"en\":\"b\",\"de\":\"\"}\n"
        "{\"en\":\"\\u00e9\",\"de\":\"\\n\"}";
    source_texts *t = source_texts_parse(text, sizeof text - 1, &keys, &settings, &error);
    CHECK(t, "%s", error.text);
    for (int i = 0; t && i < 3; i++) {
        static const char *const want[3][2] = {{"a", "\xc3\xa4"}, {"b", ""}, {"\xc3\xa9", "\n"}};
        const source_text_pair *p = &t->pairs[i];
        CHECK(strcmp(p->source, want[p->line - 1][0]) == 0 &&
                  strcmp(p->target, want[p->line - 1][1]) == 0,
              "%s, %s", p->source, p->target);
    }
    source_texts_free(t);
}

/* ---- a training ---- */

static volatile sig_atomic_t stop;

static void say(void *user, const char *text) { (void)user, (void)text; }

static void progress(void *user, const char *what, int64_t done, int64_t total, const char *detail)
{
    (void)user, (void)what, (void)done, (void)total, (void)detail;
}

typedef struct bench {
    evolve_settings settings;
    source_texts *texts;
    t5_tokenizer *tokenizer;
    tensor_context *ctx;
    char source[1024];
} bench;

static bench bench_new(int64_t epochs, double rate)
{
    base_error error = {""};
    bench b = {.settings = settings_of_pairs(), .ctx = tensor_context_new()};
    b.settings.rate = rate;
    b.settings.final_epochs = epochs;
    b.settings.held_out = 8;
    base_text text = file_of(64);
    b.texts = source_texts_parse(text.data, text.length, &named, &b.settings, &error);
    CHECK(b.texts, "%s", error.text);
    b.settings = source_settings_of_texts(b.texts, &b.settings);
    b.tokenizer = source_texts_tokenizer(b.texts, &b.settings, &error);
    CHECK(b.tokenizer, "%s", error.text);
    snprintf(b.source, sizeof b.source, "%s", tiny_source(64, ""));
    base_text_free(&text);
    return b;
}

static void bench_free(bench *b)
{
    source_texts_free(b->texts);
    t5_tokenizer_free(b->tokenizer);
    tensor_context_free(b->ctx);
}

static bool run(const bench *b, const char *folder, loop_stage_result *result, base_error *error)
{
    static const loop_watch watch = {.say = say, .progress = progress};
    loop_stage stage = tiny_stage(&b->settings, b->source, b->tokenizer, b->ctx, folder);
    stage.texts = b->texts;
    stage.stop = &stop;
    stage.watch = &watch;
    return loop_stage_run(&stage, result, error);
}

/* A rate that ruins the model stops it early, and what it leaves is the model before that. */
static void it_stops_at_the_lowest_loss(void)
{
    base_error error = {""};
    loop_stage_result high, low;
    bench b = bench_new(40, 10), c = bench_new(2, 0.01);
    b.settings.schedule = NN_CONSTANT;
    CHECK(run(&b, at("high"), &high, &error), "%s", error.text);
    CHECK(high.epochs == high.lowest + 1 + 20 && high.steps == (high.epochs * 13 + 1) / 2,
          "%d epochs, %d, %d steps", (int)high.epochs, (int)high.lowest, (int)high.steps);
    t5_model_free(high.model);
    CHECK(run(&c, at("low"), &low, &error), "%s", error.text);
    CHECK(low.epochs == 2 && low.lowest == 1 && low.steps == 13, "%d epochs, %d", (int)low.epochs,
          (int)low.lowest);
    CHECK(low.texts[SOURCE_HELD].pairs == 6 && low.texts[SOURCE_TRAINING].pairs == 6, "%d",
          (int)low.texts[SOURCE_HELD].pairs);
    t5_model_free(low.model);
    bench_free(&b);
    bench_free(&c);
}

/* The best weights and the losses of epochs are part of a checkpoint: stopped after every step or never,
 * the files are the same. */
static void interruptions_change_nothing(void)
{
    static const char *const names[] = {"losses.csv", "model/config.json",
                                        "model/model.safetensors", "model/tokenizer.json",
                                        "model/form"};
    base_error error = {""};
    loop_stage_result whole, result;
    bench b = bench_new(9, 0.3);
    CHECK(run(&b, at("whole"), &whole, &error), "%s", error.text);
    stop = 1;
    bool going = true;
    for (int i = 0; i < 100 && going; i++) {
        going = !run(&b, at("often"), &result, &error);
        CHECK(!going || !*error.text, "%s", error.text);
        if (going && i == 30)
            stop = 0;
    }
    stop = 0;
    CHECK(!going, "it did not end");
    if (going)
        return;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char paths[2][1024];
        snprintf(paths[0], sizeof paths[0], "%s/%s", at("whole"), names[i]);
        snprintf(paths[1], sizeof paths[1], "%s/%s", at("often"), names[i]);
        CHECK(same_files(paths[0], paths[1]), "%s differs", names[i]);
    }
    CHECK(result.lowest == whole.lowest && result.epochs == whole.epochs &&
              memcmp(result.texts, whole.texts, sizeof whole.texts) == 0,
          "other measurements");
    t5_model_free(whole.model);
    t5_model_free(result.model);
    bench_free(&b);
}

/* As many held-out texts as are said to match come out token for token when the model writes them, the
 * likeliest token each time; the loss is that of source_measure_pairs. */
static void what_matches_is_what_is_written(void)
{
    base_error error = {""};
    loop_stage_result result;
    bench b = bench_new(60, 0.02);
    CHECK(run(&b, at("matched"), &result, &error), "%s", error.text);
    const score_texts *t = &result.texts[SOURCE_TRAINING];
    int exact = 0;
    for (uint64_t i = 0; i < 6; i++) {
        int ids[T5_MOST_SOURCE];
        const source_text_pair *p = source_texts_pair(b.texts, SOURCE_TRAINING, i);
        t5_request request = {.source = ids,
                              .source_count = t5_tokenize(b.tokenizer, p->source, strlen(p->source),
                                                          ids, T5_MOST_SOURCE),
                              .count = 1,
                              .most = 24,
                              .sampling = t5_sampling_default()};
        t5_sample sample;
        request.sampling.greedy = true;
        base_text text = {0};
        CHECK(t5_generate(result.model, &request, &sample, &error), "%s", error.text);
        t5_detokenize(b.tokenizer, sample.ids, sample.count, &text);
        exact += strcmp(text.data, p->target) == 0;
        t5_samples_free(&sample, 1);
        base_text_free(&text);
    }
    CHECK(t->exact == exact && t->pairs == 6 && t->right <= t->tokens && t->right >= 3 * t->exact,
          "said %d, written %d of %d", (int)t->exact, exact, (int)t->pairs);
    CHECK(exact > 0 && exact < 6, "%d of 6 shows nothing", exact);

    const source_goal none = {0};
    source_sum sum = {0};
    source_pairs *pairs = source_pairs_of(b.texts, &b.settings, b.tokenizer, &error);
    CHECK(source_measure_pairs(result.model, pairs, NULL, SOURCE_HELD_OUT, 6, &none, &sum, &error),
          "%s", error.text);
    const score_texts *held = &result.texts[SOURCE_HELD];
    CHECK(sum.tokens == held->tokens && sum.loss - held->loss < 1e-9 &&
              held->loss - sum.loss < 1e-9,
          "%.17g, %.17g", sum.loss, held->loss);
    base_text json = {0};
    score_texts_print(held, &json);
    CHECK(strstr(json.data, "{\"pairs\":6,\"tokens\":") && strstr(json.data, "\"exact\":"), "%s",
          json.data);
    score_texts again;
    base_json *object = base_json_parse(json.data, json.length, "json", &error);
    CHECK(score_texts_read(&again, object, &error) && again.exact == held->exact &&
              again.right == held->right && again.tokens == held->tokens &&
              again.loss - held->loss < 1e-9 && held->loss - again.loss < 1e-9,
          "%s", json.data);
    base_json_free(object);
    base_text_free(&json);
    source_pairs_free(pairs);
    t5_model_free(result.model);
    bench_free(&b);
}

/* What a run asks for by index comes from the part that it means. */
static void indexes_lie_in_parts(void)
{
    base_error error = {""};
    bench b = bench_new(1, 0.01);
    source_pairs *pairs = source_pairs_of(b.texts, &b.settings, b.tokenizer, &error);
    const struct {
        uint64_t first;
        source_part part;
    } cases[] = {{0, SOURCE_TRAINING},
                 {SOURCE_HELD_OUT, SOURCE_HELD},
                 {SOURCE_DECIDING, SOURCE_VALIDATION},
                 {SOURCE_DECIDING_FRESH, SOURCE_HELD},
                 {SOURCE_FRESH, SOURCE_TRAINING}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        for (uint64_t i = 0; i < 100; i++) {
            int ids[64];
            t5_batch batch = {0};
            const source_text_pair *p = source_texts_pair(b.texts, cases[c].part, i);
            int count = t5_tokenize(b.tokenizer, p->source, strlen(p->source), ids, 64);
            CHECK(source_pairs_add(pairs, cases[c].first + i, &batch, NULL, &error), "%s",
                  error.text);
            CHECK(batch.source_rows == count &&
                      memcmp(batch.source_ids, ids, (size_t)count * sizeof *ids) == 0,
                  "case %d, pair %d is another", (int)c, (int)i);
            t5_batch_free(&batch);
        }
    source_pairs_free(pairs);
    bench_free(&b);
}

int main(void)
{
    if (!scratch_make())
        return 1;
    equal_sources_are_in_one_part();
    what_is_no_pair_is_named();
    keys_are_by_option();
    indexes_lie_in_parts();
    it_stops_at_the_lowest_loss();
    interruptions_change_nothing();
    what_matches_is_what_is_written();
    remove_all(scratch);
    return test_end();
}
