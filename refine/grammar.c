/* grammar.c -- looking rules up, and cutting templates into fixed text and holes. */
#include "refine/grammar.h"

#include <assert.h>
#include <string.h>

int refine_grammar_find(const refine_grammar *g, const char *name, size_t length)
{
    for (int i = 0; i < g->count; i++)
        if (strncmp(g->rules[i].name, name, length) == 0 && !g->rules[i].name[length])
            return i;
    return -1;
}

int refine_grammar_choices(const refine_grammar *g, int rule)
{
    const refine_rule *r = &g->rules[rule];
    int count = 0;
    if (!(r->scope & g->scope))
        return 1;
    while (r->alternative[count])
        count++;
    return count;
}

bool refine_next_piece(const refine_grammar *g, const char **template, refine_piece *piece)
{
    const char *at = *template;
    if (!*at)
        return false;
    if (*at != '$' && *at != '@') {
        *piece = (refine_piece){.text = at, .length = strcspn(at, "$@")};
        *template = at + piece->length;
        return true;
    }
    size_t length = strspn(at + 1, "abcdefghijklmnopqrstuvwxyz_0123456789");
    int writing = refine_grammar_find(g, at + 1, length), rule = writing;
    assert(writing >= 0);
    if (g->rules[writing].of)
        rule = refine_grammar_find(g, g->rules[writing].of, strlen(g->rules[writing].of));
    assert(rule >= 0);
    *piece = (refine_piece){.rule = rule, .writing = writing, .repeat = *at == '@'};
    *template = at + 1 + length;
    return true;
}

int refine_next_rule(const refine_grammar *g, const char **template)
{
    refine_piece piece;
    while (refine_next_piece(g, template, &piece))
        if (!piece.text && !piece.repeat)
            return piece.rule;
    return -1;
}

const char *refine_template(const refine_grammar *g, int rule, int choice)
{
    assert(choice >= 0 && g->rules[rule].alternative[choice]);
    return g->rules[rule].alternative[choice];
}
