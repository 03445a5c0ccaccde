/* SPDX-License-Identifier: MIT */
/* folder.c -- a model as a folder: config.json, model.safetensors, tokenizer.json.
 *
 * The layout is Hugging Face's, in both directions. A folder may come from anywhere, so it is
 * checked in the order in which it could do harm: the ranges of the configuration; whether the
 * file has as many numbers as the configuration asks for, so that a small file cannot make a large
 * model; then memory is taken; then every tensor's name and shape; then the copies of tied
 * weights. Weights that stand under other names than here are renamed first; what cannot be read is
 * named for what it is. */
#include "t5/model.h"
#include "t5/t5.h"

#include "base/file.h"
#include "base/memory.h"
#include "nn/safetensors.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char CONFIG[] = "config.json", WEIGHTS[] = "model.safetensors",
                  SHARDS[] = "model.safetensors.index.json", TOKENIZER[] = "tokenizer.json";

/* folder/name, to be freed. NULL: no memory, and error says so. */
static char *path_in(const char *folder, const char *name, base_error *error)
{
    char *path = base_file_path(folder, name);
    if (!path)
        base_fail(error, "%s: no memory for the name of %s", folder, name);
    return path;
}

/* ---- Writing ---- */

static bool write_config(const t5_model *model, const char *folder, char hash[BASE_HASH_TEXT],
                         base_error *error)
{
    base_text json = {0};
    t5_config_print(&model->config, &json);
    bool good = base_file_write_text(folder, CONFIG, json.failed ? NULL : json.data, hash, error);
    base_text_free(&json);
    return good;
}

static bool write_weights(const t5_model *model, const char *folder, char hash[BASE_HASH_TEXT],
                          base_error *error)
{
    char *path = path_in(folder, WEIGHTS, error);
    bool good = path && nn_params_save(model->params, path, hash, error);
    base_free(path);
    return good;
}

/* Without a tokenizer there is no file, and its hash is the empty string. */
static bool write_tokenizer(const t5_tokenizer *tokenizer, const char *folder,
                            char hash[BASE_HASH_TEXT], base_error *error)
{
    if (!tokenizer) {
        hash[0] = '\0';
        return true;
    }
    char *path = path_in(folder, TOKENIZER, error);
    bool good = path && t5_tokenizer_write(tokenizer, path, hash, error);
    base_free(path);
    return good;
}

/* What transformers looks for beside these three, and does worse without: which class the tokenizer is, or it
 * takes T5's own and other ids; how generation begins and ends, or it ends after 20 tokens. */
static bool write_tokenizer_config(const char *folder, base_error *error)
{
    base_text json = {0};
    base_text_print(
        &json,
        "{\n  \"clean_up_tokenization_spaces\": false,\n  \"eos_token\": \"</s>\",\n"
        "  \"model_max_length\": %d,\n  \"pad_token\": \"<pad>\",\n"
        "  \"tokenizer_class\": \"PreTrainedTokenizerFast\",\n  \"unk_token\": \"<unk>\"\n}\n",
        (int)T5_MOST_SOURCE);
    bool good = base_file_write_text(folder, "tokenizer_config.json",
                                     json.failed ? NULL : json.data, NULL, error);
    base_text_free(&json);
    return good;
}

static bool write_generation_config(const t5_config *config, const char *folder, base_error *error)
{
    base_text json = {0};
    base_text_print(&json,
                    "{\n  \"decoder_start_token_id\": 0,\n  \"eos_token_id\": %d,\n"
                    "  \"max_new_tokens\": 512,\n  \"pad_token_id\": 0\n}\n",
                    config->eos_token_id);
    bool good = base_file_write_text(folder, "generation_config.json",
                                     json.failed ? NULL : json.data, NULL, error);
    base_text_free(&json);
    return good;
}

/* The model card, for people and for the hub's index. */
static bool write_card(const t5_config *config, const char *folder, base_error *error)
{
    base_text card = {0};
    base_text_print(
        &card,
        "---\nlibrary_name: transformers\npipeline_tag: text2text-generation\ntags:\n- t5\n"
        "- phoenix\n---\n\n# A T5 made by phoenix\n\n"
        "%" PRId64 " parameters, trained from scratch: %d + %d layers, %d heads of %d, width %d, "
        "feed-forward %d, %d tokens.\n\n",
        t5_config_parameters(config), config->num_layers, config->num_decoder_layers,
        config->num_heads, config->d_kv, config->d_model, config->d_ff, config->vocab_size);
    base_text_print(
        &card, "    from transformers import AutoTokenizer, T5ForConditionalGeneration\n"
               "    tokenizer = AutoTokenizer.from_pretrained(FOLDER)\n"
               "    model = T5ForConditionalGeneration.from_pretrained(FOLDER)\n"
               "    ids = tokenizer(TEXT, return_tensors=\"pt\").input_ids\n"
               "    print(tokenizer.decode(model.generate(ids)[0], skip_special_tokens=True))\n\n"
               "or `phoenix generate FOLDER FILE`. The file `form`, where there is one, says what "
               "TEXT is: with `edit`,\na source with numbered lines, answered by which of them "
               "become what; with `text`, any text like those it was\ntrained on; without it, a "
               "whole source.\n");
    bool good =
        base_file_write_text(folder, "README.md", card.failed ? NULL : card.data, NULL, error);
    base_text_free(&card);
    return good;
}

const char *const t5_folder_companions[] = {"generation_config.json", "README.md",
                                            "tokenizer_config.json", NULL};

/* These only say how the model is to be used: a folder without them loads as well. */
bool t5_folder_write_companions(const t5_config *config, bool tokenizer, const char *folder,
                                base_error *error)
{
    return (!tokenizer || write_tokenizer_config(folder, error)) &&
           write_generation_config(config, folder, error) && write_card(config, folder, error);
}

/* Each file is written whole or not at all, and in this order: a failure leaves those before it. */
bool t5_folder_write(const t5_model *model, const t5_tokenizer *tokenizer, const char *folder,
                     char hashes[3][BASE_HASH_TEXT], base_error *error)
{
    char unwanted[3][BASE_HASH_TEXT];
    if (!hashes)
        hashes = unwanted;
    return base_file_make_folder(folder, error) && write_config(model, folder, hashes[0], error) &&
           write_weights(model, folder, hashes[1], error) &&
           write_tokenizer(tokenizer, folder, hashes[2], error) &&
           t5_folder_write_companions(&model->config, tokenizer != NULL, folder, error);
}

/* ---- Reading ---- */

/* What a folder may hold in place of the file that is wanted, for the message. */
static const struct {
    const char *wanted, *name, *what;
} instead[] = {
    {WEIGHTS, "pytorch_model.bin",
     "PyTorch's pickled weights, which are not read: save them as "
     "safetensors"},
    {WEIGHTS, "pytorch_model.bin.index.json",
     "PyTorch's pickled weights in shards, which are not "
     "read: save them as one safetensors file"},
    {WEIGHTS, "adapter_model.safetensors", "an adapter alone: merge it with its base model"},
    {WEIGHTS, "tf_model.h5", "TensorFlow's weights, which are not read"},
    {WEIGHTS, "flax_model.msgpack", "Flax's weights, which are not read"},
};

/* folder/name, to be freed, if it is there. */
static char *find_in(const char *folder, const char *name, base_error *error)
{
    char *path = path_in(folder, name, error);
    if (!path || base_file_exists(path))
        return path;
    const char *found = NULL, *what = "";
    for (size_t i = 0; i < sizeof instead / sizeof *instead && !found; i++) {
        char *other =
            strcmp(instead[i].wanted, name) == 0 ? base_file_path(folder, instead[i].name) : NULL;
        if (other && base_file_exists(other))
            found = instead[i].name, what = instead[i].what;
        base_free(other);
    }
    if (!found)
        return path; /* whoever opens it says so */
    base_fail(error, "%s: is not there; beside it is %s, %s", path, found, what);
    base_free(path);
    return NULL;
}

/* The weights, or the index of their shards. */
static char *find_weights(const char *folder, base_error *error)
{
    char *whole = path_in(folder, WEIGHTS, error);
    char *index = whole ? path_in(folder, SHARDS, error) : NULL;
    bool shards = index && !base_file_exists(whole) && base_file_exists(index);
    char *found = index ? find_in(folder, shards ? SHARDS : WEIGHTS, error) : NULL;
    base_free(whole);
    base_free(index);
    return found;
}

/* Tensors that a file may have beside the parameters: the tied embedding under other names, and one
 * that the first published T5 models have and HF ignores. */
static const char SHARED[] = "shared.weight";
static const char HEAD[] = "lm_head.weight";
static const char IGNORED[] =
    "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight";
static const char *const copies[] = {"encoder.embed_tokens.weight", "decoder.embed_tokens.weight",
                                     HEAD};

static bool is_copy(const char *name)
{
    for (size_t i = 0; i < sizeof copies / sizeof *copies; i++)
        if (strcmp(name, copies[i]) == 0)
            return true;
    return false;
}

static bool extra_ok(const char *name) { return is_copy(name) || strcmp(name, IGNORED) == 0; }

/* The names that T5ForConditionalGeneration has. What was saved from inside of torch.compile,
 * DataParallel or a LightningModule has a prefix before each; and a file may keep of the tied
 * embedding only a copy, whose name then stands for it. The head is such a copy if it is tied. */
static void name_as_expected(nn_safetensors *file, const t5_config *config)
{
    while (nn_safetensors_strip(file, "_orig_mod.") || nn_safetensors_strip(file, "module.") ||
           nn_safetensors_strip(file, "model."))
        ;
    if (nn_safetensors_find(file, SHARED))
        return;
    for (size_t i = 0; i < sizeof copies / sizeof *copies; i++) {
        if (copies[i] == HEAD && !config->tie_word_embeddings)
            return;
        for (int j = 0; j < nn_safetensors_count(file); j++)
            if (strcmp(nn_safetensors_at(file, j)->name, copies[i]) == 0) {
                nn_safetensors_rename(file, j, SHARED);
                return;
            }
    }
}

/* Whether two tensors hold the same numbers. A NaN, which equals nothing, is not the same. */
static bool is_same(const nn_safetensors_entry *a, const nn_safetensors_entry *b)
{
    bool same = a->count == b->count && a->dtype <= NN_F64 && b->dtype <= NN_F64;
    for (size_t i = 0; i < a->count && same; i++)
        same = nn_safetensors_float(a, i) == nn_safetensors_float(b, i);
    return same;
}

/* Where the configuration leaves it to the weights (config.h), a head that is not the embedding is
 * a head of its own. An untied head has to be there. */
static bool decide_head(t5_config *config, const nn_safetensors *file, const char *path,
                        base_error *error)
{
    const nn_safetensors_entry *head = nn_safetensors_find(file, HEAD),
                               *shared = nn_safetensors_find(file, SHARED);
    if (config->scale_decoder_outputs != T5_SCALED_IF_TIED && head && shared)
        config->tie_word_embeddings = is_same(head, shared);
    if (config->tie_word_embeddings || head)
        return true;
    return base_fail(
        error, "%s: has no tensor \"%s\", which config.json says is not tied to the embedding",
        path, HEAD);
}

/* Whether the file has as many numbers as the configuration asks for, copies included. */
static bool check_size(const t5_config *config, const nn_safetensors *file, const char *path,
                       base_error *error)
{
    int64_t wanted = t5_config_parameters(config), found = 0;
    for (int i = 0; i < nn_safetensors_count(file); i++)
        found += (int64_t)nn_safetensors_at(file, i)->count;
    if (found >= wanted)
        return true;
    return base_fail(error,
                     "%s: has %" PRId64 " numbers, expected the %" PRId64
                     " parameters that config.json asks for",
                     path, found, wanted);
}

/* Tied weights must be equal wherever the file has them. An untied model has lm_head.weight as a
 * parameter, not as a copy. */
static bool check_copies(const t5_model *model, const nn_safetensors *file, const char *path,
                         base_error *error)
{
    const nn_safetensors_entry *shared = nn_safetensors_find(file, SHARED);
    for (size_t i = 0; i < sizeof copies / sizeof *copies; i++) {
        const nn_safetensors_entry *entry = nn_safetensors_find(file, copies[i]);
        if (entry && !nn_params_find(model->params, copies[i]) && !is_same(entry, shared))
            return base_fail(error, "%s: \"%s\" is not the same as \"shared.weight\"", path,
                             copies[i]);
    }
    return true;
}

/* Takes the file, which may be NULL where reading it failed. Without gradients the weights stay in it, where
 * that can be; otherwise it is in memory beside the model until the model has its weights. */
static t5_model *read_model(tensor_context *ctx, t5_config *config, nn_safetensors *file,
                            const char *path, bool gradients, base_error *error)
{
    t5_model *model = NULL;
    bool good = false, lent = false;
    if (file)
        name_as_expected(file, config);
    if (file && decide_head(config, file, path, error) && check_size(config, file, path, error))
        model = gradients ? t5_model_new(ctx, config, true, error)
                          : t5_model_declare(ctx, config, error);
    if (model && gradients)
        good = nn_params_load(model->params, file, path, extra_ok, error);
    else if (model)
        good = nn_params_lend(model->params, file, path, extra_ok, &lent, error);
    good = good && nn_params_finite(model->params, path, error) &&
           check_copies(model, file, path, error);
    if (good && lent)
        model->file = file;
    else
        nn_safetensors_free(file);
    if (good)
        return model;
    t5_model_free(model);
    return NULL;
}

/* Every id that it gives must be in the model's vocabulary, which may be larger. */
static bool check_tokenizer(const t5_tokenizer *tokenizer, const t5_config *config,
                            const char *origin, base_error *error)
{
    return tokenizer &&
           (t5_tokenizer_size(tokenizer) <= config->vocab_size ||
            base_fail(error, "%s: its tokenizer has %d tokens, expected at most the model's %d",
                      origin, t5_tokenizer_size(tokenizer), config->vocab_size));
}

/* The tokenizer goes to who wants it, if there is a model. */
static t5_model *hand_over(t5_model *model, t5_tokenizer *words, t5_tokenizer **tokenizer)
{
    if (model && tokenizer)
        *tokenizer = words;
    else
        t5_tokenizer_free(words);
    return model;
}

/* From the smallest file to the largest: a folder is refused as early as it can be. *tokenizer is set only
 * with a model. */
t5_model *t5_folder_read(tensor_context *ctx, const char *folder, bool gradients,
                         t5_tokenizer **tokenizer, base_error *error)
{
    t5_config config;
    t5_model *model = NULL;
    t5_tokenizer *words = NULL;
    char *paths[2] = {find_in(folder, CONFIG, error), NULL};
    bool good = paths[0] && t5_config_read(&config, paths[0], error);
    if (good && tokenizer) {
        words = t5_tokenizer_read_folder(folder, error);
        good = check_tokenizer(words, &config, folder, error);
    }
    good = good && (paths[1] = find_weights(folder, error));
    if (good) {
        bool whole = strcmp(paths[1] + strlen(paths[1]) - strlen(WEIGHTS), WEIGHTS) == 0;
        nn_safetensors *file = whole ? nn_safetensors_read(paths[1], error)
                                     : nn_safetensors_read_shards(paths[1], error);
        model = read_model(ctx, &config, file, paths[1], gradients, error);
    }
    for (int i = 0; i < 2; i++)
        base_free(paths[i]);
    return hand_over(model, words, tokenizer);
}

t5_model *t5_buffers_read(tensor_context *ctx, const t5_buffers *buffers, bool gradients,
                          t5_tokenizer **tokenizer, base_error *error)
{
    t5_config config;
    t5_model *model = NULL;
    t5_tokenizer *words = NULL;
    bool good = t5_config_parse(&config, buffers->config, buffers->config_size, CONFIG, error);
    if (good && tokenizer) {
        words = t5_tokenizer_parse(buffers->tokenizer, buffers->tokenizer_size, TOKENIZER, error);
        good = check_tokenizer(words, &config, TOKENIZER, error);
    }
    if (good)
        model = read_model(
            ctx, &config,
            nn_safetensors_parse(buffers->weights, buffers->weights_size, WEIGHTS, error), WEIGHTS,
            gradients, error);
    return hand_over(model, words, tokenizer);
}
