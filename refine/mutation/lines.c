/* SPDX-License-Identifier: MIT */
/* lines.c -- the lines that two sources have in common: a longest common subsequence. */
#include "refine/mutation/lines.h"

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
