/* SPDX-License-Identifier: MIT */
/* journal.c -- an append-only file of sealed lines. Durability is one write() and one fsync() per
 * event; exclusion is one POSIX lock, held by the descriptor that reads the file. */
#include "evolve/loop/journal.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/memory.h"
#include "base/seal.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const size_t most_bytes = (size_t)1 << 30;

typedef enum journal_mode {
    APPEND,
    READ, /* a run that stands still: locked against a driver, and whole */
    LOOK  /* one that may go on */
} journal_mode;

struct loop_journal {
    char *path;
    int descriptor;
    base_json **events;
    int count;
    int recorded, next;
    journal_mode mode;
    char hash[BASE_HASH_TEXT]; /* of what was read */
};

static bool keep(loop_journal *journal, base_json *event)
{
    base_json **events = base_list_grow(journal->events, (size_t)journal->count, 1, sizeof *events);
    if (!events)
        return false;
    journal->events = events;
    journal->events[journal->count++] = event;
    return true;
}

/* One line of the file, without its line feed. */
static bool read_line(loop_journal *journal, const char *line, size_t length, base_error *error)
{
    int number = journal->count + 1;
    if (!base_sealed(line, length))
        return base_fail(error, "%s:%d: the line was changed or torn: its check is wrong",
                         journal->path, number);
    base_error why;
    base_json *event = base_json_parse(line, length, "event", &why);
    if (!event)
        return base_fail(error, "%s:%d: %s", journal->path, number, why.text);
    int64_t seq;
    if (!base_json_get_int(event, "seq", 0, INT32_MAX, &seq, journal->path, error) ||
        (seq != journal->count && !base_fail(error, "%s:%d: expected event %d, got %d",
                                             journal->path, number, journal->count, (int)seq)) ||
        (!keep(journal, event) && !base_fail(error, "%s: no memory", journal->path))) {
        base_json_free(event);
        return false;
    }
    return true;
}

/* Reads all whole lines; *whole: bytes up to the end of the last. */
static bool read_all(loop_journal *journal, const char *bytes, size_t size, size_t *whole,
                     base_error *error)
{
    *whole = 0;
    while (*whole < size) {
        const char *line = bytes + *whole;
        const char *end = memchr(line, '\n', size - *whole);
        if (!end)
            return true; /* torn by a crash: the caller cuts it off */
        if (!read_line(journal, line, (size_t)(end - line), error))
            return false;
        *whole = (size_t)(end - bytes) + 1;
    }
    return true;
}

bool loop_journal_is_named(const loop_journal *journal)
{
    struct stat is_open, named;
    return fstat(journal->descriptor, &is_open) == 0 && stat(journal->path, &named) == 0 &&
           is_open.st_ino == named.st_ino && is_open.st_dev == named.st_dev;
}

static bool lock(const loop_journal *journal, base_error *error)
{
    short kind = journal->mode == READ ? F_RDLCK : F_WRLCK;
    struct flock whole_file = {.l_type = kind, .l_whence = SEEK_SET};
    if (fcntl(journal->descriptor, F_SETLK, &whole_file) == 0) {
        /* Whoever held it may have given the folder back, and this file with it. */
        if (loop_journal_is_named(journal))
            return true;
        errno = EAGAIN;
    }
    if (errno != EAGAIN && errno != EACCES) /* as of a file system without locks */
        return base_fail(error, "%s: cannot be locked against another phoenix: %s", journal->path,
                         strerror(errno));
    return base_fail(error, "%s: another phoenix is running in this folder (%s)", journal->path,
                     strerror(errno));
}

static bool open_file(loop_journal *journal, base_error *error)
{
    int how = journal->mode == APPEND ? O_RDWR | O_CREAT | O_APPEND : O_RDONLY | O_NONBLOCK;
    journal->descriptor = open(journal->path, how | O_CLOEXEC, 0666);
    if (journal->descriptor < 0)
        return base_fail(error, "%s: cannot open: %s", journal->path, strerror(errno));
    if (journal->mode != LOOK && !lock(journal, error))
        return false;
    /* Of what is no file nothing is read, since a device need not end. */
    struct stat status;
    size_t size = 0, whole;
    char *bytes = NULL;
    if (fstat(journal->descriptor, &status) == 0 && S_ISREG(status.st_mode) &&
        !(bytes =
              base_file_read_open(journal->descriptor, journal->path, most_bytes, &size, error)))
        return false;
    bool ok = read_all(journal, bytes ? bytes : "", size, &whole, error);
    if (ok)
        base_hash_text(bytes ? bytes : "", whole, journal->hash);
    base_free(bytes);
    if (ok && whole < size && journal->mode == READ)
        ok = base_fail(error, "%s:%d: the line is torn: --resume would cut it off", journal->path,
                       journal->count + 1);
    else if (ok && whole < size && journal->mode == APPEND &&
             ftruncate(journal->descriptor, (off_t)whole) != 0)
        ok = base_fail(error, "%s: cannot cut off a torn line: %s", journal->path, strerror(errno));
    journal->recorded = journal->count;
    return ok;
}

static loop_journal *open_journal(const char *folder, journal_mode mode, base_error *error)
{
    loop_journal *journal = base_calloc(1, sizeof *journal);
    if (journal) {
        journal->mode = mode;
        journal->descriptor = -1;
        journal->path = base_file_path(folder, "journal.jsonl");
    }
    if (!journal || !journal->path) {
        base_fail(error, "%s: no memory", folder);
    } else if (open_file(journal, error)) {
        if (journal->recorded == 0 && mode == APPEND)
            base_file_sync_folder(folder); /* the name of a new journal is to last as its lines */
        return journal;
    }
    loop_journal_close(journal);
    return NULL;
}

loop_journal *loop_journal_open(const char *folder, base_error *error)
{
    return open_journal(folder, APPEND, error);
}

loop_journal *loop_journal_read(const char *folder, base_error *error)
{
    return open_journal(folder, READ, error);
}

loop_journal *loop_journal_look(const char *folder, base_error *error)
{
    return open_journal(folder, LOOK, error);
}

/* The event of line index + 1. */
static bool read_event(const loop_journal *journal, int index, loop_event *event, base_error *error)
{
    char origin[300];
    snprintf(origin, sizeof origin, "%.280s:%d", journal->path, index + 1);
    return loop_event_read(event, journal->events[index], origin, error);
}

bool loop_journal_event(const loop_journal *journal, int index, loop_event *event,
                        base_error *error)
{
    assert(index >= 0 && index < journal->recorded);
    return read_event(journal, index, event, error);
}

char *loop_journal_lines(loop_journal *journal, int count, size_t *size, base_error *error)
{
    size_t all, end = 0;
    if (lseek(journal->descriptor, 0, SEEK_SET) != 0) {
        base_fail(error, "%s: cannot be read again: %s", journal->path, strerror(errno));
        return NULL;
    }
    char *bytes = base_file_read_open(journal->descriptor, journal->path, most_bytes, &all, error);
    for (int i = 0; bytes && i < count; i++) {
        const char *feed = memchr(bytes + end, '\n', all - end);
        assert(feed); /* they were whole lines on opening */
        end = (size_t)(feed - bytes) + 1;
    }
    *size = end;
    return bytes;
}

const char *loop_journal_hash(const loop_journal *journal) { return journal->hash; }

void loop_journal_close(loop_journal *journal)
{
    if (!journal)
        return;
    for (int i = 0; i < journal->count; i++)
        base_json_free(journal->events[i]);
    base_free(journal->events);
    if (journal->descriptor >= 0)
        close(journal->descriptor); /* this gives up the lock */
    base_free(journal->path);
    base_free(journal);
}

int loop_journal_recorded(const loop_journal *journal) { return journal->recorded; }

bool loop_journal_next(loop_journal *journal, loop_kind kind, loop_event *event, bool *replayed,
                       base_error *error)
{
    *replayed = journal->next < journal->recorded || journal->mode != APPEND;
    if (journal->next == journal->recorded) {
        if (journal->mode != APPEND)
            error->text[0] = '\0';
        return false;
    }
    if (!read_event(journal, journal->next, event, error))
        return false;
    if (event->kind != kind && !(kind == LOOP_TRAINED && event->kind == LOOP_UNTRAINABLE))
        return base_fail(error, "%s:%d: expected the event \"%s\", got \"%s\"", journal->path,
                         journal->next + 1, loop_kind_name(kind), loop_kind_name(event->kind));
    journal->next++;
    return true;
}

/* The sealed line of event number seq, without its line feed. */
static void print_line(int seq, const loop_event *event, base_text *line)
{
    base_text_print(line, "{\"seq\":%d,", seq);
    loop_event_print(event, line);
    base_text_print(line, "}");
    base_seal(line);
}

bool loop_journal_append(loop_journal *journal, loop_event *event, base_error *error)
{
    base_text line = {0};
    print_line(journal->count, event, &line);
    base_json *parsed = NULL;
    if (line.failed || !(parsed = base_json_parse(line.data, line.length, journal->path, error)))
        base_fail(error, "%s: no memory for an event", journal->path);
    base_text_add(&line, "\n", 1);
    if (parsed && !loop_journal_is_named(journal)) {
        base_json_free(parsed);
        parsed = NULL;
        base_fail(error,
                  "%s: is not the file that the run writes any more: its folder was moved or "
                  "removed",
                  journal->path);
    }
    bool ok =
        parsed && !line.failed &&
        base_file_write_all(journal->descriptor, line.data, line.length, journal->path, error);
    if (ok && fsync(journal->descriptor) != 0)
        ok = base_fail(error, "%s: cannot fsync: %s", journal->path, strerror(errno));
    if (ok && !keep(journal, parsed))
        ok = base_fail(error, "%s: no memory", journal->path);
    base_text_free(&line);
    if (ok)
        return read_event(journal, journal->count - 1, event, error);
    base_json_free(parsed);
    return false;
}

/* The recorded event is not what `line` says, which follows from what went before. */
static void name_difference(const loop_journal *journal, const loop_event *recorded,
                            const base_text *line, base_error *error)
{
    loop_difference d;
    base_json *expected =
        line->failed ? NULL : base_json_parse(line->data, line->length, journal->path, NULL);
    bool named = expected && loop_differs(recorded->json, expected, &d);
    base_fail(error, "%s:%d: the event \"%s\" does not follow from what went before%s%s%s%s%s%s",
              journal->path, journal->next, loop_kind_name(recorded->kind), named ? ": \"" : "",
              named ? d.name : "", named ? "\" is " : "", named ? d.first : "",
              named ? ", expected " : "", named ? d.second : "");
    base_json_free(expected);
}

bool loop_journal_note(loop_journal *journal, loop_event *event, base_error *error)
{
    bool replayed;
    const char *check;
    loop_event recorded;
    if (!loop_journal_next(journal, event->kind, &recorded, &replayed, error))
        return !replayed && loop_journal_append(journal, event, error);
    if (!base_json_get_string(recorded.json, "check", &check, journal->path, error))
        return false;
    base_text line = {0};
    print_line(journal->next - 1, event, &line);
    bool same = !line.failed && strncmp(line.data + line.length - BASE_SEAL_DIGITS - 2, check,
                                        BASE_SEAL_DIGITS) == 0;
    if (!same)
        name_difference(journal, &recorded, &line, error);
    base_text_free(&line);
    *event = recorded;
    return same;
}
