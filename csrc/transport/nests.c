/* Doubles counted in nested cells without a sort. */
#include "transport/nests.h"

#include <stdlib.h>

#include "transport/nested.h"
#include "transport/table.h"

/* From this k on pages are of so few entries that they may be anywhere: a binade each, up to k = 47. Of more entries
 * than these, or more blocks, or as many for so few values, a sort is sooner. */
enum { FD_ANYWHERE = 36, FD_MOST_ENTRIES = 1 << 20, FD_LEAST_BLOCKS = 1024, FD_VALUES_A_BLOCK = 256 };

/* How pages lie. */
static void fd_nests_lay(fd_nests *nests, const fd_source *x) {
    double wide[FD_NEST_BATCH];
    uint64_t least = UINT64_MAX, most = 0;
    if (nests->k >= FD_ANYWHERE) {
        least = 0;
        most = UINT64_MAX;
    }
    for (int64_t i = 0; i < x->n && nests->k < FD_ANYWHERE; i += FD_NEST_BATCH) {
        const int length = x->n - i < FD_NEST_BATCH ? (int)(x->n - i) : FD_NEST_BATCH;
        const double *values = fd_fetch(x, i, length, wide);
        for (int j = 0; j < length; j++) {
            const uint64_t key = fd_nested_key(values[j] + 0.0);
            least = key < least ? key : least;
            most = key > most ? key : most;
        }
    }
    const int first = nests->k + FD_NEST_BITS;
    int shift = first;
    while ((most >> shift) - (least >> shift) >= FD_NEST_PAGES)
        shift++;
    nests->page_bits = shift - first;
    nests->origin = least >> shift;
}

/* Room for so many blocks but the first, which is none, at the start of a line of the cache. 0: no memory. */
static int fd_nests_grow(fd_nests *nests, int64_t room) {
    const size_t line = 64, each = sizeof *nests->blocks;
    void *memory = malloc((size_t)(room + 1) * each + line);
    if (!memory)
        return 0;
    fd_nests_block *blocks = (fd_nests_block *)(((uintptr_t)memory + line - 1) / line * line);
    if (nests->memory)
        memcpy(blocks + 1, nests->blocks + 1, (size_t)nests->made * each);
    free(nests->memory);
    nests->memory = memory;
    nests->blocks = blocks;
    nests->room = room;
    return 1;
}

/* A block of empty cells for the key, if it has none. 0: there are too many, or there is no memory. */
static int fd_nests_make(fd_nests *nests, uint64_t key, int64_t most) {
    const uint64_t own = key >> nests->k >> FD_NEST_BITS;
    const size_t entries = (size_t)1 << nests->page_bits;
    uint32_t *page = nests->page + ((own >> nests->page_bits) - nests->origin);
    if (!*page) {
        const size_t begin = (size_t)(nests->pages + 1) * entries;
        if (begin > FD_MOST_ENTRIES)
            return 0;
        uint32_t *table = realloc(nests->table, (begin + entries) * sizeof *table);
        if (!table)
            return 0;
        memset(table + begin, 0, entries * sizeof *table);
        nests->table = table;
        nests->pages++;
        *page = (uint32_t)begin;
    }
    uint32_t *entry = nests->table + *page + (own & (entries - 1));
    if (*entry)
        return 1;
    if (nests->made == most || (nests->made == nests->room && !fd_nests_grow(nests, 2 * nests->room)))
        return 0;
    fd_nests_block *block = nests->blocks + ++nests->made;
    memset(block, 0, sizeof *block);
    for (int i = 0; i < FD_NEST_CELLS; i++)
        block->cell[i].part[2] = block->cell[i].part[3] = INT64_MAX;
    *entry = (uint32_t)nests->made;
    return 1;
}

/* Counts and sums of lower bits go where they have room. */
static void fd_nests_settle(fd_nests *nests) {
    for (int64_t b = 1; b <= nests->made; b++) {
        fd_nests_block *block = nests->blocks + b;
        for (int i = 0; i < FD_NEST_CELLS; i++) {
            const uint64_t both = (uint64_t)block->cell[i].part[0];
            block->count[i] += both / FD_ONE_MORE;
            block->low[i] += both % FD_ONE_MORE;
            block->cell[i].part[0] = 0;
        }
    }
}

static int fd_nests_count(fd_nests *nests, const fd_source *x) {
    const int64_t most = FD_LEAST_BLOCKS + x->n / FD_VALUES_A_BLOCK;
    double wide[FD_NEST_BATCH];
    int missed[FD_NEST_BATCH], none;
    for (int64_t i = 0; i < x->n; i += FD_NEST_BATCH) {
        const int length = x->n - i < FD_NEST_BATCH ? (int)(x->n - i) : FD_NEST_BATCH;
        const double *values = fd_fetch(x, i, length, wide);
        const int misses = fd_cell_loops_now->nests(nests, values, length, missed);
        for (int j = 0; j < misses; j++) {
            const double *value = values + missed[j];
            if (!fd_nests_make(nests, fd_nested_key(*value + 0.0), most))
                return 0;
            fd_cell_loops_now->nests(nests, value, 1, &none);
        }
        if ((i + length) % FD_NEST_CHUNK == 0)
            fd_nests_settle(nests);
    }
    fd_nests_settle(nests);
    return 1;
}

fd_nests *fd_nests_of(const fd_source *x, int k) {
    fd_nests *nests = calloc(1, sizeof *nests);
    if (!nests)
        return NULL;
    nests->k = k;
    fd_nests_lay(nests, x);
    if (nests->page_bits <= 16) {
        nests->table = calloc((size_t)1 << nests->page_bits, sizeof *nests->table);
        if (nests->table && fd_nests_grow(nests, 64) && fd_nests_count(nests, x))
            return nests;
    }
    fd_nests_free(nests);
    return NULL;
}

int64_t fd_nests_occupied(const fd_nests *nests) {
    int64_t cells = 0;
    for (int64_t b = 1; b <= nests->made; b++)
        for (int i = 0; i < FD_NEST_CELLS; i++)
            cells += nests->blocks[b].count[i] != 0;
    return cells;
}

void fd_nests_fill(const fd_nests *nests, const fd_nested *cells) {
    const uint64_t inner = ((uint64_t)1 << nests->k) - 1, lower = ((uint64_t)1 << 26) - 1;
    int64_t found = 0;
    for (uint64_t p = 0; p < FD_NEST_PAGES; p++) {
        if (!nests->page[p])
            continue;
        for (uint64_t entry = 0; entry < (uint64_t)1 << nests->page_bits; entry++) {
            const uint32_t b = nests->table[nests->page[p] + entry];
            if (!b)
                continue;
            const uint64_t begin = ((nests->origin + p) << nests->page_bits | entry) << FD_NEST_BITS;
            const fd_nests_block *block = nests->blocks + b;
            for (uint64_t i = 0; i < FD_NEST_CELLS; i++) {
                if (!block->count[i])
                    continue;
                const int64_t *part = block->cell[i].part;
                cells->keys[found] = begin | i;
                cells->counts[found] = block->count[i];
                cells->low[found] = block->low[i] & lower;
                cells->high[found] = (uint64_t)part[1] + (block->low[i] >> 26);
                cells->first[found] = (begin | i) << nests->k | (uint64_t)part[2];
                cells->last[found] = (begin | i) << nests->k | (inner - (uint64_t)part[3]);
                found++;
            }
        }
    }
}

void fd_nests_free(fd_nests *nests) {
    free(nests->table);
    free(nests->memory);
    free(nests);
}
