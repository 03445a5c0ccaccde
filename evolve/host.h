/* host.h -- what a source program gets to see, bound to the real thing.
 *
 * The functions that phoenix.h declares are implemented here for the interpreter. A source's
 * t5_new() builds nothing yet: it checks the configuration against the run's limits and hands out a
 * ticket, and whoever runs the source builds the model that the returned ticket names. So a source
 * costs no memory before it has said all it has to say. */
#ifndef EVOLVE_HOST_H
#define EVOLVE_HOST_H

#include "evolve/settings.h"
#include "refine/language.h"
#include "t5/config.h"

/* The interface that phoenix.h declares; read once, shared, never freed. NULL: no memory. */
const refine_interface *evolve_interface(void);

/* Parses, checks and runs a source's model(), and gives the configuration of the model that it
 * returns. vocab_size: the tokenizer's. Not REFINE_OK: the diagnostic says where and why.
 * normal (may be NULL): the program's normal form, appended as soon as it parses and checks. */
refine_failure evolve_run_model(const char *file, const char *text, size_t length,
                                const evolve_settings *settings, int vocab_size, t5_config *config,
                                base_text *normal, refine_diagnostic *diagnostic);

/* The papers' default source (2 + 2 layers, 8 heads, d_ff 1024), appended. */
void evolve_default_source(base_text *text);

#endif
