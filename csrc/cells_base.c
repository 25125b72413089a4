/* What every CPU of the platform has: SSE2 on x86-64. */
#include "cells_isa.h"
#include "transport.h"
const fd_passes fd_passes_base = {"base", fd_cells_count, fd_cells_gather};
