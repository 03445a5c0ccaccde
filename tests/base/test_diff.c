/* SPDX-License-Identifier: MIT */
/* test_diff.c -- a diff says all that changed, and nothing more than it must. */
#include "base/diff.h"
#include "base/random.h"
#include "tests/test.h"

static void is(const char *before, const char *after, const char *want)
{
    base_text text = {0};
    base_text_add(&text, "", 0);
    base_diff(before, after, &text);
    CHECK(!text.failed && strcmp(text.data, want) == 0, "got\n%swant\n%s", text.data, want);
    base_text_free(&text);
}

static void known_diffs(void)
{
    is("", "", "");
    is("a\nb\n", "a\nb\n", "");
    is("", "a\nb\n", "+ a\n+ b\n");
    is("a\nb\n", "", "- a\n- b\n");
    is("a\nb\nc\n", "a\nx\nc\n", "- b\n+ x\n");
    is("a\nb\nc\n", "b\nc\nd\n", "- a\n+ d\n");
    is("a\nc\n", "a\nb\nc\n", "+ b\n");
    is("a\n\n\nb\n", "a\n\nb\n", "- \n");
    is("a\nb", "a\nc", "- b\n+ c\n"); /* no line feed at the end */
    is("a\nb", "a\nb\n", "");         /* which is no difference of lines */
    is("a", "aa", "- a\n+ aa\n");
    is("    d_ff = 1024;\n", "    d_ff = 1536;\n", "-     d_ff = 1024;\n+     d_ff = 1536;\n");
    is("a\nb\na\nb\n", "b\na\nb\na\n", "- a\n+ a\n");
}

static void it_appends(void)
{
    base_text text = {0};
    base_text_print(&text, "so far\n");
    base_diff("a\n", "b\n", &text);
    CHECK(strcmp(text.data, "so far\n- a\n+ b\n") == 0, "%s", text.data);
    base_text_free(&text);
}

enum { MOST = 8 };

/* The longest common subsequence of two strings of one letter a line, by trying everything. */
static int longest_common(const char *a, const char *b)
{
    if (!*a || !*b)
        return 0;
    if (*a == *b)
        return 1 + longest_common(a + 1, b + 1);
    int down = longest_common(a + 1, b), right = longest_common(a, b + 1);
    return down > right ? down : right;
}

/* Takes the letters of the diff's lines with that sign out of `letters`, in order; what is left
 * goes to rest. Returns how many were taken, or -1: they are not all there in that order. */
static int take(const char *diff, char sign, const char *letters, char rest[MOST + 1])
{
    int taken = 0, left = 0;
    const char *line = diff;
    for (; *letters; letters++) {
        while (*line && *line != sign)
            line += 4;
        /* A letter that occurs more than once may be taken as any of them: the first that fits. */
        if (*line && line[2] == *letters) {
            taken++;
            line += 4;
        } else {
            rest[left++] = *letters;
        }
    }
    rest[left] = '\0';
    while (*line && *line != sign)
        line += 4;
    return *line ? -1 : taken;
}

static void random_diffs_are_right_and_shortest(void)
{
    base_random r = {1, base_random_stream("diffs", 0, 0, 0), 0};
    for (int round = 0; round < 3000; round++) {
        char letters[2][MOST + 1] = {"", ""}, lines[2][2 * MOST + 1] = {"", ""};
        for (int k = 0; k < 2; k++) {
            int n = (int)base_random_below(&r, MOST + 1);
            for (int i = 0; i < n; i++) {
                char c = (char)('a' + (char)base_random_below(&r, 3));
                letters[k][i] = c;
                lines[k][2 * i] = c;
                lines[k][2 * i + 1] = '\n';
            }
        }
        base_text text = {0};
        base_text_add(&text, "", 0);
        base_diff(lines[0], lines[1], &text);
        int common = longest_common(letters[0], letters[1]);
        char left[2][MOST + 1];
        int minus = take(text.data, '-', letters[0], left[0]);
        int plus = take(text.data, '+', letters[1], left[1]);
        CHECK(minus >= 0 && plus >= 0 && (int)strlen(letters[0]) - minus == common &&
                  (int)strlen(letters[1]) - plus == common,
              "%s -> %s, %d in common:\n%s", letters[0], letters[1], common, text.data);
        base_text_free(&text);
    }
}

static void many_lines(void)
{
    enum { LINES = 2000 };
    static char before[2 * LINES + 8], after[2 * LINES + 8];
    for (int i = 0; i < LINES; i++)
        memcpy(before + 2 * i, i % 2 ? "a\n" : "b\n", 3);
    memcpy(after, before, sizeof after);
    after[2 * 1000] = 'x';
    is(before, after, "- b\n+ x\n");
    strcat(after, "y\n"); /* one line more than it compares */
    base_text text = {0};
    base_diff(before, after, &text);
    CHECK(!text.failed && strstr(text.data, "more than 2000 lines"), "%s", text.data);
    base_text_free(&text);
}

static void unified_is(const char *before, const char *after, int context, const char *want)
{
    base_text text = {0};
    base_text_add(&text, "", 0);
    base_diff_unified(before, after, context, &text);
    CHECK(!text.failed && strcmp(text.data, want) == 0, "got\n%swant\n%s", text.data, want);
    base_text_free(&text);
}

/* What diff -U prints, but for a count of 1 that it leaves out. */
static void known_unified_diffs(void)
{
    unified_is("a\n", "a\n", 3, "");
    unified_is("", "a\nb\n", 3, "@@ -0,0 +1,2 @@\n+a\n+b\n");
    unified_is("a\nb\n", "", 3, "@@ -1,2 +0,0 @@\n-a\n-b\n");
    unified_is("a\nb\nc\n", "a\nx\nc\n", 0, "@@ -2,1 +2,1 @@\n-b\n+x\n");
    unified_is("a\nb\nc\n", "a\nx\nc\n", 9, "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n");
    unified_is("a\nc\n", "a\nb\nc\n", 0, "@@ -1,0 +2,1 @@\n+b\n");
    unified_is("a\n1\n2\nb\n", "x\n1\n2\ny\n", 1, "@@ -1,4 +1,4 @@\n-a\n+x\n 1\n 2\n-b\n+y\n");
    unified_is("a\n1\n2\n3\nb\n", "x\n1\n2\n3\ny\n", 1,
               "@@ -1,2 +1,2 @@\n-a\n+x\n 1\n@@ -4,2 +4,2 @@\n 3\n-b\n+y\n");
}

/* Does what the hunks say to `before`; false where they do not fit it. */
static bool patch(const char *before, const char *hunks, char *after)
{
    int line = 1, other = 1, left = 0, right = 0;
    for (; *hunks; hunks = strchr(hunks, '\n') + 1) {
        if (*hunks == '@') {
            int a, b;
            if (left || right || sscanf(hunks, "@@ -%d,%d +%d,%d @@", &a, &left, &b, &right) != 4)
                return false;
            for (; line < a + (left == 0); line++, other++, before += 2, after += 2)
                memcpy(after, before, 3);
            if (other != b + (right == 0))
                return false;
            continue;
        }
        if (*hunks != '+' && (left-- == 0 || strncmp(before, hunks + 1, 2) != 0))
            return false;
        if (*hunks != '-' && right-- == 0)
            return false;
        if (*hunks != '-') {
            memcpy(after, hunks + 1, 2);
            after += 2;
            other++;
        }
        if (*hunks != '+') {
            before += 2;
            line++;
        }
    }
    strcpy(after, before);
    return left == 0 && right == 0;
}

static void random_hunks_fit(void)
{
    base_random r = {2, base_random_stream("hunks", 0, 0, 0), 0};
    for (int round = 0; round < 3000; round++) {
        char lines[2][64] = {"", ""}, patched[256];
        for (int k = 0; k < 2; k++)
            for (int i = (int)base_random_below(&r, 20); i > 0; i--)
                strcat(lines[k], base_random_below(&r, 4) ? "a\n" : "b\n");
        base_text text = {0};
        base_text_add(&text, "", 0);
        base_diff_unified(lines[0], lines[1], (int)base_random_below(&r, 4), &text);
        CHECK(patch(lines[0], text.data, patched) && strcmp(patched, lines[1]) == 0,
              "%s->\n%sby\n%s", lines[0], lines[1], text.data);
        base_text_free(&text);
    }
}

int main(void)
{
    known_diffs();
    known_unified_diffs();
    random_hunks_fit();
    it_appends();
    random_diffs_are_right_and_shortest();
    many_lines();
    return test_end();
}
