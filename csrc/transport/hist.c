/* Transport between histograms: mass spread evenly within bins, each histogram with its own edges.
 *
 * Between neighbouring levels F^-1 - G^-1 runs straight from d to e, and with |d| <= |e|
 *
 *     mean |F^-1 - G^-1|^p = (|e|^(p+1) -+ |d|^(p+1)) / ((p + 1) (|e| -+ |d|)), + where they cross.
 *
 * At a level one of the two is at an edge of its own; the other is within a bin, the share N / D of exact
 * masses past its lower edge. d and e are formed as in exact.h: histograms that all but agree lose nothing.
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/core.h"
#include "math/sum.h"
#include "transport/bins.h"
#include "transport/exact.h"
#include "transport/mass.h"
#include "transport/transport.h"

/* Mean of |x|^p for x running straight from d to e. */
static double fd_mean_linear(double d, double e, double p) {
    const double small = fabs(d) < fabs(e) ? fabs(d) : fabs(e), large = fabs(d) < fabs(e) ? fabs(e) : fabs(d);
    if (large == 0.0)
        return 0.0;
    const int crosses = (d < 0.0) != (e < 0.0) && small > 0.0;
    if (p == 1.0 && !crosses)
        return 0.5 * (small + large);
    const double r = small / large;
    if (crosses)
        return p == 1.0 ? large * (1.0 + r * r) / (2.0 * (1.0 + r))
                        : pow(large, p) * (1.0 + pow(r, p + 1.0)) / ((p + 1.0) * (1.0 + r));
    if (p == 2.0)
        return large * large * (1.0 + r + r * r) / 3.0;
    const double gap = (large - small) / large; /* 1 - r without its rounding */
    return gap == 0.0 ? pow(large, p) : pow(large, p) * -expm1((p + 1.0) * log1p(-gap)) / ((p + 1.0) * gap);
}

/* Mean of (|F^-1 - G^-1| / scale)^p over the levels, or for p = inf their maximum. */
static double fd_hist_power(fd_edges x, fd_bins a, fd_edges y, fd_bins b, double p, double scale) {
    const double unit = 1.0 / (fd_mass_to_double(a.total) * fd_mass_to_double(b.total));
    fd_sum mean = {0.0, 0.0};
    double largest = 0.0;
    int64_t i = 0, j = 0;
    fd_mass A = fd_bin_mass(&a, 0),
            B = fd_bin_mass(&b, 0); /* mass up to the upper edges of the bins i and j */
    fd_u256 level = {0, 0}, u_start = level, v_start = level;
    fd_u256 u_end = fd_product(A, b.total), v_end = fd_product(B, a.total);
    double d = 0.0, e = 0.0;
    int jump = 1; /* d is not the last e: bins without mass lie between */
    for (;;) {
        const int u_skips = !fd_less(u_start, u_end), v_skips = !fd_less(v_start, v_end);
        if (!u_skips && !v_skips) {
            const fd_u256 in_u = fd_minus(u_end, u_start), in_v = fd_minus(v_end, v_start);
            const int u_first = fd_less(u_end, v_end), v_first = fd_less(v_end, u_end);
            const fd_u256 next = u_first ? u_end : v_end;
            /* `level` is where the later of the two bins starts, `next` where the earlier one ends. */
            if (!jump)
                d = e;
            else if (fd_less(u_start, v_start))
                d = -fd_edge_difference(fd_edge_at(y, j), x, i, fd_minus(level, u_start), in_u);
            else
                d = fd_edge_difference(fd_edge_at(x, i), y, j, fd_minus(level, v_start), in_v);
            if (u_first)
                e = fd_edge_difference(fd_edge_at(x, i + 1), y, j, fd_minus(next, v_start), in_v);
            else if (v_first)
                e = -fd_edge_difference(fd_edge_at(y, j + 1), x, i, fd_minus(next, u_start), in_u);
            else
                e = fd_twofold_minus(fd_edge_at(x, i + 1), fd_edge_at(y, j + 1)).high;
            largest = fabs(d) > largest ? fabs(d) : largest;
            largest = fabs(e) > largest ? fabs(e) : largest;
            if (p < INFINITY)
                fd_sum_add(&mean, fd_u256_to_double(fd_minus(next, level)) * unit *
                                      fd_mean_linear(d / scale, e / scale, p));
            level = next;
        }
        jump = u_skips || v_skips;
        const int u_ends = u_skips || !fd_less(level, u_end), v_ends = v_skips || !fd_less(level, v_end);
        i += u_ends;
        j += v_ends;
        if (i == a.n || j == b.n)
            break;
        if (u_ends) {
            A += fd_bin_mass(&a, i);
            u_start = u_end;
            u_end = fd_product(A, b.total);
        }
        if (v_ends) {
            B += fd_bin_mass(&b, j);
            v_start = v_end;
            v_end = fd_product(B, a.total);
        }
    }
    return p < INFINITY ? fd_sum_total(mean) : largest;
}

static int fd_same_edges(fd_edges x, int64_t n, fd_edges y, int64_t m) {
    const size_t bytes = ((size_t)n + 1) * sizeof(double);
    return n == m && memcmp(x.high, y.high, bytes) == 0 && !x.low == !y.low &&
           (!x.low || memcmp(x.low, y.low, bytes) == 0);
}

/* W_1 on common bins: within one, F - G runs straight between its exact values at the edges. */
static double fd_hist_area(fd_edges x, fd_bins a, fd_bins b) {
    const double unit = 1.0 / (fd_mass_to_double(a.total) * fd_mass_to_double(b.total));
    fd_mass A = 0, B = 0;
    fd_sum area = {0.0, 0.0};
    double before = 0.0;
    for (int64_t i = 0; i < a.n; i++) {
        A += fd_bin_mass(&a, i);
        B += fd_bin_mass(&b, i);
        const double after = fd_cross_difference(A, b.total, B, a.total) * unit;
        const double width = fd_twofold_minus(fd_edge_at(x, i + 1), fd_edge_at(x, i)).high;
        fd_sum_add(&area, width * fd_mean_linear(before, after, 1.0));
        before = after;
    }
    return fd_sum_total(area);
}

/* W_p of two rows. Distances are divided by the largest before they are raised to p, unless it goes well
 * without. */
double fd_hist_wasserstein(fd_edges x, fd_bins a, fd_edges y, fd_bins b, double p) {
    if (p == 1.0)
        return fd_same_edges(x, a.n, y, b.n) ? fd_hist_area(x, a, b) : fd_hist_power(x, a, y, b, 1.0, 1.0);
    if (p < INFINITY) {
        const double mean = fd_hist_power(x, a, y, b, p, 1.0);
        if (mean > 0x1p-60 && mean < 0x1p60)
            return p == 2.0 ? sqrt(mean) : pow(mean, 1.0 / p);
    }
    const double largest = fd_hist_power(x, a, y, b, INFINITY, 1.0);
    if (largest == 0.0 || p == INFINITY)
        return largest;
    return largest * pow(fd_hist_power(x, a, y, b, p, largest), 1.0 / p);
}

double fd_work_of_hist(const fd_hists *u, const fd_hists *v) { return 100.0 * (double)(u->bins + v->bins); }

void fd_wasserstein_of_hists(const fd_hists *u, const fd_hists *v, double p, int64_t first, int64_t last,
                             double *result) {
    const fd_edges x = {u->high, u->low}, y = {v->high, v->low};
#ifdef _OPENMP
    const double rows = (double)(last - first);
    const int team = fd_team(fd_work_of_hist(u, v) * rows, rows);
#    pragma omp parallel for num_threads(team) schedule(static) if (team > 1)
#endif
    for (int64_t row = first; row < last; row++)
        result[row] = fd_hist_wasserstein(x, fd_bins_of(u, row), y, fd_bins_of(v, row), p);
}
