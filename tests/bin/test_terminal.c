/* SPDX-License-Identifier: MIT */
/* test_terminal.c -- what is printed on a narrow terminal: rows of a table keep their columns. */
#include "bin/terminal.h"
#include "tests/test.h"
#include <stdlib.h>
#include <string.h>

static void folds(int columns, const char *text, const char *wanted)
{
    base_text folded = {0};
    terminal_fold(&folded, text, columns);
    CHECK(folded.data && strcmp(folded.data, wanted) == 0, "got\n%s\nwanted\n%s", folded.data,
          wanted);
    base_text_free(&folded);
}

int main(void)
{
    folds(40, "short\n\n  rows  1\n", "short\n\n  rows  1\n");
    folds(20, "  some words that go on\n", "  some words that go\n    on\n");
    /* a table: its cells below each other, against the right edge but one */
    folds(40,
          "held-out, nats a pair  pairs    loss   floor\n"
          "  num_decoder_layers       3  4.5451  2.7205\n",
          "held-out, nats a pair\n                  pairs    loss   floor\n"
          "  num_decoder_layers\n                      3  4.5451  2.7205\n");
    /* one other cell, and two */
    folds(24, "what was found      r/source.c\n", "what was found\n  r/source.c\n");
    folds(34, "  last source    1.71 +- 0.18  (1.58 1.84)\n",
          "  last source    1.71 +- 0.18\n    (1.58 1.84)\n");
    /* changes of a source, with the word before the first of them */
    folds(26,
          "  episode 0:  -     heads = 8;\n"
          "              +     heads = 12;\n",
          "  episode 0:\n  -     heads = 8;\n  +     heads = 12;\n");
    /* what fits neither way is folded by words */
    folds(20, "gain  0.0213 [-0.4315, 0.4741] (95 %)\n",
          "gain 0.0213\n  [-0.4315, 0.4741]\n  (95 %)\n");
    return test_end();
}
