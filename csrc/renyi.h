/* Renyi's orders where the sum of terms in measures.h will not do: 0, infinity, rows with next to nothing in
 * common, and sums beyond the doubles.
 */
#ifndef FD_RENYI_H
#define FD_RENYI_H

#include "measures.h"
#include "wide.h"

/* Order 0, bits: -log2 of the mass of q on the support of p. */
static inline double fd_renyi_min_order(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n) {
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
    return q->normalize && outside < 0.5 ? -log1p(-outside) * FD_LOG2_E : -(most + log2(inside));
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

/* Order inf, bits: log2 of the largest p/q. */
static inline double fd_renyi_max_order(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n,
                                        const fd_pair *pair) {
    double most = -INFINITY;
    for (ptrdiff_t i = 0; i < n; i++)
        if (fd_has_mass(p, i))
            most = fmax(most, fd_log2_ratio_at(p, q, i, pair));
    return p->normalize ? fmax(most, 0.0) : most;
}

/* log2 of sum x^alpha y^(1-alpha) = sum x (x/y)^order where the sum itself is no double: the largest term
 * taken out. */
static inline double fd_renyi_log_overlap(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n,
                                          const fd_pair *pair) {
    double most = -INFINITY, sum = 0.0;
    for (int pass = 0; pass < 2; pass++)
        for (ptrdiff_t i = 0; i < n; i++) {
            double log_p = fd_log2_probability(p, i), log_q = fd_log2_probability(q, i);
            if (log_p == -INFINITY || (log_q == -INFINITY && pair->order < 0.0))
                continue;
            double log = log_p + pair->order * fd_log2_ratio_at(p, q, i, pair);
            if (pass == 0)
                most = fmax(most, log);
            else
                sum += exp2(log - most);
        }
    return isinf(most) ? most : most + log2(sum);
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
    return fd_renyi_log_overlap(p, q, n, pair) / pair->order;
}

#endif
