/* SPDX-License-Identifier: MIT */
/* fronts.c -- what a smaller network costs: of the networks that runs have scored, the best of each size, by each of
 * the four things that a device has little of. */
#include "base/memory.h"
#include "evolve/report/chart.h"
#include "evolve/report/page.h"
#include "evolve/task.h"
#include "vision/network.h"
#include <math.h>
#include <stdlib.h>

/* By what it is small: what the budgets are of, and the parameters that it is trained with. */
enum { BY_PARAMETERS, BY_FLASH, BY_RAM, BY_OPERATIONS, SIZES };

static const struct {
    const char *name, *title, *label, *note;
} fronts[SIZES] = {
    [BY_PARAMETERS] = {"front", "The best network of each size", "parameters",
                       "A parameter is four bytes of flash, or one in int8."},
    [BY_FLASH] = {"front-flash", "The best network of each size in flash", "bytes of weights",
                  "Weights and running statistics, four bytes each: what --budget-flash limits."},
    [BY_RAM] = {"front-ram", "The best network of each size in memory", "bytes of activations",
                "The most activations that stand at once while it answers, four bytes each: what "
                "--budget-ram limits."},
    [BY_OPERATIONS] = {"front-operations", "The best network of each speed",
                       "operations per answer",
                       "A multiply-add is two of them: what --budget-flops limits."},
};

typedef struct sized {
    double of[SIZES];
    double size, accuracy; /* one of them; % of what the search held out */
} sized;

static int smaller_first(const void *a, const void *b)
{
    const sized *x = a, *y = b;
    return x->size != y->size ? (x->size > y->size) - (x->size < y->size)
                              : (x->accuracy < y->accuracy) - (x->accuracy > y->accuracy);
}

/* A network's sizes; false: its source builds none here. */
static bool size_of(const report_lineage *run, int index, sized *to)
{
    const loop_candidate *c = &run->candidates.list[index];
    vision_architecture net;
    if (!report_lineage_network(run, index, &net))
        return false;
    const vision_footprint f = vision_footprint_of(&net, run->image);
    *to = (sized){.of = {(double)c->score.parameters, 4 * (double)f.weights,
                         4 * (double)f.activations, (double)f.flops},
                  .accuracy = 100 * (1 - c->score.score)};
    return true;
}

/* All networks of the runs that were trained on all their examples; *count of them. NULL: no memory. */
static sized *all_networks(const report_lineage *const *runs, int runs_count, int *count)
{
    size_t most = 1;
    for (int r = 0; r < runs_count; r++)
        most += (size_t)runs[r]->candidates.count;
    sized *all = base_calloc(most, sizeof *all);
    *count = 0;
    for (int r = 0; all && r < runs_count; r++)
        for (int i = 0; i < runs[r]->candidates.count; i++) {
            const loop_candidate *c = &runs[r]->candidates.list[i];
            if (c->scored && c->score.status == SCORE_OK && c->share == 1)
                *count += size_of(runs[r], i, &all[*count]);
        }
    return all;
}

/* From the smallest network on, those that get more right than every smaller one. */
static void front(report_page *page, const report_lineage *run, sized *all, int count, int by)
{
    base_text description = {0};
    base_text_print(&description,
                    "What was held out against %s: the networks that no smaller "
                    "one equals.",
                    fronts[by].label);
    report_chart c = {.name = fronts[by].name,
                      .title = fronts[by].title,
                      .description = description.data,
                      .x_label = fronts[by].label,
                      .y_label = report_subject_of(run)->held,
                      .x_scale = REPORT_LOG10,
                      .dots = true};
    double best = -INFINITY;
    c.failed = !all || description.failed;
    for (int i = 0; all && i < count; i++)
        all[i].size = all[i].of[by];
    if (all)
        qsort(all, (size_t)count, sizeof *all, smaller_first);
    report_chart_line(&c, "no smaller network is as good", NULL);
    for (int i = 0; all && i < count; i++)
        if (all[i].accuracy > best) {
            best = all[i].accuracy;
            report_chart_value(&c, all[i].size, best);
        }
    report_page_print(page, "<figure>\n");
    report_chart_put(page, &c);
    report_page_print(
        page,
        "<figcaption>Of all %d networks that were scored on all their %s, those that no "
        "smaller one equals. %s</figcaption>\n</figure>\n",
        count, evolve_items_of(&run->settings), fronts[by].note);
    base_text_free(&description);
}

void report_page_fronts(report_page *page, const report_lineage *const *runs, int count)
{
    int networks;
    sized *all = all_networks(runs, count, &networks);
    for (int by = 0; by < SIZES && (networks || !all); by++) {
        if (by == BY_FLASH) /* what matters on a device alone */
            report_page_print(page,
                              "<details><summary>The same by bytes and operations</summary>\n");
        front(page, runs[0], all, networks, by);
    }
    report_page_print(page, networks || !all ? "</details>\n" : "");
    base_free(all);
}
