/* test_refine_dataset.c -- datasets in memory and as JSONL: round trips, and files with faults. */
#include "base/file.h"
#include "refine/mutation/dataset.h"
#include "refine/language/language.h"
#include "tests/test.h"

#include <fcntl.h>
#include <unistd.h>

static char folder[256], path[300];

static void save(const char *bytes, size_t size)
{
    base_bytes whole = {bytes, size};
    base_error error = {""};
    CHECK(base_file_write(path, &whole, 1, NULL, &error), "%s", error.text);
}

/* Reads what was saved. On failure the dataset must be what it was: here, empty. */
static bool load(mutation_dataset *dataset, base_error *error)
{
    *dataset = (mutation_dataset){0};
    bool ok = mutation_dataset_read(dataset, path, error);
    CHECK(ok || (!dataset->source && dataset->count == 0), "a failed read left %zu pairs",
          dataset->count);
    return ok;
}

/* A dataset of given strings, as a reader of other files would make it. */
static mutation_dataset borrow(char **source, char **refined, size_t count)
{
    return (mutation_dataset){count, source, refined, NULL};
}

/* ---- sampling ---- */

static bool sample(mutation_dataset *dataset, const mutation_rules *rules, uint64_t seed,
                   uint64_t first, size_t count, base_error *error)
{
    mutation_mutator mutator = mutation_mutator_of_rules(rules);
    return mutation_dataset_sample(dataset, &mutator, seed, first, count, error);
}

static void samples_are_the_pairs_of_their_numbers(void)
{
    enum { COUNT = 200, FIRST = 1000 };
    for (int clamp = 0; clamp < 2; clamp++) {
        mutation_rules rules = mutation_paper_rules();
        rules.clamp = clamp;
        mutation_dataset dataset;
        base_error error = {""};
        base_text text = {0};
        int wrong = 0;
        CHECK(sample(&dataset, &rules, 9, FIRST, COUNT, &error), "%s", error.text);
        for (size_t i = 0; i < COUNT; i++) {
            mutation_pair pair = mutation_sample(&rules, 9, FIRST + i);
            base_text_clear(&text);
            mutation_print(&pair.source, &text);
            wrong += strcmp(text.data, dataset.source[i]) != 0;
            base_text_clear(&text);
            mutation_print(&pair.refined, &text);
            wrong += strcmp(text.data, dataset.refined[i]) != 0;
        }
        CHECK(dataset.count == COUNT && wrong == 0, "%zu pairs, %d wrong", dataset.count, wrong);
        mutation_dataset_free(&dataset);
        CHECK(!dataset.source && dataset.count == 0, "not empty");
        base_text_free(&text);
    }
}

/* Edits that leave the widest ranges print more digits than any source: room was made for them. */
static void room_is_made_for_the_longest(void)
{
    mutation_rules rules = {.low = {9, 99, 999, 65000},
                            .high = {9, 99, 999, MUTATION_MAX_VALUE},
                            .percent = 100,
                            .clamp = false};
    mutation_dataset dataset;
    base_error error = {""};
    CHECK(sample(&dataset, &rules, 1, 0, 500, &error), "%s", error.text);
    mutation_design widest = {{0}}, design;
    for (size_t i = 0; i < dataset.count; i++) {
        CHECK(mutation_read(dataset.refined[i], strlen(dataset.refined[i]), &design), "pair %zu",
              i);
        for (int j = 0; j < MUTATION_EDITS; j++)
            if (design.value[j] > widest.value[j])
                widest.value[j] = design.value[j];
    }
    CHECK(widest.value[0] == 10 && widest.value[1] == 100 && widest.value[2] == 1000 &&
              widest.value[3] > 100000,
          "widest %d %d %d %d", widest.value[0], widest.value[1], widest.value[2], widest.value[3]);
    mutation_dataset_free(&dataset);
}

/* The figures that dataset.h states. */
static void a_pair_takes_the_bytes_that_the_header_says(void)
{
    mutation_rules rules = mutation_paper_rules();
    mutation_design widest = {{rules.high[0], rules.high[1], rules.high[2], rules.high[3]}};
    mutation_dataset dataset;
    base_text text = {0};
    mutation_print(&widest, &text);
    CHECK(2 * (text.length + 1) + 16 == 558, "%zu bytes in memory", 2 * (text.length + 1) + 16);
    base_text_clear(&text);
    CHECK(sample(&dataset, &rules, 1, 0, 1000, NULL), "not sampled");
    for (size_t i = 0; i < 1000; i++)
        mutation_dataset_print(dataset.source[i], dataset.refined[i], &text);
    CHECK(text.length / 1000 == 596, "%zu bytes in a file", text.length / 1000);
    mutation_dataset_free(&dataset);
    base_text_free(&text);
}

static void impossible_counts_are_errors(void)
{
    mutation_rules rules = mutation_paper_rules();
    char *kept = folder;
    mutation_dataset dataset = {7, &kept, &kept, NULL};
    base_error error = {""};
    CHECK(!sample(&dataset, &rules, 1, 0, SIZE_MAX, &error), "SIZE_MAX pairs");
    CHECK(strstr(error.text, "no memory"), "%s", error.text);
    CHECK(!sample(&dataset, &rules, 1, UINT64_MAX - 1, 3, &error), "past the last");
    CHECK(strstr(error.text, "past the last"), "%s", error.text);
    CHECK(dataset.count == 7 && dataset.source == &kept, "a failure changed the dataset");
    CHECK(sample(&dataset, &rules, 1, UINT64_MAX - 1, 1, &error), "the last");
    mutation_dataset_free(&dataset);
    CHECK(sample(&dataset, &rules, 1, 0, 0, &error), "no pairs");
    CHECK(dataset.count == 0, "%zu pairs", dataset.count);
    mutation_dataset_free(&dataset);
}

/* ---- JSONL ---- */

static void a_line_is_what_the_header_says(void)
{
    base_text text = {0};
    mutation_dataset_print("a\n\"b\"\\", "\tc", &text);
    CHECK(strcmp(text.data, "{\"source\": \"a\\n\\\"b\\\"\\\\\", \"refined\": \"\\tc\"}\n") == 0,
          "%s", text.data);
    base_text_free(&text);
}

static void check_same(const mutation_dataset *a, const mutation_dataset *b)
{
    size_t wrong = 0;
    CHECK(a->count == b->count, "%zu pairs, expected %zu", a->count, b->count);
    for (size_t i = 0; i < a->count && i < b->count; i++)
        wrong +=
            strcmp(a->source[i], b->source[i]) != 0 || strcmp(a->refined[i], b->refined[i]) != 0;
    CHECK(wrong == 0, "%zu pairs differ", wrong);
}

static void round_trip(const mutation_dataset *dataset)
{
    mutation_dataset read;
    base_error error = {""};
    char before[BASE_HASH_TEXT], after[BASE_HASH_TEXT];
    CHECK(mutation_dataset_write(dataset, path, &error), "%s", error.text);
    CHECK(base_file_hash(path, before, NULL), "no file");
    if (load(&read, &error)) {
        check_same(&read, dataset);
        CHECK(mutation_dataset_write(&read, path, &error), "%s", error.text);
        CHECK(base_file_hash(path, after, NULL) && strcmp(before, after) == 0, "another file");
        mutation_dataset_free(&read);
    } else {
        CHECK(false, "%s", error.text);
    }
}

static void what_is_written_is_read(void)
{
    mutation_rules rules = mutation_paper_rules();
    mutation_dataset dataset;
    CHECK(sample(&dataset, &rules, 4, 0, 1000, NULL), "not sampled");
    round_trip(&dataset);
    mutation_dataset_free(&dataset);

    char every[128], longest[LANGUAGE_MAX_SOURCE + 1];
    for (int i = 1; i < 128; i++)
        every[i - 1] = (char)i;
    every[127] = '\0';
    memset(longest, 1, LANGUAGE_MAX_SOURCE); /* \u0001: six bytes of JSON each */
    longest[LANGUAGE_MAX_SOURCE] = '\0';
    char *source[] = {"", "\"", every, "caf\xC3\xA9 \xF0\x9F\x94\xA5", longest};
    char *refined[] = {"", "\\", "\n\n", "{\"source\": \"\"}", longest};
    for (size_t count = 0; count <= 5; count++) {
        dataset = borrow(source, refined, count);
        round_trip(&dataset);
    }
}

static void writing_fails_cleanly(void)
{
    char *source[] = {"a"}, missing[300], nowhere[400];
    mutation_dataset dataset = borrow(source, source, 1);
    base_error error = {""};
    snprintf(missing, sizeof missing, "%s/none", folder);
    snprintf(nowhere, sizeof nowhere, "%s/pairs.jsonl", missing);
    CHECK(!mutation_dataset_write(&dataset, nowhere, &error), "written to a folder that is not");
    CHECK(strstr(error.text, missing), "%s", error.text);
    CHECK(!mutation_dataset_read(&dataset, nowhere, &error), "read from a folder that is not");
    CHECK(strstr(error.text, nowhere), "%s", error.text);
    CHECK(!mutation_dataset_read(&dataset, folder, &error), "read a folder");
    CHECK(dataset.count == 1, "a failure changed the dataset");
}

static void other_layouts_are_read(void)
{
    static const char *const files[] = {
        "{\"source\": \"a\", \"refined\": \"b\"}",
        "{\"refined\":\"b\",\"source\":\"a\"}\n",
        "  {\"source\"\t:\"\\u0061\" , \"refined\":\"b\" } \r\n",
        "{\"id\": [1, {\"source\": \"no\"}], \"source\": \"a\", \"refined\": \"b\", \"x\": null}\n",
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        mutation_dataset read;
        base_error error = {""};
        save(files[i], strlen(files[i]));
        if (load(&read, &error)) {
            CHECK(read.count == 1 && strcmp(read.source[0], "a") == 0 &&
                      strcmp(read.refined[0], "b") == 0,
                  "file %zu", i);
            mutation_dataset_free(&read);
        } else {
            CHECK(false, "file %zu: %s", i, error.text);
        }
    }
}

/* Each bad line as the first, after one pair (without room for a second in the count of pairs that
 * so short a file can hold), and as the 13th: the message names it. */
static void malformed_lines_are_named(void)
{
    static const char good[] = "{\"source\":\"\",\"refined\":\"\"}\n";
    static const struct {
        const char *line, *says;
    } cases[] = {
        {"", "expected"},
        {"x", "expected"},
        {"null", "source"},
        {"[]", "source"},
        {"{}", "source"},
        {"{\"source\":\"a\"}", "refined"},
        {"{\"refined\":\"a\"}", "source"},
        {"{\"source\":\"a\",\"refined\":1}", "refined"},
        {"{\"source\":null,\"refined\":\"a\"}", "source"},
        {"{\"source\":\"a\",\"refined\":\"b\"", "expected"},
        {"{\"source\":\"a\",\"refined\":\"b\"}}", "expected"},
        {"{\"source\":\"a\",\"refined\":\"b\"} {}", "expected"},
        {"{\"source\":\"a\",\"refined\":\"b\",}", "expected"},
        {"{\"source\":\"a\",\"source\":\"a\",\"refined\":\"b\"}", "source"},
        {"{\"source\":\"\\u0000\",\"refined\":\"b\"}", "NUL"},
        {"{\"source\":\"a\",\"refined\":\"b\\u0000b\"}", "NUL"},
        {"{\"source\":\"a\xFF\",\"refined\":\"b\"}", "UTF-8"},
        {"{\"source\":\"\\ud800\",\"refined\":\"b\"}", "expected"},
        {"{\"source\":\"a\tb\",\"refined\":\"b\"}", "expected"},
        {"\xEF\xBB\xBF{\"source\":\"a\",\"refined\":\"b\"}", "expected"},
    };
    static const int befores[] = {0, 1, 12};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int j = 0; j < 3; j++) {
            base_text text = {0};
            base_error error = {""};
            mutation_dataset read;
            char where[32];
            for (int k = 0; k < befores[j]; k++)
                base_text_print(&text, "%s", good);
            base_text_print(&text, "%s\n%s", cases[i].line, good);
            save(text.data, text.length);
            snprintf(where, sizeof where, "line %d:", befores[j] + 1);
            CHECK(!load(&read, &error), "case %zu was read", i);
            CHECK(strstr(error.text, path) && strstr(error.text, where) &&
                      strstr(error.text, cases[i].says),
                  "case %zu, expected '%s' and '%s': %s", i, where, cases[i].says, error.text);
            base_text_free(&text);
        }
}

/* ---- hostile files ---- */

/* Cut anywhere, a file is the pairs of its whole lines, or an error. */
static void truncation_leaves_whole_lines(void)
{
    mutation_rules rules = mutation_paper_rules();
    mutation_dataset dataset, read;
    base_text text = {0};
    size_t ends[3], lines = 0, errors = 0;
    CHECK(sample(&dataset, &rules, 6, 0, 3, NULL), "not sampled");
    for (size_t i = 0; i < 3; i++) {
        mutation_dataset_print(dataset.source[i], dataset.refined[i], &text);
        ends[i] = text.length - 1; /* a line may lack its newline */
    }
    char *cut = path;
    for (size_t size = 0; size <= text.length; size++) {
        FILE *file = fopen(cut, "wb"); /* without base_file_write's fsync, 1800 times */
        CHECK(file && fwrite(text.data, 1, size, file) == size && fclose(file) == 0, "not saved");
        while (lines < 3 && size >= ends[lines])
            lines++;
        bool whole = size == 0 || (lines > 0 && size <= ends[lines - 1] + 1);
        bool ok = load(&read, NULL);
        CHECK(ok == whole, "%zu bytes: %s", size, ok ? "read" : "refused");
        errors += !ok;
        if (ok) {
            mutation_dataset head = borrow(dataset.source, dataset.refined, lines);
            check_same(&read, &head);
            mutation_dataset_free(&read);
        }
    }
    CHECK(errors > 1500, "only %zu errors", errors);
    mutation_dataset_free(&dataset);
    base_text_free(&text);
}

/* Random bytes in place of others: an error that names a line, or strings within the bounds. */
static void damage_never_crashes(void)
{
    mutation_rules rules = mutation_paper_rules();
    mutation_dataset dataset;
    base_text text = {0};
    base_random random = {8, base_random_stream("test damage", 0, 0, 0), 0};
    int errors = 0, reads = 0;
    CHECK(sample(&dataset, &rules, 6, 0, 2, NULL), "not sampled");
    for (size_t i = 0; i < 2; i++)
        mutation_dataset_print(dataset.source[i], dataset.refined[i], &text);
    char *copy = malloc(text.length);
    for (int i = 0; i < 3000; i++) {
        static const char likely[] = "\"\\{}[]:,u0\n\r\x80\xFF";
        memcpy(copy, text.data, text.length);
        for (uint32_t n = 1 + base_random_below(&random, 3); n > 0; n--) {
            uint32_t at = base_random_below(&random, (uint32_t)text.length);
            uint32_t byte = base_random_below(&random, 256);
            copy[at] = byte < 128 ? likely[byte % (sizeof likely - 1)] : (char)byte;
        }
        FILE *file = fopen(path, "wb");
        CHECK(file && fwrite(copy, 1, text.length, file) == text.length && fclose(file) == 0,
              "not saved");
        mutation_dataset read;
        base_error error = {""};
        if (load(&read, &error)) {
            reads++;
            for (size_t j = 0; j < read.count; j++)
                CHECK(strlen(read.source[j]) + strlen(read.refined[j]) < text.length, "too long");
            mutation_dataset_free(&read);
        } else {
            errors++;
            CHECK(strstr(error.text, ", line "), "%s", error.text);
        }
    }
    CHECK(reads > 100 && errors > 100, "%d read, %d refused", reads, errors);
    free(copy);
    mutation_dataset_free(&dataset);
    base_text_free(&text);
}

static void check_refused(const base_text *text, const char *says)
{
    mutation_dataset read;
    base_error error = {""};
    save(text->data, text->length);
    CHECK(!load(&read, &error), "read");
    CHECK(strstr(error.text, says), "expected '%s': %s", says, error.text);
}

static void size_is_bounded(void)
{
    base_text text = {0};
    for (int i = 0; i < 1 << 20; i++) /* newlines alone: refused at the first */
        base_text_add(&text, "\n", 1);
    check_refused(&text, "line 1:");

    base_text_clear(&text); /* a source one byte too long, in each place */
    char *line = malloc(LANGUAGE_MAX_SOURCE + 2);
    memset(line, 'x', LANGUAGE_MAX_SOURCE + 1);
    line[LANGUAGE_MAX_SOURCE + 1] = '\0';
    mutation_dataset_print(line, "", &text);
    check_refused(&text, "\"source\" has 65537 bytes");
    base_text_clear(&text);
    mutation_dataset_print("", line, &text);
    check_refused(&text, "\"refined\" has 65537 bytes");
    free(line);

    base_text_clear(&text); /* a line of blanks, one too many and just not too many */
    base_text_print(&text, "{\"source\": \"a\", \"refined\": \"b\"}");
    while (text.length <= MUTATION_MAX_DATASET_LINE)
        base_text_add(&text, " ", 1);
    check_refused(&text, "the line has 1048577 bytes");
    mutation_dataset read;
    save(text.data, text.length - 1);
    CHECK(load(&read, NULL), "a line of 2^20 bytes");
    mutation_dataset_free(&read);
    base_text_free(&text);
}

/* A file beyond the bound costs no memory: it is sparse, and refused by its size. */
static void huge_files_are_refused(void)
{
    mutation_dataset read;
    base_error error = {""};
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK(file >= 0, "%s", path);
    bool sparse = file >= 0 && ftruncate(file, (off_t)MUTATION_MAX_DATASET_FILE + 1) == 0;
    if (file >= 0)
        close(file);
    if (!sparse) {
        SKIP("no file of 1 GiB can be made here");
        return;
    }
    CHECK(!load(&read, &error), "read");
    CHECK(strstr(error.text, path) && !strstr(error.text, "line"), "%s", error.text);
}

int main(void)
{
    const char *temporary = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/test_refine_dataset.XXXXXX",
             temporary && *temporary ? temporary : "/tmp");
    if (!mkdtemp(folder)) {
        CHECK(false, "no temporary folder %s", folder);
        return test_end();
    }
    snprintf(path, sizeof path, "%s/pairs.jsonl", folder);
    samples_are_the_pairs_of_their_numbers();
    room_is_made_for_the_longest();
    a_pair_takes_the_bytes_that_the_header_says();
    impossible_counts_are_errors();
    a_line_is_what_the_header_says();
    what_is_written_is_read();
    writing_fails_cleanly();
    other_layouts_are_read();
    malformed_lines_are_named();
    truncation_leaves_whole_lines();
    damage_never_crashes();
    size_is_bounded();
    huge_files_are_refused();
    unlink(path);
    CHECK(rmdir(folder) == 0, "something was left in %s", folder);
    return test_end();
}
