/* SPDX-License-Identifier: MIT */
/* number.h -- numbers as text, the same bytes in every locale.
 *
 * printf and strtod take the decimal point from the locale, which a program around this library may
 * have set: half is "0,5" in many of them. Whatever is read back, compared or shown (JSON, CSV,
 * journals, sources, reports, messages) is therefore printed and read by the functions here alone,
 * in the C locale: printf's formats with '.', characters as bytes. */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include "base/error.h"
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

/* As snprintf, vsnprintf and fprintf: negative where it fails. */
int base_print(char *text, size_t size, const char *format, ...) BASE_PRINTF(3, 4);
int base_print_list(char *text, size_t size, const char *format, va_list list) BASE_PRINTF(3, 0);
int base_print_to(FILE *file, const char *format, ...) BASE_PRINTF(2, 3);

/* The fewest digits, from 15 on, that are read back as the same number, which is finite. */
enum { BASE_DIGITS = 32 };
void base_print_digits(char digits[BASE_DIGITS], double number);

/* As strtod, which C libraries of today round correctly: *end (may be NULL) becomes the first
 * character after the number, and is `text` where none stands there. */
double base_read_number(const char *text, char **end);

#endif
