/* What the fast forms get wrong at most, and so from which D on they are good.
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
 *                   The shares' own rounding moves D by u/2 at most and is within that. Of few bins
 *                   (few_loops.h) each bin is a block, and what is left is added up in chains: 12u of D at most.
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
 * Rows that are mostly empty add up shared bins alone (sparse.c). A sum has no more terms than either row has
 * entries, n, added up FD_SHARED at a time, so with each row's own N = FD_SHARED + n/FD_SHARED + 8 (or n + 8) the
 * bounds above hold with N u in place of g u and of the factors of u, and 2 added to the sizes: a pair's N is
 * the less of both, and a limit asks for no row but its own. Total variation is 1 - sum min(p, q): E = N u.
 *
 * tests/matrix/test_accuracy.py goes through pairs of every nearness with rows whose rounding errors add up.
 * The largest seen, on any instruction set: 2.4e-13 (cross entropy of few bins), single precision 1.5e-6.
 */
#include "matrix/matrix.h"

#include <float.h>
#include <math.h>

static const double FD_U_32 = 0x1p-24, FD_TOLERANCE = 8e-13, FD_TOLERANCE_32 = 4.4e-6;

/* g u, or N u of a row of so many entries. */
static double fd_chain(const fd_plan *plan, ptrdiff_t entries) {
    double width = (double)plan->width;
    if (entries >= 0)
        return ((entries <= FD_SHARED ? (double)entries : FD_SHARED + (double)entries / FD_SHARED) + 8.0) *
               FD_U;
    double blocks = plan->width < FD_DOT_CHUNK ? width / FD_DOT_BLOCK : 64.0;
    return (FD_DOT_BLOCK + 6.0 + blocks + width / FD_BLOCK) * FD_U;
}

double fd_limit(const fd_plan *plan, double size, double constant, ptrdiff_t entries) {
    double chain = fd_chain(plan, entries), tolerance = plan->single ? FD_TOLERANCE_32 : FD_TOLERANCE;
    int dense = entries < 0;
    if (chain > 0.5 * tolerance) /* beyond 10^9 bins */
        return INFINITY;
    switch (plan->measure) {
    case FD_js_divergence:
    case FD_js_distance:
        if (!dense)
            return chain * (size + 2.0) / tolerance;
        if (plan->width > 1 << 20)
            return INFINITY;
        return plan->js32 ? 4.5 * FD_U_32 * (size + 1.05) / tolerance : 6.5 * FD_U * (size + 0.5) / tolerance;
    case FD_kl_divergence:
    case FD_jeffreys_divergence:
        return chain * (fabs(constant) + 4.0) / (tolerance - chain);
    case FD_cross_entropy:
        return 2.0 * FD_U / tolerance;
    case FD_hellinger_distance:
        return 0.5 * chain / tolerance;
    case FD_chi_square:
        return chain * (dense ? 1.0 : 4.0) / (tolerance - chain);
    case FD_renyi_divergence: /* size is m L */
        return 1.45 * (0.5 * chain + (2.1 * size + 4.0) * FD_U) /
               (fabs(plan->options.alpha - 1.0) * tolerance);
    default:
        return (dense ? 4.0 * FD_U * size : 0.5 * chain) / tolerance;
    }
}

double fd_blur_limit(const fd_plan *plan, double blur) {
    double alpha = plan->options.alpha, tolerance = plan->single ? FD_TOLERANCE_32 : FD_TOLERANCE;
    double growth = plan->measure == FD_renyi_divergence
                        ? 1.5 * fmax(fabs(alpha), fabs(1.0 - alpha)) / fabs(alpha - 1.0)
                        : 0.0;
    return (8.0 + growth) * blur / tolerance;
}
