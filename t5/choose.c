/* SPDX-License-Identifier: MIT */
/* choose.c -- one token out of a row of logits: the likeliest, or one drawn.
 *
 * Temperature flattens or sharpens the distribution; top-k (Fan et al. 2018, arXiv:1805.04833) and
 * top-p (Holtzman et al. 2020, arXiv:1904.09751) cut its tail off, in that order, as Hugging Face
 * does. Each token that remains has a weight, and a uniform number u in [0, 1) chooses the first
 * token in order of ids at which the running sum of the weights exceeds u times their total: one
 * number, one token, the same on every machine, as sums are in double and in that order.
 *
 * Where not every token may follow, one is drawn as usual, and while it may not follow, its weight
 * is set to 0 and another is drawn. The result has the distribution p that was drawn from,
 * restricted to the set A of the tokens that may follow. To see it, let token i's alarm ring at a
 * time that is exponential with rate p(i), all of them independent. The first to ring is i with
 * probability p(i), and, as exponential times have no memory, the next is one of the rest with the
 * rest's probabilities, rescaled: so the alarms ring in the order in which tokens are drawn here.
 * The first alarm of A to ring is a's with probability p(a) / p(A), whatever rings before it. So
 * only a few tokens are asked about, and if none is refused, the result is that of sampling without
 * a restriction. */
#include "t5/model.h"

#include "tensor/context.h"
#include <math.h>

t5_chooser t5_chooser_new(const t5_model *model)
{
    size_t V = (size_t)model->config.vocab_size;
    return (t5_chooser){
        .kernels = tensor_context_kernels(model->ctx),
        .weight = tensor_step_memory(model->ctx, V * sizeof(float)),
        .heap = tensor_step_memory(model->ctx, V * sizeof(int)),
    };
}

/* log softmax(x)_i = x_i - m - log sum_j exp(x_j - m), m being the largest: no overflow. A NaN
 * among the logits makes m or the sum a NaN, and +infinity makes m infinite: neither is finite
 * then. */
bool t5_scores_of(t5_scores *scores, const t5_chooser *chooser, const float *logits, int count,
                  int position, base_error *error)
{
    size_t V = (size_t)count;
    float largest = chooser->kernels->max(logits, V);
    float sum =
        isfinite(largest) ? chooser->kernels->exp_sum(chooser->weight, logits, largest, V) : NAN;
    if (!isfinite(sum))
        return base_fail(error, "the model's logits for new token %d are not finite", position);
    *scores = (t5_scores){logits, count, largest, chooser->kernels->ln(sum)};
    return true;
}

float t5_log_probability(const t5_scores *scores, int token)
{
    return scores->logits[token] - scores->largest - scores->log_sum;
}

/* ---- A heap of tokens, the likeliest on top (Williams 1964, CACM 7(6)) ---- */

/* Of equal weights, the smaller id first: no order is left to chance. */
static bool before(const float *weight, int a, int b)
{
    return weight[a] > weight[b] || (a < b && weight[a] == weight[b]);
}

static void sift_down(const float *weight, int *heap, int size, int place)
{
    int token = heap[place];
    for (int child; (child = 2 * place + 1) < size; place = child) {
        if (child + 1 < size && before(weight, heap[child + 1], heap[child]))
            child++;
        if (!before(weight, heap[child], token))
            break;
        heap[place] = heap[child];
    }
    heap[place] = token;
}

static void make_heap(const float *weight, int *heap, int count)
{
    for (int i = 0; i < count; i++)
        heap[i] = i;
    for (int i = count / 2 - 1; i >= 0; i--)
        sift_down(weight, heap, count, i);
}

/* Takes the top off a heap of `size`: it goes to the heap's last place, which is no longer part of
 * it. */
static int pop(const float *weight, int *heap, int size)
{
    int token = heap[0];
    heap[0] = heap[size - 1];
    sift_down(weight, heap, size - 1, 0);
    heap[size - 1] = token;
    return token;
}

/* Sets all weights to 0 but those of the k likeliest tokens, and among these of all but the fewest
 * likeliest whose sum reaches the share p of the k's. Popped tokens stand at the end of the heap,
 * the likeliest last. The heap gives the tokens in order, one at a time: those in the tail are
 * never sorted. */
static void cut_tail(float *weight, int *heap, int count, int k, double p)
{
    int popped = 0, kept = 0;
    double total = 0, sum = 0;
    if (k == 0 || k > count)
        k = count;
    make_heap(weight, heap, count);
    if (k == count)
        for (int i = 0; i < count; i++)
            total += (double)weight[i];
    else
        for (; popped < k; popped++)
            total += (double)weight[pop(weight, heap, count - popped)];

    while (kept < k && (p == 1 || kept == 0 || sum < p * total)) {
        if (kept == popped)
            pop(weight, heap, count - popped++);
        sum += (double)weight[heap[count - 1 - kept++]];
    }
    for (int i = 0; i < count - kept; i++)
        weight[heap[i]] = 0;
}

/* ---- Choosing ---- */

static int likeliest(const t5_scores *scores)
{
    int best = 0;
    for (int i = 1; i < scores->count; i++)
        if (scores->logits[i] > scores->logits[best])
            best = i;
    return best;
}

/* The token that `uniform` chooses; -1: no token has any weight. */
static int draw(const float *weight, int count, double uniform)
{
    double total = 0, sum = 0;
    int last = -1;
    for (int i = 0; i < count; i++)
        total += (double)weight[i];
    for (int i = 0; i < count; i++) {
        sum += (double)weight[i];
        if (sum > uniform * total)
            return i;
        if (weight[i] > 0)
            last = i;
    }
    return last; /* uniform * total was rounded up to total */
}

int t5_choose(const t5_scores *scores, const t5_sampling *sampling, double uniform,
              const t5_chooser *chooser)
{
    float *weight = chooser->weight, temperature = (float)sampling->temperature;
    int V = scores->count;
    if (sampling->greedy)
        return likeliest(scores);
    for (int i = 0; i < V; i++)
        weight[i] = (scores->logits[i] - scores->largest) / temperature;
    chooser->kernels->exp_sum(weight, weight, 0, (size_t)V);
    if (sampling->top_k != 0 || sampling->top_p < 1)
        cut_tail(weight, chooser->heap, V, sampling->top_k, sampling->top_p);
    return draw(weight, V, uniform);
}

int t5_choose_another(const t5_scores *scores, int token, double uniform, const t5_chooser *chooser)
{
    chooser->weight[token] = 0;
    return draw(chooser->weight, scores->count, uniform);
}
