/* SPDX-License-Identifier: MIT */
/* guess.h -- the name that was meant, of those that there are: who types "evlove" means "evolve". */
#ifndef BASE_GUESS_H
#define BASE_GUESS_H

typedef struct base_guess {
    const char *word; /* what was typed */
    const char *name; /* the nearest name offered so far; NULL: none is near */
    int distance;     /* of that name */
} base_guess;

/* Begins with base_guess g = {.word = ...}. Of names as near as each other the first one offered is
 * kept. A name is near if changing, leaving out, adding or swapping at most a third of the
 * word's letters (one, of short words) makes the word that name, or if it begins with the word. */
void base_guess_offer(base_guess *g, const char *name);

#endif
