/* The sweeps over sorted samples, for both kinds of values (distance.h). */
#ifndef FD_SWEEPS_H
#define FD_SWEEPS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "math/sum.h"
#include "transport/distance.h"
#include "transport/mass.h"
#include "transport/sort.h"
#include "transport/transport.h"

/* distance^p, which the coupling takes note of. */
static inline double fd_coupling_cost(fd_coupling *c, double distance) {
    c->largest = distance > c->largest ? distance : c->largest;
    return fd_power(distance, c->p);
}

/* Gaps below FD_WIDE can be multiplied by any count of events' worth of difference without overflow. */
#define FD_VALUE      double
#define FD_NAME(name) name##_f64
#define FD_GAP        fd_gap_f64
#define FD_DISTANCE   fd_distance_f64
#define FD_WIDE       0x1p900
#include "transport/sweep.h"
#include "transport/quantile.h"
#include "transport/statistic.h"
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
#include "transport/statistic.h"
#undef FD_VALUE
#undef FD_NAME
#undef FD_GAP
#undef FD_DISTANCE
#undef FD_WIDE

#endif
