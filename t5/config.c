/* SPDX-License-Identifier: MIT */
/* config.c -- a T5's configuration: checked, counted, read and written as Hugging Face's
 * config.json.
 *
 * The tables below name every field once; reading, checking and printing walk them. Of the other
 * keys of a file, some must have the value that is built in here (the table `fixed`), and some have
 * no effect on what the model computes (the table `ignored`). Any other key is refused by its name:
 * a file that asks for what is not known here is not obeyed in part. */
#include "t5/config.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_BYTES = 1 << 20, /* of a config.json */
    MOST_LAYERS = 512,    /* blocks of a stack */
    MOST_BUCKETS = 1 << 16,
    MOST = 1 << 24 /* any other size */
};

/* The whole numbers, each with its range, and perhaps another name that transformers takes for it.
 * Limits are far above any T5 and low enough that products of two of them fit in 64 bits. */
static const struct integer_field {
    const char *name;
    size_t offset;
    int low, high;
    const char *alias;
} integers[] = {
    {"vocab_size", offsetof(t5_config, vocab_size), 2, MOST, NULL},
    {"d_model", offsetof(t5_config, d_model), 1, MOST, "hidden_size"},
    {"d_kv", offsetof(t5_config, d_kv), 1, MOST, "head_dim"},
    {"d_ff", offsetof(t5_config, d_ff), 1, MOST, NULL},
    {"num_layers", offsetof(t5_config, num_layers), 1, MOST_LAYERS, "num_hidden_layers"},
    {"num_decoder_layers", offsetof(t5_config, num_decoder_layers), 1, MOST_LAYERS, NULL},
    {"num_heads", offsetof(t5_config, num_heads), 1, MOST, "num_attention_heads"},
    {"relative_attention_num_buckets", offsetof(t5_config, relative_attention_num_buckets), 4,
     MOST_BUCKETS, NULL},
    {"relative_attention_max_distance", offsetof(t5_config, relative_attention_max_distance), 3,
     MOST, NULL},
    {"eos_token_id", offsetof(t5_config, eos_token_id), 1, MOST - 1, NULL},
};

/* The real ones. check_numbers() has their ranges, which are not all of one kind. */
static const struct number_field {
    const char *name;
    size_t offset;
} numbers[] = {
    {"dropout_rate", offsetof(t5_config, dropout_rate)},
    {"layer_norm_epsilon", offsetof(t5_config, layer_norm_epsilon)},
    {"initializer_factor", offsetof(t5_config, initializer_factor)},
};

enum { INTEGERS = sizeof integers / sizeof *integers, NUMBERS = sizeof numbers / sizeof *numbers };

/* feed_forward_proj's values; HF derives activation and gate from them, and saves those as well. */
static const struct {
    const char *name, *activation;
    bool gated;
} feed_forwards[] = {
    [T5_RELU] = {"relu", "relu", false},
    [T5_GELU] = {"gelu", "gelu", false},
    [T5_GATED_GELU] = {"gated-gelu", "gelu_new", true},
};

_Static_assert(sizeof feed_forwards / sizeof *feed_forwards == T5_FEED_FORWARDS,
               "a feed-forward without a name");

/* A field's value, by its offset in the struct. */
static int integer_of(const t5_config *config, const struct integer_field *field)
{
    int value;
    memcpy(&value, (const char *)config + field->offset, sizeof value);
    return value;
}

static double number_of(const t5_config *config, const struct number_field *field)
{
    double value;
    memcpy(&value, (const char *)config + field->offset, sizeof value);
    return value;
}

/* t5-small (Raffel et al. 2020, arXiv:1910.10683, about 60 million parameters), but without dropout. */
t5_config t5_config_small(void)
{
    return (t5_config){
        .vocab_size = 32100,
        .d_model = 512,
        .d_kv = 64,
        .d_ff = 2048,
        .num_layers = 6,
        .num_decoder_layers = 6,
        .num_heads = 8,
        .relative_attention_num_buckets = 32,
        .relative_attention_max_distance = 128,
        .feed_forward_proj = T5_RELU,
        .tie_word_embeddings = true,
        .dropout_rate = 0,
        .layer_norm_epsilon = 1e-6,
        .initializer_factor = 1,
        .eos_token_id = 1,
    };
}

/* The values that transformers' T5Config() has for keys that are missing. */
static t5_config hugging_face_defaults(void)
{
    t5_config config = t5_config_small();
    config.vocab_size = 32128;
    config.dropout_rate = 0.1;
    return config;
}

/* ---- Checking ---- */

/* A number is computed with as a float, so it is the float that must be in range: 1e-60 is above 0
 * as a double only. */
static bool check_numbers(const t5_config *config, base_error *error)
{
    if (!(config->dropout_rate >= 0 && (float)config->dropout_rate < 1))
        return base_fail(error, "dropout_rate is %g, expected a float of 0 or more, less than 1",
                         config->dropout_rate);
    if (!((float)config->layer_norm_epsilon > 0 && (float)config->layer_norm_epsilon < 1))
        return base_fail(error,
                         "layer_norm_epsilon is %g, expected a float more than 0 and less than 1",
                         config->layer_norm_epsilon);
    if (!(config->initializer_factor >= 0 && config->initializer_factor <= 1e6))
        return base_fail(error, "initializer_factor is %g, expected 0 .. 1000000",
                         config->initializer_factor);
    return true;
}

/* Each field by itself, then what two fields have to do with each other, then the size of it all. */
bool t5_config_check(const t5_config *config, base_error *error)
{
    for (int i = 0; i < INTEGERS; i++) {
        const struct integer_field *field = &integers[i];
        int value = integer_of(config, field);
        if (value < field->low || value > field->high)
            return base_fail(error, "%s is %d, expected %d .. %d", field->name, value, field->low,
                             field->high);
    }
    if (config->relative_attention_num_buckets % 2 != 0)
        return base_fail(error, "relative_attention_num_buckets is %d, expected an even number",
                         config->relative_attention_num_buckets);
    /* The first half of the decoder's buckets hold one distance each; the rest divide what is
     * larger, of which there must be something (t5_relative_bucket). */
    if (config->relative_attention_max_distance <= config->relative_attention_num_buckets / 2)
        return base_fail(error,
                         "relative_attention_max_distance is %d, expected more than half of the %d "
                         "buckets",
                         config->relative_attention_max_distance,
                         config->relative_attention_num_buckets);
    if (config->eos_token_id >= config->vocab_size)
        return base_fail(error, "eos_token_id is %d, expected less than vocab_size %d",
                         config->eos_token_id, config->vocab_size);
    if ((int64_t)config->num_heads * config->d_kv > MOST)
        return base_fail(error, "num_heads * d_kv is %lld, expected at most %d",
                         (long long)config->num_heads * config->d_kv, MOST);
    if ((unsigned)config->feed_forward_proj >= T5_FEED_FORWARDS)
        return base_fail(error, "feed_forward_proj is number %d, expected 0 .. %d",
                         (int)config->feed_forward_proj, T5_FEED_FORWARDS - 1);
    if ((unsigned)config->scale_decoder_outputs > T5_NOT_SCALED)
        return base_fail(error, "scale_decoder_outputs is number %d, expected 0 .. %d",
                         (int)config->scale_decoder_outputs, T5_NOT_SCALED);
    if (!check_numbers(config, error))
        return false;
    if (t5_config_parameters(config) == INT64_MAX)
        return base_fail(error, "the number of parameters is beyond 64 bits");
    return true;
}

bool t5_config_scales(const t5_config *config)
{
    return config->scale_decoder_outputs == T5_SCALED_IF_TIED
               ? config->tie_word_embeddings
               : config->scale_decoder_outputs == T5_SCALED;
}

/* ---- Counts ----
 *
 * Everything is a sum of products of sizes. A weight takes part in one multiply-add for each token
 * that passes through its matrix, so the weights of a layer are also its multiply-adds per token.
 * Attention has no weights of its own: a query over n keys takes n products of d_kv for the scores,
 * and as many for the weighted sum of the values, in every head. */

/* Sums and products of numbers >= 0. INT64_MAX stands for everything that is larger. */
static int64_t plus(int64_t a, int64_t b) { return a > INT64_MAX - b ? INT64_MAX : a + b; }

static int64_t times(int64_t a, int64_t b)
{
    return b != 0 && a > INT64_MAX / b ? INT64_MAX : a * b;
}

/* Weights, and multiply-adds per token, of one of q, k, v, o, and of a feed-forward layer. */
static int64_t projection(const t5_config *config)
{
    return times(config->d_model, times(config->num_heads, config->d_kv));
}

static int64_t feed_forward(const t5_config *config)
{
    int matrices = config->feed_forward_proj == T5_GATED_GELU ? 3 : 2;
    return times(matrices, times(config->d_model, config->d_ff));
}

/* A block of the encoder has one attention and a feed-forward layer, of the decoder two attentions
 * and one; each sublayer has a norm. A stack has a table of position biases and a final norm. */
int64_t t5_config_parameters(const t5_config *config)
{
    int64_t norm = config->d_model;
    int64_t attention = plus(times(4, projection(config)), norm);
    int64_t forward = plus(feed_forward(config), norm);
    int64_t table = times(config->relative_attention_num_buckets, config->num_heads);
    int64_t embedding = times(config->vocab_size, config->d_model);

    int64_t encoder = times(config->num_layers, plus(attention, forward));
    int64_t decoder = times(config->num_decoder_layers, plus(times(2, attention), forward));
    int64_t stacks = plus(plus(encoder, decoder), times(2, plus(table, norm)));
    return plus(stacks, config->tie_word_embeddings ? embedding : times(2, embedding));
}

/* Multiply-adds of a forward pass over a pair of S and T tokens, in two parts. Once for a source:
 * the encoder, and the decoder's keys and values of its output. */
static int64_t source_products(const t5_config *config, int64_t S)
{
    int64_t linear = projection(config);
    int64_t both = times(2, times(config->num_heads, config->d_kv));
    int64_t layer = times(S, plus(times(4, linear), feed_forward(config)));
    layer = plus(layer, times(both, times(S, S)));
    int64_t keys_and_values = times(S, times(2, linear));
    return plus(times(config->num_layers, layer),
                times(config->num_decoder_layers, keys_and_values));
}

/* Once for each target: the decoder. k and v of cross-attention are counted with the source, so
 * that six of the eight projections are left. The head takes V products of D for each token. */
static int64_t target_products(const t5_config *config, int64_t S, int64_t T)
{
    int64_t linear = projection(config);
    int64_t both = times(2, times(config->num_heads, config->d_kv));
    int64_t layer = times(T, plus(times(6, linear), feed_forward(config)));
    layer = plus(layer, times(both, times(T, T + 1) / 2)); /* position t sees t + 1 keys */
    layer = plus(layer, times(both, times(S, T)));
    return plus(times(config->num_decoder_layers, layer),
                times(T, times(config->vocab_size, config->d_model)));
}

/* A product forward is two backward, one for the gradient of each factor: 3 in all, of 2 operations
 * each. */
int64_t t5_config_step_flops(const t5_config *config, const int *source_length,
                             const int *target_length, int count)
{
    int64_t products = 0;
    for (int i = 0; i < count; i++)
        products =
            plus(products, plus(source_products(config, source_length[i]),
                                target_products(config, source_length[i], target_length[i])));
    return times(products, 2 * 3);
}

int64_t t5_config_generation_flops(const t5_config *config, int source_length,
                                   const int *target_length, int count)
{
    int64_t products = source_products(config, source_length);
    for (int i = 0; i < count; i++)
        products = plus(products, target_products(config, source_length, target_length[i]));
    return times(products, 2);
}

/* ---- config.json: reading ---- */

/* Keys whose value is built in here. A key that is missing or null has it. */
static const struct {
    const char *name;
    enum { IS_FALSE, IS_TRUE, IS_ZERO, IS_T5, IS_EMPTY } expected;
} fixed[] = {
    {"model_type", IS_T5},
    {"is_encoder_decoder", IS_TRUE},
    {"is_decoder", IS_FALSE},
    {"tie_encoder_decoder", IS_FALSE},
    {"add_cross_attention", IS_FALSE},
    {"pad_token_id", IS_ZERO},           /* T5_PAD: what -100 becomes */
    {"decoder_start_token_id", IS_ZERO}, /* likewise: what labels are shifted behind */
    {"pruned_heads", IS_EMPTY},
    {"quantization_config", IS_EMPTY},
};

/* Keys without effect on what the model computes: what transformers notes about a file, what its
 * generate() takes where its caller says nothing (here the caller always does), names of classes,
 * what is returned beside the result. A key that begins with an underscore is such a note, too. */
static const char *const ignored[] = {
    "architectures",
    "attn_implementation",
    "begin_suppress_tokens",
    "bad_words_ids",
    "bos_token_id",
    "chunk_size_feed_forward",
    "classifier_dropout",
    "cls_token_id",
    "diversity_penalty",
    "do_sample",
    "dtype",
    "early_stopping",
    "encoder_no_repeat_ngram_size",
    "exponential_decay_length_penalty",
    "finetuning_task",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "gradient_checkpointing",
    "id2label",
    "is_composition",
    "label2id",
    "length_penalty",
    "mask_token_id",
    "max_length",
    "max_new_tokens",
    "min_length",
    "model_max_length",
    "n_positions",
    "no_repeat_ngram_size",
    "num_beam_groups",
    "num_beams",
    "num_labels",
    "num_return_sequences",
    "output_attentions",
    "output_hidden_states",
    "output_past",
    "output_scores",
    "prefix",
    "problem_type",
    "remove_invalid_values",
    "repetition_penalty",
    "return_dict",
    "return_dict_in_generate",
    "sep_token_id",
    "suppress_tokens",
    "task_specific_params",
    "temperature",
    "tf_legacy_loss",
    "tokenizer_class",
    "top_k",
    "top_p",
    "torch_dtype",
    "torchscript",
    "transformers_version",
    "typical_p",
    "unk_token_id",
    "use_bfloat16",
    "use_cache",
};

static const char *const expectations[] = {
    [IS_FALSE] = "false", [IS_TRUE] = "true",     [IS_ZERO] = "0",
    [IS_T5] = "\"t5\"",   [IS_EMPTY] = "nothing",
};

static bool is_as_expected(const base_json *member, int expected)
{
    switch (expected) {
    case IS_FALSE:
        return member->kind == BASE_JSON_FALSE;
    case IS_TRUE:
        return member->kind == BASE_JSON_TRUE;
    case IS_ZERO:
        return member->kind == BASE_JSON_NUMBER && member->number == 0;
    case IS_T5:
        return member->kind == BASE_JSON_STRING && strcmp(member->string, "t5") == 0;
    default:
        return (member->kind == BASE_JSON_ARRAY || member->kind == BASE_JSON_OBJECT) &&
               member->length == 0;
    }
}

/* The member if it is there and not null. */
static const base_json *given(const base_json *json, const char *name)
{
    const base_json *member = base_json_get(json, name);
    return member && member->kind != BASE_JSON_NULL ? member : NULL;
}

static bool check_fixed(const base_json *json, const char *path, base_error *error)
{
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        const base_json *member = given(json, fixed[i].name);
        if (member && !is_as_expected(member, (int)fixed[i].expected))
            return base_fail(error, "%s: \"%s\": only %s is supported", path, fixed[i].name,
                             expectations[fixed[i].expected]);
    }
    return true;
}

/* Whether read_fields looks at a key of this name, or need not. */
static bool is_known(const char *name)
{
    static const char *const others[] = {"feed_forward_proj", "dense_act_fn", "is_gated_act",
                                         "tie_word_embeddings", "scale_decoder_outputs"};
    bool known = *name == '_';
    for (size_t i = 0; i < sizeof others / sizeof *others && !known; i++)
        known = strcmp(name, others[i]) == 0;
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed && !known; i++)
        known = strcmp(name, fixed[i].name) == 0;
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored && !known; i++)
        known = strcmp(name, ignored[i]) == 0;
    for (int i = 0; i < INTEGERS && !known; i++)
        known = strcmp(name, integers[i].name) == 0 ||
                (integers[i].alias && strcmp(name, integers[i].alias) == 0);
    for (int i = 0; i < NUMBERS && !known; i++)
        known = strcmp(name, numbers[i].name) == 0;
    return known;
}

/* A key without a value asks for nothing. */
static bool check_names(const base_json *json, const char *path, base_error *error)
{
    for (const base_json *member = json->child; member; member = member->next)
        if (member->kind != BASE_JSON_NULL && !is_known(member->name))
            return base_fail(error,
                             "%s: \"%.60s\" is no key that is known here, and may change what the "
                             "model computes",
                             path, member->name);
    return true;
}

/* This and the following leave a value as it is where its key is missing or null. False: another
 * type, or out of range. */
static bool read_bool(const base_json *json, const char *name, bool *value, const char *path,
                      base_error *error)
{
    const base_json *member = given(json, name);
    if (!member)
        return true;
    if (member->kind != BASE_JSON_TRUE && member->kind != BASE_JSON_FALSE)
        return base_fail(error, "%s: \"%s\": expected true or false", path, name);
    *value = member->kind == BASE_JSON_TRUE;
    return true;
}

/* Under its own name, its alias, or under both, if they agree. */
static bool read_integer(t5_config *config, const struct integer_field *field,
                         const base_json *json, const char *path, base_error *error)
{
    const char *names[2] = {field->name, field->alias};
    int64_t value[2] = {integer_of(config, field), 0};
    for (int i = 0; i < 2; i++) {
        value[1] = value[0];
        if (names[i] && given(json, names[i]) &&
            !base_json_get_int(json, names[i], field->low, field->high, &value[i], path, error))
            return false;
    }
    if (given(json, names[0]) && value[0] != value[1])
        return base_fail(error, "%s: \"%s\" is %d, but \"%s\", another name for it, is %d", path,
                         names[0], (int)value[0], names[1], (int)value[1]);
    int narrow = (int)value[1];
    memcpy((char *)config + field->offset, &narrow, sizeof narrow);
    return true;
}

/* A file without num_decoder_layers means as many as the encoder has. */
static bool read_integers(t5_config *config, const base_json *json, const char *path,
                          base_error *error)
{
    for (int i = 0; i < INTEGERS; i++)
        if (!read_integer(config, &integers[i], json, path, error))
            return false;
    if (!given(json, "num_decoder_layers"))
        config->num_decoder_layers = config->num_layers;
    return true;
}

/* Ranges are left to t5_config_check(), which all fields pass in the end. */
static bool read_numbers(t5_config *config, const base_json *json, const char *path,
                         base_error *error)
{
    for (int i = 0; i < NUMBERS; i++) {
        double value;
        if (!given(json, numbers[i].name))
            continue;
        if (!base_json_get_number(json, numbers[i].name, &value, path, error))
            return false;
        memcpy((char *)config + numbers[i].offset, &value, sizeof value);
    }
    return true;
}

/* feed_forward_proj, and the two keys that HF derives from it but obeys where a file has them: they
 * must say the same. */
static bool read_feed_forward(t5_config *config, const base_json *json, const char *path,
                              base_error *error)
{
    const char *name = feed_forwards[config->feed_forward_proj].name;
    if (given(json, "feed_forward_proj") &&
        !base_json_get_string(json, "feed_forward_proj", &name, path, error))
        return false;
    int kind = 0;
    while (kind < T5_FEED_FORWARDS && strcmp(name, feed_forwards[kind].name) != 0)
        kind++;
    if (kind == T5_FEED_FORWARDS)
        return base_fail(error,
                         "%s: \"feed_forward_proj\": expected \"relu\", \"gelu\" or "
                         "\"gated-gelu\", found \"%.40s\"",
                         path, name);
    config->feed_forward_proj = (t5_feed_forward)kind;

    const char *activation = feed_forwards[kind].activation;
    bool gated = feed_forwards[kind].gated;
    if (given(json, "dense_act_fn") &&
        !base_json_get_string(json, "dense_act_fn", &activation, path, error))
        return false;
    if (!read_bool(json, "is_gated_act", &gated, path, error))
        return false;
    if (strcmp(activation, feed_forwards[kind].activation) != 0 ||
        gated != feed_forwards[kind].gated)
        return base_fail(error,
                         "%s: \"dense_act_fn\" and \"is_gated_act\" contradict "
                         "\"feed_forward_proj\", which says \"%s\"",
                         path, name);
    return true;
}

/* tie_word_embeddings, which scale_decoder_outputs takes the place of. */
static bool read_head(t5_config *config, const base_json *json, const char *path, base_error *error)
{
    bool scaled = false;
    if (!read_bool(json, "tie_word_embeddings", &config->tie_word_embeddings, path, error) ||
        !read_bool(json, "scale_decoder_outputs", &scaled, path, error))
        return false;
    if (given(json, "scale_decoder_outputs")) {
        config->tie_word_embeddings = true;
        config->scale_decoder_outputs = scaled ? T5_SCALED : T5_NOT_SCALED;
    }
    return true;
}

/* Values are read before names are checked: of a file with both faults, the wrong value is named. */
static bool read_fields(t5_config *config, const base_json *json, const char *path,
                        base_error *error)
{
    if (json->kind != BASE_JSON_OBJECT)
        return base_fail(error, "%s: expected an object", path);
    if (!check_fixed(json, path, error) || !read_integers(config, json, path, error) ||
        !read_numbers(config, json, path, error) || !read_feed_forward(config, json, path, error) ||
        !read_head(config, json, path, error) || !check_names(json, path, error))
        return false;
    base_error why;
    if (!t5_config_check(config, &why))
        return base_fail(error, "%s: %s", path, why.text);
    return true;
}

/* Takes the tree, which may be NULL. *config is written last: a file that is refused leaves it as it was. */
static bool take(t5_config *config, base_json *json, const char *origin, base_error *error)
{
    t5_config read = hugging_face_defaults();
    bool good = json && read_fields(&read, json, origin, error);
    base_json_free(json);
    if (good)
        *config = read;
    return good;
}

bool t5_config_parse(t5_config *config, const char *text, size_t size, const char *origin,
                     base_error *error)
{
    return take(config, base_json_parse(text, size, origin, error), origin, error);
}

bool t5_config_read(t5_config *config, const char *path, base_error *error)
{
    return take(config, base_json_read(path, MOST_BYTES, error), path, error);
}

/* ---- config.json: writing ---- */

static void print_integer(const t5_config *config, const char *name, base_text *json)
{
    for (int i = 0; i < INTEGERS; i++)
        if (strcmp(integers[i].name, name) == 0)
            base_text_print(json, "  \"%s\": %d,\n", name, integer_of(config, &integers[i]));
}

/* As Python writes a float: 1.0 rather than 1. */
static void print_number(const t5_config *config, const char *name, base_text *json)
{
    for (int i = 0; i < NUMBERS; i++) {
        if (strcmp(numbers[i].name, name) != 0)
            continue;
        base_text_print(json, "  \"%s\": ", name);
        size_t start = json->length;
        base_json_put_number(json, number_of(config, &numbers[i]));
        bool is_float = json->data && strpbrk(json->data + start, ".en");
        base_text_print(json, is_float ? ",\n" : ".0,\n");
    }
}

/* The keys in the order in which HF sorts them. tie_word_embeddings is left out where it has its
 * default, as HF does, and so is scale_decoder_outputs where it follows from that. */
void t5_config_print(const t5_config *config, base_text *json)
{
    base_text_print(json, "{\n  \"architectures\": [\n    \"T5ForConditionalGeneration\"\n  ],\n");
    base_text_print(json, "  \"classifier_dropout\": 0.0,\n");
    print_integer(config, "d_ff", json);
    print_integer(config, "d_kv", json);
    print_integer(config, "d_model", json);
    base_text_print(json, "  \"decoder_start_token_id\": 0,\n");
    base_text_print(json, "  \"dense_act_fn\": \"%s\",\n",
                    feed_forwards[config->feed_forward_proj].activation);
    print_number(config, "dropout_rate", json);
    print_integer(config, "eos_token_id", json);
    base_text_print(json, "  \"feed_forward_proj\": \"%s\",\n",
                    feed_forwards[config->feed_forward_proj].name);
    print_number(config, "initializer_factor", json);
    base_text_print(json, "  \"is_encoder_decoder\": true,\n");
    base_text_print(json, "  \"is_gated_act\": %s,\n",
                    feed_forwards[config->feed_forward_proj].gated ? "true" : "false");
    print_number(config, "layer_norm_epsilon", json);
    base_text_print(json, "  \"model_type\": \"t5\",\n");
    print_integer(config, "num_decoder_layers", json);
    print_integer(config, "num_heads", json);
    print_integer(config, "num_layers", json);
    base_text_print(json, "  \"pad_token_id\": 0,\n");
    print_integer(config, "relative_attention_max_distance", json);
    print_integer(config, "relative_attention_num_buckets", json);
    if (t5_config_scales(config) != config->tie_word_embeddings)
        base_text_print(json, "  \"scale_decoder_outputs\": %s,\n",
                        t5_config_scales(config) ? "true" : "false");
    if (!config->tie_word_embeddings)
        base_text_print(json, "  \"tie_word_embeddings\": false,\n");
    base_text_print(json, "  \"torch_dtype\": \"float32\",\n  \"use_cache\": true,\n");
    base_text_print(json, "  \"vocab_size\": %d\n}\n", config->vocab_size);
}
