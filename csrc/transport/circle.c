/* Transport on a circle of circumference P.
 *
 * W_p^p is the least over offsets s of
 *
 *     cost(s) = int_0^1 |F^-1(t) - G^-1(t + s)|^p dt,      G^-1(t + 1) = G^-1(t) + P,
 *
 * convex in s and, for atoms, straight between the offsets at which a level of F meets one of G (Delon,
 * Salomon, Sobolevski, SIAM J. Appl. Math. 70 (2010) 2239). The least is at one of those, and where the slope
 * changes its sign. Levels and offsets are integers, masses times the other's total; a rounded offset would
 * leave slivers paired with neighbours (2e-9 in W_2 where the truth is 0). Slopes are sums of rounded powers;
 * where one is taken for the wrong sign, the costs on both sides agree to rounding.
 *
 * A point is its remainder in [-P/2, P/2], which is a double where it and P are: nothing is rounded before
 * distances are taken, on either side of the cut.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "math/sum.h"
#include "transport/distance.h"
#include "transport/exact.h"
#include "transport/mass.h"
#include "transport/memory.h"
#include "transport/transport.h"

typedef struct {
    fd_arc u, v;
    fd_u256 *u_level, *v_level; /* up to and with each atom; the last is `whole` */
    fd_u256 whole;
    fd_twofold period;
    double p;
} fd_circle;

/* Where a walk over t from 0 is in v: at atom j, `turn` times round. */
typedef struct {
    int64_t j;
    int turn;
    fd_u256 base, lap; /* its atom ends at t = level[j] + lap - base */
} fd_lap;

static fd_u256 fd_plus(fd_u256 x, fd_u256 y) {
    fd_u256 r = {x.high + y.high, x.low + y.low};
    r.high += r.low < x.low;
    return r;
}

static fd_u256 fd_halfway(fd_u256 x, fd_u256 y) { /* x <= y */
    const fd_u256 gap = fd_minus(y, x), half = {gap.high >> 1, gap.low >> 1 | gap.high << 127};
    return fd_plus(x, half);
}

static double fd_circle_distance(const fd_circle *c, int64_t i, int64_t j, int turn) {
    const double x = c->u.high[i], y = c->v.high[j], turns = (double)-turn;
    const fd_twofold d = fd_two_sum(x, -y), e = fd_two_sum(d.high, turns * c->period.high);
    return fabs(e.high + (e.low + (d.low + (c->u.low[i] - c->v.low[j] + turns * c->period.low))));
}

/* Offsets count from one turn back: s = whole is none. */
static fd_lap fd_lap_from(const fd_circle *c, fd_u256 s) {
    fd_lap lap = {0, -1, s, {0, 0}};
    for (; !fd_less(lap.base, c->whole); lap.turn++)
        lap.base = fd_minus(lap.base, c->whole);
    for (int64_t end = c->v.n - 1; lap.j < end;) { /* the first level above the base */
        const int64_t middle = lap.j + (end - lap.j) / 2;
        if (fd_less(lap.base, c->v_level[middle]))
            end = middle;
        else
            lap.j = middle + 1;
    }
    return lap;
}

static fd_u256 fd_lap_end(const fd_circle *c, fd_lap lap) {
    return fd_minus(fd_plus(c->v_level[lap.j], lap.lap), lap.base);
}

static void fd_lap_on(const fd_circle *c, fd_lap *lap) {
    if (++lap->j == c->v.n) {
        lap->j = 0;
        lap->turn++;
        lap->lap = c->whole;
    }
}

/* The slope of the cost right of s up to a factor > 0; it is the same until *next. A larger offset moves each
 * of the m jumps of G^-1 to the left, within the atom of u that ends there or later. With scale = 0: the
 * largest distance that the slope takes into account. */
static double fd_circle_slope_in(const fd_circle *c, fd_u256 s, double scale, fd_u256 *next) {
    fd_lap lap = fd_lap_from(c, s);
    fd_sum slope = {0.0, 0.0};
    fd_u256 least = c->whole, start = {0, 0};
    double after = 0.0, largest = 0.0;
    int64_t i = 0;
    for (int64_t k = 0, known = -1; k < c->v.n; k++) {
        const fd_u256 t = fd_lap_end(c, lap);
        for (; fd_less(c->u_level[i], t); i++)
            start = c->u_level[i];
        const fd_u256 room = fd_minus(t, start);
        least = fd_less(room, least) ? room : least;
        const double before = known == i ? after : fd_circle_distance(c, i, lap.j, lap.turn);
        fd_lap_on(c, &lap);
        after = fd_circle_distance(c, i, lap.j, lap.turn);
        known = i;
        if (scale == 0.0) {
            largest = before > largest ? before : largest;
            largest = after > largest ? after : largest;
        } else if (before != after)
            fd_sum_add(&slope, fd_power(after / scale, c->p) - fd_power(before / scale, c->p));
    }
    *next = fd_plus(s, least);
    return scale == 0.0 ? largest : fd_sum_total(slope);
}

static double fd_circle_slope(const fd_circle *c, fd_u256 s, fd_u256 *next) {
    const double scale = c->p == 1.0 ? 1.0 : fd_circle_slope_in(c, s, 0.0, next);
    return scale == 0.0 ? 0.0 : fd_circle_slope_in(c, s, scale, next);
}

/* The least offset right of which the cost does not fall. */
static fd_u256 fd_circle_offset(const fd_circle *c) {
    fd_u256 low = {0, 0}, high = fd_plus(c->whole, c->whole), next;
    while (fd_circle_slope(c, low, &next) < 0.0) {
        low = next;
        if (!fd_less(low, high))
            break;
        const fd_u256 middle = fd_halfway(low, high);
        if (fd_circle_slope(c, middle, &next) < 0.0)
            low = next;
        else
            high = middle;
    }
    return low;
}

/* Mean of (distance / scale)^p at offset s; for p = inf the largest distance. */
static double fd_circle_power(const fd_circle *c, fd_u256 s, double p, double scale) {
    const double unit = 1.0 / fd_u256_to_double(c->whole);
    fd_lap lap = fd_lap_from(c, s);
    fd_sum mean = {0.0, 0.0};
    fd_u256 t = {0, 0};
    double largest = 0.0;
    for (int64_t i = 0; i < c->u.n;) {
        const fd_u256 u_end = c->u_level[i], v_end = fd_lap_end(c, lap);
        const fd_u256 next = fd_less(u_end, v_end) ? u_end : v_end, mass = fd_minus(next, t);
        if (mass.high | mass.low) {
            const double d = fd_circle_distance(c, i, lap.j, lap.turn);
            largest = d > largest ? d : largest;
            if (p < INFINITY)
                fd_sum_add(&mean, fd_u256_to_double(mass) * unit * fd_power(d / scale, p));
        }
        t = next;
        i += !fd_less(next, u_end);
        if (!fd_less(next, v_end))
            fd_lap_on(c, &lap);
    }
    return p < INFINITY ? fd_sum_total(mean) : largest;
}

static void fd_circle_levels(fd_masses a, fd_mass other, fd_u256 *level) {
    fd_mass sum = 0;
    for (int64_t i = 0; i < a.n; i++) {
        sum += fd_mass_at(&a, i);
        level[i] = fd_product(sum, other);
    }
}

double fd_circle_wasserstein(fd_arc u, fd_arc v, double period, double period_low, double p) {
    const fd_masses a = fd_masses_of(u.weights, u.n), b = fd_masses_of(v.weights, v.n);
    fd_u256 *level = fd_allocate((size_t)(u.n + v.n) * sizeof *level);
    if (!level)
        return -1.0;
    const fd_circle c = {u, v, level, level + u.n, fd_product(a.total, b.total), {period, period_low}, p};
    fd_circle_levels(a, b.total, c.u_level);
    fd_circle_levels(b, a.total, c.v_level);
    const fd_u256 s = fd_circle_offset(&c);
    double result = p == 1.0 ? fd_circle_power(&c, s, 1.0, 1.0) : fd_circle_power(&c, s, INFINITY, 1.0);
    if (p > 1.0 && result > 0.0) {
        const double mean = fd_circle_power(&c, s, p, result);
        result *= p == 2.0 ? sqrt(mean) : pow(mean, 1.0 / p);
    }
    free(level);
    return result;
}
