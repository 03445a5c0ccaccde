/* SPDX-License-Identifier: MIT */
/* test_journal.c -- what was written comes back; what was torn is cut off; what was changed
 * is refused; a disk that is full loses the event at hand and no other.
 *
 * The test defines write and fsync itself, so that they fail when it wants; the linker prefers
 * these to the C library's. */
#include "evolve/loop/journal.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/seal.h"
#include "tests/evolve/test_evolve.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>

static struct {
    int reason;      /* errno of the calls to come; 0: they work */
    size_t most;     /* bytes that a write takes; 0: all */
    size_t room;     /* bytes that all writes take before they fail */
    bool fsync_only; /* writes work */
} fault;

static void no_fault(void) { memset(&fault, 0, sizeof fault); }

ssize_t write(int descriptor, const void *bytes, size_t count)
{
    if (fault.reason && !fault.fsync_only) {
        if (fault.room == 0) {
            errno = fault.reason;
            return -1;
        }
        if (count > fault.room)
            count = fault.room;
        fault.room -= count;
    }
    if (fault.most && count > fault.most)
        count = fault.most;
    struct iovec part = {(void *)(uintptr_t)bytes, count};
    return writev(descriptor, &part, 1);
}

int fsync(int descriptor)
{
    (void)descriptor;
    if (!fault.reason)
        return 0;
    errno = fault.reason;
    return -1;
}

/* Five events as a run writes them, and more. */
enum { EVENTS = 5 };
static const loop_event events[EVENTS] = {
    {.kind = LOOP_STARTED, .version = "0.1.0", .settings = {"{\"seed\":1,\"rate\":0.001}", NULL}},
    {.kind = LOOP_TRAINED,
     .episode = 1,
     .losses = TEST_HASH("1"),
     .loss = 1.25,
     .config = TEST_HASH("c"),
     .weights = TEST_HASH("a"),
     .tokenizer = TEST_HASH("7"),
     .held_out = {"{}", NULL},
     .fidelity = {"{}", NULL}},
    {.kind = LOOP_PROPOSED, .texts = {"[\"int main(void)\\n{\\n}\\n\",\"\\u0000\\\"\"]", NULL}},
    {.kind = LOOP_EVALUATED, .key = "", .candidate = 1},
    {.kind = LOOP_SELECTED, .accepted = true, .candidate = 1, .score = -0.5, .source = "\n"},
};
static const loop_event more = {
    .kind = LOOP_FINISHED, .source = TEST_HASH("5"), .summary = TEST_HASH("7")};

static bool append(loop_journal *journal, const loop_event *event, base_error *error)
{
    loop_event own = *event;
    return loop_journal_append(journal, &own, error);
}

static bool note(loop_journal *journal, const loop_event *event, base_error *error)
{
    loop_event own = *event;
    return loop_journal_note(journal, &own, error);
}

/* The next event is of that kind. */
static bool next(loop_journal *journal, loop_kind kind, bool *replayed, base_error *error)
{
    loop_event event;
    return loop_journal_next(journal, kind, &event, replayed, error);
}

static const char *journal_path(void) { return at("journal.jsonl"); }

/* A new journal of the first `count` events; its bytes. */
static char *write_events(int count, size_t *size)
{
    base_error error = {""};
    unlink(journal_path());
    loop_journal *journal = loop_journal_open(scratch, &error);
    CHECK(journal, "%s", error.text);
    for (int i = 0; journal && i < count; i++)
        CHECK(append(journal, &events[i], &error), "%s", error.text);
    loop_journal_close(journal);
    return slurp(journal_path(), size);
}

static void events_come_back(void)
{
    base_error error = {""};
    size_t size;
    char *bytes = write_events(EVENTS, &size);
    int lines = 0;
    for (char *line = bytes, *end; (end = strchr(line, '\n')); line = end + 1, lines++) {
        char start[64];
        snprintf(start, sizeof start, "{\"seq\":%d,\"event\":\"%s\",", lines,
                 loop_kind_name(events[lines % EVENTS].kind));
        CHECK(strncmp(line, start, strlen(start)) == 0, "line %d: %.60s", lines + 1, line);
        CHECK(base_sealed(line, (size_t)(end - line)), "line %d is not sealed", lines + 1);
    }
    CHECK(lines == EVENTS && bytes[size - 1] == '\n', "%d lines", lines);

    loop_journal *journal = loop_journal_open(scratch, &error);
    CHECK(journal && loop_journal_recorded(journal) == EVENTS, "%s", error.text);
    bool replayed = false;
    for (int i = 0; journal && i < EVENTS; i++) {
        loop_event event;
        CHECK(loop_journal_next(journal, events[i].kind, &event, &replayed, &error) && replayed,
              "event %d: %s", i, error.text);
        if (i == 1)
            CHECK(event.loss == 1.25 && strcmp(event.weights, TEST_HASH("a")) == 0, "%g",
                  event.loss);
        if (i == 4)
            CHECK(event.accepted && event.candidate == 1 && event.score == -0.5, "%g", event.score);
        if (i == 2) {
            const base_json *texts = event.texts.value;
            CHECK(texts && texts->length == 2 && texts->child->next->length == 2 &&
                      memcmp(texts->child->next->string, "\0\"", 2) == 0,
                  "the second text");
        }
    }
    CHECK(!next(journal, LOOP_FINISHED, &replayed, &error) && !replayed, "the end");
    loop_event last = more;
    int64_t seq = 0;
    CHECK(loop_journal_append(journal, &last, &error) &&
              base_json_get_int(last.json, "seq", 5, 5, &seq, "test", &error),
          "%s", error.text);
    CHECK(!next(journal, LOOP_FINISHED, &replayed, &error) && !replayed,
          "what was appended is not replayed");
    loop_journal_close(journal);
    free(bytes);
}

/* The event that is recorded next is of another kind: an error, and it stays the next. */
static void another_kind_is_an_error(void)
{
    base_error error = {""};
    size_t size;
    free(write_events(2, &size));
    loop_journal *journal = loop_journal_open(scratch, &error);
    bool replayed = false;
    CHECK(!next(journal, LOOP_TRAINED, &replayed, &error) && replayed, "first");
    CHECK(strstr(error.text, "journal.jsonl:1: ") && strstr(error.text, "\"trained\"") &&
              strstr(error.text, "\"started\""),
          "%s", error.text);
    CHECK(next(journal, LOOP_STARTED, &replayed, &error), "%s", error.text);
    loop_journal_close(journal);
}

/* A crash tears the last line anywhere: what was whole is kept, the rest is cut off, and the event
 * written anew makes the same file. */
static void torn_lines_are_cut_off(void)
{
    base_error error = {""};
    size_t size;
    char *bytes = write_events(EVENTS, &size);
    for (size_t cut = 0; cut <= size; cut++) {
        int whole = 0;
        for (size_t i = 0; i < cut; i++)
            whole += bytes[i] == '\n';
        spill(journal_path(), bytes, cut);
        loop_journal *journal = loop_journal_open(scratch, &error);
        bool ok = journal && loop_journal_recorded(journal) == whole;
        CHECK(ok, "cut at %zu: %s", cut, journal ? "wrong count" : error.text);
        if (!ok) {
            loop_journal_close(journal);
            break;
        }
        for (int i = 0; i < EVENTS; i++) {
            bool replayed;
            if (!next(journal, events[i].kind, &replayed, &error) && !replayed)
                append(journal, &events[i], &error);
        }
        loop_journal_close(journal);
        size_t again;
        char *redone = slurp(journal_path(), &again);
        CHECK(again == size && memcmp(redone, bytes, size) == 0, "cut at %zu: other bytes", cut);
        free(redone);
    }
    free(bytes);
}

/* Opened to read: every event is there, the end is an end, and the file stays as it is, torn or
 * not. */
static void reading_changes_nothing(void)
{
    base_error error = {""};
    size_t size, again;
    char *bytes = write_events(EVENTS, &size);
    bool replayed = false;
    loop_journal *journal = loop_journal_read(scratch, &error);
    loop_journal *second = loop_journal_read(scratch, &error);
    CHECK(journal && second && loop_journal_recorded(journal) == EVENTS, "%s", error.text);
    loop_journal_close(second);
    for (int i = 0; journal && i < EVENTS; i++) {
        loop_event event, same;
        CHECK(loop_journal_next(journal, events[i].kind, &event, &replayed, &error) &&
                  loop_journal_event(journal, i, &same, &error) && event.json == same.json,
              "event %d: %s", i, error.text);
    }
    strcpy(error.text, "not set");
    CHECK(journal && !next(journal, LOOP_FINISHED, &replayed, &error) && replayed && !*error.text,
          "the end: %s", error.text);
    CHECK(journal && !note(journal, &more, &error) && !*error.text, "noted: %s", error.text);
    loop_journal_close(journal);
    spill(journal_path(), bytes, size - 1);
    CHECK(!loop_journal_read(scratch, &error) && strstr(error.text, "the line is torn"), "%s",
          error.text);
    char *left = slurp(journal_path(), &again);
    CHECK(again == size - 1 && memcmp(left, bytes, again) == 0, "the file was changed");
    unlink(journal_path());
    CHECK(!loop_journal_read(scratch, &error) && strstr(error.text, "journal.jsonl") &&
              !base_file_exists(journal_path()),
          "%s", error.text);
    free(left);
    free(bytes);
}

/* What follows a crash of the machine can be zeros instead of what was written. */
static void a_tail_of_zeros_is_cut_off(void)
{
    base_error error = {""};
    size_t size;
    char *bytes = write_events(3, &size);
    FILE *file = fopen(journal_path(), "ab");
    for (int i = 0; i < 4096; i++)
        fputc(0, file);
    fclose(file);
    loop_journal *journal = loop_journal_open(scratch, &error);
    CHECK(journal && loop_journal_recorded(journal) == 3, "%s", error.text);
    loop_journal_close(journal);
    free(bytes);
}

static bool refused(const char *bytes, size_t size, int line, base_error *error)
{
    char place[32];
    snprintf(place, sizeof place, "journal.jsonl:%d:", line);
    spill(journal_path(), bytes, size);
    error->text[0] = '\0';
    loop_journal *journal = loop_journal_open(scratch, error);
    bool ok = !journal && strstr(error->text, place);
    loop_journal_close(journal);
    size_t left;
    char *after = slurp(journal_path(), &left);
    ok = ok && left == size && memcmp(after, bytes, size) == 0; /* an error changes nothing */
    free(after);
    return ok;
}

static void a_changed_byte_is_an_error(void)
{
    static const unsigned char flips[] = {1, 2, 4, 8, 16, 32, 64, 128};
    base_error error;
    size_t size;
    char *bytes = write_events(3, &size);
    int line = 1, missed = 0;
    for (size_t i = 0; i + 1 < size; i++) {
        char was = bytes[i];
        for (size_t k = 0; k < sizeof flips + 2; k++) {
            bytes[i] = k < sizeof flips ? (char)(was ^ flips[k]) : k == sizeof flips ? '\n' : '\0';
            if (bytes[i] != was && !refused(bytes, size, line, &error) && missed++ == 0)
                CHECK(0, "byte %zu of line %d made 0x%02x: %s", i, line,
                      (unsigned)(unsigned char)bytes[i], error.text);
        }
        bytes[i] = was;
        line += was == '\n';
    }
    CHECK(missed == 0, "%d changes", missed);

    /* The last line feed is the one byte without which a line is just torn: its event is redone. */
    bytes[size - 1] = 'x';
    spill(journal_path(), bytes, size);
    loop_journal *journal = loop_journal_open(scratch, &error);
    CHECK(journal && loop_journal_recorded(journal) == 2, "%s", error.text);
    loop_journal_close(journal);
    free(bytes);
}

/* Whole lines that are sealed, in a wrong order. */
static void wrong_sequences_are_errors(void)
{
    base_error error;
    size_t size;
    char *bytes = write_events(3, &size);
    size_t first = (size_t)(strchr(bytes, '\n') - bytes) + 1;
    size_t second = (size_t)(strchr(bytes + first, '\n') - bytes) + 1;
    char *other = malloc(2 * size);

    memcpy(other, bytes, first); /* 0 2 */
    memcpy(other + first, bytes + second, size - second);
    CHECK(refused(other, first + size - second, 2, &error), "one missing: %s", error.text);
    memcpy(other + first, bytes, size); /* 0 0 1 2 */
    CHECK(refused(other, first + size, 2, &error), "one twice: %s", error.text);
    CHECK(refused(bytes + first, size - first, 1, &error), "no first: %s", error.text);
    CHECK(refused("\n", 1, 1, &error), "an empty line: %s", error.text);
    free(other);
    free(bytes);
}

/* Lines that are sealed and no events. */
static void sealed_nonsense_is_an_error(void)
{
    static const char *const lines[] = {"{\"seq\":0,}",  "[0}",          "{\"seq\":\"0\"}",
                                        "{\"seq\":0.5}", "{\"seq\":-1}", "{\"event\":\"x\"}",
                                        "\xff\xfe}"};
    base_error error;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        base_text line = {0};
        base_text_print(&line, "%s", lines[i]);
        base_seal(&line);
        CHECK(base_sealed(line.data, line.length), "%s", lines[i]);
        base_text_print(&line, "\n");
        spill(journal_path(), line.data, line.length);
        loop_journal *journal = loop_journal_open(scratch, &error);
        CHECK(!journal && strstr(error.text, "journal.jsonl"), "%s: %s", lines[i], error.text);
        loop_journal_close(journal);
        base_text_free(&line);
    }
    char bytes[64] = {0};
    for (size_t length = 0; length < sizeof bytes; length++)
        CHECK(!base_sealed(bytes, length), "%zu zeros", length);
}

/* 0: the journal could be opened; 1: it was refused; 2: for another reason. */
static int open_elsewhere(void)
{
    pid_t child = fork();
    if (child == 0) {
        base_error error = {""};
        loop_journal *journal = loop_journal_open(scratch, &error);
        int code = journal ? 0 : strstr(error.text, "another phoenix") ? 1 : 2;
        loop_journal_close(journal);
        _exit(code);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 3;
}

/* Workers must not inherit it. */
static void the_descriptor_is_closed_on_exec(void)
{
    base_error error = {""};
    bool was_open[64];
    int count = 0;
    size_t size;
    free(write_events(1, &size));
    for (int i = 0; i < 64; i++)
        was_open[i] = fcntl(i, F_GETFD) != -1;
    loop_journal *journal = loop_journal_open(scratch, &error);
    for (int i = 0; i < 64; i++)
        if (!was_open[i] && fcntl(i, F_GETFD) != -1) {
            count++;
            CHECK(fcntl(i, F_GETFD) & FD_CLOEXEC, "descriptor %d", i);
        }
    CHECK(count == 1, "%d descriptors", count);
    loop_journal_close(journal);
}

static void a_second_driver_is_refused(void)
{
    base_error error = {""};
    size_t size;
    free(write_events(2, &size));
    loop_journal *journal = loop_journal_open(scratch, &error);
    CHECK(journal, "%s", error.text);
    CHECK(open_elsewhere() == 1, "a second driver on opening");
    CHECK(append(journal, &more, &error), "%s", error.text);
    CHECK(open_elsewhere() == 1, "a second driver after an event");
    loop_journal_close(journal);
    CHECK(open_elsewhere() == 0, "after the first has gone");
}

/* A line is written with one call, so it is this call that the disk is full for, at any byte. What
 * is left of the line is a torn line. */
static void a_full_disk_loses_one_event(void)
{
    base_error error = {""};
    size_t size, prefix;
    char *bytes = write_events(2, &size);
    free(write_events(1, &prefix));
    for (size_t room = 0; room < size - prefix; room++) {
        loop_journal *journal = loop_journal_open(scratch, &error);
        bool replayed;
        CHECK(journal && loop_journal_recorded(journal) == 1, "room for %zu: %s", room, error.text);
        next(journal, LOOP_STARTED, &replayed, &error);
        fault.reason = ENOSPC;
        fault.room = room;
        bool written = append(journal, &events[1], &error);
        no_fault();
        CHECK(!written && strstr(error.text, "journal.jsonl: ") &&
                  strstr(error.text, strerror(ENOSPC)),
              "room for %zu: %s", room, error.text);
        loop_journal_close(journal);
    }
    loop_journal *journal = loop_journal_open(scratch, &error);
    CHECK(append(journal, &events[1], &error), "%s", error.text);
    loop_journal_close(journal);
    size_t again;
    char *redone = slurp(journal_path(), &again);
    CHECK(again == size && memcmp(redone, bytes, size) == 0, "other bytes once there is room");
    free(redone);
    free(bytes);
}

/* The same without a stand-in for write: the file may not become larger than that. */
static void a_file_size_limit_loses_one_event(void)
{
    base_error error = {""};
    size_t size;
    char *bytes = write_events(1, &size);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {size + 20, size + 20};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        loop_journal *journal = loop_journal_open(scratch, &error);
        bool replayed;
        next(journal, LOOP_STARTED, &replayed, &error);
        int code = append(journal, &events[1], &error) ? 1 : 0;
        loop_journal_close(journal);
        free(bytes);
        _exit(code);
    }
    int status = 1;
    waitpid(child, &status, 0);
    CHECK(status == 0, "status %d", status);
    loop_journal *journal = loop_journal_open(scratch, &error);
    CHECK(journal && loop_journal_recorded(journal) == 1, "%s", error.text);
    loop_journal_close(journal);
    free(bytes);
}

static void short_writes_and_failed_fsyncs(void)
{
    base_error error = {""};
    size_t size, again;
    char *bytes = write_events(EVENTS, &size);
    fault.most = 1;
    char *redone = write_events(EVENTS, &again);
    no_fault();
    CHECK(again == size && memcmp(redone, bytes, size) == 0, "a byte a call");
    free(redone);
    free(bytes);

    loop_journal *journal = loop_journal_open(scratch, &error);
    fault.reason = EIO;
    fault.fsync_only = true;
    CHECK(!append(journal, &more, &error) && strstr(error.text, "fsync"), "%s", error.text);
    no_fault();
    loop_journal_close(journal);
}

/* Notes are appended the first time, and held against their record the next. */
static void notes_are_held_against_their_record(void)
{
    base_error error = {""};
    unlink(journal_path());
    for (int round = 0; round < 2; round++) {
        loop_journal *journal = loop_journal_open(scratch, &error);
        CHECK(journal && loop_journal_recorded(journal) == 2 * round, "round %d", round);
        CHECK(note(journal, &events[0], &error), "%s", error.text);
        CHECK(note(journal, &more, &error), "%s", error.text);
        loop_journal_close(journal);
    }
    loop_journal *journal = loop_journal_open(scratch, &error);
    loop_event other = events[0];
    other.version = "0.1.1";
    CHECK(!note(journal, &other, &error) && strstr(error.text, "journal.jsonl:1: "),
          "other members: %s", error.text);
    CHECK(!note(journal, &events[0], &error) && strstr(error.text, "\"finished\""),
          "another kind: %s", error.text);
    loop_journal_close(journal);
}

/* A process that does nothing but append is killed: what it had written is there, in order. */
static void kills_lose_nothing(void)
{
    base_error error = {""};
    base_random r = {1, base_random_stream("journal kills", 0, 0, 0), 0};
    int before = 0;
    unlink(journal_path());
    for (int i = 0; i < 10; i++) {
        int ready[2];
        if (pipe(ready) != 0)
            break;
        pid_t child = fork();
        if (child == 0) {
            loop_journal *journal = loop_journal_open(scratch, &error);
            for (int k = 0; journal; k++) {
                if (!append(journal, &more, &error))
                    break;
                if (k == 3)
                    writev(ready[1], &(struct iovec){(void *)"x", 1}, 1);
            }
            _exit(1);
        }
        char byte;
        ssize_t got = read(ready[0], &byte, 1);
        pause_seconds(base_random_uniform(&r) * 0.003);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        close(ready[0]);
        close(ready[1]);
        loop_journal *journal = loop_journal_open(scratch, &error);
        int now = journal ? loop_journal_recorded(journal) : -1;
        CHECK(got == 1 && now >= before + 4, "kill %d: %d events, then %d: %s", i, before, now,
              error.text);
        loop_journal_close(journal);
        before = now;
    }
}

/* A run whose folder is moved away under it, or removed, ends: what it writes would not be found. */
static void a_moved_journal_takes_no_more(void)
{
    base_error error = {""};
    unlink(journal_path());
    loop_journal *journal = loop_journal_open(scratch, &error);
    CHECK(note(journal, &events[0], &error), "%s", error.text);
    char moved[1024];
    snprintf(moved, sizeof moved, "%s/moved.jsonl", scratch);
    CHECK(rename(journal_path(), moved) == 0, "not moved");
    CHECK(!note(journal, &more, &error) && strstr(error.text, "journal.jsonl: is not the file"),
          "%s", error.text);
    CHECK(rename(moved, journal_path()) == 0 && note(journal, &more, &error), "%s", error.text);
    loop_journal_close(journal);
}

static void large_events_and_bad_folders(void)
{
    base_error error = {""};
    size_t size = 2 << 20;
    char *large = malloc(size);
    memset(large, 'a', size);
    memcpy(large, "[\"", 2);
    memcpy(large + size - 3, "\"]", 3);
    const loop_event proposed = {.kind = LOOP_PROPOSED, .texts = {large, NULL}};
    unlink(journal_path());
    loop_journal *journal = loop_journal_open(scratch, &error);
    CHECK(append(journal, &proposed, &error), "%s", error.text);
    loop_journal_close(journal);
    journal = loop_journal_open(scratch, &error);
    CHECK(journal && loop_journal_recorded(journal) == 1, "%s", error.text);
    loop_journal_close(journal);
    free(large);

    CHECK(!loop_journal_open(at("nowhere"), &error) && strstr(error.text, "nowhere"), "%s",
          error.text);
    mkdir(at("sub"), 0777);
    mkdir(at("sub/journal.jsonl"), 0777);
    CHECK(!loop_journal_open(at("sub"), &error) && strstr(error.text, "sub/journal.jsonl"), "%s",
          error.text);
}

/* Looking makes nothing, waits for nobody, and leaves a torn line where it is. */
static void looking_changes_nothing(void)
{
    base_error error = {""};
    mkdir(at("look"), 0777);
    CHECK(!loop_journal_look(at("look"), &error) && strstr(error.text, "look/journal.jsonl") &&
              !base_file_exists(at("look/journal.jsonl")),
          "%s", error.text);
    loop_journal *journal = loop_journal_open(at("look"), &error);
    CHECK(append(journal, &events[0], &error) && append(journal, &events[1], &error), "%s",
          error.text);
    loop_journal_close(journal);
    size_t size, after;
    char hash[BASE_HASH_TEXT], *whole = slurp(at("look/journal.jsonl"), &size);
    base_hash_text(whole, size, hash);
    FILE *file = fopen(at("look/journal.jsonl"), "ab");
    fputs("{\"seq\":2,", file);
    fclose(file);
    journal = loop_journal_look(at("look"), &error);
    CHECK(journal && loop_journal_recorded(journal) == 2 &&
              strcmp(loop_journal_hash(journal), hash) == 0,
          "%s", error.text);
    loop_event event;
    CHECK(loop_journal_event(journal, 1, &event, &error) && event.kind == LOOP_TRAINED &&
              event.episode == 1,
          "%s", error.text);
    loop_journal_close(journal);
    char *torn = slurp(at("look/journal.jsonl"), &after);
    CHECK(after == size + 9, "%zu bytes, were %zu", after, size + 9);
    free(whole);
    free(torn);
}

int main(void)
{
    if (!scratch_make()) {
        SKIP("no folder can be made");
        return test_end();
    }
    events_come_back();
    another_kind_is_an_error();
    torn_lines_are_cut_off();
    reading_changes_nothing();
    a_tail_of_zeros_is_cut_off();
    a_changed_byte_is_an_error();
    wrong_sequences_are_errors();
    sealed_nonsense_is_an_error();
    the_descriptor_is_closed_on_exec();
    a_second_driver_is_refused();
    a_full_disk_loses_one_event();
    a_file_size_limit_loses_one_event();
    short_writes_and_failed_fsyncs();
    notes_are_held_against_their_record();
    kills_lose_nothing();
    a_moved_journal_takes_no_more();
    large_events_and_bad_folders();
    looking_changes_nothing();
    remove_all(scratch);
    return test_end();
}
