/* The loops that make rows ready for tiles (prepare.c, sparse.c), a block of bins at a time. Compiled once per
 * instruction set (levels/).
 */
#include "math/log.h"
#include "matrix/table.h"
#include "rows/list.h"
#include "rows/loops.h"
#include "rows/table.h"
#include "rows/turn.h"

/* An empty bin of Jensen-Shannon: so that a logarithm can be taken of it, and nothing comes of it. The
 * product of two is a normal number still. */
static const double FD_EMPTY = 0x1p-400;
static const float FD_EMPTY_32 = 0x1p-60f;

/* The shares of n masses, padded with empty bins. Returns the least positive share. */
static double fd_shares_loop(const double *x, int n, int padded, double sum, double scale, int with_logs,
                             fd_shares *s) {
    const double once = 1.0 / sum;
    double least = INFINITY, empty = 0.0;
#pragma omp simd reduction(min : least) reduction(+ : empty)
    for (int k = 0; k < n; k++) {
        double p = fd_over(x[k], sum, once),
               positive = x[k] > 0.0 ? x[k] : INFINITY; /* p may have underflowed */
        least = positive < least ? positive : least;
        empty += x[k] > 0.0 ? 0.0 : 1.0;
        s->p[k] = p;
        s->a[k] = p * scale;
    }
    for (int k = n; k < padded; k++)
        s->p[k] = s->a[k] = 0.0;
    s->any_empty = empty > 0.0;
    if (!with_logs)
        return least / sum;
#pragma omp simd
    for (int k = 0; k < padded; k++)
        s->log[k] = fd_log2(s->a[k] > 0.0 ? s->a[k] : 1.0);
    return least / sum;
}

/* One block of FD_JS_BLOCK bins in single precision: the halves, rounded, and the sums of their terms
 * h log2 2h = h log2 2H + (h - H)/ln 2 for h near H, the half as it was. */
static void fd_round_js(const double *half, const double *log, int size, float *half32, float *sums32) {
    double sums[FD_LANES] = {0};
    for (int k = 0; k < size; k += FD_LANES) {
        _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) {
            double big = half[k + lane];
            float rounded = big > FD_EMPTY_32 ? (float)big : FD_EMPTY_32;
            double h = big > FD_EMPTY_32 ? rounded : big;
            half32[k + lane] = rounded;
            sums[lane] += fd_madd(h, log[k + lane], FD_LOG2_E * (h - big));
        }
    }
    for (int lane = 0; lane < FD_LANES; lane++)
        sums32[lane] = (float)sums[lane];
}

/* The halves of n shares, and their terms h log2 2h. */
static void fd_js_terms_loop(const fd_shares *s, int n, double *half, double *terms) {
#pragma omp simd
    for (int k = 0; k < n; k++) {
        double h = 0.5 * s->a[k];
        half[k] = h > 0.0 ? h : FD_EMPTY;
        terms[k] = h * s->log[k];
    }
}

/* The halves of a block of shares, and in blocks of FD_JS_BLOCK bins the sums of their terms h log2 2h; both in
 * single precision too, where there is room for it. Returns the size of the terms. */
static double fd_js_shares_loop(const fd_shares *s, int padded, double *half, double *blocks, float *half32,
                                float *blocks32) {
    double total = 0.0;
    for (int first = 0; first < padded; first += FD_JS_BLOCK, half += FD_JS_BLOCK, blocks += FD_LANES) {
        int size = padded - first < FD_JS_BLOCK ? padded - first : FD_JS_BLOCK;
        double sums[FD_LANES] = {0}, sizes[FD_LANES] = {0};
        for (int k = 0; k < size; k += FD_LANES) {
#pragma omp simd
            for (int lane = 0; lane < FD_LANES; lane++) {
                double h = 0.5 * s->a[first + k + lane], term = h * s->log[first + k + lane];
                half[k + lane] = h > 0.0 ? h : FD_EMPTY;
                sums[lane] += term;
                sizes[lane] += fabs(term);
            }
        }
        memcpy(blocks, sums, sizeof sums);
        if (half32)
            fd_round_js(half, s->log + first, size, half32 + first,
                        blocks32 + first / FD_JS_BLOCK * FD_LANES);
        total += fd_fold(sizes);
    }
    return total;
}

/* In lanes: one chain of 512 additions would be longer than those of the products it is compared with. */
static double fd_product_sum(const double *x, const double *y, int padded) {
    double lanes[FD_LANES] = {0};
    for (int k = 0; k < padded; k += FD_LANES, x += FD_LANES, y += FD_LANES) {
#pragma omp simd
        for (int lane = 0; lane < FD_LANES; lane++)
            lanes[lane] += x[lane] * y[lane];
    }
    return fd_fold(lanes);
}

/* The two factors of a product in place of shares and their logarithms: of p where it is the first argument, and
 * of p where it is the second.
 *
 *     Kullback-Leibler, Jeffreys    p, log2 a            Hellinger     sqrt p, sqrt p
 *     cross entropy                 p, -log2 p           chi-square    p^2, 1/p
 *     Renyi                         a^alpha, a^(1-alpha)
 *
 * The second is 0 in empty bins: what is infinite there is found otherwise. Returns what is to be known of the
 * terms (limits.c): m |log2 a| at most for Renyi, C_p for Kullback-Leibler and Jeffreys. */
static double fd_factors_loop(int measure, double alpha, fd_shares *s, int padded) {
    double *left = s->p, *right = s->log, most = 0.0;
    switch (measure) {
    case FD_hellinger_distance:
#pragma omp simd
        for (int k = 0; k < padded; k++)
            left[k] = right[k] = sqrt(left[k]);
        return 0.0;
    case FD_chi_square:
#pragma omp simd
        for (int k = 0; k < padded; k++) {
            right[k] = left[k] > 0.0 ? 1.0 / left[k] : 0.0;
            left[k] *= left[k];
        }
        return 0.0;
    case FD_cross_entropy:
        fd_surprisal_loop(left, right, padded);
#pragma omp simd
        for (int k = 0; k < padded; k++)
            right[k] = left[k] > 0.0 ? right[k] : 0.0;
        return 0.0;
    case FD_renyi_divergence:
#pragma omp simd reduction(max : most)
        for (int k = 0; k < padded; k++) {
            double log = s->log[k] * FD_LN_2, size = fabs(s->log[k]);
            s->p[k] = s->a[k] > 0.0 ? fd_exp(alpha * log) : 0.0;
            s->log[k] = s->a[k] > 0.0 ? fd_exp((1.0 - alpha) * log) : 0.0;
            most = size > most ? size : most;
        }
        return fmax(fabs(alpha), fabs(1.0 - alpha)) * most;
    default:
        return fd_product_sum(left, right, padded);
    }
}

/* out[k] = all mass before plus x up to k, each rounded once from a sum to twice the precision; `mass` grows by x. A
 * chain of additions waits three times as long as it works, so FD_CHAINED parts of x are added up side by side, their
 * rounding errors likewise, and what comes before each is added last. */
static void fd_cumulate_loop(const double *x, ptrdiff_t n, fd_sum *mass, double *out) {
    enum { FD_CHAINED = 4 };
    double sums[FD_BLOCK], errors[FD_BLOCK];
    ptrdiff_t size = n / FD_CHAINED;
    fd_sum before = *mass;
    double a = 0.0, b = 0.0, c = 0.0, d = 0.0;
    for (ptrdiff_t k = 0; k < size; k++) {
        sums[k] = a += x[k];
        sums[k + size] = b += x[k + size];
        sums[k + 2 * size] = c += x[k + 2 * size];
        sums[k + 3 * size] = d += x[k + 3 * size];
    }
#pragma omp simd
    for (ptrdiff_t k = 1; k < FD_CHAINED * size; k++)
        errors[k] = fd_sum_error(sums[k - 1], x[k], sums[k]);
    a = b = c = d = 0.0;
    for (ptrdiff_t k = 1; k < size; k++) { /* the first of a part is exact */
        errors[k] = a += errors[k];
        errors[k + size] = b += errors[k + size];
        errors[k + 2 * size] = c += errors[k + 2 * size];
        errors[k + 3 * size] = d += errors[k + 3 * size];
    }
    for (int part = 0; part < FD_CHAINED && size > 0; part++) {
        const double *sum = sums + part * size, *error = errors + part * size;
        double *to = out + part * size;
        errors[part * size] = 0.0;
#pragma omp simd
        for (ptrdiff_t k = 0; k < size; k++) {
            double both = before.value + sum[k];
            to[k] = both + (fd_sum_error(before.value, sum[k], both) + (before.error + error[k]));
        }
        fd_sum_add(&before, sum[size - 1]);
        before.error += error[size - 1];
    }
    for (ptrdiff_t k = FD_CHAINED * size; k < n; k++) {
        fd_sum_add(&before, x[k]);
        out[k] = before.value + before.error;
    }
    *mass = before;
}

/* Over `total`, and times the gaps between `place`s if there are any; `x` and `out` may be the same. */
static void fd_divide_loop(const double *x, ptrdiff_t n, double total, const double *place, double *out) {
    const double once = 1.0 / total;
    if (place) {
#pragma omp simd
        for (ptrdiff_t k = 0; k < n; k++)
            out[k] = fd_over(x[k], total, once) * (place[k + 1] - place[k]);
    } else {
#pragma omp simd
        for (ptrdiff_t k = 0; k < n; k++)
            out[k] = fd_over(x[k], total, once);
    }
}

static void fd_panel_loop(const double *rows, ptrdiff_t step, ptrdiff_t n, double *panel) {
    for (ptrdiff_t k = 0; k < n; k += FD_TURNED)
        fd_turn_tile(rows + k, step, panel + k * FD_LANES, FD_LANES);
}

static void fd_roots_loop(const double *x, ptrdiff_t n, float *out, float *roots_of_those) {
#pragma omp simd
    for (ptrdiff_t k = 0; k < n; k++)
        out[k] = sqrtf((float)x[k]);
    if (roots_of_those) {
#pragma omp simd
        for (ptrdiff_t k = 0; k < n; k++)
            roots_of_those[k] = sqrtf(out[k]);
    }
}

/* sum |x|; n is a multiple of FD_LANES. */
static double fd_size_loop(const double *x, ptrdiff_t n) {
    double sizes[FD_LANES] = {0};
    for (ptrdiff_t k = 0; k < n; k += FD_LANES) {
#pragma omp simd
        for (int lane = 0; lane < FD_LANES; lane++)
            sizes[lane] += fabs(x[k + lane]);
    }
    return fd_fold(sizes);
}
