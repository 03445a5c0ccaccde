/* SPDX-License-Identifier: MIT */
/* png.c -- one picture out of a PNG file (ISO/IEC 15948), of every kind that there is.
 *
 *   file  = 89 "PNG" 0d 0a 1a 0a, then chunks, of which the last is IEND
 *   chunk = length of its data (4), type (4 letters), data, CRC-32 of type and data (4)
 *
 * IHDR says size and kind, PLTE is a palette, tRNS says what is transparent, and the data of all IDAT
 * behind each other are one zlib stream. A type that begins with a capital letter has to be understood;
 * others may be passed over. The stream unpacks to the rows from the top down, a byte in front of each:
 * the filter, which says what was subtracted from every byte of the row before it was packed:
 *
 *   0 nothing   1 left   2 above   3 (left + above) / 2   4 whichever of left, above and above left is
 *                                                           nearest to left + above - above left (Paeth)
 *
 * where left is the same sample of the pixel before (of samples below a byte: the byte before), and what is
 * outside of the picture is 0. What is transparent is seen on white paper: c becomes c a + 255 (1 - a). A
 * sample of other than 8 bits, 0 .. most, becomes round(255 sample / most). An interlaced file (Adam7) has seven
 * small pictures behind each other, of every eighth pixel and so on, which are read like one each.
 *
 * Every length is compared with what the file has before it is used, and the size of the unpacked rows
 * follows from IHDR: the stream must unpack to exactly that, and is not unpacked any further. */
#include "vision/images_internal.h"

#include "base/memory.h"
#include "vision/inflate.h"
#include <stdlib.h>
#include <string.h>

enum { SIGNATURE = 8, AROUND = 12 /* bytes of a chunk that are not its data */, HEADER = 13 };

/* IHDR's kinds: the sum of 1 (palette), 2 (colours) and 4 (alpha). */
enum { GREY = 0, COLOUR = 2, PALETTE = 3, GREY_ALPHA = 4, COLOUR_ALPHA = 6 };

static const unsigned char signature[SIGNATURE] = {0x89, 'P', 'N', 'G', 13, 10, 26, 10};

typedef struct png {
    vision_bytes *file;
    size_t at; /* where the next chunk begins */
    base_error *error;
    int width, height, kind, bits; /* bits: of a sample */
    bool interlaced;
    int colours; /* entries of the palette */
    unsigned char palette[256][4];
    bool keyed;      /* one colour is transparent, of pictures without alpha */
    unsigned key[3]; /* as the samples are in the file */
    size_t packed;   /* bytes of IDAT so far, which are moved to the front of the file's block */
    bool closed;     /* another chunk came behind them */
} png;

/* A chunk whose length and checksum are right. */
typedef struct chunk {
    size_t length, at; /* at: of its first byte in the file */
    const unsigned char *data;
    char type[5];
} chunk;

bool vision_is_png(const vision_bytes *file)
{
    return file->size >= SIGNATURE && memcmp(file->data, signature, SIGNATURE) == 0;
}

static uint32_t read_four(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Nothing of a chunk is looked at before its length fits into the file and its checksum is right; a letter of its type
 * says more than that only in read_chunks(). */
static bool read_chunk(png *p, chunk *c)
{
    const vision_bytes *f = p->file;
    if (f->size - p->at < AROUND)
        return base_fail(p->error, "%s: PNG, byte %zu: the file ends here, expected a chunk",
                         f->name, f->size);
    const unsigned char *at = f->data + p->at;
    *c = (chunk){.length = read_four(at), .at = p->at, .data = at + 8};
    for (int i = 0; i < 4; i++) {
        char letter = (char)at[4 + i];
        if (!((letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z')))
            return base_fail(p->error, "%s: PNG, byte %zu: expected a chunk's type, four letters",
                             f->name, p->at + 4);
        c->type[i] = letter;
    }
    if (c->length > f->size - p->at - AROUND)
        return base_fail(p->error,
                         "%s: PNG, byte %zu: chunk %s has %zu bytes, and %zu are left in the file",
                         f->name, p->at, c->type, c->length, f->size - p->at - AROUND);
    if (vision_crc(at + 4, c->length + 4) != read_four(c->data + c->length))
        return base_fail(p->error, "%s: PNG, byte %zu: the checksum of chunk %s is wrong", f->name,
                         p->at, c->type);
    p->at += c->length + AROUND;
    return true;
}

/* An error in a chunk, named by where it begins. */
static bool wrong(const png *p, const chunk *c, const char *what)
{
    return base_fail(p->error, "%s: PNG, byte %zu: chunk %s: %s", p->file->name, c->at, c->type,
                     what);
}

/* ---- chunks ---- */

static bool read_side(const png *p, const char *what, const unsigned char *at, int *side)
{
    uint32_t value = read_four(at);
    if (value < 1 || value > VISION_MAX_SIDE)
        return base_fail(p->error, "%s: PNG: %s is %lu, expected 1 to %d", p->file->name, what,
                         (unsigned long)value, (int)VISION_MAX_SIDE);
    *side = (int)value;
    return true;
}

/* IHDR = width (4) height (4) bits kind compression filters interlacing */
static bool read_header(png *p)
{
    chunk c;
    const char *name = p->file->name;
    if (!read_chunk(p, &c))
        return false;
    if (strcmp(c.type, "IHDR") != 0 || c.length != HEADER)
        return wrong(p, &c, "expected IHDR of 13 bytes as the first");
    int bits = c.data[8], kind = c.data[9];
    if (!read_side(p, "the width", c.data, &p->width) ||
        !read_side(p, "the height", c.data + 4, &p->height))
        return false;
    if (kind > 6 || kind == 1 || kind == 5)
        return base_fail(p->error, "%s: PNG: its kind of colours is %d, expected 0, 2, 3, 4 or 6",
                         name, kind);
    const bool small = bits == 1 || bits == 2 || bits == 4;
    if (!(bits == 8 || (bits == 16 && kind != PALETTE) ||
          (small && (kind == GREY || kind == PALETTE))))
        return base_fail(p->error,
                         "%s: PNG: has %d bits a sample, expected 8 or 16, or of grey and palettes "
                         "1, 2 or 4",
                         name, bits);
    if (c.data[10] != 0 || c.data[11] != 0)
        return wrong(p, &c, "expected 0 for deflate, and 0 for its five filters");
    if (c.data[12] > 1)
        return base_fail(p->error, "%s: PNG: its interlacing is no known one", name);
    p->kind = kind;
    p->bits = bits;
    p->interlaced = c.data[12] == 1;
    return true;
}

static bool read_palette(png *p, const chunk *c)
{
    if (p->kind == GREY || p->kind == GREY_ALPHA)
        return wrong(p, c, "a grey picture has no palette");
    if (p->packed || p->colours || c->length % 3 != 0 || c->length < 3 || c->length > 3 * 256)
        return wrong(p, c, "expected one, of 1 to 256 colours, in front of the pixels");
    p->colours = (int)(c->length / 3);
    for (int i = 0; i < p->colours; i++) {
        memcpy(p->palette[i], c->data + 3 * i, 3);
        p->palette[i][3] = 255;
    }
    return true;
}

/* Of a palette, an alpha for each of its first entries; else the one transparent colour, of two bytes
 * a sample. */
static bool read_transparency(png *p, const chunk *c)
{
    size_t samples = p->kind == GREY ? 1 : 3;
    if (p->packed || p->kind == GREY_ALPHA || p->kind == COLOUR_ALPHA)
        return wrong(p, c, "expected where there is no alpha, and in front of the pixels");
    if (p->kind == PALETTE) {
        if (c->length > (size_t)p->colours)
            return wrong(p, c, "expected no more entries than the palette has, behind it");
        for (size_t i = 0; i < c->length; i++)
            p->palette[i][3] = c->data[i];
        return true;
    }
    if (c->length != 2 * samples)
        return wrong(p, c, "expected two bytes a sample");
    for (size_t i = 0; i < samples; i++) {
        p->key[i] = (unsigned)c->data[2 * i] << 8 | c->data[2 * i + 1];
        if (p->key[i] >> p->bits != 0)
            return wrong(p, c, "the transparent colour is beyond a sample's bits");
    }
    p->keyed = true;
    return true;
}

/* The data follow those of the IDAT before; what stood there has been read. */
static bool add_data(png *p, const chunk *c)
{
    if (p->closed)
        return wrong(p, c, "expected behind the one before it");
    if (p->kind == PALETTE && !p->colours)
        return wrong(p, c, "expected a palette in front of it");
    memmove(p->file->data + p->packed, c->data, c->length);
    p->packed += c->length;
    return true;
}

/* Chunks up to IEND; the file may have more behind it. */
static bool read_chunks(png *p)
{
    chunk c;
    p->at = SIGNATURE;
    if (!read_header(p))
        return false;
    for (;;) {
        if (!read_chunk(p, &c))
            return false;
        bool data = strcmp(c.type, "IDAT") == 0;
        p->closed = p->closed || (p->packed && !data);
        if (strcmp(c.type, "IEND") == 0)
            return p->packed > 0 || wrong(p, &c, "there were no pixels (IDAT) in front of it");
        if (strcmp(c.type, "acTL") == 0)
            return base_fail(p->error, "%s: is an animated PNG, expected one picture",
                             p->file->name);
        bool is_palette = strcmp(c.type, "PLTE") == 0, is_alpha = strcmp(c.type, "tRNS") == 0;
        if ((data && !add_data(p, &c)) || (is_palette && !read_palette(p, &c)) ||
            (is_alpha && !read_transparency(p, &c)))
            return false;
        if (!data && !is_palette && c.type[0] <= 'Z')
            return wrong(p, &c, "it has to be understood, and is not known here");
    }
}

/* ---- pixels ---- */

static int samples_of(int kind)
{
    static const int samples[] = {
        [GREY] = 1, [COLOUR] = 3, [PALETTE] = 1, [GREY_ALPHA] = 2, [COLOUR_ALPHA] = 4};
    return samples[kind];
}

/* Paeth's predictor (filter 4). Of equals it takes left before above before corner, as the standard asks. */
static int nearest(int left, int above, int corner)
{
    int sum = left + above - corner;
    int to_left = abs(sum - left), to_above = abs(sum - above), to_corner = abs(sum - corner);
    if (to_left <= to_above && to_left <= to_corner)
        return left;
    return to_above <= to_corner ? above : corner;
}

/* Adds to each byte of a row of `count` what was subtracted. before: the row above; NULL: none. */
static bool unfilter(int filter, unsigned char *row, const unsigned char *before, size_t count,
                     size_t step)
{
    if (filter > 4)
        return false;
    for (size_t i = 0; i < count && filter > 0; i++) {
        int left = i >= step ? row[i - step] : 0, above = before ? before[i] : 0;
        int corner = before && i >= step ? before[i - step] : 0, add = left;
        if (filter == 2)
            add = above;
        else if (filter == 3)
            add = (left + above) / 2;
        else if (filter == 4)
            add = nearest(left, above, corner);
        row[i] = (unsigned char)(row[i] + add);
    }
    return true;
}

/* round(value * alpha / 255 + 255 * (1 - alpha / 255)), in whole numbers. */
static unsigned char on_white(unsigned value, unsigned alpha)
{
    return (unsigned char)((value * alpha + 255 * (255 - alpha) + 127) / 255);
}

/* Sample i of a row, as it is in the file. */
static unsigned sample_of(const unsigned char *row, size_t i, int bits)
{
    if (bits == 16)
        return (unsigned)row[2 * i] << 8 | row[2 * i + 1];
    const size_t bit = i * (size_t)bits;
    return row[bit / 8] >> (8 - (size_t)bits - bit % 8) & ((1U << bits) - 1);
}

/* A pixel, whose samples are those of a row from `first` on, to place i of the planes. */
static bool put_pixel(const png *p, const unsigned char *row, size_t first, unsigned char *planes,
                      size_t plane, size_t i)
{
    bool grey = p->kind == GREY || p->kind == GREY_ALPHA, keyed = p->keyed;
    int samples = samples_of(p->kind), channels = grey ? 1 : 3;
    unsigned value[4] = {0}, alpha = 255, most = (1U << p->bits) - 1;
    for (int c = 0; c < samples; c++) {
        value[c] = sample_of(row, first + (size_t)c, p->bits);
        keyed = keyed && value[c] == p->key[c];
    }
    if (p->kind == PALETTE) {
        const int entry = (int)value[0];
        if (entry >= p->colours)
            return base_fail(p->error, "%s: PNG: pixel %zu has colour %d of a palette of %d",
                             p->file->name, i, entry, p->colours);
        for (int c = 0; c < 3; c++)
            value[c] = p->palette[entry][c];
        alpha = p->palette[entry][3];
        most = 255;
    } else if (keyed) {
        alpha = 0;
    }
    for (int c = 0; c < 4; c++)
        value[c] = (value[c] * 255 + most / 2) / most;
    if (p->kind == GREY_ALPHA || p->kind == COLOUR_ALPHA)
        alpha = value[samples - 1];
    for (int c = 0; c < channels; c++)
        planes[(size_t)c * plane + i] = on_white(value[c], alpha);
    return true;
}

/* Every dx-th pixel from x on, of every dy-th row from y on; behind each other in the file. */
typedef struct pass {
    int x, y, dx, dy;
} pass;

static const pass adam7[] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                             {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
static const pass whole[] = {{0, 0, 1, 1}};

/* How many pixels of `side` a pass has from `first` on; 0: none, and no rows of it are in the file. */
static size_t part_of(int side, int first, int step)
{
    return side > first ? (size_t)((side - first + step - 1) / step) : 0;
}

/* Bytes of a row of so many pixels, without the one in front of it that names the filter. */
static size_t row_bytes(const png *p, size_t pixels)
{
    return (pixels * (size_t)samples_of(p->kind) * (size_t)p->bits + 7) / 8;
}

static size_t pass_bytes(const png *p, const pass *s)
{
    const size_t width = part_of(p->width, s->x, s->dx), height = part_of(p->height, s->y, s->dy);
    return width > 0 ? height * (row_bytes(p, width) + 1) : 0;
}

/* rows: what the stream unpacked to for this pass. */
static bool read_rows(const png *p, const pass *s, unsigned char *rows, vision_images *image)
{
    const size_t samples = (size_t)samples_of(p->kind), step = samples * (size_t)p->bits / 8;
    const size_t width = part_of(p->width, s->x, s->dx), line = row_bytes(p, width);
    const size_t plane = (size_t)p->width * (size_t)p->height;
    for (int y = s->y; width > 0 && y < p->height; y += s->dy, rows += line + 1) {
        unsigned char *row = rows + 1;
        if (!unfilter(*rows, row, y > s->y ? row - line - 1 : NULL, line, step > 0 ? step : 1))
            return base_fail(p->error, "%s: PNG: row %d has filter %d, expected 0 to 4",
                             p->file->name, y, *rows);
        for (size_t x = 0; x < width; x++) {
            const size_t column = (size_t)s->x + x * (size_t)s->dx;
            if (!put_pixel(p, row, x * samples, image->pixels, plane,
                           (size_t)y * (size_t)p->width + column))
                return false;
        }
    }
    return true;
}

/* Unpacks the rows, and makes planes of them in a block of their own. */
static bool read_pixels(const png *p, vision_images *image)
{
    bool grey = p->kind == GREY || p->kind == GREY_ALPHA;
    const pass *passes = p->interlaced ? adam7 : whole;
    const int count = p->interlaced ? 7 : 1;
    size_t size = 0, length = 0, plane = (size_t)p->width * (size_t)p->height;
    for (int i = 0; i < count; i++)
        size += pass_bytes(p, &passes[i]);
    unsigned char *rows =
        vision_inflate_zlib(p->file->data, p->packed, size, p->file->name, &length, p->error);
    if (!rows)
        return false;
    *image = (vision_images){
        .count = 1, .channels = grey ? 1 : 3, .height = p->height, .width = p->width};
    bool good = length == size || base_fail(p->error,
                                            "%s: PNG: has %zu bytes of pixels, expected the %zu of "
                                            "%dx%d",
                                            p->file->name, length, size, p->width, p->height);
    if (good && !(image->pixels = base_malloc((size_t)image->channels * plane)))
        good = base_fail(p->error, "%s: no memory for its pixels", p->file->name);
    unsigned char *at = rows;
    for (int i = 0; good && i < count; at += pass_bytes(p, &passes[i++]))
        good = read_rows(p, &passes[i], at, image);
    base_free(rows);
    return good;
}

bool vision_take_png(vision_images *image, vision_bytes bytes, base_error *error)
{
    png p = {.file = &bytes, .error = error};
    *image = (vision_images){0};
    bool good =
        vision_is_png(&bytes) || base_fail(error, "%s: does not begin as a PNG does", bytes.name);
    good = good && read_chunks(&p) && read_pixels(&p, image);
    base_free(bytes.data);
    if (!good)
        vision_images_free(image);
    return good;
}
