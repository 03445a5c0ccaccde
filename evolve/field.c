/* SPDX-License-Identifier: MIT */
/* field.c -- one reader and three writers for every table of fields: what a table's rows say of
 * kinds, ranges and names is all that the command line, --help, JSON and a worker's arguments
 * need to know. */
#include "evolve/field.h"
#include "base/guess.h"
#include "base/json.h"
#include "base/number.h"
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const evolve_field *evolve_field_find(const evolve_field *fields, const char *name)
{
    for (; fields && fields->name; fields++)
        if (strcmp(fields->name, name) == 0)
            return fields;
    return NULL;
}

static void *place(const evolve_field *field, void *of) { return (char *)of + field->offset; }

static const void *value_of(const evolve_field *field, const void *of)
{
    return (const char *)of + field->offset;
}

/* The index of the name. A word that is none gets all names in the message, and the nearest of them. */
static bool set_named(const evolve_field *field, void *of, const char *text, base_error *error)
{
    base_text expected = {0};
    base_guess guess = {.word = text};
    for (int i = 0; field->names[i]; i++) {
        if (strcmp(field->names[i], text) == 0) {
            *(int64_t *)place(field, of) = i;
            base_text_free(&expected);
            return true;
        }
        base_guess_offer(&guess, field->names[i]);
        base_text_print(&expected, "%s%s", i ? ", " : "", field->names[i]);
    }
    base_fail(error, "--%s %s: expected one of %s%s%s%s", field->name, text,
              expected.failed ? "its names" : expected.data, guess.name ? "; did you mean " : "",
              guess.name ? guess.name : "", guess.name ? "?" : "");
    base_text_free(&expected);
    return false;
}

static bool set_number(const evolve_field *field, void *of, const char *text, base_error *error)
{
    bool is_whole = field->kind == EVOLVE_WHOLE;
    char *end;
    errno = 0;
    long long whole = is_whole ? strtoll(text, &end, 10) : 0;
    double real = is_whole ? (double)whole : base_read_number(text, &end);
    /* No white space, no hexadecimal digits, no "inf", which the readers would take as well. */
    bool is_number =
        end != text && *end == '\0' && errno == 0 && text[strspn(text, "+-.0123456789eE")] == '\0';
    if (!is_number || !(real >= field->low && real <= field->high))
        return base_fail(error,
                         is_whole ? "--%s %s: expected a whole number from %.0f to %.0f"
                                  : "--%s %s: expected a number from %.15g to %.15g",
                         field->name, text, field->low, field->high);
    if (is_whole)
        *(int64_t *)place(field, of) = whole;
    else
        *(double *)place(field, of) = real + 0.0; /* -0 is 0, and printed so */
    return true;
}

bool evolve_field_set(const evolve_field *field, void *of, const char *text, base_error *error)
{
    if (field->kind == EVOLVE_NAMED)
        return set_named(field, of, text, error);
    if (field->kind == EVOLVE_TEXT)
        *(const char **)place(field, of) = text;
    else if (field->kind == EVOLVE_FLAG)
        *(bool *)place(field, of) = true;
    else
        return set_number(field, of, text, error);
    return true;
}

/* The value as text: what --name takes, and for numbers what JSON takes. */
static void print_value(const evolve_field *field, const void *of, base_text *text)
{
    const void *value = value_of(field, of);
    if (field->kind == EVOLVE_REAL)
        base_json_put_number(text, *(const double *)value);
    else if (field->kind == EVOLVE_NAMED)
        base_text_print(text, "%s", field->names[*(const int64_t *)value]);
    else if (field->kind == EVOLVE_WHOLE)
        base_text_print(text, "%" PRId64, *(const int64_t *)value);
    else if (field->kind == EVOLVE_TEXT)
        base_text_print(text, "%s", *(const char *const *)value);
}

/* A text that is NULL and a number that is marked EVOLVE_UNLESS_0 and is 0 are not written down. */
static bool has_value(const evolve_field *field, const void *of)
{
    const void *value = value_of(field, of);
    if (field->kind == EVOLVE_TEXT)
        return *(const char *const *)value;
    return !(field->marks & EVOLVE_UNLESS_0) ||
           (field->kind == EVOLVE_REAL ? *(const double *)value != 0
                                       : *(const int64_t *)value != 0);
}

static bool is_marked(const evolve_field *field, unsigned marks)
{
    return !marks || field->marks & marks;
}

/* Members in the order of the rows: two prints of the same values are the same bytes. */
void evolve_fields_print(const evolve_field *fields, unsigned marks, const void *of,
                         base_text *json)
{
    base_text value = {0};
    const char *comma = "";
    for (const evolve_field *f = fields; f->name; f++) {
        bool quoted = f->kind == EVOLVE_NAMED || f->kind == EVOLVE_TEXT;
        if (!is_marked(f, marks) || !has_value(f, of))
            continue;
        base_text_clear(&value);
        base_text_add(&value, "", 0);
        print_value(f, of, &value);
        base_text_print(json, "%s\"%s\":", comma, f->name);
        comma = ",";
        if (value.failed)
            break;
        if (quoted)
            base_json_put_string(json, value.data, value.length);
        else
            base_text_add(json, value.data, value.length);
    }
    json->failed = json->failed || value.failed;
    base_text_free(&value);
}

/* Where memory runs out an argument is NULL: the caller finds it when it looks through argv before exec. */
void evolve_fields_arguments(const evolve_field *fields, unsigned marks, const void *of,
                             char **argv, int *count, int most)
{
    for (const evolve_field *f = fields; f->name; f++) {
        if (!is_marked(f, marks) || !has_value(f, of))
            continue;
        assert(*count + 2 <= most);
        base_text value = {0}, flag = {0};
        base_text_print(&flag, "--%s", f->name);
        base_text_add(&value, "", 0);
        print_value(f, of, &value);
        argv[(*count)++] = flag.failed ? NULL : base_copy(flag.data, flag.length);
        argv[(*count)++] = value.failed ? NULL : base_copy(value.data, value.length);
        base_text_free(&flag);
        base_text_free(&value);
    }
    (void)most;
}

/* An option that was not given may have a number that nobody can give: there is no default then. */
static bool is_within(const evolve_field *field, const void *defaults)
{
    const void *value = value_of(field, defaults);
    double number = field->kind == EVOLVE_REAL    ? *(const double *)value
                    : field->kind == EVOLVE_WHOLE ? (double)*(const int64_t *)value
                                                  : field->low;
    return number >= field->low && number <= field->high;
}

/* What a field may be and what it is, behind its help. */
static void print_range(const evolve_field *field, const void *defaults, base_text *text)
{
    const char *const *words = (const char *const *)value_of(field, defaults);
    if (field->kind == EVOLVE_FLAG || (field->kind == EVOLVE_TEXT && !(*words && **words)))
        return;
    base_text_print(text, " (");
    if (field->kind == EVOLVE_NAMED)
        for (int i = 0; field->names[i]; i++)
            base_text_print(text, "%s%s", i ? ", " : "", field->names[i]);
    else if (field->kind != EVOLVE_TEXT)
        base_text_print(text, field->kind == EVOLVE_WHOLE ? "%.0f .. %.0f" : "%.15g .. %.15g",
                        field->low, field->high);
    if (is_within(field, defaults)) {
        base_text_print(text, "%sdefault ", field->kind == EVOLVE_TEXT ? "" : "; ");
        print_value(field, defaults, text);
    }
    base_text_print(text, ")");
}

void evolve_field_help(const evolve_field *field, const void *defaults, base_text *text)
{
    base_text_print(text, "%s", field->help);
    print_range(field, defaults, text);
}
