/* SPDX-License-Identifier: MIT */
/* safetensors.h -- Hugging Face's file format for tensors, read and written.
 *
 * u64 little-endian N, N bytes of JSON {"name": {"dtype", "shape", "data_offsets"}}, then the data.
 * Files come from anywhere, so every number in a header is checked before it is used: header at
 * most 100,000,000 bytes, offsets in order and inside the file, no overlap, no hole, product of the
 * shape times the item size equal to the range, no name twice. Little-endian on disk, whatever the
 * machine.
 *
 *     nn_safetensors *file = nn_safetensors_read("model.safetensors", &error);
 *     if (file && !nn_params_load(params, file, "model.safetensors", NULL, &error))
 *         puts(error.text);
 *     nn_safetensors_free(file); */
#ifndef NN_SAFETENSORS_H
#define NN_SAFETENSORS_H

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "nn/params.h"

enum { NN_SAFETENSORS_MAX_RANK = 8 };

typedef enum nn_dtype {
    NN_F32,
    NN_F16,
    NN_BF16,
    NN_F64,
    NN_I64,
    NN_I32,
    NN_U8,
    NN_DTYPES
} nn_dtype;

typedef struct nn_safetensors_entry {
    const char *name;
    nn_dtype dtype;
    int rank;
    int64_t shape[NN_SAFETENSORS_MAX_RANK];
    size_t count;              /* elements */
    const unsigned char *data; /* little-endian, perhaps unaligned: use the readers below */
} nn_safetensors_entry;

typedef struct nn_safetensors nn_safetensors; /* a file in memory */

nn_safetensors *nn_safetensors_read(const char *path, base_error *error);

/* Of bytes that stay the caller's, and are read as long as the result is. */
nn_safetensors *nn_safetensors_parse(const void *bytes, size_t size, const char *origin,
                                     base_error *error);

/* The files beside an index (model.safetensors.index.json) that it names in "weight_map", as one. Each tensor
 * must be in the file that the index says, and in no other. */
nn_safetensors *nn_safetensors_read_shards(const char *index, base_error *error);
void nn_safetensors_free(nn_safetensors *file);

int nn_safetensors_count(const nn_safetensors *file);
const nn_safetensors_entry *nn_safetensors_at(const nn_safetensors *file, int i);
const nn_safetensors_entry *nn_safetensors_find(const nn_safetensors *file, const char *name);

/* Takes a prefix off the names of all entries; false: not all begin with it, and nothing changed.
 * And gives entry i another name, which no other may have and which must outlive the file. */
bool nn_safetensors_strip(nn_safetensors *file, const char *prefix);
void nn_safetensors_rename(nn_safetensors *file, int i, const char *name);

/* Element i as a number: floats of 16, 32 and 64 bits, integers. */
float nn_safetensors_float(const nn_safetensors_entry *entry, size_t i);
int64_t nn_safetensors_int(const nn_safetensors_entry *entry, size_t i);

/* A file is written from a list of tensors, through base_file_write: whole or not at all.
 * metadata: pairs of strings (key, value, key, value, ..., NULL), or NULL. hash: may be NULL. */
typedef struct nn_safetensors_item {
    const char *name;
    int rank;
    int64_t shape[NN_SAFETENSORS_MAX_RANK];
    const float *data;
} nn_safetensors_item;

bool nn_safetensors_write(const char *path, const nn_safetensors_item *items, int count,
                          const char *const *metadata, char hash[BASE_HASH_TEXT],
                          base_error *error);

/* Appends what would be the file's bytes to a text. name: for messages. */
bool nn_safetensors_print(base_text *bytes, const char *name, const nn_safetensors_item *items,
                          int count, const char *const *metadata, base_error *error);

/* Describes each parameter as an item of a file, in their order: nn_params_count() of them. */
void nn_params_items(const nn_params *params, nn_safetensors_item *items);

/* All parameters of a model to and from a file. Loading: every parameter must be there with its
 * shape; an entry that is no parameter is an error that names it, unless extra_ok. */
bool nn_params_save(const nn_params *params, const char *path, char hash[BASE_HASH_TEXT],
                    base_error *error);
bool nn_params_load(nn_params *params, const nn_safetensors *file, const char *origin,
                    bool (*extra_ok)(const char *name), base_error *error);

/* The same in the place of nn_params_allocate(), for a model that only generates: where the machine can read
 * numbers as the file has them (32 bits, at a multiple of 4 bytes, its order of bytes), they stay there; the
 * others are copied. *lent: some have stayed, so the file has to outlive params. */
bool nn_params_lend(nn_params *params, const nn_safetensors *file, const char *origin,
                    bool (*extra_ok)(const char *name), bool *lent, base_error *error);

#endif
