/* SPDX-License-Identifier: MIT */
/* test_winners.c -- a T5 that is trained on a run's own best edits: which these are, which pairs they take the place of,
 * and that such a run is the same for any jobs, cut and resumed, and verified. */
#include "evolve/loop/learnt.h"
#include "evolve/source/host.h"
#include "tests/evolve/test_evolve_command.h"

enum { CANDIDATES = 14 };

/* The default source with another d_ff; in static memory. */
static char texts[CANDIDATES][1024];

static loop_candidate candidate(int number, int parent, double score)
{
    base_text text = {0};
    source_default_source(&text);
    char *at_d_ff = strstr(text.data, "d_ff = ");
    snprintf(texts[number], sizeof texts[0], "%.*sd_ff = %d;\n    return t5_new(config);\n}\n",
             (int)(at_d_ff - text.data), text.data, 1024 + number);
    base_text_free(&text);
    return (loop_candidate){.number = number,
                            .parent = parent,
                            .original = LOOP_NOBODY,
                            .share = 1,
                            .text = texts[number],
                            .length = strlen(texts[number]),
                            .score = {.status = SCORE_OK, .score = score}};
}

/* Twelve children of the first source, of which ten paid; and a child of one of them. */
static void make_candidates(loop_candidate list[CANDIDATES])
{
    static const double scores[CANDIDATES] = {3,    2.9, 2.95, 3.1, 2.2,  2.8, 2.7,
                                              2.65, 3,   2.6,  2.5, 2.55, 2.3, 1.45};
    for (int i = 0; i < CANDIDATES; i++)
        list[i] = candidate(i, i == 0 ? LOOP_NOBODY : i == 13 ? 4 : 0, scores[i]);
}

static void the_best_edits_win(void)
{
    base_error error = {""};
    loop_candidate list[CANDIDATES];
    source_lesson lesson;
    evolve_settings settings = tiny_settings();
    make_candidates(list);
    CHECK(loop_teach(&settings, NULL, list, CANDIDATES, &lesson, &error) &&
              lesson.winner_count == 0 && !lesson.is_weighted,
          "another proposer is taught");
    settings.proposer = EVOLVE_WINNERS;
    CHECK(loop_teach(&settings, NULL, list, 1, &lesson, &error) && lesson.winner_count == 0,
          "nothing has won yet");
    list[6].reused = true;
    list[9].score.status = SCORE_RUN;
    list[11].text = "no program";
    list[11].length = strlen(list[11].text);
    CHECK(loop_teach(&settings, NULL, list, CANDIDATES, &lesson, &error), "%s", error.text);
    static const int want[] = {4, 13, 12, 10,
                               7, 5,  1,  2}; /* gains 0.8, 0.75, 0.7, 0.5, 0.35, 0.2, 0.1, 0.05 */
    CHECK(lesson.winner_count == 8, "%d winners", lesson.winner_count);
    for (int i = 0; i < lesson.winner_count; i++)
        CHECK(lesson.winner[i].refined == texts[want[i]] &&
                  lesson.winner[i].source == texts[want[i] == 13 ? 4 : 0],
              "place %d: %s", i, lesson.winner[i].refined);
    list[9] = candidate(9, 0, 2.6);
    CHECK(loop_teach(&settings, NULL, list, CANDIDATES, &lesson, &error) &&
              lesson.winner[4].refined == texts[9] && lesson.winner[7].refined == texts[1],
          "the ninth is still there");
}

static bool same_pair(const t5_batch *a, const t5_batch *b)
{
    return a->source_rows == b->source_rows && a->target_rows == b->target_rows &&
           memcmp(a->source_ids, b->source_ids, (size_t)a->source_rows * sizeof(int)) == 0 &&
           memcmp(a->target_ids, b->target_ids, (size_t)a->target_rows * sizeof(int)) == 0;
}

/* Half of the pairs are winners, each as often; the others are what they were, and held-out ones all are. */
static void every_second_pair_is_a_winner(void)
{
    base_error error = {""};
    evolve_settings settings = tiny_settings();
    loop_candidate list[CANDIDATES];
    make_candidates(list);
    source_lesson lesson = {.winner = {{texts[0], texts[1]}, {texts[0], texts[2]}},
                            .winner_count = 2};
    t5_tokenizer *tokenizer = source_tokenizer(&settings, &error);
    source_pairs *plain = source_pairs_new(&settings, tokenizer, &error);
    source_pairs *taught = source_pairs_new(&settings, tokenizer, &error);
    source_pairs *one = source_pairs_new(&settings, tokenizer, &error);
    source_lesson first = {.winner = {{texts[0], texts[1]}}, .winner_count = 1};
    CHECK(plain && taught && one, "%s", error.text);
    source_pairs_teach(taught, &lesson);
    source_pairs_teach(one, &first);
    int as_before = 0, as_first = 0;
    for (uint64_t i = 0; i < 4000; i++) {
        t5_batch a = {0}, b = {0}, c = {0};
        uint64_t index = i < 2000 ? i : SOURCE_HELD_OUT + i;
        CHECK(source_pairs_add(plain, index, &a, NULL, &error) &&
                  source_pairs_add(taught, index, &b, NULL, &error) &&
                  source_pairs_add(one, index, &c, NULL, &error),
              "%s", error.text);
        const bool same = same_pair(&a, &b);
        CHECK(same == same_pair(&a, &c) && (i < 2000 || same), "pair %d", (int)i);
        as_before += same && i < 2000;
        as_first += !same && same_pair(&b, &c);
        t5_batch_free(&a);
        t5_batch_free(&b);
        t5_batch_free(&c);
    }
    CHECK(as_before > 900 && as_before < 1100 && as_first > 430 && as_first < 570,
          "%d of 2000 as before, %d the first winner", as_before, as_first);
    source_pairs_free(one);
    source_pairs_free(taught);
    source_pairs_free(plain);
    t5_tokenizer_free(tokenizer);
}

static void run(const char *folder, const char *jobs, const char *proposer)
{
    const char *const more[] = {
        "--proposer", proposer,        "--batches", "2", "--candidates", "4", "--constrained",
        "yes",        "--fresh-seeds", "0",         NULL};
    ends_well(folder, start_evolve(folder, false, jobs, "1", more));
}

static void runs_keep_their_promises(void)
{
    size_t size;
    run(at("one"), "1", "winners");
    run(at("two"), "2", "winners");
    run(at("t5"), "1", "t5");
    same_run(at("one"), at("two"), false);
    CHECK(same_files(at("one/episode-0/model/model.safetensors"),
                     at("t5/episode-0/model/model.safetensors")) &&
              !same_files(at("one/episode-1/model/model.safetensors"),
                          at("t5/episode-1/model/model.safetensors")),
          "the first T5 has seen winners, or the second none");
    char *journal = slurp(at("one/journal.jsonl"), &size);
    CHECK(count_events(journal, "\"accepted\":true") > 0, "nothing has won in this run");
    free(journal);
    for (int events = 4; events < 20; events += 5) {
        copy_all(at("one"), at("cut"));
        cut_journal(at("cut"), events);
        ends_well("cut", start_command((const char *[]){TEST_PHOENIX, "evolve", "--run", at("cut"),
                                                        "--resume", "--quiet", NULL}));
        same_run(at("one"), at("cut"), true);
        remove_all(at("cut"));
    }
    ends_well("verify", start_command((const char *[]){TEST_PHOENIX, "verify", at("one"), "--quiet",
                                                       "--models", NULL}));
    int code;
    char *errors = errors_of((const char *[]){TEST_PHOENIX, "evolve", "--task", "digits",
                                              "--proposer", "winners", "--run", at("none"), NULL},
                             &code);
    CHECK(code == 1 && strstr(errors, "--proposer winners: the T5 that writes networks is trained"),
          "%s", errors);
    free(errors);
}

int main(void)
{
    the_best_edits_win();
    every_second_pair_is_a_winner();
    if (!scratch_for_command())
        return test_end();
    runs_keep_their_promises();
    remove_all(scratch);
    return test_end();
}
