/* referee.c -- see referee.h. */
#include "evolve/referee.h"
#include "evolve/host.h"
#include "evolve/pool.h"
#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ARGUMENTS = 256 };

/* What was scored so far. */
typedef struct known {
    char key[BASE_HASH_TEXT];
    evolve_score score; /* without its losses */
} known;

struct evolve_referee {
    evolve_journal *journal;
    const evolve_options *options;
    bool reuse;
    known *known;
    int count, capacity;
};

evolve_referee *evolve_referee_new(evolve_journal *journal, const evolve_options *options,
                                   bool reuse)
{
    evolve_referee *referee = calloc(1, sizeof *referee);
    if (!referee)
        return NULL;
    referee->journal = journal;
    referee->options = options;
    referee->reuse = reuse;
    return referee;
}

void evolve_referee_free(evolve_referee *referee)
{
    if (!referee)
        return;
    free(referee->known);
    free(referee);
}

void evolve_candidates_free(evolve_candidate *candidates, int count)
{
    for (int i = 0; i < count; i++)
        evolve_score_free(&candidates[i].score);
}

static const known *look_up(const evolve_referee *referee, const char *key)
{
    for (int i = 0; referee->reuse && *key && i < referee->count; i++)
        if (strcmp(referee->known[i].key, key) == 0)
            return &referee->known[i];
    return NULL;
}

static bool remember(evolve_referee *referee, const evolve_candidate *candidate)
{
    if (!*candidate->key || look_up(referee, candidate->key))
        return true;
    if (referee->count == referee->capacity) {
        int capacity = referee->capacity ? 2 * referee->capacity : 64;
        known *grown = realloc(referee->known, (size_t)capacity * sizeof *grown);
        if (!grown)
            return false;
        referee->known = grown;
        referee->capacity = capacity;
    }
    known *entry = &referee->known[referee->count++];
    memcpy(entry->key, candidate->key, sizeof entry->key);
    entry->score = candidate->score;
    entry->score.losses = NULL;
    entry->score.steps = 0;
    return true;
}

/* Parses and checks; a program gets its key, anything else its verdict. */
static bool inspect(evolve_candidate *candidate, base_error *error)
{
    refine_diagnostic diagnostic;
    candidate->key[0] = '\0';
    refine_program *program = refine_parse("candidate.c", candidate->text, candidate->length,
                                           evolve_interface(), &diagnostic);
    if (!program) {
        candidate->score.status = diagnostic.failure == REFINE_PARSE ? EVOLVE_PARSE : EVOLVE_CHECK;
        snprintf(candidate->score.reason, sizeof candidate->score.reason, "%s", diagnostic.text);
        return true;
    }
    base_text key = {0};
    refine_normalise(program, &key);
    evolve_settings_print(candidate->settings, &key);
    bool ok = !key.failed || base_fail(error, "candidate: no memory");
    if (ok)
        base_hash_text(key.data, key.length, candidate->key);
    base_text_free(&key);
    refine_program_free(program);
    return ok;
}

/* ---- one worker's command line and what came of it ---- */

static int add_option(char **argv, int n, const char *name, const char *value)
{
    if (!value)
        return n;
    argv[n] = base_copy(name, strlen(name));
    argv[n + 1] = base_copy(value, strlen(value));
    return n + 2;
}

/* launcher's words, program, "evaluate", "-", how, settings. */
static bool make_command(const evolve_referee *referee, const evolve_settings *settings,
                         char **argv, base_error *error)
{
    int n = 0;
    const char *word = referee->options->launcher;
    for (word += strspn(word, " \t"); *word; word += strspn(word, " \t")) {
        size_t length = strcspn(word, " \t");
        if (n == MOST_ARGUMENTS / 2)
            return base_fail(error, "--launcher: more than %d words", MOST_ARGUMENTS / 2);
        argv[n++] = base_copy(word, length);
        word += length;
    }
    argv[n++] = base_copy(referee->options->program, strlen(referee->options->program));
    argv[n++] = base_copy("evaluate", 8);
    argv[n++] = base_copy("-", 1);
    n = add_option(argv, n, "--executor", referee->options->executor);
    n = add_option(argv, n, "--cc", referee->options->cc);
    n = add_option(argv, n, "--sandbox", referee->options->sandbox);
    evolve_settings_arguments(settings, argv, &n, MOST_ARGUMENTS - 1);
    for (int i = 0; i < n; i++)
        if (!argv[i])
            return base_fail(error, "candidate: no memory");
    return true;
}

static void free_command(char **argv)
{
    for (int i = 0; i < MOST_ARGUMENTS; i++)
        free(argv[i]);
}

static void fault(evolve_score *score, evolve_status status, const char *format, ...)
    BASE_PRINTF(3, 4);

static void fault(evolve_score *score, evolve_status status, const char *format, ...)
{
    va_list arguments;
    evolve_score_free(score);
    memset(score, 0, sizeof *score);
    score->status = status;
    va_start(arguments, format);
    vsnprintf(score->reason, sizeof score->reason, format, arguments);
    va_end(arguments);
}

/* The first line of a worker's standard error, for a reason; only what prints. */
static void first_line(const char *errors, char line[120])
{
    int n = 0;
    for (; errors[n] && errors[n] != '\n' && n < 119; n++)
        line[n] = errors[n] >= ' ' && errors[n] <= '~' ? errors[n] : '?';
    line[n] = '\0';
}

/* Whatever came of a job, as an outcome. Only a whole sealed result is a score: exit status 0
 * proves nothing (a killed launcher may well return it). */
static void conclude(evolve_candidate *candidate, const evolve_job *job)
{
    base_error why;
    char line[120];
    first_line(job->errors, line);
    switch (job->end) {
    case EVOLVE_DEADLINE:
        fault(&candidate->score, EVOLVE_TIMEOUT, "took more than %.0f s", job->deadline);
        return;
    case EVOLVE_FLOODED:
        fault(&candidate->score, EVOLVE_LIMIT, "wrote more than %d bytes", EVOLVE_POOL_OUTPUT);
        return;
    case EVOLVE_KILLED:
        if (job->code == SIGXCPU)
            fault(&candidate->score, EVOLVE_TIMEOUT, "used more than %.0f s of processor time",
                  job->deadline);
        else if (job->code == SIGSYS)
            fault(&candidate->score, EVOLVE_CRASH, "ended by the sandbox: a forbidden system call");
        else
            fault(&candidate->score, EVOLVE_CRASH, "the worker was ended by signal %d", job->code);
        return;
    case EVOLVE_EXITED:
        break;
    }
    if (!evolve_result_read(&candidate->score, job->output, job->output_size, candidate->text,
                            candidate->length, &why))
        fault(&candidate->score, EVOLVE_CRASH, "the worker exited with %d and no result: %.60s%s%s",
              job->code, why.text, *line ? ": " : "", line);
}

/* ---- a batch ---- */

typedef struct batch {
    evolve_referee *referee;
    const char *event, *members, *what;
    evolve_candidate *candidates;
    int count;
    bool *ready; /* the candidate's outcome is there */
    int written; /* candidates 0 .. written-1 are in the journal */
    int *of_job; /* which candidate a job is */
    evolve_job *jobs;
    int job_count, jobs_done;
    bool failed;
    base_error *error;
} batch;

static bool write_event(batch *b, const evolve_candidate *candidate, int index)
{
    base_text text = {0};
    if (candidate->needed && candidate->score.status != EVOLVE_OK)
        return base_fail(b->error, "%s: %s: %s", b->what,
                         evolve_status_name(candidate->score.status), candidate->score.reason);
    base_text_print(&text, "%s%s\"candidate\":%d,\"key\":\"%s\",\"reused\":%s,", b->members,
                    *b->members ? "," : "", index, candidate->key,
                    candidate->reused ? "true" : "false");
    evolve_score_members(&candidate->score, &text);
    bool ok = text.failed ? base_fail(b->error, "candidate: no memory")
                          : evolve_journal_append(b->referee->journal, b->event, text.data,
                                                  b->error) != NULL;
    base_text_free(&text);
    return ok;
}

/* Writes down what is ready, in order; equal programs take over the score as soon as it is there.
 */
static void flush(batch *b)
{
    while (!b->failed && b->written < b->count) {
        evolve_candidate *candidate = &b->candidates[b->written];
        if (!b->ready[b->written]) {
            const known *equal = look_up(b->referee, candidate->key);
            if (!equal)
                return;
            candidate->score = equal->score;
            candidate->reused = true;
            b->ready[b->written] = true;
        }
        b->failed =
            !write_event(b, candidate, b->written) ||
            (!remember(b->referee, candidate) && !base_fail(b->error, "candidates: no memory"));
        b->written++;
    }
}

static void job_done(void *user, int job)
{
    batch *b = user;
    const evolve_watch *watch = &b->referee->options->watch;
    evolve_candidate *candidate = &b->candidates[b->of_job[job]];
    conclude(candidate, &b->jobs[job]);
    candidate->score.seconds = b->jobs[job].seconds;
    free(b->jobs[job].output);
    b->jobs[job].output = NULL;
    b->ready[b->of_job[job]] = true;
    b->jobs_done++;
    watch->progress(watch->user, b->what, b->jobs_done, b->job_count, "");
    flush(b);
}

/* Takes the outcomes that the journal has. */
static bool replay(batch *b)
{
    for (;;) {
        bool replayed;
        const base_json *event;
        if (b->written == b->count)
            return true;
        event = evolve_journal_next(b->referee->journal, b->event, &replayed, b->error);
        if (!event)
            return !replayed;
        evolve_candidate *candidate = &b->candidates[b->written];
        const char *key;
        const base_json *reused = base_json_get(event, "reused");
        if (!base_json_get_string(event, "key", &key, "journal", b->error) ||
            !evolve_score_read(&candidate->score, event, "journal", b->error))
            return false;
        if (strcmp(key, candidate->key) != 0)
            return base_fail(b->error, "journal: expected the outcome of candidate %d, got another",
                             b->written);
        candidate->reused = reused && reused->kind == BASE_JSON_TRUE;
        b->ready[b->written++] = true;
        if (!remember(b->referee, candidate))
            return base_fail(b->error, "candidates: no memory");
    }
}

static bool equals_earlier(const batch *b, int i)
{
    for (int j = 0; j < i; j++)
        if (*b->candidates[i].key && strcmp(b->candidates[j].key, b->candidates[i].key) == 0)
            return true;
    return false;
}

/* Whether candidate i needs a worker; one that does not is marked ready, or waits for its equal. */
static bool needs_worker(batch *b, int i)
{
    if (b->ready[i])
        return false;
    if (!*b->candidates[i].key) {
        b->ready[i] = true; /* inspect() gave the verdict */
        return false;
    }
    return !look_up(b->referee, b->candidates[i].key) &&
           !(b->referee->reuse && equals_earlier(b, i));
}

static bool run_workers(batch *b, char *(*commands)[MOST_ARGUMENTS])
{
    const evolve_options *options = b->referee->options;
    for (int i = b->written; i < b->count; i++) {
        if (!needs_worker(b, i))
            continue;
        const evolve_candidate *candidate = &b->candidates[i];
        if (!make_command(b->referee, candidate->settings, commands[b->job_count], b->error))
            return false;
        b->jobs[b->job_count] = (evolve_job){.argv = commands[b->job_count],
                                             .input = candidate->text,
                                             .input_size = candidate->length,
                                             .deadline = (double)candidate->settings->deadline};
        b->of_job[b->job_count++] = i;
    }
    flush(b);
    if (b->failed)
        return false;
    b->error->text[0] = '\0'; /* what an interruption leaves */
    bool ok =
        evolve_pool_run(b->jobs, b->job_count, options->jobs, options->stop, job_done, b, b->error);
    for (int i = 0; i < b->job_count; i++)
        free(b->jobs[i].output);
    return ok && !b->failed;
}

bool evolve_referee_score(evolve_referee *referee, const char *event, const char *members,
                          const char *what, evolve_candidate *candidates, int count,
                          base_error *error)
{
    batch b = {.referee = referee,
               .event = event,
               .members = members,
               .what = what,
               .candidates = candidates,
               .count = count,
               .error = error};
    size_t n = (size_t)count;
    char *(*commands)[MOST_ARGUMENTS] = calloc(n, sizeof *commands);
    b.ready = calloc(n, sizeof *b.ready);
    b.of_job = calloc(n, sizeof *b.of_job);
    b.jobs = calloc(n, sizeof *b.jobs);
    bool ok = (commands && b.ready && b.of_job && b.jobs) ||
              base_fail(error, "%d candidates: no memory", count);
    for (int i = 0; ok && i < count; i++)
        ok = inspect(&candidates[i], error);
    ok = ok && replay(&b) && run_workers(&b, commands);
    assert(!ok || b.written == count);
    for (int i = 0; commands && i < count; i++)
        free_command(commands[i]);
    free(commands);
    free(b.ready);
    free(b.of_job);
    free(b.jobs);
    return ok;
}
