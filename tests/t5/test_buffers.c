/* SPDX-License-Identifier: MIT */
/* test_buffers.c -- a model from memory: the same tokens as from a folder, weights that are used where they
 * are, and so little beside them that a copy of them would be noticed. */
#include "base/file.h"
#include "base/memory.h"
#include "tests/boxes/held.h"
#include "tests/t5/test_t5.h"

#include <unistd.h>

enum { MOST = 12, MATCHES = 2 };

static char folder[] = "/tmp/test_t5_buffers.XXXXXX";
static const char *const names[] = {"config.json", "tokenizer.json", "model.safetensors"};

/* Wide enough that its weights are most of what it takes. */
static t5_config wide_config(void)
{
    t5_config c = t5_config_small();
    c.vocab_size = T5_LEAST_TOKENS;
    c.d_model = 64;
    c.d_kv = 32;
    c.num_heads = 2;
    c.d_ff = 256;
    c.num_layers = c.num_decoder_layers = 2;
    return c;
}

/* Hashes the tokens of two samples, and their probabilities' bits. */
static uint64_t generate(t5_model *model, const t5_tokenizer *tokenizer, bool frugal)
{
    int ids[16], count = t5_tokenize(tokenizer, "int x;", 6, ids, 16);
    base_error error = {""};
    t5_sample samples[MATCHES];
    t5_request request = {.source = ids, .source_count = count, .count = MATCHES, .most = MOST};
    request.sampling = t5_sampling_default();
    request.frugal = frugal;
    if (!t5_generate(model, &request, samples, &error)) {
        CHECK(false, "%s", error.text);
        return 0;
    }
    uint64_t hash = 14695981039346656037U;
    for (int i = 0; i < MATCHES; i++)
        for (int j = 0; j < samples[i].count; j++) {
            uint32_t bits;
            memcpy(&bits, &samples[i].token_log_probability[j], sizeof bits);
            hash = (hash ^ (uint64_t)samples[i].ids[j] ^ (uint64_t)bits << 20) * 1099511628211U;
        }
    t5_samples_free(samples, MATCHES);
    return hash;
}

/* shift: bytes from a multiple of 8 to the weights' first. */
static uint64_t from_buffers(const t5_buffers *files, size_t shift, bool gradients, size_t *most)
{
    base_error error = {""};
    t5_tokenizer *tokenizer = NULL;
    t5_buffers moved = *files;
    char *weights = malloc(files->weights_size + 8);
    memcpy(weights + shift, files->weights, files->weights_size);
    moved.weights = weights + shift;
    base_memory_use(&(base_allocator){resize, release, NULL});
    held = peak = 0;
    tensor_context *ctx = tensor_context_new();
    t5_model *model = t5_buffers_read(ctx, &moved, gradients, &tokenizer, &error);
    CHECK(model && tokenizer, "shift %zu: %s", shift, error.text);
    uint64_t hash = model ? generate(model, tokenizer, true) : 0;
    const char *first = model ? (const char *)model->shared->val : NULL;
    bool inside = first >= weights && first < weights + files->weights_size;
    CHECK(inside == (!gradients && shift % 4 == 0), "shift %zu: weights %s", shift,
          inside ? "in place" : "copied");
    CHECK(memcmp(weights + shift, files->weights, files->weights_size) == 0, "they were written");
    t5_tokenizer_free(tokenizer);
    t5_model_free(model);
    tensor_context_free(ctx);
    CHECK(held == 0, "%zu bytes are not back", held);
    base_memory_use(NULL);
    *most = peak;
    free(weights);
    return hash;
}

static void the_same_as_from_a_folder(const t5_buffers *files, uint64_t want)
{
    size_t most;
    for (size_t shift = 0; shift < 8; shift++) {
        CHECK(from_buffers(files, shift, false, &most) == want, "shift %zu: other tokens", shift);
        if (shift % 4 == 0)
            CHECK(most < files->weights_size / 2, "shift %zu: %zu bytes beside weights of %zu",
                  shift, most, files->weights_size);
    }
    CHECK(from_buffers(files, 0, true, &most) == want, "with gradients other tokens");
}

/* What is wrong with a file is said as of the file of that name. */
static void wrong_files(const t5_buffers *files)
{
    tensor_context *ctx = tensor_context_new();
    for (int i = 0; i < 4; i++) {
        base_error error = {""};
        t5_buffers wrong = *files;
        t5_tokenizer *tokenizer = NULL;
        switch (i) {
        case 0:
            wrong.config_size /= 2;
            break;
        case 1:
            wrong.tokenizer_size /= 2;
            break;
        case 2:
            wrong.weights_size -= 4;
            break;
        default:
            wrong.weights = "";
            wrong.weights_size = 0;
        }
        t5_model *model = t5_buffers_read(ctx, &wrong, false, &tokenizer, &error);
        CHECK(!model && !tokenizer && strstr(error.text, names[i < 2 ? i : 2]), "%d: %s", i,
              error.text);
    }
    tensor_context_free(ctx);
}

int main(void)
{
    base_error error = {""};
    const char *text = "int x;\n";
    size_t size[3];
    char *bytes[3];
    if (!mkdtemp(folder)) {
        perror(folder);
        return 1;
    }
    tensor_context *ctx = tensor_context_new();
    t5_config config = wide_config();
    t5_model *model = test_t5_model(ctx, &config, false, 3);
    t5_tokenizer *tokenizer = t5_tokenizer_train(&text, 1, T5_LEAST_TOKENS, &error);
    CHECK(t5_folder_write(model, tokenizer, folder, NULL, &error), "%s", error.text);
    for (int i = 0; i < 3; i++) {
        bytes[i] = base_file_read(test_path(folder, names[i]), 1 << 24, &size[i], &error);
        CHECK(bytes[i], "%s", error.text);
    }
    const t5_buffers files = {bytes[0], bytes[1], bytes[2], size[0], size[1], size[2]};
    the_same_as_from_a_folder(&files, generate(model, tokenizer, false));
    wrong_files(&files);
    for (int i = 0; i < 3; i++) {
        free(bytes[i]);
        unlink(test_path(folder, names[i]));
    }
    for (const char *const *name = t5_folder_companions; *name; name++)
        unlink(test_path(folder, *name));
    rmdir(folder);
    t5_tokenizer_free(tokenizer);
    t5_model_free(model);
    tensor_context_free(ctx);
    return test_end();
}
