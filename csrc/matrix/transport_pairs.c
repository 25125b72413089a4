/* The transport distance of one pair of rows: what a matrix does again where sums of differences lost digits. */
#include "matrix/matrix.h"

#include "math/expansion.h"
#include "rows/weigh.h"

/* Transport between masses on one support: sum over the gaps of |F - G|, by differences of masses
 * x S_q - y S_p, for S = sum p, T = sum q times S T. Swapping the rows changes every sign and nothing else. */
static double fd_transport_of(const fd_row_reader *p, const fd_row_reader *q, const double *support,
                              ptrdiff_t n) {
    fd_expansion sp = {0}, sq = {0}, between = {0};
    fd_sum total = {0};
    double x, y;
    for (ptrdiff_t k = 0; k < n; k++) {
        fd_expansion_add(&sp, *fd_block(p, k, 1, &x));
        fd_expansion_add(&sq, *fd_block(q, k, 1, &y));
    }
    for (ptrdiff_t k = 0; k + 1 < n; k++) {
        fd_expansion_add_product(&between, *fd_block(p, k, 1, &x), &sq);
        fd_expansion_add_product(&between, -*fd_block(q, k, 1, &y), &sp);
        double gap = support[k + 1] - support[k];
        fd_sum_add(&total, fabs(fd_expansion_value(&between)) * gap);
    }
    return fd_sum_total(total);
}

/* The same with all sums as double-doubles, which is good to (2n + 8) 2^-104 S T times the length of the support;
 * where that is not 2^-41 of the result, without rounding. */
double fd_transport_pair(fd_view p_view, fd_view q_view, const double *support, ptrdiff_t n,
                         const fd_options *options) {
    fd_row_reader p = fd_reader(p_view, options), q = fd_reader(q_view, options);
    fd_stats stats;
    if (!fd_weigh_any(&p, n) || !fd_weigh_any(&q, n))
        return NAN;
    if (!fd_is_ordinary(&p) || !fd_is_ordinary(&q)) {
        fd_rescale(&p, n, fd_sum_exponent(&p, n));
        fd_rescale(&q, n, fd_sum_exponent(&q, n));
    }
    p.direct = q.direct = 0;
    stats = fd_row_stats(&p, n, 1);
    double sp = stats.sum_hi, sp_lo = stats.sum_lo;
    stats = fd_row_stats(&q, n, 1);
    double sq = stats.sum_hi, sq_lo = stats.sum_lo;
    fd_sum between = {0}, area = {0};
    int same = 1;
    for (ptrdiff_t k = 0; k < n; k++) {
        double x, y;
        x = *fd_block(&p, k, 1, &x);
        y = *fd_block(&q, k, 1, &y);
        double left = x * sq, right = y * sp;
        same &= x == y;
        if (k == n - 1)
            break;
        fd_sum_add(&between, left - right);
        between.error += fd_difference_error(left, right) +
                         ((fma(x, sq, -left) + x * sq_lo) - (fma(y, sp, -right) + y * sp_lo));
        fd_sum_add(&area, fabs(between.value + between.error) * (support[k + 1] - support[k]));
    }
    double total = fd_sum_total(area);
    if (!same && total < ((double)n + 4.0) * 0x1p-62 * sp * sq * (support[n - 1] - support[0]))
        total = fd_transport_of(&p, &q, support, n);
    return total / fmax(sp, sq) / fmin(sp, sq);
}

/* Transport of order p between two sorted rows: (mean |x - y|^p)^(1/p), scaled by the largest difference so
 * that no power overflows or vanishes. NaN for values at the same infinity, else infinite for any of them. */
double fd_samples_pair(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b, ptrdiff_t j) {
    fd_view p = fd_row_view(a, i), q = fd_row_view(b, j);
    double most = 0.0, sum = 0.0;
    for (ptrdiff_t k = 0; k < plan->n_bins; k++) {
        double d = fabs(0.5 * fd_entry(&p, k) - 0.5 * fd_entry(&q, k));
        if (d != d)
            return NAN;
        most = d > most ? d : most;
    }
    if (most == 0.0 || most == INFINITY || plan->order == INFINITY)
        return 2.0 * most;
    for (ptrdiff_t k = 0; k < plan->n_bins; k++) {
        double d = fabs(0.5 * fd_entry(&p, k) - 0.5 * fd_entry(&q, k)) / most;
        sum += plan->order == 1.0 ? d : plan->order == 2.0 ? d * d : pow(d, plan->order);
    }
    sum /= (double)plan->n_bins;
    return 2.0 * (most * (plan->order == 1.0   ? sum
                          : plan->order == 2.0 ? sqrt(sum)
                                               : pow(sum, 1.0 / plan->order)));
}
