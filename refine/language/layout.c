/* SPDX-License-Identifier: MIT */
/* layout.c -- a program's tokens laid out as the edit rules write their programs.
 *
 * One statement a line, four blanks for each level, the brace of a function on a line of its own and any other
 * behind what it belongs to, a body without braces on the next line. */
#include "refine/language/ast.h"

enum { BLANKS = 4, DEEPEST = 2 * LANGUAGE_MAX_NESTING + 2 };

/* What the current place is inside of, and each is a level further in: braces, or a statement without them. `of` is the word
 * that it follows: if, else, for, while, do; "struct" stands for enum too, and "void" for a function. */
typedef struct level {
    bool brace;
    language_token_kind of;
} level;

typedef struct layout {
    const language_token *first;
    base_text *text;
    level levels[DEEPEST];
    int depth;
    int parens; /* open at this place */
    int head; /* so many when the head of an if, for or while ends, and one more; 0: none is open */
    language_token_kind word; /* that the next statement or brace follows */
    bool line_ends;           /* behind the last token */
} layout;

static bool is_operand(language_token_kind kind)
{
    return kind == TOKEN_NAME || kind == TOKEN_NUMBER_INT || kind == TOKEN_NUMBER_DOUBLE ||
           kind == TOKEN_RIGHT_PAREN;
}

static language_token_kind before(const layout *l, const language_token *token, int count)
{
    return token - l->first >= count ? token[-count].kind : TOKEN_SEMICOLON;
}

/* The ")" of "(int)" and of "(double)". */
static bool ends_cast(const layout *l, const language_token *token)
{
    language_token_kind type = before(l, token, 1);
    return token->kind == TOKEN_RIGHT_PAREN && (type == TOKEN_INT || type == TOKEN_DOUBLE) &&
           before(l, token, 2) == TOKEN_LEFT_PAREN;
}

/* The "*" of a declaration: behind a type's name at the beginning of a statement, of a for's head or of a parameter. */
static bool is_pointer(const layout *l, const language_token *star)
{
    language_token_kind outer = before(l, star, 2);
    bool parameters = l->depth == 0 && l->parens > 0;
    return star->kind == TOKEN_STAR && before(l, star, 1) == TOKEN_NAME &&
           (outer == TOKEN_SEMICOLON || outer == TOKEN_LEFT_BRACE || outer == TOKEN_RIGHT_BRACE ||
            outer == TOKEN_STATIC || outer == TOKEN_STRUCT || outer == TOKEN_TYPEDEF ||
            outer == TOKEN_INCLUDE || (outer == TOKEN_COMMA && parameters) ||
            (outer == TOKEN_LEFT_PAREN && (parameters || before(l, star, 3) == TOKEN_FOR)));
}

/* Nothing to its left is an operand: a sign, "!", "++" in front. */
static bool is_prefix(const layout *l, const language_token *token)
{
    language_token_kind left = before(l, token, 1);
    bool sign = token->kind == TOKEN_PLUS || token->kind == TOKEN_MINUS;
    bool step = token->kind == TOKEN_INCREMENT || token->kind == TOKEN_DECREMENT;
    return token->kind == TOKEN_NOT || ((sign || step) && !is_operand(left)) ||
           (sign && ends_cast(l, token - 1));
}

/* The character that a token is made of, of "+", "++", "-" and "--"; else 0. */
static char sign_of(language_token_kind kind)
{
    return kind == TOKEN_PLUS || kind == TOKEN_INCREMENT    ? '+'
           : kind == TOKEN_MINUS || kind == TOKEN_DECREMENT ? '-'
                                                            : '\0';
}

/* Whether a blank stands between two tokens of a line. */
static bool blank_between(const layout *l, const language_token *left, const language_token *right)
{
    language_token_kind a = left->kind, b = right->kind;
    if (sign_of(a) && sign_of(a) == sign_of(b))
        return true; /* "- -x" */
    bool never = b == TOKEN_RIGHT_PAREN || b == TOKEN_SEMICOLON || b == TOKEN_COMMA ||
                 b == TOKEN_DOT || a == TOKEN_DOT || a == TOKEN_LEFT_PAREN;
    bool call = b == TOKEN_LEFT_PAREN && a == TOKEN_NAME;
    bool postfix = (b == TOKEN_INCREMENT || b == TOKEN_DECREMENT) && is_operand(a);
    return !never && !call && !postfix && !is_pointer(l, left) && !is_prefix(l, left) &&
           !ends_cast(l, left);
}

static void push(layout *l, bool brace)
{
    if (l->depth < DEEPEST)
        l->levels[l->depth++] = (level){brace, l->word};
    l->word = TOKEN_VOID;
    l->line_ends = true;
}

/* A statement has ended, and with it all those that it was the body of, but for an if whose else follows. */
static void end_statement(layout *l, const language_token *next)
{
    while (l->depth > 0 && !l->levels[l->depth - 1].brace)
        if (l->levels[--l->depth].of == TOKEN_IF && next->kind == TOKEN_ELSE)
            break;
    l->line_ends = true;
}

/* Braces were closed: what they belonged to goes on in the same line, or a statement has ended. */
static void close_brace(layout *l, const language_token *next)
{
    language_token_kind of = l->levels[l->depth].of;
    if (of != TOKEN_STRUCT && !(of == TOKEN_IF && next->kind == TOKEN_ELSE) &&
        !(of == TOKEN_DO && next->kind == TOKEN_WHILE))
        end_statement(l, next);
}

/* Where the line ends behind this token, and what the next one is inside of. */
static void follow(layout *l, const language_token *token)
{
    const language_token *next = token + 1;
    bool begins_body = token->kind == TOKEN_ELSE || token->kind == TOKEN_DO;
    l->parens += (token->kind == TOKEN_LEFT_PAREN) - (token->kind == TOKEN_RIGHT_PAREN);
    l->line_ends = token->kind == TOKEN_INCLUDE;
    if (token->kind == TOKEN_IF || token->kind == TOKEN_FOR || token->kind == TOKEN_WHILE)
        l->head = l->parens + 1;
    else if (token->kind == TOKEN_RIGHT_PAREN && l->parens + 1 == l->head)
        begins_body = true, l->head = 0;
    if (token->kind == TOKEN_ENUM)
        l->word = TOKEN_STRUCT;
    else if (token->kind >= TOKEN_BREAK && token->kind <= TOKEN_WHILE && token->kind != TOKEN_INT &&
             token->kind != TOKEN_DOUBLE)
        l->word = token->kind;

    if (token->kind == TOKEN_LEFT_BRACE)
        push(l, true);
    else if (token->kind == TOKEN_RIGHT_BRACE)
        close_brace(l, next);
    else if (token->kind == TOKEN_SEMICOLON && l->parens == 0)
        end_statement(l, next);
    else if (begins_body && next->kind != TOKEN_LEFT_BRACE && next->kind != TOKEN_SEMICOLON &&
             !(token->kind == TOKEN_ELSE && next->kind == TOKEN_IF))
        push(l, false);
}

/* Of what stands outside of all braces each has a blank line in front. */
static void begin_line(layout *l, const language_token *token)
{
    if (token > l->first)
        base_text_print(l->text, "\n");
    if (token > l->first && l->depth == 0 && token->kind != TOKEN_LEFT_BRACE &&
        token->kind != TOKEN_RIGHT_BRACE)
        base_text_print(l->text, "\n");
    for (int i = 0; i < BLANKS * l->depth; i++)
        base_text_print(l->text, " ");
}

void language_lay_out(const language_program *program, base_text *text)
{
    const language_unit *unit = &program->unit;
    layout l = {.first = unit->tokens, .text = text};
    for (const language_token *token = unit->tokens; token->kind != TOKEN_END; token++) {
        bool opens_function = token->kind == TOKEN_LEFT_BRACE && l.depth == 0 &&
                              before(&l, token, 1) == TOKEN_RIGHT_PAREN;
        if (token->kind == TOKEN_RIGHT_BRACE && l.depth > 0)
            l.depth--;
        if (token == unit->tokens || l.line_ends || opens_function ||
            token->kind == TOKEN_RIGHT_BRACE)
            begin_line(&l, token);
        else if (blank_between(&l, token - 1, token))
            base_text_print(text, " ");
        language_print_token(unit, token, text);
        follow(&l, token);
    }
    base_text_print(text, "\n");
}
