/* Compiles the loops of all floors for the instruction set that the including file has opened, and fills their tables.
 * Before the inclusion: FD_ISA, the level's name, FD_DOT_ROWS, and FD_L1_ROWS, FD_L1_COLUMNS, FD_L1_LANES (tile_loops.h). */
#include "rows/loops.h"
#include "rows/lane_loops.h"
#include "rows/single_loops.h"
#include "rows/element_loops.h"
#include "rows/slope_loops.h"
#include "rows/careful_loops.h"
#include "rows/logit_loops.h"
#include "matrix/tile_loops.h"
#include "matrix/few_loops.h"
#include "matrix/prepare_loops.h"
#include "transport/table.h"
#include "transport/cell_loops.h"
#include "transport/lattice_loops.h"
#include "transport/nested_loops.h"
#include "transport/sort_loops.h"

#define FD_PASTE_(a, b) a##b
#define FD_PASTE(a, b)  FD_PASTE_(a, b)
#define FD_TEXT_(a)     #a
#define FD_TEXT(a)      FD_TEXT_(a)

/* A derived measure has the sum it ends. */
#define FD_SUM(name, ...)                  [FD_##name] = fd_sum_##name,
#define FD_LOG_SUM(name, ...)              [FD_##name] = fd_log_sum_##name,
#define FD_LANE_SUM(name, ...)             [FD_##name] = fd_lane_sum_##name,
#define FD_LANE_LOG_SUM(name, ...)         [FD_##name] = fd_lane_log_sum_##name,
#define FD_SUM_OF(name, sum, ...)          [FD_##name] = fd_sum_##sum,
#define FD_LOG_SUM_OF(name, sum, ...)      [FD_##name] = fd_log_sum_##sum,
#define FD_SINGLE_SUM(name)                [FD_##name] = fd_single_sum_##name,
#define FD_LANE_SUM_OF(name, sum, ...)     [FD_##name] = fd_lane_sum_##sum,
#define FD_LANE_LOG_SUM_OF(name, sum, ...) [FD_##name] = fd_lane_log_sum_##sum,

static const fd_row_loops fd_level_rows = {
    .widen = fd_widen_loop,
    .stats = fd_stats_loop,
    .smooth = fd_smooth_loop,
    .exact_stats = fd_exact_stats_loop,
    .max = fd_max_loop,
    .least = fd_least_loop,
    .exp_sum = fd_exp_sum_loop,
    .exp = fd_exp_loop,
    .sum = {FD_SUMMED(FD_SUM) FD_DERIVED(FD_SUM_OF) FD_HELPERS(FD_SUM)},
    .log_sum = {FD_SUMMED(FD_LOG_SUM) FD_DERIVED(FD_LOG_SUM_OF) FD_HELPERS(FD_LOG_SUM)},
    .outside = fd_outside_loop,
    .inside = fd_inside_loop,
    .most_ratio = fd_most_ratio_loop,
    .stack = {fd_stack_mix, fd_stack_sum},
    .log_stack = {fd_log_stack_mix, fd_log_stack_sum},
    .single_sum = {FD_SINGLE(FD_SINGLE_SUM)},
    .single_stats = fd_single_stats_loop,
    .lane_sum = {FD_SUMMED(FD_LANE_SUM) FD_DERIVED(FD_LANE_SUM_OF) FD_HELPERS(FD_LANE_SUM)},
    .lane_log_sum = {FD_SUMMED(FD_LANE_LOG_SUM) FD_DERIVED(FD_LANE_LOG_SUM_OF) FD_HELPERS(FD_LANE_LOG_SUM)},
    .lane_stats = fd_lane_stats_loop,
    .lane_order = fd_lane_order_loop,
    .lane_swap = fd_lane_swap_loop,
    .lane_turn = fd_lane_turn_loop,
    .surprisal = fd_surprisal_loop,
    .binary_entropy = fd_binary_entropy_loop,
    .rel_entr = fd_rel_entr_loop,
    .kl_div = fd_kl_div_loop,
};

#define FD_SLOPES(name, ...)          [FD_##name] = fd_slopes_loop_##name,
#define FD_LOG_SLOPES(name, ...)      [FD_##name] = fd_log_slopes_loop_##name,
#define FD_LANE_SLOPES(name, ...)     [FD_##name] = fd_lane_slopes_##name,
#define FD_LOG_LANE_SLOPES(name, ...) [FD_##name] = fd_log_lane_slopes_##name,
#define FD_CAREFUL(name, ...)         [FD_##name] = fd_careful_loop_##name,

static const fd_slope_loops fd_level_slopes = {
    .of_masses = {FD_SUMMED(FD_SLOPES) FD_SLOPES(entropy)},
    .of_logs = {FD_SUMMED(FD_LOG_SLOPES) FD_LOG_SLOPES(entropy)},
    .of_lanes = {FD_SUMMED(FD_LANE_SLOPES) FD_LANE_SLOPES(entropy)},
    .of_log_lanes = {FD_SUMMED(FD_LOG_LANE_SLOPES) FD_LOG_LANE_SLOPES(entropy)},
    .careful = {FD_SUMMED(FD_CAREFUL) FD_CAREFUL(entropy)},
    .excess = fd_excess_loop,
    .products = fd_products_loop,
    .sizes = fd_sizes_loop,
    .below = fd_below_loop,
    .of_stack = fd_stack_slopes,
    .of_log_stack = fd_log_stack_slopes,
    .settle = fd_settle_loop,
    .settle_lanes = fd_settle_lanes_loop,
    .settle_long = fd_settle_long_loop,
    .settle_logs = fd_log_settle_loop,
    .settle_log_lanes = fd_log_settle_lanes_loop,
    .logit_parts = fd_logit_parts_loop,
    .logit_lanes = fd_logit_lanes_loop,
    .logit_lane_terms = fd_logit_lane_terms_loop,
    .logit_sum = fd_logit_sum_loop,
    .logit_masses = fd_logit_masses_loop,
    .logit_shares = fd_logit_shares_loop,
    .scale = fd_scale_loop,
};

static const fd_tile_loops fd_level_tiles = {
    .log2 = fd_log2_loop,
    .shares = fd_shares_loop,
    .js_shares = fd_js_shares_loop,
    .js_terms = fd_js_terms_loop,
    .turn = fd_panel_loop,
    .factors = fd_factors_loop,
    .cumulate = fd_cumulate_loop,
    .divide = fd_divide_loop,
    .size = fd_size_loop,
    .roots = fd_roots_loop,
    .js_rows = fd_js_rows,
    .js_few = fd_js_few,
    .js_few_pair = fd_js_few_pair,
    .js_near = fd_js_near,
    .js_rows32 = fd_js_rows32,
    .l1_rows = fd_l1_rows,
    .dot_rows = fd_dot_rows,
    .dot_rows32 = fd_dot32_rows,
    .overlap_bounds = fd_overlap_bounds,
    .js_least = fd_js_least,
    .l1_panels = fd_l1_panels,
    .within = fd_places_within,
    .finish_row = fd_finish_row,
};

static const fd_cell_loops fd_level_cells = {fd_cells_count, fd_cells_gather, fd_cells_kinds, fd_tally_count,
                                             fd_nests_add,   fd_sort_few,     fd_sort_parts};

const fd_kernels FD_PASTE(fd_kernels_, FD_ISA) = {FD_TEXT(FD_ISA), &fd_level_rows, &fd_level_slopes,
                                                  &fd_level_tiles, &fd_level_cells};
