/* SPDX-License-Identifier: MIT */
/* safetensors.c -- reading: a header in JSON that is not believed, and numbers of seven types.
 *
 * What a header says is checked in two steps. Entry by entry: the type is known, the product of the
 * shape times the item size is the length of its range, the range is inside the file. Then all
 * together, in order of their ranges: each begins where the one before it ended, and the last ends
 * with the file. So every byte of the file belongs to one entry, and none to two. */
#include "nn/safetensors.h"

#include "base/file.h"
#include "base/json.h"
#include "base/kind.h"
#include "base/math.h"
#include "base/memory.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The format's own limit for a header, as its reference implementation has it. */
enum { LENGTH_BYTES = 8, MAX_HEADER = 100000000 };

/* Names and data are pointers into header and bytes: entries are as cheap as views can be, and live
 * as long as the file. */
struct nn_safetensors {
    const char *bytes;                    /* the file */
    char *own;                            /* its memory, where it is this struct's */
    base_json *header;                    /* has the names */
    nn_safetensors_entry *entries;        /* in order of their data, shard by shard */
    const nn_safetensors_entry **by_name; /* sorted */
    int count;
    nn_safetensors **shards; /* that own the above, where they were read as one */
    int shard_count;
};

static const struct {
    const char *name;
    size_t size;
} dtypes[] = {
    [NN_F32] = {"F32", 4}, [NN_F16] = {"F16", 2}, [NN_BF16] = {"BF16", 2}, [NN_F64] = {"F64", 8},
    [NN_I64] = {"I64", 8}, [NN_I32] = {"I32", 4}, [NN_U8] = {"U8", 1},
};
_Static_assert(sizeof dtypes / sizeof *dtypes == NN_DTYPES, "a type without a row");

/* ---- one entry ---- */

/* What the checks of an entry share. */
typedef struct reader {
    const unsigned char *data; /* behind the header */
    size_t size;
    const char *origin;
    base_error *error;
} reader;

/* dtype = one of the seven names. */
static bool read_dtype(const base_json *member, const char *where, nn_dtype *dtype,
                       base_error *error)
{
    const char *name;
    if (!base_json_get_string(member, "dtype", &name, where, error))
        return false;
    for (int i = 0; i < NN_DTYPES; i++)
        if (strcmp(dtypes[i].name, name) == 0) {
            *dtype = (nn_dtype)i;
            return true;
        }
    return base_fail(error, "%s: dtype is \"%.40s\", expected F32, F16, BF16, F64, I64, I32 or U8",
                     where, name);
}

/* shape = "[" [ integer { "," integer } ] "]"; the count of elements is their product. A shape with
 * a zero in it has no elements, but the product of the others must make sense all the same. */
static bool read_shape(const base_json *member, const char *where, nn_safetensors_entry *entry,
                       base_error *error)
{
    const base_json *shape = base_json_get(member, "shape");
    if (!shape || shape->kind != BASE_JSON_ARRAY)
        return base_fail(error, "%s: expected an array called \"shape\"", where);
    if (shape->length > NN_SAFETENSORS_MAX_RANK)
        return base_fail(error, "%s: shape has %zu dimensions, expected at most %d", where,
                         shape->length, NN_SAFETENSORS_MAX_RANK);
    size_t product = 1;
    bool empty = false;
    for (const base_json *dim = shape->child; dim; dim = dim->next) {
        if (dim->kind != BASE_JSON_NUMBER || !dim->is_integer || dim->integer < 0)
            return base_fail(error, "%s: dimension %d of shape is no integer of at least 0", where,
                             entry->rank);
        entry->shape[entry->rank++] = dim->integer;
        if (dim->integer == 0)
            empty = true;
        else if ((uint64_t)dim->integer > SIZE_MAX / product)
            return base_fail(error, "%s: the product of shape is larger than any memory", where);
        else
            product *= (size_t)dim->integer;
    }
    entry->count = empty ? 0 : product;
    return true;
}

/* data_offsets = "[" begin "," end "]" */
static bool read_range(const base_json *member, const char *where, const reader *r, size_t *begin,
                       size_t *end)
{
    const base_json *range = base_json_get(member, "data_offsets");
    if (!range || range->kind != BASE_JSON_ARRAY || range->length != 2)
        return base_fail(r->error, "%s: expected an array of two called \"data_offsets\"", where);
    const base_json *first = range->child, *second = first->next;
    if (first->kind != BASE_JSON_NUMBER || second->kind != BASE_JSON_NUMBER || !first->is_integer ||
        !second->is_integer)
        return base_fail(r->error, "%s: data_offsets are not two integers", where);
    int64_t low = first->integer, high = second->integer;
    if (low < 0 || high < low || (uint64_t)high > r->size)
        return base_fail(r->error,
                         "%s: data_offsets are %" PRId64 " and %" PRId64
                         ", expected a range in the %zu bytes of data",
                         where, low, high, r->size);
    *begin = (size_t)low;
    *end = (size_t)high;
    return true;
}

/* member = name ":" "{" dtype, shape, data_offsets in any order "}"; other members are passed over.
 * The range must be as long as the elements are. */
static bool read_entry(const base_json *member, const reader *r, nn_safetensors_entry *entry)
{
    char where[sizeof r->error->text];
    snprintf(where, sizeof where, "%.200s: tensor \"%.100s\"", r->origin, member->name);
    if (member->kind != BASE_JSON_OBJECT)
        return base_fail(r->error, "%s: expected an object", where);
    size_t begin = 0, end = 0;
    entry->name = member->name;
    if (!read_dtype(member, where, &entry->dtype, r->error) ||
        !read_shape(member, where, entry, r->error) || !read_range(member, where, r, &begin, &end))
        return false;
    size_t item = dtypes[entry->dtype].size;
    if ((end - begin) % item != 0 || (end - begin) / item != entry->count)
        return base_fail(r->error, "%s: %zu bytes of data, expected %zu elements of %zu bytes",
                         where, end - begin, entry->count, item);
    entry->data = r->data + begin;
    return true;
}

/* ---- all entries ---- */

/* Checked when it was read: the product cannot overflow. */
static size_t bytes_of(const nn_safetensors_entry *entry)
{
    return entry->count * dtypes[entry->dtype].size;
}

/* By place; empty ones before what begins at the same place; then by name, since names differ. */
static int compare_places(const void *a, const void *b)
{
    const nn_safetensors_entry *x = a, *y = b;
    if (x->data != y->data)
        return x->data < y->data ? -1 : 1;
    if (bytes_of(x) != bytes_of(y))
        return bytes_of(x) < bytes_of(y) ? -1 : 1;
    return strcmp(x->name, y->name);
}

static int compare_names(const void *a, const void *b)
{
    const nn_safetensors_entry *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

/* The entries in order of their data: no hole between them, no overlap, nothing after the last. */
static bool check_places(const nn_safetensors *file, const reader *r)
{
    const unsigned char *at = r->data, *end = r->data + r->size;
    for (int i = 0; i < file->count; i++) {
        const nn_safetensors_entry *entry = &file->entries[i];
        if (entry->data != at)
            return base_fail(r->error,
                             "%.200s: data of tensor \"%.100s\" begins at %td, expected %td, where "
                             "the one before it ends",
                             r->origin, entry->name, entry->data - r->data, at - r->data);
        at += bytes_of(entry);
    }
    if (at != end)
        return base_fail(r->error, "%.200s: the last %td bytes belong to no tensor", r->origin,
                         end - at);
    return true;
}

/* One array in the order of the data, and one of pointers in the order of the names: the first is
 * checked and walked, the second searched. */
static bool read_entries(nn_safetensors *file, const reader *r)
{
    size_t members = file->header->length;
    file->entries = base_calloc(members + 1, sizeof *file->entries);
    file->by_name = base_calloc(members + 1, sizeof *file->by_name);
    if (!file->entries || !file->by_name)
        return base_fail(r->error, "%.200s: no memory for its %zu tensors", r->origin, members);
    for (const base_json *member = file->header->child; member; member = member->next)
        if (strcmp(member->name, "__metadata__") != 0 &&
            !read_entry(member, r, &file->entries[file->count++]))
            return false;
    size_t count = (size_t)file->count;
    qsort(file->entries, count, sizeof *file->entries, compare_places);
    for (size_t i = 0; i < count; i++)
        file->by_name[i] = &file->entries[i];
    qsort(file->by_name, count, sizeof *file->by_name, compare_names);
    return check_places(file, r);
}

/* ---- the file ---- */

/* file = length (8 bytes) header (that many) data (the rest). The header is cut off before it is
 * parsed, so that no name or number in it can reach beyond. */
static bool parse(nn_safetensors *file, size_t size, const char *origin, base_error *error)
{
    uint64_t length = 0;
    if (size < LENGTH_BYTES)
        return base_fail(error, "%.200s: %zu bytes, expected at least 8", origin, size);
    for (int i = 0; i < LENGTH_BYTES; i++)
        length |= (uint64_t)(unsigned char)file->bytes[i] << 8 * i;
    if (length > size - LENGTH_BYTES || length > MAX_HEADER)
        return base_fail(error,
                         "%.200s: the header is said to have %" PRIu64
                         " bytes, expected at most %zu, what is left of the file, and %d",
                         origin, length, size - LENGTH_BYTES, MAX_HEADER);
    const char *header = file->bytes + LENGTH_BYTES;
    if (length == 0 || *header != '{')
        return base_fail(error, "%.200s: the header does not begin with '{'", origin);
    file->header = base_json_parse(header, (size_t)length, origin, error);
    if (!file->header)
        return false;
    reader r = {(const unsigned char *)header + length, size - LENGTH_BYTES - (size_t)length,
                origin, error};
    return read_entries(file, &r);
}

/* A file whose header cannot even begin is looked at once more: "is gzip-compressed" helps more than the
 * absurd length that its first eight bytes make. Errors inside of a header stay as they are. */
nn_safetensors *nn_safetensors_parse(const void *bytes, size_t size, const char *origin,
                                     base_error *error)
{
    nn_safetensors *file = base_calloc(1, sizeof *file);
    if (!file) {
        base_fail(error, "%.200s: no memory", origin);
        return NULL;
    }
    file->bytes = bytes;
    if (!parse(file, size, origin, error)) {
        bool lost = size <= LENGTH_BYTES || file->bytes[LENGTH_BYTES] != '{';
        const char *kind = lost ? base_kind(bytes, size) : NULL;
        if (kind)
            base_fail(error, "%.200s: is %s, expected a safetensors file", origin, kind);
        nn_safetensors_free(file);
        return NULL;
    }
    return file;
}

/* The whole file in memory, as long as the result is. */
nn_safetensors *nn_safetensors_read(const char *path, base_error *error)
{
    size_t size = 0;
    char *bytes = base_file_read(path, PTRDIFF_MAX - 1, &size, error);
    nn_safetensors *file = bytes ? nn_safetensors_parse(bytes, size, path, error) : NULL;
    if (file)
        file->own = bytes;
    else
        base_free(bytes);
    return file;
}

void nn_safetensors_free(nn_safetensors *file)
{
    if (!file)
        return;
    for (int i = 0; i < file->shard_count; i++)
        nn_safetensors_free(file->shards[i]);
    base_free(file->shards);
    base_json_free(file->header);
    base_free(file->entries);
    base_free(file->by_name);
    base_free(file->own);
    base_free(file);
}

/* ---- shards ---- */

/* A name in the index's own folder, and no way out of it. */
static bool is_plain(const base_json *name)
{
    return name->kind == BASE_JSON_STRING && strlen(name->string) == name->length &&
           name->length > 0 && !strchr(name->string, '/') && strcmp(name->string, "..") != 0;
}

/* The shard of that name, read when it is first named; names: of those that have been. */
static nn_safetensors *shard_of(nn_safetensors *all, const char **names, const char *index,
                                const char *name, base_error *error)
{
    for (int i = 0; i < all->shard_count; i++)
        if (strcmp(names[i], name) == 0)
            return all->shards[i];
    const char *slash = strrchr(index, '/');
    base_text path = {0};
    base_text_add(&path, index, slash ? (size_t)(slash + 1 - index) : 0);
    base_text_print(&path, "%s", name);
    nn_safetensors *shard = NULL;
    if (path.failed)
        base_fail(error, "%s: no memory", index);
    else
        shard = nn_safetensors_read(path.data, error);
    base_text_free(&path);
    if (shard) {
        names[all->shard_count] = name;
        all->shards[all->shard_count++] = shard;
    }
    return shard;
}

/* Every tensor that the index names is in the file that it says. */
static bool read_map(nn_safetensors *all, const base_json *map, const char **names,
                     const char *index, base_error *error)
{
    for (const base_json *member = map->child; member; member = member->next) {
        if (!is_plain(member))
            return base_fail(error, "%.200s: \"%.100s\": expected the name of a file beside it",
                             index, member->name);
        const nn_safetensors *shard = shard_of(all, names, index, member->string, error);
        if (!shard)
            return false;
        if (!nn_safetensors_find(shard, member->name))
            return base_fail(error, "%.200s: tensor \"%.100s\" is not in %.100s", index,
                             member->name, member->string);
    }
    return true;
}

/* All entries of all shards, which are as many as the index names: then none is in two. */
static bool join(nn_safetensors *all, size_t named, const char *index, base_error *error)
{
    size_t count = 0;
    for (int i = 0; i < all->shard_count; i++)
        count += (size_t)all->shards[i]->count;
    if (count != named)
        return base_fail(error, "%.200s: names %zu tensors, its files have %zu", index, named,
                         count);
    all->entries = base_calloc(count + 1, sizeof *all->entries);
    all->by_name = base_calloc(count + 1, sizeof *all->by_name);
    if (!all->entries || !all->by_name)
        return base_fail(error, "%.200s: no memory for its %zu tensors", index, count);
    for (int i = 0; i < all->shard_count; i++)
        for (int k = 0; k < all->shards[i]->count; k++)
            all->entries[all->count++] = all->shards[i]->entries[k];
    for (size_t i = 0; i < count; i++)
        all->by_name[i] = &all->entries[i];
    qsort(all->by_name, count, sizeof *all->by_name, compare_names);
    return true;
}

/* index = {"metadata": ..., "weight_map": {tensor ":" file, ...}}
 *
 * Every shard is checked by the same code as a file that stands alone; read_map() then holds the
 * index against the shards, and join() the shards against the index. The first error is kept: each
 * step runs only if all before it succeeded, and what was made is freed in one place. */
nn_safetensors *nn_safetensors_read_shards(const char *index, base_error *error)
{
    nn_safetensors *all = base_calloc(1, sizeof *all);
    bool ok = all || base_fail(error, "%.200s: no memory", index);
    if (ok)
        ok = (all->header = base_json_read(index, MAX_HEADER, error)) != NULL;
    const base_json *map = ok ? base_json_get(all->header, "weight_map") : NULL;
    if (ok && (!map || map->kind != BASE_JSON_OBJECT || map->length == 0))
        ok = base_fail(error, "%.200s: expected an object \"weight_map\" of tensors and files",
                       index);
    const char **names = ok ? base_calloc(map->length, sizeof *names) : NULL;
    if (ok)
        all->shards = base_calloc(map->length, sizeof *all->shards);
    if (ok && (!names || !all->shards))
        ok = base_fail(error, "%.200s: no memory", index);
    ok = ok && read_map(all, map, names, index, error) && join(all, map->length, index, error);
    base_free(names);
    if (ok)
        return all;
    nn_safetensors_free(all);
    return NULL;
}

int nn_safetensors_count(const nn_safetensors *file) { return file->count; }

const nn_safetensors_entry *nn_safetensors_at(const nn_safetensors *file, int i)
{
    return i >= 0 && i < file->count ? &file->entries[i] : NULL;
}

/* By bisection: a model of hundreds of parameters asks for each. */
const nn_safetensors_entry *nn_safetensors_find(const nn_safetensors *file, const char *name)
{
    nn_safetensors_entry wanted = {.name = name};
    const nn_safetensors_entry *key = &wanted, **found;
    found = bsearch(&key, file->by_name, (size_t)file->count, sizeof *file->by_name, compare_names);
    return found ? *found : NULL;
}

/* by_name needs no new sorting: names that lose what all begin with stay in their order. */
bool nn_safetensors_strip(nn_safetensors *file, const char *prefix)
{
    size_t length = strlen(prefix);
    for (int i = 0; i < file->count; i++)
        if (strncmp(file->entries[i].name, prefix, length) != 0)
            return false;
    for (int i = 0; i < file->count; i++)
        file->entries[i].name += length;
    return file->count > 0;
}

void nn_safetensors_rename(nn_safetensors *file, int i, const char *name)
{
    file->entries[i].name = name;
    qsort(file->by_name, (size_t)file->count, sizeof *file->by_name, compare_names);
}

/* ---- elements ---- */

/* Byte by byte, so that neither alignment nor the machine's order of bytes matters. */
static uint64_t little_endian(const unsigned char *bytes, size_t count)
{
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++)
        value |= (uint64_t)bytes[i] << 8 * i;
    return value;
}

/* IEEE 754 half precision: sign, 5 bits of exponent (bias 15), 10 of fraction. */
static float float_of_half(uint32_t half)
{
    uint32_t sign = (half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 0x3FF;
    if (exponent == 31) /* infinity, NaN */
        return base_float_of_bits(sign | 0x7F800000 | fraction << 13);
    if (exponent == 0) { /* zero, subnormal */
        float x = (float)fraction * 0x1p-24f;
        return sign ? -x : x;
    }
    return base_float_of_bits(sign | (exponent + 127 - 15) << 23 | fraction << 13);
}

/* Two's complement, without relying on how a conversion treats what does not fit. */
static int64_t signed_of_bits(uint64_t bits)
{
    int64_t value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Element i of one of the integer types, which are all exact in 64 bits. */
static int64_t integer_at(const nn_safetensors_entry *entry, size_t i)
{
    switch (entry->dtype) {
    case NN_I64:
        return signed_of_bits(little_endian(entry->data + i * 8, 8));
    case NN_I32: {
        uint64_t bits = little_endian(entry->data + i * 4, 4);
        return (int64_t)bits - ((bits & 0x80000000) ? INT64_C(0x100000000) : 0);
    }
    default: /* U8 */
        return entry->data[i];
    }
}

/* Half precision and bfloat16 are exact in float; double is rounded, integers beyond 2^24 as
 * well. */
float nn_safetensors_float(const nn_safetensors_entry *entry, size_t i)
{
    switch (entry->dtype) {
    case NN_F32:
        return base_float_of_bits((uint32_t)little_endian(entry->data + i * 4, 4));
    case NN_F16:
        return float_of_half((uint32_t)little_endian(entry->data + i * 2, 2));
    case NN_BF16: /* the upper half of a float */
        return base_float_of_bits((uint32_t)little_endian(entry->data + i * 2, 2) << 16);
    case NN_F64:
        return (float)base_double_of_bits(little_endian(entry->data + i * 8, 8));
    default:
        return (float)integer_at(entry, i);
    }
}

/* Towards zero, and the nearest there is for what does not fit; NaN is 0. */
int64_t nn_safetensors_int(const nn_safetensors_entry *entry, size_t i)
{
    double x;
    switch (entry->dtype) {
    case NN_F32:
    case NN_F16:
    case NN_BF16:
        x = (double)nn_safetensors_float(entry, i);
        break;
    case NN_F64:
        x = base_double_of_bits(little_endian(entry->data + i * 8, 8));
        break;
    default:
        return integer_at(entry, i);
    }
    if (!(x > -0x1p63)) /* NaN too */
        return x != x ? 0 : INT64_MIN;
    return x < 0x1p63 ? (int64_t)x : INT64_MAX;
}
