/* SPDX-License-Identifier: MIT */
/* counts.c -- rejection sampling: whatever the mutator draws is kept with a chance that grows with how
 * often such an edit paid. So the counts need to know nothing of designs or grammars but which
 * decisions two forms make differently. */
#include "evolve/search/counts.h"
#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

enum { MOST_EDITS = 8, MOST_DRAWS = 1000, MOST_REPEATS = 64 };

/* ---- what is known ---- */

static void add(search_counts *counts, int edit, bool up, bool paid)
{
    counts->tried[2 * edit + up]++;
    counts->paid[2 * edit + up] += paid;
}

/* Every decision that both forms make and make differently is credited with the outcome. */
void search_counts_note(search_counts *counts, const mutation_mutator *m,
                        const mutation_form *source, const mutation_form *child, bool paid)
{
    for (int i = 0; i < m->edits; i++) {
        int before = m->kind->value(source, i), after = m->kind->value(child, i);
        if (before >= 0 && after >= 0 && before != after)
            add(counts, i, after > before, paid);
    }
}

static int edit_of(const mutation_mutator *m, const char *name, size_t length)
{
    int i = 0;
    while (i < m->edits && (strlen(m->kind->name(m, i)) != length ||
                            memcmp(m->kind->name(m, i), name, length) != 0))
        i++;
    return i;
}

/* Old counts shrink to `most` trials, in proportion, so that new outcomes can still change the chance. */
void search_counts_limit(search_counts *counts, double most)
{
    for (int i = 0; i < MUTATION_MAX_OUTCOMES; i++)
        if (counts->tried[i] > most) {
            counts->paid[i] *= most / counts->tried[i];
            counts->tried[i] = most;
        }
}

static search_counts count_past(const mutation_mutator *m, const search_experience *experience)
{
    search_counts past = {0};
    for (int i = 0; i < experience->count; i++) {
        const search_outcome_row *row = &experience->row[i];
        const char *edits = row->edits, *name;
        size_t length;
        bool up, paid = row->outcome != SEARCH_FAILS && row->after < row->before;
        while (search_next_edit(&edits, &name, &length, &up)) {
            int edit = edit_of(m, name, length);
            if (edit < m->edits)
                add(&past, edit, up, paid);
        }
    }
    return past;
}

void search_counts_learn(search_counts *counts, const mutation_mutator *m,
                         const search_experience *experience)
{
    search_counts past = count_past(m, experience);
    search_counts_limit(&past, SEARCH_MOST_PAST);
    for (int i = 0; i < MUTATION_MAX_OUTCOMES; i++) {
        counts->tried[i] += past.tried[i];
        counts->paid[i] += past.paid[i];
    }
}

/* q^2 of counts.h. */
static double weight(const search_counts *counts, int outcome)
{
    double q = (counts->paid[outcome] + 1) / (counts->tried[outcome] + 2);
    return q * q;
}

void search_counts_describe(const mutation_mutator *m, const search_experience *experience,
                            base_text *text)
{
    enum { NAMED = 3 };
    const search_counts past = count_past(m, experience);
    bool named[MUTATION_MAX_OUTCOMES] = {false};
    for (int n = 0; n < NAMED; n++) {
        int best = -1;
        for (int i = 0; i < 2 * m->edits; i++)
            if (!named[i] && past.tried[i] > 0 &&
                (best < 0 || weight(&past, i) > weight(&past, best)))
                best = i;
        if (best < 0)
            return;
        named[best] = true;
        base_text_print(text, "%s%s%c (%.0f of %.0f)", n ? ", " : "", m->kind->name(m, best / 2),
                        best % 2 ? '+' : '-', past.paid[best], past.tried[best]);
    }
}

/* ---- children ---- */

/* The outcome of one edit: the decision that both make, differently. */
static int outcome_of(const mutation_mutator *m, const mutation_form *source,
                      const mutation_form *child)
{
    for (int i = 0; i < m->edits; i++) {
        int before = m->kind->value(source, i), after = m->kind->value(child, i);
        if (before >= 0 && after >= 0 && before != after)
            return 2 * i + (after > before);
    }
    return 2 * m->edits;
}

static double largest_weight(const search_counts *counts, const mutation_mutator *m)
{
    double most = 0;
    for (int i = 0; i < 2 * m->edits; i++)
        most = weight(counts, i) > most ? weight(counts, i) : most;
    return most;
}

void search_counts_weights(const search_counts *counts, const mutation_mutator *m,
                           double weights[MUTATION_MAX_OUTCOMES])
{
    const double least = largest_weight(counts, m) / 1000;
    for (int i = 0; i < 2 * m->edits; i++)
        weights[i] = weight(counts, i) > least ? weight(counts, i) : least;
}

/* With probability weight / most. */
static bool take(const search_counts *counts, double most, const mutation_mutator *m,
                 const mutation_form *source, const mutation_form *child, base_random *random)
{
    return base_random_uniform(random) * most < weight(counts, outcome_of(m, source, child));
}

bool search_counts_take(const search_counts *counts, const mutation_mutator *m,
                        const mutation_form *source, const mutation_form *child,
                        base_random *random)
{
    return take(counts, largest_weight(counts, m), m, source, child, random);
}

int search_counts_edits(base_random *random)
{
    int count = 1;
    while (count < MOST_EDITS && base_random_below(random, 2))
        count++;
    return count;
}

/* Rejection sampling: draws of the rules, until one is taken. counts NULL: the first is. */
static bool edit_once(const search_counts *counts, double most, const mutation_mutator *m,
                      const mutation_form *source, base_random *random, mutation_form *child)
{
    for (int draw = 0; draw < MOST_DRAWS; draw++) {
        if (!m->kind->refine(m, source, random, child))
            return false;
        if (!counts || take(counts, most, m, source, child, random))
            break;
    }
    return true;
}

static bool is_same(const mutation_mutator *m, const mutation_form *a, const mutation_form *b)
{
    int i = 0;
    while (i < m->edits && m->kind->value(a, i) == m->kind->value(b, i))
        i++;
    return i == m->edits;
}

/* A child that the search has had before is drawn again, up to MOST_REPEATS times: then the space is
 * nearly exhausted, and the repeat, whose score is known, is as good as anything. */
bool search_counts_refine(const search_counts *counts, const mutation_mutator *m, int64_t edits,
                          const mutation_form *source,
                          bool (*known)(void *user, const mutation_form *child), void *user,
                          base_random *random, mutation_form *child)
{
    const double most = counts ? largest_weight(counts, m) : 0;
    for (int repeat = 0, returns = 0; repeat < MOST_REPEATS && returns < MOST_DRAWS;) {
        *child = *source;
        for (int left = edits > 0 ? (int)edits : search_counts_edits(random); left > 0; left--) {
            mutation_form parent = *child;
            if (!edit_once(counts, most, m, &parent, random, child))
                return false;
        }
        if (is_same(m, source, child))
            returns++;
        else if (!known || !known(user, child))
            break;
        else
            repeat++;
    }
    return true;
}
