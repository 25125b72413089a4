/* Rows of logarithms side by side (lanes.c): their mass, their scale. The same bits as by weigh.h and pair.h. */
#include "rows/far.h"
#include "rows/lanes.h"
#include "rows/slope_table.h"

/* fd_log_weigh; rows that are none are marked. */
void fd_log_weigh_beside(fd_beside *b, fd_view v, ptrdiff_t step, int rows, double *out,
                         fd_lane_stats *stats) {
    double parts[FD_FEW * FD_ROWS], below[FD_ROWS], at_max[FD_ROWS];
    ptrdiff_t pitch;
    const double *in = fd_lay_beside(v, step, rows, b->n, out, &pitch);
    fd_ahead ahead = {(const char *)in, (const char *)in, 0, 0};
    for (ptrdiff_t j = 0; in != out && j < b->n; j++)
        memcpy(out + j * FD_ROWS, in + j * pitch, FD_ROWS * sizeof *out);
    fd_slope_loops_now->logit_lanes(out, FD_ROWS, b->n, ahead, parts, stats->max, below, at_max);
    for (int i = 0; i < FD_ROWS; i++) {
        b->mark[i] += fabs(stats->max[i]) < INFINITY ? 0.0 : 1.0;
        stats->log[i] = log1p((at_max[i] - 1.0) + below[i]);
        stats->sum[i] = 1.0;
    }
}

/* fd_is_far */
void fd_mark_far_beside(fd_beside *b) {
    double least[FD_ROWS];
    for (int i = 0; i < FD_ROWS; i++)
        least[i] = INFINITY;
    for (ptrdiff_t k = 0; k < b->n * FD_ROWS; k += FD_ROWS)
        for (int i = 0; i < FD_ROWS; i++) {
            double x = b->p[k + i] > -INFINITY ? b->p[k + i] : INFINITY;
            double y = b->q[k + i] > -INFINITY ? b->q[k + i] : INFINITY;
            double less = x < y ? x : y;
            least[i] = less < least[i] ? less : least[i];
        }
    for (int i = 0; i < FD_ROWS; i++)
        b->mark[i] += fmax(b->of_p.max[i], b->of_q.max[i]) - least[i] > FD_FAR ? 1.0 : 0.0;
}

/* fd_set_pair of logarithms */
void fd_shift_beside(fd_beside *b) {
    const double *max_p = b->of_p.max, *max_q = b->of_q.max, *log_p = b->of_p.log, *log_q = b->of_q.log;
    for (int i = 0; i < FD_ROWS; i++) {
        b->pairs.max_p[i] = max_p[i];
        b->pairs.max_q[i] = max_q[i];
        b->pairs.log_p[i] = log_p[i];
        b->pairs.log_q[i] = log_q[i];
        b->pairs.shift[i] = max_p[i] - max_q[i];
        b->pairs.shift_lo[i] = fd_difference_error(max_p[i], max_q[i]) + (log_p[i] - log_q[i]);
    }
}
