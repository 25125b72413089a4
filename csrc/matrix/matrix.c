/* Rows prepared once, tiles of pairs in the fast form, and the pairs that it lost digits of done again.
 *
 * A fast form computes D as a sum of terms that do not vanish where the rows agree, so what it gets wrong is
 * absolute: at most E, a small multiple of u times what the terms add up to. Each row knows the size of its
 * terms (`size`), so E is known for every pair, and the pair is handed to fd_row wherever
 *
 *     E > FD_TOLERANCE D        (single precision: FD_TOLERANCE_32).
 *
 * Every E below is linear in D and in what is known of each row, so that reads D >= limit_i + limit_j.
 *
 * Shares are prepared on the scale 2^e near the number of bins, a = 2^e p/sum(p), which makes log2 a small
 * for most bins and E with it. u = 2^-53 (single precision: 2^-24); A_p = 2^-e sum a |log2 a|; log2 good to u
 * and 3u more through a shared division; g = 70 + width/64 (at most 64) + width/512 additions at most in a
 * row within a product or a constant.
 *
 *   JS              D = 2^-e sum [h_p log2 2h_p + h_q log2 2h_q - m log2 m],  h = a/2, m = h_p + h_q, each
 *                   lane of a block of 4 FD_LANES bins begun with what the rows' own terms add up to.
 *                   A row's terms are rounded by 6u |h log2 2h| (the logarithm, the product, three
 *                   additions), their sum by u, the four subtractions by 4u of what is left, which is at
 *                   most sum |h log2 2h| beside D, and m log2 m by 2u |m log2 m| + 3u m.
 *                   2^-e sum |m log2 m| <= (A_p + A_q)/2 + 1.07 by convexity, hence E = 6.5u (A_p + A_q + 1).
 *                   The shares' own rounding moves D by u/2 at most and is within that.
 *                   In single precision the halves are rounded, and the rows' terms are those of the rounded
 *                   halves: that moves D by u/2 sum p |log2 (2p/(p+q))| and the like of q, 1.7u at most. The
 *                   sums of the terms and their sum are rounded by u each, the rest as above but for m, u
 *                   (|m log2 m| + 1.44 m) more: E = 4.5u (A_p + A_q + 2.1), beside 9u D for the sums and
 *                   the result. Beyond 2^20 bins every pair is done as rows, for the sum over chunks.
 *
 *   KL              D = C_p - sum p log2 a_q, C_p = sum p log2 a_p. sum p |log2 a_q| <= D + C_p + 2 by the
 *                   variational bound sum p f <= KL(p, uniform) + log2 mean(2^f) at f = max(0, log2 a_q),
 *                   hence E = g u (D + |C_p| + 4).
 *
 *   cross entropy   All terms have one sign; the rounding of shares near 1 is E = 4u.
 *
 *   Jeffreys        KL both ways: E = g u (D + |C_p| + |C_q| + 8).
 *
 *   Hellinger       D = 1 - sum sqrt(p q): E = g u.
 *
 *   chi-square      D = sum p^2/q - 1: E = g u (D + 2).
 *
 *   Renyi           D = log2(2^-e S)/(alpha - 1), S = sum a_p^alpha a_q^(1-alpha). A power is exp(x), |x| <= m
 *                   L ln 2 with m = max(|alpha|, |1-alpha|) and L the largest |log2 a| of the row, which is
 *                   kept below 480: u (3 m L ln 2 + 4) of it. All terms have one sign, so S has the relative
 *                   error of its terms and g u, and E is 1.45/|alpha - 1| times that.
 *
 *   total variation, transport of masses
 *                   Sums of |differences| of numbers that are rounded by 4u at most: E = 4u (size_p +
 *                   size_q), size_p the sum of the numbers.
 *
 *   transport of samples
 *                   Differences of the values as they are: E = 0, where their sum cannot overflow.
 *
 * Shares made of logarithms are off by b = u (2 |log share| + 2 log sum exp + 4) each. By the derivatives above
 * that moves D by b (D + 5) at most in either row, chi-square by 2 b (D + 1) and Renyi by 1.45 b m/|alpha - 1|;
 * b is below 1e-13, so 8 b (and Renyi's) is added to E.
 *
 * tests/matrix/test_accuracy.py goes through pairs of every nearness with rows whose rounding errors add up.
 * The largest seen, on any instruction set: 2.4e-13 (cross entropy of few bins), single precision 1.5e-6.
 */
#include "matrix/matrix.h"

#include <stdlib.h>

#include "math/expansion.h"
#include "rows/pair.h"

static const double FD_U = 0x1p-53, FD_TOLERANCE = 8e-13, FD_TOLERANCE_32 = 4.4e-6;

/* Sums of one term a bin are cut here, so that no chain of additions in a lane exceeds 128. */
enum { FD_CHUNK = 128 * FD_LANES, FD_DOT_CHUNK = 64 * FD_DOT_BLOCK };

/* ---- preparing --------------------------------------------------------------------------------------- */

/* From the size of a row's terms to its limit: E <= tolerance D as D >= limit_i + limit_j. */
static double fd_limit(const fd_plan *plan, double size, double constant) {
    double blocks = plan->width < FD_DOT_CHUNK ? (double)plan->width / FD_DOT_BLOCK : 64.0;
    double chain = (FD_DOT_BLOCK + 6.0 + blocks + (double)plan->width / FD_BLOCK) * FD_U;
    double tolerance = plan->single ? FD_TOLERANCE_32 : FD_TOLERANCE;
    if (chain > 0.5 * tolerance) /* beyond 10^9 bins */
        return INFINITY;
    switch (plan->measure) {
    case FD_js_divergence:
    case FD_js_distance:
        if (plan->width > 1 << 20)
            return INFINITY;
        return plan->single ? 4.5 * 0x1p-24 * (size + 1.05) / tolerance
                            : 6.5 * FD_U * (size + 0.5) / tolerance;
    case FD_kl_divergence:
    case FD_jeffreys_divergence:
        return chain * (fabs(constant) + 4.0) / (tolerance - chain);
    case FD_cross_entropy:
        return 2.0 * FD_U / tolerance;
    case FD_hellinger_distance:
        return 0.5 * chain / tolerance;
    case FD_chi_square:
        return chain / (tolerance - chain);
    case FD_renyi_divergence: /* size is m L */
        return 1.45 * (0.5 * chain + (2.1 * size + 4.0) * FD_U) /
               (fabs(plan->options.alpha - 1.0) * tolerance);
    default:
        return 4.0 * FD_U * size / tolerance;
    }
}

/* What is added to it for rows of logarithms. */
static double fd_blur_limit(const fd_plan *plan, double blur) {
    double alpha = plan->options.alpha, tolerance = plan->single ? FD_TOLERANCE_32 : FD_TOLERANCE;
    double growth = plan->measure == FD_renyi_divergence
                        ? 1.5 * fmax(fabs(alpha), fabs(1.0 - alpha)) / fabs(alpha - 1.0)
                        : 0.0;
    return (8.0 + growth) * blur / tolerance;
}

fd_form fd_fast_form(int measure) {
    static const fd_form forms[FD_N_MEASURES] = {
#define FD_OWN(name, ...) FD_ROW(name, name, __VA_ARGS__)
#define FD_ROW(name, sum, times, root, unit, symmetric, most, option, again, form, infinite)                 \
    [FD_##name] = FD_FORM_##form,
        FD_SUMMED(FD_OWN) FD_DERIVED(FD_ROW)
#undef FD_OWN
#undef FD_ROW
    };
    return measure < FD_N_MEASURES ? forms[measure] : FD_FORM_L1;
}

void fd_plan_finish(fd_plan *plan) {
    fd_finish *f = &plan->finish;
    *f = (fd_finish){.base = 0.0, .factor = 1.0, .top = INFINITY, .most = DBL_MAX, .unit_hi = 1.0};
    switch (plan->measure) {
    case FD_js_divergence:
    case FD_js_distance:
        f->factor = 1.0 / plan->scale;
        f->root = plan->measure == FD_js_distance;
        f->top = 1.0 - 1e-13;
        if (plan->single)
            f->most = 1.0 - 3e-6; /* disjoint or nearly: double precision tells */
        break;
    case FD_kl_divergence:
    case FD_jeffreys_divergence:
        f->factor = -1.0;
        break;
    case FD_hellinger_distance:
        f->base = 1.0;
        f->factor = -1.0;
        f->root = 1;
        break;
    case FD_chi_square:
        f->base = -1.0;
        break;
    case FD_renyi_divergence:
        f->log = 1;
        f->factor = 1.0 / (plan->options.alpha - 1.0);
        f->base = -log2(plan->scale) * f->factor;
        f->most = 400.0 * fabs(f->factor); /* S near the ends of the doubles */
        break;
    case FD_total_variation:
        f->factor = 0.5;
        f->top = 1.0 - 1e-13;
        break;
    case FD_SAMPLES:
        f->factor = 1.0 / (double)plan->n_bins;
        break;
    default:
        break;
    }
    if (plan->measure >= FD_N_MEASURES)
        return;
    const fd_traits *traits = &fd_measures[plan->measure];
    plan->needs_support =
        traits->infinite || (plan->measure == FD_renyi_divergence && plan->options.alpha > 1.0);
    if (traits->in_bits) {
        f->unit_hi = plan->options.unit_hi;
        f->unit_lo = plan->options.unit_lo;
    }
}

int fd_prepare_row(const fd_plan *plan, const fd_side *side, ptrdiff_t i) {
    side->limit[i] = side->constant[i] = 0.0;
    side->kind[i] = (uint8_t)fd_tile_loops_now->prepare(plan, side, i);
    side->limit[i] = side->kind[i] == FD_PLAIN ? fd_limit(plan, side->limit[i], side->constant[i]) : INFINITY;
    if (side->blur)
        side->limit[i] += fd_blur_limit(plan, side->blur[i]);
    return side->kind[i];
}

/* ---- one pair ---------------------------------------------------------------------------------------- */

/* Transport between masses on one support: sum over the gaps of |F - G|, by differences of masses
 * x S_q - y S_p, for S = sum p, T = sum q times S T. Swapping the rows changes every sign and nothing else. */
static double fd_transport_of(const fd_plan *plan, const fd_row_reader *p, const fd_row_reader *q) {
    fd_expansion sp = {0}, sq = {0}, between = {0};
    double x, y, total = 0.0, total_lo = 0.0;
    for (ptrdiff_t k = 0; k < plan->n_bins; k++) {
        fd_expansion_add(&sp, *fd_block(p, k, 1, &x));
        fd_expansion_add(&sq, *fd_block(q, k, 1, &y));
    }
    for (ptrdiff_t k = 0; k + 1 < plan->n_bins; k++) {
        fd_expansion_add_product(&between, *fd_block(p, k, 1, &x), &sq);
        fd_expansion_add_product(&between, -*fd_block(q, k, 1, &y), &sp);
        double gap = plan->support[k + 1] - plan->support[k];
        fd_add(&total, &total_lo, fabs(fd_expansion_value(&between)) * gap);
    }
    return total + total_lo;
}

/* The same with all sums as double-doubles, which is good to (2n + 8) 2^-104 S T times the length of the support;
 * where that is not 2^-41 of the result, without rounding. */
static double fd_transport_pair(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b,
                                ptrdiff_t j) {
    fd_row_reader p = fd_reader(fd_row_view(a, i), &plan->options),
                  q = fd_reader(fd_row_view(b, j), &plan->options);
    ptrdiff_t n = plan->n_bins;
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
    double sq = stats.sum_hi, sq_lo = stats.sum_lo, hi = 0.0, lo = 0.0, total = 0.0, total_lo = 0.0;
    int same = 1;
    for (ptrdiff_t k = 0; k < n; k++) {
        double x, y;
        x = *fd_block(&p, k, 1, &x);
        y = *fd_block(&q, k, 1, &y);
        double left = x * sq, right = y * sp;
        same &= x == y;
        if (k == n - 1)
            break;
        fd_add(&hi, &lo, left - right);
        lo += fd_difference_error(left, right) +
              ((fma(x, sq, -left) + x * sq_lo) - (fma(y, sp, -right) + y * sp_lo));
        fd_add(&total, &total_lo, fabs(hi + lo) * (plan->support[k + 1] - plan->support[k]));
    }
    total += total_lo;
    if (!same && total < ((double)n + 4.0) * 0x1p-62 * sp * sq * (plan->support[n - 1] - plan->support[0]))
        total = fd_transport_of(plan, &p, &q);
    return total / fmax(sp, sq) / fmin(sp, sq);
}

/* Transport of order p between two sorted rows: (mean |x - y|^p)^(1/p), scaled by the largest difference so
 * that no power overflows or vanishes. NaN for values at the same infinity, else infinite for any of them. */
static double fd_samples_pair(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b,
                              ptrdiff_t j) {
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

/* The finish of a divergence that is known by other means. */
static double fd_finish_one(const fd_plan *plan, double d) {
    d = d >= plan->finish.top ? 1.0 : d;
    d = d * plan->finish.unit_hi + d * plan->finish.unit_lo;
    return plan->finish.root ? sqrt(d) : d;
}

/* Whether the first entry in which two rows differ is the larger in p: an order that layout does not change. */
static int fd_is_above(fd_view p, fd_view q, ptrdiff_t n) {
    for (ptrdiff_t k = 0; k < n; k++) {
        double x = fd_entry(&p, k), y = fd_entry(&q, k);
        if (x != y)
            return x > y;
    }
    return 1;
}

/* Jensen-Shannon of near-identical ordinary rows; -1 if they are not, or so near that only fd_row can tell
 * them from equal. The row with the larger sum comes first, so that order does not matter. */
static double fd_js_near_pair(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b,
                              ptrdiff_t j) {
    double sp = a->total[i], sp_lo = a->total_lo[i], sq = b->total[j], sq_lo = b->total_lo[j], sum = 0.0;
    if (sp_lo != sp_lo || sq_lo != sq_lo)
        return -1.0;
    fd_view first = fd_row_view(a, i), second = fd_row_view(b, j);
    if (sp < sq || (sp == sq && !fd_is_above(first, second, plan->n_bins))) {
        fd_view row = first;
        double s = sp, s_lo = sp_lo;
        first = second, sp = sq, sp_lo = sq_lo;
        second = row, sq = s, sq_lo = s_lo;
    }
    fd_row_reader p = fd_reader(first, &plan->options), q = fd_reader(second, &plan->options);
    double c = sp / sq, c_lo = (fma(-c, sq, sp) + sp_lo - c * sq_lo) / sq, x[FD_CHUNK], y[FD_CHUNK];
    for (ptrdiff_t start = 0; start < plan->n_bins; start += FD_CHUNK) {
        ptrdiff_t n = plan->n_bins - start < FD_CHUNK ? plan->n_bins - start : FD_CHUNK;
        double part =
            fd_tile_loops_now->js_near(fd_block(&p, start, n, x), fd_block(&q, start, n, y), n, c, c_lo);
        if (part < 0.0)
            return -1.0;
        sum += part;
    }
    double d = 0.25 * FD_LOG2_E * sum / sp;
    return d > 0x1p-90 ? fd_finish_one(plan, d) : -1.0;
}

/* Rows [j, j + n) against row i; n sums. */
static void fd_js_sums(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b, ptrdiff_t j,
                       int n, int look, double *sums) {
    ptrdiff_t w = plan->width, blocks = fd_js_blocks(w) * FD_LANES;
    double part[FD_TILE];
    for (ptrdiff_t start = 0; start < w; start += FD_CHUNK) {
        ptrdiff_t size = w - start < FD_CHUNK ? w - start : FD_CHUNK, p = i * w + start, q = j * w + start;
        ptrdiff_t p_block = i * blocks + start / FD_JS_BLOCK * FD_LANES;
        ptrdiff_t q_block = j * blocks + start / FD_JS_BLOCK * FD_LANES;
        double *out = start ? part : sums;
        if (plan->single && look)
            fd_tile_loops_now->js_rows32(a->left32 + p, a->blocks32 + p_block, b->left32 + q,
                                         b->blocks32 + q_block, w, blocks, n, size, out);
        else
            fd_tile_loops_now->js_rows(a->left + p, a->blocks + p_block, b->left + q, b->blocks + q_block, w,
                                       blocks, n, size, look && w <= FD_CHUNK, out);
        for (int row = 0; row < n && start; row++)
            sums[row] += part[row];
    }
}

/* Rows [j, j + n) against row i in double precision, as far as that holds the tolerance; else -1. */
static void fd_js_double(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b, ptrdiff_t j,
                         int n, double *values) {
    double limits[FD_TILE], nothing[FD_TILE] = {0}, share = plan->single && !a->blur ? 0x1p-28 : 1.0;
    fd_finish finish = plan->finish;
    finish.most = DBL_MAX;
    for (int column = 0; column < n; column++)
        limits[column] = share * b->limit[j + column];
    fd_js_sums(plan, a, i, b, j, n, 0, values);
    fd_tile_loops_now->finish_row(values, n, &finish, 0.0, share * a->limit[i], nothing, limits);
}

/* Jensen-Shannon once more: in double precision, or by terms of second order, or by fd_row. */
static double fd_js_pair(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b, ptrdiff_t j) {
    double value = -1.0;
    if (plan->single)
        fd_js_double(plan, a, i, b, j, 1, &value);
    if (value < 0.0)
        value = fd_js_near_pair(plan, a, i, b, j);
    if (value < 0.0 && !plan->single)
        fd_js_double(plan, a, i, b, j, 1, &value);
    return value;
}

double fd_exact_pair(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b, ptrdiff_t j) {
    if (a->kind[i] == FD_VOID || b->kind[j] == FD_VOID)
        return NAN;
    if (plan->measure == FD_SAMPLES)
        return fd_samples_pair(plan, a, i, b, j);
    if (plan->measure == FD_HISTOGRAMS)
        return fd_transport_pair(plan, a, i, b, j);
    if (plan->form == FD_FORM_JS && a->kind[i] == FD_PLAIN && b->kind[j] == FD_PLAIN) {
        double value = fd_js_pair(plan, a, i, b, j);
        if (value >= 0.0)
            return value;
    }
    return fd_row((fd_measure)plan->measure, fd_row_view(a, i), fd_row_view(b, j), plan->n_bins,
                  &plan->options);
}

/* ---- tiles ------------------------------------------------------------------------------------------- */

/* Whether p has mass where q has none; `both`: or the other way round. */
static int fd_is_violated(const fd_plan *plan, const uint64_t *p, const uint64_t *q, int both) {
    uint64_t only_p = 0, only_q = 0;
    for (ptrdiff_t w = 0; w < (plan->n_bins + 63) / 64; w++) {
        only_p |= p[w] & ~q[w];
        only_q |= q[w] & ~p[w];
    }
    return only_p || (both && only_q);
}

/* What the products cannot see: p log(p/0) = inf. Mostly no row has an empty bin. */
static void fd_mark_violations(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b,
                               ptrdiff_t j, int n, double *values) {
    ptrdiff_t words = (plan->n_bins + 63) / 64;
    int both = plan->measure == FD_jeffreys_divergence, gaps = both && a->gaps[i];
    for (int column = 0; column < n; column++)
        gaps |= b->gaps[j + column];
    for (int column = 0; column < n && gaps && a->kind[i] == FD_PLAIN; column++)
        if ((b->gaps[j + column] || (both && a->gaps[i])) && b->kind[j + column] == FD_PLAIN &&
            fd_is_violated(plan, a->support + i * words, b->support + (j + column) * words, both))
            values[column] = INFINITY;
}

static void fd_l1_sums(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b, ptrdiff_t j,
                       int n, double *sums) {
    ptrdiff_t w = plan->width;
    double part[FD_TILE];
    for (ptrdiff_t start = 0; start < w; start += FD_CHUNK) {
        ptrdiff_t size = w - start < FD_CHUNK ? w - start : FD_CHUNK;
        fd_tile_loops_now->l1_rows(a->left + i * w + start, b->left + j * w + start, w, n, size,
                                   start ? part : sums);
        for (int row = 0; row < n && start; row++)
            sums[row] += part[row];
    }
}

/* In chunks of FD_DOT_CHUNK bins, so that long rows do not make long chains of additions. */
static void fd_dot_sums(const fd_plan *plan, const double *left, int n_i, const double *right, int n_j,
                        double *sums, double *part) {
    ptrdiff_t w = plan->width;
    for (ptrdiff_t start = 0; start < w; start += FD_DOT_CHUNK) {
        ptrdiff_t size = w - start < FD_DOT_CHUNK ? w - start : FD_DOT_CHUNK;
        for (int panel = 0; panel < n_j; panel += FD_LANES)
            fd_tile_loops_now->dot_rows(left + start, w, n_i, right + panel * w + start * FD_LANES, size,
                                        (start ? part : sums) + panel, FD_TILE);
        for (int cell = 0; cell < n_i * FD_TILE && start; cell++)
            sums[cell] += part[cell];
    }
}

/* Sums of row i against rows [j, j + n) into values; how many of them had to be done again. */
static ptrdiff_t fd_finish_tile_row(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b,
                                    ptrdiff_t j, int n, double *values) {
    ptrdiff_t again = 0;
    int lost = fd_tile_loops_now->finish_row(values, n, &plan->finish, a->constant[i], a->limit[i],
                                             b->constant + j, b->limit + j);
    if (a->support && b->support)
        fd_mark_violations(plan, a, i, b, j, n, values);
    if (plan->form == FD_FORM_JS && plan->single && lost > n / 4) {
        double twice[FD_TILE];
        fd_js_double(plan, a, i, b, j, n, twice);
        for (int column = 0; column < n; column++)
            values[column] = values[column] == -1.0 ? twice[column] : values[column];
    }
    for (int column = 0; column < n && lost; column++)
        if (values[column] == -1.0) {
            values[column] = fd_exact_pair(plan, a, i, b, j + column);
            again++;
        }
    return again;
}

ptrdiff_t fd_tile(const fd_plan *plan, const fd_side *a, ptrdiff_t i, int n_i, const fd_side *b, ptrdiff_t j,
                  int n_j, double *values, double *scratch) {
    ptrdiff_t w = plan->width, again = 0;
    if (plan->form == FD_FORM_DOT || plan->form == FD_FORM_DOTS)
        fd_dot_sums(plan, a->left + i * w, n_i, b->right + j * w, n_j, values, scratch);
    if (plan->form == FD_FORM_DOTS) {
        fd_dot_sums(plan, a->left_too + i * w, n_i, b->right_too + j * w, n_j, scratch,
                    scratch + FD_TILE * FD_TILE);
        for (int cell = 0; cell < n_i * FD_TILE; cell++)
            values[cell] += scratch[cell];
    }
    for (int row = 0; row < n_i; row++, i++, values += FD_TILE) {
        if (plan->form == FD_FORM_JS)
            fd_js_sums(plan, a, i, b, j, n_j, 1, values);
        else if (plan->form == FD_FORM_L1)
            fd_l1_sums(plan, a, i, b, j, n_j, values);
        for (int column = 0; column < n_j && plan->form == FD_FORM_PAIRS; column++)
            values[column] = fd_exact_pair(plan, a, i, b, j + column);
        again += plan->form == FD_FORM_PAIRS ? n_j : fd_finish_tile_row(plan, a, i, b, j, n_j, values);
    }
    return again;
}

double fd_pair_value(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b, ptrdiff_t j) {
    double value;
    if (plan->form == FD_FORM_JS)
        fd_js_sums(plan, a, i, b, j, 1, 1, &value);
    else if (plan->form == FD_FORM_L1)
        fd_l1_sums(plan, a, i, b, j, 1, &value);
    else
        return fd_exact_pair(plan, a, i, b, j);
    int lost = fd_tile_loops_now->finish_row(&value, 1, &plan->finish, a->constant[i], a->limit[i],
                                             b->constant + j, b->limit + j);
    return lost ? fd_exact_pair(plan, a, i, b, j) : value;
}
