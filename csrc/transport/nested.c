/* Doubles counted in nested cells, what a summary of a column holds, and the distance of two such. */
#include "transport/nested.h"

#include <math.h>
#include <string.h>

#include "math/sum.h"
#include "transport/nests.h"

#define FD_TOP ((uint64_t)1 << 63)

int64_t fd_nested_count(const double *x, int64_t n, int k) {
    int64_t cells = n > 0;
    for (int64_t i = 1; i < n; i++)
        cells += (fd_nested_key(x[i]) ^ fd_nested_key(x[i - 1])) >> k != 0;
    return cells;
}

void fd_nested_apart(const double *x, int64_t n, int64_t apart[65]) {
    memset(apart, 0, 65 * sizeof *apart);
    for (int64_t i = 1; i < n; i++) {
        const uint64_t differ = fd_nested_key(x[i]) ^ fd_nested_key(x[i - 1]);
        apart[differ ? 64 - __builtin_clzll(differ) : 0]++;
    }
}

void fd_nested_fill(const double *x, int64_t n, int k, const fd_nested *cells) {
    const uint64_t inner = ((uint64_t)1 << k) - 1, lower = ((uint64_t)1 << 26) - 1;
    int64_t i = 0;
    for (int64_t cell = 0; i < n; cell++) {
        const int64_t begin = i;
        const uint64_t first = fd_nested_key(x[i]), own = first >> k;
        uint64_t low = 0, high = 0, key = first, last = first;
        do {
            last = key;
            low += key & inner & lower;
            high += (key & inner) >> 26;
            if (++i == n)
                break;
            key = fd_nested_key(x[i]);
        } while (key >> k == own);
        cells->keys[cell] = own;
        cells->counts[cell] = (uint64_t)(i - begin);
        cells->low[cell] = low & lower;
        cells->high[cell] = high + (low >> 26);
        cells->first[cell] = first;
        cells->last[cell] = last;
    }
}

/* -- the distance ------------------------------------------------------------------------------------------ */

static inline double fd_nested_double(uint64_t key) {
    const uint64_t bits = key ^ (~(uint64_t)((int64_t)key >> 63) | FD_TOP);
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Of doubles, where the key is: by its bits, which are a subnormal number's up to the 53rd binade. */
static inline double fd_nested_spacing(uint64_t key) {
    const uint64_t magnitude = (key & FD_TOP ? key : ~key) & ~FD_TOP, binade = magnitude >> 52,
                   least = binade > 1 ? binade : 1;
    const uint64_t bits = least > 52 ? (least - 52) << 52 : (uint64_t)1 << (least - 1);
    double spacing;
    memcpy(&spacing, &bits, sizeof spacing);
    return spacing;
}

/* What the distances of a cell's values from the first add up to, in units of the spacing. */
static inline __int128 fd_nested_rise(const fd_nested *cells, int64_t i, uint64_t inner) {
    const __int128 before = (__int128)cells->counts[i] * (cells->first[i] & inner);
    return ((__int128)cells->high[i] << 26) + cells->low[i] - before;
}

int fd_nested_means(const fd_nested *cells, int k, double *means) {
    int inside = 1;
    for (int64_t i = 0; i < cells->n; i++) {
        const __int128 rise = fd_nested_rise(cells, i, ((uint64_t)1 << k) - 1),
                       most = (__int128)cells->counts[i] * (cells->last[i] - cells->first[i]);
        inside &= 0 <= rise && rise <= most;
        /* whole numbers to the end: a narrow heap at the far end of a wide cell keeps its digits */
        means[i] = fd_nested_double(cells->first[i]) +
                   (double)rise / (double)cells->counts[i] * fd_nested_spacing(cells->first[i]);
    }
    return inside;
}

/* One side of a cell: its ends from the start of the cell, how many values lie before it and in all, in units of the
 * spacing, and what adds up its values' distances from the first. */
typedef struct {
    const fd_nested *cells;
    int64_t next, before, count, total;
    double first, last, rise, share;
} fd_nested_side;

static inline fd_nested_side fd_nested_begin(const fd_nested *cells) {
    fd_nested_side side = {.cells = cells};
    for (int64_t i = 0; i < cells->n; i++)
        side.total += (int64_t)cells->counts[i];
    return side;
}

/* Goes on to the cell that begins at a key, in which it may have nothing. */
static inline void fd_nested_step(fd_nested_side *side, uint64_t own, int k) {
    const fd_nested *cells = side->cells;
    const int64_t i = side->next;
    side->before += side->count;
    if (i == cells->n || cells->keys[i] != own) {
        side->count = 0;
        side->first = INFINITY;
        side->last = -INFINITY;
        side->share = side->rise = 0.0;
        return;
    }
    const uint64_t start = own << k;
    side->next++;
    side->count = (int64_t)cells->counts[i];
    side->first = (double)(cells->first[i] - start);
    side->last = (double)(cells->last[i] - start);
    side->rise = (double)fd_nested_rise(cells, i, ((uint64_t)1 << k) - 1) / (double)side->count;
    side->share = (double)side->count / (double)side->total;
}

/* Every value's mass times the way from there to `last`. */
static inline double fd_nested_mass_to(const fd_nested_side *side, double last) {
    return side->count ? side->share * (last - side->first - side->rise) : 0.0;
}

/* `small`: n m < 2^62, so 64 bits hold what is a whole number over it. */
static inline __attribute__((always_inline)) void fd_nested_walk(const fd_nested *u, const fd_nested *v,
                                                                 int k, double shrink, int small,
                                                                 double *value, double *bound) {
    typedef __int128 whole;
    fd_nested_side a = fd_nested_begin(u), b = fd_nested_begin(v);
    const whole n = a.total, m = b.total;
    const double unit = (double)(n * m);
    fd_sum area = {0.0, 0.0}, unknown = {0.0, 0.0}, moved = {0.0, 0.0};
    double end = 0.0, level = 0.0; /* where the cell before ended, and |F - G| from there on */
    while (a.next < u->n || b.next < v->n) {
        const uint64_t x = a.next < u->n ? u->keys[a.next] : UINT64_MAX,
                       y = b.next < v->n ? v->keys[b.next] : UINT64_MAX, own = x < y ? x : y, at = own << k;
        fd_nested_step(&a, own, k);
        fd_nested_step(&b, own, k);
        const double first = a.first < b.first ? a.first : b.first, last = a.last > b.last ? a.last : b.last,
                     spacing = fd_nested_spacing(at) * shrink, width = (last - first) * spacing,
                     start = fd_nested_double(at) * shrink;
        /* F and G in whole numbers, over the product of the sizes: equals are equal, and tails keep digits */
        const whole a_0 = a.before * m, a_1 = a_0 + a.count * m, b_0 = b.before * n, b_1 = b_0 + b.count * n;
#define FD_OF(x) ((small ? (double)(int64_t)(x) : (double)(x)) / unit)
        const double f = FD_OF(a_0 - b_0), g = FD_OF(a_1 - b_1);
        /* the integral of F - G over the cell: what it was before, and each value's mass from there to the end */
        const double whole_of =
                         f * width + (fd_nested_mass_to(&a, last) - fd_nested_mass_to(&b, last)) * spacing,
                     sure = fabs(whole_of);
        double given = sure;
        if (a_1 > b_0 && b_1 > a_0 && width > 0) {
            const double p = FD_OF(a_1 - b_0), q = FD_OF(b_1 - a_0),
                         chord = (2 * p * q * width + whole_of * (p - q)) / (p + q),
                         most = chord > sure ? chord : sure;
            if (f * g < 0) {
                const double straight = width * (f * f + g * g) / (2 * (fabs(f) + fabs(g)));
                given = straight < sure ? sure : straight > most ? most : straight;
            }
            fd_sum_add(&unknown, most - given > given - sure ? most - given : given - sure);
        }
#undef FD_OF
        fd_sum_add(&area, given);
        if (level > 0)
            fd_sum_add(&area, ((start + first * spacing) - end) * level);
        fd_sum_add(&moved, (a.share + b.share) * width);
        end = start + last * spacing;
        level = fabs(g);
    }
    *value = fd_sum_total(area);
    *bound = 0x1p-48 * fd_sum_total(moved) + fd_sum_total(unknown) + 0x1p-48 * *value;
}

void fd_nested_distance(const fd_nested *u, const fd_nested *v, int k, double shrink, double *value,
                        double *bound) {
    const fd_nested_side a = fd_nested_begin(u), b = fd_nested_begin(v);
    if ((double)a.total * (double)b.total < 0x1p61)
        fd_nested_walk(u, v, k, shrink, 1, value, bound);
    else
        fd_nested_walk(u, v, k, shrink, 0, value, bound);
}
