/* SPDX-License-Identifier: MIT */
/* test_cost.c -- what is said before a training is what is counted after it. */
#include "evolve/score/cost.h"
#include "evolve/score/evaluate.h"
#include "evolve/source/host.h"
#include "tests/evolve/test_evolve.h"
#include "tests/evolve/test_score.h"

static score_cost planned(const char *source, const evolve_settings *settings, bool *known)
{
    base_error error = {""};
    language_diagnostic diagnostic = {.text = ""};
    score_cost cost = {0};
    t5_tokenizer *tokenizer = source_tokenizer(settings, &error);
    source_pairs *pairs = tokenizer ? source_pairs_new(settings, tokenizer, &error) : NULL;
    language_program *program = source_parse("test.c", source, strlen(source), &diagnostic);
    CHECK(pairs && program, "%s%s:\n%s", error.text, diagnostic.text, source);
    if (!program)
        exit(test_end());
    source_executor executor = source_interpreter(program);
    CHECK(score_cost_of_source(&executor, tokenizer, pairs, settings, &cost, known, &error), "%s",
          error.text);
    language_program_free(program);
    source_pairs_free(pairs);
    t5_tokenizer_free(tokenizer);
    return cost;
}

static void same_cost(const char *name, const char *source, const evolve_settings *settings)
{
    bool known;
    score_result score;
    score_cost cost = planned(source, settings, &known);
    score = score_text(source, (score_request){.settings = settings});
    CHECK(known && score.status == SCORE_OK, "%s: %s", name, score.reason);
    CHECK(cost.parameters == score.parameters && cost.steps == score.steps,
          "%s: %d parameters, %d steps", name, (int)cost.parameters, (int)cost.steps);
    CHECK(cost.flops == score.flops, "%s: %lld operations planned, %lld counted", name,
          (long long)cost.flops, (long long)score.flops);
    CHECK(cost.peak_bytes == score.peak_bytes, "%s: %lld bytes planned, %lld counted", name,
          (long long)cost.peak_bytes, (long long)score.peak_bytes);
    score_free(&score);
}

/* ---- trainings of the source's own ---- */

/* Sources of that scope's grammar: what can be said of them is what is counted, and what cannot, or
 * fails, is left to the training. */
static void sources_of_the_grammar(evolve_scope scope)
{
    evolve_settings settings = tiny_settings();
    settings.few_shot = 20;
    tiny_scope(&settings, scope);
    mutation_mutator mutator = evolve_mutator(&settings);
    base_random random = {.seed = 7, .stream = (uint64_t)scope};
    const int sources = TEST_SANITIZED ? 4 : 8;
    int told = 0;
    for (int i = 0; i < sources; i++) {
        base_text text = {0};
        bool known;
        mutation_form form = mutator.kind->draw(&mutator, &random);
        mutator.kind->print(&mutator, &form, &text);
        score_cost f = planned(text.data, &settings, &known);
        score_result score = score_text(text.data, (score_request){.settings = &settings});
        if (known && score.status == SCORE_OK) {
            told++;
            CHECK(f.flops == score.flops && f.steps == score.steps &&
                      f.parameters == score.parameters,
                  "%lld of %lld operations, %lld of %lld steps:\n%s", (long long)f.flops,
                  (long long)score.flops, (long long)f.steps, (long long)score.steps, text.data);
            CHECK(scope <= EVOLVE_LEARNING || f.peak_bytes == score.peak_bytes,
                  "%lld bytes planned, %lld counted:\n%s", (long long)f.peak_bytes,
                  (long long)score.peak_bytes, text.data);
        }
        score_free(&score);
        base_text_free(&text);
    }
    CHECK(2 * told >= sources, "scope %d: %d of %d sources can be planned", (int)scope, told,
          sources);
}

/* Five steps of 4 pairs. */
#define TRAIN(BODY)                                             \
    "void train(t5 *model, dataset *data)\n{\n"                 \
    "    optimizer *o = adamw(model, 0.9, 0.999, 1e-8, 0.0);\n" \
    "    objective loss = cross_entropy();\n"                   \
    "    for (int step = 0; step < 5; step++) {\n"              \
    "        batch *b = next(data, 4);\n" BODY "        update(o, 0.001);\n    }\n}\n"

static void losses_may_decide(void)
{
    static const char *const goes_by[] = {
        TRAIN("        if (learn(model, b, loss) < 3.0)\n            return;\n"),
        TRAIN("        learn(model, b, loss);\n        if (clip(model, 1.0) > 5.0)\n"
              "            return;\n"),
        TRAIN("        learn(model, b, loss);\n        int n = 1 / (step - 3);\n"
              "        if (n > 0)\n            return;\n")};
    evolve_settings settings = tiny_settings();
    settings.few_shot = 20;
    tiny_scope(&settings, EVOLVE_ALL);
    for (size_t i = 0; i < sizeof goes_by / sizeof *goes_by; i++) {
        char source[4096];
        bool known = true;
        snprintf(source, sizeof source, "%s%s", tiny_source(48, ""), goes_by[i]);
        planned(source, &settings, &known);
        CHECK(!known, "what source %d takes cannot be known", (int)i);
    }
}

/* A training beyond the budget is refused before it begins. */
static void too_much_is_refused_before(void)
{
    evolve_settings settings = tiny_settings();
    settings.few_shot = 20;
    tiny_scope(&settings, EVOLVE_ALL);
    char source[4096];
    bool known = false;
    snprintf(source, sizeof source, "%s%s", tiny_source(48, ""),
             TRAIN("        learn(model, b, loss);\n"));
    score_cost f = planned(source, &settings, &known);
    CHECK(known && f.steps == 5 && f.flops > 0, "%d steps", (int)f.steps);
    for (int less = 0; less < 2; less++) {
        score_result score;
        settings.max_flops = (double)(f.flops - less);
        score = score_text(source, (score_request){.settings = &settings});
        CHECK(score.status == (less ? SCORE_LIMIT : SCORE_OK), "%s", score.reason);
        CHECK(!less || (strstr(score.reason, "operations: at most") && score.steps == 0), "%s",
              score.reason);
        score_free(&score);
    }
}

int main(void)
{
    static const struct {
        const char *name, *line;
    } sources[] = {{"plain", ""},
                   {"dropout", "    config.dropout_rate = 0.1;\n"},
                   {"gated", "    config.feed_forward_proj = FEED_FORWARD_GATED_GELU;\n"},
                   {"gelu", "    config.feed_forward_proj = FEED_FORWARD_GELU;\n"},
                   {"untied", "    config.tie_word_embeddings = 0;\n"},
                   {"deeper", "    config.num_layers = 3;\n"}};
    evolve_settings settings = tiny_settings();
    settings.few_shot = 20;
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        same_cost(sources[i].name, tiny_source(48, sources[i].line), &settings);
    settings.clip = 1;
    settings.smoothing = 0.1;
    same_cost("clipped, smoothed", tiny_source(48, ""), &settings);
    settings.few_shot = settings.batch = 64; /* more than a slice of t5_step holds */
    same_cost("in slices", tiny_source(48, ""), &settings);
    for (evolve_scope scope = EVOLVE_LEARNING; scope <= EVOLVE_ALL; scope++)
        sources_of_the_grammar(scope);
    losses_may_decide();
    too_much_is_refused_before();
    return test_end();
}
