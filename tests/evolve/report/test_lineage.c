/* SPDX-License-Identifier: MIT */
/* test_lineage.c -- a run read back: every candidate has its place, its source and its fate,
 * at whatever moment it is read; what does not follow is refused with one line. */
#include "evolve/report/lineage.h"
#include "base/seal.h"
#include "tests/evolve/test_evolve_folder.h"

static report_lineage *read_run(const char *folder)
{
    base_error error = {""};
    report_lineage *run = report_lineage_read(folder, &error);
    CHECK(run, "%s", error.text);
    return run;
}

static int named(const report_lineage *run, const char *name)
{
    int index = LOOP_NOBODY;
    char back[REPORT_NAME];
    base_error error = {""};
    CHECK(report_lineage_find(run, name, &index, &error), "%s", error.text);
    CHECK(strcmp(name, "last") == 0 || strcmp(report_lineage_name(run, index, back), name) == 0,
          "%s is called %s", name, back);
    return index;
}

static void a_finished_run(void)
{
    make_run(at("whole"), FINISHED);
    report_lineage *run = read_run(at("whole"));
    CHECK(run->finished && run->trained_count == 2 && run->batch_count == 2,
          "%d trained, %d batches", run->trained_count, run->batch_count);
    CHECK(run->candidates.count == 7 && report_lineage_score(run, 0)->score == 5, "%d",
          run->candidates.count);
    CHECK(strcmp(run->name, "whole") == 0 && run->settings.episodes == 2 &&
              run->settings.candidates == 3,
          "%s", run->name);
    CHECK(named(run, "last") == named(run, "1.0.1") && run->last == named(run, "1.0.1"), "last: %d",
          run->last);
    CHECK(named(run, "default") == 0, "default");
    const loop_candidate *r = run->candidates.list + 1;
    CHECK(r[0].accepted && r[4].accepted && !r[1].accepted && !r[2].accepted && !r[3].accepted,
          "accepted");
    CHECK(r[2].reused && r[2].original == 1 && r[0].original == LOOP_NOBODY, "%d", r[2].original);
    CHECK(r[0].parent == 0 && r[3].parent == 1 && r[5].parent == 1, "parents");
    CHECK(run->trained[0].source == 0 && run->trained[1].source == 1, "sources");
    CHECK(r[1].score.status == SCORE_PARSE && strstr(r[1].score.reason, "<i>"), "%s",
          r[1].score.reason);
    CHECK(run->fresh[0].count == 2 && run->fresh[1].count == 2 && run->fresh[0].value[1] == 5.3,
          "fresh");
    CHECK(report_lineage_tokens(run) == 20, "%g", report_lineage_tokens(run));
    mutation_rules rules = mutation_paper_rules();
    CHECK(run->floor == mutation_entropy(&rules, NULL), "%g", run->floor);
    report_lineage_free(run);
}

static void ranks_and_funnel(void)
{
    report_lineage *run = read_run(at("whole"));
    static const int ranks[6] = {1, 0, 2, 3, 1, 2}, scores[6] = {2, 2, 2, 3, 3, 3};
    for (int i = 0; i < 6; i++) {
        int of, rank = report_lineage_rank(run, i + 1, &of);
        CHECK(rank == ranks[i] && of == scores[i], "candidate %d: %d of %d", i, rank, of);
    }
    loop_funnel all = loop_funnel_of(&run->candidates, -1),
                second = loop_funnel_of(&run->candidates, 1);
    CHECK(all.generated == 6 && all.parsed == 5 && all.valid == 5 && all.fresh == 4 &&
              all.evaluated == 4 && all.accepted == 2,
          "%d %d %d %d %d %d", all.generated, all.parsed, all.valid, all.fresh, all.evaluated,
          all.accepted);
    CHECK(second.generated == 3 && second.fresh == 3 && second.accepted == 1, "%d %d",
          second.generated, second.fresh);
    report_lineage_free(run);
}

static void files_beside_the_journal(void)
{
    report_lineage *run = read_run(at("whole"));
    base_error error = {""};
    double *losses;
    int count;
    CHECK(report_lineage_losses(run, 0, &losses, &count, &error) && count == 8 && losses[0] == 6 &&
              losses[7] == 0.75,
          "%d losses: %s", count, error.text);
    free(losses);
    CHECK(report_lineage_losses(run, 7, &losses, &count, &error) && count == 0 && !losses,
          "an episode that is not there: %s", error.text);
    static const char *const broken[] = {"",
                                         "step,loss",
                                         "step,loss\n1,2\n3,4\n",
                                         "step,loss\n1,\n",
                                         "step,loss\n1,2",
                                         "step,loss\n1;2\n"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        spill(at("whole/episode-1/losses.csv"), broken[i], strlen(broken[i]));
        CHECK(!report_lineage_losses(run, 1, &losses, &count, &error) && !losses &&
                  strstr(error.text, "losses.csv"),
              "%s: %s", broken[i], error.text);
    }
    write_losses(at("whole"), 1, 4);
    report_seconds kinds[REPORT_KINDS];
    CHECK(report_lineage_seconds(run, kinds) == 2 && kinds[0].times == 1 &&
              kinds[0].seconds == 1.5 && strcmp(kinds[1].kind, "<kind>") == 0,
          "%s %g", kinds[0].kind, kinds[0].seconds);
    report_lineage_free(run);
}

static void names_that_are_none(void)
{
    report_lineage *run = read_run(at("whole"));
    static const char *const names[] = {"",       "0",      "0.0",    "0.0.3", "2.0.0", "0.0.0.0",
                                        "0.0.00", "-1.0.0", " 0.0.0", "first", "0.1.0"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        base_error error = {""};
        int index;
        CHECK(!report_lineage_find(run, names[i], &index, &error) && strstr(error.text, "1.0.2"),
              "%s: %s", names[i], error.text);
    }
    report_lineage_free(run);
}

/* Reading neither waits for the writer nor disturbs it, and takes no part of a line. */
static void a_run_that_goes_on(void)
{
    static const char *const names[] = {"g0", "g1", "g2", "g3", "g4"};
    static const int records[] = {0, 0, 3, 3, 3}, scored_so_far[] = {0, 0, 0, 2, 3};
    for (int i = JUST_STARTED; i < FINISHED; i++) {
        make_run(at(names[i]), i);
        report_lineage *run = read_run(at(names[i]));
        CHECK(!run->finished && run->candidates.count == 1 + records[i], "%d: %d candidates", i,
              run->candidates.count);
        loop_funnel funnel = loop_funnel_of(&run->candidates, -1);
        CHECK(funnel.generated == scored_so_far[i], "%d: %d scored", i, funnel.generated);
        CHECK(run->last == (i >= SELECTED ? 1 : 0), "%d: %d", i, run->last);
        CHECK(strstr(report_lineage_text(run, 0), "t5 *model(void)"), "%s",
              report_lineage_text(run, 0));
        report_lineage_free(run);
    }
    size_t size, after;
    FILE *journal = fopen(at("g4/journal.jsonl"), "ab");
    fputs("{\"seq\":8,\"ev", journal);
    fclose(journal);
    char *bytes = slurp(at("g4/journal.jsonl"), &size);
    report_lineage *run = read_run(at("g4"));
    CHECK(loop_journal_recorded(run->journal) == 8, "%d", loop_journal_recorded(run->journal));
    report_lineage_free(run);
    char *same = slurp(at("g4/journal.jsonl"), &after);
    CHECK(size == after && memcmp(bytes, same, size) == 0, "the journal was changed");
    free(bytes);
    free(same);
}

/* A source that no stage can train gives way to the last that one could. */
static void a_step_back(void)
{
    base_error error = {""};
    static const char *const text[] = {"x"};
    make_run(at("back"), SELECTED);
    loop_journal *journal = loop_journal_open(at("back"), &error);
    append_untrainable(journal, 1, "no <number>");
    loop_journal_close(journal);
    report_lineage *run = read_run(at("back"));
    CHECK(run->untrained_count == 1 && run->untrained[0].source == 1 &&
              run->untrained[0].back == 0 && run->untrained[0].episode == 1 && run->last == 0 &&
              run->trained_count == 1,
          "%d, the source is %d", run->untrained_count, run->last);
    report_lineage_free(run);
    journal = loop_journal_open(at("back"), &error);
    append_trained(journal, 1);
    append_proposed(journal, 1, 0, text, 1);
    loop_journal_close(journal);
    run = read_run(at("back"));
    CHECK(run->trained[1].source == 0 && run->candidates.list[4].parent == 0 &&
              run->candidates.list[1].accepted,
          "made from %d", run->candidates.list[4].parent);
    report_lineage_free(run);
}

/* folder is refused with a line that has that piece. */
static void refused(const char *folder, const char *piece)
{
    base_error error = {""};
    report_lineage *run = report_lineage_read(folder, &error);
    CHECK(!run && strstr(error.text, piece) && !strchr(error.text, '\n'), "want %s, got %s", piece,
          run ? "a run" : error.text);
    report_lineage_free(run);
}

/* Settings of one run and the journal of another. */
static void manifests_of_others(void)
{
    size_t size;
    make_run(at("another"), FINISHED);
    evolve_settings settings = tiny_settings();
    settings.seed = 77;
    settings.candidates = 3;
    const loop_options options = {
        .folder = at("77"), .run = {.jobs = 1, .threads = 1, .launcher = ""}, .program = "phoenix"};
    base_error error = {""};
    CHECK(base_file_make_folder(at("77"), &error) &&
              loop_manifest_write(at("77"), &settings, &options, &error),
          "%s", error.text);
    char *manifest = slurp(at("77/manifest.json"), &size);
    spill(at("another/manifest.json"), manifest, size);
    refused(at("another"), "manifest.json and journal.jsonl disagree about \"seed\": 77, 1");
    free(manifest);
}

static void damage(void)
{
    refused(at("nowhere"), "manifest.json");
    mkdir(at("empty"), 0777);
    refused(at("empty"), "manifest.json");
    size_t size;
    char *manifest = slurp(at("whole/manifest.json"), &size);
    spill(at("empty/manifest.json"), manifest, size);
    refused(at("empty"), "journal.jsonl");
    for (size_t cut = 0; cut < size; cut += 97) {
        spill(at("empty/manifest.json"), manifest, cut);
        refused(at("empty"), "manifest.json");
    }
    manifest[size / 2] ^= 1;
    spill(at("empty/manifest.json"), manifest, size);
    refused(at("empty"), "manifest.json");
    free(manifest);
    char *journal = slurp(at("whole/journal.jsonl"), &size);
    make_run(at("damaged"), JUST_STARTED);
    for (size_t i = 0; i < size; i += 61) {
        journal[i] ^= 4;
        spill(at("damaged/journal.jsonl"), journal, size);
        base_error error = {""};
        report_lineage *run = report_lineage_read(at("damaged"), &error);
        CHECK(!run && strstr(error.text, "journal.jsonl:"), "byte %zu: %s", i,
              run ? "read" : error.text);
        report_lineage_free(run);
        journal[i] ^= 4;
    }
    free(journal);
}

/* Sealed events that do not follow from each other: a journal of somebody else's making. */
static void foreign_journals(void)
{
    static const char *const text[] = {"x"};
    for (int kind = 0; kind < 18; kind++) {
        base_error error = {""};
        score_result large = scored(4), doubtful = scored(4);
        large.parameters = INT64_MAX;
        snprintf(doubtful.reason, sizeof doubtful.reason, "why");
#define AT_BATCH "\"episode\":0,\"batch\":0,\"candidate\":1,\"reused\":false"
#define SCORED   "\"status\":\"ok\",\"reason\":\"\",\"parameters\":9,\"flops\":9,\"peak_bytes\":9"
#define PATH_64  "../../.././././././././././././././././././././././././././files"
        static const char *const lines[] = {
            [7] = "1,\"event\":\"</b>\"",
            [15] = "3,\"event\":\"evaluated\"," AT_BATCH ",\"key\":\"" PATH_64 "\"," SCORED,
            [16] = "3,\"event\":\"evaluated\"," AT_BATCH ",\"key\":\"\"," SCORED
                   ",\"model\":\"" PATH_64 "\"",
            [17] = "3,\"event\":\"finished\",\"source\":\"" PATH_64 "\",\"summary\":\"\""};
        static const char *const pieces[] = {"proposals out of turn",
                                             "expected batch",
                                             "without a proposal",
                                             "selection out of turn",
                                             "expected episode",
                                             "a candidate of the batch with a score",
                                             "expected candidate",
                                             "no event",
                                             "no score",
                                             "to go back to",
                                             "\"default\" is out of turn",
                                             "\"finished\" is out of turn",
                                             "parameters: at most",
                                             "a score, and a \"reason\"",
                                             "\"trained\" is out of turn",
                                             "\"key\" is no SHA-256",
                                             "\"model\" is no SHA-256",
                                             "\"source\" is no SHA-256"};
        remove_all(at("foreign"));
        make_run(at("foreign"), kind == 7 || kind == 8 || kind == 14 ? JUST_STARTED
                                : kind == 11                         ? FINISHED
                                                                     : TRAINED);
        loop_journal *journal = loop_journal_open(at("foreign"), &error);
        if (kind == 1)
            append_proposed(journal, 0, 1, text, 1);
        else if (kind == 4)
            append_trained(journal, 2);
        else if (kind == 7 || kind >= 15) {
            base_text line = {0};
            base_text_print(&line, "{\"seq\":%s}", lines[kind]);
            base_seal(&line);
            FILE *file = fopen(at("foreign/journal.jsonl"), "ab");
            fprintf(file, "%s\n", line.data);
            fclose(file);
            base_text_free(&line);
        } else if (kind == 8)
            append_default(journal, no_program);
        else if (kind == 9)
            append_untrainable(journal, 1, "");
        else if (kind == 10)
            append_default(journal, scored(5));
        else if (kind == 11)
            append(journal, (loop_event){.kind = LOOP_FINISHED,
                                         .source = TEST_HASH("5"),
                                         .summary = TEST_HASH("7")});
        else if (kind == 14)
            append_trained(journal, 0);
        else if (kind != 2)
            append_proposed(journal, 0, 0, text, 1);
        if (kind == 0)
            append_proposed(journal, 0, 1, text, 1);
        else if (kind == 2)
            append_evaluated(journal, 0, 0, 1, "", false, no_program);
        else if (kind == 3)
            append_selected(journal, 0, 0, 1);
        else if (kind == 5) {
            append_evaluated(journal, 0, 0, 1, "", false, no_program);
            append_selected(journal, 0, 0, 1);
        } else if (kind == 6)
            append_evaluated(journal, 0, 0, 1000000, "", false, no_program);
        else if (kind == 12 || kind == 13)
            append_evaluated(journal, 0, 0, 1, "", false, kind == 12 ? large : doubtful);
        loop_journal_close(journal);
        refused(at("foreign"), pieces[kind]);
    }
}

/* Of a training: of 16 samples 17 are no programs, and no loss is below 0. */
static void impossible_measures(void)
{
    static const char *const cases[][3] = {
        {"{\"samples\":16,\"parsed\":17,", "\"loss\":4.5", "\"fidelity\""},
        {"{\"samples\":16,\"parsed\":12,", "\"loss\":-1", "\"held_out\""},
        {"{\"samples\":16,", "\"loss\":4.5", "\"fidelity\""},
        {"{\"samples\":16,\"parsed\":12,", "\"loss\":4.5", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        base_error error = {""};
        char held_out[200], fidelity[300];
        base_print(held_out, sizeof held_out,
                   "{\"all\":{\"pairs\":4,%s,\"floor\":3,\"distance\":1}}", cases[i][1]);
        base_print(fidelity, sizeof fidelity,
                   "%s\"valid\":8,\"designs\":8,\"one_edit\":4,\"legal\":4,\"copies\":1,"
                   "\"total_variation\":0.5}",
                   cases[i][0]);
        remove_all(at("measures"));
        make_run(at("measures"), JUST_STARTED);
        loop_journal *journal = loop_journal_open(at("measures"), &error);
        append_default(journal, scored(5));
        append(journal, (loop_event){.kind = LOOP_TRAINED,
                                     .losses = TEST_HASH("1"),
                                     .config = TEST_HASH("c"),
                                     .weights = TEST_HASH("3"),
                                     .tokenizer = TEST_HASH("7"),
                                     .held_out.text = held_out,
                                     .fidelity.text = fidelity});
        loop_journal_close(journal);
        report_lineage *run = report_lineage_read(at("measures"), &error);
        CHECK(cases[i][2] ? !run && strstr(error.text, cases[i][2]) : run != NULL, "case %zu: %s",
              i, error.text);
        report_lineage_free(run);
    }
}

static void designs_of_sources(void)
{
    report_design designs[REPORT_DESIGNS];
    int n = report_source_design(tiny_source(64, "    config . d_ff /* = 3; */ = 65;\n"), designs);
    CHECK(n == 4 && strcmp(designs[3].name, "d_ff") == 0 && designs[3].value == 65 &&
              strcmp(designs[0].name, "num_layers") == 0 && designs[0].value == 1,
          "%d: %s %g", n, designs[0].name, designs[0].value);
    CHECK(report_source_design("no program", designs) == 0, "a text has a design");
    CHECK(report_source_design("", designs) == 0, "nothing has a design");
}

int main(void)
{
    if (!scratch_make())
        return 1;
    a_finished_run();
    ranks_and_funnel();
    files_beside_the_journal();
    manifests_of_others();
    names_that_are_none();
    a_run_that_goes_on();
    a_step_back();
    damage();
    foreign_journals();
    impossible_measures();
    designs_of_sources();
    remove_all(scratch);
    return test_end();
}
