/* SPDX-License-Identifier: MIT */
/* tree.c -- derivations: drawn, printed, read.
 *
 * Reading needs no search. Of two alternatives of a rule neither text is the beginning of the
 * other's, token by token, and what follows an optional line never begins as that line does; so at
 * any place at most one alternative fits, and an empty one fits where no other does. The first that
 * fits is the one that was printed. (As in Ford 2004, "Parsing expression grammars", with a choice
 * that happens not to depend on the order.) Only the alternatives of a ladder begin like each
 * other, each like all of the one before it: they are tried from the last to the first. */
#include "refine/mutation/grammar.h"

#include <assert.h>
#include <string.h>

/* ---- drawing ---- */

/* The choices of a rule and of all below it: the defaults, or where there is a stream, random. */
static void derive(const mutation_grammar *g, int rule, base_random *random, mutation_tree *tree)
{
    int count = mutation_grammar_choices(g, rule), choice = mutation_grammar_first(g, rule);
    if (random && count > 1)
        choice = (int)base_random_below(random, (uint32_t)count);
    tree->choice[rule] = (signed char)choice;
    const char *template = mutation_template(g, rule, choice);
    for (int next; (next = mutation_next_rule(g, &template)) >= 0;)
        derive(g, next, random, tree);
}

/* No rule is reached. */
static mutation_tree empty(void)
{
    mutation_tree tree;
    memset(tree.choice, -1, sizeof tree.choice);
    return tree;
}

mutation_tree mutation_tree_first(const mutation_grammar *g)
{
    mutation_tree tree = empty();
    derive(g, g->root, NULL, &tree);
    return tree;
}

/* Rules are decided from the root down, in the order of the holes: the order of the random
 * numbers. */
mutation_tree mutation_tree_sample(const mutation_grammar *g, base_random *random)
{
    mutation_tree tree = empty();
    derive(g, g->root, random, &tree);
    return tree;
}

/* The rules that are reached and have something to choose: what an edit picks from. */
int mutation_tree_sites(const mutation_grammar *g, const mutation_tree *tree)
{
    int sites = 0;
    for (int rule = 0; rule < g->count; rule++)
        sites += tree->choice[rule] >= 0 && mutation_grammar_choices(g, rule) > 1;
    return sites;
}

/* ---- printing ---- */

/* Both kinds of hole print the template of a choice; only reading has to tell them apart. */
static void print(const mutation_grammar *g, const mutation_tree *tree, const char *template,
                  base_text *text)
{
    mutation_piece piece;
    while (mutation_next_piece(g, &template, &piece))
        if (piece.text)
            base_text_add(text, piece.text, piece.length);
        else
            print(g, tree, mutation_template(g, piece.writing, tree->choice[piece.rule]), text);
}

void mutation_tree_print(const mutation_grammar *g, const mutation_tree *tree, base_text *text)
{
    print(g, tree, mutation_template(g, g->root, tree->choice[g->root]), text);
}

/* ---- reading ---- */

typedef struct reader {
    const mutation_grammar *grammar;
    mutation_grammar *grows; /* the same, where it is to get the numbers that it lacks; else NULL */
    const char *at, *end;
    const char *far; /* the furthest that any alternative came */
    mutation_tree tree;
} reader;

/* The characters of names and numbers: ASCII's, whatever the locale. */
static bool in_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
}

/* Moves past fixed text, if it stands there in whole tokens: 5 does not begin 50. */
static bool read_text(reader *r, const char *text, size_t length)
{
    size_t same = 0;
    while (same < length && r->at + same < r->end && r->at[same] == text[same])
        same++;
    if (r->at + same > r->far)
        r->far = r->at + same;
    if (same < length)
        return false;
    r->at += length;
    return r->at == r->end || !in_word(r->at[-1]) || !in_word(*r->at);
}

static bool read_rule(reader *r, int rule, int writing);

/* Fixed text has to stand there; a repeat has to say what was decided; a hole is read as its
 * rule. */
static bool read_template(reader *r, const char *template)
{
    mutation_piece piece;
    bool ok = true;
    while (ok && mutation_next_piece(r->grammar, &template, &piece))
        if (piece.text)
            ok = read_text(r, piece.text, piece.length);
        else if (piece.repeat)
            ok = read_template(
                r, mutation_template(r->grammar, piece.writing, r->tree.choice[piece.rule]));
        else
            ok = read_rule(r, piece.rule, piece.writing);
    return ok;
}

/* What an alternative that did not fit has read and added is undone; how far it came is kept. */
static void return_to(reader *r, const reader *start, int owns)
{
    const char *far = r->far;
    *r = *start;
    r->far = far;
    if (r->grows)
        r->grows->owns = owns;
}

/* The rest of this line has the number; a writing has other words around it, so each is tried. */
static bool admit_number(reader *r, int rule, int writing)
{
    mutation_grammar *g = r->grows;
    const reader start = *r;
    const int owns = g->owns;
    for (const char *p = start.at, *end; p < start.end && *p != '\n'; p = end) {
        bool word = in_word(*p) || *p == '-';
        for (end = p + 1;
             word && end < start.end && (in_word(*end) || (end[-1] == 'e' && *end == '-'));)
            end++;
        if (!mutation_grammar_add_number(g, rule, p, (size_t)(end - p)))
            continue;
        for (int i = 0; i < g->owns; i++)
            if (g->own[i].writing == writing && read_template(r, g->own[i].text)) {
                r->tree.choice[rule] = (signed char)g->own[i].place;
                return true;
            }
        return_to(r, &start, owns);
    }
    return false;
}

/* The first alternative that fits decides the rule. */
static bool read_rule(reader *r, int rule, int writing)
{
    const mutation_grammar *g = r->grammar;
    const reader start = *r;
    const int owns = g->owns;
    int count = mutation_grammar_choices(g, rule),
        low = count == 1 ? mutation_grammar_first(g, rule) : 0;
    bool down = g->rules[rule].order == MUTATION_LADDER;
    for (int n = 0; n < count; n++) {
        int i = low + (down ? count - 1 - n : n);
        return_to(r, &start, owns);
        r->tree.choice[rule] = (signed char)i;
        if (read_template(r, mutation_template(g, writing, i)))
            return true;
    }
    return_to(r, &start, owns);
    return r->grows && admit_number(r, rule, writing);
}

/* All of the text has to be one derivation. */
bool mutation_tree_read(const mutation_grammar *g, const char *text, size_t length,
                        mutation_tree *tree)
{
    reader r = {g, NULL, text, text + length, text, empty()};
    if (!read_rule(&r, g->root, g->root) || r.at != r.end)
        return false;
    *tree = r.tree;
    return true;
}

bool mutation_grammar_admit(mutation_grammar *g, const char *text, size_t length, size_t *far)
{
    const mutation_grammar before = *g;
    reader r = {g, g, text, text + length, text, empty()};
    bool ok = read_rule(&r, g->root, g->root) && r.at == r.end;
    if (far)
        *far = (size_t)(r.far - text);
    if (!ok)
        *g = before;
    return ok;
}
