/* ast.h -- inside the language: what its passes hand to one another.
 *
 *     text     lex.c        tokens
 *     tokens   parse.c      a tree of nodes
 *     tree     check.c      names and types; constant.c folds, library.c knows C's own names
 *              warn.c       what a C compiler would warn about
 *              order.c      side effects whose order C leaves open
 *              flow.c       variables read before they are written, missing returns
 *     tree     compile.c    instructions of a stack machine
 *     code     interpret.c  a result, or a place and a reason
 *
 * One text and all that is known about it is a *unit*. Everything a unit owns lies in its arena, so
 * that any pass may leave by refine_fail() (a longjmp to program.c) and nothing is lost; and its
 * memory is linear in the length of its text. All recursion over the tree is bounded, since the
 * parser refuses a tree that is higher than REFINE_MAX_NESTING. */
#ifndef REFINE_AST_H
#define REFINE_AST_H

#include "base/error.h"
#include "refine/language.h"
#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct refine_unit refine_unit;
typedef struct refine_name refine_name;
typedef struct refine_symbol refine_symbol;
typedef struct refine_record refine_record;
typedef struct refine_node refine_node;
typedef struct refine_token refine_token;

/* One scalar of a running program; a struct is as many cells as it has scalars. */
typedef union refine_cell {
    int32_t i;
    double d;
    void *handle;
} refine_cell;

/* ---- unit.c: memory, names, failing ---- */

typedef struct refine_chunk refine_chunk;
typedef struct refine_arena {
    refine_chunk *chunks; /* the newest first */
} refine_arena;

void *refine_arena_new(refine_arena *arena, size_t size); /* zeroed. NULL: no memory */
void refine_arena_reset(refine_arena *arena);             /* forgets all, keeps one chunk */
void refine_arena_free(refine_arena *arena);

/* An identifier: one object a unit and spelling, so that names are compared by address. */
struct refine_name {
    const char *text;
    size_t length;
    refine_name *next;              /* in its bucket */
    refine_symbol *symbol;          /* the innermost declaration in scope; NULL: none */
    refine_record *tag;             /* struct name; NULL: none */
    const refine_node *enumeration; /* enum name */
    bool is_type;                   /* while parsing: the innermost declaration is a typedef */
    bool is_macro; /* the include guard: what it stands for is gone before C sees it */
};

struct refine_unit {
    const char *file; /* for messages */
    const char *text;
    size_t length;
    const refine_interface *interface; /* what the text may include; NULL: it is one itself */
    refine_arena arena;
    refine_name **buckets;
    size_t bucket_count; /* a power of 2 */
    refine_token *tokens;
    size_t token_count; /* with the TOKEN_END at their end */
    char lexical_error[160];
    refine_node *declarations;
    refine_symbol *symbols, **symbols_end; /* of the file's scope, in order */
    int function_count;
    const refine_name *guard;
    uint64_t stamp;                /* the latest that order.c and warn.c have marked symbols with */
    refine_diagnostic *diagnostic; /* while it is read */
    jmp_buf way_out;
};

struct refine_interface {
    refine_unit unit; /* its file is what a program includes */
};

/* False: no memory. The text is copied. */
bool refine_unit_open(refine_unit *unit, const char *file, const char *text, size_t length,
                      const refine_interface *interface, refine_diagnostic *diagnostic);
void refine_unit_close(refine_unit *unit);

void *refine_new(refine_unit *unit, size_t size); /* zeroed; fails the unit without memory */
refine_name *refine_intern(refine_unit *unit, const char *text, size_t length);

/* Makes the names that another unit declares in its file scope known to this one. */
void refine_import(refine_unit *unit, const refine_unit *from);

/* Fails with REFINE_CHECK at a token. */
_Noreturn void refine_reject(refine_unit *unit, const refine_token *token, const char *format, ...)
    BASE_PRINTF(3, 4);

/* Writes a diagnostic about a place of the text, given as an offset from its start. */
void refine_explain(const refine_unit *unit, refine_failure failure, size_t offset,
                    refine_diagnostic *diagnostic, const char *format, ...) BASE_PRINTF(5, 6);

/* The same for the unit's own diagnostic, and leaves by unit->way_out. */
_Noreturn void refine_fail(refine_unit *unit, refine_failure failure, size_t offset,
                           const char *format, ...) BASE_PRINTF(4, 5);

/* ---- lex.c: tokens ---- */

typedef enum refine_token_kind {
    TOKEN_END,
    TOKEN_ERROR, /* the lexer stopped here: unit->lexical_error says why */
    TOKEN_NAME,
    TOKEN_NUMBER_INT,
    TOKEN_NUMBER_DOUBLE,
    TOKEN_INCLUDE, /* a whole line; its text is the file's name without quotes */
    TOKEN_IFNDEF,  /* these three only in an interface */
    TOKEN_DEFINE,
    TOKEN_ENDIF,
    TOKEN_BREAK, /* keywords */
    TOKEN_CONTINUE,
    TOKEN_DO,
    TOKEN_DOUBLE,
    TOKEN_ELSE,
    TOKEN_ENUM,
    TOKEN_FOR,
    TOKEN_IF,
    TOKEN_INT,
    TOKEN_RETURN,
    TOKEN_STATIC,
    TOKEN_STRUCT,
    TOKEN_TYPEDEF,
    TOKEN_VOID,
    TOKEN_WHILE,
    TOKEN_LEFT_PAREN, /* punctuators */
    TOKEN_RIGHT_PAREN,
    TOKEN_LEFT_BRACE,
    TOKEN_RIGHT_BRACE,
    TOKEN_SEMICOLON,
    TOKEN_COMMA,
    TOKEN_DOT,
    TOKEN_QUESTION,
    TOKEN_COLON,
    TOKEN_PLUS,
    TOKEN_MINUS,
    TOKEN_STAR,
    TOKEN_SLASH,
    TOKEN_PERCENT,
    TOKEN_LESS,
    TOKEN_LESS_EQUAL,
    TOKEN_GREATER,
    TOKEN_GREATER_EQUAL,
    TOKEN_EQUAL,
    TOKEN_NOT_EQUAL,
    TOKEN_AND,
    TOKEN_OR,
    TOKEN_NOT,
    TOKEN_ASSIGN,
    TOKEN_PLUS_ASSIGN,
    TOKEN_MINUS_ASSIGN,
    TOKEN_STAR_ASSIGN,
    TOKEN_SLASH_ASSIGN,
    TOKEN_PERCENT_ASSIGN,
    TOKEN_INCREMENT,
    TOKEN_DECREMENT,
    TOKEN_KINDS
} refine_token_kind;

struct refine_token {
    refine_token_kind kind;
    uint32_t offset, length;
    uint32_t column; /* as seen on a screen: a tab ends at a multiple of 8 */
    uint32_t indent; /* the column of the first thing on its line, comments included */
    bool first;      /* of its line, comments aside */
    union {
        refine_name *name; /* NAME, IFNDEF, DEFINE */
        refine_cell value; /* NUMBER_INT, NUMBER_DOUBLE */
    } as;
};

void refine_lex(refine_unit *unit);
const char *refine_spelling(refine_token_kind kind); /* of a keyword or punctuator, else "" */

/* ---- types ---- */

/* Types are compared by address: a struct's and its handle's live in its record. */
typedef struct refine_type {
    refine_type_kind kind;
    int cells; /* scalars of a value; void 0 */
    const refine_record *record;
} refine_type;

extern const refine_type refine_void, refine_int, refine_double;

typedef struct refine_member {
    const refine_name *name;
    const refine_type *type;
    int offset; /* in cells */
} refine_member;

struct refine_record {
    const refine_unit *unit; /* that declares it */
    const char *tag, *alias; /* `struct tag`, `typedef ... alias`; NULL where it has none */
    bool complete;           /* false: opaque */
    refine_type value;
    refine_type handle;
    int count;
    int depth; /* of structs in structs; 1 without */
    refine_member members[REFINE_MAX_FIELDS];
    const char *names[REFINE_MAX_FIELDS];
};

/* "int", "t5_config", "struct point", "t5 *"; a buffer's worth of it. */
typedef struct refine_type_text {
    char text[80];
} refine_type_text;
refine_type_text refine_show(const refine_type *type);

/* ---- symbols ---- */

typedef enum refine_symbol_kind {
    SYMBOL_TYPE,
    SYMBOL_CONSTANT,
    SYMBOL_FUNCTION,
    SYMBOL_VARIABLE
} refine_symbol_kind;

typedef struct refine_edge { /* a call, kept with the caller and with the one called */
    refine_symbol *to;
    struct refine_edge *next;
} refine_edge;

struct refine_symbol {
    refine_symbol_kind kind;
    const refine_unit *unit; /* that declares it */
    refine_name *name;
    const refine_token *token; /* where it was declared */
    const refine_type *type;   /* a function's is that of its result */
    refine_symbol *next;       /* of the same scope */
    refine_symbol *hidden;     /* what the name meant outside of this scope */
    int level;                 /* of the scope: 0 the file */

    /* constants */
    int32_t value;
    const refine_node *enumeration;

    /* functions */
    const refine_type **parameters;
    int parameter_count, parameter_cells;
    int frame_cells; /* with its variables */
    int index;       /* among the functions of its unit */
    bool is_host, is_static, is_used;
    bool has_effects; /* is one of the host's, or may call one */
    bool calls_itself, has_return;
    const refine_node *definition;
    refine_edge *callers, *callees;
    refine_symbol *work; /* in a list of those still to be looked at */

    /* variables */
    int offset; /* of its first cell in the function's frame */
    bool is_parameter, is_read, is_set;
    uint64_t assigned;      /* flow.c: a bit a cell */
    uint64_t stamp;         /* of the round that marked it last: order.c, warn.c */
    uint64_t reads, writes; /* order.c */
};

/* ---- nodes ---- */

/* Which of a node's children mean what. Lists go on in `next`.
 *
 *                condition  left         right        body
 *  FIELD                    struct
 *  CALL                     arguments
 *  UNARY                    operand
 *  CAST                     operand      type
 *  STEP                     place
 *  BINARY LOGICAL           left         right
 *  CONDITIONAL   condition  then         else
 *  ASSIGN                   place        value
 *  EXPRESSION               expression
 *  VARIABLE                 initialiser  type
 *  IF            condition               else         then
 *  WHILE, DO     condition                            body
 *  FOR           condition  initial      steps        body
 *  RETURN                   value
 *  BLOCK                                              statements
 *  TYPE                     definition (a STRUCT)
 *  STRUCT                   fields (VARIABLEs)
 *  ENUM                     ENUMERATORs
 *  ENUMERATOR               value
 *  TYPEDEF                               type
 *  FUNCTION                 parameters   result type  body or NULL */
typedef enum refine_node_kind {
    NODE_NUMBER,
    NODE_NAME,
    NODE_FIELD,
    NODE_CALL,
    NODE_UNARY, /* + - ! */
    NODE_CAST,
    NODE_STEP, /* ++ -- */
    NODE_BINARY,
    NODE_LOGICAL, /* && || */
    NODE_CONDITIONAL,
    NODE_ASSIGN,
    NODE_EMPTY, /* statements */
    NODE_EXPRESSION,
    NODE_VARIABLE, /* a parameter and a field, too */
    NODE_IF,
    NODE_WHILE,
    NODE_DO,
    NODE_FOR,
    NODE_BREAK,
    NODE_CONTINUE,
    NODE_RETURN,
    NODE_BLOCK,
    NODE_TYPE,
    NODE_STRUCT,
    NODE_ENUM,
    NODE_ENUMERATOR,
    NODE_TYPEDEF,
    NODE_FUNCTION
} refine_node_kind;

struct refine_node {
    refine_node_kind kind;
    refine_token_kind op;      /* of expressions; the word that a TYPE starts with */
    uint16_t height;           /* of expressions */
    bool parenthesised;        /* stands in parentheses of its own */
    bool prefix;               /* STEP: ++x, not x++ */
    bool discarded;            /* an expression whose value nobody wants */
    bool pointer;              /* a declaration with a '*' */
    bool is_static;            /* FUNCTION */
    bool is_definition;        /* STRUCT: has a list of fields */
    bool known;                /* constant.c: `value` is its value, if it has one */
    bool constant;             /* constant.c: known, and made of constants only */
    const refine_token *token; /* the operator, or the first */
    const refine_token *end;   /* statements: the first token after */
    refine_node *next;
    refine_node *condition, *left, *right, *body;
    refine_name *name;
    refine_symbol *symbol;       /* check.c: what the name means */
    const refine_type *type;     /* check.c: of an expression */
    const refine_member *member; /* check.c: of a FIELD */
    refine_cell value;
    uint32_t shape; /* warn.c: equal for expressions that are the same; 0: not known yet */
};

/* ---- the passes ---- */

void refine_parse_unit(refine_unit *unit);
refine_node *refine_parse_prototype(refine_unit *unit); /* one, and nothing after it */

/* declare.c */
void refine_check_unit(refine_unit *unit);
/* The type and the parameters of a function declaration, as a symbol that is in no scope. */
refine_symbol *refine_check_prototype(refine_unit *unit, const refine_node *node);
bool refine_same_function(const refine_symbol *a, const refine_symbol *b);
/* What a TYPE node means, with a '*' or without; opaque structs without one are refused. */
const refine_type *refine_resolve(refine_unit *unit, const refine_node *type, bool pointer);
/* Puts a name into the scope of that level (0 the file); refuses one that is there already. */
refine_symbol *refine_declare(refine_unit *unit, refine_symbol_kind kind, refine_name *name,
                              const refine_token *token, int level);

/* check.c */
void refine_check_body(refine_unit *unit, refine_node *function);
int32_t refine_check_enumerator(refine_unit *unit, refine_node *expression);
/* A variable or a field of one: its symbol, and which of the symbol's cells. NULL: no place. */
refine_symbol *refine_place(const refine_node *node, int *offset);

void refine_fold(refine_unit *unit, refine_node *node);
bool refine_is_true(const refine_node *known);
bool refine_in_c_library(const refine_name *name);
void refine_warn(refine_unit *unit, refine_node *function);
void refine_check_order(refine_unit *unit, const refine_node *function);
void refine_check_flow(refine_unit *unit, const refine_node *function);
/* Whether two expressions are the same and have no effects, so that they have the same value. */
bool refine_same_value(refine_node *a, refine_node *b);
/* The bits that stand for some cells of a variable, in refine_symbol.assigned, reads and writes. */
uint64_t refine_mask(int offset, int cells);

/* ---- arithmetic.c: the one place where numbers are computed ---- */

/* op is TOKEN_PLUS .. TOKEN_NOT_EQUAL. NULL: fine; otherwise what is wrong. */
const char *refine_compute_int(refine_token_kind op, int32_t a, int32_t b, int32_t *result);
const char *refine_compute_double(refine_token_kind op, double a, double b, double *result);
bool refine_compare_double(refine_token_kind op, double a, double b);
const char *refine_to_int(double value, int32_t *result);
bool refine_is_comparison(refine_token_kind op);
refine_token_kind refine_operator_of(refine_token_kind assignment); /* += gives + */

/* ---- compile.c: code for interpret.c ---- */

/* A stack of cells grows upwards. A function's frame starts with its parameters, which its caller
 * has pushed; its other variables follow, then what it is just computing. */
typedef enum refine_operation {
    DO_CONSTANT, /* push constants[operand] */
    DO_LOAD,     /* push `cells` cells from frame[operand] on */
    DO_STORE,    /* copy the top `cells` cells to frame[operand] */
    DO_POP,      /* drop `cells` cells */
    DO_COPY,     /* push the top cell again */
    DO_SELECT,   /* of the top operand / 256 cells keep `cells` from cell operand % 256 on */
    DO_INT,      /* pop b, pop a, push a `op` b */
    DO_DOUBLE,   /* the same; a comparison pushes an int */
    DO_HANDLE,   /* == and != of two handles */
    DO_NEGATE,   /* of a double */
    DO_TO_INT,
    DO_TO_DOUBLE,
    DO_JUMP,      /* to instruction `operand` */
    DO_JUMP_ZERO, /* pop an int; jump if it is 0 */
    DO_CALL,      /* functions[operand]; leaves its result in place of its arguments */
    DO_HOST,      /* hosts[operand], the same */
    DO_RETURN     /* with the top `cells` cells */
} refine_operation;

typedef struct refine_instruction {
    uint8_t operation; /* refine_operation */
    uint8_t op;        /* refine_token_kind */
    uint16_t cells;
    int32_t operand;
    uint32_t offset; /* in the text */
} refine_instruction;

typedef struct refine_code {
    const refine_symbol *symbol;
    int32_t start;        /* its first instruction; -1: declared and not defined */
    uint32_t frame_cells; /* at most: parameters, variables, and intermediate results */
} refine_code;

struct refine_program {
    refine_unit unit;
    refine_instruction *instructions;
    size_t instruction_count;
    refine_cell *constants;
    const refine_symbol **hosts; /* the function of the host that each DO_HOST calls */
    refine_code *functions;      /* by symbol->index */
};

void refine_compile(refine_program *program);

#endif
