/* SPDX-License-Identifier: MIT */
/* columns.c -- what a network knows of its table's columns, as network.json has it. */
#include "vision/table.h"

#include "base/memory.h"
#include "vision/images_internal.h"

#include <stdlib.h>
#include <string.h>

/* Texts take an input for each value; a number takes one, and one more that says whether it is missing. */
int vision_column_inputs(const vision_column *c) { return c->values ? c->values : 1 + c->missing; }

void vision_columns_free(vision_columns *columns)
{
    for (int i = 0; columns && i < columns->count; i++)
        base_free(columns->column[i].value);
    if (columns)
        base_free(columns->column);
    base_free(columns);
}

void vision_columns_cells(const vision_columns *columns, const float *inputs, float *cells)
{
    for (int i = 0; i < columns->count; i++) {
        const vision_column *c = &columns->column[i];
        cells[i] = c->values ? -1 : inputs[0];
        for (int v = 0; v < c->values; v++)
            cells[i] = inputs[v] > 0 ? (float)v : cells[i];
        inputs += vision_column_inputs(c);
    }
}

/* A column is {"name"}, of numbers, with "missing" where some were; or {"name", "values"}, of texts. How
 * many inputs it takes follows from that and is not written. */
void vision_columns_print(const vision_columns *columns, base_text *json)
{
    base_text_print(json, " \"label\":");
    base_json_put_string(json, columns->label, strlen(columns->label));
    base_text_print(json, "%s,\n \"columns\":[\n",
                    columns->numbers ? ",\n \"regression\":true" : "");
    for (int i = 0; i < columns->count; i++) {
        const vision_column *c = &columns->column[i];
        base_text_print(json, "  {\"name\":");
        base_json_put_string(json, c->name, strlen(c->name));
        if (c->missing)
            base_text_print(json, ",\"missing\":true");
        for (int v = 0; v < c->values; v++) {
            base_text_print(json, v ? "," : ",\"values\":[");
            base_json_put_string(json, c->value[v], strlen(c->value[v]));
        }
        base_text_print(json, "%s}%s\n", c->values ? "]" : "", i + 1 < columns->count ? "," : "],");
    }
}

/* A text that is fit to be a name: no control characters, no NUL, and short enough for its field. */
static bool take_name(const base_json *at, char to[VISION_NAME])
{
    if (!at || at->kind != BASE_JSON_STRING || !vision_is_name(at->string, at->length) ||
        strlen(at->string) != at->length)
        return false;
    strcpy(to, at->string);
    return true;
}

/* A column of texts has a value for "none of them" without being told so: all of its inputs are 0 then.
 * Hence "missing" beside "values" would mean nothing, and is refused. */
static bool read_column(const base_json *at, vision_column *c)
{
    const base_json *values = base_json_get(at, "values");
    if (!take_name(base_json_get(at, "name"), c->name))
        return false;
    c->missing = base_json_is_true(at, "missing");
    if (!values)
        return true;
    if (values->kind != BASE_JSON_ARRAY || values->length < 1 || c->missing ||
        values->length > VISION_MAX_VALUES ||
        !(c->value = base_calloc(values->length, sizeof *c->value)))
        return false;
    for (const base_json *v = values->child; v; v = v->next)
        if (!take_name(v, c->value[c->values++]))
            return false;
    return true;
}

/* The sum of the inputs is held to its bound before each column and once more behind the last, so that it
 * cannot overflow. */
vision_columns *vision_columns_read(const base_json *object, const char *origin, base_error *error)
{
    const base_json *list = base_json_get(object, "columns");
    bool ok = list && list->kind == BASE_JSON_ARRAY && list->length >= 1 &&
              list->length <= VISION_MAX_COLUMNS;
    vision_columns *c = ok ? base_calloc(1, sizeof *c) : NULL;
    if (c)
        c->numbers = base_json_is_true(object, "regression");
    ok = c && take_name(base_json_get(object, "label"), c->label) &&
         (c->column = base_calloc(list->length, sizeof *c->column)) != NULL;
    for (const base_json *at = ok ? list->child : NULL; ok && at; at = at->next) {
        ok = read_column(at, &c->column[c->count++]) && c->inputs <= VISION_MAX_INPUTS;
        c->inputs += vision_column_inputs(&c->column[c->count - 1]);
    }
    if (ok && c->inputs <= VISION_MAX_INPUTS)
        return c;
    vision_columns_free(c);
    base_fail(error,
              "%s: expected \"label\" and \"columns\" with names and values, of at most %d inputs",
              origin, (int)VISION_MAX_INPUTS);
    return NULL;
}
