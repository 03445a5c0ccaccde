/* SPDX-License-Identifier: MIT */
/* reproduce.c -- how a run was set up, how to do it again, and where: settings, commands, files, machines.
 *
 * The commands are meant to be typed: they name the program and the run's folder as `phoenix report` was
 * given them, and nothing that a preset has already. */
#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "evolve/report/page.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- settings ---- */

/* As the command line takes it. */
static void value_text(const base_json *value, base_text *text)
{
    base_text_clear(text);
    base_text_add(text, "", 0);
    if (value && value->kind == BASE_JSON_STRING)
        base_text_add(text, value->string, strlen(value->string));
    else if (value && value->kind == BASE_JSON_NUMBER && value->is_integer)
        base_text_print(text, "%" PRId64, value->integer);
    else if (value && value->kind == BASE_JSON_NUMBER)
        base_json_put_number(text, value->number);
}

/* The settings that the run's preset has for its task and its scope, as this version has them; NULL: it has
 * none of that name. */
static base_json *preset_settings(const report_lineage *run)
{
    static const char *const names[] = {"task", "scope"};
    bool (*const set[])(evolve_settings *, const char *, base_error *) = {evolve_settings_task,
                                                                          evolve_settings_scope};
    evolve_settings settings;
    base_text text = {0};
    const base_json *own = base_json_get(run->manifest, "settings");
    base_json *json = NULL;
    bool ok = evolve_settings_preset(&settings, run->settings.preset, NULL);
    for (int i = 0; ok && i < 2; i++) {
        const base_json *value = base_json_get(own, names[i]);
        ok = value && value->kind == BASE_JSON_STRING && set[i](&settings, value->string, NULL);
    }
    if (ok) {
        evolve_settings_print(&settings, &text);
        if (!text.failed)
            json = base_json_parse(text.data, text.length, "preset", NULL);
    }
    base_text_free(&text);
    return json;
}

static bool differs(const base_json *preset, const base_json *setting, base_text *a, base_text *b)
{
    value_text(base_json_get(preset, setting->name), a);
    value_text(setting, b);
    return strcmp(a->data ? a->data : "", b->data ? b->data : "") != 0;
}

/* Those that the others start from. */
static bool is_start(const char *name)
{
    return strcmp(name, "preset") == 0 || strcmp(name, "task") == 0 || strcmp(name, "scope") == 0;
}

/* The rows that differ from the preset and the three that it is chosen by; or all others. */
static void rows(report_page *page, const report_lineage *run, const base_json *preset,
                 bool special)
{
    base_text own = {0}, usual = {0};
    report_page_print(page,
                      "<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr><th class=\"l\">"
                      "setting</th><th>value</th>%s</tr></thead>\n<tbody>\n",
                      special ? "<th>preset</th>" : "");
    for (const base_json *s = base_json_get(run->manifest, "settings")->child; s; s = s->next) {
        const bool changed = differs(preset, s, &usual, &own);
        if ((changed || is_start(s->name)) != special)
            continue;
        report_page_print(page, "<tr><td class=\"l\">");
        report_page_text(page, s->name);
        report_page_print(page, "</td><td>");
        report_page_text(page, own.data ? own.data : "");
        report_page_print(page, special ? "</td><td>" : "</td>");
        report_page_text(page, changed && usual.data ? usual.data : "");
        report_page_print(page, special ? "</td></tr>\n" : "</tr>\n");
    }
    report_page_print(page, "</tbody></table></div>\n");
    page->html.failed = page->html.failed || own.failed || usual.failed;
    base_text_free(&own);
    base_text_free(&usual);
}

void report_page_settings(report_page *page, const report_lineage *run)
{
    base_json *preset = preset_settings(run);
    report_page_print(page, preset
                                ? "<p class=\"soft\">The preset, the task and the scope, and what "
                                  "is not as these three have it:</p>\n"
                                : "<p class=\"soft\">This version has no such preset:</p>\n");
    rows(page, run, preset, true);
    if (preset) {
        report_page_print(page, "<details><summary>All other settings, which are the preset's"
                                "</summary>\n");
        rows(page, run, preset, false);
        report_page_print(page, "</details>\n");
    }
    base_json_free(preset);
}

/* ---- commands ---- */

static void shell_word(report_page *page, const char *word)
{
    base_text text = {0};
    base_text_add_word(&text, word);
    page->html.failed = page->html.failed || text.failed;
    report_page_text(page, text.data ? text.data : "");
    base_text_free(&text);
}

/* " --NAME VALUE", where there is a value. */
static void put_option(report_page *page, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    report_page_print(page, " --");
    report_page_text(page, name);
    report_page_print(page, " ");
    shell_word(page, value);
}

/* Options that say what a run reads: they are in its manifest, beside the settings. */
static void put_inputs(report_page *page, const report_lineage *run)
{
    static const char *const inputs[] = {"pairs", "source-key", "target-key", "data",
                                         "label", "without",    "corpus"};
    const bool has_pairs = evolve_task_has_pairs(&run->settings);
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        const base_json *value = base_json_get(run->manifest, inputs[i]);
        if (value && value->kind == BASE_JSON_STRING && (i >= 3 || has_pairs))
            put_option(page, inputs[i], value->string);
    }
    static const char *const files[][2] = {{"source", "first.c"}, {"experience", "experience.csv"}};
    char more[32] = "first-2.c";
    for (int i = 0; i < 2; i++) {
        char *path = base_file_path(run->folder, files[i][1]);
        if (!path)
            page->html.failed = true;
        else if (base_file_exists(path))
            put_option(page, files[i][0], path);
        else if (i == 1 && evolve_learns(&run->settings))
            put_option(page, files[i][0], "none");
        base_free(path);
    }
    for (int i = 3; base_file_exists_in(run->folder, more); i++) {
        char *path = base_file_path(run->folder, more);
        page->html.failed = page->html.failed || !path;
        if (path)
            put_option(page, "source", path);
        base_free(path);
        snprintf(more, sizeof more, "first-%d.c", i);
    }
}

/* The command that repeats the run: preset, task and scope, then what is not as in these. */
static void put_evolve(report_page *page, const report_lineage *run)
{
    base_json *preset = preset_settings(run);
    base_text own = {0}, usual = {0};
    report_page_print(page, "<pre class=\"wrap\" tabindex=\"0\">");
    shell_word(page, page->program);
    report_page_print(page, " evolve --preset ");
    shell_word(page, run->settings.preset);
    const base_json *settings = base_json_get(run->manifest, "settings");
    for (int others = 0; others < 2; others++)
        for (const base_json *s = settings->child; s; s = s->next) {
            const bool changed = differs(preset, s, &usual, &own), start = is_start(s->name);
            if (strcmp(s->name, "preset") == 0 || start == others || (!start && !changed))
                continue;
            if (start && (strcmp(own.data, evolve_task_names[0]) == 0 ||
                          strcmp(own.data, "architecture") == 0 ||
                          (evolve_task_has_pairs(&run->settings) && strcmp(s->name, "task") == 0)))
                continue;
            put_option(page, s->name, own.data);
        }
    put_inputs(page, run);
    report_page_print(page, "</pre>\n");
    page->html.failed = page->html.failed || own.failed || usual.failed;
    base_json_free(preset);
    base_text_free(&own);
    base_text_free(&usual);
}

/* A command whose one operand is the run. */
static void put_command(report_page *page, const report_lineage *run, const char *why,
                        const char *command, const char *more)
{
    report_page_print(page, "<p>%s</p>\n<pre class=\"wrap\" tabindex=\"0\">", why);
    shell_word(page, page->program);
    report_page_print(page, " %s ", command);
    shell_word(page, run->folder);
    report_page_print(page, "%s</pre>\n", more);
}

/* ---- files ---- */

/* A file of the run's folder, if it is there; a page that stands in the folder leads to it. */
static void put_file(report_page *page, const report_lineage *run, const char *name,
                     const char *words)
{
    char *path = base_file_path(run->folder, name);
    page->html.failed = page->html.failed || !path;
    if (path && base_file_exists(path)) {
        report_page_print(page, "<li>");
        if (page->in_folder)
            report_page_print(page, "<a href=\"%s\">", name);
        report_page_print(page, "<code>%s</code>%s %s</li>\n", name, page->in_folder ? "</a>" : "",
                          words);
    }
    base_free(path);
}

static void put_files(report_page *page, const report_lineage *run)
{
    static const char *const files[][2] = {
        {"journal.jsonl", "what happened, an event a line; all else follows from it"},
        {"manifest.json", "its settings"},
        {"source.c", "the last source"},
        {"summary.txt", "the table that the run ended with"},
        {"first.c", "the source that it started from"},
        {"experience.csv", "the outcomes of earlier runs that it learnt from"},
        {"model/network.json", "the last network, trained; its weights are beside it"},
        {"model/config.json", "the last source's T5, trained; its weights are beside it"},
        {"timing.jsonl", "seconds, and on what machine"}};
    report_page_print(page, "<ul class=\"files\">\n");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        put_file(page, run, files[i][0], files[i][1]);
    for (int i = 0; i < run->trained_count; i++) {
        char name[48], words[32];
        snprintf(name, sizeof name, "episode-%d/model/config.json", i);
        snprintf(words, sizeof words, "Model %d", i);
        put_file(page, run, name, words);
    }
    report_page_print(page, "</ul>\n");
}

void report_page_again(report_page *page, const report_lineage *run)
{
    const char *mode = "";
    base_json_get_string(run->manifest, "numeric_mode", &mode, "manifest", NULL);
    report_page_print(page,
                      "<p>The same settings give the same journal, sources and model bytes on "
                      "any machine:</p>\n");
    put_evolve(page, run);
    put_command(page, run, "To score all of it again and compare bit for bit:", "verify", "");
    put_command(page, run, "How a candidate came about, here the last that was accepted:", "why",
                " last");
    if (run->kept.count > 0)
        put_command(page, run,
                    "The last network, trained on the whole training set, is in the "
                    "folder&#39;s <code>model/</code>. What it says of a file of your own:",
                    "predict",
                    evolve_words_of(&run->settings) == EVOLVE_WORDS_IMAGES ? " FILE.pgm"
                                                                           : " FILE.csv");
    if (run->has_model)
        put_command(page, run,
                    "The last T5, trained on the training part, is in the folder&#39;s "
                    "<code>model/</code>. What it makes of each line of a file of your own:",
                    "generate", " FILE --lines --greedy");
    report_page_print(page, "<div class=\"scroll\" tabindex=\"0\"><table>\n"
                            "<tr><td class=\"l\">version</td><td class=\"l\">");
    report_page_text(page, run->version);
    report_page_print(page, "</td></tr>\n<tr><td class=\"l\">numeric mode</td><td class=\"l\">");
    report_page_text(page, mode);
    report_page_print(page,
                      "</td></tr>\n<tr><td class=\"l\">journal</td><td class=\"l\">%d events</td>"
                      "</tr>\n<tr><td class=\"l\">its SHA-256</td><td class=\"l\"><code>%s</code>"
                      "</td></tr>\n</table></div>\n<p>The run&#39;s folder:</p>\n",
                      loop_journal_recorded(run->journal), loop_journal_hash(run->journal));
    put_files(page, run);
}

/* ---- times ---- */

/* Each start of the run, on what; where nothing changed from one to the next, once. */
static void put_machines(report_page *page, const report_lineage *run)
{
    static const char *const members[] = {"began",  "host",     "processor", "kernels",
                                          "system", "compiler", "commit"};
    enum { MEMBERS = sizeof members / sizeof *members };
    base_text before = {0}, now = {0};
    int count = 0;
    const char *at = run->timing ? run->timing : "", *end = at + strlen(at), *line;
    for (size_t length; base_next_line(&at, end, &line, &length);) {
        const char *what = "", *value[MEMBERS];
        base_json *json = base_json_parse(line, length, "timing.jsonl", NULL);
        bool ok = base_json_get_string(json, "what", &what, "timing.jsonl", NULL) &&
                  strcmp(what, "machine") == 0;
        for (int k = 0; k < MEMBERS; k++)
            ok = ok && base_json_get_string(json, members[k], &value[k], "timing.jsonl", NULL);
        base_text_clear(&now);
        for (int k = 1; ok && k < MEMBERS; k++)
            base_text_print(&now, "%s\n", value[k]);
        if (ok && (count == 0 || (before.data && now.data && strcmp(before.data, now.data) != 0))) {
            report_page_print(page, count++ ? "<tr>"
                                            : "<div class=\"scroll\" tabindex=\"0\"><table>"
                                              "<thead><tr>");
            for (int k = 0; k < MEMBERS && count == 1; k++)
                report_page_print(page, "<th class=\"l\">%s</th>", members[k]);
            report_page_print(page, count == 1 ? "</tr></thead>\n<tbody>\n<tr>" : "");
            for (int k = 0; k < MEMBERS; k++) {
                report_page_print(page, "<td class=\"l\">");
                report_page_text(page, value[k]);
                report_page_print(page, "</td>");
            }
            report_page_print(page, "</tr>\n");
            base_text_clear(&before);
            base_text_add(&before, now.data ? now.data : "", now.length);
        }
        base_json_free(json);
    }
    report_page_print(page, count ? "</tbody></table></div>\n" : "");
    page->html.failed = page->html.failed || before.failed || now.failed;
    base_text_free(&before);
    base_text_free(&now);
}

/* Times are in a file of their own (timing.jsonl), which no hash covers. */
void report_page_times(report_page *page, const report_lineage *run)
{
    report_seconds kinds[REPORT_KINDS];
    int n = report_lineage_seconds(run, kinds);
    double all = 0;
    if (n > 0)
        report_page_print(page, "<p class=\"soft\">On the machine that did it (these alone are not "
                                "the same wherever the run is repeated): ");
    for (int i = 0; i < n; i++) {
        report_page_print(page, "%s%d&nbsp;&times;&nbsp;", i ? ", " : "", kinds[i].times);
        report_page_text(page, kinds[i].kind);
        report_page_print(page, " %.1f&nbsp;s", kinds[i].seconds);
        all += kinds[i].seconds;
    }
    if (n > 0)
        report_page_print(page, "; together %.1f&nbsp;s.</p>\n", all);
    put_machines(page, run);
}
