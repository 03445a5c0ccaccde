/* SPDX-License-Identifier: MIT */
/* test_report.c -- the page of a run: well-formed and asking for nothing whatever the models
 * wrote, the same bytes for the same run, there at any moment of it, refused in one line where the
 * folder is damaged. */
#include "evolve/report/report.h"
#include "base/number.h"
#include "tests/evolve/test_evolve_folder.h"
#include "tests/evolve/test_evolve_markup.h"

static bool report(const char *folder, const char *path, const char *figures, base_error *error)
{
    error->text[0] = '\0';
    return report_write(&folder, 1, path, figures, "build/phoenix", error);
}

static char *page_of(const char *folder, const char *path)
{
    base_error error;
    size_t size;
    CHECK(report(folder, path, NULL, &error), "%s", error.text);
    char *page = slurp(path, &size);
    CHECK(strlen(page) == size && size > 0, "%s: a NUL, or nothing", path);
    return page;
}

static int count(const char *text, const char *piece)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, piece)); at++)
        n++;
    return n;
}

/* Well-formed; no script, no address but SVG's name, each id once and each link to one. */
static void is_sound(const char *name, const char *page)
{
    const char *fault = markup_fault(page);
    CHECK(!fault, "%s: %.100s", name, fault);
    static const char *const forbidden[] = {"<script", "src=",       "url(",    "@import",
                                            "<iframe", "<b a=",      "onload=", "<object",
                                            "<img",    "javascript", "<link",   "<i>'no'"};
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++)
        CHECK(!strstr(page, forbidden[i]), "%s has %s", name, forbidden[i]);
    CHECK(count(page, "//") == count(page, "xmlns=\"http://www.w3.org/2000/svg\"") &&
              strstr(page, "content=\"default-src &#39;none&#39;; style-src"),
          "%s has an address", name);
    CHECK(count(page, "href=") == count(page, "href=\"#"), "%s leads elsewhere", name);
    for (const char *at = page; (at = strstr(at, " id=\"")); at++) {
        char piece[128];
        const char *end = strchr(at + 5, '"');
        snprintf(piece, sizeof piece, "%.*s", (int)(end - at) + 1, at);
        CHECK(count(page, piece) == 1, "%s: %s is there %d times", name, piece, count(page, piece));
    }
    for (const char *at = page; (at = strstr(at, "href=\"#")); at++) {
        char piece[128];
        const char *end = strchr(at + 7, '"');
        snprintf(piece, sizeof piece, " id=\"%.*s", (int)(end - at - 7) + 1, at + 7);
        CHECK(count(page, piece) == 1, "%s: no %s", name, piece);
    }
}

static void has_pieces(const char *page, const char *const *pieces, size_t count)
{
    for (size_t i = 0; i < count; i++)
        CHECK(strstr(page, pieces[i]), "the page has no %s", pieces[i]);
}

static void a_whole_run(void)
{
    make_run(at("whole"), FINISHED);
    char *page = page_of(at("whole"), at("whole.html"));
    is_sound("whole", page);
    static const char *const pieces[] = {"<h1>Run whole</h1>",
                                         "5.0000",
                                         "3.0000",
                                         "Gain on fresh pairs",
                                         "2.0000",
                                         "turn a knob", /* an edit that only the journal knows */
                                         "-    config.d_ff = 1024;",
                                         "1.0.1",
                                         "from 0.0.0, by Model 1",
                                         "5.0000 &rarr; 4.0000",
                                         "&lt;/script&gt;&lt;b a=&#39;&quot;&#39;&gt;",
                                         "&amp;amp;",
                                         "\\x1b[31m \\xe2\\x80\\xae",
                                         "candidate.c:1:1: &lt;i&gt;",
                                         "the program of 0.0.0",
                                         "&lt;kind&gt;",
                                         "All 6 candidates",
                                         "--d-model 16",
                                         "--candidates 3",
                                         "build/phoenix verify ",
                                         "whole</pre>",
                                         "<title>seed 1: 5.3000 first, 3.3000 last</title>",
                                         "<a href=\"#c-1.0.1\" tabindex=\"-1\"><title>1.0.1: ",
                                         "<tr id=\"c-1.0.1\"",
                                         "Who was made from whom",
                                         "<dt>nat</dt>",
                                         "All other settings",
                                         "<code>journal.jsonl</code>",
                                         "numeric mode",
                                         "SHA-256"};
    has_pieces(page, pieces, sizeof pieces / sizeof *pieces);
    CHECK(!strstr(page, "The run is not over") && !strstr(page, "http-equiv=\"refresh\""),
          "a finished run goes on");
    /* Of 6 candidates a mark in either drawing of the scores, at most as many in the lineage. */
    int marks = count(page, "<a href=\"#c-");
    CHECK(marks >= 12 && marks <= 24, "%d marks", marks);
    free(page);
}

/* Neither the moment nor where the folder stands is in it. */
static void the_same_bytes(void)
{
    size_t size;
    char *journal = slurp(at("whole/journal.jsonl"), &size);
    spill(at("copy.jsonl"), journal, size);
    free(journal);
    char *again = page_of(at("whole"), at("again.html"));
    CHECK(same_files(at("whole.html"), at("again.html")), "another page of the same run");
    CHECK(same_files(at("whole/journal.jsonl"), at("copy.jsonl")), "the journal was changed");
    free(again);
    again = page_of(at("whole//"), at("again.html"));
    CHECK(same_files(at("whole.html"), at("again.html")), "another page of the same folder");
    free(again);
    /* The one in the folder leads to the files beside it, which are there, and is the same but for that. */
    base_error error;
    CHECK(report(at("whole"), NULL, NULL, &error), "report.html: %s", error.text);
    char *inside = slurp(at("whole/report.html"), &size);
    int links = 0;
    for (char *link; (link = strstr(inside, "<li><a href=\"")); links++) {
        char name[128];
        snprintf(name, sizeof name, "whole/%.*s", (int)strcspn(link + 13, "\""), link + 13);
        CHECK(base_file_exists(at(name)), "%s is not there", name);
        char *end = strchr(link, '>') + 1, *rest = strchr(end, '>') + 1,
             *close = strstr(end, "</a>");
        memmove(close, close + 4, strlen(close + 4) + 1);
        memmove(link + 4, rest, strlen(rest) + 1);
    }
    char *outside = slurp(at("whole.html"), &size);
    CHECK(links >= 3 && strcmp(inside, outside) == 0, "%d links; report.html is another", links);
    free(inside);
    free(outside);
}

static void at_any_moment(void)
{
    static const char *const names[] = {"g0", "g1", "g2", "g3", "g4"};
    for (int i = JUST_STARTED; i < FINISHED; i++) {
        make_run(at(names[i]), i);
        char *page = page_of(at(names[i]), at("going.html"));
        is_sound(names[i], page);
        CHECK(strstr(page, "The run is not over"), "moment %d looks like the end", i);
        free(page);
    }
}

static void a_step_back(void)
{
    base_error error = {""};
    make_run(at("back"), SELECTED);
    loop_journal *journal = loop_journal_open(at("back"), &error);
    append_untrainable(journal, 1, "no <number>");
    loop_journal_close(journal);
    char *page = page_of(at("back"), at("back.html"));
    is_sound("back", page);
    CHECK(strstr(page, "0.0.0 could not be trained, so default took its place: no &lt;number&gt;"),
          "it does not say so");
    free(page);
}

static void figures(void)
{
    static const char *const names[] = {"losses",
                                        "losses-all-steps",
                                        "fresh",
                                        "funnel",
                                        "candidates",
                                        "design-d_ff",
                                        "fidelity",
                                        "held-out",
                                        "design-parameters",
                                        "losses-against-first"};
    base_error error;
    CHECK(report(at("whole"), at("f.html"), at("drawn/figures"), &error), "%s", error.text);
    CHECK(same_files(at("f.html"), at("whole.html")), "figures change the page");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[64];
        size_t size;
        snprintf(name, sizeof name, "drawn/figures/%s.svg", names[i]);
        char *svg = slurp(at(name), &size);
        CHECK(size > 0 && !markup_fault(svg) && strstr(svg, "<style>"), "%s: %.80s", name,
              size ? markup_fault(svg) : "missing");
        free(svg);
        snprintf(name, sizeof name, "drawn/figures/%s.csv", names[i]);
        char *csv = slurp(at(name), &size);
        int commas = 0;
        for (char *c = csv; *c && *c != '\n'; c++)
            commas += *c == ',';
        CHECK(size > 0 && count(csv, ",") == commas * count(csv, "\n"), "%s: %s", name, csv);
        free(csv);
    }
}

static void several_runs(void)
{
    make_run(at("second"), FINISHED);
    const char *const folders[] = {at("whole"), at("second"), at("g1"), at("g0")};
    base_error error = {""};
    size_t size;
    for (int n = 2; n <= 4; n++) {
        CHECK(report_write(folders, n, at("runs.html"), at("runs"), "phoenix", &error), "%s",
              error.text);
        char *page = slurp(at("runs.html"), &size);
        is_sound("runs", page);
        CHECK(strstr(page, "second</a>") && strstr(page, "gain, run by run"), "no comparison");
        free(page);
    }
    CHECK(base_file_exists(at("runs/gains.svg")) && base_file_exists(at("runs/mean-losses.csv")) &&
              base_file_exists(at("runs/run2-losses.svg")),
          "figures are missing");
}

/* ---- networks for images, and for a table's rows ---- */

#define NETWORK(body)                                                                        \
    "#include \"phoenix.h\"\n\nnetwork *model(void)\n{\n    network *net = network_new();\n" \
    "    int c = image_channels();\n    int h = image_height();\n    int w = "               \
    "image_width();\n" body "    return net;\n}\n"
#define CONVOLUTION(channels) "    c = conv2d(net, c, " channels ", 3, 1, 1);\n    relu(net);\n"
#define DENSE(size)                                                                      \
    "    flatten(net);\n    int n = linear(net, c * h * w, " size ");\n    relu(net);\n" \
    "    linear(net, n, image_classes());\n"

#define ROWS(body)                                                                           \
    "#include \"phoenix.h\"\n\nnetwork *model(void)\n{\n    network *net = network_new();\n" \
    "    int n = inputs();\n" body "    linear(net, n, outputs());\n    return net;\n}\n"
#define HIDDEN(size) "    n = linear(net, n, " size ");\n    relu(net);\n"

/* The runs' task, what its examples are, how they are scored, and the programs of make_networks(). */
typedef struct networks {
    const char *task, *image, *plain, *first, *second;
    int classes, score;
} networks;

static const networks of_digits = {"digits",
                                   "[1,14,14]",
                                   NETWORK(DENSE("8")),
                                   NETWORK(CONVOLUTION("32") DENSE("32")),
                                   NETWORK(CONVOLUTION("16") CONVOLUTION("64") DENSE("32")),
                                   10,
                                   EVOLVE_BY_HELD_OUT};
static const networks of_rows = {
    "table", "[8,0,0]",         ROWS(""), ROWS(HIDDEN("32")), ROWS(HIDDEN("32") HIDDEN("8")),
    3,       EVOLVE_BY_HELD_OUT};
static networks made;

static double unit = 1; /* of all scores, which are shares */

static score_result trained_score(double score, int parameters)
{
    static float losses[4][3];
    static int next;
    float *own = losses[next++ % 4];
    score *= unit;
    score_result result = scored(score);
    result.parameters = parameters;
    result.score_pair = 3 * score;
    result.losses = own;
    result.steps = 3;
    for (int i = 0; i < 3; i++)
        own[i] = (float)(score * (8 >> i));
    return result;
}

static double far_away = 0.75; /* the score of the last candidate of the first iteration */

/* A run of 2 iterations of n candidates: 0.0.0, with one convolution, accepted at 0.25; then 1.0.1,
 * with two, at 0.125. The others have none, and fail in the second. seeds: in the last comparison,
 * 0 leaves the run before it. */
static void make_networks(const char *folder, int n, int seeds)
{
    evolve_settings settings = tiny_settings();
    base_error error = {""};
    CHECK(evolve_settings_task(&settings, made.task, &error), "%s", error.text);
    settings.score = made.score;
    settings.episodes = 2;
    settings.candidates = n;
    const loop_options options = {
        .folder = folder, .run = {.jobs = 1, .threads = 1, .launcher = ""}, .program = "phoenix"};
    CHECK(base_file_make_folder(folder, &error) &&
              loop_manifest_write(folder, &settings, &options, &error),
          "%s", error.text);
    loop_journal *journal = loop_journal_open(folder, &error);
    CHECK(journal, "%s", error.text);
    append(journal, (loop_event){.kind = LOOP_STARTED,
                                 .version = EVOLVE_VERSION,
                                 .settings.text = settings_text(&settings),
                                 .images = TEST_HASH("2"),
                                 .image.text = made.image,
                                 .classes = made.classes});
    append_default(journal, trained_score(0.5, 3322));
    append_trained(journal, 0);
    for (int episode = 0; episode < 2; episode++) {
        const char *texts[8];
        for (int i = 0; i < n; i++)
            texts[i] = episode ? "</pre>" HOSTILE : made.plain;
        texts[episode] = episode ? made.second : made.first;
        append_proposed(journal, episode, 0, texts, n);
        for (int i = 0; i < n; i++)
            append_evaluated(journal, episode, 0, 1 + episode * n + i, "", false,
                             i == episode   ? trained_score(episode ? 0.125 : 0.25, 5000)
                             : episode == 0 ? trained_score(i == n - 1 ? far_away : 0.75, 2000)
                                            : no_program);
        append_selected(journal, episode, 0, 1 + episode * n + episode);
    }
    if (seeds > 0) {
        score_result kept = trained_score(0.05, 5000);
        memset(kept.model, 'e', sizeof kept.model - 1);
        append(journal,
               (loop_event){.kind = LOOP_KEPT, .candidate = n + 2, .key = "", .result = kept});
    }
    for (int i = 0; i < 2 * seeds; i++)
        append_compared(journal, i / 2, i % 2 ? n + 2 : 0,
                        trained_score(i % 2 ? 0.05 : 0.15, 5000));
    if (seeds > 0)
        append(journal, (loop_event){.kind = LOOP_FINISHED,
                                     .source = TEST_HASH("5"),
                                     .summary = TEST_HASH("7")});
    loop_journal_close(journal);
}

static void has_row(const char *file, const char *row)
{
    size_t size;
    char *csv = slurp(at(file), &size);
    CHECK(strstr(csv, row), "%s has no row %s:\n%s", file, row, csv);
    free(csv);
}

static void a_run_of_networks(void)
{
    made = of_digits;
    make_networks(at("nets"), 2, 3);
    char *page = page_of(at("nets"), at("nets.html"));
    is_sound("nets", page);
    static const char *const pieces[] = {"rewrites networks for images, task digits",
                                         "85.00</dd>", /* of the test images, the first network */
                                         "95.00</dd>", /* the last */
                                         "The first network, default",
                                         "Conv2d(16, 64, kernel=(3, 3)",
                                         "from 0.0.0</span>",
                                         "share of held-out images right",
                                         "50.00 &rarr; 75.00",
                                         "10.00 percentage points, is above 0",
                                         "total variation distance",
                                         "turn a knob",
                                         "What changed, from the first source to the last"};
    has_pieces(page, pieces, sizeof pieces / sizeof *pieces);
    static const char *const foreign[] = {"few-shot loss, nats", "Model 0 (the first source)",
                                          "fresh pairs", "that defines it", "by Model"};
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        CHECK(!strstr(page, foreign[i]), "a network's page has %s", foreign[i]);
    free(page);
    make_networks(at("going"), 2, 0);
    page = page_of(at("going"), at("going.html"));
    is_sound("going", page);
    CHECK(strstr(page, "what is left is the comparison on the test images") &&
              strstr(page, "http-equiv=\"refresh\""),
          "another moment");
    free(page);
    /* Of 8 scores one far away, which would leave the others an eighth of the axis. */
    far_away = 6;
    unit = 1.0 / 6;
    make_networks(at("far"), 8, 0);
    far_away = 0.75;
    unit = 1;
    page = page_of(at("far"), at("far.html"));
    is_sound("far", page);
    far_away = 1.5;
    make_networks(at("share"), 2, 0);
    far_away = 0.75;
    base_error error = {""};
    CHECK(!report(at("share"), at("share.html"), NULL, &error) &&
              strstr(error.text, "share/journal.jsonl:6: \"score\" is a share of images"),
          "%s", error.text);
    CHECK(strstr(page, "Arrow head: beyond the axis (1, 0.00 the worst)"), "no arrow head");
    free(page);
}

/* A table's networks: their layers are known, and nobody is told of convolutions, images and pictures. */
static void a_run_of_rows(void)
{
    base_error error = {""};
    made = of_rows;
    make_networks(at("rows"), 2, 3);
    const char *const folders[] = {at("rows")};
    CHECK(report_write(folders, 1, at("rows.html"), at("r"), "phoenix", &error), "%s", error.text);
    size_t size;
    char *page = slurp(at("rows.html"), &size);
    is_sound("rows", page);
    static const char *const pieces[] = {"rewrites networks for tables, task table",
                                         "% of the search&#39;s held-out rows right",
                                         "Linear(in=32, out=8",
                                         "href=\"#losses\"",
                                         "operations per answer",
                                         "rows FILE.csv"};
    has_pieces(page, pieces, sizeof pieces / sizeof *pieces);
    const char *body = strstr(page, "<main"), *settings = strstr(page, "<h2 id=\"settings\"");
    CHECK(body && settings, "no settings");
    static const char *const foreign[] = {"convolution", "image", "picture", " 0 networks"};
    for (size_t i = 0; body && settings && i < sizeof foreign / sizeof *foreign; i++) {
        const char *found = strstr(body, foreign[i]);
        CHECK(!found || found > settings, "a table's page has %s", foreign[i]);
    }
    has_row("r/hidden-layers.csv", "hidden-layers,1,1,0,1\nhidden-layers,2,2,0,1\n");
    has_row("r/hidden-size.csv", "hidden-size,2,4,0,1\n"); /* 32 and 8 */
    free(page);
    made = of_digits;
}

/* Of pairs of text: how well the last source's T5 does by them. */
static void a_run_of_pairs(void)
{
    base_error error = {""};
    evolve_settings settings = tiny_settings();
    CHECK(evolve_settings_task(&settings, "pairs", &error), "%s", error.text);
    settings.episodes = 1;
    settings.candidates = 1;
    const loop_options options = {.folder = at("texts"),
                                  .run = {.jobs = 1, .threads = 1, .launcher = ""},
                                  .program = "phoenix"};
    CHECK(base_file_make_folder(at("texts"), &error) &&
              loop_manifest_write(at("texts"), &settings, &options, &error),
          "%s", error.text);
    loop_journal *journal = loop_journal_open(at("texts"), &error);
    CHECK(journal, "%s", error.text);
    append(journal, (loop_event){.kind = LOOP_STARTED,
                                 .version = EVOLVE_VERSION,
                                 .settings.text = settings_text(&settings),
                                 .pairs = TEST_HASH("2")});
    append_default(journal, scored(5));
    append_trained(journal, 0);
    write_losses(at("texts"), 0, 6);
    const char *text[] = {tiny_source(48, "")};
    append_proposed(journal, 0, 0, text, 1);
    append_evaluated(journal, 0, 0, 1, TEST_HASH("a"), false, scored(4));
    append_selected(journal, 0, 0, 1);
    append(journal,
           (loop_event){.kind = LOOP_MODEL,
                        .candidate = 1,
                        .losses = TEST_HASH("1"),
                        .parameters = 5000,
                        .steps = 8,
                        .loss = 0.25,
                        .config = TEST_HASH("3"),
                        .weights = TEST_HASH("4"),
                        .tokenizer = TEST_HASH("5"),
                        .measured.text =
                            "{\"epochs\":1,\"kept\":0,\"training\":{\"pairs\":80,\"tokens\":400,"
                            "\"loss\":0.5,\"right\":300,\"exact\":20},\"held_out\":{\"pairs\":8,"
                            "\"tokens\":40,\"loss\":1.5,\"right\":10,\"exact\":1}}"});
    loop_journal_close(journal);
    char *page = page_of(at("texts"), at("texts.html"));
    is_sound("texts", page);
    static const char *const pieces[] = {
        "that defines it for pairs of text",
        "held out</td><td>8</td><td>1.5000</td><td>25.00</td><td>12.50</td>",
        "FILE --lines --greedy"};
    has_pieces(page, pieces, sizeof pieces / sizeof *pieces);
    free(page);
}

/* By --score mean it is a loss, which may be above 1, and less of it is better. */
static void networks_by_their_loss(void)
{
    base_error error = {""};
    made.score = EVOLVE_MEAN;
    unit = 4;
    make_networks(at("loss"), 2, 0);
    unit = 1;
    const char *const folders[] = {at("loss")};
    CHECK(report_write(folders, 1, at("loss.html"), at("l"), "phoenix", &error), "%s", error.text);
    has_row("l/performance.csv", "2 a time,0,2,0,1\n2 a time,2,1,0,1\n2 a time,4,0.5,0,1\n");
    made = of_digits;
}

/* By hand, of two equal runs with 2 candidates and one with 4. */
static void figures_of_networks(void)
{
    base_error error = {""};
    make_networks(at("nets2"), 2, 1);
    make_networks(at("nets4"), 4, 1);
    const char *const folders[] = {at("nets"), at("nets2"), at("nets4"), at("whole")};
    CHECK(report_write(folders, 3, at("n.html"), at("n"), "phoenix", &error), "%s", error.text);
    size_t size;
    char *page = slurp(at("n.html"), &size);
    is_sound("networks", page);
    free(page);
    has_row("n/task1-network-losses-2.csv", "Model 0,1,4,0,2\n");
    has_row("n/task1-network-losses-2.csv", "Model 2,3,0.25,0,2\n");
    has_row("n/task1-network-losses-4.csv", "Model 1,2,1,0,1\n");
    has_row("n/task1-performance.csv", "2 a time,4,87.5,0,2\n");
    has_row("n/task1-performance.csv", "4 a time,8,87.5,0,1\n");
    has_row("n/task1-performance-by-candidates.csv", "iteration 1,4,75,0,1\n");
    has_row("n/task1-convolutions.csv", "convolutions,0,0,0,3\nconvolutions,1,1,0,3\n");
    has_row("n/task1-convolution-size.csv", "convolution-size,2,5,0,3\n"); /* 16 and 64 */
    has_row("n/task1-hidden-layers.csv", "hidden-layers,2,1,0,3\n");
    has_row("n/task1-hidden-size.csv", "hidden-size,0,4,0,3\nhidden-size,1,5,0,3\n");
    has_row("n/task1-network-parameters.csv", "network-parameters,1,5000,0,3\n");
    has_row("n/task1-convolution-shares.csv", "1,5,3,0,0,3,0\n2,0,0,3,0,0,3\n");
    has_row("n/task1-front.csv", "as good,2000,25,0,1\nno smaller network is as good,3322,50,0,1\n"
                                 "no smaller network is as good,5000,87.5,0,1\n");
    /* as phoenix evaluate --plan says of the four: one dense layer of 8, of 16; convolutions */
    static const double sizes[3][4] = {
        {6664, 13288, 805544, 1644840}, {816, 848, 25872, 62720}, {3296, 6592, 514944, 4472576}};
    static const char *const fronts[] = {"n/task1-front-flash.csv", "n/task1-front-ram.csv",
                                         "n/task1-front-operations.csv"};
    for (int f = 0; f < 3; f++) {
        static const double right[] = {25, 50, 75, 87.5};
        base_text rows = {0};
        for (int i = 0; i < 4; i++)
            base_text_print(&rows, "no smaller network is as good,%.17g,%.17g,0,1\n", sizes[f][i],
                            right[i]);
        has_row(fronts[f], rows.data);
        base_text_free(&rows);
    }
    CHECK(report_write(folders, 3, at("n2.html"), NULL, "phoenix", &error) &&
              same_files(at("n.html"), at("n2.html")),
          "another page of the same runs: %s", error.text);
    CHECK(!report_write(folders, 4, at("n3.html"), NULL, "phoenix", &error) &&
              strstr(error.text, "no page for both"),
          "%s", error.text);
}

static void refused(const char *folder, const char *path, const char *figures_folder,
                    const char *piece)
{
    base_error error;
    CHECK(!report(folder, path, figures_folder, &error) && strstr(error.text, piece) &&
              !strchr(error.text, '\n'),
          "want %s, got %s", piece, error.text);
}

static void what_cannot_be_shown(void)
{
    refused(at("nowhere"), at("x.html"), NULL, "manifest.json");
    refused(at("whole"), at("nowhere/x.html"), NULL, "nowhere: ");
    refused(at("whole"), at("x.html"), at("whole/journal.jsonl/x"), "journal.jsonl");
    spill(at("whole/episode-1/losses.csv"), "step,loss\n1,2,3\n", 16);
    refused(at("whole"), at("x.html"), NULL, "episode-1/losses.csv");
    write_losses(at("whole"), 1, 4);
    FILE *journal = fopen(at("whole/journal.jsonl"), "ab");
    fputs("garbage\n", journal);
    fclose(journal);
    refused(at("whole"), at("x.html"), NULL, "journal.jsonl:20");
    CHECK(!base_file_exists(at("x.html")), "a page was written all the same");
}

int main(void)
{
    if (!scratch_make())
        return 1;
    a_whole_run();
    at_any_moment();
    the_same_bytes();
    a_step_back();
    figures();
    several_runs();
    a_run_of_networks();
    a_run_of_rows();
    networks_by_their_loss();
    a_run_of_pairs();
    figures_of_networks();
    what_cannot_be_shown();
    remove_all(scratch);
    return test_end();
}
