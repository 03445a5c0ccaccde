/* SPDX-License-Identifier: MIT */
/* test_evolve.h -- what the tests of evolve/ share: a folder of their own, files in it, and
 * settings so small that a training takes a fraction of a second. */
#ifndef TEST_EVOLVE_H
#define TEST_EVOLVE_H

#include "base/file.h"
#include "base/json.h"
#include "evolve/config.h"
#include "evolve/loop/stage.h"
#include "evolve/task.h"
#include "tests/test.h"
#include <dirent.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char scratch[512]; /* the folder */

/* 64 times a hexadecimal digit, in quotes: the SHA-256 of a file that was never written. */
#define TEST_EIGHT(digit) digit digit digit digit digit digit digit digit
#define TEST_HASH(digit)  TEST_EIGHT(TEST_EIGHT(digit))

static inline bool scratch_make(void)
{
    const char *parent = getenv("TMPDIR");
    snprintf(scratch, sizeof scratch, "%s/phoenix-evolve-XXXXXX",
             parent && *parent ? parent : "/tmp");
    return mkdtemp(scratch) != NULL;
}

static inline void pause_seconds(double seconds)
{
    struct timespec time = {(time_t)seconds, (long)(1e9 * (seconds - (double)(time_t)seconds))};
    nanosleep(&time, NULL);
}

/* Removes a file, or a folder with all that is in it. */
static inline void remove_all(const char *path)
{
    struct stat status;
    if (lstat(path, &status) != 0)
        return;
    if (!S_ISDIR(status.st_mode)) {
        unlink(path);
        return;
    }
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            char *inside = base_file_path(path, entry->d_name);
            remove_all(inside);
            free(inside);
        }
    if (folder)
        closedir(folder);
    rmdir(path);
}

/* A path in the folder. It is kept, and the same for the same name, to the end of the test. */
static inline const char *at(const char *name)
{
    static char *paths[128];
    size_t i = 0;
    while (i < 127 && paths[i] && strcmp(paths[i] + strlen(scratch) + 1, name) != 0)
        i++;
    if (!paths[i])
        paths[i] = base_file_path(scratch, name);
    return paths[i];
}

/* A file's bytes, NUL-terminated; an empty string where it cannot be read. The caller frees it. */
static inline char *slurp(const char *path, size_t *size)
{
    char *bytes = base_file_read(path, (size_t)1 << 30, size, NULL);
    if (!bytes) {
        *size = 0;
        bytes = calloc(1, 1);
    }
    return bytes;
}

/* A new file: some file systems are slow to make what was cut to nothing and written again last. */
static inline bool spill(const char *path, const void *bytes, size_t size)
{
    unlink(path);
    FILE *file = fopen(path, "wb");
    bool ok = file && fwrite(bytes, 1, size, file) == size;
    return file && fclose(file) == 0 && ok;
}

static inline bool same_files(const char *a, const char *b)
{
    size_t size_a, size_b;
    char *bytes_a = slurp(a, &size_a), *bytes_b = slurp(b, &size_b);
    bool same = size_a > 0 && size_a == size_b && memcmp(bytes_a, bytes_b, size_a) == 0;
    free(bytes_a);
    free(bytes_b);
    return same;
}

/* Makes the scratch folder; false, and it is said: there is none, or no command to test. */
static inline bool scratch_for_command(void)
{
    bool made = scratch_make(), built = base_file_exists(TEST_PHOENIX);
    if (!made)
        SKIP("no folder can be made");
    CHECK(built, TEST_PHOENIX " is not here: run this from the root of the tree");
    return made && built;
}

/* Settings of which a training of 16 pairs takes a few milliseconds. */
static inline evolve_settings tiny_settings(void)
{
    evolve_settings settings;
    evolve_settings_preset(&settings, "quick", NULL);
    settings.optimizer = NN_ADAMW; /* whatever the preset takes */
    settings.rate = 5e-4;
    settings.score = EVOLVE_MEAN;
    settings.d_model = 16;
    settings.few_shot = 16;
    settings.batch = 8;
    settings.samples = 64;
    settings.held_out = 16;
    settings.fidelity = 2;
    settings.max_tokens = 24;
    settings.fresh_seeds = 2;
    settings.final_times = 1;
    settings.episodes = 2;
    settings.batches = 1;
    settings.candidates = 4;
    return settings;
}

/* A scope, and what evolve_settings_scope() lets decide in it. */
static inline void tiny_scope(evolve_settings *settings, int64_t scope)
{
    settings->scope = scope;
    settings->score = scope > EVOLVE_LEARNING ? EVOLVE_BY_HELD_OUT : EVOLVE_MEAN;
}

/* A source whose model has 1 + 1 layers, 2 heads and that d_ff; `line` goes before the return. In
 * static memory, eight at a time. */
static inline const char *tiny_source(int d_ff, const char *line)
{
    static char sources[8][1024];
    static int next;
    char *source = sources[next++ % 8];
    snprintf(source, sizeof sources[0],
             "#include \"phoenix.h\"\n\nt5 *model(void)\n{\n"
             "    t5_config config = t5_small();\n"
             "    config.num_layers = 1;\n    config.num_decoder_layers = 1;\n"
             "    config.num_heads = 2;\n"
             "    config.d_kv = config.d_model / config.num_heads;\n"
             "    config.d_ff = %d;\n%s    return t5_new(config);\n}\n",
             d_ff, line);
    return source;
}

/* A training of that source by the settings, which works in that folder; how it is watched is the caller's to add. */
static inline loop_stage tiny_stage(const evolve_settings *settings, const char *source,
                                    const t5_tokenizer *tokenizer, tensor_context *ctx,
                                    const char *folder)
{
    return (loop_stage){.file = "test.c",
                        .source = source,
                        .length = strlen(source),
                        .settings = settings,
                        .tokenizer = tokenizer,
                        .ctx = ctx,
                        .folder = folder,
                        .label = "test",
                        .seed = 5};
}

/* Texts as a JSON array, for a PROPOSED event. */
static inline base_text texts_of(const char *const texts[], int count)
{
    base_text array = {0};
    base_text_print(&array, "[");
    for (int i = 0; i < count; i++) {
        base_text_print(&array, "%s", i ? "," : "");
        base_json_put_string(&array, texts[i], strlen(texts[i]));
    }
    base_text_print(&array, "]");
    return array;
}

/* A T5 of one and one layers, d_model 16, with its first weights, for a vocabulary of so many tokens. */
static inline t5_model *small_t5(tensor_context *ctx, int vocabulary)
{
    base_error error;
    t5_config config = t5_config_small();
    config.vocab_size = vocabulary;
    config.d_model = 16;
    config.d_kv = 8;
    config.num_heads = 2;
    config.d_ff = 32;
    config.num_layers = config.num_decoder_layers = 1;
    t5_model *model = t5_model_new(ctx, &config, false, &error);
    CHECK(model, "%s", error.text);
    t5_model_init(model, 1);
    return model;
}

#endif
