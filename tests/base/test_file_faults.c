/* SPDX-License-Identifier: MIT */
/* test_file_faults.c -- every system call of a file's replacement fails once, in every way it
 * can, and the process dies at every one of them: the file is the old one or the new one, whole.
 *
 * The test defines read, write, fsync and rename itself; the linker prefers these to the C
 * library's. They pass on to their siblings readv, writev and renameat. That the bytes get from the
 * kernel to the disk is not tested here, so fsync does nothing. */
#include "base/file.h"
#include "tests/test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

typedef enum fault_kind { FAIL, SHORT, NOTHING_DONE, DIE } fault_kind;

static struct {
    int at; /* the how-manieth call is hit, from 1; 0: none */
    fault_kind kind;
    int reason; /* FAIL: errno */
    int calls;  /* seen so far */
} fault;

static void arm(int at, fault_kind kind, int reason)
{
    fault.at = at;
    fault.kind = kind;
    fault.reason = reason;
    fault.calls = 0;
}

/* Is it this call's turn? */
static bool hit(void)
{
    if (fault.at == 0 || ++fault.calls != fault.at)
        return false;
    if (fault.kind == DIE)
        raise(SIGKILL); /* no exit: a checker of memory would call what the call held leaked */
    errno = fault.reason;
    return true;
}

/* The result of a hit read or write that may go on with `*count` bytes: -1, 0, or 1 to go on. */
static int hit_transfer(size_t *count)
{
    if (!hit())
        return 1;
    if (fault.kind == SHORT && *count > 1)
        *count = 1;
    return fault.kind == FAIL ? -1 : fault.kind == NOTHING_DONE ? 0 : 1;
}

ssize_t write(int descriptor, const void *bytes, size_t count)
{
    int go = hit_transfer(&count);
    struct iovec part = {(void *)(uintptr_t)bytes, count};
    return go == 1 ? writev(descriptor, &part, 1) : go;
}

ssize_t read(int descriptor, void *bytes, size_t count)
{
    int go = hit_transfer(&count);
    struct iovec part = {bytes, count};
    return go == 1 ? readv(descriptor, &part, 1) : go;
}

int fsync(int descriptor)
{
    (void)descriptor;
    return hit() && fault.kind == FAIL ? -1 : 0;
}

int rename(const char *from, const char *to)
{
    return hit() && fault.kind == FAIL ? -1 : renameat(AT_FDCWD, from, AT_FDCWD, to);
}

/* ---- The tests ---- */

/* A replacement is: write, write, fsync the file, rename, fsync the folder. */
enum { WRITES = 2, SYNC = 3, RENAME = 4, SYNC_FOLDER = 5, CALLS = 5 };

static char folder[512], path[600];

/* Removes the temporary files that are left, and says how many there were. */
static int temporary_files(void)
{
    int found = 0;
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        if (strncmp(entry->d_name, "file.", 5) == 0)
            found += unlinkat(dirfd(entries), entry->d_name, 0) == 0;
    if (entries)
        closedir(entries);
    return found;
}

static bool replace(const char *text, base_error *error)
{
    size_t half = strlen(text) / 2;
    const base_bytes parts[WRITES] = {{text, half}, {text + half, strlen(text) - half}};
    return base_file_write(path, parts, WRITES, NULL, error);
}

/* Disarms, reads, and compares. */
static bool holds(const char *want)
{
    fault.at = 0;
    size_t size;
    char *text = base_file_read(path, 1000, &size, NULL);
    bool same = text && strcmp(text, want) == 0;
    free(text);
    return same;
}

static void every_call_may_fail(void)
{
    static const int reasons[] = {EIO, ENOSPC, EINTR, EINVAL};
    for (size_t r = 0; r < sizeof reasons / sizeof *reasons; r++)
        for (int at = 1; at <= CALLS + 1; at++) {
            base_error error = {""};
            CHECK(replace("the old text", &error), "%s", error.text);
            arm(at, FAIL, reasons[r]);
            bool good = replace("the new", &error);
            CHECK(fault.calls >= at || at > CALLS, "call %d was not made", at);
            bool harmless = at > CALLS || (at <= WRITES && reasons[r] == EINTR) ||
                            (at == SYNC_FOLDER && reasons[r] == EINVAL);
            CHECK(good == harmless, "call %d, %s: %s", at, strerror(reasons[r]), error.text);
            CHECK(good || strstr(error.text, strerror(reasons[r])), "%s", error.text);
            const char *want = good || at == SYNC_FOLDER ? "the new" : "the old text";
            CHECK(holds(want), "call %d, %s: not \"%s\"", at, strerror(reasons[r]), want);
            CHECK(temporary_files() == 0, "call %d, %s: a temporary file", at,
                  strerror(reasons[r]));
        }
}

/* A failed fsync may have dropped the data and say so only once: it must not be asked again. */
static void fsync_is_not_tried_again(void)
{
    base_error error;
    arm(SYNC, FAIL, EIO);
    CHECK(!replace("lost", &error), "a failed fsync was ignored");
    CHECK(fault.calls == SYNC, "%d calls after it", fault.calls - SYNC);
    fault.at = 0;
}

static void writes_may_be_short(void)
{
    for (int at = 1; at <= WRITES; at++) {
        base_error error = {""};
        arm(at, SHORT, 0);
        CHECK(replace("a text of some length", &error), "%s", error.text);
        CHECK(fault.calls == CALLS + 1, "%d calls", fault.calls);
        CHECK(holds("a text of some length"), "call %d", at);
        arm(at, NOTHING_DONE, 0);
        CHECK(!replace("another", &error), "call %d wrote nothing and all was well", at);
        CHECK(holds("a text of some length"), "call %d", at);
    }
}

static void reads_may_fail_and_be_short(void)
{
    base_error error = {""};
    char want[BASE_HASH_TEXT], got[BASE_HASH_TEXT];
    size_t size = 0;
    CHECK(replace("twelve bytes", &error), "%s", error.text);
    base_hash_text("twelve bytes", 12, want);
    for (int at = 1; at <= 2; at++) {
        arm(at, FAIL, EIO);
        CHECK(!base_file_read(path, 100, &size, &error) && strstr(error.text, strerror(EIO)), "%s",
              error.text);
        arm(at, FAIL, EIO);
        CHECK(!base_file_hash(path, got, &error) && strstr(error.text, strerror(EIO)), "%s",
              error.text);
        for (int kind = 0; kind < 2; kind++) {
            arm(at, kind ? SHORT : FAIL, EINTR);
            char *text = base_file_read(path, 12, &size, &error);
            CHECK(text && size == 12 && strcmp(text, "twelve bytes") == 0, "size %zu", size);
            free(text);
            arm(at, kind ? SHORT : FAIL, EINTR);
            CHECK(base_file_hash(path, got, &error) && strcmp(got, want) == 0, "%s", got);
        }
    }
    fault.at = 0;
}

/* Killed before each call. A temporary file may be left: its name is nobody else's. */
static void death_leaves_one_of_the_two(void)
{
    for (int at = 1; at <= CALLS; at++) {
        base_error error = {""};
        CHECK(replace("the old text", &error), "%s", error.text);
        pid_t child = fork();
        if (child == 0) {
            arm(at, DIE, 0);
            replace("the new", NULL);
            _exit(0);
        }
        int status = 0;
        waitpid(child, &status, 0);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "call %d was not made", at);
        const char *want = at > RENAME ? "the new" : "the old text";
        CHECK(holds(want), "death at call %d: not \"%s\"", at, want);
    }
    CHECK(replace("the last", NULL) && holds("the last"), "after all this");
    CHECK(temporary_files() <= CALLS, "more temporary files than deaths");
}

int main(void)
{
    const char *temporary = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/phoenix-test-fault-XXXXXX", temporary ? temporary : "/tmp");
    if (!mkdtemp(folder)) {
        SKIP("%s: cannot be made: %s", folder, strerror(errno));
        return test_end();
    }
    setvbuf(stdout, NULL, _IONBF, 0); /* nothing is left to print twice after a fork */
    snprintf(path, sizeof path, "%s/file", folder);
    every_call_may_fail();
    fsync_is_not_tried_again();
    writes_may_be_short();
    reads_may_fail_and_be_short();
    death_leaves_one_of_the_two();
    unlink(path);
    rmdir(folder);
    return test_end();
}
