/* SPDX-License-Identifier: MIT */
/* test_evaluate.c -- one source's score: the same bytes every time, a status for whatever
 * can go wrong with a source, and a result that nothing but itself passes for. */
#include "evolve/score/evaluate.h"
#include "base/seal.h"
#include "evolve/source/host.h"
#include "evolve/loop/journal.h"
#include "tests/evolve/test_evolve.h"
#include "tests/evolve/test_score.h"

#include <math.h>

static void evaluate(const char *source, const evolve_settings *settings, int threads,
                     score_result *score)
{
    *score = score_text(source, (score_request){.settings = settings, .threads = threads});
}

static void a_score_is_what_was_lost(void)
{
    evolve_settings settings = tiny_settings();
    score_result score;
    settings.few_shot = 20; /* 8 + 8 + 4 pairs */
    evaluate(tiny_source(64, ""), &settings, 1, &score);
    CHECK(score.status == SCORE_OK && !*score.reason, "%s", score.reason);
    CHECK(score.steps == 3 && score.losses, "%d steps", (int)score.steps);
    double least = INFINITY, most = 0;
    for (int i = 0; i < score.steps; i++) {
        least = fmin(least, (double)score.losses[i]);
        most = fmax(most, (double)score.losses[i]);
    }
    /* Nothing is learnt in 3 steps: about log 340 = 5.8 a token, some 20 tokens a pair. */
    CHECK(least > 3 && most < 12, "losses from %g to %g", least, most);
    CHECK(score.score >= least && score.score <= most, "%g is no mean of %g to %g", score.score,
          least, most);
    CHECK(score.score_pair > 5 * score.score && score.score_pair < 300 * score.score,
          "%g a pair, %g a token", score.score_pair, score.score);
    /* embedding 16 V + 2 attention tables of 32 x 2 + encoder and decoder blocks */
    int64_t blocks = 3 * 4 * 16 * 16 + 2 * 2 * 16 * 64 + (2 + 1 + 3 + 1) * 16 + 2 * 32 * 2;
    CHECK((score.parameters - blocks) % 16 == 0 && score.parameters - blocks >= 16 * 259 &&
              score.parameters - blocks <= 16 * settings.vocabulary,
          "%d parameters", (int)score.parameters);
    /* A multiply-add is 2; a token's weights are used three times: forward, and twice backward. */
    CHECK(score.flops > 6 * score.parameters && score.peak_bytes > 4 * score.parameters * 4,
          "%g flops, %g bytes", (double)score.flops, (double)score.peak_bytes);
    score_free(&score);
}

static void the_same_bytes_every_time(void)
{
    static const char *const lines[] = {"", "    config.dropout_rate = 0.1;\n",
                                        "    config.feed_forward_proj = FEED_FORWARD_GATED_GELU;\n",
                                        "    config.tie_word_embeddings = 0;\n"};
    evolve_settings settings = tiny_settings();
    char *first = NULL;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const char *source = tiny_source(64, lines[i]);
        char *runs[3];
        for (int k = 0; k < 3; k++) {
            score_result score;
            evaluate(source, &settings, k == 2 ? 2 : 1, &score);
            CHECK(score.status == SCORE_OK, "%s", score.reason);
            runs[k] = members_of(&score);
            score_free(&score);
        }
        CHECK(strcmp(runs[0], runs[1]) == 0, "%s\n%s", runs[0], runs[1]);
        CHECK(strcmp(runs[0], runs[2]) == 0, "2 threads: %s\n%s", runs[0], runs[2]);
        CHECK(!first || strcmp(first, runs[0]) != 0, "%s makes no difference", lines[i]);
        free(runs[1]);
        free(runs[2]);
        if (first)
            free(runs[0]);
        else
            first = runs[0];
    }
    free(first);
}

/* What a score depends on changes it; what it does not depend on does not. */
static void settings_of_the_score(void)
{
    static const struct {
        const char *name, *value;
        bool matters;
    } cases[] = {
        {"seed", "2", true},          {"data-seed", "2", true},   {"first-pair", "8", true},
        {"rate", "0.01", true},       {"batch", "4", true},       {"few-shot", "24", true},
        {"optimizer", "sgd", true},   {"clip", "0.01", true},     {"warmup", "2", true},
        {"vocabulary", "300", true},  {"samples", "8", false},    {"episodes", "9", false},
        {"temperature", "2", false},  {"deadline", "9", false},   {"memory", "512", false},
        {"schedule", "cosine", true}, {"weight-decay", "1", true}};
    evolve_settings standard = tiny_settings();
    score_result score;
    standard.few_shot = 32; /* 4 steps, so that the second rate of a schedule shows */
    evaluate(tiny_source(64, ""), &standard, 1, &score);
    char *want = members_of(&score);
    score_free(&score);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        evolve_settings settings = standard;
        base_error error = {""};
        CHECK(evolve_settings_set(&settings, cases[i].name, cases[i].value, &error), "%s",
              error.text);
        evaluate(tiny_source(64, ""), &settings, 1, &score);
        char *got = members_of(&score);
        CHECK(score.status == SCORE_OK && (strcmp(got, want) != 0) == cases[i].matters, "--%s %s",
              cases[i].name, cases[i].value);
        free(got);
        score_free(&score);
    }
    free(want);
}

static void the_default_source_has_a_score(void)
{
    evolve_settings settings = tiny_settings();
    base_text source = {0};
    score_result score;
    source_default_source(&source);
    evaluate(source.data, &settings, 1, &score);
    CHECK(score.status == SCORE_OK && score.score > 3 && score.score < 12, "%s, %g", score.reason,
          score.score);
    score_free(&score);
    base_text_free(&source);
}

static void fails(const char *source, const evolve_settings *settings, score_status want,
                  const char *piece)
{
    score_result score;
    evaluate(source, settings, 1, &score);
    CHECK(score.status == want && *score.reason && strstr(score.reason, piece) &&
              !strchr(score.reason, '\n'),
          "%s: \"%s\", want %s with \"%s\"", score_status_name(score.status), score.reason,
          score_status_name(want), piece);
    CHECK(score.score == 0 && !score.losses, "a failure has a score");
    score_free(&score);
}

static void every_failure_has_its_status(void)
{
    evolve_settings settings = tiny_settings();
    fails("", &settings, SCORE_PARSE, "test.c");
    fails("hello\n", &settings, SCORE_PARSE, "test.c:1:1: ");
    fails(tiny_source(64, "    config.d_ff = ;\n"), &settings, SCORE_PARSE, "test.c:11:");
    fails(tiny_source(64, "    \x01\xff\n"), &settings, SCORE_PARSE, "test.c:11:");
    fails(tiny_source(64, "    config.nothing = 1;\n"), &settings, SCORE_CHECK, "test.c:11:");
    fails(tiny_source(64, "    nothing();\n"), &settings, SCORE_CHECK, "nothing");
    fails("#include \"phoenix.h\"\n", &settings, SCORE_CHECK, "model");
    fails(tiny_source(64, "    config.d_ff = config.d_ff / (config.num_layers - 1);\n"), &settings,
          SCORE_RUN, "test.c:11:");
    fails(tiny_source(0, ""), &settings, SCORE_RUN, "d_ff");
    fails(tiny_source(64, "    while (config.d_ff > 0) {\n    }\n"), &settings, SCORE_LIMIT,
          "test.c:11:");
    fails(tiny_source(16000000, ""), &settings, SCORE_LIMIT, "parameters");

    settings.memory = 16;
    settings.few_shot = settings.batch = 512;
    fails(tiny_source(2048, ""), &settings, SCORE_LIMIT, "step memory");
    settings.batch = 2; /* a step fits, but not with weights, gradients and the optimizer's state */
    fails(tiny_source(10000, ""), &settings, SCORE_LIMIT, " MiB: at most 16 in this run");
    settings = tiny_settings();
    settings.max_flops = 1e6;
    fails(tiny_source(64, ""), &settings, SCORE_LIMIT, " operations: at most 1e+06 in this run");

    /* Weights times 1 - 10 each step: infinite within 64 steps. */
    settings = tiny_settings();
    settings.few_shot = 64;
    settings.batch = 1;
    settings.optimizer = NN_ADAMW;
    settings.rate = 10;
    settings.weight_decay = 1;
    fails(tiny_source(64, ""), &settings, SCORE_RUN, "gradients are not numbers");
}

static score_question question_of(const char *source, const evolve_settings *settings)
{
    return (score_question){source, strlen(source), settings, 0, NULL};
}

/* A result, printed and read back; then printed again: the same. */
static void round_trip(const score_result *score, const char *source)
{
    const evolve_settings settings = tiny_settings();
    const score_question question = question_of(source, &settings);
    base_text line = {0};
    base_error error = {""};
    score_result back;
    score_result_print(score, &question, &line);
    CHECK(line.data[line.length - 1] == '\n' && strlen(line.data) == line.length &&
              strchr(line.data, '\n') == line.data + line.length - 1,
          "one line: %s", line.data);
    CHECK(score_result_read(&back, line.data, line.length, &question, &error), "%s: %s", error.text,
          line.data);
    char *want = members_of(score), *got = members_of(&back);
    CHECK(strcmp(want, got) == 0, "%s\n%s", want, got);
    free(want);
    free(got);
    score_free(&back);
    base_text_free(&line);
}

static void results_are_read_back(void)
{
    evolve_settings settings = tiny_settings();
    score_result score;
    const char *source = tiny_source(64, "");
    evaluate(source, &settings, 1, &score);
    round_trip(&score, source);
    score_free(&score);
    evaluate("hello \"\\\x01\n", &settings, 1, &score);
    round_trip(&score, "hello \"\\\x01\n");

    for (int status = SCORE_PARSE; status < SCORE_STATUSES; status++) {
        score = (score_result){.status = (score_status)status, .seconds = 1e9};
        snprintf(score.reason, sizeof score.reason, "why, \"%d\"", status);
        round_trip(&score, "x");
        for (int other = 0; other < status; other++)
            CHECK(strcmp(score_status_name((score_status)status),
                         score_status_name((score_status)other)) != 0,
                  "two of the name %s", score_status_name((score_status)status));
    }
    float losses[] = {0, 1e-30f, 3.14159274f, 1e30f};
    score = (score_result){.score = 1.0 / 3, .score_pair = 1e-9, .losses = losses, .steps = 4};
    round_trip(&score, "x");
}

static bool reads(const char *output, size_t size, const char *source, base_error *error)
{
    score_result score;
    const evolve_settings settings = tiny_settings();
    const score_question question = question_of(source, &settings);
    error->text[0] = '\0';
    bool ok = score_result_read(&score, output, size, &question, error);
    if (!ok)
        CHECK(*error->text && !strchr(error->text, '\n'), "no reason: \"%s\"", error->text);
    score_free(&score);
    return ok;
}

/* A truncation or a changed byte is refused, but for the digits of `seconds`, which the driver does
 * not use; then the rest is what it was. */
static void changed_results_are_refused(void)
{
    evolve_settings settings = tiny_settings();
    const char *source = tiny_source(64, "");
    base_error error;
    base_text line = {0};
    score_result score;
    evaluate(source, &settings, 1, &score);
    const score_question question = question_of(source, &settings);
    score_result_print(&score, &question, &line);
    char *want = members_of(&score);
    size_t seconds = (size_t)(strstr(line.data, "\"seconds\":") - line.data);
    for (size_t size = 0; size < line.length; size++)
        CHECK(!reads(line.data, size, source, &error), "cut after %zu bytes", size);
    int passed = 0;
    for (size_t i = 0; i < line.length; i++) {
        char was = line.data[i];
        for (int bit = 0; bit < 9; bit++) {
            line.data[i] = bit < 8 ? (char)(was ^ 1 << bit) : '\n';
            if (line.data[i] == was)
                continue;
            score_result other;
            if (score_result_read(&other, line.data, line.length, &question, &error)) {
                char *got = members_of(&other);
                passed++;
                CHECK(i > seconds && strcmp(got, want) == 0, "byte %zu made 0x%02x passes", i,
                      (unsigned)(unsigned char)line.data[i]);
                free(got);
                score_free(&other);
            }
        }
        line.data[i] = was;
    }
    CHECK(passed < 40, "%d changes passed", passed); /* 4 digits have 9 others each */
    CHECK(reads(line.data, line.length, source, &error), "%s", error.text);
    free(want);
    score_free(&score);
    base_text_free(&line);
}

#define SIXTEEN "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1"

/* Whole and sealed, and yet no result of this source. */
static void other_results_are_refused(void)
{
    const char *source = tiny_source(64, "");
    evolve_settings settings = tiny_settings();
    score_question question = question_of(source, &settings);
    base_text head = {0}; /* of any result of that question */
    score_result score, nothing = {.status = SCORE_RUN};
    score_result_print(&nothing, &question, &head);
    int asked = (int)(strstr(head.data, "\"status\"") - head.data);
    base_error error;
    static const char good[] = "\"status\":\"ok\",\"reason\":\"\",\"parameters\":1,\"flops\":1,"
                               "\"peak_bytes\":1,\"score\":1,\"score_pair\":2,\"losses\":[1]";
    static const struct {
        const char *from, *to;
        bool ok;
    } cases[] = {
        {"", "", true},
        {"\"status\":\"ok\"", "\"status\":\"OK\"", false},
        {"\"status\":\"ok\"", "\"status\":1", false},
        {"\"status\":\"ok\",", "", false},
        {"\"reason\":\"\",", "", false},
        {"\"parameters\":1", "\"parameters\":-1", false},
        {"\"parameters\":1", "\"parameters\":1.5", false},
        {"\"flops\":1,", "", false},
        {"\"peak_bytes\":1", "\"peak_bytes\":\"1\"", false},
        {"\"score\":1", "\"score\":null", false},
        {"\"score\":1", "\"score\":\"0\"", false},
        {"\"score\":1", "\"score\":-1", false}, /* no cross-entropy is below 0 */
        {"\"score_pair\":2", "\"score_pair\":-1e-9", false},
        {"\"score_pair\":2,", "", false},
        {"[1]", "1", false},
        {"[1]", "[\"1\"]", false},
        {"[1]", "[[1]]", false},
        {"[1]", "[]", true},
        {"[1]", "[1],\"score\":0", false}, /* twice */
        {"[1]", "[-1]", false},
        {"[1]", "[1e39]", false},       /* no float */
        {"[1]", "[" SIXTEEN "]", true}, /* a step a pair */
        {"[1]", "[1," SIXTEEN "]", false},
        {"\"reason\":\"\"", "\"reason\":\"why\"", false},
        {"\"parameters\":1", "\"parameters\":20000000", true}, /* --max-parameters */
        {"\"parameters\":1", "\"parameters\":20000001", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        base_text line = {0};
        const char *from = strstr(good, cases[i].from);
        base_text_print(&line, "%.*s%.*s%s%s}", asked, head.data, (int)(from - good), good,
                        cases[i].to, from + strlen(cases[i].from));
        base_seal(&line);
        line.data[--line.length] = '\0';
        base_text_print(&line, ",\"seconds\":0.001}\n");
        CHECK(reads(line.data, line.length, source, &error) == cases[i].ok, "%s for %s: %s",
              cases[i].to, cases[i].from, error.text);
        if (cases[i].ok)
            CHECK(!reads(line.data, line.length, tiny_source(65, ""), &error) &&
                      strstr(error.text, "another source"),
                  "%s", error.text);
        for (int other = 0; cases[i].ok && other < 4; other++) {
            evolve_settings changed = settings; /* a launcher that mixes or keeps results */
            changed.seed += other == 0;
            changed.few_shot += other == 1;
            const score_question another = {source, strlen(source), &changed, other == 2,
                                            other == 3 ? head.data : NULL};
            CHECK(!score_result_read(&score, line.data, line.length, &another, &error) &&
                      strstr(error.text, "other settings"),
                  "%d: %s", other, error.text);
        }
        base_text tail = {0}; /* what stands behind the seal is not believed */
        base_text_print(&tail, "%.*s,\"model\":\"x\"}\n", (int)line.length - 2, line.data);
        CHECK(reads(tail.data, tail.length, source, &error) == cases[i].ok, "%s", error.text);
        base_text_free(&tail);
        base_text twice = {0};
        base_text_print(&twice, "%s%s", line.data, line.data);
        CHECK(!reads(twice.data, twice.length, source, &error), "twice");
        base_text_free(&twice);
        base_text_free(&line);
    }
    base_text_free(&head);
    static const char *const garbage[] = {
        "", "\n", "{}\n", "[]\n", "null\n", "ok\n", ",\"seconds\":1}\n", "{,\"seconds\":1}\n"};
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++)
        CHECK(!reads(garbage[i], strlen(garbage[i]), source, &error), "%s", garbage[i]);
    CHECK(!reads(NULL, 0, source, &error), "nothing");
}

int main(void)
{
    a_score_is_what_was_lost();
    the_same_bytes_every_time();
    settings_of_the_score();
    the_default_source_has_a_score();
    every_failure_has_its_status();
    results_are_read_back();
    changed_results_are_refused();
    other_results_are_refused();
    return test_end();
}
