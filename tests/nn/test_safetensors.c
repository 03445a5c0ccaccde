/* SPDX-License-Identifier: MIT */
/* test_safetensors.c -- nn/safetensors.c and nn/safetensors_write.c: what is written is read
 * back, and what lies is refused. */
#include "base/file.h"
#include "nn/safetensors.h"
#include "tests/test.h"

#include <inttypes.h>
#include <math.h>
#include <unistd.h>

/* ---- files put together by hand ---- */

typedef struct image {
    unsigned char *bytes; /* exactly as long as the file, so that reading beyond it is seen */
    size_t size;
} image;

/* header, with its length in front and `data` bytes 0, 1, 2, ... behind it. */
static image build(const char *header, size_t data)
{
    size_t length = strlen(header);
    image file = {malloc(8 + length + data), 8 + length + data};
    for (int i = 0; i < 8; i++)
        file.bytes[i] = (unsigned char)((uint64_t)length >> 8 * i);
    memcpy(file.bytes + 8, header, length);
    for (size_t i = 0; i < data; i++)
        file.bytes[8 + length + i] = (unsigned char)i;
    return file;
}

static nn_safetensors *parse(const image *file, base_error *error)
{
    error->text[0] = '\0';
    return nn_safetensors_parse(file->bytes, file->size, "file", error);
}

static const char good_header[] =
    "{\"__metadata__\":{\"format\":\"pt\"},"
    "\"w.a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[10,34]},"
    "\"h\":{\"dtype\":\"F16\",\"shape\":[5],\"data_offsets\":[0,10]},"
    "\"none\":{\"dtype\":\"F32\",\"shape\":[0,7],\"data_offsets\":[34,34]},"
    "\"scalar\":{\"data_offsets\":[34,42],\"dtype\":\"I64\",\"shape\":[]}}   ";
enum { GOOD_DATA = 42 };

static void test_reading(void)
{
    image file = build(good_header, GOOD_DATA);
    base_error error;
    nn_safetensors *read = parse(&file, &error);
    CHECK(read, "%s", error.text);
    if (!read)
        return;
    static const char *const order[] = {"h", "w.a", "none", "scalar"};
    CHECK(nn_safetensors_count(read) == 4, "%d entries", nn_safetensors_count(read));
    for (int i = 0; i < 4; i++) {
        const nn_safetensors_entry *entry = nn_safetensors_at(read, i);
        CHECK(strcmp(entry->name, order[i]) == 0, "entry %d is %s", i, entry->name);
        CHECK(nn_safetensors_find(read, order[i]) == entry, "%s is not found", order[i]);
    }
    const nn_safetensors_entry *w = nn_safetensors_find(read, "w.a");
    CHECK(w->dtype == NN_F32 && w->rank == 2 && w->shape[0] == 2 && w->shape[1] == 3,
          "w.a: rank %d", w->rank);
    CHECK(w->count == 6 && w->data[0] == 10, "w.a: %zu elements, first byte %d", w->count,
          w->data[0]);
    const nn_safetensors_entry *scalar = nn_safetensors_find(read, "scalar");
    CHECK(scalar->rank == 0 && scalar->count == 1, "scalar: %zu elements", scalar->count);
    CHECK(nn_safetensors_int(scalar, 0) == INT64_C(0x2928272625242322), "%" PRId64,
          nn_safetensors_int(scalar, 0));
    CHECK(nn_safetensors_find(read, "none")->count == 0, "none has elements");
    CHECK(!nn_safetensors_find(read, "__metadata__"), "metadata is an entry");
    CHECK(!nn_safetensors_find(read, ""), "found what is not there");
    CHECK(!nn_safetensors_at(read, 4) && !nn_safetensors_at(read, -1), "an entry too many");
    nn_safetensors_free(read);
    nn_safetensors_free(NULL);
    free(file.bytes);
}

/* ---- numbers ---- */

static const nn_safetensors_entry *one(nn_dtype dtype, const void *data,
                                       nn_safetensors_entry *entry)
{
    *entry = (nn_safetensors_entry){.name = "x", .dtype = dtype, .count = 1, .data = data};
    return entry;
}

static void test_floats(void)
{
    static const struct {
        nn_dtype dtype;
        unsigned char bytes[8];
        float want;
    } cases[] = {
        {NN_F32, {0, 0, 0x80, 0x3F}, 1},
        {NN_F32, {0, 0, 0x80, 0xFF}, -INFINITY},
        {NN_F32, {1, 0, 0, 0}, 0x1p-149F},
        {NN_F16, {0, 0x3C}, 1},
        {NN_F16, {0x55, 0xB5}, -0.333251953125F},
        {NN_F16, {0xFF, 0x7B}, 65504},
        {NN_F16, {0, 0x04}, 0x1p-14F},
        {NN_F16, {0xFF, 0x03}, 0x1.FF8p-15F}, /* the largest subnormal */
        {NN_F16, {1, 0x80}, -0x1p-24F},
        {NN_F16, {0, 0xFC}, -INFINITY},
        {NN_BF16, {0x80, 0x3F}, 1},
        {NN_BF16, {0x49, 0xC0}, -3.140625F},
        {NN_F64, {0, 0, 0, 0, 0, 0, 0xF8, 0x3F}, 1.5F},
        {NN_F64, {0, 0, 0, 0, 0, 0, 0xE0, 0x7F}, INFINITY}, /* 2^1023 */
        {NN_I32, {0xFE, 0xFF, 0xFF, 0xFF}, -2},
        {NN_I64, {0, 0, 0, 0, 0, 0, 0, 0x80}, -0x1p63F},
        {NN_U8, {200}, 200},
    };
    nn_safetensors_entry entry;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float got = nn_safetensors_float(one(cases[i].dtype, cases[i].bytes, &entry), 0);
        CHECK(got == cases[i].want, "case %zu: %a, expected %a", i, (double)got,
              (double)cases[i].want);
    }
    static const unsigned char nan16[] = {1, 0x7C}, zero16[] = {0, 0x80};
    float x = nn_safetensors_float(one(NN_F16, nan16, &entry), 0);
    CHECK(x != x, "half's NaN is %g", (double)x);
    x = nn_safetensors_float(one(NN_F16, zero16, &entry), 0);
    CHECK(x == 0 && signbit(x), "half's -0 is %g", (double)x);
}

/* All 65536 halves, against their definition. */
static void test_halves(void)
{
    int wrong = 0;
    for (unsigned half = 0; half < 65536; half++) {
        unsigned char bytes[2] = {(unsigned char)half, (unsigned char)(half >> 8)};
        int exponent = half >> 10 & 31, fraction = half & 1023;
        double want = exponent == 31  ? (fraction ? NAN : INFINITY)
                      : exponent == 0 ? ldexp(fraction, -24)
                                      : ldexp(1024 + fraction, exponent - 25);
        if (half & 0x8000)
            want = -want;
        nn_safetensors_entry entry;
        double got = (double)nn_safetensors_float(one(NN_F16, bytes, &entry), 0);
        wrong += !(got == want || (got != got && want != want));
    }
    CHECK(wrong == 0, "%d of all halves are wrong", wrong);
}

static void test_integers(void)
{
    static const struct {
        nn_dtype dtype;
        unsigned char bytes[8];
        int64_t want;
    } cases[] = {
        {NN_I64, {0x9C, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}, -100},
        {NN_I32, {0, 0, 0, 0x80}, -INT64_C(2147483648)},
        {NN_I32, {0xFF, 0xFF, 0xFF, 0x7F}, 2147483647},
        {NN_U8, {255}, 255},
        {NN_F32, {0, 0, 0x20, 0xC0}, -2}, /* -2.5, towards zero */
        {NN_F32, {0, 0, 0x80, 0x7F}, INT64_MAX},
        {NN_F32, {0, 0, 0xC0, 0x7F}, 0}, /* NaN */
        {NN_F64, {0, 0, 0, 0, 0, 0, 0xE0, 0xC3}, INT64_MIN},
        {NN_F64, {0, 0, 0, 0, 0, 0, 0xF0, 0xFF}, INT64_MIN}, /* -infinity */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nn_safetensors_entry entry;
        int64_t got = nn_safetensors_int(one(cases[i].dtype, cases[i].bytes, &entry), 0);
        CHECK(got == cases[i].want, "case %zu: %" PRId64 ", expected %" PRId64, i, got,
              cases[i].want);
    }
}

/* ---- lies ---- */

/* %s stands for one entry's object. */
static void test_lies(void)
{
    static const struct {
        const char *header;
        size_t data;
        const char *word; /* of the error */
    } cases[] = {
        {"[]", 0, "begin with"},
        {" {}", 0, "begin with"},
        {"{\"a\":1}", 0, "object"},
        {"{\"a\":{}}", 0, "dtype"},
        {"{\"a\":{\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "F31"},
        {"{\"a\":{\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "dtype"},
        {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "shape"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":4,\"data_offsets\":[0,4]}}", 4, "shape"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[0,4]}}", 4, "dimension 0"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,-1],\"data_offsets\":[0,4]}}", 4, "dimension 1"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[\"1\"],\"data_offsets\":[0,4]}}", 4, "dimension 0"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}", 4,
         "9 dimensions"},
        /* 2^64 times 1, and a product that wraps round to 1 = 3 * 0xAAAAAAAAAAAAAAAB */
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0,
         "product"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967295,2],\"data_offsets\":[0,0]}}",
         0, "product"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[0,9223372036854775807,4],\"data_offsets\":[0,0]}}", 0,
         "product"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[18446744073709551617],\"data_offsets\":[0,4]}}", 4,
         "dimension 0"},
        /* 2^62 elements of 4 bytes: 2^64, which wraps round to 0; of 32 bits there are not even so many */
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]}}", 0,
         SIZE_MAX > UINT32_MAX ? "expected 46" : "product of shape"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "data_offsets"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, "data_offsets"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}", 4, "data_offsets"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,\"4\"]}}", 4, "integers"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4e0]}}", 4, "integers"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}}", 4, "range"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, "range"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 4, "range"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,3]}}", 4, "elements"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "elements"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,7]}}", 7, "elements"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,4]}}", 4, "elements"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 8, "belong to no"},
        {"{}", 1, "belong to no"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "begins at 4"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
         "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}}",
         12, "\"b\" begins at 8"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
         "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
         8, "\"b\" begins at 4"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
         "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
         4, "\"b\" begins at 0"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
         "\"b\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[4,4]}}",
         8, "\"b\" begins at 4"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
         "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
         8, "twice"},
        {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
         "twice"},
        {"{\"a\\u0000b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "NUL"},
        {"{\"a\xFF\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "UTF-8"},
        {"{} x", 0, "end of the text"},
        {"{", 0, "expected"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        base_error error;
        image file = build(cases[i].header, cases[i].data);
        nn_safetensors *read = parse(&file, &error);
        CHECK(!read, "taken: %s", cases[i].header);
        CHECK(strstr(error.text, cases[i].word), "%s: \"%s\"", cases[i].header, error.text);
        CHECK(read || strncmp(error.text, "file", 4) == 0, "no origin: \"%s\"", error.text);
        nn_safetensors_free(read);
        free(file.bytes);
    }
}

static void test_header_length(void)
{
    static const uint64_t lengths[] = {0,
                                       1,
                                       3,
                                       100000001,
                                       UINT64_C(1) << 31,
                                       UINT64_C(1) << 32,
                                       (UINT64_C(1) << 32) + 2, /* 2 in 32 bits */
                                       UINT64_C(1) << 63,
                                       UINT64_MAX,
                                       UINT64_MAX - 7};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        base_error error;
        image file = build("{}", 0);
        for (int j = 0; j < 8; j++)
            file.bytes[j] = (unsigned char)(lengths[i] >> 8 * j);
        nn_safetensors *read = parse(&file, &error);
        CHECK(!read && error.text[0], "a header of %" PRIu64 " bytes was taken", lengths[i]);
        nn_safetensors_free(read);
        free(file.bytes);
    }
}

static void test_deep(void)
{
    enum { DEPTH = 100000 };
    char *header = malloc(2 * DEPTH + 16);
    strcpy(header, "{\"a\":");
    memset(header + 5, '[', DEPTH);
    header[5 + DEPTH] = '\0';
    base_error error;
    image file = build(header, 0);
    nn_safetensors *read = parse(&file, &error);
    CHECK(!read && strstr(error.text, "deep"), "%s", error.text);
    nn_safetensors_free(read);
    free(file.bytes);
    free(header);
}

/* The same file: as many entries, each with the same number of elements at the same place. What a
 * flipped bit may change is a name (of an entry or in the metadata), and a dimension of a shape
 * that has no elements. */
static bool is_like(const nn_safetensors *a, const nn_safetensors *b)
{
    if (nn_safetensors_count(a) != nn_safetensors_count(b))
        return false;
    const unsigned char *start_a = nn_safetensors_at(a, 0)->data;
    const unsigned char *start_b = nn_safetensors_at(b, 0)->data;
    for (int i = 0; i < nn_safetensors_count(a); i++) {
        const nn_safetensors_entry *x = nn_safetensors_at(a, i), *y = nn_safetensors_at(b, i);
        if (x->dtype != y->dtype || x->rank != y->rank || x->count != y->count ||
            x->data - start_a != y->data - start_b)
            return false;
        for (int j = 0; j < x->rank; j++)
            if (x->shape[j] != y->shape[j] && x->count > 0)
                return false;
    }
    return true;
}

static void check_like(const image *file, const nn_safetensors *good, const char *what,
                       size_t where)
{
    base_error error;
    image copy = {malloc(file->size ? file->size : 1), file->size};
    memcpy(copy.bytes, file->bytes, file->size);
    nn_safetensors *read = parse(&copy, &error);
    CHECK(read ? is_like(good, read) : error.text[0] != '\0', "%s %zu gave another reading", what,
          where);
    if (read)
        for (int i = 0; i < nn_safetensors_count(read); i++)
            for (size_t j = 0; j < nn_safetensors_at(read, i)->count; j++)
                nn_safetensors_float(nn_safetensors_at(read, i), j);
    nn_safetensors_free(read);
    free(copy.bytes);
}

static void test_damage(void)
{
    base_error error;
    image file = build(good_header, GOOD_DATA);
    nn_safetensors *good = parse(&file, &error);
    CHECK(good, "%s", error.text);
    if (!good)
        return;
    for (size_t size = 0; size < file.size; size++) {
        image cut = {file.bytes, size};
        nn_safetensors *read = parse(&cut, &error);
        CHECK(!read && error.text[0], "the first %zu of %zu bytes were taken", size, file.size);
        nn_safetensors_free(read);
        image exact = {malloc(size ? size : 1), size}; /* for ASan */
        memcpy(exact.bytes, file.bytes, size);
        nn_safetensors_free(parse(&exact, &error));
        free(exact.bytes);
    }
    for (size_t bit = 0; bit < (file.size - GOOD_DATA) * 8; bit++) {
        file.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        check_like(&file, good, "flipping bit", bit);
        file.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    for (size_t i = 0; i < file.size - GOOD_DATA; i++) { /* a byte doubled, a byte left out */
        image more = {malloc(file.size + 1), file.size + 1};
        memcpy(more.bytes, file.bytes, i);
        memcpy(more.bytes + i, file.bytes + i - (i > 0), file.size + 1 - i - (i == 0));
        check_like(&more, good, "doubling byte", i);
        more.size = file.size - 1;
        memcpy(more.bytes, file.bytes, i);
        memcpy(more.bytes + i, file.bytes + i + 1, file.size - i - 1);
        check_like(&more, good, "leaving out byte", i);
        free(more.bytes);
    }
    nn_safetensors_free(good);
    free(file.bytes);
}

/* ---- writing ---- */

static char path[64];

static void test_writing(void)
{
    static const float a[] = {1, -2.5F, NAN, INFINITY, 0x1p-149F, -0.0F}, b = 3;
    static const char *const metadata[] = {"format", "pt", "quo\"te", "back\\slash\n", NULL};
    const nn_safetensors_item items[] = {
        {"a", 3, {1, 2, 3}, a}, {"sch\xC3\xB6n \"b\"", 0, {0}, &b}, {"empty", 2, {4, 0}, a}};
    base_error error;
    char hash[BASE_HASH_TEXT], again[BASE_HASH_TEXT];
    CHECK(nn_safetensors_write(path, items, 3, metadata, hash, &error), "%s", error.text);
    CHECK(base_file_hash(path, again, &error) && strcmp(hash, again) == 0, "hash %s, file's %s",
          hash, again);
    nn_safetensors *read = nn_safetensors_read(path, &error);
    CHECK(read, "%s", error.text);
    if (!read)
        return;
    CHECK(nn_safetensors_count(read) == 3, "%d entries", nn_safetensors_count(read));
    for (int i = 0; i < 3; i++) {
        const nn_safetensors_entry *entry = nn_safetensors_find(read, items[i].name);
        CHECK(entry && entry->rank == items[i].rank && entry->dtype == NN_F32,
              "%s is not as written", items[i].name);
        if (!entry)
            continue;
        CHECK(memcmp(entry->shape, items[i].shape, sizeof entry->shape) == 0, "%s: other shape",
              items[i].name);
        for (size_t j = 0; j < entry->count; j++) {
            float x = nn_safetensors_float(entry, j);
            CHECK(memcmp(&x, &items[i].data[j], sizeof x) == 0, "%s[%zu] is %a", items[i].name, j,
                  (double)x);
        }
    }
    nn_safetensors_free(read);

    size_t size = 0;
    char *bytes = base_file_read(path, 10000, &size, &error);
    CHECK(bytes && bytes[8] == '{' && (unsigned char)bytes[0] % 8 == 0, "the data is not aligned");
    CHECK(bytes && strstr(bytes + 8, "\"__metadata__\":{\"format\":\"pt\","), "no metadata");
    free(bytes);
}

static void test_refused_writing(void)
{
    static const float x = 0;
    static const nn_safetensors_item twice[] = {{"a", 0, {0}, &x}, {"a", 0, {0}, &x}},
                                     reserved[] = {{"__metadata__", 0, {0}, &x}},
                                     rank[] = {{"a", 9, {0}, &x}},
                                     negative[] = {{"a", 1, {-1}, &x}},
                                     huge[] = {{"a", 2, {INT64_MAX, INT64_MAX}, &x}};
    static const struct {
        const nn_safetensors_item *items;
        int count;
        const char *word;
    } cases[] = {{twice, 2, "taken"},
                 {reserved, 1, "taken"},
                 {rank, 1, "rank"},
                 {negative, 1, "shape"},
                 {huge, 1, "shape"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        base_error error = {""};
        bool written =
            nn_safetensors_write(path, cases[i].items, cases[i].count, NULL, NULL, &error);
        CHECK(!written && strstr(error.text, cases[i].word), "case %zu: \"%s\"", i, error.text);
    }
    base_error error = {""};
    CHECK(!nn_safetensors_write("/nowhere/at/all", twice, 1, NULL, NULL, &error) && error.text[0],
          "written to a folder that is not there");
    CHECK(nn_safetensors_write(path, twice, 0, NULL, NULL, &error), "%s", error.text);
    nn_safetensors *read = nn_safetensors_read(path, &error);
    CHECK(read && nn_safetensors_count(read) == 0, "an empty list: %s", error.text);
    nn_safetensors_free(read);
    unlink(path);
    CHECK(!nn_safetensors_read(path, &error), "read a file that is not there");
}

/* ---- parameters ---- */

static nn_params *make_params(tensor_context *ctx, const char *last, int dim)
{
    base_error error;
    nn_params *params = nn_params_new(ctx);
    nn_param(params, "encoder.weight", 2, (int[]){2, 3});
    nn_param(params, last, 1, &dim);
    CHECK(nn_params_allocate(params, false, &error), "%s", error.text);
    for (size_t i = 0; i < nn_params_size(params); i++)
        nn_params_values(params)[i] = (float)i + 0.5F;
    return params;
}

static bool any(const char *name) { return strcmp(name, "bias") == 0; }

static void check_not_loaded(tensor_context *ctx, const nn_safetensors *file, const char *last,
                             int dim, const char *word)
{
    base_error error = {""};
    nn_params *params = make_params(ctx, last, dim);
    memset(nn_params_values(params), 0, nn_params_size(params) * sizeof(float));
    bool loaded = nn_params_load(params, file, "file", NULL, &error);
    CHECK(!loaded && strstr(error.text, word), "\"%s\", expected %s in it", error.text, word);
    CHECK(nn_params_values(params)[1] == 0, "a failed load changed a value");
    nn_params_free(params);
}

static void test_params(void)
{
    tensor_context *ctx = tensor_context_new();
    base_error error;
    nn_params *params = make_params(ctx, "bias", 4);
    size_t size = nn_params_size(params), bytes = size * sizeof(float);
    char hash[BASE_HASH_TEXT];
    CHECK(nn_params_save(params, path, hash, &error), "%s", error.text);
    nn_safetensors *file = nn_safetensors_read(path, &error);
    CHECK(file, "%s", error.text);
    float *values = nn_params_values(params), before[10];
    memcpy(before, values, bytes);
    memset(values, 0, bytes);
    CHECK(nn_params_load(params, file, path, NULL, &error), "%s", error.text);
    CHECK(memcmp(values, before, bytes) == 0, "other values came back");
    nn_params_free(params);

    check_not_loaded(ctx, file, "bias", 5, "(4), expected (5)");
    check_not_loaded(ctx, file, "other", 4, "\"other\"");

    params = nn_params_new(ctx);
    nn_param(params, "encoder.weight", 2, (int[]){2, 3});
    CHECK(nn_params_allocate(params, false, &error), "%s", error.text);
    CHECK(!nn_params_load(params, file, path, NULL, &error) && strstr(error.text, "\"bias\""),
          "an entry too many: %s", error.text);
    CHECK(nn_params_load(params, file, path, any, &error), "%s", error.text);
    CHECK(nn_params_values(params)[5] == 5.5F, "%g", (double)nn_params_values(params)[5]);
    nn_params_free(params);
    nn_safetensors_free(file);

    image integers = build("{\"n\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4);
    image halves = build("{\"n\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,2]}}", 2);
    params = nn_params_new(ctx);
    nn_param(params, "n", 1, (int[]){1});
    CHECK(nn_params_allocate(params, false, &error), "%s", error.text);
    file = parse(&integers, &error);
    CHECK(!nn_params_load(params, file, "file", NULL, &error) && strstr(error.text, "floats"), "%s",
          error.text);
    nn_safetensors_free(file);
    file = parse(&halves, &error);
    CHECK(nn_params_load(params, file, "file", NULL, &error), "%s", error.text);
    CHECK(*nn_params_values(params) == 0x1p-16F, "%g", (double)*nn_params_values(params));
    nn_safetensors_free(file);
    nn_params_free(params);
    free(integers.bytes);
    free(halves.bytes);
    tensor_context_free(ctx);
    unlink(path);
}

/* ---- the reference vectors ---- */

static void test_reference(void)
{
    const char *file = test_shared("golden/nn_ops.safetensors");
    if (!file) {
        SKIP("no golden/nn_ops.safetensors among the shared test data");
        return;
    }
    base_error error;
    nn_safetensors *read = nn_safetensors_read(file, &error);
    CHECK(read, "%s", error.text);
    const nn_safetensors_entry *x = read ? nn_safetensors_find(read, "conv2d.k1s1p0.in.x") : NULL;
    CHECK(x && x->rank == 4 && x->shape[3] == 7 && x->count == 210, "conv2d.k1s1p0.in.x");
    nn_safetensors_free(read);
}

int main(void)
{
    snprintf(path, sizeof path, "/tmp/test_nn_safetensors.%ld", (long)getpid());
    test_reading();
    test_floats();
    test_halves();
    test_integers();
    test_lies();
    test_header_length();
    test_deep();
    test_damage();
    test_writing();
    test_refused_writing();
    test_params();
    test_reference();
    return test_end();
}
