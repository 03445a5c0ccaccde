/* SPDX-License-Identifier: MIT */
/* seal.h -- lines of JSON that tell whether they are whole.
 *
 *     {"seq":7,"event":"selected", ... ,"check":"1f6c0e52"}
 *
 * check: the first 8 hexadecimal digits of the SHA-256 of the line up to `,"check"`. A torn write, a
 * flipped bit and an edit by hand are found; whoever means to deceive can seal a line again. */
#ifndef BASE_SEAL_H
#define BASE_SEAL_H

#include "base/text.h"

enum { BASE_SEAL_DIGITS = 8 }; /* of the check */

/* Seals a JSON object (a text that ends in "}" and has a member) by inserting the check. */
void base_seal(base_text *object);

/* How many bytes of a sealed line come before its check: with a "}" behind them they are the object again. */
size_t base_seal_begins(size_t length);

/* Whether a line, given without its line feed, is sealed and whole. */
bool base_sealed(const char *line, size_t length);

#endif
