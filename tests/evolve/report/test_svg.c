/* SPDX-License-Identifier: MIT */
/* test_svg.c -- plots are well-formed whatever they are given, marks stand where they
 * should, and numbers are written the same everywhere. */
#include "evolve/report/svg.h"
#include "evolve/report/chart.h"
#include "base/number.h"
#include "tests/test.h"
#include "tests/evolve/test_evolve_markup.h"
#include <math.h>

static void decimal_is(double number, int decimals, const char *want)
{
    base_text text = {0};
    report_put_decimal(&text, number, decimals);
    CHECK(strcmp(text.data, want) == 0, "%.17g with %d: %s", number, decimals, text.data);
    base_text_free(&text);
}

static void quantity_is(double number, const char *want)
{
    base_text text = {0};
    report_put_quantity(&text, number);
    CHECK(strcmp(text.data, want) == 0, "%g: %s", number, text.data);
    base_text_free(&text);
}

static void numbers(void)
{
    decimal_is(0, 0, "0");
    decimal_is(1.25, 2, "1.25");
    decimal_is(-1.25, 2, "-1.25");
    decimal_is(0.06, 1, "0.1");
    decimal_is(-0.04, 1, "0.0");
    decimal_is(9.999, 2, "10.00");
    decimal_is(2.5, 0, "3");
    decimal_is(1e22, 0, "10000000000000000000000");
    decimal_is(NAN, 2, "-");
    decimal_is(INFINITY, 2, "-");
    quantity_is(0, "0");
    quantity_is(999, "999");
    quantity_is(999.6, "1.00 k");
    quantity_is(12345678, "12.3 M");
    quantity_is(2.5e14, "250 T");
    quantity_is(-4.5e3, "-4.50 k");
}

static void escaped_is(const char *bytes, const char *want)
{
    base_text text = {0};
    base_text_add(&text, "", 0);
    report_put_escaped(&text, bytes, strlen(bytes));
    CHECK(strcmp(text.data, want) == 0, "%s", text.data);
    base_text_free(&text);
}

static void escaping(void)
{
    escaped_is("", "");
    escaped_is("a\n\tb", "a\n\tb");
    escaped_is("<&>\"'", "&lt;&amp;&gt;&quot;&#39;");
    escaped_is("\x1b[2J\r\x7f\xc3\xa9", "\\x1b[2J\\x0d\\x7f\\xc3\\xa9");
}

/* A plot of those axes with one of everything in it. */
static void draw(base_text *text, report_axis x, report_axis y)
{
    report_svg plot = {.text = text, .width = 500, .height = 300, .x = x, .y = y};
    const double at[] = {1, 2, NAN, 3, INFINITY, 4}, value[] = {1, -5, 2, NAN, 3, 1e300};
    const double low[] = {0.5, 0.5, 1}, high[] = {1.5, 2, 3};
    const report_ending endings[] = {{1, "c0", "</text>"}, {1, "c1", "b&"}, {1e9, "c2", ""}};
    report_svg_begin(&plot, "test", "<title> \"quoted\"", "&amp; \x01");
    report_svg_line(&plot, "m1", at, value, 6);
    report_svg_line(&plot, "m1", at, value, 0);
    report_svg_band(&plot, "c1", at, low, high, 2);
    report_svg_bar(&plot, "c2", 1, 0, 2, 1);
    for (report_mark mark = REPORT_DOT; mark <= REPORT_DOWN; mark++)
        report_svg_marks(&plot, "c3", mark, at, value, 6);
    for (int i = 0; i < 2; i++) {
        report_svg_thing(&plot, i ? "c-1" : NULL, "</title>\"&");
        report_svg_marks(&plot, "c3", REPORT_UP, at, value, 1);
        report_svg_thing_ends(&plot, i ? "c-1" : NULL);
    }
    report_svg_error(&plot, "c0", 1, 0.5, 2);
    report_svg_level(&plot, "ink", 1);
    report_svg_upright(&plot, "ink", 1);
    report_svg_words(&plot, "b", 1, 1, 2, 3, REPORT_MIDDLE, "<words>");
    report_svg_endings(&plot, endings, 3);
    report_svg_finish(&plot);
}

static void every_axis_is_well_formed(void)
{
    static const double ends[] = {
        0,      1,   -1,       1e-12,     1e12, 1e300, -1e300, 1.0000000001,
        1e-300, NAN, INFINITY, -INFINITY, 5,    8,     100};
    enum { ENDS = sizeof ends / sizeof *ends };
    static const char *const names[] = {"<a>", "b&c"};
    const report_axis named = {.label = "", .low = -1, .high = 2, .names = names, .name_count = 2};
    const report_axis bare = {.label = "", .low = 0, .high = 2, .bare = true};
    for (int i = 0; i < ENDS; i++)
        for (int j = 0; j < ENDS; j++)
            for (report_scale scale = REPORT_LINEAR; scale <= REPORT_LOG10; scale++) {
                base_text text = {0};
                report_axis axis = report_axis_of("<label>", scale, ends[i], ends[j]);
                CHECK(isfinite(axis.low) && axis.low < axis.high && isfinite(axis.high) &&
                          (scale == REPORT_LINEAR || axis.low > 0),
                      "%g .. %g: %g .. %g", ends[i], ends[j], axis.low, axis.high);
                axis.whole = j % 2;
                draw(&text, axis, i % 3 == 0 ? named : axis);
                draw(&text, i % 3 == 1 ? bare : axis, axis);
                const char *fault = markup_fault(text.data);
                CHECK(!text.failed && !fault, "%g .. %g: %.80s", ends[i], ends[j], fault);
                CHECK(!strstr(text.data, "nan") && !strstr(text.data, "inf"), "%s", text.data);
                base_text_free(&text);
            }
}

static void places(void)
{
    report_svg plot = {
        .width = 200, .height = 100, .left = 20, .right = 30, .top = 10, .bottom = 40};
    plot.x = (report_axis){.scale = REPORT_LINEAR, .low = -1, .high = 4};
    plot.y = (report_axis){.scale = REPORT_LOG2, .low = 1, .high = 32};
    CHECK(report_svg_x(&plot, -1) == 20 && report_svg_x(&plot, 4) == 170 &&
              report_svg_x(&plot, 0) == 50,
          "%g", report_svg_x(&plot, 0));
    CHECK(report_svg_x(&plot, -9) == 20 && report_svg_x(&plot, 1e99) == 170, "beyond the axis");
    CHECK(report_svg_y(&plot, 1) == 60 && report_svg_y(&plot, 32) == 10, "ends");
    CHECK(fabs(report_svg_y(&plot, 2) - 50) < 1e-9, "%g", report_svg_y(&plot, 2));
    CHECK(report_svg_y(&plot, 0) == 60 && report_svg_y(&plot, -1) == 60, "below a logarithm");
    CHECK(report_svg_x(&plot, NAN) == 20 && report_svg_y(&plot, NAN) == 60, "no number");
}

static int count(const char *text, const char *piece)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, piece)); at++)
        n++;
    return n;
}

static void ticks_are_where_a_reader_wants_them(void)
{
    static const struct {
        report_scale scale;
        double low, high;
        const char *want; /* tick labels of the x axis, in order */
    } cases[] = {{REPORT_LINEAR, 0, 10, ">0<>2<>4<>6<>8<>10<"},
                 {REPORT_LINEAR, 0.13, 0.42, ">0.15<>0.20<>0.25<>0.30<>0.35<>0.40<"},
                 {REPORT_LINEAR, 0, 2.5e6, ">0<>0.5 M<>1.0 M<>1.5 M<>2.0 M<>2.5 M<"},
                 {REPORT_LOG2, 16, 512, ">16<>32<>64<>128<>256<>512<"},
                 {REPORT_LOG10, 0.07, 9, ">0.1<>0.2<>0.5<>1<>2<>5<>10<"},
                 {REPORT_LOG10, 1, 1e6, ">1<>10<>100<>1000<>10 k<>100 k<>1 M<"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        base_text text = {0}, ticks = {0};
        report_svg plot = {.text = &text, .width = 480, .height = 100};
        plot.x = report_axis_of("", cases[i].scale, cases[i].low, cases[i].high);
        plot.y = (report_axis){.label = "", .low = 0, .high = 1, .bare = true};
        report_svg_begin(&plot, "t", "", "");
        report_svg_finish(&plot);
        for (const char *at = text.data; (at = strstr(at, "<text")); at++) {
            const char *start = strchr(at, '>'), *end = strchr(start, '<');
            base_text_add(&ticks, start, (size_t)(end - start) + 1);
        }
        CHECK(strcmp(ticks.data, cases[i].want) == 0, "case %zu: %s", i, ticks.data);
        base_text_free(&text);
        base_text_free(&ticks);
    }
}

/* Of a range without a power of two, in a panel with room for two marks. */
static void a_small_logarithmic_axis_has_two_ticks(void)
{
    base_text text = {0};
    report_svg plot = {.text = &text, .width = 365, .height = 120};
    plot.x = (report_axis){.label = "", .low = 0, .high = 1, .bare = true};
    plot.y = report_axis_of("", REPORT_LOG2, 1024, 1784);
    report_svg_begin(&plot, "t", "", "");
    report_svg_finish(&plot);
    CHECK(count(text.data, "<text") >= 2, "%s", text.data);
    base_text_free(&text);
}

/* The heights of the words, in the order of the endings, at least a line apart and in the plot. */
static void endings_do_not_overlap(void)
{
    base_text text = {0};
    report_svg plot = {.text = &text, .width = 300, .height = 200};
    plot.x = report_axis_of("", REPORT_LINEAR, 0, 1);
    plot.y = report_axis_of("", REPORT_LINEAR, 0, 1);
    report_svg_begin(&plot, "t", "", "");
    size_t start = text.length;
    report_ending endings[6];
    for (int i = 0; i < 6; i++) {
        endings[i] = (report_ending){i < 5 ? 0.01 * i : 1, "c0", ""};
        snprintf(endings[i].words, sizeof endings->words, "line %d", i);
    }
    report_svg_endings(&plot, endings, 6);
    double last = 1e9;
    CHECK(count(text.data + start, "<text") == 6, "%s", text.data + start);
    for (int i = 0; i < 6; i++) { /* higher values stand higher */
        char piece[32];
        snprintf(piece, sizeof piece, ">line %d<", i);
        const char *words = strstr(text.data + start, piece), *y = words;
        while (y && strncmp(y, "y=\"", 3) != 0)
            y--;
        double at = y ? base_read_number(y + 3, NULL) : 0;
        CHECK(at <= last - 13.9 && at > 0 && at < 200, "%s at %g after %g", piece, at, last);
        last = at;
    }
    base_text_free(&text);
}

static void a_plot_alone(void)
{
    base_text text = {0}, file = {0};
    draw(&text, report_axis_of("x", REPORT_LINEAR, 0, 1), report_axis_of("y", REPORT_LINEAR, 0, 1));
    report_svg_alone(&text, &file);
    CHECK(!markup_fault(file.data) && count(file.data, "<style>") == 1, "%.80s",
          markup_fault(file.data));
    CHECK(count(file.data, "http") == 1 &&
              strstr(file.data, "xmlns=\"http://www.w3.org/2000/svg\""),
          "it asks for something");
    CHECK(strstr(file.data, "<title id=\"test-t\">&lt;title&gt;") && strstr(file.data, "<desc"),
          "it has no name");
    base_text_free(&text);
    base_text_free(&file);
}

/* A run with one model has no Model -1 and no Model 1. */
static void an_axis_of_one_number_has_one_mark(void)
{
    base_error error = {{0}};
    report_page page = {.program = "phoenix", .prefix = "", .ok = true, .error = &error};
    report_chart c = {.name = "one",
                      .title = "t",
                      .description = "d",
                      .x_label = "model",
                      .y_label = "y",
                      .whole_x = true,
                      .dots = true};
    report_chart_line(&c, "line", NULL);
    report_chart_value(&c, 0, 0.5);
    CHECK(report_chart_put(&page, &c) && page.ok, "%s", error.text);
    CHECK(strstr(page.html.data, ">0</text>") && !strstr(page.html.data, ">-1</text>") &&
              !strstr(page.html.data, ">1</text>"),
          "its marks: %s", page.html.data);
    base_text_free(&page.html);
}

int main(void)
{
    numbers();
    escaping();
    every_axis_is_well_formed();
    places();
    ticks_are_where_a_reader_wants_them();
    a_small_logarithmic_axis_has_two_ticks();
    endings_do_not_overlap();
    a_plot_alone();
    an_axis_of_one_number_has_one_mark();
    return test_end();
}
