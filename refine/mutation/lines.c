/* SPDX-License-Identifier: MIT */
/* lines.c -- the lines that two sources have in common, a longest common subsequence; and a line with a
 * part of its number. */
#include "refine/mutation/lines.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

/* Whether all of it is ASCII in whole lines. */
static bool check_bytes(const char *text, size_t length, base_error *error)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] >= MUTATION_LINE_BYTE)
            return base_fail(error, "an edit by lines: the source has a byte 0x%02x, not ASCII",
                             (unsigned)(unsigned char)text[i]);
    return length == 0 || text[length - 1] == '\n' ||
           base_fail(error, "an edit by lines: the source's last line has no line feed");
}

bool mutation_lines_cut(const char *text, size_t length, mutation_lines *lines, base_error *error)
{
    lines->text = text;
    lines->count = 0;
    if (!check_bytes(text, length, error))
        return false;
    for (size_t at = 0; at < length; at++) {
        if (at > 0 && text[at - 1] != '\n')
            continue;
        if (lines->count == MUTATION_LINES)
            return base_fail(error, "an edit by lines: the source has more than %d", lines->count);
        lines->start[lines->count++] = (unsigned)at;
    }
    lines->start[lines->count] = (unsigned)length;
    return true;
}

const char *mutation_line(const mutation_lines *lines, int i, size_t *length)
{
    *length = lines->start[i + 1] - lines->start[i];
    return lines->text + lines->start[i];
}

static bool same_line(const mutation_lines *a, int i, const mutation_lines *b, int j)
{
    size_t length, other;
    const char *line = mutation_line(a, i, &length), *line_b = mutation_line(b, j, &other);
    return length == other && memcmp(line, line_b, length) == 0;
}

enum { SIDE = MUTATION_LINES + 1 };

/* common[i][j]: the most lines that a from line i and b from line j have in common, in order
 * (Wagner & Fischer 1974). */
static void find_common(const mutation_lines *a, const mutation_lines *b,
                        uint8_t common[SIDE][SIDE])
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

/* Walks both texts at once: lines that are the same and side by side stay; in between, the table says
 * whether a line of the one or of the other is to be passed first, so that most lines stay. Of equals a's
 * goes first, which makes the hunks unique. */
int mutation_lines_compare(const mutation_lines *a, const mutation_lines *b,
                           mutation_hunk hunks[MUTATION_LINES + 1])
{
    uint8_t common[SIDE][SIDE];
    int i = 0, j = 0, count = 0;
    find_common(a, b, common);
    while (i < a->count || j < b->count) {
        mutation_hunk hunk = {.first = i, .from = j};
        while ((i < a->count || j < b->count) &&
               !(i < a->count && j < b->count && same_line(a, i, b, j)))
            if (j == b->count || (i < a->count && common[i + 1][j] >= common[i][j + 1]))
                i++;
            else
                j++;
        hunk.end = i;
        hunk.to = j;
        if (i > hunk.first || j > hunk.from)
            hunks[count++] = hunk;
        for (; i < a->count && j < b->count && same_line(a, i, b, j); i++)
            j++;
    }
    return count;
}

/* On failure what was appended is cut off again. */
bool mutation_edit_apply(const mutation_reading *reading, const char *source, size_t length,
                         const char *edit, size_t edit_length, base_text *refined,
                         base_error *error)
{
    mutation_reader reader;
    size_t before = refined->length;
    const char *why = NULL;
    if (!reading->begin(&reader, source, length, error))
        return false;
    base_text_add(refined, "", 0);
    for (size_t i = 0; i < edit_length && !why; i++)
        why = reading->next(&reader, (unsigned char)edit[i], refined);
    if (!why)
        why = reading->end(&reader, refined);
    if (!why)
        return true;
    refined->length = before;
    if (refined->data)
        refined->data[before] = '\0';
    return base_fail(error, "the edit %s", why);
}

/* ---- percentages ---- */

/* The last number of a line, decimal digits that no name and no fraction has, from `least` to INT_MAX / 2:
 * where it is. False: there is none. */
static bool last_number(const char *line, size_t length, int least, size_t *at, size_t *digits,
                        int *value)
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
    return end > start && !joined && line[start] != '0' && *value >= least;
}

bool mutation_line_scales(const char *line, size_t length, int least)
{
    size_t at, digits;
    int value;
    return last_number(line, length, least, &at, &digits, &value);
}

bool mutation_line_scale(const char *line, size_t length, int percent, base_text *scaled)
{
    size_t at, digits;
    int value;
    if (!last_number(line, length, 1, &at, &digits, &value))
        return false;
    base_text_add(scaled, line, at);
    base_text_print(scaled, "%d", (int)((int64_t)value * percent / 100));
    base_text_add(scaled, line + at + digits, length - at - digits);
    return true;
}

/* value p / 100, cut, is `result` where 100 result <= value p < 100 (result + 1): a run of whole p, all
 * above 100 or all below, since at 100 itself nothing changes. */
int mutation_line_percentage(const char *line, size_t length, int least, const char *wanted,
                             size_t size)
{
    size_t at, digits, written = 0;
    int value;
    if (!last_number(line, length, least, &at, &digits, &value) || size < at)
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
    int64_t fewest = (100 * result + value - 1) / value, most = (100 * result + 99) / value;
    int64_t nearest = result > value ? fewest : most;
    return fewest <= most && nearest >= 1 && nearest <= MUTATION_MOST_PERCENT ? (int)nearest : 0;
}

int mutation_longer_percent(int begun, char digit)
{
    bool goes_on = digit >= '0' && digit <= '9' && !(digit == '0' && begun == 0);
    int longer = 10 * begun + (digit - '0');
    return goes_on && longer <= MUTATION_MOST_PERCENT ? longer : 0;
}

int mutation_begun_percent(int begun, int number)
{
    for (int p = 1; p <= MUTATION_MOST_PERCENT; p++) {
        bool begins = begun == 0 || p == begun || p / 10 == begun || p / 100 == begun;
        if (p != 100 && begins && number-- == 0)
            return p;
    }
    return 0;
}
