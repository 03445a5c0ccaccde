/* host_state.h -- what the host keeps while a source runs, for the files that implement phoenix.h:
 * host.c (models, and who calls whom), host_data.c (datasets), host_train.c (training) and
 * host_networks.c (networks for images).
 *
 * A handle is the number of an object, from 1 on, in a pointer's clothes: nothing is ever looked up
 * at its address. A program that hands back a number of its own making (an interpreted one cannot)
 * gets an error at worst, and at best another of its own objects. */
#ifndef EVOLVE_HOST_STATE_H
#define EVOLVE_HOST_STATE_H

#include "evolve/host.h"
#include "evolve/tally.h"

typedef enum evolve_kind {
    EVOLVE_MODEL,     /* t5_config */
    EVOLVE_DATASET,   /* evolve_dataset */
    EVOLVE_BATCH,     /* evolve_dataset */
    EVOLVE_OPTIMIZER, /* nn_optimizer */
    EVOLVE_NETWORK    /* vision_architecture */
} evolve_kind;

typedef struct evolve_object {
    evolve_kind kind;
    void *own;
} evolve_object;

/* Indexes of pairs; of a batch too. */
typedef struct evolve_dataset {
    uint64_t *index;
    int64_t count, capacity;
    int64_t next;
} evolve_dataset;

struct evolve_host {
    const evolve_settings *settings;
    t5_config base; /* t5_small() */
    evolve_object *objects;
    int count, capacity;
    int models;
    refine_host_function *functions;
    int function_count;

    /* the training; model NULL: none is under way */
    int trained; /* the model's number */
    t5_model *model;
    tensor_context *ctx;
    evolve_pairs *pairs;
    evolve_plan plan;
    int64_t taken; /* pairs learnt from, of plan.count * plan.epochs */
    bool over;     /* asked for more than there is */
    bool scored;   /* the training is a candidate's, and not a stage's */
    double told;   /* where the context plans: what learn() and clip() give */
    evolve_learnt learnt;
    evolve_tally tally;

    size_t bytes;  /* weights, gradients, optimizers, averages, datasets */
    int64_t work;  /* pairs moved about in datasets */
    t5_batch data; /* of the step under way */
    float *row_loss, *row_weight;
    int row_capacity;
    int *lengths;
    int length_capacity;
    int64_t passes;   /* over all weights: clips, updates, averages */
    float grad_scale; /* what clip() wants the gradients multiplied by */
    float *average;

    float *losses;
    int64_t steps, step_capacity;
    int64_t flops;
    size_t peak; /* of its steps */
};

/* A call of one of phoenix.h's functions. */
typedef struct evolve_call {
    const refine_value *arguments;
    refine_value *result;
    refine_failure *failure;
    char *reason;
} evolve_call;

/* Makes call_NAME, of the form that refine_host_function asks for, from NAME(host, call). */
#define EVOLVE_HOST_FUNCTION(name)                                                           \
    static bool call_##name(void *user, const refine_value *arguments, int count,            \
                            refine_value *result, refine_failure *failure, char reason[200]) \
    {                                                                                        \
        evolve_call call = {arguments, result, failure, reason};                             \
        (void)count;                                                                         \
        return name(user, &call);                                                            \
    }

/* False, and the reason set: the call is an error; the call goes beyond a limit; the training ends
 * here, as by a return. */
bool evolve_refuse(evolve_call *call, const char *format, ...) BASE_PRINTF(2, 3);
bool evolve_refuse_limit(evolve_call *call, const char *format, ...) BASE_PRINTF(2, 3);
bool evolve_end_training(evolve_host *host, evolve_call *call, const char *why);

/* Makes an object of `own`, which is the host's from now on, the call's result. */
bool evolve_host_add(evolve_host *host, evolve_call *call, evolve_kind kind, void *own);

/* What argument i is a handle of; NULL, and refused: of nothing of that kind. */
void *evolve_host_find(evolve_host *host, evolve_call *call, int i, evolve_kind kind);

/* The number of a handle; 0: of none. */
int evolve_handle_number(const refine_value *value);

/* Takes bytes of the run's memory, or units of its patience; gives bytes back. */
bool evolve_host_take(evolve_host *host, evolve_call *call, size_t bytes);
void evolve_host_give(evolve_host *host, size_t bytes);
bool evolve_host_work(evolve_host *host, evolve_call *call, int64_t units);

extern const refine_host_function evolve_data_functions[], evolve_train_functions[],
    evolve_network_functions[];
extern const int evolve_data_function_count, evolve_train_function_count,
    evolve_network_function_count;

/* host_train.c: begins a training; takes the last measurements (reason: 256 bytes); frees. */
bool evolve_host_begin(evolve_host *host, t5_model *model, evolve_pairs *pairs,
                       const evolve_plan *plan, bool scored, base_error *error);
refine_failure evolve_host_end(evolve_host *host, evolve_sum *sum, char reason[256]);
void evolve_host_free_training(evolve_host *host);

#endif
