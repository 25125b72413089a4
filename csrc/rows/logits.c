/* Cross entropy of masses against logits, a classifier's loss:
 *
 *     H(p, softmax q) = sum p_i (L - q_i) / sum p,    L = log sum exp q,
 *
 * all terms >= 0, and its gradient, softmax q - p / sum p by the logits and (L - q_i - H) / sum p by the masses.
 * L is kept as the largest logit and the rest, so that a class which holds nearly all keeps the digits of the
 * others. Not normalised it is -sum p_i q_i.
 */
#include "rows/logits.h"

#include "rows/lanes.h"
#include "rows/pair.h"
#include "rows/settle.h"
#include "rows/terms.h"

typedef struct {
    fd_row_reader p, q;
    double unit;
} fd_logits;

/* Weighs logits as fd_log_weigh does, but the exponentials are kept: exp(q - max) in `parts`, and what they add
 * to in q->sum, of which `max + log` is the logarithm. `others`: what they add to but for one at max, which is 1.
 * While a block is at hand, where there is p: the sum of p (max - q). */
static int fd_keep_parts(fd_row_reader *q, ptrdiff_t n, double *parts, double *others, const fd_row_reader *p,
                         fd_sum *terms) {
    double copy[FD_BLOCK], p_copy[FD_BLOCK], at_max = -1.0;
    fd_row_reader raw = *q;
    fd_sum below = {0};
    raw.normalize = 0; /* the largest only */
    if (!fd_log_weigh(&raw, n) || raw.top == -INFINITY)
        return 0;
    q->max = q->top = raw.top;
    for (ptrdiff_t start = 0; start < n; start += FD_BLOCK) {
        ptrdiff_t size = n - start < FD_BLOCK ? n - start : FD_BLOCK;
        const double *block = fd_block(q, start, size, copy);
        double sum, count;
        if (p)
            fd_sum_add(terms,
                       fd_slope_loops_now->logit_sum(fd_block(p, start, size, p_copy), block, size, q->max));
        fd_slope_loops_now->logit_parts(block, size, q->max, parts + start, &sum, &count);
        fd_sum_add(&below, sum);
        at_max += count;
    }
    *others = at_max + fd_sum_total(below);
    q->log = log1p(*others);
    q->sum = 1.0 + *others;
    return 1;
}

/* The sum of p (max - q) where nobody keeps the exponentials. */
static fd_sum fd_logit_terms(const fd_logits *w, ptrdiff_t n) {
    double p_copy[FD_BLOCK], q_copy[FD_BLOCK];
    fd_sum sum = {0};
    for (ptrdiff_t start = 0; start < n; start += FD_BLOCK) {
        ptrdiff_t size = n - start < FD_BLOCK ? n - start : FD_BLOCK;
        const double *p = fd_block(&w->p, start, size, p_copy), *q = fd_block(&w->q, start, size, q_copy);
        fd_sum_add(&sum, fd_slope_loops_now->logit_sum(p, q, size, w->q.max));
    }
    return sum;
}

/* 0 for a row that is none. */
static int fd_logits_open(fd_logits *w, fd_view p, fd_view q, ptrdiff_t n, const fd_options *options,
                          double *by_q, fd_sum *terms) {
    fd_options masses = *options, logs = *options;
    double others;
    masses.log_input = 0.0;
    logs.log_input = 1.0;
    logs.pseudocount = 0.0;
    w->p = fd_reader(p, &masses);
    w->q = fd_reader(q, &logs);
    w->unit = fd_in_unit(FD_LOG2_E, options);
    if (!fd_weigh_any(&w->p, n))
        return 0;
    if (!fd_is_ordinary(&w->p) && w->p.normalize)
        fd_rescale(&w->p, n, fd_sum_exponent(&w->p, n));
    if (by_q && w->q.normalize)
        return fd_keep_parts(&w->q, n, by_q, &others, &w->p, terms);
    if (!fd_log_weigh(&w->q, n))
        return 0;
    *terms = fd_logit_terms(w, n);
    return 1;
}

static void fd_write_logit_gradient(const fd_logits *w, ptrdiff_t n, double nats, double *by_p,
                                    double *by_q) {
    double p_copy[FD_BLOCK], q_copy[FD_BLOCK], scale[3], mean;
    fd_mean_and_scale(&w->p, nats, 0.0, w->unit, &mean, scale);
    for (ptrdiff_t start = 0; start < n; start += FD_BLOCK) {
        ptrdiff_t size = n - start < FD_BLOCK ? n - start : FD_BLOCK;
        const double *p = fd_block(&w->p, start, size, p_copy);
        if (by_p)
            fd_slope_loops_now->logit_masses(fd_block(&w->q, start, size, q_copy), size, w->q.max, w->q.log,
                                             mean, scale, by_p + start);
        if (by_q && w->p.normalize)
            fd_slope_loops_now->logit_shares(p, size, w->q.sum, w->p.sum, w->unit, by_q + start);
        for (ptrdiff_t i = 0; by_q && !w->p.normalize && i < size; i++)
            by_q[start + i] = -p[i] * w->unit;
    }
}

double fd_logits_cross_entropy(fd_view p_view, fd_view q_view, ptrdiff_t n, const fd_options *options,
                               double *by_p, double *by_q) {
    fd_logits w;
    fd_sum sum = {0};
    if (!fd_logits_open(&w, p_view, q_view, n, options, by_q, &sum)) {
        fd_fill(by_p, n, NAN);
        fd_fill(by_q, n, NAN);
        return NAN;
    }
    double nats = fd_sum_total(sum) / fd_total(&w.p) + w.q.log;
    if (by_p || by_q)
        fd_write_logit_gradient(&w, n, nats, by_p, by_q);
    return nats * w.unit;
}

/* The share of a class, less 1, `below` the largest logit; both times `unit`. Of the largest share, which alone may be
 * near 1, what the others are. */
static double fd_share_less_1(double below, double share, double others, double unit) {
    return below == 0.0 ? -others / (1.0 + others) * unit : share - unit;
}

static double fd_label_cross_entropy(ptrdiff_t label, fd_view q_view, ptrdiff_t n, const fd_options *options,
                                     double *by_q) {
    fd_options o = *options;
    o.log_input = o.normalize = 1.0;
    fd_row_reader q = fd_reader(q_view, &o);
    double unit = fd_in_unit(FD_LOG2_E, &o), others;
    if (label < 0 || label >= n || !fd_keep_parts(&q, n, by_q, &others, NULL, NULL)) {
        fd_fill(by_q, n, NAN);
        return NAN;
    }
    double below = q.max - fd_entry(&q.view, label);
    fd_slope_loops_now->scale(by_q, n, unit / q.sum);
    by_q[label] = fd_share_less_1(below, by_q[label], others, unit);
    return (below + q.log) * unit;
}

/* The next rows, and where derivatives of these will be. */
static fd_ahead fd_ahead_of(fd_view v, ptrdiff_t step, const double *by) {
    fd_ahead ahead = {.in = v.data + FD_ROWS * step, .in_step = fd_ahead_step(v, step)};
    ahead.out = by ? (const char *)by : ahead.in;
    ahead.out_step = by ? FD_ROWS * (ptrdiff_t)sizeof *by : ahead.in_step;
    return ahead;
}

/* Side by side, a row a lane, the same bits; which rows are left to fd_label_cross_entropy. */
static unsigned fd_label_lanes(const ptrdiff_t *labels, fd_view q, ptrdiff_t step, int rows, ptrdiff_t n,
                               double unit, double *values, double *by_q, ptrdiff_t pitch) {
    double parts[FD_FEW * FD_ROWS], max[FD_ROWS], below[FD_ROWS], at_max[FD_ROWS], mean[FD_ROWS] = {0.0};
    double others[FD_ROWS], scale[FD_ROWS], least[FD_ROWS];
    ptrdiff_t from_bin;
    unsigned alone = 0;
    const double *in = fd_lay_beside(q, step, rows, n, parts, &from_bin);
    fd_slope_loops_now->logit_lanes(in, from_bin, n, fd_ahead_of(q, step, by_q), parts, max, below, at_max);
    for (int i = 0; i < FD_ROWS; i++) {
        others[i] = (at_max[i] - 1.0) + below[i];
        scale[i] = unit / (1.0 + others[i]);
    }
    fd_slope_loops_now->settle_lanes(parts, n, mean, scale, (1u << rows) - 1, by_q, pitch, least);
    for (int i = 0; i < rows; i++) {
        fd_view row = fd_row_at(q, step, i);
        if (!(fabs(max[i]) < INFINITY) || labels[i] < 0 || labels[i] >= n) {
            alone |= 1u << i;
            continue;
        }
        double *by_label = by_q + i * pitch + labels[i], less = max[i] - fd_entry(&row, labels[i]);
        *by_label = fd_share_less_1(less, *by_label, others[i], unit);
        values[i] = (less + log1p(others[i])) * unit;
    }
    return alone;
}

void fd_label_cross_entropies(const ptrdiff_t *labels, fd_view q, ptrdiff_t step, int rows, ptrdiff_t n,
                              const fd_options *options, double *values, double *by_q, ptrdiff_t pitch) {
    unsigned alone = ~0u;
    if (rows > 1 && n <= FD_FEW && fd_is_worth_lanes(q, step, q, step, rows, n))
        alone = fd_label_lanes(labels, q, step, rows, n, fd_in_unit(FD_LOG2_E, options), values, by_q, pitch);
    for (int i = 0; alone >> i && i < rows; i++)
        if (alone >> i & 1)
            values[i] =
                fd_label_cross_entropy(labels[i], fd_row_at(q, step, i), n, options, by_q + i * pitch);
}

/* Side by side likewise; which rows are left to fd_logits_cross_entropy. */
static unsigned fd_cross_entropy_lanes(fd_view p, ptrdiff_t p_step, fd_view q, ptrdiff_t q_step, int rows,
                                       ptrdiff_t n, const fd_options *o, double *values, double *by_p,
                                       ptrdiff_t p_pitch, double *by_q, ptrdiff_t q_pitch) {
    double masses[FD_FEW * FD_ROWS], logits[FD_FEW * FD_ROWS], parts[FD_FEW * FD_ROWS];
    double below[FD_ROWS], at_max[FD_ROWS], nats[FD_ROWS], scale[FD_ROWS], least[FD_ROWS];
    double unit = fd_in_unit(FD_LOG2_E, o);
    ptrdiff_t from_bin;
    fd_logit_lanes of;
    fd_beside b = {.n = n};
    const double *in = fd_lay_beside(q, q_step, rows, n, logits, &from_bin);
    fd_weigh_beside(&b, p, p_step, rows, o, masses, &b.of_p);
    fd_slope_loops_now->logit_lanes(in, from_bin, n, fd_ahead_of(q, q_step, by_q), parts, of.max, below,
                                    at_max);
    for (int i = 0; i < FD_ROWS; i++) {
        double others = (at_max[i] - 1.0) + below[i];
        of.rest[i] = log1p(others);
        of.by_part[i] = unit / (1.0 + others);
        of.by_mass[i] = scale[i] = unit / b.of_p.sum[i];
    }
    fd_slope_loops_now->logit_lane_terms(masses, in, from_bin, n, fd_ahead_of(p, p_step, by_p), &of, parts,
                                         nats);
    unsigned alone = fd_marked(b.mark);
    for (int i = 0; i < FD_ROWS; i++) {
        nats[i] = nats[i] / b.of_p.sum[i] + of.rest[i];
        alone |= (unsigned)!(fabs(of.max[i]) < INFINITY && fabs(nats[i]) < INFINITY) << i;
    }
    if (by_p)
        fd_slope_loops_now->settle_lanes(masses, n, nats, scale, (1u << rows) - 1, by_p, p_pitch, least);
    if (by_q)
        fd_slope_loops_now->settle_lanes(parts, n, NULL, NULL, (1u << rows) - 1, by_q, q_pitch, least);
    for (int i = 0; i < rows; i++)
        values[i] = nats[i] * unit;
    return alone;
}

void fd_logits_cross_entropies(fd_view p, ptrdiff_t p_step, fd_view q, ptrdiff_t q_step, int rows,
                               ptrdiff_t n, const fd_options *options, double *values, double *by_p,
                               ptrdiff_t p_pitch, double *by_q, ptrdiff_t q_pitch) {
    unsigned alone = ~0u;
    if (rows > 1 && n <= FD_FEW && options->normalize != 0.0 &&
        fd_is_worth_lanes(p, p_step, q, q_step, rows, n))
        alone = fd_cross_entropy_lanes(p, p_step, q, q_step, rows, n, options, values, by_p, p_pitch, by_q,
                                       q_pitch);
    for (int i = 0; alone >> i && i < rows; i++)
        if (alone >> i & 1)
            values[i] =
                fd_logits_cross_entropy(fd_row_at(p, p_step, i), fd_row_at(q, q_step, i), n, options,
                                        by_p ? by_p + i * p_pitch : NULL, by_q ? by_q + i * q_pitch : NULL);
}
