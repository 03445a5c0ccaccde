/* SPDX-License-Identifier: MIT */
/* power.c -- what a folder may hold after the power went, at each moment of a command.
 *
 *   power LOG ROOT BEFORE               the moments, with the last operation before each; of writes that
 *                                       follow one another the last, since any part of them may be there
 *   power LOG ROOT BEFORE INTO M HOW    makes INTO what ROOT may be after the first M operations
 *
 * LOG is what `strace -f -y -xx -s 1000000000` wrote of a command that ran in ROOT (absolute, without
 * links), with the calls of `calls` below; BEFORE is a copy of ROOT from before it. What survives follows
 * the model of Pillai et al. 2014 ("All File Systems Are Not Created Equal", OSDI'14): bytes are there for
 * certain once their file was synced, and names once their folder was. Of the rest,
 *
 *   HOW 0   nothing is there
 *   HOW 1   all is: what a kill leaves
 *   HOW 2   names are, without their bytes (a rename that overtakes a write)
 *   HOW 3   bytes are, without their names
 *   HOW n   each change of a name is or is not, and each file ends at some byte after what is certain, or
 *           has bytes from there on that nobody wrote; n gives the numbers
 *
 * A rename is one change, certain with the folder of its new name. */
#include "base/file.h"
#include "base/list.h"
#include "base/random.h"
#include "base/text.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const calls[] = {"open",   "openat",   "creat",     "write",     "fsync",
                                    "rename", "renameat", "renameat2", "fdatasync", "ftruncate",
                                    "mkdir",  "mkdirat",  "unlink",    "unlinkat",  "rmdir"};

typedef struct node {
    bool folder;
    base_text now, kept; /* a file's bytes, as they are read and as they are certain */
} node;

/* A name in a folder stands for a node or, NULL, for none. */
typedef struct name {
    node *in;
    char *text;
    node *now, *kept, *left; /* left: after the power went */
} name;

typedef struct change {
    name *names[2]; /* of a rename the new one is the first */
    node *to[2];
    int count;
} change;

static node root = {.folder = true};
static name **names;
static change *changes; /* those that are not certain yet, in their order */
static size_t name_count, change_count;
static base_text last; /* what was done last */

static void die(const char *what, const char *which)
{
    fprintf(stderr, "power: %s: %s\n", what, which);
    exit(2);
}

static void *grown(void *list, size_t count, size_t size)
{
    void *larger = base_list_grow(list, count, 1, size);
    if (!larger)
        die("no memory", "");
    return larger;
}

/* The name `text` in a folder, which is made if it was never used. */
static name *name_of(node *in, const char *text, size_t length)
{
    for (size_t i = 0; i < name_count; i++)
        if (names[i]->in == in && strlen(names[i]->text) == length &&
            memcmp(names[i]->text, text, length) == 0)
            return names[i];
    name *made = calloc(1, sizeof *made);
    names = grown(names, name_count, sizeof(name *));
    names[name_count++] = made;
    made->in = in;
    made->text = base_copy(text, length);
    return made;
}

/* The name that a path below the root has now; NULL: it is the root, or a folder of it is not there. */
static name *find(const char *path)
{
    node *in = &root;
    name *found = NULL;
    while (in && *path) {
        const size_t length = strcspn(path, "/");
        if (length > 0 && !(length == 1 && *path == '.')) {
            found = in->folder ? name_of(in, path, length) : NULL;
            in = found ? found->now : NULL;
        }
        path += length + (path[length] == '/');
        if (!in && *path)
            return NULL;
    }
    return found;
}

static void set(name *first, node *to, name *second, node *to_second)
{
    const change made = {{first, second}, {to, to_second}, second ? 2 : 1};
    changes = grown(changes, change_count, sizeof *changes);
    changes[change_count++] = made;
    for (int i = 0; i < made.count; i++)
        made.names[i]->now = made.to[i];
}

static void sync_node(node *n)
{
    base_text_clear(&n->kept);
    base_text_add(&n->kept, n->now.data, n->now.length);
    size_t still = 0;
    for (size_t i = 0; i < change_count; i++) {
        const change *c = &changes[i];
        if (c->names[0]->in != n)
            changes[still++] = *c;
        else
            for (int k = 0; k < c->count; k++)
                c->names[k]->kept = c->to[k];
    }
    change_count = still;
}

static node *node_new(bool folder)
{
    node *made = calloc(1, sizeof *made);
    if (!made)
        die("no memory", "");
    made->folder = folder;
    return made;
}

/* What stood there before the command is certain. */
static void read_folder(const char *path, node *into)
{
    DIR *entries = opendir(path);
    if (!entries)
        die("cannot open", path);
    for (struct dirent *entry; (entry = readdir(entries));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        char *inside = base_file_path(path, entry->d_name);
        struct stat status;
        node *n = node_new(stat(inside, &status) == 0 && S_ISDIR(status.st_mode));
        name *called = name_of(into, entry->d_name, strlen(entry->d_name));
        called->now = called->kept = n;
        if (n->folder) {
            read_folder(inside, n);
        } else {
            size_t size = 0;
            char *bytes = base_file_read(inside, (size_t)1 << 30, &size, NULL);
            if (!bytes)
                die("cannot read", inside);
            base_text_add(&n->now, bytes, size);
            base_text_add(&n->kept, bytes, size);
            free(bytes);
        }
        free(inside);
    }
    closedir(entries);
}

/* ---- the log ---- */

typedef struct call {
    char *arguments[6]; /* as strace prints them */
    int count;
    long result;
    const char *root;
} call;

/* The bytes of "\x61\x62"; what is behind them is left. */
static void decode(const char *printed, base_text *bytes)
{
    base_text_add(bytes, "", 0);
    while (printed[0] == '\\' && printed[1] == 'x') {
        const char digits[] = {printed[2], printed[3], '\0'};
        const char byte = (char)strtol(digits, NULL, 16);
        base_text_add(bytes, &byte, 1);
        printed += 4;
    }
}

/* The path of argument `at`, below the root; NULL: it is elsewhere. folder_at: the folder that it is
 * relative to, -1: the root. An argument that is a descriptor stands for its file. */
static char *path_of(const call *c, int at, int folder_at)
{
    base_text path = {0}, whole = {0};
    const char *printed = at < c->count ? c->arguments[at] : "";
    const char *inside = strpbrk(printed, "\"<");
    if (inside)
        decode(inside + 1, &path);
    if (*printed != '"' && (path.length == 0 || path.data[0] != '/'))
        inside = NULL; /* a pipe's */
    const char *base = folder_at >= 0 ? strchr(c->arguments[folder_at], '<') : NULL;
    if (path.length == 0 || path.data[0] != '/') {
        if (base)
            decode(base + 1, &whole);
        else
            base_text_print(&whole, "%s", c->root);
        base_text_print(&whole, "/");
    }
    base_text_add(&whole, path.data, path.length);
    const size_t length = strlen(c->root);
    char *below = NULL;
    if (inside && strncmp(whole.data, c->root, length) == 0 &&
        (whole.data[length] == '/' || whole.data[length] == '\0'))
        below = base_copy(whole.data + length, whole.length - length);
    base_text_free(&path);
    base_text_free(&whole);
    return below;
}

static name *need(const char *path)
{
    name *found = find(path);
    if (!found)
        die("a name without a folder", path);
    return found;
}

static node *node_at(const char *path)
{
    name *found = find(path);
    if (found ? !found->now : strspn(path, "/") != strlen(path))
        die("bytes of a file without a name", path);
    return found ? found->now : &root;
}

static bool opened(const char *path, const char *flags)
{
    if (!strstr(flags, "O_CREAT") && !strstr(flags, "O_TRUNC"))
        return false;
    name *at = need(path);
    if (!at->now)
        set(at, node_new(false), NULL, NULL);
    else if (strstr(flags, "O_TRUNC"))
        base_text_clear(&at->now->now);
    else
        return false;
    return true;
}

/* Does what a call did; whether that changes what may be left. Files are written from their end on. */
static bool act(const char *what, const call *c)
{
    const bool at = strcmp(what, "openat") == 0 || strcmp(what, "mkdirat") == 0 ||
                    strcmp(what, "unlinkat") == 0 || strncmp(what, "renameat", 8) == 0;
    const int first = at ? 1 : 0;
    char *path = path_of(c, first, at ? 0 : -1), *other = NULL;
    bool changed = path && c->result >= 0;
    if (!changed) {
        free(path);
        return false;
    }
    if (strncmp(what, "open", 4) == 0) {
        changed = opened(path, c->arguments[first + 1]);
    } else if (strcmp(what, "write") == 0) {
        base_text bytes = {0};
        decode(strchr(c->arguments[1], '"') + 1, &bytes);
        if (bytes.length < (size_t)c->result)
            die("the log has not all bytes", path);
        base_text_add(&node_at(path)->now, bytes.data, (size_t)c->result);
        base_text_free(&bytes);
    } else if (strcmp(what, "ftruncate") == 0) {
        node_at(path)->now.length = strtoul(c->arguments[1], NULL, 10);
    } else if (strstr(what, "sync")) {
        sync_node(node_at(path));
    } else if (strncmp(what, "mkdir", 5) == 0) {
        set(need(path), node_new(true), NULL, NULL);
    } else if (strncmp(what, "unlink", 6) == 0 || strcmp(what, "rmdir") == 0) {
        set(need(path), NULL, NULL, NULL);
    } else if (strncmp(what, "rename", 6) == 0 && (other = path_of(c, at ? 3 : 1, at ? 2 : -1))) {
        name *from = need(path), *to = need(other);
        const bool exchange = c->count > 4 && strstr(c->arguments[4], "EXCHANGE");
        set(to, from->now, from, exchange ? to->now : NULL);
    } else {
        die("a call that is not understood", what);
    }
    if (changed) {
        base_text_clear(&last);
        base_text_print(&last, "%s %s%s%s", what, path, other ? " to " : "", other ? other : "");
    }
    free(path);
    free(other);
    return changed;
}

/* NAME(ARGUMENTS) = RESULT, as it was begun in one line and, maybe, ended in another. */
static bool read_call(char *text, const char *root_path)
{
    char *open = strchr(text, '('), *close = strrchr(text, '=');
    if (!open || !close)
        return false;
    *open = '\0';
    bool known = false;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        known = known || strcmp(text, calls[i]) == 0;
    call c = {.result = strtol(close + 1, NULL, 10), .root = root_path};
    if (!known)
        return false;
    *close = '\0';
    for (char *at = strtok(open + 1, ","); at && c.count < 6; at = strtok(NULL, ","))
        c.arguments[c.count++] = at + (*at == ' ');
    return act(text, &c);
}

/* ---- afterwards ---- */

static bool chosen(base_random *r, int how, bool of_bytes)
{
    return how == 1 || (how == 2 && !of_bytes) || (how == 3 && of_bytes) ||
           (how > 3 && base_random_next(r) % 2 == 0);
}

/* The bytes of a file: those that are certain, and of the others some. */
static void leave_bytes(const node *n, base_random *r, int how, base_text *bytes)
{
    const bool longer =
        n->now.length > n->kept.length &&
        (n->kept.length == 0 || memcmp(n->now.data, n->kept.data, n->kept.length) == 0);
    const base_text *from = chosen(r, how, true) || (how > 3 && longer) ? &n->now : &n->kept;
    base_text_add(bytes, from->data, from->length);
    if (how <= 3 || !longer)
        return;
    const size_t room = n->now.length - n->kept.length;
    const size_t whole = n->kept.length + base_random_below(r, (uint32_t)room + 1);
    const uint32_t rest = base_random_next(r) % 4; /* 0, 1: none; 2: zeros; 3: anything */
    if (rest < 2)
        bytes->length = whole;
    for (size_t i = whole; i < bytes->length; i++)
        bytes->data[i] = (char)(rest == 2 ? 0 : base_random_next(r));
}

static void leave(const node *folder, const char *path, base_random *r, int how)
{
    if (mkdir(path, 0777) != 0)
        die("cannot make", path);
    for (size_t i = 0; i < name_count; i++) {
        if (names[i]->in != folder || !names[i]->left)
            continue;
        char *inside = base_file_path(path, names[i]->text);
        if (names[i]->left->folder) {
            leave(names[i]->left, inside, r, how);
        } else {
            base_text bytes = {0};
            leave_bytes(names[i]->left, r, how, &bytes);
            FILE *file = fopen(inside, "wb");
            if (!file ||
                fwrite(bytes.data ? bytes.data : "", 1, bytes.length, file) != bytes.length ||
                fclose(file) != 0)
                die("cannot write", inside);
            base_text_free(&bytes);
        }
        free(inside);
    }
}

static void lose_power(const char *into, long moment, int how)
{
    base_random r = {(uint64_t)how, base_random_stream("power", (uint64_t)moment, 0, 0), 0};
    for (size_t i = 0; i < name_count; i++)
        names[i]->left = names[i]->kept;
    for (size_t i = 0; i < change_count; i++)
        if (chosen(&r, how, false))
            for (int k = 0; k < changes[i].count; k++)
                changes[i].names[k]->left = changes[i].to[k];
    leave(&root, into, &r, how);
}

int main(int count, char **arguments)
{
    if (count != 4 && count != 7)
        die("arguments", "LOG ROOT BEFORE [INTO MOMENT HOW]");
    const long moment = count == 7 ? strtol(arguments[5], NULL, 10) : -1;
    read_folder(arguments[3], &root);
    FILE *log = fopen(arguments[1], "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    long done = 0;
    base_text before = {0};
    base_text begun[64] = {
        {0}}; /* of the processes with the last number that many: one at a time */
    if (!log)
        die("cannot open", arguments[1]);
    while (done != moment && (length = getline(&line, &room, log)) > 0) {
        char *text;
        base_text *other = &begun[strtol(line, &text, 10) % 64];
        text += strspn(text, " ");
        char *cut = strstr(text, "<unfinished ...>"), *resumed = strstr(text, " resumed>");
        if (cut) {
            base_text_clear(other);
            base_text_add(other, text, (size_t)(cut - text));
            continue;
        }
        if (resumed)
            base_text_print(other, "%s", resumed + strlen(" resumed>"));
        if (!read_call(resumed ? other->data : text, arguments[2]))
            continue;
        if (moment < 0 && before.length > 0 &&
            (strncmp(last.data, "write ", 6) != 0 || strcmp(before.data, last.data) != 0))
            printf("%ld %s\n", done, before.data);
        done++;
        base_text_clear(&before);
        base_text_add(&before, last.data, last.length);
    }
    if (moment < 0)
        printf("%ld %s\n", done, before.length > 0 ? before.data : "nothing");
    else
        lose_power(arguments[4], moment, (int)strtol(arguments[6], NULL, 10));
    return 0;
}
