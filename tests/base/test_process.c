/* SPDX-License-Identifier: MIT */
/* test_process.c -- pipes, temporary folders, first lines. */
#include "base/process.h"
#include "base/file.h"
#include "tests/test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void a_pipe_carries_bytes(void)
{
    int ends[2];
    char got[4] = "";
    CHECK(base_pipe(ends, 7), "no pipe");
    CHECK(ends[0] >= 7 && ends[1] >= 7, "descriptors %d and %d", ends[0], ends[1]);
    CHECK(fcntl(ends[0], F_GETFD) == FD_CLOEXEC && fcntl(ends[1], F_GETFD) == FD_CLOEXEC,
          "they survive exec");
    CHECK(base_file_write_all(ends[1], "abc", 3, "pipe", NULL), "write");
    CHECK(base_file_read_all(ends[0], got, 3) && strcmp(got, "abc") == 0, "got %s", got);
    CHECK(base_file_write_all(ends[1], "d", 1, "pipe", NULL), "write");
    close(ends[1]);
    CHECK(!base_file_read_all(ends[0], got, 3), "two bytes are missing");
    close(ends[0]);
}

static void a_folder_comes_and_goes(void)
{
    char path[256], other[256], inside[300], small[8];
    base_error error;
    struct stat status;
    CHECK(base_temporary_folder("phoenix-test", path, sizeof path, &error), "%s", error.text);
    CHECK(base_temporary_folder("phoenix-test", other, sizeof other, &error), "%s", error.text);
    CHECK(strcmp(path, other) != 0, "twice %s", path);
    CHECK(stat(path, &status) == 0 && (status.st_mode & 0777) == 0700, "mode %o",
          (unsigned)status.st_mode);
    CHECK(base_file_write_text(path, ".hidden", "a", NULL, &error), "%s", error.text);
    snprintf(inside, sizeof inside, "%s/deep/er", path);
    CHECK(base_file_make_folder(inside, &error), "%s", error.text);
    CHECK(base_file_write_text(inside, "file", "b", NULL, &error), "%s", error.text);
    CHECK(base_file_write_text(other, "kept", "c", NULL, &error), "%s", error.text);
    snprintf(inside, sizeof inside, "%s/link", path);
    CHECK(symlink(other, inside) == 0, "no link");
    base_remove_folder(path);
    CHECK(!base_file_exists(path), "%s is still there", path);
    snprintf(inside, sizeof inside, "%s/kept", other);
    CHECK(base_file_exists(inside), "a link was followed");
    base_remove_folder(other);
    CHECK(!base_file_exists(other), "%s is still there", other);
    CHECK(!base_temporary_folder("phoenix-test", small, sizeof small, &error) && !*small,
          "the name does not fit");
    setenv("TMPDIR", "/nowhere", 1);
    CHECK(!base_temporary_folder("phoenix-test", path, sizeof path, &error) && !*path, "made");
    CHECK(strstr(error.text, "TMPDIR") != NULL, "%s", error.text);
}

static void the_first_line_prints(void)
{
    char line[6];
    base_first_line("abc\ndef", line, sizeof line);
    CHECK(strcmp(line, "abc") == 0, "%s", line);
    base_first_line("a\tb\x80 and more", line, sizeof line);
    CHECK(strcmp(line, "a?b? ") == 0, "%s", line);
    base_first_line("", line, sizeof line);
    CHECK(*line == '\0', "%s", line);
}

int main(void)
{
    a_pipe_carries_bytes();
    a_folder_comes_and_goes();
    the_first_line_prints();
    return test_end();
}
