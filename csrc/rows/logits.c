/* Cross entropy of masses against logits, a classifier's loss:
 *
 *     H(p, softmax q) = sum p_i (L - q_i) / sum p,    L = log sum exp q,
 *
 * all terms >= 0, and its gradient, softmax q - p / sum p by the logits and (L - q_i - H) / sum p by the masses.
 * L is kept as the largest logit and the rest, so that a class which holds nearly all keeps the digits of the
 * others. Not normalised it is -sum p_i q_i.
 */
#include "rows/logits.h"

#include "rows/pair.h"
#include "rows/settle.h"
#include "rows/terms.h"

typedef struct {
    fd_row_reader p, q;
    double unit;
} fd_logits;

/* 0 for a row that is none. */
static int fd_logits_open(fd_logits *w, fd_view p, fd_view q, ptrdiff_t n, const fd_options *options) {
    fd_options masses = *options, logs = *options;
    masses.log_input = 0.0;
    logs.log_input = 1.0;
    logs.pseudocount = 0.0;
    w->p = fd_reader(p, &masses);
    w->q = fd_reader(q, &logs);
    w->unit = fd_in_unit(FD_LOG2_E, options);
    if (!fd_weigh_any(&w->p, n) || !fd_weigh_any(&w->q, n))
        return 0;
    if (!fd_is_ordinary(&w->p) && w->p.normalize)
        fd_rescale(&w->p, n, fd_sum_exponent(&w->p, n));
    return 1;
}

double fd_logits_cross_entropy(fd_view p_view, fd_view q_view, ptrdiff_t n, const fd_options *options,
                               double *by_p, double *by_q) {
    fd_logits w;
    double p_copy[FD_BLOCK], q_copy[FD_BLOCK], surprisals[FD_BLOCK];
    fd_sum sum = {0};
    if (!fd_logits_open(&w, p_view, q_view, n, options)) {
        fd_fill(by_p, n, NAN);
        fd_fill(by_q, n, NAN);
        return NAN;
    }
    double total = fd_total(&w.p);
    for (ptrdiff_t start = 0; start < n; start += FD_BLOCK) {
        ptrdiff_t size = n - start < FD_BLOCK ? n - start : FD_BLOCK;
        const double *p = fd_block(&w.p, start, size, p_copy), *q = fd_block(&w.q, start, size, q_copy);
        fd_sum_add(
            &sum, fd_slope_loops_now->logits(p, q, size, w.q.max, w.q.log, by_p ? by_p + start : surprisals));
        if (by_q && w.p.normalize) {
            fd_row_loops_now->exp(q, size, w.q.max, w.q.log, by_q + start);
            fd_slope_loops_now->excess(by_q + start, p, size, total, w.unit);
        }
        for (ptrdiff_t i = 0; by_q && !w.p.normalize && i < size; i++)
            by_q[start + i] = -p[i] * w.unit;
    }
    double nats = fd_sum_total(sum) / total;
    if (by_p)
        fd_settle(&w.p, n, nats, 0.0, w.unit, 0.0, by_p);
    return nats * w.unit;
}

double fd_label_cross_entropy(ptrdiff_t label, fd_view q_view, ptrdiff_t n, const fd_options *options,
                              double *by_q) {
    fd_options o = *options;
    o.log_input = o.normalize = 1.0;
    fd_row_reader q = fd_reader(q_view, &o);
    double copy[FD_BLOCK], unit = fd_in_unit(FD_LOG2_E, &o);
    if (label < 0 || label >= n || !fd_weigh_any(&q, n)) {
        fd_fill(by_q, n, NAN);
        return NAN;
    }
    double nats = (q.max - fd_entry(&q.view, label)) + q.log;
    for (ptrdiff_t start = 0; start < n; start += FD_BLOCK) {
        ptrdiff_t size = n - start < FD_BLOCK ? n - start : FD_BLOCK;
        fd_row_loops_now->exp(fd_block(&q, start, size, copy), size, q.max, q.log, by_q + start);
        for (ptrdiff_t i = 0; i < size; i++)
            by_q[start + i] *= unit;
    }
    by_q[label] = expm1(-nats) * unit; /* share - 1, which may be small */
    return nats * unit;
}
