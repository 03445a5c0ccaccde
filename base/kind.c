/* SPDX-License-Identifier: MIT */
/* kind.c -- a table of how files begin.
 *
 * What stands under the name of a model or of an image is now and then something else: the pointer
 * that Git LFS leaves, a page that says "not found", weights of another framework. All of these
 * give themselves away in their first bytes, as the file(1) command knows. */
#include "base/kind.h"

#include <string.h>

static const struct {
    const char *bytes;
    size_t size;
    int in_letters; /* a text may begin so as well, say with a column's name: see is_text() */
    size_t offset;
    const char *kind;
} begins[] = {
#define BEGIN(text)   text, sizeof text - 1, 0
#define LETTERS(text) text, sizeof text - 1, 1
    {BEGIN("version https://git-lfs"), 0,
     "a Git LFS pointer, not yet the file itself (git lfs pull fetches it)"},
    {BEGIN("/annex/objects/"), 0, "a git-annex pointer, not the file itself (git annex get)"},
    {BEGIN("\x1f\x8b"), 0, "gzip-compressed"},
    {BEGIN("PK\x03\x04"), 0,
     "a zip archive (as Excel's .xlsx, PyTorch's .bin, .pt and NumPy's .npz are)"},
    {BEGIN("PK\x05\x06"), 0, "an empty zip archive"},
    {BEGIN("\x80\x02"), 0, "a Python pickle (as PyTorch's old .bin and .pt are)"},
    {BEGIN("\x80\x03"), 0, "a Python pickle"},
    {BEGIN("\x80\x04"), 0, "a Python pickle"},
    {BEGIN("\x80\x05"), 0, "a Python pickle"},
    {BEGIN("\x89HDF\r\n"), 0, "an HDF5 file (as TensorFlow's and Keras's .h5 are)"},
    {BEGIN("\x93NUMPY"), 0, "a NumPy array"},
    {LETTERS("GGUF"), 0, "a GGUF model"},
    {BEGIN("\n\x0e\n\x05<unk>"), 0, "a SentencePiece model"},
    {BEGIN("\n\x0e\n\x05<pad>"), 0, "a SentencePiece model"},
    {LETTERS("BZh"), 0, "bzip2-compressed"},
    {BEGIN("\xfd\x37zXZ"), 0, "xz-compressed"},
    {BEGIN("\x28\xb5\x2f\xfd"), 0, "zstd-compressed"},
    {BEGIN("7z\xbc\xaf"), 0, "a 7-Zip archive"},
    {LETTERS("Rar!"), 0, "a RAR archive"},
    {BEGIN("ustar"), 257, "a tar archive"},
    {BEGIN("\x89PNG"), 0, "a PNG image"},
    {BEGIN("\xff\xd8\xff"), 0, "a JPEG image"},
    {LETTERS("GIF8"), 0, "a GIF image"},
    {LETTERS("WEBP"), 8, "a WebP image"},
    {LETTERS("BM"), 0, "a BMP image"},
    {BEGIN("II*\0"), 0, "a TIFF image"},
    {BEGIN("MM\0*"), 0, "a TIFF image"},
    {LETTERS("ftyp"), 4, "a picture or film in boxes (as .heic, .avif and .mp4 are)"},
    {LETTERS("SQLite format 3"), 0, "an SQLite database"},
    {BEGIN("\xd0\xcf\x11\xe0"), 0, "an old Office document (as .xls is)"},
    {LETTERS("ARROW1"), 0, "an Arrow file"},
    {LETTERS("PAR1"), 0, "a Parquet file"},
    {BEGIN("%PDF"), 0, "a PDF document"},
    {BEGIN("\x7f\x45LF"), 0, "a program (ELF)"},
    {BEGIN("\xff\xfe\0\0"), 0, "UTF-32 text"},
    {BEGIN("\xff\xfe"), 0, "UTF-16 text"},
    {BEGIN("\xfe\xff"), 0, "UTF-16 text"},
#undef BEGIN
#undef LETTERS
};

size_t base_kind_mark(const void *bytes, size_t size)
{
    return size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

void base_kind_drop_mark(char *text, size_t *length)
{
    const size_t mark = base_kind_mark(text, *length);
    if (mark > 0)
        memmove(text, text + mark, (*length -= mark) + 1);
}

/* A page may begin with white space or a byte order mark, in letters of either case. */
static int is_page(const char *bytes, size_t size)
{
    static const char *const tags[] = {"<!doctype", "<html", "<head", "<?xml", "<svg"};
    size_t at = base_kind_mark(bytes, size);
    while (at < size && bytes[at] != '\0' && strchr(" \t\r\n", bytes[at]))
        at++;
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        size_t same = 0;
        while (tags[i][same] && at + same < size &&
               (bytes[at + same] | (bytes[at + same] >= 'A' && bytes[at + same] <= 'Z' ? 32 : 0)) ==
                   tags[i][same])
            same++;
        if (!tags[i][same])
            return 1;
    }
    return 0;
}

/* Whether the first bytes are none that only a binary file has. */
static int is_text(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size && i < 64; i++) {
        unsigned char byte = (unsigned char)bytes[i]; /* char has a sign on some machines only */
        if (byte < '\t' || (byte > '\r' && byte < ' '))
            return 0;
    }
    return 1;
}

const char *base_kind(const void *bytes, size_t size)
{
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        if (size >= begins[i].offset + begins[i].size &&
            memcmp((const char *)bytes + begins[i].offset, begins[i].bytes, begins[i].size) == 0 &&
            !(begins[i].in_letters && is_text(bytes, size)))
            return begins[i].kind;
    return is_page(bytes, size) ? "a web page (HTML or XML), perhaps of an error" : NULL;
}
