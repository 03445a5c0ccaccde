/* SPDX-License-Identifier: MIT */
/* test_pairs.c -- a file of pairs from `phoenix train --pairs` to `phoenix generate`: what the training says
 * of held-out texts, what the model's folder answers, and what is refused. */
#include "tests/bin/test_phoenix.h"
#include "tests/evolve/test_evolve_command.h"

static char *run(int want, const char *arguments)
{
    return phoenix_says(scratch, BOTH, want, arguments);
}

static void expect(int want, const char *arguments, const char *part)
{
    phoenix_expect(scratch, BOTH, want, arguments, part);
}

/* Words of four letters, and the same in capitals. */
static void write_pairs(void)
{
    base_text text = {0};
    for (unsigned i = 0; i < 400; i++) {
        char word[5] = "";
        for (unsigned k = 0, n = i * 2654435761u >> 8; k < 4; k++, n /= 4)
            word[k] = "abcd"[n % 4];
        base_text_print(&text, "{\"low\": \"%s\", \"high\": \"", word);
        for (int k = 0; k < 4; k++)
            base_text_print(&text, "%c", word[k] - 'a' + 'A');
        base_text_print(&text, "\"}\n");
    }
    spill(at("pairs.jsonl"), text.data, text.length);
    base_text_free(&text);
}

static void a_model_of_pairs_answers(void)
{
    char *said =
        run(0, "train --pairs pairs.jsonl --source-key low --target-key high --out t --d-model 32 "
               "--final-epochs 20 --rate 0.02 --vocabulary 259");
    CHECK(strstr(said, "held out") && strstr(said, "no entropy floor and no fidelity") &&
              strstr(said, "exact match 100.00 %"),
          "%s", said);
    free(said);
    spill(at("words"), "abcd\ndcba\r\nbbbb", 15);
    said = run(0, "generate t words --lines --greedy");
    CHECK(strcmp(said, "ABCD\nDCBA\nBBBB\n") == 0, "%s", said);
    free(said);
    spill(at("word"), "cabd\n", 5);
    said = run(0, "generate t/model word --greedy --count 2");
    const char *first = strstr(said, "*/\nCABD\n/* version 2");
    CHECK(first && strstr(first + 1, "*/\nCABD\n"), "%s", said);
    free(said);
    expect(1, "generate t", "t: is a model of pairs: a text was expected");
}

static void what_does_not_fit_is_refused(void)
{
    expect(1, "train --pairs pairs.jsonl --out x",
           "pairs.jsonl:1: has no \"source\": it has \"low\", \"high\"");
    expect(1, "train --pairs none.jsonl --out x", "none.jsonl");
    expect(1, "train --task pairs --out x", "--pairs FILE was expected");
    expect(2, "train --task digits --pairs pairs.jsonl --out x", "--pairs");
    expect(2, "train --pairs pairs.jsonl --epochs 3 --out x", "--final-epochs");
    CHECK(!base_file_exists(at("x")), "a refused training left a folder");
}

/* ---- a run ---- */

static const char run_of_pairs[] =
    "evolve --pairs pairs.jsonl --source-key low --target-key high --proposer rules "
    "--d-model 16 --few-shot 32 --episodes 1 --batches 2 --candidates 3 --quiet "
    "--final-epochs 3 --fresh-seeds 1 --vocabulary 259 --run ";

static char *evolve(int want, const char *folder, const char *more)
{
    char command[1024];
    snprintf(command, sizeof command, "%s%s %s", run_of_pairs, folder, more);
    return run(want, command);
}

/* The model of the last source is there, is used, and is held by verify; a run that is cut anywhere ends
 * with the same bytes, from what its manifest says of the file. */
static void a_run_leaves_its_model(void)
{
    char *said = evolve(0, "whole", "");
    CHECK(strstr(said, "model/: the last source's T5") && strstr(said, "exact match"), "%s", said);
    free(said);
    expect(0, "generate whole words --lines --greedy", "\n");
    expect(0, "verify whole --quiet --models", "1 models compared: 0 differ");
    expect(0, "report whole", "report.html");

    size_t size;
    char *journal = slurp(at("whole/journal.jsonl"), &size);
    int lines = count_events(journal, "\n");
    CHECK(count_events(journal, "\"event\":\"model\"") == 1 &&
              count_events(journal, "\"event\":\"compared\"") == 2 &&
              count_events(journal, "\"pairs\":\"") == 1,
          "%s", journal);
    free(journal);
    for (int cut = 1; cut < lines; cut += 3) {
        copy_all(at("whole"), at("cut"));
        cut_journal(at("cut"), cut);
        if (cut < lines - 3) /* model, compared, compared, finished */
            remove_all(at("cut/model"));
        said = run(0, "evolve --run cut --resume --quiet");
        same_run(at("whole"), at("cut"), true);
        free(said);
        remove_all(at("cut"));
    }
}

static void another_file_is_refused(void)
{
    copy_all(at("whole"), at("half"));
    cut_journal(at("half"), 3);
    expect(1, "evolve --run half --resume --quiet --pairs words", "words: its SHA-256 is ");
    rename(at("pairs.jsonl"), at("moved.jsonl"));
    expect(1, "evolve --run half --resume --quiet", "pairs.jsonl: cannot open");
    free(run(0, "evolve --run half --resume --quiet --pairs moved.jsonl"));
    same_run(at("whole"), at("half"), true);
    rename(at("moved.jsonl"), at("pairs.jsonl"));
    expect(1, "evaluate whole/source.c --pairs words --source-key a --target-key b",
           "words:1:1: expected a value");
    expect(0,
           "evaluate whole/source.c --pairs pairs.jsonl --source-key low --target-key high --plan "
           "--d-model 16",
           "{\"parameters\":");
    size_t size;
    char *bytes = slurp(at("whole/model/tokenizer.json"), &size);
    bytes[size / 2] ^= 1;
    spill(at("whole/model/tokenizer.json"), bytes, size);
    expect(1, "verify whole --files --quiet",
           "tokenizer.json: is not the file that the run has written");
    free(bytes);
}

int main(void)
{
    if (!scratch_for_command())
        return test_end();
    write_pairs();
    a_model_of_pairs_answers();
    what_does_not_fit_is_refused();
    a_run_leaves_its_model();
    another_file_is_refused();
    remove_all(scratch);
    return test_end();
}
