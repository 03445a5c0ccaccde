/* SPDX-License-Identifier: MIT */
/* test_guess.c -- misspellings, and words that are nobody's. */
#include "base/guess.h"
#include "tests/test.h"

static const char *const names[] = {"evolve",    "refine",  "train",       "generate", "episodes",
                                    "epochs",    "seed",    "temperature", "task",     "adamw",
                                    "adafactor", "d-model", NULL};

static void near_names_are_found(void)
{
    static const char *const cases[][2] = {{"evlove", "evolve"},
                                           {"episode", "episodes"},
                                           {"trian", "train"},
                                           {"Seed", "seed"},
                                           {"sed", "seed"},
                                           {"temp", "temperature"},
                                           {"dmodel", "d-model"},
                                           {"adam", "adamw"},
                                           {"adafctr", "adafactor"},
                                           {"generade", "generate"},
                                           {"evolve", "evolve"},
                                           {"nothing", NULL},
                                           {"", NULL},
                                           {"x", NULL},
                                           {"sandwich", NULL},
                                           {"t", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        base_guess guess = {.word = cases[i][0]};
        for (int n = 0; names[n]; n++)
            base_guess_offer(&guess, names[n]);
        const char *want = cases[i][1];
        CHECK(want ? guess.name && strcmp(guess.name, want) == 0 : !guess.name, "%s: %s, not %s",
              cases[i][0], guess.name ? guess.name : "nothing", want ? want : "nothing");
    }
}

/* Any word is measured without a look beyond its end, or a name's. */
static void long_words_are_nobodys(void)
{
    char word[200];
    for (size_t length = 0; length + 1 < sizeof word; length++) {
        memset(word, 'a', length);
        word[length] = '\0';
        base_guess guess = {.word = word};
        base_guess_offer(&guess, word);
        base_guess_offer(&guess, "seed");
        CHECK(!guess.name == (length == 0 || length > 40), "%zu", length);
    }
}

int main(void)
{
    near_names_are_found();
    long_words_are_nobodys();
    return test_end();
}
