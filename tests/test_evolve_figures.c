/* test_evolve_figures.c -- what is said before a training is what is counted after it. */
#include "evolve/figures.h"
#include "evolve/evaluate.h"
#include "evolve/host.h"
#include "tests/test_evolve.h"

static void same_figures(const char *name, const char *source, const evolve_settings *settings)
{
    base_error error = {""};
    t5_config config;
    refine_diagnostic diagnostic;
    evolve_figures figures = {0};
    t5_tokenizer *tokenizer = evolve_tokenizer(settings, &error);
    CHECK(tokenizer != NULL, "%s: %s", name, error.text);
    CHECK(evolve_run_model("test.c", source, strlen(source), settings, t5_tokenizer_size(tokenizer),
                           &config, NULL, &diagnostic) == REFINE_OK,
          "%s: %s", name, diagnostic.text);
    evolve_pairs *pairs = evolve_pairs_new(settings, tokenizer, &error);
    CHECK(pairs && evolve_figures_of(&config, pairs, settings, &figures, &error), "%s: %s", name,
          error.text);
    evolve_pairs_free(pairs);
    evolve_score score;
    evolve_evaluate("test.c", source, strlen(source), settings, 1, &score);
    CHECK(score.status == EVOLVE_OK, "%s: %s", name, score.reason);
    CHECK(figures.parameters == score.parameters && figures.steps == score.steps,
          "%s: %d parameters, %d steps", name, (int)figures.parameters, (int)figures.steps);
    CHECK(figures.flops == score.flops, "%s: %lld operations planned, %lld counted", name,
          (long long)figures.flops, (long long)score.flops);
    CHECK(figures.peak_bytes == score.peak_bytes, "%s: %lld bytes planned, %lld counted", name,
          (long long)figures.peak_bytes, (long long)score.peak_bytes);
    evolve_score_free(&score);
    t5_tokenizer_free(tokenizer);
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
        same_figures(sources[i].name, tiny_source(48, sources[i].line), &settings);
    settings.clip = 1;
    settings.smoothing = 0.1;
    same_figures("clipped, smoothed", tiny_source(48, ""), &settings);
    settings.few_shot = settings.batch = 64; /* more than a slice of t5_step holds */
    same_figures("in slices", tiny_source(48, ""), &settings);
    return test_end();
}
