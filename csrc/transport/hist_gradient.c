/* Transport between histograms with its derivatives by the masses of every bin, rows end to end.
 *
 * With x - T(x), T = G^-1(F(x)), the potential f of Kantorovich rises by
 *
 *     f'(x) = g(x - T(x)),      g(d) = sgn(d) (|d| / W)^(p-1),
 *
 * and W by a share of mass in a bin as the mean of f over it does. In a bin x - T runs straight between the
 * levels at which a bin of either histogram ends. Where u has no mass, T is G^-1 at that level; where G^-1
 * jumps there, too, there are two T, and the mean of both is a subgradient.
 */
#include <math.h>
#include <stdint.h>

#include "core/core.h"
#include "math/sum.h"
#include "transport/bins.h"
#include "transport/exact.h"
#include "transport/mass.h"
#include "transport/slope.h"
#include "transport/transport.h"

/* Of g along a stretch from 0 to 1: its integral, and that of (1 - s) g(s), the mean of f above its start. */
typedef struct {
    double rise, mean;
} fd_gain;

/* (|d| / W)^(p-1), at most FD_BEYOND. */
static double fd_steepness(double d, double p, double W) {
    const double g = p == 1.0 ? 1.0 : fd_power(d / W, p - 1.0);
    return g < FD_BEYOND ? g : FD_BEYOND;
}

/* For |x - T| from `small` to `large` over the latter's g, and its mean weighed by the nearness to `small`.
 * Where both are nearly the same, powers would cancel; there 8 nodes of Gauss are as good, as the integrand
 * has its branch point at least 4 lengths off and exponents of at most 1. */
static fd_gain fd_gain_up(double small, double large, double p) {
    static const double node[4] = {0.1834346424956498, 0.525532409916329, 0.7966664774136267,
                                   0.9602898564975363};
    static const double weight[4] = {0.362683783378362, 0.3137066458778873, 0.22238103445337448,
                                     0.10122853629037626};
    const double h = (large - small) / large; /* 1 - small / large without its rounding */
    if (p == 1.0)
        return (fd_gain){1.0, 0.5};
    if (p == 2.0)
        return (fd_gain){1.0 - 0.5 * h, 0.5 - h / 3.0};
    if (h >= 0.25 || h * p >= 1.0) {
        const double power = -expm1(p * log1p(-h)) / p, next = -expm1((p + 1.0) * log1p(-h)) / (p + 1.0);
        return (fd_gain){power / h, (power - next) / (h * h)};
    }
    fd_gain sum = {0.0, 0.0};
    for (int k = 0; k < 8; k++) {
        const double s = 0.5 + (k < 4 ? 0.5 : -0.5) * node[k % 4];
        const double g = 0.5 * weight[k % 4] * pow(1.0 - h * s, p - 1.0);
        sum.rise += g;
        sum.mean += g * s;
    }
    return sum;
}

/* x - T runs straight from d to e. */
static fd_gain fd_gain_of(double d, double e, double p, double W) {
    const double x = fabs(d), y = fabs(e), sign = x > 0.0 ? copysign(1.0, d) : copysign(1.0, e);
    if (x == 0.0 && y == 0.0)
        return (fd_gain){0.0, 0.0};
    if ((d < 0.0) != (e < 0.0) && x > 0.0 && y > 0.0) {
        const double first = x / (x + y), rest = y / (x + y);
        const double down = sign * fd_steepness(x, p, W), up = -sign * fd_steepness(y, p, W);
        return (fd_gain){(first * down + rest * up) / p,
                         first * down * (rest / p + first / (p + 1.0)) + rest * rest * up / (p * (p + 1.0))};
    }
    const fd_gain up = fd_gain_up(x < y ? x : y, x < y ? y : x, p);
    const double g = sign * fd_steepness(x < y ? y : x, p, W);
    return (fd_gain){g * up.rise, g * (x < y ? up.mean : up.rise - up.mean)};
}

/* A bin of v that has mass, between levels. */
typedef struct {
    int64_t j;
    fd_mass through; /* mass up to its upper edge */
    fd_u256 start, end;
} fd_place;

/* On to the next one; whether that is the neighbour. */
static int fd_place_on(fd_place *v, const fd_bins *b, fd_mass other) {
    const int64_t j = v->j;
    v->start = v->end;
    do
        v->through += fd_bin_mass(b, ++v->j);
    while (!fd_bin_mass(b, v->j));
    v->end = fd_product(v->through, other);
    return v->j == j + 1;
}

/* x - T at the level t, v->start <= t <= v->end. */
static double fd_gap_from(fd_twofold x, fd_edges y, const fd_place *v, fd_u256 t) {
    if (!fd_less(v->start, t))
        return fd_twofold_minus(x, fd_edge_at(y, v->j)).high;
    if (!fd_less(t, v->end))
        return fd_twofold_minus(x, fd_edge_at(y, v->j + 1)).high;
    return fd_edge_difference(x, y, v->j, fd_minus(t, v->start), fd_minus(v->end, v->start));
}

/* x - T where the bin i of u, from one level to another, is at t: one of these, or where v's bin begins or
 * ends. */
static double fd_gap_within(fd_edges x, int64_t i, fd_u256 start, fd_u256 end, fd_edges y, const fd_place *v,
                            fd_u256 t) {
    if (!fd_less(start, t))
        return fd_gap_from(fd_edge_at(x, i), y, v, t);
    if (!fd_less(t, end))
        return fd_gap_from(fd_edge_at(x, i + 1), y, v, t);
    const fd_twofold edge = fd_edge_at(y, fd_less(v->start, t) ? v->j + 1 : v->j);
    return -fd_edge_difference(edge, x, i, fd_minus(t, start), fd_minus(end, start));
}

/* The bin i, without mass, at the level t between two places. With both T the rise is
 * |x' - T'|^p - |x - T|^p + |x' - T|^p - |x - T'|^p over 2p, terms that are small where the histograms are
 * nearly the same: |x' - T| - |x - T'| = (x' - T') + (x - T) there. */
static fd_gain fd_gain_without_mass(fd_edges x, int64_t i, fd_edges y, const fd_place v[2], fd_u256 t,
                                    double p, double W) {
    const fd_twofold from = fd_edge_at(x, i), to = fd_edge_at(x, i + 1);
    const double width = fd_twofold_minus(to, from).high;
    const double d = fd_gap_from(from, y, v, t), e = fd_gap_from(to, y, v, t);
    fd_gain gain = fd_gain_of(d, e, p, W);
    if (v[1].j != v[0].j) {
        const double d_above = fd_gap_from(from, y, v + 1, t), e_above = fd_gap_from(to, y, v + 1, t);
        const fd_twofold back = {d_above, 0.0}, across = fd_two_sum(-d_above, d + e_above);
        const fd_gain above = fd_gain_of(d_above, e_above, p, W);
        gain.mean = 0.5 * gain.mean + 0.5 * above.mean;
        gain.rise = (0.5 * fd_rise((fd_twofold){d, 0.0}, (fd_twofold){e_above, 0.0}, p, W) +
                     0.5 * fd_rise(back, d_above < 0.0 && e > 0.0 ? across : (fd_twofold){e, 0.0}, p, W)) /
                    (p * width);
    }
    return gain;
}

static double fd_bounded(double x) { return fabs(x) < FD_BEYOND ? x : copysign(FD_BEYOND, x); }

/* The derivatives of W_p = W by the masses of one side. */
static void fd_slopes_of_bins(fd_edges x, fd_bins a, fd_edges y, fd_bins b, double p, double W,
                              double *slope) {
    const fd_u256 whole = fd_product(a.total, b.total);
    fd_place v[2] = {{.j = -1}}; /* where T is, below and above the level t */
    fd_place_on(v, &b, a.total);
    v[1] = v[0];
    fd_u256 t = {0, 0};
    fd_mass A = 0;
    fd_sum height = {0.0, 0.0}, mean = {0.0, 0.0};
    double e = 0.0;
    int joined = 0; /* x - T goes on from e */
    for (int64_t i = 0; i < a.n; i++) {
        const fd_mass mass = fd_bin_mass(&a, i);
        const double width = fd_twofold_minus(fd_edge_at(x, i + 1), fd_edge_at(x, i)).high;
        if (!mass) {
            const fd_gain gain = fd_gain_without_mass(x, i, y, v, t, p, W);
            slope[i] = fd_sum_total(height) + fd_bounded(width * gain.mean);
            fd_sum_add(&height, fd_bounded(width * gain.rise));
            joined = 0;
            continue;
        }
        A += mass;
        const fd_u256 start = t, end = fd_product(A, b.total);
        const double unit = 1.0 / fd_u256_to_double(fd_minus(end, start));
        fd_sum average = {0.0, 0.0};
        v[0] = v[1];
        for (;;) {
            const fd_u256 next = fd_less(end, v->end) ? end : v->end;
            const double share = fd_u256_to_double(fd_minus(next, t)) * unit;
            const double d = joined ? e : fd_gap_within(x, i, start, end, y, v, t);
            e = fd_gap_within(x, i, start, end, y, v, next);
            const fd_gain gain = fd_gain_of(d, e, p, W);
            fd_sum_add(&average, share * (fd_sum_total(height) + fd_bounded(share * width * gain.mean)));
            fd_sum_add(&height, fd_bounded(share * width * gain.rise));
            t = next;
            if (!fd_less(t, end))
                break;
            joined = fd_place_on(v, &b, a.total);
        }
        v[1] = v[0];
        joined = 1;
        if (!fd_less(t, v->end) && fd_less(t, whole))
            joined = fd_place_on(v + 1, &b, a.total);
        slope[i] = fd_sum_total(average);
        fd_sum_add(&mean, slope[i] * (fd_mass_to_double(mass) / fd_mass_to_double(a.total)));
    }
    const double middle = fd_sum_total(mean);
    for (int64_t i = 0; i < a.n; i++) {
        const double rest = slope[i] - middle;
        slope[i] = fabs(rest) < FD_BEYOND / 2 ? rest : copysign(INFINITY, rest);
    }
    fd_by_weights(slope, a.n, (fd_masses){.n = a.n, .total = a.total, .scale = a.scale}, 1.0, 0);
}

static void fd_hist_gradient(const fd_hists *u, const fd_hists *v, double p, int64_t row, double *value,
                             double *by_u, double *by_v) {
    const fd_edges x = {u->high, u->low}, y = {v->high, v->low};
    const fd_bins a = fd_bins_of(u, row), b = fd_bins_of(v, row);
    const double W = value[row] = fd_hist_wasserstein(x, a, y, b, p);
    by_u += row * u->bins;
    by_v += row * v->bins;
    if (W > 0.0 && W < INFINITY) {
        fd_slopes_of_bins(x, a, y, b, p, W, by_u);
        fd_slopes_of_bins(y, b, x, a, p, W, by_v);
        return;
    }
    for (int64_t i = 0; i < u->bins; i++)
        by_u[i] = 0.0;
    for (int64_t j = 0; j < v->bins; j++)
        by_v[j] = 0.0;
}

void fd_gradients_of_hists(const fd_hists *u, const fd_hists *v, double p, int64_t first, int64_t last,
                           double *value, double *by_u, double *by_v) {
#ifdef _OPENMP
    const double rows = (double)(last - first);
    const int team = fd_team(4.0 * fd_work_of_hist(u, v) * rows, rows);
#    pragma omp parallel for num_threads(team) schedule(static) if (team > 1)
#endif
    for (int64_t row = first; row < last; row++)
        fd_hist_gradient(u, v, p, row, value, by_u, by_v);
}
