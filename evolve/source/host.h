/* SPDX-License-Identifier: MIT */
/* host.h -- what a source program gets to see, bound to the real thing.
 *
 * The functions that phoenix.h declares are implemented here, on values and handles that are mere
 * numbers, so that whoever runs the source may be this process or another. A source's t5_new()
 * builds nothing yet: it checks the configuration against the run's limits and hands out a ticket,
 * and the model that the returned ticket names is built afterwards. So a source costs no memory
 * before it has said all it has to say. */
#ifndef SOURCE_HOST_H
#define SOURCE_HOST_H

#include "evolve/settings.h"
#include "evolve/source/prequential.h"
#include "evolve/source/pairs.h"
#include "refine/language/language.h"
#include "t5/config.h"
#include "vision/images.h"
#include "vision/network.h"
#include "vision/train.h"

enum { SOURCE_MOST = 1 << 20 }; /* bytes of a source's text, wherever one is read */

/* The interface that phoenix.h declares. Parsing a program against it does not change it, so
 * threads may share one. NULL: no memory. The caller frees it, after all programs. */
language_interface *source_interface_new(void);

/* language_parse() with such an interface, which is the program's own and freed with it. */
language_program *source_parse(const char *file, const char *text, size_t length,
                               language_diagnostic *diagnostic);

/* Parses, checks and runs a source's model(), and gives the configuration of the model that it
 * returns. vocab_size: the tokenizer's. Not LANGUAGE_OK: the diagnostic says where and why.
 * normal (may be NULL): the program's normal form, appended as soon as it parses and checks. */
language_failure source_run_model(const char *file, const char *text, size_t length,
                                  const evolve_settings *settings, int vocab_size,
                                  t5_config *config, base_text *normal,
                                  language_diagnostic *diagnostic);

/* The papers' default source (2 + 2 layers, 8 heads, d_ff 1024), appended. */
void source_default_source(base_text *text);

/* What train() and data() are where a source leaves them out: the run's training, written out as
 * these settings have it; appended. With the includes and model() of the default source, it is the
 * default source of scope `all`. */
void source_default_training(const evolve_settings *settings, base_text *text);
void source_default_data(const evolve_settings *settings, base_text *text);

/* The source of the T5 that proposes, before it has changed: of the task `self` the default source,
 * of other tasks the T5's, which then stays. Appended. */
void source_generator_source(const evolve_settings *settings, base_text *text);

/* The default source of the settings' task: of a T5, with as much written out as the scope may
 * change; of a network, one hidden layer of 16. Appended. */
void source_default_source_of(const evolve_settings *settings, base_text *text);

/* ---- sources that say more than model() ---- */

typedef enum source_presence {
    SOURCE_ABSENT,
    SOURCE_PRESENT,
    SOURCE_OTHER_TYPE /* a function of that name that cannot be called as this one */
} source_presence;

/* What runs a source's functions: the interpreter, or a process of its own. */
typedef struct source_executor {
    void *user;
    /* declaration: of the function, as for language_defines */
    source_presence (*defines)(void *user, const char *function, const char *declaration);
    /* As language_run. */
    language_failure (*call)(void *user, const language_invocation *call, language_value *result,
                             language_diagnostic *diagnostic);
} source_executor;

source_executor source_interpreter(language_program *program);

typedef struct source_host source_host;

/* NULL: no memory. */
source_host *source_host_new(const evolve_settings *settings, int vocab_size);
void source_host_free(source_host *host);

/* The functions of phoenix.h, all that it declares. */
language_host source_host_bound(source_host *host);

/* Whether a source has a function of its own for its training. */
source_presence source_has_train(const source_executor *source);
source_presence source_has_data(const source_executor *source);

/* Runs a source's model(), and gives the configuration of the model that it returns. A train() or a
 * data() that cannot be called as one is an error. */
language_failure source_host_model(source_host *host, const source_executor *source,
                                   const char *file, t5_config *config,
                                   language_diagnostic *diagnostic);

/* How a run's settings train a network whose source says nothing of it. */
vision_plan source_usual_plan(const evolve_settings *settings);

/* Runs a source's model() where the task is images, and gives the list of layers that it returns,
 * checked for those images; and the plan that its train() makes of the usual one. */
language_failure source_host_network(source_host *host, const source_executor *source,
                                     const char *file, const vision_set *images,
                                     vision_architecture *net, vision_plan *plan,
                                     language_diagnostic *diagnostic);

/* Called after each learn(): pairs taken so far, of so many. false ends the training
 * (LANGUAGE_LIMIT, "stopped"). */
typedef struct source_observer {
    bool (*on_step)(void *user, int64_t taken, int64_t total);
    void *user;
} source_observer;

void source_host_observe(source_host *host, source_observer observer);

/* First weights, as the settings have them begin (--first-weights); seed names them. */
void source_init_model(t5_model *model, const evolve_settings *settings, uint64_t seed);

/* Draws the weights of the model that source_host_model's configuration made, has the source's
 * data() and train() (the default's, where it has none) train it, within plan->count *
 * plan->epochs pairs, and takes the measurements of the score. The score's sum is over tokens of
 * plan->count pairs, or of fewer where plan->goal is lost; NULL: none is wanted. Model, pairs and
 * source outlive the host. */
language_failure source_host_train(source_host *host, const source_executor *source,
                                   const char *file, t5_model *model, source_pairs *pairs,
                                   const source_plan *plan, source_sum *score,
                                   language_diagnostic *diagnostic);

/* The losses and norms that a training is to see where the model's context plans
 * (tensor_set_planning): it is gone through then, and nothing computed. */
void source_host_assume(source_host *host, double result);

/* Of the training: each learn()'s plain loss a token, their number, their operations, the score's
 * sum so far, and the bytes of weights, gradients, average, optimizer states and the largest step
 * (of a score; elsewhere without the step's). */
const float *source_host_losses(const source_host *host);
int64_t source_host_steps(const source_host *host);
int64_t source_host_flops(const source_host *host);
source_sum source_host_sum(const source_host *host);
size_t source_host_bytes(const source_host *host);

/* The losses a token of the pairs that a plan has watched, one after each epoch; *lowest: that of the
 * weights which the training has left. */
const double *source_host_epochs(const source_host *host, int64_t *count, int64_t *lowest);

/* Writes a checkpoint of a training without a score, from within on_step(); hash: of the file. */
bool source_checkpoint_save(const source_host *host, const char *path, char hash[BASE_HASH_TEXT],
                            base_error *error);

/* Before source_host_train(): has it continue behind the step at which that file was written, by a
 * training of the same source, settings and plan, to the same bits. */
bool source_checkpoint_resume(source_host *host, const char *path, base_error *error);

#endif
