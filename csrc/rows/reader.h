/* A row as blocks of contiguous doubles, whatever it is in the caller's memory.
 *
 * Ordinary rows (contiguous, aligned float64, sums and masses in a range that products do not leave) are read
 * in place. All others are copied a block at a time: strided, misaligned, other numbers than float64, with a
 * pseudocount, with -0, or scaled by a power of two because their sum is very large or very small.
 */
#ifndef FD_READER_H
#define FD_READER_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "rows/table.h"
#include "rows/view.h"

typedef struct {
    fd_view view;
    int direct;         /* blocks can be read where they are */
    int logs;           /* entries are logarithms */
    int normalize;      /* shares of the sum are meant, else the masses themselves */
    double add;         /* pseudocount */
    double scale[2];    /* powers of two; two, since 2^-e may not be a double */
    int wide;           /* spans more than the loops can take: bin by bin then (wide.h) */
    double sum, sum_lo; /* after adding and scaling */
    int is_tiny;        /* some mass, likewise, is under FD_MASS_MIN */
    int exponent;       /* of the scale: row = masses * 2^exponent */
    double max, log;    /* of a row of logarithms: log sum exp = max + log; 0 where that is not divided by */
    double top;         /* its largest entry */
    uintptr_t ahead;    /* bytes from a bin to what is read a block later */
} fd_row_reader;

static inline double fd_entry(const fd_view *v, ptrdiff_t i) {
    const char *at = v->data + i * v->stride;
    switch (v->scalar) {
#define FD_READ(name, type)                                                                                  \
case name: {                                                                                                 \
    type x;                                                                                                  \
    memcpy(&x, at, sizeof x);                                                                                \
    return (double)x;                                                                                        \
}
        FD_SCALARS(FD_READ)
#undef FD_READ
    default:
        return NAN;
    }
}

static inline ptrdiff_t fd_scalar_size(fd_scalar scalar) {
    static const uint8_t sizes[FD_N_SCALARS] = {
#define FD_SIZE(name, type) [name] = sizeof(type),
        FD_SCALARS(FD_SIZE)
#undef FD_SIZE
    };
    return sizes[scalar];
}

static inline fd_row_reader fd_reader(fd_view view, const fd_options *options) {
    fd_row_reader r = {.view = view, .scale = {1.0, 1.0}};
    r.ahead = FD_BLOCK * sizeof(double);
    r.logs = options->log_input != 0.0;
    r.normalize = options->normalize != 0.0;
    r.add = options->pseudocount;
    r.direct = view.scalar == FD_FLOAT64 && view.stride == sizeof(double) &&
               (uintptr_t)view.data % sizeof(double) == 0 && r.add == 0.0;
    return r;
}

/* Entry i with its pseudocount, before scaling. */
static inline double fd_given(const fd_row_reader *r, ptrdiff_t i) { return fd_entry(&r->view, i) + r->add; }

/* Bins [start, start + n) as contiguous doubles: in place, or copied to `copy` (n of them). */
static const double *fd_block(const fd_row_reader *r, ptrdiff_t start, ptrdiff_t n, double *copy) {
    const char *at = r->view.data + start * r->view.stride;
    if (r->direct)
        return (const double *)at;
    ptrdiff_t size = fd_scalar_size(r->view.scalar);
    if (r->view.stride == size && (uintptr_t)at % (uintptr_t)size == 0) {
        fd_row_loops_now->widen(at, r->view.scalar, n, r->add, r->scale, copy);
        return copy;
    }
    for (ptrdiff_t i = 0; i < n; i++)
        copy[i] = fd_entry(&r->view, start + i);
    fd_row_loops_now->widen(copy, FD_FLOAT64, n, r->add, r->scale, copy);
    return copy;
}

/* Of a row of floats: as floats. */
static inline const float *fd_block_of_floats(const fd_row_reader *r, ptrdiff_t start, ptrdiff_t n,
                                              float *copy) {
    const char *at = r->view.data + start * r->view.stride;
    if (r->view.stride == sizeof(float) && (uintptr_t)at % sizeof(float) == 0)
        return (const float *)at;
    for (ptrdiff_t i = 0; i < n; i++)
        memcpy(&copy[i], at + i * r->view.stride, sizeof *copy);
    return copy;
}

#endif
