/* Rows of a matrix made ready for tiles (matrix.h): read once, divided by their sums, in the form that the
 * loops of tiles.h take. Compiled once per instruction set (levels/).
 *
 * A row whose shares span more than those loops can take is found out while its shares are made, so what was
 * written for it by then is some number or NaN, and never used: its limit is infinite.
 */
#include "matrix/matrix.h"
#include "rows/weigh.h"

/* An empty bin of Jensen-Shannon: so that a logarithm can be taken of it, and nothing comes of it. The
 * product of two is a normal number still. */
static const double FD_EMPTY = 0x1p-400;
static const float FD_EMPTY_32 = 0x1p-60f;

/* A block of a row: shares p, scaled shares a = 2^e p, log2 a (0 where a is); padded with empty bins. */
typedef struct {
    double p[FD_BLOCK], a[FD_BLOCK], log[FD_BLOCK];
} fd_shares;

/* Bins [start, start + n) as masses, which add to r->sum. */
static const double *fd_block_of_masses(const fd_row_reader *r, ptrdiff_t start, ptrdiff_t n, double *copy) {
    const double *x = fd_block(r, start, n, copy);
    if (!r->logs)
        return x;
    _Pragma("omp simd") for (ptrdiff_t k = 0; k < n; k++) copy[k] = fd_exp((x[k] - r->max) - r->log);
    return copy;
}

/* Of logarithms: -log of the least share above 0. */
static double fd_log_span(const fd_row_reader *r, ptrdiff_t n) {
    double copy[FD_BLOCK], least = INFINITY;
    for (ptrdiff_t start = 0; start < n; start += FD_BLOCK) {
        ptrdiff_t size = n - start < FD_BLOCK ? n - start : FD_BLOCK;
        const double *x = fd_block(r, start, size, copy);
        _Pragma("omp simd reduction(min : least)") for (ptrdiff_t k = 0; k < size; k++) {
            double finite = x[k] > -INFINITY ? x[k] : INFINITY;
            least = finite < least ? finite : least;
        }
    }
    return (r->max - least) + r->log;
}

/* Returns the least positive share. */
static double fd_share(const fd_plan *plan, const fd_row_reader *r, ptrdiff_t start, int size, int padded,
                       fd_shares *s) {
    double copy[FD_BLOCK], least = INFINITY, sum = r->sum, scale = plan->scale;
    const double *x = fd_block_of_masses(r, start, size, copy);
    _Pragma("omp simd reduction(min : least)") for (int k = 0; k < size; k++) {
        double p = x[k] / sum, positive = x[k] > 0.0 ? x[k] : INFINITY; /* p may have underflowed */
        least = positive < least ? positive : least;
        s->p[k] = p;
        s->a[k] = p * scale;
    }
    for (int k = size; k < padded; k++)
        s->p[k] = s->a[k] = 0.0;
    if (plan->measure == FD_hellinger_distance || plan->measure == FD_chi_square)
        return least / sum;
    _Pragma("omp simd") for (int k = 0; k < padded; k++) {
        double log = fd_log2(s->a[k] > 0.0 ? s->a[k] : 1.0);
        s->log[k] = log;
    }
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

/* Adds to the row's limit the size of its terms. */
static void fd_prepare_js(const fd_plan *plan, const fd_side *side, ptrdiff_t i, ptrdiff_t start, int padded,
                          const fd_shares *s) {
    ptrdiff_t row = i * plan->width + start, blocks = i * fd_js_blocks(plan->width) + start / FD_JS_BLOCK;
    double total = 0.0;
    for (int first = 0; first < padded; first += FD_JS_BLOCK, row += FD_JS_BLOCK, blocks++) {
        int size = padded - first < FD_JS_BLOCK ? padded - first : FD_JS_BLOCK;
        double *half = side->left + row, sums[FD_LANES] = {0}, sizes[FD_LANES] = {0};
        for (int k = 0; k < size; k += FD_LANES) {
            _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) {
                double h = 0.5 * s->a[first + k + lane], term = h * s->log[first + k + lane];
                half[k + lane] = h > 0.0 ? h : FD_EMPTY;
                sums[lane] += term;
                sizes[lane] += fabs(term);
            }
        }
        memcpy(side->blocks + blocks * FD_LANES, sums, sizeof sums);
        if (side->left32)
            fd_round_js(half, s->log + first, size, side->left32 + row, side->blocks32 + blocks * FD_LANES);
        total += fd_fold(sizes);
    }
    side->limit[i] += 2.0 * total / plan->scale;
}

/* In lanes: one chain of 512 additions would be longer than those of the products it is compared with. */
static double fd_product_sum(const double *x, const double *y, int padded) {
    double lanes[FD_LANES] = {0};
    for (int k = 0; k < padded; k += FD_LANES) {
        _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) lanes[lane] +=
            x[k + lane] * y[k + lane];
    }
    return fd_fold(lanes);
}

/* Where entry k of row i is in panels. */
static ptrdiff_t fd_packed(ptrdiff_t i, ptrdiff_t k, ptrdiff_t width) {
    return (i / FD_LANES * width + k) * FD_LANES + i % FD_LANES;
}

static void fd_pack(double *panels, ptrdiff_t width, ptrdiff_t i, ptrdiff_t start, const double *x,
                    int size) {
    double *out = panels + fd_packed(i, start, width);
    for (int k = 0; k < size; k++)
        out[(ptrdiff_t)k * FD_LANES] = x[k];
}

/* a^alpha and a^(1-alpha) of scaled shares, in place of shares and logarithms; the largest exponent of 2. */
static double fd_powers(double alpha, fd_shares *s, int n) {
    double most = 0.0, order = fmax(fabs(alpha), fabs(1.0 - alpha));
    _Pragma("omp simd reduction(max : most)") for (int k = 0; k < n; k++) {
        double log = s->log[k] * FD_LN_2, size = fabs(s->log[k]);
        s->p[k] = s->a[k] > 0.0 ? fd_exp(alpha * log) : 0.0;
        s->log[k] = s->a[k] > 0.0 ? fd_exp((1.0 - alpha) * log) : 0.0;
        most = size > most ? size : most;
    }
    return order * most;
}

/* The two factors whose product is summed, in place of the shares and of their logarithms. */
static void fd_prepare_dot(const fd_plan *plan, const fd_side *side, ptrdiff_t i, ptrdiff_t start, int size,
                           int padded, fd_shares *s) {
    double *left = s->p, *right = s->log, constant = 0.0;
    ptrdiff_t at = i * plan->width + start;
    switch (plan->measure) {
    case FD_hellinger_distance:
        _Pragma("omp simd") for (int k = 0; k < padded; k++) left[k] = right[k] = sqrt(left[k]);
        break;
    case FD_chi_square:
        _Pragma("omp simd") for (int k = 0; k < padded; k++) {
            right[k] = left[k] > 0.0 ? 1.0 / left[k] : 0.0;
            left[k] *= left[k];
        }
        break;
    case FD_cross_entropy:
        fd_surprisal_loop(left, s->a, padded);
        _Pragma("omp simd") for (int k = 0; k < padded; k++) right[k] = left[k] > 0.0 ? s->a[k] : 0.0;
        break;
    case FD_renyi_divergence:
        side->limit[i] = fmax(side->limit[i], fd_powers(plan->options.alpha, s, padded));
        break;
    default:
        constant = fd_product_sum(left, right, padded);
    }
    if (side->left || plan->measure == FD_jeffreys_divergence) /* of q, KL knows nothing */
        side->constant[i] += constant;
    if (side->left)
        memcpy(side->left + at, left, (size_t)size * sizeof *left);
    if (side->left_too)
        memcpy(side->left_too + at, right, (size_t)size * sizeof *right);
    if (side->right)
        fd_pack(side->right, plan->width, i, start, right, size);
    if (side->right_too)
        fd_pack(side->right_too, plan->width, i, start, left, size);
}

static void fd_note_support(const fd_plan *plan, const fd_side *side, ptrdiff_t i, ptrdiff_t start, int size,
                            const double *p) {
    uint64_t *words = side->support + i * ((plan->n_bins + 63) / 64) + start / 64;
    for (int first = 0; first < size; first += 64, p += 64) {
        int n = size - first < 64 ? size - first : 64, n_empty = 0;
        uint64_t bits = UINT64_MAX >> (64 - n);
        _Pragma("omp simd reduction(+ : n_empty)") for (int k = 0; k < n; k++) n_empty += !(p[k] > 0.0);
        for (int k = 0; k < n && n_empty; k++)
            bits &= ~((uint64_t)!(p[k] > 0.0) << k);
        words[first / 64] = bits;
        side->gaps[i] |= n_empty > 0;
    }
}

/* Roots of shares: the bound of Jensen-Shannon (nearest.c). */
static void fd_prepare_roots(const fd_plan *plan, const fd_side *side, ptrdiff_t i, ptrdiff_t start, int size,
                             const double *p) {
    float roots[FD_BLOCK];
    _Pragma("omp simd") for (int k = 0; k < size; k++) roots[k] = sqrtf((float)p[k]);
    if (side->roots)
        memcpy(side->roots + i * plan->width + start, roots, (size_t)size * sizeof *roots);
    float *packed = side->roots_packed + fd_packed(i, start, plan->width);
    for (int k = 0; k < size && side->roots_packed; k++)
        packed[(ptrdiff_t)k * FD_LANES] = roots[k];
}

static int fd_prepare_shares(const fd_plan *plan, const fd_side *side, ptrdiff_t i, fd_row_reader *r) {
    ptrdiff_t n = plan->n_bins;
    fd_shares shares;
    for (ptrdiff_t start = 0; start < n; start += FD_BLOCK) {
        int size = (int)(n - start < FD_BLOCK ? n - start : FD_BLOCK);
        int padded = (int)(plan->width - start < FD_BLOCK ? plan->width - start : FD_BLOCK);
        if (!(fd_share(plan, r, start, size, padded, &shares) >= 0x1p-390))
            return FD_SPECIAL;
        if (side->support)
            fd_note_support(plan, side, i, start, size, shares.p);
        if (plan->form == FD_FORM_JS)
            fd_prepare_js(plan, side, i, start, padded, &shares);
        else
            fd_prepare_dot(plan, side, i, start, size, padded, &shares);
        if (plan->measure == FD_renyi_divergence && !(side->limit[i] < 480.0))
            return FD_SPECIAL;
        if (side->roots || side->roots_packed)
            fd_prepare_roots(plan, side, i, start, size, shares.p);
    }
    return FD_PLAIN;
}

/* Shares for total variation; for transport gap-weighted cumulative shares, each rounded once from a
 * double-double sum, so that rows end in exactly the same 1; samples as they are. Returns the least positive
 * share. */
static double fd_prepare_l1(const fd_plan *plan, const fd_side *side, ptrdiff_t i, const fd_row_reader *r) {
    double hi = 0.0, lo = 0.0, size = 0.0, least = INFINITY, copy[FD_BLOCK], total = r->sum;
    double *row = side->left + i * plan->width; /* zeros as yet */
    ptrdiff_t n = plan->n_bins, group = (n + FD_LANES - 1) / FD_LANES;
    for (ptrdiff_t start = 0; start < n; start += FD_BLOCK) {
        int block = (int)(n - start < FD_BLOCK ? n - start : FD_BLOCK);
        const double *x = fd_block_of_masses(r, start, block, copy), *place = plan->support + start;
        double *out = row + start, sizes[FD_LANES] = {0};
        _Pragma("omp simd reduction(min : least)") for (int k = 0; k < block; k++) {
            double positive = x[k] > 0.0 ? x[k] : INFINITY;
            least = positive < least ? positive : least;
        }
        if (plan->measure == FD_SAMPLES)
            memcpy(out, x, (size_t)block * sizeof *x);
        else if (plan->measure == FD_total_variation) {
            _Pragma("omp simd") for (int k = 0; k < block; k++) out[k] = x[k] / total;
        } else {
            int gaps = start + block < n ? block : block - 1; /* nothing crosses the last bin */
            for (int k = 0; k < gaps; k++) {
                fd_add(&hi, &lo, x[k]);
                out[k] = hi + lo;
            }
            _Pragma("omp simd") for (int k = 0; k < gaps; k++) out[k] =
                out[k] / total * (place[k + 1] - place[k]);
        }
        for (int k = 0; k < block; k += FD_LANES) {
            _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) sizes[lane] +=
                fabs(out[k + lane]);
        }
        size += fd_fold(sizes);
    }
    for (ptrdiff_t g = 0; g < FD_LANES && (side->groups || side->groups_packed); g++) {
        double sum = 0.0;
        for (ptrdiff_t k = g * group; k < (g + 1) * group && k < n; k++)
            sum += row[k];
        if (side->groups)
            side->groups[i * FD_LANES + g] = sum;
        if (side->groups_packed)
            side->groups_packed[fd_packed(i, g, FD_LANES)] = sum;
    }
    side->total[i] = size;
    side->limit[i] = plan->measure != FD_SAMPLES ? size : size <= 0x1p1020 ? 0.0 : INFINITY;
    return least / total;
}

/* Whether a sample has a NaN (2), else an infinite value (1). */
static int fd_worst_sample(const fd_row_reader *r, ptrdiff_t n) {
    double copy[FD_BLOCK];
    int missing = 0, infinite = 0;
    for (ptrdiff_t start = 0; start < n; start += FD_BLOCK) {
        int block = (int)(n - start < FD_BLOCK ? n - start : FD_BLOCK);
        const double *x = fd_block(r, start, block, copy);
        _Pragma("omp simd reduction(| : missing, infinite)") for (int k = 0; k < block; k++) {
            missing |= x[k] != x[k];
            infinite |= fabs(x[k]) > DBL_MAX;
        }
    }
    return missing ? 2 : infinite;
}

/* The row's kind (matrix.h). */
static int fd_prepare_row_loops(const fd_plan *plan, const fd_side *side, ptrdiff_t i) {
    ptrdiff_t n = plan->n_bins;
    fd_row_reader r = fd_reader(fd_row_view(side, i), &plan->options);
    if (plan->measure == FD_SAMPLES) {
        int worst = fd_worst_sample(&r, n);
        if (worst)
            return worst == 2 ? FD_VOID : FD_SPECIAL;
        r.sum = 1.0;
        if (plan->form == FD_FORM_L1)
            fd_prepare_l1(plan, side, i, &r);
        return FD_PLAIN;
    }
    if (!fd_weigh_any(&r, n))
        return FD_VOID;
    if (plan->form == FD_FORM_PAIRS)
        return FD_PLAIN;
    double total_lo = NAN; /* rows of logarithms have no masses to read again */
    if (r.logs) {
        double span = fd_log_span(&r, n);
        side->blur[i] = (2.0 * span + 2.0 * r.log + 4.0) * 0x1p-53;
        if (!(span <= 270.0)) /* 2^-390 */
            return FD_SPECIAL;
    } else {
        int ordinary = fd_is_ordinary(&r);
        fd_stats stats = fd_row_stats(&r, n, 1);
        if (!(stats.sum_hi >= FD_MASS_MIN && stats.sum_hi <= 0x1p900))
            return FD_SPECIAL;
        r.sum = stats.sum_hi;
        total_lo = ordinary ? stats.sum_lo : NAN;
    }
    if (plan->form == FD_FORM_L1)
        return fd_prepare_l1(plan, side, i, &r) >= 0x1p-390 ? FD_PLAIN : FD_SPECIAL;
    side->total[i] = r.sum;
    side->total_lo[i] = total_lo;
    return fd_prepare_shares(plan, side, i, &r);
}
