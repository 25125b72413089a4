/* The pass of lattice.c over all values of a sample: compiled once per instruction set. */
#ifndef FD_LATTICE_LOOPS_H
#define FD_LATTICE_LOOPS_H

#include <string.h>
#ifdef FD_AVX512
#    include <immintrin.h>
#endif
#include "math/log.h"
#include "transport/grid.h"
#include "transport/lattice.h"

/* The cell whose number is nearest to t - origin, given near = t + (zero - origin); 0 if there is none, for a
 * NaN too. As in fd_locate. */
static inline int32_t fd_cell_near(double near, double zero, double top) {
    const double low = near > zero ? near : zero, kept = low < top ? low : zero;
    uint64_t bits;
    memcpy(&bits, &kept, sizeof bits);
    return (int32_t)(uint32_t)bits;
}

/* The cells that stand for n <= FD_BATCH values, 0 for those that have none; how many these are. */
static int fd_lattice_find(const double *restrict x, int n, const fd_lattice *l, int32_t *restrict cell) {
    const double zero = 0x1.8p52, top = zero + (double)l->cells + 1.0, magic = zero - l->origin;
    const double per = l->per, width = l->width, *atom = l->atom;
    int missed = 0;
    if (atom && l->cells <= FD_REGISTERS) {
        for (int i = 0; i < n; i++)
            cell[i] = 0;
        for (int32_t k = 1; k <= l->cells; k++)
            for (int i = 0; i < n; i++)
                cell[i] = x[i] == atom[k] ? k : cell[i];
    } else if (atom) {
        for (int i = 0; i < n; i++)
            cell[i] = fd_cell_near(x[i] * per + magic, zero, top);
        for (int i = 0; i < n; i++)
            cell[i] = atom[cell[i]] == x[i] ? cell[i] : 0;
    } else if (width != 0.0) {
        for (int i = 0; i < n; i++) {
            const double near = x[i] * per + magic;
            const int32_t k = fd_cell_near(near, zero, top);
            cell[i] = (near - magic) * width == x[i] ? k : 0;
        }
    } else {
        for (int i = 0; i < n; i++) {
            const double near = x[i] * per + magic;
            const int32_t k = fd_cell_near(near, zero, top);
            cell[i] = (near - magic) / per == x[i] ? k : 0;
        }
    }
    for (int i = 0; i < n; i++)
        missed += cell[i] == 0;
    return missed;
}

#ifdef FD_AVX512
/* Those of eight values one after another into `rest`; how many. (They are compressed in registers and stored by a mask:
 * into memory it is slow on Zen 4.) */
FD_INLINE int fd_put_those(__mmask8 those, __m512d values, double *rest) {
    const int found = __builtin_popcount(those);
    _mm512_mask_storeu_pd(rest, (__mmask8)((1u << found) - 1), _mm512_maskz_compress_pd(those, values));
    return found;
}
#endif

/* Values without a cell, one after another into `rest`, which has room for one more; how many. */
static inline int64_t fd_put_aside(const double *x, const int32_t *cell, int n, double *rest) {
    int64_t rests = 0;
#ifdef FD_AVX512
    for (int j = 0; j < n; j += 8) {
        const __mmask8 here = (__mmask8)(n - j >= 8 ? 0xff : (1u << (n - j)) - 1);
        const __mmask8 none = _mm256_mask_testn_epi32_mask(here, _mm256_maskz_loadu_epi32(here, cell + j),
                                                           _mm256_set1_epi32(-1));
        rests += fd_put_those(none, _mm512_maskz_loadu_pd(here, x + j), rest + rests);
    }
#else
    for (int j = 0; j < n; j++) {
        rest[rests] = x[j];
        rests += cell[j] == 0;
    }
#endif
    return rests;
}

#ifdef FD_AVX512
/* n values of which `cells` numbers are counted, in registers: those that are none of them into `rest`; how many. */
FD_INLINE int64_t fd_count_atoms(const double *x, int n, const double *atom, int cells, uint32_t *count,
                                 double *rest) {
    __m512i found[FD_REGISTERS];
    int64_t rests = 0;
    for (int k = 0; k < cells; k++)
        found[k] = _mm512_setzero_si512();
    for (int j = 0; j < n; j += 8) {
        const __mmask8 here = (__mmask8)(n - j >= 8 ? 0xff : (1u << (n - j)) - 1);
        const __m512d values = _mm512_maskz_loadu_pd(here, x + j);
        __mmask8 none = here;
        for (int k = 0; k < cells; k++) {
            const __mmask8 equal =
                _mm512_mask_cmp_pd_mask(here, values, _mm512_set1_pd(atom[k + 1]), _CMP_EQ_OQ);
            found[k] = _mm512_mask_sub_epi64(found[k], equal, found[k], _mm512_set1_epi64(-1));
            none &= (__mmask8)~equal;
        }
        if (none)
            rests += fd_put_those(none, values, rest + rests);
    }
    for (int k = 0; k < cells; k++)
        count[k + 1] += (uint32_t)_mm512_reduce_add_epi64(found[k]);
    return rests;
}

/* With as many registers as there are cells. */
static int64_t fd_count_few(const double *x, int n, const fd_lattice *l, uint32_t *count, double *rest) {
#    define FD_COUNTED(cells) fd_count_atoms(x, n, l->atom, cells, count, rest)
    switch (l->cells) {
    case 1:
        return FD_COUNTED(1);
    case 2:
        return FD_COUNTED(2);
    case 3:
        return FD_COUNTED(3);
    case 4:
        return FD_COUNTED(4);
    case 5:
        return FD_COUNTED(5);
    case 6:
        return FD_COUNTED(6);
    case 7:
        return FD_COUNTED(7);
    default:
        return FD_COUNTED(FD_REGISTERS);
    }
#    undef FD_COUNTED
}
#endif

/* n <= FD_BATCH values: each counted in its cell, those without one put into `rest`; how many these are. */
FD_INLINE int64_t fd_count_batch(const double *x, int n, const fd_lattice *l, int lanes, uint32_t *count,
                                 double *rest) {
    int32_t cell[FD_BATCH];
    int64_t rests = 0;
#ifdef FD_AVX512
    if (l->atom && l->cells <= FD_REGISTERS)
        return fd_count_few(x, n, l, count, rest);
#endif
    if (fd_lattice_find(x, n, l, cell))
        rests = fd_put_aside(x, cell, n, rest);
    if (l->cells <= FD_REGISTERS) {
        for (int32_t k = 1; k <= l->cells; k++) {
            uint32_t found = 0;
            for (int j = 0; j < n; j++)
                found += cell[j] == k;
            count[k] += found;
        }
    } else if (lanes == 4) {
        int j = 0;
        for (; j + 4 <= n; j += 4)
            for (int lane = 0; lane < 4; lane++)
                count[4 * cell[j + lane] + lane]++;
        for (; j < n; j++)
            count[4 * cell[j]]++;
    } else {
        for (int j = 0; j < n; j++)
            count[cell[j]]++;
    }
    return rests;
}

/* One chunk. Chunks that share a table are taken in turns. */
static void fd_tally_count(fd_tally *t, int s, int chunk) {
    enum { PATIENCE = 4096 };
    fd_tally_side *side = &t->side[s];
    const size_t table = ((size_t)t->lattice.cells + 1) * (size_t)t->lanes;
    double wide[FD_BATCH];
    uint32_t *count = side->count + (size_t)(chunk % side->tables) * table;
    const int64_t start = fd_chunk_start(side->n, side->chunks, chunk),
                  end = fd_chunk_start(side->n, side->chunks, chunk + 1);
    double *rest = side->rest + start;
    int64_t rests = 0;
    for (int64_t i = start; i < end; i += FD_BATCH) {
        const int length = end - i < FD_BATCH ? (int)(end - i) : FD_BATCH;
        const double *x = fd_fetch(side->source, i, length, wide);
        rests += fd_count_batch(x, length, &t->lattice, t->lanes, count, rest + rests);
        if (rests > PATIENCE && 16 * rests > t->most_rest * (i + length - start)) {
            side->rests[chunk] = -1;
            return;
        }
    }
    side->rests[chunk] = rests;
}

#endif
