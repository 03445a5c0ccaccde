/* SPDX-License-Identifier: MIT */
/* native.h -- a program as C for a compiler, and a program that runs in another process.
 *
 * native_translate() writes what compile.c made of a program, instruction by instruction, as C that
 * any C11 compiler takes. The compiler therefore sees not one byte of the program's text: no name,
 * no number as it was spelled, no directive; only operations that the checker has let pass. What is
 * compiled means what the interpreter does by construction: the same operations in the same order,
 * the same errors at the same places, the same count of steps.
 *
 * native_run() is language_run() for such a program: it talks to the process the program runs in,
 * and calls the same host functions on its behalf. Every byte from there is taken to be hostile:
 * the program here says what may be called with how many cells, and anything else ends the
 * conversation. */
#ifndef NATIVE_H
#define NATIVE_H

#include "base/text.h"
#include "refine/language/language.h"

/* A C file is a beginning, any number of programs, numbered from 0, and an end. */
void native_translate_begin(base_text *c);
void native_translate(const language_program *program, int number, base_text *c);
void native_translate_end(int count, base_text *c);

/* How long a program is: what a compiler's time grows with. */
size_t native_instructions(const language_program *program);

/* The pipes to a process. Each returns false where not all of it could be moved. */
typedef struct native_channel {
    bool (*send)(void *user, const void *bytes, size_t size);
    bool (*receive)(void *user, void *bytes, size_t size);
    void *user;
} native_channel;

/* One process and the handles that it has been given. NULL: no memory. */
typedef struct native_process native_process;
native_process *native_process_new(const native_channel *channel);
void native_process_free(native_process *process);

/* Waits for the first message, which says that the process has started. */
bool native_process_ready(native_process *process);

/* It has died or broken the protocol; every further run fails. */
bool native_process_broken(const native_process *process);

/* As language_run(), for program `number` of those in the process. A broken process is
 * LANGUAGE_LIMIT. call->limits->memory must be at most language_default_limits()'s. After a failure
 * only free it. */
language_failure native_run(native_process *process, int number, language_program *program,
                            const language_invocation *call, language_value *result,
                            language_diagnostic *diagnostic);

#endif
