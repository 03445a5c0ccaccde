/* SPDX-License-Identifier: MIT */
/* parse.h -- the state of the parser, shared by parse.c and expression.c. */
#ifndef LANGUAGE_PARSE_H
#define LANGUAGE_PARSE_H

#include "refine/language/ast.h"

typedef struct language_hidden { /* a type's name that a variable hides in the current scopes */
    language_name *name;
    struct language_hidden *outer;
} language_hidden;

typedef struct language_parser {
    language_unit *unit;
    const language_token *at; /* the next token */
    language_hidden *hidden;
    int statements, expressions; /* nested at this point */
} language_parser;

/* "expected WHAT, got TOKEN", and any other error at a token. */
BASE_NORETURN void language_fail_expected(language_parser *p, const char *what);
BASE_NORETURN void language_fail_syntax(language_parser *p, const language_token *token,
                                        const char *message);

bool language_next_is(const language_parser *p, language_token_kind kind);
bool language_accept(language_parser *p, language_token_kind kind);
/* Fails where the next token is another. where: "after expression", "to open a block", ... */
void language_expect(language_parser *p, language_token_kind kind, const char *where);
bool language_starts_type(const language_parser *p);

language_node *language_new_node(language_parser *p, language_node_kind kind,
                                 const language_token *token);
language_node *language_parse_type(language_parser *p);
language_node *language_parse_conditional(language_parser *p);
language_node *language_parse_expression(language_parser *p);

#endif
