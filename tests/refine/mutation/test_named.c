/* SPDX-License-Identifier: MIT */
/* test_named.c -- refinements by lines' names: there and back, for whatever the mutators draw, for random
 * texts, and for bytes that nobody would write. */
#include "evolve/settings.h"
#include "evolve/task.h"
#include "refine/mutation/named.h"
#include "tests/test.h"

static bool equal(const base_text *text, const char *bytes, size_t length)
{
    return !text->failed && text->length == length && memcmp(text->data, bytes, length) == 0;
}

/* Makes the text by names, applies it, and compares; returns its length. */
static size_t there_and_back(const char *source, size_t length, const char *refined, size_t size)
{
    base_text named = {0}, back = {0};
    base_error error = {""};
    base_text_add(&named, "", 0);
    bool made = mutation_named_of(source, length, refined, size, &named, &error);
    bool applied = made && mutation_edit_apply(&mutation_named, source, length, named.data,
                                               named.length, &back, &error);
    CHECK(applied && equal(&back, refined, size), "%s: from\n%.*s\nto\n%.*s", error.text,
          (int)length, source, (int)size, refined);
    size_t result = named.length;
    base_text_free(&named);
    base_text_free(&back);
    return result;
}

/* Pairs of every scope and of networks. A number that changes takes a name, an index, "=", itself, and a
 * line feed, beside a byte for each line that stays. */
static void every_pair_has_its_text(void)
{
    static const char *const scopes[] = {"architecture", "learning", "objective", "data", "all"};
    for (int which = 0; which < 6; which++) {
        evolve_settings settings;
        base_error error;
        evolve_settings_preset(&settings, "quick", &error);
        bool ready = which < 5 ? evolve_settings_scope(&settings, scopes[which], &error)
                               : evolve_settings_task(&settings, "digits", &error);
        CHECK(ready, "%s", error.text);
        mutation_mutator m = evolve_mutator(&settings);
        double whole = 0, by_names = 0;
        for (uint64_t i = 0; i < 500; i++) {
            base_text source = {0}, refined = {0};
            mutation_drawn pair = m.kind->pair(&m, 5, i);
            m.kind->print(&m, &pair.source, &source);
            m.kind->print(&m, &pair.refined, &refined);
            whole += (double)refined.length;
            size_t length =
                there_and_back(source.data, source.length, refined.data, refined.length);
            by_names += (double)length;
            CHECK(which > 0 || length <= 12 + sizeof "=6144\n" - 1, "%zu bytes for a number",
                  length);
            base_text_free(&source);
            base_text_free(&refined);
        }
        CHECK(by_names < whole / 4, "%d: %.0f bytes of %.0f", which, by_names, whole);
    }
}

static int below(base_random *r, int n) { return (int)base_random_below(r, (uint32_t)n); }

/* Lines of few words, so that many are equal. */
static void random_text(base_random *r, int most, base_text *text)
{
    static const char *const words[] = {"a", "b", "=", "1", "64", "0.5e-3", " ", "x2"};
    base_text_clear(text);
    base_text_add(text, "", 0);
    for (int lines = below(r, most + 1); lines > 0; lines--) {
        base_text_print(text, "%c", "a b;"[below(r, 4)]);
        for (int n = below(r, 4); n > 0; n--)
            base_text_print(text, "%s", words[below(r, 8)]);
        base_text_add(text, "\n", 1);
    }
}

static void any_text_becomes_any_other(void)
{
    base_random r = {1, base_random_stream("test named", 0, 0, 0), 0};
    base_text a = {0}, b = {0};
    for (int i = 0; i < 5000; i++) {
        int most = i % 50 == 0 ? MUTATION_LINES : 8;
        random_text(&r, most, &a);
        random_text(&r, most, &b);
        there_and_back(a.data, a.length, b.data, b.length);
        there_and_back(a.data, a.length, a.data, a.length);
    }
    base_text_free(&a);
    base_text_free(&b);
}

/* Random bytes: a refinement or refused, as a whole and byte by byte alike; what is known of it so far is its
 * beginning, and what is open is how it goes on. */
static void any_bytes_are_taken_or_refused(void)
{
    base_random r = {2, base_random_stream("test named", 1, 0, 0), 0};
    base_text source = {0}, named = {0}, refined = {0}, parts = {0}, open = {0}, names = {0};
    base_error error;
    int taken = 0, refused = 0, opened = 0;
    for (int i = 0; i < 50000; i++) {
        random_text(&r, 5, &source);
        base_text_clear(&names);
        base_text_add(&names, "", 0);
        mutation_named_source(source.data, source.length, &names, &error);
        base_text_clear(&named);
        base_text_add(&named, "", 0);
        for (int n = below(&r, 7); n > 0; n--) {
            char byte = names.length > 0 && below(&r, 2) ? names.data[below(&r, (int)names.length)]
                                                         : "\n\na=*2\xff"[below(&r, 7)];
            base_text_add(&named, &byte, 1);
        }
        base_text_clear(&refined);
        base_text_add(&refined, "kept", 4);
        bool good = mutation_edit_apply(&mutation_named, source.data, source.length, named.data,
                                        named.length, &refined, &error);
        mutation_reader reader;
        const char *why = NULL;
        base_text_clear(&parts);
        base_text_add(&parts, "", 0);
        CHECK(mutation_named.begin(&reader, source.data, source.length, &error), "%s", error.text);
        for (size_t k = 0; k < named.length && !why; k++) {
            why = mutation_named.next(&reader, (unsigned char)named.data[k], &parts);
            CHECK(!good || (parts.length <= refined.length - 4 &&
                            memcmp(parts.data, refined.data + 4, parts.length) == 0),
                  "what was known has changed");
            bool any = false, begins = false;
            for (int o = 0; !why && good; o++) {
                base_text_clear(&open);
                base_text_add(&open, parts.data, parts.length);
                const char *after;
                size_t rest;
                if (!mutation_named.open(&reader, o, &open, &after, &rest))
                    break;
                any = true;
                begins = begins || (open.length <= refined.length - 4 &&
                                    memcmp(open.data, refined.data + 4, open.length) == 0);
            }
            opened += any;
            CHECK(!any || begins, "the refinement goes on in none of the ways that are open");
        }
        why = why ? why : mutation_named.end(&reader, &parts);
        CHECK(good == !why, "%s", why ? why : "taken in parts, and not as a whole");
        CHECK(good || (equal(&refined, "kept", 4) && strstr(error.text, why)), "%s", error.text);
        taken += good;
        refused += !good;
    }
    CHECK(taken > 5000 && refused > 5000 && opened > 1000, "%d taken, %d refused, %d open", taken,
          refused, opened);
    base_text_free(&source);
    base_text_free(&named);
    base_text_free(&refined);
    base_text_free(&parts);
    base_text_free(&open);
    base_text_free(&names);
}

/* A line has the name that it has elsewhere, whatever its numbers are and wherever it stands. */
static void names_are_of_what_a_line_says(void)
{
    base_text a = {0}, b = {0};
    base_error error = {""};
    const char *one = "rate = 0.1;\nsteps = 5;\n", *other = "begin();\nsteps = 64;\nrate = 2;\n";
    CHECK(mutation_named_source(one, strlen(one), &a, &error) &&
              mutation_named_source(other, strlen(other), &b, &error),
          "%s", error.text);
    const char *steps = strstr(b.data, "steps"), *rate = strstr(b.data, "rate");
    CHECK(a.data[0] == rate[-1] && strstr(a.data, "steps")[-1] == steps[-1] &&
              rate[-1] != steps[-1],
          "%s and %s", a.data, b.data);
    base_text_free(&a);
    base_text_free(&b);
}

/* Half and twice of a large number are written alike, whatever it is and wherever in a line it stands. */
static void halves_are_alike(void)
{
    static const struct {
        int from, to;
        const char *line, *edit;
    } cases[] = {{16, 8, "w = %d;\n", "*50\n"},        {32, 16, "w = %d;\n", "*50\n"},
                 {64, 32, "w = %d;\n", "*50\n"},       {33, 16, "w = %d;\n", "*50\n"},
                 {1024, 512, "w = %d;\n", "*50\n"},    {16, 32, "w = %d;\n", "*200\n"},
                 {512, 1024, "w = %d;\n", "*200\n"},   {64, 32, "c(%d, 3, 1);\n", "1*50\n"},
                 {64, 32, "c(3, %d, 1);\n", "2*50\n"}, {64, 48, "w = %d;\n", "*76\n"},
                 {64, 256, "w = %d;\n", "=256\n"},     {8, 4, "w = %d;\n", "=4\n"},
                 {32, 16, "w = 1e-%d;\n", "=1e-16\n"}};
    base_text from = {0}, to = {0}, named = {0};
    base_error error = {""};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        base_text_clear(&from);
        base_text_clear(&to);
        base_text_clear(&named);
        base_text_print(&from, cases[i].line, cases[i].from);
        base_text_print(&to, cases[i].line, cases[i].to);
        CHECK(mutation_named_of(from.data, from.length, to.data, to.length, &named, &error) &&
                  strcmp(named.data + 1, cases[i].edit) == 0,
              "%zu: %s%s", i, error.text, named.data ? named.data : "");
        there_and_back(from.data, from.length, to.data, to.length);
    }
    base_text_free(&from);
    base_text_free(&to);
    base_text_free(&named);
}

static void refusals_say_why(void)
{
    const char *source = "a = 1;\nb(0.5, 2);\n";
    base_text names = {0}, named = {0}, refined = {0};
    base_error error;
    mutation_named_source(source, strlen(source), &names, &error);
    char a = names.data[0], b = strstr(names.data, "b(")[-1];
    const struct {
        char name;
        const char *rest, *means, *why;
    } cases[] = {
        {a, "=7\n", "a = 7;\n", NULL},
        {a, "*150\n", NULL, "scales what is no large number"},
        {b, "2=1e-05\n", "b(0.5, 1e-05);\n", NULL},
        {b, "2*50\n", NULL, "scales what is no large number"},
        {b, "*50\n", NULL, "does not say which number of a line changes"},
        {b, "=7\n", NULL, "does not say which number of a line changes"},
        {a, "1=7\n", NULL, "changes a number that the line has not"},
        {b, "3=7\n", NULL, "changes a number that the line has not"},
        {b, "12=7\n", NULL, "has more than one digit for which number changes"},
        {a, "=\n", NULL, "makes of a number what is none"},
        {a, "=x\n", NULL, "makes of a number what is none"},
        {a, "=1;\n", NULL, "makes of a number what is none"},
        {a, "=1", NULL, "has a line without a line feed"},
        {a, "c", NULL, "has a line without a line feed"},
        {a, "c\n=7\n", NULL, "begins a line with a digit"},
        {'\xff', "", NULL, "names a line that is not there"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        base_text_clear(&named);
        base_text_clear(&refined);
        base_text_add(&refined, "", 0);
        base_text_print(&named, "%c%s", cases[i].name, cases[i].rest);
        bool good = mutation_edit_apply(&mutation_named, source, strlen(source), named.data,
                                        named.length, &refined, &error);
        CHECK(good == !cases[i].why &&
                  (good ? equal(&refined, cases[i].means, strlen(cases[i].means))
                        : strstr(error.text, cases[i].why) != NULL && refined.length == 0),
              "%zu: %s", i, good ? refined.data : error.text);
    }
    CHECK(!mutation_named_source("a\n5\n", 4, &refined, &error) && strstr(error.text, "line 2"),
          "%s", error.text);
    static const struct {
        const char *change, *means;
    } scaled[] = {{"*50\n", "w = 128;\n"}, {"*149\n", "w = 381;\n"}, {"*100\n", NULL},
                  {"*0\n", NULL},          {"*201\n", NULL},         {"*5", NULL}};
    for (size_t i = 0; i < sizeof scaled / sizeof *scaled; i++) {
        base_text_clear(&named);
        base_text_clear(&refined);
        mutation_named_source("w = 256;\n", 9, &named, &error);
        named.length = 1;
        base_text_print(&named, "%s", scaled[i].change);
        bool good = mutation_edit_apply(&mutation_named, "w = 256;\n", 9, named.data, named.length,
                                        &refined, &error);
        CHECK(good == (scaled[i].means != NULL) &&
                  (!good || equal(&refined, scaled[i].means, strlen(scaled[i].means))),
              "%zu: %s", i, good ? refined.data : error.text);
    }
    /* Behind "*10" comes one of ten percentages; behind "*100" none, and the line is held back all the same. */
    mutation_reader reader;
    const char *after;
    size_t rest;
    base_text_clear(&named);
    mutation_named_source("w = 256;\n", 9, &named, &error);
    named.length = 1;
    base_text_print(&named, "*100");
    mutation_named.begin(&reader, "w = 256;\n", 9, &error);
    for (size_t i = 0; i < named.length; i++) {
        CHECK(i < 4 || mutation_named.open(&reader, 9, &refined, &after, &rest), "after *10");
        CHECK(!mutation_named.next(&reader, (unsigned char)named.data[i], &refined), "byte %zu", i);
    }
    CHECK(mutation_named.holds(&reader) &&
              !mutation_named.open(&reader, 0, &refined, &after, &rest),
          "*100 goes on");
    base_text_clear(&refined);
    base_text_clear(&named);
    for (int i = 0; i < MUTATION_LINES + 1; i++)
        base_text_add(&named, &a, 1);
    CHECK(!mutation_edit_apply(&mutation_named, source, strlen(source), named.data, named.length,
                               &refined, &error) &&
              strstr(error.text, "makes more than 127 lines"),
          "%s", error.text);
    base_text_free(&names);
    base_text_free(&named);
    base_text_free(&refined);
}

int main(void)
{
    every_pair_has_its_text();
    any_text_becomes_any_other();
    any_bytes_are_taken_or_refused();
    names_are_of_what_a_line_says();
    halves_are_alike();
    refusals_say_why();
    return test_end();
}
