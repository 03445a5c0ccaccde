/* script.c -- edits by lines: found as a longest common subsequence, and applied in one pass.
 *
 * Reading is a machine of five states. Whatever a byte makes certain of the refinement is appended at
 * once: a number says that all lines before it stay. So a constraint on the refinement (prefix.h) can
 * follow a script as it is written. */
#include "refine/mutation/script.h"

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
    WITHIN       /* within a line */
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

/* ---- from two texts to a script ---- */

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
static void put_hunk(base_text *script, int first, int end, const lines *b, int from, int to)
{
    char numbers[2] = {(char)(NUMBER + first), (char)(NUMBER + end)};
    base_text_add(script, numbers, end == first + 1 && to > from ? 1 : 2);
    base_text_add(script, b->text + b->start[from], b->start[to] - b->start[from]);
}

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
            put_hunk(script, first, i, &b, from, j);
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

static const char *take_text(mutation_script_reader *r, char byte, base_text *refined)
{
    if (r->state == OUTSIDE)
        return "begins without a line number";
    if (r->state == TAKEN)
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

const char *mutation_script_next(mutation_script_reader *r, unsigned char byte, base_text *refined)
{
    if (byte < NUMBER)
        return take_text(r, (char)byte, refined);
    if (r->state == NUMBERED)
        return end_hunk(r, byte - NUMBER);
    if (r->state == WITHIN)
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
    if (r->state == WITHIN)
        return "has a line without a line feed";
    if (r->state == EMPTY)
        return "puts nothing where it takes nothing";
    if (r->made + r->lines - r->at > MUTATION_SCRIPT_LINES)
        return "makes more than 127 lines";
    copy_lines(r, r->lines, refined);
    return NULL;
}

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
