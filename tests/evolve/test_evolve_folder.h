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

static inline void append(loop_journal *journal, const char *event, const char *format, ...)
    BASE_PRINTF(3, 4);

static inline void append(loop_journal *journal, const char *event, const char *format, ...)
{
    char members[4096];
    base_error error = {""};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(members, sizeof members, format, arguments);
    va_end(arguments);
    CHECK(loop_journal_append(journal, event, members, &error), "%s", error.text);
}

/* The members of a score of that many nats a token. */
static inline const char *scored(double score)
{
    static char members[4][256];
    static int next;
    char *text = members[next++ % 4];
    base_print(
        text, sizeof members[0],
        "\"status\":\"ok\",\"reason\":\"\",\"parameters\":%d,\"flops\":1600,\"peak_bytes\":9,"
        "\"score\":%.17g,\"score_pair\":%.17g,\"losses\":[]",
        (int)(score * 1000), score, 20 * score);
    return text;
}

static inline void append_default(loop_journal *journal, double score)
{
    append(journal, "default", "\"candidate\":0,\"key\":\"first\",\"reused\":false,%s",
           scored(score));
}

/* Of edits that no version has, so that names must come from the journal. */
static inline void append_trained(loop_journal *journal, int episode)
{
    append(journal, "trained",
           "\"episode\":%d,\"parameters\":5000,\"steps\":8,\"loss\":1.5,\"held_out\":{"
           "\"all\":{\"pairs\":4,\"loss\":4.5,\"floor\":3,\"distance\":1.5},"
           "\"turn a knob\":{\"pairs\":4,\"loss\":4,\"floor\":3,\"distance\":1},"
           "\"</svg>\":{\"pairs\":4,\"loss\":5,\"floor\":3,\"distance\":2}},"
           "\"fidelity\":{\"samples\":16,\"parsed\":12,\"valid\":8,\"designs\":8,\"one_edit\":4,"
           "\"legal\":4,\"copies\":1,\"total_variation\":0.5}",
           episode);
}

static inline void append_proposed(loop_journal *journal, int episode, int batch,
                                   const char *const texts[], int count)
{
    base_text members = {0};
    for (int i = 0; i < count; i++) {
        base_text_print(&members, "%s", i ? "," : "");
        base_json_put_string(&members, texts[i], strlen(texts[i]));
    }
    append(journal, "proposed", "\"episode\":%d,\"batch\":%d,\"texts\":[%s]", episode, batch,
           members.data);
    base_text_free(&members);
}

static inline void append_evaluated(loop_journal *journal, int episode, int batch, int candidate,
                                    const char *key, bool reused, const char *score)
{
    append(journal, "evaluated",
           "\"episode\":%d,\"batch\":%d,\"candidate\":%d,\"key\":\"%s\",\"reused\":%s,%s", episode,
           batch, candidate, key, reused ? "true" : "false", score);
}

static inline void append_selected(loop_journal *journal, int episode, int batch, bool accepted)
{
    append(journal, "selected",
           "\"episode\":%d,\"batch\":%d,\"accepted\":%s,\"score\":1,\"source\":\"\"", episode,
           batch, accepted ? "true" : "false");
}

static const char no_program[] =
    "\"status\":\"parse\",\"reason\":\"candidate.c:1:1: <i>'no'</i> \\u001b[2J\",\"parameters\":0,"
    "\"flops\":0,\"peak_bytes\":0";

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
    CHECK(loop_manifest_write(folder, &settings, &options, &error), "%s", error.text);
    loop_journal *journal = loop_journal_open(folder, &error);
    CHECK(journal, "%s", error.text);
    append(journal, "started", "\"version\":\"0\"");
    if (how_far >= TRAINED) {
        append_default(journal, 5);
        append_trained(journal, 0);
        write_losses(folder, 0, 6);
    }
    if (how_far >= PROPOSED)
        append_proposed(journal, 0, 0, first, 3);
    if (how_far >= HALF_EVALUATED) {
        append_evaluated(journal, 0, 0, 0, "a", false, scored(4));
        append_evaluated(journal, 0, 0, 1, "", false, no_program);
    }
    if (how_far >= SELECTED) {
        append_evaluated(journal, 0, 0, 2, "a", true, scored(4));
        append_selected(journal, 0, 0, true);
    }
    if (how_far >= FINISHED) {
        append_trained(journal, 1);
        write_losses(folder, 1, 4);
        append_proposed(journal, 1, 0, second, 3);
        append_evaluated(journal, 1, 0, 0, "b", false, scored(4.5));
        append_evaluated(journal, 1, 0, 1, "c", false, scored(3));
        append_evaluated(journal, 1, 0, 2, "d", false, scored(3.5));
        append_selected(journal, 1, 0, true);
        for (int i = 0; i < 4; i++)
            append(journal, "compared", "\"candidate\":%d,\"key\":\"\",\"reused\":false,%s", i,
                   scored((i % 2 ? 3.2 : 5.2) + 0.1 * (i / 2)));
        append(journal, "finished", "\"x\":0");
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
