/* SPDX-License-Identifier: MIT */
/* guess.c -- the distance is that of optimal string alignment: the least number of letters changed,
 * left out, added, or swapped with their neighbour. Row i of its table is the distance of the word's
 * first i letters from each beginning of the name; three rows are all that a cell looks at. */
#include "base/guess.h"
#include <string.h>

enum { LONGEST = 40 }; /* no name is longer; a longer word is none's misspelling */

static int least(int a, int b) { return a < b ? a : b; }

static int distance_of(const char *word, int length, const char *name, int name_length)
{
    int rows[3][LONGEST + 1];
    for (int j = 0; j <= name_length; j++)
        rows[0][j] = j;
    for (int i = 1; i <= length; i++) {
        int *now = rows[i % 3];
        const int *before = rows[(i + 2) % 3], *two_before = rows[(i + 1) % 3];
        now[0] = i;
        for (int j = 1; j <= name_length; j++) {
            now[j] = least(before[j - 1] + (word[i - 1] != name[j - 1]),
                           least(before[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && word[i - 1] == name[j - 2] && word[i - 2] == name[j - 1])
                now[j] = least(now[j], two_before[j - 2] + 1);
        }
    }
    return rows[length % 3][name_length];
}

void base_guess_offer(base_guess *g, const char *name)
{
    size_t length = strlen(g->word), name_length = strlen(name);
    if (length == 0 || length > LONGEST || name_length > LONGEST)
        return;
    int most = length < 6 ? 1 : (int)length / 3;
    int distance = length >= 3 && strncmp(g->word, name, length) == 0
                       ? 1
                       : distance_of(g->word, (int)length, name, (int)name_length);
    if (distance <= most && (!g->name || distance < g->distance)) {
        g->name = name;
        g->distance = distance;
    }
}
