/* Statistics of samples of few values, by counting.
 *
 * Whole numbers, decimals and spikes: where a sample of the values says that most are multiples of one unit in
 * a small range, or are among a few, each such value has a counter. One pass counts; every value is compared
 * with the one that its counter stands for, so nothing is rounded, and those that differ (the rest: outliers,
 * tails, what is not finite) are put aside. They are sorted and swept between the counted values. F - G is an
 * integer over n m everywhere: exact.
 *
 * For a unit of 10^-d a value counts if it is the double nearest to k / 10^d, as a reader of decimals or a
 * correct division leaves it; a product k * 0.1 may be its neighbour, which is another value.
 *
 * W_p, p > 1, takes its sorted samples from the counters.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "transport/cells.h"
#include "transport/lattice.h"
#include "transport/memory.h"
#include "transport/sweeps.h"
#include "transport/table.h"

enum {
    FD_MOST_COUNTERS = 1 << 18,
    FD_LANED = 1024,
    FD_LARGER_SAMPLE = 16384,
    FD_MOST_SPIKES = 64,
    FD_SPIKES_FOR_KS = 1 << 15
};

/* How many of the sample are the double nearest to k / per. */
static int fd_multiples(const double *sample, int size, double per, double width) {
    int hits = 0;
    for (int i = 0; i < size; i++) {
        const double whole = nearbyint(sample[i] * per);
        hits += fabs(whole) < 0x1p50 && (width != 0.0 ? whole * width : whole / per) == sample[i];
    }
    return hits;
}

/* The largest power of two that most of the sample are multiples of: e with 2^e. */
static int fd_binary_unit(const double *sample, int size, int few) {
    int tally[64] = {0}, fewer = 0, exponent;
    for (int i = 0; i < size; i++) { /* of unit 2^(k - 32) or a finer one */
        int64_t k = 63;
        if (sample[i] != 0.0) {
            const double mantissa = ldexp(frexp(sample[i], &exponent), 53);
            k = (int64_t)exponent - 53 + __builtin_ctzll((uint64_t)(int64_t)fabs(mantissa)) + 32;
        }
        tally[k < 0 ? 0 : k > 63 ? 63 : k]++;
    }
    for (int k = 0; k < 63; k++) {
        fewer += tally[k];
        if (fewer > few)
            return k - 32;
    }
    return 0;
}

/* Lays cells over the sample's bulk and somewhat further. 0: too many. */
static int fd_lattice_over(fd_lattice *l, const double *sample, int size, double most) {
    const double low = sample[size / 10], high = sample[size - 1 - size / 10], reach = 4.0 * (high - low);
    double from = nearbyint(sample[0] * l->per), to = nearbyint(sample[size - 1] * l->per);
    if (to - from >= most / 2.0) { /* far outliers are cheaper put aside */
        from = fmax(from, nearbyint((low - reach) * l->per));
        to = fmin(to, nearbyint((high + reach) * l->per));
    }
    if (!(to - from < most - 8.0) || !(fmax(fabs(from), fabs(to)) < 0x1p49))
        return 0;
    if (to - from > 3.0) {
        const double margin = nearbyint(fmin(0.5 * (to - from) + 64.0, 0.5 * (most - 8.0 - (to - from))));
        from -= margin;
        to += margin;
    }
    l->origin = from - 1.0;
    l->cells = (int32_t)(to - from) + 1;
    return 1;
}

/* The unit of which most of the sample are multiples, the coarsest first. 0: none. */
static int fd_lattice_of(fd_lattice *l, const double *sample, int size, double most) {
    const int few = size / 16;
    if (size == 0)
        return 0;
    if (fd_multiples(sample, size < 16 ? size : 16, 1e6, 0.0) < 8 && /* soon said of continuous values */
        fd_binary_unit(sample, size < 16 ? size : 16, 8) <= -32)
        return 0;
    const int binary = fd_binary_unit(sample, size, few);
    if (binary > -32) {
        l->width = ldexp(1.0, binary);
        l->per = ldexp(1.0, -binary);
        if (fd_multiples(sample, size, l->per, l->width) >= size - few &&
            fd_lattice_over(l, sample, size, most))
            return 1;
    }
    l->width = 0.0;
    for (l->per = 10.0; l->per < 1e7; l->per *= 10.0)
        if (fd_multiples(sample, size, l->per, 0.0) >= size - few)
            return fd_lattice_over(l, sample, size, most);
    return 0;
}

static int fd_exponent(double x) { /* x > 0; x < 2^ of it */
    int exponent;
    frexp(x, &exponent);
    return exponent;
}

static int fd_larger(int a, int b) { return a > b ? a : b; }

/* Cells for values from `first` to `last` that are `gap` apart or more: each gets one of its own, where there
 * are enough and neighbouring doubles are no wider apart than cells. */
static void fd_spike_cells(fd_lattice *l, double first, double last, double gap) {
    enum { MOST = 1 << 14 };
    const double largest = fmax(fabs(first), fabs(last));
    int exponent = fd_exponent(fmax(gap, 0x1p-900)) - 2;
    if (last > first)
        exponent = fd_larger(exponent, fd_exponent((last - first) / MOST));
    if (largest > 0.0)
        exponent = fd_larger(exponent, fd_exponent(largest * 0x1p-48));
    l->width = ldexp(1.0, exponent);
    l->per = ldexp(1.0, -exponent);
    l->origin = nearbyint(first * l->per) - 1.0;
    l->cells = (int32_t)(nearbyint(last * l->per) - l->origin);
}

/* Where the values that equal sample[i] end. */
static inline int fd_end_of_tie(const double *sample, int size, int i) {
    const double value = sample[i];
    while (i < size && sample[i] == value)
        i++;
    return i;
}

/* Values that come more than once in the sample; where two share a cell, the more frequent. 0: they are not
 * more than half of all values, or of a handful `enough` sixteenths; -1: no memory. As Good and Turing have it,
 * the share of all values of those seen r times or more is the sample's share of those seen r + 1 times or more. */
static int fd_spikes_of(fd_lattice *l, const double *sample, int size, int enough) {
    double gap = 1.0, first = 0.0, last = 0.0;
    int shared = 0, spikes = 0, kept = 0;
    for (int i = 0, end; i < size; i = end) {
        end = fd_end_of_tie(sample, size, i);
        if (end - i < 2)
            continue;
        gap = spikes ? fmin(gap, sample[i] - last) : INFINITY;
        first = spikes++ ? first : sample[i];
        last = sample[i];
        shared += end - i > 2 ? end - i : 0;
    }
    const int least = spikes <= FD_MOST_SPIKES ? enough : 9; /* sixteenths */
    if (16 * shared < least * size || !(last - first < 0x1p900 && fmax(fabs(first), fabs(last)) < 0x1p900))
        return 0;
    if (spikes <= FD_REGISTERS) {
        l->atom = malloc((FD_REGISTERS + 1) * sizeof *l->atom);
        if (!l->atom)
            return -1;
        l->atom[0] = NAN;
        for (int i = 0, end; i < size; i = end) {
            end = fd_end_of_tie(sample, size, i);
            if (end - i > 1)
                l->atom[++l->cells] = sample[i];
        }
        return 1;
    }
    fd_spike_cells(l, first, last, last > first ? gap : fmax(fabs(first), 1.0));
    int *weight = calloc((size_t)l->cells + 1, sizeof *weight);
    l->atom = malloc(((size_t)l->cells + 1) * sizeof *l->atom);
    for (int32_t k = 0; l->atom && k <= l->cells; k++)
        l->atom[k] = NAN;
    for (int i = 0, end; weight && l->atom && i < size; i = end) {
        end = fd_end_of_tie(sample, size, i);
        if (end - i < 2)
            continue;
        const int32_t k = (int32_t)(nearbyint(sample[i] * l->per) - l->origin);
        if (end - i <= weight[k])
            continue;
        kept += (end - i > 2 ? end - i : 0) - (weight[k] > 2 ? weight[k] : 0);
        weight[k] = end - i;
        l->atom[k] = sample[i];
    }
    const int status = weight && l->atom ? 16 * kept >= least * size : -1;
    free(weight);
    return status;
}

/* Whether an eighth of the sample are ties. */
static int fd_tied(const double *sample, int size) {
    int ties = 0;
    for (int i = 1; i < size; i++)
        ties += sample[i] == sample[i - 1];
    return 8 * ties > size;
}

/* The same for a larger sample: ties may be too many for the first one to show each value twice. */
static int fd_spikes_of_more(fd_lattice *l, const fd_source *u, const fd_source *v, int enough) {
    double *sample = malloc(FD_LARGER_SAMPLE * sizeof *sample);
    if (!sample)
        return -1;
    int size = fd_scattered(u, sample, FD_LARGER_SAMPLE / 2);
    size += fd_scattered(v, sample + size, FD_LARGER_SAMPLE / 2);
    fd_sort_here(sample, size);
    free(l->atom);
    *l = (fd_lattice){0};
    const int status = fd_spikes_of(l, sample, size, enough);
    free(sample);
    return status;
}

static void fd_tally_free(fd_tally *t) {
    for (int s = 0; s < 2; s++) {
        free(t->side[s].count);
        free(t->side[s].rest);
    }
    free(t->lattice.atom);
}

static int fd_tally_open(fd_tally *t, const fd_source *u, const fd_source *v, const double *sample, int size,
                         int enough, int threads) {
    const int64_t n = u->n, m = v->n;
    const double most = fmin((double)FD_MOST_COUNTERS, 64.0 + 0.5 * (double)(n + m));
    *t = (fd_tally){.most_rest = 8};
    if (n + m > INT32_MAX)
        return 1;
    if (!fd_lattice_of(&t->lattice, sample, size, most)) {
        t->lattice = (fd_lattice){0};
        int found = fd_spikes_of(&t->lattice, sample, size, enough);
        if (found == 0 && n + m > 16 * FD_LARGER_SAMPLE && fd_tied(sample, size))
            found = fd_spikes_of_more(&t->lattice, u, v, enough);
        if (found <= 0)
            return found < 0 ? -1 : 1;
        t->most_rest = 15;
    }
    const double first = fd_lattice_value(&t->lattice, 1),
                 last = fd_lattice_value(&t->lattice, t->lattice.cells);
    if ((fd_long(u) || fd_long(v)) && !(first > -0x1p53 && last < 0x1p53))
        return 1; /* an integer beyond could pass for one of them */
    t->lanes = t->lattice.cells <= FD_LANED && t->lattice.cells > FD_REGISTERS ? 4 : 1;
    t->side[0] = (fd_tally_side){.source = u, .n = n, .chunks = fd_chunks(n)};
    t->side[1] = (fd_tally_side){.source = v, .n = m, .chunks = fd_chunks(m)};
    int failed = 0;
    for (int s = 0; s < 2; s++) {
        fd_tally_side *side = &t->side[s];
        side->tables = threads > 1 ? side->chunks : 1;
        side->count = calloc((size_t)side->tables * ((size_t)t->lattice.cells + 1),
                             (size_t)t->lanes * sizeof *side->count);
        side->rest = malloc(((size_t)side->n + 1) * sizeof *side->rest);
        failed |= !side->count || !side->rest;
    }
    return failed ? -1 : 0;
}

/* One counter for each cell, and the rest in one piece. 1: it is too much. */
static int fd_tally_gather(fd_tally *t, int s) {
    fd_tally_side *side = &t->side[s];
    const size_t cells = (size_t)t->lattice.cells + 1;
    for (size_t h = 1; h < (size_t)side->tables; h++)
        for (size_t k = 0; k < cells * (size_t)t->lanes; k++)
            side->count[k] += side->count[h * cells * (size_t)t->lanes + k];
    for (size_t k = 0; t->lanes == 4 && k < cells; k++) {
        const uint32_t *lane = side->count + 4 * k;
        side->count[k] = lane[0] + lane[1] + lane[2] + lane[3];
    }
    for (int h = 0; h < side->chunks; h++) {
        if (side->rests[h] < 0)
            return 1;
        memmove(side->rest + side->rest_total, side->rest + fd_chunk_start(side->n, side->chunks, h),
                (size_t)side->rests[h] * sizeof *side->rest);
        side->rest_total += side->rests[h];
    }
    return 0;
}

/* The rest of one side, from the left. */
typedef struct {
    const double *values;
    int64_t n, at;
} fd_remaining;

static inline int64_t fd_remaining_below(fd_remaining *r, double x) {
    const int64_t from = r->at;
    while (r->at < r->n && r->values[r->at] < x)
        r->at++;
    return r->at - from;
}

/* Integral of |F - G|^power, power 1 or 2, or the largest of it for power 0. */
static double fd_tally_integral(const fd_tally *t, double left, double right, int power) {
    const fd_tally_side *u = &t->side[0], *v = &t->side[1];
    const int even = u->n == v->n && power == 1; /* then in units of 1 / n: sums of integers stay integers */
    const int64_t step_u = even ? 1 : v->n, step_v = even ? 1 : u->n;
    const double unit = 1.0 / ((double)step_u * (double)step_v);
    fd_remaining x = {u->rest, u->rest_total, 0}, y = {v->rest, v->rest_total, 0};
    fd_sum gaps = {0.0, 0.0}, runs = {0.0, 0.0};
    double largest = 0.0, last = left, run;
    int64_t D = 0;
    for (int32_t k = 1; k <= t->lattice.cells + 1; k++) {
        const int end = k > t->lattice.cells;
        const int64_t a = end ? 0 : u->count[k], b = end ? 0 : v->count[k];
        if (!(a | b) && !end)
            continue;
        const double next = end ? INFINITY : fd_lattice_value(&t->lattice, k), to = end ? right : next;
        const int64_t i = x.at, j = y.at, from_u = fd_remaining_below(&x, next),
                      from_v = fd_remaining_below(&y, next);
        if (from_u | from_v) {
            run = fd_counts_between_f64(x.values + i, from_u, y.values + j, from_v, step_u, step_v, D, last,
                                        to, power);
            largest = run > largest ? run : largest;
            fd_sum_add(&runs, run);
            D += from_u * step_u - from_v * step_v;
        } else if (!end) {
            fd_sum_add(&gaps, (power == 2 ? (double)D * (double)D : fabs((double)D)) * (to - last));
        }
        D += a * step_u - b * step_v;
        last = to;
        largest = fabs((double)D) * unit > largest ? fabs((double)D) * unit : largest;
    }
    if (power == 0)
        return largest;
    if (even) {
        fd_sum_add(&gaps, fd_sum_total(runs));
        return fd_sum_total(gaps) / (double)u->n;
    }
    return fd_sum_total(gaps) * unit * (power == 2 ? unit : 1.0) + fd_sum_total(runs);
}

/* The sorted sample. */
static void fd_tally_expand(const fd_tally *t, const fd_tally_side *side, double *out) {
    fd_remaining rest = {side->rest, side->rest_total, 0};
    for (int32_t k = 1; k <= t->lattice.cells; k++) {
        if (!side->count[k])
            continue;
        const double value = fd_lattice_value(&t->lattice, k);
        while (rest.at < rest.n && rest.values[rest.at] < value)
            *out++ = rest.values[rest.at++];
        for (uint32_t i = 0; i < side->count[k]; i++)
            *out++ = value;
    }
    while (rest.at < rest.n)
        *out++ = rest.values[rest.at++];
}

/* Whether the rest are the values that were given, and not integers beyond 2^53, rounded. */
static int fd_rest_is_exact(const fd_tally_side *side) {
    int beyond = 0;
    for (int64_t i = 0; fd_long(side->source) && i < side->rest_total; i++)
        beyond |= fabs(side->rest[i]) >= 0x1p53;
    return !beyond;
}

/* W1 or KS with the rest in cells, where that is much and counted values are a handful: 0; else 1. */
static int fd_tally_by_cells(const fd_tally *t, int ks, int threads, double *result) {
    const fd_tally_side *u = &t->side[0], *v = &t->side[1];
    const fd_source x = {.values = u->rest, .n = u->rest_total}, y = {.values = v->rest, .n = v->rest_total};
    double sample[FD_SAMPLE];
    fd_spike spike[FD_MOST_SPIKES];
    int32_t spikes = 0;
    if (x.n < 1000 || y.n < 1000 || x.n + y.n < fd_cells_from[ks] ||
        (double)u->n * (double)v->n >= FD_COUNTABLE || !fd_rest_is_exact(u) || !fd_rest_is_exact(v))
        return 1;
    for (int32_t k = 1; k <= t->lattice.cells; k++) {
        if (!(u->count[k] | v->count[k]))
            continue;
        if (spikes == FD_MOST_SPIKES)
            return 1;
        spike[spikes++] = (fd_spike){fd_lattice_value(&t->lattice, k), {u->count[k], v->count[k]}, 0};
    }
    int size = fd_scattered(&x, sample, FD_SAMPLE / 2);
    size += fd_scattered(&y, sample + size, FD_SAMPLE / 2);
    fd_sort_here(sample, size);
    return fd_cells_between_spikes(&x, u->n, &y, v->n, spike, spikes, sample, size, ks, threads, result);
}

static int fd_tally_finish(const fd_tally *t, const fd_task *task, int threads, double *result) {
    const fd_lattice *l = &t->lattice;
    const fd_tally_side *u = &t->side[0], *v = &t->side[1];
    const int ks = task->statistic == FD_KS;
    if (ks || (task->statistic == FD_WASSERSTEIN && task->p == 1.0)) {
        const int status = fd_tally_by_cells(t, ks, threads, result);
        if (status <= 0)
            return status;
    }
    double left = fd_lattice_value(l, 1), right = fd_lattice_value(l, l->cells);
    for (int s = 0; s < 2; s++) {
        const fd_tally_side *side = &t->side[s];
        if (!side->rest_total)
            continue;
        fd_sort_here(side->rest, side->rest_total);
        const double first = side->rest[0], last = side->rest[side->rest_total - 1];
        const double most = fd_long(side->source) ? 0x1p53 : INFINITY;
        if (!(first > -most && last < most))
            return 1;
        left = first < left ? first : left;
        right = last > right ? last : right;
    }
    if (task->statistic == FD_WASSERSTEIN && task->p != 1.0) {
        double *x = fd_allocate(((size_t)(u->n + v->n) + 1) * sizeof *x);
        if (!x)
            return -1;
        fd_tally_expand(t, u, x);
        fd_tally_expand(t, v, x + u->n);
        *result = fd_statistic_of_f64(x, NULL, u->n, x + u->n, NULL, v->n, task);
        free(x);
        return 0;
    }
    if (!(right - left < 0x1p900) || (double)u->n * (double)v->n >= 0x1p62)
        return 1;
    if (task->statistic == FD_KS || task->statistic == FD_WASSERSTEIN) {
        *result = fd_tally_integral(t, left, right, task->statistic == FD_KS ? 0 : 1);
        return 0;
    }
    const double integral = fd_tally_integral(t, left, right, 2);
    *result = sqrt(task->statistic == FD_ENERGY ? 2.0 * integral : integral);
    if (integral == 0.0) /* equal samples, or an underflow? */
        return fd_tally_integral(t, left, right, 0) != 0.0;
    return !(integral > 0x1p-900 && integral < 0x1p900);
}

int fd_tally_statistic(const fd_source *u, const fd_source *v, const double *sample, int size,
                       const fd_task *task, int threads, double *result) {
    fd_tally t;
    /* A handful of spikes, each in a cell of its own, spare a sort of their ties. Of few values cells alone tell KS
     * sooner where spikes are no third of them. */
    const int enough = task->statistic == FD_KS && u->n + v->n < FD_SPIKES_FOR_KS ? 5 : 2;
    int status = fd_tally_open(&t, u, v, sample, size, enough, threads);
    if (status == 0) {
        const int chunks = t.side[0].chunks, tasks = chunks + t.side[1].chunks;
        void (*count)(fd_tally *, int, int) = fd_cell_loops_now->tally;
#pragma omp parallel for num_threads(threads) schedule(dynamic) if (threads > 1)
        for (int i = 0; i < tasks; i++)
            count(&t, i >= chunks, i >= chunks ? i - chunks : i);
        status = fd_tally_gather(&t, 0) || fd_tally_gather(&t, 1);
    }
    if (status == 0)
        status = fd_tally_finish(&t, task, threads, result);
    fd_tally_free(&t);
    return status;
}
