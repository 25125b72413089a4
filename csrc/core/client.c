/* Where an extension that attaches to _core finds it. */
#include "core/core.h"

fd_core *fd_here;
