/* design.c -- figures over the models of one run: what their sources say, how faithful they
 * are as mutators, how far from the floor. */
#include "evolve/report/page.h"
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

static void draw_panel(report_svg *plot, const char *id, const void *of)
{
    const panel *p = of;
    double low = INFINITY, high = -INFINITY, x[2] = {0, 0};
    int last = 0;
    for (int i = 0; i < p->count; i++) {
        report_cover(&low, &high, p->value[i]);
        if (isfinite(p->value[i]))
            last = i;
    }
    bool large = p->whole && low > 32;
    char title[96];
    snprintf(title, sizeof title, "%s of each model's source", p->name);
    plot->right = 64;
    plot->x = report_axis_of("model", REPORT_LINEAR, 0, p->count - 1);
    plot->x.whole = true;
    plot->x.low = -0.15 * (p->count > 4 ? p->count / 4.0 : 1);
    plot->x.high = p->count - 1 - plot->x.low;
    if (large)
        plot->y = report_axis_of("", REPORT_LOG2, low / 1.5, high * 1.5);
    else
        plot->y = report_axis_of("", REPORT_LINEAR, low > 0 ? 0 : low, high);
    if (!large && low > 0)
        plot->y.low = 0;
    plot->y.whole = p->whole;
    plot->top = 34;
    report_svg_begin(plot, id, title,
                     "A dot a model, in their order; the last is the last source.");
    report_svg_words(plot, "b", plot->x.low, plot->y.high, 2 - plot->left, -20, REPORT_START,
                     p->name);
    for (int i = 0; i < p->count; i++) {
        x[0] = i - 1;
        x[1] = i;
        if (i > 0)
            report_svg_line(plot, "c0", x, &p->value[i - 1], 2);
    }
    for (int i = 0; i < p->count; i++) {
        x[0] = i;
        report_svg_marks(plot, i == p->count - 1 ? "c1 big" : "c0 big", REPORT_DOT, x, &p->value[i],
                         1);
    }
    double value = p->value[last];
    base_text text = {0};
    if (fabs(value) >= 100000)
        report_put_quantity(&text, value);
    else
        base_json_put_number(&text, value);
    if (text.data)
        report_svg_words(plot, "b", last, value, 10, 4, REPORT_START, text.data);
    base_text_free(&text);
    report_svg_finish(plot);
}

static void table_panel(const void *of, base_text *csv)
{
    const panel *p = of;
    base_text_print(csv, "model,%s\n", p->name);
    for (int i = 0; i < p->count; i++) {
        base_text_print(csv, "%d", i);
        report_csv_number(csv, p->value[i]);
        base_text_print(csv, "\n");
    }
}

/* The source of model i; of i == trained_count, the last source. */
static int source_of(const report_lineage *run, int i)
{
    return i < run->trained_count ? run->trained[i].source : run->last;
}

static void put_panel(report_page *page, const panel *p)
{
    char name[48];
    snprintf(name, sizeof name, "design-%.31s", p->name);
    const report_figure figure = {.name = name,
                                  .small = true,
                                  .height = {190, 190},
                                  .of = p,
                                  .draw = draw_panel,
                                  .table = table_panel};
    report_page_figure(page, &figure);
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
    double *values = malloc((REPORT_DESIGNS + 1) * (size_t)sources * sizeof *values);
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
                      "parameters the model has. The last dot, number %d, is the last source, of "
                      "which no model has been trained.</figcaption>\n</figure>\n",
                      run->trained_count);
    free(values);
}

/* ---- lines over the episodes, from the `trained` events ---- */

enum { MOST_LINES = 16 };

typedef struct lines {
    const char *title, *description, *label;
    int episodes, count;
    struct {
        char name[sizeof((report_ending *)0)->words];
        char classes[24];
        double *value; /* one an episode */
    } line[MOST_LINES];
    double low, high; /* of the axis; equal: what the values take */
} lines;

static void draw_lines(report_svg *plot, const char *id, const void *of)
{
    const lines *l = of;
    double low = INFINITY, high = -INFINITY, x[1000];
    int n = l->episodes < 1000 ? l->episodes : 1000, endings_count = 0;
    report_ending endings[MOST_LINES];
    for (int k = 0; k < l->count; k++)
        for (int i = 0; i < n; i++)
            report_cover(&low, &high, l->line[k].value[i]);
    for (int i = 0; i < n; i++)
        x[i] = i;
    size_t longest = 0;
    for (int k = 0; k < l->count; k++)
        longest = strlen(l->line[k].name) > longest ? strlen(l->line[k].name) : longest;
    plot->right = 16 + 7 * (int)longest;
    if (l->low < l->high) {
        plot->y = report_axis_of(l->label, REPORT_LINEAR, l->low, l->high);
        plot->y.low = l->low;
    } else
        plot->y = report_axis_of(l->label, report_scale_for(low, high), low, high);
    plot->x = report_axis_of("model", REPORT_LINEAR, 0, n - 1);
    plot->x.whole = true;
    if (n > 1) {
        plot->x.low = -0.03 * (n - 1);
        plot->x.high = 1.01 * (n - 1);
    }
    report_svg_begin(plot, id, l->title, l->description);
    for (int k = 0; k < l->count; k++) {
        report_svg_line(plot, l->line[k].classes, x, l->line[k].value, n);
        report_svg_marks(plot, l->line[k].classes, REPORT_DOT, x, l->line[k].value, n);
        if (isfinite(l->line[k].value[n - 1])) {
            report_ending *ending = &endings[endings_count++];
            *ending = (report_ending){l->line[k].value[n - 1], l->line[k].classes, ""};
            memcpy(ending->words, l->line[k].name, sizeof ending->words);
        }
    }
    report_svg_endings(plot, endings, endings_count);
    report_svg_finish(plot);
}

static void table_lines(const void *of, base_text *csv)
{
    const lines *l = of;
    base_text_print(csv, "model");
    for (int k = 0; k < l->count; k++)
        base_text_print(csv, ",%s", l->line[k].name);
    base_text_print(csv, "\n");
    for (int i = 0; i < l->episodes; i++) {
        base_text_print(csv, "%d", i);
        for (int k = 0; k < l->count; k++)
            report_csv_number(csv, l->line[k].value[i]);
        base_text_print(csv, "\n");
    }
}

/* A name as text of a figure and as a column: all but letters, digits, '_', '-', blank is '?'. */
static int add_line(lines *l, const char *name, const char *classes, double *values)
{
    if (l->count == MOST_LINES || strlen(name) >= sizeof l->line->name)
        return -1;
    memcpy(l->line[l->count].name, name, strlen(name) + 1);
    for (char *c = l->line[l->count].name; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
              *c == '_' || *c == '-' || *c == ' '))
            *c = '?';
    snprintf(l->line[l->count].classes, sizeof l->line->classes, "%s", classes);
    l->line[l->count].value = values + l->count * l->episodes;
    for (int i = 0; i < l->episodes; i++)
        l->line[l->count].value[i] = NAN;
    return l->count++;
}

static void put_lines(report_page *page, const lines *l, const char *name, const char *caption)
{
    const report_figure figure = {
        .name = name, .height = {280, 280}, .of = l, .draw = draw_lines, .table = table_lines};
    report_page_print(page, "<figure>\n");
    report_page_figure(page, &figure);
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
    lines l = {.title = "Fidelity of the mutator",
               .description = "Shares of the model's samples that are valid programs, make exactly "
                              "one edit and a legal one, and the total variation distance of its "
                              "edits from the true ones, by model.",
               .label = "share of samples",
               .episodes = run->trained_count,
               .high = 1};
    double *values = malloc((MOST_LINES * (size_t)l.episodes + 1) * sizeof *values);
    if (!values) {
        page->html.failed = true;
        return;
    }
    bool any = false;
    for (int k = 0; k < 4; k++)
        add_line(&l, members[k].name, members[k].classes, values);
    for (int i = 0; i < l.episodes; i++) {
        const base_json *fidelity = run->trained[i].event.fidelity.value;
        double samples, value;
        if (!base_json_get_number(fidelity, "samples", &samples, "trained", NULL) || samples <= 0)
            continue;
        for (int k = 0; k < 4; k++)
            if (base_json_get_number(fidelity, members[k].member, &value, "trained", NULL))
                l.line[k].value[i] = members[k].share ? value / samples : value;
        any = true;
    }
    if (any)
        put_lines(page, &l, "fidelity",
                  "The model imitates a random mutator, so its samples are measured as one: how "
                  "many are valid programs, make exactly one edit, make one that the rules allow. "
                  "Dashed: the total variation distance between its edits and the true ones, 0 the "
                  "same, 1 disjoint.");
    else
        report_page_print(page, "<p class=\"soft\">Not measured in this run so far.</p>\n");
    free(values);
}

static int find_line(const lines *l, const char *name)
{
    int k = 0;
    while (k < l->count && strcmp(l->line[k].name, name) != 0)
        k++;
    return k < l->count ? k : -1;
}

void report_page_held_out(report_page *page, const report_lineage *run)
{
    lines l = {.title = "Held-out loss above the floor",
               .description = "Held-out loss of each model above the entropy floor, in all and by "
                              "the edit of the pair, in nats a pair.",
               .label = "above the floor, nats a pair",
               .episodes = run->trained_count};
    double *values = malloc((MOST_LINES * (size_t)l.episodes + 1) * sizeof *values);
    if (!values) {
        page->html.failed = true;
        return;
    }
    for (int i = 0; i < l.episodes; i++) {
        const base_json *held_out = run->trained[i].event.held_out.value;
        bool object = held_out && held_out->kind == BASE_JSON_OBJECT;
        for (const base_json *gap = object ? held_out->child : NULL; gap; gap = gap->next) {
            double distance;
            char classes[24];
            int k = find_line(&l, gap->name);
            if (k < 0 && base_json_get(gap, "distance")) {
                bool all = strcmp(gap->name, "all") == 0;
                int kind = l.count - (find_line(&l, "all") >= 0);
                snprintf(classes, sizeof classes, "c%d%s", kind % 6, kind >= 6 ? " dash" : "");
                k = add_line(&l, gap->name, all ? "ink wide" : classes, values);
            }
            if (k >= 0 && base_json_get_number(gap, "distance", &distance, "trained", NULL))
                l.line[k].value[i] = distance;
        }
    }
    if (l.count)
        put_lines(
            page, &l, "held-out",
            l.count == MOST_LINES
                ? "Loss on pairs that no training saw, above the entropy of the same pairs: an "
                  "estimate of the Kullback-Leibler distance between the model and the "
                  "rules, in all and by what the pair edits. The journal may have more edits "
                  "than are drawn."
                : "Loss on pairs that no training saw, above the entropy of the same pairs: an "
                  "estimate of the Kullback-Leibler distance between the model and the "
                  "rules, in all and by what the pair edits.");
    else
        report_page_print(page, "<p class=\"soft\">Not measured in this run so far.</p>\n");
    free(values);
}
