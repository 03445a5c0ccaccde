/* SPDX-License-Identifier: MIT */
/* test_scorer.c -- whatever a worker does, its candidate gets the outcome that it would have had, or
 * none, and the journal says the same whoever was faster.
 *
 * The workers are real (build/phoenix), behind a launcher that is a shell script: it looks at the
 * source, and where that has a certain d_ff, it misbehaves. Another one, "shaky", loses the first
 * workers of some sources, in ways that differ from source to source, and then works. */
#include "evolve/score/evaluate.h"
#include "evolve/loop/scorer.h"
#include "tests/evolve/test_evolve.h"
#include "tests/evolve/test_score.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

static const char launcher_script[] =
    "#!/bin/sh\n"
    "echo x >>\"$0.log\"\n"
    "text=$(cat)\n"
    "work() { printf '%s\\n' \"$text\" | \"$@\"; }\n"
    "case $text in\n"
    "*'d_ff = 101;'*) while :; do :; done ;;\n"
    "*'d_ff = 102;'*) echo 'this is no result' ;;\n"
    "*'d_ff = 103;'*) yes ;;\n"
    "*'d_ff = 104;'*) kill -SEGV $$ ;;\n"
    "*'d_ff = 105;'*) cat \"$0.other\" ;;\n"
    "*'d_ff = 106;'*) exit 0 ;;\n"
    "*'d_ff = 107;'*) work \"$@\" | tr 0 1 ;;\n"
    "*'d_ff = 108;'*) work \"$@\" | cut -c 2- ;;\n"
    "*'d_ff = 109;'*) work \"$@\"; work \"$@\" ;;\n"
    "*'d_ff = 110;'*) printf 'slurm: \\033[1m broken\\nmore\\n' >&2; exit 9 ;;\n"
    "*'d_ff = 111;'*) work \"$@\"; sleep 60 ;;\n"
    "*'d_ff = 112;'*) trap '' TERM HUP; sleep 60 & sleep 60 ;;\n"
    "*'d_ff = 113;'*) work \"$@\"; exit 7 ;;\n"
    "*'d_ff = 114;'*) exec 1>&-; sleep 60 ;;\n"
    "*'d_ff = 115;'*) kill -XCPU $$; sleep 60 ;;\n"
    "*'d_ff = 116;'*) kill -KILL $$ ;;\n"
    "*'d_ff = 117;'*) if [ -f \"$0.late\" ]; then cat \"$0.late\"; rm \"$0.late\"; else work "
    "\"$@\"; fi ;;\n"
    "*'d_ff = 121;'*) sleep 0.4; work \"$@\" ;;\n"
    "*'d_ff = 122;'*) sleep 0.2; work \"$@\" ;;\n"
    "*) work \"$@\" ;;\n"
    "esac\n";

static const char shaky_script[] =
    "#!/bin/sh\n"
    "text=$(cat)\n"
    "sum=$(printf '%s' \"$text\" | cksum | tr -d ' ')\n"
    "echo x >>\"$0.$sum\"\n"
    "times=$(wc -l <\"$0.$sum\")\n"
    "work() { printf '%s\\n' \"$text\" | \"$@\"; }\n"
    "[ \"$times\" -gt $((sum % 3)) ] || case $(((sum / 3 + times) % 6)) in\n"
    "0) kill -KILL $$ ;;\n"
    "1) echo 'srun: error: Node failure on n2' >&2; exit 1 ;;\n"
    "2) exit 255 ;;\n"
    "3) work \"$@\" | cut -c 1-100; exit 0 ;;\n"
    "4) echo '{\"status\":\"limit\"}'; exit 0 ;;\n"
    "5) work \"$@\" | tr 0 7; exit 0 ;;\n"
    "esac\n"
    "work \"$@\"\n";

static evolve_settings patient, hasty, slow; /* the last two: 1 second a candidate */

static void say(void *user, const char *text) { (void)user, (void)text; }

static int64_t told, total_told;

static void progress(void *user, const char *what, int64_t done, int64_t total, const char *detail)
{
    (void)user, (void)what, (void)detail;
    CHECK((done == told || done == told + 1) && done <= total, "%d of %d after %d", (int)done,
          (int)total, (int)told); /* a round begins with what there is */
    told = done;
    total_told = total;
}

static loop_options options_with(const char *launcher, int jobs)
{
    return (loop_options){.folder = scratch,
                          .run = {.jobs = jobs, .threads = 1, .launcher = launcher},
                          .program = TEST_PHOENIX,
                          .watch = {say, progress, say, NULL}};
}

/* Opens the journal, scores, closes. Returns what loop_scorer_score does. */
static bool score(const loop_options *options, const evolve_settings *settings,
                  loop_candidate *candidates, int count, base_error *error)
{
    loop_journal *journal = loop_journal_open(scratch, error);
    loop_scorer *scorer = journal ? loop_scorer_new(journal, options, settings) : NULL;
    told = total_told = 0;
    for (int i = 0; i < count; i++)
        candidates[i].number = i;
    bool ok = scorer && loop_scorer_score(scorer, "test", candidates, count, error);
    loop_scorer_free(scorer);
    loop_journal_close(journal);
    return ok;
}

static void start_anew(void)
{
    unlink(at("journal.jsonl"));
    unlink(at("launch.log"));
}

/* How many workers were started. */
static size_t launches(void)
{
    size_t size;
    free(slurp(at("launch.log"), &size));
    return size / 2;
}

static size_t journal_lines(void)
{
    size_t size, lines = 0;
    char *bytes = slurp(at("journal.jsonl"), &size);
    for (size_t i = 0; i < size; i++)
        lines += bytes[i] == '\n';
    free(bytes);
    return lines;
}

static bool same_bytes(const char *path, const char *bytes, size_t size)
{
    size_t got_size;
    char *got = slurp(path, &got_size);
    bool same = got_size == size && memcmp(got, bytes, size) == 0;
    free(got);
    return same;
}

/* The shaky launcher starts over. */
static void remove_counters(void)
{
    int seen = 0;
    DIR *folder = opendir(scratch);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (strncmp(entry->d_name, "shaky.", 6) == 0) {
            char *path = base_file_path(scratch, entry->d_name);
            seen += unlink(path) == 0;
            free(path);
        }
    if (folder)
        closedir(folder);
    /* All of them, and the text that is no program. */
    CHECK(seen == 0 || seen == 21, "%d sources were launched", seen);
}

static loop_candidate candidate(const char *text)
{
    return (loop_candidate){
        .kind = LOOP_EVALUATED, .batch = 3, .text = text, .length = strlen(text), .share = 1};
}

static void forget(loop_candidate *candidates, int count)
{
    for (int i = 0; i < count; i++)
        score_free(&candidates[i].score);
}

/* Whatever the result is, it is whole: how the launcher ends, and whether, is its affair. */
static void whole_results_count(void)
{
    static const struct {
        int d_ff;
        const evolve_settings *settings;
        score_status status;
        const char *reason;
        size_t workers;
    } cases[] = {
        {111, &hasty, SCORE_OK, "", 1},
        {113, &patient, SCORE_OK, "", 1},
        {64, &patient, SCORE_OK, "", 1},
        {63, &slow, SCORE_TIMEOUT, "took more than 1 s", LOOP_DEADLINES},
    };
    loop_options options = options_with(at("launch"), 8);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        loop_candidate one = candidate(tiny_source(cases[i].d_ff, ""));
        options.run.patience = cases[i].d_ff == 111 ? 3 : 0; /* its launcher sleeps for a minute */
        const score_result *s = &one.score;
        base_error error = {""};
        start_anew();
        CHECK(score(&options, cases[i].settings, &one, 1, &error), "%s", error.text);
        CHECK(s->status == cases[i].status && strcmp(s->reason, cases[i].reason) == 0 &&
                  !one.reused && strlen(one.key) == 64,
              "d_ff %d: %s: %s", cases[i].d_ff, score_status_name(s->status), s->reason);
        CHECK(told == 1 && total_told == 1, "%d of %d told", (int)told, (int)total_told);
        /* Of 3 seconds a busy machine may need more than one turn. */
        const bool more = options.run.patience > 0 && launches() > cases[i].workers;
        CHECK(journal_lines() == 1 && (launches() == cases[i].workers || more),
              "%zu lines, %zu launches", journal_lines(), launches());
        forget(&one, 1);
    }
}

/* Whoever kills all its workers, or has them say nothing, has no outcome: the run stops, says what it
 * saw in one line, and the journal does not. */
static void nothing_else_does(void)
{
    static const struct {
        int d_ff;
        const char *reason;
    } cases[] = {
        {102, "exited with 0 and no result"},
        {103, "wrote more than"},
        {104, "signal 11"},
        {105, "another source"},
        {106, "exited with 0 and no result"},
        {107, "no result"},
        {108, "no result"},
        {109, "no result"},
        {110, "slurm: ?[1m broken"},
        {115, "signal 24"},
        {116, "signal 9, from outside or for want of memory"},
    };
    const loop_options options = options_with(at("launch"), 2);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        loop_candidate one = candidate(tiny_source(cases[i].d_ff, ""));
        base_error error = {""};
        start_anew();
        CHECK(!score(&options, &patient, &one, 1, &error) && strstr(error.text, cases[i].reason) &&
                  strstr(error.text, "test: candidate 0: its worker was lost 3 times: ") &&
                  !strchr(error.text, '\n'),
              "d_ff %d: %s", cases[i].d_ff, error.text);
        CHECK(journal_lines() == 0 && !one.scored, "%zu lines", journal_lines());
        /* Between attempts, two workers are asked whether all is well. */
        CHECK(launches() == LOOP_ATTEMPTS + 2 * (LOOP_ATTEMPTS - 1), "%zu launches", launches());
        CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "a child is left");
        forget(&one, 1);
    }
}

/* The clock is the last resort, and says as little of the program. */
static void silence_is_no_outcome(void)
{
    char sources[3][1024];
    static const int d_ff[3] = {101, 112, 114};
    loop_candidate candidates[3];
    for (int i = 0; i < 3; i++) {
        snprintf(sources[i], sizeof sources[i], "%s", tiny_source(d_ff[i], ""));
        candidates[i] = candidate(sources[i]);
    }
    base_error error = {""};
    loop_options options = options_with(at("launch"), 3);
    options.run.patience = 2;
    start_anew();
    CHECK(!score(&options, &hasty, candidates, 3, &error) &&
              strstr(error.text, "candidate 0: its worker was lost 3 times: no result within 2 s"),
          "%s", error.text);
    CHECK(journal_lines() == 0, "%zu lines", journal_lines());
    CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "a child is left");
    forget(candidates, 3);
}

/* What the driver can see for itself costs no worker. */
static void no_program_needs_no_worker(void)
{
    static const struct {
        const char *text;
        score_status status;
    } cases[] = {
        {"", SCORE_PARSE},
        {"hello", SCORE_PARSE},
        {"\xff\x01", SCORE_PARSE},
        {"#include \"phoenix.h\"\nt5 *model(void)\n{\n    return t5_old();\n}\n", SCORE_CHECK}};
    enum { CASES = sizeof cases / sizeof *cases };
    loop_candidate candidates[CASES];
    base_error error = {""};
    start_anew();
    for (int i = 0; i < CASES; i++)
        candidates[i] = candidate(cases[i].text);
    const loop_options options = options_with(at("launch"), 2);
    CHECK(score(&options, &patient, candidates, CASES, &error), "%s", error.text);
    for (int i = 0; i < CASES; i++)
        CHECK(candidates[i].score.status == cases[i].status && *candidates[i].score.reason &&
                  !*candidates[i].key && !candidates[i].reused,
              "%d: %s: %s", i, score_status_name(candidates[i].score.status),
              candidates[i].score.reason);
    CHECK(launches() == 0 && journal_lines() == CASES, "%zu launches", launches());
    forget(candidates, CASES);
}

/* Candidates: later ones end earlier, some are no programs, some are equal but for layout. */
enum { MIXED = 9 };

static void mixed(loop_candidate candidates[MIXED], char sources[MIXED][1024])
{
    static const int d_ff[MIXED] = {121, 122, 64, 65, 121, 0, 66, 64, 113};
    for (int i = 0; i < MIXED; i++) {
        snprintf(sources[i], sizeof sources[i], "%s%s", tiny_source(d_ff[i], ""),
                 i == 4 || i == 7 ? "/* the same */\n\n" : "");
        if (i == 3)
            strcpy(sources[i], "no program");
        candidates[i] = candidate(sources[i]);
    }
}

static void jobs_and_replays_make_no_difference(void)
{
    loop_candidate candidates[MIXED];
    char sources[MIXED][1024];
    base_error error = {""};
    size_t size = 0, again;
    char *want = NULL;
    for (int jobs = 1; jobs <= 5; jobs += 2) {
        start_anew();
        mixed(candidates, sources);
        const loop_options options = options_with(at("launch"), jobs);
        CHECK(score(&options, &patient, candidates, MIXED, &error), "%s", error.text);
        CHECK(candidates[4].reused && candidates[7].reused, "equal programs");
        CHECK(candidates[4].score.score == candidates[0].score.score &&
                  candidates[7].score.score == candidates[2].score.score &&
                  candidates[4].score.status == SCORE_OK,
              "equal programs, other scores");
        CHECK(candidates[5].score.status == SCORE_RUN && !candidates[0].reused, "%s",
              candidates[5].score.reason);
        CHECK(launches() == MIXED - 3, "%zu launches", launches());
        forget(candidates, MIXED);
        char *got = slurp(at("journal.jsonl"), &again);
        if (want)
            CHECK(again == size && memcmp(got, want, size) == 0, "jobs %d: another journal", jobs);
        if (want) {
            free(got);
        } else {
            want = got;
            size = again;
        }
    }

    /* From any number of lines on, and from a torn one, it ends the same. */
    size_t cut = 0;
    for (size_t lines = 0; lines <= MIXED; lines++) {
        start_anew();
        spill(at("journal.jsonl"), want, cut + (lines < MIXED ? 20 : 0));
        mixed(candidates, sources);
        const loop_options options = options_with(lines < MIXED ? at("launch") : "/nowhere", 4);
        CHECK(score(&options, &patient, candidates, MIXED, &error), "%s", error.text);
        forget(candidates, MIXED);
        char *got = slurp(at("journal.jsonl"), &again);
        CHECK(again == size && memcmp(got, want, size) == 0, "from line %zu: another journal",
              lines);
        free(got);
        const char *feed = strchr(want + cut, '\n');
        cut = feed ? (size_t)(feed - want) + 1 : cut;
    }

    /* The outcome of another candidate than the one at hand. */
    spill(at("journal.jsonl"), want, size);
    mixed(candidates, sources);
    candidates[1].text = tiny_source(70, "");
    candidates[1].length = strlen(candidates[1].text);
    const loop_options options = options_with(at("launch"), 1);
    CHECK(!score(&options, &patient, candidates, MIXED, &error) &&
              strstr(error.text, "candidate 1"),
          "%s", error.text);
    forget(candidates, MIXED);
    free(want);
}

/* A deadline says nothing of the program: an equal one is tried for itself, from the journal on too. */
static void deadlines_are_not_taken_over(void)
{
    loop_candidate candidates[2] = {candidate(tiny_source(63, "")), candidate(tiny_source(63, ""))};
    base_error error = {""};
    size_t size;
    const loop_options options = options_with(at("launch"), 2);
    start_anew();
    CHECK(score(&options, &slow, candidates, 2, &error), "%s", error.text);
    CHECK(launches() == 2 * LOOP_DEADLINES, "%zu launches", launches());
    for (int i = 0; i < 2; i++)
        CHECK(candidates[i].score.status == SCORE_TIMEOUT && !candidates[i].reused, "%d: %s", i,
              candidates[i].score.reason);
    forget(candidates, 2);
    char *bytes = slurp(at("journal.jsonl"), &size);
    start_anew();
    spill(at("journal.jsonl"), bytes, (size_t)(strchr(bytes, '\n') - bytes) + 1);
    CHECK(score(&options, &slow, candidates, 2, &error), "%s", error.text);
    CHECK(launches() == LOOP_DEADLINES, "%zu launches", launches());
    CHECK(same_bytes(at("journal.jsonl"), bytes, size), "another journal");
    forget(candidates, 2);
    free(bytes);
}

/* Met once, by a machine that was slow just then, and not again. */
static void one_deadline_is_none(void)
{
    loop_candidate one = candidate(tiny_source(117, ""));
    base_error error = {""};
    const loop_options options = options_with(at("launch"), 1);
    start_anew();
    unlink(at("launch.late"));
    const score_question question = {one.text, one.length, &patient, 0, NULL};
    score_result late = {.status = SCORE_TIMEOUT, .reason = "took more than 60 s"};
    base_text line = {0};
    score_result_print(&late, &question, &line);
    spill(at("launch.late"), line.data, line.length);
    CHECK(score(&options, &patient, &one, 1, &error) && one.score.status == SCORE_OK, "%s: %s",
          error.text, one.score.reason);
    CHECK(launches() == 2, "%zu launches", launches());
    forget(&one, 1);
    base_text_free(&line);
}

/* Workers that are lost and replaced leave no trace. */
static void lost_workers_leave_no_trace(void)
{
    enum { MANY = 24 };
    loop_candidate candidates[MANY];
    char sources[MANY][1024];
    base_error error = {""};
    size_t size;
    char *want = NULL;
    for (int jobs = 0; jobs <= 6; jobs += 3) {
        start_anew();
        for (int i = 0; i < MANY; i++) {
            snprintf(sources[i], sizeof sources[i], "%s", tiny_source(32 + i % 20, ""));
            candidates[i] = candidate(sources[i]);
        }
        const loop_options options = options_with(jobs ? at("shaky") : "", jobs ? jobs : 2);
        CHECK(score(&options, &patient, candidates, MANY, &error), "%s", error.text);
        for (int i = 0; i < MANY; i++)
            CHECK(candidates[i].score.status == SCORE_OK && candidates[i].reused == (i >= 20),
                  "%d: %s", i, candidates[i].score.reason);
        forget(candidates, MANY);
        if (want)
            CHECK(same_bytes(at("journal.jsonl"), want, size), "jobs %d: another journal", jobs);
        else
            want = slurp(at("journal.jsonl"), &size);
        remove_counters();
    }
    free(want);
}

static void without_reuse_each_is_evaluated(void)
{
    loop_candidate candidates[2] = {candidate(tiny_source(64, "")), candidate(tiny_source(64, ""))};
    evolve_settings apart = patient;
    apart.reuse = 0;
    base_error error = {""};
    const loop_options options = options_with(at("launch"), 1);
    start_anew();
    CHECK(score(&options, &apart, candidates, 2, &error), "%s", error.text);
    CHECK(launches() == 2 && !candidates[0].reused && !candidates[1].reused, "%zu launches",
          launches());
    CHECK(candidates[0].score.score == candidates[1].score.score, "%g, then %g",
          candidates[0].score.score, candidates[1].score.score);
    forget(candidates, 2);
}

/* Equal programs under other settings are something else. */
static void other_settings_are_other_scores(void)
{
    loop_candidate candidates[2] = {candidate(tiny_source(64, "")), candidate(tiny_source(64, ""))};
    candidates[1].share = 0.5;
    base_error error = {""};
    const loop_options options = options_with(at("launch"), 1);
    start_anew();
    CHECK(score(&options, &patient, candidates, 2, &error), "%s", error.text);
    CHECK(launches() == 2 && candidates[0].score.score != candidates[1].score.score &&
              strcmp(candidates[0].key, candidates[1].key) != 0,
          "%zu launches", launches());
    forget(candidates, 2);
}

/* A worker through a launcher says what evaluating here does. */
static void workers_agree_with_this_process(void)
{
    const char *source = tiny_source(64, "");
    loop_candidate here = candidate(source);
    base_error error = {""};
    score_result want;
    base_text a = {0}, b = {0};
    char launcher[1024];
    snprintf(launcher, sizeof launcher, " env \t PHOENIX_UNUSED=1   %s", at("launch"));
    const loop_options with = options_with(launcher, 1), without = options_with("", 1);
    want = score_text(source, (score_request){.settings = &patient, .threads = 2});
    score_members(&want, &a);
    for (int i = 0; i < 2; i++) {
        start_anew();
        CHECK(score(i ? &with : &without, &patient, &here, 1, &error), "%s", error.text);
        base_text_clear(&b);
        score_members(&here.score, &b);
        CHECK(strcmp(a.data, b.data) == 0, "%s\n%s", a.data, b.data);
        forget(&here, 1);
    }
    score_free(&want);
    base_text_free(&a);
    base_text_free(&b);
}

/* Where every worker is lost, the run stops, and does not write down that there is no score. */
static void a_needed_score_is_tried_again(void)
{
    loop_candidate needed = candidate(tiny_source(64, ""));
    base_error error = {""};
    const loop_options broken = options_with("/nowhere/launcher", 2);
    const loop_options good = options_with(at("launch"), 1);
    start_anew();
    CHECK(!score(&broken, &patient, &needed, 1, &error) && strstr(error.text, strerror(ENOENT)) &&
              strstr(error.text, "test: workers are lost: ") && !strchr(error.text, '\n'),
          "%s", error.text);
    CHECK(journal_lines() == 0, "%zu lines", journal_lines());
    needed = candidate(tiny_source(63, ""));
    needed.kind = LOOP_DEFAULT;
    CHECK(!score(&good, &slow, &needed, 1, &error) && strstr(error.text, "test: deadline: "), "%s",
          error.text);
    CHECK(journal_lines() == 0, "%zu lines", journal_lines());
    needed = candidate(tiny_source(64, ""));
    needed.kind = LOOP_DEFAULT;
    CHECK(score(&good, &patient, &needed, 1, &error) && needed.score.status == SCORE_OK, "%s",
          error.text);
    CHECK(journal_lines() == 1, "%zu lines", journal_lines());
    forget(&needed, 1);
}

static volatile sig_atomic_t stop;

static void on_alarm(int number)
{
    (void)number;
    stop = 1;
}

static void a_stop_leaves_what_was_done(void)
{
    loop_candidate candidates[3] = {candidate(tiny_source(64, "")), candidate(tiny_source(112, "")),
                                    candidate(tiny_source(66, ""))};
    base_error error = {"not set"};
    loop_options options = options_with(at("launch"), 1);
    options.stop = &stop;
    start_anew();
    signal(SIGALRM, on_alarm);
    alarm(2);
    CHECK(!score(&options, &patient, candidates, 3, &error) && !*error.text, "%s", error.text);
    CHECK(journal_lines() <= 1, "%zu lines", journal_lines());
    CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "a child is left");
    forget(candidates, 3);
}

/* The journal is on a full disk: an error, and no endless loop. */
static void a_full_disk_is_an_error(void)
{
    if (!base_file_exists("/dev/full")) {
        SKIP("no /dev/full here");
        return;
    }
    loop_candidate candidates[3] = {candidate("no program"), candidate(tiny_source(64, "")),
                                    candidate(tiny_source(66, ""))};
    base_error error = {""};
    const loop_options options = options_with(at("launch"), 1);
    start_anew();
    if (symlink("/dev/full", at("journal.jsonl")) != 0) {
        SKIP("no symbolic links here");
        return;
    }
    CHECK(!score(&options, &patient, candidates, 3, &error) && strstr(error.text, "journal.jsonl"),
          "%s", error.text);
    forget(candidates, 3);
    candidates[0] = candidate(tiny_source(64, ""));
    CHECK(!score(&options, &patient, candidates, 1, &error) && strstr(error.text, strerror(ENOSPC)),
          "%s", error.text);
    forget(candidates, 1);
}

static void too_many_words_are_an_error(void)
{
    char launcher[2000];
    for (size_t i = 0; i + 1 < sizeof launcher; i++)
        launcher[i] = i % 2 ? ' ' : 'a';
    launcher[sizeof launcher - 1] = '\0';
    loop_candidate one = candidate(tiny_source(64, ""));
    base_error error = {""};
    const loop_options options = options_with(launcher, 1);
    start_anew();
    CHECK(!score(&options, &patient, &one, 1, &error) && strstr(error.text, "--launcher"), "%s",
          error.text);
    forget(&one, 1);
}

int main(void)
{
    if (!scratch_make() || strchr(scratch, ' ')) {
        SKIP("no folder can be made, or one with a blank in its name");
        return test_end();
    }
    if (!base_file_exists(TEST_PHOENIX)) {
        CHECK(0, TEST_PHOENIX " is not here: run this from the root of the tree");
        return test_end();
    }
    patient = hasty = tiny_settings();
    patient.deadline = 60;
    hasty.deadline = 1;
    slow = hasty;
    slow.few_shot = 1000000;
    spill(at("launch"), launcher_script, sizeof launcher_script - 1);
    spill(at("shaky"), shaky_script, sizeof shaky_script - 1);
    chmod(at("launch"), 0755);
    chmod(at("shaky"), 0755);
    score_result other;
    base_text line = {0};
    other = score_text(tiny_source(99, ""), (score_request){.settings = &patient});
    const char *text = tiny_source(99, "");
    score_result_print(&other, &(score_question){text, strlen(text), &patient, 0, NULL}, &line);
    spill(at("launch.other"), line.data, line.length);
    score_free(&other);
    base_text_free(&line);

    whole_results_count();
    nothing_else_does();
    silence_is_no_outcome();
    no_program_needs_no_worker();
    jobs_and_replays_make_no_difference();
    deadlines_are_not_taken_over();
    one_deadline_is_none();
    lost_workers_leave_no_trace();
    without_reuse_each_is_evaluated();
    other_settings_are_other_scores();
    workers_agree_with_this_process();
    a_needed_score_is_tried_again();
    a_stop_leaves_what_was_done();
    a_full_disk_is_an_error();
    too_many_words_are_an_error();
    remove_all(scratch);
    return test_end();
}
