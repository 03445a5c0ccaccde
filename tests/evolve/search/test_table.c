/* SPDX-License-Identifier: MIT */
/* test_table.c -- the grid, the file, and a few rows of the committed table trained anew. */
#include "evolve/search/table.h"
#include "evolve/score/evaluate.h"
#include "tests/test.h"
#include "tests/evolve/test_evolve.h"
#include "tests/evolve/test_score.h"

#include <math.h>

static const char committed[] = "bench/table.csv";

static void the_grid(void)
{
    int edits = 0;
    for (int cell = 0; cell < SEARCH_TABLE_CELLS; cell++) {
        mutation_design design = search_table_design(cell);
        CHECK(search_table_cell(&design) == cell, "cell %d", cell);
        for (int e = 0; e < MUTATION_EDITS; e++) {
            int neighbour[2], back[2];
            int count = search_table_edits(cell, (mutation_edit)e, neighbour);
            CHECK(count >= 1 && count <= 2, "%d neighbours", count);
            for (int i = 0; i < count; i++, edits++) {
                mutation_design other = search_table_design(neighbour[i]);
                int n = search_table_edits(neighbour[i], (mutation_edit)e, back);
                CHECK(back[0] == cell || (n == 2 && back[1] == cell), "no way back");
                for (int k = 0; k < MUTATION_EDITS; k++) {
                    int low = design.value[k] < other.value[k] ? design.value[k] : other.value[k];
                    int high = design.value[k] + other.value[k] - low;
                    bool layers =
                        k == MUTATION_EDIT_NUM_LAYERS || k == MUTATION_EDIT_NUM_DECODER_LAYERS;
                    CHECK(k != e ? low == high : high == (layers ? low + 1 : 2 * low),
                          "cell %d, parameter %d: %d and %d", cell, k, low, high);
                }
            }
        }
    }
    CHECK(edits == MUTATION_EDITS * 64 * 6, "%d edits", edits); /* 64 lines of 1 + 2 + 2 + 1 */
    const mutation_design outside = {.value = {1, 1, 3, 64}};
    CHECK(search_table_cell(&outside) == -1, "3 heads");
    mutation_design start = search_table_design(search_table_start());
    CHECK(start.value[0] == 2 && start.value[1] == 2 && start.value[2] == 8 &&
              start.value[3] == 128,
          "the start");
}

/* The score is the one that `phoenix evaluate` gives the same source, and a row is a function of
 * its number. */
static void a_row(void)
{
    evolve_settings settings;
    search_row row, again;
    base_error error;
    search_table_settings(&settings);
    settings.d_model = 16;
    settings.few_shot = 40;
    settings.samples = 64;
    settings.held_out = 8;
    enum { ROW = 5 * SEARCH_TABLE_SEEDS + 1 };
    bool ok = search_table_measure(&settings, ROW, &row, &error) &&
              search_table_measure(&settings, ROW, &again, &error);
    CHECK(ok, "%s", error.text);
    CHECK(memcmp(&row, &again, sizeof row) == 0, "two trainings differ");
    CHECK(row.quarter > row.half && row.half > row.score && row.score > row.tail,
          "%g %g %g %g: a falling loss", (double)row.quarter, (double)row.half, (double)row.score,
          (double)row.tail);
    CHECK(row.full < row.held_out && row.full_flops > row.flops, "more pairs, a better model");

    settings.seed = 2;
    settings.first_pair = (int64_t)2 << 20;
    mutation_design design = search_table_design(5);
    base_text source = {0};
    score_result score;
    mutation_print(&design, &source);
    score = score_text(source.data, (score_request){.settings = &settings, .file = "table.c"});
    CHECK(score.status == SCORE_OK, "%s", score.reason);
    CHECK((float)score.score == row.score && score.flops == row.flops &&
              score.parameters == row.parameters,
          "%g, evaluated %g", (double)row.score, score.score);
    double tail = (double)(score.losses[3] + score.losses[4]) / 2; /* of 5 steps the last 2 */
    CHECK(fabs(tail - (double)row.tail) < 1e-6, "%g, want %g", (double)row.tail, tail);
    score_free(&score);
    base_text_free(&source);
}

static search_row made_up(int row)
{
    float x = 1 + (float)row / 7;
    return (search_row){.parameters = row + 1,
                        .flops = 1000 + row,
                        .full_flops = 8000 + row,
                        .quarter = x,
                        .half = x / 2,
                        .score = x / 3,
                        .tail = x / 4,
                        .held_out = x / 5,
                        .full = x / 6};
}

static void the_file(void)
{
    static search_table table, read;
    base_error error;
    const char *path = at("table.csv");
    for (int row = 0; row < SEARCH_TABLE_ROWS; row++)
        if (row != 700)
            table.row[row] = made_up(row); /* 700: the second seed of a cell */
    CHECK(search_table_write(&table, path, &error), "%s", error.text);
    CHECK(search_table_read(&read, path, &error), "%s", error.text);
    CHECK(read.seeds == 700 % SEARCH_TABLE_SEEDS, "%d seeds", read.seeds);
    CHECK(memcmp(table.row, read.row, sizeof table.row) == 0, "what was written is not read");

    search_row last = made_up(700);
    base_text line = {0};
    search_table_print_row(700, &last, &line);
    CHECK(search_table_read_row(&read, line.data, line.length, "row", &error), "%s", error.text);
    CHECK(memcmp(&read.row[700], &last, sizeof last) == 0, "row 700");
    CHECK(search_table_write(&read, path, &error) && search_table_read(&read, path, &error) &&
              read.seeds == SEARCH_TABLE_SEEDS,
          "%d seeds", read.seeds);
    base_text_free(&line);
}

/* Another who trains the same table writes to the same file; a spreadsheet ends its lines in its own way. */
static void files_of_others(void)
{
    static search_table own, both;
    base_error error;
    const char *path = at("table.csv");
    memset(&own, 0, sizeof own);
    own.row[3] = made_up(3);
    CHECK(search_table_write(&own, path, &error), "%s", error.text);
    memset(&both, 0, sizeof both);
    both.row[5] = made_up(5);
    for (int again = 0; again < 2; again++)
        CHECK(search_table_add(&both, path, &error), "%s", error.text);
    CHECK(both.row[3].parameters == own.row[3].parameters && both.row[5].parameters, "rows");

    base_text line = {0}, text = {0};
    search_table_print_row(3, &own.row[3], &line);
    size_t size;
    char *plain = base_file_read(path, 1 << 20, &size, &error);
    base_text_print(&text, "\xef\xbb\xbf%.*s\r\n%.*s\r\n", (int)strcspn(plain, "\n"), plain,
                    (int)line.length - 1, line.data);
    const base_bytes windows = {text.data, text.length};
    CHECK(base_file_write(path, &windows, 1, NULL, &error), "%s", error.text);
    CHECK(search_table_read(&both, path, &error), "%s", error.text);
    CHECK(memcmp(both.row, own.row, sizeof own.row) == 0, "carriage returns make other rows");

    const search_row other = made_up(4);
    base_text_clear(&line);
    search_table_print_row(3, &other, &line);
    base_text_add(&text, line.data, line.length);
    const base_bytes twice = {text.data, text.length};
    CHECK(base_file_write(path, &twice, 1, NULL, &error), "%s", error.text);
    CHECK(!search_table_read(&both, path, &error) && strstr(error.text, "no second row"), "%s",
          error.text);
    free(plain);
    base_text_free(&line);
    base_text_free(&text);
}

static void bad_files(void)
{
    static search_table table;
    base_error error;
    const char *const lines[] = {
        "",
        "1,1,2,64,1",
        "1,1,3,64,1,9,9,9,1,1,1,1,1,1",
        "1,1,2,64,0,9,9,9,1,1,1,1,1,1",
        "1,1,2,64,4,9,9,9,1,1,1,1,1,1",
        "1,1,2,64,1,0,9,9,1,1,1,1,1,1",
        "1,1,2,64,1,-9,9,9,1,1,1,1,1,1",
        "1,1,2,64,1,9,9,9,1,1,1,1,1",
        "1,1,2,64,1,9,9,9,1,1,1,1,1,1,1",
        "1,1,2,64,1,9,9,9,1,1,1,1,1,nan",
        "1,1,2,64,1,9,9,9,1,1,1,1,1,1e99",
        "1,1,2,64,1,9,9,9, 1,1,1,1,1,1",
        "1,1,2,64,1,99999999999999999999,9,9,1,1,1,1,1,1",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        CHECK(!search_table_read_row(&table, lines[i], strlen(lines[i]), "here", &error) &&
                  strstr(error.text, "here: "),
              "\"%s\" was read", lines[i]);
    CHECK(!search_table_read_row(&table, "1,1,2,64,1,9,9,9,1,1,1,1,1,1\0x", 30, "here", &error),
          "a NUL was read");
    const base_bytes other = {"a,b\n1,2\n", 8};
    CHECK(base_file_write(at("other.csv"), &other, 1, NULL, &error), "%s", error.text);
    CHECK(!search_table_read(&table, at("other.csv"), &error) && strstr(error.text, "heading"),
          "%s", error.text);
    CHECK(!search_table_read(&table, at("missing.csv"), &error), "a file that is not there");
}

/* Three of the cheaper rows, drawn by a constant seed, are trained again: the same digits. */
static void the_committed_table(void)
{
    static search_table table;
    evolve_settings settings;
    base_error error;
    if (!search_table_read(&table, committed, &error)) {
        CHECK(false, "%s", error.text);
        return;
    }
    search_table_settings(&settings);
    base_random random = {1, base_random_stream("rows", 0, 0, 0), 0};
    int checked = 0;
    for (int tries = 0; checked < 3 && tries < 10000; tries++) {
        int row = (int)base_random_below(&random, SEARCH_TABLE_ROWS);
        mutation_design d = search_table_design(row / SEARCH_TABLE_SEEDS);
        bool cheap = d.value[0] + d.value[1] <= 4 && d.value[3] <= 128;
        if (!cheap || table.row[row].parameters == 0)
            continue;
        search_row result;
        base_text want = {0}, got = {0};
        CHECK(search_table_measure(&settings, row, &result, &error), "%s", error.text);
        search_table_print_row(row, &table.row[row], &want);
        search_table_print_row(row, &result, &got);
        CHECK(strcmp(got.data, want.data) == 0, "row %d: trained again it is\n%sand not\n%s", row,
              got.data, want.data);
        base_text_free(&want);
        base_text_free(&got);
        checked++;
    }
    CHECK(checked == 3, "only %d rows to check", checked);
}

int main(void)
{
    if (!scratch_make()) {
        CHECK(false, "no folder for the test");
        return test_end();
    }
    the_grid();
    a_row();
    the_file();
    files_of_others();
    bad_files();
    the_committed_table();
    remove_all(scratch);
    return test_end();
}
