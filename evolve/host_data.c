/* host_data.c -- phoenix.h's datasets: indexes of pairs in an order.
 *
 * A pair is made when it is learnt from (refine_mutator_pair), so a dataset costs eight bytes a
 * pair, and whatever a source does to it is done to numbers. The held-out pairs have numbers that
 * no call gives out. */
#include "evolve/host_state.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory ---- */

static void dataset_free(evolve_host *h, evolve_dataset *d)
{
    if (d) {
        evolve_host_give(h, (size_t)d->capacity * sizeof *d->index + sizeof *d);
        free(d->index);
    }
    free(d);
}

/* An empty one with room. NULL: refused. */
static evolve_dataset *dataset_new(evolve_host *h, evolve_call *call, int64_t room)
{
    if (!evolve_host_work(h, call, room + 1) ||
        !evolve_host_take(h, call, (size_t)room * sizeof(uint64_t) + sizeof(evolve_dataset)))
        return NULL;
    evolve_dataset *d = calloc(1, sizeof *d);
    if (d) {
        d->capacity = room;
        d->index = malloc((size_t)(room ? room : 1) * sizeof *d->index);
    }
    if (d && d->index)
        return d;
    free(d);
    evolve_host_give(h, (size_t)room * sizeof(uint64_t) + sizeof(evolve_dataset));
    evolve_refuse_limit(call, "no memory for %" PRId64 " pairs", room);
    return NULL;
}

/* Room for `more` pairs behind those that are there. */
static bool grow(evolve_host *h, evolve_call *call, evolve_dataset *d, int64_t more)
{
    if (more > INT32_MAX - d->count)
        return evolve_refuse_limit(call, "a dataset of more than %d pairs", INT32_MAX);
    if (!evolve_host_work(h, call, more))
        return false;
    if (more <= d->capacity - d->count)
        return true;
    int64_t need = d->count + more;
    int64_t capacity = need < 2 * d->capacity ? 2 * d->capacity : need;
    size_t bytes = (size_t)(capacity - d->capacity) * sizeof *d->index;
    if (!evolve_host_take(h, call, bytes))
        return false;
    uint64_t *index = realloc(d->index, (size_t)capacity * sizeof *index);
    if (!index) {
        evolve_host_give(h, bytes);
        return evolve_refuse_limit(call, "no memory for %" PRId64 " pairs", capacity);
    }
    d->index = index;
    d->capacity = capacity;
    return true;
}

/* ---- arguments ---- */

static bool at_least(evolve_call *call, int i, int low, const char *what)
{
    int value = call->arguments[i].as.i;
    return value >= low || evolve_refuse(call, "%s is %d, expected %d or more", what, value, low);
}

static bool is_pair(evolve_call *call, const evolve_dataset *d, int i)
{
    return (i >= 0 && i < d->count) ||
           evolve_refuse(call, "pair %d of a dataset of %" PRId64, i, d->count);
}

/* Argument 0 as a dataset that is going to be changed. */
static evolve_dataset *changed(evolve_host *h, evolve_call *call)
{
    evolve_dataset *d = evolve_host_find(h, call, 0, EVOLVE_DATASET);
    if (!d || !evolve_host_work(h, call, d->count + 1))
        return NULL;
    d->next = 0;
    return d;
}

/* ---- the functions ---- */

static bool budget(evolve_host *h, evolve_call *call)
{
    int64_t left = h->plan.count * h->plan.epochs - h->taken;
    call->result->as.i = left < INT32_MAX ? (int32_t)left : INT32_MAX;
    return true;
}

/* Sums stay far below 2^64: a first pair is at most 1e13. */
static bool pairs(evolve_host *h, evolve_call *call)
{
    if (!at_least(call, 0, 0, "the first pair") || !at_least(call, 1, 0, "the number of pairs"))
        return false;
    uint64_t own = (uint64_t)h->settings->first_pair;
    uint64_t start = own + (uint64_t)call->arguments[0].as.i;
    uint64_t end = start + (uint64_t)call->arguments[1].as.i;
    bool reaches = own < EVOLVE_FRESH && end > EVOLVE_HELD_OUT;
    if (reaches)
        return evolve_refuse(call, "there are no such pairs: the dataset ends before pair %" PRIu64,
                             EVOLVE_HELD_OUT > own ? EVOLVE_HELD_OUT - own : 0);
    evolve_dataset *d = dataset_new(h, call, call->arguments[1].as.i);
    if (!d)
        return false;
    for (uint64_t i = start; i < end; i++)
        d->index[d->count++] = i;
    return evolve_host_add(h, call, EVOLVE_DATASET, d);
}

static bool size(evolve_host *h, evolve_call *call)
{
    const evolve_dataset *d = evolve_host_find(h, call, 0, EVOLVE_DATASET);
    if (d)
        call->result->as.i = (int32_t)d->count;
    return d != NULL;
}

/* The tokens of one pair; -1: refused. */
static int length_of(evolve_host *h, evolve_call *call, uint64_t index)
{
    base_error error;
    if (!h->pairs) {
        evolve_refuse(call, "there are no pairs to look at before the training");
        return -1;
    }
    t5_batch_clear(&h->data);
    if (!evolve_pairs_add(h->pairs, index, &h->data, NULL, &error)) {
        evolve_refuse_limit(call, "%.150s", error.text);
        return -1;
    }
    return h->data.source_rows + h->data.target_rows;
}

static bool tokens(evolve_host *h, evolve_call *call)
{
    const evolve_dataset *d = evolve_host_find(h, call, 0, EVOLVE_DATASET);
    int i = call->arguments[1].as.i;
    if (!d || !is_pair(call, d, i) || !evolve_host_work(h, call, 1))
        return false;
    int length = length_of(h, call, d->index[i]);
    call->result->as.i = length;
    return length >= 0;
}

/* With the stream of the default's epochs: shuffle(data, 1) is the order of its second one. */
static bool shuffle(evolve_host *h, evolve_call *call)
{
    evolve_dataset *d = changed(h, call);
    if (!d)
        return false;
    uint64_t seed = (uint64_t)(uint32_t)call->arguments[1].as.i;
    base_random r = {(uint64_t)h->settings->seed, base_random_stream("shuffle", seed, 0, 0), 0};
    for (int64_t i = d->count - 1; i > 0; i--) {
        uint32_t j = base_random_below(&r, (uint32_t)i + 1);
        uint64_t swap = d->index[i];
        d->index[i] = d->index[j];
        d->index[j] = swap;
    }
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

static bool rank(evolve_host *h, evolve_call *call, evolve_dataset *d, ranked *list)
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

static bool sort_by_length(evolve_host *h, evolve_call *call)
{
    evolve_dataset *d = changed(h, call);
    size_t bytes = d ? (size_t)d->count * sizeof(ranked) : 0;
    if (!d || !evolve_host_take(h, call, bytes))
        return false;
    ranked *list = malloc(bytes + 1);
    bool ok = list ? rank(h, call, d, list) : evolve_refuse_limit(call, "no memory to sort");
    free(list);
    evolve_host_give(h, bytes);
    return ok;
}

static bool reverse(evolve_host *h, evolve_call *call)
{
    evolve_dataset *d = changed(h, call);
    for (int64_t i = 0, j = d ? d->count - 1 : -1; i < j; i++, j--) {
        uint64_t swap = d->index[i];
        d->index[i] = d->index[j];
        d->index[j] = swap;
    }
    return d != NULL;
}

static bool repeat(evolve_host *h, evolve_call *call)
{
    evolve_dataset *d = changed(h, call);
    int64_t times = call->arguments[1].as.i;
    if (!d || !at_least(call, 1, 1, "how often") || !grow(h, call, d, d->count * (times - 1)))
        return false;
    int64_t once = d->count;
    for (int64_t i = once; i < once * times; i++)
        d->index[i] = d->index[i - once];
    d->count = once * times;
    return true;
}

static bool take(evolve_host *h, evolve_call *call)
{
    evolve_dataset *d = changed(h, call);
    int count = call->arguments[1].as.i;
    if (!d || !at_least(call, 1, 0, "the number of pairs"))
        return false;
    d->count = d->count < count ? d->count : count;
    return true;
}

static bool skip(evolve_host *h, evolve_call *call)
{
    evolve_dataset *d = changed(h, call);
    int64_t count = call->arguments[1].as.i;
    if (!d || !at_least(call, 1, 0, "the number of pairs"))
        return false;
    count = count < d->count ? count : d->count;
    d->count -= count;
    memmove(d->index, d->index + count, (size_t)d->count * sizeof *d->index);
    return true;
}

static bool append(evolve_host *h, evolve_call *call)
{
    evolve_dataset *d = changed(h, call), *more = evolve_host_find(h, call, 1, EVOLVE_DATASET);
    if (!d || !more || !grow(h, call, d, more->count))
        return false;
    int64_t count = more->count; /* of itself: only what was there */
    memcpy(d->index + d->count, more->index, (size_t)count * sizeof *d->index);
    d->count += count;
    return true;
}

static bool mix(evolve_host *h, evolve_call *call)
{
    evolve_dataset *d = changed(h, call), *more = evolve_host_find(h, call, 1, EVOLVE_DATASET);
    evolve_dataset *both = d && more ? dataset_new(h, call, d->count + more->count) : NULL;
    if (!both)
        return false;
    for (int64_t i = 0; i < d->count || i < more->count; i++) {
        if (i < d->count)
            both->index[both->count++] = d->index[i];
        if (i < more->count)
            both->index[both->count++] = more->index[i];
    }
    evolve_dataset old = *d;
    *d = *both;
    *both = old;
    dataset_free(h, both);
    return true;
}

static bool add(evolve_host *h, evolve_call *call)
{
    evolve_dataset *d = evolve_host_find(h, call, 0, EVOLVE_DATASET);
    const evolve_dataset *from = d ? evolve_host_find(h, call, 1, EVOLVE_DATASET) : NULL;
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
static bool new_batch(evolve_host *h, evolve_call *call, const evolve_dataset *d, int64_t first,
                      int64_t count)
{
    if (count > MOST_BATCH)
        return evolve_refuse(call, "a batch of %" PRId64 " pairs, expected at most %d", count,
                             MOST_BATCH);
    evolve_dataset *batch = dataset_new(h, call, count);
    if (!batch)
        return false;
    memcpy(batch->index, d->index + first, (size_t)count * sizeof *batch->index);
    batch->count = count;
    return evolve_host_add(h, call, EVOLVE_BATCH, batch);
}

static bool next(evolve_host *h, evolve_call *call)
{
    evolve_dataset *d = evolve_host_find(h, call, 0, EVOLVE_DATASET);
    int64_t count = call->arguments[1].as.i;
    if (!d || !at_least(call, 1, 1, "the batch"))
        return false;
    if (d->next >= d->count)
        return evolve_end_training(h, call, "the dataset has no more pairs");
    count = count < d->count - d->next ? count : d->count - d->next;
    int64_t first = d->next;
    if (!new_batch(h, call, d, first, count))
        return false;
    d->next = first + count;
    return true;
}

static bool slice(evolve_host *h, evolve_call *call)
{
    const evolve_dataset *d = evolve_host_find(h, call, 0, EVOLVE_DATASET);
    int first = call->arguments[1].as.i, count = call->arguments[2].as.i;
    return d && at_least(call, 2, 1, "the batch") && is_pair(call, d, first) &&
           (count <= d->count - first ||
            evolve_refuse(call, "%d pairs from pair %d of a dataset of %" PRId64, count, first,
                          d->count)) &&
           new_batch(h, call, d, first, count);
}

EVOLVE_HOST_FUNCTION(budget)
EVOLVE_HOST_FUNCTION(pairs)
EVOLVE_HOST_FUNCTION(size)
EVOLVE_HOST_FUNCTION(tokens)
EVOLVE_HOST_FUNCTION(shuffle)
EVOLVE_HOST_FUNCTION(sort_by_length)
EVOLVE_HOST_FUNCTION(reverse)
EVOLVE_HOST_FUNCTION(repeat)
EVOLVE_HOST_FUNCTION(take)
EVOLVE_HOST_FUNCTION(skip)
EVOLVE_HOST_FUNCTION(append)
EVOLVE_HOST_FUNCTION(mix)
EVOLVE_HOST_FUNCTION(add)
EVOLVE_HOST_FUNCTION(next)
EVOLVE_HOST_FUNCTION(slice)

const refine_host_function evolve_data_functions[] = {
    {"budget", call_budget},   {"pairs", call_pairs},     {"size", call_size},
    {"tokens", call_tokens},   {"shuffle", call_shuffle}, {"sort_by_length", call_sort_by_length},
    {"reverse", call_reverse}, {"repeat", call_repeat},   {"take", call_take},
    {"skip", call_skip},       {"append", call_append},   {"mix", call_mix},
    {"add", call_add},         {"next", call_next},       {"slice", call_slice},
};
const int evolve_data_function_count = sizeof evolve_data_functions / sizeof *evolve_data_functions;
