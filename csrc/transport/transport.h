/* What _wasserstein.pyx calls: the sweeps for both kinds of values. double for real ones; uint64_t for
 * integers beyond 2^53, whose differences stay exact. */
#ifndef FD_TRANSPORT_H
#define FD_TRANSPORT_H

#include <math.h>
#include "transport/mass.h"
#include "math/sum.h"
#include "transport/sort.h"

/* What a row is asked for. */
typedef enum { FD_WASSERSTEIN, FD_CRAMER, FD_ENERGY, FD_KS } fd_statistic;

typedef struct {
    fd_statistic statistic;
    double p;
    int omit;   /* leave NaNs out */
    int sorted; /* values ascend already */
} fd_task;

/* (x - y) * share for x >= y and share <= 1; x - y may exceed the range of double. */
static inline double fd_gap_f64(double x, double y, double share) {
    const double gap = x - y;
    return gap <= 0x1.fffffffffffffp+1023 ? gap * share : x * share - y * share;
}

static inline double fd_distance_f64(double x, double y, double scale) {
    const double distance = fabs(x - y);
    return distance <= 0x1.fffffffffffffp+1023 ? distance * scale : fabs(x * scale - y * scale);
}

static inline double fd_distance_u64(uint64_t x, uint64_t y, double scale) {
    return (double)(x > y ? x - y : y - x) * scale;
}

static inline double fd_power(double x, double p) {
    return p == 1.0 ? x : p == 2.0 ? x * x : p == 3.0 ? x * x * x : pow(x, p);
}

static inline double fd_gap_u64(uint64_t x, uint64_t y, double share) { return (double)(x - y) * share; }

/* Gaps below FD_WIDE can be multiplied by any count of events' worth of difference without overflow. */
#define FD_VALUE      double
#define FD_NAME(name) name##_f64
#define FD_GAP        fd_gap_f64
#define FD_DISTANCE   fd_distance_f64
#define FD_WIDE       0x1p900
#include "transport/sweep.h"
#include "transport/quantile.h"
#include "transport/row.h"
#undef FD_VALUE
#undef FD_NAME
#undef FD_GAP
#undef FD_DISTANCE
#undef FD_WIDE

#define FD_VALUE      uint64_t
#define FD_NAME(name) name##_u64
#define FD_GAP        fd_gap_u64
#define FD_DISTANCE   fd_distance_u64
#define FD_WIDE       UINT64_MAX
#include "transport/sweep.h"
#include "transport/quantile.h"
#include "transport/row.h"
#undef FD_VALUE
#undef FD_NAME
#undef FD_GAP
#undef FD_DISTANCE
#undef FD_WIDE

#include "transport/cells.h"
#include "transport/circle.h"
#include "transport/hist.h"

#endif
