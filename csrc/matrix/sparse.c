/* Rows that are mostly empty. A bin that only one of two rows has adds something simple to every measure
 * (half a bit of its mass to Jensen-Shannon, nothing to a product, infinity to Kullback-Leibler); so sums run
 * over shared bins alone. They are found by the bins of the one row in the other side's entries sorted by
 * bin, which reaches exactly the pairs that share something (Gustavson, ACM TOMS 4, 1978).
 *
 *     JS  D = 1 + 2^-e sum_shared [h_p log2 2h_p + h_q log2 2h_q - m log2 m - m],    m = h_p + h_q
 *     TV  D = 1 - sum_shared min(p, q)
 *
 * and the products of matrix.c as they are. A sum has no more terms than either row has entries, n, added up
 * FD_SHARED at a time, so with each row's own N = FD_SHARED + n/FD_SHARED + 8 (or n + 8) the bounds of matrix.c
 * hold with N u in place of g u and of the factors of u, and 2 added to the sizes: a pair's N is the less of
 * both, and a limit asks for no row but its own. Pairs below the limit are done again on the union of
 * their bins: empty bins change no measure.
 */
#include "matrix/sparse.h"

#include <string.h>

#include "rows/weigh.h"

enum { FD_SHARED = 128 };

static double fd_sparse_limit(const fd_plan *plan, double size, double constant, ptrdiff_t n) {
    double terms = n <= FD_SHARED ? (double)n : FD_SHARED + (double)n / FD_SHARED;
    double chain = (terms + 8.0) * 0x1p-53, tolerance = plan->single ? 4.4e-6 : 8e-13;
    if (chain > 0.5 * tolerance)
        return INFINITY;
    switch (plan->measure) {
    case FD_js_divergence:
    case FD_js_distance:
        return chain * (size + 2.0) / tolerance;
    case FD_cross_entropy:
        return 2.0 * 0x1p-53 / tolerance;
    case FD_total_variation:
    case FD_hellinger_distance:
        return 0.5 * chain / tolerance;
    case FD_renyi_divergence:
        return 1.45 * (0.5 * chain + (2.1 * size + 4.0) * 0x1p-53) /
               (fabs(plan->options.alpha - 1.0) * tolerance);
    default:
        return chain * (fabs(constant) + 4.0) / (tolerance - chain);
    }
}

void fd_prepare_sparse(const fd_plan *plan, const fd_sparse *side, ptrdiff_t i) {
    ptrdiff_t first = side->start[i], n = side->start[i + 1] - first;
    const double *mass = side->mass + first;
    fd_row_reader r = fd_reader((fd_view){(const char *)mass, sizeof *mass, 0}, &plan->options);
    double size = 0.0, constant = 0.0, constant_lo = 0.0, least = INFINITY, alpha = plan->options.alpha;
    side->limit[i] = INFINITY;
    side->constant[i] = 0.0;
    side->kind[i] = FD_VOID;
    if (!fd_weigh_any(&r, n))
        return;
    side->kind[i] = FD_SPECIAL;
    for (ptrdiff_t k = 0; k < n; k++)
        least = mass[k] < least ? mass[k] : least;
    if (plan->form == FD_FORM_PAIRS || plan->measure == FD_HISTOGRAMS ||
        !(r.sum >= FD_MASS_MIN && r.sum <= 0x1p900 && least / r.sum >= 0x1p-390))
        return;
    side->kind[i] = FD_PLAIN;
    for (ptrdiff_t k = 0; k < n; k++) {
        double p = mass[k] / r.sum, a = p * plan->scale, log;
        double *left = side->left + first + k, *right = side->right + first + k;
        fd_tile_loops_now->log2(&a, &log, 1);
        switch (plan->measure) {
        case FD_js_divergence:
        case FD_js_distance:
            *left = 0.5 * a;
            *right = 0.5 * a * log;
            size += fabs(a * log) / plan->scale;
            break;
        case FD_hellinger_distance:
            *left = *right = sqrt(p);
            break;
        case FD_chi_square:
            *left = p * p;
            *right = 1.0 / p;
            break;
        case FD_cross_entropy:
            *left = p;
            fd_row_loops_now->surprisal(&p, right, 1);
            break;
        case FD_total_variation:
            *left = *right = p;
            break;
        case FD_renyi_divergence:
            size = fmax(size, fmax(fabs(alpha), fabs(1.0 - alpha)) * fabs(log));
            *left = fd_exp(alpha * (log * FD_LN_2));
            *right = fd_exp((1.0 - alpha) * (log * FD_LN_2));
            break;
        default:
            *left = p;
            *right = log;
            fd_add(&constant, &constant_lo, p * log); /* a chain of n would be longer than a sum's */
        }
    }
    if (!side->bin_start || plan->measure == FD_jeffreys_divergence) /* of q, KL knows nothing */
        side->constant[i] = constant + constant_lo;
    if (plan->measure == FD_renyi_divergence && !(size < 480.0))
        side->kind[i] = FD_SPECIAL;
    else
        side->limit[i] = fd_sparse_limit(plan, size, constant, n);
}

/* One pair on the union of its bins; `room` for 3 (a->most + b->most). */
static double fd_union_pair(const fd_plan *plan, const fd_sparse *a, ptrdiff_t i, const fd_sparse *b,
                            ptrdiff_t j, double *room) {
    ptrdiff_t k = a->start[i], l = b->start[j], k_end = a->start[i + 1], l_end = b->start[j + 1], n = 0;
    double *x = room, *y = x + a->most + b->most, *place = y + a->most + b->most;
    if (a->kind[i] == FD_VOID || b->kind[j] == FD_VOID)
        return NAN;
    for (; k < k_end || l < l_end; n++) {
        int32_t bin_k = k < k_end ? a->bin[k] : INT32_MAX, bin_l = l < l_end ? b->bin[l] : INT32_MAX;
        int32_t bin = bin_k < bin_l ? bin_k : bin_l;
        x[n] = bin_k == bin ? a->mass[k++] : 0.0;
        y[n] = bin_l == bin ? b->mass[l++] : 0.0;
        place[n] = plan->support ? plan->support[bin] : 0.0;
    }
    fd_view p = {(const char *)x, sizeof *x, 0}, q = {(const char *)y, sizeof *y, 0};
    if (plan->measure != FD_HISTOGRAMS)
        return fd_row((fd_measure)plan->measure, p, q, n, &plan->options);
    uint8_t kind = FD_PLAIN;
    fd_plan small = *plan;
    fd_side left = {.data = p.data, .bin_step = p.stride, .kind = &kind}, right = left;
    right.data = q.data;
    small.n_bins = n;
    small.support = place;
    return fd_exact_pair(&small, &left, 0, &right, 0);
}

/* Adds what entry (left, right) of a row shares with n entries of its bin. Where `shared` is not NULL, it
 * counts the bins that two rows share, and each FD_SHARED of them go into the totals: of a pair's own, so that
 * the rows can be swapped. */
static void fd_share_bin(const fd_plan *plan, double left, double right, const int32_t *rows,
                         const double *lefts, const double *rights, ptrdiff_t n, double *sums, double *totals,
                         int32_t *shared, double *terms) {
    switch (plan->measure) {
    case FD_js_divergence:
    case FD_js_distance:
        for (ptrdiff_t e = 0; e < n; e++)
            terms[e] = left + lefts[e];
        fd_tile_loops_now->log2(terms, terms + n, n);
        for (ptrdiff_t e = 0; e < n; e++)
            terms[e] = (right + rights[e]) - terms[e] * (terms[n + e] + 1.0);
        break;
    case FD_total_variation:
        for (ptrdiff_t e = 0; e < n; e++)
            terms[e] = left < lefts[e] ? left : lefts[e];
        break;
    case FD_jeffreys_divergence:
        for (ptrdiff_t e = 0; e < n; e++)
            terms[e] = left * rights[e] + lefts[e] * right;
        break;
    default:
        for (ptrdiff_t e = 0; e < n; e++)
            terms[e] = left * rights[e];
    }
    for (ptrdiff_t e = 0; e < n; e++)
        sums[rows[e]] += terms[e];
    for (ptrdiff_t e = 0; e < n && shared; e++)
        if (++shared[rows[e]] % FD_SHARED == 0) {
            totals[rows[e]] += sums[rows[e]];
            sums[rows[e]] = 0.0;
        }
}

void fd_sparse_row(const fd_plan *plan, const fd_sparse *a, ptrdiff_t i, const fd_sparse *b, double *values,
                   int32_t *shared, double *terms) {
    ptrdiff_t n = b->n_rows;
    int measure = plan->measure, both = measure == FD_jeffreys_divergence;
    int whole = both || measure == FD_kl_divergence || measure == FD_cross_entropy ||
                measure == FD_chi_square ||
                (measure == FD_renyi_divergence &&
                 plan->options.alpha > 1.0); /* inf unless the bins of p are all shared */
    fd_finish finish = plan->finish;
    if (measure == FD_js_divergence || measure == FD_js_distance)
        finish.base = 1.0, finish.most = DBL_MAX; /* double precision throughout */
    if (measure == FD_total_variation)
        finish.base = 1.0, finish.factor = -1.0;
    int64_t own = a->start[i + 1] - a->start[i];
    double *totals = terms + 2 * n;
    memset(values, 0, (size_t)n * sizeof *values);
    memset(totals, 0, (size_t)n * sizeof *totals);
    memset(shared, 0, (size_t)n * sizeof *shared);
    for (ptrdiff_t k = a->start[i]; k < a->start[i + 1] && a->kind[i] == FD_PLAIN; k++) {
        ptrdiff_t first = b->bin_start[a->bin[k]], size = b->bin_start[a->bin[k] + 1] - first;
        fd_share_bin(plan, a->left[k], a->right[k], b->row_of + first, b->left_of + first,
                     b->right_of + first, size, values, totals, whole || own > FD_SHARED ? shared : NULL,
                     terms);
    }
    for (ptrdiff_t j = 0; j < n; j++)
        values[j] += totals[j];
    for (ptrdiff_t j = 0; j < n; j += FD_TILE)
        fd_tile_loops_now->finish_row(values + j, (int)(n - j < FD_TILE ? n - j : FD_TILE), &finish,
                                      a->constant[i], a->limit[i], b->constant + j, b->limit + j);
    for (ptrdiff_t j = 0; j < n; j++)
        if (whole && a->kind[i] == FD_PLAIN && b->kind[j] == FD_PLAIN &&
            (shared[j] < own || (both && shared[j] < b->start[j + 1] - b->start[j])))
            values[j] = INFINITY;
        else if (values[j] == -1.0)
            values[j] = fd_union_pair(plan, a, i, b, j, terms);
}
