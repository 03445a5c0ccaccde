/* SPDX-License-Identifier: MIT */
/* t5_interface_body.h -- what the header of an exported T5 has below its sizes. It is C as it stands; t5.c
 * copies it line by line and puts the user's prefix in the place of t5_ and T5_. */

/* The longest source and the longest text that is generated, in tokens. Another number may be given
 * to the compiler, the same wherever this header is included. */
#ifndef T5_MOST_SOURCE
#define T5_MOST_SOURCE 512
#endif
#ifndef T5_MOST_NEW
#define T5_MOST_NEW 256
#endif

#if T5_INT8 /* matrices are of whole numbers, with a scale for each column among the others */
typedef struct t5_parameters {
    float numbers[T5_NUMBERS];
    int8_t wholes[T5_WHOLES];
} t5_parameters;
#else
typedef float t5_parameters; /* T5_NUMBERS of them */
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* All memory that is needed, lent by the caller: overwritten by each call, nothing is kept. Keys lie
 * channel by channel, so that one query meets those of all positions side by side. */
typedef struct t5_memory {
    float encoder[T5_MOST_SOURCE * T5_WIDTH];
    float source_keys[T5_DECODER_LAYERS][T5_INNER * T5_MOST_SOURCE];
    float source_values[T5_DECODER_LAYERS][T5_MOST_SOURCE * T5_INNER];
    union {
        struct {
            float keys[T5_INNER * T5_MOST_SOURCE], values[T5_MOST_SOURCE * T5_INNER];
        } encoder; /* one layer's */
        struct {
            float keys[T5_DECODER_LAYERS][T5_INNER * T5_MOST_NEW];
            float values[T5_DECODER_LAYERS][T5_MOST_NEW * T5_INNER];
        } decoder; /* of all positions so far */
    } own;
    float score[T5_MOST_SOURCE > T5_MOST_NEW ? T5_MOST_SOURCE : T5_MOST_NEW];
    float x[T5_WIDTH], norm[T5_WIDTH], sum[T5_WIDTH];
    float query[T5_INNER], key[T5_INNER], value[T5_INNER], mixed[T5_INNER];
    float hidden[T5_HIDDEN], gate[T5_HIDDEN];
    float logits[T5_VOCABULARY], weight[T5_VOCABULARY];
    int32_t heap[T5_VOCABULARY];
} t5_memory;

/* How tokens are chosen; {most, 1, 0, 0, 0, 0, 0} is greedy search. */
typedef struct t5_how {
    int most;          /* tokens, 1 .. T5_MOST_NEW */
    int greedy;        /* the likeliest each time; then the rest does not count */
    float temperature; /* above 0; 1 is the model itself */
    int top_k;         /* only the k likeliest; 0: all */
    double top_p;      /* only the likeliest whose probabilities reach p; 1: all */
    uint64_t seed;
    int sample; /* 0 .. T5_SAMPLES - 1: version sample + 1 of phoenix generate with that seed */
} t5_how;

/* The ids of a text, the end token last. ids: room for length + 1. Returns their number. */
int t5_tokenize(const char *text, size_t length, int32_t *ids);

/* Generates from a source of 1 .. T5_MOST_SOURCE ids. ids and log_probability: room for how->most
 * new tokens, and the model's log-probability of each. Returns their number, the end token included
 * where it was reached; -1: an argument is out of its range, or the numbers are not finite. */
int t5_generate(const t5_parameters *weights, const int32_t *source, int count, const t5_how *how,
                int32_t *ids, float *log_probability, t5_memory *memory);

/* The text of the ids up to an end token: at most `room` bytes are written, no NUL. Returns the
 * bytes that it has. */
size_t t5_detokenize(const int32_t *ids, int count, char *text, size_t room);

#ifdef __cplusplus
}
#endif
