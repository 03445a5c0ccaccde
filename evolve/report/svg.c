/* SPDX-License-Identifier: MIT */
/* svg.c -- plots out of whole numbers.
 *
 * A coordinate is rounded to a tenth of a unit at once and printed by whole-number arithmetic, so that
 * a figure has the same bytes on every machine and a test can compare whole files. An axis is made to
 * hold its data, and its ticks are the roundest numbers of which no more than so many fit. Colours are
 * classes, since the same file is shown light and dark. */
#include "evolve/report/svg.h"
#include "base/math.h"
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One colour for a class, in light and in dark. m0 .. m9: an order, each darker (on dark paper:
 * brighter) than the one before; they are a stretch of the map "plasma" (van der Walt & Smith
 * 2015), which keeps its order for all kinds of colour vision. c0 .. c5: kinds, after Okabe & Ito
 * 2008. A class colours a line; with "f" it fills. */
/* clang-format off */
#define LIGHT \
    ".plot .m0{stroke:#ef7e50}.plot .f.m0{fill:#ef7e50}\n" \
    ".plot .m1{stroke:#e3685f}.plot .f.m1{fill:#e3685f}\n" \
    ".plot .m2{stroke:#d6556e}.plot .f.m2{fill:#d6556e}\n" \
    ".plot .m3{stroke:#c7417d}.plot .f.m3{fill:#c7417d}\n" \
    ".plot .m4{stroke:#b52e8d}.plot .f.m4{fill:#b52e8d}\n" \
    ".plot .m5{stroke:#9f1b9b}.plot .f.m5{fill:#9f1b9b}\n" \
    ".plot .m6{stroke:#880aa5}.plot .f.m6{fill:#880aa5}\n" \
    ".plot .m7{stroke:#6f02a7}.plot .f.m7{fill:#6f02a7}\n" \
    ".plot .m8{stroke:#5402a2}.plot .f.m8{fill:#5402a2}\n" \
    ".plot .m9{stroke:#370599}.plot .f.m9{fill:#370599}\n" \
    ".plot .c0{stroke:#0072b2}.plot .f.c0{fill:#0072b2}\n" \
    ".plot .c1{stroke:#c2410c}.plot .f.c1{fill:#c2410c}\n" \
    ".plot .c2{stroke:#00785a}.plot .f.c2{fill:#00785a}\n" \
    ".plot .c3{stroke:#a3438c}.plot .f.c3{fill:#a3438c}\n" \
    ".plot .c4{stroke:#8a6d00}.plot .f.c4{fill:#8a6d00}\n" \
    ".plot .c5{stroke:#4b5563}.plot .f.c5{fill:#4b5563}\n" \
    ".plot .ink{stroke:#1c1c1a}.plot .f.ink{fill:#1c1c1a}\n" \
    ".plot .soft{stroke:#5c5b57}.plot .f.soft{fill:#5c5b57}\n" \
    ".plot text{fill:#5c5b57}.plot text.b{fill:#1c1c1a}\n" \
    ".plot .grid{stroke:#e6e3dc}.plot .base{stroke:#5c5b57}\n"
/* clang-format on */

static const char style[] =
    ".plot text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,"
    "sans-serif;font-variant-numeric:tabular-nums;stroke:none}\n"
    ".plot text.b{font-weight:600}\n"
    ".plot path,.plot line{fill:none;stroke-width:1.5;stroke-linejoin:round}\n"
    ".plot .grid,.plot .base,.plot .thin{stroke-width:1}\n"
    ".plot .wide{stroke-width:2.5}\n"
    ".plot .dash{stroke-dasharray:5 4}\n"
    ".plot .dots{stroke-dasharray:1.5 3.5;stroke-linecap:round}\n"
    ".plot .f{stroke:none}\n"
    ".plot .band{opacity:.18}\n"
    ".plot .dim{opacity:.45}\n"
    ".plot .dot{stroke-linecap:round;stroke-dasharray:none;stroke-width:5.5}\n"
    ".plot .big{stroke-width:8.5}\n"
    ".plot a:hover path{stroke-width:9}\n" LIGHT "@media (prefers-color-scheme:dark){\n"
    ".plot .m0{stroke:#b6308b}.plot .f.m0{fill:#b6308b}\n"
    ".plot .m1{stroke:#c5407e}.plot .f.m1{fill:#c5407e}\n"
    ".plot .m2{stroke:#d35071}.plot .f.m2{fill:#d35071}\n"
    ".plot .m3{stroke:#de6065}.plot .f.m3{fill:#de6065}\n"
    ".plot .m4{stroke:#e87258}.plot .f.m4{fill:#e87258}\n"
    ".plot .m5{stroke:#f2834c}.plot .f.m5{fill:#f2834c}\n"
    ".plot .m6{stroke:#f79640}.plot .f.m6{fill:#f79640}\n"
    ".plot .m7{stroke:#fcaa34}.plot .f.m7{fill:#fcaa34}\n"
    ".plot .m8{stroke:#fcc02b}.plot .f.m8{fill:#fcc02b}\n"
    ".plot .m9{stroke:#fad724}.plot .f.m9{fill:#fad724}\n"
    ".plot .c0{stroke:#5fb4ee}.plot .f.c0{fill:#5fb4ee}\n"
    ".plot .c1{stroke:#ff8f5c}.plot .f.c1{fill:#ff8f5c}\n"
    ".plot .c2{stroke:#3fc79a}.plot .f.c2{fill:#3fc79a}\n"
    ".plot .c3{stroke:#e59ad0}.plot .f.c3{fill:#e59ad0}\n"
    ".plot .c4{stroke:#e3c04a}.plot .f.c4{fill:#e3c04a}\n"
    ".plot .c5{stroke:#a7adb8}.plot .f.c5{fill:#a7adb8}\n"
    ".plot .ink{stroke:#ebe9e4}.plot .f.ink{fill:#ebe9e4}\n"
    ".plot .soft{stroke:#a9a7a1}.plot .f.soft{fill:#a9a7a1}\n"
    ".plot text{fill:#a9a7a1}.plot text.b{fill:#ebe9e4}\n"
    ".plot .grid{stroke:#2f3136}.plot .base{stroke:#a9a7a1}\n"
    "}\n"
    "@media print{\n" LIGHT "}\n";

const char *report_svg_style(void) { return style; }

/* ---- text and numbers ---- */

void report_put_escaped(base_text *text, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)bytes[i];
        const char *entity = c == '&'    ? "&amp;"
                             : c == '<'  ? "&lt;"
                             : c == '>'  ? "&gt;"
                             : c == '"'  ? "&quot;"
                             : c == '\'' ? "&#39;"
                                         : NULL;
        if (entity)
            base_text_print(text, "%s", entity);
        else if ((c < ' ' && c != '\n' && c != '\t') || c > '~')
            base_text_print(text, "\\x%02x", c);
        else
            base_text_add(text, bytes + i, 1);
    }
}

void report_put_decimal(base_text *text, double number, int decimals)
{
    assert(decimals >= 0 && decimals <= 9);
    double unit = 1;
    for (int i = 0; i < decimals; i++)
        unit *= 10;
    double size = floor(fabs(number) * unit + 0.5) / unit; /* halves away from 0 */
    if (isfinite(size))
        base_text_print(text, "%s%.*f", number < 0 && size > 0 ? "-" : "", decimals, size);
    else
        base_text_print(text, "-");
}

void report_put_quantity(base_text *text, double number)
{
    static const char *const units[] = {"", " k", " M", " G", " T", " P", " E"};
    int unit = 0;
    for (; fabs(number) >= 999.5 && unit < 6; unit++)
        number /= 1000;
    int decimals = unit == 0 ? 0 : fabs(number) >= 99.95 ? 0 : fabs(number) >= 9.995 ? 1 : 2;
    report_put_decimal(text, number, decimals);
    base_text_print(text, "%s", units[unit]);
}

static void put(report_svg *svg, const char *before, double coordinate)
{
    base_text_print(svg->text, "%s", before);
    double tenths = floor(coordinate * 10 + 0.5);
    bool whole = tenths == 10 * floor(tenths / 10);
    report_put_decimal(svg->text, tenths / 10, whole ? 0 : 1);
}

/* ---- axes ---- */

static double position(const report_axis *axis, double value)
{
    return axis->scale == REPORT_LINEAR ? value : base_log(value);
}

report_axis report_axis_of(const char *label, report_scale scale, double low, double high)
{
    static const double most = 1e15; /* what is beyond is drawn at the end */
    report_axis axis = {.label = label, .scale = scale};
    bool log = scale != REPORT_LINEAR;
    if (!isfinite(low) || !isfinite(high)) {
        low = isfinite(low) ? low : isfinite(high) ? high : 1;
        high = low;
    }
    if (low > high) {
        double swap = low;
        low = high;
        high = swap;
    }
    low = low < -most ? -most : low > most ? most : low;
    high = high < -most ? -most : high > most ? most : high;
    if (log && !(low > 1e-300))
        low = high > 1e-300 ? high / 1e6 : 1;
    if (log && high < low)
        high = low;
    if (high - low <= 1e-9 * (fabs(low) + fabs(high))) {
        low = log ? low / 2 : low - (low == 0 ? 1 : fabs(low) / 8);
        high = log ? high * 2 : high + (high == 0 ? 1 : fabs(high) / 8);
    }
    double room = (position(&axis, high) - position(&axis, low)) * 0.04;
    axis.low = log ? base_exp(base_log(low) - room) : low - room;
    axis.high = log ? base_exp(base_log(high) + room) : high + room;
    return axis;
}

enum { MOST_TICKS = 40 };

typedef struct ticks {
    double value[MOST_TICKS];
    int count, decimals;
} ticks;

static void tick(ticks *t, const report_axis *axis, double value)
{
    if (value >= axis->low && value <= axis->high && t->count < MOST_TICKS)
        t->value[t->count++] = value;
}

/* Steps of 1, 2 or 5 times a power of ten, at most `most` of them. */
static void linear_ticks(const report_axis *axis, int most, ticks *t)
{
    static const double steps[] = {1, 2, 5};
    double power = 1, span = axis->high - axis->low, step = 0;
    while (power > span / most / 10 && power > 1e-9)
        power /= 10;
    for (int i = 0; step == 0; i++) {
        if (i == 3) {
            i = 0;
            power *= 10;
        }
        double s = steps[i] * power;
        if (span / s <= most && !(axis->whole && s < 1))
            step = s;
    }
    for (double unit = step; unit < 0.9999999 && t->decimals < 9; unit *= 10)
        t->decimals++;
    for (double k = ceil(axis->low / step); k * step <= axis->high && t->count < MOST_TICKS; k++)
        tick(t, axis, k * step);
}

static void log_ticks(const report_axis *axis, const double *factors, int n, ticks *t)
{
    t->count = 0;
    for (int e = -9; e <= 18; e++) {
        double power = 1;
        for (int i = 0; i < abs(e); i++)
            power = e < 0 ? power / 10 : power * 10;
        for (int i = 0; i < n; i++)
            tick(t, axis, factors[i] * power);
    }
    t->decimals = 0;
    for (double v = t->count ? t->value[0] : 1; v < 0.9999999 && t->decimals < 9; v *= 10)
        t->decimals++;
}

static void log10_ticks(const report_axis *axis, int most, ticks *t)
{
    static const double fine[] = {1, 1.5, 2, 3, 4, 5, 6, 8}, usual[] = {1, 2, 5};
    log_ticks(axis, usual, 3, t);
    if (t->count > most)
        log_ticks(axis, usual, 1, t);
    else if (t->count < 3) {
        log_ticks(axis, fine, 8, t);
        t->decimals++; /* 1.5 */
    }
    if (t->count < 2) { /* not even a doubling: as good as linear */
        t->count = t->decimals = 0;
        linear_ticks(axis, most, t);
    }
}

static void log2_ticks(const report_axis *axis, int most, ticks *t)
{
    double ratio = axis->high / axis->low, factor = 2;
    while (base_log(ratio) > most * base_log(factor))
        factor *= 2;
    double v = 1;
    while (v > axis->low)
        v /= factor;
    for (; v <= axis->high && t->count < MOST_TICKS; v *= factor)
        tick(t, axis, v);
    for (double u = t->count ? t->value[0] : 1; u < 1 && t->decimals < 9; u *= 2)
        t->decimals++;
    /* Less than a doubling: as on a linear axis, and as many as it takes to have two. */
    for (int wanted = most; t->count < 2 && wanted <= 2 * most + 2; wanted++) {
        t->count = t->decimals = 0;
        linear_ticks(axis, wanted, t);
    }
}

static void find_ticks(const report_axis *axis, int most, ticks *t)
{
    *t = (ticks){.count = 0};
    if (axis->bare)
        return;
    if (most < 2)
        most = 2;
    if (axis->names)
        for (int i = 0; i < axis->name_count; i++)
            tick(t, axis, i);
    else if (axis->scale == REPORT_LINEAR)
        linear_ticks(axis, most, t);
    else if (axis->scale == REPORT_LOG2)
        log2_ticks(axis, most, t);
    else
        log10_ticks(axis, most, t);
}

/* Of a number of 10,000 or more: thousands, millions or billions. */
static double unit_of(double value) { return value >= 1e9 ? 1e9 : value >= 1e6 ? 1e6 : 1e3; }

static void put_unit(base_text *text, double unit)
{
    base_text_print(text, "%s", unit == 1e9 ? " G" : unit == 1e6 ? " M" : " k");
}

/* All ticks of a linear axis in one unit, that of the largest; of a logarithmic one each in its own: 20 k, 1.5 M. */
static void tick_text(const report_axis *axis, const ticks *t, int i, base_text *text)
{
    base_text_clear(text);
    double largest = fabs(t->value[t->count - 1]), value = t->value[i];
    if (axis->names)
        report_put_escaped(text, axis->names[(int)value], strlen(axis->names[(int)value]));
    else if (largest >= 10000 && axis->scale == REPORT_LINEAR) {
        double unit = unit_of(largest);
        double step = t->count > 1 ? t->value[1] - t->value[0] : unit;
        int decimals = step / unit >= 0.9999 ? 0 : step / unit >= 0.09999 ? 1 : 2;
        report_put_decimal(text, value / unit, value != 0 ? decimals : 0);
        if (value != 0)
            put_unit(text, unit);
    } else if (value >= 10000 && axis->scale == REPORT_LOG10) {
        double unit = unit_of(value), in_units = value / unit;
        report_put_decimal(text, in_units, fabs(in_units - floor(in_units + 0.5)) < 1e-6 ? 0 : 1);
        put_unit(text, unit);
    } else {
        int decimals = t->decimals;
        if (axis->scale != REPORT_LINEAR) /* 0.05, 0.5, 5: each as short as it goes */
            for (decimals = 0; decimals < t->decimals; decimals++) {
                double v = value;
                for (int k = 0; k < decimals; k++)
                    v *= 10;
                if (fabs(v - floor(v + 0.5)) < 1e-6 * v)
                    break;
            }
        report_put_decimal(text, value, decimals);
    }
}

/* ---- the frame ---- */

double report_svg_x(const report_svg *svg, double x)
{
    double at = !(x >= svg->x.low) ? svg->x.low : x > svg->x.high ? svg->x.high : x;
    double low = position(&svg->x, svg->x.low), high = position(&svg->x, svg->x.high);
    double width = svg->width - svg->left - svg->right;
    return svg->left + width * (position(&svg->x, at) - low) / (high - low);
}

double report_svg_y(const report_svg *svg, double y)
{
    double at = !(y >= svg->y.low) ? svg->y.low : y > svg->y.high ? svg->y.high : y;
    double low = position(&svg->y, svg->y.low), high = position(&svg->y, svg->y.high);
    double height = svg->height - svg->top - svg->bottom;
    return svg->top + height * (high - position(&svg->y, at)) / (high - low);
}

static void segment(report_svg *svg, const char *classes, double x0, double y0, double x1,
                    double y1)
{
    base_text_print(svg->text, "<path class=\"%s\" d=\"", classes);
    put(svg, "M", x0);
    put(svg, " ", y0);
    put(svg, "L", x1);
    put(svg, " ", y1);
    base_text_print(svg->text, "\"/>\n");
}

/* words: escaped already. */
static void place_words(report_svg *svg, const char *classes, double x, double y,
                        report_anchor anchor, const char *words)
{
    static const char *const anchors[] = {"", " text-anchor=\"middle\"", " text-anchor=\"end\""};
    base_text_print(svg->text, "<text%s%s%s%s", *classes ? " class=\"" : "", classes,
                    *classes ? "\"" : "", anchors[anchor]);
    put(svg, " x=\"", x);
    put(svg, "\" y=\"", y);
    base_text_print(svg->text, "\">%s</text>\n", words);
}

static void draw_axes(report_svg *svg, const ticks *tx, const ticks *ty, base_text *word)
{
    double right = svg->width - svg->right, bottom = svg->height - svg->bottom;
    for (int i = 0; i < ty->count; i++) {
        double y = report_svg_y(svg, ty->value[i]);
        segment(svg, "grid", svg->left, y, right, y);
        tick_text(&svg->y, ty, i, word);
        place_words(svg, "", svg->left - 8, y + 4, REPORT_END, word->data);
    }
    for (int i = 0; i < tx->count; i++) {
        double x = report_svg_x(svg, tx->value[i]);
        if (svg->y.bare || svg->y.names)
            segment(svg, "grid", x, svg->top, x, bottom);
        else
            segment(svg, "base thin", x, bottom, x, bottom + 4);
        tick_text(&svg->x, tx, i, word);
        place_words(svg, "", x, bottom + 18, REPORT_MIDDLE, word->data);
    }
    if (!svg->x.bare && !svg->y.names)
        segment(svg, "base thin", svg->left, bottom, right, bottom);
    base_text_clear(word);
    report_put_escaped(word, svg->y.label, strlen(svg->y.label));
    if (word->length)
        place_words(svg, "",
                    svg->y.names         ? 0
                    : svg->left - 8 > 34 ? 0
                                         : 2,
                    svg->top - 12, REPORT_START, word->data);
    base_text_clear(word);
    report_put_escaped(word, svg->x.label, strlen(svg->x.label));
    if (word->length)
        place_words(svg, "", right, bottom + 34, REPORT_END, word->data);
}

/* What the labels of the left axis take, at 7 units a digit and 8 a letter; at most a third of the
 * width. */
static int left_margin(const report_svg *svg, const ticks *ty, base_text *word)
{
    size_t most = 1;
    for (int i = 0; i < ty->count; i++) {
        tick_text(&svg->y, ty, i, word);
        most = word->length > most ? word->length : most;
    }
    int margin = 12 + (svg->y.names ? 8 : 7) * (int)(most < 100 ? most : 100);
    return margin < svg->width / 3 ? margin : svg->width / 3;
}

void report_svg_begin(report_svg *svg, const char *name, const char *title, const char *description)
{
    ticks tx, ty;
    base_text word = {0};
    base_text_add(&word, "", 0);
    svg->top = svg->top ? svg->top : *svg->y.label ? 30 : 10;
    svg->bottom = svg->bottom ? svg->bottom : svg->x.bare ? 8 : *svg->x.label ? 42 : 26;
    svg->right = svg->right ? svg->right : 16;
    find_ticks(&svg->y, 2 + (svg->height - svg->top - svg->bottom) / 42, &ty);
    svg->left = svg->left ? svg->left : left_margin(svg, &ty, &word);
    find_ticks(&svg->x, (svg->width - svg->left - svg->right) / 56, &tx);
    base_text_print(
        svg->text,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" viewBox=\"0 0 %d %d\" "
        "role=\"img\" aria-labelledby=\"%s-t %s-d\">\n<title id=\"%s-t\">",
        svg->width, svg->height, name, name, name);
    report_put_escaped(svg->text, title, strlen(title));
    base_text_print(svg->text, "</title>\n<desc id=\"%s-d\">", name);
    report_put_escaped(svg->text, description, strlen(description));
    base_text_print(svg->text, "</desc>\n");
    draw_axes(svg, &tx, &ty, &word);
    svg->text->failed = svg->text->failed || word.failed;
    base_text_free(&word);
}

void report_svg_finish(report_svg *svg) { base_text_print(svg->text, "</svg>\n"); }

void report_svg_alone(const base_text *svg, base_text *file)
{
    const char *end = svg->data ? strchr(svg->data, '>') : NULL;
    size_t head = end ? (size_t)(end - svg->data) + 1 : 0;
    base_text_add(file, svg->data ? svg->data : "", head);
    base_text_print(file, "\n<style>\n%s</style>", style);
    base_text_add(file, svg->data ? svg->data + head : "", svg->length - head);
    file->failed = file->failed || svg->failed;
}

/* ---- what is drawn ---- */

void report_svg_line(report_svg *svg, const char *classes, const double *x, const double *y, int n)
{
    base_text_print(svg->text, "<path class=\"%s\" d=\"", classes);
    bool pen = false;
    for (int i = 0; i < n; i++) {
        if (!isfinite(x[i]) || !isfinite(y[i])) {
            pen = false;
            continue;
        }
        put(svg, pen ? "L" : "M", report_svg_x(svg, x[i]));
        put(svg, " ", report_svg_y(svg, y[i]));
        pen = true;
    }
    base_text_print(svg->text, "\"/>\n");
}

void report_svg_band(report_svg *svg, const char *classes, const double *x, const double *low,
                     const double *high, int n)
{
    base_text_print(svg->text, "<path class=\"f band %s\" d=\"", classes);
    for (int i = 0; i < n; i++) {
        put(svg, i ? "L" : "M", report_svg_x(svg, x[i]));
        put(svg, " ", report_svg_y(svg, high[i]));
    }
    for (int i = n - 1; i >= 0; i--) {
        put(svg, "L", report_svg_x(svg, x[i]));
        put(svg, " ", report_svg_y(svg, low[i]));
    }
    base_text_print(svg->text, "Z\"/>\n");
}

void report_svg_bar(report_svg *svg, const char *classes, double x0, double y0, double x1,
                    double y1)
{
    double left = report_svg_x(svg, x0), right = report_svg_x(svg, x1);
    double top = report_svg_y(svg, y1), bottom = report_svg_y(svg, y0);
    base_text_print(svg->text, "<path class=\"f %s\" d=\"", classes);
    put(svg, "M", left);
    put(svg, " ", bottom);
    put(svg, "V", top);
    put(svg, "H", right);
    put(svg, "V", bottom);
    base_text_print(svg->text, "Z\"/>\n");
}

/* All marks are one path. A dot is a stroke of no length with round ends. */
void report_svg_marks(report_svg *svg, const char *classes, report_mark mark, const double *x,
                      const double *y, int n)
{
    static const char *const shapes[] = {"h0",
                                         "m-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0",
                                         "m-2.5-2.5l5 5m0-5l-5 5",
                                         "m-2.5-2.5h5v5h-5z",
                                         "m-3.5 3l3.5-6l3.5 6z",
                                         "m-3.5-3l3.5 6l3.5-6z"};
    base_text_print(svg->text, "<path class=\"%s%s\" d=\"", mark == REPORT_DOT ? "dot " : "",
                    classes);
    for (int i = 0; i < n; i++) {
        if (!isfinite(x[i]) || !isfinite(y[i]))
            continue;
        put(svg, "M", report_svg_x(svg, x[i]));
        put(svg, " ", report_svg_y(svg, y[i]));
        base_text_print(svg->text, "%s", shapes[mark]);
    }
    base_text_print(svg->text, "\"/>\n");
}

void report_svg_thing(report_svg *svg, const char *anchor, const char *words)
{
    if (anchor)
        base_text_print(svg->text, "<a href=\"#%s\" tabindex=\"-1\"><title>", anchor);
    else
        base_text_print(svg->text, "<g><title>");
    report_put_escaped(svg->text, words, strlen(words));
    base_text_print(svg->text, "</title>");
}

void report_svg_thing_ends(report_svg *svg, const char *anchor)
{
    base_text_print(svg->text, anchor ? "</a>\n" : "</g>\n");
}

void report_svg_error(report_svg *svg, const char *classes, double y, double low, double high)
{
    double at = report_svg_y(svg, y), left = report_svg_x(svg, low),
           right = report_svg_x(svg, high);
    segment(svg, classes, left, at, right, at);
    segment(svg, classes, left, at - 3, left, at + 3);
    segment(svg, classes, right, at - 3, right, at + 3);
}

void report_svg_level(report_svg *svg, const char *classes, double y)
{
    double at = report_svg_y(svg, y);
    segment(svg, classes, svg->left, at, svg->width - svg->right, at);
}

void report_svg_upright(report_svg *svg, const char *classes, double x)
{
    double at = report_svg_x(svg, x);
    segment(svg, classes, at, svg->top, at, svg->height - svg->bottom);
}

static void put_words(report_svg *svg, const char *classes, double x, double y,
                      report_anchor anchor, const char *words)
{
    base_text escaped = {0};
    report_put_escaped(&escaped, words, strlen(words));
    if (escaped.data)
        place_words(svg, classes, x, y, anchor, escaped.data);
    svg->text->failed = svg->text->failed || escaped.failed;
    base_text_free(&escaped);
}

void report_svg_words(report_svg *svg, const char *classes, double x, double y, double dx,
                      double dy, report_anchor anchor, const char *words)
{
    put_words(svg, classes, report_svg_x(svg, x) + dx, report_svg_y(svg, y) + dy, anchor, words);
}

enum { MOST_ENDINGS = 64, LINE_HEIGHT = 14 };

/* From the top down each is moved below the one before; then, where the last got too low, from the
 * bottom up above the one after. */
void report_svg_endings(report_svg *svg, const report_ending *endings, int n)
{
    int order[MOST_ENDINGS] = {0};
    double own[MOST_ENDINGS], at[MOST_ENDINGS];
    n = n < MOST_ENDINGS ? n : MOST_ENDINGS;
    for (int i = 0; i < n; i++) {
        int k = i;
        own[i] = at[i] = report_svg_y(svg, endings[i].y);
        for (; k > 0 && own[order[k - 1]] > own[i]; k--)
            order[k] = order[k - 1];
        order[k] = i;
    }
    for (int i = 1; i < n; i++)
        if (at[order[i]] < at[order[i - 1]] + LINE_HEIGHT)
            at[order[i]] = at[order[i - 1]] + LINE_HEIGHT;
    double floor_at = svg->height - svg->bottom + 4;
    for (int i = n - 1; i >= 0; i--) {
        if (at[order[i]] > floor_at)
            at[order[i]] = floor_at;
        floor_at = at[order[i]] - LINE_HEIGHT;
    }
    double right = svg->width - svg->right;
    for (int i = 0; i < n; i++) {
        char classes[80] = "thin ";
        strncat(classes, endings[i].classes, sizeof classes - 6);
        segment(svg, classes, right + 2, own[i], right + 11, at[i]);
        put_words(svg, "", right + 14, at[i] + 4, REPORT_START, endings[i].words);
    }
}
