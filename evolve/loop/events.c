/* SPDX-License-Identifier: MIT */
/* events.c -- events as structs and as JSON. Both directions go through one table of rows, made
 * from the list in events.h: where a member lies in the struct, of which type it is, which events
 * have it.
 *
 * Reading is strict: an event has the members of its kind, in any order, each of its type, and what is
 * missing is named. So a journal of another build is refused at the first line that it would be misread
 * in, and not believed in part. */
#include "evolve/loop/events.h"
#include "base/hash.h"
#include "base/number.h"
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#define NAME(kind, name) name,
static const char *const names[] = {LOOP_EVENTS(NAME)};

#define BIT(kind, name) kind = 1 << LOOP_##kind,
#define MAY(kinds)      ((kinds) << LOOP_KINDS)
enum { LOOP_EVENTS(BIT) };

typedef enum member_type { text, hash, whole, real, truth, json, score } member_type;

#define ROW(type, member, events) {#member, type, offsetof(loop_event, member), events},
static const struct row {
    const char *name;
    member_type type;
    size_t offset;
    unsigned events;
} rows[] = {LOOP_MEMBERS(ROW)};
enum { ROWS = sizeof rows / sizeof *rows };

const char *loop_kind_name(loop_kind kind) { return names[kind]; }

static bool is_optional(const struct row *row, loop_kind kind)
{
    return row->events & MAY(1u << kind);
}

static bool is_of(const struct row *row, loop_kind kind)
{
    return row->events & 1u << kind || is_optional(row, kind);
}

/* NULL or 0: then an optional member is left out. */
static bool is_nothing(const struct row *row, const void *at)
{
    if (row->type == whole)
        return *(const loop_whole *)at == 0;
    if (row->type == real)
        return *(const loop_real *)at == 0;
    return row->type == json ? !((const loop_json *)at)->text : !*(const loop_text *)at;
}

static void print_value(member_type type, const void *at, base_text *line)
{
    const bool is_text = type == text || type == hash;
    const char *string = is_text        ? *(const loop_text *)at
                         : type == json ? ((const loop_json *)at)->text
                                        : NULL;
    if (is_text)
        base_json_put_string(line, string, strlen(string));
    else if (type == json)
        base_text_add(line, string, strlen(string));
    else if (type == whole)
        base_text_print(line, "%" PRId64, *(const loop_whole *)at);
    else if (type == real)
        base_json_put_number(line, *(const loop_real *)at);
    else
        base_text_print(line, "%s", *(const loop_truth *)at ? "true" : "false");
}

void loop_event_print(const loop_event *event, base_text *line)
{
    base_text_print(line, "\"event\":\"%s\"", names[event->kind]);
    for (const struct row *row = rows; row < rows + ROWS; row++) {
        const void *at = (const char *)event + row->offset;
        if (!is_of(row, event->kind) || (is_optional(row, event->kind) && is_nothing(row, at)))
            continue;
        if (row->type == score) {
            base_text_print(line, ",");
            score_members(at, line);
        } else {
            base_text_print(line, ",\"%s\":", row->name);
            print_value(row->type, at, line);
        }
    }
}

static bool read_value(const struct row *row, void *at, const base_json *object, const char *origin,
                       base_error *error)
{
    const base_json *value = base_json_get(object, row->name);
    if (row->type == text || row->type == hash)
        return base_json_get_string(object, row->name, at, origin, error) &&
               (row->type == text || !**(const loop_text *)at ||
                base_hash_is_text(*(const loop_text *)at) ||
                base_fail(error, "%s: \"%s\" is no SHA-256", origin, row->name));
    if (row->type == whole)
        return base_json_get_int(object, row->name, 0, INT64_MAX, at, origin, error);
    if (row->type == real)
        return base_json_get_number(object, row->name, at, origin, error);
    if (row->type == score)
        return score_read(at, object, origin, error);
    if (row->type == json)
        ((loop_json *)at)->value = value;
    else
        *(loop_truth *)at = value && value->kind == BASE_JSON_TRUE;
    if (value && row->type == truth && value->kind != BASE_JSON_TRUE &&
        value->kind != BASE_JSON_FALSE)
        return base_fail(error, "%s: \"%s\": expected true or false", origin, row->name);
    return value || base_fail(error, "%s: expected the member \"%s\"", origin, row->name);
}

bool loop_event_read(loop_event *event, const base_json *object, const char *origin,
                     base_error *error)
{
    const char *name;
    memset(event, 0, sizeof *event);
    event->json = object;
    if (!base_json_get_string(object, "event", &name, origin, error))
        return false;
    while (event->kind < LOOP_KINDS && strcmp(names[event->kind], name) != 0)
        event->kind++;
    if (event->kind == LOOP_KINDS)
        return base_fail(error, "%s: \"%s\" is no event", origin, name);
    for (const struct row *row = rows; row < rows + ROWS; row++) {
        bool is_there = is_of(row, event->kind) &&
                        !(is_optional(row, event->kind) && !base_json_get(object, row->name));
        if (is_there && !read_value(row, (char *)event + row->offset, object, origin, error))
            return false;
    }
    return event->kind != LOOP_FINISHED || base_hash_is_text(event->source) ||
           base_fail(error, "%s: \"source\" is no SHA-256", origin);
}

/* ---- differences ---- */

static bool is_equal(const base_json *a, const base_json *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == BASE_JSON_NUMBER)
        return a->number == b->number;
    if (a->kind == BASE_JSON_STRING)
        return a->length == b->length && memcmp(a->string, b->string, a->length) == 0;
    const base_json *x = a->child, *y = b->child;
    while (x && y && is_equal(x, y) && (!x->name || strcmp(x->name, y->name) == 0)) {
        x = x->next;
        y = y->next;
    }
    return !x && !y;
}

static void show(const base_json *value, char shown[80])
{
    static const char *const words[] = {
        [BASE_JSON_NULL] = "null",      [BASE_JSON_FALSE] = "false",
        [BASE_JSON_TRUE] = "true",      [BASE_JSON_ARRAY] = "another list",
        [BASE_JSON_OBJECT] = "another",
    };
    if (!value)
        base_print(shown, 80, "not there");
    else if (value->kind == BASE_JSON_NUMBER)
        base_print(shown, 80, "%.17g", value->number);
    else if (value->kind == BASE_JSON_STRING)
        base_print(shown, 80, "\"%.70s\"", value->string);
    else
        base_print(shown, 80, "%s", words[value->kind]);
}

bool loop_differs(const base_json *first, const base_json *second, loop_difference *difference)
{
    for (int swapped = 0; swapped < 2; swapped++) {
        const base_json *in = swapped ? second : first, *other = swapped ? first : second;
        for (const base_json *member = in ? in->child : NULL; member; member = member->next) {
            const base_json *same = base_json_get(other, member->name);
            if (same && is_equal(member, same))
                continue;
            if (same && member->kind == BASE_JSON_OBJECT && same->kind == BASE_JSON_OBJECT)
                return loop_differs(swapped ? same : member, swapped ? member : same, difference);
            difference->name = member->name;
            show(swapped ? same : member, difference->first);
            show(swapped ? member : same, difference->second);
            return true;
        }
    }
    return false;
}

bool loop_first_is(const loop_event *started, const char *own, const char *folder,
                   base_error *error)
{
    char first[BASE_HASH_TEXT] = "";
    if (own)
        base_hash_text(own, strlen(own), first);
    return strcmp(started->first ? started->first : "", first) == 0 ||
           base_fail(error, "%s: the first source is not that which the run began with", folder);
}
