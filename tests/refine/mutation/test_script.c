/* SPDX-License-Identifier: MIT */
/* test_script.c -- edits by lines: there and back, for whatever the mutators draw, for random texts,
 * and for scripts that nobody would write. */
#include "evolve/settings.h"
#include "evolve/task.h"
#include "refine/mutation/script.h"
#include "tests/test.h"

static bool equal(const base_text *text, const char *bytes, size_t length)
{
    return !text->failed && text->length == length && memcmp(text->data, bytes, length) == 0;
}

/* Makes the script, applies it, and compares; returns its length. */
static size_t there_and_back(const char *source, size_t length, const char *refined, size_t size)
{
    base_text script = {0}, back = {0};
    base_error error = {""};
    base_text_add(&script, "", 0);
    bool made = mutation_script_of(source, length, refined, size, &script, &error);
    bool applied = made && mutation_edit_apply(&mutation_script, source, length, script.data,
                                               script.length, &back, &error);
    CHECK(applied && equal(&back, refined, size), "%s: from\n%.*s\nto\n%.*s", error.text,
          (int)length, source, (int)size, refined);
    size_t result = script.length;
    base_text_free(&script);
    base_text_free(&back);
    return result;
}

/* Pairs of every scope and of networks. A design's edit is one number and one line. */
static void every_pair_has_its_script(void)
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
        double whole = 0, by_lines = 0;
        for (uint64_t i = 0; i < 500; i++) {
            base_text source = {0}, refined = {0};
            mutation_drawn pair = m.kind->pair(&m, 5, i);
            m.kind->print(&m, &pair.source, &source);
            m.kind->print(&m, &pair.refined, &refined);
            size_t length =
                there_and_back(source.data, source.length, refined.data, refined.length);
            whole += (double)refined.length;
            by_lines += (double)length;
            CHECK(which > 0 || length < 1 + sizeof "    config.num_decoder_layers = 10;\n",
                  "%zu bytes for one line", length);
            CHECK(which > 0 || pair.edit != MUTATION_EDIT_D_FF || length <= sizeof "9*149\n" - 1,
                  "%zu bytes for a percentage of d_ff", length);
            base_text_free(&source);
            base_text_free(&refined);
        }
        CHECK(by_lines < whole / 4, "%d: %.0f bytes of %.0f", which, by_lines, whole);
    }
}

static int below(base_random *r, int n) { return (int)base_random_below(r, (uint32_t)n); }

/* Lines of few words, so that many are equal; some empty, some that a script could mistake for its own
 * signs. */
static void random_text(base_random *r, int most, base_text *text)
{
    static const char *const words[] = {"a", "b", "a", "*", "64", "96", " "};
    base_text_clear(text);
    base_text_add(text, "", 0);
    for (int lines = below(r, most + 1); lines > 0; lines--) {
        for (int n = below(r, 3); n > 0; n--)
            base_text_print(text, "%s", words[below(r, 7)]);
        base_text_add(text, "\n", 1);
    }
}

static void any_text_becomes_any_other(void)
{
    base_random r = {1, base_random_stream("test script", 0, 0, 0), 0};
    base_text a = {0}, b = {0};
    there_and_back("*64\n", 4, "*96\n", 4); /* a percentage whose result looks like one */
    for (int i = 0; i < 5000; i++) {
        int most = i % 50 == 0 ? MUTATION_LINES : 8;
        random_text(&r, most, &a);
        random_text(&r, most, &b);
        there_and_back(a.data, a.length, b.data, b.length);
        CHECK(there_and_back(a.data, a.length, a.data, a.length) == 0, "an edit of nothing");
    }
    base_text_free(&a);
    base_text_free(&b);
}

static int feeds(const base_text *text)
{
    int count = 0;
    for (size_t i = 0; i < text->length; i++)
        count += text->data[i] == '\n';
    return count;
}

/* Random bytes: a script or not; the refinement so far is a beginning of the whole, and the script
 * of the result puts no more lines in than this one. */
static void any_bytes_are_a_script_or_refused(void)
{
    base_random r = {2, base_random_stream("test script", 1, 0, 0), 0};
    base_text source = {0}, script = {0}, refined = {0}, parts = {0}, own = {0};
    base_error error;
    int scripts = 0, refused = 0;
    for (int i = 0; i < 50000; i++) {
        random_text(&r, 5, &source);
        base_text_clear(&script);
        base_text_add(&script, "", 0);
        for (int n = below(&r, 7); n > 0; n--) {
            char byte = below(&r, 2) ? (char)(0x80 + below(&r, 7)) : "\n\na*57"[below(&r, 6)];
            base_text_add(&script, &byte, 1);
        }
        base_text_clear(&refined);
        base_text_add(&refined, "kept", 4);
        bool good = mutation_edit_apply(&mutation_script, source.data, source.length, script.data,
                                        script.length, &refined, &error);
        mutation_reader reader;
        const char *why = NULL;
        base_text_clear(&parts);
        base_text_add(&parts, "", 0);
        CHECK(mutation_script.begin(&reader, source.data, source.length, &error), "%s", error.text);
        for (size_t k = 0; k < script.length && !why; k++) {
            why = mutation_script.next(&reader, (unsigned char)script.data[k], &parts);
            CHECK(!good || (parts.length <= refined.length - 4 &&
                            memcmp(parts.data, refined.data + 4, parts.length) == 0),
                  "what was known has changed");
        }
        why = why ? why : mutation_script.end(&reader, &parts);
        CHECK(good == !why, "%s", why ? why : "taken in parts, and not as a whole");
        CHECK(good || (equal(&refined, "kept", 4) && strstr(error.text, why)), "%s", error.text);
        scripts += good;
        refused += !good;
        if (!good)
            continue;
        base_text_clear(&own);
        base_text_add(&own, "", 0);
        CHECK(mutation_script_of(source.data, source.length, refined.data + 4, refined.length - 4,
                                 &own, &error) &&
                  feeds(&own) <= feeds(&script),
              "a script puts %d lines in, where %d do", feeds(&own), feeds(&script));
    }
    CHECK(scripts > 5000 && refused > 5000, "%d scripts, %d refused", scripts, refused);
    base_text_free(&source);
    base_text_free(&script);
    base_text_free(&refined);
    base_text_free(&parts);
    base_text_free(&own);
}

static void what_is_wrong_is_said(void)
{
    static const struct {
        const char *script, *says;
    } cases[] = {
        {"\x80\x81", NULL},
        {"\x81\x81z\n", NULL},
        {"\x82\x82z\n", NULL},
        {"\x80z\n\x82\x82q\n", NULL},
        {"z\n", "without a line number"},
        {"\x83z\n", "not there"},
        {"\x82z\n", "not there"},
        {"\x80\x83", "not there"},
        {"\x81\x80", "before it begins"},
        {"\x81z\n\x80z\n", "goes back"},
        {"\x80z\n\x81z\n", NULL},
        {"\x80", "behind a line number"},
        {"\x80z", "line feed"},
        {"\x80z\x81", "line feed"},
        {"\x81\x81", "puts nothing"},
        {"\x81\x81\x82\x82", "puts nothing"},
        {"\x80\x81z\n", "end of one line"},
    };
    static const struct {
        const char *script, *makes, *says;
    } scaled[] = {
        {"\x80*150\n", "n = 151;\n", NULL},      {"\x80*1\n", "n = 1;\n", NULL},
        {"\x80*200\n", "n = 202;\n", NULL},      {"\x80\x81*9\n", "*9\n", NULL},
        {"\x80*100\n", NULL, "changes nothing"}, {"\x80*\n", NULL, "changes nothing"},
        {"\x80*201\n", NULL, "1 to 200"},        {"\x80*05\n", NULL, "1 to 200"},
        {"\x80*5", NULL, "line feed"},           {"\x80*5\x81", NULL, "line feed"},
        {"\x80*a\n", NULL, "1 to 200"},
    };
    base_text refined = {0};
    base_error error;
    for (size_t i = 0; i < sizeof scaled / sizeof *scaled; i++) {
        base_text_clear(&refined);
        bool good = mutation_edit_apply(&mutation_script, "n = 101;\n", 9, scaled[i].script,
                                        strlen(scaled[i].script), &refined, &error);
        CHECK(good == !scaled[i].says && (good ? strcmp(refined.data, scaled[i].makes) == 0
                                               : strstr(error.text, scaled[i].says) != NULL),
              "%zu: %s", i, good ? refined.data : error.text);
    }
    static const char *const unscaled[] = {"n = 31;\n", "a64\n",  "x_64\n", "0.64\n",      "1e64\n",
                                           "064\n",     "64.0\n", "\n",     "9999999999\n"};
    for (size_t i = 0; i < sizeof unscaled / sizeof *unscaled; i++)
        CHECK(!mutation_edit_apply(&mutation_script, unscaled[i], strlen(unscaled[i]), "\x80*150\n",
                                   6, &refined, &error) &&
                  strstr(error.text, "large number"),
              "%s: %s", unscaled[i], error.text);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool good = mutation_edit_apply(&mutation_script, "one\ntwo\n", 8, cases[i].script,
                                        strlen(cases[i].script), &refined, &error);
        CHECK(good == !cases[i].says && (good || strstr(error.text, cases[i].says)), "%zu: %s", i,
              good ? refined.data : error.text);
    }
    base_text_clear(&refined);
    CHECK(!mutation_script_number("a\nb", 3, &refined, &error) && strstr(error.text, "line feed"),
          "%s", error.text);
    CHECK(!mutation_script_number("\xc3\xa4\n", 3, &refined, &error) && strstr(error.text, "0xc3"),
          "%s", error.text);
    char lines[MUTATION_LINES + 1];
    memset(lines, '\n', sizeof lines);
    CHECK(!mutation_script_number(lines, sizeof lines, &refined, &error) &&
              strstr(error.text, "more than 127"),
          "%s", error.text);
    CHECK(mutation_script_number(lines, sizeof lines - 1, &refined, &error) &&
              refined.length == 2 * (sizeof lines - 1) && (unsigned char)refined.data[2] == 0x81,
          "%s", error.text);
    base_text_clear(&refined);
    CHECK(!mutation_edit_apply(&mutation_script, lines, sizeof lines - 1, "\x80\x80z\n", 4,
                               &refined, &error) &&
              strstr(error.text, "more than 127"),
          "%s", error.text);
    base_text_free(&refined);
}

int main(void)
{
    every_pair_has_its_script();
    any_text_becomes_any_other();
    any_bytes_are_a_script_or_refused();
    what_is_wrong_is_said();
    return test_end();
}
