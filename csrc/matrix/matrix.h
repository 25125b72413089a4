/* Tiles of pairwise values: the seam between Cython and C. */
#ifndef FD_MATRIX_H
#define FD_MATRIX_H

#include <stddef.h>
#include <stdint.h>

#include "math/fetch.h"
#include "matrix/table.h"
#include "rows/rows.h"

static const double FD_U = 0x1p-53;
/* Shares that the fast forms take: no product of two leaves the doubles. */
static const double FD_SHARE_MIN = 0x1p-390;
/* Powers of shares that Renyi's takes: 2^x for |x| below. */
static const double FD_POWER_MAX = 480.0;

/* How the pairs of a tile are computed. All forms but the first are fast and lose digits as the value gets
 * small; those pairs are done again one by one. */
typedef enum {
    FD_FORM_PAIRS, /* pair by pair (rows.h) */
    FD_FORM_JS,    /* one logarithm a bin */
    FD_FORM_DOT,   /* one matrix product */
    FD_FORM_DOTS,  /* two: of p with a function of q and the other way round */
    FD_FORM_L1     /* sum of |a_i - b_i| */
} fd_form;

/* What fd_row has no name for: the transport distance of rows of masses on one support, and of sorted rows of
 * samples. */
enum { FD_HISTOGRAMS = FD_N_SUMS, FD_SAMPLES };

typedef struct fd_plan {
    int measure; /* fd_measure, or one of the above */
    fd_form form;
    int single;        /* float32 in and out, with 5e-6 to keep where otherwise it is 1e-12 */
    int needs_support; /* the measure is infinite where p has mass and q has none */
    fd_options options;
    ptrdiff_t n_bins, width; /* width: of the prepared rows, a multiple of FD_LANES but for few bins */
    int few, js32;           /* of FD_FORM_JS: a row to a lane; sums in single precision */
    double scale;            /* of prepared shares: 2^e near n_bins, so that they are near 1 */
    double order;            /* of transport */
    const double *support;   /* of transport between masses: n_bins places, increasing */
    fd_finish finish;        /* of the fast form */
} fd_plan;

enum {
    FD_PLAIN,
    FD_SPECIAL,
    FD_VOID
}; /* a row is good for the fast form; only for fd_row; no distribution */

/* Rows as they came and as they were prepared. `left` are rows of the first argument, `right` of the second:
 * packed in panels of FD_LANES rows, bin by bin, where the form is a product or bins are few. */
typedef struct fd_side {
    const char *data;
    ptrdiff_t row_step, bin_step, n_rows;
    fd_scalar scalar;
    double *left, *right;
    double *left_too, *right_too; /* FD_FORM_DOTS: with the functions changed round; few bins: their terms */
    double *blocks;               /* FD_FORM_JS: sums of h log2 2h, FD_LANES for each FD_JS_BLOCK bins */
    float *left32, *blocks32;     /* the same in single precision, and the halves */
    double *constant, *limit;     /* the row's share of the finish (table.h); limit inf: not FD_PLAIN */
    double *total, *total_lo;     /* FD_FORM_JS: the sum of the masses, NaN where it is not ordinary;
                                 FD_FORM_L1: the sum of the prepared numbers */
    double *blur;                 /* of rows of logarithms: the relative error of the shares made of them */
    float *roots, *roots_packed; /* for neighbours (nearest.c), the latter of second arguments: FD_FORM_JS; */
    float *quarters;             /* and the roots of those, but for few bins */
    double *groups, *groups_packed; /* FD_FORM_L1: FD_LANES sums of neighbouring entries */
    uint64_t *support;              /* a bit for each bin with mass, where a product cannot tell; else NULL */
    uint8_t *gaps;                  /* whether one of them is 0 */
    uint8_t *kind;
} fd_side;

enum { FD_TILE = 64 };

static inline fd_view fd_row_view(const fd_side *side, ptrdiff_t i) {
    return (fd_view){side->data + i * side->row_step, side->bin_step, side->scalar};
}

static inline ptrdiff_t fd_support_words(ptrdiff_t n_bins) { return (n_bins + 63) / 64; }

static inline ptrdiff_t fd_js_blocks(ptrdiff_t width) { return (width + FD_JS_BLOCK - 1) / FD_JS_BLOCK; }

static inline int fd_is_product(const fd_plan *plan) {
    return plan->form == FD_FORM_DOT || plan->form == FD_FORM_DOTS;
}

/* The fast form of a measure (rows/list.h), or FD_FORM_PAIRS; transport's is FD_FORM_L1. */
fd_form fd_fast_form(int measure);

/* Fills what follows from measure, form, options, n_bins and single: width, few, needs_support and finish. */
void fd_plan_finish(fd_plan *plan);

/* An array of a side: where in it the pointer stands, how many bytes it is to point to, and how many of them
 * fd_prepare_rows writes whatever the rows are: those after them are to be zeros. */
typedef struct {
    size_t place;
    ptrdiff_t bytes, written;
} fd_room;

enum { FD_MOST_ROOMS = 24 };

/* The arrays that rows want as first arguments, second or both, with n_rows set; `bounds`: for fd_nearest. Returns
 * how many. They begin cache lines. */
int fd_side_rooms(const fd_plan *plan, const fd_side *side, int is_left, int is_right, int bounds,
                  fd_room *rooms);

/* Reads and prepares up to FD_LANES rows; the roles that have room in the side are filled. Rows are read a block of bins
 * of each at a time, so that what they share of a panel is in the cache until all have written to it. */
void fd_prepare_rows(const fd_plan *plan, const fd_side *side, ptrdiff_t first, int rows);

/* From the size of a row's terms to its limit, E <= tolerance D as D >= limit_i + limit_j (limits.c). `entries` of a
 * compressed row, else FD_DENSE. */
enum { FD_DENSE = -1 };
double fd_limit(const fd_plan *plan, double size, double constant, ptrdiff_t entries);
/* What is added to it for rows of logarithms. */
double fd_blur_limit(const fd_plan *plan, double blur);

/* One pair, to full accuracy; of FD_HISTOGRAMS, and of FD_SAMPLES. */
double fd_exact_pair(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b, ptrdiff_t j);
double fd_transport_pair(fd_view p, fd_view q, const double *support, ptrdiff_t n, const fd_options *options);
double fd_samples_pair(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b, ptrdiff_t j);

/* Rows [i, i + n_i) against [j, j + n_j), at most FD_TILE each, j a multiple of FD_LANES; n_i x FD_TILE
 * values, with room for FD_TILE^2, since products write whole registers of rows. `scratch` has room for 2 FD_TILE^2.
 * Returns how many pairs were done again. */
ptrdiff_t fd_tile(const fd_plan *plan, const fd_side *a, ptrdiff_t i, int n_i, const fd_side *b, ptrdiff_t j,
                  int n_j, double *values, double *scratch);

/* The same value as in a tile, of one pair. */
double fd_pair_value(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b, ptrdiff_t j);

/* Neighbours are looked for FD_QUERIES rows at a time among FD_SEGMENT. */
enum { FD_QUERIES = 16, FD_SEGMENT = 4096 };

/* Puts the rows [j, j + n) that are near enough into the sorted lists of rows [i, i + n_i): n <= FD_SEGMENT,
 * j a multiple of FD_LANES, lists of at most k of which there are `counts`. Room: `space` for FD_QUERIES x
 * FD_SEGMENT, `first` and `first_indices` for k. */
void fd_nearest(const fd_plan *plan, const fd_side *a, ptrdiff_t i, int n_i, const fd_side *b, ptrdiff_t j,
                ptrdiff_t n, ptrdiff_t k, double *values, ptrdiff_t *indices, ptrdiff_t *counts,
                double *space, double *first, ptrdiff_t *first_indices);

/* What is above the diagonal of an n x n matrix, row by row, from it; or to it and, mirrored, below. */
void fd_square(char *condensed, char *matrix, ptrdiff_t n, ptrdiff_t size, int is_to_matrix);

/* Puts a row of n values into a sorted list. */
void fd_take_row(const double *row, ptrdiff_t n, int single, ptrdiff_t k, double *values, ptrdiff_t *indices,
                 ptrdiff_t *count);

#endif
