/* Ascending doubles, counted in nested cells: what a summary of a column holds, in one pass. */
#include "transport/nested.h"

#include <string.h>

/* Whole numbers in the order of the doubles: of negative ones every bit is turned round, of others the sign. */
static inline uint64_t fd_nested_key(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits ^ ((uint64_t)((int64_t)bits >> 63) | (uint64_t)1 << 63);
}

int64_t fd_nested_count(const double *x, int64_t n, int k) {
    int64_t cells = n > 0;
    for (int64_t i = 1; i < n; i++)
        cells += (fd_nested_key(x[i]) ^ fd_nested_key(x[i - 1])) >> k != 0;
    return cells;
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
