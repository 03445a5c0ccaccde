/* SPDX-License-Identifier: MIT */
/* lex.c -- from characters to tokens.
 *
 * What could make a C compiler see other tokens than this lexer does is refused, in comments too: a
 * backslash or a trigraph that joins two lines, a carriage return alone, bytes that are not ASCII,
 * a number with letters behind it (C takes 0xe+1 for one number, and so does this). A comment must
 * not hold the beginning of another: compilers warn about that.
 *
 * The lexer never fails by itself. It ends the tokens with a TOKEN_ERROR, which the parser reports
 * when it gets there, so that the error which is reported is the first in the text. */
#include "refine/language/ast.h"

#include "base/number.h"
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_NAME = 63, LONGEST_NUMBER = 1000, TAB = 8 };

/* The text, and where in it the next token begins. */
typedef struct lexer {
    language_unit *unit;
    const char *text;
    size_t at;
    uint32_t column; /* of text[at], as seen on a screen */
    uint32_t indent; /* of the current line; 0: nothing seen there yet */
    bool first;      /* no token on the current line yet */
    bool directive;  /* the current line is one, and complete */
} lexer;

/* Keywords are the kinds from TOKEN_BREAK to TOKEN_WHILE, punctuators those from TOKEN_LEFT_PAREN on:
 * lex_word() and lex_punctuator() go through them. */
static const char *const spellings[TOKEN_KINDS] = {
    [TOKEN_BREAK] = "break",
    [TOKEN_CONTINUE] = "continue",
    [TOKEN_DO] = "do",
    [TOKEN_DOUBLE] = "double",
    [TOKEN_ELSE] = "else",
    [TOKEN_ENUM] = "enum",
    [TOKEN_FOR] = "for",
    [TOKEN_IF] = "if",
    [TOKEN_INT] = "int",
    [TOKEN_RETURN] = "return",
    [TOKEN_STATIC] = "static",
    [TOKEN_STRUCT] = "struct",
    [TOKEN_TYPEDEF] = "typedef",
    [TOKEN_VOID] = "void",
    [TOKEN_WHILE] = "while",
    [TOKEN_LEFT_PAREN] = "(",
    [TOKEN_RIGHT_PAREN] = ")",
    [TOKEN_LEFT_BRACE] = "{",
    [TOKEN_RIGHT_BRACE] = "}",
    [TOKEN_SEMICOLON] = ";",
    [TOKEN_COMMA] = ",",
    [TOKEN_DOT] = ".",
    [TOKEN_QUESTION] = "?",
    [TOKEN_COLON] = ":",
    [TOKEN_PLUS] = "+",
    [TOKEN_MINUS] = "-",
    [TOKEN_STAR] = "*",
    [TOKEN_SLASH] = "/",
    [TOKEN_PERCENT] = "%",
    [TOKEN_LESS] = "<",
    [TOKEN_LESS_EQUAL] = "<=",
    [TOKEN_GREATER] = ">",
    [TOKEN_GREATER_EQUAL] = ">=",
    [TOKEN_EQUAL] = "==",
    [TOKEN_NOT_EQUAL] = "!=",
    [TOKEN_AND] = "&&",
    [TOKEN_OR] = "||",
    [TOKEN_NOT] = "!",
    [TOKEN_ASSIGN] = "=",
    [TOKEN_PLUS_ASSIGN] = "+=",
    [TOKEN_MINUS_ASSIGN] = "-=",
    [TOKEN_STAR_ASSIGN] = "*=",
    [TOKEN_SLASH_ASSIGN] = "/=",
    [TOKEN_PERCENT_ASSIGN] = "%=",
    [TOKEN_INCREMENT] = "++",
    [TOKEN_DECREMENT] = "--",
};

/* What C has and this language leaves out, so that a message can say so. Keywords of newer
 * standards and of compilers are here too: a source is to be C for every compiler. */
static const char *const foreign_words[] = {
    "alignas",  "alignof", "asm",           "auto",         "bool",     "case",
    "char",     "const",   "constexpr",     "default",      "extern",   "false",
    "float",    "goto",    "inline",        "long",         "nullptr",  "register",
    "restrict", "short",   "signed",        "sizeof",       "switch",   "static_assert",
    "true",     "typeof",  "typeof_unqual", "thread_local", "unsigned", "union",
    "volatile",
};

/* Likewise, and characters that begin nothing here: strings, characters, arrays, pointers' operators. */
static const char *const foreign_punctuators[] = {
    "<<=", ">>=", "...", "->", "<<", ">>", "&=", "|=", "^=", "##", "&",
    "|",   "^",   "~",   "[",  "]",  "\"", "'",  "\\", "@",  "$",  "`",
};

/* For messages, the normal form and translate.c. */
const char *language_spelling(language_token_kind kind)
{
    return spellings[kind] ? spellings[kind] : "";
}

/* ---- tokens and errors ---- */

/* What a token needs to know about the layout is what compilers warn about: its column, and whether
 * it begins a line (warn.c). */
static language_token *add_token(lexer *l, language_token_kind kind, size_t start, size_t length)
{
    language_token *token = &l->unit->tokens[l->unit->token_count++];
    token->kind = kind;
    token->offset = (uint32_t)start;
    token->length = (uint32_t)length;
    token->column = l->column;
    token->indent = l->indent;
    token->first = l->first;
    l->first = false;
    return token;
}

/* Ends the lexing: every function below returns false through to language_lex(). */
static bool stop(lexer *l, size_t at, const char *format, ...) BASE_PRINTF(3, 4);
static bool stop(lexer *l, size_t at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    base_print_list(l->unit->lexical_error, sizeof l->unit->lexical_error, format, arguments);
    va_end(arguments);
    add_token(l, TOKEN_ERROR, at, 1);
    return false;
}

/* ASCII alone, in every locale: isdigit() and isalpha() would ask it. */
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* "_" is a letter, except at the beginning of a name (lex_word). */
static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Safe at any place: the text ends with a NUL, where the comparison stops. */
static bool starts_with(const lexer *l, size_t at, const char *prefix)
{
    return strncmp(l->text + at, prefix, strlen(prefix)) == 0; /* stops at the text's NUL */
}

/* Not over newlines or tabs: those change the column otherwise (skip_character). */
static void advance(lexer *l, size_t count)
{
    l->at += count;
    l->column += (uint32_t)count;
}

/* ---- white space and comments ---- */

/* Whether the line ends at `at`, blanks aside. */
static bool line_ends(const lexer *l, size_t at)
{
    while (l->text[at] == ' ' || l->text[at] == '\t' || l->text[at] == '\r')
        at++;
    return l->text[at] == '\n';
}

/* One character of white space or of a comment. The one place where lines and tabs are counted, and where
 * a byte that a source may not have is refused. */
static bool skip_character(lexer *l)
{
    char c = l->text[l->at];
    if (c == '\n') {
        l->at++;
        l->column = 1;
        l->indent = 0;
        l->first = true;
        l->directive = false;
        return true;
    }
    if (c == '\t') {
        l->at++;
        l->column += TAB - (l->column - 1) % TAB;
        return true;
    }
    if (c == '\r' && l->text[l->at + 1] != '\n')
        return stop(l, l->at, "a carriage return without a newline");
    if (c != '\r' && (c < ' ' || c > '~'))
        return stop(l, l->at, "byte 0x%02x: a source is ASCII text", (unsigned)(unsigned char)c);
    if (c == '\\' && line_ends(l, l->at + 1))
        return stop(l, l->at, "a backslash at the end of a line would join it to the next");
    if (starts_with(l, l->at, "?\?/"))
        return stop(l, l->at, "a trigraph is a backslash to some compilers");
    if (l->indent == 0 && c != ' ' && c != '\r')
        l->indent = l->column;
    advance(l, 1);
    return true;
}

/* comment = "//" until the line ends | "/" "*" until "*" "/" */
static bool skip_comment(lexer *l)
{
    size_t start = l->at;
    if (l->text[l->at + 1] == '/') {
        while (l->at < l->unit->length && l->text[l->at] != '\n')
            if (!skip_character(l))
                return false;
        return true;
    }
    advance(l, 2);
    while (!starts_with(l, l->at, "*/")) {
        if (l->at >= l->unit->length)
            return stop(l, start, "this comment does not end");
        if (starts_with(l, l->at, "/*"))
            return stop(l, l->at, "a comment begins inside of a comment");
        if (l->text[l->at] == '\n' && l->directive)
            return stop(l, start, "a comment after a directive must end on the same line");
        if (!skip_character(l))
            return false;
    }
    if (l->indent == 0)
        l->indent = l->column;
    advance(l, 2);
    return true;
}

/* Skips what stands before the next token. False: an error. */
static bool skip_space(lexer *l)
{
    for (;;) {
        char c = l->text[l->at];
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            if (!skip_character(l))
                return false;
            continue;
        }
        if (l->indent == 0)
            l->indent = l->column;
        if (c != '/' || (l->text[l->at + 1] != '/' && l->text[l->at + 1] != '*'))
            return true;
        if (!skip_comment(l))
            return false;
    }
}

/* ---- words ---- */

/* word = letter { letter | digit }: a keyword, a name, or a word of C that is refused */
static bool lex_word(lexer *l)
{
    const char *start = l->text + l->at;
    size_t length = 0;
    while (is_letter(start[length]) || is_digit(start[length]))
        length++;
    if (length > LONGEST_NAME)
        return stop(l, l->at, "a name of more than %d characters", LONGEST_NAME);
    if (start[0] == '_')
        return stop(l, l->at, "a name that begins with '_' belongs to the compiler");
    for (size_t i = 0; i < sizeof foreign_words / sizeof *foreign_words; i++)
        if (strlen(foreign_words[i]) == length && memcmp(foreign_words[i], start, length) == 0)
            return stop(l, l->at, "'%s' is not part of the language", foreign_words[i]);
    language_token_kind kind = TOKEN_NAME;
    for (int k = TOKEN_BREAK; k <= TOKEN_WHILE; k++)
        if (strlen(spellings[k]) == length && memcmp(spellings[k], start, length) == 0)
            kind = (language_token_kind)k;
    language_token *token = add_token(l, kind, l->at, length);
    if (kind == TOKEN_NAME)
        token->as.name = language_intern(l->unit, start, length);
    advance(l, length);
    return true;
}

/* ---- numbers ---- */

/* How many digits a text begins with. */
static size_t count_digits(const char *text, bool hexadecimal)
{
    return strspn(text, hexadecimal ? "0123456789abcdefABCDEF" : "0123456789");
}

/* The length of the double at the start of a text, 0 if there is none:
 *     digits "." [digits] [exponent] | "." digits [exponent] | digits exponent
 * with hexadecimal digits after 0x, where the exponent, then of 2, is never left out. */
static size_t double_length(const char *text)
{
    bool hexadecimal = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    size_t at = hexadecimal ? 2 : 0;
    size_t before = count_digits(text + at, hexadecimal), after = 0;
    bool point = text[at + before] == '.', exponent = false;
    at += before;
    if (point) {
        after = count_digits(text + at + 1, hexadecimal);
        at += 1 + after;
    }
    if (strchr(hexadecimal ? "pP" : "eE", text[at]) && text[at]) {
        size_t sign = text[at + 1] == '+' || text[at + 1] == '-';
        size_t digits = count_digits(text + at + 1 + sign, false);
        exponent = digits > 0;
        at += exponent ? 1 + sign + digits : 0;
    }
    bool fine = before + after > 0 && (exponent || (point && !hexadecimal));
    return fine ? at : 0;
}

/* Whether a double's digits are all 0. */
static bool is_zero(const char *text, size_t length)
{
    bool hexadecimal = length > 1 && (text[1] == 'x' || text[1] == 'X');
    size_t at = hexadecimal ? 2 : 0;
    at += strspn(text + at, "0.");
    return at >= length || strchr(hexadecimal ? "pP" : "eE", text[at]) != NULL;
}

/* A value that does not fit is an error, as is one that rounds to 0 although its digits do not. */
static bool lex_double(lexer *l, size_t length)
{
    char copy[LONGEST_NUMBER + 1];
    memcpy(copy, l->text + l->at, length);
    copy[length] = '\0';
    double value = base_read_number(copy, NULL);
    if (isinf(value) || (value == 0 && !is_zero(l->text + l->at, length)))
        return stop(l, l->at, "this number does not fit in double");
    add_token(l, TOKEN_NUMBER_DOUBLE, l->at, length)->as.value.d = value;
    advance(l, length);
    return true;
}

/* int = decimal | "0x" hexadecimal | "0" octal */
static bool lex_int(lexer *l, size_t length)
{
    const char *text = l->text + l->at;
    int64_t base = 10, value = 0;
    size_t i = 0;
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        i = 2;
    } else if (text[0] == '0' && length > 1) {
        base = 8;
    }
    if (i == length)
        return stop(l, l->at, "expected digits after 0x");
    for (; i < length; i++) {
        int64_t digit = is_digit(text[i]) ? text[i] - '0' : (text[i] | 0x20) - 'a' + 10;
        if (!is_digit(text[i]) && (base != 16 || digit < 10 || digit > 15))
            return stop(l, l->at, "expected a number of type int or double, without a suffix");
        if (digit >= base)
            return stop(l, l->at, "a number that begins with 0 is octal: digits 0 to 7");
        value = value * base + digit;
        if (value > INT32_MAX)
            return stop(l, l->at, "this number does not fit in int: at most %d", INT32_MAX);
    }
    add_token(l, TOKEN_NUMBER_INT, l->at, length)->as.value.i = (int32_t)value;
    advance(l, length);
    return true;
}

/* number = [ "." ] digit { digit | letter | "." | exponent ( "+" | "-" ) }, exponent: e, E, p or P
 * C takes all of these characters for the number, and only then asks whether it is one (a
 * "preprocessing number", C11 6.4.8): 1.5.2 and 08 are wrong numbers, not two tokens. */
static bool lex_number(lexer *l)
{
    const char *text = l->text + l->at;
    size_t length = 1;
    for (;;) {
        char c = text[length];
        if ((c == '+' || c == '-') && strchr("eEpP", text[length - 1]))
            length++;
        else if (is_letter(c) || is_digit(c) || c == '.')
            length++;
        else
            break;
    }
    if (length > LONGEST_NUMBER)
        return stop(l, l->at, "a number of more than %d characters", LONGEST_NUMBER);
    return double_length(text) == length ? lex_double(l, length) : lex_int(l, length);
}

/* ---- directives ---- */

/* Reads [blanks] word of a directive, and returns its length; the word starts at l->at. */
static size_t directive_word(lexer *l)
{
    size_t length = 0;
    while (l->text[l->at] == ' ' || l->text[l->at] == '\t')
        advance(l, 1);
    while (is_letter(l->text[l->at + length]) || (length && is_digit(l->text[l->at + length])))
        length++;
    return length;
}

/* include = "#" "include" '"' name '"', alone on its line */
static bool lex_include(lexer *l, size_t hash)
{
    while (l->text[l->at] == ' ' || l->text[l->at] == '\t')
        advance(l, 1);
    size_t length = 0;
    const char *name = l->text + l->at + 1;
    while (name[length] > ' ' && name[length] <= '~' && name[length] != '"' && name[length] != '\\')
        length++;
    if (name[-1] != '"' || name[length] != '"')
        return stop(l, hash, "expected #include \"%.60s\"",
                    l->unit->interface ? l->unit->interface->unit.file : "name");
    add_token(l, TOKEN_INCLUDE, l->at + 1, length);
    advance(l, length + 2);
    return true;
}

/* directive = include | "#ifndef" name | "#define" name | "#endif"
 * "#error" text is what it is in C: not a program, and the text says why. */
static bool lex_directive(lexer *l)
{
    size_t hash = l->at;
    if (!l->first)
        return stop(l, hash, "'#' is only for the first thing on a line");
    advance(l, 1);
    size_t length = directive_word(l);
    const char *word = l->text + l->at;
    bool is_interface = !l->unit->interface;
    advance(l, length);
    if (!is_interface && length == 7 && memcmp(word, "include", 7) == 0) {
        if (!lex_include(l, hash))
            return false;
    } else if (is_interface && length == 5 && memcmp(word, "endif", 5) == 0) {
        add_token(l, TOKEN_ENDIF, hash, 1);
    } else if (is_interface && ((length == 6 && memcmp(word, "ifndef", 6) == 0) ||
                                (length == 6 && memcmp(word, "define", 6) == 0))) {
        language_token_kind kind = word[0] == 'i' ? TOKEN_IFNDEF : TOKEN_DEFINE;
        size_t name_length = directive_word(l);
        if (name_length == 0 || name_length > LONGEST_NAME)
            return stop(l, l->at, "expected a name");
        language_token *token = add_token(l, kind, l->at, name_length);
        token->as.name = language_intern(l->unit, l->text + l->at, name_length);
        advance(l, name_length);
    } else if (!is_interface && length == 5 && memcmp(word, "error", 5) == 0) {
        size_t rest = strcspn(l->text + l->at, "\n");
        return stop(l, hash, "#error%.*s", (int)(rest < 120 ? rest : 120), l->text + l->at);
    } else {
        return stop(l, hash, "%s",
                    is_interface ? "the only directives of an interface are those of its guard"
                                 : "the only directive of the language is #include");
    }
    l->directive = true;
    return true;
}

/* ---- the rest ---- */

/* The longest punctuator that stands here (C11 6.4p4), of the language's and of those it refuses:
 * in a <<= b it is <<=, which is refused, and not < before <=. */
static bool lex_punctuator(lexer *l)
{
    int best = TOKEN_END;
    for (int kind = TOKEN_LEFT_PAREN; kind < TOKEN_KINDS; kind++)
        if (starts_with(l, l->at, spellings[kind]) &&
            (best == TOKEN_END || strlen(spellings[kind]) > strlen(spellings[best])))
            best = kind;
    for (size_t i = 0; i < sizeof foreign_punctuators / sizeof *foreign_punctuators; i++)
        if (starts_with(l, l->at, foreign_punctuators[i]) &&
            (best == TOKEN_END || strlen(foreign_punctuators[i]) > strlen(spellings[best])))
            return stop(l, l->at, "%s is not part of the language", foreign_punctuators[i]);
    if (best == TOKEN_END)
        return stop(l, l->at, "byte 0x%02x is not part of the language",
                    (unsigned)(unsigned char)l->text[l->at]);
    add_token(l, (language_token_kind)best, l->at, strlen(spellings[best]));
    advance(l, strlen(spellings[best]));
    return true;
}

/* token = directive | word | number | punctuator */
static bool lex_token(lexer *l)
{
    char c = l->text[l->at];
    if (l->directive)
        return stop(l, l->at, "expected the end of the line after a directive");
    if (c == '#')
        return lex_directive(l);
    if (is_letter(c))
        return lex_word(l);
    if (is_digit(c) || (c == '.' && is_digit(l->text[l->at + 1])))
        return lex_number(l);
    return lex_punctuator(l);
}

/* The whole text at once: tokens lie in one array, where the parser can look ahead and back. */
void language_lex(language_unit *unit)
{
    lexer l = {.unit = unit, .text = unit->text, .column = 1, .first = true};
    /* A token takes a character at least; one more for the end, one for an error. */
    unit->tokens = language_new(unit, (unit->length + 2) * sizeof *unit->tokens);
    for (;;) {
        if (!skip_space(&l))
            return;
        if (l.at >= unit->length)
            break;
        if (!lex_token(&l))
            return;
    }
    add_token(&l, TOKEN_END, unit->length, 0);
}
