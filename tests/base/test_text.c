/* SPDX-License-Identifier: MIT */
/* test_text.c -- a growing string against a fixed one, and what it does without memory. */
#include "base/text.h"
#include "tests/test.h"

#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

static void grows_by_any_steps(void)
{
    static char want[40000];
    base_text text = {0};
    size_t length = 0;
    for (size_t step = 0; step < 250; step++) {
        char piece[256];
        for (size_t i = 0; i < step; i++)
            piece[i] = (char)('a' + (step + i) % 26);
        memcpy(want + length, piece, step);
        length += step;
        base_text_add(&text, piece, step);
        CHECK(text.length == length && text.length < text.capacity && text.data[length] == '\0',
              "step %zu: length %zu, capacity %zu", step, text.length, text.capacity);
    }
    CHECK(memcmp(text.data, want, length) == 0, "the bytes differ");
    CHECK(!text.failed, "failed");
    base_text_free(&text);
    CHECK(!text.data && !text.length && !text.capacity, "not empty after free");
}

static void prints_what_printf_would(void)
{
    base_text text = {0};
    base_text_print(&text, "%s", "");
    CHECK(text.data && text.data[0] == '\0' && text.length == 0, "an empty addition has no NUL");
    for (int width = 0; width < 300; width++) {
        char want[301];
        snprintf(want, sizeof want, "%0*d", width, width);
        base_text_clear(&text);
        base_text_print(&text, "%0*d", width, width);
        CHECK(strcmp(text.data, want) == 0 && text.length == strlen(want), "width %d: \"%s\"",
              width, text.data);
    }
    base_text_clear(&text);
    base_text_print(&text, "%d", 1);
    base_text_print(&text, "+%d", 2);
    CHECK(strcmp(text.data, "1+2") == 0, "got \"%s\"", text.data);
    base_text_free(&text);
}

static void may_hold_nuls(void)
{
    base_text text = {0};
    base_text_add(&text, "a\0b", 3);
    base_text_add(&text, NULL, 0);
    base_text_add(&text, "\0", 1);
    CHECK(text.length == 4 && memcmp(text.data, "a\0b\0", 5) == 0, "length %zu", text.length);
    base_text_free(&text);
}

static void keeps_its_memory_when_cleared(void)
{
    base_text text = {0};
    base_text_clear(&text);
    CHECK(!text.data, "memory out of nowhere");
    base_text_print(&text, "%1000d", 1);
    size_t capacity = text.capacity;
    base_text_clear(&text);
    CHECK(text.capacity == capacity && text.length == 0 && text.data[0] == '\0',
          "capacity %zu, was %zu", text.capacity, capacity);
    base_text_free(&text);
}

/* A size that cannot be had marks the text; what was there stays, later additions do nothing, and a
 * cleared text is as good as new. */
static void fails_quietly(void)
{
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 3, SIZE_MAX - 4, SIZE_MAX / 2,
                                   PTRDIFF_MAX - 3};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        base_text text = {0};
        base_text_add(&text, "abc", 3);
        base_text_add(&text, "x", sizes[i]);
        CHECK(text.failed, "%zu bytes were added", sizes[i]);
        base_text_add(&text, "d", 1);
        base_text_print(&text, "%d", 1);
        CHECK(strcmp(text.data, "abc") == 0 && text.length == 3, "got \"%s\"", text.data);
        base_text_clear(&text);
        base_text_add(&text, "new", 3);
        CHECK(!text.failed && strcmp(text.data, "new") == 0, "got \"%s\"", text.data);
        base_text_free(&text);
        CHECK(!text.failed, "free leaves an empty text");
    }
}

static void copies_are_whole(void)
{
    char *copy = base_copy("a\0bcd", 4), *nothing = base_copy("x", 0);
    CHECK(copy && memcmp(copy, "a\0bc", 5) == 0, "four bytes and a NUL");
    CHECK(nothing && nothing[0] == '\0', "no bytes and a NUL");
    free(copy);
    free(nothing);
}

/* What a terminal acts on is shown: escapes, carriage returns, controls of eight bits in UTF-8's two. */
static void what_a_terminal_would_act_on(void)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *shown;
    } cases[] = {
        {"a\tb\n~", 5, "a\tb\n~"},
        {"\033[2J", 4, "\\x1b[2J"},
        {"\r\b\0\177", 4, "\\x0d\\x08\\x00\\x7f"},
        {"\303\251\342\202\254\360\237\230\200", 9, "\303\251\342\202\254\360\237\230\200"},
        {"\302\233\302\240", 4, "\\xc2\\x9b\302\240"},
        {"\342\200\256\342\200\257", 6, "\\xe2\\x80\\xae\342\200\257"}, /* right to left */
        {"\342\201\246", 3, "\\xe2\\x81\\xa6"},
        {"\303", 1, "\\xc3"},
        {"\300\200\377", 3, "\\xc0\\x80\\xff"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        base_text text = {0};
        base_text_add_visible(&text, cases[i].bytes, cases[i].length);
        CHECK(!text.failed && strcmp(text.data, cases[i].shown) == 0, "case %zu: %s", i, text.data);
        base_text_free(&text);
    }
}

static void words_are_wrapped(void)
{
    static const struct {
        const char *words;
        int column, indent, width;
        const char *want;
    } cases[] = {
        {"", 0, 2, 10, ""},
        {"  one\ntwo   three ", 0, 0, 80, "one two three"},
        {"one two three", 0, 2, 7, "one two\n  three"},
        {"one two three", 5, 4, 8, "one\n    two\n    three"},
        {"one two\n\nthree", 0, 1, 80, "one two\n\n three"},
        {"longer than that", 0, 2, 3, "longer\n  than\n  that"},
        {"\xc3\xa4\xc3\xb6 \xc3\xbc", 0, 0, 4, "\xc3\xa4\xc3\xb6 \xc3\xbc"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        base_text text = {0};
        base_text_add(&text, "", 0);
        base_text_wrap(&text, cases[i].words, cases[i].column, cases[i].indent, cases[i].width);
        CHECK(strcmp(text.data, cases[i].want) == 0, "%zu: \"%s\"", i, text.data);
        base_text_free(&text);
    }
}

/* Lines as files have them: ended by a line feed, a carriage return before it or not, or by the end. */
static void lines_of_a_file(void)
{
    static const struct {
        const char *text;
        int count;
        const char *line[4];
    } cases[] = {
        {"", 0, {NULL}},
        {"\n", 1, {""}},
        {"a", 1, {"a"}},
        {"a\n", 1, {"a"}},
        {"a\r\n\nb\rc\n\r", 4, {"a", "", "b\rc", ""}},
        {"\r\r\n", 1, {"\r"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *at = cases[i].text, *end = at + strlen(at), *line;
        size_t length;
        int count = 0;
        for (; base_next_line(&at, end, &line, &length); count++)
            CHECK(count < cases[i].count && length == strlen(cases[i].line[count]) &&
                      memcmp(line, cases[i].line[count], length) == 0,
                  "case %d, line %d: \"%.*s\"", (int)i, count, (int)length, line);
        CHECK(count == cases[i].count && at == end, "case %d: %d lines", (int)i, count);
    }
}

/* Every string of two bytes of those that a shell or a terminal acts on: what it makes of the word is them. */
static void words_come_back_from_the_shell(void)
{
    static const char marks[] = "a'\"$`\\%*~ \t\n!#-\x1b\xff\xe2";
    enum { MARKS = sizeof marks - 1 };
    base_text script = {0}, want = {0};
    base_text_print(&script, "printf '%%s|' ");
    for (int i = 0; i < MARKS * MARKS; i++) {
        const char word[3] = {marks[i / MARKS], marks[i % MARKS]};
        if (word[1] == '\n') /* at the end, which $() drops */
            continue;
        base_text_add_word(&script, word);
        base_text_print(&script, " ");
        base_text_print(&want, "%s|", word);
    }
    base_text_add_word(&script, "");
    base_text_print(&want, "|");
    size_t shown = 0;
    while (shown < script.length && script.data[shown] >= ' ' && script.data[shown] <= '~')
        shown++;
    CHECK(shown == script.length, "byte %zu: %02x", shown, (unsigned char)script.data[shown]);
    char path[] = "/tmp/phoenix-words-XXXXXX", command[64];
    const int descriptor = mkstemp(path);
    CHECK(descriptor >= 0 &&
              write(descriptor, script.data, script.length) == (ssize_t)script.length &&
              close(descriptor) == 0,
          "%s", path);
    snprintf(command, sizeof command, "sh %s", path);
    FILE *shell = popen(command, "r");
    char *got = malloc(want.length + 2);
    size_t length = shell && got ? fread(got, 1, want.length + 2, shell) : 0;
    CHECK(shell && pclose(shell) == 0, "the shell ends otherwise");
    CHECK(got && length == want.length && memcmp(got, want.data, length) == 0,
          "%zu bytes, expected %zu", length, want.length);
    free(got);
    unlink(path);
    base_text_free(&script);
    base_text_free(&want);

    static const char *const cases[][2] = {
        {"runs/1", "runs/1"},
        {"a b", "'a b'"},
        {"it's", "'it'\\''s'"},
        {"\xc3\xa9", "'\xc3\xa9'"},
        {"a\nb", "\"$(printf 'a\\012b')\""},
        {"\xff'%", "\"$(printf '\\377\\047%%')\""},
        {"-x", "./-x"},
        {"-x y", "./'-x y'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        base_text text = {0};
        base_text_add_path(&text, cases[i][0]);
        CHECK(strcmp(text.data, cases[i][1]) == 0, "%zu: %s", i, text.data);
        base_text_free(&text);
    }
}

int main(void)
{
    words_come_back_from_the_shell();
    what_a_terminal_would_act_on();
    words_are_wrapped();
    copies_are_whole();
    grows_by_any_steps();
    prints_what_printf_would();
    may_hold_nuls();
    keeps_its_memory_when_cleared();
    fails_quietly();
    lines_of_a_file();
    return test_end();
}
