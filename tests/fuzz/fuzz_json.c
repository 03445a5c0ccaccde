/* SPDX-License-Identifier: MIT */
/* fuzz_json.c -- any bytes into the JSON reader; what it accepts is written again, and must be read
 * back as the same tree.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -I. tests/fuzz/fuzz_json.c base/[a-z]*.c -lm */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void put(base_text *text, const base_json *value)
{
    static const char *const words[] = {"null", "false", "true"};
    if (value->name) {
        base_json_put_string(text, value->name, strlen(value->name));
        base_text_add(text, ":", 1);
    }
    switch (value->kind) {
    case BASE_JSON_NULL:
    case BASE_JSON_FALSE:
    case BASE_JSON_TRUE:
        base_text_print(text, "%s", words[value->kind]);
        break;
    case BASE_JSON_NUMBER:
        if (value->is_integer)
            base_text_print(text, "%lld", (long long)value->integer);
        else
            base_json_put_number(text, value->number);
        break;
    case BASE_JSON_STRING:
        base_json_put_string(text, value->string, value->length);
        break;
    case BASE_JSON_ARRAY:
    case BASE_JSON_OBJECT:
        base_text_add(text, value->kind == BASE_JSON_ARRAY ? "[" : "{", 1);
        for (const base_json *child = value->child; child; child = child->next) {
            put(text, child);
            if (child->next)
                base_text_add(text, ",", 1);
        }
        base_text_add(text, value->kind == BASE_JSON_ARRAY ? "]" : "}", 1);
        break;
    }
}

static void require_same(const base_json *a, const base_json *b)
{
    /* 1.0 is written as 1: what was no integer may have become one, but no other number. */
    if (a->kind != b->kind || a->length != b->length || a->number != b->number ||
        (a->is_integer && (!b->is_integer || a->integer != b->integer)) || !a->name != !b->name ||
        (a->name && strcmp(a->name, b->name) != 0) ||
        (a->kind == BASE_JSON_STRING && memcmp(a->string, b->string, a->length) != 0))
        abort();
    const base_json *x = a->child, *y = b->child;
    for (; x && y; x = x->next, y = y->next)
        require_same(x, y);
    if (x || y)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    base_error error = {""};
    base_json *first = base_json_parse((const char *)bytes, count, "fuzz", &error);
    if (!first) {
        if (strncmp(error.text, "fuzz:", 5) != 0)
            abort();
        return 0;
    }
    base_text text = {0};
    put(&text, first);
    base_json *second = base_json_parse(text.data, text.length, "again", &error);
    if (!second || text.failed)
        abort();
    require_same(first, second);
    base_json_free(first);
    base_json_free(second);
    base_text_free(&text);
    return 0;
}
