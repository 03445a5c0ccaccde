/* SPDX-License-Identifier: MIT */
/* native.h -- the native executor: a source compiled by the system's cc, running in a process of
 * its own.
 *
 * Three processes take part, each held by what sandbox.h has for it:
 *
 *     worker     parses and checks the text, writes it as C (refine/native/native.h), starts the other
 *                two, then confines itself; has the host functions, the training, the score
 *     cc         sees that C and no text of the source; writes in one folder, for so long
 *     candidate  runs the source's code and nothing else. All it can do is ask for a function of
 *                the host over its two pipes, as refine/native/wire.h has it
 *
 * So an error of the compiler's, or of a program that got past the checker, is in a process without
 * a score in its memory. What a source means does not depend on who runs it: where there is no
 * compiler, the interpreter gives the same result, to the byte. */
#ifndef SCORE_NATIVE_H
#define SCORE_NATIVE_H

#include "base/error.h"
#include "base/text.h"
#include "evolve/source/host.h"
#include "evolve/sandbox/sandbox.h"
#include "refine/native/native.h"
#include <sys/types.h>

/* How candidates are compiled and held. */
typedef struct score_native_how {
    const char *cc;      /* NULL: the first of cc, gcc, clang, tcc that is in PATH */
    sandbox_level level; /* for both cc and the candidate */
    double seconds;      /* cc may take */
    int64_t deadline;    /* seconds a processor may work for the candidate */
} score_native_how;

/* The C compiler to use, as a path. False: there is none of that name, or none at all. */
bool score_native_compiler(const char *named, char path[1024], base_error *error);

/* A compiled program. Its folder is a private one among the system's temporary files. */
typedef struct score_executable {
    char folder[512];
    int file;       /* open for reading */
    bool is_static; /* needs no loader, and can be held from its first instruction */
} score_executable;

/* Compiles C that native_translate_end() has ended; `instructions` is the size of its programs
 * together. False: nothing is left behind, and the error has the compiler's first words. */
bool score_native_compile(score_executable *executable, const base_text *c, size_t instructions,
                          const score_native_how *how, base_error *error);

/* What holds such a program while it runs: standard input and output are all it has. */
sandbox_policy score_native_box(const score_executable *executable, const score_native_how *how);

/* Closes it and removes its folder. A process that runs it goes on. */
void score_native_remove(score_executable *executable);

/* A candidate's process. It ends when its pipes are closed, or at four times its
 * deadline at the latest. */
typedef struct score_native {
    pid_t process;
    int from, to;
    int program;         /* which one of those compiled together is run: 0, of one */
    sandbox_level level; /* that it is held at, never SANDBOX_BEST */
    native_process *talk;
} score_native;

/* Starts it and waits until it says that it is there. SIGPIPE is ignored from here on. NULL: it
 * could not be started as `how` demands. */
score_native *score_native_start(const score_executable *executable, const score_native_how *how,
                                 base_error *error);

/* Moves the pipes to descriptors 3 and 4, so that a sandbox that keeps 5 keeps them. */
bool score_native_settle(score_native *native, base_error *error);

/* Runs a program's functions in the process that was opened for its text. */
typedef struct score_native_source {
    score_native *native;
    language_program *program;
} score_native_source;
source_executor score_native_executor(score_native_source *source);

/* Closes the pipes. The process is not waited for: a worker that has confined itself may not. */
void score_native_free(score_native *native);

/* All of it for one source: parse, translate, compile, start. NULL with an empty error: the text is
 * no program, so that there is nothing to compile, and running it says why. */
score_native *score_native_open(const char *file, const char *text, size_t length,
                                const score_native_how *how, base_error *error);

#endif
