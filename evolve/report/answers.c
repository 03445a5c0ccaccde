/* SPDX-License-Identifier: MIT */
/* answers.c -- what the model that a run has left says: of test images, how often what was taken for what, a picture
 * of each class, and those that it gets wrong; of a table's rows, how often what was taken for what.
 *
 * The run's folder has the network and not the images, which are read again from where the run had them and held
 * against the digest in network.json: of other images the page would say what is not so. The network answers by the
 * code that measured it. A picture is drawn in SVG, since the page asks for nothing: a path for each of its colours,
 * a stroke for each run of pixels. Of a T5 for pairs of text the journal says how it did. */
#include "base/memory.h"
#include "evolve/report/page.h"
#include "evolve/score/measure.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_ASKED = 2000, /* images: a page is to be made in seconds */
    AT_ONCE = 64,      /* through the network */
    MOST_MATRIX = 30,  /* classes that a table has room for */
    SAMPLES = 10,      /* pictures of what is right */
    MISREAD = 24,      /* and of what is not */
    MOST_SIDE = 64     /* pixels that are drawn of a longer side */
};

typedef struct answers {
    vision_model model;
    vision_set set;
    int asked;
    int *answer;     /* (asked) */
    int64_t *matrix; /* [label][answer] */
} answers;

/* ---- pictures ---- */

/* Grey images hold ink, colours light. 16 greys, or 6 values of each of three channels. */
static unsigned colour_at(const vision_images *images, int index, int y, int x)
{
    const size_t plane = (size_t)images->height * (size_t)images->width;
    const unsigned char *p = images->pixels + (size_t)index * (size_t)images->channels * plane +
                             (size_t)y * (size_t)images->width + (size_t)x;
    unsigned grey = (255u - p[0]) / 17;
    if (images->channels != 3)
        return grey << 8 | grey << 4 | grey;
    unsigned colour = 0;
    for (int c = 0; c < 3; c++)
        colour = colour << 4 | (p[(size_t)c * plane] + 25u) / 51 * 3;
    return colour;
}

/* The runs of one colour. `left` loses them. */
static void put_colour(base_text *html, short *left, int height, int width, short colour)
{
    base_text_print(html, "<path stroke=\"#%03x\" d=\"", (unsigned)colour);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            int end = x;
            while (end < width && left[y * width + end] == colour)
                left[y * width + end++] = -1;
            if (end > x) {
                base_text_print(html, "M%d %d.5h%d", x, y, end - x);
                x = end - 1;
            }
        }
    base_text_print(html, "\"/>");
}

static const char *class_name(const answers *a, int class, char number[16])
{
    if (a->model.names)
        return a->model.names[class];
    snprintf(number, 16, "%d", class);
    return number;
}

static void put_picture(report_page *page, const answers *a, int index)
{
    const vision_images *images = &a->set.test;
    const int longer = images->height > images->width ? images->height : images->width;
    const int step = (longer + MOST_SIDE - 1) / MOST_SIDE;
    const int height = images->height / step, width = images->width / step;
    const int is = images->labels[index], read = a->answer[index];
    short left[MOST_SIDE * MOST_SIDE];
    char number[16];
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            left[y * width + x] = (short)colour_at(images, index, y * step, x * step);
    report_page_print(page,
                      "<figure><svg class=\"picture\" viewBox=\"0 0 %d %d\" aria-hidden=\"true\" "
                      "shape-rendering=\"crispEdges\">",
                      width, height);
    for (int i = 0; i < height * width; i++)
        if (left[i] >= 0)
            put_colour(&page->html, left, height, width, left[i]);
    report_page_print(page, "</svg><figcaption>");
    report_page_text(page, class_name(a, is, number));
    if (read != is) {
        report_page_print(page, ", read as <strong>");
        report_page_text(page, class_name(a, read, number));
        report_page_print(page, "</strong>");
    }
    report_page_print(page, "</figcaption></figure>\n");
}

/* The first image of each class that is read right; then those that are not, in the order of the set. */
static void put_pictures(report_page *page, const answers *a)
{
    bool shown[VISION_MAX_CLASSES] = {false};
    int count = 0, wrong = 0;
    report_page_print(page, "<div class=\"pictures\">\n");
    for (int i = 0; i < a->asked && count < SAMPLES; i++) {
        const int is = a->set.test.labels[i];
        if (shown[is] || a->answer[i] != is)
            continue;
        shown[is] = true;
        put_picture(page, a, i);
        count++;
    }
    report_page_print(page, "</div>\n");
    for (int i = 0; i < a->asked && wrong < MISREAD; i++)
        if (a->answer[i] != a->set.test.labels[i]) {
            if (wrong++ == 0)
                report_page_print(page, "<h3>Read wrong</h3>\n<div class=\"pictures\">\n");
            put_picture(page, a, i);
        }
    report_page_print(page, wrong ? "</div>\n" : "");
}

/* ---- the matrix ---- */

static void put_matrix(report_page *page, const answers *a)
{
    const int n = a->model.classes;
    char number[16];
    report_page_print(page,
                      "<div class=\"scroll\" tabindex=\"0\"><table class=\"matrix\">\n<thead><tr>"
                      "<th class=\"l\">is &darr;&ensp;taken for &rarr;</th>");
    for (int j = 0; j < n; j++) {
        report_page_print(page, "<th>");
        report_page_text(page, class_name(a, j, number));
        report_page_print(page, "</th>");
    }
    report_page_print(page, "</tr></thead>\n<tbody>\n");
    for (int i = 0; i < n; i++) {
        report_page_print(page, "<tr><td class=\"l\">");
        report_page_text(page, class_name(a, i, number));
        report_page_print(page, "</td>");
        for (int j = 0; j < n; j++) {
            const int64_t count = a->matrix[i * n + j];
            if (count == 0)
                report_page_print(page, "<td></td>");
            else
                report_page_print(page, "<td%s>%" PRId64 "</td>",
                                  i == j ? " class=\"right\"" : " class=\"wrong\"", count);
        }
        report_page_print(page, "</tr>\n");
    }
    report_page_print(page, "</tbody></table></div>\n");
}

/* ---- asking ---- */

static bool ask(answers *a, const char *folder, base_error *error)
{
    const size_t classes = (size_t)a->model.classes;
    int batch;
    a->asked = a->set.test.count < MOST_ASKED ? a->set.test.count : MOST_ASKED;
    a->answer = base_calloc((size_t)a->asked, sizeof *a->answer);
    a->matrix = base_calloc(classes * classes, sizeof *a->matrix);
    float *logits = base_malloc((size_t)a->asked * classes * sizeof *logits);
    bool ok = (a->answer && a->matrix && logits) || base_fail(error, "%s: no memory", folder);
    for (int i = 0; ok && i < a->asked; i++)
        a->answer[i] = i;
    const vision_part part = {&a->set.test, a->answer, a->asked};
    ok = ok && vision_model_batch(&a->model, AT_ONCE, folder, &batch, error) &&
         vision_classify(a->model.network, &part, &a->model.normal, batch, logits, error);
    for (int i = 0; ok && i < a->asked; i++) {
        a->answer[i] = vision_largest(logits + (size_t)i * classes, a->model.classes);
        a->matrix[a->set.test.labels[i] * a->model.classes + a->answer[i]]++;
    }
    base_free(logits);
    return ok;
}

/* The test images, if they are those of the run. */
static bool read_set(answers *a, const report_lineage *run, base_error *error)
{
    char hash[BASE_HASH_TEXT];
    const char *name;
    evolve_options options = {.data = NULL};
    evolve_options_of_run(&options, run->manifest);
    if (!evolve_task_read_for(&a->model, 0, &options, &name, &a->set, error))
        return false;
    vision_set_hash(&a->set, hash);
    if (strcmp(hash, a->model.data) != 0)
        return base_fail(error, "%s: not the %s that the network was trained on", name,
                         evolve_items_of(&run->settings));
    return a->set.test.count > 0 && a->set.test.labels
               ? vision_model_takes(&a->model, &a->set.test, name, error)
               : base_fail(error, "%s: has no labels to hold answers against", name);
}

static void show(report_page *page, const answers *a, const report_lineage *run)
{
    int right = 0;
    const char *items = evolve_items_of(&run->settings);
    for (int i = 0; i < a->model.classes; i++)
        right += (int)a->matrix[i * a->model.classes + i];
    report_page_print(page, "<p>The network in <code>model/</code>, asked about ");
    if (a->asked < a->set.test.count)
        report_page_print(page, "the first %d of the %d test %s", a->asked, a->set.test.count,
                          items);
    else
        report_page_print(page, "all %d test %s", a->asked, items);
    report_page_print(page, ": %d right, %d wrong, %.2f&nbsp;%% right.</p>\n", right,
                      a->asked - right, 100.0 * right / a->asked);
    if (a->set.test.height > 0 && (a->model.input.channels == 1 || a->model.input.channels == 3))
        put_pictures(page, a);
    if (a->model.classes <= MOST_MATRIX)
        put_matrix(page, a);
}

/* Of a T5 for pairs of text: how well it does by each part of them. */
static void put_texts(report_page *page, const base_json *measured)
{
    static const char *const parts[][2] = {
        {"training", "trained on"}, {"validation", "to stop by"}, {"held_out", "held out"}};
    report_page_print(
        page, "<p>The T5 in <code>model/</code>, asked about pairs that it was trained on, pairs "
              "that said when to stop, and pairs that were held out.</p>\n<div class=\"scroll\" "
              "tabindex=\"0\"><table>\n<thead><tr><th class=\"l\">pairs</th><th>how many</th>"
              "<th>loss,<br>nats a token</th><th>tokens<br>right, %%</th>"
              "<th>texts<br>right, %%</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const base_json *part = base_json_get(measured, parts[i][0]);
        score_texts texts;
        if (!part || !score_texts_read(&texts, part, NULL) || texts.tokens == 0)
            continue;
        const double tokens = (double)texts.tokens, pairs = (double)texts.pairs;
        report_page_print(page, "<tr><td class=\"l\">%s</td>", parts[i][1]);
        report_page_count(page, texts.pairs);
        report_page_decimal(page, texts.loss / tokens, 4);
        report_page_decimal(page, 100 * (double)texts.right / tokens, 2);
        report_page_decimal(page, 100 * (double)texts.exact / pairs, 2);
        report_page_print(page, "</tr>\n");
    }
    report_page_print(page, "</tbody></table></div>\n");
}

static void put_classes(report_page *page, const report_lineage *run)
{
    answers a = {.asked = 0};
    base_error error;
    tensor_context *ctx = tensor_context_open(1, &error);
    bool loaded = ctx && vision_model_load(&a.model, ctx, run->folder, &error);
    if (loaded && !vision_model_is_regression(&a.model) && read_set(&a, run, &error) &&
        ask(&a, run->folder, &error))
        show(page, &a, run);
    else {
        report_page_print(page, "<p class=\"soft\">Not shown: ");
        report_page_text(page, loaded && vision_model_is_regression(&a.model)
                                   ? "its answers are numbers, and no classes"
                                   : error.text);
        report_page_print(page, ".</p>\n");
    }
    base_free(a.answer);
    base_free(a.matrix);
    vision_set_free(&a.set);
    if (loaded)
        vision_model_free(&a.model);
    tensor_context_free(ctx);
}

void report_page_answers(report_page *page, const report_lineage *run)
{
    if (run->has_model)
        put_texts(page, run->model.measured.value);
    else
        put_classes(page, run);
}
