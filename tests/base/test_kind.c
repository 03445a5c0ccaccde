/* SPDX-License-Identifier: MIT */
/* test_kind.c -- what files that stand under another's name are called. */
#include "base/kind.h"
#include "base/json.h"
#include "tests/test.h"

static void named(const char *bytes, size_t size, const char *expected)
{
    const char *kind = base_kind(bytes, size);
    CHECK(kind && strstr(kind, expected), "%.8s...: %s, want %s", bytes, kind ? kind : "nothing",
          expected);
    for (size_t length = 0; length < 5 && length < size; length++)
        base_kind(bytes, length); /* reads nothing beyond: for the sanitizers */
}

int main(void)
{
#define NAMED(bytes, expected) named(bytes, sizeof bytes - 1, expected)
    NAMED("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n", "git lfs pull");
    NAMED("/annex/objects/SHA256E-s3--00", "git-annex");
    NAMED("PK\003\004\024\000archive/data.pkl", "PyTorch");
    NAMED("\200\002\212\nl\374\234F\371 j\250P\031.", "pickle");
    NAMED("\200\004\225", "pickle");
    NAMED("\037\213\010", "gzip");
    NAMED("<!DOCTYPE html><html>", "HTML");
    NAMED("\xef\xbb\xbf\n\t <HTML lang=\"en\">", "HTML");
    NAMED("<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code></Error>", "XML");
    NAMED("\211HDF\r\n\032\n", "HDF5");
    NAMED("\n\016\n\005<unk>", "SentencePiece");
    NAMED("\211PNG\r\n\032\n", "PNG");
    NAMED("\377\376{\000", "UTF-16");
    NAMED("PAR1\025\004\025", "Parquet");
    NAMED("BM\066\003\0\0\0\0\0\0\066\0\0\0", "BMP");
    NAMED("RIFF\020\0\0\0WEBPVP8 ", "WebP");
    NAMED("\0\0\0\030ftypheic", ".heic");
    NAMED("II*\0\010\0\0\0", "TIFF");
    NAMED("SQLite format 3\0\020\0", "SQLite");
    NAMED("\320\317\021\340\241\261\032\341", ".xls");
    NAMED("\377\376\0\0a\0\0\0", "UTF-32");
    NAMED("<svg xmlns=\"http://www.w3.org/2000/svg\"/>", "XML");
    char tar[512] = "data_batch_1.bin";
    memcpy(tar + 257, "ustar", 5);
    named(tar, sizeof tar, "tar");

    static const char *const unknown[] = {
        "", "{\"d_model\": 16}", "#include \"phoenix.h\"\n", "< html>", "<htm", "P",
        /* headers of tables */
        "PAR1,PAR2,y\n", "BMI,age,y\n", "col_ftype,y\n", "BZh\n1\n", "GIF8;y\r\n1;2\r\n"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        const char *kind = base_kind(unknown[i], strlen(unknown[i]));
        CHECK(!kind, "%s: %s", unknown[i], kind);
    }

    base_error error = {""};
    static const char page[] = "<!doctype html>\n<title>404</title>";
    CHECK(!base_json_parse(page, sizeof page - 1, "m/config.json", &error) &&
              strcmp(error.text, "m/config.json: is a web page (HTML or XML), perhaps of an error, "
                                 "expected JSON") == 0,
          "%s", error.text);
    return test_end();
}
