/* Cells of one power-of-two width over the bulk of two samples.
 *
 * Cell k in 1..cells holds the x for which x / width rounds to origin + k (ties to even); cells 0 and cells +
 * 1 hold what lies below and above, infinities and NaNs included. width is a power of two and origin an
 * integer, so x / width, its nearest integer and the edges are exact: no value falls into a wrong cell, at
 * any offset.
 */
#ifndef FD_GRID_H
#define FD_GRID_H

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { FD_BATCH = 1024 };

typedef struct {
    double width, per_width; /* 1 / width */
    double origin;
    int32_t cells;
} fd_grid;

/* The edge between cells k and k + 1. */
static inline double fd_edge(fd_grid grid, int64_t k) { return (grid.origin + (double)k + 0.5) * grid.width; }

/* Cell and place within the cell, in [-1/2, 1/2], of n <= FD_BATCH values. The place is of no use in cells 0
 * and cells + 1. Adding 3 * 2^51 rounds to an integer, exactly so for |t| < 2^51, and leaves it in the low
 * bits. */
static inline void fd_locate(const double *restrict x, int n, fd_grid grid, int32_t *restrict cell,
                             double *restrict place) {
    const double zero = 0x1.8p52, top = 0x1.8p52 + (double)grid.cells + 1.0, magic = 0x1.8p52 - grid.origin;
    for (int i = 0; i < n; i++) {
        const double t = x[i] * grid.per_width, near = t + magic;
        place[i] = t - (near - magic);
        const double low = near > zero ? near : zero; /* NaN goes to cell 0 */
        const double clamped = low < top ? low : top;
        uint64_t bits;
        memcpy(&bits, &clamped, sizeof bits);
        cell[i] = (int32_t)(uint32_t)bits;
    }
}

/* A grid for a sorted `sample`, of at most `cells` cells where it lies evenly or as a normal law does: it
 * reaches over its 10 % to 90 % quantiles and at most their distance beyond them: values in far tails are
 * cheaper sorted than paid for with wide cells. Where the densest eighth of the sample is more than 4 times
 * denser than the whole, there are up to 4 times more cells in large samples: two samples of one law meet often there. cells =
 * 0: no grid is possible (all equal, not finite, or of extreme size). */
static inline fd_grid fd_grid_over(const double *sample, int n, int32_t cells) {
    fd_grid grid = {0.0, 0.0, 0.0, 0};
    const double low = sample[n / 10], high = sample[n - 1 - n / 10], reach = high - low;
    const double from = sample[0] > low - reach ? sample[0] : low - reach;
    const double to = sample[n - 1] < high + reach ? sample[n - 1] : high + reach;
    const double largest = fabs(from) > fabs(to) ? fabs(from) : fabs(to);
    if (!(to > from) || !(largest < 0x1p1000) || !(to - from > 0x1p-900))
        return grid;
    const int finer = cells < 16384 ? 0 : 2; /* few values do not pay for more cells */
    double densest = to - from;
    for (int i = 0; i + n / 8 < n; i++)
        densest = sample[i + n / 8] - sample[i] < densest ? sample[i + n / 8] - sample[i] : densest;
    for (int k = 0; k < finer && 8.0 * densest * 4.0 * (double)(1 << k) < to - from; k++)
        cells *= 2;
    int exponent;
    frexp((to - from) / (double)(cells - 1), &exponent); /* width > range / (cells - 1) */
    if (largest >= ldexp(0x1p48, exponent))              /* neighbouring numbers are wider apart than cells */
        frexp(largest * 0x1p-48, &exponent);
    grid.width = ldexp(1.0, exponent);
    grid.per_width = ldexp(1.0, -exponent);
    grid.origin = nearbyint(from * grid.per_width) - 1.0;
    grid.cells = (int32_t)(nearbyint(to * grid.per_width) - grid.origin);
    return grid;
}

#endif
