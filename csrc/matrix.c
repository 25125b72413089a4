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
 * and 3u more through a shared division; g = 70 + width/64 (at most 64) + width/4096 additions at most in a
 * row within a product.
 *
 *   JS              D = 2^-e sum [h_p log2 2h_p + h_q log2 2h_q - m log2 m],  h = a/2, m = h_p + h_q.
 *                   A term is rounded by u (3 |h_p log| + 3 |h_q log| + 6 |m log2 m| + 3 m), and
 *                   2^-e sum |m log2 m| <= (A_p + A_q)/2 + 1.07 by convexity, hence E = 5u (A_p + A_q + 2).
 *                   The shares' own rounding moves D by u/2 at most and is within that. In single precision
 *                   the tables are rounded once, from doubles: u (2 |h_p log| + 2 |h_q log| + 5 |m log2 m| +
 *                   3 m), and E = 3.5u (A_p + A_q + 2.4), beside 8u D for the sum and u D for the result.
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
 *   total variation, transport of masses
 *                   Sums of |differences| of numbers that are rounded by 4u at most: E = 4u (size_p +
 *                   size_q), size_p the sum of the numbers.
 *
 *   transport of samples
 *                   Differences of the values as they are: E = 0.
 *
 * tests/test_matrix_accuracy.py goes through pairs of every nearness with rows whose rounding errors add up.
 * The largest seen, on any instruction set: 5e-14 (cross entropy 1.5e-13), single precision 5e-7.
 */
#include "matrix.h"

#include <stdlib.h>

#include "reader.h"

static const double FD_U = 0x1p-53, FD_TOLERANCE = 8e-13, FD_TOLERANCE_32 = 4.4e-6;

/* An empty bin of Jensen-Shannon: so that a logarithm can be taken of it, and nothing comes of it. The
 * product of two is a normal number still. */
static const double FD_EMPTY = 0x1p-400;
static const float FD_EMPTY_32 = 0x1p-60f;

/* Sums of one term a bin are cut here, so that no chain of additions in a lane exceeds 128. */
enum { FD_CHUNK = 128 * FD_LANES, FD_DOT_CHUNK = 64 * FD_DOT_BLOCK };

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
    side->limit[i] += 2.0 * total / plan->scale;
    for (int k = 0; k < size && side->bound; k++)
        side->bound[i * plan->width + start + k] = sqrt(s->p[k]);
    for (int k = 0; k < size && side->bound_packed; k++)
        side->bound_packed[fd_packed(i, start + k, plan->width)] = sqrt(s->p[k]);
    if (!side->left32)
        return;
    float *half32 = side->left32 + i * plan->width + start, *log32 = side->right32 + i * plan->width + start;
    for (int k = 0; k < size; k++) {
        half32[k] = half[k] > FD_EMPTY_32 ? (float)half[k] : FD_EMPTY_32;
        log32[k] = (float)log[k];
    }
}

/* In lanes: one chain of 512 additions would be longer than those of the products it is compared with. */
static double fd_product_sum(const double *x, const double *y, int n) {
    double lanes[FD_LANES] = {0}, sum = 0.0;
    for (int k = 0; k < n; k++)
        lanes[k % FD_LANES] += x[k] * y[k];
    for (int lane = 0; lane < FD_LANES; lane++)
        sum += lanes[lane];
    return sum;
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
        constant = fd_product_sum(left, right, size);
    }
    if (side->left || plan->measure == FD_ROW_JEFFREYS_DIVERGENCE) /* of q, KL knows nothing */
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
    ptrdiff_t group = (plan->n_bins + FD_LANES - 1) / FD_LANES;
    for (ptrdiff_t k = 0; k < plan->n_bins && side->bound; k++)
        side->bound[i * FD_LANES + k / group] += out[k];
    side->total[i] = size;
    side->limit[i] = plan->measure == FD_ROW_SAMPLES ? 0.0 : size;
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

/* From the size of a row's terms to its limit: E <= tolerance D as D >= limit_i + limit_j. */
static double fd_limit(const fd_plan *plan, double size, double constant) {
    double blocks = plan->width < FD_DOT_CHUNK ? (double)plan->width / FD_DOT_BLOCK : 64.0;
    double chain = (FD_DOT_BLOCK + 6.0 + blocks + (double)plan->width / FD_DOT_CHUNK) * FD_U;
    double tolerance = plan->single ? FD_TOLERANCE_32 : FD_TOLERANCE;
    if (chain > 0.5 * tolerance) /* beyond 10^9 bins */
        return INFINITY;
    switch (plan->measure) {
    case FD_ROW_JS_DIVERGENCE:
    case FD_ROW_JS_DISTANCE:
        return plan->single ? 3.5 * 0x1p-24 * (size + 1.2) / tolerance
                            : 5.0 * FD_U * (size + 1.0) / tolerance;
    case FD_ROW_KL_DIVERGENCE:
    case FD_ROW_JEFFREYS_DIVERGENCE:
        return chain * (fabs(constant) + 4.0) / (tolerance - chain);
    case FD_ROW_CROSS_ENTROPY:
        return 2.0 * FD_U / tolerance;
    case FD_ROW_HELLINGER_DISTANCE:
        return 0.5 * chain / tolerance;
    case FD_ROW_CHI_SQUARE:
        return chain / (tolerance - chain);
    default:
        return 4.0 * FD_U * size / tolerance;
    }
}

void fd_plan_finish(fd_plan *plan) {
    fd_finish *f = &plan->finish;
    *f = (fd_finish){.base = 0.0, .factor = 1.0, .top = INFINITY, .most = INFINITY, .unit_hi = 1.0};
    switch (plan->measure) {
    case FD_ROW_JS_DIVERGENCE:
    case FD_ROW_JS_DISTANCE:
        f->factor = 1.0 / plan->scale;
        f->root = plan->measure == FD_ROW_JS_DISTANCE;
        f->top = 1.0 - 1e-13;
        if (plan->single)
            f->most = 1.0 - 3e-6; /* disjoint or nearly: double precision tells */
        break;
    case FD_ROW_KL_DIVERGENCE:
    case FD_ROW_JEFFREYS_DIVERGENCE:
        f->factor = -1.0;
        break;
    case FD_ROW_HELLINGER_DISTANCE:
        f->base = 1.0;
        f->factor = -1.0;
        f->root = 1;
        break;
    case FD_ROW_CHI_SQUARE:
        f->base = -1.0;
        break;
    case FD_ROW_TOTAL_VARIATION:
        f->factor = 0.5;
        f->top = 1.0 - 1e-13;
        break;
    case FD_ROW_SAMPLES:
        f->factor = 1.0 / (double)plan->n_bins;
        break;
    default:
        break;
    }
    if (plan->measure <= FD_ROW_JS_DISTANCE) { /* what is measured in bits */
        f->unit_hi = plan->options.unit_hi;
        f->unit_lo = plan->options.unit_lo;
    }
}

/* The least positive mass. */
static double fd_least(const fd_row_reader *r, ptrdiff_t n) {
    double copy[FD_BLOCK], least = INFINITY;
    for (ptrdiff_t start = 0; start < n; start += FD_BLOCK) {
        ptrdiff_t size = n - start < FD_BLOCK ? n - start : FD_BLOCK;
        const double *x = fd_block(r, start, size, copy);
        _Pragma("omp simd reduction(min : least)") for (ptrdiff_t k = 0; k < size; k++) {
            double positive = x[k] > 0.0 ? x[k] : INFINITY;
            least = positive < least ? positive : least;
        }
    }
    return least;
}

static int fd_prepare(const fd_plan *plan, const fd_side *side, ptrdiff_t i) {
    ptrdiff_t n = plan->n_bins;
    fd_row_reader r = fd_reader(fd_row_view(side, i), &plan->options);
    if (plan->measure == FD_ROW_SAMPLES) {
        for (ptrdiff_t k = 0; k < n; k++)
            if (!(fabs(fd_entry(&r.view, k)) <= DBL_MAX))
                return FD_VOID;
        if (plan->form == FD_FORM_L1)
            fd_prepare_l1(plan, side, i, &r);
        return FD_PLAIN;
    }
    if (!fd_weigh_any(&r, n))
        return FD_VOID;
    if (plan->form == FD_FORM_PAIRS)
        return FD_PLAIN;
    int in_place = r.direct && fd_is_ordinary(&r);
    fd_stats stats;
    stats = fd_row_stats(&r, n, 1);
    r.direct = 0;
    if (!(stats.sum_hi >= FD_MASS_MIN && stats.sum_hi <= 0x1p900 &&
          fd_least(&r, n) / stats.sum_hi >= 0x1p-390))
        return FD_SPECIAL;
    r.sum = stats.sum_hi;
    if (plan->form == FD_FORM_JS) {
        side->total[i] = stats.sum_hi;
        side->total_lo[i] = in_place ? stats.sum_lo : NAN;
    }
    if (plan->form == FD_FORM_L1) {
        fd_prepare_l1(plan, side, i, &r);
        return FD_PLAIN;
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
    return FD_PLAIN;
}

int fd_prepare_row(const fd_plan *plan, const fd_side *side, ptrdiff_t i) {
    side->limit[i] = side->constant[i] = 0.0;
    side->kind[i] = (uint8_t)fd_prepare(plan, side, i);
    side->limit[i] = side->kind[i] == FD_PLAIN ? fd_limit(plan, side->limit[i], side->constant[i]) : INFINITY;
    return side->kind[i];
}

/* ---- one pair ---------------------------------------------------------------------------------------- */

/* Transport between masses on one support: sum over the gaps of |F - G|, by differences of masses
 * x S_q - y S_p summed as double-doubles. Swapping the rows changes every sign and nothing else. */
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
    for (ptrdiff_t k = 0; k + 1 < n; k++) {
        double x, y;
        x = *fd_block(&p, k, 1, &x);
        y = *fd_block(&q, k, 1, &y);
        double left = x * sq, right = y * sp;
        fd_add(&hi, &lo, left - right);
        lo += fd_difference_error(left, right) +
              ((fma(x, sq, -left) + x * sq_lo) - (fma(y, sp, -right) + y * sp_lo));
        fd_add(&total, &total_lo, fabs(hi + lo) * (plan->support[k + 1] - plan->support[k]));
    }
    return (total + total_lo) / fmax(sp, sq) / fmin(sp, sq);
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

/* The finish of a divergence that is known by other means. */
static double fd_finish_one(const fd_plan *plan, double d) {
    d = d >= plan->finish.top ? 1.0 : d;
    d = d * plan->finish.unit_hi + d * plan->finish.unit_lo;
    return plan->finish.root ? sqrt(d) : d;
}

/* Jensen-Shannon of near-identical rows that can be read in place; -1 if they are not, or so near that only
 * fd_row can tell them from equal. The row with the larger sum comes first, so that order does not matter. */
static double fd_js_near_pair(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b,
                              ptrdiff_t j) {
    const double *p = (const double *)(a->data + i * a->row_step);
    const double *q = (const double *)(b->data + j * b->row_step);
    double sp = a->total[i], sp_lo = a->total_lo[i], sq = b->total[j], sq_lo = b->total_lo[j], sum = 0.0;
    if (sp_lo != sp_lo || sq_lo != sq_lo)
        return -1.0;
    if (sp < sq || (sp == sq && memcmp(p, q, (size_t)plan->n_bins * sizeof *p) < 0)) {
        const double *row = p;
        double s = sp, s_lo = sp_lo;
        p = q, sp = sq, sp_lo = sq_lo;
        q = row, sq = s, sq_lo = s_lo;
    }
    double c = sp / sq, c_lo = (fma(-c, sq, sp) + sp_lo - c * sq_lo) / sq;
    for (ptrdiff_t start = 0; start < plan->n_bins; start += FD_CHUNK) {
        ptrdiff_t n = plan->n_bins - start < FD_CHUNK ? plan->n_bins - start : FD_CHUNK;
        double part = fd_kernels_now->js_near(p + start, q + start, n, c, c_lo);
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
    ptrdiff_t w = plan->width;
    double part[FD_TILE];
    for (ptrdiff_t start = 0; start < w; start += FD_CHUNK) {
        ptrdiff_t size = w - start < FD_CHUNK ? w - start : FD_CHUNK, p = i * w + start, q = j * w + start;
        double *out = start ? part : sums;
        if (plan->single && look)
            fd_kernels_now->js_rows32(a->left32 + p, a->right32 + p, b->left32 + q, b->right32 + q, w, n,
                                      size, out);
        else
            fd_kernels_now->js_rows(a->left + p, a->left_too + p, b->left + q, b->left_too + q, w, n, size,
                                    look && w <= FD_CHUNK, out);
        for (int row = 0; row < n && start; row++)
            sums[row] += part[row];
    }
}

/* Jensen-Shannon once more: by terms of second order, or in double precision, or by fd_row. */
static double fd_js_pair(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b, ptrdiff_t j) {
    double sum, value = fd_js_near_pair(plan, a, i, b, j);
    if (value >= 0.0)
        return value;
    fd_js_sums(plan, a, i, b, j, 1, 0, &sum);
    double limit = a->limit[i] + b->limit[j], d = sum * plan->finish.factor;
    if (plan->single)
        limit *= 0x1p-28; /* double precision held to the tolerance of single */
    return d >= limit ? fd_finish_one(plan, d) : -1.0;
}

double fd_exact_pair(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b, ptrdiff_t j) {
    if (a->kind[i] == FD_VOID || b->kind[j] == FD_VOID)
        return NAN;
    if (plan->measure == FD_ROW_SAMPLES)
        return fd_samples_pair(plan, a, i, b, j);
    if (plan->measure == FD_ROW_HISTOGRAMS)
        return fd_transport_pair(plan, a, i, b, j);
    if (plan->form == FD_FORM_JS && a->kind[i] == FD_PLAIN && b->kind[j] == FD_PLAIN) {
        double value = fd_js_pair(plan, a, i, b, j);
        if (value >= 0.0)
            return value;
    }
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

/* What the products cannot see: p log(p/0) = inf. */
static void fd_mark_violations(const fd_plan *plan, const fd_side *a, ptrdiff_t i, int n_i, const fd_side *b,
                               ptrdiff_t j, int n_j, double *values) {
    ptrdiff_t words = (plan->n_bins + 63) / 64;
    int both = plan->measure == FD_ROW_JEFFREYS_DIVERGENCE;
    for (int column = 0; column < n_j; column++)
        for (int row = 0; row < n_i; row++)
            if ((b->gaps[j + column] || (both && a->gaps[i + row])) && a->kind[i + row] == FD_PLAIN &&
                b->kind[j + column] == FD_PLAIN &&
                fd_is_violated(plan, a->support + (i + row) * words, b->support + (j + column) * words, both))
                values[row * FD_TILE + column] = INFINITY;
}

static void fd_l1_sums(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b, ptrdiff_t j,
                       int n, double *sums) {
    ptrdiff_t w = plan->width;
    double part[FD_TILE];
    for (ptrdiff_t start = 0; start < w; start += FD_CHUNK) {
        ptrdiff_t size = w - start < FD_CHUNK ? w - start : FD_CHUNK;
        fd_kernels_now->l1_rows(a->left + i * w + start, b->left + j * w + start, w, n, size,
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
            fd_kernels_now->dot_rows(left + start, w, n_i, right + panel * w + start * FD_LANES, size,
                                     (start ? part : sums) + panel, FD_TILE);
        for (int cell = 0; cell < n_i * FD_TILE && start; cell++)
            sums[cell] += part[cell];
    }
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
    for (int row = 0; row < n_i; row++) {
        double *value = values + row * FD_TILE;
        if (plan->form == FD_FORM_JS)
            fd_js_sums(plan, a, i + row, b, j, n_j, 1, value);
        else if (plan->form == FD_FORM_L1)
            fd_l1_sums(plan, a, i + row, b, j, n_j, value);
        int lost = n_j;
        if (plan->form != FD_FORM_PAIRS)
            lost = fd_kernels_now->finish_row(value, n_j, &plan->finish, a->constant[i + row],
                                              a->limit[i + row], b->constant + j, b->limit + j);
        for (int column = 0; column < n_j && lost; column++)
            if (plan->form == FD_FORM_PAIRS || value[column] == -1.0) {
                value[column] = fd_exact_pair(plan, a, i + row, b, j + column);
                again++;
            }
    }
    if (a->support && b->support)
        fd_mark_violations(plan, a, i, n_i, b, j, n_j, values);
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
    int lost = fd_kernels_now->finish_row(&value, 1, &plan->finish, a->constant[i], a->limit[i],
                                          b->constant + j, b->limit + j);
    return lost ? fd_exact_pair(plan, a, i, b, j) : value;
}
