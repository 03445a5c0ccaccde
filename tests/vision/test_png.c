/* SPDX-License-Identifier: MIT */
/* test_png.c -- vision/png.c: pictures that are written here in every kind of colours and with every
 * filter, pictures that libpng wrote, and all that a file can claim wrongly. */
#include "tests/test.h"
#include "tests/vision/test_png.h"
#include "vision/images_internal.h"

static int samples_of(int kind) { return kind == 2 ? 3 : kind == 4 ? 2 : kind == 6 ? 4 : 1; }

/* Rows of `line` bytes with filter (first + y) % 5 each; by the definition, from bytes that are not filtered. */
static size_t filter_rows(const unsigned char *samples, int line, int height, int step, int first,
                          unsigned char *out)
{
    size_t size = 0;
    for (int y = 0; y < height; y++) {
        int filter = (first + y) % 5;
        out[size++] = (unsigned char)filter;
        for (int i = 0; i < line; i++) {
            const unsigned char *at = samples + y * line + i;
            int left = i >= step ? at[-step] : 0, above = y > 0 ? at[-line] : 0;
            int corner = y > 0 && i >= step ? at[-line - step] : 0;
            int p = left + above - corner, a = abs(p - left), b = abs(p - above),
                c = abs(p - corner);
            int paeth = a <= b && a <= c ? left : b <= c ? above : corner;
            const int taken[5] = {0, left, above, (left + above) / 2, paeth};
            out[size++] = (unsigned char)(*at - taken[filter]);
        }
    }
    return size;
}

/* Splits the stream into `pieces` chunks. */
static void put_data(png_file *f, const png_file *stream, int pieces)
{
    for (int i = 0; i < pieces; i++) {
        size_t from = stream->size * (size_t)i / (size_t)pieces,
               to = stream->size * (size_t)(i + 1) / (size_t)pieces;
        png_chunk(f, "IDAT", stream->bytes + from, to - from);
    }
}

static bool take(const png_file *f, vision_images *image, base_error *error)
{
    vision_bytes copy = {malloc(f->size + 1), f->size, "p"};
    memcpy(copy.data, f->bytes, f->size);
    return vision_take_picture(image, copy, error);
}

/* ---- pictures that are right ---- */

enum { WIDTH = 11, HEIGHT = 9, PIXELS = WIDTH * HEIGHT };

/* In which of the seven passes a pixel of an 8 x 8 square is: ISO/IEC 15948, 8.2. */
static const char *const adam7[8] = {"16462646", "77777777", "56565656", "77777777",
                                     "36463646", "77777777", "56565656", "77777777"};

/* The samples of the pixels of one pass (0: of all), as rows of bytes, high bits first, filtered. */
static size_t put_pass(const unsigned *sample, int width, int height, int samples, int bits,
                       int pass, int first, unsigned char *out)
{
    unsigned char bytes[PIXELS * 8] = {0};
    int lines = 0, line = 0;
    for (int y = 0; y < height; y++) {
        int bit = 0;
        for (int x = 0; x < width; x++) {
            if (pass > 0 && adam7[y % 8][x % 8] != '0' + pass)
                continue;
            for (int i = 0; i < samples * bits; i++, bit++) {
                unsigned value = sample[(y * width + x) * samples + i / bits];
                if (value >> (bits - 1 - i % bits) & 1)
                    bytes[lines * line + bit / 8] |= (unsigned char)(128 >> bit % 8);
            }
        }
        lines += bit > 0;
        line = bit > 0 ? (bit + 7) / 8 : line;
    }
    return filter_rows(bytes, line, lines, samples * bits < 8 ? 1 : samples * bits / 8, first, out);
}

/* What channel c of a pixel has to be. */
static int expected(int kind, int bits, const unsigned *sample, const unsigned char *palette,
                    const unsigned char *alphas, int alphas_count, int c)
{
    int most = (1 << bits) - 1, alpha = 255, value = (int)sample[kind == 2 || kind == 6 ? c : 0];
    if (kind == 3) {
        alpha = value < alphas_count ? alphas[value] : 255;
        value = palette[3 * value + c];
        most = 255;
    } else if (kind == 4 || kind == 6) {
        alpha = (int)((sample[kind == 4 ? 1 : 3] * 255U + (unsigned)most / 2) / (unsigned)most);
    }
    value = (int)(((unsigned)value * 255U + (unsigned)most / 2) / (unsigned)most);
    return (value * alpha + 255 * (255 - alpha) + 127) / 255;
}

static void test_kind(int kind, int bits, int first, bool interlaced, int width, int height)
{
    static const unsigned char alphas[] = {0, 128};
    static png_file f, stream;
    static unsigned sample[PIXELS * 4];
    static unsigned random = 1;
    unsigned char palette[3 * 256], rows[PIXELS * 8 + 7 * HEIGHT];
    const int samples = samples_of(kind), channels = kind == 0 || kind == 4 ? 1 : 3;
    for (size_t i = 0; i < sizeof sample / sizeof *sample; i++)
        sample[i] = ((random = random * 1103515245 + 12345) >> 12 & 0xffff) >> (16 - bits);
    for (size_t i = 0; i < sizeof palette; i++)
        palette[i] = (unsigned char)((random = random * 1103515245 + 12345) >> 16);
    png_begin(&f, width, height, bits, kind, interlaced);
    png_chunk(&f, "tEXt", "by\0hand", 7);
    if (kind == 3) {
        png_chunk(&f, "PLTE", palette, 3U << bits);
        png_chunk(&f, "tRNS", alphas, sizeof alphas);
    }
    size_t size = 0;
    for (int pass = interlaced; pass <= 7 * interlaced; pass++)
        size += put_pass(sample, width, height, samples, bits, pass, first, rows + size);
    stream.size = 0;
    png_pack(&stream, rows, size);
    put_data(&f, &stream, 1 + first);
    png_chunk(&f, "IEND", "", 0);
    png_add(&f, "behind it", 9);

    vision_images image;
    base_error error = {""};
    bool taken = take(&f, &image, &error);
    CHECK(taken, "kind %d, %d bits: %s", kind, bits, error.text);
    if (!taken)
        return;
    CHECK(image.count == 1 && image.channels == channels && image.height == height &&
              image.width == width && !image.labels,
          "kind %d: %d %dx%d", kind, image.channels, image.width, image.height);
    int wrong = 0;
    for (int c = 0; c < channels; c++)
        for (int i = 0; i < width * height; i++)
            wrong += image.pixels[c * width * height + i] !=
                     expected(kind, bits, sample + i * samples, palette, alphas, 2, c);
    CHECK(wrong == 0,
          "kind %d, %d bits, filters from %d, interlaced %d, %dx%d: %d pixels are wrong", kind,
          bits, first, interlaced, width, height, wrong);
    vision_images_free(&image);
}

/* Sides down to 1, where passes are empty and rows end within a byte. */
static void test_kinds(void)
{
    static const struct {
        int kind, bits;
    } rows[] = {{0, 1}, {0, 2}, {0, 4}, {0, 8}, {0, 16}, {2, 8}, {2, 16}, {3, 1},
                {3, 2}, {3, 4}, {3, 8}, {4, 8}, {4, 16}, {6, 8}, {6, 16}};
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
        for (int first = 0; first < 5; first++)
            for (int interlaced = 0; interlaced < 2; interlaced++) {
                const int kind = rows[k].kind, bits = rows[k].bits;
                test_kind(kind, bits, first, interlaced, WIDTH, HEIGHT);
                test_kind(kind, bits, first, interlaced, 1 + first, 1 + 2 * first);
                test_kind(kind, bits, first, interlaced, 8 - first, 1);
            }
}

/* The colour that tRNS names is white, of grey and of colour pictures. */
static void test_key(void)
{
    static png_file f, stream;
    vision_images image;
    base_error error = {""};
    const unsigned char grey[] = {0, 5, 6, 5}, colour[] = {0, 1, 2, 3, 1, 2, 4};
    png_begin(&f, 3, 1, 8, 0, 0);
    png_chunk(&f, "tRNS", "\0\5", 2);
    stream.size = 0;
    png_pack(&stream, grey, sizeof grey);
    put_data(&f, &stream, 1);
    png_chunk(&f, "IEND", "", 0);
    CHECK(take(&f, &image, &error) && memcmp(image.pixels, "\xff\6\xff", 3) == 0, "%s", error.text);
    vision_images_free(&image);
    png_begin(&f, 2, 1, 8, 2, 0);
    png_chunk(&f, "tRNS", "\0\1\0\2\0\3", 6);
    stream.size = 0;
    png_pack(&stream, colour, sizeof colour);
    put_data(&f, &stream, 1);
    png_chunk(&f, "IEND", "", 0);
    CHECK(take(&f, &image, &error) && memcmp(image.pixels, "\xff\1\xff\2\xff\4", 6) == 0, "%s",
          error.text);
    vision_images_free(&image);
    png_begin(&f, 3, 1, 2, 0, 0); /* samples 1, 2, 3 */
    png_chunk(&f, "tRNS", "\0\2", 2);
    stream.size = 0;
    png_pack(&stream, (const unsigned char *)"\0\x6c", 2);
    put_data(&f, &stream, 1);
    png_chunk(&f, "IEND", "", 0);
    CHECK(take(&f, &image, &error) && memcmp(image.pixels, "\x55\xff\xff", 3) == 0, "%s",
          error.text);
    vision_images_free(&image);
    png_begin(&f, 2, 1, 16, 0,
              0); /* of which the first alone is the colour, and 8 bits do not tell */
    png_chunk(&f, "tRNS", "\x12\x34", 2);
    stream.size = 0;
    png_pack(&stream, (const unsigned char *)"\0\x12\x34\x12\x35", 5);
    put_data(&f, &stream, 1);
    png_chunk(&f, "IEND", "", 0);
    CHECK(take(&f, &image, &error) && memcmp(image.pixels, "\xff\x12", 2) == 0, "%s", error.text);
    vision_images_free(&image);
}

/* Written by libpng 1.6.39 (pnmtopng), and what their pixels are on white. */
static const struct {
    int channels, height, width;
    size_t size;
    unsigned char bytes[400], pixels[162];
} libpng[] = {
    {1,
     6,
     9,
     86,
     {137, 80,  78, 71,  13, 10,  26,  10,  0,   0,   0,   13, 73,  72,  68, 82, 0,   0,
      0,   9,   0,  0,   0,  6,   8,   0,   0,   0,   0,   52, 172, 235, 25, 0,  0,   0,
      29,  73,  68, 65,  84, 8,   153, 99,  100, 224, 135, 2,  38,  118, 24, 96, 17,  133,
      137, 177, 40, 195, 89, 134, 112, 150, 61,  140, 5,   0,  88,  159, 3,  83, 253, 252,
      66,  245, 0,  0,   0,  0,   73,  69,  78,  68,  174, 66, 96,  130},
     {0,   15,  30,  45,  60,  75,  90,  105, 120, 7,   22,  37,  52,  67,  82,  97,  112, 127,
      28,  43,  58,  73,  88,  103, 118, 133, 148, 63,  78,  93,  108, 123, 138, 153, 168, 183,
      112, 127, 142, 157, 172, 187, 202, 217, 232, 175, 190, 205, 220, 235, 250, 9,   24,  39}},
    {3,
     6,
     9,
     116,
     {137, 80,  78,  71,  13,  10,  26,  10,  0,   0,   0,   13,  73,  72,  68,  82,  0,
      0,   0,   9,   0,   0,   0,   6,   8,   2,   0,   0,   0,   158, 165, 35,  146, 0,
      0,   0,   59,  73,  68,  65,  84,  8,   153, 99,  100, 248, 207, 192, 255, 81,  23,
      43,  98,  98,  255, 41,  138, 11,  177, 136, 190, 182, 199, 208, 1,   21,  97,  180,
      63,  176, 23,  151, 153, 140, 5,   253, 1,   184, 228, 88,  236, 15,  238, 229, 255,
      248, 10,  134, 224, 102, 188, 226, 255, 248, 10,  0,   212, 34,  68,  44,  240, 12,
      106, 63,  0,   0,   0,   0,   73,  69,  78,  68,  174, 66,  96,  130},
     {0,   15,  30,  45,  60,  75,  90,  105, 120, 7,   22,  37,  52,  67,  82,  97,  112, 127,
      28,  43,  58,  73,  88,  103, 118, 133, 148, 63,  78,  93,  108, 123, 138, 153, 168, 183,
      112, 127, 142, 157, 172, 187, 202, 217, 232, 175, 190, 205, 220, 235, 250, 9,   24,  39,
      255, 240, 225, 210, 195, 180, 165, 150, 135, 248, 233, 218, 203, 188, 173, 158, 143, 128,
      227, 212, 197, 182, 167, 152, 137, 122, 107, 192, 177, 162, 147, 132, 117, 102, 87,  72,
      143, 128, 113, 98,  83,  68,  53,  38,  23,  80,  65,  50,  35,  20,  5,   246, 231, 216,
      0,   45,  90,  135, 180, 225, 14,  59,  104, 21,  66,  111, 156, 201, 246, 35,  80,  125,
      84,  129, 174, 219, 8,   53,  98,  143, 188, 189, 234, 23,  68,  113, 158, 203, 248, 37,
      80,  125, 170, 215, 4,   49,  94,  139, 184, 13,  58,  103, 148, 193, 238, 27,  72,  117}},
    {3,
     6,
     9,
     176,
     {137, 80,  78,  71,  13,  10,  26,  10,  0,   0,   0,   13,  73,  72,  68,  82,  0,   0,
      0,   9,   0,   0,   0,   6,   8,   3,   0,   0,   0,   38,  25,  68,  247, 0,   0,   0,
      60,  80,  76,  84,  69,  216, 165, 68,  12,  250, 1,   180, 180, 225, 144, 195, 144, 108,
      210, 81,  72,  225, 36,  36,  240, 9,   204, 170, 33,  0,   255, 0,   168, 185, 196, 132,
      200, 121, 96,  215, 64,  60,  230, 25,  228, 160, 105, 24,  245, 4,   192, 175, 0,   156,
      190, 169, 120, 205, 100, 84,  220, 49,  48,  235, 16,  195, 32,  198, 135, 0,   0,   0,
      47,  73,  68,  65,  84,  8,   153, 99,  224, 96,  228, 99,  19,  230, 97,  21,  226, 102,
      96,  17,  228, 98,  22,  224, 100, 226, 103, 103, 96,  224, 133, 138, 50,  8,   113, 67,
      69,  25,  128, 194, 16,  81,  6,   144, 98,  176, 40,  0,   60,  250, 2,   13,  100, 83,
      224, 231, 0,   0,   0,   0,   73,  69,  78,  68,  174, 66,  96,  130},
     {0,   12,  24,  36,  48,  60,  72,  84,  96,  108, 120, 132, 144, 156, 168, 180, 192, 204,
      216, 228, 0,   12,  24,  36,  48,  60,  72,  84,  96,  108, 120, 132, 144, 156, 168, 180,
      192, 204, 216, 228, 0,   12,  24,  36,  48,  60,  72,  84,  96,  108, 120, 132, 144, 156,
      255, 250, 245, 240, 235, 230, 225, 220, 215, 210, 205, 200, 195, 190, 185, 180, 175, 170,
      165, 160, 255, 250, 245, 240, 235, 230, 225, 220, 215, 210, 205, 200, 195, 190, 185, 180,
      175, 170, 165, 160, 255, 250, 245, 240, 235, 230, 225, 220, 215, 210, 205, 200, 195, 190,
      0,   1,   4,   9,   16,  25,  36,  49,  64,  81,  100, 121, 144, 169, 196, 225, 0,   33,
      68,  105, 0,   1,   4,   9,   16,  25,  36,  49,  64,  81,  100, 121, 144, 169, 196, 225,
      0,   33,  68,  105, 0,   1,   4,   9,   16,  25,  36,  49,  64,  81,  100, 121, 144, 169}},
    {3,
     6,
     9,
     141,
     {137, 80,  78,  71,  13,  10,  26,  10,  0,   0,   0,   13,  73,  72,  68,  82,  0,   0,
      0,   9,   0,   0,   0,   6,   8,   6,   0,   0,   0,   17,  199, 180, 197, 0,   0,   0,
      84,  73,  68,  65,  84,  8,   153, 99,  100, 248, 207, 160, 206, 255, 81,  247, 35,  62,
      204, 194, 254, 83,  244, 32,  251, 79,  209, 143, 80,  140, 204, 134, 99,  22,  209, 215,
      246, 231, 177, 155, 96,  143, 48,  73,  249, 110, 230, 93,  84,  201, 76,  76,  235, 12,
      207, 79,  126, 13,  225, 76,  198, 225, 166, 201, 31,  89,  236, 15,  238, 253, 201, 255,
      241, 21,  18,  222, 251, 147, 255, 163, 46,  20,  67,  196, 0,   150, 188, 118, 229, 75,
      145, 173, 169, 0,   0,   0,   0,   73,  69,  78,  68,  174, 66,  96,  130},
     {216, 232, 247, 49,  75,  100, 122, 143, 162, 29,  57,  82,  106, 128, 148, 167, 184, 199,
      92,  115, 137, 157, 174, 191, 205, 218, 229, 144, 163, 180, 196, 209, 222, 232, 240, 247,
      184, 199, 212, 223, 233, 241, 247, 252, 254, 217, 228, 237, 245, 250, 254, 226, 241, 255,
      255, 254, 254, 211, 200, 190, 183, 177, 173, 249, 236, 226, 217, 210, 205, 201, 199, 199,
      235, 227, 220, 215, 213, 211, 212, 214, 218, 218, 214, 212, 211, 213, 215, 220, 227, 235,
      199, 199, 201, 205, 210, 217, 226, 236, 249, 173, 177, 183, 190, 200, 211, 254, 254, 255,
      216, 235, 249, 137, 186, 229, 61,  109, 151, 42,  94,  141, 182, 219, 249, 132, 168, 198,
      132, 172, 206, 236, 136, 169, 198, 221, 238, 217, 244, 148, 179, 206, 227, 243, 254, 231,
      168, 198, 223, 242, 189, 213, 232, 245, 253, 141, 174, 201, 224, 240, 252, 228, 244, 255}},
    {1,
     6,
     9,
     95,
     {137, 80,  78,  71,  13,  10,  26,  10,  0,   0,   0,   13,  73,  72,  68, 82,  0,  0,   0,
      9,   0,   0,   0,   6,   8,   4,   0,   0,   0,   187, 206, 124, 78,  0,  0,   0,  38,  73,
      68,  65,  84,  8,   153, 99,  100, 80,  231, 255, 136, 10,  25,  217, 95, 160, 11, 177, 136,
      158, 199, 16,  82,  190, 139, 33,  100, 248, 26,  67,  200, 254, 39,  63, 26,  4,  0,   143,
      210, 53,  161, 240, 190, 192, 188, 0,   0,   0,   0,   73,  69,  78,  68, 174, 66, 96,  130},
     {216, 232, 247, 49,  75,  100, 122, 143, 162, 29,  57,  82,  106, 128, 148, 167, 184, 199,
      92,  115, 137, 157, 174, 191, 205, 218, 229, 144, 163, 180, 196, 209, 222, 232, 240, 247,
      184, 199, 212, 223, 233, 241, 247, 252, 254, 217, 228, 237, 245, 250, 254, 226, 241, 255}},
};

static void test_libpng(void)
{
    for (size_t i = 0; i < sizeof libpng / sizeof *libpng; i++) {
        static png_file f;
        vision_images image;
        base_error error = {""};
        f.size = 0;
        png_add(&f, libpng[i].bytes, libpng[i].size);
        bool taken = take(&f, &image, &error);
        CHECK(taken && image.channels == libpng[i].channels && image.height == libpng[i].height &&
                  image.width == libpng[i].width &&
                  memcmp(image.pixels, libpng[i].pixels,
                         (size_t)(image.channels * image.height * image.width)) == 0,
              "%zu: %s", i, error.text);
        if (taken)
            vision_images_free(&image);
    }
}

/* ---- pictures that are wrong ---- */

static void refuse(const png_file *f, const char *want)
{
    vision_images image;
    base_error error = {""};
    bool taken = take(f, &image, &error);
    CHECK(!taken && !image.pixels && strncmp(error.text, want, strlen(want)) == 0,
          "\"%s\", want \"%s\"", error.text, want);
    if (taken)
        vision_images_free(&image);
}

/* A grey picture of 2 x 2 whose parts can be replaced. */
typedef struct parts {
    int width, height, bits, kind, interlaced;
    const char *before, *before_data; /* a chunk in front of the pixels */
    size_t before_size;
    const unsigned char *rows;
    size_t size;
    bool no_data, no_end, split;
} parts;

static void put_parts(png_file *f, const parts *p)
{
    static png_file stream;
    png_begin(f, p->width, p->height, p->bits, p->kind, p->interlaced);
    if (p->before)
        png_chunk(f, p->before, p->before_data, p->before_size);
    stream.size = 0;
    png_pack(&stream, p->rows, p->size);
    if (p->split) {
        png_chunk(f, "IDAT", stream.bytes, 3);
        png_chunk(f, "tEXt", "", 0);
        png_chunk(f, "IDAT", stream.bytes + 3, stream.size - 3);
    } else if (!p->no_data) {
        put_data(f, &stream, 1);
    }
    if (!p->no_end)
        png_chunk(f, "IEND", "", 0);
}

static void test_lies(void)
{
    static const unsigned char rows[] = {0, 1, 2, 0, 3, 4};
    static const parts right = {.width = 2, .height = 2, .bits = 8, .rows = rows, .size = 6};
    static png_file f;
    static const struct {
        int bits, kind, interlaced;
        const char *want;
    } headers[] = {
        {1, 2, 0,
         "p: PNG: has 1 bits a sample, expected 8 or 16, or of grey and palettes 1, 2 or 4"},
        {2, 4, 0, "p: PNG: has 2 bits a sample"},
        {4, 6, 0, "p: PNG: has 4 bits a sample"},
        {16, 3, 0, "p: PNG: has 16 bits a sample"},
        {3, 0, 0, "p: PNG: has 3 bits a sample"},
        {0, 0, 0, "p: PNG: has 0 bits a sample"},
        {8, 0, 1, "p: PNG: has 6 bytes of pixels, expected the 7 of 2x2"},
        {1, 0, 0, "p: zlib, byte "},
        {8, 0, 2, "p: PNG: its interlacing is no known one"},
        {8, 1, 0, "p: PNG: its kind of colours is 1"},
        {8, 7, 0, "p: PNG: its kind of colours is 7"},
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        parts p = right;
        p.bits = headers[i].bits, p.kind = headers[i].kind, p.interlaced = headers[i].interlaced;
        put_parts(&f, &p);
        refuse(&f, headers[i].want);
    }
    static const struct {
        int width, height;
        const char *want;
    } sizes[] = {{0, 2, "p: PNG: the width is 0, expected 1 to 1024"},
                 {2, 1025, "p: PNG: the height is 1025"},
                 {-1, 2, "p: PNG: the width is 4294967295"},
                 {2, 3, "p: PNG: has 6 bytes of pixels, expected the 9 of 2x3"},
                 {1, 2, "p: zlib, byte "}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        parts p = right;
        p.width = sizes[i].width, p.height = sizes[i].height;
        put_parts(&f, &p);
        refuse(&f, sizes[i].want);
    }
    static const struct {
        int kind;
        const char *type, *data;
        size_t size;
        const char *want;
    } befores[] = {
        {0, "PLTE", "123", 3, "p: PNG, byte 33: chunk PLTE: a grey picture has no palette"},
        {3, "PLTE", "1234", 4, "p: PNG, byte 33: chunk PLTE: expected one, of 1 to 256"},
        {3, "PLTE", "123456", 6, "p: PNG: pixel 1 has colour 2 of a palette of 2"},
        {3, "tRNS", "1", 1, "p: PNG, byte 33: chunk tRNS: expected no more entries"},
        {3, NULL, NULL, 0, "p: PNG, byte 33: chunk IDAT: expected a palette in front"},
        {0, "tRNS", "1", 1, "p: PNG, byte 33: chunk tRNS: expected two bytes a sample"},
        {0, "tRNS", "11", 2, "p: PNG, byte 33: chunk tRNS: the transparent colour is beyond"},
        {4, "tRNS", "11", 2, "p: PNG, byte 33: chunk tRNS: expected where there is no alpha"},
        {0, "acTL", "12345678", 8, "p: is an animated PNG"},
        {0, "ABCd", "", 0, "p: PNG, byte 33: chunk ABCd: it has to be understood"},
        {0, "IHDR", "", 0, "p: PNG, byte 33: chunk IHDR: it has to be understood"},
        {0, "a1Cd", "", 0, "p: PNG, byte 37: expected a chunk's type"},
    };
    for (size_t i = 0; i < sizeof befores / sizeof *befores; i++) {
        parts p = right;
        p.kind = befores[i].kind, p.before = befores[i].type, p.before_data = befores[i].data;
        p.before_size = befores[i].size;
        put_parts(&f, &p);
        refuse(&f, befores[i].want);
    }
    parts p = right;
    p.no_data = true;
    put_parts(&f, &p);
    refuse(&f, "p: PNG, byte 33: chunk IEND: there were no pixels");
    p = right, p.no_end = true;
    put_parts(&f, &p);
    refuse(&f, "p: PNG, byte 62: the file ends here, expected a chunk");
    p = right, p.split = true;
    put_parts(&f, &p);
    refuse(&f, "p: PNG, byte 60: chunk IDAT: expected behind the one before it");
    static const unsigned char filtered[] = {0, 1, 2, 5, 3, 4};
    p = right, p.rows = filtered;
    put_parts(&f, &p);
    refuse(&f, "p: PNG: row 1 has filter 5, expected 0 to 4");

    /* every bit of a file is somebody's to check: of the chunks, CRC-32 */
    put_parts(&f, &right);
    const png_file whole = f;
    for (size_t i = 0; i < 8 * whole.size; i++) {
        vision_images image;
        base_error error = {""};
        f = whole;
        f.bytes[i / 8] ^= (unsigned char)(1U << i % 8);
        bool taken = take(&f, &image, &error);
        CHECK(!taken && strncmp(error.text, "p: ", 3) == 0, "bit %zu: %s", i, error.text);
        if (taken)
            vision_images_free(&image);
    }
    for (f = whole; f.size-- > 0;) {
        vision_images image;
        base_error error = {""};
        bool taken = take(&f, &image, &error);
        CHECK(!taken && strncmp(error.text, "p: ", 3) == 0, "%zu bytes: %s", f.size, error.text);
        if (taken)
            vision_images_free(&image);
    }
}

/* A stream that is packed wrongly around a right deflate stream. */
static void test_streams(void)
{
    static const struct {
        size_t at;
        unsigned char bits;
        const char *want;
    } rows[] = {
        {0, 1, "p: zlib, byte 0: expected the two bytes"},
        {1, 32, "p: zlib, byte 0: expected the two bytes"},
        {2, 6, "p: zlib, byte "},
        {8, 1, "p: zlib, byte 13: expected the checksum"},
        {16, 1, "p: zlib, byte 13: expected the checksum"},
    };
    static const unsigned char pixels[] = {0, 1, 2, 0, 3, 4};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        static png_file f, stream;
        stream.size = 0;
        png_pack(&stream, pixels, sizeof pixels);
        stream.bytes[rows[i].at] ^= rows[i].bits;
        png_begin(&f, 2, 2, 8, 0, 0);
        put_data(&f, &stream, 1);
        png_chunk(&f, "IEND", "", 0);
        refuse(&f, rows[i].want);
    }
    static png_file f, stream;
    for (size_t left = 0; left < 17; left++) { /* it ends before its checksum */
        stream.size = 0;
        png_pack(&stream, pixels, sizeof pixels);
        stream.size = left;
        png_begin(&f, 2, 2, 8, 0, 0);
        put_data(&f, &stream, 1);
        png_chunk(&f, "IEND", "", 0);
        refuse(&f,
               left > 0 ? "p: zlib, byte " : "p: PNG, byte 45: chunk IEND: there were no pixels");
    }
}

int main(void)
{
    test_kinds();
    test_key();
    test_libpng();
    test_lies();
    test_streams();
    return test_end();
}
