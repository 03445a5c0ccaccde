/* SPDX-License-Identifier: MIT */
/* commands.c -- whole commands with arguments and files that were changed at random.
 *
 *   commands PROGRAM READY COMMANDS WORK FIRST COUNT
 *
 * Numbers FIRST .. FIRST + COUNT - 1, each a pure function of its number: a line of the file COMMANDS
 * (words between blanks), run in a copy of the folder READY at WORK/now, with some of its arguments or
 * some bytes of a file that it reads changed. PROGRAM is built with the sanitizers, which write to files
 * of their own, so that a worker's report is found as well. Right is exit code 0, 1, 2 or 3 (an invalid
 * source), and with a code other than 0 one message, which a terminal shows as it is; nothing of the sanitizers; no candidate whose
 * process crashed. A command that is still at it after PATIENCE seconds is ended: of changed numbers it
 * may have asked for a long training, of changed files alone it hangs. */
#include "base/file.h"
#include "base/list.h"
#include "base/process.h"
#include "base/random.h"
#include "base/text.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_WORDS = 40, PATIENCE = 20, SHOWN = 1 << 16 };

typedef struct run {
    const char *program, *ready, *work;
    char *word[MOST_WORDS + 1];
    int words;
    bool of_files; /* the arguments are as they were */
    base_random random;
    base_text what; /* was changed */
} run;

static char **commands, **options;
static size_t command_count, option_count;

static char *path_of(const char *folder, const char *name)
{
    char *path = base_file_path(folder, name);
    if (!path)
        abort();
    return path;
}

static uint32_t below(run *r, size_t bound)
{
    return base_random_below(&r->random, (uint32_t)(bound < UINT32_MAX ? bound : UINT32_MAX));
}

static void add_line(char ***list, size_t *count, const char *line, size_t length)
{
    *list = base_list_grow(*list, *count, 1, sizeof **list);
    (*list)[(*count)++] = base_copy(line, length);
}

/* The lines of a file; words of them that begin with "--" are options to be tried elsewhere. */
static bool read_commands(const char *path)
{
    size_t size;
    char *text = base_file_read(path, 1 << 20, &size, NULL);
    for (char *line = text; line && *line;) {
        const size_t length = strcspn(line, "\n");
        add_line(&commands, &command_count, line, length);
        line += length + (line[length] == '\n');
    }
    for (char *word = text ? strtok(text, " \n") : NULL; word; word = strtok(NULL, " \n"))
        if (strncmp(word, "--", 2) == 0)
            add_line(&options, &option_count, word, strlen(word));
    free(text);
    return command_count > 0 && option_count > 0;
}

/* ---- arguments ---- */

static const char *const values[] = {"0",
                                     "-1",
                                     "1",
                                     "2",
                                     "-0",
                                     "2147483647",
                                     "2147483648",
                                     "-2147483648",
                                     "4294967296",
                                     "9223372036854775807",
                                     "9223372036854775808",
                                     "18446744073709551616",
                                     "1e308",
                                     "1e309",
                                     "1e-400",
                                     "nan",
                                     "inf",
                                     "-inf",
                                     "0x10",
                                     "1.5",
                                     "+3",
                                     " 3",
                                     "3 ",
                                     "1e3",
                                     "1,5",
                                     "",
                                     " ",
                                     "-",
                                     "--",
                                     "-h",
                                     "--help",
                                     "all",
                                     "yes",
                                     "no",
                                     "none",
                                     ".",
                                     "..",
                                     "nowhere",
                                     "t5",
                                     "done",
                                     "other/journal.jsonl",
                                     "picture.pgm",
                                     "t5.c",
                                     "network/model",
                                     "/dev/null",
                                     "%s%n%s",
                                     "\x1b[31m",
                                     "\xff\xfe",
                                     "a\nb",
                                     "'",
                                     "=",
                                     "--=",
                                     "--seed=",
                                     "--seed=0=1",
                                     "0.0.0",
                                     "0.0",
                                     "last",
                                     "default",
                                     "999999999.0.0"};

/* One that is very long is as good as any. */
static char *new_word(run *r)
{
    enum { LONG = 5000 };
    const size_t known = sizeof values / sizeof *values;
    const uint32_t which = below(r, known + option_count + 1);
    if (which < known)
        return base_copy(values[which], strlen(values[which]));
    if (which < known + option_count)
        return base_copy(options[which - known], strlen(options[which - known]));
    char *word = base_copy("", 0);
    word = realloc(word, LONG + 1);
    memset(word, 'a', LONG);
    word[LONG] = '\0';
    return word;
}

/* A path stays below the folder: what begins with a slash or climbs is left as it was. */
static void change_byte(run *r, char **word)
{
    const size_t length = strlen(*word);
    char *changed = base_copy(*word, length);
    if (length > 0) {
        char *at = &changed[below(r, length)];
        *at = (char)(below(r, 4) ? (unsigned char)*at ^ 1U << below(r, 7) : below(r, 256));
    }
    if (*changed == '/' || strstr(changed, "..")) {
        free(changed);
        return;
    }
    free(*word);
    *word = changed;
}

static void change_words(run *r)
{
    for (uint32_t times = 1 + below(r, 3); times > 0; times--) {
        const int at = (int)below(r, (size_t)r->words + 1), how = (int)below(r, 6);
        if (at == r->words || how == 0) { /* one more */
            if (r->words == MOST_WORDS)
                continue;
            memmove(&r->word[at + 1], &r->word[at], (size_t)(r->words++ - at) * sizeof *r->word);
            r->word[at] = new_word(r);
        } else if (how == 1 && r->words > 1) { /* one less */
            free(r->word[at]);
            memmove(&r->word[at], &r->word[at + 1], (size_t)(--r->words - at) * sizeof *r->word);
        } else if (how == 2) {
            char **other = &r->word[below(r, (size_t)r->words)], *kept = *other;
            *other = r->word[at];
            r->word[at] = kept;
        } else if (how == 3) {
            change_byte(r, &r->word[at]);
        } else {
            free(r->word[at]);
            r->word[at] = new_word(r);
        }
    }
}

/* ---- files ---- */

/* The files below a path, which may be one itself. */
static void add_files(const char *path, char ***files, size_t *count)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return;
    if (S_ISREG(status.st_mode)) {
        add_line(files, count, path, strlen(path));
        return;
    }
    struct dirent **entries;
    const int found = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < found; i++) {
        char *inside = path_of(path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.')
            add_files(inside, files, count);
        free(inside);
        free(entries[i]);
    }
    if (found >= 0)
        free(entries);
}

/* What a file of numbers, names and lengths may hold as well. */
static void add_token(run *r, base_text *to)
{
    static const char *const tokens[] = {"-1",
                                         "0",
                                         "2147483648",
                                         "1e999",
                                         "nan",
                                         "null",
                                         "[]",
                                         "{}",
                                         "\"",
                                         "\\",
                                         "\\u0000",
                                         ",",
                                         ":",
                                         "\n",
                                         "\r\n",
                                         "\xef\xbb\xbf",
                                         "\xed\xa0\x80",
                                         "[[[[[[[[",
                                         "/*",
                                         "'",
                                         "#include <stdio.h>\n",
                                         "while (1);",
                                         "%s"};
    const uint32_t which = below(r, sizeof tokens / sizeof *tokens + 1);
    if (which < sizeof tokens / sizeof *tokens)
        base_text_add(to, tokens[which], strlen(tokens[which]));
    for (uint32_t i = 0; which == sizeof tokens / sizeof *tokens && i < 8; i++) {
        const char byte = (char)(below(r, 2) ? 0xff : below(r, 256));
        base_text_add(to, &byte, 1);
    }
}

/* A place is left out, doubled, overwritten or cut at; or one bit is another. */
static void change_bytes(run *r, base_text *bytes)
{
    base_text changed = {0};
    const size_t at = below(r, bytes->length + 1), rest = bytes->length - at;
    const size_t some = below(r, (rest < 64 ? rest : 64) + 1);
    const uint32_t how = below(r, 7);
    base_text_add(&changed, bytes->data, at);
    if (how == 0 && rest > 0) {
        const char byte = (char)(bytes->data[at] ^ (1 << below(r, 8)));
        base_text_add(&changed, &byte, 1);
        base_text_add(&changed, bytes->data + at + 1, rest - 1);
    } else if (how == 1) { /* it ends here */
    } else if (how == 2) {
        base_text_add(&changed, bytes->data + at, some);
        base_text_add(&changed, bytes->data + at, rest);
    } else if (how == 3) {
        base_text_add(&changed, bytes->data + at + some, rest - some);
    } else {
        add_token(r, &changed);
        const size_t out = how == 4 ? 0 : some < 8 ? some : 8;
        base_text_add(&changed, bytes->data + at + out, rest - out);
    }
    base_text_free(bytes);
    *bytes = changed;
}

static void change_file(run *r)
{
    char **files = NULL;
    size_t count = 0;
    for (int i = 0; i < r->words; i++)
        if (r->word[i][0] != '/' && r->word[i][0] != '.' && r->word[i][0] != '\0')
            add_files(r->word[i], &files, &count);
    if (count > 0) {
        const char *path = files[below(r, count)];
        size_t size = 0;
        char *old = base_file_read(path, 1 << 26, &size, NULL);
        base_text bytes = {0};
        base_text_add(&bytes, old ? old : "", size);
        for (uint32_t times = 1 + below(r, 3); times > 0; times--)
            change_bytes(r, &bytes);
        FILE *file = fopen(path, "wb");
        if (!file || fwrite(bytes.data ? bytes.data : "", 1, bytes.length, file) != bytes.length ||
            fclose(file) != 0)
            abort();
        base_text_print(&r->what, "%s is changed; ", path);
        base_text_free(&bytes);
        free(old);
    }
    for (size_t i = 0; i < count; i++)
        free(files[i]);
    free(files);
}

/* ---- running ---- */

static void become(const run *r)
{
    const char *const to[3] = {"/dev/null", "../out", "../err"};
    char *arguments[MOST_WORDS + 2] = {(char *)(uintptr_t)r->program};
    memcpy(arguments + 1, r->word, (size_t)(r->words + 1) * sizeof *r->word);
    setpgid(0, 0);
    for (int i = 0; i < 3; i++) {
        const int file = open(to[i], i == 0 ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC, 0644);
        if (file < 0 || dup2(file, i) < 0)
            _exit(126);
        close(file);
    }
    execv(r->program, arguments);
    _exit(127);
}

/* Its status; *ended: it was at it for too long. */
static int wait_for(pid_t child, bool *ended)
{
    const struct timespec moment = {0, 5000000};
    int status;
    *ended = false;
    for (int i = 0; waitpid(child, &status, WNOHANG) == 0; i++) {
        *ended = i >= PATIENCE * 200;
        if (*ended) {
            kill(-child, SIGKILL);
            waitpid(child, &status, 0);
            break;
        }
        nanosleep(&moment, NULL);
    }
    return status;
}

static char *read_shown(const char *path)
{
    size_t size;
    char *text = base_file_read(path, SHOWN, &size, NULL);
    return text ? text : base_copy("", 0);
}

/* Lines of standard error that are a message: what is shown of a source below one begins otherwise. */
static int messages(const char *text)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, "phoenix: ")); at++)
        count += at == text || at[-1] == '\n';
    return count;
}

/* What is wrong with how it ended; NULL: nothing. */
static const char *judge(const run *r, int status, bool ended, const char *out, const char *err)
{
    if (base_file_exists("../sanitizer"))
        return "a report of a sanitizer";
    if (ended)
        return r->of_files ? "it hangs" : NULL;
    if (WIFSIGNALED(status))
        return "it was ended by a signal";
    if (WEXITSTATUS(status) > 3)
        return "another exit code than 0 to 3";
    if (strstr(out, "\"status\":\"crash\"") || strstr(out, "\"status\":\"lost\""))
        return "a candidate's process crashed";
    const int said = messages(err); /* evaluate and verify say on standard output what is wrong */
    if (WEXITSTATUS(status) != 0 && said != 1 && (said > 1 || *out == '\0'))
        return "not one message";
    for (const char *at = err; *at; at++)
        if ((unsigned char)*at < ' ' && *at != '\n' && *at != '\t')
            return "a control character in a message";
    return NULL;
}

/* The sanitizers append the process's number to the name of their file. */
static void gather_reports(const char *work)
{
    DIR *entries = opendir(work);
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        if (strncmp(entry->d_name, "sanitizer.", 10) == 0) {
            char *path = path_of(work, entry->d_name);
            rename(path, "../sanitizer");
            free(path);
        }
    if (entries)
        closedir(entries);
}

static bool one(run *r, uint64_t number)
{
    char *now = path_of(r->work, "now");
    base_text copy = {0};
    const char *line = commands[number % command_count];
    r->random = (base_random){number, base_random_stream("commands", 0, 0, 0), 0};
    if (chdir(r->work) != 0)
        abort();
    base_remove_folder(now);
    base_text_print(&copy, "cp -R '%s' '%s'", r->ready, now);
    if (system(copy.data) != 0 || chdir(now) != 0)
        abort();
    unlink("../sanitizer");
    for (r->words = 0; *line && r->words < MOST_WORDS; line += line[0] == ' ') {
        const size_t length = strcspn(line, " ");
        r->word[r->words++] = base_copy(line, length);
        line += length;
    }
    base_text_clear(&r->what);
    r->of_files = below(r, 2) == 0;
    if (r->of_files)
        change_file(r);
    else
        change_words(r);
    r->word[r->words] = NULL;

    bool ended;
    const pid_t child = fork();
    if (child == 0)
        become(r);
    const int status = wait_for(child, &ended);
    gather_reports(r->work);
    char *out = read_shown("../out"), *err = read_shown("../err");
    const char *wrong = judge(r, status, ended, out, err);
    if (wrong) {
        printf("FAILED %llu: %s (status %d):%s", (unsigned long long)number, wrong, status,
               r->what.length > 0 ? " " : "");
        printf("%s", r->what.length > 0 ? r->what.data : "");
        for (int i = 0; i < r->words; i++)
            printf(" [%.60s]", r->word[i]);
        char *report = read_shown("../sanitizer");
        printf("\n%.600s\n%.1500s\n", err, report);
        fflush(stdout);
        free(report);
    }
    for (int i = 0; i < r->words; i++)
        free(r->word[i]);
    free(out);
    free(err);
    base_text_free(&copy);
    free(now);
    return !wrong;
}

int main(int count, char **arguments)
{
    if (count != 7 || !read_commands(arguments[3])) {
        fputs("usage: commands PROGRAM READY COMMANDS WORK FIRST COUNT\n", stderr);
        return 2;
    }
    run r = {.program = arguments[1], .ready = arguments[2], .work = arguments[4]};
    const uint64_t first = strtoull(arguments[5], NULL, 10),
                   runs = strtoull(arguments[6], NULL, 10);
    int passed = 0, failed = 0;
    for (uint64_t i = 0; i < runs; i++)
        *(one(&r, first + i) ? &passed : &failed) += 1;
    printf("%d passed, %d failed, 0 skipped\n", passed, failed);
    return failed > 0;
}
