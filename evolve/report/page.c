/* SPDX-License-Identifier: MIT */
/* page.c -- one HTML file that needs no other.
 *
 * The style sheet is a string in this file, figures are inline SVG and nothing is a script, so that a
 * page can be sent by mail, opened from a disk and read in ten years. All text that a model wrote is
 * escaped on its way in (report_page_text, report_page_diff); what is printed by format is ours.
 * Writing a figure also writes its file and its numbers, if that is asked for, so a figure on the page
 * and the one on disk cannot differ. */
#include "evolve/report/page.h"
#include "base/diff.h"
#include "base/file.h"
#include "base/number.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One column of text, as wide as reads well; figures and tables have the width of the column around it,
 * which on wide screens is larger. */
static const char style[] =
    ":root{color-scheme:light dark;--paper:#fdfcf9;--card:#f5f3ed;--ink:#1c1c1a;--soft:#5c5b57;"
    "--rule:#e0ddd4;--old:#9c2f14;--new:#0b6150;--oldbg:#fbe9e2;--newbg:#e0f1ea;--hot:#b5391b}\n"
    "@media (prefers-color-scheme:dark){:root{--paper:#16171a;--card:#1e2024;--ink:#ebe9e4;"
    "--soft:#a9a7a1;--rule:#33353b;--old:#ffab90;--new:#74d9b6;--oldbg:#3a211a;--newbg:#16302a;"
    "--hot:#ff8f5c}}\n"
    "@media print{:root{--paper:#fff;--card:#fff;--ink:#000;--soft:#444;--rule:#bbb;--old:#9c2f14;"
    "--new:#0b6150;--oldbg:#fff;--newbg:#fff;--hot:#b5391b}}\n"
    "*{box-sizing:border-box}\n"
    "html{-webkit-text-size-adjust:100%}\n"
    "body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.6 system-ui,-apple-system,"
    "'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}\n"
    "main{max-width:51rem;margin:0 auto;padding:3rem 1.25rem 5rem}\n"
    "h1{font-size:2.1rem;line-height:1.2;margin:.1rem 0 "
    ".6rem;letter-spacing:-.02em;font-weight:650;"
    "overflow-wrap:anywhere}\n"
    "h2{font-size:1.3rem;line-height:1.3;margin:4rem 0 .5rem;letter-spacing:-.01em;font-weight:650;"
    "overflow-wrap:anywhere}\n"
    "h3{font-size:1rem;margin:2rem 0 .4rem;font-weight:650}\n"
    "p{margin:.6rem 0;max-width:42rem}\n"
    "a{color:inherit;text-decoration-color:var(--soft);text-underline-offset:.2em}\n"
    ".eyebrow{color:var(--hot);font-size:.85rem;font-weight:600;letter-spacing:.04em;margin:0}\n"
    ".lead{font-size:1.12rem;color:var(--soft)}\n"
    ".soft,figcaption{color:var(--soft);font-size:.9rem}\n"
    "nav{margin:1.5rem 0 0;font-size:.9rem;line-height:2}nav "
    "a{margin-right:1.1rem;color:var(--soft);"
    "white-space:nowrap}\n"
    ".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(10.5rem,1fr));gap:.75rem;"
    "margin:2rem 0 1.25rem}\n"
    ".card{background:var(--card);border-radius:.5rem;padding:.9rem 1.1rem 1rem}\n"
    ".card dt{font-size:.85rem;color:var(--soft)}.card dd{margin:0}\n"
    ".card .number{font-size:1.75rem;line-height:1.3;font-weight:600;letter-spacing:-.02em;"
    "font-variant-numeric:tabular-nums}\n"
    ".card .soft{font-size:.8rem;line-height:1.4}\n"
    "figure{margin:1.5rem 0}figcaption{margin-top:.6rem;max-width:42rem}\n"
    "svg.plot{display:block;width:100%;height:auto}\n"
    ".on-narrow{display:none}\n"
    ".panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(19rem,100%),1fr));"
    "gap:1.5rem 1.5rem}\n"
    ".switch{margin:0 .4rem 0 0;vertical-align:-.1em;accent-color:var(--hot)}\n"
    ".switch~.on,.switch:checked~.off{display:none}.switch:checked~.on{display:block}\n"
    /* What scrolls has a shade at the side where there is more of it. */
    ".scroll{overflow-x:auto;margin:1rem "
    "0;background:linear-gradient(90deg,var(--paper) 40%,transparent) "
    "0 0/2rem 100% no-repeat local,linear-gradient(-90deg,var(--paper) 40%,transparent) 100% "
    "0/2rem "
    "100% "
    "no-repeat local,linear-gradient(90deg,var(--rule),transparent) 0 0/.7rem 100% no-repeat,"
    "linear-gradient(-90deg,var(--rule),transparent) 100% 0/.7rem 100% no-repeat}\n"
    "table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}\n"
    "th{font-weight:500;color:var(--soft);text-align:right;vertical-align:bottom;line-height:1.3}\n"
    "td{text-align:right;white-space:nowrap}\n"
    "th,td{padding:.32rem 0 .32rem 1.3rem;border-bottom:1px solid var(--rule)}\n"
    "th:first-child,td:first-child{padding-left:0}\n"
    "th.l,td.l{text-align:left}td.w{white-space:normal;min-width:14rem}\n"
    "tr.sum td{font-weight:600}\n";

/* Code, lists, screens of other widths, paper. (A string has at most 4095 bytes in every C.) */
static const char more_style[] =
    "code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;"
    "font-size:.82rem}\n"
    "pre{margin:.6rem 0;padding:.8rem 1rem;background:var(--card);border-radius:.5rem;"
    "overflow-x:auto;line-height:1.5;tab-size:4}\n"
    "pre.wrap{white-space:pre-wrap;overflow-wrap:anywhere}\n"
    "pre.diff{padding:.6rem 0}pre.diff span{display:block;padding:0 1rem;width:max-content;"
    "min-width:100%}\n"
    ".diff .o{background:var(--oldbg);color:var(--old)}.diff .n{background:var(--newbg);"
    "color:var(--new)}\n"
    ".steps{list-style:none;padding:0;margin:1.5rem 0;display:grid;"
    "grid-template-columns:repeat(auto-fill,minmax(min(23rem,100%),1fr));gap:1.75rem 1.5rem}\n"
    ".steps li{min-width:0}.steps p{margin:0}\n"
    "details{margin:1rem 0}summary{cursor:pointer;color:var(--soft);font-size:.95rem}\n"
    "@media "
    "(max-width:640px){.on-wide{display:none}.on-narrow{display:block}main{padding-top:1.75rem}"
    "h1{font-size:1.7rem}h2{margin-top:3rem}table{font-size:.85rem}th,td{padding-left:.85rem}}\n"
    ".scroll:focus-visible,pre:focus-visible{outline:2px solid var(--hot);outline-offset:2px}\n"
    ".pictures{display:grid;grid-template-columns:repeat(auto-fill,minmax(5.2rem,1fr));gap:.8rem;"
    "margin:1rem 0}.pictures figure{margin:0}.pictures figcaption{margin:.2rem 0 0;font-size:.8rem;"
    "line-height:1.3}.picture{display:block;width:4.5rem;height:auto}.picture path{fill:none}\n"
    ".matrix td+td{padding-left:.9rem}.matrix .right{color:var(--soft)}.matrix "
    ".wrong{color:var(--hot);"
    "font-weight:600}\n"
    "tr:target td{background:var(--newbg)}\n"
    ".files{padding-left:1.2rem;font-size:.9rem}dl.words{font-size:.9rem;max-width:42rem}"
    "dl.words dt{font-weight:600;margin-top:.6rem}dl.words dd{margin:0;color:var(--soft)}\n"
    "@media (min-width:1120px){main{max-width:66rem}}\n"
    "@media (min-width:1800px){html{font-size:118%}main{max-width:78rem}}\n"
    "@media "
    "print{main{max-width:none;padding:0}.scroll{background:none}nav,.switch,.switch+label{display:"
    "none}"
    "h2,h3{break-after:avoid}figure,pre,.steps li,tr{break-inside:avoid}.on-wide{display:block}"
    ".on-narrow{display:none}body{font-size:11pt}}\n";

void report_page_print(report_page *page, const char *format, ...)
{
    char piece[2048];
    va_list arguments;
    va_start(arguments, format);
    int length = base_print_list(piece, sizeof piece, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof piece)
        page->html.failed = true; /* hostile text has to go through report_page_text */
    else
        base_text_add(&page->html, piece, (size_t)length);
}

void report_page_text(report_page *page, const char *text)
{
    report_put_escaped(&page->html, text, strlen(text));
}

void report_page_begin(report_page *page, const char *title, bool goes_on)
{
    /* The policy lets the page ask for nothing and run nothing, should the escaping ever fail. */
    report_page_print(page,
                      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
                      "&#39;none&#39;; style-src &#39;unsafe-inline&#39;\">\n"
                      "<meta name=\"color-scheme\" content=\"light dark\">\n%s<title>",
                      goes_on ? "<meta http-equiv=\"refresh\" content=\"30\">\n" : "");
    report_page_text(page, title);
    report_page_print(page, " - phoenix</title>\n<style>\n");
    base_text_add(&page->html, style, sizeof style - 1);
    base_text_add(&page->html, more_style, sizeof more_style - 1);
    base_text_print(&page->html, "%s", report_svg_style());
    report_page_print(page, "</style>\n</head>\n<body>\n<main>\n");
}

void report_page_end(report_page *page) { report_page_print(page, "</main>\n</body>\n</html>\n"); }

void report_page_heading(report_page *page, const char *anchor, const char *title)
{
    report_page_print(page, "<h2 id=\"%s%s\">", page->prefix, anchor);
    report_page_text(page, title);
    report_page_print(page, "</h2>\n");
}

void report_page_decimal(report_page *page, double number, int decimals)
{
    report_page_print(page, "<td>");
    report_put_decimal(&page->html, number, decimals);
    report_page_print(page, "</td>");
}

void report_page_count(report_page *page, int64_t number)
{
    report_page_print(page, "<td>%" PRId64 "</td>", number);
}

void report_page_quantity(report_page *page, double number)
{
    report_page_print(page, "<td>");
    report_put_quantity(&page->html, number);
    report_page_print(page, "</td>");
}

static void put_line(report_page *page, const char *line, size_t length)
{
    report_page_print(page, "<span%s>",
                      *line == '-'   ? " class=\"o\""
                      : *line == '+' ? " class=\"n\""
                                     : "");
    report_put_escaped(&page->html, line, length);
    report_page_print(page, "\n</span>");
}

void report_page_diff(report_page *page, const char *before, const char *after, int context)
{
    base_text diff = {0};
    base_text_add(&diff, "", 0);
    base_diff_unified(before, after, context, &diff);
    report_page_print(page, "<pre class=\"diff\" tabindex=\"0\">");
    for (const char *line = diff.data; line && *line;) {
        size_t length = strcspn(line, "\n");
        if (*line != '@')
            put_line(page, line, length);
        else if (line != diff.data) /* what is between two hunks */
            put_line(page, " ...", 4);
        line += length + (line[length] == '\n');
    }
    report_page_print(page, "</pre>\n");
    page->html.failed = page->html.failed || diff.failed;
    base_text_free(&diff);
}

const char *report_model_class(int i, int n)
{
    static const char *const classes[] = {"m0", "m1", "m2", "m3", "m4",
                                          "m5", "m6", "m7", "m8", "m9"};
    return classes[n > 1 ? (18 * i + n - 1) / (2 * (n - 1)) : 9];
}

/* ---- figures ---- */

static void write_file(report_page *page, const char *name, const char *ending,
                       const base_text *text)
{
    char file[128];
    snprintf(file, sizeof file, "%s%s.%s", page->prefix, name, ending);
    page->ok = base_file_write_text(page->figures, file, text->failed ? NULL : text->data, NULL,
                                    page->error);
}

static void write_files(report_page *page, const report_figure *figure, const base_text *svg)
{
    base_text alone = {0}, csv = {0};
    report_svg_alone(svg, &alone);
    base_text_add(&csv, "", 0);
    figure->table(figure->of, &csv);
    if (page->ok)
        write_file(page, figure->name, "svg", &alone);
    if (page->ok)
        write_file(page, figure->name, "csv", &csv);
    base_text_free(&alone);
    base_text_free(&csv);
}

void report_page_figure(report_page *page, const report_figure *figure)
{
    for (int narrow = 0; narrow < (figure->small ? 1 : 2); narrow++) {
        char id[96];
        base_text svg = {0};
        report_svg plot = {.text = &svg,
                           .width = figure->small ? REPORT_SMALL
                                    : narrow      ? REPORT_NARROW
                                                  : REPORT_WIDE,
                           .height = figure->height[narrow]};
        snprintf(id, sizeof id, "%s%s%s", page->prefix, figure->name, narrow ? "-narrow" : "");
        figure->draw(&plot, id, figure->of);
        if (!figure->small)
            report_page_print(page, "<div class=\"%s\">\n", narrow ? "on-narrow" : "on-wide");
        base_text_add(&page->html, svg.data ? svg.data : "", svg.length);
        if (!figure->small)
            report_page_print(page, "</div>\n");
        page->html.failed = page->html.failed || svg.failed;
        if (page->figures && !narrow)
            write_files(page, figure, &svg);
        base_text_free(&svg);
    }
}
