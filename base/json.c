/* SPDX-License-Identifier: MIT */
/* json.c -- a JSON reader by recursive descent, and the two writers that need care.
 *
 * How many values a text can hold is known from its skeleton: the first value, and one more after
 * each '[', '{' and ',' outside of strings. Unescaped strings are never longer than what stands
 * between their quotes. So one scan of the text bounds the memory of the tree, and the parser proper
 * never runs out of it: nodes come from the front of one block, strings from its back. A hostile
 * text costs at most one node (72 bytes) for each of its bytes, and that only in address space: the
 * parser stops at the first error and touches no memory beyond. */
#include "base/json.h"

#include "base/file.h"
#include "base/kind.h"
#include "base/memory.h"
#include "base/number.h"
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NUMBER_TEXT = 1024, /* longest number + 1; the exact digits of any double fit */
    FEW_MEMBERS = 8     /* objects up to this size are searched for duplicates by pairs */
};

typedef struct parser {
    const char *text, *at, *end;
    const char *origin;
    base_json *nodes, *nodes_end; /* those not yet used */
    char *strings, *strings_end;
    base_error *error;
} parser;

static base_json *parse_value(parser *p, int depth);

/* ---- Messages ---- */

/* Lines and columns count from 1; a column is a character, not a byte. */
static void locate(const parser *p, const char *place, size_t *line, size_t *column)
{
    *line = 1;
    *column = 1;
    for (const char *c = p->text; c < place; c++) {
        if (*c == '\n') {
            *line += 1;
            *column = 1;
        } else if (((unsigned char)*c & 0xC0) != 0x80) {
            *column += 1;
        }
    }
}

/* "origin:line:column: expected ..., found ...". The result is NULL and false to all callers. */
static void *fail_at(const parser *p, const char *place, const char *expected)
{
    size_t line, column;
    locate(p, place, &line, &column);
    char found[32];
    if (place == p->end)
        snprintf(found, sizeof found, "the end of the text");
    else if (*place > ' ' && *place < 127)
        snprintf(found, sizeof found, "'%c'", *place);
    else
        snprintf(found, sizeof found, "byte 0x%02x", (unsigned)(unsigned char)*place);
    base_fail(p->error, "%s:%zu:%zu: expected %s, found %s", p->origin, line, column, expected,
              found);
    return NULL;
}

/* ---- Characters ---- */

static void skip_space(parser *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r'))
        p->at++;
}

static bool next_is(const parser *p, char c) { return p->at < p->end && *p->at == c; }

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static char *put_utf8(char *out, uint32_t code)
{
    if (code < 0x80) {
        *out++ = (char)code;
    } else if (code < 0x800) {
        *out++ = (char)(0xC0 | code >> 6);
        *out++ = (char)(0x80 | (code & 63));
    } else if (code < 0x10000) {
        *out++ = (char)(0xE0 | code >> 12);
        *out++ = (char)(0x80 | (code >> 6 & 63));
        *out++ = (char)(0x80 | (code & 63));
    } else {
        *out++ = (char)(0xF0 | code >> 18);
        *out++ = (char)(0x80 | (code >> 12 & 63));
        *out++ = (char)(0x80 | (code >> 6 & 63));
        *out++ = (char)(0x80 | (code & 63));
    }
    return out;
}

/* ---- Strings ---- */

/* Four hexadecimal digits; false: at the first that is none. */
static bool parse_hex4(parser *p, uint32_t *code)
{
    *code = 0;
    for (int i = 0; i < 4; i++) {
        char c = p->at < p->end ? *p->at : '\0';
        uint32_t digit = is_digit(c)            ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                                : 16;
        if (digit == 16)
            return fail_at(p, p->at, "a hexadecimal digit");
        *code = *code << 4 | digit;
        p->at++;
    }
    return true;
}

/* What follows "\u": a character, or a high surrogate, "\u" and a low one. NULL: no such thing. */
static char *parse_unicode(parser *p, char *out)
{
    uint32_t code, low;
    const char *start = p->at;
    if (!parse_hex4(p, &code))
        return NULL;
    if (code >= 0xDC00 && code <= 0xDFFF)
        return fail_at(p, start, "a character, not the second half of one");
    if (code < 0xD800 || code > 0xDFFF)
        return put_utf8(out, code);
    if (p->end - p->at < 2 || p->at[0] != '\\' || p->at[1] != 'u')
        return fail_at(p, p->at, "\\u and the second half of a character");
    p->at += 2;
    start = p->at;
    if (!parse_hex4(p, &low))
        return NULL;
    if (low < 0xDC00 || low > 0xDFFF)
        return fail_at(p, start, "the second half of a character");
    return put_utf8(out, 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00));
}

/* What follows a backslash. */
static char *parse_escape(parser *p, char *out)
{
    static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *name = p->at < p->end && *p->at ? strchr(names, *p->at) : NULL;
    if (name) {
        p->at++;
        *out++ = meanings[name - names];
        return out;
    }
    if (!next_is(p, 'u'))
        return fail_at(p, p->at, "one of \"\\/bfnrtu after a backslash");
    p->at++;
    return parse_unicode(p, out);
}

/* How many characters of ASCII that stand for themselves come next: most of all strings. */
static size_t plain_length(const parser *p)
{
    const char *at = p->at;
    while (at < p->end && *at >= ' ' && *at < 127 && *at != '"' && *at != '\\')
        at++;
    return (size_t)(at - p->at);
}

/* string = '"' { character | escape } '"'; the result is NUL-terminated, in the tree's block. */
static const char *parse_string(parser *p, size_t *length)
{
    char *start = p->strings, *out = start;
    p->at++;
    while (!next_is(p, '"')) {
        if (p->at == p->end)
            return fail_at(p, p->at, "a closing quote");
        if (*p->at == '\\') {
            p->at++;
            out = parse_escape(p, out);
            if (!out)
                return NULL;
            continue;
        }
        if ((unsigned char)*p->at < ' ')
            return fail_at(p, p->at, "an escape for a control character");
        size_t count = plain_length(p);
        if (count == 0)
            count = base_utf8_length(p->at, (size_t)(p->end - p->at));
        if (count == 0)
            return fail_at(p, p->at, "well-formed UTF-8");
        memcpy(out, p->at, count);
        out += count;
        p->at += count;
    }
    p->at++;
    *length = (size_t)(out - start);
    *out++ = '\0';
    assert(out <= p->strings_end);
    p->strings = out;
    return start;
}

/* ---- Numbers ---- */

static bool skip_digits(parser *p)
{
    if (p->at == p->end || !is_digit(*p->at))
        return fail_at(p, p->at, "a digit");
    while (p->at < p->end && is_digit(*p->at))
        p->at++;
    return true;
}

/* number = ["-"] ("0" | digit1-9 digits) ["." digits] [("e" | "E") ["+" | "-"] digits] */
static bool skip_number(parser *p, bool *is_integer)
{
    *is_integer = true;
    if (next_is(p, '-'))
        p->at++;
    if (next_is(p, '0'))
        p->at++;
    else if (!skip_digits(p))
        return false;
    if (next_is(p, '.')) {
        *is_integer = false;
        p->at++;
        if (!skip_digits(p))
            return false;
    }
    if (next_is(p, 'e') || next_is(p, 'E')) {
        *is_integer = false;
        p->at++;
        if (next_is(p, '+') || next_is(p, '-'))
            p->at++;
        return skip_digits(p);
    }
    return true;
}

/* The value of ["-"] digits; false: it does not fit. It is built up below zero, where there is
 * one number more than above. */
static bool read_integer(const char *digits, int64_t *value)
{
    bool negative = *digits == '-';
    int64_t sum = 0;
    for (const char *c = digits + negative; *c; c++) {
        int digit = *c - '0';
        if (sum < (INT64_MIN + digit) / 10)
            return false;
        sum = sum * 10 - digit;
    }
    if (!negative && sum == INT64_MIN)
        return false;
    *value = negative ? sum : -sum;
    return true;
}

static base_json *parse_number(parser *p, base_json *node)
{
    const char *start = p->at;
    bool is_integer;
    if (!skip_number(p, &is_integer))
        return NULL;

    char copy[NUMBER_TEXT]; /* ends with a NUL, and holds nothing that was not checked */
    size_t length = (size_t)(p->at - start);
    if (length >= sizeof copy)
        return fail_at(p, start, "a number of fewer than 1024 characters");
    memcpy(copy, start, length);
    copy[length] = '\0';
    node->kind = BASE_JSON_NUMBER;
    node->is_integer = is_integer && read_integer(copy, &node->integer);
    /* Up to 15 digits are exact without being read once more. -0 is a number of its own. */
    if (node->is_integer && length <= 15 && *copy != '-') {
        node->number = (double)node->integer;
        return node;
    }
    node->number = base_read_number(copy, NULL);
    return isfinite(node->number) ? node : fail_at(p, start, "a number that a double can hold");
}

/* ---- Objects and arrays ---- */

/* Most names differ in their first byte, for which no function is called. */
static int compare_names(const void *a, const void *b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    return *x != *y ? (unsigned char)*x - (unsigned char)*y : strcmp(x, y);
}

/* A name that occurs twice. Large objects are sorted, so that n members cost n log n comparisons
 * whatever their names are. *failed: no memory for that. */
static const char *duplicate_name(const base_json *object, bool *failed)
{
    *failed = false;
    if (object->length <= FEW_MEMBERS) {
        for (const base_json *a = object->child; a; a = a->next)
            for (const base_json *b = a->next; b; b = b->next)
                if (strcmp(a->name, b->name) == 0)
                    return a->name;
        return NULL;
    }
    const char **names = base_malloc(object->length * sizeof *names), *duplicate = NULL;
    if (!names) {
        *failed = true;
        return NULL;
    }
    size_t count = 0;
    for (const base_json *a = object->child; a; a = a->next)
        names[count++] = a->name;
    qsort(names, count, sizeof *names, compare_names);
    for (size_t i = 1; i < count && !duplicate; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            duplicate = names[i];
    base_free(names);
    return duplicate;
}

static bool check_names(const parser *p, const base_json *object)
{
    bool failed;
    const char *duplicate = duplicate_name(object, &failed);
    if (failed)
        return base_fail(p->error, "%s: no memory to compare %zu names", p->origin, object->length);
    if (!duplicate)
        return true;
    size_t line, column;
    locate(p, p->at, &line, &column);
    return base_fail(p->error,
                     "%s:%zu:%zu: expected each name once in the object that ends here, found "
                     "\"%.200s\" twice",
                     p->origin, line, column, duplicate);
}

/* string ":" -- a NUL would cut the name short, and make it equal to another. */
static const char *parse_name(parser *p)
{
    size_t length;
    const char *start = p->at;
    if (!next_is(p, '"'))
        return fail_at(p, start, "a name in quotes");
    const char *name = parse_string(p, &length);
    if (!name)
        return NULL;
    if (strlen(name) != length)
        return fail_at(p, start, "a name without NUL characters");
    skip_space(p);
    if (!next_is(p, ':'))
        return fail_at(p, p->at, "':'");
    p->at++;
    return name;
}

/* array  = "[" [ value { "," value } ] "]"
 * object = "{" [ string ":" value { "," string ":" value } ] "}" */
static base_json *parse_children(parser *p, base_json *parent, int depth)
{
    bool object = *p->at == '{';
    char close = object ? '}' : ']';
    parent->kind = object ? BASE_JSON_OBJECT : BASE_JSON_ARRAY;
    if (depth == BASE_JSON_MAX_DEPTH)
        return fail_at(p, p->at, "values nested at most 64 deep");
    p->at++;
    skip_space(p);
    if (next_is(p, close)) {
        p->at++;
        return parent;
    }
    for (base_json *last = NULL;;) {
        const char *name = NULL;
        skip_space(p);
        if (object && !(name = parse_name(p)))
            return NULL;
        base_json *child = parse_value(p, depth + 1);
        if (!child)
            return NULL;
        child->name = name;
        if (last)
            last->next = child;
        else
            parent->child = child;
        last = child;
        parent->length++;

        skip_space(p);
        if (next_is(p, close))
            break;
        if (!next_is(p, ','))
            return fail_at(p, p->at, object ? "',' or '}'" : "',' or ']'");
        p->at++;
    }
    if (object && !check_names(p, parent))
        return NULL;
    p->at++;
    return parent;
}

static base_json *parse_word(parser *p, base_json *node, const char *word, base_json_kind kind)
{
    node->kind = kind;
    for (; *word; word++, p->at++)
        if (!next_is(p, *word))
            return fail_at(p, p->at, "null, true or false");
    return node;
}

/* value = object | array | string | number | "null" | "true" | "false" */
static base_json *parse_value(parser *p, int depth)
{
    skip_space(p);
    if (p->at == p->end)
        return fail_at(p, p->at, "a value");
    assert(p->nodes < p->nodes_end);
    base_json *node = p->nodes++;
    *node = (base_json){0};
    switch (*p->at) {
    case '{':
    case '[':
        return parse_children(p, node, depth);
    case '"':
        node->kind = BASE_JSON_STRING;
        node->string = parse_string(p, &node->length);
        return node->string ? node : NULL;
    case 'n':
        return parse_word(p, node, "null", BASE_JSON_NULL);
    case 't':
        return parse_word(p, node, "true", BASE_JSON_TRUE);
    case 'f':
        return parse_word(p, node, "false", BASE_JSON_FALSE);
    default:
        if (*p->at == '-' || is_digit(*p->at))
            return parse_number(p, node);
        return fail_at(p, p->at, "a value");
    }
}

/* Computes the bounds of the opening comment. They need not hold for a text that is no JSON: the
 * parser stops at its first error, and up to there it agrees with this scan on which characters are
 * inside a string. */
static void measure(const char *text, size_t length, size_t *values, size_t *bytes)
{
    bool in_string = false;
    *values = 1;
    *bytes = 0;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (in_string) {
            *bytes += 1; /* the closing quote's is the NUL's */
            if (c == '\\' && i + 1 < length) {
                *bytes += 1;
                i++;
            } else if (c == '"') {
                in_string = false;
            }
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{' || c == ',') {
            *values += 1;
        }
    }
}

base_json *base_json_parse(const char *text, size_t length, const char *origin, base_error *error)
{
    size_t values, bytes;
    if (length == 0)
        text = ""; /* an empty base_text has no data */
    measure(text, length, &values, &bytes);
    base_json *root = NULL;
    if (values <= (SIZE_MAX - bytes) / sizeof *root)
        root = base_malloc(values * sizeof *root + bytes);
    if (!root) {
        base_fail(error, "%s: no memory for its %zu values", origin, values);
        return NULL;
    }
    char *strings = (char *)(root + values);
    parser p = {text,          text,    text + length,   origin, root,
                root + values, strings, strings + bytes, error};
    bool good = parse_value(&p, 0) != NULL;
    if (good) {
        skip_space(&p);
        if (p.at < p.end) {
            fail_at(&p, p.at, "the end of the text");
            good = false;
        }
    }
    if (!good) {
        const char *kind = base_kind(text, length);
        if (kind)
            base_fail(error, "%s: is %s, expected JSON", origin, kind);
        base_free(root);
        return NULL;
    }
    return root;
}

base_json *base_json_read(const char *path, size_t most, base_error *error)
{
    size_t size;
    char *text = base_file_read_text(path, most, &size, error);
    base_json *root = text ? base_json_parse(text, size, path, error) : NULL;
    base_free(text);
    return root;
}

void base_json_free(base_json *root) { base_free(root); }

/* ---- Access ---- */

const base_json *base_json_get(const base_json *object, const char *name)
{
    if (!object || object->kind != BASE_JSON_OBJECT)
        return NULL;
    for (const base_json *member = object->child; member; member = member->next)
        if (strcmp(member->name, name) == 0)
            return member;
    return NULL;
}

bool base_json_has(const base_json *object, const char *name, const char *string)
{
    const base_json *member = base_json_get(object, name);
    return member && member->kind == BASE_JSON_STRING && member->length == strlen(string) &&
           memcmp(member->string, string, member->length) == 0;
}

bool base_json_is_true(const base_json *object, const char *name)
{
    const base_json *member = base_json_get(object, name);
    return member && member->kind == BASE_JSON_TRUE;
}

static bool fail_member(const base_json *member, const char *name, const char *expected,
                        const char *origin, base_error *error)
{
    static const char *const kinds[] = {"null",     "false",    "true",     "a number",
                                        "a string", "an array", "an object"};
    return base_fail(error, "%s: \"%s\": expected %s, found %s", origin, name, expected,
                     member ? kinds[member->kind] : "no such member");
}

bool base_json_get_int(const base_json *object, const char *name, int64_t low, int64_t high,
                       int64_t *value, const char *origin, base_error *error)
{
    const base_json *member = base_json_get(object, name);
    if (!member || member->kind != BASE_JSON_NUMBER)
        return fail_member(member, name, "an integer", origin, error);
    double x = member->number;
    bool whole = member->is_integer || (fabs(x) <= 0x1p53 && x == floor(x));
    int64_t integer = member->is_integer ? member->integer : whole ? (int64_t)x : 0;
    if (!whole || integer < low || integer > high)
        return base_fail(error, "%s: \"%s\": expected an integer from %lld to %lld, found %.17g",
                         origin, name, (long long)low, (long long)high, x);
    *value = integer;
    return true;
}

bool base_json_get_number(const base_json *object, const char *name, double *value,
                          const char *origin, base_error *error)
{
    const base_json *member = base_json_get(object, name);
    if (!member || member->kind != BASE_JSON_NUMBER)
        return fail_member(member, name, "a number", origin, error);
    *value = member->number;
    return true;
}

bool base_json_get_string(const base_json *object, const char *name, const char **value,
                          const char *origin, base_error *error)
{
    const base_json *member = base_json_get(object, name);
    if (!member || member->kind != BASE_JSON_STRING)
        return fail_member(member, name, "a string", origin, error);
    if (strlen(member->string) != member->length)
        return base_fail(error, "%s: \"%s\": expected a string without NUL characters", origin,
                         name);
    *value = member->string;
    return true;
}

/* ---- Writing ---- */

/* One character that has to be escaped in a string. */
static void put_escape(base_text *text, char c)
{
    static const char names[] = "\"\\bfnrt", meanings[] = "\"\\\b\f\n\r\t";
    const char *meaning = c ? strchr(meanings, c) : NULL;
    if (meaning)
        base_text_print(text, "\\%c", names[meaning - meanings]);
    else if ((unsigned char)c < ' ')
        base_text_print(text, "\\u%04x", (unsigned)c);
    else
        base_text_add(text, "\xEF\xBF\xBD", 3); /* U+FFFD for a byte that is no UTF-8 */
}

void base_json_put_string(base_text *text, const char *bytes, size_t length)
{
    size_t written = 0, i = 0;
    base_text_add(text, "\"", 1);
    while (i < length) {
        char c = bytes[i];
        size_t count = base_utf8_length(bytes + i, length - i);
        if (count > 0 && (unsigned char)c >= ' ' && c != '"' && c != '\\') {
            i += count;
            continue;
        }
        if (i > written)
            base_text_add(text, bytes + written, i - written);
        put_escape(text, c);
        written = ++i;
    }
    if (i > written)
        base_text_add(text, bytes + written, i - written);
    base_text_add(text, "\"", 1);
}

void base_json_put_number(base_text *text, double number)
{
    if (!isfinite(number)) {
        base_text_add(text, "null", 4);
        return;
    }
    char digits[BASE_DIGITS];
    base_print_digits(digits, number);
    base_text_add(text, digits, strlen(digits));
}
