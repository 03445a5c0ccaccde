/* SPDX-License-Identifier: MIT */
/* script.c -- edits by lines: the hunks in which two sources differ, applied in one pass.
 *
 * Reading is a machine of a few states. Whatever a byte makes certain of the refinement is appended at
 * once: a number says that all lines before it stay. So a constraint on the refinement (prefix.h) can
 * follow a script as it is written. */
#include "refine/mutation/script.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

enum {
    NUMBER = MUTATION_LINE_BYTE, /* of line 0 */
    /* states */
    OUTSIDE = 0, /* before the first hunk */
    NUMBERED,    /* behind `first` */
    REPLACED,    /* behind whole lines of a hunk, or an end that needs none */
    EMPTY,       /* behind an end that needs a line: nothing was taken away */
    TAKEN,       /* behind an end that takes one line away, and puts none in its place */
    WITHIN,      /* within a line */
    SCALED       /* behind "*", within a percentage */
};

/* numbered = { number line }: what a T5 reads, with a byte of 0x80 + i in front of line i. */
bool mutation_script_number(const char *source, size_t length, base_text *numbered,
                            base_error *error)
{
    mutation_lines lines;
    if (!mutation_lines_cut(source, length, &lines, error))
        return false;
    for (int i = 0; i < lines.count; i++) {
        char number = (char)(NUMBER + i);
        const char *line = mutation_line(&lines, i, &length);
        base_text_add(numbered, &number, 1);
        base_text_add(numbered, line, length);
    }
    return true;
}

/* ---- from two texts to a script ---- */

/* The hunk that takes a's lines first .. end - 1 away and puts b's lines from .. to - 1 there. */
static void put_hunk(base_text *script, const mutation_lines *a, const mutation_lines *b,
                     const mutation_hunk *h)
{
    char numbers[2] = {(char)(NUMBER + h->first), (char)(NUMBER + h->end)};
    const char *old = a->text + a->start[h->first], *new = b->text + b->start[h->from];
    size_t old_length = a->start[h->end] - a->start[h->first];
    size_t new_length = b->start[h->to] - b->start[h->from];
    bool one = h->end == h->first + 1 && new_length > 0, is_star = new_length > 0 && *new == '*';
    int percent =
        one && h->to == h->from + 1
            ? mutation_line_percentage(old, old_length, MUTATION_LEAST_SCALED, new, new_length)
            : 0;
    base_text_add(script, numbers, percent > 0 || (one && !is_star) ? 1 : 2);
    if (percent > 0)
        base_text_print(script, "*%d\n", percent);
    else
        base_text_add(script, new, new_length);
}

bool mutation_script_of(const char *source, size_t length, const char *refined,
                        size_t refined_length, base_text *script, base_error *error)
{
    mutation_lines a, b;
    mutation_hunk hunks[MUTATION_LINES + 1];
    if (!mutation_lines_cut(source, length, &a, error) ||
        !mutation_lines_cut(refined, refined_length, &b, error))
        return false;
    int count = mutation_lines_compare(&a, &b, hunks);
    for (int i = 0; i < count; i++)
        put_hunk(script, &a, &b, &hunks[i]);
    return true;
}

/* ---- and back ---- */

static bool begin(mutation_reader *r, const char *source, size_t length, base_error *error)
{
    *r = (mutation_reader){.state = OUTSIDE};
    return mutation_lines_cut(source, length, &r->source, error);
}

/* Lines of the source up to `end` stay as they are. */
static void copy_lines(mutation_reader *r, int end, base_text *refined)
{
    const mutation_lines *l = &r->source;
    base_text_add(refined, l->text + l->start[r->at], l->start[end] - l->start[r->at]);
    r->made += end - r->at;
    r->at = end;
}

/* A number where a hunk begins. */
static const char *begin_hunk(mutation_reader *r, int line, base_text *refined)
{
    if (line > r->source.count)
        return "names a line that is not there";
    if (line < r->at)
        return "goes back";
    copy_lines(r, line, refined);
    r->line = line;
    r->state = NUMBERED;
    return NULL;
}

/* A number behind another one. */
static const char *end_hunk(mutation_reader *r, int line)
{
    if (line > r->source.count)
        return "names a line that is not there";
    if (line < r->line)
        return "ends before it begins";
    r->at = line;
    r->state = line == r->line ? EMPTY : line == r->line + 1 ? TAKEN : REPLACED;
    return NULL;
}

/* The line that a hunk with a percentage is about. */
static const char *line_of(const mutation_reader *r, size_t *length)
{
    return mutation_line(&r->source, r->line, length);
}

/* Behind "*": a percentage of 1 to 200, but 100. */
static const char *take_percent(mutation_reader *r, char byte, base_text *refined)
{
    size_t length;
    const char *line = line_of(r, &length);
    if (byte == '\n') {
        if (r->percent == 0 || r->percent == 100)
            return "has a percentage that changes nothing";
        mutation_line_scale(line, length, r->percent, refined);
        r->made++;
        r->at = r->line + 1;
        r->state = REPLACED;
        return NULL;
    }
    r->percent = mutation_longer_percent(r->percent, byte);
    return r->percent > 0 ? NULL : "has a percentage that is none of 1 to 200";
}

/* Refused before any digit, so that a writer who is constrained never has to take a "*" back. */
static const char *begin_percent(mutation_reader *r)
{
    size_t length;
    const char *line = line_of(r, &length);
    if (!mutation_line_scales(line, length, MUTATION_LEAST_SCALED))
        return "scales a line without a large number";
    if (r->made == MUTATION_LINES)
        return "makes more than 127 lines";
    r->percent = 0;
    r->state = SCALED;
    return NULL;
}

/* A byte that is no number: of a line, or of a percentage. What is refused would have two readings, or is
 * a script that mutation_script_of() writes otherwise. */
static const char *take_text(mutation_reader *r, char byte, base_text *refined)
{
    if (r->state == SCALED)
        return take_percent(r, byte, refined);
    if (r->state == OUTSIDE)
        return "begins without a line number";
    if (r->state == NUMBERED && r->line < r->source.count && byte == '*')
        return begin_percent(r);
    if (r->state == TAKEN && byte != '*')
        return "says the end of one line that it replaces";
    if (r->state == NUMBERED && r->line == r->source.count)
        return "replaces a line that is not there";
    if (r->state == NUMBERED)
        r->at = r->line + 1;
    if (r->state != WITHIN && r->made == MUTATION_LINES)
        return "makes more than 127 lines";
    r->made += r->state != WITHIN;
    r->state = byte == '\n' ? REPLACED : WITHIN;
    base_text_add(refined, &byte, 1);
    return NULL;
}

/* Which states a number may follow; a number that ends a hunk gives it its length. */
static const char *take(mutation_reader *r, unsigned char byte, base_text *refined)
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

static const char *finish(mutation_reader *r, base_text *refined)
{
    if (r->state == NUMBERED)
        return "ends behind a line number";
    if (r->state == WITHIN || r->state == SCALED)
        return "has a line without a line feed";
    if (r->state == EMPTY)
        return "puts nothing where it takes nothing";
    if (r->made + r->source.count - r->at > MUTATION_LINES)
        return "makes more than 127 lines";
    copy_lines(r, r->source.count, refined);
    return NULL;
}

static bool needs_line(const mutation_reader *r)
{
    return r->state == EMPTY || (r->state == NUMBERED && r->line == r->source.count);
}

static bool holds(const mutation_reader *r) { return r->state == SCALED; }

/* Each percentage that begins as written is a way. */
static bool way_of(const mutation_reader *r, int way, base_text *before, const char **after,
                   size_t *length)
{
    const char *line = line_of(r, length);
    int percent = r->state == SCALED ? mutation_begun_percent(r->percent, way) : 0;
    *after = NULL;
    return percent > 0 && mutation_line_scale(line, *length, percent, before);
}

const mutation_reading mutation_script = {begin, take, finish, needs_line, holds, way_of};
