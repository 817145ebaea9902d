/* AVX-512 (F, BW, VL, DQ): the kernels that every such CPU runs, from the generic bodies. */
#include <stdbool.h>
#include <string.h>

#include "arch/avx512/vec.h"
#include "arch/erf.h"

#include "arch/generic/load.h"
#include "arch/generic/walk.h"

#include "arch/generic/activations.inc.h"
#include "arch/generic/attention.inc.h"
#include "arch/generic/encoder.inc.h"
#include "arch/generic/float.inc.h"
#include "arch/generic/rows.inc.h"
