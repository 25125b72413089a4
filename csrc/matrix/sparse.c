/* Rows that are mostly empty. A bin that only one of two rows has adds something simple to every measure
 * (half a bit of its mass to Jensen-Shannon, nothing to a product, infinity to Kullback-Leibler); so sums run
 * over shared bins alone. They are found by the bins of the one row in the other side's entries sorted by
 * bin, which reaches exactly the pairs that share something (Gustavson, ACM TOMS 4, 1978).
 *
 *     JS  D = 1 + 2^-e sum_shared [h_p log2 2h_p + h_q log2 2h_q - m log2 m - m],    m = h_p + h_q
 *     TV  D = 1 - sum_shared min(p, q)
 *
 * and the products of dense rows as they are. A row's limit (limits.c) is that of as many terms as it has
 * entries. Pairs below it are done again on the union of their bins: empty bins change no measure.
 */
#include "matrix/sparse.h"

#include <string.h>

#include "math/sum.h"
#include "rows/weigh.h"

/* A block of masses to factors; adds to what is to be known of the row's terms (limits.c). */
static void fd_prepare_entries(const fd_plan *plan, const double *mass, int n, double sum, double *left,
                               double *right, double *size, fd_sum *constant) {
    int padded = (n + FD_LANES - 1) / FD_LANES * FD_LANES;
    int has_constant = plan->measure == FD_kl_divergence || plan->measure == FD_jeffreys_divergence;
    double known = 0.0;
    fd_shares s;
    fd_tile_loops_now->shares(mass, n, padded, sum, plan->scale, 1, &s);
    if (!has_constant && fd_is_product(plan))
        known = fd_tile_loops_now->factors(plan->measure, plan->options.alpha, &s, padded);
    if (plan->measure == FD_renyi_divergence)
        *size = fmax(*size, known);
    for (int k = 0; k < n; k++) {
        left[k] = s.p[k];
        right[k] = s.log[k];
        if (plan->form == FD_FORM_JS) {
            left[k] = 0.5 * s.a[k];
            right[k] *= left[k];
            *size += 2.0 * fabs(right[k]) / plan->scale;
        } else if (plan->form == FD_FORM_L1) {
            right[k] = left[k];
        } else if (has_constant) { /* a chain of n would be longer than a sum's */
            fd_sum_add(constant, left[k] * right[k]);
        }
    }
}

void fd_prepare_sparse(const fd_plan *plan, const fd_sparse *side, ptrdiff_t i) {
    ptrdiff_t first = side->start[i], n = side->start[i + 1] - first;
    const double *mass = side->mass + first;
    fd_row_reader r = fd_reader((fd_view){(const char *)mass, sizeof *mass, FD_FLOAT64}, &plan->options);
    double size = 0.0, least = INFINITY;
    fd_sum constant = {0.0, 0.0};
    side->limit[i] = INFINITY;
    side->constant[i] = 0.0;
    side->kind[i] = FD_VOID;
    if (!fd_weigh_any(&r, n))
        return;
    side->kind[i] = FD_SPECIAL;
    for (ptrdiff_t k = 0; k < n; k++)
        least = mass[k] < least ? mass[k] : least;
    if (plan->form == FD_FORM_PAIRS || plan->measure == FD_HISTOGRAMS ||
        !(r.sum >= FD_MASS_MIN && r.sum <= 0x1p900 && least / r.sum >= FD_SHARE_MIN))
        return;
    for (ptrdiff_t k = 0; k < n; k += FD_BLOCK)
        fd_prepare_entries(plan, mass + k, (int)(n - k < FD_BLOCK ? n - k : FD_BLOCK), r.sum,
                           side->left + first + k, side->right + first + k, &size, &constant);
    if (plan->measure == FD_renyi_divergence && !(size < FD_POWER_MAX))
        return;
    side->kind[i] = FD_PLAIN;
    if (!side->bin_start || plan->measure == FD_jeffreys_divergence) /* of q, KL knows nothing */
        side->constant[i] = fd_sum_total(constant);
    side->limit[i] = fd_limit(plan, size, constant.value, n);
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
    fd_view p = {(const char *)x, sizeof *x, FD_FLOAT64}, q = {(const char *)y, sizeof *y, FD_FLOAT64};
    if (plan->measure == FD_HISTOGRAMS)
        return fd_transport_pair(p, q, place, n, &plan->options);
    return fd_row((fd_measure)plan->measure, p, q, n, &plan->options);
}

/* Adds what entry (left, right) of a row shares with n entries of its bin. Where `shared` is not NULL, it
 * counts the bins that two rows share, and each FD_SHARED of them go into the totals: of a pair's own, so that
 * the rows can be swapped. */
static void fd_share_bin(const fd_plan *plan, double left, double right, const int32_t *rows,
                         const double *lefts, const double *rights, ptrdiff_t n, double *sums, double *totals,
                         int32_t *shared, double *terms) {
    switch (plan->form) {
    case FD_FORM_JS:
        for (ptrdiff_t e = 0; e < n; e++)
            terms[e] = left + lefts[e];
        fd_tile_loops_now->log2(terms, terms + n, n);
        for (ptrdiff_t e = 0; e < n; e++)
            terms[e] = (right + rights[e]) - terms[e] * (terms[n + e] + 1.0);
        break;
    case FD_FORM_L1:
        for (ptrdiff_t e = 0; e < n; e++)
            terms[e] = left < lefts[e] ? left : lefts[e];
        break;
    case FD_FORM_DOTS:
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
    int both = plan->form == FD_FORM_DOTS,
        whole = plan->needs_support; /* inf unless the bins of p are all shared */
    fd_finish finish = plan->finish;
    if (plan->form == FD_FORM_JS) {
        finish.base = 1.0;
        finish.most = DBL_MAX; /* double precision throughout */
    } else if (plan->form == FD_FORM_L1) {
        finish.base = 1.0;
        finish.factor = -1.0;
    }
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
