/* SPDX-License-Identifier: MIT */
/* exercise_05.c -- chapter 5: how many numbers a T5 has. Fails until count() is written. */
#include "t5/config.h"
#include "tests/test.h"

#include <inttypes.h>

/* Of c: vocab_size, d_model, d_kv, d_ff, num_heads, num_layers, num_decoder_layers, relative_attention_num_buckets;
 * feed_forward_proj T5_GATED_GELU has two matrices up; tie_word_embeddings false: the head is a table of its own. */
static int64_t count(const t5_config *c)
{
    (void)c;
    return 0; /* yours */
}

int main(void)
{
    for (int i = 0; i < 64; i++) {
        t5_config c = t5_config_small();
        c.vocab_size = 300 + i;
        c.d_model = 16 << i % 3;
        c.num_heads = 1 + i % 5;
        c.d_kv = 4 + i % 7;
        c.d_ff = 100 + 3 * i;
        c.num_layers = 1 + i % 4;
        c.num_decoder_layers = 1 + i / 16;
        c.relative_attention_num_buckets = 8 + 2 * (i % 6);
        c.feed_forward_proj = i % 2 ? T5_GATED_GELU : T5_RELU;
        c.tie_word_embeddings = i % 8 < 4;
        CHECK(count(&c) == t5_config_parameters(&c),
              "configuration %d: %" PRId64 ", expected %" PRId64, i, count(&c),
              t5_config_parameters(&c));
    }
    return test_end();
}
