/* SPDX-License-Identifier: MIT */
/* exercise_06.c -- chapter 6: learning merges. Fails until learn() is written. */
#include "t5/tokenizer.h"
#include "tests/test.h"

enum { MOST = 40, LONGEST = 64, WORDS = 6 };

/* One word as symbols: each is an id, a byte 0 .. 255 or 256 + i, the symbol that merge i made. */
typedef struct word {
    int symbol[LONGEST], count, times;
} word;

typedef struct merge {
    int left, right;
} merge;

/* Learns merges from the words (of which each occurs `times` times) as long as some pair of neighbours occurs twice.
 * Of pairs that are equally frequent, the one with the smaller left is taken, then the one with the smaller right. A
 * merge joins from left to right: with a+a, "aaa" becomes aa, a. Returns how many there are. */
static int learn(word *words, int count, merge *merges)
{
    (void)words, (void)count, (void)merges;
    return 0; /* yours */
}

/* The text of a symbol. */
static void spell(const merge *merges, int symbol, char *to)
{
    if (symbol < 256) {
        size_t end = strlen(to);
        to[end] = (char)symbol;
        to[end + 1] = '\0';
        return;
    }
    spell(merges, merges[symbol - 256].left, to);
    spell(merges, merges[symbol - 256].right, to);
}

int main(void)
{
    static const struct {
        const char *text;
        int times;
    } corpus[WORDS] = {{"low\n", 5},    {"lower\n", 2},   {"newest\n", 6},
                       {"widest\n", 3}, {"aaabaaa\n", 2}, {"lowest\n", 1}};
    const char *texts[MOST];
    word words[WORDS];
    merge merges[MOST];
    int all = 0;
    for (int i = 0; i < WORDS; i++) {
        words[i] = (word){.count = (int)strlen(corpus[i].text), .times = corpus[i].times};
        for (int k = 0; k < words[i].count; k++)
            words[i].symbol[k] = (unsigned char)corpus[i].text[k];
        for (int k = 0; k < corpus[i].times; k++)
            texts[all++] = corpus[i].text;
    }
    base_error error;
    t5_tokenizer *t = t5_tokenizer_train(texts, (size_t)all, T5_LEAST_TOKENS + MOST, &error);
    int want = t5_tokenizer_size(t) - T5_LEAST_TOKENS, got = learn(words, WORDS, merges);
    CHECK(got == want, "%d merges, expected %d", got, want);
    for (int i = 0; i < got && i < want; i++) {
        char mine[LONGEST] = "";
        int id = T5_LEAST_TOKENS + i;
        base_text text = {0};
        spell(merges, 256 + i, mine);
        t5_detokenize(t, &id, 1, &text);
        CHECK(strcmp(mine, text.data) == 0, "merge %d makes \"%s\", expected \"%s\"", i, mine,
              text.data);
        base_text_free(&text);
    }
    t5_tokenizer_free(t);
    return test_end();
}
