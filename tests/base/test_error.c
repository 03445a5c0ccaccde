/* SPDX-License-Identifier: MIT */
/* test_error.c -- a message is one line, fits, and may quote itself. */
#include "base/error.h"
#include "tests/test.h"

static void says_what_it_is_told(void)
{
    base_error error;
    CHECK(!base_fail(&error, "%s:%d: expected %s", "file", 7, "more"), "base_fail returned true");
    CHECK(strcmp(error.text, "file:7: expected more") == 0, "got \"%s\"", error.text);
    CHECK(!base_fail(NULL, "nobody listens to %d", 1), "base_fail(NULL) returned true");
}

static void may_quote_itself(void)
{
    base_error error;
    base_fail(&error, "inner");
    base_fail(&error, "outer: %s: %s", error.text, error.text);
    CHECK(strcmp(error.text, "outer: inner: inner") == 0, "got \"%s\"", error.text);
}

static void is_one_line(void)
{
    base_error error;
    base_fail(&error, "a\nb\tc\x1b[31md\x7f\r%s", "\n");
    CHECK(strcmp(error.text, "a b c [31md   ") == 0, "got \"%s\"", error.text);
    base_fail(&error, "%s", "");
    CHECK(error.text[0] == '\0', "got \"%s\"", error.text);
}

/* Messages of every length around the buffer's, ending in a character of 1 to 4 bytes. */
static void is_cut_between_characters(void)
{
    static const char *const characters[] = {"x", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x94\xA5"};
    char text[600];
    base_error error;
    for (size_t c = 0; c < 4; c++)
        for (size_t before = sizeof error.text - 8; before < sizeof error.text + 8; before++) {
            memset(text, '.', before);
            strcpy(text + before, characters[c]);
            base_fail(&error, "%s", text);
            size_t whole = before + strlen(characters[c]);
            size_t want = whole < sizeof error.text    ? whole
                          : before < sizeof error.text ? before
                                                       : sizeof error.text - 1;
            CHECK(strlen(error.text) == want && strncmp(error.text, text, want) == 0,
                  "%zu dots and %zu bytes: length %zu, want %zu", before, strlen(characters[c]),
                  strlen(error.text), want);
        }
}

/* What is no UTF-8 is cut anywhere; it must not make the search for a lead byte run away. */
static void survives_bytes_that_are_no_text(void)
{
    char text[600];
    base_error error;
    memset(text, 0x80, sizeof text - 1);
    text[sizeof text - 1] = '\0';
    base_fail(&error, "%s", text);
    CHECK(strlen(error.text) >= sizeof error.text - 5, "length %zu", strlen(error.text));
}

int main(void)
{
    says_what_it_is_told();
    may_quote_itself();
    is_one_line();
    is_cut_between_characters();
    survives_bytes_that_are_no_text();
    return test_end();
}
