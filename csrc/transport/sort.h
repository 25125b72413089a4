/* Sorting: by places (sort.c), or by NumPy, whose sorts can be called without the GIL. */
#ifndef FD_SORT_H
#define FD_SORT_H

#include <math.h>
#include <stdint.h>
#include <stddef.h>
#include <string.h>

/* PyArray_SortFunc and PyArray_ArgSortFunc; the last argument is not looked at for numbers. */
typedef int fd_sort(void *values, ptrdiff_t n, void *array);
typedef int fd_argsort(void *values, ptrdiff_t *order, ptrdiff_t n, void *array);

typedef struct {
    fd_sort *sort_f64, *sort_u64;
    fd_argsort *argsort_f64, *argsort_u64;
    int is_fast; /* they are faster than sorting by places */
} fd_sorts;

extern fd_sorts fd_numpy; /* filled as _wasserstein is imported */

/* Whether this CPU compresses vectors of AVX-512 in hardware, which is what NumPy's sorts do there: Intel's do, AMD's up to
 * Zen 4 by microcode. Of twice 3000 normal values two np.sort take 35 us on a Xeon of 2023 and 52 on an Epyc of that year,
 * where W1 by places takes 30 (docs/benchmarks.md). */
int fd_compresses_fast(void);

/* Sorts x into `out`, elsewhere. */
void fd_sort_into(const double *x, int64_t n, double *out);
/* The same in place. */
void fd_sort_here(double *x, int64_t n);

/* Into n sorted values. */
static inline void fd_insert(double value, double *sorted, int64_t n) {
    for (; n > 0 && value < sorted[n - 1]; n--)
        sorted[n] = sorted[n - 1];
    sorted[n] = value;
}

/* The least and the most. 0: some value is not finite. */
static inline int fd_range_of(const double *x, int64_t n, double *low, double *high) {
    double least[8], most[8], wrong[8];
    for (int k = 0; k < 8; k++) {
        least[k] = most[k] = x[0];
        wrong[k] = 0.0;
    }
    int64_t i = 0;
    for (; i + 8 <= n; i += 8) {
        for (int k = 0; k < 8; k++)
            least[k] = x[i + k] < least[k] ? x[i + k] : least[k];
        for (int k = 0; k < 8; k++)
            most[k] = x[i + k] > most[k] ? x[i + k] : most[k];
        for (int k = 0; k < 8; k++)
            wrong[k] += x[i + k] - x[i + k];
    }
    for (; i < n; i++) {
        least[0] = x[i] < least[0] ? x[i] : least[0];
        most[0] = x[i] > most[0] ? x[i] : most[0];
        wrong[0] += x[i] - x[i];
    }
    for (int k = 1; k < 8; k++) {
        least[0] = least[k] < least[0] ? least[k] : least[0];
        most[0] = most[k] > most[0] ? most[k] : most[0];
        wrong[0] += wrong[k];
    }
    *low = least[0];
    *high = most[0];
    return wrong[0] == 0.0;
}

static inline void fd_sorted_f64(const double *x, int64_t n, double *out) { fd_sort_into(x, n, out); }

static inline void fd_sorted_u64(const uint64_t *x, int64_t n, uint64_t *out) {
    memcpy(out, x, (size_t)n * sizeof *x);
    fd_numpy.sort_u64(out, n, NULL);
}

/* Whole numbers of 64 bits that hold a value's place and its position, in ascending order: as doubles, which
 * sort sooner, where they are below 2^53. `room` is for n of them. */
static inline void fd_sort_places(uint64_t *places, int64_t n, int as_doubles, double *room) {
    if (!as_doubles) {
        fd_numpy.sort_u64(places, n, NULL);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        const double place = (double)(int64_t)places[i];
        memcpy(&places[i], &place, sizeof place);
    }
    fd_sort_into((const double *)(const void *)places, n, room);
    for (int64_t i = 0; i < n; i++)
        places[i] = (uint64_t)(int64_t)room[i];
}

/* The order that sorts x, from `low` to `high`, equal values in the order given, and the sorted values. 0: x does
 * not suit.
 *
 * A sort of integers is sooner done than one of pairs, and one of doubles by places (sort.c) sooner still: each
 * holds the value's place in the range of x, rounded down to what the bits above its position leave (47 bits for
 * 1e5 values, as a double 36). The few neighbours that share a place are put right by insertion. Where they are
 * many (all magnitudes at once) x does not suit. */
static inline int fd_order_by_places(const double *x, int64_t n, double low, double high, int as_doubles,
                                     ptrdiff_t *order, double *values) {
    const int bits = 64 - __builtin_clzll((uint64_t)n);
    const double scale =
        ldexp(1.0 - 0x1p-40, (as_doubles ? 53 : 64) - bits) / (high - low); /* 0: the range overflows */
    if (sizeof *order != 8 || bits > (as_doubles ? 26 : 32) || !(scale > 0.0 && scale < INFINITY))
        return 0;
    for (int64_t i = 0; i < n; i++)
        order[i] = (ptrdiff_t)((uint64_t)((x[i] - low) * scale) << bits | (uint64_t)i);
    fd_sort_places((uint64_t *)order, n, as_doubles, values);
    for (int64_t i = 0; i < n; i++) {
        order[i] = (ptrdiff_t)((uint64_t)order[i] & (((uint64_t)1 << bits) - 1));
        values[i] = x[order[i]];
    }
    int64_t moves = 0;
    for (int64_t i = 1; i < n; i++) {
        const double value = values[i];
        const ptrdiff_t position = order[i];
        int64_t j = i;
        for (; j > 0 && value < values[j - 1]; j--) {
            if (++moves > n)
                return 0;
            values[j] = values[j - 1];
            order[j] = order[j - 1];
        }
        values[j] = value;
        order[j] = position;
    }
    return 1;
}

static inline void fd_order_f64(const double *x, int64_t n, ptrdiff_t *order, double *values) {
    enum { FEW = 64, MANY = 512 }; /* argsort is as fast up to here; and integers are */
    double low, high;
    if (n > FEW && fd_range_of(x, n, &low, &high) &&
        ((n > MANY && fd_order_by_places(x, n, low, high, 1, order, values)) ||
         fd_order_by_places(x, n, low, high, 0, order, values)))
        return;
    for (int64_t i = 0; i < n; i++)
        order[i] = i;
    fd_numpy.argsort_f64((void *)x, order, n, NULL);
    for (int64_t i = 0; i < n; i++)
        values[i] = x[order[i]];
}

static inline void fd_order_u64(const uint64_t *x, int64_t n, ptrdiff_t *order, uint64_t *values) {
    for (int64_t i = 0; i < n; i++)
        order[i] = i;
    fd_numpy.argsort_u64((void *)x, order, n, NULL);
    for (int64_t i = 0; i < n; i++)
        values[i] = x[order[i]];
}

#endif
