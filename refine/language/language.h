/* SPDX-License-Identifier: MIT */
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
 * What a program may call is declared by an *interface*: a header in the same subset, declarations
 * only, read by the same parser. The program includes it by name and sees nothing else. */
#ifndef LANGUAGE_H
#define LANGUAGE_H

#include "base/error.h"
#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct language_interface language_interface;
typedef struct language_program language_program;

/* How a source can fail, in the order in which it is checked. */
typedef enum language_failure {
    LANGUAGE_OK,
    LANGUAGE_PARSE, /* not a program of the language */
    LANGUAGE_CHECK, /* a program that means nothing: unknown names, wrong types, wrong arguments */
    LANGUAGE_RUN,   /* went wrong while it ran: overflow, a call the host refused */
    LANGUAGE_LIMIT /* used up its steps, its memory or its depth of calls; or there was no memory */
} language_failure;

/* What was wrong and where. text reads like a compiler's message, and is one line:
 *     child.c:6:24: expected ';' after expression, got 'return'
 * snippet is the source line and a caret under the column, two lines, for a terminal. */
typedef struct language_diagnostic {
    language_failure failure;
    int line, column; /* from 1; 0 where there is no place */
    char text[256];
    char snippet[256];
} language_diagnostic;

/* Reads a header. `name` is the file that programs include. NULL: the diagnostic is set. */
language_interface *language_interface_new(const char *name, const char *text, size_t length,
                                           language_diagnostic *diagnostic);
void language_interface_free(language_interface *interface);

enum {
    LANGUAGE_MAX_SOURCE = 64 * 1024, /* bytes of a source; longer is a parse failure */
    LANGUAGE_MAX_NESTING = 100,      /* of statements, of expressions, of structs in structs */
    LANGUAGE_MAX_FIELDS = 64         /* of a struct, with those of structs in it */
};

/* Lexes, parses and checks one source. `file` names it in messages. The interface must outlive the
 * program, and is not changed: programs of several threads may share it, while a program is one
 * thread's at a time. NULL: the diagnostic says why (LANGUAGE_PARSE, LANGUAGE_CHECK;
 * LANGUAGE_LIMIT: no memory). */
language_program *language_parse(const char *file, const char *text, size_t length,
                                 const language_interface *interface,
                                 language_diagnostic *diagnostic);
void language_program_free(language_program *program);

/* Hands its interface over to the program, which frees it in the end. */
void language_program_keep(language_program *program, language_interface *interface);

/* Whether the program defines that function with exactly that type, written as the interface
 * would declare it: language_defines(p, "t5 *model(void)"). The declaration must parse. False
 * as well: no memory, which base_memory_refusals() tells from the others. */
bool language_defines(const language_program *program, const char *declaration);

/* Whether the program defines a function of that name, of whatever type. */
bool language_has_function(const language_program *program, const char *name);

/* The program's tokens, comments and layout gone: a blank between two, a newline after the #include
 * and after each ';', '{' and '}'. Two sources with the same normal form are the same program, and
 * the normal form, where it is not too long for a source, is one with itself for its normal form.
 * Appends to text. */
void language_normalise(const language_program *program, base_text *text);

/* The program's tokens in the layout of the programs that the edit rules write (refine/mutation), without comments: what a
 * person wrote otherwise is then a text of theirs, if the rules know the program. Appends to text. */
void language_lay_out(const language_program *program, base_text *text);

/* ---- running ---- */

typedef enum language_type_kind {
    LANGUAGE_VOID,
    LANGUAGE_INT,
    LANGUAGE_DOUBLE,
    LANGUAGE_HANDLE,
    LANGUAGE_STRUCT
} language_type_kind;

typedef struct language_value language_value;
struct language_value {
    language_type_kind kind;
    union {
        int32_t i;
        double d;
        void *handle;
        struct {
            language_value *field;    /* in the order of the declaration */
            const char *const *names; /* of the fields */
            int count;
        } fields;
    } as;
};

/* The field of a struct value by name; NULL: no such field. */
language_value *language_field(const language_value *value, const char *name);

/* One function that the host offers: it gets the arguments, fills *result (for a struct, the fields
 * are allocated and zero already) and returns true; or returns false and says why in reason, one
 * line, and the program ends with LANGUAGE_RUN (or LANGUAGE_LIMIT, by setting *failure). */
typedef struct language_host_function {
    const char *name; /* as declared in the interface */
    bool (*call)(void *user, const language_value *arguments, int count, language_value *result,
                 language_failure *failure, char reason[200]);
} language_host_function;

typedef struct language_host {
    const language_host_function *functions;
    int count;
    void *user;
} language_host;

typedef struct language_limits {
    int64_t steps;  /* operations: a variable read, a sum, a call, a jump, ... */
    size_t memory;  /* bytes of variables and intermediate values alive at once, 8 a scalar */
    int call_depth; /* nested calls of the program's own functions */
} language_limits;

/* Limits that a source of a few hundred lines never meets: 10 million steps, 16 MiB, 200 calls. */
language_limits language_default_limits(void);

/* Which function to call, and with what. */
typedef struct language_invocation {
    const char *function;            /* one that the program defines */
    const language_value *arguments; /* as many, and of the kinds, as its type has: assert */
    int count;
    const language_host *host;     /* NULL: offers nothing */
    const language_limits *limits; /* NULL: language_default_limits() */
} language_invocation;

/* Calls a function of the program. A handle result is the host's. A struct result lives until the
 * program is freed; result may be NULL. Not LANGUAGE_OK: the diagnostic says where in the source
 * and why. */
language_failure language_run(language_program *program, const language_invocation *call,
                              language_value *result, language_diagnostic *diagnostic);

#endif
