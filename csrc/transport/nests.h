/* Nested cells that are counted in any order: pages of a table of blocks of cells, made as they are met. */
#ifndef FD_NESTS_H
#define FD_NESTS_H

#include <stdint.h>
#include <string.h>

/* Cells of a block; values that are taken at a time; and until counts and sums of the lower 26 bits, which share a
 * number, are taken apart: 2^18 (2^44 + 2^26) < 2^63. */
enum { FD_NEST_BITS = 5, FD_NEST_CELLS = 1 << FD_NEST_BITS, FD_NEST_BATCH = 256, FD_NEST_CHUNK = 1 << 18 };
enum { FD_NEST_PAGE_BITS = 12, FD_NEST_PAGES = 1 << FD_NEST_PAGE_BITS };
#define FD_ONE_MORE ((uint64_t)1 << 44)

/* Of a cell: a count and the sum of the lower bits, the sum of those above, the least distance from the start of the
 * cell, and from its end: sums and minima of four signed numbers side by side. */
typedef struct {
    int64_t part[4];
} fd_nest;

typedef struct {
    fd_nest cell[FD_NEST_CELLS];
    uint64_t count[FD_NEST_CELLS], low[FD_NEST_CELLS]; /* what has been taken apart */
} fd_nests_block;

typedef struct fd_nests {
    uint32_t page[FD_NEST_PAGES]; /* of equal parts of the axis of keys: 0, or where its entries begin */
    uint32_t *table;              /* of each page 2^page_bits entries: 0, or the number of a block */
    fd_nests_block *blocks;       /* the first is none, and so is the first page */
    void *memory;                 /* that the blocks are in */
    int64_t made, room, pages;
    uint64_t origin; /* of the first page */
    int k, page_bits;
} fd_nests;

/* Whole numbers in the order of the doubles: of negative ones every bit is turned round, of others the sign. */
static inline uint64_t fd_nested_key(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits ^ ((uint64_t)((int64_t)bits >> 63) | (uint64_t)1 << 63);
}

#endif
