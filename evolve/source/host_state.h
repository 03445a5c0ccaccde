/* SPDX-License-Identifier: MIT */
/* host_state.h -- what the host keeps while a source runs, for the files that implement phoenix.h:
 * host.c (models), training.c (who calls train() and data(), and checkpoints), host_data.c
 * (datasets), host_train.c (what train() calls), stopping.c (when a training of epochs ends) and
 * host_networks.c and host_recipe.c (networks for images, and how they are trained).
 *
 * A handle is the number of an object, from 1 on, in a pointer's clothes: nothing is ever looked up
 * at its address. A program that hands back a number of its own making (an interpreted one cannot)
 * gets an error at worst, and at best another of its own objects. */
#ifndef SOURCE_HOST_STATE_H
#define SOURCE_HOST_STATE_H

#include "evolve/source/host.h"
#include "evolve/source/prequential.h"
#include "nn/optimizer.h"

typedef enum source_kind {
    SOURCE_MODEL,     /* t5_config */
    SOURCE_DATASET,   /* source_dataset */
    SOURCE_BATCH,     /* source_dataset */
    SOURCE_OPTIMIZER, /* nn_optimizer */
    SOURCE_NETWORK    /* vision_architecture */
} source_kind;

typedef struct source_object {
    source_kind kind;
    void *own;
} source_object;

/* Indexes of pairs; of a batch too. */
typedef struct source_dataset {
    uint64_t *index;
    int64_t count, capacity;
    int64_t next;
} source_dataset;

/* Of a training that is watched: the loss of each epoch, and the weights of the lowest. */
typedef struct source_stopping {
    float *best;
    double *losses;         /* epochs of them */
    int64_t epochs, lowest; /* lowest: of losses, the first of equals */
    int64_t seen;           /* epochs that were over when the last of them was measured */
} source_stopping;

struct source_host {
    const evolve_settings *settings;
    t5_config base;           /* t5_small() */
    const vision_set *images; /* of the network's task; NULL: there are none */
    source_object *objects;
    int count;
    int models;
    language_host_function *functions;
    int function_count;

    /* the training; model NULL: none is under way */
    int trained; /* the model's number */
    t5_model *model;
    tensor_context *ctx;
    source_pairs *pairs;
    source_plan plan;
    int64_t taken;  /* pairs learnt from, of source_host_budget() */
    bool over;      /* asked for more than there is */
    bool scored;    /* the training is a candidate's, and not a stage's */
    double assumed; /* where the context plans: the results of learn() and clip() */
    source_observer observer;
    source_prequential prequential;

    /* for checkpoints: what learn() and clip() have returned, call by call */
    double *results;
    int64_t result_count;
    struct nn_safetensors *checkpoint; /* while one is replayed */
    int64_t replayed;                  /* of its results */

    size_t bytes; /* weights, gradients, optimizers, averages, datasets */
    size_t most_bytes;
    int64_t work;  /* pairs moved about in datasets */
    t5_batch data; /* of the step under way */
    float *row_loss, *row_weight;
    int row_capacity;
    int *lengths; /* of its sources and targets */
    bool *wanted; /* its pairs: does the score count them? */
    int pair_capacity;
    int64_t passes;   /* over all weights: clips, updates, averages */
    float grad_scale; /* what clip() wants the gradients multiplied by */
    float *average;
    source_stopping stopping;

    float *losses;
    int64_t steps, step_capacity;
    int64_t flops;
    size_t peak; /* of its steps */
};

/* A call of one of phoenix.h's functions. */
typedef struct source_call {
    const language_value *arguments;
    language_value *result;
    language_failure *failure;
    char *reason;
} source_call;

/* Makes call_NAME, of the form that language_host_function asks for, from NAME(host, call). */
#define SOURCE_HOST_FUNCTION(name)                                                               \
    static bool call_##name(void *user, const language_value *arguments, int count,              \
                            language_value *result, language_failure *failure, char reason[200]) \
    {                                                                                            \
        source_call call = {arguments, result, failure, reason};                                 \
        (void)count;                                                                             \
        return name(user, &call);                                                                \
    }

/* False, and the reason set: the call is an error; the call goes beyond a limit; the training ends
 * here, as by a return. */
bool source_refuse(source_call *call, const char *format, ...) BASE_PRINTF(2, 3);
bool source_refuse_limit(source_call *call, const char *format, ...) BASE_PRINTF(2, 3);
bool source_end_training(source_host *host, source_call *call, const char *why);

/* Makes an object of `own`, which is the host's from now on, the call's result. */
bool source_host_add(source_host *host, source_call *call, source_kind kind, void *own);

/* What argument i is a handle of; NULL, and refused: of nothing of that kind. */
void *source_host_find(source_host *host, source_call *call, int i, source_kind kind);

/* The number of a handle; 0: of none. */
int source_handle_number(const language_value *value);

/* Takes bytes of the run's memory, or units of its patience; gives bytes back. */
bool source_host_take(source_host *host, source_call *call, size_t bytes);
void source_host_give(source_host *host, size_t bytes);
bool source_host_work(source_host *host, source_call *call, int64_t units);

extern const language_host_function source_data_functions[], source_train_functions[],
    source_network_functions[], source_recipe_functions[];
extern const int source_data_function_count, source_train_function_count,
    source_network_function_count, source_recipe_function_count;

/* host_recipe.c: calls a network's train(), if it has one; the plan is else the usual one. */
language_failure source_host_recipe(source_host *host, const source_executor *source,
                                    const char *file, vision_plan *plan,
                                    language_diagnostic *diagnostic);

/* Puts "file: why" in a diagnostic; returns the failure. */
language_failure source_fail(language_diagnostic *diagnostic, language_failure failure,
                             const char *file, const char *why);

/* training.c: the pairs that a training may take; begins one; frees what it had. */
int64_t source_host_budget(const source_host *host);
bool source_host_begin(source_host *host, t5_model *model, source_pairs *pairs,
                       const source_plan *plan, bool scored, base_error *error);
void source_host_free_training(source_host *host);

/* training.c: what a call of learn() or clip() returns: *result as it was computed; where the
 * context plans, what is assumed; where a checkpoint is replayed, what was returned then. */
bool source_host_result(source_host *host, source_call *call, double *result);

/* stopping.c: begins; looks whether an epoch is over, before a batch is learnt (false: the training ends);
 * ends, with the best weights (false: the reason, 256 bytes). */
bool source_stopping_begin(source_host *host, base_error *error);
bool source_stopping_watch(source_host *host, source_call *call);
bool source_stopping_end(source_host *host, char *reason);

/* training.c: ends the replay of the checkpoint where all its results have been returned. */
bool source_checkpoint_replayed(source_host *host, source_call *call);

/* host_train.c: measures the pairs of the score whose turn comes when `taken` pairs have been
 * taken, until the goal is lost. False: reason (256 bytes). */
bool source_measure_due(source_host *host, int64_t taken, char *reason);

#endif
