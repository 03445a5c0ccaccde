/* SPDX-License-Identifier: MIT */
/* test_faults.c -- every allocation of t5/ fails once, in turn: one clear error each time, and
 * (under a leak checker) nothing lost.
 *
 * The sources are included here with malloc and its kin replaced. The linker then has no use for
 * the library's copies of them. */
#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

static int allocation, failing; /* how many there were; which is to fail, from 1 */

static void *test_malloc(size_t size) { return ++allocation == failing ? NULL : base_malloc(size); }

static void *test_calloc(size_t count, size_t size)
{
    return ++allocation == failing ? NULL : base_calloc(count, size);
}

static void *test_realloc(void *memory, size_t size)
{
    return ++allocation == failing ? NULL : base_realloc(memory, size);
}

#define base_malloc  test_malloc
#define base_calloc  test_calloc
#define base_realloc test_realloc
#include "t5/batch.c"
#include "t5/cache.c"
#include "t5/folder.c"
#include "t5/model.c"
#include "t5/sample.c"
#undef base_malloc
#undef base_calloc
#undef base_realloc

#include "tests/t5/test_t5.h"

#include <unistd.h>

/* Runs `work` until it succeeds, its first, second, ... allocation failing. */
static void fail_each(const char *name, bool (*work)(base_error *error), int at_least)
{
    base_error error;
    bool good = false;
    for (failing = 1; !good && failing < 1000; failing++) {
        allocation = 0;
        error.text[0] = '\0';
        good = work(&error);
        CHECK(good == (allocation < failing), "%s: allocation %d of %d", name, failing, allocation);
        CHECK(good || *error.text, "%s: allocation %d failed without a word", name, failing);
    }
    CHECK(failing > at_least, "%s: %d allocations", name, failing - 2);
    failing = 0;
}

static tensor_context *ctx;
static t5_model *model;
static char folder[] = "/tmp/test_t5_faults.XXXXXX";

static bool new_model(base_error *error)
{
    t5_config c = test_t5_config();
    t5_model *another = t5_model_new(ctx, &c, true, error);
    t5_model_free(another);
    return another;
}

/* What was added before stays. */
static bool fill(base_error *error)
{
    const int source[] = {3, 4, 5}, target[] = {6, 7};
    t5_batch batch = {0};
    bool good = true;
    for (int i = 0; i < 9 && good; i++) {
        good = t5_batch_add(&batch, source, 3, target, 2);
        CHECK(batch.count == i + good && batch.source_rows <= 3 * (i + 1), "%d sequences of %d",
              batch.count, i);
    }
    for (int b = 0; b < batch.count; b++)
        CHECK(batch.source_ids[batch.source[b].start + 2] == 5 &&
                  batch.target_ids[batch.target[b].start + 1] == 7,
              "sequence %d", b);
    t5_batch_free(&batch);
    return good || base_fail(error, "no memory"); /* t5_batch_add has no more to say */
}

static bool sample(base_error *error)
{
    const int source[] = {3, 4, 5};
    const t5_request request = {.source = source,
                                .source_count = 3,
                                .count = 3,
                                .most = 5,
                                .sampling = t5_sampling_default()};
    t5_sample samples[3];
    if (!t5_generate(model, &request, samples, error))
        return false;
    t5_samples_free(samples, 3);
    return true;
}

static bool copy_weights(base_error *error)
{
    t5_packed *packed = t5_packed_new(model, error);
    t5_packed_free(packed);
    return packed;
}

static bool read_back(base_error *error)
{
    t5_model *read = t5_folder_read(ctx, folder, false, NULL, error);
    t5_model_free(read);
    return read;
}

int main(void)
{
    base_error error;
    if (!mkdtemp(folder)) {
        perror(folder);
        return 1;
    }
    t5_config c = test_t5_config();
    ctx = tensor_context_new();
    model = test_t5_model(ctx, &c, false, 1);
    CHECK(t5_folder_write(model, NULL, folder, NULL, &error), "%s", error.text);
    fail_each("t5_model_new", new_model, 3);
    fail_each("t5_batch_add", fill, 10);
    fail_each("t5_generate", sample, 6);
    fail_each("t5_packed_new", copy_weights, 3);
    fail_each("t5_folder_read", read_back, 3);

    char path[64];
    snprintf(path, sizeof path, "%s/config.json", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    unlink(path);
    rmdir(folder);
    t5_model_free(model);
    tensor_context_free(ctx);
    return test_end();
}
