/* SPDX-License-Identifier: MIT */
/* table.h -- every design of a small grid, trained once: a benchmark for searches.
 *
 * A search is random, so one run of it says little, and a hundred runs of it cost days. Where every
 * source that it can meet has been scored beforehand, a run is a matter of looking up, and what a
 * search misses is known exactly, since the best design is (Ying et al. 2019, "NAS-Bench-101",
 * arXiv:1902.09635).
 *
 * The grid has four values of each of the papers' four parameters (refine/mutation/sample.h). An edit on the
 * grid is what the papers' is on their space, in steps that the grid has: one parameter moves to a
 * neighbouring value. For layers that is their rule; heads and d_ff are doubled or halved.
 *
 *   num_layers, num_decoder_layers   1 2 3 4
 *   num_heads                        2 4 8 16
 *   d_ff                             64 128 256 512
 *
 * Each design is trained with three seeds, twice each: on the few pairs of a search's score, and on
 * many. Everything but weights, pairs and shuffling is shared by all rows; the held-out pairs that
 * a trained model is measured on are too. */
#ifndef SEARCH_TABLE_H
#define SEARCH_TABLE_H

#include "evolve/settings.h"
#include "refine/mutation/sample.h"

enum {
    SEARCH_TABLE_SIDE = 4,
    SEARCH_TABLE_CELLS = 256,
    SEARCH_TABLE_SEEDS = 3,
    SEARCH_TABLE_ROWS = SEARCH_TABLE_CELLS * SEARCH_TABLE_SEEDS,
    SEARCH_TABLE_FEW = 1024, /* pairs of the few-shot training */
    SEARCH_TABLE_FULL = 4096 /* and of the full one */
};

/* What one design did with one seed. Losses are nats a token, kept to the precision of a float,
 * which nine digits of text are. */
typedef struct search_row {
    int64_t parameters; /* 0: not measured yet */
    int64_t flops;      /* of the few-shot training */
    int64_t full_flops; /* of the full one */
    float quarter;      /* the score as it stands after a quarter of the steps */
    float half;         /* and after half of them */
    float score;        /* the few-shot score of a search (evaluate.h) */
    float tail;         /* the mean loss of the last quarter of the steps alone */
    float held_out;     /* loss on held-out pairs after the few-shot training */
    float full;         /* and after the full one: what a search is really after */
} search_row;

/* Cells are numbered with d_ff fastest; row = cell * SEARCH_TABLE_SEEDS + seed,
 * where seeds are counted from 0 here, and from 1 in the file. */
typedef struct search_table {
    search_row row[SEARCH_TABLE_ROWS];
    int seeds; /* that every cell has, from the first: a table in the making is one of fewer */
} search_table;

static inline const search_row *search_table_row(const search_table *table, int cell, int seed)
{
    return &table->row[cell * SEARCH_TABLE_SEEDS + seed];
}

mutation_design search_table_design(int cell);

/* The cell of a design; -1: the grid has none. */
int search_table_cell(const mutation_design *design);

/* The default source's shape at the table's width: 2 + 2 layers, 8 heads, d_ff twice d_model. */
int search_table_start(void);

/* The neighbours of a cell; returns how many (4 .. 8). */
int search_table_edits(int cell, mutation_edit edit, int neighbour[2]);

/* The settings that all rows of the committed table have. */
void search_table_settings(evolve_settings *settings);

/* Trains. settings: search_table_settings(), or smaller ones for a test. */
bool search_table_measure(const evolve_settings *settings, int row, search_row *result,
                          base_error *error);

/* A row's line of the file, with a line feed; and the file: a heading, and a line for each row
 * that was measured, in order. */
void search_table_print_row(int row, const search_row *values, base_text *text);
bool search_table_write(const search_table *table, const char *path, base_error *error);

/* Reads a file back; what it does not have is 0. Lines may stand in any order. */
bool search_table_read(search_table *table, const char *path, base_error *error);

/* Likewise into a table that has rows already; what both have is to be the same. */
bool search_table_add(search_table *table, const char *path, base_error *error);

/* One line (its line feed may be missing), put in its place. */
bool search_table_read_row(search_table *table, const char *line, size_t length, const char *origin,
                           base_error *error);

#endif
