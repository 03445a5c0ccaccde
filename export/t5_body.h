/* SPDX-License-Identifier: MIT */
/* t5_body.h -- the program of an exported T5, below its tables. It is C as it stands; t5.c copies it line
 * by line and puts the user's prefix in the place of t5_ and T5_. */

/* The letters of the code below:
 *
 *   D, I, F, V   numbers of a token's state, of its heads together, of a hidden layer; tokens
 *   H, K         heads, and numbers of each: I = H K
 *   S, T         positions of the source, of what is generated
 *
 * A matrix that maps D numbers to I lies as (D,I): the inner loop of a product goes over results
 * that do not depend on each other. A sum of products is a chain in the order of its terms. */
enum {
    D = T5_WIDTH,
    I = T5_INNER,
    F = T5_HIDDEN,
    V = T5_VOCABULARY,
    H = T5_HEADS,
    K = T5_INNER / T5_HEADS,
    S = T5_MOST_SOURCE,
    T = T5_MOST_NEW,
    LANES = 16
};

/* ---- weights ---- */

/* A matrix (in,out): floats; or whole numbers, each of which is worth the scale of its column. */
typedef struct matrix {
    int in, out;
#if T5_INT8
    const int8_t *at;
    const float *scale; /* (out) */
#else
    const float *at;
#endif
} matrix;

/* The weights one after another, in the order in which these functions take them: numbers on the one hand,
 * matrices of whole numbers, where there are some, on the other. */
typedef struct cursor {
    const float *numbers;
#if T5_INT8
    const int8_t *wholes;
#endif
} cursor;

static const float *take_vector(cursor *c, int count)
{
    const float *vector = c->numbers;
    c->numbers += count;
    return vector;
}

static matrix take_matrix(cursor *c, int in, int out)
{
    matrix m;
    m.in = in;
    m.out = out;
#if T5_INT8
    m.scale = take_vector(c, out);
    m.at = c->wholes;
    c->wholes += (size_t)in * (size_t)out;
#else
    m.at = c->numbers;
    c->numbers += (size_t)in * (size_t)out;
#endif
    return m;
}

typedef struct attention {
    const float *norm; /* (D) */
    matrix q, k, v, o; /* (D,I) three times, (I,D) */
} attention;

typedef struct feed_forward {
    const float *norm;    /* (D) */
    matrix in, gate, out; /* (D,F), (D,F) if T5_GATED, (F,D) */
} feed_forward;

typedef struct block {
    attention self, cross; /* cross: the decoder's */
    feed_forward forward;
} block;

static attention take_attention(cursor *c)
{
    attention a;
    a.norm = take_vector(c, D);
    a.q = take_matrix(c, D, I);
    a.k = take_matrix(c, D, I);
    a.v = take_matrix(c, D, I);
    a.o = take_matrix(c, I, D);
    return a;
}

static block take_block(cursor *c, int decoder)
{
    block b;
    b.self = take_attention(c);
    b.cross = decoder ? take_attention(c) : b.self;
    b.forward.norm = take_vector(c, D);
    b.forward.in = take_matrix(c, D, F);
    b.forward.gate = T5_GATED ? take_matrix(c, D, F) : b.forward.in;
    b.forward.out = take_matrix(c, F, D);
    return b;
}

typedef struct model {
    matrix shared, head;                      /* (D,V): a column for each token */
    const float *encoder_bias, *decoder_bias; /* (T5_BUCKETS,H) */
    const float *encoder_norm, *decoder_norm; /* (D) */
    cursor encoder, decoder;                  /* where their blocks begin */
} model;

static model model_of(const t5_parameters *weights)
{
    model w;
    cursor c;
    int layer;
#if T5_INT8
    c.numbers = weights->numbers;
    c.wholes = weights->wholes;
#else
    c.numbers = weights;
#endif
    w.shared = take_matrix(&c, D, V);
    w.head = T5_TIED ? w.shared : take_matrix(&c, D, V);
    w.encoder_bias = take_vector(&c, T5_BUCKETS * H);
    w.decoder_bias = take_vector(&c, T5_BUCKETS * H);
    w.encoder_norm = take_vector(&c, D);
    w.decoder_norm = take_vector(&c, D);
    w.encoder = c;
    for (layer = 0; layer < T5_ENCODER_LAYERS; layer++)
        take_block(&c, 0);
    w.decoder = c;
    return w;
}

/* ---- functions of one number ---- */

static uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static float of_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static int is_finite(float x) { return x - x == 0.0F; }

/* A polynomial by Horner's rule, the highest power's factor first. */
static float polynomial(const float *factor, int count, float x)
{
    float p = factor[0];
    int i;
    for (i = 1; i < count; i++)
        p = T5_FMA(p, x, factor[i]);
    return p;
}

/* e^x = 2^n e^r with x = n ln 2 + r; 2^n in two factors, either of which is a float. Adding `round`
 * rounds to a whole number, which then stands where a float's exponent does, but for a shift. */
static float exponential(float x)
{
    static const float factor[7] = {0x1.6ac746p-10F,
                                    0x1.123de0p-7F,
                                    0x1.555858p-5F,
                                    0x1.55548cp-3F,
                                    0x1.fffffcp-2F,
                                    1.0F,
                                    1.0F};
    const float round = 12583039.0F; /* 1.5 2^23 + 127 */
    float n, half, rest, r;
    x = -104.0F > x ? -104.0F : x;
    x = 89.0F < x ? 89.0F : x;
    n = T5_FMA(x, 0x1.715476p+0F, round) - round;
    half = T5_FMA(n, 0.5F, round);
    rest = (n - (half - round)) + round;
    r = T5_FMA(n, -0x1.62e430p-1F, x);
    r = T5_FMA(n, 0x1.05c610p-29F, r);
    return polynomial(factor, 7, r) * of_bits(bits_of(half) << 23) * of_bits(bits_of(rest) << 23);
}

/* log x for a finite x >= 1: x = 2^e m with 2/3 <= m < 4/3, and a polynomial in m - 1. */
static float logarithm(float x)
{
    static const float factor[9] = {0x1.dfaf7cp-4F,  -0x1.07f988p-3F, 0x1.bb4584p-4F,
                                    -0x1.f33614p-4F, 0x1.24d7b2p-3F,  -0x1.559bb0p-3F,
                                    0x1.99985ep-3F,  -0x1.ffff02p-3F, 0x1.555556p-2F};
    const uint32_t bias = (uint32_t)128 << 23;
    uint32_t bits = bits_of(x), step = (bits + bias - 0x3f2aaaabU) >> 23;
    float e = (float)step - 128.0F;
    float f = of_bits(bits + bias - (step << 23)) - 1.0F, square = f * f;
    float p = polynomial(factor, 9, f);
    float rest = T5_FMA(T5_FMA(f, p, -0.5F), square, e * -0x1.05c610p-29F);
    return T5_FMA(e, 0x1.62e430p-1F, f) + rest;
}

/* The square root of a normal number, rounded as IEEE 754 says: that of its 24 bits, shifted to 50,
 * bit by bit, is a whole number of 25, of which the last only rounds. */
static float root(float x)
{
    uint32_t bits = bits_of(x), exponent = (bits >> 23) + 1; /* 127 becomes even */
    uint64_t square = (uint64_t)((bits & 0x7fffffU) | 0x800000U) << (25 + (exponent & 1));
    uint64_t r = 0, bit;
    for (bit = (uint64_t)1 << 24; bit > 0; bit >>= 1)
        if ((r + bit) * (r + bit) <= square)
            r += bit;
    return (float)((r + 1) >> 1) * of_bits((exponent / 2 + 40) << 23);
}

#if T5_GATED
/* Near 0 a polynomial; else 1 - 2 / (e^2|x| + 1). */
static float hyperbolic_tangent(float x)
{
    static const float factor[5] = {-0x1.750ce2p-8F, 0x1.51f8cep-6F, -0x1.b835a4p-5F,
                                    0x1.1106f6p-3F, -0x1.555532p-2F};
    float a = of_bits(bits_of(x) & 0x7fffffffU), s = a * a, y;
    if (a < 0.625F)
        y = T5_FMA(polynomial(factor, 5, s) * s, a, a);
    else
        y = 1.0F - 2.0F / (exponential(20.0F < a + a ? 20.0F : a + a) + 1.0F);
    return of_bits((bits_of(y) & 0x7fffffffU) | (bits_of(x) & 0x80000000U));
}

/* The gelu of BERT's code, with tanh. */
static float gelu(float x)
{
    float half = 0.5F * x;
    float u = x * T5_FMA(0.0356774081F, x * x, 0.797884561F);
    return T5_FMA(half, hyperbolic_tangent(u), half);
}
#endif

#if T5_GELU
/* Near 0 a polynomial; else 1 - erfc(|x|), and log erfc(a) = -a + a Q(a). */
static float error_function(float x)
{
    static const float near[6] = {-0x1.3ba5aap-11F, 0x1.479c18p-8F,  -0x1.b69b8ep-6F,
                                  0x1.ce1b86p-4F,   -0x1.8126ecp-2F, 0x1.06eba6p-3F};
    static const float far[7] = {-0x1.3a4280p-17F, 0x1.3f1fa4p-12F, -0x1.d3b416p-9F, 0x1.82c7f8p-6F,
                                 -0x1.b26b9ap-4F,  -0x1.454064p-1F, -0x1.076b72p-3F};
    float a = of_bits(bits_of(x) & 0x7fffffffU), s = a * a;
    float b = 3.95F < a ? 3.95F : a, y;
    if (a < 0.875F)
        y = T5_FMA(polynomial(near, 6, s), a, a);
    else
        y = 1.0F - exponential(T5_FMA(polynomial(far, 7, b), b, 0.0F - b));
    return of_bits((bits_of(y) & 0x7fffffffU) | (bits_of(x) & 0x80000000U));
}

static float gelu(float x)
{
    float half = 0.5F * x;
    return T5_FMA(half, error_function(0.707106781F * x), half);
}
#endif

/* ---- functions of rows ---- */

/* Sums over a row go to 16 lanes, which are added up in halves. */
static float fold(float *lane)
{
    int half, j;
    for (half = LANES / 2; half > 0; half /= 2)
        for (j = 0; j < half; j++)
            lane[j] += lane[j + half];
    return lane[0];
}

/* y = e^(x - shift); returns the sum. y may be x. */
static float exponentials(float *y, const float *x, float shift, int count)
{
    float lane[LANES] = {0};
    int i;
    for (i = 0; i < count; i++) {
        y[i] = exponential(x[i] - shift);
        lane[i % LANES] += y[i];
    }
    return fold(lane);
}

/* The place of the first of the largest. */
static int largest(const float *x, int count)
{
    int best = 0, i;
    for (i = 1; i < count; i++)
        if (x[i] > x[best])
            best = i;
    return best;
}

static void softmax(float *x, int count)
{
    float factor = 1.0F / exponentials(x, x, x[largest(x, count)], count);
    int i;
    for (i = 0; i < count; i++)
        x[i] = factor * x[i];
}

/* T5's layer norm: no mean is taken away. */
static void normalise(float *y, const float *x, const float *weight)
{
    float lane[LANES] = {0}, r;
    int i;
    for (i = 0; i < D; i++)
        lane[i % LANES] = T5_FMA(x[i], x[i], lane[i % LANES]);
    r = 1.0F / root(fold(lane) / (float)D + T5_EPSILON);
    for (i = 0; i < D; i++)
        y[i] = x[i] * r * weight[i];
}

/* y (out) = x (in) times the matrix. */
static void multiply(float *RESTRICT y, const float *RESTRICT x, const matrix *m)
{
    const int in = m->in, out = m->out;
    int i, j;
    for (j = 0; j < out; j++)
        y[j] = 0.0F;
    for (i = 0; i < in; i++) {
#if T5_INT8
        const int8_t *RESTRICT row = m->at + (size_t)i * (size_t)out;
        const float *RESTRICT scale = m->scale;
#else
        const float *RESTRICT row = m->at + (size_t)i * (size_t)out;
#endif
        const float factor = x[i];
        for (j = 0; j < out; j++)
#if T5_INT8
            y[j] = T5_FMA(factor, scale[j] * (float)row[j], y[j]);
#else
            y[j] = T5_FMA(factor, row[j], y[j]);
#endif
    }
}

/* x += y times the matrix (in,D); sum: room for D. */
static void add_product(float *x, float *sum, const float *y, const matrix *m)
{
    int i;
    multiply(sum, y, m);
    for (i = 0; i < D; i++)
        x[i] = sum[i] + x[i];
}

/* ---- sublayers ---- */

/* Keys (I,places) and values (places,I) of the first `seen` positions. `bucket` (NULL: no biases)
 * gives a key's row of the table by its distance from the query, which is at `position`; keys ahead
 * of it have the table's other half. */
typedef struct context {
    const float *keys, *values;
    int places, seen;
    const float *bias; /* (T5_BUCKETS,H) */
    const int32_t *bucket;
    int position;
} context;

static float bias_of(const context *c, int key, int head)
{
    int distance = c->position - key, row = 0;
    if (distance < 0) {
        distance = -distance;
        row = T5_BUCKETS / 2;
    }
    row += c->bucket[distance < T5_FAR ? distance : T5_FAR];
    return c->bias[row * H + head];
}

/* mixed (I): for each head the mean of the values, weighed by the softmax of query times keys. */
static void attend(t5_memory *m, const context *c)
{
    int head, i, j;
    for (head = 0; head < H; head++) {
        float *RESTRICT score = m->score;
        float *RESTRICT mixed = m->mixed + head * K;
        for (j = 0; j < c->seen; j++)
            score[j] = 0.0F;
        for (i = head * K; i < (head + 1) * K; i++) {
            const float *RESTRICT key = c->keys + (size_t)i * (size_t)c->places;
            const float factor = m->query[i];
            for (j = 0; j < c->seen; j++)
                score[j] = T5_FMA(factor, key[j], score[j]);
        }
        for (j = 0; c->bucket && j < c->seen; j++)
            score[j] = score[j] + bias_of(c, j, head);
        softmax(score, c->seen);
        for (i = 0; i < K; i++)
            mixed[i] = 0.0F;
        for (j = 0; j < c->seen; j++) {
            const float *RESTRICT value = c->values + (size_t)j * I + head * K;
            const float factor = score[j];
            for (i = 0; i < K; i++)
                mixed[i] = T5_FMA(factor, value[i], mixed[i]);
        }
    }
}

/* Puts the key and the value of x at a position. */
static void remember(t5_memory *m, const attention *a, const float *x, float *keys, float *values,
                     int places, int position)
{
    int i;
    multiply(m->key, x, &a->k);
    multiply(values + (size_t)position * I, x, &a->v);
    for (i = 0; i < I; i++)
        keys[(size_t)i * (size_t)places + (size_t)position] = m->key[i];
}

/* x += attention(norm(x)) */
static void attention_layer(t5_memory *m, const attention *a, float *x, const context *c)
{
    normalise(m->norm, x, a->norm);
    multiply(m->query, m->norm, &a->q);
    attend(m, c);
    add_product(x, m->sum, m->mixed, &a->o);
}

/* x += feed_forward(norm(x)) */
static void feed_forward_layer(t5_memory *m, const feed_forward *f, float *x)
{
    int i;
    normalise(m->norm, x, f->norm);
    multiply(m->hidden, m->norm, &f->in);
#if T5_GATED
    multiply(m->gate, m->norm, &f->gate);
    for (i = 0; i < F; i++)
        m->hidden[i] = gelu(m->hidden[i]) * m->gate[i];
#elif T5_GELU
    for (i = 0; i < F; i++)
        m->hidden[i] = gelu(m->hidden[i]);
#else
    for (i = 0; i < F; i++)
        m->hidden[i] = 0.0F > m->hidden[i] ? 0.0F : m->hidden[i];
#endif
    add_product(x, m->sum, m->hidden, &f->out);
}

/* ---- the two stacks ---- */

static void look_up(float *x, const model *w, int32_t id)
{
    int i;
    for (i = 0; i < D; i++)
#if T5_INT8
        x[i] = w->shared.scale[id] * (float)w->shared.at[(size_t)i * V + (size_t)id];
#else
        x[i] = w->shared.at[(size_t)i * V + (size_t)id];
#endif
}

/* The source's states, and of these the keys and values for each layer of the decoder. */
static void encode(t5_memory *m, const model *w, const int32_t *source, int count)
{
    float *keys = m->own.encoder.keys, *values = m->own.encoder.values, *x = m->encoder;
    context c = {keys, values, S, count, w->encoder_bias, encoder_bucket, 0};
    cursor at = w->encoder;
    int layer, i;
    for (i = 0; i < count; i++)
        look_up(x + (size_t)i * D, w, source[i]);
    for (layer = 0; layer < T5_ENCODER_LAYERS; layer++) {
        const block b = take_block(&at, 0);
        for (i = 0; i < count; i++) {
            normalise(m->norm, x + (size_t)i * D, b.self.norm);
            remember(m, &b.self, m->norm, keys, values, S, i);
        }
        for (i = 0; i < count; i++) {
            c.position = i;
            attention_layer(m, &b.self, x + (size_t)i * D, &c);
            feed_forward_layer(m, &b.forward, x + (size_t)i * D);
        }
    }
    for (i = 0; i < count; i++)
        normalise(x + (size_t)i * D, x + (size_t)i * D, w->encoder_norm);
    at = w->decoder;
    for (layer = 0; layer < T5_DECODER_LAYERS; layer++) {
        const block b = take_block(&at, 1);
        for (i = 0; i < count; i++)
            remember(m, &b.cross, x + (size_t)i * D, m->source_keys[layer], m->source_values[layer],
                     S, i);
    }
}

/* The logits of the token after `id`, which stands at a position; all before it have been fed. */
static void decode(t5_memory *m, const model *w, int32_t id, int position, int source_count)
{
    cursor at = w->decoder;
    int layer;
#if T5_SCALES
    int i;
#endif
    look_up(m->x, w, id);
    for (layer = 0; layer < T5_DECODER_LAYERS; layer++) {
        const block b = take_block(&at, 1);
        float *keys = m->own.decoder.keys[layer], *values = m->own.decoder.values[layer];
        const context self = {keys,           values,  T, position + 1, w->decoder_bias,
                              decoder_bucket, position};
        const context cross = {
            m->source_keys[layer], m->source_values[layer], S, source_count, NULL, NULL, 0};
        normalise(m->norm, m->x, b.self.norm);
        remember(m, &b.self, m->norm, keys, values, T, position);
        attention_layer(m, &b.self, m->x, &self);
        attention_layer(m, &b.cross, m->x, &cross);
        feed_forward_layer(m, &b.forward, m->x);
    }
    normalise(m->norm, m->x, w->decoder_norm);
#if T5_SCALES
    for (i = 0; i < D; i++)
        m->norm[i] = T5_SCALE * m->norm[i];
#endif
    multiply(m->logits, m->norm, &w->head);
}

/* ---- choosing a token ---- */

/* Number `index` of a stream of random numbers, in [0, 1): Philox4x32-10 (Salmon et al. 2011). */
static double uniform(uint64_t seed, uint64_t stream, uint64_t index)
{
    uint64_t four = index / 4;
    uint32_t x0 = (uint32_t)four, x1 = (uint32_t)(four >> 32);
    uint32_t x2 = (uint32_t)stream, x3 = (uint32_t)(stream >> 32);
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32), word[4];
    int i;
    for (i = 0; i < 10; i++) {
        uint64_t a = (uint64_t)0xD2511F53U * x0, b = (uint64_t)0xCD9E8D57U * x2;
        x0 = (uint32_t)(b >> 32) ^ x1 ^ k0;
        x1 = (uint32_t)b;
        x2 = (uint32_t)(a >> 32) ^ x3 ^ k1;
        x3 = (uint32_t)a;
        k0 += 0x9E3779B9U;
        k1 += 0xBB67AE85U;
    }
    word[0] = x0;
    word[1] = x1;
    word[2] = x2;
    word[3] = x3;
    return word[index % 4] / 4294967296.0;
}

/* A heap of tokens, the one with the largest weight on top; of equals, the smaller id. */
static int before(const float *weight, int32_t a, int32_t b)
{
    return weight[a] > weight[b] || (a < b && weight[a] == weight[b]);
}

static void sift_down(const float *weight, int32_t *heap, int size, int place)
{
    int32_t token = heap[place];
    int child;
    for (; (child = 2 * place + 1) < size; place = child) {
        if (child + 1 < size && before(weight, heap[child + 1], heap[child]))
            child++;
        if (!before(weight, heap[child], token))
            break;
        heap[place] = heap[child];
    }
    heap[place] = token;
}

/* The top goes to the heap's last place, which is no longer part of it. */
static int32_t pop(const float *weight, int32_t *heap, int size)
{
    int32_t token = heap[0];
    heap[0] = heap[size - 1];
    sift_down(weight, heap, size - 1, 0);
    heap[size - 1] = token;
    return token;
}

/* Sets all weights to 0 but those of the k likeliest tokens, and among these of all but the fewest
 * likeliest whose sum reaches the share p of the k's. */
static void cut_tail(float *weight, int32_t *heap, int k, double p)
{
    int popped = 0, kept = 0, i;
    double total = 0, sum = 0;
    if (k == 0 || k > V)
        k = V;
    for (i = 0; i < V; i++)
        heap[i] = i;
    for (i = V / 2 - 1; i >= 0; i--)
        sift_down(weight, heap, V, i);
    if (k == V)
        for (i = 0; i < V; i++)
            total += (double)weight[i];
    else
        for (; popped < k; popped++)
            total += (double)weight[pop(weight, heap, V - popped)];
    while (kept < k && (p >= 1 || kept == 0 || sum < p * total)) {
        if (kept == popped)
            pop(weight, heap, V - popped++);
        sum += (double)weight[heap[V - 1 - kept++]];
    }
    for (i = 0; i < V - kept; i++)
        weight[heap[i]] = 0;
}

/* The first token at which the running sum of the weights exceeds its share of their total. */
static int draw(const float *weight, double share)
{
    double total = 0, sum = 0;
    int last = 0, i;
    for (i = 0; i < V; i++)
        total += (double)weight[i];
    for (i = 0; i < V; i++) {
        sum += (double)weight[i];
        if (sum > share * total)
            return i;
        if (weight[i] > 0)
            last = i;
    }
    return last;
}

static int choose(t5_memory *m, const t5_how *how, int position, float top)
{
    int i;
    if (how->greedy)
        return largest(m->logits, V);
    for (i = 0; i < V; i++)
        m->weight[i] = (m->logits[i] - top) / how->temperature;
    exponentials(m->weight, m->weight, 0.0F, V);
    if (how->top_k != 0 || how->top_p < 1)
        cut_tail(m->weight, m->heap, how->top_k, how->top_p);
    return draw(m->weight, uniform(how->seed, streams[how->sample], (uint64_t)position));
}

static int is_possible(const int32_t *source, int count, const t5_how *how)
{
    int i;
    for (i = 0; i < count && count <= S; i++)
        if (source[i] < 0 || source[i] >= V)
            return 0;
    if (count < 1 || count > S || how->most < 1 || how->most > T)
        return 0;
    return how->greedy || (how->temperature > 0 && is_finite(how->temperature) && how->top_k >= 0 &&
                           how->top_p > 0 && how->sample >= 0 && how->sample < T5_SAMPLES);
}

int t5_generate(const t5_parameters *weights, const int32_t *source, int count, const t5_how *how,
                int32_t *ids, float *log_probability, t5_memory *memory)
{
    const model w = model_of(weights);
    int32_t id = T5_START;
    int n = 0;
    if (!is_possible(source, count, how))
        return -1;
    encode(memory, &w, source, count);
    while (n < how->most && (n == 0 || id != T5_END)) {
        float top, sum;
        decode(memory, &w, id, n, count);
        top = memory->logits[largest(memory->logits, V)];
        sum = exponentials(memory->weight, memory->logits, top, V);
        if (!is_finite(top) || !is_finite(sum))
            return -1;
        id = choose(memory, how, n, top);
        log_probability[n] = memory->logits[id] - top - logarithm(sum);
        ids[n++] = id;
    }
    return n;
}

/* ---- text: byte-pair encoding ---- */

/* A piece: a line with its end, but a digit that follows no letter is a piece of its own. */
static size_t piece_length(const char *text, size_t length)
{
    int after_name = 0;
    size_t i;
    for (i = 0; i < length; i++) {
        char c = text[i];
        if (c == '\n')
            return i + 1;
        if (c >= '0' && c <= '9' && !after_name)
            return i > 0 ? i : 1;
        after_name = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    }
    return length;
}

/* The number of the merge of two tokens, or T5_MERGES: bisection of those sorted by pairs. */
static int32_t find_merge(int32_t left, int32_t right)
{
    int32_t low = 0, high = T5_MERGES;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        const int32_t *pair = merges + 3 * merge_order[middle];
        if (pair[0] < left || (pair[0] == left && pair[1] < right))
            low = middle + 1;
        else
            high = middle;
    }
    if (low == T5_MERGES || merges[3 * merge_order[low]] != left ||
        merges[3 * merge_order[low] + 1] != right)
        return T5_MERGES;
    return merge_order[low];
}

int t5_tokenize(const char *text, size_t length, int32_t *ids)
{
    int count = 0;
    while (length > 0) {
        size_t piece = piece_length(text, length), i;
        int32_t *id = ids + count;
        int left = (int)piece;
        for (i = 0; i < piece; i++)
            id[i] = byte_id[(unsigned char)text[i]];
        for (;;) { /* of all neighbours, those whose merge was learnt first become one */
            int32_t best = T5_MERGES, found;
            int at = 0, j;
            for (j = 0; j + 1 < left; j++)
                if ((found = find_merge(id[j], id[j + 1])) < best) {
                    best = found;
                    at = j;
                }
            if (best == T5_MERGES)
                break;
            id[at] = merges[3 * best + 2];
            for (j = at + 1, left--; j < left; j++)
                id[j] = id[j + 1];
        }
        count += left;
        text += piece;
        length -= piece;
    }
    ids[count++] = T5_TEXT_END;
    return count;
}

size_t t5_detokenize(const int32_t *ids, int count, char *text, size_t room)
{
    size_t length = 0;
    int i;
    for (i = 0; i < count && ids[i] != T5_TEXT_END; i++) {
        int32_t byte = ids[i] >= 0 && ids[i] < T5_TOKENS ? token_start[ids[i]] : 0;
        int32_t end = ids[i] >= 0 && ids[i] < T5_TOKENS ? token_start[ids[i] + 1] : 0;
        for (; byte < end; byte++, length++)
            if (length < room)
                text[length] = (char)token_bytes[byte];
    }
    return length;
}
