/* SPDX-License-Identifier: MIT */
/* test_evolve_command.h -- what the tests of whole runs share: `build/phoenix evolve` with settings
 * so small that a run takes a second or two, and folders held against each other. */
#ifndef TEST_EVOLVE_COMMAND_H
#define TEST_EVOLVE_COMMAND_H

#include "tests/evolve/test_evolve.h"
#include "evolve/uses.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

/* ---- folders ---- */

static inline void copy_all(const char *from, const char *to)
{
    struct stat status;
    if (stat(from, &status) != 0)
        return;
    if (!S_ISDIR(status.st_mode)) {
        size_t size;
        char *bytes = slurp(from, &size);
        spill(to, bytes, size);
        free(bytes);
        return;
    }
    mkdir(to, 0777);
    DIR *folder = opendir(from);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            char *inside = base_file_path(from, entry->d_name);
            char *target = base_file_path(to, entry->d_name);
            copy_all(inside, target);
            free(inside);
            free(target);
        }
    if (folder)
        closedir(folder);
}

/* How many files of `want` are not in `got` with the same bytes, or the other way round. What is
 * about time may differ; the manifest also says how many jobs and threads there were. */
static inline int differences(const char *want, const char *got, bool with_manifest,
                              const char *side)
{
    struct stat status;
    const char *name = strrchr(want, '/') + 1;
    if (stat(want, &status) != 0 || strcmp(name, "timing.jsonl") == 0 ||
        (!with_manifest && strcmp(name, "manifest.json") == 0))
        return 0;
    if (!S_ISDIR(status.st_mode)) {
        bool same = same_files(want, got);
        if (!same)
            test_note(__FILE__, __LINE__, side, "%s and %s", want, got);
        return !same;
    }
    int count = 0;
    DIR *folder = opendir(want);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            char *a = base_file_path(want, entry->d_name), *b = base_file_path(got, entry->d_name);
            count += differences(a, b, with_manifest, side);
            free(a);
            free(b);
        }
    if (folder)
        closedir(folder);
    return count;
}

static inline void same_run(const char *want, const char *got, bool with_manifest)
{
    int count = differences(want, got, with_manifest, "differ or missing") +
                differences(got, want, with_manifest, "differ or too many");
    CHECK(count == 0, "%s: %d files are not those of %s", got, count, want);
}

/* The first `count` lines of a run's journal. */
static inline void cut_journal(const char *folder, int count)
{
    char *path = base_file_path(folder, "journal.jsonl");
    size_t size, length = 0;
    char *bytes = slurp(path, &size);
    for (int i = 0; i < count; i++) {
        char *feed = strchr(bytes + length, '\n');
        CHECK(feed, "%s: fewer than %d lines", path, count);
        length = feed ? (size_t)(feed - bytes) + 1 : length;
    }
    spill(path, bytes, length);
    free(bytes);
    free(path);
}

/* ---- the command ---- */

/* Standard output and error go to files. */
static inline pid_t start_command(const char *const *argv)
{
    char out[1024], errors[1024];
    snprintf(out, sizeof out, "%s", at("stdout"));
    snprintf(errors, sizeof errors, "%s", at("stderr"));
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        int to[2] = {open(out, O_WRONLY | O_CREAT | O_TRUNC, 0666),
                     open(errors, O_WRONLY | O_CREAT | O_TRUNC, 0666)};
        if (dup2(to[0], 1) == 1 && dup2(to[1], 2) == 2)
            execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(99);
    }
    return child;
}

/* Adds arguments to argv[*n ...], but for settings that would change nothing and are refused. */
static inline void add_useful(const char **argv, int *n, const char *const *more, int count,
                              const evolve_settings *settings)
{
    base_error error;
    for (int i = 0; i < count; i++) {
        bool pair = strncmp(more[i], "--", 2) == 0 && i + 1 < count;
        const evolve_field *f = pair ? evolve_field_find(evolve_setting_fields, more[i] + 2) : NULL;
        if (f && !evolve_use_check(f, more[i + 1], settings, EVOLVE_USES_EVOLVE, &error))
            i++;
        else
            argv[(*n)++] = more[i];
    }
}

/* Starts `build/phoenix evolve` on a folder; more: further settings, NULL-ended. */
static inline pid_t start_evolve(const char *folder, bool resume, const char *jobs,
                                 const char *threads, const char *const *more)
{
    static const char *const tiny[] = {
        "--d-model",  "16", "--samples",      "64", "--few-shot",     "16", "--batch",       "8",
        "--episodes", "2",  "--held-out",     "16", "--fidelity",     "2",  "--max-tokens",  "24",
        "--images",   "64", "--image-epochs", "1",  "--final-epochs", "1",  "--held-images", "32"};
    enum { TINY = sizeof tiny / sizeof *tiny, MOST = 40 };
    const char *argv[10 + TINY + MOST] = {TEST_PHOENIX, "evolve", "--run",     folder, "--quiet",
                                          "--jobs",     jobs,     "--threads", threads};
    int n = 9, further = 0;
    base_error error;
    evolve_settings settings;
    evolve_settings_preset(&settings, "quick", &error);
    for (; more[further] && further < MOST; further++)
        if (further > 0 && strncmp(more[further - 1], "--", 2) == 0)
            evolve_settings_set(&settings, more[further - 1] + 2, more[further], &error);
    assert(!more[further]);
    add_useful(argv, &n, tiny, TINY, &settings);
    add_useful(argv, &n, more, further, &settings);
    argv[n] = resume ? "--resume" : NULL;
    return start_command(argv);
}

/* The exit code; 256 + signal. */
static inline int wait_for(pid_t child)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

/* What was started ends with exit code 0 and has said nothing on standard error; name: for the message. */
static inline void ends_well(const char *name, pid_t child)
{
    size_t size;
    int code = wait_for(child);
    char *errors = slurp(at("stderr"), &size);
    CHECK(code == 0 && size == 0, "%s: exit code %d: %s", name, code, errors);
    free(errors);
}

/* What a command says on standard error, which is the caller's to free; *code: how it ends. */
static inline char *errors_of(const char *const *argv, int *code)
{
    size_t size;
    *code = wait_for(start_command(argv));
    return slurp(at("stderr"), &size);
}

static inline int count_events(const char *bytes, const char *piece)
{
    int count = 0;
    for (const char *at_piece = bytes; (at_piece = strstr(at_piece, piece)); at_piece++)
        count++;
    return count;
}

#endif
