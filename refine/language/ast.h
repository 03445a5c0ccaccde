/* SPDX-License-Identifier: MIT */
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
 * that any pass may leave by language_fail() (a longjmp to program.c) and nothing is lost; and its
 * memory is linear in the length of its text. All recursion over the tree is bounded, since the
 * parser refuses a tree that is higher than LANGUAGE_MAX_NESTING. */
#ifndef LANGUAGE_AST_H
#define LANGUAGE_AST_H

#include "base/error.h"
#include "refine/language/language.h"
#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct language_unit language_unit;
typedef struct language_name language_name;
typedef struct language_symbol language_symbol;
typedef struct language_variable language_variable;
typedef struct language_function language_function;
typedef struct language_record language_record;
typedef struct language_node language_node;
typedef struct language_token language_token;

/* One scalar of a running program; a struct is as many cells as it has scalars. */
typedef union language_cell {
    int32_t i;
    double d;
    void *handle;
} language_cell;

/* ---- unit.c: memory, names, failing ---- */

typedef struct language_chunk language_chunk;
typedef struct language_arena {
    language_chunk *chunks; /* the newest first */
} language_arena;

void *language_arena_new(language_arena *arena, size_t size); /* zeroed. NULL: no memory */
void language_arena_reset(language_arena *arena);             /* forgets all, keeps one chunk */
void language_arena_free(language_arena *arena);

/* An identifier: one object a unit and spelling, so that names are compared by address. */
struct language_name {
    const char *text;
    size_t length;
    language_name *next;              /* in its bucket */
    const language_symbol *symbol;    /* the innermost declaration in scope; NULL: none */
    const language_record *tag;       /* struct name; NULL: none */
    language_record *own_tag;         /* the same, if this unit declares it */
    const language_node *enumeration; /* enum name */
    bool is_type;                     /* while parsing: the innermost declaration is a typedef */
    bool is_macro; /* the include guard: what it stands for is gone before C sees it */
};

struct language_unit {
    const char *file; /* for messages */
    const char *text;
    size_t length;
    const language_interface *interface; /* that the text includes; NULL: the text is one */
    language_arena arena;
    language_name **buckets;
    size_t bucket_count; /* a power of 2 */
    language_token *tokens;
    size_t token_count; /* with the TOKEN_END at their end */
    char lexical_error[160];
    language_node *declarations;
    const language_symbol *symbols, **symbols_end; /* of the file's scope, in order */
    language_function *functions, **functions_end; /* of a program, in order; not the host's */
    int function_count;
    const language_name *guard;
    uint64_t stamp; /* the last that order.c and warn.c have marked variables with */
    language_diagnostic *diagnostic; /* while it is read */
    jmp_buf way_out;
};

struct language_interface {
    language_unit unit; /* its file is what a program includes */
};

/* False: no memory. The text is copied. */
bool language_unit_open(language_unit *unit, const char *file, const char *text, size_t length,
                        const language_interface *interface, language_diagnostic *diagnostic);
void language_unit_close(language_unit *unit);

void *language_new(language_unit *unit, size_t size); /* zeroed; fails the unit without memory */

/* The array, moved if it is full, with room for one more item of that size after its `count`. */
void *language_grow(language_unit *unit, void *array, size_t count, size_t *capacity, size_t size);
language_name *language_intern(language_unit *unit, const char *text, size_t length);

/* Makes the names that another unit declares in its file scope known to this one. */
void language_import(language_unit *unit, const language_unit *from);

/* Fails with LANGUAGE_CHECK at a token. */
BASE_NORETURN void language_reject(language_unit *unit, const language_token *token,
                                   const char *format, ...) BASE_PRINTF(3, 4);

/* Writes a diagnostic about a place of the text, given as an offset from its start. */
void language_explain(const language_unit *unit, language_failure failure, size_t offset,
                      language_diagnostic *diagnostic, const char *format, ...) BASE_PRINTF(5, 6);

/* The same for the unit's own diagnostic, and leaves by unit->way_out. */
BASE_NORETURN void language_fail(language_unit *unit, language_failure failure, size_t offset,
                                 const char *format, ...) BASE_PRINTF(4, 5);

/* ---- lex.c: tokens ---- */

typedef enum language_token_kind {
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
} language_token_kind;

struct language_token {
    language_token_kind kind;
    uint32_t offset, length;
    uint32_t column; /* as seen on a screen: a tab ends at a multiple of 8 */
    uint32_t indent; /* the column of the first thing on its line, comments included */
    bool first;      /* of its line, comments aside */
    union {
        language_name *name; /* NAME, IFNDEF, DEFINE */
        language_cell value; /* NUMBER_INT, NUMBER_DOUBLE */
    } as;
};

void language_lex(language_unit *unit);
/* Appends a token as it stands in the text; of an include the whole line. */
void language_print_token(const language_unit *unit, const language_token *token, base_text *text);

const char *language_spelling(language_token_kind kind); /* of a keyword or punctuator, else "" */

/* ---- types ---- */

/* Types are compared by address: a struct's and its handle's live in its record. */
typedef struct language_type {
    language_type_kind kind;
    int cells; /* scalars of a value; void 0 */
    const language_record *record;
} language_type;

extern const language_type language_void, language_int, language_double;

typedef struct language_member {
    const language_name *name;
    const language_type *type;
    int offset; /* in cells */
} language_member;

struct language_record {
    const language_unit *unit; /* that declares it */
    const char *tag, *alias;   /* `struct tag`, `typedef ... alias`; NULL where it has none */
    bool complete;             /* false: opaque */
    language_type value;
    language_type handle;
    int count;
    int depth; /* of structs in structs; 1 without */
    language_member members[LANGUAGE_MAX_FIELDS];
    const char *names[LANGUAGE_MAX_FIELDS];
};

/* A type as a message shows it: "int", "t5_config", "struct point", "t5 *". */
typedef struct language_type_text {
    char text[80];
} language_type_text;
language_type_text language_show(const language_type *type);

/* ---- symbols ---- */

typedef enum language_symbol_kind {
    SYMBOL_TYPE,
    SYMBOL_CONSTANT,
    SYMBOL_FUNCTION,
    SYMBOL_VARIABLE
} language_symbol_kind;

/* What a name means. Nothing changes it once it is declared, so that any number of programs, and of
 * threads, can use the symbols of one interface. What the passes find out about a program's own
 * variables and functions they note in the two structs below, which an interface has none of. */
struct language_symbol {
    language_symbol_kind kind;
    const language_unit *unit; /* that declares it */
    const language_name *name;
    const language_token *token;   /* where it was declared */
    const language_type *type;     /* a function's is that of its result */
    const language_symbol *next;   /* of the file's scope */
    const language_symbol *hidden; /* what the name meant outside of this scope */
    int level;                     /* of the scope: 0 the file */

    /* constants */
    int32_t value;
    const language_node *enumeration;

    /* functions */
    const language_type *const *parameters;
    int parameter_count, parameter_cells;
    bool is_static;
    language_function *function; /* NULL: the host's, or no function */

    language_variable *variable; /* NULL: no variable */
};

struct language_variable {
    const language_symbol *symbol;
    language_name *name;
    language_variable *outer; /* the one declared before it, among those in scope */
    int offset;               /* of its first cell in the function's frame */
    bool is_parameter, is_read, is_set;
    uint64_t assigned;      /* flow.c: a bit a cell */
    uint64_t stamp;         /* of the round that marked it last: order.c, warn.c */
    uint64_t reads, writes; /* order.c: a bit a cell */
};

typedef struct language_edge { /* a call, kept with the caller and with the one called */
    language_function *to;
    struct language_edge *next;
} language_edge;

struct language_function {
    const language_symbol *symbol;
    language_function *next; /* of the unit */
    int index;               /* among those */
    int variable_cells;      /* most that its parameters and variables take at once */
    bool is_used;
    bool has_effects; /* may call a function of the host's */
    bool calls_itself, has_return;
    const language_node *definition;
    language_edge *callers, *callees;
    language_function *work; /* the next in declare.c's list of work */
};

/* ---- nodes ---- */

/* Which child of a node is what. The nodes of a list are linked by `next`.
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
typedef enum language_node_kind {
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
} language_node_kind;

struct language_node {
    language_node_kind kind;
    language_token_kind op;      /* of expressions; the word that a TYPE starts with */
    uint16_t height;             /* of expressions */
    bool parenthesised;          /* stands in parentheses of its own */
    bool prefix;                 /* STEP: ++x, not x++ */
    bool discarded;              /* an expression whose value is not used */
    bool pointer;                /* a declaration with a '*' */
    bool is_static;              /* FUNCTION */
    bool is_definition;          /* STRUCT: has a list of fields */
    bool known;                  /* constant.c: `value` is its value, if it has one */
    bool constant;               /* constant.c: known, and made of constants only */
    const language_token *token; /* the operator, or the first */
    const language_token *end;   /* statements: the first token after */
    language_node *next;
    language_node *condition, *left, *right, *body;
    language_name *name;
    const language_symbol *symbol; /* check.c: what the name means */
    const language_type *type;     /* check.c: of an expression */
    const language_member *member; /* check.c: of a FIELD */
    language_cell value;
    uint32_t shape; /* warn.c: equal for expressions that are the same; 0: not known yet */
};

/* ---- the passes ---- */

void language_parse_unit(language_unit *unit);
language_node *language_parse_prototype(language_unit *unit); /* one, and nothing after it */

/* declare.c */
void language_check_unit(language_unit *unit);
/* The type and the parameters of a function declaration, as a symbol that is in no scope. */
language_symbol *language_check_prototype(language_unit *unit, const language_node *node);
bool language_same_function(const language_symbol *a, const language_symbol *b);
/* What a TYPE node means, with a '*' or without; opaque structs without one are refused. */
const language_type *language_resolve(language_unit *unit, const language_node *type, bool pointer);
/* Puts a name into the scope of that level (0 the file); refuses one that is there already. */
language_symbol *language_declare(language_unit *unit, language_symbol_kind kind,
                                  language_name *name, const language_token *token, int level);

/* check.c */
void language_check_body(language_unit *unit, language_node *function);
int32_t language_check_enumerator(language_unit *unit, language_node *expression);
/* A variable or a field of one: the variable, and the field's first cell in it. NULL: no place. */
language_variable *language_place(const language_node *node, int *offset);

void language_fold(language_unit *unit, language_node *node);
bool language_is_true(const language_node *known);
bool language_in_c_library(const language_name *name);
void language_warn(language_unit *unit, const language_node *function);
void language_check_order(language_unit *unit, const language_node *function);
void language_check_flow(language_unit *unit, const language_node *function);
/* Whether two expressions are the same and have no effects, so that they have the same value. */
bool language_same_value(language_node *a, language_node *b);
/* The bits that stand for some cells of a variable, in its assigned, reads and writes. */
uint64_t language_mask(int offset, int cells);

/* ---- arithmetic.c: the one place where numbers are computed ---- */

/* op is TOKEN_PLUS .. TOKEN_NOT_EQUAL. NULL: fine; otherwise what is wrong. */
const char *language_compute_int(language_token_kind op, int32_t a, int32_t b, int32_t *result);
const char *language_compute_double(language_token_kind op, double a, double b, double *result);
bool language_compare_double(language_token_kind op, double a, double b);
const char *language_to_int(double value, int32_t *result);
bool language_is_comparison(language_token_kind op);
language_token_kind language_operator_of(language_token_kind assignment); /* += gives + */

/* ---- compile.c: code for interpret.c ---- */

/* A stack of cells grows upwards. A function's frame starts with its parameters, which its caller
 * has pushed; its other variables follow, then what it is just computing. */
typedef enum language_operation {
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
} language_operation;

typedef struct language_instruction {
    uint8_t operation; /* language_operation */
    uint8_t op;        /* language_token_kind */
    uint16_t cells;
    int32_t operand;
    uint32_t offset; /* in the text */
} language_instruction;

typedef struct language_code {
    const language_symbol *symbol;
    int32_t start;      /* its first instruction */
    int variable_cells; /* parameters and variables */
    int frame_cells;    /* with intermediate results */
} language_code;

struct language_program {
    language_unit unit;
    language_interface *kept; /* NULL: the interface is freed by somebody else */
    language_instruction *instructions;
    size_t instruction_count;
    language_cell *constants;
    const language_symbol **hosts; /* the function of the host that each DO_HOST calls */
    language_code *functions;      /* by language_function.index */
};

void language_compile(language_program *program);

/* ---- run.c: what interpret.c and native/remote.c share ---- */

/* One call of a program's function, from its arguments to its result. */
typedef struct language_running {
    language_program *program;
    const language_code *code; /* of the function */
    const language_host *host;
    language_limits limits;
    language_arena scratch; /* of a call of the host; freed by the executor */
    language_diagnostic *diagnostic;
    language_failure failure;
} language_running;

const language_code *language_find(const language_program *program, const char *function);
language_running language_begin(language_program *program, const language_invocation *call,
                                language_diagnostic *diagnostic);

/* Ends the program with that failure at a place of its text. Returns false. */
bool language_stop(language_running *running, language_failure why, size_t offset,
                   const char *format, ...) BASE_PRINTF(4, 5);

void language_put_arguments(const language_running *running, const language_value *arguments,
                            language_cell *cells);
bool language_take_result(language_running *running, const language_cell *cells,
                          language_value *result);

/* Calls the host's function of that symbol, whose arguments are at `cells`, and so is its result
 * then. False: the program has been stopped. */
bool language_call_host(language_running *running, const language_symbol *symbol,
                        language_cell *cells, size_t offset);

#endif
