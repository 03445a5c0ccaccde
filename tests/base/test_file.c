/* SPDX-License-Identifier: MIT */
/* test_file.c -- whole files: read, replaced, and left alone when something fails. */
#include "base/file.h"
#include "tests/test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char folder[512]; /* of this run of the test; removed at its end */

/* A path inside it; in static memory, eight at a time. */
static const char *at(const char *name) { return test_path(folder, name); }

/* How many files stand beside that one, their names its own with something added. */
static int beside(const char *name)
{
    int count = 0;
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        count += strncmp(entry->d_name, name, strlen(name)) == 0 && entry->d_name[strlen(name)];
    if (entries)
        closedir(entries);
    return count;
}

static bool write_text(const char *path, const char *text, base_error *error)
{
    base_bytes part = {text, strlen(text)};
    return base_file_write(path, &part, 1, NULL, error);
}

static bool holds(const char *path, const char *want)
{
    size_t size;
    char *text = base_file_read(path, 1 << 20, &size, NULL);
    bool same = text && size == strlen(want) && memcmp(text, want, size + 1) == 0;
    free(text);
    return same;
}

static void a_file_comes_back(void)
{
    base_error error;
    char hash[BASE_HASH_TEXT], again[BASE_HASH_TEXT];
    const base_bytes parts[] = {{"ab", 2}, {NULL, 0}, {"\0c", 2}, {"", 0}};
    const char *path = at("parts");
    CHECK(base_file_write(path, parts, 4, hash, &error), "%s", error.text);
    size_t size = 99;
    char *text = base_file_read(path, 4, &size, &error);
    CHECK(text && size == 4 && memcmp(text, "ab\0c", 5) == 0, "size %zu", size);
    free(text);
    base_hash_text("ab\0c", 4, again);
    CHECK(strcmp(hash, again) == 0, "%s, want %s", hash, again);
    CHECK(base_file_hash(path, again, &error) && strcmp(hash, again) == 0, "%s", again);

    CHECK(base_file_write(path, NULL, 0, NULL, &error), "%s", error.text);
    CHECK(holds(path, ""), "no parts, no bytes");
    CHECK(beside("parts") == 0, "the temporary file is still there");
}

/* Around the first buffer's size, and some that make it grow more than once. */
static void any_size_comes_back(void)
{
    static const size_t sizes[] = {0, 1, 4093, 4094, 4095, 4096, 4097, 65535, 65537, 300000};
    char *bytes = malloc(300000);
    base_error error;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (size_t i = 0; i < sizes[s]; i++)
            bytes[i] = (char)(i * 31 + s);
        const base_bytes part = {bytes, sizes[s]};
        char want[BASE_HASH_TEXT], got[BASE_HASH_TEXT];
        CHECK(base_file_write(at("sized"), &part, 1, want, &error), "%s", error.text);
        CHECK(base_file_hash(at("sized"), got, &error) && strcmp(got, want) == 0, "%zu", sizes[s]);
        size_t size = 0;
        char *text = base_file_read(at("sized"), sizes[s], &size, &error);
        CHECK(text && size == sizes[s] && memcmp(text, bytes, size) == 0, "size %zu, want %zu",
              size, sizes[s]);
        free(text);
        if (sizes[s] > 0) {
            error.text[0] = '\0';
            text = base_file_read(at("sized"), sizes[s] - 1, &size, &error);
            CHECK(!text && strstr(error.text, "larger"), "one byte too many: %s", error.text);
            free(text);
        }
    }
    free(bytes);
}

/* A pipe has no size to go by: it is read until it ends, and no further than allowed. */
static void a_pipe_is_read_to_its_end(void)
{
    static const size_t limits[] = {50000, 49999, SIZE_MAX, 0, 4094, 4095, 4096, 10000};
    const char *path = at("pipe");
    if (mkfifo(path, 0600) != 0) {
        SKIP("no pipes here: %s", strerror(errno));
        return;
    }
    for (size_t l = 0; l < sizeof limits / sizeof *limits; l++) {
        pid_t writer = fork();
        if (writer == 0) {
            static char bytes[50000];
            signal(SIGPIPE, SIG_IGN);
            int descriptor = open(path, O_WRONLY);
            base_file_write_all(descriptor, bytes, sizeof bytes, "pipe", NULL);
            _exit(0);
        }
        base_error error = {""};
        size_t size = 0;
        char *text = base_file_read(path, limits[l], &size, &error);
        if (limits[l] >= 50000)
            CHECK(text && size == 50000, "limit %zu: size %zu %s", limits[l], size, error.text);
        else
            CHECK(!text && strstr(error.text, "larger"), "limit %zu: %s", limits[l], error.text);
        free(text);
        waitpid(writer, NULL, 0);
    }
    unlink(path);
}

static void what_cannot_be_read_is_named(void)
{
    base_error error;
    size_t size;
    char hash[BASE_HASH_TEXT];
    const char *none = at("none");
    CHECK(!base_file_read(none, 100, &size, &error), "read a file that is not there");
    CHECK(strstr(error.text, none) && strstr(error.text, strerror(ENOENT)), "%s", error.text);
    CHECK(!base_file_hash(none, hash, &error) && strstr(error.text, none), "%s", error.text);
    CHECK(!base_file_read(folder, 100, &size, &error), "read a folder");
    CHECK(strstr(error.text, "is a folder"), "%s", error.text);
    CHECK(!base_file_hash(folder, hash, &error), "hashed a folder");
    CHECK(!base_file_read(at("none"), 100, &size, NULL), "without an error to set");
}

static void a_file_is_replaced(void)
{
    base_error error;
    const char *path = at("replaced");
    CHECK(write_text(path, "old", &error), "%s", error.text);
    CHECK(write_text(at("replaced.tmp"), "somebody's own", &error), "%s", error.text);
    char left[64]; /* by a crash of a process that had this one's number */
    snprintf(left, sizeof left, "replaced.%ld-0.tmp", (long)getpid());
    CHECK(write_text(at(left), "left by a crash, and longer", &error), "%s", error.text);
    CHECK(write_text(path, "new", &error), "%s", error.text);
    CHECK(holds(path, "new"), "not the new text");
    CHECK(holds(at("replaced.tmp"), "somebody's own"), "a file of that name was overwritten");
    CHECK(holds(at(left), "left by a crash, and longer"), "another's temporary file was used");
    CHECK(beside("replaced") == 2, "the temporary file is still there");
}

static unsigned mode_of(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? (unsigned)status.st_mode & 0777 : 0;
}

/* Whoever may read a file, and write to it, stays so; and a file that is read-only stays as it is. */
static void permissions_stay(void)
{
    base_error error;
    CHECK(write_text(at("secret"), "old", &error), "%s", error.text);
    CHECK(chmod(at("secret"), 0600) == 0 && write_text(at("secret"), "new", &error), "%s",
          error.text);
    CHECK(holds(at("secret"), "new") && mode_of(at("secret")) == 0600, "%o", mode_of(at("secret")));
    if (geteuid() != 0) {
        CHECK(chmod(at("secret"), 0400) == 0 && !write_text(at("secret"), "newer", &error) &&
                  strstr(error.text, "cannot replace"),
              "a read-only file was replaced");
        CHECK(holds(at("secret"), "new"), "a read-only file has changed");
    }
    unlink(at("secret"));
}

/* A name that a user gives may be a link; one in a folder of ours is replaced. */
static void links_are_followed_where_they_are_named(void)
{
    base_error error;
    struct stat status;
    CHECK(write_text(at("target"), "old", &error), "%s", error.text);
    CHECK(symlink("target", at("link")) == 0 && symlink("nowhere", at("dangling")) == 0, "%s",
          strerror(errno));
    CHECK(base_file_write_named(at("link"), "new", 3, &error), "%s", error.text);
    CHECK(lstat(at("link"), &status) == 0 && S_ISLNK(status.st_mode) && holds(at("target"), "new"),
          "the link is gone");
    const base_whole whole = {at("link"), "newer", 5};
    CHECK(base_file_write_together(&whole, 1, &error), "%s", error.text);
    CHECK(lstat(at("link"), &status) == 0 && S_ISLNK(status.st_mode) &&
              holds(at("target"), "newer"),
          "the link is gone");
    CHECK(!base_file_write_named(at("dangling"), "new", 3, &error) &&
              strstr(error.text, "dangling: cannot follow this symbolic link"),
          "%s", error.text);
    CHECK(write_text(at("link"), "own", &error), "%s", error.text);
    CHECK(lstat(at("link"), &status) == 0 && S_ISREG(status.st_mode) &&
              holds(at("target"), "newer"),
          "a link in a folder of ours was followed");
    unlink(at("target"));
    unlink(at("link"));
    unlink(at("dangling"));
}

/* 255 bytes are the most that common file systems take, and leave no room for more behind them. */
static void a_long_name_is_a_name(void)
{
    base_error error;
    char name[256];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    CHECK(write_text(at(name), "long", &error), "%s", error.text);
    CHECK(holds(at(name), "long") && beside("nnn") == 1, "something is left beside it");
    unlink(at(name));
}

static void leftovers_are_swept(void)
{
    char dead[40], own[40], live[40];
    const pid_t child = fork();
    if (child == 0)
        _exit(0);
    CHECK(child > 0 && waitpid(child, NULL, 0) == child, "no child");
    snprintf(dead, sizeof dead, "x/a.csv.%ld-0.tmp", (long)child);
    snprintf(own, sizeof own, "x/b.%ld-31.tmp", (long)getpid());
    snprintf(live, sizeof live, "x/report.html.%ld-0.tmp", (long)getppid()); /* is being written */
    const char *const swept[] = {dead, own};
    const char *const kept[] = {live,         "x/a.csv",    "x/a.tmp",      "x/.1-2.tmp",
                                "x/a.-2.tmp", "x/a.1-.tmp", "x/a.1x-2.tmp", "x/1-2.tmp"};
    base_error error;
    CHECK(base_file_make_folder(at("x"), &error), "%s", error.text);
    for (size_t i = 0; i < sizeof swept / sizeof *swept; i++)
        CHECK(write_text(at(swept[i]), "", &error), "%s", error.text);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        CHECK(write_text(at(kept[i]), "", &error), "%s", error.text);
    base_file_sweep(at("x"));
    base_file_sweep(at("none"));
    for (size_t i = 0; i < sizeof swept / sizeof *swept; i++)
        CHECK(!base_file_exists(at(swept[i])), "%s is there", swept[i]);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        CHECK(base_file_exists(at(kept[i])), "%s is gone", kept[i]);
        unlink(at(kept[i]));
    }
}

/* The second cannot be written: the first stays as it was. */
static void several_or_none(void)
{
    base_error error;
    CHECK(write_text(at("one.c"), "old", &error), "%s", error.text);
    const base_whole files[] = {{at("one.c"), "new", 3}, {folder, "new", 3}};
    CHECK(!base_file_write_together(files, 2, &error) && strstr(error.text, "no regular file"),
          "%s", error.text);
    CHECK(holds(at("one.c"), "old") && beside("one.c") == 0, "the first was replaced, or is twice");
    char other[512];
    snprintf(other, sizeof other, "%s", at("one.h"));
    const base_whole nowhere = {at("none/one.c"), "new", 3};
    CHECK(!base_file_write_together(&nowhere, 1, &error) &&
              strstr(error.text, "none/one.c: cannot create: "),
          "%s", error.text); /* by the name that was asked for */
    const base_whole both[] = {{at("one.c"), "new", 3}, {other, "n", 1}};
    CHECK(base_file_write_together(both, 2, &error), "%s", error.text);
    CHECK(holds(other, "n") && holds(at("one.c"), "new"), "not both are new");
    unlink(at("one.c"));
    unlink(other);
}

static void one_of_many_claims_a_folder(void)
{
    base_error error;
    bool claimed = false;
    char path[512];
    snprintf(path, sizeof path, "%s", at("claims/1"));
    pid_t child[8];
    for (int i = 0; i < 8; i++)
        if ((child[i] = fork()) == 0)
            _exit(base_file_claim_folder(path, &claimed, &error) ? claimed : 2);
    int winners = 0, status;
    for (int i = 0; i < 8; i++)
        winners += waitpid(child[i], &status, 0) == child[i] && WIFEXITED(status)
                       ? WEXITSTATUS(status)
                       : 100;
    CHECK(winners == 1, "%d of 8 claimed it", winners);
    CHECK(base_file_claim_folder(path, &claimed, &error) && !claimed, "claimed twice");
    CHECK(!base_file_claim_folder("/proc/none/x", &claimed, &error) && !claimed, "in /proc");
}

static void a_text_is_a_file(void)
{
    base_error error;
    char hash[BASE_HASH_TEXT], want[BASE_HASH_TEXT];
    CHECK(base_file_write_text(folder, "replaced", "a text\n", hash, &error), "%s", error.text);
    base_hash_text("a text\n", 7, want);
    CHECK(holds(at("replaced"), "a text\n") && strcmp(hash, want) == 0, "another text, or hash");
    CHECK(!base_file_write_text(folder, "replaced", NULL, NULL, &error) &&
              strstr(error.text, "replaced: no memory"),
          "%s", error.text);
    CHECK(holds(at("replaced"), "a text\n"), "the old text is gone");
    CHECK(!base_file_write_text(at("none"), "x", "", NULL, &error) && strstr(error.text, "none"),
          "%s", error.text);
}

static void a_relative_name_is_in_this_folder(void)
{
    base_error error;
    char before[1024];
    if (!getcwd(before, sizeof before) || chdir(folder) != 0) {
        SKIP("cannot change the folder: %s", strerror(errno));
        return;
    }
    CHECK(write_text("relative", "here", &error), "%s", error.text);
    CHECK(base_file_make_folder("a/b", &error) && base_file_exists("a/b"), "%s", error.text);
    CHECK(chdir(before) == 0, "cannot go back");
    CHECK(holds(at("relative"), "here"), "not there");
}

/* Devices and folders are not replaced: as root, "--output /dev/null" must not cost the machine its
 * /dev/null. */
static void only_files_are_replaced(void)
{
    base_error error;
    CHECK(!write_text(folder, "x", &error) && strstr(error.text, "regular"), "%s", error.text);
    CHECK(!write_text("/dev/null", "x", &error) && strstr(error.text, "regular"), "%s", error.text);
    CHECK(!base_file_exists("/dev/null.tmp"), "/dev/null.tmp");
    CHECK(!write_text(at("parts/below a file"), "x", &error), "a file is no folder");
    CHECK(!write_text(at("new/"), "x", &error), "no name after the slash");
}

static void a_vanished_folder_is_an_error(void)
{
    base_error error;
    CHECK(base_file_make_folder(at("vanishes"), &error), "%s", error.text);
    CHECK(write_text(at("vanishes/file"), "1", &error), "%s", error.text);
    unlink(at("vanishes/file"));
    rmdir(at("vanishes"));
    CHECK(!write_text(at("vanishes/file"), "2", &error), "wrote into a folder that is gone");
    CHECK(strstr(error.text, "vanishes") && strstr(error.text, strerror(ENOENT)), "%s", error.text);
}

static void a_read_only_folder_keeps_its_files(void)
{
    if (geteuid() == 0) {
        SKIP("root may write into read-only folders");
        return;
    }
    base_error error;
    CHECK(base_file_make_folder(at("locked"), &error), "%s", error.text);
    CHECK(write_text(at("locked/file"), "old", &error), "%s", error.text);
    chmod(at("locked"), 0500);
    CHECK(!write_text(at("locked/file"), "new", &error), "wrote into a read-only folder");
    CHECK(strstr(error.text, strerror(EACCES)), "%s", error.text);
    CHECK(!base_file_make_folder(at("locked/more"), &error), "made a folder in a read-only one");
    chmod(at("locked"), 0700);
    CHECK(holds(at("locked/file"), "old"), "the old file is lost");
}

/* The limit on a file's size stands for a full disk: the write stops in the middle. */
static void a_failed_write_keeps_the_old_file(void)
{
    static char large[100000];
    base_error error;
    const char *path = at("kept");
    CHECK(write_text(path, "old", &error), "%s", error.text);
    struct rlimit before, low;
    getrlimit(RLIMIT_FSIZE, &before);
    low = before;
    low.rlim_cur = 50000;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &low);
    const base_bytes part = {large, sizeof large};
    bool good = base_file_write(path, &part, 1, NULL, &error);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_DFL);
    CHECK(!good && strstr(error.text, strerror(EFBIG)), "%s", good ? "written" : error.text);
    const size_t length = strlen(path); /* and not the name of the file beside it */
    CHECK(strncmp(error.text, path, length) == 0 && error.text[length] == ':', "%s", error.text);
    CHECK(holds(path, "old"), "the old file is lost");
    CHECK(beside("kept") == 0, "half a file is left");
}

static void a_full_device_is_an_error(void)
{
    int descriptor = open("/dev/full", O_WRONLY);
    if (descriptor < 0) {
        SKIP("/dev/full: %s", strerror(errno));
        return;
    }
    base_error error;
    CHECK(!base_file_write_all(descriptor, "text", 4, "the report", &error), "wrote to /dev/full");
    CHECK(strstr(error.text, "the report") && strstr(error.text, strerror(ENOSPC)), "%s",
          error.text);
    CHECK(base_file_write_all(descriptor, NULL, 0, "nothing", &error), "nothing always fits");
    close(descriptor);
    CHECK(!base_file_write_all(-1, "text", 4, "closed", &error), "wrote to no descriptor");
}

/* Which has no end; /dev/null has one. */
static void an_endless_device_is_an_error(void)
{
    base_error error;
    size_t size = 1;
    char *text = base_file_read("/dev/null", SIZE_MAX, &size, &error);
    CHECK(text && size == 0, "/dev/null has %zu bytes", size);
    free(text);
    if (!base_file_exists("/dev/zero")) {
        SKIP("no /dev/zero");
        return;
    }
    CHECK(!base_file_read("/dev/zero", SIZE_MAX, &size, &error) && !base_file_waits(), "was read");
    CHECK(strstr(error.text, "/dev/zero: ") && strstr(error.text, "1048576"), "%s", error.text);
    char hash[BASE_HASH_TEXT];
    CHECK(!base_file_hash("/dev/zero", hash, &error), "has a hash");
    CHECK(strcmp(error.text, "/dev/zero: is no regular file") == 0, "%s", error.text);
}

static void a_text_has_no_byte_order_mark(void)
{
    static const struct {
        base_bytes file;
        const char *text;
    } rows[] = {
        {{"\xef\xbb\xbf"
          "a\0b",
          6},
         "a\0b"},
        {{"\xef\xbb\xbf", 3}, ""},
        {{"\xef\xbb", 2}, "\xef\xbb"},
        {{"a\xef\xbb\xbf", 4}, "a\xef\xbb\xbf"},
    };
    static const size_t sizes[] = {3, 0, 2, 4};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        base_error error = {""};
        size_t size;
        CHECK(base_file_write(at("marked"), &rows[i].file, 1, NULL, &error), "%s", error.text);
        char *text = base_file_read_text(at("marked"), 100, &size, &error);
        CHECK(text && size == sizes[i] && memcmp(text, rows[i].text, size + 1) == 0,
              "row %zu: %zu bytes %s", i, size, error.text);
        free(text);
    }
    unlink(at("marked"));
}

static void nothing(int number) { (void)number; }

/* A small pipe, a slow reader and a timer without SA_RESTART: short writes and EINTR on both
 * sides. The reader gets every byte. */
static void interruptions_lose_nothing(void)
{
    static uint8_t bytes[400000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 13);
    const char *path = at("interrupted");
    if (mkfifo(path, 0600) != 0) {
        SKIP("no pipes here: %s", strerror(errno));
        return;
    }
    struct sigaction act = {.sa_handler = nothing}, before;
    sigaction(SIGUSR1, &act, &before);
    pid_t parent = getpid(), writer = fork();
    if (writer == 0) {
        int descriptor; /* a reader that comes late leaves open() waiting, where a signal ends it */
        while ((descriptor = open(path, O_WRONLY)) < 0 && errno == EINTR)
            ;
        bool good = base_file_write_all(descriptor, bytes, sizeof bytes, "pipe", NULL);
        _exit(good ? 0 : 1);
    }
    pid_t nuisance = fork();
    if (nuisance == 0) {
        const struct timespec pause = {0, 1000000};
        while (kill(writer, SIGUSR1) == 0 && getppid() == parent) {
            kill(parent, SIGUSR1);
            nanosleep(&pause, NULL);
        }
        _exit(0);
    }
    base_error error = {""};
    size_t size = 0;
    char *text = base_file_read(path, sizeof bytes, &size, &error);
    kill(nuisance, SIGKILL);
    while (waitpid(nuisance, NULL, 0) < 0 && errno == EINTR)
        ;
    int status = -1;
    while (waitpid(writer, &status, 0) < 0 && errno == EINTR)
        ;
    sigaction(SIGUSR1, &before, NULL);
    CHECK(text && size == sizeof bytes && memcmp(text, bytes, size) == 0, "size %zu %s", size,
          error.text);
    CHECK(status == 0, "the writer ended with %d", status);
    free(text);
    unlink(path);
}

static void folders_are_made_with_their_parents(void)
{
    base_error error;
    CHECK(base_file_make_folder(at("x/y//z/"), &error), "%s", error.text);
    CHECK(base_file_exists(at("x/y/z")), "not there");
    CHECK(base_file_make_folder(at("x/y/z"), &error), "once more: %s", error.text);
    CHECK(base_file_make_folder("/", &error) && base_file_make_folder(".", &error), "%s",
          error.text);
    CHECK(write_text(at("x/file"), "", &error), "%s", error.text);
    CHECK(!base_file_make_folder(at("x/file"), &error), "a file is no folder");
    CHECK(strstr(error.text, "x/file"), "%s", error.text);
    CHECK(!base_file_make_folder(at("x/file/below"), &error), "a file is no parent");
    CHECK(!base_file_make_folder("", &error), "a folder without a name");
}

static void paths_are_joined(void)
{
    char *path = base_file_path("a", "b.c");
    CHECK(path && strcmp(path, "a/b.c") == 0, "%s", path);
    free(path);
    path = base_file_path("", "");
    CHECK(path && strcmp(path, "/") == 0, "%s", path);
    free(path);
}

static void remove_all(void)
{
    char left[64];
    snprintf(left, sizeof left, "replaced.%ld-0.tmp", (long)getpid());
    unlink(at(left));
    static const char *const files[] = {"parts",    "sized", "replaced", "replaced.tmp",
                                        "relative", "kept",  "x/file",   "locked/file"};
    static const char *const folders[] = {"claims/1", "claims", "x/y/z",  "x/y", "x",
                                          "a/b",      "a",      "locked", ""};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        unlink(at(files[i]));
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        rmdir(at(folders[i]));
    CHECK(!base_file_exists(folder), "%s: something unexpected is left in it", folder);
}

int main(void)
{
    const char *temporary = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/phoenix-test-file-XXXXXX", temporary ? temporary : "/tmp");
    if (!mkdtemp(folder)) {
        SKIP("%s: cannot be made: %s", folder, strerror(errno));
        return test_end();
    }
    setvbuf(stdout, NULL, _IONBF, 0); /* nothing is left to print twice after a fork */
    a_file_comes_back();
    any_size_comes_back();
    a_pipe_is_read_to_its_end();
    what_cannot_be_read_is_named();
    a_file_is_replaced();
    permissions_stay();
    links_are_followed_where_they_are_named();
    a_long_name_is_a_name();
    leftovers_are_swept();
    several_or_none();
    one_of_many_claims_a_folder();
    a_text_is_a_file();
    a_relative_name_is_in_this_folder();
    only_files_are_replaced();
    a_vanished_folder_is_an_error();
    a_read_only_folder_keeps_its_files();
    a_failed_write_keeps_the_old_file();
    a_full_device_is_an_error();
    an_endless_device_is_an_error();
    a_text_has_no_byte_order_mark();
    interruptions_lose_nothing();
    folders_are_made_with_their_parents();
    paths_are_joined();
    remove_all();
    return test_end();
}
