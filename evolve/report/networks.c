/* SPDX-License-Identifier: MIT */
/* networks.c -- what is shown of runs that program networks: Figures 3 to 6 of the second paper, and, of those
 * for images, how many convolutions they have (its section 5).
 *
 * The sources of a run are numbered as the paper's models are: Model 0 is the first source, Model k
 * the source after k iterations of the loop (its "epochs"; the journal's episodes 0 .. k-1). Over
 * several runs of one task each figure has the mean and its 95 % interval by Student's t. */
#include "base/math.h"
#include "base/memory.h"
#include "evolve/report/chart.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RUNS = sizeof((search_sample *)0)->value / sizeof(double) };

/* Runs of one task. */
typedef struct group {
    const report_lineage *run[MOST_RUNS];
    int count;
    int iterations; /* of the run that is furthest */
} group;

/* That an iteration has. */
static int64_t candidates_of(const report_lineage *run)
{
    return run->settings.batches * run->settings.candidates;
}

/* A table's networks have no convolutions, and nothing is said of any. */
static bool has_convolutions(const group *g)
{
    return evolve_words_of(&g->run[0]->settings) == EVOLVE_WORDS_IMAGES;
}

/* ---- Figure 3: the training of each model ---- */

/* The trainings of the model after so many iterations, of the runs with that many candidates. */
typedef struct trainings {
    const score_result *score[MOST_RUNS];
    int count;
    int steps; /* of the shortest */
} trainings;

static bool read_trainings(trainings *t, const group *g, int64_t candidates, int iteration,
                           base_error *error)
{
    *t = (trainings){.count = 0};
    for (int i = 0; i < g->count; i++) {
        int source = candidates_of(g->run[i]) == candidates
                         ? report_lineage_after(g->run[i], iteration)
                         : LOOP_NOBODY;
        if (source == LOOP_NOBODY)
            continue;
        const score_result *score = report_lineage_training(g->run[i], source, error);
        if (!score)
            return false;
        t->score[t->count] = score;
        if (t->count++ == 0 || score->steps < t->steps)
            t->steps = (int)score->steps;
    }
    return true;
}

/* Of one training: the mean of the steps up to that one. */
static double smooth(const score_result *score, int step, int window)
{
    int from = step - window + 1 > 0 ? step - window + 1 : 0;
    double sum = 0;
    for (int i = from; i <= step; i++)
        sum += (double)score->losses[i];
    return sum / (step - from + 1);
}

static void add_trainings(report_chart *c, const trainings *t)
{
    int n = t->steps < REPORT_POINTS ? t->steps : REPORT_POINTS;
    int window = t->steps >= 40 ? t->steps / 20 : 1;
    for (int k = 0; k < n; k++) {
        int step = report_chart_spread(t->steps, k, n);
        search_sample sample = {.count = t->count};
        for (int i = 0; i < t->count; i++)
            sample.value[i] = smooth(t->score[i], step, window);
        report_chart_point(c, step + 1, &sample);
    }
}

/* Whether some run's source changed in that iteration: else its curves are the ones before. */
static bool changed(const group *g, int64_t candidates, int iteration)
{
    for (int i = 0; i < g->count; i++)
        if (candidates_of(g->run[i]) == candidates &&
            report_lineage_after(g->run[i], iteration) !=
                report_lineage_after(g->run[i], iteration - 1))
            return true;
    return false;
}

static void losses(report_page *page, const group *g, int64_t candidates)
{
    char name[64];
    report_chart c = {.name = name,
                      .title = "Training loss of each model",
                      .description =
                          "Training loss, by step, of the first network, and of the one after "
                          "each iteration: the mean over the runs.",
                      .x_label = "training step",
                      .y_label = evolve_words_of(&g->run[0]->settings) == EVOLVE_WORDS_NUMBERS
                                     ? "training loss, squared error"
                                     : "training loss, cross-entropy",
                      .ordered = true};
    snprintf(name, sizeof name, "network-losses-%" PRId64, candidates);
    report_page_print(page, "<figure>\n");
    int runs = 0;
    for (int i = 0; i <= g->iterations; i++) {
        char words[48];
        trainings t;
        if (i > 0 && !changed(g, candidates, i))
            continue;
        snprintf(words, sizeof words, "Model %d", i);
        report_chart_line(&c, words, NULL);
        page->ok = page->ok && read_trainings(&t, g, candidates, i, page->error);
        if (!page->ok)
            break;
        add_trainings(&c, &t);
        runs = t.count > runs ? t.count : runs;
    }
    report_chart_put(page, &c);
    report_page_print(page,
                      "<figcaption>The short training of the network after each iteration with "
                      "%" PRId64 " candidates, as in Figure 3 of the second paper: ",
                      candidates);
    if (runs > 1)
        report_page_print(page, "the mean over %d runs. ", runs);
    else
        report_page_print(page, "one run. ");
    report_page_print(page, "Model 0 is the first source; iterations that changed nothing are left "
                            "out.</figcaption>\n</figure>\n");
}

/* ---- Figure 4: performance against candidates ---- */

static const char *shown(const group *g)
{
    const report_subject *subject = report_subject_of(g->run[0]);
    return report_more_is_better(g->run[0]) ? subject->held : subject->score;
}

static search_sample performance(const group *g, int64_t candidates, int iteration)
{
    search_sample sample = {.count = 0};
    for (int i = 0; i < g->count; i++) {
        int source = report_lineage_after(g->run[i], iteration);
        if (source != LOOP_NOBODY && candidates_of(g->run[i]) == candidates)
            sample.value[sample.count++] =
                report_shown(g->run[i], report_lineage_score(g->run[i], source)->score);
    }
    return sample;
}

/* The next larger number of candidates that a run has in an iteration; 0: there is none. */
static int64_t next_candidates(const group *g, int64_t after)
{
    int64_t next = 0;
    for (int i = 0; i < g->count; i++) {
        int64_t n = candidates_of(g->run[i]);
        if (n > after && (next == 0 || n < next))
            next = n;
    }
    return next;
}

static void against_total(report_page *page, const group *g)
{
    report_chart c = {.name = "performance",
                      .title = "Performance against the number of candidates",
                      .description =
                          "The source's score by the number of candidates so far: mean over the "
                          "runs and its interval.",
                      .x_label = "candidates so far",
                      .y_label = shown(g),
                      .whole_x = true,
                      .dots = true};
    for (int64_t n = next_candidates(g, 0); n > 0; n = next_candidates(g, n)) {
        char name[48];
        snprintf(name, sizeof name, "%" PRId64 " a time", n);
        report_chart_line(&c, name, NULL);
        for (int i = 0; i <= g->iterations; i++) {
            search_sample sample = performance(g, n, i);
            report_chart_point(&c, (double)(i * n), &sample);
        }
    }
    report_page_print(page, "<figure>\n");
    report_chart_put(page, &c);
    report_page_print(
        page,
        "<figcaption>The source&#39;s score, against all candidates so far, as on the left of "
        "Figure 4%s. One dot per iteration.</figcaption>\n</figure>\n",
        g->count > 1 ? ": mean over the runs and its 95&nbsp;% interval" : "");
}

/* As far as runs of each number of candidates go. */
static void against_setting(report_page *page, const group *g)
{
    report_chart c = {.name = "performance-by-candidates",
                      .title = "Performance against the candidates of an iteration",
                      .description =
                          "The source's score after each iteration, by how many candidates an "
                          "iteration has.",
                      .x_label = "candidates of an iteration",
                      .y_label = shown(g),
                      .x_scale = REPORT_LOG2,
                      .whole_x = true,
                      .dots = true,
                      .ordered = true};
    if (next_candidates(g, next_candidates(g, 0)) == 0)
        return;
    for (int i = 1; i <= g->iterations; i++) {
        char name[48];
        snprintf(name, sizeof name, "iteration %d", i);
        report_chart_line(&c, name, NULL);
        for (int64_t n = next_candidates(g, 0); n > 0; n = next_candidates(g, n)) {
            search_sample sample = performance(g, n, i);
            report_chart_point(&c, (double)n, &sample);
        }
    }
    report_page_print(page, "<figure>\n");
    report_chart_put(page, &c);
    report_page_print(page, "<figcaption>The same against the candidates of one iteration, a line "
                            "an iteration, as on the right of Figure 4.</figcaption>\n</figure>\n");
}

/* ---- Figures 5 and 6: what the networks are made of ---- */

typedef struct makeup {
    int convolutions, hidden;      /* layers */
    double conv_size, hidden_size; /* mean log2 of their channels and sizes; NAN: there is none */
} makeup;

/* The same on every machine, which libm's is not. */
static double log2_of(int n) { return base_log(n) / base_log(2); }

/* The last linear layer gives the classes, and is not hidden. */
static bool makeup_of(const report_lineage *run, int index, makeup *m)
{
    vision_architecture net;
    double conv = 0, hidden = 0;
    *m = (makeup){.hidden = -1};
    if (!report_lineage_network(run, index, &net))
        return false;
    for (int i = net.count - 1; i >= 0; i--) {
        const vision_layer *layer = &net.layer[i];
        if (layer->kind == VISION_CONV2D && ++m->convolutions)
            conv += log2_of(layer->out);
        else if (layer->kind == VISION_LINEAR && ++m->hidden)
            hidden += log2_of(layer->out);
    }
    m->hidden = m->hidden < 0 ? 0 : m->hidden;
    m->conv_size = m->convolutions ? conv / m->convolutions : NAN;
    m->hidden_size = m->hidden ? hidden / m->hidden : NAN;
    return true;
}

typedef enum measure { CONVOLUTIONS, HIDDEN, CONV_SIZE, HIDDEN_SIZE, PARAMETERS, MEASURES } measure;

static double measured(const report_lineage *run, int source, measure which)
{
    makeup m;
    if (which == PARAMETERS)
        return (double)report_lineage_score(run, source)->parameters;
    if (!makeup_of(run, source, &m))
        return NAN;
    const double values[] = {m.convolutions, m.hidden, m.conv_size, m.hidden_size};
    return values[which];
}

static void design_panel(report_page *page, const group *g, measure which)
{
    static const struct {
        const char *name, *label;
    } measures[MEASURES] = {{"convolutions", "convolutions"},
                            {"hidden-layers", "hidden layers"},
                            {"convolution-size", "channels of a convolution, log2"},
                            {"hidden-size", "size of a hidden layer, log2"},
                            {"network-parameters", "parameters"}};
    char title[96];
    report_chart c = {.name = measures[which].name,
                      .title = title,
                      .description = "Mean over the runs, of the source after each iteration.",
                      .x_label = "iterations",
                      .y_label = measures[which].label,
                      .y_scale = which == PARAMETERS ? REPORT_LOG10 : REPORT_LINEAR,
                      .from_zero = which == CONVOLUTIONS || which == HIDDEN,
                      .whole_x = true,
                      .whole_y = which == CONVOLUTIONS || which == HIDDEN,
                      .dots = true,
                      .small = true};
    snprintf(title, sizeof title, "Networks: %s", measures[which].label);
    report_chart_line(&c, measures[which].name, NULL);
    for (int i = 0; i <= g->iterations; i++) {
        search_sample sample = {.count = 0};
        for (int k = 0; k < g->count; k++) {
            int source = report_lineage_after(g->run[k], i);
            double value = source == LOOP_NOBODY ? NAN : measured(g->run[k], source, which);
            if (isfinite(value))
                sample.value[sample.count++] = value;
        }
        report_chart_point(&c, i, &sample);
    }
    report_chart_put(page, &c);
}

static void design(report_page *page, const group *g)
{
    report_page_print(page, "<figure>\n<div class=\"panels\">\n");
    for (int m = 0; m < MEASURES; m++)
        if (has_convolutions(g) || (m != CONVOLUTIONS && m != CONV_SIZE))
            design_panel(page, g, (measure)m);
    report_page_print(page,
                      "</div>\n<figcaption>The source after each iteration%s, as in Figures 5 and "
                      "6: its %shidden layers, the mean of log2 of their sizes, and "
                      "its parameters.%s</figcaption>\n</figure>\n",
                      g->count > 1 ? ", mean over the runs and its 95&nbsp;% interval" : "",
                      has_convolutions(g) ? "convolutions and " : "",
                      has_convolutions(g) ? " A network without a convolution has no size of one."
                                          : "");
    if (g->run[0]->classes == 0)
        report_page_print(page, "<p class=\"soft\">The journal does not say what the images are, "
                                "so the layers are not known.</p>\n");
}

/* ---- how many have convolutions (section 5 of the paper) ---- */

enum { KINDS = 3 }; /* no convolution, one, two or more */

typedef struct shares {
    int iterations;
    int (*candidates)[KINDS], (*sources)[KINDS]; /* by iteration, the first being 0 */
} shares;

static void count_kind(const report_lineage *run, int source, int counts[KINDS])
{
    makeup m;
    if (makeup_of(run, source, &m))
        counts[m.convolutions < KINDS ? m.convolutions : KINDS - 1]++;
}

static void count_kinds(const group *g, shares *s)
{
    for (int k = 0; k < g->count; k++) {
        const report_lineage *run = g->run[k];
        for (int i = 1; i < run->candidates.count; i++)
            if (run->candidates.list[i].scored &&
                run->candidates.list[i].score.status == SCORE_OK &&
                run->candidates.list[i].episode < s->iterations)
                count_kind(run, i, s->candidates[run->candidates.list[i].episode]);
        for (int i = 0; i < s->iterations; i++) {
            int source = report_lineage_after(run, i + 1);
            if (source != LOOP_NOBODY)
                count_kind(run, source, s->sources[i]);
        }
    }
}

static int sum_of(const int counts[KINDS]) { return counts[0] + counts[1] + counts[2]; }

static void draw_shares(report_svg *plot, const char *id, const void *of)
{
    static const char *const classes[KINDS] = {"c5", "c0", "c1"};
    static const char *const words[KINDS] = {"none", "one", "two or more"};
    const shares *s = of;
    report_ending endings[KINDS];
    plot->right = 96;
    plot->x = report_axis_of("iteration", REPORT_LINEAR, 1, s->iterations);
    plot->x.low = 0.4;
    plot->x.high = s->iterations + 0.6;
    plot->x.whole = true;
    plot->y = report_axis_of("candidates, %", REPORT_LINEAR, 0, 100);
    plot->y.low = 0;
    plot->y.high = 100;
    report_svg_begin(plot, id, "Convolutions of the candidates",
                     "Share of each iteration's evaluated candidates that have no convolution, "
                     "one, two or more.");
    for (int i = 0; i < s->iterations; i++) {
        double from = 0, all = sum_of(s->candidates[i]);
        for (int k = 0; k < KINDS && all > 0; k++) {
            double to = from + 100 * s->candidates[i][k] / all;
            if (to > from)
                report_svg_bar(plot, classes[k], i + 0.65, from, i + 1.35, to);
            endings[k] = (report_ending){(from + to) / 2, classes[k], ""};
            snprintf(endings[k].words, sizeof endings->words, "%s", words[k]);
            from = to;
        }
    }
    if (sum_of(s->candidates[s->iterations - 1]) > 0)
        report_svg_endings(plot, endings, KINDS);
    report_svg_finish(plot);
}

static void table_shares(const void *of, base_text *csv)
{
    const shares *s = of;
    base_text_print(csv, "iteration,candidates_0,candidates_1,candidates_2_or_more,sources_0,"
                         "sources_1,sources_2_or_more\n");
    for (int i = 0; i < s->iterations; i++)
        base_text_print(csv, "%d,%d,%d,%d,%d,%d,%d\n", i + 1, s->candidates[i][0],
                        s->candidates[i][1], s->candidates[i][2], s->sources[i][0],
                        s->sources[i][1], s->sources[i][2]);
}

static void put_shares(report_page *page, const shares *s)
{
    const report_figure figure = {.name = "convolution-shares",
                                  .height = {260, 260},
                                  .of = s,
                                  .draw = draw_shares,
                                  .table = table_shares};
    report_page_print(page, "<figure>\n");
    report_page_figure(page, &figure);
    report_page_print(
        page,
        "<figcaption>How many of an iteration&#39;s candidates with a score have no convolution, "
        "one, two or more.</figcaption>\n</figure>\n<div class=\"scroll\" "
        "tabindex=\"0\"><table>\n<thead><tr>"
        "<th>iteration</th><th>candidates<br>with none</th><th>one</th><th>two or<br>more</th>"
        "<th>sources after it<br>with none</th><th>one</th><th>two or<br>more</th></tr></thead>\n"
        "<tbody>\n");
    for (int i = 0; i < s->iterations; i++) {
        report_page_print(page, "<tr><td>%d</td>", i + 1);
        for (int k = 0; k < KINDS; k++)
            report_page_count(page, s->candidates[i][k]);
        for (int k = 0; k < KINDS; k++)
            report_page_count(page, s->sources[i][k]);
        report_page_print(page, "</tr>\n");
    }
    report_page_print(page, "</tbody></table></div>\n");
}

static void convolution_shares(report_page *page, const group *g)
{
    shares s = {.iterations = g->iterations};
    s.candidates = base_calloc((size_t)g->iterations + 1, sizeof *s.candidates);
    s.sources = base_calloc((size_t)g->iterations + 1, sizeof *s.sources);
    if (!s.candidates || !s.sources)
        page->html.failed = true;
    else {
        count_kinds(g, &s);
        int all = 0;
        for (int i = 0; i < s.iterations; i++)
            all += sum_of(s.candidates[i]);
        if (all > 0)
            put_shares(page, &s);
    }
    base_free(s.candidates);
    base_free(s.sources);
}

/* ---- the sections ---- */

static void sections(report_page *page, const group *g)
{
    report_page_heading(page, "losses", "Loss curves");
    if (g->count == 0)
        report_page_print(page, "<p class=\"soft\">Nothing has been scored yet.</p>\n");
    for (int64_t n = next_candidates(g, 0); n > 0; n = next_candidates(g, n))
        losses(page, g, n);
    report_page_heading(page, "performance", "Performance");
    if (g->count > 0)
        against_total(page, g);
    against_setting(page, g);
    report_page_heading(page, "design", "Design");
    if (g->count > 0)
        design(page, g);
    if (g->count > 0 && g->run[0]->settings.score == EVOLVE_BY_HELD_OUT)
        report_page_fronts(page, g->run, g->count);
    if (has_convolutions(g))
        convolution_shares(page, g);
}

/* The runs of the first one's task, but those that have scored nothing yet. */
static group group_of(report_lineage *const *runs, int count)
{
    group g = {.run = {runs[0]}, .count = 0};
    for (int i = 0; i < count && g.count < MOST_RUNS; i++)
        if (strcmp(runs[i]->task, runs[0]->task) == 0 && runs[i]->candidates.list->scored) {
            g.run[g.count++] = runs[i];
            while (report_lineage_after(runs[i], g.iterations + 1) != LOOP_NOBODY)
                g.iterations++;
        }
    return g;
}

void report_page_networks(report_page *page, report_lineage *const *runs, int count)
{
    const char *prefix = page->prefix;
    int tasks = 0;
    for (int i = 0; i < count; i++) {
        char own[32];
        int before = 0;
        while (strcmp(runs[before]->task, runs[i]->task) != 0)
            before++;
        if (before < i)
            continue;
        group g = group_of(runs + i, count - i);
        if (count > 1) {
            snprintf(own, sizeof own, "task%d-", ++tasks);
            page->prefix = own;
            report_page_heading(page, "task", runs[i]->task);
        }
        sections(page, &g);
        page->prefix = prefix;
    }
}

/* ---- the networks themselves ---- */

void report_page_layers(report_page *page, const report_lineage *run, int index)
{
    vision_architecture net;
    base_text text = {0};
    char name[REPORT_NAME];
    if (!report_lineage_network(run, index, &net))
        return;
    vision_summary(&net, run->image, &text);
    report_page_print(page, "<h3>%s, %s</h3>\n<pre tabindex=\"0\">",
                      index == 0 ? "The first network" : "The last network",
                      report_lineage_name(run, index, name));
    report_page_text(page, text.data ? text.data : "");
    report_page_print(page, "</pre>\n");
    page->html.failed = page->html.failed || text.failed;
    base_text_free(&text);
}

/* ---- the T5 that writes them: trained once, so numbers and no curves ---- */

static void generator_fidelity(report_page *page, const base_json *fidelity)
{
    static const char *const members[][2] = {{"parsed", "are programs"},
                                             {"valid", "are networks that fit"},
                                             {"one_edit", "make exactly one edit"},
                                             {"legal", "make a legal one"},
                                             {"copies", "change nothing"}};
    int64_t samples, n;
    double distance;
    if (!base_json_get_int(fidelity, "samples", 1, INT32_MAX, &samples, "measured", NULL))
        return;
    report_page_print(page, "<p>Of %" PRId64 " samples:", samples);
    for (size_t k = 0; k < sizeof members / sizeof *members; k++)
        if (base_json_get_int(fidelity, members[k][0], 0, samples, &n, "measured", NULL))
            report_page_print(page, "%s %" PRId64 " %s", k ? "," : "", n, members[k][1]);
    if (base_json_get_number(fidelity, "total_variation", &distance, "measured", NULL)) {
        report_page_print(page, "; total variation distance between its edits and the true ones ");
        report_put_decimal(&page->html, distance, 3);
        report_page_print(page, " (0: the same, 1: nothing in common)");
    }
    report_page_print(page, ".</p>\n");
}

void report_page_generator(report_page *page, const report_lineage *run)
{
    if (run->trained_count == 0) {
        report_page_print(page, "<p class=\"soft\">It has not been trained yet.</p>\n");
        return;
    }
    const report_trained *t = &run->trained[0];
    const base_json *held_out = t->event.held_out.value;
    report_page_print(page, "<p>One T5 writes all candidates. It was trained once, on refinements "
                            "of networks: ");
    report_put_quantity(&page->html, (double)t->event.parameters);
    report_page_print(page, " parameters, %" PRId64 " steps.</p>\n", t->event.steps);
    generator_fidelity(page, t->event.fidelity.value);
    report_page_print(
        page, "<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr><th class=\"l\">held-out "
              "pairs, nats a pair</th><th>pairs</th><th>loss</th><th>floor</th>"
              "<th>above the<br>floor</th></tr></thead>\n<tbody>\n");
    bool object = held_out && held_out->kind == BASE_JSON_OBJECT;
    for (const base_json *gap = object ? held_out->child : NULL; gap; gap = gap->next) {
        static const char *const members[] = {"loss", "floor", "distance"};
        double value;
        report_page_print(page, "<tr><td class=\"l\">");
        report_page_text(page, gap->name);
        report_page_print(page, "</td>");
        report_page_count(page, base_json_get_number(gap, "pairs", &value, "measured", NULL)
                                    ? (int64_t)value
                                    : 0);
        for (int k = 0; k < 3; k++)
            if (base_json_get_number(gap, members[k], &value, "measured", NULL))
                report_page_decimal(page, value, 3);
            else
                report_page_print(page, "<td></td>");
        report_page_print(page, "</tr>\n");
    }
    report_page_print(page, "</tbody></table></div>\n");
}
