/* diff.c -- longest common subsequence by dynamic programming over lines. */
#include "evolve/diff.h"
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

static void put(base_text *text, char sign, const lines *from, int i)
{
    base_text_print(text, "%c %.*s\n", sign, (int)from->length[i], from->start[i]);
}

/* common[i][j]: length of the longest common subsequence of a's lines from i and b's from j. */
static void walk(const lines *a, const lines *b, const uint16_t *common, base_text *text)
{
    size_t width = (size_t)b->count + 1;
    int i = 0, j = 0;
    while (i < a->count || j < b->count) {
        if (i < a->count && j < b->count && same(a, i, b, j)) {
            i++;
            j++;
        } else if (j == b->count ||
                   (i < a->count && common[(size_t)(i + 1) * width + (size_t)j] >=
                                        common[(size_t)i * width + (size_t)j + 1])) {
            put(text, '-', a, i++);
        } else {
            put(text, '+', b, j++);
        }
    }
}

static void compare(const lines *a, const lines *b, base_text *text)
{
    size_t width = (size_t)b->count + 1;
    uint16_t *common = calloc(((size_t)a->count + 1) * width, sizeof *common);
    if (!common) {
        text->failed = true;
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
    walk(a, b, common, text);
    free(common);
}

void evolve_diff(const char *before, const char *after, base_text *text)
{
    lines *both = malloc(2 * sizeof *both);
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
        compare(&both[0], &both[1], text);
    free(both);
}
