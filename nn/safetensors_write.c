/* SPDX-License-Identifier: MIT */
/* safetensors_write.c -- writing tensors, and a model's parameters, to a file.
 *
 * The file is put together from ranges that stay where they are: the header, then each tensor's
 * own memory. Only a big-endian machine needs a copy of the numbers, in the order of the disk. */
#include "nn/safetensors.h"

#include "base/file.h"
#include "base/json.h"
#include "base/math.h"
#include "base/memory.h"
#include "base/text.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH_BYTES = 8, ALIGNMENT = 8 };

/* The bytes of an item: the product of its dimensions times 4, and 0 as soon as one of them is 0.
 * False: a dimension is negative, or the product is more than PTRDIFF_MAX, which no object may be
 * larger than. */
static bool count_items(const nn_safetensors_item *item, size_t *bytes)
{
    size_t product = sizeof(float);
    for (int i = 0; i < item->rank; i++) {
        if (item->shape[i] < 0)
            return false;
        if (item->shape[i] > 0 && (uint64_t)item->shape[i] > PTRDIFF_MAX / product)
            return false;
        product *= (size_t)item->shape[i];
        if (product == 0)
            break;
    }
    *bytes = product;
    return true;
}

/* What nn_safetensors_parse() would refuse is not written either. */
static bool check_item(const nn_safetensors_item *items, int i, const char *path, size_t *bytes,
                       base_error *error)
{
    const nn_safetensors_item *item = &items[i];
    if (item->rank < 0 || item->rank > NN_SAFETENSORS_MAX_RANK)
        return base_fail(error, "%s: tensor \"%s\" has rank %d, expected 0 to %d", path, item->name,
                         item->rank, NN_SAFETENSORS_MAX_RANK);
    if (!count_items(item, bytes))
        return base_fail(error, "%s: tensor \"%s\" has a shape that fits no memory", path,
                         item->name);
    bool taken = strcmp(item->name, "__metadata__") == 0;
    for (int j = 0; j < i && !taken; j++)
        taken = strcmp(items[j].name, item->name) == 0;
    if (taken)
        return base_fail(error, "%s: the name \"%s\" is taken", path, item->name);
    return true;
}

/* Quoted, and escaped where JSON asks for it. */
static void put_string(base_text *text, const char *string)
{
    base_json_put_string(text, string, strlen(string));
}

/* "name":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]} */
static void put_item(base_text *header, const nn_safetensors_item *item, uint64_t begin,
                     uint64_t bytes)
{
    put_string(header, item->name);
    base_text_print(header, ":{\"dtype\":\"F32\",\"shape\":[");
    for (int i = 0; i < item->rank; i++)
        base_text_print(header, "%s%" PRId64, i ? "," : "", item->shape[i]);
    base_text_print(header, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", begin, begin + bytes);
}

/* The header without its length, padded with spaces so that the data starts at a multiple of 8. */
static bool put_header(base_text *header, const char *path, const nn_safetensors_item *items,
                       int count, const char *const *metadata, base_bytes *parts, base_error *error)
{
    base_text_print(header, "{");
    if (metadata) {
        base_text_print(header, "\"__metadata__\":{");
        for (int i = 0; metadata[i]; i += 2) {
            base_text_print(header, "%s", i ? "," : "");
            put_string(header, metadata[i]);
            base_text_print(header, ":");
            put_string(header, metadata[i + 1]);
        }
        base_text_print(header, "}");
    }
    uint64_t begin = 0;
    for (int i = 0; i < count; i++) {
        size_t bytes = 0;
        if (!check_item(items, i, path, &bytes, error))
            return false;
        base_text_print(header, "%s", i || metadata ? "," : "");
        put_item(header, &items[i], begin, bytes);
        parts[i] = (base_bytes){items[i].data, bytes};
        begin += bytes;
    }
    base_text_print(header, "}");
    while (header->length % ALIGNMENT != 0 && !header->failed)
        base_text_print(header, " ");
    return !header->failed || base_fail(error, "%s: no memory for its header", path);
}

/* Whether the machine's floats lie in memory as they do on disk. */
static bool is_little_endian(void)
{
    const uint16_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    return first == 1;
}

/* For each range a copy with the bytes of every float in the disk's order. */
static bool copy_little_endian(base_bytes *parts, int count, unsigned char **copies)
{
    size_t total = 0;
    for (int i = 0; i < count; i++)
        total += parts[i].size;
    unsigned char *out = base_malloc(total ? total : 1);
    *copies = out;
    if (!out)
        return false;
    for (int i = 0; i < count; i++) {
        const float *data = parts[i].data;
        parts[i].data = out;
        for (size_t j = 0; j < parts[i].size / sizeof *data; j++) {
            uint32_t bits = base_bits_of_float(data[j]);
            for (int k = 0; k < 4; k++)
                *out++ = (unsigned char)(bits >> 8 * k);
        }
    }
    return true;
}

/* A file in its parts: the length of the header, the header, each tensor's memory. */
typedef struct layout {
    base_text header;
    unsigned char length[LENGTH_BYTES], *copies;
    base_bytes *parts;
    size_t count;
} layout;

/* Part 0 is the length, part 1 the header, part 2 + i the memory of item i. False: the layout is
 * unfinished, and layout_free() is still due. */
static bool lay_out(layout *l, const char *path, const nn_safetensors_item *items, int count,
                    const char *const *metadata, base_error *error)
{
    *l = (layout){.count = (size_t)count + 2};
    l->parts = base_calloc(l->count, sizeof *l->parts);
    if (!l->parts)
        return base_fail(error, "%s: no memory", path);
    if (!put_header(&l->header, path, items, count, metadata, l->parts + 2, error))
        return false;
    if (!is_little_endian() && !copy_little_endian(l->parts + 2, count, &l->copies))
        return base_fail(error, "%s: no memory for a copy of its data", path);
    for (int i = 0; i < LENGTH_BYTES; i++)
        l->length[i] = (unsigned char)((uint64_t)l->header.length >> 8 * i);
    l->parts[0] = (base_bytes){l->length, sizeof l->length};
    l->parts[1] = (base_bytes){l->header.data, l->header.length};
    return true;
}

/* After lay_out(), whether it failed or not: what had been made by then is released. */
static void layout_free(layout *l)
{
    base_free(l->copies);
    base_free(l->parts);
    base_text_free(&l->header);
}

/* Every part of the file is in memory where it is: what is allocated is the list of the parts. */
bool nn_safetensors_write(const char *path, const nn_safetensors_item *items, int count,
                          const char *const *metadata, char hash[BASE_HASH_TEXT], base_error *error)
{
    layout l;
    bool good = lay_out(&l, path, items, count, metadata, error) &&
                base_file_write(path, l.parts, l.count, hash, error);
    layout_free(&l);
    return good;
}

/* The same bytes in memory, for a model that travels inside of another file (vision/model.c). On
 * failure `bytes` may have some of them: its owner throws it away. */
bool nn_safetensors_print(base_text *bytes, const char *name, const nn_safetensors_item *items,
                          int count, const char *const *metadata, base_error *error)
{
    layout l;
    bool good = lay_out(&l, name, items, count, metadata, error);
    for (size_t i = 0; good && i < l.count; i++)
        base_text_add(bytes, l.parts[i].data, l.parts[i].size);
    layout_free(&l);
    return good && (!bytes->failed || base_fail(error, "%s: no memory for its bytes", name));
}

/* ---- a model's parameters ---- */

/* The names are the parameters' own and the data is theirs too: nothing is copied. */
void nn_params_items(const nn_params *params, nn_safetensors_item *items)
{
    for (int i = 0; i < nn_params_count(params); i++) {
        const tensor *t = nn_params_tensor(params, i);
        items[i] = (nn_safetensors_item){
            .name = nn_params_name(params, i), .rank = t->rank, .data = t->val};
        for (int j = 0; j < t->rank; j++)
            items[i].shape[j] = t->dim[j];
    }
}

/* transformers loads a file only if its metadata says which framework's layout it has: "pt" is
 * PyTorch's, in which a linear layer's weight is (outputs, inputs). */
bool nn_params_save(const nn_params *params, const char *path, char hash[BASE_HASH_TEXT],
                    base_error *error)
{
    static const char *const metadata[] = {"format", "pt", NULL};
    int count = nn_params_count(params);
    nn_safetensors_item *items = base_calloc((size_t)count + 1, sizeof *items);
    if (!items)
        return base_fail(error, "%s: no memory", path);
    nn_params_items(params, items);
    bool good = nn_safetensors_write(path, items, count, metadata, hash, error);
    base_free(items);
    return good;
}

/* "2,3" of an entry; 192 characters hold eight numbers of 20 digits. */
static void shape_text(const nn_safetensors_entry *entry, char text[192])
{
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < entry->rank; i++)
        used +=
            (size_t)snprintf(text + used, 192 - used, "%s%" PRId64, i ? "," : "", entry->shape[i]);
}

/* An entry must be there, of floats, and of the parameter's shape to the last dimension. */
static bool check_param(const char *name, const tensor *t, const nn_safetensors_entry *entry,
                        const char *origin, base_error *error)
{
    if (!entry)
        return base_fail(error, "%s: has no tensor \"%s\"", origin, name);
    if (entry->dtype > NN_F64)
        return base_fail(error, "%s: tensor \"%s\" holds integers, expected floats", origin, name);
    bool same = entry->rank == t->rank;
    for (int i = 0; i < t->rank && same; i++)
        same = entry->shape[i] == t->dim[i];
    if (same)
        return true;
    char found[192];
    nn_safetensors_entry wanted = {.rank = t->rank};
    for (int i = 0; i < t->rank; i++)
        wanted.shape[i] = t->dim[i];
    char expected[192];
    shape_text(entry, found);
    shape_text(&wanted, expected);
    return base_fail(error, "%s: tensor \"%s\" has shape (%s), expected (%s)", origin, name, found,
                     expected);
}

/* Everything is looked at before the first value changes. */
static bool check_params(const nn_params *params, const nn_safetensors *file, const char *origin,
                         bool (*extra_ok)(const char *name), base_error *error)
{
    for (int i = 0; i < nn_params_count(params); i++) {
        const char *name = nn_params_name(params, i);
        if (!check_param(name, nn_params_tensor(params, i), nn_safetensors_find(file, name), origin,
                         error))
            return false;
    }
    for (int i = 0; i < nn_safetensors_count(file); i++) {
        const char *name = nn_safetensors_at(file, i)->name;
        if (!nn_params_find(params, name) && !(extra_ok && extra_ok(name)))
            return base_fail(error, "%s: tensor \"%s\" is no parameter of this model", origin,
                             name);
    }
    return true;
}

static void copy_param(tensor *t, const nn_safetensors_entry *entry)
{
    for (size_t j = 0; j < entry->count; j++)
        t->val[j] = nn_safetensors_float(entry, j);
}

bool nn_params_load(nn_params *params, const nn_safetensors *file, const char *origin,
                    bool (*extra_ok)(const char *name), base_error *error)
{
    if (!check_params(params, file, origin, extra_ok, error))
        return false;
    for (int i = 0; i < nn_params_count(params); i++)
        copy_param(nn_params_tensor(params, i),
                   nn_safetensors_find(file, nn_params_name(params, i)));
    return true;
}

/* The entry's numbers as this machine reads them; NULL: it does not. */
static const float *floats_of(const nn_safetensors_entry *entry)
{
    const uint32_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1); /* of a little-endian number the lowest byte */
    const bool aligned = (uintptr_t)entry->data % sizeof(float) == 0;
    return first == 1 && aligned && entry->dtype == NN_F32 ? (const void *)entry->data : NULL;
}

bool nn_params_lend(nn_params *params, const nn_safetensors *file, const char *origin,
                    bool (*extra_ok)(const char *name), bool *lent, base_error *error)
{
    const int count = nn_params_count(params);
    if (!check_params(params, file, origin, extra_ok, error))
        return false;
    const float **at = base_calloc((size_t)count + 1, sizeof *at);
    bool good = at || base_fail(error, "%s: no memory", origin);
    for (int i = 0; good && i < count; i++)
        at[i] = floats_of(nn_safetensors_find(file, nn_params_name(params, i)));
    good = good && nn_params_place(params, at, error);
    *lent = false;
    for (int i = 0; good && i < count; i++)
        if (at[i])
            *lent = true;
        else
            copy_param(nn_params_tensor(params, i),
                       nn_safetensors_find(file, nn_params_name(params, i)));
    base_free(at);
    return good;
}
