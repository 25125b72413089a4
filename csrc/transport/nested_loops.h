/* The pass over values that are counted in nested cells, in any order: compiled once per instruction set. */
#ifndef FD_NESTED_LOOPS_H
#define FD_NESTED_LOOPS_H

#include "transport/nests.h"

/* Counts n <= FD_NEST_BATCH values, but those whose block is yet to be made; how many of these, and which. */
static int fd_nests_add(fd_nests *nests, const double *x, int n, int *missed) {
    uint32_t page[FD_NEST_BATCH], entry[FD_NEST_BATCH], slot[FD_NEST_BATCH];
    fd_nest more[FD_NEST_BATCH];
    const int k = nests->k, bits = nests->page_bits;
    const uint64_t inner = ((uint64_t)1 << k) - 1, lower = ((uint64_t)1 << 26) - 1, origin = nests->origin;
    const uint32_t in_page = ((uint32_t)1 << bits) - 1;
    for (int j = 0; j < n; j++) {
        const uint64_t key = fd_nested_key(x[j] + 0.0), own = key >> k, at = key & inner;
        page[j] = (uint32_t)((own >> FD_NEST_BITS >> bits) - origin);
        entry[j] = (uint32_t)(own >> FD_NEST_BITS) & in_page;
        slot[j] = (uint32_t)(own & (FD_NEST_CELLS - 1));
        more[j].part[0] = (int64_t)(FD_ONE_MORE + (at & lower));
        more[j].part[1] = (int64_t)(at >> 26);
        more[j].part[2] = (int64_t)at;
        more[j].part[3] = (int64_t)(inner - at);
    }
    const uint32_t *table = nests->table;
    fd_nests_block *blocks = nests->blocks;
    int misses = 0;
    for (int i = 0; i < n; i++) {
        const uint32_t block = table[nests->page[page[i]] + entry[i]];
        if (!block) {
            missed[misses++] = i;
            continue;
        }
        int64_t *part = blocks[block].cell[slot[i]].part;
        const int64_t *add = more[i].part;
        int64_t sum[4], least[4];
        for (int l = 0; l < 4; l++)
            sum[l] = part[l] + add[l];
        for (int l = 0; l < 4; l++)
            least[l] = part[l] < add[l] ? part[l] : add[l];
        for (int l = 0; l < 4; l++)
            part[l] = l < 2 ? sum[l] : least[l];
    }
    return misses;
}

#endif
