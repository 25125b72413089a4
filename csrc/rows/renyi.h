/* Renyi's orders where the sum of terms in measures.h will not do: 0, infinity, rows with next to nothing in
 * common, and sums beyond the doubles.
 */
#ifndef FD_RENYI_H
#define FD_RENYI_H

#include "rows/excess.h"
#include "rows/signs.h"
#include "rows/terms.h"

/* Sums this near 1 have logarithms as small, of which log2(S) keeps too little. */
static inline int fd_is_near_1(double bits) { return fabs(bits) < 0x1p-8; }

/* Order 0, bits: -log2 of the mass of q on the support of p. */
static inline double fd_renyi_min_order(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n,
                                        const fd_pair *pair) {
    if (!p->logs && q->normalize && !p->wide && !q->wide) {
        double gone = fd_loop(fd_row_loops_now->outside, p, q, n, pair) / q->sum;
        return gone < 0.5 ? -log1p(-gone) * FD_LOG2_E
                          : -log2(fd_loop(fd_row_loops_now->inside, p, q, n, pair) / q->sum);
    }
    double most = -INFINITY, inside = 0.0, outside = 0.0;
    for (int pass = 0; pass < 2; pass++)
        for (ptrdiff_t i = 0; i < n; i++) {
            double log = fd_log2_probability(q, i);
            int shared = fd_has_mass(p, i);
            if (pass == 0)
                most = shared ? fmax(most, log) : most;
            else if (shared)
                inside += log > -INFINITY ? exp2(log - most) : 0.0;
            else
                outside += exp2(log);
        }
    if (q->normalize && outside < 0.5)
        return -log1p(-outside) * FD_LOG2_E;
    double bits = most + log2(inside);
    return -(!q->normalize && fd_is_near_1(bits) ? log1p(fd_mass_less_1(q, n, p)) * FD_LOG2_E : bits);
}

/* log2(p/q) of bin i, to full precision. */
static inline double fd_log2_ratio_at(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t i,
                                      const fd_pair *pair) {
    double x, y;
    int e;
    if (p->logs) {
        double log_p = *fd_block(p, i, 1, &x), log_q = *fd_block(q, i, 1, &y);
        return fd_bin_of_logs(log_p, log_q, pair).log;
    }
    if (fd_scale_bin(p, q, i, &x, &y, &e))
        return fd_bin_of_masses(x, y, pair).log;
    return fd_log2_share(p, i) - fd_log2_share(q, i) - log2(pair->c_hi);
}

/* Order inf, bits: log2 of the largest p/q. Where that is next to 1 the scale of the rows is known too little of: what one
 * bin that holds nearly all mass lacks may be all there is. */
static inline double fd_renyi_max_order(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n,
                                        const fd_pair *pair) {
    ptrdiff_t at = fd_largest_ratio(p, q, n);
    if (at < 0)
        return -INFINITY;
    if (!fd_has_mass(q, at))
        return INFINITY;
    double bits = fd_log2_ratio_at(p, q, at, pair);
    if (!p->normalize)
        return bits;
    if (!p->logs && fabs(bits) < 0x1p-30) {
        fd_whole p_sum = fd_whole_sum(p, n), q_sum = fd_whole_sum(q, n);
        bits = log1p(fd_ratio_less_1(fd_given(p, at), fd_given(q, at), &p_sum, &q_sum)) * FD_LOG2_E;
    }
    return fmax(bits, 0.0);
}

static inline int fd_has_overlap(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t i,
                                 const fd_pair *pair) {
    return fd_has_mass(p, i) && (pair->order > 0.0 || fd_has_mass(q, i));
}

/* p + order (p - q), logarithms of any size that may all but cancel in it. */
static inline double fd_log_overlap(fd_twofold p, fd_twofold q, double order) {
    return fd_twofold_plus(p, fd_twofold_scaled(fd_twofold_minus(p, q), order)).high;
}

/* log2 of x^alpha y^(1-alpha) = x (x/y)^order; as they are rounded where two doubles do not multiply. */
static inline double fd_log2_overlap_at(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t i,
                                        const fd_pair *pair) {
    if (p->logs) {
        double x, y, log_p = *fd_block(p, i, 1, &x), log_q = *fd_block(q, i, 1, &y);
        fd_twofold of_p = fd_twofold_plus(fd_two_sum(log_p, -p->max), (fd_twofold){-p->log, 0.0});
        fd_twofold ratio =
            fd_twofold_plus(fd_two_sum(log_p, -log_q), fd_two_sum(-pair->shift, -pair->shift_lo));
        double log = fd_log_overlap(of_p, fd_twofold_minus(of_p, ratio), pair->order) * FD_LOG2_E;
        if (isfinite(log))
            return log;
    }
    return fd_log2_probability(p, i) + pair->order * fd_log2_ratio_at(p, q, i, pair);
}

/* log2 of that over bin m's, which the masses of the rows are not in. */
static inline double fd_log2_overlap_over(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t i,
                                          ptrdiff_t m, const fd_pair *pair) {
    if (p->logs) {
        double x, y, u, v;
        fd_twofold of_p = fd_two_sum(*fd_block(p, i, 1, &x), -*fd_block(p, m, 1, &u));
        fd_twofold of_q = fd_two_sum(*fd_block(q, i, 1, &y), -*fd_block(q, m, 1, &v));
        double log = fd_log_overlap(of_p, of_q, pair->order) * FD_LOG2_E;
        if (isfinite(log))
            return log;
    }
    return fd_log2_overlap_at(p, q, i, pair) - fd_log2_overlap_at(p, q, m, pair);
}

/* The bin with the largest term, -1 if none has one, and the sum over that. */
static inline ptrdiff_t fd_largest_overlap(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n,
                                           const fd_pair *pair, double *sum) {
    ptrdiff_t m = -1;
    for (ptrdiff_t i = 0; i < n; i++)
        if (fd_has_overlap(p, q, i, pair) && (m < 0 || fd_log2_overlap_over(p, q, i, m, pair) > 0.0))
            m = i;
    *sum = 0.0;
    for (ptrdiff_t i = 0; m >= 0 && i < n; i++)
        if (fd_has_overlap(p, q, i, pair))
            *sum += exp2(fd_log2_overlap_over(p, q, i, m, pair));
    return m;
}

/* log2 of the sum where the sum itself is no double. */
static inline double fd_renyi_log_overlap(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n,
                                          const fd_pair *pair) {
    double sum, most = -INFINITY;
    ptrdiff_t m = fd_largest_overlap(p, q, n, pair, &sum);
    if (m >= 0)
        most = fd_log2_overlap_at(p, q, m, pair);
    return isinf(most) ? most : most + log2(sum);
}

/* D from that; where its terms are no doubles, from log2(p/q) + log2(p)/order. */
static inline double fd_renyi_by_logs(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n,
                                      const fd_pair *pair) {
    double overlap = fd_renyi_log_overlap(p, q, n, pair), most = -INFINITY, sum = 0.0;
    if (!isinf(overlap) || pair->order < 0.0)
        return overlap / pair->order;
    for (int pass = 0; pass < 2; pass++)
        for (ptrdiff_t i = 0; i < n; i++) {
            double log_p = fd_log2_probability(p, i);
            if (log_p == -INFINITY)
                continue;
            double log = fd_log2_ratio_at(p, q, i, pair) + log_p / pair->order;
            if (pass == 0)
                most = fmax(most, log);
            else if (!isinf(most))
                sum += exp2(pair->order * (log - most));
        }
    return isinf(most) ? most : most + log2(sum) / pair->order;
}

/* D of rows as they stand from S - 1 = order A + alpha (sum x - 1) - order (sum y - 1), where these are small. */
static inline double fd_renyi_near_1(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n,
                                     const fd_pair *pair, double otherwise) {
    double a = pair->order * ldexp(fd_terms(FD_renyi_divergence, p, q, n, pair), p->exponent);
    double x = (1.0 + pair->order) * fd_mass_less_1(p, n, NULL),
           y = -pair->order * fd_mass_less_1(q, n, NULL);
    return fabs(a) + fabs(x) + fabs(y) < 1.0 ? log1p(a + (x + y)) / pair->order * FD_LOG2_E : otherwise;
}

/* D of rows as they stand, from S or, where it is no double, from logarithms. */
static inline double fd_renyi_as_it_stands(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n,
                                           const fd_pair *pair) {
    int plain = !p->logs && !p->wide && !q->wide && p->exponent == 0;
    double overlap = plain ? fd_terms(FD_renyi_overlap, p, q, n, pair) : 0.0;
    double bits = overlap > 0x1p-400 && overlap < 0x1p400 ? log2(overlap) / pair->order
                                                          : fd_renyi_by_logs(p, q, n, pair);
    return fd_is_near_1(bits * pair->order) ? fd_renyi_near_1(p, q, n, pair, bits) : bits;
}

/* D_alpha in bits for 1/2 <= alpha, alpha != 1, from A (see measures.h). */
static inline double fd_renyi_finish(double a, const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n,
                                     const fd_pair *pair) {
    double grown = pair->order * a;
    if (grown < -0.5) {
        double overlap = fd_terms(FD_renyi_overlap, p, q, n, pair) / p->sum;
        if (overlap > 0x1p-400) /* masses below the doubles add 2^-511 at most */
            return log2(overlap) / pair->order;
    } else if (grown < 0x1p900) {
        return log1p(grown) / pair->order * FD_LOG2_E;
    }
    return fd_renyi_by_logs(p, q, n, pair);
}

#endif
