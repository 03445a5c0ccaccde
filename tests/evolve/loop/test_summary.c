/* SPDX-License-Identifier: MIT */
/* test_summary.c -- the figures at the end of a run. */
#include "evolve/loop/summary.h"
#include "tests/test.h"

#include <math.h>

/* Values whose mean and deviation are known on paper: 2 4 4 4 5 5 7 9 has mean 5, and squared
 * differences that add up to 32. */
static void mean_and_spread(void)
{
    search_sample sample = {.value = {2, 4, 4, 4, 5, 5, 7, 9}, .count = 8};
    CHECK(search_mean(&sample) == 5, "%g", search_mean(&sample));
    CHECK(fabs(search_spread(&sample) - sqrt(32.0 / 7)) < 1e-15, "%.17g", search_spread(&sample));
    sample.count = 1;
    CHECK(search_mean(&sample) == 2 && search_spread(&sample) == 0, "one value");
    sample.count = 0;
    CHECK(search_mean(&sample) == 0 && search_spread(&sample) == 0, "no value");
    sample = (search_sample){.value = {1.5, 1.5, 1.5}, .count = 3};
    CHECK(search_mean(&sample) == 1.5 && search_spread(&sample) == 0, "no spread");
}

/* 2 4 4 4 5 5 7 9 again: t(7) = 2.365 times sqrt(32 / 7 / 8). */
static void interval(void)
{
    search_sample sample = {.value = {2, 4, 4, 4, 5, 5, 7, 9}, .count = 8};
    CHECK(fabs(search_half_interval(&sample) - 2.365 * sqrt(32.0 / 56)) < 1e-12, "%.17g",
          search_half_interval(&sample));
    sample.count = 2; /* half a difference of 2 */
    CHECK(fabs(search_half_interval(&sample) - 12.706) < 1e-12, "%.17g",
          search_half_interval(&sample));
    sample.count = 1;
    CHECK(search_half_interval(&sample) == 0, "one value");
    for (int i = 0; i < 64; i++)
        sample.value[i] = i % 2;
    sample.count = 64;
    CHECK(fabs(search_half_interval(&sample) / (search_spread(&sample) / 8) - 2.0) < 0.05,
          "64 values");
}

static void funnel(void)
{
    loop_candidate list[] = {
        {.scored = true}, /* the default source, which is none of them */
        {.scored = true},
        {.scored = true, .reused = true},
        {.scored = true, .score.status = SCORE_PARSE},
        {.scored = true, .score.status = SCORE_LIMIT},
        {.scored = true, .episode = 1, .accepted = true},
        {.scored = false},
    };
    const loop_candidates candidates = {list, sizeof list / sizeof *list};
    loop_funnel f = loop_funnel_of(&candidates, 0), all = loop_funnel_of(&candidates, -1);
    CHECK(all.generated == 5 && all.evaluated == 2 && all.accepted == 1, "%d", all.generated);
    CHECK(f.generated == 4 && f.parsed == 3 && f.valid == 2 && f.fresh == 1 && f.evaluated == 1 &&
              f.accepted == 0,
          "%d %d %d %d %d", f.generated, f.parsed, f.valid, f.fresh, f.evaluated);
}

static bool has(const base_text *text, const char *piece)
{
    return text->data && strstr(text->data, piece);
}

static const evolve_settings of_t5s = {.few_shot = 1024, .final_times = 1},
                             of_digits = {.task = 1, .final_times = 4};

static void comparison(void)
{
    const search_sample first = {.value = {2.0, 2.1, 2.2}, .count = 3};
    search_sample last = {.value = {1.5, 1.6, 1.7}, .count = 3};
    base_text text = {0};
    loop_summary_comparison("default", &first, &last, &of_t5s, &text);
    CHECK(has(&text, "1024 fresh pairs, nats a token,\n3 fresh seeds"), "%s", text.data);
    CHECK(has(&text, "few-shot loss on 1024"), "%s", text.data);
    CHECK(has(&text, "2.1000 +- 0.1000  (2.0000 2.1000 2.2000)"), "%s", text.data);
    CHECK(has(&text, "1.6000 +- 0.1000  (1.5000 1.6000 1.7000)"), "%s", text.data);
    CHECK(has(&text, "0.5000 [0.5000, 0.5000] (95 % interval over the seeds)\n"), "%s", text.data);
    base_text_clear(&text);
    last = (search_sample){.value = {1.95, 2.05, 2.15}, .count = 3};
    loop_summary_comparison("default", &first, &last, &of_t5s, &text);
    CHECK(has(&text, "  verdict        better: the whole interval is above 0\n"), "%s", text.data);
    base_text_clear(&text);
    /* gains of 1, 0.1 and -0.8: t(2) = 4.303 times 0.9 / sqrt(3) around 0.1 */
    last = (search_sample){.value = {1.0, 2.0, 3.0}, .count = 3};
    loop_summary_comparison("default", &first, &last, &of_t5s, &text);
    CHECK(has(&text, "0.1000 [-2.1359, 2.3359] (95 % interval") &&
              has(&text, "verdict        not shown to be better: the interval has 0 in it\n"),
          "%s", text.data);
    base_text_clear(&text);
    loop_summary_comparison("default", &last, &first, &of_t5s, &text); /* a loss */
    CHECK(has(&text, "-0.1000 [-2.3359, 2.1359]"), "%s", text.data);
    base_text_clear(&text);
    last = (search_sample){.value = {2.5, 2.6, 2.71}, .count = 3}; /* gains of about -0.5 */
    loop_summary_comparison("default", &first, &last, &of_t5s, &text);
    CHECK(has(&text, "worse: the whole interval is below 0"), "%s", text.data);
    base_text_clear(&text);
    evolve_settings in_full = of_t5s;
    in_full.final_times = 4;
    loop_summary_comparison("default", &first, &last, &in_full, &text);
    CHECK(has(&text, "held-out loss after full training on 4096 fresh pairs"), "%s", text.data);
    base_text_clear(&text);
    const search_sample one = {.value = {0.75}, .count = 1}; /* has no spread */
    last = (search_sample){.value = {0.25}, .count = 1};
    loop_summary_comparison("default", &one, &last, &of_digits, &text);
    CHECK(has(&text, "0.2500\n") && has(&text, "none: one seed says nothing of the spread") &&
              !has(&text, "+-"),
          "%s", text.data);
    base_text_free(&text);
}

/* The last comparison trains on more pairs, within budgets to match and within their ranges, and asks
 * held-out pairs; a candidate of the search is scored as ever. */
static void full_training(void)
{
    const loop_candidate compared = {.kind = LOOP_COMPARED, .share = 1},
                         searched = {.kind = LOOP_EVALUATED, .share = 1};
    evolve_settings settings = {.few_shot = 1000,
                                .final_times = 4,
                                .deadline = 60,
                                .max_flops = 1e12,
                                .score = EVOLVE_LAST_QUARTER};
    evolve_settings own = loop_candidate_settings(&settings, &compared);
    CHECK(own.few_shot == 4000 && own.deadline == 240 && own.max_flops == 4e12 &&
              own.score == EVOLVE_BY_HELD_OUT,
          "%d pairs", (int)own.few_shot);
    own = loop_candidate_settings(&settings, &searched);
    CHECK(own.few_shot == 1000 && own.deadline == 60 && own.score == EVOLVE_LAST_QUARTER,
          "a candidate is another");
    settings.final_times = 1;
    own = loop_candidate_settings(&settings, &compared);
    CHECK(own.few_shot == 1000 && own.score == EVOLVE_LAST_QUARTER, "as for a score");
    settings = (evolve_settings){
        .few_shot = 1000000000, .final_times = 1000, .deadline = 1000000, .max_flops = 1e19};
    own = loop_candidate_settings(&settings, &compared);
    CHECK(own.few_shot == 1000000000 && own.deadline == 1000000 && own.max_flops == 1e19,
          "beyond the settings' ranges");
}

static void table(void)
{
    char none[] = "", change[] = "-     config.d_ff = 1024;\n+     config.d_ff = 1536;\n";
    const loop_episode episodes[] = {
        {.number = 3,
         .parameters = 1234567,
         .before = 2.25,
         .after = 2.125,
         .distance = 1.5,
         .funnel = {16, 12, 11, 10, 9, 1},
         .change = change},
        {.number = 4, .parameters = 7, .before = 2.125, .after = 2.125, .change = none},
    };
    base_text text = {0};
    const loop_words *words = loop_words_of(&of_t5s);
    loop_summary_table(episodes, 2, 3.4567, words, &text);
    CHECK(has(&text, "3.4567 nats a pair"), "%s", text.data);
    CHECK(has(&text, "1234567"), "%s", text.data);
    CHECK(has(&text, "      3  1234567  1.500  2.2500  2.1250\n"), "%s", text.data);
    CHECK(has(&text, "      3   16     12    11  10      9   1\n"), "%s", text.data);
    for (const char *line = text.data; *line; line += strcspn(line, "\n") + 1)
        CHECK(strcspn(line, "\n") <= 80, "wider than 80 columns: %s", line);
    const char *third = strstr(text.data, "episode 3:"), *fourth = strstr(text.data, "episode 4:");
    CHECK(third && fourth && third < fourth, "%s", text.data);
    const char *minus = third ? strstr(third, "-     config.d_ff = 1024;\n") : NULL;
    const char *plus = third ? strstr(third, "+     config.d_ff = 1536;\n") : NULL;
    CHECK(minus && plus && minus < plus && plus < fourth, "%s", text.data);
    CHECK(fourth && strstr(fourth, "no change"), "%s", text.data);
    base_text_clear(&text);
    loop_summary_table(episodes, 0, 0, words, &text);
    CHECK(!text.failed && !has(&text, "episode 3"), "%s", text.data);
    base_text_free(&text);
}

int main(void)
{
    mean_and_spread();
    interval();
    funnel();
    comparison();
    full_training();
    table();
    return test_end();
}
