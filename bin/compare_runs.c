/* compare_runs.c -- phoenix compare RUN...: what runs gained, and whether one kind gains more.
 *
 * A search that looks at many scores and keeps the best keeps luck as well (the winner's curse), so
 * a run's gain is taken from the comparison at its end, of the first source with the last on pairs
 * and with seeds that the search never saw. Runs of two kinds are paired by their seed. */
#include "bin/command.h"
#include "bin/compare.h"
#include "evolve/loop/journal.h"
#include "evolve/loop/compute.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RUNS = 256 };

typedef struct run {
    const char *folder;
    int64_t seed;
    double seen; /* score of the first source less that of the last, in the search */
    double
        fresh; /* the same on fresh pairs, mean over the fresh seeds; 0: the source is the same */
    loop_compute spent;
} run;

/* ---- a journal, as far as it is needed here ---- */

typedef struct journal {
    double first, last; /* scores in the search */
    double fresh[2];    /* sums over fresh seeds, of the first source and the last */
    int64_t compared;   /* events */
    bool started, finished;
} journal;

static bool take(const base_json *event, run *r, journal *j, base_error *error)
{
    const char *kind;
    double score;
    loop_compute_add(&r->spent, event);
    if (!base_json_get_string(event, "event", &kind, r->folder, error))
        return false;
    if (strcmp(kind, "started") == 0) {
        j->started = true;
        return base_json_get_int(base_json_get(event, "settings"), "seed", 0, INT64_MAX, &r->seed,
                                 r->folder, error);
    }
    if (strcmp(kind, "finished") == 0)
        j->finished = true;
    bool first = strcmp(kind, "default") == 0, compared = strcmp(kind, "compared") == 0;
    if (!first && !compared && strcmp(kind, "selected") != 0)
        return true;
    if (!base_json_get_number(event, "score", &score, r->folder, error))
        return false;
    if (compared)
        j->fresh[j->compared++ % 2] += score;
    else
        j->last = score;
    if (first)
        j->first = score;
    return true;
}

static bool read_run(const char *folder, run *r, base_error *error)
{
    *r = (run){.folder = folder};
    journal j = {0};
    loop_journal *events = loop_journal_look(folder, error);
    bool ok = events != NULL;
    for (int i = 0, count = ok ? loop_journal_recorded(events) : 0; ok && i < count; i++)
        ok = take(loop_journal_event(events, i), r, &j, error);
    loop_journal_close(events);
    if (ok && !(j.started && j.finished && j.compared % 2 == 0))
        ok = base_fail(error, "%s: the run has not come to its end", folder);
    if (ok && j.compared == 0 && j.last != j.first)
        ok = base_fail(error, "%s: the run had no fresh seeds to compare its sources with", folder);
    r->seen = j.first - j.last;
    r->fresh = j.compared ? (j.fresh[0] - j.fresh[1]) / ((double)j.compared / 2) : 0;
    return ok;
}

/* ---- groups of runs ---- */

typedef struct group {
    const char *name;
    run run[MOST_RUNS];
    int count;
} group;

static int by_seed(const void *a, const void *b)
{
    const run *x = a, *y = b;
    return (x->seed > y->seed) - (x->seed < y->seed);
}

static bool read_group(group *g, const char *const *folders, int count, base_error *error)
{
    if (count > MOST_RUNS)
        return base_fail(error, "%d runs: expected at most %d", count, MOST_RUNS);
    g->count = count;
    for (int i = 0; i < count; i++)
        if (!read_run(folders[i], &g->run[i], error))
            return false;
    qsort(g->run, (size_t)count, sizeof *g->run, by_seed);
    for (int i = 1; i < count; i++)
        if (g->run[i].seed == g->run[i - 1].seed)
            return base_fail(error, "%s and %s have the same seed", g->run[i - 1].folder,
                             g->run[i].folder);
    return true;
}

/* The cost beside the gain; the means. */
static void describe_spent(const group *g, base_text *text)
{
    loop_compute mean = {0};
    for (int i = 0; i < g->count; i++) {
        const loop_compute *s = &g->run[i].spent;
        mean.training += s->training / g->count;
        mean.generation += s->generation / g->count;
        mean.evaluation += s->evaluation / g->count;
        mean.evaluations += s->evaluations;
        mean.incomplete = mean.incomplete || s->incomplete;
    }
    base_text_print(text, "  spent, GFLOP                    ");
    if (mean.incomplete)
        base_text_print(text, "not counted by the version that made the runs\n");
    else
        base_text_print(text, "mean %.3f: training %.3f, generation %.3f, %.1f evaluations %.3f\n",
                        loop_compute_all(&mean) / 1e9, mean.training / 1e9, mean.generation / 1e9,
                        (double)mean.evaluations / g->count, mean.evaluation / 1e9);
}

static void describe(const group *g, base_text *text, base_text *csv)
{
    double seen[MOST_RUNS], fresh[MOST_RUNS], curse[MOST_RUNS];
    for (int i = 0; i < g->count; i++) {
        const run *r = &g->run[i];
        seen[i] = r->seen;
        fresh[i] = r->fresh;
        curse[i] = r->seen - r->fresh;
        const loop_compute *s = &r->spent;
        base_text_print(csv, "%s,%s,%" PRId64 ",%.9g,%.9g,%" PRId64 ",%.15g,%.15g,%.15g\n", g->name,
                        r->folder, r->seed, r->seen, r->fresh, s->evaluations, s->evaluation,
                        s->incomplete ? NAN : s->training, s->incomplete ? NAN : s->generation);
    }
    search_interval gain = search_bootstrap(search_average_figure, fresh, NULL, g->count, 1);
    search_interval cursed = search_bootstrap(search_average_figure, curse, NULL, g->count, 1);
    base_text_print(text,
                    "%s: %d runs\n"
                    "  gain, as the search saw it      median %.4f, mean %+.4f\n"
                    "  gain, fresh pairs and seeds     median %.4f, mean %+.4f [%+.4f, %+.4f], "
                    "p %.4f that it is not 0\n"
                    "  the first less the second       mean %+.4f [%+.4f, %+.4f]\n",
                    g->name, g->count, search_median(seen, g->count),
                    search_average(seen, g->count), search_median(fresh, g->count),
                    search_average(fresh, g->count), gain.low, gain.high,
                    search_sign_flips(fresh, g->count, 1), search_average(curse, g->count),
                    cursed.low, cursed.high);
    describe_spent(g, text);
}

/* Contrasts count losses, so a gain goes in with its sign turned. */
static bool contrast(const compare_how *how, const group *a, const group *b, base_text *text,
                     base_error *error)
{
    double left[MOST_RUNS], right[MOST_RUNS];
    bool paired = a->count == b->count;
    for (int i = 0; paired && i < a->count; i++) {
        paired = a->run[i].seed == b->run[i].seed;
        left[i] = -a->run[i].fresh;
        right[i] = -b->run[i].fresh;
    }
    if (!paired)
        return base_fail(error, "both sides must be runs of the same seeds");
    const report_arm arm = {a->name, left}, reference = {b->name, right};
    return compare_contrasts(how, "runs", "fresh gain, its sign turned", &reference, &arm, 1,
                             a->count, text, error);
}

int compare_runs(const compare_how *how, const char *const *runs, int count,
                 const char *const *against, int against_count)
{
    static group groups[2] = {{.name = "runs"}, {.name = "against"}};
    base_error error;
    base_text text = {0}, csv = {0};
    base_text_print(&csv, "group,run,seed,gain_seen,gain_fresh,evaluations,"
                          "evaluation_flop,training_flop,generation_flop\n");
    bool ok = read_group(&groups[0], runs, count, &error);
    if (ok)
        describe(&groups[0], &text, &csv);
    if (ok && against_count > 0) {
        ok = read_group(&groups[1], against, against_count, &error);
        if (ok)
            describe(&groups[1], &text, &csv);
        ok = ok && contrast(how, &groups[0], &groups[1], &text, &error);
    }
    int code = ok ? compare_finish(how, &text, &csv) : complain(EXIT_FAILED, "%s", error.text);
    base_text_free(&text);
    base_text_free(&csv);
    return code;
}
