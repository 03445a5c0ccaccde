/* SPDX-License-Identifier: MIT */
/* diff.c -- longest common subsequence by dynamic programming over lines. */
#include "base/diff.h"
#include "base/memory.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LINES = 2000 };

typedef struct lines {
    const char *start[MOST_LINES + 1];
    size_t length[MOST_LINES + 1];
    int count;
} lines;

static void split(const char *text, lines *out)
{
    out->count = 0;
    while (*text && out->count <= MOST_LINES) {
        const char *end = strchr(text, '\n');
        size_t length = end ? (size_t)(end - text) : strlen(text);
        out->start[out->count] = text;
        out->length[out->count++] = length;
        text += length + (end != NULL);
    }
}

static bool same(const lines *a, int i, const lines *b, int j)
{
    return a->length[i] == b->length[j] && memcmp(a->start[i], b->start[j], a->length[i]) == 0;
}

/* One line of the comparison: in a alone ('-', before = its index), in b alone ('+'), in both ('
 * '). before, after: how many lines of each come before it. */
typedef struct edit {
    char sign;
    int before, after;
} edit;

/* common[i][j]: length of the longest common subsequence of a's lines from i and b's from j.
 * Returns how many edits. */
static int walk(const lines *a, const lines *b, const uint16_t *common, edit *edits)
{
    size_t width = (size_t)b->count + 1;
    int i = 0, j = 0, n = 0;
    while (i < a->count || j < b->count) {
        edit *e = &edits[n++];
        *e = (edit){' ', i, j};
        if (i < a->count && j < b->count && same(a, i, b, j)) {
            i++;
            j++;
        } else if (j == b->count ||
                   (i < a->count && common[(size_t)(i + 1) * width + (size_t)j] >=
                                        common[(size_t)i * width + (size_t)j + 1])) {
            e->sign = '-';
            i++;
        } else {
            e->sign = '+';
            j++;
        }
    }
    return n;
}

static void put(base_text *text, const char *sign, const edit *e, const lines *a, const lines *b)
{
    const lines *from = e->sign == '+' ? b : a;
    int i = e->sign == '+' ? e->after : e->before;
    base_text_print(text, "%s", sign);
    base_text_add(text, from->start[i], from->length[i]);
    base_text_add(text, "\n", 1);
}

/* From edits[first] to before edits[end]. An empty side is named by the line before it. */
static void put_hunk(base_text *text, const edit *edits, int first, int end, const lines *a,
                     const lines *b)
{
    int removed = 0, added = 0;
    for (int i = first; i < end; i++) {
        removed += edits[i].sign != '+';
        added += edits[i].sign != '-';
    }
    base_text_print(text, "@@ -%d,%d +%d,%d @@\n", edits[first].before + (removed > 0), removed,
                    edits[first].after + (added > 0), added);
    for (int i = first; i < end; i++)
        put(text, (char[]){edits[i].sign, '\0'}, &edits[i], a, b);
}

/* Two changes share a hunk where no more than 2 * context common lines are between them. */
static void put_hunks(base_text *text, const edit *edits, int n, int context, const lines *a,
                      const lines *b)
{
    int i = 0;
    while (i < n) {
        if (edits[i].sign == ' ') {
            i++;
            continue;
        }
        int first = i > context ? i - context : 0, last = i;
        for (; i < n && i - last <= 2 * context + 1; i++)
            if (edits[i].sign != ' ')
                last = i;
        int end = last + 1 + context < n ? last + 1 + context : n;
        put_hunk(text, edits, first, end, a, b);
        i = end;
    }
}

/* context < 0: only what changed, as base_diff prints it. */
static void compare(const lines *a, const lines *b, int context, base_text *text)
{
    size_t width = (size_t)b->count + 1;
    uint16_t *common = base_calloc(((size_t)a->count + 1) * width, sizeof *common);
    edit *edits = base_calloc((size_t)(a->count + b->count) + 1, sizeof *edits);
    if (!common || !edits) {
        text->failed = true;
        base_free(common);
        base_free(edits);
        return;
    }
    for (int i = a->count - 1; i >= 0; i--) {
        for (int j = b->count - 1; j >= 0; j--) {
            uint16_t *here = &common[(size_t)i * width + (size_t)j];
            uint16_t down = here[width], right = here[1];
            *here =
                same(a, i, b, j) ? (uint16_t)(here[width + 1] + 1) : (down > right ? down : right);
        }
    }
    int n = walk(a, b, common, edits);
    if (context >= 0)
        put_hunks(text, edits, n, context, a, b);
    else
        for (int i = 0; i < n; i++)
            if (edits[i].sign != ' ')
                put(text, edits[i].sign == '-' ? "- " : "+ ", &edits[i], a, b);
    base_free(common);
    base_free(edits);
}

static void diff(const char *before, const char *after, int context, base_text *text)
{
    lines *both = base_malloc(2 * sizeof *both);
    if (!both) {
        text->failed = true;
        return;
    }
    split(before, &both[0]);
    split(after, &both[1]);
    if (both[0].count > MOST_LINES || both[1].count > MOST_LINES)
        base_text_print(text, "- (more than %d lines)\n+ (more than %d lines)\n", MOST_LINES,
                        MOST_LINES);
    else
        compare(&both[0], &both[1], context, text);
    base_free(both);
}

void base_diff(const char *before, const char *after, base_text *text)
{
    diff(before, after, -1, text);
}

void base_diff_unified(const char *before, const char *after, int context, base_text *text)
{
    diff(before, after, context, text);
}
