/* What a row is in the caller's memory, and what the caller asks for beside the measure. */
#ifndef FD_VIEW_H
#define FD_VIEW_H

#include <stddef.h>
#include <stdint.h>

/* The options travel through NumPy as one small vector of doubles, in this order. */
typedef struct {
    double unit_hi, unit_lo; /* what one bit is worth in the caller's unit: ln 2 / ln(base) */
    double normalize;        /* 0 or 1 */
    double log_input;        /* 0 or 1 */
    double pseudocount;
    double w_p, w_q; /* Jensen-Shannon's mixture */
    double alpha;    /* Renyi's order */
    double omit;     /* 0 or 1: drop the bins in which either row has a NaN */
} fd_options;

extern const fd_options fd_default_options;

enum { FD_N_OPTIONS = sizeof(fd_options) / sizeof(double) };

/* What an entry is in the caller's memory. All arithmetic is in double. */
#define FD_SCALARS(X)                                                                                        \
    X(FD_FLOAT64, double)                                                                                    \
    X(FD_FLOAT32, float)                                                                                     \
    X(FD_INT8, int8_t)                                                                                       \
    X(FD_UINT8, uint8_t)                                                                                     \
    X(FD_INT16, int16_t)                                                                                     \
    X(FD_UINT16, uint16_t)                                                                                   \
    X(FD_INT32, int32_t)                                                                                     \
    X(FD_UINT32, uint32_t)                                                                                   \
    X(FD_INT64, int64_t)                                                                                     \
    X(FD_UINT64, uint64_t)

typedef enum {
#define FD_ENUM(name, type) name,
    FD_SCALARS(FD_ENUM)
#undef FD_ENUM
        FD_N_SCALARS
} fd_scalar;

/* n numbers, `stride` bytes apart. */
typedef struct {
    const char *data;
    ptrdiff_t stride;
    fd_scalar scalar;
} fd_view;

#endif
