/* Loops over the slopes of careful.h, compiled once per instruction set: in lanes as those of slope_loops.h.
 */
#include "rows/careful.h"
#include "rows/loops.h"

typedef struct {
    double high[FD_LANES], low[FD_LANES];
} fd_twofold_lanes;

FD_INLINE fd_twofold fd_twofold_lane(const fd_twofold_lanes *lanes, int i) {
    return (fd_twofold){lanes->high[i], lanes->low[i]};
}

static fd_twofold fd_fold_twofold(const fd_twofold_lanes *lanes) {
    fd_twofold sum = {0.0, 0.0};
    for (int lane = 0; lane < FD_LANES; lane++)
        sum = fd_twofold_plus(sum, fd_twofold_lane(lanes, lane));
    return sum;
}

/* Adds mass times slope, 0 where there is no mass. */
FD_INLINE void fd_add_careful(fd_twofold_lanes *sums, int lane, double mass, fd_twofold slope) {
    const fd_twofold product = fd_twofold_scaled(slope, mass);
    const fd_twofold added = {mass > 0.0 ? product.high : 0.0, mass > 0.0 ? product.low : 0.0};
    const fd_twofold sum = fd_twofold_plus(fd_twofold_lane(sums, lane), added);
    sums->high[lane] = sum.high;
    sums->low[lane] = sum.low;
}

#define FD_CAREFUL_LOOP(name, ...)                                                                           \
    static fd_careful_slopes fd_careful_loop_##name(const double *p_row, const double *q_row, ptrdiff_t n,   \
                                                    const fd_careful_pair *pair_in,                          \
                                                    fd_careful_slopes *slopes) {                             \
        const fd_careful_pair copy = *pair_in, *pair = &copy;                                                \
        fd_twofold_lanes xs = {{0}, {0}}, ys = {{0}, {0}}, x, y;                                             \
        double p[FD_LANES], q[FD_LANES];                                                                     \
        for (ptrdiff_t i = 0; i < n; i += FD_LANES) {                                                        \
            ptrdiff_t size = n - i < FD_LANES ? n - i : FD_LANES;                                            \
            fd_pad(p, p_row + i, size, 0.0);                                                                 \
            fd_pad(q, q_row + i, size, 0.0);                                                                 \
            _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) {                                \
                const fd_careful_slopes s =                                                                  \
                    fd_careful_##name(fd_careful_bin_of(p[lane], q[lane], pair), pair);                      \
                x.high[lane] = s.by_x.high;                                                                  \
                x.low[lane] = s.by_x.low;                                                                    \
                y.high[lane] = s.by_y.high;                                                                  \
                y.low[lane] = s.by_y.low;                                                                    \
            }                                                                                                \
            for (ptrdiff_t lane = 0; slopes && lane < size; lane++)                                          \
                slopes[i + lane] =                                                                           \
                    (fd_careful_slopes){fd_twofold_lane(&x, (int)lane), fd_twofold_lane(&y, (int)lane)};     \
            if (slopes)                                                                                      \
                continue;                                                                                    \
            _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) {                                \
                fd_add_careful(&xs, lane, p[lane], fd_twofold_lane(&x, lane));                               \
                fd_add_careful(&ys, lane, q[lane], fd_twofold_lane(&y, lane));                               \
            }                                                                                                \
        }                                                                                                    \
        if (slopes)                                                                                          \
            return (fd_careful_slopes){{0.0, 0.0}, {0.0, 0.0}};                                              \
        return (fd_careful_slopes){fd_fold_twofold(&xs), fd_fold_twofold(&ys)};                              \
    }

FD_SUMMED(FD_CAREFUL_LOOP)
FD_CAREFUL_LOOP(entropy)
#undef FD_CAREFUL_LOOP

static fd_twofold fd_excess_loop(const double *p_row, const double *q_row, ptrdiff_t n,
                                 const fd_careful_pair *pair_in) {
    const fd_careful_pair copy = *pair_in, *pair = &copy;
    fd_twofold_lanes sums = {{0}, {0}};
    double p[FD_LANES], q[FD_LANES];
    for (ptrdiff_t i = 0; i < n; i += FD_LANES) {
        ptrdiff_t size = n - i < FD_LANES ? n - i : FD_LANES;
        fd_pad(p, p_row + i, size, 0.0);
        fd_pad(q, q_row + i, size, 0.0);
#pragma omp simd
        for (int lane = 0; lane < FD_LANES; lane++) {
            const fd_twofold d = fd_careful_bin_of(p[lane], q[lane], pair).d;
            const fd_twofold sum = fd_twofold_plus(fd_twofold_lane(&sums, lane), d);
            sums.high[lane] = sum.high;
            sums.low[lane] = sum.low;
        }
    }
    return fd_fold_twofold(&sums);
}

/* Chains of four sums of products, each of which is off by half a u of the root of their squares at most; and their
 * sums to two doubles. */
enum { FD_CHAIN = 4 };
FD_INLINE void fd_add_products(double *sums, const double *x, const double *y) {
#pragma omp simd
    for (int lane = 0; lane < FD_LANES; lane++) {
        const double product = fd_madd(x[lane], y[lane], sums[lane]);
        sums[lane] = x[lane] > 0.0 ? product : sums[lane];
    }
}

static fd_twofold fd_products_loop(const double *x, const double *y, ptrdiff_t n) {
    double sums[FD_LANES] = {0}, errors[FD_LANES] = {0}, x_tail[FD_LANES], y_tail[FD_LANES];
    for (ptrdiff_t start = 0; start < n; start += FD_CHAIN * FD_LANES) {
        double chain[FD_LANES] = {0};
        ptrdiff_t end = n - start < FD_CHAIN * FD_LANES ? n : start + FD_CHAIN * FD_LANES, i = start;
        for (; i + FD_LANES <= end; i += FD_LANES)
            fd_add_products(chain, x + i, y + i);
        if (i < end) {
            fd_pad(x_tail, x + i, end - i, 0.0);
            fd_pad(y_tail, y + i, end - i, 0.0);
            fd_add_products(chain, x_tail, y_tail);
        }
#pragma omp simd
        for (int lane = 0; lane < FD_LANES; lane++) {
            const fd_twofold sum = fd_two_sum(sums[lane], chain[lane]);
            sums[lane] = sum.high;
            errors[lane] += sum.low;
        }
    }
    fd_twofold all = {0.0, 0.0};
    for (int lane = 0; lane < FD_LANES; lane++)
        all = fd_twofold_plus(all, fd_two_sum(sums[lane], errors[lane]));
    return all;
}

/* fd_settle_loop, and the sum of x times what it leaves before scaling. Nothing is padded: of long rows. */
static double fd_settle_long_loop(double *slopes, const double *x, ptrdiff_t n, double mean,
                                  const double *scale, fd_twofold *rest) {
    double sums[FD_LANES] = {0}, errors[FD_LANES] = {0}, first = scale[0], second = scale[1],
           third = scale[2], least = INFINITY;
    ptrdiff_t i = 0;
    while (i + FD_LANES <= n) {
        double chain[FD_LANES] = {0};
        for (int k = 0; k < FD_CHAIN && i + FD_LANES <= n; k++, i += FD_LANES) {
#pragma omp simd reduction(min : least)
            for (int lane = 0; lane < FD_LANES; lane++) {
                const double mass = x[i + lane], slope = slopes[i + lane] - mean, size = fabs(slope);
                const double product = fd_madd(mass, slope, chain[lane]);
                chain[lane] = mass > 0.0 ? product : chain[lane];
                least = size < least ? size : least;
                slopes[i + lane] = slope * first * second * third;
            }
        }
#pragma omp simd
        for (int lane = 0; lane < FD_LANES; lane++) {
            const fd_twofold sum = fd_two_sum(sums[lane], chain[lane]);
            sums[lane] = sum.high;
            errors[lane] += sum.low;
        }
    }
    for (; i < n; i++) {
        const double slope = slopes[i] - mean;
        *rest = fd_twofold_plus(*rest, (fd_twofold){x[i] > 0.0 ? x[i] * slope : 0.0, 0.0});
        least = fabs(slope) < least ? fabs(slope) : least;
        slopes[i] = slope * first * second * third;
    }
    for (int lane = 0; lane < FD_LANES; lane++)
        *rest = fd_twofold_plus(*rest, fd_two_sum(sums[lane], errors[lane]));
    return least;
}

static void fd_sizes_loop(const double *x, const double *g, ptrdiff_t n, double to_slope, double mean,
                          double *total, double *squares) {
    double sum = 0.0, of_squares = 0.0;
#pragma omp simd reduction(+ : sum, of_squares)
    for (ptrdiff_t i = 0; i < n; i++) {
        double product = x[i] * fabs(fd_madd(g[i], to_slope, mean)), term = x[i] > 0.0 ? product : 0.0;
        sum += term;
        of_squares += term * term;
    }
    *total = sum;
    *squares = of_squares;
}

static ptrdiff_t fd_below_loop(const double *g, ptrdiff_t n, double least) {
    double count = 0.0;
#pragma omp simd reduction(+ : count)
    for (ptrdiff_t i = 0; i < n; i++)
        count += fabs(g[i]) < least ? 1.0 : 0.0;
    return (ptrdiff_t)count;
}
