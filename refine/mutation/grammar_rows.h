/* SPDX-License-Identifier: MIT */
/* grammar_rows.h -- how a table of rules is written down: for grammar_table.c and network_table.c. */
#ifndef MUTATION_GRAMMAR_ROWS_H
#define MUTATION_GRAMMAR_ROWS_H

#include "refine/mutation/grammar.h"

/* A rule that decides nothing, one of ordered numbers, one of any alternatives, another text for
 * a rule's alternatives, and an architecture's sizes, each next to the last. `first` is the
 * default. */
/* clang-format off */
#define FIXED(name, text) {name, NULL, 0, 0, MUTATION_UNORDERED, {text}}
#define GRID(name, scope, first, ...) {name, NULL, scope, first, MUTATION_GRID, {__VA_ARGS__}}
#define SHAPE(name, scope, first, ...) {name, NULL, scope, first, MUTATION_UNORDERED, {__VA_ARGS__}}
#define WRITING(name, of, ...) {name, of, 0, 0, MUTATION_UNORDERED, {__VA_ARGS__}}
#define LADDER(name, first, ...) {name, NULL, MUTATION_ARCHITECTURE, first, MUTATION_LADDER, {__VA_ARGS__}}
/* clang-format on */

#endif
