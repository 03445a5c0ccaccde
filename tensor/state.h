/* SPDX-License-Identifier: MIT */
/* state.h -- the inside of a context: for context.c, tape.c and parallel.c, and no one else. */
#ifndef TENSOR_STATE_H
#define TENSOR_STATE_H

#include "tensor/context.h"

enum { TENSOR_MAX_THREADS = 64 };

typedef struct tensor_arena_chunk tensor_arena_chunk;
struct tensor_arena_chunk {
    tensor_arena_chunk *next;
    size_t start;    /* bytes in use in the chunks before it */
    size_t used;     /* of this one */
    size_t capacity; /* of this one */
    char *memory;    /* aligned, behind this struct in the same malloc */
};

typedef struct tensor_arena {
    tensor_arena_chunk *first;
    tensor_arena_chunk *current; /* those after it are empty; NULL if there is none at all */
    size_t capacity;             /* of all chunks */
    size_t peak, limit;          /* limit 0: none */
} tensor_arena;

typedef struct tensor_scratch_block {
    void *raw;     /* what malloc returned */
    void *aligned; /* what is used of it */
    size_t bytes;
} tensor_scratch_block;

/* Memory of a gradient that has been passed on (tape.c). */
typedef struct tensor_idle_block {
    float *memory;
    size_t bytes;
} tensor_idle_block;

enum { TENSOR_IDLE_BLOCKS = 32 };

struct tensor_context {
    const tensor_kernels *kernels;

    tensor_failure_handler *handler;
    void *handler_user;

    tensor_arena arena;

    /* tape.c */
    tensor_tape_record *last; /* the tape's end; NULL: it is empty */
    size_t tape_end;          /* bytes of step memory in use after its last record */
    bool grad;                /* do ops record? */
    bool planning;            /* are ops to compute nothing? */
    tensor_idle_block idle[TENSOR_IDLE_BLOCKS];
    int idle_blocks;
    bool walked; /* tensor_backward was called since the last tensor_step_end */

    /* parallel.c */
    int threads;
    bool inside;              /* a tensor_parallel is under way */
    struct tensor_team *team; /* NULL until it is first needed, and where there are no threads */
    tensor_scratch_block scratch[TENSOR_MAX_THREADS][TENSOR_SCRATCH_SLOTS];
};

void tensor_scratch_free(tensor_context *ctx);

/* Ends the helper threads, if there are any. */
void tensor_parallel_free(tensor_context *ctx);

#endif
