/* SPDX-License-Identifier: MIT */
/* experience.c -- phoenix experience: what the candidates of any runs came to, as one table.
 *
 * Runs are read through their lineage, so what their journals say is checked there. What is decided
 * here is what a row says: which decisions an edit changed, and how much of a difference is noise. */
#include "base/file.h"
#include "bin/command.h"
#include "evolve/report/lineage.h"
#include "evolve/search/experience.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RUNS = 1000, KEY = 12 }; /* digits of a key that tell programs apart */

typedef struct request {
    const char *runs[MOST_RUNS], *out;
} request;

#define AT(field) offsetof(request, field)
static const evolve_field own[] = {
    {"out", TEXT(out), "the CSV file that is written"},
    {0},
};

static const command_line command = {
    .usage = "phoenix experience RUN... --out FILE",
    .about =
        "Writes what the candidates of runs came to: a row each, with the task, the edits, whether "
        "they\nfailed, got worse, stayed the same within the noise or got better, and the "
        "operations it took.\nphoenix evolve --proposer counts --experience FILE learns from it.",
    .own = own,
    .least_operands = 1,
    .most_operands = MOST_RUNS,
    .takes = FOLDER_RUN,
    .takes_more = true,
};

static search_outcome_row features_of(const report_lineage *l)
{
    const evolve_settings *s = &l->settings;
    const evolve_field *score = evolve_field_find(evolve_setting_fields, "score");
    const bool networks = l->subject == EVOLVE_NETWORKS;
    return (search_outcome_row){.task = l->task,
                                .scope = evolve_scope_name(s),
                                .score = score->names[s->score],
                                .d_model = networks ? 0 : s->d_model,
                                .examples = networks ? s->images : s->few_shot,
                                .channels = l->image.channels,
                                .height = l->image.height,
                                .width = l->image.width,
                                .classes = l->classes};
}

/* The edits between two texts, as the run's mutator sees them. */
static void put_edits(const report_lineage *l, const mutation_mutator *m, int from, int to,
                      base_text *edits)
{
    const loop_candidate *a = &l->candidates.list[from], *b = &l->candidates.list[to];
    mutation_form source, child;
    if (!m->kind->read(m, a->text, a->length, &source) ||
        !m->kind->read(m, b->text, b->length, &child)) {
        base_text_print(edits, "?");
        return;
    }
    for (int i = 0; i < m->edits; i++) {
        int before = m->kind->value(&source, i), after = m->kind->value(&child, i);
        if (before >= 0 && after >= 0 && before != after)
            base_text_print(edits, "%s%s%c", edits->length ? " " : "", m->kind->name(m, i),
                            after > before ? '+' : '-');
    }
}

/* A score on a share of the pairs says nothing beside one on all of them. */
static bool put_candidate(const report_lineage *l, const mutation_mutator *m, int number,
                          base_text *lines, base_error *error)
{
    const loop_candidate *c = &l->candidates.list[number];
    if (!c->scored || c->share < 1)
        return true;
    int from = report_lineage_origin(l, number);
    while (l->candidates.list[from].share < 1) { /* the same source, scored on less */
        if (l->candidates.list[from].parent == LOOP_NOBODY)
            return true;
        from = l->candidates.list[from].parent;
    }
    const loop_candidate *parent = &l->candidates.list[from];
    const bool stopped = c->score.status == SCORE_STOPPED;
    const bool fails = c->score.status != SCORE_OK && !stopped;
    char keys[2][KEY + 1];
    snprintf(keys[0], sizeof keys[0], "%.*s", KEY, parent->key);
    snprintf(keys[1], sizeof keys[1], "%.*s", KEY, *c->key ? c->key : "-");
    base_text edits = {0};
    base_text_print(&edits, "%s", "");
    put_edits(l, m, from, number, &edits);
    search_outcome_row row = features_of(l);
    row.parent = keys[0];
    row.child = keys[1];
    row.edits = edits.data;
    row.before = parent->score.score;
    row.after = fails ? (double)NAN : c->score.score;
    row.noise = (double)NAN;
    row.flops = c->score.flops;
    bool ok = !edits.failed || base_fail(error, "%s: no memory", l->folder);
    ok = ok && (fails || report_lineage_noise(l, from, number, &row.noise, error));
    row.outcome =
        search_outcome_of(row.before, row.after, isnan(row.noise) ? 0 : row.noise, stopped);
    if (ok)
        search_experience_print(&row, lines);
    base_text_free(&edits);
    return ok;
}

static bool put_run(const char *folder, base_text *lines, base_error *error)
{
    report_lineage *l = report_lineage_read(folder, error);
    if (!l)
        return false;
    mutation_mutator mutator = evolve_mutator(&l->settings);
    mutation_mutator_admit(&mutator, l->default_source, strlen(l->default_source), NULL);
    bool ok = !evolve_inherits(&l->settings) ||
              base_fail(error,
                        "%s: --inherit yes: its candidates were trained longer than their "
                        "parents, so their scores say nothing of the edits",
                        folder);
    for (int i = 1; ok && i < l->candidates.count; i++)
        ok = put_candidate(l, &mutator, i, lines, error);
    report_lineage_free(l);
    return ok;
}

int command_experience(int argc, char **argv)
{
    static request r;
    base_error error;
    int code = command_read(&command, &(command_values){.own = &r, .operands = r.runs}, argc, argv);
    if (code >= 0)
        return code;
    if (!r.out)
        return complain(EXIT_USAGE, "--out FILE was expected");
    base_text lines = {0}, file = {0};
    bool ok = true;
    for (int i = 0; ok && i < MOST_RUNS && r.runs[i]; i++)
        ok = put_run(r.runs[i], &lines, &error);
    int count = ok ? search_experience_file(&lines, &file) : 0;
    ok = ok && (!file.failed || base_fail(&error, "%s: no memory", r.out));
    ok = ok && base_file_write_named(r.out, file.data, file.length, &error);
    if (ok)
        tell("%s: %d outcomes, %zu bytes\n", r.out, count, file.length);
    base_text_free(&lines);
    base_text_free(&file);
    return ok ? EXIT_DONE : complain(EXIT_FAILED, "%s", error.text);
}
