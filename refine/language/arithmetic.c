/* SPDX-License-Identifier: MIT */
/* arithmetic.c -- the one place where the numbers of a program are computed: constants while it is
 * checked, everything else while it runs.
 *
 * An int has 32 bits and a double is IEEE 754's; whatever would leave their range is an error,
 * since C leaves it undefined (C11 6.5p5), and so is a division by zero of either kind. A value
 * that the host has made infinite or no number at all is passed on by IEEE 754's rules. */
#include "refine/language/ast.h"

#include <assert.h>
#include <math.h>

bool language_is_comparison(language_token_kind op)
{
    return op >= TOKEN_LESS && op <= TOKEN_NOT_EQUAL;
}

language_token_kind language_operator_of(language_token_kind assignment)
{
    switch (assignment) {
    case TOKEN_PLUS_ASSIGN:
    case TOKEN_INCREMENT:
        return TOKEN_PLUS;
    case TOKEN_MINUS_ASSIGN:
    case TOKEN_DECREMENT:
        return TOKEN_MINUS;
    case TOKEN_STAR_ASSIGN:
        return TOKEN_STAR;
    case TOKEN_SLASH_ASSIGN:
        return TOKEN_SLASH;
    case TOKEN_PERCENT_ASSIGN:
        return TOKEN_PERCENT;
    default:
        return TOKEN_ASSIGN;
    }
}

/* With a NaN every comparison but != is false. */
bool language_compare_double(language_token_kind op, double a, double b)
{
    switch (op) {
    case TOKEN_LESS:
        return a < b;
    case TOKEN_LESS_EQUAL:
        return a <= b;
    case TOKEN_GREATER:
        return a > b;
    case TOKEN_GREATER_EQUAL:
        return a >= b;
    case TOKEN_EQUAL:
        return a == b;
    default:
        assert(op == TOKEN_NOT_EQUAL);
        return a != b;
    }
}

/* In 64 bits nothing overflows: the product of two ints takes at most 63 bits. */
const char *language_compute_int(language_token_kind op, int32_t a, int32_t b, int32_t *result)
{
    if (language_is_comparison(op)) {
        *result = language_compare_double(op, a, b); /* every int is a double */
        return NULL;
    }
    int64_t wide = 0; /* of two ints, every result but a quotient by 0 fits */
    if ((op == TOKEN_SLASH || op == TOKEN_PERCENT) && b == 0)
        return "division by zero";
    if (op == TOKEN_PLUS)
        wide = (int64_t)a + b;
    else if (op == TOKEN_MINUS)
        wide = (int64_t)a - b;
    else if (op == TOKEN_STAR)
        wide = (int64_t)a * b;
    else
        wide = (int64_t)a / b;
    if (wide < INT32_MIN || wide > INT32_MAX) /* for %, too: C leaves INT_MIN % -1 undefined */
        return "the result does not fit in int";
    *result = op == TOKEN_PERCENT ? (int32_t)((int64_t)a % b) : (int32_t)wide;
    return NULL;
}

/* Infinite from finite operands is overflow. Underflow to 0 is no error: C defines its result. */
const char *language_compute_double(language_token_kind op, double a, double b, double *result)
{
    if (op == TOKEN_SLASH && b == 0)
        return "division by zero";
    if (op == TOKEN_PLUS)
        *result = a + b;
    else if (op == TOKEN_MINUS)
        *result = a - b;
    else if (op == TOKEN_STAR)
        *result = a * b;
    else
        *result = a / b;
    bool overflow = !isfinite(*result) && isfinite(a) && isfinite(b);
    return overflow ? "the result does not fit in double" : NULL;
}

const char *language_to_int(double value, int32_t *result)
{
    /* What is cut off towards zero may stand beyond the limits by less than 1. */
    if (!(value > -2147483649.0 && value < 2147483648.0))
        return "the value does not fit in int";
    *result = (int32_t)value;
    return NULL;
}
