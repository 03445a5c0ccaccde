/* folder.c -- a model as a folder: config.json, model.safetensors, tokenizer.json.
 *
 * The layout is Hugging Face's, in both directions. A folder may come from anywhere, so it is
 * checked in the order in which it could do harm: the ranges of the configuration; whether the
 * file has as many numbers as the configuration asks for, so that a small file cannot make a large
 * model; then memory is taken; then every tensor's name and shape; then the copies of tied
 * weights. */
#include "t5/model.h"

#include "base/file.h"
#include "nn/safetensors.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char CONFIG[] = "config.json", WEIGHTS[] = "model.safetensors",
                  TOKENIZER[] = "tokenizer.json";

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
    free(path);
    return good;
}

static bool write_tokenizer(const t5_tokenizer *tokenizer, const char *folder,
                            char hash[BASE_HASH_TEXT], base_error *error)
{
    if (!tokenizer) {
        hash[0] = '\0';
        return true;
    }
    char *path = path_in(folder, TOKENIZER, error);
    bool good = path && t5_tokenizer_write(tokenizer, path, hash, error);
    free(path);
    return good;
}

bool t5_folder_write(const t5_model *model, const t5_tokenizer *tokenizer, const char *folder,
                     char hashes[3][BASE_HASH_TEXT], base_error *error)
{
    char unwanted[3][BASE_HASH_TEXT];
    if (!hashes)
        hashes = unwanted;
    return base_file_make_folder(folder, error) && write_config(model, folder, hashes[0], error) &&
           write_weights(model, folder, hashes[1], error) &&
           write_tokenizer(tokenizer, folder, hashes[2], error);
}

/* ---- Reading ---- */

/* Tensors that a file may have beside the parameters: the tied embedding under other names, and one
 * that the first published T5 models have and HF ignores. */
static const char *const copies[] = {"encoder.embed_tokens.weight", "decoder.embed_tokens.weight",
                                     "lm_head.weight"};
static const char IGNORED[] =
    "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight";

static bool is_copy(const char *name)
{
    for (size_t i = 0; i < sizeof copies / sizeof *copies; i++)
        if (strcmp(name, copies[i]) == 0)
            return true;
    return false;
}

static bool extra_ok(const char *name)
{
    return is_copy(name) || strcmp(name, IGNORED) == 0;
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

/* Tied weights must be equal wherever the file has them. A NaN, which equals nothing, is refused
 * with them. An untied model has lm_head.weight as a parameter, not as a copy. */
static bool check_copies(const t5_model *model, const nn_safetensors *file, const char *path,
                         base_error *error)
{
    for (size_t i = 0; i < sizeof copies / sizeof *copies; i++) {
        const nn_safetensors_entry *entry = nn_safetensors_find(file, copies[i]);
        if (!entry || nn_params_find(model->params, copies[i]))
            continue;
        size_t size = tensor_size(model->shared);
        bool same = entry->count == size && entry->dtype <= NN_F64;
        for (size_t j = 0; j < size && same; j++)
            same = nn_safetensors_float(entry, j) == model->shared->val[j];
        if (!same)
            return base_fail(error, "%s: \"%s\" is not the same as \"shared.weight\"", path,
                             copies[i]);
    }
    return true;
}

/* The file is in memory beside the model until the model has its weights. */
static t5_model *read_model(tensor_context *ctx, const t5_config *config, const char *path,
                            bool gradients, base_error *error)
{
    nn_safetensors *file = nn_safetensors_read(path, error);
    t5_model *model = NULL;
    if (file && check_size(config, file, path, error))
        model = t5_model_new(ctx, config, gradients, error);
    if (model && (!nn_params_load(model->params, file, path, extra_ok, error) ||
                  !check_copies(model, file, path, error))) {
        t5_model_free(model);
        model = NULL;
    }
    nn_safetensors_free(file);
    return model;
}

/* Every id that it gives must be in the model's vocabulary, which may be larger. */
static t5_tokenizer *read_tokenizer(const t5_config *config, const char *path, base_error *error)
{
    t5_tokenizer *tokenizer = t5_tokenizer_read(path, error);
    if (!tokenizer || t5_tokenizer_size(tokenizer) <= config->vocab_size)
        return tokenizer;
    base_fail(error, "%s: has %d tokens, expected at most the model's %d", path,
              t5_tokenizer_size(tokenizer), config->vocab_size);
    t5_tokenizer_free(tokenizer);
    return NULL;
}

t5_model *t5_folder_read(tensor_context *ctx, const char *folder, bool gradients,
                         t5_tokenizer **tokenizer, base_error *error)
{
    t5_config config;
    t5_model *model = NULL;
    t5_tokenizer *words = NULL;
    char *paths[3] = {path_in(folder, CONFIG, error), path_in(folder, WEIGHTS, error),
                      path_in(folder, TOKENIZER, error)};
    bool good = paths[0] && paths[1] && paths[2] && t5_config_read(&config, paths[0], error);
    if (good && tokenizer)
        good = (words = read_tokenizer(&config, paths[2], error)) != NULL;
    if (good)
        model = read_model(ctx, &config, paths[1], gradients, error);
    if (model && tokenizer)
        *tokenizer = words;
    else
        t5_tokenizer_free(words);
    for (int i = 0; i < 3; i++)
        free(paths[i]);
    return model;
}
