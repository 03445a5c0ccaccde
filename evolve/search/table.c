/* SPDX-License-Identifier: MIT */
/* table.c -- the grid of designs, the training of a row, and its line of text.
 *
 * A row's number says which design and which seed it is, and nothing else is needed to train it again,
 * to the bit: so rows can be trained in any order, on several machines, by a process each, and a file
 * that was torn goes on where it ends. The optimizer and the form are pinned to those of the rows that
 * the tree carries, whatever a preset takes by now. */
#include "evolve/search/table.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "evolve/source/host.h"
#include "nn/optimizer.h"
#include "evolve/source/prequential.h"
#include "evolve/source/pairs.h"
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the grid ---- */

static const int levels[MUTATION_EDITS][SEARCH_TABLE_SIDE] = {
    [MUTATION_EDIT_NUM_LAYERS] = {1, 2, 3, 4},
    [MUTATION_EDIT_NUM_DECODER_LAYERS] = {1, 2, 3, 4},
    [MUTATION_EDIT_NUM_HEADS] = {2, 4, 8, 16},
    [MUTATION_EDIT_D_FF] = {64, 128, 256, 512},
};

/* How far apart two neighbours of a parameter stand. */
static int stride(mutation_edit edit)
{
    int n = 1;
    for (int i = (int)edit + 1; i < MUTATION_EDITS; i++)
        n *= SEARCH_TABLE_SIDE;
    return n;
}

static int level(int cell, mutation_edit edit) { return cell / stride(edit) % SEARCH_TABLE_SIDE; }

mutation_design search_table_design(int cell)
{
    assert(cell >= 0 && cell < SEARCH_TABLE_CELLS);
    mutation_design design;
    for (int i = 0; i < MUTATION_EDITS; i++)
        design.value[i] = levels[i][level(cell, (mutation_edit)i)];
    return design;
}

int search_table_cell(const mutation_design *design)
{
    int cell = 0;
    for (int i = 0; i < MUTATION_EDITS; i++) {
        int at = 0;
        while (at < SEARCH_TABLE_SIDE && levels[i][at] != design->value[i])
            at++;
        if (at == SEARCH_TABLE_SIDE)
            return -1;
        cell = cell * SEARCH_TABLE_SIDE + at;
    }
    return cell;
}

int search_table_start(void)
{
    const mutation_design start = {.value = {[MUTATION_EDIT_NUM_LAYERS] = 2,
                                             [MUTATION_EDIT_NUM_DECODER_LAYERS] = 2,
                                             [MUTATION_EDIT_NUM_HEADS] = 8,
                                             [MUTATION_EDIT_D_FF] = 128}};
    return search_table_cell(&start);
}

int search_table_edits(int cell, mutation_edit edit, int neighbour[2])
{
    int count = 0, at = level(cell, edit);
    if (at + 1 < SEARCH_TABLE_SIDE)
        neighbour[count++] = cell + stride(edit);
    if (at > 0)
        neighbour[count++] = cell - stride(edit);
    return count;
}

/* ---- training ---- */

/* The rate is that at which the smallest and the largest design both learn within the few pairs of
 * a score: at the 5e-4 of larger models the small ones hardly move. */
void search_table_settings(evolve_settings *settings)
{
    base_error error;
    bool there = evolve_settings_preset(settings, "quick", &error);
    assert(there);
    (void)there;
    settings->data_seed = 1;
    settings->d_model = 64;
    settings->optimizer = NN_ADAMW_SCALED;
    settings->form = EVOLVE_EDIT;
    settings->score = EVOLVE_MEAN; /* the last quarter has a column of its own */
    settings->rate = 0.02;
    settings->few_shot = SEARCH_TABLE_FEW;
    settings->samples = SEARCH_TABLE_FULL;
    settings->held_out = 512;
}

/* A training under way, and its row, which takes its scores on the way. */
typedef struct trainer {
    const evolve_settings *settings;
    const t5_tokenizer *tokenizer;
    source_pairs *pairs;
    language_program *program;
    source_host *host;
    search_row *row;
} trainer;

static bool on_step(void *user, int64_t taken, int64_t total)
{
    trainer *t = user;
    int64_t batch = t->settings->batch, done = source_host_steps(t->host);
    int64_t steps = (total + batch - 1) / batch;
    source_sum sum = source_host_sum(t->host);
    float score = (float)(sum.loss / (double)sum.tokens);
    (void)taken;
    if (done == (steps + 3) / 4)
        t->row->quarter = score;
    if (done == (steps + 1) / 2)
        t->row->half = score;
    return true;
}

static double last_quarter(const source_host *host)
{
    const float *losses = source_host_losses(host);
    int64_t steps = source_host_steps(host), from = steps - (steps + 3) / 4;
    double sum = 0;
    for (int64_t i = from; i < steps; i++)
        sum += (double)losses[i];
    return sum / (double)(steps - from);
}

static bool train_and_measure(trainer *t, tensor_context *ctx, const t5_config *config,
                              const source_plan *plan, base_error *error)
{
    language_diagnostic diagnostic;
    source_executor source = source_interpreter(t->program);
    source_sum score, held_out = {0};
    t5_model *model = t5_model_new(ctx, config, true, error);
    source_host_observe(t->host, (source_observer){on_step, t});
    bool ok = model && (source_host_train(t->host, &source, "table.c", model, t->pairs, plan,
                                          &score, &diagnostic) == LANGUAGE_OK ||
                        base_fail(error, "%s", diagnostic.text));
    if (ok) {
        t->row->parameters = t5_config_parameters(config);
        t->row->flops = source_host_flops(t->host);
        t->row->score = (float)(score.loss / (double)score.tokens);
        t->row->tail = (float)last_quarter(t->host);
        ok = source_measure_pairs(model, t->pairs, NULL, SOURCE_HELD_OUT, t->settings->held_out,
                                  &plan->goal, &held_out, error);
        t->row->held_out = (float)(held_out.loss / (double)held_out.tokens);
        ok =
            ok && (isfinite(t->row->held_out) || base_fail(error, "table: a loss is not a number"));
    }
    t5_model_free(model);
    return ok;
}

/* One training on `count` pairs, a pure function of the settings. */
static bool train(trainer *t, int64_t count, search_row *row, base_error *error)
{
    language_diagnostic diagnostic;
    source_executor source = source_interpreter(t->program);
    source_plan plan = source_plan_of_score(t->settings);
    t5_config config;
    tensor_context *ctx = tensor_context_open(1, error);
    plan.count = count;
    t->row = row;
    t->host = source_host_new(t->settings, t5_tokenizer_size(t->tokenizer));
    bool ok = ctx && (t->host || base_fail(error, "no memory for a training"));
    ok = ok &&
         (source_host_model(t->host, &source, "table.c", &config, &diagnostic) == LANGUAGE_OK ||
          base_fail(error, "%s", diagnostic.text)) &&
         train_and_measure(t, ctx, &config, &plan, error);
    source_host_free(t->host);
    tensor_context_free(ctx);
    return ok;
}

static language_program *program_of(int row, base_error *error)
{
    mutation_design design = search_table_design(row / SEARCH_TABLE_SEEDS);
    language_diagnostic diagnostic = {.text = "no memory"};
    base_text source = {0};
    mutation_print(&design, &source);
    language_program *program =
        source.failed ? NULL : source_parse("table.c", source.data, source.length, &diagnostic);
    base_text_free(&source);
    if (!program)
        base_fail(error, "%s", diagnostic.text);
    return program;
}

bool search_table_measure(const evolve_settings *settings, int row, search_row *result,
                          base_error *error)
{
    evolve_settings own = *settings;
    own.seed = row % SEARCH_TABLE_SEEDS + 1;
    own.first_pair = own.seed << 20; /* pairs of its own, and none that the tokenizer was made of */
    search_row full;
    t5_tokenizer *tokenizer = source_tokenizer(&own, error);
    trainer t = {.settings = &own, .tokenizer = tokenizer};
    memset(result, 0, sizeof *result);
    bool ok = tokenizer && (t.pairs = source_pairs_new(&own, tokenizer, error)) &&
              (t.program = program_of(row, error)) && train(&t, own.few_shot, result, error) &&
              train(&t, own.samples, &full, error);
    if (ok) {
        result->full_flops = full.flops;
        result->full = full.held_out;
    }
    language_program_free(t.program);
    source_pairs_free(t.pairs);
    t5_tokenizer_free(tokenizer);
    return ok;
}

/* ---- the file ---- */

static const char columns[] = "num_layers,num_decoder_layers,num_heads,d_ff,seed,parameters,flops,"
                              "full_flops,quarter,half,score,tail,held_out,full";

void search_table_print_row(int row, const search_row *values, base_text *text)
{
    mutation_design design = search_table_design(row / SEARCH_TABLE_SEEDS);
    for (int i = 0; i < MUTATION_EDITS; i++)
        base_text_print(text, "%d,", design.value[i]);
    base_text_print(text, "%d,%" PRId64 ",%" PRId64 ",%" PRId64, row % SEARCH_TABLE_SEEDS + 1,
                    values->parameters, values->flops, values->full_flops);
    base_text_print(text, ",%.9g,%.9g,%.9g,%.9g,%.9g,%.9g\n", (double)values->quarter,
                    (double)values->half, (double)values->score, (double)values->tail,
                    (double)values->held_out, (double)values->full);
}

bool search_table_write(const search_table *table, const char *path, base_error *error)
{
    base_text text = {0};
    base_text_print(&text, "%s\n", columns);
    for (int row = 0; row < SEARCH_TABLE_ROWS; row++)
        if (table->row[row].parameters)
            search_table_print_row(row, &table->row[row], &text);
    bool ok = text.failed ? base_fail(error, "%s: no memory", path)
                          : base_file_write_named(path, text.data, text.length, error);
    base_text_free(&text);
    return ok;
}

/* Reads one field, and moves past the comma or the end of the line behind it. */
static bool whole(const char **at, int64_t low, int64_t high, int64_t *value)
{
    char *end;
    errno = 0;
    long long number = strtoll(*at, &end, 10);
    bool ok =
        **at >= '0' && **at <= '9' && errno == 0 && number >= low && number <= high && *end == ',';
    *value = number;
    *at = ok ? end + 1 : *at;
    return ok;
}

static bool real(const char **at, char ends, float *value)
{
    char *end;
    errno = 0;
    *value = (float)base_read_number(*at, &end);
    bool ok = **at >= '0' && **at <= '9' && errno == 0 && isfinite(*value) && *end == ends;
    *at = ok ? end + 1 : *at;
    return ok;
}

static bool read_fields(const char *at, int *row, search_row *values)
{
    mutation_design design;
    int64_t number, seed;
    for (int i = 0; i < MUTATION_EDITS; i++) {
        if (!whole(&at, 1, MUTATION_MAX_VALUE, &number))
            return false;
        design.value[i] = (int)number;
    }
    int cell = search_table_cell(&design);
    if (cell < 0 || !whole(&at, 1, SEARCH_TABLE_SEEDS, &seed))
        return false;
    *row = cell * SEARCH_TABLE_SEEDS + (int)seed - 1;
    return whole(&at, 1, INT64_MAX, &values->parameters) &&
           whole(&at, 1, INT64_MAX, &values->flops) &&
           whole(&at, 1, INT64_MAX, &values->full_flops) && real(&at, ',', &values->quarter) &&
           real(&at, ',', &values->half) && real(&at, ',', &values->score) &&
           real(&at, ',', &values->tail) && real(&at, ',', &values->held_out) &&
           real(&at, '\0', &values->full);
}

bool search_table_read_row(search_table *table, const char *line, size_t length, const char *origin,
                           base_error *error)
{
    char text[512];
    int row;
    search_row values;
    if (length > 0 && line[length - 1] == '\n')
        length--;
    if (length >= sizeof text)
        return base_fail(error, "%s: a line of %zu bytes: expected a row", origin, length);
    memcpy(text, line, length);
    text[length] = '\0';
    if (strlen(text) != length || !read_fields(text, &row, &values))
        return base_fail(error, "%s: \"%.60s\": expected a row of the table", origin, text);
    const search_row *there = &table->row[row];
    if (there->parameters && memcmp(there, &values, sizeof values) != 0)
        return base_fail(error, "%s: \"%.60s\": expected no second row with other numbers", origin,
                         text);
    table->row[row] = values;
    return true;
}

static int whole_seeds(const search_table *table)
{
    for (int seed = 0; seed < SEARCH_TABLE_SEEDS; seed++)
        for (int cell = 0; cell < SEARCH_TABLE_CELLS; cell++)
            if (search_table_row(table, cell, seed)->parameters == 0)
                return seed;
    return SEARCH_TABLE_SEEDS;
}

bool search_table_add(search_table *table, const char *path, base_error *error)
{
    size_t size, length;
    char *bytes = base_file_read_text(path, 1 << 20, &size, error);
    if (!bytes)
        return false;
    const char *at = bytes, *end = bytes + size, *line;
    bool ok = (base_next_line(&at, end, &line, &length) && length == sizeof columns - 1 &&
               memcmp(line, columns, length) == 0) ||
              base_fail(error, "%s: expected a table's heading in the first line", path);
    while (ok && base_next_line(&at, end, &line, &length))
        ok = search_table_read_row(table, line, length, path, error);
    table->seeds = whole_seeds(table);
    base_free(bytes);
    return ok;
}

bool search_table_read(search_table *table, const char *path, base_error *error)
{
    memset(table, 0, sizeof *table);
    return search_table_add(table, path, error);
}
