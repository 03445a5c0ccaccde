/* SPDX-License-Identifier: MIT */
/* test_run.c -- whole runs, through the command: the same bytes for any number of jobs and
 * threads, killed and resumed at any moment, or not; and a folder that is damaged is refused.
 *
 * Of such a folder, phoenix verify names every byte that was changed.
 *
 * A model that has seen 64 pairs writes no programs. So a second kind of run is made from the
 * first: its journal is cut after the training, proposals that are programs are appended, and the
 * run goes on from there as if its model had written them. */
#include "evolve/loop/run.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/seal.h"
#include "evolve/loop/journal.h"
#include "evolve/loop/manifest.h"
#include "evolve/sandbox/pool.h"
#include "tests/evolve/test_evolve_command.h"
#include <errno.h>
#include <signal.h>

static bool slow; /* PHOENIX_SLOW: more kills */

/* ---- the command ---- */

/* Of what is started. */
static const char *scope = "architecture", *task = "self";

/* Starts `build/phoenix evolve` on a folder. */
static pid_t start(const char *folder, bool resume, const char *jobs, const char *threads)
{
    const char *more[] = {"--batches", "1",  "--candidates", "4",   "--fresh-seeds", "2",
                          "--task",    task, "--scope",      scope, "--elitism",     "no",
                          NULL};
    return start_evolve(folder, resume, jobs, threads, more);
}

static void run_to_the_end(const char *folder, bool resume, const char *jobs, const char *threads)
{
    ends_well(folder, start(folder, resume, jobs, threads));
}

/* The run ends with exit code 1 and one line on standard error that has both pieces; the folder is
 * as it was. */
static void refused(const char *folder, bool resume, const char *piece, const char *other_piece)
{
    size_t size, out_size;
    remove_all(at("before"));
    copy_all(folder, at("before"));
    bool was_there = base_file_exists(folder);
    int code = wait_for(start(folder, resume, "1", "1"));
    char *errors = slurp(at("stderr"), &size), *out = slurp(at("stdout"), &out_size);
    CHECK(code == 1 && strncmp(errors, "phoenix: ", 9) == 0 && strstr(errors, piece) &&
              strstr(errors, other_piece) && strchr(errors, '\n') == errors + size - 1,
          "exit code %d: %s", code, errors);
    CHECK(base_file_exists(folder) == was_there, "the folder was made or removed");
    if (was_there)
        same_run(at("before"), folder, true);
    free(errors);
    free(out);
}

/* ---- the runs ---- */

static double plain_seconds, chosen_seconds; /* how long the two kinds take undisturbed */

/* plain: as the model would have it. */
static void make_plain(void)
{
    double started = base_clock();
    run_to_the_end(at("plain"), false, "1", "1");
    plain_seconds = base_clock() - started;
}

/* A run like that one, but for the proposals of its first batch. */
static void choose_texts(const char *plain, const char *folder, const char *const texts[4])
{
    base_error error = {""};
    bool replayed;
    copy_all(plain, folder);
    cut_journal(folder, 3);
    char *later = base_file_path(folder, "episode-1");
    remove_all(later);
    free(later);
    loop_event event;
    base_text members = texts_of(texts, 4);
    loop_journal *journal = loop_journal_open(folder, &error);
    CHECK(journal && loop_journal_next(journal, LOOP_STARTED, &event, &replayed, &error) &&
              loop_journal_next(journal, LOOP_DEFAULT, &event, &replayed, &error) &&
              loop_journal_next(journal, LOOP_TRAINED, &event, &replayed, &error),
          "%s", error.text);
    event = (loop_event){.kind = LOOP_PROPOSED, .texts.text = members.data};
    CHECK(loop_journal_append(journal, &event, &error), "%s", error.text);
    loop_journal_close(journal);
    base_text_free(&members);
    static const char *const ends[] = {"source.c", "summary.txt", "timing.jsonl"};
    for (int i = 0; i < 3; i++) {
        char *path = base_file_path(folder, ends[i]);
        unlink(path);
        free(path);
    }
}

static const char *const equal_text = "/* the same program */\n";

/* chosen: the first batch has two programs, one of them twice, and something else. */
static void choose(const char *folder)
{
    char same[2048];
    snprintf(same, sizeof same, "%s%s", tiny_source(64, ""), equal_text);
    const char *texts[4] = {tiny_source(64, ""), "no program\n", same, tiny_source(48, "")};
    choose_texts(at("plain"), folder, texts);
}

static void make_chosen(void)
{
    choose(at("chosen"));
    double started = base_clock();
    run_to_the_end(at("chosen"), true, "1", "1");
    chosen_seconds = base_clock() - started;
}

static void a_run_says_what_it_did(void)
{
    size_t size;
    char *journal = slurp(at("plain/journal.jsonl"), &size);
    CHECK(count_events(journal, "\"event\":\"trained\"") == 2 &&
              count_events(journal, "\"event\":\"evaluated\"") == 8 &&
              count_events(journal, "\"event\":\"finished\"") == 1,
          "%s", journal);
    CHECK(!strstr(journal, "seconds") && !strstr(journal, "jobs") && !strstr(journal, "threads"),
          "the journal depends on time or on how the work was spread");
    free(journal);
    journal = slurp(at("chosen/journal.jsonl"), &size);
    CHECK(count_events(journal, "\"event\":\"compared\"") == 4, "%s", journal);
    CHECK(count_events(journal, "\"reused\":true") == 1 &&
              count_events(journal, "\"accepted\":true") == 1,
          "%s", journal);
    free(journal);
    static const char *const files[] = {
        "chosen/source.c",           "chosen/summary.txt",
        "chosen/episode-1/source.c", "chosen/episode-1/losses.csv",
        "chosen/timing.jsonl",       "chosen/episode-1/model/model.safetensors",
        "chosen/manifest.json"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        CHECK(base_file_exists(at(files[i])), "%s is missing", files[i]);
    char *summary = slurp(at("chosen/summary.txt"), &size);
    CHECK(strstr(summary, "2 fresh seeds each") && strstr(summary, "gain"), "%s", summary);
    free(summary);
}

/* The source is the best of the candidates, of equals the first. */
static void the_best_is_selected(void)
{
    base_error error = {""};
    bool replayed;
    loop_journal *journal = loop_journal_open(at("chosen"), &error);
    static const loop_kind before[] = {LOOP_STARTED, LOOP_DEFAULT, LOOP_TRAINED, LOOP_PROPOSED};
    loop_event event;
    for (int i = 0; i < 4; i++)
        CHECK(loop_journal_next(journal, before[i], &event, &replayed, &error), "%s", error.text);
    double best = 1e9;
    int which = -1;
    for (int i = 0; i < 4; i++) {
        CHECK(loop_journal_next(journal, LOOP_EVALUATED, &event, &replayed, &error), "%s",
              error.text);
        if (event.result.status == SCORE_OK && event.result.score < best) {
            best = event.result.score;
            which = (int)event.candidate;
        }
    }
    CHECK(loop_journal_next(journal, LOOP_SELECTED, &event, &replayed, &error), "%s", error.text);
    CHECK(event.score == best && event.accepted && event.candidate == which,
          "%g of candidate %d, the best is %g of %d", event.score, (int)event.candidate, best,
          which);
    const char *source = event.source;
    CHECK(strcmp(source, which == 1 ? tiny_source(64, "") : tiny_source(48, "")) == 0,
          "candidate %d: %s", which, source);
    size_t size;
    char *next = slurp(at("chosen/episode-1/source.c"), &size);
    CHECK(strcmp(next, source) == 0, "the next episode has another source: %s", next);
    free(next);
    loop_journal_close(journal);
}

static void jobs_and_threads_make_no_difference(void)
{
    run_to_the_end(at("other"), false, "2", "2");
    same_run(at("plain"), at("other"), false);
    remove_all(at("other"));
    choose(at("other"));
    run_to_the_end(at("other"), true, "3", "2");
    same_run(at("chosen"), at("other"), true);
    remove_all(at("other"));
}

/* ---- kills ---- */

static base_random moments;

/* Kills a run at random moments, `kills` times, then lets it end. Returns how many were in time:
 * each gets on average as far as there are parts of the run between kills. */
static int disturb(const char *folder, double seconds, int kills, int signal_number)
{
    int in_time = 0;
    for (int i = 0; i < kills; i++) {
        char *manifest = base_file_path(folder, "manifest.json");
        pid_t child = start(folder, base_file_exists(manifest), "2", "1");
        free(manifest);
        pause_seconds(base_random_uniform(&moments) * 2 * seconds / (kills + 1));
        kill(child, signal_number);
        int code = wait_for(child);
        in_time += code == 256 + signal_number;
        CHECK(code == 0 || code == 256 + signal_number, "kill %d: exit code %d", i, code);
        if (signal_number == SIGTERM && code == 256 + SIGTERM) {
            size_t size;
            char *errors = slurp(at("stderr"), &size); /* empty: it had not begun to listen */
            CHECK(size == 0 || strncmp(errors, "phoenix: interrupted; go on with: ", 34) == 0, "%s",
                  errors);
            free(errors);
        }
    }
    run_to_the_end(folder, true, "2", "1");
    return in_time;
}

static void kills_change_nothing(void)
{
    int kills = slow ? 10 : 3, rounds = slow ? 10 : 1, in_time = 0;
    for (int round = 0; round < rounds; round++) {
        in_time += disturb(at("killed"), plain_seconds, kills, SIGKILL);
        same_run(at("plain"), at("killed"), false);
        remove_all(at("killed"));
        choose(at("killed"));
        in_time += disturb(at("killed"), chosen_seconds, kills, SIGKILL);
        same_run(at("chosen"), at("killed"), true);
        remove_all(at("killed"));
    }
    if (in_time < kills * rounds)
        SKIP("only %d of %d kills came before the end", in_time, 2 * kills * rounds);
}

static void interruptions_change_nothing(void)
{
    int in_time = disturb(at("stopped"), plain_seconds, slow ? 10 : 2, SIGTERM);
    same_run(at("plain"), at("stopped"), false);
    if (in_time == 0)
        SKIP("no signal came before the end");
    remove_all(at("stopped"));
}

/* What timing.jsonl says of the first such thing. */
static double seconds_of(const char *timing, const char *what)
{
    const char *line = strstr(timing, what), *value = line ? strstr(line, "\"seconds\":") : NULL;
    CHECK(value, "%s: %s", what, timing);
    return value ? strtod(value + strlen("\"seconds\":"), NULL) : 0;
}

/* A run whose default source has a train() of its own, which takes a second or so. */
static pid_t start_own(const char *folder, bool resume)
{
    const char *argv[] = {TEST_PHOENIX,
                          "evolve",
                          "--run",
                          folder,
                          "--quiet",
                          resume ? "--resume" : "--scope",
                          resume ? NULL : "learning",
                          "--d-model",
                          "16",
                          "--samples",
                          "256",
                          "--few-shot",
                          "64",
                          "--episodes",
                          "1",
                          "--batches",
                          "1",
                          "--candidates",
                          "1",
                          "--held-out",
                          "16",
                          "--fidelity",
                          "0",
                          "--max-tokens",
                          "24",
                          "--fresh-seeds",
                          "0",
                          NULL};
    return start_command(argv);
}

/* Kills while that train() is under way: in the worker that scores the source, when the journal has no more
 * than its beginning; and in the stage that trains what it defines, when the journal ends with that score.
 * SIGTERM leaves a checkpoint in the middle of train(), from which the ones after it go on by replaying the
 * program up to there. */
static void kills_within_a_sources_train_change_nothing(void)
{
    static const struct {
        int events; /* in the journal when the time begins to count, and after the kill */
        const char *what;
        double share; /* of the time that it takes undisturbed */
        int signal_number;
    } kills[] = {{1, "\"batch\"", 0.3, SIGKILL},
                 {2, "\"training\"", 0.4, SIGTERM},
                 {2, "\"training\"", 0.3, SIGKILL},
                 {2, "\"training\"", 0.5, SIGKILL}};
    enum { KILLS = sizeof kills / sizeof *kills };
    size_t size;
    int in_time = 0;
    CHECK(wait_for(start_own(at("own"), false)) == 0, "the run fails");
    char *source = slurp(at("own/episode-0/source.c"), &size);
    CHECK(strstr(source, "void train(t5 *model, dataset *data)"), "%s", source);
    free(source);
    char *timing = slurp(at("own/timing.jsonl"), &size);
    for (int i = 0; i < KILLS; i++) {
        int before = 0;
        pid_t child = start_own(at("hit"), base_file_exists(at("hit/manifest.json")));
        for (int tries = 0; tries < 6000 && before < kills[i].events; tries++) {
            pause_seconds(0.01);
            char *journal = slurp(at("hit/journal.jsonl"), &size);
            before = count_events(journal, "\n");
            free(journal);
        }
        pause_seconds(kills[i].share * seconds_of(timing, kills[i].what));
        kill(child, kills[i].signal_number);
        int code = wait_for(child);
        CHECK(code == 0 || code == 256 + kills[i].signal_number, "kill %d: exit code %d", i, code);
        char *journal = slurp(at("hit/journal.jsonl"), &size);
        bool within = count_events(journal, "\n") == kills[i].events;
        free(journal);
        in_time += within;
        CHECK(!within || i == 0 || base_file_exists(at("hit/episode-0/training.safetensors")),
              "kill %d: no checkpoint", i);
    }
    if (in_time < KILLS)
        SKIP("only %d of %d kills came while a train() was under way", in_time, (int)KILLS);
    CHECK(wait_for(start_own(at("hit"), true)) == 0, "it does not go on");
    same_run(at("own"), at("hit"), true);
    remove_all(at("own"));
    remove_all(at("hit"));
    free(timing);
}

/* A journal that ends anywhere, in the middle of a line as well, with all files of the later run
 * beside it: what a kill may leave when the system writes in another order. */
static void every_event_can_be_the_last(void)
{
    size_t size;
    char *bytes = slurp(at("chosen/journal.jsonl"), &size);
    int lines = count_events(bytes, "\n"), step = slow ? 1 : TEST_SANITIZED ? 10 : 5;
    free(bytes);
    for (int i = 0; i < lines; i += step) {
        copy_all(at("chosen"), at("cut"));
        cut_journal(at("cut"), i);
        FILE *journal = fopen(at("cut/journal.jsonl"), "ab");
        fprintf(journal, "{\"seq\":%d,\"ev", i);
        fclose(journal);
        /* The first 4 lines are not what the model would have proposed: start behind them. */
        if (i >= 4) {
            run_to_the_end(at("cut"), true, "1", "1");
            same_run(at("chosen"), at("cut"), true);
        }
        remove_all(at("cut"));
    }
}

/* ---- what cannot be gone on with ---- */

static void a_changed_manifest_is_refused(void)
{
    base_error error;
    evolve_settings settings;
    size_t size;
    mkdir(at("m"), 0777);
    char *bytes = slurp(at("plain/manifest.json"), &size);
    spill(at("m/manifest.json"), bytes, size);
    CHECK(loop_manifest_read(at("m"), &settings, &error), "%s", error.text);
    int missed = 0;
    for (size_t i = 0; i < size; i++)
        for (int bit = 0; bit < 8; bit++) {
            bytes[i] ^= (char)(1 << bit);
            spill(at("m/manifest.json"), bytes, size);
            bytes[i] ^= (char)(1 << bit);
            error.text[0] = '\0';
            bool refused = !loop_manifest_read(at("m"), &settings, &error) &&
                           strstr(error.text, "manifest.json") && !strchr(error.text, '\n');
            if (!refused && missed++ < 5)
                CHECK(0, "bit %d of byte %zu: %s", bit, i, error.text);
        }
    CHECK(missed == 0, "%d changes", missed);
    for (size_t cut = 0; cut + 1 < size; cut++) {
        spill(at("m/manifest.json"), bytes, cut);
        CHECK(!loop_manifest_read(at("m"), &settings, &error), "cut after %zu bytes", cut);
    }
    free(bytes);
    remove_all(at("m"));
}

/* Replaces a piece of a file by another. */
static void edit(const char *path, const char *from, const char *to)
{
    size_t size;
    char *bytes = slurp(path, &size), *place = strstr(bytes, from);
    CHECK(place, "%s: no %s", path, from);
    base_text text = {0};
    base_text_add(&text, bytes, (size_t)(place - bytes));
    base_text_print(&text, "%s%s", to, place + strlen(from));
    spill(path, text.data, text.length);
    base_text_free(&text);
    free(bytes);
}

static void flip(const char *path, size_t numerator, size_t denominator)
{
    size_t size;
    char *bytes = slurp(path, &size);
    bytes[size * numerator / denominator] ^= 4;
    spill(path, bytes, size);
    free(bytes);
}

static void damaged_folders_are_refused(void)
{
    struct {
        const char *piece, *other;
    } want;
    for (int way = 0; way < 9; way++) {
        char line[64] = "";
        copy_all(at("plain"), at("bad"));
        want.other = "";
        switch (way) {
        case 0:
            edit(at("bad/manifest.json"), "\"version\":\"" EVOLVE_VERSION "\"",
                 "\"version\":\"9.8\"");
            want.piece = "9.8";
            want.other = "this is phoenix " EVOLVE_VERSION;
            break;
        case 1:
            edit(at("bad/manifest.json"), "\"format\":2", "\"format\":1");
            want.piece = "format 1,";
            break;
        case 2:
            edit(at("bad/manifest.json"), "\"numeric_mode\":\"", "\"numeric_mode\":\"fast-");
            want.piece = "numeric mode fast-";
            break;
        case 3:
            edit(at("bad/manifest.json"), "\"seed\":1", "\"seed\":3");
            want.piece = "manifest.json: ";
            want.other = "changed";
            break;
        case 4:
            flip(at("bad/journal.jsonl"), 1, 2);
            want.piece = "journal.jsonl:";
            want.other = "changed";
            break;
        case 5: /* the model is needed again */
            cut_journal(at("bad"), 3);
            unlink(at("bad/episode-0/model/model.safetensors"));
            want.piece = "episode-0/model/model.safetensors: ";
            want.other = "No such file";
            break;
        case 6:
            cut_journal(at("bad"), 3);
            flip(at("bad/episode-0/model/model.safetensors"), 3, 4);
            want.piece = "episode-0/model/model.safetensors: ";
            want.other = "changed";
            break;
        case 7:
            cut_journal(at("bad"), 3);
            flip(at("bad/episode-0/model/config.json"), 1, 2);
            want.piece = "episode-0/model/config.json: ";
            want.other = "changed";
            break;
        default: { /* the manifest of another run */
            evolve_settings settings;
            base_error error;
            const loop_options options = {.run = {.jobs = 1, .threads = 1, .launcher = ""}};
            CHECK(loop_manifest_read(at("bad"), &settings, &error), "%s", error.text);
            settings.seed = 3;
            unlink(at("bad/manifest.json"));
            CHECK(base_file_make_folder(at("bad"), &error), "%s", error.text);
            CHECK(loop_manifest_write(at("bad"), &settings, &options, &error), "%s", error.text);
            snprintf(line, sizeof line, "journal.jsonl:1: ");
            want.piece = line;
            break;
        }
        }
        refused(at("bad"), true, want.piece, want.other);
        remove_all(at("bad"));
    }
}

/* Runs `build/phoenix verify`; the exit code has to be that one, and what it prints to hold the
 * piece. The folder stays as it is. */
static void verified(const char *folder, const char *option, const char *value, int want,
                     const char *piece)
{
    const char *argv[] = {TEST_PHOENIX, "verify", folder, "--quiet", "--jobs",
                          "2",          option,   value,  NULL};
    size_t out_size, error_size;
    remove_all(at("before"));
    copy_all(folder, at("before"));
    int code = wait_for(start_command(argv));
    char *out = slurp(at("stdout"), &out_size), *errors = slurp(at("stderr"), &error_size);
    CHECK(code == want && (strstr(out, piece) || strstr(errors, piece)) &&
              (error_size == 0 || want != 0),
          "%s %s: exit code %d, not %d with \"%s\": %s%s", folder, option ? option : "", code, want,
          piece, out, errors);
    same_run(at("before"), folder, true);
    free(out);
    free(errors);
}

static void folders_in_use_are_refused(void)
{
    refused(at("plain"), false, "--resume", "plain");
    refused(at("nothing"), true, "nothing: expected a run in this folder", "");
    mkdir(at("empty"), 0777);
    refused(at("empty"), true, "empty: expected a run in this folder", "");

    /* A second driver while the first holds the folder. */
    pid_t first = start(at("busy"), false, "1", "1");
    size_t size = 0;
    for (int i = 0; i < 2000 && size == 0; i++) {
        pause_seconds(0.005);
        free(slurp(at("busy/journal.jsonl"), &size));
    }
    kill(first, SIGSTOP);
    CHECK(size > 0, "the first does not start");
    refused(at("busy"), true, "busy/journal.jsonl", "another phoenix");
    verified(at("busy"), NULL, NULL, 1, "another phoenix");
    kill(first, SIGKILL);
    wait_for(first);
    remove_all(at("busy"));
}

/* A run that is over replays without its models, and says the same. */
static void a_finished_run_can_be_resumed(void)
{
    copy_all(at("chosen"), at("over"));
    remove_all(at("over/episode-0"));
    remove_all(at("over/episode-1"));
    unlink(at("over/summary.txt"));
    run_to_the_end(at("over"), true, "1", "1");
    CHECK(same_files(at("chosen/journal.jsonl"), at("over/journal.jsonl")), "another journal");
    CHECK(same_files(at("chosen/summary.txt"), at("over/summary.txt")), "another summary");
    remove_all(at("over"));
}

/* Of scope `all`: a source that can be scored, and fails in the long training, is given up for the
 * one before; the same journal wherever the run is cut and resumed. */
static void a_source_that_cannot_be_trained_is_given_up(void)
{
    char source[4096];
    snprintf(source, sizeof source,
             "%s\nvoid train(t5 *model, dataset *data)\n{\n"
             "    optimizer *o = sgd(model, 0.9, 0.0, 0);\n"
             "    if (size(data) > 32)\n        update(o, -1.0);\n"
             "    for (int i = 0; i < 2; i++) {\n"
             "        batch *b = next(data, 8);\n"
             "        learn(model, b, cross_entropy());\n"
             "        update(o, 0.01);\n    }\n}\n",
             tiny_source(64, ""));
    const char *texts[4] = {"no program\n", source, "", source};
    scope = "all";
    run_to_the_end(at("whole"), false, "1", "1");
    choose_texts(at("whole"), at("given-up"), texts);
    run_to_the_end(at("given-up"), true, "1", "1");
    size_t size;
    char *journal = slurp(at("given-up/journal.jsonl"), &size);
    CHECK(count_events(journal, "\"untrainable\":") == 1 && strstr(journal, "the rate is -1") &&
              count_events(journal, "\"accepted\":true") == 1,
          "%s", journal);
    CHECK(same_files(at("given-up/episode-0/source.c"), at("given-up/episode-1/source.c")),
          "episode 1 has another source");
    int lines = count_events(journal, "\n");
    for (int count = 9; count < lines; count++) { /* from the first batch's end on */
        copy_all(at("given-up"), at("cut"));
        cut_journal(at("cut"), count);
        run_to_the_end(at("cut"), true, "2", "2");
        CHECK(same_files(at("given-up/journal.jsonl"), at("cut/journal.jsonl")),
              "cut after %d events: another journal", count);
        remove_all(at("cut"));
    }
    free(journal);
    scope = "architecture";
}

/* Of a task with images: one training of the T5, and networks that follow each other. */
static void networks_evolve(void)
{
    static const char format[] = "#include \"phoenix.h\"\n\nnetwork *model(void)\n{\n"
                                 "    network *net = network_new();\n    flatten(net);\n"
                                 "    int n = linear(net, 196, %d);\n    relu(net);\n"
                                 "    linear(net, n, image_classes());\n    return net;\n}\n";
    char small[512], large[512];
    snprintf(small, sizeof small, format, 8);
    snprintf(large, sizeof large, format, 64);
    const char *texts[4] = {small, "no program\n", large, small};
    task = "digits";
    run_to_the_end(at("digits"), false, "1", "1");
    choose_texts(at("digits"), at("networks"), texts);
    run_to_the_end(at("networks"), true, "2", "1");
    size_t size;
    char *journal = slurp(at("networks/journal.jsonl"), &size);
    CHECK(count_events(journal, "\"event\":\"trained\"") == 1 &&
              count_events(journal, "\"event\":\"proposed\"") == 2 &&
              count_events(journal, "\"accepted\":true") == 1 &&
              count_events(journal, "\"reused\":true") == 2 &&
              count_events(journal, "\"images\":\"") == 1 &&
              count_events(journal, "\"image\":[1,14,14],\"classes\":10") == 1 &&
              count_events(journal, "\"event\":\"kept\"") == 1,
          "%s", journal);
    CHECK(same_files(at("networks/model/source.c"), at("networks/source.c")),
          "the network's source");
    char *summary = slurp(at("networks/summary.txt"), &size);
    CHECK(strstr(summary, "share of the test images"), "%s", summary);
    free(summary);
    char *generator = slurp(at("networks/episode-0/source.c"), &size);
    CHECK(strstr(generator, "t5 *model(void)"), "%s", generator);
    free(generator);
    int lines = count_events(journal, "\n");
    for (int count = 8; count < lines; count += 3) {
        copy_all(at("networks"), at("cut"));
        cut_journal(at("cut"), count);
        run_to_the_end(at("cut"), true, "1", "2");
        CHECK(same_files(at("networks/journal.jsonl"), at("cut/journal.jsonl")) &&
                  same_files(at("networks/model/network.json"), at("cut/model/network.json")) &&
                  same_files(at("networks/model/model.safetensors"),
                             at("cut/model/model.safetensors")),
              "cut after %d events: another journal or network", count);
        remove_all(at("cut"));
    }
    free(journal);
    char command[1200];
    snprintf(command, sizeof command, TEST_PHOENIX " verify %s --quiet --models >%s",
             at("networks"), at("stdout"));
    int code = system(command);
    char *out = slurp(at("stdout"), &size);
    CHECK(code == 0 && strstr(out, "1 models compared: 0 differ"), "exit code %d: %s", code, out);
    free(out);
    /* a network of another save is found out */
    spill(at("networks/model/source.c"), "x", 1);
    spill(at("networks/model/model.safetensors"), "x", 1);
    snprintf(command, sizeof command, TEST_PHOENIX " verify %s --files --quiet >%s", at("networks"),
             at("stdout"));
    code = system(command);
    out = slurp(at("stdout"), &size);
    CHECK(code != 0 && strstr(out, "models compared: 2 differ"), "exit code %d: %s", code, out);
    free(out);
    task = "self";
}

static void a_full_disk_is_an_error(void)
{
    mkdir(at("full"), 0777);
    if (!base_file_exists("/dev/full") || symlink("/dev/full", at("full/journal.jsonl")) != 0) {
        SKIP("no /dev/full here");
        return;
    }
    int code = wait_for(start(at("full"), false, "1", "1"));
    size_t size;
    char *errors = slurp(at("stderr"), &size);
    CHECK(code == 1 && strstr(errors, "journal.jsonl") && strstr(errors, strerror(ENOSPC)) &&
              strchr(errors, '\n') == errors + size - 1,
          "exit code %d: %s", code, errors);
    free(errors);
    unlink(at("full/journal.jsonl"));
    remove_all(at("full"));
}

/* ---- verification ---- */

static void whole_runs_are_verified(void)
{
    verified(at("plain"), NULL, NULL, 0,
             "finished: 23 files, 9 candidates, 0 models compared: 0 differ\n");
    verified(at("chosen"), NULL, NULL, 0,
             "finished: 23 files, 13 candidates, 0 models compared: 0 differ\n");
    verified(at("chosen"), "--files", NULL, 0, "23 files, 0 candidates, 0 models");
    verified(at("chosen"), "--models", NULL, 0, "23 files, 13 candidates, 2 models");
    verified(at("chosen"), "--candidates", "default,0.0.2,compared.3", 0, " 3 candidates");
    verified(at("chosen"), "--candidates", "0.0.2,7.0.0", 1, "1 of these names");
    verified(at("chosen"), "--candidates", "", 2, "not an empty one");
    verified(at("chosen"), "--launcher", "env", 0, ": 0 differ");
}

/* Every file of a run: its first, middle and last byte changed, then the file taken away. */
static void changed_files_are_named(const char *original, const char *copy, const char *inside)
{
    DIR *folder = opendir(inside);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        char *path = base_file_path(inside, entry->d_name);
        struct stat status;
        if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
            changed_files_are_named(original, copy, path);
        } else {
            size_t size;
            char *bytes = slurp(path, &size);
            for (size_t i = 0; i < 3; i++) {
                size_t place = i * (size - 1) / 2;
                bytes[place] ^= 1;
                spill(path, bytes, size);
                bytes[place] ^= 1;
                verified(copy, "--files", NULL, 1, path);
            }
            unlink(path);
            if (strcmp(entry->d_name, "manifest.json") == 0)
                verified(copy, "--files", NULL, 1, "it has no manifest.json");
            else if (strcmp(entry->d_name, "timing.jsonl") != 0)
                verified(copy, "--files", NULL, 1, path);
            spill(path, bytes, size);
            free(bytes);
        }
        free(path);
    }
    if (folder)
        closedir(folder);
}

static void every_change_is_named(void)
{
    copy_all(at("chosen"), at("copy"));
    changed_files_are_named(at("chosen"), at("copy"), at("copy"));
    same_run(at("chosen"), at("copy"), true);
    remove_all(at("copy"));
}

/* Edits the journal's line number `line` (from 0) and seals it again, as somebody would who means
 * to deceive. A `to` that has a digest takes the place of `from` and of the digest behind it. */
static void forge(const char *folder, int line, const char *from, const char *to)
{
    char *path = base_file_path(folder, "journal.jsonl");
    size_t size;
    char *bytes = slurp(path, &size), *start_of_line = bytes;
    for (int i = 0; i < line; i++)
        start_of_line = strchr(start_of_line, '\n') + 1;
    char *end = strchr(start_of_line, '\n'), *check = strstr(start_of_line, ",\"check\":");
    char *place = strstr(start_of_line, from);
    CHECK(place && place < check && check < end, "line %d: no %s", line, from);
    base_text sealed = {0}, text = {0};
    size_t gone = strlen(from) + (strlen(to) >= BASE_HASH_TEXT ? BASE_HASH_TEXT - 1 : 0);
    base_text_add(&sealed, start_of_line, (size_t)(place - start_of_line));
    base_text_print(&sealed, "%s%.*s}", to, (int)(check - place - (long)gone), place + gone);
    base_seal(&sealed);
    base_text_add(&text, bytes, (size_t)(start_of_line - bytes));
    base_text_print(&text, "%s%s", sealed.data, end);
    spill(path, text.data, text.length);
    base_text_free(&sealed);
    base_text_free(&text);
    free(bytes);
    free(path);
}

static void forgeries_are_named(void)
{
    static const struct {
        int line;
        const char *from, *to, *option, *piece;
    } ways[] = {
        {1, "\"score\":", "\"score\":1", "--files", "\"finished\" does not follow"},
        {1, "\"losses\":[", "\"losses\":[1", NULL, "default: the same score, other losses"},
        {2, "\"weights\":\"", "\"weights\":\"0", "--files", "\"weights\" is no SHA-256"},
        {2, "\"weights\":\"", "\"weights\":\"" TEST_HASH("0"), "--files",
         "episode-0/model/model.safetensors: "},
        {2, "\"weights\":\"", "\"weights\":\"" TEST_HASH("0"), "--models",
         "trained again, weights: recorded 0"},
        {4, "\"flops\":", "\"flops\":1", NULL, "0.0.0: the same score, other losses or cost"},
        {4, "\"key\":\"", "\"key\":\"" TEST_HASH("0"), "--files",
         "expected the outcome of candidate 1"},
        {4, "\"status\":\"ok\"", "\"status\":\"lost\"", "--files", "\"lost\" is no status"},
        {5, "\"reason\":\"", "\"reason\":\"no ", NULL, "0.0.1: recorded parse: no "},
        {6, "\"parameters\":", "\"parameters\":1", NULL, "0.0.2: the same score, other"},
        {7, "\"score\":", "\"score\":-", "--files", "below 0"},
        {8, "\"accepted\":true", "\"accepted\":false", "--files", "\"selected\" does not follow"},
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        copy_all(at("chosen"), at("forged"));
        forge(at("forged"), ways[i].line, ways[i].from, ways[i].to);
        verified(at("forged"), ways[i].option, NULL, 1, ways[i].piece);
        remove_all(at("forged"));
    }
}

static void unfinished_runs_are_verified(void)
{
    size_t size;
    char *bytes = slurp(at("chosen/journal.jsonl"), &size);
    int lines = count_events(bytes, "\n"), step = slow ? 1 : TEST_SANITIZED ? 8 : 4;
    free(bytes);
    for (int i = 1; i < lines; i += step) {
        copy_all(at("chosen"), at("cut"));
        cut_journal(at("cut"), i);
        verified(at("cut"), NULL, NULL, 0, "not finished");
        FILE *journal = fopen(at("cut/journal.jsonl"), "ab");
        fprintf(journal, "{\"seq\":%d,\"ev", i);
        fclose(journal);
        verified(at("cut"), NULL, NULL, 1, "the line is torn");
        remove_all(at("cut"));
    }
    unlink(at("no-journal"));
    mkdir(at("no-journal"), 0777);
    copy_all(at("plain/manifest.json"), at("no-journal/manifest.json"));
    verified(at("no-journal"), NULL, NULL, 1, "no-journal/journal.jsonl");
}

/* Deadlines are tried again like the rest. */
static void deadlines_are_verified(void)
{
    copy_all(at("chosen"), at("late"));
    cut_journal(at("late"), 6);
    forge(at("late"), 4, "\"status\":\"ok\"", "\"status\":\"deadline\"");
    verified(at("late"), NULL, NULL, 1, "0.0.0: recorded deadline: , now ok ");
    remove_all(at("late"));
}

int main(void)
{
    slow = getenv("PHOENIX_SLOW") && *getenv("PHOENIX_SLOW");
    moments = (base_random){1, base_random_stream("kills", 0, 0, 0), 0};
    if (!scratch_for_command())
        return test_end();
    make_plain();
    make_chosen();
    a_run_says_what_it_did();
    the_best_is_selected();
    jobs_and_threads_make_no_difference();
    kills_change_nothing();
    kills_within_a_sources_train_change_nothing();
    interruptions_change_nothing();
    every_event_can_be_the_last();
    a_changed_manifest_is_refused();
    damaged_folders_are_refused();
    folders_in_use_are_refused();
    a_finished_run_can_be_resumed();
    a_source_that_cannot_be_trained_is_given_up();
    networks_evolve();
    a_full_disk_is_an_error();
    whole_runs_are_verified();
    every_change_is_named();
    forgeries_are_named();
    deadlines_are_verified();
    unfinished_runs_are_verified();
    remove_all(scratch);
    return test_end();
}
