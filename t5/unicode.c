/* SPDX-License-Identifier: MIT */
/* unicode.c -- two tables of ranges and bisection; what is white space is few enough to be said. */
#include "t5/unicode.h"
#include "base/text.h"
#include "t5/unicode_table.h"

/* The first byte has what is left of 8 bits behind the mark of the length (0, 110, 1110, 11110), each
 * further byte 6 bits (RFC 3629). */
size_t t5_unicode_next(const char *text, size_t length, uint32_t *character)
{
    static const unsigned char of_lead[] = {0, 0x7F, 0x1F, 0x0F,
                                            0x07}; /* its bits, by the length */
    const unsigned char *bytes = (const unsigned char *)text;
    const size_t count = base_utf8_length(text, length);
    *character = count ? bytes[0] & of_lead[count] : T5_NO_CHARACTER;
    for (size_t i = 1; i < count; i++)
        *character = *character << 6 | (bytes[i] & 0x3F);
    return count ? count : 1;
}

/* The first range that does not end before the character is the only one that can hold it. */
static bool is_in(const uint32_t (*ranges)[2], size_t count, uint32_t character)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ranges[middle][1] < character)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && ranges[low][0] <= character;
}

bool t5_unicode_is_letter(uint32_t c)
{
    if (c < 0x80)
        return (c | 32) >= 'a' && (c | 32) <= 'z';
    return is_in(letters, sizeof letters / sizeof *letters, c);
}

bool t5_unicode_is_number(uint32_t c)
{
    if (c < 0x80)
        return c >= '0' && c <= '9';
    return is_in(number_ranges, sizeof number_ranges / sizeof *number_ranges, c);
}

bool t5_unicode_is_space(uint32_t c)
{
    return (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}
