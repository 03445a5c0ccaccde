/* SPDX-License-Identifier: MIT */
/* design.c -- figures over the models of one run: what their sources say, how faithful they
 * are as mutators, how far from the floor. */
#include "evolve/report/chart.h"
#include "base/memory.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what the sources say, model by model ---- */

/* One number of the sources of Model 0, Model 1, ..., and of the last source. */
typedef struct panel {
    char name[32];
    int count;
    double *value; /* NAN: this source has no such number */
    bool whole;
} panel;

/* The source of model i; of i == trained_count, the last source. */
static int source_of(const report_lineage *run, int i)
{
    return i < run->trained_count ? run->trained[i].source : run->last;
}

/* A small chart a number of the source: all that the models' sources set, side by side. */
static void put_panel(report_page *page, const panel *p)
{
    double low = INFINITY, high = -INFINITY;
    char name[48], title[96];
    snprintf(name, sizeof name, "design-%.31s", p->name);
    snprintf(title, sizeof title, "%s of each model's source", p->name);
    for (int i = 0; i < p->count; i++)
        report_cover(&low, &high, p->value[i]);
    bool large = p->whole && low > 32;
    report_chart c = {.name = name,
                      .title = title,
                      .description = "A dot a model, in their order; the last is the last source.",
                      .x_label = "model",
                      .y_label = p->name,
                      .y_scale = large ? REPORT_LOG2 : REPORT_LINEAR,
                      .from_zero = !large,
                      .whole_x = true,
                      .whole_y = p->whole,
                      .dots = true,
                      .last_apart = true,
                      .small = true};
    report_chart_line(&c, p->name, NULL);
    for (int i = 0; i < p->count; i++)
        report_chart_value(&c, i, p->value[i]);
    report_chart_put(page, &c);
}

/* Every name that any of the sources gives a number to, in the order of appearance. */
static int design_names(const report_lineage *run, panel panels[REPORT_DESIGNS], double *values)
{
    int names = 0, sources = run->trained_count + 1;
    for (int i = 0; i < sources; i++) {
        report_design designs[REPORT_DESIGNS];
        int n = report_source_design(report_lineage_text(run, source_of(run, i)), designs);
        for (int d = 0; d < n; d++) {
            int k = 0;
            while (k < names && strcmp(panels[k].name, designs[d].name) != 0)
                k++;
            if (k == REPORT_DESIGNS)
                continue;
            if (k == names) {
                panel *p = &panels[names++];
                *p = (panel){.count = sources, .value = values + k * sources, .whole = true};
                memcpy(p->name, designs[d].name, sizeof p->name);
                for (int j = 0; j < sources; j++)
                    p->value[j] = NAN;
            }
            panels[k].value[i] = designs[d].value;
            panels[k].whole = panels[k].whole && floor(designs[d].value) == designs[d].value;
        }
    }
    return names;
}

void report_page_design(report_page *page, const report_lineage *run)
{
    int sources = run->trained_count + 1;
    double *values = base_malloc((REPORT_DESIGNS + 1) * (size_t)sources * sizeof *values);
    panel panels[REPORT_DESIGNS];
    if (!values) {
        page->html.failed = true;
        return;
    }
    int names = design_names(run, panels, values);
    panel parameters = {
        .name = "parameters", .count = sources, .value = values + REPORT_DESIGNS * sources};
    for (int i = 0; i < run->trained_count; i++)
        parameters.value[i] = (double)run->trained[i].event.parameters;
    parameters.value[sources - 1] = (double)report_lineage_score(run, run->last)->parameters;
    report_page_print(page, "<figure>\n<div class=\"panels\">\n");
    for (int k = 0; k < names; k++)
        put_panel(page, &panels[k]);
    put_panel(page, &parameters);
    report_page_print(page,
                      "</div>\n<figcaption>The numbers that each model's source sets, and how many "
                      "parameters the model has. The last dot, number %d, is the last source, "
                      "which has written nothing.</figcaption>\n</figure>\n",
                      run->trained_count);
    base_free(values);
}

/* ---- lines over the episodes, from the `trained` events ---- */

static void put_lines(report_page *page, report_chart *c, const char *caption)
{
    report_page_print(page, "<figure>\n");
    report_chart_put(page, c);
    report_page_print(page, "<figcaption>%s</figcaption>\n</figure>\n", caption);
}

void report_page_fidelity(report_page *page, const report_lineage *run)
{
    static const struct {
        const char *member, *name, *classes;
        bool share;
    } members[] = {{"valid", "valid", "c0", true},
                   {"one_edit", "exactly one edit", "c2", true},
                   {"legal", "a legal edit", "c3", true},
                   {"total_variation", "total variation", "c1 dash", false}};
    report_chart c = {.name = "fidelity",
                      .title = "Fidelity of the mutator",
                      .description =
                          "Shares of the model's samples that are valid programs, make exactly "
                          "one edit and a legal one, and the total variation distance of its "
                          "edits from the true ones, by model.",
                      .x_label = "model",
                      .y_label = "share of samples",
                      .high = 1,
                      .whole_x = true,
                      .dots = true,
                      .height = 280};
    bool any = false;
    for (int k = 0; k < 4; k++) {
        report_chart_line(&c, members[k].name, members[k].classes);
        for (int i = 0; i < run->trained_count; i++) {
            const base_json *fidelity = run->trained[i].event.fidelity.value;
            double samples, value;
            bool known =
                base_json_get_number(fidelity, "samples", &samples, "measured", NULL) &&
                samples > 0 &&
                base_json_get_number(fidelity, members[k].member, &value, "measured", NULL);
            report_chart_value(&c, i, !known ? NAN : members[k].share ? value / samples : value);
            any = any || known;
        }
    }
    for (size_t k = 0; !any && k < c.count; k++)
        c.line[k].count = 0;
    put_lines(page, &c,
              any ? "The model imitates a random mutator, so its samples are measured as one: how "
                    "many are valid programs, make exactly one edit, make one that the rules "
                    "allow. Dashed: the total variation distance between its edits and the true "
                    "ones (0: the same, 1: nothing in common)."
                  : "Not measured in this run so far.");
}

/* A name as text of a figure and as a column: all but letters, digits, '_', '-', blank is '?'. */
static void plain_name(char *name)
{
    for (; *name; name++)
        if (!((*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
              (*name >= '0' && *name <= '9') || *name == '_' || *name == '-' || *name == ' '))
            *name = '?';
}

/* The kinds of pairs that any model was measured by, in the order of appearance. */
enum { MOST_KINDS = 16 };
static int held_out_kinds(const report_lineage *run, const char *kinds[MOST_KINDS])
{
    int count = 0;
    for (int i = 0; i < run->trained_count; i++) {
        const base_json *held_out = run->trained[i].event.held_out.value;
        bool object = held_out && held_out->kind == BASE_JSON_OBJECT;
        for (const base_json *gap = object ? held_out->child : NULL; gap; gap = gap->next) {
            int k = 0;
            while (k < count && strcmp(kinds[k], gap->name) != 0)
                k++;
            if (k == count && k < MOST_KINDS && base_json_get(gap, "distance") &&
                strlen(gap->name) < sizeof((report_line *)0)->name)
                kinds[count++] = gap->name;
        }
    }
    return count;
}

void report_page_held_out(report_page *page, const report_lineage *run)
{
    report_chart c = {.name = "held-out",
                      .title = "Held-out loss above the floor",
                      .description = "Held-out loss of each model above the entropy floor, in all "
                                     "and by the edit of the pair, in nats a pair.",
                      .x_label = "model",
                      .y_label = "above the floor, nats a pair",
                      .y_scale = REPORT_ANY,
                      .whole_x = true,
                      .dots = true,
                      .height = 280};
    const char *kinds[MOST_KINDS];
    int count = held_out_kinds(run, kinds), colour = 0;
    for (int k = 0; k < count; k++) {
        char classes[24];
        bool all = strcmp(kinds[k], "all") == 0;
        snprintf(classes, sizeof classes, "c%d%s", colour % 6, colour >= 6 ? " dash" : "");
        report_chart_line(&c, kinds[k], all ? "ink wide" : classes);
        colour += !all;
        if (!c.failed)
            plain_name(c.line[k].name);
        for (int i = 0; i < run->trained_count; i++) {
            const base_json *gap = base_json_get(run->trained[i].event.held_out.value, kinds[k]);
            double distance;
            bool known = base_json_get_number(gap, "distance", &distance, "measured", NULL);
            report_chart_value(&c, i, known ? distance : NAN);
        }
    }
    put_lines(page, &c,
              count == 0 ? "Not measured in this run so far."
              : count == MOST_KINDS
                  ? "Loss on pairs that no training saw, above the entropy of the same pairs: an "
                    "estimate of the Kullback-Leibler distance between the model and the rules, in "
                    "all and by what the pair edits. The journal may have more edits than are "
                    "drawn."
                  : "Loss on pairs that no training saw, above the entropy of the same pairs: an "
                    "estimate of the Kullback-Leibler distance between the model and the rules, in "
                    "all and by what the pair edits.");
}
