/* host.c -- models as a source asks for them, handles, and who calls whom. */
#include "evolve/host.h"
#include "evolve/host_state.h"
#include "evolve/task.h"
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
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

/* ---- calls ---- */

static void free_object(const evolve_object *object)
{
    if (object->kind == EVOLVE_OPTIMIZER)
        nn_optimizer_free(object->own);
    else if (object->kind == EVOLVE_DATASET || object->kind == EVOLVE_BATCH)
        free(((evolve_dataset *)object->own)->index);
    if (object->kind != EVOLVE_OPTIMIZER)
        free(object->own);
}

bool evolve_refuse(evolve_call *call, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(call->reason, 200, format, arguments);
    va_end(arguments);
    return false;
}

bool evolve_refuse_limit(evolve_call *call, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(call->reason, 200, format, arguments);
    va_end(arguments);
    *call->failure = REFINE_LIMIT;
    return false;
}

bool evolve_end_training(evolve_host *h, evolve_call *call, const char *why)
{
    h->over = true;
    return evolve_refuse_limit(call, "%s", why);
}

int evolve_handle_number(const refine_value *value)
{
    uintptr_t number = (uintptr_t)value->as.handle;
    return number <= INT_MAX ? (int)number : 0;
}

bool evolve_host_add(evolve_host *h, evolve_call *call, evolve_kind kind, void *own)
{
    if (h->count == h->capacity) {
        int capacity = h->capacity ? 2 * h->capacity : 64;
        evolve_object *objects = realloc(h->objects, (size_t)capacity * sizeof *objects);
        if (!objects) {
            evolve_object lost = {kind, own};
            free_object(&lost);
            return evolve_refuse_limit(call, "no memory for %d objects", capacity);
        }
        h->objects = objects;
        h->capacity = capacity;
    }
    h->objects[h->count++] = (evolve_object){kind, own};
    call->result->as.handle = (void *)(uintptr_t)h->count;
    return true;
}

void *evolve_host_find(evolve_host *h, evolve_call *call, int i, evolve_kind kind)
{
    static const char *const kinds[] = {"t5", "dataset", "batch", "optimizer", "network"};
    int number = evolve_handle_number(&call->arguments[i]);
    if (number >= 1 && number <= h->count && h->objects[number - 1].kind == kind)
        return h->objects[number - 1].own;
    evolve_refuse(call, "argument %d is no %s", i + 1, kinds[kind]);
    return NULL;
}

bool evolve_host_take(evolve_host *h, evolve_call *call, size_t bytes)
{
    size_t most = (size_t)h->settings->memory << 20;
    if (h->bytes > most || bytes > most - h->bytes)
        return evolve_refuse_limit(call, "more than %" PRId64 " MiB of memory",
                                   h->settings->memory);
    h->bytes += bytes;
    return true;
}

void evolve_host_give(evolve_host *h, size_t bytes)
{
    h->bytes -= bytes;
}

/* Generous: a hundred passes over the budget's pairs and a million more. */
bool evolve_host_work(evolve_host *h, evolve_call *call, int64_t units)
{
    int64_t most = 1000000 + 100 * h->plan.count * h->plan.epochs;
    if (units > most - h->work)
        return evolve_refuse_limit(call, "more than %" PRId64 " pairs moved about", most);
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

static bool t5_small(evolve_host *h, evolve_call *call)
{
    const t5_config *base = &h->base;
    for (int i = 0; i < FIELDS; i++) {
        const char *at = (const char *)base + fields[i].offset;
        refine_value *value = refine_field(call->result, fields[i].name);
        if (fields[i].is_double)
            value->as.d = *(const double *)(const void *)at;
        else
            value->as.i = *(const int *)(const void *)at;
    }
    refine_field(call->result, "feed_forward_proj")->as.i = (int32_t)base->feed_forward_proj;
    refine_field(call->result, "tie_word_embeddings")->as.i = base->tie_word_embeddings;
    return true;
}

/* False: reason says which value is no part of a model, or too large for this run. */
static bool read_config(const evolve_host *h, evolve_call *call, t5_config *config)
{
    const refine_value *value = &call->arguments[0];
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
    if (proj < 0 || proj >= T5_FEED_FORWARDS || tie < 0 || tie > 1)
        return evolve_refuse(call,
                             "feed_forward_proj %d, tie_word_embeddings %d: expected "
                             "0 .. %d and 0 or 1",
                             proj, tie, T5_FEED_FORWARDS - 1);
    config->feed_forward_proj = (t5_feed_forward)proj;
    config->tie_word_embeddings = tie != 0;
    if (config->vocab_size != h->base.vocab_size)
        return evolve_refuse(call, "vocab_size %d: the tokenizer has %d", config->vocab_size,
                             h->base.vocab_size);
    base_error error;
    if (!t5_config_check(config, &error))
        return evolve_refuse(call, "%.180s", error.text);
    int64_t parameters = t5_config_parameters(config);
    if (parameters > h->settings->max_parameters)
        return evolve_refuse_limit(call, "%" PRId64 " parameters: at most %" PRId64 " in this run",
                                   parameters, h->settings->max_parameters);
    return true;
}

static bool t5_new(evolve_host *h, evolve_call *call)
{
    if (h->models == MOST_MODELS)
        return evolve_refuse_limit(call, "more than %d models", MOST_MODELS);
    t5_config config;
    if (!read_config(h, call, &config))
        return false;
    t5_config *own = malloc(sizeof *own);
    if (!own)
        return evolve_refuse_limit(call, "no memory for a configuration");
    *own = config;
    h->models++;
    return evolve_host_add(h, call, EVOLVE_MODEL, own);
}

EVOLVE_HOST_FUNCTION(t5_small)
EVOLVE_HOST_FUNCTION(t5_new)

static const refine_host_function model_functions[] = {
    {"t5_small", call_t5_small},
    {"t5_new", call_t5_new},
};
enum { MODEL_FUNCTIONS = sizeof model_functions / sizeof *model_functions };

/* ---- the host ---- */

evolve_host *evolve_host_new(const evolve_settings *settings, int vocab_size)
{
    evolve_host *h = calloc(1, sizeof *h);
    const struct {
        const refine_host_function *functions;
        int count;
    } parts[] = {{model_functions, MODEL_FUNCTIONS},
                 {evolve_data_functions, evolve_data_function_count},
                 {evolve_train_functions, evolve_train_function_count},
                 {evolve_network_functions, evolve_network_function_count}};
    enum { PARTS = sizeof parts / sizeof *parts };
    int count = 0;
    for (int i = 0; i < PARTS; i++)
        count += parts[i].count;
    refine_host_function *functions = malloc((size_t)count * sizeof *functions);
    if (!h || !functions) {
        free(h);
        free(functions);
        return NULL;
    }
    refine_host_function *next = functions;
    for (int i = 0; i < PARTS; i++) {
        memcpy(next, parts[i].functions, (size_t)parts[i].count * sizeof *next);
        next += parts[i].count;
    }
    h->functions = functions;
    h->function_count = count;
    h->settings = settings;
    h->base = evolve_base_config(settings, vocab_size);
    h->plan = (evolve_plan){
        .first = (uint64_t)settings->first_pair, .count = settings->few_shot, .epochs = 1};
    return h;
}

void evolve_host_free(evolve_host *h)
{
    if (!h)
        return;
    evolve_host_free_training(h);
    for (int i = 0; i < h->count; i++)
        free_object(&h->objects[i]);
    free(h->objects);
    free(h->functions);
    free(h);
}

refine_host evolve_host_bound(evolve_host *h)
{
    return (refine_host){h->functions, h->function_count, h};
}

/* ---- who calls whom ---- */

static evolve_presence interpreter_defines(void *user, const char *function,
                                           const char *declaration)
{
    if (refine_defines(user, declaration))
        return EVOLVE_PRESENT;
    return refine_has_function(user, function) ? EVOLVE_OTHER_TYPE : EVOLVE_ABSENT;
}

static refine_failure interpreter_call(void *user, const char *function,
                                       const refine_value *arguments, int count,
                                       const refine_host *host, const refine_limits *limits,
                                       refine_value *result, refine_diagnostic *diagnostic)
{
    return refine_run(user, function, arguments, count, host, limits, result, diagnostic);
}

evolve_executor evolve_interpreter(refine_program *program)
{
    return (evolve_executor){program, interpreter_defines, interpreter_call};
}

static refine_failure fail(refine_diagnostic *diagnostic, refine_failure failure, const char *file,
                           const char *why)
{
    memset(diagnostic, 0, sizeof *diagnostic);
    diagnostic->failure = failure;
    snprintf(diagnostic->text, sizeof diagnostic->text, "%.80s: %.170s", file, why);
    return failure;
}

static const char model_declaration[] = "t5 *model(void)";
static const char train_declaration[] = "void train(t5 *model, dataset *data)";
static const char data_declaration[] = "dataset *data(void)";

static refine_failure look(const evolve_executor *source, const char *file, bool *trains,
                           refine_diagnostic *diagnostic)
{
    evolve_presence train = source->defines(source->user, "train", train_declaration);
    evolve_presence data = source->defines(source->user, "data", data_declaration);
    *trains = train == EVOLVE_PRESENT || data == EVOLVE_PRESENT;
    if (source->defines(source->user, "model", model_declaration) != EVOLVE_PRESENT)
        return fail(diagnostic, REFINE_CHECK, file, "expected a definition of t5 *model(void)");
    if (train == EVOLVE_OTHER_TYPE)
        return fail(diagnostic, REFINE_CHECK, file,
                    "train: expected void train(t5 *model, dataset *data)");
    if (data == EVOLVE_OTHER_TYPE)
        return fail(diagnostic, REFINE_CHECK, file, "data: expected dataset *data(void)");
    return REFINE_OK;
}

/* Calls model(). *own: what it returned, an object of that kind; *number: its handle's. */
static refine_failure call_model(evolve_host *h, const evolve_executor *source, const char *file,
                                 evolve_kind kind, const void **own, int *number,
                                 refine_diagnostic *diagnostic)
{
    refine_host bound = evolve_host_bound(h);
    refine_limits limits = refine_default_limits();
    refine_value result;
    refine_failure failure =
        source->call(source->user, "model", NULL, 0, &bound, &limits, &result, diagnostic);
    if (failure != REFINE_OK)
        return failure;
    evolve_call call = {.arguments = &result, .reason = (char[200]){0}};
    *own = evolve_host_find(h, &call, 0, kind);
    *number = evolve_handle_number(&result);
    if (*own)
        return REFINE_OK;
    return fail(diagnostic, REFINE_RUN, file,
                kind == EVOLVE_MODEL ? "model() returned no model" : "model() returned no network");
}

refine_failure evolve_host_model(evolve_host *h, const evolve_executor *source, const char *file,
                                 t5_config *config, bool *trains, refine_diagnostic *diagnostic)
{
    const void *own;
    int number;
    refine_failure failure = look(source, file, trains, diagnostic);
    if (failure == REFINE_OK)
        failure = call_model(h, source, file, EVOLVE_MODEL, &own, &number, diagnostic);
    if (failure != REFINE_OK)
        return failure;
    h->trained = number;
    *config = *(const t5_config *)own;
    return REFINE_OK;
}

refine_failure evolve_host_network(evolve_host *h, const evolve_executor *source, const char *file,
                                   vision_architecture *net, refine_diagnostic *diagnostic)
{
    static const char declaration[] = "network *model(void)";
    const void *own;
    int number;
    if (source->defines(source->user, "model", declaration) != EVOLVE_PRESENT)
        return fail(diagnostic, REFINE_CHECK, file,
                    "expected a definition of network *model(void)");
    refine_failure failure = call_model(h, source, file, EVOLVE_NETWORK, &own, &number, diagnostic);
    if (failure != REFINE_OK)
        return failure;
    vision_shape shapes[VISION_MAX_LAYERS];
    base_error error;
    if (!vision_shapes(own, evolve_task_shape(h->settings), h->settings->set->train.classes, shapes,
                       &error))
        return fail(diagnostic, REFINE_RUN, file, error.text);
    *net = *(const vision_architecture *)own;
    return REFINE_OK;
}

/* Calls a function of the training. Asking for more than there is ends it, and is no error. */
static refine_failure call_of(evolve_host *h, const evolve_executor *executor, const char *function,
                              const refine_value *arguments, int count, refine_value *result,
                              refine_diagnostic *diagnostic)
{
    refine_host bound = evolve_host_bound(h);
    refine_limits limits = refine_default_limits();
    limits.steps += 1000 * h->plan.count * h->plan.epochs;
    refine_failure failure = executor->call(executor->user, function, arguments, count, &bound,
                                            &limits, result, diagnostic);
    return h->over ? REFINE_OK : failure;
}

static refine_failure train(evolve_host *h, const evolve_executor *of_data,
                            const evolve_executor *of_train, const char *file,
                            refine_diagnostic *diagnostic)
{
    refine_value arguments[2] = {
        {.kind = REFINE_HANDLE, .as.handle = (void *)(uintptr_t)h->trained}};
    refine_failure failure = call_of(h, of_data, "data", NULL, 0, &arguments[1], diagnostic);
    if (failure != REFINE_OK || h->over)
        return failure;
    evolve_call call = {.arguments = arguments, .reason = (char[200]){0}};
    if (!evolve_host_find(h, &call, 1, EVOLVE_DATASET))
        return fail(diagnostic, REFINE_RUN, file, "data() returned no dataset");
    return call_of(h, of_train, "train", arguments, 2, NULL, diagnostic);
}

/* The program whose functions stand in for those that a source leaves out. */
static refine_program *default_program(const evolve_settings *settings,
                                       refine_diagnostic *diagnostic)
{
    base_text text = {0};
    evolve_default_source(&text);
    evolve_default_data(&text);
    evolve_default_training(settings, &text);
    refine_program *program = NULL;
    if (text.failed)
        fail(diagnostic, REFINE_LIMIT, "default.c", "no memory");
    else
        program = refine_parse("default.c", text.data, text.length, evolve_interface(), diagnostic);
    base_text_free(&text);
    return program;
}

refine_failure evolve_host_train(evolve_host *h, const evolve_executor *source, const char *file,
                                 t5_model *model, evolve_pairs *pairs, const evolve_plan *plan,
                                 evolve_sum *score, refine_diagnostic *diagnostic)
{
    base_error error;
    char reason[256];
    if (!evolve_host_begin(h, model, pairs, plan, score != NULL, &error))
        return fail(diagnostic, REFINE_LIMIT, file, error.text);
    refine_program *program = default_program(h->settings, diagnostic);
    if (!program)
        return diagnostic->failure;
    evolve_executor other = evolve_interpreter(program);
    bool own_data = source->defines(source->user, "data", data_declaration) == EVOLVE_PRESENT;
    bool own_train = source->defines(source->user, "train", train_declaration) == EVOLVE_PRESENT;
    refine_failure failure =
        train(h, own_data ? source : &other, own_train ? source : &other, file, diagnostic);
    refine_program_free(program);
    if (failure != REFINE_OK || !score)
        return failure;
    failure = evolve_host_end(h, score, reason);
    return failure == REFINE_OK ? failure : fail(diagnostic, failure, file, reason);
}

void evolve_host_watch(evolve_host *h, evolve_learnt learnt)
{
    h->learnt = learnt;
}

void evolve_host_pretend(evolve_host *h, double told)
{
    h->told = told;
}

const float *evolve_host_losses(const evolve_host *h)
{
    return h->losses;
}

int64_t evolve_host_steps(const evolve_host *h)
{
    return h->steps;
}

int64_t evolve_host_flops(const evolve_host *h)
{
    return h->flops;
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
    evolve_host *h = evolve_host_new(settings, vocab_size);
    evolve_executor source = evolve_interpreter(program);
    bool trains;
    refine_failure failure = h ? evolve_host_model(h, &source, file, config, &trains, diagnostic)
                               : fail(diagnostic, REFINE_LIMIT, file, "no memory");
    evolve_host_free(h);
    refine_program_free(program);
    return failure;
}
