/* host.c -- t5_small() and t5_new() for interpreted sources. */
#include "evolve/host.h"
#include "evolve/native.h"
#include "refine/sample.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

extern const char *const evolve_phoenix_h[]; /* the lines of phoenix.h, made by the Makefile */

const refine_interface *evolve_interface(void)
{
    static refine_interface *interface;
    if (interface)
        return interface;
    base_text text = {0};
    for (int i = 0; evolve_phoenix_h[i]; i++)
        base_text_add(&text, evolve_phoenix_h[i], strlen(evolve_phoenix_h[i]));
    refine_diagnostic diagnostic;
    if (!text.failed)
        interface = refine_interface_new("phoenix.h", text.data, text.length, &diagnostic);
    base_text_free(&text);
    return interface;
}

enum { MOST_MODELS = 16 };

typedef struct host {
    const evolve_settings *settings;
    t5_config base;
    t5_config tickets[MOST_MODELS];
    int count;
} host;

/* Every field of phoenix.h's t5_config, and where it stands in the library's. */
typedef struct field {
    const char *name;
    bool is_double;
    size_t offset;
} field;

#define INT(name)                               \
    {                                           \
#name, false, offsetof(t5_config, name) \
    }
#define DOUBLE(name)                           \
    {                                          \
#name, true, offsetof(t5_config, name) \
    }
static const field fields[] = {
    INT(vocab_size),
    INT(d_model),
    INT(d_kv),
    INT(d_ff),
    INT(num_layers),
    INT(num_decoder_layers),
    INT(num_heads),
    INT(relative_attention_num_buckets),
    INT(relative_attention_max_distance),
    DOUBLE(dropout_rate),
    DOUBLE(layer_norm_epsilon),
    DOUBLE(initializer_factor),
};
enum { FIELDS = sizeof fields / sizeof *fields };

static bool call_t5_small(void *user, const refine_value *arguments, int count,
                          refine_value *result, refine_failure *failure, char reason[200])
{
    (void)arguments, (void)count, (void)failure, (void)reason;
    const t5_config *base = &((host *)user)->base;
    for (int i = 0; i < FIELDS; i++) {
        const char *at = (const char *)base + fields[i].offset;
        refine_value *value = refine_field(result, fields[i].name);
        if (fields[i].is_double)
            value->as.d = *(const double *)(const void *)at;
        else
            value->as.i = *(const int *)(const void *)at;
    }
    refine_field(result, "feed_forward_proj")->as.i = (int32_t)base->feed_forward_proj;
    refine_field(result, "tie_word_embeddings")->as.i = base->tie_word_embeddings;
    return true;
}

/* False: reason says which value is no part of a model, or too large for this run. */
static bool read_config(const host *h, const refine_value *value, t5_config *config,
                        refine_failure *failure, char reason[200])
{
    *config = h->base; /* with what a source does not see */
    for (int i = 0; i < FIELDS; i++) {
        char *at = (char *)config + fields[i].offset;
        const refine_value *from = refine_field(value, fields[i].name);
        if (fields[i].is_double)
            *(double *)(void *)at = from->as.d;
        else
            *(int *)(void *)at = from->as.i;
    }
    int proj = refine_field(value, "feed_forward_proj")->as.i;
    int tie = refine_field(value, "tie_word_embeddings")->as.i;
    if (proj < 0 || proj >= T5_FEED_FORWARDS || tie < 0 || tie > 1) {
        snprintf(reason, 200,
                 "feed_forward_proj %d, tie_word_embeddings %d: expected "
                 "0 .. %d and 0 or 1",
                 proj, tie, T5_FEED_FORWARDS - 1);
        return false;
    }
    config->feed_forward_proj = (t5_feed_forward)proj;
    config->tie_word_embeddings = tie != 0;
    if (config->vocab_size != h->base.vocab_size) {
        snprintf(reason, 200, "vocab_size %d: the tokenizer has %d", config->vocab_size,
                 h->base.vocab_size);
        return false;
    }
    base_error error;
    if (!t5_config_check(config, &error)) {
        snprintf(reason, 200, "%.180s", error.text);
        return false;
    }
    int64_t parameters = t5_config_parameters(config);
    if (parameters > h->settings->max_parameters) {
        *failure = REFINE_LIMIT;
        snprintf(reason, 200, "%" PRId64 " parameters: at most %" PRId64 " in this run", parameters,
                 h->settings->max_parameters);
        return false;
    }
    return true;
}

static bool call_t5_new(void *user, const refine_value *arguments, int count, refine_value *result,
                        refine_failure *failure, char reason[200])
{
    (void)count;
    host *h = user;
    if (h->count == MOST_MODELS) {
        *failure = REFINE_LIMIT;
        snprintf(reason, 200, "more than %d models", MOST_MODELS);
        return false;
    }
    t5_config *ticket = &h->tickets[h->count];
    if (!read_config(h, &arguments[0], ticket, failure, reason))
        return false;
    h->count++;
    result->as.handle = ticket;
    return true;
}

static const refine_host_function functions[] = {
    {"t5_small", call_t5_small},
    {"t5_new", call_t5_new},
};

static refine_failure fail(refine_diagnostic *diagnostic, refine_failure failure, const char *file,
                           const char *why)
{
    memset(diagnostic, 0, sizeof *diagnostic);
    diagnostic->failure = failure;
    snprintf(diagnostic->text, sizeof diagnostic->text, "%s: %s", file, why);
    return failure;
}

static refine_failure run(const char *file, refine_program *program,
                          const evolve_settings *settings, int vocab_size, t5_config *config,
                          refine_diagnostic *diagnostic)
{
    if (!refine_defines(program, "t5 *model(void)"))
        return fail(diagnostic, REFINE_CHECK, file, "expected a definition of t5 *model(void)");
    host h = {.settings = settings, .base = evolve_base_config(settings, vocab_size)};
    const refine_host bound = {functions, sizeof functions / sizeof *functions, &h};
    refine_limits limits = refine_default_limits();
    refine_value result;
    refine_failure failure =
        settings->native
            ? refine_call(settings->native->talk, 0, program, "model", NULL, 0, &bound, &limits,
                          &result, diagnostic)
            : refine_run(program, "model", NULL, 0, &bound, &limits, &result, diagnostic);
    if (failure != REFINE_OK)
        return failure;
    if (!result.as.handle)
        return fail(diagnostic, REFINE_RUN, file, "model() returned no model");
    *config = *(const t5_config *)result.as.handle;
    return REFINE_OK;
}

refine_failure evolve_run_model(const char *file, const char *text, size_t length,
                                const evolve_settings *settings, int vocab_size, t5_config *config,
                                base_text *normal, refine_diagnostic *diagnostic)
{
    refine_program *program = refine_parse(file, text, length, evolve_interface(), diagnostic);
    if (!program)
        return diagnostic->failure;
    if (normal)
        refine_normalise(program, normal);
    refine_failure failure = run(file, program, settings, vocab_size, config, diagnostic);
    refine_program_free(program);
    return failure;
}

void evolve_default_source(base_text *text)
{
    const refine_design design = {.value = {[REFINE_EDIT_NUM_LAYERS] = 2,
                                            [REFINE_EDIT_NUM_DECODER_LAYERS] = 2,
                                            [REFINE_EDIT_NUM_HEADS] = 8,
                                            [REFINE_EDIT_D_FF] = 1024}};
    refine_print(&design, text);
}
