/* SPDX-License-Identifier: MIT */
/* script.c -- edits by lines: found as a longest common subsequence, and applied in one pass.
 *
 * Reading is a machine of a few states. Whatever a byte makes certain of the refinement is appended at
 * once: a number says that all lines before it stay. So a constraint on the refinement (prefix.h) can
 * follow a script as it is written. */
#include "refine/mutation/script.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

enum {
    NUMBER = 0x80, /* the byte of line 0 */
    /* states */
    OUTSIDE = 0, /* before the first hunk */
    NUMBERED,    /* behind `first` */
    REPLACED,    /* behind whole lines of a hunk, or an end that needs none */
    EMPTY,       /* behind an end that needs a line: nothing was taken away */
    TAKEN,       /* behind an end that takes one line away, and puts none in its place */
    WITHIN,      /* within a line */
    SCALED       /* behind "*", within a percentage */
};

/* Whether all of it is ASCII in whole lines. */
static bool check_bytes(const char *text, size_t length, base_error *error)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] >= NUMBER)
            return base_fail(error, "an edit by lines: the source has a byte 0x%02x, not ASCII",
                             (unsigned)(unsigned char)text[i]);
    return length == 0 || text[length - 1] == '\n' ||
           base_fail(error, "an edit by lines: the source's last line has no line feed");
}

/* Where each line starts, and the end of the last. The number of lines; -1: error. */
static int split(const char *text, size_t length, unsigned *start, base_error *error)
{
    int lines = 0;
    if (!check_bytes(text, length, error))
        return -1;
    for (size_t at = 0; at < length; at++) {
        if (at > 0 && text[at - 1] != '\n')
            continue;
        if (lines == MUTATION_SCRIPT_LINES) {
            base_fail(error, "an edit by lines: the source has more than %d", lines);
            return -1;
        }
        start[lines++] = (unsigned)at;
    }
    start[lines] = (unsigned)length;
    return lines;
}

/* numbered = { number line }: what a T5 reads, with a byte of 0x80 + i in front of line i. */
bool mutation_script_number(const char *source, size_t length, base_text *numbered,
                            base_error *error)
{
    unsigned start[MUTATION_SCRIPT_LINES + 1];
    int lines = split(source, length, start, error);
    for (int i = 0; i < lines; i++) {
        char number = (char)(NUMBER + i);
        base_text_add(numbered, &number, 1);
        base_text_add(numbered, source + start[i], start[i + 1] - start[i]);
    }
    return lines >= 0;
}

/* ---- percentages ---- */

/* The last number of a line, decimal digits that no name and no fraction has, from LEAST to INT_MAX / 2:
 * where it is. False: there is none. */
static bool last_number(const char *line, size_t length, size_t *at, size_t *digits, int *value)
{
    size_t end = length;
    while (end > 0 && !(line[end - 1] >= '0' && line[end - 1] <= '9'))
        end--;
    size_t start = end;
    while (start > 0 && line[start - 1] >= '0' && line[start - 1] <= '9')
        start--;
    char before = start > 0 ? line[start - 1] : ' ', after = end < length ? line[end] : ' ';
    bool joined = strchr("._", before) || strchr("._", after) || (before >= 'A' && before <= 'Z') ||
                  (before >= 'a' && before <= 'z') || (after >= 'a' && after <= 'z');
    int64_t number = 0;
    for (size_t i = start; i < end && number <= INT_MAX; i++)
        number = 10 * number + (line[i] - '0');
    *at = start;
    *digits = end - start;
    *value = (int)(number <= INT_MAX / 2 ? number : 0);
    return end > start && !joined && line[start] != '0' && *value >= MUTATION_SCRIPT_LEAST;
}

/* Appends the line with so many hundredths of its last number. False: it has none. */
static bool scale_line(const char *line, size_t length, int percent, base_text *scaled)
{
    size_t at, digits;
    int value;
    if (!last_number(line, length, &at, &digits, &value))
        return false;
    base_text_add(scaled, line, at);
    base_text_print(scaled, "%d", (int)((int64_t)value * percent / 100));
    base_text_add(scaled, line + at + digits, length - at - digits);
    return true;
}

/* The percentage that makes the one line of the other, of several the one nearest to 100; 0: none does.
 * value p / 100, cut, is `result` where 100 result <= value p < 100 (result + 1): a run of whole p, all
 * above 100 or all below, since at 100 itself nothing changes. */
static int percentage(const char *line, size_t length, const char *wanted, size_t size)
{
    size_t at, digits, written = 0;
    int value;
    if (!last_number(line, length, &at, &digits, &value) || size < at)
        return 0;
    int64_t result = 0;
    for (; at + written < size && wanted[at + written] >= '0' && wanted[at + written] <= '9' &&
           result <= INT_MAX;
         written++)
        result = 10 * result + (wanted[at + written] - '0');
    size_t rest = length - at - digits;
    bool alike = written > 0 && (wanted[at] != '0' || written == 1) && result <= INT_MAX &&
                 size == at + written + rest && memcmp(line, wanted, at) == 0 &&
                 memcmp(line + at + digits, wanted + at + written, rest) == 0;
    if (!alike || result == value)
        return 0;
    int64_t least = (100 * result + value - 1) / value, most = (100 * result + 99) / value;
    int64_t nearest = result > value ? least : most;
    return least <= most && nearest >= 1 && nearest <= MUTATION_SCRIPT_PERCENT ? (int)nearest : 0;
}

/* ---- from two texts to a script ---- */

/* A text cut at its line feeds. */
typedef struct lines {
    const char *text;
    unsigned start[MUTATION_SCRIPT_LINES + 1];
    int count;
} lines;

static bool same_line(const lines *a, int i, const lines *b, int j)
{
    unsigned length = a->start[i + 1] - a->start[i];
    return length == b->start[j + 1] - b->start[j] &&
           memcmp(a->text + a->start[i], b->text + b->start[j], length) == 0;
}

enum { SIDE = MUTATION_SCRIPT_LINES + 1 };

/* common[i][j]: the most lines that a from line i and b from line j have in common, in order
 * (Wagner & Fischer 1974). */
static void find_common(const lines *a, const lines *b, uint8_t common[SIDE][SIDE])
{
    for (int i = a->count; i >= 0; i--)
        for (int j = b->count; j >= 0; j--) {
            if (i == a->count || j == b->count)
                common[i][j] = 0;
            else if (same_line(a, i, b, j))
                common[i][j] = (uint8_t)(common[i + 1][j + 1] + 1);
            else
                common[i][j] =
                    common[i + 1][j] > common[i][j + 1] ? common[i + 1][j] : common[i][j + 1];
        }
}

/* The hunk that takes a's lines first .. end - 1 away and puts b's lines from .. to - 1 there. */
static void put_hunk(base_text *script, const lines *a, int first, int end, const lines *b,
                     int from, int to)
{
    char numbers[2] = {(char)(NUMBER + first), (char)(NUMBER + end)};
    bool one = end == first + 1 && to > from, is_star = to > from && b->text[b->start[from]] == '*';
    int percent = one && to == from + 1
                      ? percentage(a->text + a->start[first], a->start[end] - a->start[first],
                                   b->text + b->start[from], b->start[to] - b->start[from])
                      : 0;
    base_text_add(script, numbers, percent > 0 || (one && !is_star) ? 1 : 2);
    if (percent > 0)
        base_text_print(script, "*%d\n", percent);
    else
        base_text_add(script, b->text + b->start[from], b->start[to] - b->start[from]);
}

/* Walks both texts at once: lines that are the same and side by side stay; in between, the table says
 * whether a line of the source or one of the refinement is to be passed first, so that most lines stay.
 * Of equals the source's goes first, which makes the script unique. */
bool mutation_script_of(const char *source, size_t length, const char *refined,
                        size_t refined_length, base_text *script, base_error *error)
{
    uint8_t common[SIDE][SIDE];
    lines a = {.text = source}, b = {.text = refined};
    a.count = split(source, length, a.start, error);
    b.count = a.count < 0 ? -1 : split(refined, refined_length, b.start, error);
    if (b.count < 0)
        return false;
    find_common(&a, &b, common);
    int i = 0, j = 0;
    while (i < a.count || j < b.count) {
        int first = i, from = j;
        while ((i < a.count || j < b.count) &&
               !(i < a.count && j < b.count && same_line(&a, i, &b, j)))
            if (j == b.count || (i < a.count && common[i + 1][j] >= common[i][j + 1]))
                i++;
            else
                j++;
        if (i > first || j > from)
            put_hunk(script, &a, first, i, &b, from, j);
        for (; i < a.count && j < b.count && same_line(&a, i, &b, j); i++)
            j++;
    }
    return true;
}

/* ---- and back ---- */

bool mutation_script_begin(mutation_script_reader *reader, const char *source, size_t length,
                           base_error *error)
{
    *reader = (mutation_script_reader){.source = source, .state = OUTSIDE};
    reader->lines = split(source, length, reader->start, error);
    return reader->lines >= 0;
}

/* Lines of the source up to `end` stay as they are. */
static void copy_lines(mutation_script_reader *r, int end, base_text *refined)
{
    base_text_add(refined, r->source + r->start[r->at], r->start[end] - r->start[r->at]);
    r->made += end - r->at;
    r->at = end;
}

/* A number where a hunk begins. */
static const char *begin_hunk(mutation_script_reader *r, int line, base_text *refined)
{
    if (line > r->lines)
        return "names a line that is not there";
    if (line < r->at)
        return "goes back";
    copy_lines(r, line, refined);
    r->first = line;
    r->state = NUMBERED;
    return NULL;
}

/* A number behind another one. */
static const char *end_hunk(mutation_script_reader *r, int line)
{
    if (line > r->lines)
        return "names a line that is not there";
    if (line < r->first)
        return "ends before it begins";
    r->at = line;
    r->state = line == r->first ? EMPTY : line == r->first + 1 ? TAKEN : REPLACED;
    return NULL;
}

/* The line that a hunk with a percentage is about. */
static const char *line_of(const mutation_script_reader *r, size_t *length)
{
    *length = r->start[r->first + 1] - r->start[r->first];
    return r->source + r->start[r->first];
}

/* Behind "*": a percentage of 1 to 200, but 100. */
static const char *take_percent(mutation_script_reader *r, char byte, base_text *refined)
{
    size_t length;
    const char *line = line_of(r, &length);
    if (byte == '\n') {
        if (r->percent == 0 || r->percent == 100)
            return "has a percentage that changes nothing";
        scale_line(line, length, r->percent, refined);
        r->made++;
        r->at = r->first + 1;
        r->state = REPLACED;
        return NULL;
    }
    bool digit = byte >= '0' && byte <= '9' && !(byte == '0' && r->percent == 0);
    if (!digit || 10 * r->percent + (byte - '0') > MUTATION_SCRIPT_PERCENT)
        return "has a percentage that is none of 1 to 200";
    r->percent = 10 * r->percent + (byte - '0');
    return NULL;
}

/* Refused before any digit, so that a writer who is constrained never has to take a "*" back. */
static const char *begin_percent(mutation_script_reader *r)
{
    size_t length, at, digits;
    int value;
    const char *line = line_of(r, &length);
    if (!last_number(line, length, &at, &digits, &value))
        return "scales a line without a large number";
    if (r->made == MUTATION_SCRIPT_LINES)
        return "makes more than 127 lines";
    r->percent = 0;
    r->state = SCALED;
    return NULL;
}

bool mutation_script_in_percentage(const mutation_script_reader *r) { return r->state == SCALED; }

bool mutation_script_percentage(const mutation_script_reader *r, int number, base_text *scaled)
{
    size_t length;
    const char *line = line_of(r, &length);
    for (int p = 1; p <= MUTATION_SCRIPT_PERCENT; p++) {
        bool begins =
            r->percent == 0 || p == r->percent || p / 10 == r->percent || p / 100 == r->percent;
        if (p != 100 && begins && number-- == 0)
            return scale_line(line, length, p, scaled);
    }
    return false;
}

/* A byte that is no number: of a line, or of a percentage. What is refused would have two readings, or is
 * a script that mutation_script_of() writes otherwise. */
static const char *take_text(mutation_script_reader *r, char byte, base_text *refined)
{
    if (r->state == SCALED)
        return take_percent(r, byte, refined);
    if (r->state == OUTSIDE)
        return "begins without a line number";
    if (r->state == NUMBERED && r->first < r->lines && byte == '*')
        return begin_percent(r);
    if (r->state == TAKEN && byte != '*')
        return "says the end of one line that it replaces";
    if (r->state == NUMBERED && r->first == r->lines)
        return "replaces a line that is not there";
    if (r->state == NUMBERED)
        r->at = r->first + 1;
    if (r->state != WITHIN && r->made == MUTATION_SCRIPT_LINES)
        return "makes more than 127 lines";
    r->made += r->state != WITHIN;
    r->state = byte == '\n' ? REPLACED : WITHIN;
    base_text_add(refined, &byte, 1);
    return NULL;
}

/* Which states a number may follow; a number that ends a hunk gives it its length. */
const char *mutation_script_next(mutation_script_reader *r, unsigned char byte, base_text *refined)
{
    if (byte < NUMBER)
        return take_text(r, (char)byte, refined);
    if (r->state == NUMBERED)
        return end_hunk(r, byte - NUMBER);
    if (r->state == WITHIN || r->state == SCALED)
        return "has a line without a line feed";
    if (r->state == EMPTY)
        return "puts nothing where it takes nothing";
    return begin_hunk(r, byte - NUMBER, refined);
}

bool mutation_script_needs_line(const mutation_script_reader *r)
{
    return r->state == EMPTY || (r->state == NUMBERED && r->first == r->lines);
}

const char *mutation_script_end(mutation_script_reader *r, base_text *refined)
{
    if (r->state == NUMBERED)
        return "ends behind a line number";
    if (r->state == WITHIN || r->state == SCALED)
        return "has a line without a line feed";
    if (r->state == EMPTY)
        return "puts nothing where it takes nothing";
    if (r->made + r->lines - r->at > MUTATION_SCRIPT_LINES)
        return "makes more than 127 lines";
    copy_lines(r, r->lines, refined);
    return NULL;
}

/* On failure what was appended is cut off again. */
bool mutation_script_apply(const char *source, size_t length, const char *script,
                           size_t script_length, base_text *refined, base_error *error)
{
    mutation_script_reader reader;
    size_t before = refined->length;
    if (!mutation_script_begin(&reader, source, length, error))
        return false;
    const char *why = NULL;
    base_text_add(refined, "", 0);
    for (size_t i = 0; i < script_length && !why; i++)
        why = mutation_script_next(&reader, (unsigned char)script[i], refined);
    if (!why)
        why = mutation_script_end(&reader, refined);
    if (!why)
        return true;
    refined->length = before;
    if (refined->data)
        refined->data[before] = '\0';
    return base_fail(error, "the edit %s", why);
}
