/* language.h -- source code as a value: check it, normalise it, run it.
 *
 * The language is a subset of C11 that any C compiler accepts: int, double, structs passed by
 * value, opaque handles (pointers to incomplete structs), enum constants, functions with parameters
 * and recursion, declarations, if / for / while / do / break / continue / return, and every
 * arithmetic, comparison, logical, conditional and assignment operator. There are no arrays, no
 * address-of, no pointer arithmetic, no strings and no globals: a program of this language has no
 * means to touch memory that is not its own.
 *
 * What C leaves undefined or unspecified is an error here, never a choice: overflow of int and of
 * double, division by zero, reading what was never written, running off the end of a non-void
 * function, a conversion from double to int that does not fit, two unsequenced side effects on one
 * variable, two unsequenced calls of functions that may act on the host. So is what gcc or clang
 * warn about under -Wall -Wextra -Wpedantic: unused names, conditions that cannot change, a layout
 * that belies the meaning. A program that is accepted compiles without a word, and means the same.
 *
 * What a program may call is said by an *interface*: a header in the same subset (declarations
 * only), read by the same parser. The program includes it by name and sees nothing else. */
#ifndef REFINE_LANGUAGE_H
#define REFINE_LANGUAGE_H

#include "base/error.h"
#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct refine_interface refine_interface;
typedef struct refine_program refine_program;

/* How a source can fail, in the order in which it is found out. */
typedef enum refine_failure {
    REFINE_OK,
    REFINE_PARSE, /* not a program of the language */
    REFINE_CHECK, /* a program that means nothing: unknown names, wrong types, wrong arguments */
    REFINE_RUN,   /* went wrong while it ran: overflow, a call the host refused */
    REFINE_LIMIT  /* used up its steps, its memory or its depth of calls; or there was no memory */
} refine_failure;

/* What was wrong, where. text reads like a compiler's message, and is one line:
 *     child.c:6:24: expected ';' after expression, got 'return'
 * snippet is the source line and a caret under the column, two lines, for a terminal. */
typedef struct refine_diagnostic {
    refine_failure failure;
    int line, column; /* from 1; 0 where there is no place */
    char text[256];
    char snippet[256];
} refine_diagnostic;

/* Reads a header. `name` is what programs say in #include "name". NULL: diagnostic is set. */
refine_interface *refine_interface_new(const char *name, const char *text, size_t length,
                                       refine_diagnostic *diagnostic);
void refine_interface_free(refine_interface *interface);

enum {
    REFINE_MAX_SOURCE = 64 * 1024, /* bytes of a source; longer is a parse failure */
    REFINE_MAX_NESTING = 100,      /* of statements, of expressions, of structs in structs */
    REFINE_MAX_FIELDS = 64         /* of a struct, with those of structs in it */
};

/* Lexes, parses and checks one source. `file` names it in messages. The interface must outlive the
 * program. NULL: the diagnostic says why (REFINE_PARSE, REFINE_CHECK; REFINE_LIMIT: no memory). */
refine_program *refine_parse(const char *file, const char *text, size_t length,
                             const refine_interface *interface, refine_diagnostic *diagnostic);
void refine_program_free(refine_program *program);

/* Whether the program defines that function with exactly that type, written as the interface
 * would declare it: refine_defines(p, "t5 *model(void)"). The declaration must parse. */
bool refine_defines(const refine_program *program, const char *declaration);

/* Whether the program defines a function of that name, of whatever type. */
bool refine_has_function(const refine_program *program, const char *name);

/* The program's tokens, comments and layout gone: a blank between two, a newline after the #include
 * and after each ';', '{' and '}'. Two sources with the same normal form are the same program, and
 * the normal form, where it is not too long for a source, is one with itself for its normal form.
 * Appends to text. */
void refine_normalise(const refine_program *program, base_text *text);

/* ---- running ---- */

typedef enum refine_type_kind {
    REFINE_VOID,
    REFINE_INT,
    REFINE_DOUBLE,
    REFINE_HANDLE,
    REFINE_STRUCT
} refine_type_kind;

typedef struct refine_value refine_value;
struct refine_value {
    refine_type_kind kind;
    union {
        int32_t i;
        double d;
        void *handle;
        struct {
            refine_value *field;      /* in the order of the declaration */
            const char *const *names; /* of the fields */
            int count;
        } fields;
    } as;
};

/* The field of a struct value by name; NULL: no such field. */
refine_value *refine_field(const refine_value *value, const char *name);

/* One function that the host offers: it gets the arguments, fills *result (for a struct, the
 * fields are allocated and zero already) and returns true; or returns false and says why in
 * reason, one line, and the program ends with REFINE_RUN (or REFINE_LIMIT, by setting *failure). */
typedef struct refine_host_function {
    const char *name; /* as declared in the interface */
    bool (*call)(void *user, const refine_value *arguments, int count, refine_value *result,
                 refine_failure *failure, char reason[200]);
} refine_host_function;

typedef struct refine_host {
    const refine_host_function *functions;
    int count;
    void *user;
} refine_host;

typedef struct refine_limits {
    int64_t steps;  /* operations: a variable read, a sum, a call, a jump, ... */
    size_t memory;  /* bytes of variables and intermediate values alive at once, 8 a scalar */
    int call_depth; /* nested calls of the program's own functions */
} refine_limits;

/* Limits that a source of a few hundred lines never meets: 10 million steps, 16 MiB, 200 calls. */
refine_limits refine_default_limits(void);

/* Calls the program's function of that name (arguments must match its type: assert). A handle
 * result is the host's. Struct results live until the program is freed.
 * Not REFINE_OK: the diagnostic says where in the source and why. */
refine_failure refine_run(refine_program *program, const char *function,
                          const refine_value *arguments, int count, const refine_host *host,
                          const refine_limits *limits, refine_value *result,
                          refine_diagnostic *diagnostic);

#endif
