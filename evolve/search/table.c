/* table.c -- see table.h. */
#include "evolve/search/table.h"
#include "base/file.h"
#include "base/number.h"
#include "evolve/source/host.h"
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

static int level(int cell, mutation_edit edit)
{
    return cell / stride(edit) % SEARCH_TABLE_SIDE;
}

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
    settings->rate = 2e-3;
    settings->few_shot = SEARCH_TABLE_FEW;
    settings->samples = SEARCH_TABLE_FULL;
    settings->held_out = 512;
}

typedef struct trainer {
    const evolve_settings *settings;
    const t5_config *config;
    const t5_tokenizer *tokenizer;
    tensor_context *ctx;
    source_pairs *pairs;
} trainer;

static double last_quarter(const source_training *training)
{
    const float *losses = source_training_losses(training);
    int64_t steps = source_training_steps(training), from = steps - (steps + 3) / 4;
    double sum = 0;
    for (int64_t i = from; i < steps; i++)
        sum += (double)losses[i];
    return sum / (double)(steps - from);
}

/* All steps; the few-shot training's row takes its scores on the way. */
static bool step_through(source_training *training, search_row *row, base_error *error)
{
    int64_t steps = source_training_steps(training);
    for (int64_t done = 1; done <= steps; done++) {
        if (!source_training_step(training, error))
            return false;
        float score = (float)source_training_score(training);
        if (done == (steps + 3) / 4)
            row->quarter = score;
        if (done == (steps + 1) / 2)
            row->half = score;
        row->score = score;
    }
    row->tail = (float)last_quarter(training);
    row->flops = source_training_flops(training);
    return true;
}

/* One training on `count` pairs, a pure function of the settings. */
static bool train(const trainer *t, int64_t count, search_row *row, base_error *error)
{
    const source_plan plan = {.first = (uint64_t)t->settings->first_pair,
                              .count = count,
                              .epochs = 1,
                              .seed = (uint64_t)t->settings->seed};
    source_training *training = NULL;
    source_sum sum = {0};
    t5_model *model = t5_model_new(t->ctx, t->config, true, error);
    bool ok = model &&
              (training = source_training_new(model, t->pairs, t->settings, &plan, error)) &&
              step_through(training, row, error) &&
              source_measure_pairs(model, t->pairs, NULL, SOURCE_HELD_OUT, t->settings->held_out,
                                   &plan.goal, &sum, error);
    if (ok) {
        row->held_out = (float)(sum.loss / (double)sum.tokens);
        ok = (isfinite(row->score) && isfinite(row->held_out)) ||
             base_fail(error, "table: a loss is not a number");
    }
    source_training_free(training);
    t5_model_free(model);
    return ok;
}

static bool config_of(const evolve_settings *settings, int row, const t5_tokenizer *tokenizer,
                      t5_config *config, base_error *error)
{
    mutation_design design = search_table_design(row / SEARCH_TABLE_SEEDS);
    language_diagnostic diagnostic = {.text = "no memory"};
    base_text source = {0};
    mutation_print(&design, &source);
    bool ok = !source.failed && source_run_model("table.c", source.data, source.length, settings,
                                                 t5_tokenizer_size(tokenizer), config, NULL,
                                                 &diagnostic) == LANGUAGE_OK;
    base_text_free(&source);
    return ok || base_fail(error, "%s", diagnostic.text);
}

bool search_table_measure(const evolve_settings *settings, int row, search_row *result,
                          base_error *error)
{
    evolve_settings own = *settings;
    own.seed = row % SEARCH_TABLE_SEEDS + 1;
    own.first_pair = own.seed << 20; /* pairs of its own, and none that the tokenizer was made of */
    t5_config config;
    trainer t = {.settings = &own, .config = &config};
    t5_tokenizer *tokenizer = source_tokenizer(&own, error);
    search_row full;
    bool ok = tokenizer && config_of(&own, row, tokenizer, &config, error);
    t.tokenizer = tokenizer;
    ok = ok && (t.pairs = source_pairs_new(&own, tokenizer, error));
    ok = ok && (t.ctx = tensor_context_open(1, error));
    memset(result, 0, sizeof *result);
    ok = ok && train(&t, own.few_shot, result, error) && train(&t, own.samples, &full, error);
    if (ok) {
        result->parameters = t5_config_parameters(&config);
        result->full_flops = full.flops;
        result->full = full.held_out;
    }
    tensor_context_free(t.ctx);
    source_pairs_free(t.pairs);
    t5_tokenizer_free(tokenizer);
    return ok;
}

/* ---- the file ---- */

static const char columns[] = "num_layers,num_decoder_layers,num_heads,d_ff,seed,parameters,flops,"
                              "full_flops,quarter,half,score,tail,held_out,full\n";

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
    base_text_print(&text, "%s", columns);
    for (int row = 0; row < SEARCH_TABLE_ROWS; row++)
        if (table->row[row].parameters)
            search_table_print_row(row, &table->row[row], &text);
    base_bytes part = {text.data, text.length};
    bool ok = text.failed ? base_fail(error, "%s: no memory", path)
                          : base_file_write(path, &part, 1, NULL, error);
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

bool search_table_read(search_table *table, const char *path, base_error *error)
{
    size_t size;
    memset(table, 0, sizeof *table);
    char *bytes = base_file_read(path, 1 << 20, &size, error);
    if (!bytes)
        return false;
    const size_t heading = sizeof columns - 1;
    bool ok = (size >= heading && memcmp(bytes, columns, heading) == 0) ||
              base_fail(error, "%s: expected a table's heading in the first line", path);
    for (size_t at = heading; ok && at < size;) {
        const char *feed = memchr(bytes + at, '\n', size - at);
        size_t length = feed ? (size_t)(feed - bytes) - at : size - at;
        ok = search_table_read_row(table, bytes + at, length, path, error);
        at += length + 1;
    }
    table->seeds = whole_seeds(table);
    free(bytes);
    return ok;
}
