/* SPDX-License-Identifier: MIT */
/* host.c -- models as a source asks for them, handles, and who calls whom.
 *
 * A source never holds a pointer. What it gets is the number of an object that the host keeps, and
 * whatever it does to the number, the host looks the object up and asks whether it is of the right
 * kind; so a source that runs in a process of its own is served by the same functions. */
#include "evolve/source/host.h"
#include "base/list.h"
#include "base/memory.h"
#include "base/number.h"
#include "evolve/source/host_state.h"
#include "evolve/task.h"
#include "evolve/config.h"
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const char *const source_phoenix_h[]; /* the lines of phoenix.h, made by the Makefile */

language_interface *source_interface_new(void)
{
    language_interface *interface = NULL;
    base_text text = {0};
    for (int i = 0; source_phoenix_h[i]; i++)
        base_text_add(&text, source_phoenix_h[i], strlen(source_phoenix_h[i]));
    language_diagnostic diagnostic;
    if (!text.failed)
        interface = language_interface_new("phoenix.h", text.data, text.length, &diagnostic);
    base_text_free(&text);
    return interface;
}

language_failure source_fail(language_diagnostic *diagnostic, language_failure failure,
                             const char *file, const char *why)
{
    memset(diagnostic, 0, sizeof *diagnostic);
    diagnostic->failure = failure;
    base_print(diagnostic->text, sizeof diagnostic->text, "%.80s: %.170s", file, why);
    return failure;
}

language_program *source_parse(const char *file, const char *text, size_t length,
                               language_diagnostic *diagnostic)
{
    language_interface *interface = source_interface_new();
    if (!interface) {
        source_fail(diagnostic, LANGUAGE_LIMIT, file, "no memory");
        return NULL;
    }
    language_program *program = language_parse(file, text, length, interface, diagnostic);
    if (program)
        language_program_keep(program, interface);
    else
        language_interface_free(interface);
    return program;
}

/* ---- calls ---- */

static void free_object(const source_object *object)
{
    if (object->kind == SOURCE_OPTIMIZER)
        nn_optimizer_free(object->own);
    else if (object->kind == SOURCE_DATASET || object->kind == SOURCE_BATCH)
        base_free(((source_dataset *)object->own)->index);
    if (object->kind != SOURCE_OPTIMIZER)
        base_free(object->own);
}

bool source_refuse(source_call *call, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    base_print_list(call->reason, 200, format, arguments);
    va_end(arguments);
    return false;
}

bool source_refuse_limit(source_call *call, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    base_print_list(call->reason, 200, format, arguments);
    va_end(arguments);
    *call->failure = LANGUAGE_LIMIT;
    return false;
}

bool source_end_training(source_host *h, source_call *call, const char *why)
{
    h->over = true;
    return source_refuse_limit(call, "%s", why);
}

/* 0, which no object has, for what is no number of this size. */
int source_handle_number(const language_value *value)
{
    uintptr_t number = (uintptr_t)value->as.handle;
    return number <= INT_MAX ? (int)number : 0;
}

/* Objects stay to the end of the host: a source may keep a handle for as long as it runs. */
bool source_host_add(source_host *h, source_call *call, source_kind kind, void *own)
{
    source_object *objects = base_list_grow(h->objects, (size_t)h->count, 1, sizeof *objects);
    if (!objects) {
        source_object lost = {kind, own};
        free_object(&lost);
        return source_refuse_limit(call, "no memory for %d objects", h->count + 1);
    }
    h->objects = objects;
    h->objects[h->count++] = (source_object){kind, own};
    call->result->as.handle = (void *)(uintptr_t)h->count;
    return true;
}

void *source_host_find(source_host *h, source_call *call, int i, source_kind kind)
{
    static const char *const kinds[] = {"t5", "dataset", "batch", "optimizer", "network"};
    int number = source_handle_number(&call->arguments[i]);
    if (number >= 1 && number <= h->count && h->objects[number - 1].kind == kind)
        return h->objects[number - 1].own;
    source_refuse(call, "argument %d is no %s", i + 1, kinds[kind]);
    return NULL;
}

bool source_host_take(source_host *h, source_call *call, size_t bytes)
{
    if (h->bytes > h->most_bytes || bytes > h->most_bytes - h->bytes)
        return source_refuse_limit(call, "more than %zu MiB of memory", h->most_bytes >> 20);
    h->bytes += bytes;
    return true;
}

void source_host_give(source_host *h, size_t bytes) { h->bytes -= bytes; }

/* Generous: a hundred passes over the budget's pairs and a million more. */
bool source_host_work(source_host *h, source_call *call, int64_t units)
{
    int64_t most = 1000000 + 100 * source_host_budget(h);
    if (units > most - h->work)
        return source_refuse_limit(call, "more than %" PRId64 " pairs moved about", most);
    h->work += units;
    return true;
}

/* ---- models ---- */

enum { MOST_MODELS = 16 };

/* Every field of phoenix.h's t5_config, and where it stands in the library's. */
typedef struct field {
    const char *name;
    bool is_double;
    size_t offset;
} field;

/* clang-format off */
#define INT(name)    {#name, false, offsetof(t5_config, name)}
#define DOUBLE(name) {#name, true, offsetof(t5_config, name)}
/* clang-format on */
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

/* The run's base configuration, field by field by the names of phoenix.h. */
static bool t5_small(source_host *h, source_call *call)
{
    const t5_config *base = &h->base;
    for (int i = 0; i < FIELDS; i++) {
        const char *at = (const char *)base + fields[i].offset;
        language_value *value = language_field(call->result, fields[i].name);
        if (fields[i].is_double)
            value->as.d = *(const double *)(const void *)at;
        else
            value->as.i = *(const int *)(const void *)at;
    }
    language_field(call->result, "feed_forward_proj")->as.i = (int32_t)base->feed_forward_proj;
    language_field(call->result, "tie_word_embeddings")->as.i = base->tie_word_embeddings;
    return true;
}

/* False: reason says which value is no part of a model, or too large for this run. */
static bool read_config(const source_host *h, source_call *call, t5_config *config)
{
    const language_value *value = &call->arguments[0];
    *config = h->base; /* with what a source does not see */
    for (int i = 0; i < FIELDS; i++) {
        char *at = (char *)config + fields[i].offset;
        const language_value *from = language_field(value, fields[i].name);
        if (fields[i].is_double)
            *(double *)(void *)at = from->as.d;
        else
            *(int *)(void *)at = from->as.i;
    }
    int proj = language_field(value, "feed_forward_proj")->as.i;
    int tie = language_field(value, "tie_word_embeddings")->as.i;
    if (proj < 0 || proj >= T5_FEED_FORWARDS || tie < 0 || tie > 1)
        return source_refuse(call,
                             "feed_forward_proj %d, tie_word_embeddings %d: expected "
                             "0 .. %d and 0 or 1",
                             proj, tie, T5_FEED_FORWARDS - 1);
    config->feed_forward_proj = (t5_feed_forward)proj;
    config->tie_word_embeddings = tie != 0;
    if (config->vocab_size != h->base.vocab_size)
        return source_refuse(call, "vocab_size %d: the tokenizer has %d", config->vocab_size,
                             h->base.vocab_size);
    base_error error;
    if (!t5_config_check(config, &error))
        return source_refuse(call, "%.180s", error.text);
    int64_t parameters = t5_config_parameters(config);
    if (parameters > h->settings->max_parameters)
        return source_refuse_limit(call, "%" PRId64 " parameters: at most %" PRId64 " in this run",
                                   parameters, h->settings->max_parameters);
    return true;
}

/* No model is built yet: a configuration that was checked is all that a handle stands for. */
static bool t5_new(source_host *h, source_call *call)
{
    if (h->models == MOST_MODELS)
        return source_refuse_limit(call, "more than %d models", MOST_MODELS);
    t5_config config;
    if (!read_config(h, call, &config))
        return false;
    t5_config *own = base_malloc(sizeof *own);
    if (!own)
        return source_refuse_limit(call, "no memory for a configuration");
    *own = config;
    h->models++;
    return source_host_add(h, call, SOURCE_MODEL, own);
}

SOURCE_HOST_FUNCTION(t5_small)
SOURCE_HOST_FUNCTION(t5_new)

static const language_host_function model_functions[] = {
    {"t5_small", call_t5_small},
    {"t5_new", call_t5_new},
};
enum { MODEL_FUNCTIONS = sizeof model_functions / sizeof *model_functions };

/* ---- the host ---- */

source_host *source_host_new(const evolve_settings *settings, int vocab_size)
{
    source_host *h = base_calloc(1, sizeof *h);
    const struct {
        const language_host_function *functions;
        int count;
    } parts[] = {{model_functions, MODEL_FUNCTIONS},
                 {source_data_functions, source_data_function_count},
                 {source_train_functions, source_train_function_count},
                 {source_network_functions, source_network_function_count},
                 {source_recipe_functions, source_recipe_function_count}};
    enum { PARTS = sizeof parts / sizeof *parts };
    int count = 0;
    for (int i = 0; i < PARTS; i++)
        count += parts[i].count;
    language_host_function *functions = base_malloc((size_t)count * sizeof *functions);
    if (!h || !functions) {
        base_free(h);
        base_free(functions);
        return NULL;
    }
    language_host_function *next = functions;
    for (int i = 0; i < PARTS; i++) {
        memcpy(next, parts[i].functions, (size_t)parts[i].count * sizeof *next);
        next += parts[i].count;
    }
    h->functions = functions;
    h->function_count = count;
    h->settings = settings;
    h->base = evolve_base_config(settings, vocab_size);
    h->plan = source_plan_of_score(settings);
    h->most_bytes = evolve_memory_bytes(settings);
    return h;
}

void source_host_free(source_host *h)
{
    if (!h)
        return;
    source_host_free_training(h);
    for (int i = 0; i < h->count; i++)
        free_object(&h->objects[i]);
    base_free(h->objects);
    base_free(h->functions);
    base_free(h);
}

language_host source_host_bound(source_host *h)
{
    return (language_host){h->functions, h->function_count, h};
}

/* ---- who calls whom ---- */

static source_presence interpreter_defines(void *user, const char *function,
                                           const char *declaration)
{
    if (language_defines(user, declaration))
        return SOURCE_PRESENT;
    return language_has_function(user, function) ? SOURCE_OTHER_TYPE : SOURCE_ABSENT;
}

static language_failure interpreter_call(void *user, const language_invocation *call,
                                         language_value *result, language_diagnostic *diagnostic)
{
    return language_run(user, call, result, diagnostic);
}

source_executor source_interpreter(language_program *program)
{
    return (source_executor){program, interpreter_defines, interpreter_call};
}

/* Whether the source defines what it must, and each function as phoenix.h has it. */
static language_failure check_functions(const source_executor *source, const char *file,
                                        language_diagnostic *diagnostic)
{
    if (source->defines(source->user, "model", "t5 *model(void)") != SOURCE_PRESENT)
        return source_fail(diagnostic, LANGUAGE_CHECK, file,
                           "expected a definition of t5 *model(void)");
    if (source_has_train(source) == SOURCE_OTHER_TYPE)
        return source_fail(diagnostic, LANGUAGE_CHECK, file,
                           "train: expected void train(t5 *model, dataset *data)");
    if (source_has_data(source) == SOURCE_OTHER_TYPE)
        return source_fail(diagnostic, LANGUAGE_CHECK, file, "data: expected dataset *data(void)");
    return LANGUAGE_OK;
}

/* Calls model(). *own: what it returned, an object of that kind; *number: its handle's. */
static language_failure call_model(source_host *h, const source_executor *source, const char *file,
                                   source_kind kind, const void **own, int *number,
                                   language_diagnostic *diagnostic)
{
    language_host bound = source_host_bound(h);
    language_value result;
    language_failure failure =
        source->call(source->user, &(language_invocation){.function = "model", .host = &bound},
                     &result, diagnostic);
    if (failure != LANGUAGE_OK)
        return failure;
    source_call call = {.arguments = &result, .reason = (char[200]){0}};
    *own = source_host_find(h, &call, 0, kind);
    *number = source_handle_number(&result);
    if (*own)
        return LANGUAGE_OK;
    return source_fail(diagnostic, LANGUAGE_RUN, file,
                       kind == SOURCE_MODEL ? "model() returned no model"
                                            : "model() returned no network");
}

language_failure source_host_model(source_host *h, const source_executor *source, const char *file,
                                   t5_config *config, language_diagnostic *diagnostic)
{
    const void *own;
    int number;
    language_failure failure = check_functions(source, file, diagnostic);
    if (failure == LANGUAGE_OK)
        failure = call_model(h, source, file, SOURCE_MODEL, &own, &number, diagnostic);
    if (failure != LANGUAGE_OK)
        return failure;
    h->trained = number;
    *config = *(const t5_config *)own;
    return LANGUAGE_OK;
}

language_failure source_host_network(source_host *h, const source_executor *source,
                                     const char *file, const vision_set *images,
                                     vision_architecture *net, vision_plan *plan,
                                     language_diagnostic *diagnostic)
{
    static const char declaration[] = "network *model(void)";
    const void *own;
    int number;
    h->images = images;
    if (source->defines(source->user, "model", declaration) != SOURCE_PRESENT)
        return source_fail(diagnostic, LANGUAGE_CHECK, file,
                           "expected a definition of network *model(void)");
    language_failure failure =
        call_model(h, source, file, SOURCE_NETWORK, &own, &number, diagnostic);
    if (failure != LANGUAGE_OK)
        return failure;
    vision_shape shapes[VISION_MAX_LAYERS];
    base_error error;
    if (!vision_shapes(own, evolve_task_shape(images), images->train.classes, shapes, &error))
        return source_fail(diagnostic, LANGUAGE_RUN, file, error.text);
    *net = *(const vision_architecture *)own;
    return source_host_recipe(h, source, file, plan, diagnostic);
}

language_failure source_run_model(const char *file, const char *text, size_t length,
                                  const evolve_settings *settings, int vocab_size,
                                  t5_config *config, base_text *normal,
                                  language_diagnostic *diagnostic)
{
    language_program *program = source_parse(file, text, length, diagnostic);
    if (!program)
        return diagnostic->failure;
    if (normal)
        language_normalise(program, normal);
    source_host *h = source_host_new(settings, vocab_size);
    source_executor source = source_interpreter(program);
    language_failure failure = h ? source_host_model(h, &source, file, config, diagnostic)
                                 : source_fail(diagnostic, LANGUAGE_LIMIT, file, "no memory");
    source_host_free(h);
    language_program_free(program);
    return failure;
}
