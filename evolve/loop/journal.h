/* SPDX-License-Identifier: MIT */
/* journal.h -- what a run has done, one sealed JSON line per event: the only truth about it.
 *
 *   {"seq":7,"event":"selected", ... ,"check":"1f6c0e52"}
 *
 * What events there are is in events.h. A line is sealed (base/seal.h), appended with one write()
 * and fsynced before the run goes on. On opening, an incomplete last line is cut off (the crash
 * that tore it is the reason for resuming); any other line whose check is wrong is an error that
 * names the line.
 *
 * Resuming is replaying. The loop is one straight program; before each thing it would do, it asks
 * for the journal's next event. Where there is one, it takes the recorded outcome and does
 * nothing; where there is none, it does the thing and appends the outcome. So a resumed run cannot
 * differ from one that was never interrupted, and there is no second code path to be wrong.
 * Nothing that depends on time or on how the work was spread goes in: equal runs have equal
 * journals. */
#ifndef LOOP_JOURNAL_H
#define LOOP_JOURNAL_H

#include "evolve/loop/events.h"

typedef struct loop_journal loop_journal;

/* Opens folder/journal.jsonl, made if it is not there, and locks it against a second driver. */
loop_journal *loop_journal_open(const char *folder, base_error *error);

/* Opens it for reading, locked against a driver: it must exist and end in a whole line. Where its
 * events end, loop_journal_next() fails with an empty error text. */
loop_journal *loop_journal_read(const char *folder, base_error *error);
void loop_journal_close(loop_journal *journal);

/* Reads it without a lock, so that a run that goes on can be reported on. An incomplete last line
 * is left out. A process that has the journal open as above must not call this for the same
 * folder: closing the file here would give up the lock there. */
loop_journal *loop_journal_look(const char *folder, base_error *error);

/* SHA-256 of the bytes that were there on opening, up to the end of the last whole line. */
const char *loop_journal_hash(const loop_journal *journal);

/* How many events were there on opening, and any of them: line index + 1 of the file. False: the
 * line is no event (events.h); the error names it. */
int loop_journal_recorded(const loop_journal *journal);
bool loop_journal_event(const loop_journal *journal, int index, loop_event *event,
                        base_error *error);

/* The bytes of a journal that is open and locked, up to the end of its first `count` lines. NULL: error. The
 * caller frees them. */
char *loop_journal_lines(loop_journal *journal, int count, size_t *size, base_error *error);

/* The next recorded event, which must be of that kind (UNTRAINABLE does for TRAINED). False and
 * *replayed = false where none is left: then do the work and append. False and *replayed = true:
 * an event of another kind, or one that cannot be read. */
bool loop_journal_next(loop_journal *journal, loop_kind kind, loop_event *event, bool *replayed,
                       base_error *error);

/* Whether the file that is open is still the one under its name: its folder may be given back by another process,
 * removed, or moved. */
bool loop_journal_is_named(const loop_journal *journal);

/* Appends an event, and reads it back into *event as loop_journal_next would, so that what follows
 * cannot depend on whether it was replayed. False: it could not be written, or would not be found. */
bool loop_journal_append(loop_journal *journal, loop_event *event, base_error *error);

/* For an event that follows from those before it, so that there is nothing to redo: appended where
 * there is no record of it, and compared with its record where there is one; read back as above. */
bool loop_journal_note(loop_journal *journal, loop_event *event, base_error *error);

#endif
