/* native.h -- a program as C for a compiler, and a program that runs in another process.
 *
 * refine_translate() writes what compile.c made of a program, instruction by instruction, as C that
 * any C11 compiler takes. The compiler therefore sees not one byte of the program's text: no name,
 * no number as it was spelled, no directive; only operations that the checker has let pass. What is
 * compiled means what the interpreter does by construction: the same operations in the same order,
 * the same errors at the same places, the same count of steps.
 *
 * refine_call() is refine_run() for such a program: it talks to the process the program runs in,
 * and calls the same host functions on its behalf. Every byte from there is taken to be hostile:
 * the program here says what may be called with how many cells, and anything else ends the talk. */
#ifndef REFINE_NATIVE_H
#define REFINE_NATIVE_H

#include "base/text.h"
#include "refine/language.h"

/* A C file is a beginning, any number of programs, numbered from 0, and an end. */
void refine_translate_begin(base_text *c);
void refine_translate(const refine_program *program, int number, base_text *c);
void refine_translate_end(int count, base_text *c);

/* How long a program is: what a compiler's time grows with. */
size_t refine_instructions(const refine_program *program);

/* The pipes to a process. Each returns false where not all of it could be moved. */
typedef struct refine_channel {
    bool (*send)(void *user, const void *bytes, size_t size);
    bool (*receive)(void *user, void *bytes, size_t size);
    void *user;
} refine_channel;

/* One process and the handles that it has been given. NULL: no memory. */
typedef struct refine_process refine_process;
refine_process *refine_process_new(const refine_channel *channel);
void refine_process_free(refine_process *process);

/* Waits for the process to say that it is there. */
bool refine_process_ready(refine_process *process);

/* It died, or said what no translated program says; nothing more is to be had from it. */
bool refine_process_broken(const refine_process *process);

/* As refine_run(), for program `number` of those in the process. A broken process is REFINE_LIMIT.
 * limits->memory must be at most refine_default_limits()'s. After a failure only free it. */
refine_failure refine_call(refine_process *process, int number, refine_program *program,
                           const char *function, const refine_value *arguments, int count,
                           const refine_host *host, const refine_limits *limits,
                           refine_value *result, refine_diagnostic *diagnostic);

#endif
