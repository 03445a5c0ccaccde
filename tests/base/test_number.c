/* SPDX-License-Identifier: MIT */
/* test_number.c -- numbers as text are the same in the locale that the environment names, which
 * tests/suite_sanitizers.sh makes one with a decimal comma. */
#include "base/number.h"
#include "base/json.h"
#include "tests/test.h"

#include <locale.h>

static void print_and_read(void)
{
    char text[64], *end;
    int length =
        base_print(text, sizeof text, "%.2f|%g|%s|%d|%.17g", 0.5, 1e-9, "a,b", 1234567, 0.1);
    CHECK(strcmp(text, "0.50|1e-09|a,b|1234567|0.10000000000000001") == 0, "%s", text);
    CHECK(length == (int)strlen(text), "length %d", length);
    CHECK(base_print(text, 4, "%.3f", 1.25) == 5 && strcmp(text, "1.2") == 0, "cut: %s", text);
    CHECK(base_read_number("1.25e1,5", &end) == 12.5 && strcmp(end, ",5") == 0, "left: %s", end);
    CHECK(base_read_number("-0x1p-1", NULL) == -0.5, "hexadecimal");
    CHECK(base_read_number("x", &end) == 0 && *end == 'x', "no number");
    FILE *file = tmpfile();
    if (!file) {
        SKIP("no temporary file");
        return;
    }
    CHECK(base_print_to(file, "%.3f %s\n", 2.5, "a") == 8, "to a file");
    rewind(file);
    CHECK(fgets(text, sizeof text, file) && strcmp(text, "2.500 a\n") == 0, "%s", text);
    fclose(file);
}

/* What holds numbers of its own: texts, errors, JSON. */
static void what_is_built_on_it(void)
{
    base_text text = {0};
    base_error error;
    for (int i = 0; i < 20; i++)
        base_text_print(&text, "%.1f,", i + 0.5);
    CHECK(strstr(text.data, "18.5,19.5,") != NULL, "%s", text.data);
    base_text_clear(&text);
    base_json_put_number(&text, 0.1);
    CHECK(strcmp(text.data, "0.1") == 0, "%s", text.data);
    base_text_free(&text);
    base_fail(&error, "%g of %.2f", 0.25, 2.0);
    CHECK(strcmp(error.text, "0.25 of 2.00") == 0, "%s", error.text);
    base_json *json = base_json_parse("[1.25,-2.5e-1]", 14, "text", &error);
    CHECK(json && json->child->number == 1.25 && json->child->next->number == -0.25, "%s",
          json ? "other numbers" : error.text);
    base_json_free(json);
    CHECK(!base_json_parse("[1,5e,2]", 8, "text", &error), "read");
}

/* The program around keeps its locale. */
static void what_was_set_is_set(void)
{
    char before[16], after[16];
    snprintf(before, sizeof before, "%.1f", 0.5);
    base_read_number("0.5", NULL);
    base_print(after, sizeof after, "%.1f", 0.5);
    snprintf(after, sizeof after, "%.1f", 0.5);
    CHECK(strcmp(before, after) == 0, "%s, before %s", after, before);
    printf("decimal point: %s\n", localeconv()->decimal_point);
}

int main(void)
{
    print_and_read();
    what_is_built_on_it();
    what_was_set_is_set();
    return test_end();
}
