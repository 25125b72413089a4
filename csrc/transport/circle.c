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
 * The template rotation.h does it with levels of 64 bits, for counts, and of 256 bits, for exact masses.
 *
 * A point is its remainder in [-P/2, P/2], which is a double where it and P are: nothing is rounded before
 * distances are taken, on either side of the cut.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "transport/exact.h"
#include "transport/mass.h"
#include "transport/memory.h"
#include "transport/rotations.h"
#include "transport/transport.h"

/* A distance is below three turns. */
static double fd_scale_of(fd_twofold period, double p) {
    int exponent;
    frexp(period.high, &exponent);
    return p == 1.0 ? 1.0 : ldexp(1.0, exponent + 2);
}

static double fd_circle_of_counts(fd_arc u, fd_arc v, fd_twofold period, double p, uint64_t *level,
                                  const fd_gradients *out) {
    const fd_circle_u64 c = {
        u, v, level, level + u.n, (uint64_t)(u.n * v.n), period, p, fd_scale_of(period, p)};
    fd_levels_of_counts(u.n, v.n, level);
    fd_levels_of_counts(v.n, u.n, level + u.n);
    return fd_circle_solved_u64(&c, out);
}

static double fd_circle_of_masses(fd_arc u, fd_arc v, fd_twofold period, double p, fd_u256 *level,
                                  const fd_gradients *out) {
    const fd_masses a = fd_masses_of(u.weights, u.n), b = fd_masses_of(v.weights, v.n);
    const fd_circle_u256 c = {
        u, v, level, level + u.n, fd_product(a.total, b.total), period, p, fd_scale_of(period, p)};
    fd_levels_of_masses(a, b.total, level);
    fd_levels_of_masses(b, a.total, level + u.n);
    return fd_circle_solved_u256(&c, out);
}

static double fd_circle_with(fd_arc u, fd_arc v, fd_twofold period, double p, const fd_gradients *out) {
    const int counts = !u.weights && !v.weights && (double)u.n * (double)v.n < 0x1p60;
    void *level = fd_allocate((size_t)(u.n + v.n) * (counts ? sizeof(uint64_t) : sizeof(fd_u256)));
    if (!level)
        return -1.0;
    const double W = counts ? fd_circle_of_counts(u, v, period, p, level, out)
                            : fd_circle_of_masses(u, v, period, p, level, out);
    free(level);
    return W;
}

double fd_circle_wasserstein(fd_arc u, fd_arc v, double period, double period_low, double p) {
    return fd_circle_with(u, v, (fd_twofold){period, period_low}, p, NULL);
}

double fd_circle_gradient(fd_arc u, fd_arc v, double period, double period_low, double p,
                          const fd_gradients *out) {
    const fd_arc x[2] = {u, v};
    const double W = fd_circle_with(u, v, (fd_twofold){period, period_low}, p, out);
    for (int k = 0; k < 2; k++) {
        const fd_masses a = fd_masses_of(x[k].weights, x[k].n);
        if (W > 0.0)
            fd_by_weights(out->weights[k], x[k].n, a, p, 0);
        for (int64_t i = 0; i < x[k].n; i++) {
            out->values[k][i] = W > 0.0 ? out->values[k][i] * fd_lost_in(&a, i) : 0.0;
            out->weights[k][i] = W > 0.0 ? out->weights[k][i] : 0.0;
        }
    }
    return W;
}
