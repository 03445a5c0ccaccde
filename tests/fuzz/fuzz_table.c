/* SPDX-License-Identifier: MIT */
/* fuzz_table.c -- libFuzzer target: any bytes as a CSV file whose label is the column "y". What is taken is a
 * set of rows with as many inputs as its columns make, each a number or missing, and labels below the
 * classes, or finite numbers as answers; its columns are the same after they were written and read.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -I. tests/fuzz/fuzz_table.c vision/table.c vision/csv.c
 *   vision/columns.c vision/images.c vision/inflate.c base/[a-z]*.c -lm */
#include "vision/table.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void require_rows(const vision_images *rows, const vision_columns *columns)
{
    require(rows->count >= 1 && rows->channels == columns->inputs && rows->height == 0);
    for (int i = 0; i < rows->count * rows->channels; i++)
        require(isnan(rows->values[i]) || fabsf(rows->values[i]) < 2e30F);
    require(!rows->labels == columns->numbers && !rows->targets != columns->numbers);
    for (int i = 0; i < rows->count; i++)
        require(columns->numbers ? isfinite(rows->targets[i]) : rows->labels[i] < rows->classes);
}

static void require_same(const vision_columns *columns)
{
    base_text text = {0}, again = {0};
    base_text_print(&text, "{");
    vision_columns_print(columns, &text);
    base_text_print(&text, "\"x\":1}");
    base_json *json = base_json_parse(text.data, text.length, "json", NULL);
    require(json != NULL);
    vision_columns *read = vision_columns_read(json, "json", NULL);
    require(read != NULL);
    base_text_print(&again, "{");
    vision_columns_print(read, &again);
    base_text_print(&again, "\"x\":1}");
    require(strcmp(text.data, again.data) == 0);
    vision_columns_free(read);
    base_json_free(json);
    base_text_free(&text);
    base_text_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const vision_wanted wanted = {.label = "y", .without = "id"}, label = {.label = "y"},
                               numbers = {.label = "y", .numbers = true};
    base_error error = {""};
    vision_set set;
    char *copy = malloc(size + 1);
    require(copy != NULL);
    if (size > 0)
        memcpy(copy, bytes, size);
    copy[size] = '\0';
    bool without = size > 2 && memcmp(bytes, "id", 2) == 0, first = size > 0 && bytes[0] == 'y';
    const vision_wanted *asked = without ? &wanted : first ? &numbers : &label;
    if (vision_take_table(&set, copy, size, "fuzz", asked, &error)) {
        require(set.columns->numbers == first);
        require_rows(&set.train, set.columns);
        require_rows(&set.test, set.columns);
        require_same(set.columns);
        vision_set_free(&set);
    } else {
        require(strncmp(error.text, "fuzz: ", 6) == 0 && !set.columns);
    }
    return 0;
}
