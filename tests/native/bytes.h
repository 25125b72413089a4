/* Bytes to arguments of a call, its results to a digest, and laws of bits. */
#ifndef FD_BYTES_H
#define FD_BYTES_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const uint8_t *at, *end;
    void *held[128]; /* room for all that any call holds */
    int n_held;
    uint64_t digest;
} fd_call;

static inline unsigned fd_pick(fd_call *c, unsigned n) { return c->at < c->end ? *c->at++ % n : 0; }
static inline int fd_length(fd_call *c, unsigned most) {
    const unsigned low = fd_pick(c, 256);
    return 1 + (int)((low + 256 * (low > 200 ? fd_pick(c, 256) : 0)) % most);
}

static inline void *fd_hold(fd_call *c, size_t bytes) {
    void *memory = calloc(1, bytes ? bytes : 1);
    if (!memory)
        exit(0);
    return c->held[c->n_held++] = memory;
}
static inline double *fd_room_for(fd_call *c, ptrdiff_t n) { return fd_hold(c, (size_t)n * sizeof(double)); }

enum { FD_ANY, FD_FINITE, FD_MASSES }; /* what numbers may be: of a sample, finite, or weights */

/* Any bits, or counts, powers of two, near 1, specials. */
static inline double fd_number(fd_call *c, unsigned mode, int kind) {
    static const double special[] = {0.0,   -0.0,     1.0, 0x1p-1074, 0x1p-1022,
                                     1e308, INFINITY, NAN, 1e-300,    -INFINITY};
    double x = fd_pick(c, 256);
    if (mode == 1)
        x = ldexp(1.0 + fd_pick(c, 256) / 256.0, 8 * (int)x - 1074);
    else if (mode == 2)
        x = special[(int)x % 10];
    else if (mode == 3)
        x = 1.0 + x * 0x1p-50;
    else if (mode == 4) {
        uint64_t bits = (uint64_t)x;
        for (int i = 0; i < 7; i++)
            bits = bits << 8 | fd_pick(c, 256);
        memcpy(&x, &bits, sizeof x);
    }
    if (kind == FD_ANY)
        return x;
    x = isfinite(x) ? x : 1.0;
    return kind == FD_MASSES ? fabs(x) : x;
}

static inline double *fd_numbers(fd_call *c, ptrdiff_t n, int kind) {
    double *x = fd_room_for(c, n);
    const unsigned mode = fd_pick(c, 6); /* 5: another for each */
    for (ptrdiff_t i = 0; i < n; i++)
        x[i] = fd_number(c, mode == 5 ? fd_pick(c, 5) : mode, kind);
    return x;
}

/* Weights: one at least is not 0. */
static inline double *fd_weights(fd_call *c, ptrdiff_t n) {
    double *w = fd_numbers(c, n, FD_MASSES), most = 0.0;
    for (ptrdiff_t i = 0; i < n; i++)
        most = fmax(most, w[i]);
    if (most == 0.0)
        w[0] = 1.0;
    return w;
}

static inline int fd_compare_f64(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return isnan(x) || isnan(y) ? isnan(x) - isnan(y) : (x > y) - (x < y); /* NaN last, as NumPy has it */
}
static inline int fd_compare_u64(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}
static inline double *fd_ascending(fd_call *c, ptrdiff_t n, int strictly) {
    double *x = fd_numbers(c, n, FD_FINITE);
    for (ptrdiff_t i = 0; i < n; i++)
        x[i] = fmod(x[i], 0x1p60);
    qsort(x, (size_t)n, sizeof *x, fd_compare_f64);
    for (ptrdiff_t i = 1; strictly && i < n; i++)
        x[i] = x[i] > x[i - 1] ? x[i] : nextafter(x[i - 1], INFINITY);
    return x;
}

/* ---- results to a digest; laws ---- */

static inline void fd_note(fd_call *c, const double *x, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, x + i, sizeof bits);
        bits = isnan(x[i]) ? 1 : bits; /* of which NaN nothing is promised */
        c->digest = (c->digest ^ bits) * 0x9e3779b97f4a7c15u;
    }
}

static inline void fd_same(const char *law, const double *x, const double *y, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i++)
        if (memcmp(x + i, y + i, sizeof *x) != 0 && !(isnan(x[i]) && isnan(y[i]))) {
            fprintf(stderr, "%s: %a and %a at %td\n", law, x[i], y[i], i);
            abort();
        }
}

extern void (*const fd_row_doors[])(fd_call *), (*const fd_transport_doors[])(fd_call *);
enum { FD_ROW_DOORS = 5, FD_TRANSPORT_DOORS = 5 };

#endif
