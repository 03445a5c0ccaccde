/* parse.h -- the state of the parser, shared by parse.c and expression.c. */
#ifndef REFINE_PARSE_H
#define REFINE_PARSE_H

#include "refine/ast.h"

typedef struct refine_hidden { /* a type's name that a variable hides in the current scopes */
    refine_name *name;
    struct refine_hidden *outer;
} refine_hidden;

typedef struct refine_parser {
    refine_unit *unit;
    const refine_token *at; /* the next token */
    refine_hidden *hidden;
    int statements, expressions; /* nested at this point */
} refine_parser;

/* "expected WHAT, got TOKEN", and any other error at a token. */
_Noreturn void refine_fail_expected(refine_parser *p, const char *what);
_Noreturn void refine_fail_syntax(refine_parser *p, const refine_token *token, const char *message);

bool refine_next_is(const refine_parser *p, refine_token_kind kind);
bool refine_accept(refine_parser *p, refine_token_kind kind);
/* Fails where the next token is another. where: "after expression", "to open a block", ... */
void refine_expect(refine_parser *p, refine_token_kind kind, const char *where);
bool refine_starts_type(const refine_parser *p);

refine_node *refine_new_node(refine_parser *p, refine_node_kind kind, const refine_token *token);
refine_node *refine_parse_type(refine_parser *p);
refine_node *refine_parse_conditional(refine_parser *p);
refine_node *refine_parse_expression(refine_parser *p);

#endif
