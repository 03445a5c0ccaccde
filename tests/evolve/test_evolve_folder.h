/* SPDX-License-Identifier: MIT */
/* test_evolve_folder.h -- run folders that were never run: a manifest, and a journal written event
 * by event, so that a test can have whatever it wants in it. */
#ifndef TEST_EVOLVE_FOLDER_H
#define TEST_EVOLVE_FOLDER_H

#include "evolve/loop/journal.h"
#include "base/number.h"
#include "evolve/loop/manifest.h"
#include "tests/evolve/test_evolve.h"

/* Markup, quotes, an escape sequence, a right-to-left override: what a model may write. */
#define HOSTILE "/* </script><b a='\"'> &amp; \x1b[31m \xe2\x80\xae */"

static inline void append(loop_journal *journal, loop_event event)
{
    base_error error = {""};
    CHECK(loop_journal_append(journal, &event, &error), "%s", error.text);
}

/* For the first event; in static memory. */
static inline const char *settings_text(const evolve_settings *settings)
{
    static char kept[4096];
    base_text text = {0};
    evolve_settings_print(settings, &text);
    CHECK(text.length < sizeof kept, "%zu bytes of settings", text.length);
    snprintf(kept, sizeof kept, "%s", text.data);
    base_text_free(&text);
    return kept;
}

/* A score of that many nats a token. */
static inline score_result scored(double score)
{
    return (score_result){.parameters = (int64_t)(score * 1000),
                          .flops = 1600,
                          .peak_bytes = 9,
                          .score = score,
                          .score_pair = 20 * score};
}

static inline void append_default(loop_journal *journal, score_result score)
{
    append(journal, (loop_event){.kind = LOOP_DEFAULT, .key = TEST_HASH("f"), .result = score});
}

/* Of edits that no version has, so that names must come from the journal. */
static inline void append_trained(loop_journal *journal, int episode)
{
    append(journal,
           (loop_event){.kind = LOOP_TRAINED,
                        .episode = episode,
                        .losses = TEST_HASH("1"),
                        .parameters = 5000,
                        .steps = 8,
                        .loss = 1.5,
                        .config = TEST_HASH("c"),
                        .weights = TEST_HASH("3"),
                        .tokenizer = TEST_HASH("7"),
                        .held_out.text =
                            "{\"all\":{\"pairs\":4,\"loss\":4.5,\"floor\":3,\"distance\":1.5},"
                            "\"turn a knob\":{\"pairs\":4,\"loss\":4,\"floor\":3,"
                            "\"distance\":1},\"</svg>\":{\"pairs\":4,\"loss\":5,\"floor\":3,"
                            "\"distance\":2}}",
                        .fidelity.text = "{\"samples\":16,\"parsed\":12,\"valid\":8,\"designs\":8,"
                                         "\"one_edit\":4,\"legal\":4,\"copies\":1,"
                                         "\"total_variation\":0.5}"});
}

static inline void append_untrainable(loop_journal *journal, int episode, const char *reason)
{
    append(journal,
           (loop_event){.kind = LOOP_UNTRAINABLE, .episode = episode, .untrainable = reason});
}

static inline void append_proposed(loop_journal *journal, int episode, int batch,
                                   const char *const texts[], int count)
{
    base_text array = texts_of(texts, count);
    append(journal, (loop_event){.kind = LOOP_PROPOSED,
                                 .episode = episode,
                                 .batch = batch,
                                 .texts.text = array.data});
    base_text_free(&array);
}

static inline void append_evaluated(loop_journal *journal, int episode, int batch, int candidate,
                                    const char *key, bool reused, score_result score)
{
    append(journal, (loop_event){.kind = LOOP_EVALUATED,
                                 .episode = episode,
                                 .batch = batch,
                                 .candidate = candidate,
                                 .key = key,
                                 .reused = reused,
                                 .result = score});
}

/* The source from now on is another one, that candidate. */
static inline void append_selected(loop_journal *journal, int episode, int batch, int candidate)
{
    append(journal, (loop_event){.kind = LOOP_SELECTED,
                                 .episode = episode,
                                 .batch = batch,
                                 .candidate = candidate,
                                 .accepted = true,
                                 .score = 1,
                                 .source = ""});
}

/* Of the default source and the one of that number, with two fresh seeds. */
static inline void append_compared(loop_journal *journal, int seed, int candidate,
                                   score_result score)
{
    append(journal, (loop_event){.kind = LOOP_COMPARED,
                                 .seed = seed,
                                 .candidate = candidate,
                                 .key = "",
                                 .result = score});
}

static const score_result no_program = {.status = SCORE_PARSE,
                                        .reason = "candidate.c:1:1: <i>'no'</i> \x1b[2J"};

static inline void write_losses(const char *folder, int episode, double from)
{
    char path[600];
    snprintf(path, sizeof path, "%s/episode-%d", folder, episode);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/episode-%d/losses.csv", folder, episode);
    char csv[256];
    int length = snprintf(csv, sizeof csv, "step,loss\n");
    for (int i = 1; i <= 8; i++)
        length += base_print(csv + length, sizeof csv - (size_t)length, "%d,%.9g\n", i, from / i);
    spill(path, csv, (size_t)length);
}

enum { JUST_STARTED, TRAINED, PROPOSED, HALF_EVALUATED, SELECTED, FINISHED };

/* A run of 2 episodes of 1 batch of 3, as far as that:
 *   0.0.0 accepted at 4, 0.0.1 no program, 0.0.2 the program of 0.0.0
 *   1.0.0 at 4.5, 1.0.1 accepted at 3, 1.0.2 at 3.5, better than the source of that time
 * The first source has 5; the last sources are hostile programs. */
static inline void make_run(const char *folder, int how_far)
{
    evolve_settings settings = tiny_settings();
    settings.candidates = 3;
    const loop_options options = {
        .folder = folder, .run = {.jobs = 1, .threads = 1, .launcher = ""}, .program = "phoenix"};
    base_error error = {""};
    char *source = base_copy(tiny_source(64, "    " HOSTILE "\n"), 1024);
    const char *first[] = {tiny_source(48, ""), "</pre>" HOSTILE, tiny_source(48, "\n")};
    const char *second[] = {tiny_source(32, ""), source, tiny_source(96, "")};
    CHECK(base_file_make_folder(folder, &error) &&
              loop_manifest_write(folder, &settings, &options, &error),
          "%s", error.text);
    loop_journal *journal = loop_journal_open(folder, &error);
    CHECK(journal, "%s", error.text);
    append(journal, (loop_event){.kind = LOOP_STARTED,
                                 .version = EVOLVE_VERSION,
                                 .settings.text = settings_text(&settings)});
    if (how_far >= TRAINED) {
        append_default(journal, scored(5));
        append_trained(journal, 0);
        write_losses(folder, 0, 6);
    }
    if (how_far >= PROPOSED)
        append_proposed(journal, 0, 0, first, 3);
    if (how_far >= HALF_EVALUATED) {
        append_evaluated(journal, 0, 0, 1, TEST_HASH("a"), false, scored(4));
        append_evaluated(journal, 0, 0, 2, "", false, no_program);
    }
    if (how_far >= SELECTED) {
        append_evaluated(journal, 0, 0, 3, TEST_HASH("a"), true, scored(4));
        append_selected(journal, 0, 0, 1);
    }
    if (how_far >= FINISHED) {
        append_trained(journal, 1);
        write_losses(folder, 1, 4);
        append_proposed(journal, 1, 0, second, 3);
        append_evaluated(journal, 1, 0, 4, TEST_HASH("b"), false, scored(4.5));
        append_evaluated(journal, 1, 0, 5, TEST_HASH("c"), false, scored(3));
        append_evaluated(journal, 1, 0, 6, TEST_HASH("d"), false, scored(3.5));
        append_selected(journal, 1, 0, 5);
        for (int i = 0; i < 4; i++)
            append_compared(journal, i / 2, i % 2 ? 5 : 0,
                            scored((i % 2 ? 3.2 : 5.2) + 0.1 * (i / 2)));
        append(journal, (loop_event){.kind = LOOP_FINISHED,
                                     .source = TEST_HASH("5"),
                                     .summary = TEST_HASH("7")});
        const char *timing = "{\"what\":\"training\",\"episode\":0,\"seconds\":1.500}\n"
                             "{\"what\":\"training\",\"epi\n"
                             "{\"what\":\"<kind>\",\"episode\":0,\"seconds\":2}\n";
        char path[600];
        snprintf(path, sizeof path, "%s/timing.jsonl", folder);
        spill(path, timing, strlen(timing));
    }
    loop_journal_close(journal);
    free(source);
}

#endif
