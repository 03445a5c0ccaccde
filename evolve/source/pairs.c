/* SPDX-License-Identifier: MIT */
/* pairs.c -- the dataset is a function of the settings: pair i is drawn, printed and tokenized when
 * somebody asks for it, by every process for itself, and nothing of it is ever stored in a file. */
#include "evolve/source/pairs.h"
#include "base/memory.h"
#include "evolve/config.h"
#include "evolve/source/form.h"
#include "evolve/source/judge.h"
#include "evolve/task.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* So many pairs are kept as tokens once they have been made: of those that are drawn, and of a file's, which
 * a training goes through again and again. */
enum { TOKENIZER_PAIRS = 1024, MOST_KEPT = 16384, MOST_TEXTS_KEPT = 1 << 20 };

/* The sources alone, one after another in `text`, and where each begins. */
static bool print_sources(const evolve_settings *settings, base_text *text,
                          const char *source[TOKENIZER_PAIRS])
{
    mutation_mutator mutator = evolve_mutator(settings);
    size_t start[TOKENIZER_PAIRS];
    for (uint64_t i = 0; i < TOKENIZER_PAIRS; i++) {
        mutation_drawn pair = mutator.kind->pair(&mutator, evolve_data_seed(settings), i);
        start[i] = text->length;
        mutator.kind->print(&mutator, &pair.source, text);
        base_text_add(text, "", 1);
    }
    for (size_t i = 0; i < TOKENIZER_PAIRS && !text->failed; i++)
        source[i] = text->data + start[i];
    return !text->failed;
}

/* Trained on sources alone: a refinement is a source as well. */
t5_tokenizer *source_tokenizer(const evolve_settings *settings, base_error *error)
{
    base_text text = {0};
    const char *source[TOKENIZER_PAIRS];
    t5_tokenizer *tokenizer = NULL;
    if (print_sources(settings, &text, source))
        tokenizer = t5_tokenizer_train(source, TOKENIZER_PAIRS, (int)settings->vocabulary, error);
    else
        base_fail(error, "no memory for the tokenizer's %d sources", (int)TOKENIZER_PAIRS);
    base_text_free(&text);
    return tokenizer;
}

t5_tokenizer *source_tokenizer_of(const source_texts *texts, const evolve_settings *settings,
                                  base_error *error)
{
    return texts ? source_texts_tokenizer(texts, settings, error)
                 : source_tokenizer(settings, error);
}

t5_tokenizer *source_stage_tokenizer(const source_texts *texts, const source_corpus *corpus,
                                     const evolve_settings *settings, base_error *error)
{
    t5_tokenizer *tokenizer = source_tokenizer_of(texts, settings, error);
    if (!tokenizer || !corpus ||
        t5_tokenizer_add_sentinels(tokenizer, source_corpus_sentinels(settings), error))
        return tokenizer;
    t5_tokenizer_free(tokenizer);
    return NULL;
}

struct source_pairs {
    const source_texts *texts;   /* NULL: refinements */
    const source_corpus *corpus; /* NULL: one of the two */
    int sentinel, most;          /* of a corpus: the first one's id; tokens of a sequence */
    const t5_tokenizer *tokenizer;
    mutation_mutator mutator;
    const source_lesson *lesson;
    evolve_form form;
    uint64_t seed, first;
    uint64_t keeps; /* pairs from `first` on, whose tokens are kept once they have been made */
    t5_batch kept;  /* those that have been */
    base_text text, refined_text, asked, label;
    int source[T5_MOST_SOURCE], refined[T5_MOST_SOURCE], drawn[T5_MOST_SOURCE];
};

static const source_lesson nothing; /* has been learnt */

source_pairs *source_pairs_new(const evolve_settings *settings, const t5_tokenizer *tokenizer,
                               base_error *error)
{
    source_pairs *pairs = base_calloc(1, sizeof *pairs);
    if (!pairs) {
        base_fail(error, "pairs: no memory");
        return NULL;
    }
    pairs->tokenizer = tokenizer;
    pairs->lesson = &nothing;
    pairs->mutator = evolve_mutator(settings);
    pairs->form = (evolve_form)settings->form;
    pairs->seed = evolve_data_seed(settings);
    pairs->first = (uint64_t)settings->first_pair;
    pairs->keeps = settings->few_shot < MOST_KEPT ? (uint64_t)settings->few_shot : MOST_KEPT;
    return pairs;
}

source_pairs *source_pairs_of(const source_texts *texts, const evolve_settings *settings,
                              const t5_tokenizer *tokenizer, base_error *error)
{
    source_pairs *pairs = source_pairs_new(settings, tokenizer, error);
    if (pairs && texts) {
        int64_t count = source_texts_count(texts, SOURCE_TRAINING);
        pairs->texts = texts;
        pairs->first = 0;
        pairs->keeps = (uint64_t)(count < MOST_TEXTS_KEPT ? count : MOST_TEXTS_KEPT);
    }
    return pairs;
}

source_pairs *source_pairs_of_corpus(const source_corpus *corpus, const evolve_settings *settings,
                                     const t5_tokenizer *tokenizer, base_error *error)
{
    source_pairs *pairs = source_pairs_new(settings, tokenizer, error);
    if (pairs) {
        pairs->corpus = corpus;
        pairs->sentinel = t5_tokenizer_size(tokenizer) - source_corpus_sentinels(settings);
        pairs->most = (int)settings->max_tokens;
        pairs->keeps = 0;
    }
    return pairs;
}

void source_pairs_free(source_pairs *pairs)
{
    if (!pairs)
        return;
    base_text_free(&pairs->text);
    base_text_free(&pairs->refined_text);
    base_text_free(&pairs->asked);
    base_text_free(&pairs->label);
    t5_batch_free(&pairs->kept);
    base_free(pairs);
}

void source_pairs_teach(source_pairs *pairs, const source_lesson *lesson)
{
    pairs->lesson = lesson ? lesson : &nothing;
}

static void print(source_pairs *pairs, const mutation_form *form, base_text *text)
{
    base_text_clear(text);
    base_text_add(text, "", 0);
    pairs->mutator.kind->print(&pairs->mutator, form, text);
}

/* Appends a pair of texts as tokens. */
static bool tokenize(source_pairs *pairs, const char *source, size_t source_length,
                     const char *label, size_t label_length, uint64_t index, t5_batch *batch,
                     base_error *error)
{
    int sources =
        t5_tokenize(pairs->tokenizer, source, source_length, pairs->source, T5_MOST_SOURCE);
    int labels = t5_tokenize(pairs->tokenizer, label, label_length, pairs->refined, T5_MOST_SOURCE);
    return (sources <= T5_MOST_SOURCE && labels <= T5_MOST_SOURCE &&
            t5_batch_add(batch, pairs->source, sources, pairs->refined, labels)) ||
           base_fail(error, "pair %llu: no memory", (unsigned long long)index);
}

/* Where the indexes of a dataset lie in a file, from which one on. */
static const struct {
    uint64_t start;
    source_part part;
} ranges[] = {{SOURCE_FRESH, SOURCE_TRAINING},
              {SOURCE_DECIDING_FRESH, SOURCE_HELD},
              {SOURCE_DECIDING, SOURCE_VALIDATION},
              {SOURCE_HELD_OUT, SOURCE_HELD},
              {0, SOURCE_TRAINING}};

/* A pair of a file's part by its place in the dataset's numbering: an index past the part's end begins it
 * again. */
static bool make_text(source_pairs *pairs, uint64_t index, t5_batch *batch, base_error *error)
{
    int i = 0;
    while (index < ranges[i].start)
        i++;
    const source_text_pair *pair =
        source_texts_pair(pairs->texts, ranges[i].part, index - ranges[i].start);
    return tokenize(pairs, pair->source, strlen(pair->source), pair->target, strlen(pair->target),
                    index, batch, error);
}

/* A sequence of the corpus and what is missing in it. */
static bool make_gaps(source_pairs *pairs, uint64_t index, t5_batch *batch, base_error *error)
{
    base_random random = {pairs->seed, base_random_stream("corpus", index, 0, 0), 0};
    int count =
        source_corpus_draw(pairs->corpus, pairs->tokenizer, &random, pairs->most, pairs->drawn);
    if (count < INT_MAX) {
        source_corrupted n = source_corrupt(&random, pairs->drawn, count, pairs->sentinel,
                                            pairs->source, pairs->refined);
        if (t5_batch_add(batch, pairs->source, n.sources, pairs->refined, n.labels))
            return true;
    }
    return base_fail(error, "sequence %llu: no memory", (unsigned long long)index);
}

/* Whether a pair to train on is a winner, whose texts are then there. */
static bool put_winner(source_pairs *pairs, uint64_t index)
{
    const source_lesson *lesson = pairs->lesson;
    base_random random = {pairs->seed, base_random_stream("winner", index, 0, 0), 0};
    if (lesson->winner_count == 0 || index >= SOURCE_HELD_OUT || base_random_below(&random, 2) == 0)
        return false;
    uint32_t i = base_random_below(&random, (uint32_t)lesson->winner_count);
    base_text_clear(&pairs->text);
    base_text_clear(&pairs->refined_text);
    base_text_print(&pairs->text, "%s", lesson->winner[i].source);
    base_text_print(&pairs->refined_text, "%s", lesson->winner[i].refined);
    return true;
}

/* The printed texts in the run's form, asked with the word that their edit draws, or to be judged by it. */
static bool ask(source_pairs *pairs, uint64_t index, const mutation_drawn *drawn, base_error *error)
{
    const source_lesson *lesson = pairs->lesson;
    const base_text *source = &pairs->text, *refined = &pairs->refined_text;
    bool is_better = true;
    if (lesson->has_words && index < SOURCE_HELD_OUT) {
        base_random random = {pairs->seed, base_random_stream("word", index, 0, 0), 0};
        int changed, outcome = mutation_mutator_outcome(&pairs->mutator, &drawn->source,
                                                        &drawn->refined, &changed);
        is_better = base_random_uniform(&random) < lesson->weight[outcome];
        if (base_random_below(&random, 4) == 0) {
            base_text_print(&pairs->label, "%s", source_words[is_better]);
            return source_ask_judgement(pairs->form, source, refined, &pairs->asked, error);
        }
    }
    if (lesson->has_words)
        base_text_print(&pairs->asked, "%s", source_words[is_better]);
    return source_form_ask(pairs->form, source->data, source->length, &pairs->asked, error) &&
           source_form_label(pairs->form, source, refined, &pairs->label, error);
}

/* Draws, prints, brings into the run's form and tokenizes. */
static bool make_pair(source_pairs *pairs, uint64_t index, t5_batch *batch, mutation_drawn *pair,
                      base_error *error)
{
    base_text *source = &pairs->text, *refined = &pairs->refined_text;
    mutation_drawn drawn;
    if (pair || !put_winner(pairs, index)) {
        const source_lesson *lesson = pairs->lesson;
        const bool by_word = lesson->has_words && index < SOURCE_HELD_OUT;
        pairs->mutator.weight = lesson->is_weighted && !by_word ? lesson->weight : NULL;
        drawn = mutation_mutator_pair(&pairs->mutator, pairs->seed, index);
        print(pairs, &drawn.source, source);
        print(pairs, &drawn.refined, refined);
        if (pair)
            *pair = drawn;
    }
    base_text_clear(&pairs->asked);
    base_text_clear(&pairs->label);
    if (!source->failed && !refined->failed && !ask(pairs, index, &drawn, error))
        return false;
    const base_text *asked = &pairs->asked, *label = &pairs->label;
    if (source->failed || refined->failed || asked->failed || label->failed)
        return base_fail(error, "pair %llu: no memory", (unsigned long long)index);
    return tokenize(pairs, asked->data, asked->length, label->data, label->length, index, batch,
                    error);
}

static bool make(source_pairs *pairs, uint64_t index, t5_batch *batch, mutation_drawn *pair,
                 base_error *error)
{
    return pairs->corpus  ? make_gaps(pairs, index, batch, error)
           : pairs->texts ? make_text(pairs, index, batch, error)
                          : make_pair(pairs, index, batch, pair, error);
}

/* Kept pairs are made in the order of their indexes, whichever is asked for first. Whoever wants to know
 * what was drawn gets it drawn again: only tokens are kept. */
bool source_pairs_add(source_pairs *pairs, uint64_t index, t5_batch *batch, mutation_drawn *pair,
                      base_error *error)
{
    uint64_t offset = index - pairs->first;
    if (index < pairs->first || offset >= pairs->keeps || pair)
        return make(pairs, index, batch, pair, error);
    t5_batch *kept = &pairs->kept;
    while ((uint64_t)kept->count <= offset)
        if (!make(pairs, pairs->first + (uint64_t)kept->count, kept, NULL, error))
            return false;
    const tensor_span *source = &kept->source[offset], *target = &kept->target[offset];
    return t5_batch_add(batch, kept->source_ids + source->start, source->rows,
                        kept->target_ids + target->start, target->rows) ||
           base_fail(error, "pair %llu: no memory", (unsigned long long)index);
}

void source_add_losses(const t5_batch *batch, int pair, const float *row_loss, double *sum)
{
    const tensor_span *target = &batch->target[pair];
    for (int i = 0; i < target->rows; i++)
        *sum += (double)row_loss[target->start + i];
}

source_plan source_plan_of_score(const evolve_settings *settings)
{
    return (source_plan){.first = (uint64_t)settings->first_pair,
                         .count = settings->few_shot,
                         .epochs = 1,
                         .seed = (uint64_t)settings->seed};
}

source_plan source_plan_of_texts(const source_texts *texts, const evolve_settings *settings,
                                 uint64_t seed)
{
    return (source_plan){.count = source_texts_count(texts, SOURCE_TRAINING),
                         .epochs = settings->final_epochs,
                         .seed = seed,
                         .watched = source_texts_count(texts, SOURCE_VALIDATION)};
}

evolve_settings source_settings_of_texts(const source_texts *texts, const evolve_settings *settings)
{
    evolve_settings own = *settings;
    own.form = EVOLVE_PROGRAM;
    own.score = EVOLVE_BY_HELD_OUT;
    own.first_pair = (int64_t)SOURCE_FRESH;
    own.few_shot = source_texts_count(texts, SOURCE_HELD);
    own.epochs = settings->final_epochs;
    return own;
}

source_plan source_plan_of_pairs(const source_pairs *pairs, const evolve_settings *settings)
{
    return pairs->texts && settings->part == EVOLVE_FINAL
               ? source_plan_of_texts(pairs->texts, settings, (uint64_t)settings->seed)
               : source_plan_of_score(settings);
}
