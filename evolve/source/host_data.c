/* SPDX-License-Identifier: MIT */
/* host_data.c -- phoenix.h's datasets: indexes of pairs in an order.
 *
 * A pair is made when it is learnt from (mutator.h, pair), so a dataset costs eight bytes a
 * pair, and whatever a source does to it is done to numbers. The held-out pairs have numbers that
 * no call gives out. */
#include "evolve/source/host_state.h"
#include "base/memory.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory ---- */

static void dataset_free(source_host *h, source_dataset *d)
{
    if (d) {
        source_host_give(h, (size_t)d->capacity * sizeof *d->index + sizeof *d);
        base_free(d->index);
    }
    base_free(d);
}

/* An empty one with room. NULL: refused. */
static source_dataset *dataset_new(source_host *h, source_call *call, int64_t room)
{
    if (!source_host_work(h, call, room + 1) ||
        !source_host_take(h, call, (size_t)room * sizeof(uint64_t) + sizeof(source_dataset)))
        return NULL;
    source_dataset *d = base_calloc(1, sizeof *d);
    if (d) {
        d->capacity = room;
        d->index = base_malloc((size_t)(room ? room : 1) * sizeof *d->index);
    }
    if (d && d->index)
        return d;
    base_free(d);
    source_host_give(h, (size_t)room * sizeof(uint64_t) + sizeof(source_dataset));
    source_refuse_limit(call, "no memory for %" PRId64 " pairs", room);
    return NULL;
}

/* Room for `more` pairs behind those that are there. */
static bool grow(source_host *h, source_call *call, source_dataset *d, int64_t more)
{
    if (more > INT32_MAX - d->count)
        return source_refuse_limit(call, "a dataset of more than %d pairs", INT32_MAX);
    if (!source_host_work(h, call, more))
        return false;
    if (more <= d->capacity - d->count)
        return true;
    int64_t need = d->count + more;
    int64_t capacity = need < 2 * d->capacity ? 2 * d->capacity : need;
    size_t bytes = (size_t)(capacity - d->capacity) * sizeof *d->index;
    if (!source_host_take(h, call, bytes))
        return false;
    uint64_t *index = base_realloc(d->index, (size_t)capacity * sizeof *index);
    if (!index) {
        source_host_give(h, bytes);
        return source_refuse_limit(call, "no memory for %" PRId64 " pairs", capacity);
    }
    d->index = index;
    d->capacity = capacity;
    return true;
}

/* ---- arguments ---- */

static bool at_least(source_call *call, int i, int low, const char *what)
{
    int value = call->arguments[i].as.i;
    return value >= low || source_refuse(call, "%s is %d, expected %d or more", what, value, low);
}

static bool is_pair(source_call *call, const source_dataset *d, int i)
{
    return (i >= 0 && i < d->count) ||
           source_refuse(call, "pair %d of a dataset of %" PRId64, i, d->count);
}

/* Argument 0 as a dataset that is going to be changed. */
static source_dataset *changed(source_host *h, source_call *call)
{
    source_dataset *d = source_host_find(h, call, 0, SOURCE_DATASET);
    if (!d || !source_host_work(h, call, d->count + 1))
        return NULL;
    d->next = 0;
    return d;
}

/* ---- the functions ---- */

static bool budget(source_host *h, source_call *call)
{
    int64_t left = source_host_budget(h) - h->taken;
    call->result->as.i = left < INT32_MAX ? (int32_t)left : INT32_MAX;
    return true;
}

static bool epochs(source_host *h, source_call *call)
{
    call->result->as.i = (int32_t)h->plan.epochs;
    return true;
}

/* Sums stay far below 2^64: a first pair is at most 1e13. */
static bool pairs(source_host *h, source_call *call)
{
    if (!at_least(call, 0, 0, "the first pair") || !at_least(call, 1, 0, "the number of pairs"))
        return false;
    uint64_t own = h->plan.first;
    uint64_t start = own + (uint64_t)call->arguments[0].as.i;
    uint64_t end = start + (uint64_t)call->arguments[1].as.i;
    bool reaches = own < SOURCE_FRESH && end > SOURCE_HELD_OUT;
    if (reaches)
        return source_refuse(call, "there are no such pairs: the dataset ends before pair %" PRIu64,
                             SOURCE_HELD_OUT > own ? SOURCE_HELD_OUT - own : 0);
    source_dataset *d = dataset_new(h, call, call->arguments[1].as.i);
    if (!d)
        return false;
    for (uint64_t i = start; i < end; i++)
        d->index[d->count++] = i;
    return source_host_add(h, call, SOURCE_DATASET, d);
}

static bool size(source_host *h, source_call *call)
{
    const source_dataset *d = source_host_find(h, call, 0, SOURCE_DATASET);
    if (d)
        call->result->as.i = (int32_t)d->count;
    return d != NULL;
}

/* The tokens of one pair; -1: refused. */
static int length_of(source_host *h, source_call *call, uint64_t index)
{
    base_error error;
    if (!h->pairs) {
        source_refuse(call, "there are no pairs to look at before the training");
        return -1;
    }
    t5_batch_clear(&h->data);
    if (!source_pairs_add(h->pairs, index, &h->data, NULL, &error)) {
        source_refuse_limit(call, "%.150s", error.text);
        return -1;
    }
    return h->data.source_rows + h->data.target_rows;
}

/* Making a pair to count its tokens is a unit of work, as moving one is. */
static bool tokens(source_host *h, source_call *call)
{
    const source_dataset *d = source_host_find(h, call, 0, SOURCE_DATASET);
    int i = call->arguments[1].as.i;
    if (!d || !is_pair(call, d, i) || !source_host_work(h, call, 1))
        return false;
    int length = length_of(h, call, d->index[i]);
    call->result->as.i = length;
    return length >= 0;
}

static bool shuffle(source_host *h, source_call *call)
{
    source_dataset *d = changed(h, call);
    if (!d)
        return false;
    uint64_t seed = (uint64_t)(uint32_t)call->arguments[1].as.i;
    base_random random = {h->plan.seed, base_random_stream("shuffle", seed, 0, 0), 0};
    base_random_shuffle(&random, d->index, (size_t)d->count, sizeof *d->index);
    return true;
}

typedef struct ranked {
    int length;
    int64_t place;
    uint64_t index;
} ranked;

static int by_length(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->length != y->length)
        return x->length < y->length ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

/* By the number of tokens; ties stay in order, so that qsort gives the same everywhere. */
static bool rank(source_host *h, source_call *call, source_dataset *d, ranked *list)
{
    for (int64_t i = 0; i < d->count; i++) {
        list[i] = (ranked){length_of(h, call, d->index[i]), i, d->index[i]};
        if (list[i].length < 0)
            return false;
    }
    qsort(list, (size_t)d->count, sizeof *list, by_length);
    for (int64_t i = 0; i < d->count; i++)
        d->index[i] = list[i].index;
    return true;
}

static bool sort_by_length(source_host *h, source_call *call)
{
    source_dataset *d = changed(h, call);
    size_t bytes = d ? (size_t)d->count * sizeof(ranked) : 0;
    if (!d || !source_host_take(h, call, bytes))
        return false;
    ranked *list = base_malloc(bytes + 1);
    bool ok = list ? rank(h, call, d, list) : source_refuse_limit(call, "no memory to sort");
    base_free(list);
    source_host_give(h, bytes);
    return ok;
}

static bool reverse(source_host *h, source_call *call)
{
    source_dataset *d = changed(h, call);
    for (int64_t i = 0, j = d ? d->count - 1 : -1; i < j; i++, j--) {
        uint64_t swap = d->index[i];
        d->index[i] = d->index[j];
        d->index[j] = swap;
    }
    return d != NULL;
}

static bool repeat(source_host *h, source_call *call)
{
    source_dataset *d = changed(h, call);
    int64_t times = call->arguments[1].as.i;
    if (!d || !at_least(call, 1, 1, "how often") || !grow(h, call, d, d->count * (times - 1)))
        return false;
    int64_t once = d->count;
    for (int64_t i = once; i < once * times; i++)
        d->index[i] = d->index[i - once];
    d->count = once * times;
    return true;
}

static bool take(source_host *h, source_call *call)
{
    source_dataset *d = changed(h, call);
    int count = call->arguments[1].as.i;
    if (!d || !at_least(call, 1, 0, "the number of pairs"))
        return false;
    d->count = d->count < count ? d->count : count;
    return true;
}

static bool skip(source_host *h, source_call *call)
{
    source_dataset *d = changed(h, call);
    int64_t count = call->arguments[1].as.i;
    if (!d || !at_least(call, 1, 0, "the number of pairs"))
        return false;
    count = count < d->count ? count : d->count;
    d->count -= count;
    memmove(d->index, d->index + count, (size_t)d->count * sizeof *d->index);
    return true;
}

/* What is behind stays where it is: only what is appended is work. */
static bool append(source_host *h, source_call *call)
{
    source_dataset *d = source_host_find(h, call, 0, SOURCE_DATASET);
    source_dataset *more = d ? source_host_find(h, call, 1, SOURCE_DATASET) : NULL;
    if (!more || !source_host_work(h, call, 1) || !grow(h, call, d, more->count))
        return false;
    d->next = 0;
    int64_t count = more->count; /* of itself: only what was there */
    memcpy(d->index + d->count, more->index, (size_t)count * sizeof *d->index);
    d->count += count;
    return true;
}

static bool mix(source_host *h, source_call *call)
{
    source_dataset *d = changed(h, call), *more = source_host_find(h, call, 1, SOURCE_DATASET);
    source_dataset *both = d && more ? dataset_new(h, call, d->count + more->count) : NULL;
    if (!both)
        return false;
    for (int64_t i = 0; i < d->count || i < more->count; i++) {
        if (i < d->count)
            both->index[both->count++] = d->index[i];
        if (i < more->count)
            both->index[both->count++] = more->index[i];
    }
    source_dataset old = *d;
    *d = *both;
    *both = old;
    dataset_free(h, both);
    return true;
}

/* As append() of one pair; the dataset may be its own. */
static bool add(source_host *h, source_call *call)
{
    source_dataset *d = source_host_find(h, call, 0, SOURCE_DATASET);
    const source_dataset *from = d ? source_host_find(h, call, 1, SOURCE_DATASET) : NULL;
    int i = call->arguments[2].as.i;
    if (!from || !is_pair(call, from, i))
        return false;
    uint64_t index = from->index[i]; /* growing may move it */
    if (!grow(h, call, d, 1))
        return false;
    d->next = 0;
    d->index[d->count++] = index;
    return true;
}

enum { MOST_BATCH = 65536 };

/* Pairs first .. first + count - 1 of a dataset as a batch. */
static bool new_batch(source_host *h, source_call *call, const source_dataset *d, int64_t first,
                      int64_t count)
{
    if (count > MOST_BATCH)
        return source_refuse(call, "a batch of %" PRId64 " pairs, expected at most %d", count,
                             MOST_BATCH);
    source_dataset *batch = dataset_new(h, call, count);
    if (!batch)
        return false;
    memcpy(batch->index, d->index + first, (size_t)count * sizeof *batch->index);
    batch->count = count;
    return source_host_add(h, call, SOURCE_BATCH, batch);
}

/* The end of the dataset ends the training: a loop that asks for more is no error. */
static bool next(source_host *h, source_call *call)
{
    source_dataset *d = source_host_find(h, call, 0, SOURCE_DATASET);
    int64_t count = call->arguments[1].as.i;
    if (!d || !at_least(call, 1, 1, "the batch"))
        return false;
    if (d->next >= d->count)
        return source_end_training(h, call, "the dataset has no more pairs");
    count = count < d->count - d->next ? count : d->count - d->next;
    int64_t first = d->next;
    if (!new_batch(h, call, d, first, count))
        return false;
    d->next = first + count;
    return true;
}

static bool slice(source_host *h, source_call *call)
{
    const source_dataset *d = source_host_find(h, call, 0, SOURCE_DATASET);
    int first = call->arguments[1].as.i, count = call->arguments[2].as.i;
    return d && at_least(call, 2, 1, "the batch") && is_pair(call, d, first) &&
           (count <= d->count - first ||
            source_refuse(call, "%d pairs from pair %d of a dataset of %" PRId64, count, first,
                          d->count)) &&
           new_batch(h, call, d, first, count);
}

SOURCE_HOST_FUNCTION(budget)
SOURCE_HOST_FUNCTION(epochs)
SOURCE_HOST_FUNCTION(pairs)
SOURCE_HOST_FUNCTION(size)
SOURCE_HOST_FUNCTION(tokens)
SOURCE_HOST_FUNCTION(shuffle)
SOURCE_HOST_FUNCTION(sort_by_length)
SOURCE_HOST_FUNCTION(reverse)
SOURCE_HOST_FUNCTION(repeat)
SOURCE_HOST_FUNCTION(take)
SOURCE_HOST_FUNCTION(skip)
SOURCE_HOST_FUNCTION(append)
SOURCE_HOST_FUNCTION(mix)
SOURCE_HOST_FUNCTION(add)
SOURCE_HOST_FUNCTION(next)
SOURCE_HOST_FUNCTION(slice)

const language_host_function source_data_functions[] = {
    {"budget", call_budget},
    {"epochs", call_epochs},
    {"pairs", call_pairs},
    {"size", call_size},
    {"tokens", call_tokens},
    {"shuffle", call_shuffle},
    {"sort_by_length", call_sort_by_length},
    {"reverse", call_reverse},
    {"repeat", call_repeat},
    {"take", call_take},
    {"skip", call_skip},
    {"append", call_append},
    {"mix", call_mix},
    {"add", call_add},
    {"next", call_next},
    {"slice", call_slice},
};
const int source_data_function_count = sizeof source_data_functions / sizeof *source_data_functions;
