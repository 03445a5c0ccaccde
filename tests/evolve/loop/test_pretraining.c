/* SPDX-License-Identifier: MIT */
/* test_pretraining.c -- a stage that begins with a corpus: what it has learnt there goes on into the refinements, its
 * operations are charged, interruptions change nothing, and a run goes on with its own corpus alone. */
#include "evolve/loop/stage.h"
#include "evolve/report/lineage.h"
#include "tests/evolve/test_evolve_command.h"

static volatile sig_atomic_t stop;
static char first_label[64]; /* of the progress that is reported first, and how far it was */
static int64_t first_done;

static void say(void *user, const char *text) { (void)user, (void)text; }

static void progress(void *user, const char *what, int64_t done, int64_t total, const char *detail)
{
    (void)user, (void)total, (void)detail;
    if (!*first_label) {
        snprintf(first_label, sizeof first_label, "%s", what);
        first_done = done;
    }
}

typedef struct bench {
    evolve_settings settings;
    tensor_context *ctx;
    source_corpus *corpus;
    t5_tokenizer *tokenizer;
    const char *source;
} bench;

static source_corpus *corpus_of(const char *text)
{
    base_error error = {""};
    spill(at("corpus.c"), text, strlen(text));
    source_corpus *corpus = source_corpus_read(at("corpus.c"), &error);
    CHECK(corpus, "%s", error.text);
    return corpus;
}

static bench bench_new(const char *corpus)
{
    base_error error = {""};
    bench b = {.settings = tiny_settings(), .ctx = tensor_context_new()};
    b.settings.corpus_samples = 24;
    b.corpus = corpus_of(corpus);
    b.tokenizer = source_stage_tokenizer(NULL, b.corpus, &b.settings, &error);
    b.source = tiny_source(64, "");
    CHECK(b.ctx && b.tokenizer, "%s", error.text);
    return b;
}

static void bench_free(bench *b)
{
    t5_tokenizer_free(b->tokenizer);
    source_corpus_free(b->corpus);
    tensor_context_free(b->ctx);
}

static loop_stage stage_of(const bench *b, const char *folder)
{
    static const loop_watch watch = {say, progress, say, NULL};
    loop_stage stage = tiny_stage(&b->settings, b->source, b->tokenizer, b->ctx, folder);
    stage.corpus = b->corpus;
    stage.stop = &stop;
    stage.watch = &watch;
    return stage;
}

static bool run_stage(const loop_stage *stage, loop_stage_result *result, base_error *error)
{
    *first_label = '\0';
    strcpy(error->text, "not set");
    bool ok = loop_stage_run(stage, result, error);
    if (result->model)
        t5_model_free(result->model);
    return ok;
}

static loop_stage_result trained(const bench *b, const char *folder)
{
    base_error error;
    loop_stage_result result;
    const loop_stage stage = stage_of(b, folder);
    CHECK(run_stage(&stage, &result, &error), "%s", error.text);
    return result;
}

static const char code[] = "int size(const list *l)\n{\n    return l->size;\n}\n";

static void what_was_learnt_goes_on(void)
{
    base_error error;
    bench b = bench_new(code), other = bench_new("~~~~~~~~\n");
    loop_stage_result here = trained(&b, at("here")), there = trained(&other, at("there"));
    CHECK(strcmp(here.hashes[1], there.hashes[1]) != 0 &&
              strcmp(here.losses_hash, there.losses_hash) != 0 &&
              strcmp(here.hashes[2], there.hashes[2]) == 0,
          "the corpus is nothing to the weights, or something to the tokenizer");
    CHECK(here.steps == 8 && here.corpus_loss > 0 && there.corpus_loss > 0, "%d steps",
          (int)here.steps);

    /* What comes after it is the training without it, operation for operation. */
    loop_stage alone = stage_of(&b, at("alone"));
    loop_stage_result result;
    alone.corpus = NULL;
    CHECK(run_stage(&alone, &result, &error), "%s", error.text);
    CHECK(result.corpus_flops == 0 && here.corpus_flops > 0 &&
              here.flops == here.corpus_flops + result.flops,
          "%lld operations, %lld on the corpus, %lld without", (long long)here.flops,
          (long long)here.corpus_flops, (long long)result.flops);
    loop_event event = loop_stage_event(LOOP_TRAINED, &here, NULL);
    CHECK(event.flops == here.flops && event.corpus_flops == here.corpus_flops, "not charged");

    /* A hundred steps on a corpus of one line: a guess among 386 tokens costs 5.96 nats. */
    other.settings.corpus_samples = 800;
    other.settings.rate = 0.005;
    there = trained(&other, at("long"));
    CHECK(there.corpus_loss < 3, "~~~~~~~~ costs %.3f nats a token", there.corpus_loss);
    bench_free(&b);
    bench_free(&other);
}

static bool is_there(const char *folder, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return base_file_exists(path);
}

/* The stop flag is looked at after each step: a stage that finds it set goes one step further. */
static void interrupt(const loop_stage *stage, int times)
{
    base_error error;
    loop_stage_result result;
    stop = 1;
    for (int i = 0; i < times; i++)
        CHECK(!run_stage(stage, &result, &error) && !*error.text, "interrupted: %s", error.text);
    stop = 0;
}

/* Three steps on the corpus and eight on refinements; wherever it is stopped, and what of its files is lost then. */
static void interruptions_change_nothing(void)
{
    static const char *const files[] = {"corpus.safetensors", "corpus.sha256",
                                        "training.safetensors", "training.sha256"};
    bench b = bench_new(code);
    const loop_stage_result whole = trained(&b, at("whole"));
    const loop_stage stage = stage_of(&b, at("cut"));
    for (int steps = 1; steps < 12; steps += 2)
        for (int lost = 0; lost < 5; lost++) {
            interrupt(&stage, steps);
            base_error error;
            bool there, is_whole;
            CHECK(loop_stage_checkpoint(&stage, &there, &is_whole, &error) && there && is_whole &&
                      is_there(at("cut"), files[0]) && is_there(at("cut"), files[2]) == (steps > 3),
                  "%d steps: no checkpoint", steps);
            if (lost < 4) {
                char path[1024];
                snprintf(path, sizeof path, "%s/%s", at("cut"), files[lost]);
                unlink(path);
            }
            const loop_stage_result result = trained(&b, at("cut"));
            CHECK(memcmp(result.hashes, whole.hashes, sizeof whole.hashes) == 0 &&
                      strcmp(result.losses_hash, whole.losses_hash) == 0 &&
                      result.flops == whole.flops && result.corpus_flops == whole.corpus_flops &&
                      result.corpus_loss == whole.corpus_loss,
                  "%d steps, %s lost: another model", steps, lost < 4 ? files[lost] : "nothing");
            const int64_t done = steps < 3 ? 8 * (steps + 1) : 24;
            CHECK(strcmp(first_label, "test on the corpus") == 0 &&
                      first_done == (lost < 2 ? 8 : done),
                  "%d steps, %d lost: it went on at %s %d", steps, lost, first_label,
                  (int)first_done);
            for (int i = 0; i < 4; i++)
                CHECK(!is_there(at("cut"), files[i]), "%s is still there", files[i]);
        }

    /* Of another corpus. */
    bench other = bench_new("~~~~~~~~\n");
    const loop_stage of_other = stage_of(&other, at("cut"));
    interrupt(&of_other, 6);
    const loop_stage_result result = trained(&b, at("cut"));
    CHECK(strcmp(result.hashes[1], whole.hashes[1]) == 0, "it went on with another corpus's");
    bench_free(&other);
    bench_free(&b);
}

/* ---- runs ---- */

static pid_t start(const char *folder, bool resume, const char *jobs)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s", at("tree"));
    const char *const more[] = {"--proposer",
                                "t5",
                                "--candidates",
                                "2",
                                "--batches",
                                "1",
                                "--constrained",
                                "yes",
                                "--fresh-seeds",
                                "0",
                                "--corpus",
                                path,
                                "--corpus-samples",
                                "16",
                                NULL};
    return start_evolve(folder, resume, jobs, "1", more);
}

static void a_run_keeps_its_promises(void)
{
    size_t size;
    mkdir(at("tree"), 0777);
    spill(at("tree/a.c"), code, sizeof code - 1);
    ends_well("one", start(at("one"), false, "1"));
    ends_well("two", start(at("two"), false, "2"));
    same_run(at("one"), at("two"), false);
    for (int events = 1; events < 7; events++) {
        copy_all(at("one"), at("cut-run"));
        cut_journal(at("cut-run"), events);
        ends_well("cut",
                  start_command((const char *[]){TEST_PHOENIX, "evolve", "--run", at("cut-run"),
                                                 "--resume", "--quiet", NULL}));
        same_run(at("one"), at("cut-run"), true);
        remove_all(at("cut-run"));
    }
    ends_well("verify", start_command((const char *[]){TEST_PHOENIX, "verify", at("one"), "--quiet",
                                                       "--models", NULL}));
    char *journal = slurp(at("one/journal.jsonl"), &size);
    base_error error = {""};
    report_lineage *run = report_lineage_read(at("one"), &error);
    CHECK(run && run->trained_count == 2 && run->trained[1].event.corpus_flops > 0 &&
              run->trained[1].event.corpus_loss > 0 && run->settings.corpus_samples == 16,
          "%s", error.text);
    CHECK(run && run->compute.training ==
                     (double)(run->trained[0].event.flops + run->trained[1].event.flops),
          "the comparison does not charge it");
    report_lineage_free(run);
    CHECK(count_events(journal, "\"corpus\":\"") == 1 && count_events(journal, "corpus_loss") == 2,
          "%s", journal);
    free(journal);
}

static void another_corpus_is_refused(void)
{
    const char *const resume[] = {TEST_PHOENIX, "evolve", "--run", at("one"), "--resume", NULL};
    const char *const verify[] = {TEST_PHOENIX, "verify", at("one"), "--quiet", NULL};
    cut_journal(at("one"), 4);
    for (int gone = 0; gone < 2; gone++) {
        if (gone)
            remove_all(at("tree"));
        else
            spill(at("tree/b.c"), "int b;\n", 7);
        for (int i = 0; i < 2; i++) {
            int code_of;
            char *errors = errors_of(i ? resume : verify, &code_of);
            CHECK(code_of == 1 &&
                      strstr(errors, gone
                                         ? "tree: cannot open"
                                         : "tree: the corpus is not that which the run began with"),
                  "%d: %s", code_of, errors);
            free(errors);
        }
    }
    /* Its copy elsewhere will do. */
    mkdir(at("copy"), 0777);
    spill(at("copy/other-name.c"), code, sizeof code - 1);
    ends_well("elsewhere",
              start_command((const char *[]){TEST_PHOENIX, "evolve", "--run", at("one"), "--resume",
                                             "--quiet", "--corpus", at("copy"), NULL}));
    same_run(at("two"), at("one"), false);
}

int main(void)
{
    if (!scratch_for_command())
        return 1;
    what_was_learnt_goes_on();
    interruptions_change_nothing();
    a_run_keeps_its_promises();
    another_corpus_is_refused();
    remove_all(scratch);
    return test_end();
}
