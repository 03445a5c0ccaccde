/* SPDX-License-Identifier: MIT */
/* test_folder.c -- a folder changes as one, and what is its user's stays. */
#include "base/folder.h"
#include "base/file.h"
#include "base/process.h"
#include "tests/test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char scratch[256];
static const char *at(const char *name) { return test_path(scratch, name); }

static void write_text(const char *folder, const char *name, const char *text)
{
    base_error error = {""};
    CHECK(base_file_make_folder(folder, &error) &&
              base_file_write_text(folder, name, text, NULL, &error),
          "%s", error.text);
}

static void holds(const char *path, const char *wanted)
{
    base_error error;
    size_t size;
    char *got = base_file_read(path, 1000, &size, &error);
    CHECK(wanted ? got && strcmp(got, wanted) == 0 : !got, "%s: %s, wanted %s", path,
          got ? got : "is not there", wanted ? wanted : "nothing");
    free(got);
}

/* What beside NAME in the scratch folder has a name of its with something added. */
static int beside(const char *name)
{
    char command[600];
    snprintf(command, sizeof command, "test `ls -d '%s'.* 2>/dev/null | wc -l` -eq 0", at(name));
    return system(command) != 0;
}

static void stage(base_folder *folder, const char *path)
{
    base_error error;
    CHECK(base_folder_begin(folder, path, &error), "%s", error.text);
    write_text(folder->staged, "losses", "new");
    write_text(test_path(folder->staged, "model"), "weights", "new");
}

static void make_old(const char *path)
{
    write_text(path, "losses", "old");
    write_text(path, "notes", "mine");
    write_text(test_path(path, "plots"), "one", "mine");
    write_text(test_path(path, "model"), "weights", "old");
    write_text(test_path(path, "model"), "form", "old");
    CHECK(chmod(path, 0750) == 0, "chmod");
}

static void is_new(const char *path)
{
    holds(test_path(path, "losses"), "new");
    holds(test_path(path, "notes"), "mine");
    holds(test_path(path, "plots/one"), "mine");
    holds(test_path(path, "model/weights"), "new");
    holds(test_path(path, "model/form"), NULL);
}

static void one_takes_the_others_place(void)
{
    base_folder folder;
    base_error error = {""};
    struct stat status;
    make_old(at("model"));
    stage(&folder, at("model"));
    holds(at("model/losses"), "old");
    CHECK(base_folder_commit(&folder, &error), "%s", error.text);
    is_new(at("model"));
    CHECK(stat(at("model"), &status) == 0 && (status.st_mode & 0777) == 0750, "mode %o",
          (unsigned)status.st_mode & 0777);
    CHECK(!beside("model"), "something is left");

    stage(&folder, at("deep/er"));
    CHECK(base_folder_commit(&folder, &error), "%s", error.text);
    holds(at("deep/er/model/weights"), "new");
    CHECK(!beside("deep/er"), "something is left");
}

static void a_link_goes_on_pointing(void)
{
    base_folder folder;
    base_error error = {""};
    struct stat status;
    make_old(at("far"));
    CHECK(symlink("far", at("link")) == 0, "symlink");
    stage(&folder, at("link"));
    CHECK(base_folder_commit(&folder, &error), "%s", error.text);
    CHECK(lstat(at("link"), &status) == 0 && S_ISLNK(status.st_mode), "no link any more");
    is_new(at("far"));
}

/* Whoever stands in the folder goes on standing in it. */
/* What took hours to make is there, although its user has tidied up. */
static void the_old_one_is_gone(void)
{
    base_folder folder;
    base_error error = {""};
    make_old(at("gone"));
    stage(&folder, at("gone"));
    base_remove_folder(at("gone"));
    CHECK(base_folder_commit(&folder, &error), "%s", error.text);
    holds(at("gone/losses"), "new");
    holds(at("gone/model/weights"), "new");
    holds(at("gone/notes"), NULL);
    CHECK(!beside("gone"), "something is left");
    base_remove_folder(at("gone"));
}

static void from_within(void)
{
    base_folder folder;
    base_error error = {""};
    char before[1024];
    make_old(at("here"));
    CHECK(getcwd(before, sizeof before) && chdir(at("here")) == 0, "chdir");
    stage(&folder, ".");
    CHECK(base_folder_commit(&folder, &error), "%s", error.text);
    is_new(".");
    CHECK(chdir(before) == 0, "chdir");
    is_new(at("here"));
    CHECK(!beside("here"), "something is left");
}

static void abandoned(void)
{
    base_folder folder;
    make_old(at("kept"));
    stage(&folder, at("kept"));
    base_folder_abandon(&folder);
    holds(at("kept/losses"), "old");
    holds(at("kept/model/form"), "old");
    CHECK(!beside("kept"), "something is left");
}

/* What a process that is gone has staged is removed; of one that lives, and what may be the user's, not. */
static void leftovers(void)
{
    base_folder folder;
    char dead[400], old[400], live[400];
    const pid_t child = fork();
    if (child == 0)
        _exit(0);
    CHECK(child > 0 && waitpid(child, NULL, 0) == child, "no child");
    snprintf(dead, sizeof dead, "%s.%ld-0.tmp", at("swept"), (long)child);
    snprintf(old, sizeof old, "%s.%ld-0.old", at("swept"), (long)child);
    snprintf(live, sizeof live, "%s.%ld-0.tmp", at("swept"), (long)getppid());
    write_text(dead, "a", "a");
    write_text(old, "a", "a");
    write_text(live, "a", "a");
    stage(&folder, at("swept"));
    base_folder_abandon(&folder);
    holds(test_path(dead, "a"), NULL);
    holds(test_path(old, "a"), "a");
    holds(test_path(live, "a"), "a");
}

static void what_cannot_be(void)
{
    base_folder folder;
    base_error error;
    write_text(scratch, "file", "mine");
    CHECK(!base_folder_begin(&folder, at("file"), &error), "a file is a folder");
    CHECK(strstr(error.text, "file: cannot make the folder"), "%s", error.text);
    base_folder_abandon(&folder);
    holds(at("file"), "mine");
}

int main(void)
{
    base_error error;
    CHECK(base_temporary_folder("phoenix-test", scratch, sizeof scratch, &error), "%s", error.text);
    one_takes_the_others_place();
    a_link_goes_on_pointing();
    the_old_one_is_gone();
    from_within();
    abandoned();
    leftovers();
    what_cannot_be();
    base_remove_folder(scratch);
    return test_end();
}
