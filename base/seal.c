/* SPDX-License-Identifier: MIT */
/* seal.c -- the check at the end of a line: the same bytes before it give the same digits, so it is
 * enough to print them again and compare. */
#include "base/seal.h"

#include "base/hash.h"
#include <string.h>

static const char check_member[] = ",\"check\":\"";
static const size_t check_length = sizeof check_member - 1 + BASE_SEAL_DIGITS + 2; /* and "} */

void base_seal(base_text *object)
{
    if (object->failed || object->length == 0)
        return;
    char digest[BASE_HASH_TEXT];
    object->data[--object->length] = '\0'; /* the closing brace */
    base_hash_text(object->data, object->length, digest);
    base_text_print(object, "%s%.*s\"}", check_member, BASE_SEAL_DIGITS, digest);
}

size_t base_seal_begins(size_t length) { return length > check_length ? length - check_length : 0; }

bool base_sealed(const char *line, size_t length)
{
    if (length < check_length)
        return false;
    const char *check = line + length - check_length;
    char digest[BASE_HASH_TEXT];
    base_hash_text(line, length - check_length, digest);
    return memcmp(check, check_member, sizeof check_member - 1) == 0 &&
           memcmp(check + sizeof check_member - 1, digest, BASE_SEAL_DIGITS) == 0 &&
           memcmp(line + length - 2, "\"}", 2) == 0;
}
