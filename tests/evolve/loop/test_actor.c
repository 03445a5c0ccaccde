/* SPDX-License-Identifier: MIT */
/* test_actor.c -- a T5 that is asked for better edits and judges them: what it is taught by what is known, and which of its
 * samples become children at what price. Its pairs are test_judge.c's, its runs test_learning.c's. */
#include "evolve/loop/learnt.h"
#include "evolve/loop/propose.h"
#include "evolve/source/host.h"
#include "evolve/source/judge.h"
#include "evolve/task.h"
#include "tests/evolve/test_evolve_command.h"
#include <math.h>

enum { SAMPLES = 16, CANDIDATES = 5 };

static evolve_settings settings_of_actor(void)
{
    evolve_settings settings = tiny_settings();
    settings.proposer = EVOLVE_ACTOR;
    settings.constrained = true; /* one with its first weights writes programs, too */
    settings.max_tokens = 64;
    return settings;
}

static loop_candidate candidate(int number, const base_text *text, double score)
{
    return (loop_candidate){.number = number,
                            .parent = number ? 0 : LOOP_NOBODY,
                            .original = LOOP_NOBODY,
                            .share = 1,
                            .text = text->data,
                            .length = text->length,
                            .score = {.status = SCORE_OK, .score = score}};
}

/* The default source, and children of it: three with more layers, of which one paid, and one with more heads, which did. */
static void make_candidates(base_text texts[CANDIDATES], loop_candidate list[CANDIDATES])
{
    static const char *const edits[] = {"", "num_layers = 3", "num_layers = 4", "num_heads = 9",
                                        "num_layers = 5"};
    static const double scores[] = {3, 2.5, 3.5, 2, 3};
    for (int i = 0; i < CANDIDATES; i++) {
        base_text source = {0};
        source_default_source(&source);
        const char *eq = strchr(edits[i], '='), *at = source.data;
        if (eq) {
            char name[32];
            snprintf(name, sizeof name, "config.%.*s=", (int)(eq - edits[i]), edits[i]);
            at = strstr(source.data, name);
            CHECK(at, "%s is not in\n%s", name, source.data);
            at += strlen("config.");
        }
        base_text_add(&texts[i], source.data, (size_t)(at - source.data));
        base_text_print(&texts[i], "%s%s", edits[i], eq ? strchr(at, ';') : at);
        list[i] = candidate(i, &texts[i], scores[i]);
        base_text_free(&source);
    }
}

/* q is 2/5 of more layers, 2/3 of more heads and 1/2 of what is not known; the chance is the square of its share of the largest. */
static void it_is_taught_the_chances(void)
{
    enum { LAYERS_UP = 1, HEADS_UP = 5 };
    base_error error = {""};
    const evolve_settings settings = settings_of_actor();
    base_text texts[CANDIDATES] = {{0}};
    loop_candidate list[CANDIDATES];
    source_lesson none, some;
    make_candidates(texts, list);
    CHECK(loop_teach(&settings, NULL, list, 1, &none, &error) &&
              loop_teach(&settings, NULL, list, CANDIDATES, &some, &error),
          "%s", error.text);
    CHECK(none.is_weighted && none.has_words && some.has_words && some.winner_count == 0,
          "it is taught something else");
    for (int i = 0; i < 8; i++) {
        const double want = i == HEADS_UP ? 1 : i == LAYERS_UP ? 9.0 / 25 : 9.0 / 16;
        CHECK(!(none.weight[i] < 1) && !(none.weight[i] > 1), "nothing is known of %d", i);
        CHECK(fabs(some.weight[i] - want) < 1e-15, "outcome %d: %g", i, some.weight[i]);
    }
    for (int i = 0; i < CANDIDATES; i++)
        base_text_free(&texts[i]);
}

/* Of the samples of the only edit of a child, where it has only one: the first that can be taken, or that which is judged
 * likeliest to be better; -1: none can. */
static int sample_to_take(const source_writer *writer, const loop_candidate *list, int known,
                          const base_text samples[SAMPLES], bool judged, int64_t *flops)
{
    base_error error = {""};
    const mutation_mutator m = evolve_mutator(writer->settings);
    base_text some[SAMPLES],
        source = {.data = (char *)(uintptr_t)list->text, .length = list->length};
    int at[SAMPLES], count = 0, best = 0;
    double better[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) {
        mutation_form form;
        bool is_new = m.kind->read(&m, samples[i].data, samples[i].length, &form);
        for (int k = 0; k < known; k++)
            is_new = is_new && strcmp(samples[i].data, list[k].text) != 0;
        if (is_new)
            some[count] = samples[i], at[count++] = i;
    }
    if (count == 0)
        return -1;
    if (judged)
        CHECK(source_judge(writer, &source, some, count, better, flops, &error), "%s", error.text);
    for (int i = 1; judged && i < count; i++)
        best = better[i] > better[best] ? i : best;
    return at[best];
}

/* Every second child is what the T5 itself judges best, and pays for it. */
static void every_second_child_is_judged(void)
{
    base_error error = {""};
    const evolve_settings settings = settings_of_actor();
    const loop_options options = {.folder = at("none"),
                                  .run = {.jobs = 1, .threads = 1, .launcher = ""}};
    base_text texts[CANDIDATES] = {{0}};
    loop_candidate list[CANDIDATES];
    source_lesson lesson = {0};
    make_candidates(texts, list);
    loop_generator *generator = loop_generator_new(&options, &settings, NULL, NULL, &error);
    CHECK(generator, "%s", error.text);
    loop_generator_take(generator, 0, list->text, &lesson);
    t5_model *model = loop_generator_model(generator, &error);
    CHECK(model, "%s", error.text);
    const source_writer writer = {&settings, model, loop_generator_tokenizer(generator), 1};
    int single = 0, moved = 0;
    for (int batch = 0; batch < 40; batch++) {
        const search_trial trial = {.request = SEARCH_REFINE, .share = 1};
        const loop_request request = {.settings = &settings,
                                      .generator = generator,
                                      .candidates = list,
                                      .known = 3 + batch % 2,
                                      .batch = batch,
                                      .trials = &trial,
                                      .count = 1};
        base_random random = {(uint64_t)settings.seed,
                              base_random_stream("tilt", 0, (uint64_t)batch, 0), 0};
        if (search_counts_edits(&random) > 1)
            continue;
        const uint64_t stream =
            base_random_stream("tilted", base_random_word(random.seed, random.stream, 0), 0, 0);
        base_text samples[SAMPLES] = {{0}}, made = {0}, want = {0};
        int64_t flops = 0, cost;
        CHECK(source_write(&writer, list->text, stream, SAMPLES, samples, &flops, &error) &&
                  loop_propose(&request, &made, &cost, &error),
              "%s", error.text);
        const int judged =
            sample_to_take(&writer, list, request.known, samples, batch % 2 == 0, &flops);
        base_text_print(&want, "[");
        base_json_put_string(&want, samples[judged < 0 ? 0 : judged].data,
                             samples[judged < 0 ? 0 : judged].length);
        base_text_print(&want, "]");
        CHECK(strcmp(made.data, want.data) == 0 && cost == flops,
              "batch %d: %s\nexpected %s\nfor %lld operations, expected %lld", batch, made.data,
              want.data, (long long)cost, (long long)flops);
        int64_t nothing = 0;
        single++;
        moved += judged != sample_to_take(&writer, list, request.known, samples, false, &nothing);
        for (int i = 0; i < SAMPLES; i++)
            base_text_free(&samples[i]);
        base_text_free(&made);
        base_text_free(&want);
    }
    CHECK(single > 10 && moved > 2, "of %d children a judgement chose %d", single, moved);
    loop_generator_free(generator);
    for (int i = 0; i < CANDIDATES; i++)
        base_text_free(&texts[i]);
}

/* Nothing is known: the first T5's words are drawn by the prior, and the run goes on from there. */
static void a_run_may_begin_with_nothing(void)
{
    size_t size;
    const char *const more[] = {
        "--proposer", "actor", "--experience", "none", "--constrained", "yes",
        "--batches",  "2",     "--candidates", "3",    "--fresh-seeds", "0",
        NULL};
    ends_well(at("run"), start_evolve(at("run"), false, "1", "1", more));
    ends_well("verify", start_command((const char *[]){TEST_PHOENIX, "verify", at("run"), "--quiet",
                                                       "--models", NULL}));
    char *summary = slurp(at("run/summary.txt"), &size);
    CHECK(strstr(summary, "experience: 0 outcomes of earlier runs\n"), "%s", summary);
    free(summary);
}

int main(void)
{
    it_is_taught_the_chances();
    if (!scratch_for_command())
        return test_end();
    every_second_child_is_judged();
    a_run_may_begin_with_nothing();
    remove_all(scratch);
    return test_end();
}
