/* SPDX-License-Identifier: MIT */
/* scorer.c -- a worker's word counts only as a whole sealed line; anything less is the machine's, and
 * no outcome. Rounds of jobs go on until every candidate of the batch has an outcome; outcomes are
 * written down in the order of the candidates. */
#include "evolve/loop/scorer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/process.h"
#include "evolve/source/host.h"
#include "evolve/sandbox/pool.h"
#include "evolve/score/evaluate.h"
#include "evolve/loop/networks.h"
#include "vision/model.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST_ARGUMENTS = 256 };

struct loop_scorer {
    loop_journal *journal;
    const loop_options *options;
    const evolve_settings *settings;
    loop_candidates known; /* one of each program that was scored, without losses */
};

loop_scorer *loop_scorer_new(loop_journal *journal, const loop_options *options,
                             const evolve_settings *settings)
{
    loop_scorer *scorer = base_calloc(1, sizeof *scorer);
    if (scorer)
        *scorer = (loop_scorer){.journal = journal, .options = options, .settings = settings};
    return scorer;
}

void loop_scorer_free(loop_scorer *scorer)
{
    if (!scorer)
        return;
    loop_candidates_free(&scorer->known);
    base_free(scorer);
}

static loop_candidate *find(const loop_scorer *scorer, const char *key)
{
    for (int i = 0; i < scorer->known.count; i++)
        if (strcmp(scorer->known.list[i].key, key) == 0)
            return &scorer->known.list[i];
    return NULL;
}

/* An equal program whose outcome serves for this candidate as well. One that was stopped left a
 * lower bound of its score, which is enough where the score to beat is not above it. (That score
 * rises only when the run has to step back, from a source that no stage could train to a worse
 * one.) */
static const loop_candidate *look_up(const loop_scorer *scorer, const loop_candidate *candidate)
{
    bool may = scorer->settings->reuse && *candidate->key;
    const loop_candidate *equal = may ? find(scorer, candidate->key) : NULL;
    bool serves = equal && (equal->score.status != SCORE_STOPPED ||
                            (candidate->bound > 0 && equal->score.score >= candidate->bound));
    return serves ? equal : NULL;
}

/* Whether the outcome depends on the program alone, and not on how fast the machine was. */
static bool is_of_program(const score_result *score) { return score->status != SCORE_TIMEOUT; }

static bool remember(loop_scorer *scorer, const loop_candidate *candidate)
{
    if (!*candidate->key || !is_of_program(&candidate->score) || candidate->reused)
        return true;
    loop_candidate *equal = find(scorer, candidate->key), kept = *candidate;
    kept.score.losses = NULL;
    kept.score.kept = NULL;
    if (candidate->kind == LOOP_KEPT)
        kept.score.model[0] = '\0'; /* the run has one network */
    kept.score.steps = 0;
    if (!equal)
        return loop_candidates_add(&scorer->known, &kept);
    *equal = kept;
    return true;
}

/* Parses and checks; a program gets its key, of what a worker is given, and anything else its verdict. */
static bool inspect(const loop_scorer *scorer, loop_candidate *candidate, base_error *error)
{
    const evolve_settings settings = loop_candidate_settings(scorer->settings, candidate);
    language_diagnostic diagnostic;
    candidate->key[0] = '\0';
    language_program *program =
        source_parse("candidate.c", candidate->text, candidate->length, &diagnostic);
    if (!program) {
        candidate->score.status = diagnostic.failure == LANGUAGE_PARSE ? SCORE_PARSE : SCORE_CHECK;
        snprintf(candidate->score.reason, sizeof candidate->score.reason, "%s", diagnostic.text);
        return true;
    }
    base_text key = {0};
    language_normalise(program, &key);
    evolve_fields_print(evolve_setting_fields, EVOLVE_SCORED, &settings, &key);
    if (*candidate->begins)
        base_text_print(&key, " from %s", candidate->begins);
    bool ok = !key.failed || base_fail(error, "candidate: no memory");
    if (ok)
        base_hash_text(key.data, key.length, candidate->key);
    base_text_free(&key);
    language_program_free(program);
    return ok;
}

/* ---- one worker: its command line and its outcome ---- */

/* launcher's words, program, "evaluate", "-", how, settings. again: after a worker that was lost or
 * late, the interpreter has the word: what a compiler had a part in may have been its doing. */
static bool make_command(const loop_scorer *scorer, const loop_candidate *candidate, bool again,
                         char **argv, base_error *error)
{
    char number[32];
    const double bound = candidate->bound;
    const evolve_settings settings = loop_candidate_settings(scorer->settings, candidate);
    base_print(number, sizeof number, "%.17g", bound);
    int n = 0;
    const loop_options *options = scorer->options;
    evolve_options how = options->run;
    if (again)
        how.executor = EVOLVE_INTERPRET;
    const char *word = options->run.launcher;
    for (word += strspn(word, " \t"); *word; word += strspn(word, " \t")) {
        size_t length = strcspn(word, " \t");
        if (n == MOST_ARGUMENTS / 2)
            return base_fail(error, "--launcher: more than %d words", MOST_ARGUMENTS / 2);
        argv[n++] = base_copy(word, length);
        word += length;
    }
    argv[n++] = base_copy(options->program, strlen(options->program));
    argv[n++] = base_copy("evaluate", 8);
    argv[n++] = base_copy("-", 1);
    argv[n++] = base_copy("--worker", 8);
    evolve_fields_arguments(evolve_option_fields, EVOLVE_PASSED, &how, argv, &n,
                            MOST_ARGUMENTS - 1);
    if (loop_candidate_keeps(scorer->settings, candidate))
        argv[n++] = base_copy("--model", 7);
    if (*candidate->begins) {
        argv[n++] = base_copy("--parent", 8);
        argv[n++] = base_copy(candidate->begins, strlen(candidate->begins));
    }
    argv[n++] = base_copy("--bound", 7);
    argv[n++] = base_copy(number, strlen(number));
    evolve_fields_arguments(evolve_setting_fields, EVOLVE_SCORED, &settings, argv, &n,
                            MOST_ARGUMENTS - 1);
    for (int i = 0; i < n; i++)
        if (!argv[i])
            return base_fail(error, "candidate: no memory");
    return true;
}

static void free_command(char **argv)
{
    for (int i = 0; i < MOST_ARGUMENTS; i++) {
        base_free(argv[i]);
        argv[i] = NULL;
    }
}

static void lose(score_result *score, const char *format, ...) BASE_PRINTF(2, 3);

static void lose(score_result *score, const char *format, ...)
{
    va_list arguments;
    score_free(score);
    *score = (score_result){.status = SCORE_LOST};
    va_start(arguments, format);
    base_print_list(score->reason, sizeof score->reason, format, arguments);
    va_end(arguments);
}

/* The outcome of a job. Only a whole sealed result counts, and it counts however the job ended:
 * exit status 0 proves nothing (a killed launcher may return it), and a launcher that hangs after
 * its work has done its work. False: the worker is lost, and the score says how. */
static bool conclude(score_result *score, const loop_scorer *scorer,
                     const loop_candidate *candidate, const sandbox_job *job)
{
    const evolve_settings settings = loop_candidate_settings(scorer->settings, candidate);
    const score_question question = {candidate->text, candidate->length, &settings,
                                     candidate->bound, candidate->begins};
    base_error why;
    char line[120];
    if (job->end != SANDBOX_FLOODED &&
        score_result_read(score, job->output, job->output_size, &question, &why))
        return true;
    base_first_line(job->errors, line, sizeof line);
    if (job->end == SANDBOX_DEADLINE)
        lose(score, "no result within %.0f s", job->deadline);
    else if (job->end == SANDBOX_FLOODED)
        lose(score, "wrote more than %zu bytes", SANDBOX_POOL_OUTPUT + job->most);
    else if (job->end == SANDBOX_EXITED && job->code == 127 && *line)
        lose(score, "the worker cannot be started: %s", line);
    else if (job->end == SANDBOX_EXITED && job->code != 0 && *line)
        lose(score, "the worker exited with %d: %s", job->code, line);
    else if (job->end == SANDBOX_EXITED)
        lose(score, "the worker exited with %d and no result: %.60s%s%s", job->code, why.text,
             *line ? ": " : "", line);
    else if (job->code == SIGSYS)
        lose(score, "ended by the sandbox: a forbidden system call");
    else
        lose(score, "the worker was ended by signal %d%s", job->code,
             job->code == SIGKILL ? ", from outside or for want of memory" : "");
    return false;
}

/* ---- a batch ---- */

/* How far a candidate is. */
typedef struct progress {
    bool ready;            /* its outcome is there */
    int asked, lost, late; /* its workers; those that were lost; those that met the deadline */
} progress;

typedef struct batch {
    loop_scorer *scorer;
    const char *what;
    loop_candidate *candidates;
    int count;
    progress *progress;      /* of each */
    int written;             /* candidates 0 .. written-1 are in the journal */
    int reported, to_report; /* outcomes by workers, of how many, for progress() */
    int *of_job;             /* which candidate a job is of */
    sandbox_job *jobs;
    char *(*commands)[MOST_ARGUMENTS]; /* of the jobs */
    char **inputs;                     /* likewise, where they are not the candidates' texts */
    int job_count;
    int lost; /* one whose worker was lost in this round; LOOP_NOBODY: none was */
    bool failed;
    base_error *error;
} batch;

/* The network's files, before the event that names them. */
static bool write_network(batch *b, const loop_candidate *candidate)
{
    const char *run = b->scorer->options->folder;
    char *folder = base_file_path(run, "model");
    bool ok = folder && candidate->score.kept
                  ? vision_model_store(candidate->score.kept, candidate->text, candidate->length,
                                       folder, b->error)
                  : base_fail(b->error, "%s: no memory for its network", run);
    base_free(folder);
    return ok;
}

static bool write_event(batch *b, loop_candidate *candidate)
{
    const score_result *score = &candidate->score;
    if (candidate->kind != LOOP_EVALUATED && score->status != SCORE_OK)
        return base_fail(b->error, "%s: %s: %s%s", b->what, score_status_name(score->status),
                         score->reason,
                         candidate->kind == LOOP_DEFAULT && score->status == SCORE_LIMIT
                             ? " (--source FILE has a run begin with a smaller one)"
                             : "");
    loop_event event = loop_candidate_event(candidate);
    if (b->scorer->journal && candidate->kind == LOOP_KEPT && !write_network(b, candidate))
        return false;
    if (b->scorer->journal && candidate->kind != LOOP_KEPT && score->kept &&
        !loop_network_write(b->scorer->options->folder, score->model, score->kept, b->error))
        return false;
    if (b->scorer->journal && !loop_journal_append(b->scorer->journal, &event, b->error))
        return false;
    candidate->scored = true;
    candidate->json = event.json;
    return true;
}

/* Writes down outcomes in order, as far as they are there; equal programs take theirs over. */
static void flush(batch *b)
{
    while (!b->failed && b->written < b->count) {
        loop_candidate *candidate = &b->candidates[b->written];
        if (!b->progress[b->written].ready) {
            const loop_candidate *equal = look_up(b->scorer, candidate);
            if (!equal)
                return;
            candidate->score = equal->score;
            candidate->reused = true;
            b->progress[b->written].ready = true;
        }
        b->failed = !write_event(b, candidate) || (!remember(b->scorer, candidate) &&
                                                   !base_fail(b->error, "candidates: no memory"));
        b->written++;
    }
}

static void is_ready(batch *b, int i)
{
    const loop_watch *watch = &b->scorer->options->watch;
    b->progress[i].ready = true;
    watch->progress(watch->user, b->what, ++b->reported, b->to_report, "");
}

static void job_done(void *user, int job)
{
    batch *b = user;
    int i = b->of_job[job];
    loop_candidate *candidate = &b->candidates[i];
    progress *p = &b->progress[i];
    bool whole = conclude(&candidate->score, b->scorer, candidate, &b->jobs[job]);
    candidate->score.seconds = b->jobs[job].seconds;
    base_free(b->jobs[job].output);
    b->jobs[job].output = NULL;
    if (!whole) {
        p->lost++;
        b->lost = i;
    } else if (is_of_program(&candidate->score) || ++p->late == LOOP_DEADLINES) {
        is_ready(b, i);
    } else {
        score_free(&candidate->score);
    }
    flush(b);
}

/* Takes the outcomes that the journal has. */
static bool replay(batch *b)
{
    loop_event event;
    bool replayed;
    for (; b->scorer->journal && b->written < b->count; b->written++) {
        loop_candidate *candidate = &b->candidates[b->written];
        if (!loop_journal_next(b->scorer->journal, candidate->kind, &event, &replayed, b->error))
            return !replayed;
        if (event.candidate != candidate->number || strcmp(event.key, candidate->key) != 0)
            return base_fail(b->error, "journal: expected the outcome of candidate %d, got another",
                             candidate->number);
        if (!loop_candidate_take(candidate, &event, b->scorer->settings, "journal", b->error))
            return false;
        b->progress[b->written].ready = true;
        if (!remember(b->scorer, candidate))
            return base_fail(b->error, "candidates: no memory");
    }
    return true;
}

/* Whether an equal program comes before candidate i, and is not written down yet. */
static bool waits_for_equal(const batch *b, int i)
{
    for (int j = b->written; b->scorer->settings->reuse && j < i; j++)
        if (strcmp(b->candidates[j].key, b->candidates[i].key) == 0)
            return true;
    return false;
}

/* Whether candidate i needs a worker now; one that is no program is marked ready. */
static bool needs_worker(batch *b, int i)
{
    if (b->progress[i].ready)
        return false;
    if (!*b->candidates[i].key) {
        b->progress[i].ready = true; /* inspect() gave the verdict */
        return false;
    }
    return !look_up(b->scorer, &b->candidates[i]) && !waits_for_equal(b, i);
}

/* The worker keeps to the deadline by itself, in time that it works. This is the last resort, by the
 * clock, and long: a machine may have more to do than this, a launcher a queue, and of more jobs than
 * processors each works a part of the time. */
static double patience(const loop_scorer *scorer, int64_t deadline)
{
    const evolve_options *how = &scorer->options->run;
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    double share = !*how->launcher && processors > 0 ? (double)how->jobs / (double)processors : 1;
    return how->patience ? (double)how->patience
                         : 60 + 10 * (share > 1 ? share : 1) * (double)deadline;
}

static sandbox_job job_for(const loop_scorer *scorer, const loop_candidate *candidate,
                           char *const *command)
{
    const evolve_settings settings = loop_candidate_settings(scorer->settings, candidate);
    /* A network's files: four bytes a parameter, and no more running statistics than parameters. */
    bool keeps = loop_candidate_keeps(scorer->settings, candidate);
    size_t network = keeps ? 8 * (size_t)settings.max_parameters : 0;
    return (sandbox_job){.argv = command,
                         .most = network,
                         .input = candidate->text,
                         .input_size = candidate->length,
                         .deadline = patience(scorer, settings.deadline)};
}

/* What a worker reads: the text; of one that begins with a network, a zero byte and that network behind it. Then it
 * is the batch's, and b->inputs has it. */
static bool give_parent(batch *b, int job, base_error *error)
{
    const loop_candidate *candidate = &b->candidates[b->of_job[job]];
    vision_model_files files;
    size_t size;
    if (!*candidate->begins)
        return true;
    char *network =
        loop_network_read(b->scorer->options->folder, candidate->begins, &size, &files, error);
    if (!network)
        return false;
    base_text input = {0};
    base_text_add(&input, candidate->text, candidate->length);
    base_text_add(&input, "", 1);
    base_text_add(&input, network, size);
    base_free(network);
    b->jobs[job].input = b->inputs[job] = input.data;
    b->jobs[job].input_size = input.length;
    return !input.failed || base_fail(error, "%s: no memory for a network", b->what);
}

/* A job for each candidate that needs a worker. */
static bool make_jobs(batch *b)
{
    b->job_count = 0;
    for (int i = b->written; i < b->count; i++) {
        const loop_candidate *candidate = &b->candidates[i];
        if (!needs_worker(b, i))
            continue;
        char **command = b->commands[b->job_count];
        b->jobs[b->job_count] = job_for(b->scorer, candidate, command);
        b->of_job[b->job_count++] = i;
        bool again = b->progress[i].asked++ > 0;
        b->to_report += !again;
        if (!give_parent(b, b->job_count - 1, b->error) ||
            !make_command(b->scorer, candidate, again, command, b->error))
            return false;
    }
    return true;
}

/* Sends a text that is no program to as many workers as there are at once: of many nodes, the one
 * that loses its work is the first to be free for more. True: all bring a result; else lost is the
 * outcome of one that does not. *ran false: interrupted, or an error. */
static bool all_come_back(batch *b, const loop_candidate *probe, char *const *command,
                          score_result *lost, bool *ran)
{
    const loop_options *options = b->scorer->options;
    sandbox_job *jobs = base_calloc((size_t)options->run.jobs, sizeof *jobs);
    for (int i = 0; jobs && i < options->run.jobs; i++)
        jobs[i] = job_for(b->scorer, probe, command);
    b->error->text[0] = '\0';
    *ran = jobs ? sandbox_pool_run(jobs, (int)options->run.jobs, (int)options->run.jobs,
                                   options->stop, NULL, NULL, b->error)
                : base_fail(b->error, "%s: no memory", b->what);
    bool all = *ran;
    for (int i = 0; jobs && i < options->run.jobs; i++) {
        score_result score = {0};
        if (*ran && !conclude(&score, b->scorer, probe, &jobs[i])) {
            *lost = score;
            all = false;
        }
        score_free(&score);
        base_free(jobs[i].output);
    }
    base_free(jobs);
    return all;
}

/* Asks again and again, with ever longer pauses, eight seconds in all. A signal ends a pause. */
static bool machine_works(batch *b, const loop_candidate *as)
{
    static const char text[] = "no program\n";
    char *command[MOST_ARGUMENTS] = {0};
    loop_candidate probe = *as;
    probe.text = text;
    probe.length = sizeof text - 1;
    probe.bound = 0;
    probe.begins[0] = '\0';
    score_result lost = {0};
    const volatile sig_atomic_t *stop = b->scorer->options->stop;
    bool works = false, ran = make_command(b->scorer, &probe, true, command, b->error);
    for (long quarters = 0; ran && !works && quarters <= 16; quarters += quarters ? quarters : 1) {
        struct timespec pause = {quarters / 4, quarters % 4 * 250000000};
        while (nanosleep(&pause, &pause) != 0 && errno == EINTR && !(stop && *stop))
            continue;
        works = all_come_back(b, &probe, command, &lost, &ran);
    }
    if (ran && !works)
        base_fail(b->error, "%s: workers are lost: %s", b->what, lost.reason);
    free_command(command);
    return works;
}

/* After a round that lost workers. Whoever has lost the last of its attempts ends the run: whatever
 * kills its workers, nobody knows its score. */
static bool may_go_on(batch *b)
{
    if (b->lost == LOOP_NOBODY)
        return true;
    for (int i = b->written; i < b->count; i++)
        if (b->progress[i].lost == LOOP_ATTEMPTS)
            return base_fail(b->error, "%s: candidate %d: its worker was lost %d times: %s",
                             b->what, b->candidates[i].number, LOOP_ATTEMPTS,
                             b->candidates[i].score.reason);
    return machine_works(b, &b->candidates[b->lost]);
}

/* ---- in this process ---- */

static bool is_a_score(const score_result *score)
{
    bool counts = score->status == SCORE_OK || score->status == SCORE_STOPPED;
    return score->status >= SCORE_OK && score->status < SCORE_LOST &&
           (!counts || (score->score >= 0 && isfinite(score->score)));
}

static bool evaluate_here(batch *b)
{
    const loop_options *options = b->scorer->options;
    flush(b);
    for (int i = b->written; !b->failed && i < b->count; i++) {
        loop_candidate *candidate = &b->candidates[i];
        if (!needs_worker(b, i)) {
            flush(b);
            continue;
        }
        b->error->text[0] = '\0';
        if (options->stop && *options->stop)
            return false;
        const evolve_settings settings = loop_candidate_settings(b->scorer->settings, candidate);
        vision_model_files parent;
        size_t size;
        char *network = NULL;
        if (*candidate->begins && !(network = loop_network_read(options->folder, candidate->begins,
                                                                &size, &parent, b->error)))
            return false;
        const score_request request = {.file = "candidate.c",
                                       .text = candidate->text,
                                       .length = candidate->length,
                                       .settings = &settings,
                                       .bound = candidate->bound,
                                       .threads = (int)options->run.threads,
                                       .parent = network ? &parent : NULL,
                                       .keep =
                                           loop_candidate_keeps(b->scorer->settings, candidate)};
        b->to_report++;
        candidate->score = (score_result){0};
        double started = base_clock();
        bool evaluated = options->evaluate(options->user, &request, &candidate->score, b->error);
        base_free(network);
        if (!evaluated)
            return false;
        candidate->score.seconds = base_clock() - started;
        if (!is_a_score(&candidate->score))
            return base_fail(b->error, "%s: the evaluation gave no score: status %d, score %g",
                             b->what, (int)candidate->score.status, candidate->score.score);
        is_ready(b, i);
        flush(b);
    }
    return !b->failed;
}

/* One round: everything that needs a worker. */
static bool run_round(batch *b)
{
    const loop_options *options = b->scorer->options;
    bool ok = make_jobs(b);
    if (ok) {
        flush(b);
        ok = !b->failed;
    }
    if (ok && b->to_report > b->reported) {
        const loop_watch *watch = &options->watch;
        watch->progress(watch->user, b->what, b->reported, b->to_report, "");
    }
    if (ok) {
        b->lost = LOOP_NOBODY;
        b->error->text[0] = '\0'; /* the text of an interruption */
        ok = sandbox_pool_run(b->jobs, b->job_count, (int)options->run.jobs, options->stop,
                              job_done, b, b->error);
    }
    for (int i = 0; i < b->job_count; i++) {
        base_free(b->jobs[i].output);
        base_free(b->inputs[i]);
        b->inputs[i] = NULL;
        free_command(b->commands[i]);
    }
    return ok && !b->failed;
}

/* Each round has what the one before lost, and what waited for that, on a machine that was just
 * seen to work. */
static bool run_workers(batch *b)
{
    do {
        if (!run_round(b) || !may_go_on(b))
            return false;
    } while (!b->failed && b->written < b->count);
    return !b->failed;
}

bool loop_scorer_score(loop_scorer *scorer, const char *what, loop_candidate *candidates, int count,
                       base_error *error)
{
    batch b = {
        .scorer = scorer, .what = what, .candidates = candidates, .count = count, .error = error};
    size_t n = (size_t)count;
    b.commands = base_calloc(n, sizeof *b.commands);
    b.progress = base_calloc(n, sizeof *b.progress);
    b.of_job = base_calloc(n, sizeof *b.of_job);
    b.jobs = base_calloc(n, sizeof *b.jobs);
    b.inputs = base_calloc(n, sizeof *b.inputs);
    bool ok = (b.commands && b.progress && b.of_job && b.jobs && b.inputs) ||
              base_fail(error, "%d candidates: no memory", count);
    for (int i = 0; ok && i < count; i++)
        ok = inspect(scorer, &candidates[i], error);
    ok = ok && replay(&b) && (scorer->options->evaluate ? evaluate_here(&b) : run_workers(&b));
    assert(!ok || b.written == count);
    base_free(b.commands);
    base_free(b.progress);
    base_free(b.of_job);
    base_free(b.jobs);
    base_free(b.inputs);
    return ok;
}
