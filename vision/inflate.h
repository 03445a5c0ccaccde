/* SPDX-License-Identifier: MIT */
/* inflate.h -- unpacking gzip files, and the zlib streams that PNG holds.
 *
 * The usual sets of images come gzip-compressed, and nothing but libc is linked here, so this is a
 * decoder of our own: RFC 1952 (gzip: members one after another, each with header, CRC-32 and
 * length) around RFC 1951 (deflate). Time is linear in the sizes of input and output; nothing
 * recurses.
 *
 *     unsigned char *text = vision_inflate(bytes, size, 1 << 20, "a.gz", &length, &error);
 *     if (!text)
 *         return complain(error.text);      ("a.gz: gzip, byte 17: expected ...") */
#ifndef VISION_INFLATE_H
#define VISION_INFLATE_H

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

/* Unpacks all members of a gzip file; zeros behind a member are skipped, as gzip(1) does. The
 * result is malloc'ed, *length bytes long, and never longer than `most`: a small file that unpacks to
 * more costs no more memory than that. name: of the file, for messages. NULL: the error names the
 * file, the byte and what was expected there. */
unsigned char *vision_inflate(const unsigned char *bytes, size_t size, size_t most,
                              const char *name, size_t *length, base_error *error);

/* The first bytes of what a gzip file unpacks to, `most` or as many as can be read, into *to: its header says how much
 * of it is worth unpacking. Returns how many; 0: also for want of memory. */
size_t vision_inflate_start(const unsigned char *bytes, size_t size, unsigned char *to,
                            size_t most);

/* The same as vision_inflate() for a zlib stream (RFC 1950); what stands behind its checksum is not read. */
unsigned char *vision_inflate_zlib(const unsigned char *bytes, size_t size, size_t most,
                                   const char *name, size_t *length, base_error *error);

/* CRC-32 of gzip and PNG. */
uint32_t vision_crc(const unsigned char *bytes, size_t count);

#endif
