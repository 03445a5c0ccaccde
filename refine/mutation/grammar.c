/* SPDX-License-Identifier: MIT */
/* grammar.c -- looking rules up, and cutting templates into fixed text and holes.
 *
 * The templates are the grammar: nothing is compiled from them, and every walk (printing, reading,
 * counting) cuts them anew. They are short, and a walk reads each byte once. */
#include "refine/mutation/grammar.h"

#include "base/number.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A table has at most 64 rules: looking one up by name is 64 comparisons, most of one byte. */
int mutation_grammar_find(const mutation_grammar *g, const char *name, size_t length)
{
    for (int i = 0; i < g->count; i++)
        if (strncmp(g->rules[i].name, name, length) == 0 && !g->rules[i].name[length])
            return i;
    return -1;
}

/* The number that a rule, or a writing, has besides the table's; NULL: none. */
static const mutation_own *own_of(const mutation_grammar *g, int writing)
{
    for (int i = 0; i < g->owns; i++)
        if (g->own[i].writing == writing)
            return &g->own[i];
    return NULL;
}

int mutation_grammar_first(const mutation_grammar *g, int rule)
{
    const mutation_own *own = own_of(g, rule);
    int first = g->begun[rule] > 0 ? g->begun[rule] - 1 : g->rules[rule].first;
    if (own && g->begun[rule] < 0)
        return own->place;
    return first + (own && own->place <= first);
}

static int alternatives(const mutation_grammar *g, int rule)
{
    const char *const *alternative = g->rules[rule].alternative;
    int count = 0;
    while (alternative[count])
        count++;
    return count + (own_of(g, rule) != NULL);
}

/* Whether the text is a number and nothing else. */
static bool is_number(const char *text, double *number)
{
    char *end;
    *number = base_read_number(text, &end);
    return end > text && !*end;
}

/* ---- numbers that the table does not have ---- */

/* Where the number goes in the grid; -1: it is there, or it is no grid of numbers. */
static int place_of(const mutation_grammar *g, int rule, double number)
{
    const char *const *alternative = g->rules[rule].alternative;
    int place = 0;
    if (g->rules[rule].order != MUTATION_GRID)
        return -1;
    for (int i = 0; alternative[i]; i++) {
        double value;
        if (!is_number(alternative[i], &value) || (value >= number && value <= number))
            return -1;
        place += value < number;
    }
    return place;
}

enum { MOST_WHOLE = 1000000 };

/* A writing says its rule's number L in words whose only digits are those of L, L - 1 and parts of L:
 * "(size(data) + 63) / 64", "32". Of another number it says the same, in proportion, but at least 1. */
static bool write_in_proportion(const char *words, long last, long number, char *text, size_t size)
{
    size_t length = 0;
    while (*words) {
        char *end = NULL;
        long value = *words >= '0' && *words <= '9' ? strtol(words, &end, 10) : 0;
        long other = value == last - 1 ? number - 1 : number * value / last;
        int wrote = end ? snprintf(text + length, size - length, "%ld", other > 1 ? other : 1)
                        : snprintf(text + length, size - length, "%c", *words);
        if (wrote < 0 || (length += (size_t)wrote) >= size)
            return false;
        words = end ? end : words + 1;
    }
    return true;
}

static const char *last_alternative(const mutation_grammar *g, int rule)
{
    const char *const *alternative = g->rules[rule].alternative;
    while (alternative[1])
        alternative++;
    return *alternative;
}

/* 0: it is no whole number, or too large a one. */
static long whole_number(const char *text)
{
    char *end;
    long number = strtol(text, &end, 10);
    return *end || number < 0 || number >= MOST_WHOLE ? 0 : number;
}

/* strtod would take "inf" and "nan" as well. */
static bool begins_number(const char *text, size_t length)
{
    size_t sign = length > 0 && text[0] == '-';
    return length > sign && text[sign] >= '0' && text[sign] <= '9';
}

bool mutation_grammar_add_number(mutation_grammar *g, int rule, const char *text, size_t length)
{
    const int before = g->owns;
    char number[MUTATION_OWN_TEXT];
    double value;
    if (length >= sizeof number || !begins_number(text, length) || own_of(g, rule) ||
        alternatives(g, rule) == MUTATION_MAX_ALTERNATIVES)
        return false;
    memcpy(number, text, length);
    number[length] = '\0';
    const int place = is_number(number, &value) ? place_of(g, rule, value) : -1;
    const long last = whole_number(last_alternative(g, rule)), whole = whole_number(number);
    bool ok = place >= 0;
    for (int i = 0; ok && i < g->count; i++) {
        const char *of = g->rules[i].of;
        if (i != rule && (!of || strcmp(of, g->rules[rule].name) != 0))
            continue;
        ok = g->owns < MUTATION_MAX_OWN && (i == rule || (last > 0 && whole > 0));
        if (!ok)
            break;
        mutation_own *own = &g->own[g->owns++];
        *own = (mutation_own){.writing = i, .place = place};
        if (i == rule)
            memcpy(own->text, number, length + 1);
        else
            ok = write_in_proportion(last_alternative(g, i), last, whole, own->text,
                                     sizeof own->text);
    }
    if (!ok)
        g->owns = before;
    return ok;
}

/* As the default source prints it: a grid of reals has a point or an exponent in each. */
static void number_text(const mutation_rule *rule, double number, char digits[BASE_DIGITS])
{
    base_print_digits(digits, number);
    if (strpbrk(rule->alternative[0], ".e") && !strpbrk(digits, ".e"))
        strcat(digits, ".0");
}

void mutation_grammar_begin_number(mutation_grammar *g, const char *rule, double number)
{
    int at = mutation_grammar_find(g, rule, strlen(rule));
    const char *const *alternative = g->rules[at].alternative;
    char digits[BASE_DIGITS];
    number_text(&g->rules[at], number, digits);
    if (mutation_grammar_add_number(g, at, digits, strlen(digits)))
        g->begun[at] = -1;
    for (int i = 0; alternative[i]; i++) {
        double value;
        if (is_number(alternative[i], &value) && value >= number && value <= number)
            g->begun[at] = (signed char)(i + 1);
    }
}

/* An empty text is the empty alternative. */
void mutation_grammar_begin_text(mutation_grammar *g, const char *rule, const char *text)
{
    int at = mutation_grammar_find(g, rule, strlen(rule));
    const char *const *alternative = g->rules[at].alternative;
    for (int i = 0; alternative[i]; i++)
        if (*text ? strncmp(alternative[i], text, strlen(text)) == 0 : !*alternative[i])
            g->begun[at] = (signed char)(i + 1);
}

/* A rule outside of the scope is fixed at its default, and has one choice. */
int mutation_grammar_choices(const mutation_grammar *g, int rule)
{
    return g->rules[rule].scope & g->scope ? alternatives(g, rule) : 1;
}

/* template = { text | ( "$" | "@" ) name }. A hole that names a writing is about the rule it is
 * `of`. */
bool mutation_next_piece(const mutation_grammar *g, const char **template, mutation_piece *piece)
{
    const char *at = *template;
    if (!*at)
        return false;
    if (*at != '$' && *at != '@') {
        *piece = (mutation_piece){.text = at, .length = strcspn(at, "$@")};
        *template = at + piece->length;
        return true;
    }
    size_t length = strspn(at + 1, "abcdefghijklmnopqrstuvwxyz_0123456789");
    int writing = mutation_grammar_find(g, at + 1, length), rule = writing;
    assert(writing >= 0);
    if (g->rules[writing].of)
        rule = mutation_grammar_find(g, g->rules[writing].of, strlen(g->rules[writing].of));
    assert(rule >= 0);
    *piece = (mutation_piece){.rule = rule, .writing = writing, .repeat = *at == '@'};
    *template = at + 1 + length;
    return true;
}

/* What decides below a choice: a repeat decides nothing. */
int mutation_next_rule(const mutation_grammar *g, const char **template)
{
    mutation_piece piece;
    while (mutation_next_piece(g, template, &piece))
        if (!piece.text && !piece.repeat)
            return piece.rule;
    return -1;
}

const char *mutation_template(const mutation_grammar *g, int rule, int choice)
{
    const mutation_own *own = own_of(g, rule);
    assert(choice >= 0);
    if (own && own->place == choice)
        return own->text;
    choice -= own && own->place < choice;
    assert(g->rules[rule].alternative[choice]);
    return g->rules[rule].alternative[choice];
}
