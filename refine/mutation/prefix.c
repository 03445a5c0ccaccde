/* SPDX-License-Identifier: MIT */
/* prefix.c -- an automaton that reads programs byte by byte, in all derivations at once.
 *
 * For a grammar, a *place* is what is left of the templates under way, innermost last, and what was
 * decided on the way there. Where a hole that decides is next, the place splits into one for each
 * alternative; so every place kept has a byte of fixed text next, or is at the end. (Thompson 1968,
 * CACM 11(6), does so with regular expressions. Templates nest, but not in themselves, so there is
 * no more to it here than a stack.) Alternatives differ early: there are a few dozen places at
 * most, and nearly always there is one.
 *
 * For the papers' four integers the state is an offset in their listing, and the digits of the
 * number that stands there. */
#include "refine/mutation/prefix.h"
#include "base/memory.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* The depth of templates within templates: source, training, optimizer, its numbers. */
enum { DEPTH = 8 };

typedef struct place {
    mutation_tree tree;
    const char *rest[DEPTH];
    int depth; /* 0: the end of a program */
} place;

typedef struct places {
    place *at;
    int count, capacity;
} places;

/* A place in mutation_listing(); at a '$': in the number that stands for it. */
typedef struct spot {
    size_t offset;
    int edit; /* which number that is, or is next */
    int64_t number;
    int digits;
} spot;

struct mutation_prefix {
    const mutation_mutator *mutator;
    bool of_grammar; /* the mutator */
    int low[MUTATION_EDITS], high[MUTATION_EDITS];
    spot spot;
    places now;   /* after the accepted text */
    places next;  /* after the bytes asked about */
    places other; /* scratch: one byte earlier */
    bool failed;  /* memory ran out */
};

/* ---- a grammar ---- */

/* Appends a copy. Without memory the automaton stays failed, and nothing follows any more. */
static void keep(mutation_prefix *p, places *set, const place *one)
{
    if (set->count == set->capacity) {
        int capacity = set->capacity ? 2 * set->capacity : 16;
        place *more = base_realloc(set->at, (size_t)capacity * sizeof *more);
        if (!more) {
            p->failed = true;
            return;
        }
        set->at = more;
        set->capacity = capacity;
    }
    set->at[set->count++] = *one;
}

/* Enters a template; what is left of the one around it waits below. */
static void push(place *one, const char *template)
{
    assert(one->depth < DEPTH);
    one->rest[one->depth++] = template;
}

/* Adds the places that a place stands for: those with fixed text next. */
static void expand(mutation_prefix *p, places *set, place one)
{
    const mutation_grammar *g = &p->mutator->grammar;
    mutation_piece piece;
    for (;;) {
        while (one.depth > 0 && !*one.rest[one.depth - 1])
            one.depth--;
        const char **rest = one.depth > 0 ? &one.rest[one.depth - 1] : NULL;
        if (!rest || (**rest != '$' && **rest != '@')) {
            keep(p, set, &one);
            return;
        }
        mutation_next_piece(g, rest, &piece);
        if (!piece.repeat)
            break;
        push(&one, mutation_template(g, piece.writing, one.tree.choice[piece.rule]));
    }
    int count = mutation_grammar_choices(g, piece.rule);
    int low = count == 1 ? mutation_grammar_first(g, piece.rule) : 0;
    for (int i = low; i < low + count; i++) {
        place chosen = one;
        chosen.tree.choice[piece.rule] = (signed char)i;
        push(&chosen, mutation_template(g, piece.writing, i));
        expand(p, set, chosen);
    }
}

/* The place at the start of the root. */
static void begin(mutation_prefix *p, places *set)
{
    const mutation_grammar *g = &p->mutator->grammar;
    place one = {.depth = 0};
    memset(one.tree.choice, -1, sizeof one.tree.choice);
    one.tree.choice[g->root] = (signed char)mutation_grammar_first(g, g->root);
    push(&one, mutation_template(g, g->root, mutation_grammar_first(g, g->root)));
    set->count = 0;
    expand(p, set, one);
}

/* The places that one byte leads to. */
static void move(mutation_prefix *p, const places *from, places *to, char byte)
{
    to->count = 0;
    for (int i = 0; i < from->count; i++) {
        place one = from->at[i];
        if (one.depth == 0 || *one.rest[one.depth - 1] != byte)
            continue;
        one.rest[one.depth - 1]++;
        expand(p, to, one);
    }
}

/* Moves every place of p->now by the bytes, into p->next. False: no place is left. */
static bool move_all(mutation_prefix *p, const char *bytes, size_t length)
{
    const places *from = &p->now;
    for (size_t i = 0; i < length; i++) {
        places swap = p->next;
        p->next = p->other;
        p->other = swap;
        move(p, i == 0 ? from : &p->other, &p->next, bytes[i]);
        if (p->next.count == 0)
            return false;
    }
    return true;
}

/* ---- four integers ---- */

/* Whether some number of low .. high begins with these digits: with k more digits, those are
 * number * 10^k .. number * 10^k + 10^k - 1. A number has no zero in front, and none is below 1. */
static bool begins_number(int64_t number, int digits, int low, int high)
{
    if (digits > 0 && number == 0)
        return false;
    for (int64_t ten = 1; number * ten <= high; ten *= 10)
        if (number * ten + ten - 1 >= low)
            return true;
    return false;
}

/* A byte that is no digit ends a number, if the number is one of the range. */
static bool move_spot(const mutation_prefix *p, spot *s, char byte)
{
    char next = mutation_listing()[s->offset];
    if (next != '$') {
        s->offset++;
        return next && next == byte;
    }
    if (byte >= '0' && byte <= '9') {
        s->number = 10 * s->number + (byte - '0');
        return begins_number(s->number, ++s->digits, p->low[s->edit], p->high[s->edit]);
    }
    if (s->number < p->low[s->edit] || s->number > p->high[s->edit])
        return false;
    *s = (spot){.offset = s->offset + 1, .edit = s->edit + 1};
    return move_spot(p, s, byte);
}

/* The least and greatest number that sources and their refinements can have: those of the rules,
 * where edits are clamped to them, and wider ones where they are not. */
static void find_ranges(mutation_prefix *p)
{
    const mutation_rules *rules = &p->mutator->rules;
    for (int edit = 0; edit < MUTATION_EDITS; edit++) {
        p->low[edit] = rules->low[edit];
        p->high[edit] = rules->high[edit];
        for (int value = rules->low[edit]; value <= rules->high[edit]; value++) {
            int draws[MUTATION_MAX_DRAWS];
            int count = mutation_draws(rules, (mutation_edit)edit, value, draws);
            for (int i = 0; i < count; i++) {
                p->low[edit] = draws[i] < p->low[edit] ? draws[i] : p->low[edit];
                p->high[edit] = draws[i] > p->high[edit] ? draws[i] : p->high[edit];
            }
        }
    }
}

/* ---- either ---- */

mutation_prefix *mutation_prefix_new(const mutation_mutator *mutator)
{
    mutation_prefix *p = base_calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->mutator = mutator;
    p->of_grammar = !mutation_mutator_is_of_rules(mutator);
    if (!p->of_grammar)
        find_ranges(p);
    mutation_prefix_clear(p);
    if (p->failed) {
        mutation_prefix_free(p);
        return NULL;
    }
    return p;
}

void mutation_prefix_free(mutation_prefix *p)
{
    if (!p)
        return;
    base_free(p->now.at);
    base_free(p->next.at);
    base_free(p->other.at);
    base_free(p);
}

/* A grammar's places start at the root, the integers' spot at the listing's first byte. */
void mutation_prefix_clear(mutation_prefix *p)
{
    p->spot = (spot){0};
    if (p->of_grammar)
        begin(p, &p->now);
}

bool mutation_prefix_failed(const mutation_prefix *p) { return p->failed; }

bool mutation_prefix_follows(mutation_prefix *p, const char *bytes, size_t length)
{
    if (p->of_grammar)
        return move_all(p, bytes, length) && !p->failed;
    spot s = p->spot;
    for (size_t i = 0; i < length; i++)
        if (!move_spot(p, &s, bytes[i]))
            return false;
    return true;
}

/* The text is not kept: the places after it are all that is ever asked about. */
bool mutation_prefix_add(mutation_prefix *p, const char *bytes, size_t length)
{
    if (length == 0)
        return true;
    if (!mutation_prefix_follows(p, bytes, length))
        return false;
    for (size_t i = 0; !p->of_grammar && i < length; i++)
        move_spot(p, &p->spot, bytes[i]);
    places swap = p->now;
    p->now = p->next;
    p->next = swap;
    return true;
}

/* A place with nothing left is at the end of its derivation. */
bool mutation_prefix_is_whole(const mutation_prefix *p)
{
    if (!p->of_grammar)
        return mutation_listing()[p->spot.offset] == '\0';
    for (int i = 0; i < p->now.count; i++)
        if (p->now.at[i].depth == 0)
            return true;
    return false;
}
