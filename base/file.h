/* SPDX-License-Identifier: MIT */
/* file.h -- files that are whole or not there.
 *
 * A file is replaced by: write a file of a new name beside it, fsync, rename over it, fsync the folder. A
 * crash at any moment leaves the old file or the new one, never a mixture. A failed fsync is not
 * tried again (the kernel may have dropped the pages): the new file is given up, the old stays. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/error.h"
#include "base/hash.h"
#include <stddef.h>

struct dirent;

/* One part of a file to be written; the parts are written one after another. */
typedef struct base_bytes {
    const void *data;
    size_t size;
} base_bytes;

/* Reads a whole file (NUL added after its end; *size does not count it). More than `most` bytes, or of a
 * device 1 MiB, a folder, or a file that cannot be read is an error. The caller frees the result. */
char *base_file_read(const char *path, size_t most, size_t *size, base_error *error);

/* A text: without the byte order mark that some programs begin one with, which is no part of it. */
char *base_file_read_text(const char *path, size_t most, size_t *size, base_error *error);

/* Reads an open file from its position to its end; `name` is for the message. A file that this
 * process has locked must be read so: closing another descriptor of it would give up the lock. */
char *base_file_read_open(int descriptor, const char *name, size_t most, size_t *size,
                          base_error *error);

/* Replaces a file as described above. hash: receives its SHA-256 as text, may be NULL. Replacing
 * anything but a regular file (a folder, a device), or a file that may not be written to, is an error; the
 * new file has the old one's permissions. A symbolic link is replaced, not followed: what a folder of ours
 * has under a name is not to be written to elsewhere. If only the last step fails, the folder's fsync, the
 * new file is in place, and false means that it may not outlive a crash. */
bool base_file_write(const char *path, const base_bytes *parts, size_t count,
                     char hash[BASE_HASH_TEXT], base_error *error);

/* Likewise for a name that a user gives, which may be a symbolic link: then the file that it leads to is
 * replaced, and the link stays (/dev/stdout is one). */
bool base_file_write_named(const char *path, const void *data, size_t size, base_error *error);

/* Replaces several such files that are nothing without one another: all are written beside the old ones before the first
 * changes its name, so a full disk leaves the old ones. A crash between two renames leaves some of each. */
typedef struct base_whole {
    const char *path;
    const void *data;
    size_t size;
} base_whole;
enum { BASE_FILES_TOGETHER = 4 };
bool base_file_write_together(const base_whole *files, size_t count, base_error *error);

/* Removes what writes of processes that were killed have left in a folder. This process may not be writing there. */
void base_file_sweep(const char *folder);

/* As base_file_write, for folder/name and a text. A text that is NULL is an error: no memory. */
bool base_file_write_text(const char *folder, const char *name, const char *text,
                          char hash[BASE_HASH_TEXT], base_error *error);

/* Whether base_file_read() is at what is no file, and may wait for ever: for a signal's handler, since the
 * reading goes on behind it. */
bool base_file_waits(void);

/* Of a regular file; anything else is an error. */
bool base_file_hash(const char *path, char hash[BASE_HASH_TEXT], base_error *error);

/* Makes a folder and its missing parents. A folder that is there already is no error. */
bool base_file_make_folder(const char *path, base_error *error);

/* Makes a folder that is not there yet, and its missing parents: *claimed is true for one of all who
 * ask for the same one at once, and false where it is there already, which is no error. */
bool base_file_claim_folder(const char *path, bool *claimed, base_error *error);

/* Where a path leads, without symbolic links, malloc'ed; NULL: errno says why. */
char *base_file_real(const char *path);

/* Makes the names in a folder durable, as far as its file system can. */
void base_file_sync_folder(const char *path);

/* For scandir: by the names' bytes, as alphasort() follows the locale. */
int base_file_by_name(const struct dirent **a, const struct dirent **b);

bool base_file_exists(const char *path);
bool base_file_exists_in(const char *folder, const char *name); /* false also: no memory to ask */

/* Writes all bytes to an open descriptor: goes on after short writes and EINTR. `name` is for the
 * message. */
bool base_file_write_all(int descriptor, const void *bytes, size_t count, const char *name,
                         base_error *error);

/* Reads exactly `count` bytes from an open descriptor. False: it ended or failed before that. */
bool base_file_read_all(int descriptor, void *bytes, size_t count);

/* folder + "/" + name, malloc'ed; NULL: no memory. */
char *base_file_path(const char *folder, const char *name);

#endif
