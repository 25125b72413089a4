/* Rows prepared once, tiles of pairs in the fast form, and the pairs that it lost digits of done again.
 *
 * A fast form computes D as a sum of terms that do not vanish where the rows agree, so what it gets wrong is
 * absolute: at most E, a small multiple of u times what the terms add up to. Each row knows the size of its
 * terms (`size`), so E is known for every pair, and the pair is handed to fd_row wherever
 *
 *     E > FD_TOLERANCE D        (single precision: FD_TOLERANCE_32).
 *
 * Shares are prepared on the scale 2^e near the number of bins, a = 2^e p/sum(p), which makes log2 a small
 * for most bins and E with it. u = 2^-53, v = 2^-24; with A_p = 2^-e sum a |log2 a|, for log2 good to 2u:
 *
 *   JS          D = 2^-e sum [h_p log2 2h_p + h_q log2 2h_q - m log2 m],  h = a/2, m = h_p + h_q
 *               Each term is rounded by u (3 |h_p log| + 3 |h_q log| + 4 |m log2 m| + 3 m), and
 *               2^-e sum |m log2 m| <= (A_p + A_q)/2 + 1.07 by convexity, hence E = 4u (A_p + A_q + 2). The
 *               shares' own rounding moves D by u/2 at most and is within that.
 *   KL          D = C_p - sum p log2 a_q, C_p = sum p log2 a_p. sum p |log2 a_q| <= D + C_p + 2 by the
 *               variational bound sum p f <= KL(p, uniform) + log2 mean(2^f) at f = max(0, log2 a_q), hence
 *               E = g u (D + |C_p| + 4), g = FD_DOT_BLOCK + width/FD_DOT_BLOCK + 6 being the longest chain of
 *               additions in a product.
 *   cross entropy  all terms of one sign but for the rounding of shares near 1: E = g u D/4 + 4u. (The
 *               product alone may lose g u D, 1e-14 D.)
 *   Jeffreys    the KL both ways: E = g u (D + C_p + C_q + 8)
 *   Hellinger   D = 1 - sum sqrt(p q): E = g u
 *   chi-square  D = sum p^2/q - 1: E = g u (D + 1)
 *   total variation, transport: sums of |differences| of numbers rounded by 2u: E = 2u (size_p + size_q),
 *               size_p the sum of the numbers.
 *
 * The worst that was seen against E is in tests/test_matrix_accuracy.py.
 */
#include "matrix.h"

#include <stdlib.h>

#include "reader.h"

static const double FD_U = 0x1p-53, FD_TOLERANCE = 8e-13, FD_TOLERANCE_32 = 4.5e-6;

/* An empty bin of Jensen-Shannon: so that a logarithm can be taken of it, and nothing comes of it. */
static const double FD_EMPTY = 0x1p-900;
static const float FD_EMPTY_32 = 0x1p-100f;

/* ---- preparing --------------------------------------------------------------------------------------- */

static fd_view fd_row_view(const fd_side *side, ptrdiff_t i) {
    return (fd_view){side->data + i * side->row_step, side->bin_step, side->is_float32};
}

/* Where entry k of row i of a packed side is. */
static ptrdiff_t fd_packed(ptrdiff_t i, ptrdiff_t k, ptrdiff_t width) {
    return (i / FD_LANES * width + k) * FD_LANES + i % FD_LANES;
}

/* A block of a row: shares p, scaled shares a = 2^e p, log2 a (0 where a is). */
typedef struct {
    double p[FD_BLOCK], a[FD_BLOCK], log[FD_BLOCK];
} fd_shares;

static void fd_share(const fd_plan *plan, const fd_row_reader *r, ptrdiff_t start, int size, fd_shares *s) {
    double copy[FD_BLOCK];
    const double *x = fd_block(r, start, size, copy);
    for (int k = 0; k < size; k++) {
        s->p[k] = x[k] / r->sum;
        s->a[k] = s->p[k] * plan->scale;
        copy[k] = s->a[k] > 0.0 ? s->a[k] : 1.0;
    }
    fd_kernels_now->log2(copy, s->log, size);
}

static void fd_prepare_js(const fd_plan *plan, const fd_side *side, ptrdiff_t i, ptrdiff_t start, int size,
                          const fd_shares *s) {
    double *half = side->left + i * plan->width + start, *log = side->left_too + i * plan->width + start;
    double total = 0.0;
    for (int k = 0; k < size; k++) {
        half[k] = s->a[k] > 0.0 ? 0.5 * s->a[k] : FD_EMPTY;
        log[k] = 0.5 * s->a[k] * s->log[k];
        total += fabs(log[k]);
    }
    side->size[i] += 2.0 * total / plan->scale;
    if (!side->left32)
        return;
    float *half32 = side->left32 + i * plan->width + start, *log32 = side->right32 + i * plan->width + start;
    for (int k = 0; k < size; k++) {
        half32[k] = half[k] > FD_EMPTY_32 ? (float)half[k] : FD_EMPTY_32;
        log32[k] = (float)log[k];
    }
}

/* The two factors whose product is summed. */
static void fd_prepare_dot(const fd_plan *plan, const fd_side *side, ptrdiff_t i, ptrdiff_t start, int size,
                           fd_shares *s) {
    double *left = s->p, *right = s->log, constant = 0.0;
    switch (plan->measure) {
    case FD_ROW_HELLINGER_DISTANCE:
        for (int k = 0; k < size; k++)
            left[k] = right[k] = sqrt(s->p[k]);
        break;
    case FD_ROW_CHI_SQUARE:
        for (int k = 0; k < size; k++) {
            right[k] = s->p[k] > 0.0 ? 1.0 / s->p[k] : 0.0;
            left[k] = s->p[k] * s->p[k];
        }
        break;
    case FD_ROW_CROSS_ENTROPY:
        fd_kernels_now->surprisal(s->p, right, size);
        for (int k = 0; k < size; k++)
            right[k] = s->p[k] > 0.0 ? right[k] : 0.0;
        break;
    default:
        for (int k = 0; k < size; k++)
            constant += left[k] * right[k];
    }
    side->constant[i] += constant;
    for (int k = 0; k < size; k++) {
        if (side->left)
            side->left[i * plan->width + start + k] = left[k];
        if (side->right)
            side->right[fd_packed(i, start + k, plan->width)] = right[k];
        if (side->left_too)
            side->left_too[i * plan->width + start + k] = right[k];
        if (side->right_too)
            side->right_too[fd_packed(i, start + k, plan->width)] = left[k];
    }
}

/* Shares for total variation; for transport gap-weighted cumulative shares, each rounded once from a
 * double-double sum, so that rows end in exactly the same 1. */
static void fd_prepare_l1(const fd_plan *plan, const fd_side *side, ptrdiff_t i, const fd_row_reader *r) {
    double size = 0.0, hi = 0.0, lo = 0.0, *out = side->left + i * plan->width;
    for (ptrdiff_t k = 0; k < plan->n_bins; k++) {
        double x = fd_entry(&r->view, k) + r->add;
        if (plan->measure == FD_ROW_SAMPLES)
            out[k] = x;
        else if (plan->measure == FD_ROW_TOTAL_VARIATION)
            out[k] = x / r->sum;
        else {
            fd_add(&hi, &lo, x);
            double gap = k + 1 < plan->n_bins ? plan->support[k + 1] - plan->support[k] : 0.0;
            out[k] = (hi + lo) / r->sum * gap;
        }
        size += fabs(out[k]);
    }
    side->size[i] = plan->measure == FD_ROW_SAMPLES ? 0.0 : size;
}

static void fd_note_support(const fd_plan *plan, const fd_side *side, ptrdiff_t i, ptrdiff_t start, int size,
                            const fd_shares *s) {
    uint64_t *words = side->support + i * ((plan->n_bins + 63) / 64) + start / 64;
    for (int first = 0; first < size; first += 64) {
        uint64_t bits = 0;
        int n = size - first < 64 ? size - first : 64;
        for (int k = 0; k < n; k++)
            bits |= (uint64_t)(s->p[first + k] > 0.0) << k;
        words[first / 64] = bits;
        side->gaps[i] |= bits != UINT64_MAX >> (64 - n);
    }
}

int fd_prepare_row(const fd_plan *plan, const fd_side *side, ptrdiff_t i) {
    ptrdiff_t n = plan->n_bins;
    fd_row_reader r = fd_reader(fd_row_view(side, i), &plan->options);
    side->size[i] = side->constant[i] = 0.0;
    if (plan->measure == FD_ROW_SAMPLES) {
        for (ptrdiff_t k = 0; k < n; k++)
            if (!(fabs(fd_entry(&r.view, k)) <= DBL_MAX))
                return side->kind[i] = FD_VOID;
        if (plan->form == FD_FORM_L1)
            fd_prepare_l1(plan, side, i, &r);
        return side->kind[i] = FD_PLAIN;
    }
    if (!fd_weigh_any(&r, n))
        return side->kind[i] = FD_VOID;
    if (plan->form == FD_FORM_PAIRS)
        return side->kind[i] = FD_PLAIN;
    fd_stats stats;
    r.direct = 0;
    fd_row_stats(&r, n, 1, &stats);
    if (!(stats.sum_hi >= FD_MASS_MIN && stats.sum_hi <= 0x1p900 && stats.least / stats.sum_hi >= 0x1p-800))
        return side->kind[i] = FD_SPECIAL;
    r.sum = stats.sum_hi;
    if (plan->form == FD_FORM_L1) {
        fd_prepare_l1(plan, side, i, &r);
        return side->kind[i] = FD_PLAIN;
    }
    fd_shares shares;
    for (ptrdiff_t start = 0; start < n; start += FD_BLOCK) {
        int size = (int)(n - start < FD_BLOCK ? n - start : FD_BLOCK);
        fd_share(plan, &r, start, size, &shares);
        if (side->support) /* before the shares are overwritten */
            fd_note_support(plan, side, i, start, size, &shares);
        if (plan->form == FD_FORM_JS)
            fd_prepare_js(plan, side, i, start, size, &shares);
        else
            fd_prepare_dot(plan, side, i, start, size, &shares);
    }
    for (ptrdiff_t k = n; k < plan->width && plan->form == FD_FORM_JS; k++) {
        side->left[i * plan->width + k] = FD_EMPTY;
        if (side->left32)
            side->left32[i * plan->width + k] = FD_EMPTY_32;
    }
    return side->kind[i] = FD_PLAIN;
}

/* ---- one pair ---------------------------------------------------------------------------------------- */

/* Transport between masses on one support: sum over the gaps of |F - G|, by differences of masses
 * x S_q - y S_p summed as double-doubles (numerics.md 1.2). */
static double fd_transport_pair(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b,
                                ptrdiff_t j) {
    fd_row_reader p = fd_reader(fd_row_view(a, i), &plan->options), q = fd_reader(fd_row_view(b, j), &plan->options);
    ptrdiff_t n = plan->n_bins;
    fd_stats stats;
    if (!fd_weigh_any(&p, n) || !fd_weigh_any(&q, n))
        return NAN;
    if (!fd_is_ordinary(&p) || !fd_is_ordinary(&q)) {
        fd_rescale(&p, n, fd_sum_exponent(&p, n));
        fd_rescale(&q, n, fd_sum_exponent(&q, n));
    }
    p.direct = q.direct = 0;
    fd_row_stats(&p, n, 1, &stats);
    double sp = stats.sum_hi, sp_lo = stats.sum_lo;
    fd_row_stats(&q, n, 1, &stats);
    double sq = stats.sum_hi, sq_lo = stats.sum_lo, hi = 0.0, lo = 0.0, total = 0.0, total_lo = 0.0;
    for (ptrdiff_t k = 0; k + 1 < n; k++) {
        double x, y;
        x = *fd_block(&p, k, 1, &x);
        y = *fd_block(&q, k, 1, &y);
        double left = x * sq, right = y * sp;
        fd_add(&hi, &lo, left);
        fd_add(&hi, &lo, -right);
        lo += (fma(x, sq, -left) + x * sq_lo) - (fma(y, sp, -right) + y * sp_lo);
        fd_add(&total, &total_lo, fabs(hi + lo) * (plan->support[k + 1] - plan->support[k]));
    }
    return (total + total_lo) / sp / sq;
}

/* Transport of order p between two sorted rows: (mean |x - y|^p)^(1/p), scaled by the largest difference so
 * that no power overflows or vanishes. */
static double fd_samples_pair(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b,
                              ptrdiff_t j) {
    fd_view p = fd_row_view(a, i), q = fd_row_view(b, j);
    double most = 0.0, sum = 0.0;
    for (ptrdiff_t k = 0; k < plan->n_bins; k++) {
        double d = fabs(0.5 * fd_entry(&p, k) - 0.5 * fd_entry(&q, k));
        most = d > most ? d : most;
    }
    if (most == 0.0 || plan->order == INFINITY)
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

double fd_exact_pair(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b, ptrdiff_t j) {
    if (a->kind[i] == FD_VOID || b->kind[j] == FD_VOID)
        return NAN;
    if (plan->measure == FD_ROW_SAMPLES)
        return fd_samples_pair(plan, a, i, b, j);
    if (plan->measure == FD_ROW_HISTOGRAMS)
        return fd_transport_pair(plan, a, i, b, j);
    return fd_row((fd_row_measure)plan->measure, fd_row_view(a, i), fd_row_view(b, j), plan->n_bins,
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

/* D and the bound E of its error, from the sum of the fast form. */
static void fd_finish_sum(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b, ptrdiff_t j,
                          double sum, double *d, double *error) {
    double chain = (FD_DOT_BLOCK + 6 + plan->width / FD_DOT_BLOCK) * FD_U;
    switch (plan->measure) {
    case FD_ROW_JS_DIVERGENCE:
    case FD_ROW_JS_DISTANCE:
        *d = sum / plan->scale;
        *error = 4.0 * (plan->single ? 0x1p-24 : FD_U) * (a->size[i] + b->size[j] + 2.0);
        return;
    case FD_ROW_KL_DIVERGENCE:
        *d = a->constant[i] - sum;
        *error = chain * (*d + fabs(a->constant[i]) + 4.0);
        return;
    case FD_ROW_CROSS_ENTROPY:
        *d = sum;
        *error = 4.0 * FD_U;
        return;
    case FD_ROW_JEFFREYS_DIVERGENCE:
        *d = (a->constant[i] + b->constant[j]) - sum;
        *error = chain * (*d + fabs(a->constant[i]) + fabs(b->constant[j]) + 8.0);
        return;
    case FD_ROW_HELLINGER_DISTANCE:
        *d = 1.0 - sum;
        *error = chain;
        return;
    case FD_ROW_CHI_SQUARE:
        *d = sum - 1.0;
        *error = chain * (sum + 1.0);
        return;
    case FD_ROW_TOTAL_VARIATION:
        *d = 0.5 * sum;
        break;
    case FD_ROW_SAMPLES:
        *d = sum / (double)plan->n_bins;
        break;
    default:
        *d = sum;
    }
    *error = 2.0 * FD_U * (a->size[i] + b->size[j]);
}

/* Into the caller's unit; what reaches a bound within its error is the bound. */
static double fd_finish_value(const fd_plan *plan, double d, double error) {
    switch (plan->measure) {
    case FD_ROW_JS_DIVERGENCE:
        return fd_in_unit(d >= 1.0 - error ? 1.0 : d, &plan->options);
    case FD_ROW_JS_DISTANCE:
        return sqrt(fd_in_unit(d >= 1.0 - error ? 1.0 : d, &plan->options));
    case FD_ROW_KL_DIVERGENCE:
    case FD_ROW_CROSS_ENTROPY:
    case FD_ROW_JEFFREYS_DIVERGENCE:
        return fd_in_unit(d, &plan->options);
    case FD_ROW_HELLINGER_DISTANCE:
        return sqrt(d);
    case FD_ROW_TOTAL_VARIATION:
        return d >= 1.0 - error ? 1.0 : d;
    default:
        return d;
    }
}

static void fd_sum_tile(const fd_plan *plan, const fd_side *a, ptrdiff_t i, int n_i, const fd_side *b,
                        ptrdiff_t j, int n_j, double *sums, double *scratch) {
    ptrdiff_t w = plan->width;
    for (int row = 0; row < n_i; row++)
        if (plan->form == FD_FORM_L1)
            fd_kernels_now->l1_rows(a->left + (i + row) * w, b->left + j * w, w, n_j, w, sums + row * FD_TILE);
        else if (plan->form == FD_FORM_JS && plan->single)
            fd_kernels_now->js_rows32(a->left32 + (i + row) * w, a->right32 + (i + row) * w, b->left32 + j * w,
                                      b->right32 + j * w, w, n_j, w, sums + row * FD_TILE);
        else if (plan->form == FD_FORM_JS)
            fd_kernels_now->js_rows(a->left + (i + row) * w, a->left_too + (i + row) * w, b->left + j * w,
                                    b->left_too + j * w, w, n_j, w, sums + row * FD_TILE);
    if (plan->form == FD_FORM_DOT || plan->form == FD_FORM_DOTS)
        for (int panel = 0; panel < n_j; panel += FD_LANES)
            fd_kernels_now->dot_rows(a->left + i * w, w, n_i, b->right + (j + panel) * w, w, sums + panel,
                                     FD_TILE);
    if (plan->form == FD_FORM_DOTS) {
        for (int panel = 0; panel < n_j; panel += FD_LANES)
            fd_kernels_now->dot_rows(a->left_too + i * w, w, n_i, b->right_too + (j + panel) * w, w,
                                     scratch + panel, FD_TILE);
        for (int cell = 0; cell < n_i * FD_TILE; cell++)
            sums[cell] += scratch[cell];
    }
}

ptrdiff_t fd_tile(const fd_plan *plan, const fd_side *a, ptrdiff_t i, int n_i, const fd_side *b, ptrdiff_t j,
                  int n_j, double *values, double *scratch) {
    double tolerance = plan->single ? FD_TOLERANCE_32 : FD_TOLERANCE;
    ptrdiff_t words = (plan->n_bins + 63) / 64, again = 0;
    int both = plan->measure == FD_ROW_JEFFREYS_DIVERGENCE;
    if (plan->form != FD_FORM_PAIRS)
        fd_sum_tile(plan, a, i, n_i, b, j, n_j, values, scratch);
    for (int row = 0; row < n_i; row++)
        for (int column = 0; column < n_j; column++) {
            double d = 0.0, error = INFINITY, *value = values + row * FD_TILE + column;
            ptrdiff_t p = i + row, q = j + column;
            if (plan->form != FD_FORM_PAIRS && a->kind[p] == FD_PLAIN && b->kind[q] == FD_PLAIN) {
                if (a->support && (b->gaps[q] || (both && a->gaps[p])) &&
                    fd_is_violated(plan, a->support + p * words, b->support + q * words, both)) {
                    *value = INFINITY;
                    continue;
                }
                fd_finish_sum(plan, a, p, b, q, *value, &d, &error);
            }
            if (error <= tolerance * d)
                *value = fd_finish_value(plan, d, error);
            else {
                *value = fd_exact_pair(plan, a, p, b, q);
                again++;
            }
        }
    return again;
}
