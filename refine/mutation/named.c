/* SPDX-License-Identifier: MIT */
/* named.c -- lines by name, and numbers in them. */
#include "refine/mutation/named.h"

#include <stdint.h>
#include <string.h>

enum {
    MOST_NUMBERS = 9, /* an index is one digit */
    /* states */
    BETWEEN = 0, /* before a line */
    NAMED,       /* behind a name */
    INDEXED,     /* and an index */
    NUMBER,      /* within the number that a line gets */
    SCALED,      /* within a percentage */
    WITHIN       /* within a new line */
};

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || is_digit(c);
}

/* ---- names ---- */

/* FNV-1a (Fowler, Noll and Vo) of what stands before the first digit, without its blanks. */
static uint64_t hash_of(const char *line, size_t length)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length && !is_digit(line[i]); i++)
        if (line[i] != ' ')
            hash = (hash ^ (unsigned char)line[i]) * 0x100000001b3u;
    return hash;
}

static void name_lines(const mutation_lines *lines, unsigned char name[MUTATION_LINES])
{
    bool taken[MUTATION_LINES] = {false};
    for (int i = 0; i < lines->count; i++) {
        size_t length;
        const char *line = mutation_line(lines, i, &length);
        int at = (int)((hash_of(line, length) >> 40) % MUTATION_LINES);
        while (taken[at])
            at = (at + 1) % MUTATION_LINES;
        taken[at] = true;
        name[i] = (unsigned char)(MUTATION_LINE_BYTE + at);
    }
}

/* A line that begins as a change of the one before it would could be read as that. */
static bool begins_change(char c) { return c == '=' || c == '*' || is_digit(c); }

static bool cut(const char *text, size_t length, mutation_lines *lines, base_error *error)
{
    if (!mutation_lines_cut(text, length, lines, error))
        return false;
    for (int i = 0; i < lines->count; i++)
        if (begins_change(text[lines->start[i]]))
            return base_fail(error, "an edit by lines: line %d begins with a digit, \"=\" or \"*\"",
                             i + 1);
    return true;
}

bool mutation_named_source(const char *source, size_t length, base_text *named, base_error *error)
{
    mutation_lines lines;
    unsigned char name[MUTATION_LINES];
    if (!cut(source, length, &lines, error))
        return false;
    name_lines(&lines, name);
    for (int i = 0; i < lines.count; i++) {
        const char *line = mutation_line(&lines, i, &length);
        base_text_add(named, (const char *)&name[i], 1);
        base_text_add(named, line, length);
    }
    return true;
}

/* ---- numbers ---- */

/* What may stand in a number behind its first digit: "1e-05", "0.5f", "0x10" (C11 6.4.8, preprocessing
 * numbers). */
static bool goes_on(char before, char c)
{
    return is_word(c) || c == '.' || ((c == '-' || c == '+') && (before == 'e' || before == 'E'));
}

/* The index-th number of a line, from 1 on; digits of a name are none. Where it is, and how long. */
static bool find_number(const char *line, size_t length, int index, size_t *at, size_t *size)
{
    for (size_t i = 0, end; i < length; i = end) {
        end = i + 1;
        if (is_digit(line[i]))
            while (end < length && goes_on(line[end - 1], line[end]))
                end++;
        else if (is_word(line[i]))
            while (end < length && is_word(line[end]))
                end++;
        if (is_digit(line[i]) && --index == 0) {
            *at = i;
            *size = end - i;
            return true;
        }
    }
    return false;
}

static bool has_several(const char *line, size_t length)
{
    size_t at, size;
    return find_number(line, length, 2, &at, &size);
}

/* Whether the number of a line that is there may become a percentage of itself (lines.h): as the last one of what
 * ends with it, of which it is all digits. */
static bool scales(const char *line, size_t at, size_t size)
{
    size_t digits = 0;
    while (digits < size && is_digit(line[at + digits]))
        digits++;
    return digits == size && mutation_line_scales(line, at + size, MUTATION_LEAST_HALVED);
}

/* The index of the one number in which two lines differ, and where each has it; 0: they differ in something else
 * too, or not at all. */
static int other_number(const char *line, size_t length, const char *other, size_t other_length,
                        size_t *at, size_t *old_size, size_t *size)
{
    size_t other_at;
    for (int index = 1; index <= MOST_NUMBERS; index++) {
        if (!find_number(line, length, index, at, old_size) ||
            !find_number(other, other_length, index, &other_at, size) || *at != other_at ||
            memcmp(line, other, *at) != 0)
            return 0;
        if (*size == *old_size && memcmp(line + *at, other + *at, *size) == 0)
            continue;
        size_t rest = length - *at - *old_size;
        bool same = rest == other_length - *at - *size &&
                    memcmp(line + *at + *old_size, other + *at + *size, rest) == 0;
        return same ? index : 0;
    }
    return 0;
}

/* ---- from two texts ---- */

static void put_line(const mutation_lines *lines, int i, base_text *text)
{
    size_t length;
    const char *line = mutation_line(lines, i, &length);
    base_text_add(text, line, length);
}

/* The percentage that makes the one of the other, both up to their one number that differs; 0: none does. A half is
 * 50, of whatever number: of those that make it of a small one, the one nearest to 100 would tell what it was. */
static int percentage_of(const char *line, size_t length, const char *other, size_t other_length)
{
    base_text half = {0};
    bool is_half = mutation_line_scale(line, length, 50, &half) && half.length == other_length &&
                   memcmp(half.data, other, other_length) == 0;
    base_text_free(&half);
    return is_half
               ? 50
               : mutation_line_percentage(line, length, MUTATION_LEAST_HALVED, other, other_length);
}

/* b's line j, which is a's line i but for one number: as a percentage, if it is one. False: it is not. */
static bool put_change(const mutation_lines *a, const unsigned char *name, int i,
                       const mutation_lines *b, int j, base_text *text)
{
    size_t length, other_length, at, old_size, size;
    const char *line = mutation_line(a, i, &length), *other = mutation_line(b, j, &other_length);
    int index = other_number(line, length, other, other_length, &at, &old_size, &size);
    if (index == 0)
        return false;
    base_text_add(text, (const char *)&name[i], 1);
    if (has_several(line, length))
        base_text_print(text, "%d", index);
    int percent =
        scales(line, at, old_size) ? percentage_of(line, at + old_size, other, at + size) : 0;
    if (percent > 0) {
        base_text_print(text, "*%d\n", percent);
        return true;
    }
    base_text_add(text, "=", 1);
    base_text_add(text, other + at, size);
    base_text_add(text, "\n", 1);
    return true;
}

bool mutation_named_of(const char *source, size_t length, const char *refined,
                       size_t refined_length, base_text *named, base_error *error)
{
    mutation_lines a, b;
    mutation_hunk hunks[MUTATION_LINES + 1];
    unsigned char name[MUTATION_LINES];
    if (!cut(source, length, &a, error) || !cut(refined, refined_length, &b, error))
        return false;
    name_lines(&a, name);
    int count = mutation_lines_compare(&a, &b, hunks);
    for (int h = 0, i = 0, j = 0; h <= count; h++) {
        mutation_hunk end = {.first = a.count, .end = a.count, .from = b.count, .to = b.count};
        const mutation_hunk *hunk = h < count ? &hunks[h] : &end;
        for (; i < hunk->first; i++, j++)
            base_text_add(named, (const char *)&name[i], 1);
        bool paired = hunk->end - hunk->first == hunk->to - hunk->from;
        for (; j < hunk->to; i++, j++)
            if (!paired || !put_change(&a, name, i, &b, j, named))
                put_line(&b, j, named);
        i = hunk->end;
    }
    return true;
}

/* ---- and back ---- */

static bool begin(mutation_reader *r, const char *source, size_t length, base_error *error)
{
    *r = (mutation_reader){.state = BETWEEN};
    if (!cut(source, length, &r->source, error))
        return false;
    name_lines(&r->source, r->name);
    return true;
}

/* The line that was named stays as it is, if it is not yet said that it does not. */
static void close_line(mutation_reader *r, base_text *refined)
{
    if (r->state == NAMED)
        put_line(&r->source, r->line, refined);
    r->state = BETWEEN;
}

static const char *begin_line(mutation_reader *r, int state)
{
    if (r->made == MUTATION_LINES)
        return "makes more than 127 lines";
    r->made++;
    r->state = state;
    return NULL;
}

static const char *take_name(mutation_reader *r, unsigned char byte, base_text *refined)
{
    if (r->state != BETWEEN && r->state != NAMED)
        return "has a line without a line feed";
    close_line(r, refined);
    r->last = '\0';
    r->line = 0;
    while (r->line < r->source.count && r->name[r->line] != byte)
        r->line++;
    return r->line < r->source.count ? begin_line(r, NAMED) : "names a line that is not there";
}

/* "=", "*" or an index behind a name. */
static const char *begin_change(mutation_reader *r, char byte, base_text *refined)
{
    size_t length, at, size;
    const char *line = mutation_line(&r->source, r->line, &length);
    bool several = has_several(line, length);
    if (r->state == NAMED && is_digit(byte)) {
        r->index = byte - '0';
        r->state = INDEXED;
        return several && find_number(line, length, r->index, &at, &size)
                   ? NULL
                   : "changes a number that the line has not";
    }
    if (byte != '=' && byte != '*')
        return "has more than one digit for which number changes";
    if (r->state == NAMED && several)
        return "does not say which number of a line changes";
    if (r->state == NAMED)
        r->index = 1;
    if (!find_number(line, length, r->index, &at, &size))
        return "changes a number that the line has not";
    if (byte == '*' && !scales(line, at, size))
        return "scales what is no large number";
    r->percent = 0;
    r->state = byte == '=' ? NUMBER : SCALED;
    if (byte == '=')
        base_text_add(refined, line, at);
    return NULL;
}

/* A byte of the number, or the line feed behind it, with which the rest of the line comes. */
static const char *take_digit(mutation_reader *r, char byte, base_text *refined)
{
    size_t length, at, size;
    const char *line = mutation_line(&r->source, r->line, &length);
    if (byte == '\n' && r->last) {
        find_number(line, length, r->index, &at, &size);
        base_text_add(refined, line + at + size, length - at - size);
        r->state = BETWEEN;
        return NULL;
    }
    if (r->last ? !goes_on(r->last, byte) : !is_digit(byte))
        return "makes of a number what is none";
    r->last = byte;
    base_text_add(refined, &byte, 1);
    return NULL;
}

/* The line with a percentage of the number that changes. */
static void put_scaled(const mutation_reader *r, int percent, base_text *refined)
{
    size_t length, at, size;
    const char *line = mutation_line(&r->source, r->line, &length);
    find_number(line, length, r->index, &at, &size);
    mutation_line_scale(line, at + size, percent, refined);
    base_text_add(refined, line + at + size, length - at - size);
}

static const char *take_percent(mutation_reader *r, char byte, base_text *refined)
{
    if (byte == '\n' && r->percent > 0 && r->percent != 100) {
        put_scaled(r, r->percent, refined);
        r->state = BETWEEN;
        return NULL;
    }
    r->percent = mutation_longer_percent(r->percent, byte);
    return r->percent > 0 ? NULL : "has a percentage that is none of 1 to 200, or changes nothing";
}

static const char *take_text(mutation_reader *r, char byte, base_text *refined)
{
    const char *why = NULL;
    if (r->state == BETWEEN && begins_change(byte))
        return "begins a line with a digit, \"=\" or \"*\"";
    if (r->state != WITHIN) {
        close_line(r, refined);
        why = begin_line(r, WITHIN);
    }
    if (why)
        return why;
    base_text_add(refined, &byte, 1);
    r->state = byte == '\n' ? BETWEEN : WITHIN;
    return NULL;
}

static const char *take(mutation_reader *r, unsigned char byte, base_text *refined)
{
    if (byte >= MUTATION_LINE_BYTE)
        return take_name(r, byte, refined);
    if (r->state == NUMBER)
        return take_digit(r, (char)byte, refined);
    if (r->state == SCALED)
        return take_percent(r, (char)byte, refined);
    if (r->state == INDEXED || (r->state == NAMED && begins_change((char)byte)))
        return begin_change(r, (char)byte, refined);
    return take_text(r, (char)byte, refined);
}

/* A new line can be anything, so it is never all that can follow. */
static bool needs_line(const mutation_reader *r)
{
    (void)r;
    return false;
}

static bool holds(const mutation_reader *r) { return r->state != BETWEEN && r->state != WITHIN; }

static bool way_of(const mutation_reader *r, int way, base_text *before, const char **after,
                   size_t *length)
{
    size_t whole, at, size;
    int index = r->state == NAMED ? way : r->index;
    if (!holds(r) || (way > 0 && r->state != NAMED && r->state != SCALED))
        return false;
    const char *line = mutation_line(&r->source, r->line, &whole);
    *after = NULL;
    if (r->state == SCALED) {
        int percent = mutation_begun_percent(r->percent, way);
        if (percent > 0)
            put_scaled(r, percent, before);
        return percent > 0;
    }
    if (index == 0) {
        base_text_add(before, line, whole);
        return true;
    }
    if (!find_number(line, whole, index, &at, &size))
        return false;
    if (r->state != NUMBER)
        base_text_add(before, line, at);
    *after = line + at + size;
    *length = whole - at - size;
    return true;
}

static const char *finish(mutation_reader *r, base_text *refined)
{
    if (r->state != BETWEEN && r->state != NAMED)
        return "has a line without a line feed";
    close_line(r, refined);
    return NULL;
}

const mutation_reading mutation_named = {begin, take, finish, needs_line, holds, way_of};
