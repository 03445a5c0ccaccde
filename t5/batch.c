/* SPDX-License-Identifier: MIT */
/* batch.c -- pairs of sequences, laid one after another in two lists of ids.
 *
 *     source_ids   7 8 9 1 | 5 1 | 6 6 4 1        source[1] = {.start = 4, .rows = 2}
 *     target_ids   7 9 1 | 5 5 1 | 4 1            target[1] = {.start = 3, .rows = 3}
 *
 * There is no padding: a span tells where a sequence is. The lists keep their memory when the batch
 * is cleared, so that filling it step after step soon takes no more. */
#include "t5/t5.h"
#include "base/memory.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Makes room for `more` elements after the `used` ones of a list. False: no memory, or more than an
 * int counts; the list is as it was. Capacities double, so that n additions copy fewer than 2n
 * elements. */
static bool reserve(void **list, size_t element, int used, int more, int *capacity)
{
    if (more > INT_MAX - used)
        return false;
    if (used + more <= *capacity)
        return true;
    int wanted = *capacity > INT_MAX / 2 ? INT_MAX : *capacity * 2;
    if (wanted < used + more)
        wanted = used + more;
    if ((size_t)wanted > SIZE_MAX / element)
        return false;
    void *larger = base_realloc(*list, (size_t)wanted * element);
    if (!larger)
        return false;
    *list = larger;
    *capacity = wanted;
    return true;
}

static bool reserve_ids(int **ids, int rows, int count, int *capacity)
{
    void *list = *ids;
    bool good = reserve(&list, sizeof **ids, rows, count, capacity);
    *ids = list;
    return good;
}

/* Both lists of spans have one capacity, which is noted only when both have grown. */
static bool reserve_spans(t5_batch *batch)
{
    int capacity = batch->capacity;
    void *list = batch->source;
    bool good = reserve(&list, sizeof *batch->source, batch->count, 1, &capacity);
    batch->source = list;
    if (!good)
        return false;
    capacity = batch->capacity;
    list = batch->target;
    good = reserve(&list, sizeof *batch->target, batch->count, 1, &capacity);
    batch->target = list;
    if (good)
        batch->capacity = capacity;
    return good;
}

bool t5_batch_add(t5_batch *batch, const int *source_ids, int source_count, const int *target_ids,
                  int target_count)
{
    assert(source_count >= 1 && target_count >= 1);
    if (!reserve_spans(batch) ||
        !reserve_ids(&batch->source_ids, batch->source_rows, source_count,
                     &batch->source_capacity) ||
        !reserve_ids(&batch->target_ids, batch->target_rows, target_count, &batch->target_capacity))
        return false;
    batch->source[batch->count] =
        (tensor_span){.start = batch->source_rows, .rows = source_count, .valid = source_count};
    batch->target[batch->count] =
        (tensor_span){.start = batch->target_rows, .rows = target_count, .valid = target_count};
    memcpy(batch->source_ids + batch->source_rows, source_ids,
           (size_t)source_count * sizeof *source_ids);
    memcpy(batch->target_ids + batch->target_rows, target_ids,
           (size_t)target_count * sizeof *target_ids);
    batch->source_rows += source_count;
    batch->target_rows += target_count;
    batch->count++;
    return true;
}

void t5_batch_clear(t5_batch *batch) { batch->count = batch->source_rows = batch->target_rows = 0; }

void t5_batch_free(t5_batch *batch)
{
    base_free(batch->source);
    base_free(batch->target);
    base_free(batch->source_ids);
    base_free(batch->target_ids);
    *batch = (t5_batch){0};
}

/* With the labels 7 9 1 the decoder reads 0 7 9: at each position, the label is the next token. */
void t5_decoder_input(const t5_batch *batch, int *ids)
{
    for (int b = 0; b < batch->count; b++) {
        const tensor_span *span = &batch->target[b];
        const int *label = batch->target_ids + span->start;
        ids[span->start] = T5_PAD;
        for (int i = 1; i < span->rows; i++)
            ids[span->start + i] = label[i - 1] == -100 ? T5_PAD : label[i - 1];
    }
}
