/* SPDX-License-Identifier: MIT */
/* escape.h -- attempts to get out of the sandbox, and what has to become of each. */
#ifndef ESCAPE_H
#define ESCAPE_H

#include <stdint.h>

/* What an attempt is after. Everything in it is there to be taken, were it not for the sandbox:
 * files and folder may be written by anyone, the servers listen, the driver may be traced. */
typedef struct escape_target {
    const char *folder;    /* with a file "journal.jsonl", 0666, and a folder "empty", 0777 */
    uintptr_t secret;      /* address, in the driver, of a long */
    int driver;            /* its process */
    int tcp, udp;          /* ports of servers on 127.0.0.1 */
    const char *unix_path; /* of a server */
} escape_target;

/* Outcomes: what was refused is its errno. */
enum {
    ESCAPED = 0,
    BY_SIGNAL = 1000, /* + the signal */
    BY_DEADLINE = 2000,
    BY_FLOOD = 2001,
    KILLED = BY_SIGNAL + 31 /* SIGSYS on x86-64 and aarch64: the filter did it */
};

enum {                     /* flags */
       CONTROL = 1 << 0,   /* harmless, and gets out where there is no sandbox: shows that it can */
       THREADS = 1 << 1,   /* is allowed two threads */
       HANDED = 1 << 2,    /* is handed descriptor 7, a file of its own */
       COMPILER = 1 << 3,  /* also tried in cc's place, where any refusal is right */
       CANDIDATE = 1 << 4, /* only makes sense for an executed candidate */
       LIMITED = 1 << 5,   /* is held by limits alone, too */
};

typedef struct escape_attempt {
    const char *name;
    int (*run)(const escape_target *target); /* 0: it got out; otherwise the errno it met */
    int flags;
    int expected[4]; /* any of them */
} escape_attempt;

extern const escape_attempt escape_attempts[];
extern const int escape_count;

#endif
