/* Transport between histograms: mass spread evenly within bins, each histogram with its own edges.
 *
 * p = 1: the area between two piecewise linear CDFs. Between neighbouring edges F - G runs straight from d to
 * e:
 *
 *     mean |F - G| = (|d| + |e|) / 2 where they have one sign, (d^2 + e^2) / (2 (|d| + |e|)) where they
 * cross.
 *
 * p > 1: between neighbouring levels F^-1 - G^-1 runs straight from d to e, and with |d| <= |e|
 *
 *     mean |F^-1 - G^-1|^p = (|e|^(p+1) -+ |d|^(p+1)) / ((p + 1) (|e| -+ |d|)), + where they cross.
 */
#ifndef FD_HIST_H
#define FD_HIST_H

/* Mean of |x|^p for x running straight from d to e. */
static inline double fd_mean_linear(double d, double e, double p) {
    const double small = fabs(d) < fabs(e) ? fabs(d) : fabs(e), large = fabs(d) < fabs(e) ? fabs(e) : fabs(d);
    if (large == 0.0)
        return 0.0;
    const double r = small / large;
    if ((d < 0.0) != (e < 0.0) && small > 0.0)
        return p == 1.0 ? large * (1.0 + r * r) / (2.0 * (1.0 + r))
                        : pow(large, p) * (1.0 + pow(r, p + 1.0)) / ((p + 1.0) * (1.0 + r));
    if (p == 1.0)
        return 0.5 * (small + large);
    if (p == 2.0)
        return large * large * (1.0 + r + r * r) / 3.0;
    const double gap = (large - small) / large; /* 1 - r without its rounding */
    return gap == 0.0 ? pow(large, p) : pow(large, p) * -expm1((p + 1.0) * log1p(-gap)) / ((p + 1.0) * gap);
}

/* W1. At an edge that both histograms have, F - G is exact; within a bin of the other one, its share of that
 * bin is rounded to 2^-53. */
static inline double fd_hist_area(const double *x, fd_masses a, const double *y, fd_masses b) {
    const double S = fd_mass_to_double(a.total), T = fd_mass_to_double(b.total), unit = 1.0 / (S * T);
    fd_sum area = {0.0, 0.0};
    fd_mass A = 0, B = 0; /* mass left of the bins i and j, which are the next to end */
    int64_t i = -1, j = -1;
    double last = 0.0, before = 0.0;
    while (i < a.n || j < b.n) { /* the next edges are x[i + 1] and y[j + 1] */
        const int from_u = j == b.n || (i < a.n && x[i + 1] <= y[j + 1]);
        const double point = from_u ? x[i + 1] : y[j + 1];
        if (i < a.n && x[i + 1] == point) {
            if (i >= 0)
                A += fd_mass_at(&a, i);
            i++;
        }
        if (j < b.n && y[j + 1] == point) {
            if (j >= 0)
                B += fd_mass_at(&b, j);
            j++;
        }
        double now = fd_cross_difference(A, b.total, B, a.total) * unit;
        if (i >= 0 && i < a.n && x[i] < point)
            now += fd_mass_to_double(fd_mass_at(&a, i)) / S * ((point - x[i]) / (x[i + 1] - x[i]));
        if (j >= 0 && j < b.n && y[j] < point)
            now -= fd_mass_to_double(fd_mass_at(&b, j)) / T * ((point - y[j]) / (y[j + 1] - y[j]));
        if (before != 0.0 || now != 0.0)
            fd_sum_add(&area, (point - last) * fd_mean_linear(before, now, 1.0));
        last = point;
        before = now;
    }
    return fd_sum_total(area);
}

/* Where the quantile function of a bin of mass a between two edges stands after the share (level - before) /
 * a. */
static inline double fd_within(double low, double high, double share) {
    return share <= 0.0 ? low : share >= 1.0 ? high : low + (high - low) * share;
}

/* Mean of (|F^-1 - G^-1| / scale)^p over the levels, or for p = inf their maximum. */
static inline double fd_hist_power(const double *x, fd_masses a, const double *y, fd_masses b, double p,
                                   double scale) {
    const double S = fd_mass_to_double(a.total), T = fd_mass_to_double(b.total), unit = 1.0 / (S * T);
    fd_sum mean = {0.0, 0.0};
    double largest = 0.0;
    fd_mass A = 0, B = 0; /* mass left of the bins i and j */
    int64_t i = 0, j = 0;
    fd_u256 level = {0, 0};
    while (i < a.n && j < b.n) {
        const fd_mass mass_a = fd_mass_at(&a, i), mass_b = fd_mass_at(&b, j);
        const fd_u256 u_start = fd_product(A, b.total), v_start = fd_product(B, a.total);
        const fd_u256 u_end = fd_product(A + mass_a, b.total), v_end = fd_product(B + mass_b, a.total);
        const fd_u256 next = fd_less(u_end, v_end) ? u_end : v_end, mass = fd_minus(next, level);
        if (mass.high | mass.low) {
            const double in_u = fd_mass_to_double(mass_a) * T, in_v = fd_mass_to_double(mass_b) * S;
            const double from_x =
                fd_within(x[i], x[i + 1], fd_u256_to_double(fd_minus(level, u_start)) / in_u);
            const double from_y =
                fd_within(y[j], y[j + 1], fd_u256_to_double(fd_minus(level, v_start)) / in_v);
            const double to_x = fd_within(x[i], x[i + 1], fd_u256_to_double(fd_minus(next, u_start)) / in_u);
            const double to_y = fd_within(y[j], y[j + 1], fd_u256_to_double(fd_minus(next, v_start)) / in_v);
            const double d = from_x - from_y, e = to_x - to_y;
            largest = fabs(d) > largest ? fabs(d) : largest;
            largest = fabs(e) > largest ? fabs(e) : largest;
            if (p < INFINITY)
                fd_sum_add(&mean, fd_u256_to_double(mass) * unit * fd_mean_linear(d / scale, e / scale, p));
        }
        level = next;
        if (!fd_less(next, u_end)) {
            A += mass_a;
            i++;
        }
        if (!fd_less(next, v_end)) {
            B += mass_b;
            j++;
        }
    }
    return p < INFINITY ? fd_sum_total(mean) : largest;
}

/* W_p of masses a in the bins with edges x (a.n + 1 of them) and masses b in the bins with edges y. */
static inline double fd_hist_wasserstein(const double *x, const double *a, int64_t n, const double *y,
                                         const double *b, int64_t m, double p) {
    const fd_masses u = fd_masses_of(a, n), v = fd_masses_of(b, m);
    if (p == 1.0)
        return fd_hist_area(x, u, y, v);
    const double largest = fd_hist_power(x, u, y, v, INFINITY, 1.0);
    if (largest == 0.0 || p == INFINITY)
        return largest;
    return largest * pow(fd_hist_power(x, u, y, v, p, largest), 1.0 / p);
}

#endif
