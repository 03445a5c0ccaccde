/* SPDX-License-Identifier: MIT */
/* subject.c -- what a page says of T5s, and what of networks: every word and every part of a page
 * that is different between the two stands in one table, a row each. The pages themselves need not
 * ask which of them they show. */
#include "base/number.h"
#include "evolve/report/page.h"

/* ---- one unit, one direction ---- */

bool report_more_is_better(const report_lineage *run)
{
    return run->subject == EVOLVE_NETWORKS && run->settings.score == EVOLVE_BY_HELD_OUT;
}

double report_shown(const report_lineage *run, double score)
{
    return report_more_is_better(run) ? 100 * (1 - score) : score;
}

int report_decimals(const report_lineage *run) { return report_more_is_better(run) ? 2 : 4; }

search_sample report_shown_fresh(const report_lineage *run, int which)
{
    search_sample shown = run->fresh[which];
    for (int i = 0; run->subject == EVOLVE_NETWORKS && i < shown.count; i++)
        shown.value[i] = 100 * (1 - shown.value[i]);
    return shown;
}

int report_fresh_decimals(const report_lineage *run)
{
    return run->subject == EVOLVE_NETWORKS ? 2 : 4;
}

/* ---- the numbers at the top ---- */

static void card(report_page *page, const char *what, double number, int decimals,
                 const char *format, ...) BASE_PRINTF(5, 6);

static void card(report_page *page, const char *what, double number, int decimals,
                 const char *format, ...)
{
    char note[256];
    va_list arguments;
    va_start(arguments, format);
    base_print_list(note, sizeof note, format, arguments);
    va_end(arguments);
    report_page_print(page, "<div class=\"card\"><dt>%s</dt><dd class=\"number\">", what);
    report_put_decimal(&page->html, number, decimals);
    report_page_print(page, "</dd><dd class=\"soft\">%s</dd></div>\n", note);
}

static void accuracy_card(report_page *page, const report_lineage *run, const char *what, int which)
{
    const search_sample right = report_shown_fresh(run, which);
    base_text half = {0};
    report_put_decimal(&half, search_half_interval(&right), 2);
    card(page, what, search_mean(&right), 2,
         right.count > 1 ? "%% of the %s %s, &plusmn; %s: 95&nbsp;%% interval over %d "
                           "fresh seeds"
                         : "%% of the %s %s, %.0s%d fresh seed",
         report_subject_of(run)->tested, report_subject_of(run)->right, half.data ? half.data : "",
         right.count);
    base_text_free(&half);
}

static void accuracy_cards(report_page *page, const report_lineage *run)
{
    accuracy_card(page, run, "First network, tested", 0);
    accuracy_card(page, run, "Last network, tested", 1);
}

/* Of T5s: loss of the first source less that of the last, so that more is better. */
static void gain_cards(report_page *page, const report_lineage *run)
{
    search_sample gains = report_gains(run);
    base_text half = {0};
    report_put_decimal(&half, search_half_interval(&gains), 4);
    card(page,
         evolve_task_has_pairs(&run->settings) ? "Gain on held-out pairs" : "Gain on fresh pairs",
         search_mean(&gains), 4,
         gains.count > 1 ? "&plusmn; %s: 95&nbsp;%% interval over %d fresh seeds"
                         : "%.0s%d fresh seed",
         half.data ? half.data : "", gains.count);
    base_text_free(&half);
}

void report_page_cards(report_page *page, const report_lineage *run)
{
    const report_subject *subject = report_subject_of(run);
    const score_result *last = report_lineage_score(run, run->last);
    loop_funnel funnel = loop_funnel_of(&run->candidates, -1);
    report_page_print(page, "<dl class=\"cards\">\n");
    if (run->candidates.list->scored) {
        const int decimals = report_decimals(run);
        card(page, subject->first, report_shown(run, report_lineage_score(run, 0)->score), decimals,
             "%s", subject->searched);
        card(page, run->finished ? subject->last : subject->now, report_shown(run, last->score),
             decimals, "the same; %d accepted of %d candidates", funnel.accepted, funnel.generated);
    }
    if (run->fresh[1].count)
        subject->fresh_cards(page, run);
    report_page_print(page, "</dl>\n");
}

static void describe_networks(report_page *page, const report_lineage *run)
{
    report_page_layers(page, run, 0);
    if (run->last != 0)
        report_page_layers(page, run, run->last);
}

static void t5_as_mutator(report_page *page, const report_lineage *run)
{
    report_page_fidelity(page, run);
    report_page_held_out(page, run);
}

/* The score by each setting of --score (evolve/settings.h). */
/* clang-format off */
#define OF_T5S(whom, by, of, data, saw) {                                                                 \
    .lead = {"Sources of a T5" whom ", without a model that writes them", "A T5 that rewrites the source " \
        "that defines it" whom},                                                                          \
    .programs = "a T5",                                                                                   \
    .first = "First source",                                                                              \
    .last = "Last source",                                                                                \
    .now = "Source so far",                                                                               \
    .score = "few-shot loss" by,                                                                          \
    .title = "Few-shot loss" by,                                                                          \
    .unit = ", nats a token",                                                                             \
    .column = "loss",                                                                                     \
    .of_search = " on the pairs of the search",                                                           \
    .searched = "few-shot loss" by ", nats a token, on the pairs of the search",                          \
    .fresh_data = data,                                                                                   \
    .fresh = of ", nats a token",                                                                         \
    .where = "On " saw,                                                                                   \
    .fresh_title = "First and last source on " data,                                                      \
    .fresh_text = "The first and the last source, with seeds that the search never saw, on " saw " (" of  \
        "): a dot for each seed, and the mean with its 95 % interval.",                                   \
    .gain = "gain on " data ", nats a token",                                                             \
    .gain_text = "Gain of the last source over the first on " data ", with its 95 % interval "            \
        "over seeds, a line for each run; below, the mean over the runs.",                                \
    .fresh_cards = gain_cards,                                                                            \
    .mutator = t5_as_mutator}
#define ON_FRESH(by, of) OF_T5S("", by, of, "fresh pairs", "pairs that the search never saw")
#define AS_SCORED(by) ON_FRESH(by, "few-shot loss" by)
#define IN_FULL(by) ON_FRESH(by, "held-out loss after full training")
#define OF_PAIRS(by) OF_T5S(" for pairs of text", by, "held-out loss after full training",                \
                            "held-out pairs", "pairs that were held out")
#define OF_NETWORKS(kind, items, tested_, right_, held_, wrong, got, better, name, large, unit_, column_, searched_) { \
    .lead = {"Networks for " kind ", without a model that writes them, task ", "A T5 that rewrites "      \
        "networks for " kind ", task "},                                                                  \
    .is_named = true,                                                                                     \
    .programs = "networks for " kind,                                                                     \
    .first = "First network",                                                                             \
    .last = "Last network",                                                                               \
    .now = "Network so far",                                                                              \
    .score = name,                                                                                        \
    .title = large,                                                                                       \
    .unit = unit_,                                                                                        \
    .column = column_,                                                                                    \
    .of_search = "",                                                                                      \
    .searched = searched_,                                                                                \
    .fresh_data = "the test " items,                                                                      \
    .fresh = wrong,                                                                                       \
    .where = "On the test " items ", which the search never saw, trained on the whole training set",      \
    .fresh_title = "First and last network on the test " items,                                           \
    .fresh_text = got ": a dot for each seed, and the mean with its 95 % interval.",                      \
    .gain = better,                                                                                       \
    .gain_text = "Gain of the last network over the first on the test " items ", with its 95 % "          \
        "interval over seeds, a line for each run; below, the mean over the runs.",                       \
    .tested = tested_,                                                                                    \
    .right = right_,                                                                                      \
    .held = held_,                                                                                        \
    .fresh_cards = accuracy_cards,                                                                        \
    .describe = describe_networks,                                                                        \
    .mutator = report_page_generator}
#define OF_CLASSES(kind, items, name, large, unit_, column_, searched_)                                   \
    OF_NETWORKS(kind, items, "test " items, "right", "held-out " items " right, %",                       \
                "test " items " right, %",                                                                \
                "Share of the test " items " that the first and the last network get right",              \
                "test " items " right, gained points", name, large, unit_, column_, searched_)
#define OF_NUMBERS(name, large, unit_, column_, searched_)                                                \
    OF_NETWORKS("tables", "rows", "test rows' variance", "explained", "variance of held-out rows explained, %", \
                "variance of the test rows explained, %",                                                 \
                "Share of the test rows' variance that the first and the last network explain",           \
                "variance of the test rows explained, gained points", name, large, unit_, column_, searched_)
#define LOSS(by) "training loss" by, "Training loss" by, "", "loss", "training loss" by
#define WITH(of, ...) of(__VA_ARGS__)
#define CLASSES(kind, items) {                                                                            \
    [EVOLVE_MEAN] = WITH(OF_CLASSES, kind, items, LOSS("")),                                              \
    [EVOLVE_LAST_QUARTER] = WITH(OF_CLASSES, kind, items, LOSS(" (last quarter)")),                       \
    [EVOLVE_BY_HELD_OUT] = OF_CLASSES(kind, items, "share of held-out " items " right",                   \
        "Share of held-out " items " right", ", %", "right,<br>%",                                        \
        "% of the search&#39;s held-out " items " right")}
/* clang-format on */

const report_subject *report_subject_of(const report_lineage *run)
{
    static const report_subject subjects[][3] = {
        [EVOLVE_WORDS_T5S] = {[EVOLVE_MEAN] = AS_SCORED(""),
                              [EVOLVE_LAST_QUARTER] = AS_SCORED(" (last quarter)"),
                              [EVOLVE_BY_HELD_OUT] = AS_SCORED(" (held-out pairs)")},
        [EVOLVE_WORDS_IMAGES] = CLASSES("images", "images"),
        [EVOLVE_WORDS_ROWS] = CLASSES("tables", "rows"),
        [EVOLVE_WORDS_NUMBERS] = {
            [EVOLVE_MEAN] = WITH(OF_NUMBERS, LOSS("")),
            [EVOLVE_LAST_QUARTER] = WITH(OF_NUMBERS, LOSS(" (last quarter)")),
            [EVOLVE_BY_HELD_OUT] =
                OF_NUMBERS("share of held-out variance explained",
                           "Share of held-out variance explained", ", %", "explained,<br>%",
                           "% of the variance of the search&#39;s held-out rows explained")}};
    static const report_subject in_full[] = {
        [EVOLVE_MEAN] = IN_FULL(""),
        [EVOLVE_LAST_QUARTER] = IN_FULL(" (last quarter)"),
        [EVOLVE_BY_HELD_OUT] = IN_FULL(" (held-out pairs)"),
    };
    static const report_subject of_pairs[] = {
        [EVOLVE_MEAN] = OF_PAIRS(""),
        [EVOLVE_LAST_QUARTER] = OF_PAIRS(" (last quarter)"),
        [EVOLVE_BY_HELD_OUT] = OF_PAIRS(" (held-out pairs)"),
    };
    if (evolve_task_has_pairs(&run->settings))
        return &of_pairs[run->settings.score];
    if (run->subject == EVOLVE_T5S && run->settings.final_times > 1)
        return &in_full[run->settings.score];
    return &subjects[evolve_words_of(&run->settings)][run->settings.score];
}
