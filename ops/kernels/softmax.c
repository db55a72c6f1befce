/* Softmax, log-softmax, logsumexp and cross-entropy of f32 rows on vectors; sums in the order of ops/kernels/reduce.h. */
#include <float.h>

#include "ops/kernels/kernels.h"
#include "ops/kernels/reduce_lanes.h"
#include "ops/kernels/vector_math.h"

/* Rows whose logarithms are taken together. */
enum { BATCH = 16 };

typedef struct measures {
    float max[BATCH], sum[BATCH]; /* of each row; of exp(x - max) */
} measures;

TG_INLINE vf load(const float *p, int64_t n) { return n >= VF_WIDTH ? vf_load(p) : vf_load_part(p, n); }

TG_INLINE void store(float *p, int64_t n, vf v)
{
    if (n >= VF_WIDTH)
        vf_store(p, v);
    else
        vf_store_part(p, n, v);
}

/* v where the lane is one of the first n, else `other`. */
TG_INLINE vf first_lanes(int64_t n, vf v, float other) { return n >= VF_WIDTH ? v : vf_select(vm_first(n), v, vf_set1(other)); }

/* A row of at most TG_REDUCE_LANES logits, in registers: its maximum, exp(x - max) and the sum of these. */
TG_INLINE float short_row(const float *x, int64_t n, vf terms[GROUP], float *sum)
{
    vf lanes[GROUP];
    for (int g = 0; g < GROUP; g++) {
        int64_t rest = n - g * VF_WIDTH;
        lanes[g] = rest > 0 ? first_lanes(rest, load(x + g * VF_WIDTH, rest), -INFINITY) : vf_set1(-INFINITY);
    }
    float max = fold(TG_REDUCE_MAX, lanes);
    for (int g = 0; g < GROUP; g++)
        terms[g] = first_lanes(n - g * VF_WIDTH, vf_exp(vf_sub(lanes[g], vf_set1(max))), 0);
    *sum = fold(TG_REDUCE_SUM, terms);
    return max;
}

/* The sum over j < n of exp(x[j] - max), each term also stored to `terms` unless that is NULL. */
TG_INLINE float exp_sum(const float *x, int64_t n, float max, float *terms)
{
    vf total[GROUP], block[GROUP], shift = vf_set1(max);
    for (int g = 0; g < GROUP; g++)
        total[g] = vf_zero();
    for (int64_t start = 0; start < n; start += TG_REDUCE_BLOCK) {
        int64_t stop = n - start < TG_REDUCE_BLOCK ? n : start + TG_REDUCE_BLOCK;
        for (int g = 0; g < GROUP; g++)
            block[g] = vf_zero();
        for (int64_t i = start; i < stop; i += TG_REDUCE_LANES)
            for (int g = 0; g < GROUP && i + g * VF_WIDTH < stop; g++) {
                int64_t at = i + g * VF_WIDTH, rest = stop - at;
                vf term = vf_exp(vf_sub(load(x + at, rest), shift));
                if (terms)
                    store(terms + at, rest, term);
                block[g] = vf_add(block[g], first_lanes(rest, term, 0));
            }
        for (int g = 0; g < GROUP; g++)
            total[g] = vf_add(total[g], block[g]);
    }
    return fold(TG_REDUCE_SUM, total);
}

static float long_max(const float *x, int64_t n)
{
    float max;
    TG_SET(reduce_rows)(TG_REDUCE_MAX, x, 1, n, n, &max);
    return max;
}

static void measure(const float *x, int64_t rows, int64_t n, measures *m)
{
    for (int64_t i = 0; i < rows; i++, x += n) {
        vf terms[GROUP];
        if (n <= TG_REDUCE_LANES) {
            m->max[i] = short_row(x, n, terms, &m->sum[i]);
        } else {
            m->max[i] = long_max(x, n);
            m->sum[i] = exp_sum(x, n, m->max[i], NULL);
        }
    }
}

/* logs[i] = log(sum[i]) for all BATCH of them; those beyond `rows` are of no use. */
static void take_logs(measures *m, int64_t rows, float logs[BATCH])
{
    for (int64_t i = rows; i < BATCH; i++)
        m->sum[i] = 1;
    for (int64_t i = 0; i < BATCH; i += VF_WIDTH)
        vf_store(logs + i, vf_log(vf_load(m->sum + i)));
}

TG_INLINE void softmax_short(const float *x, int64_t n, float *out)
{
    float sum;
    vf terms[GROUP];
    short_row(x, n, terms, &sum);
    for (int g = 0; g < GROUP && g * VF_WIDTH < n; g++)
        store(out + g * VF_WIDTH, n - g * VF_WIDTH, vf_div(terms[g], vf_set1(sum)));
}

TG_INLINE void softmax_long(const float *x, int64_t n, float *out)
{
    vf sum = vf_set1(exp_sum(x, n, long_max(x, n), out));
    for (int64_t j = 0; j < n; j += VF_WIDTH)
        store(out + j, n - j, vf_div(load(out + j, n - j), sum));
}

void TG_SET(softmax)(const float *x, int64_t rows, int64_t n, float *out)
{
    for (int64_t i = 0; i < rows; i++, x += n, out += n)
        if (n <= TG_REDUCE_LANES)
            softmax_short(x, n, out);
        else
            softmax_long(x, n, out);
}

void TG_SET(log_softmax)(const float *x, int64_t rows, int64_t n, float *out)
{
    for (int64_t first = 0; first < rows; first += BATCH) {
        int64_t count = rows - first < BATCH ? rows - first : BATCH;
        measures m;
        float logs[BATCH];
        measure(x + first * n, count, n, &m);
        take_logs(&m, count, logs);
        for (int64_t i = 0; i < count; i++) {
            const float *from = x + (first + i) * n;
            float *to = out + (first + i) * n;
            vf max = vf_set1(m.max[i]), log_sum = vf_set1(logs[i]);
            for (int64_t j = 0; j < n; j += VF_WIDTH)
                store(to + j, n - j, vf_sub(vf_sub(load(from + j, n - j), max), log_sum));
        }
    }
}

void TG_SET(logsumexp)(const float *x, int64_t rows, int64_t n, float *out)
{
    for (int64_t first = 0; first < rows; first += BATCH) {
        int64_t count = rows - first < BATCH ? rows - first : BATCH;
        measures m;
        float logs[BATCH];
        measure(x + first * n, count, n, &m);
        take_logs(&m, count, logs);
        for (int64_t i = 0; i < count; i++)
            out[first + i] = isinf(m.max[i]) ? m.max[i] : m.max[i] + logs[i];
    }
}

void TG_SET(cross_entropy_sparse)(const float *x, const int32_t *labels, int64_t rows, int64_t n, float *out)
{
    for (int64_t first = 0; first < rows; first += BATCH) {
        int64_t count = rows - first < BATCH ? rows - first : BATCH;
        measures m;
        float logs[BATCH];
        measure(x + first * n, count, n, &m);
        take_logs(&m, count, logs);
        for (int64_t i = first; i < first + count; i++)
            out[i] = logs[i - first] - (x[i * n + labels[i]] - m.max[i - first]);
    }
}

/* The sum of labels (log_sum - (x - max)): where they are one-hot, the bits of cross_entropy_sparse. A label of 0 takes an infinite
   loss as 0, but not a NaN. */
static float weigh(const float *x, const float *labels, int64_t n, float max, float log_sum)
{
    vf total[GROUP];
    for (int g = 0; g < GROUP; g++)
        total[g] = vf_zero();
    for (int64_t i = 0; i < n; i += TG_REDUCE_LANES)
        for (int g = 0; g < GROUP && i + g * VF_WIDTH < n; g++) {
            int64_t at = i + g * VF_WIDTH, rest = n - at;
            vf label = load(labels + at, rest);
            vf loss = vf_sub(vf_set1(log_sum), vf_sub(load(x + at, rest), vf_set1(max)));
            vf finite = vf_min(vf_set1(FLT_MAX), loss); /* NaN stays */
            total[g] = vf_add(total[g], vf_mul(label, vf_select(vf_eq(label, vf_zero()), finite, loss)));
        }
    return fold(TG_REDUCE_SUM, total);
}

void TG_SET(cross_entropy_dense)(const float *x, const float *labels, int64_t rows, int64_t n, float *out)
{
    for (int64_t first = 0; first < rows; first += BATCH) {
        int64_t count = rows - first < BATCH ? rows - first : BATCH;
        measures m;
        float logs[BATCH];
        measure(x + first * n, count, n, &m);
        take_logs(&m, count, logs);
        for (int64_t i = first; i < first + count; i++)
            out[i] = weigh(x + i * n, labels + i * n, n, m.max[i - first], logs[i - first]);
    }
}
