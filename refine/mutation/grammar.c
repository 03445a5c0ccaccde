/* grammar.c -- looking rules up, and cutting templates into fixed text and holes.
 *
 * The templates are the grammar: nothing is compiled from them, and every walk (printing, reading,
 * counting) cuts them anew. They are short, and a walk reads each byte once. */
#include "refine/mutation/grammar.h"

#include "base/number.h"

#include <assert.h>
#include <string.h>

/* A table has at most 64 rules: looking one up by name is 64 comparisons, most of one byte. */
int mutation_grammar_find(const mutation_grammar *g, const char *name, size_t length)
{
    for (int i = 0; i < g->count; i++)
        if (strncmp(g->rules[i].name, name, length) == 0 && !g->rules[i].name[length])
            return i;
    return -1;
}

int mutation_grammar_first(const mutation_grammar *g, int rule)
{
    return g->begun[rule] ? g->begun[rule] - 1 : g->rules[rule].first;
}

static bool is_number(const char *text, double number)
{
    char *end;
    double value = base_read_number(text, &end);
    return !*end && value >= number && value <= number;
}

void mutation_grammar_begin_number(mutation_grammar *g, const char *rule, double number)
{
    int at = mutation_grammar_find(g, rule, strlen(rule));
    const char *const *alternative = g->rules[at].alternative;
    for (int i = 0; alternative[i]; i++)
        if (is_number(alternative[i], number))
            g->begun[at] = (signed char)(i + 1);
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
    const mutation_rule *r = &g->rules[rule];
    int count = 0;
    if (!(r->scope & g->scope))
        return 1;
    while (r->alternative[count])
        count++;
    return count;
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
    assert(choice >= 0 && g->rules[rule].alternative[choice]);
    return g->rules[rule].alternative[choice];
}
