/* SPDX-License-Identifier: MIT */
/* test_batch.c -- sequences laid one after another, and what the decoder reads. */
#include "tests/t5/test_t5.h"

static void sequences_stand_behind_each_other(void)
{
    t5_batch batch = {0};
    for (int round = 0; round < 2; round++) {
        for (int b = 0; b < 50; b++) {
            int source[100], target[100], rows = 1 + b, labels = 100 - b;
            for (int i = 0; i < 100; i++) {
                source[i] = 1000 * b + i;
                target[i] = 1000 * b + 500 + i;
            }
            CHECK(t5_batch_add(&batch, source, rows, target, labels), "no memory");
        }
        CHECK(batch.count == 50 && batch.source_rows == 1275 && batch.target_rows == 3775,
              "%d sequences, %d and %d rows", batch.count, batch.source_rows, batch.target_rows);
        int source_start = 0, target_start = 0;
        for (int b = 0; b < 50; b++) {
            const tensor_span *s = &batch.source[b], *t = &batch.target[b];
            CHECK(s->start == source_start && s->rows == 1 + b && s->valid == s->rows &&
                      s->position == 0,
                  "source %d: %d %d %d", b, s->start, s->rows, s->valid);
            CHECK(t->start == target_start && t->rows == 100 - b && t->valid == t->rows &&
                      t->position == 0,
                  "target %d: %d %d %d", b, t->start, t->rows, t->valid);
            CHECK(batch.source_ids[s->start + b] == 1000 * b + b, "source %d", b);
            CHECK(batch.target_ids[t->start] == 1000 * b + 500, "target %d", b);
            source_start += s->rows;
            target_start += t->rows;
        }
        int *memory = batch.source_ids;
        t5_batch_clear(&batch);
        CHECK(batch.count == 0 && batch.source_ids == memory, "clearing gave the memory away");
    }
    t5_batch_free(&batch);
    CHECK(!batch.source && !batch.target_ids && batch.capacity == 0, "something is left");
}

static void labels_are_shifted_right(void)
{
    t5_batch batch = {0};
    const int source[] = {5}, first[] = {7, 8, -100, 9}, second[] = {4}, third[] = {-100, 6};
    CHECK(t5_batch_add(&batch, source, 1, first, 4), "no memory");
    CHECK(t5_batch_add(&batch, source, 1, second, 1), "no memory");
    CHECK(t5_batch_add(&batch, source, 1, third, 2), "no memory");
    const int want[] = {T5_PAD, 7, 8, T5_PAD, T5_PAD, T5_PAD, T5_PAD};
    int ids[7];
    t5_decoder_input(&batch, ids);
    for (int i = 0; i < 7; i++)
        CHECK(ids[i] == want[i], "id %d is %d, want %d", i, ids[i], want[i]);
    t5_batch_free(&batch);
}

int main(void)
{
    sequences_stand_behind_each_other();
    labels_are_shifted_right();
    return test_end();
}
