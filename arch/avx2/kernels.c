/* AVX2 and FMA: the kernels of the generic bodies. */
#include <stdbool.h>
#include <string.h>

#include "arch/avx2/vec.h"
#include "arch/erf.h"

#include "arch/generic/load.h"
#include "arch/generic/walk.h"

#include "arch/generic/activations.inc.h"
#include "arch/generic/attention.inc.h"
#include "arch/generic/encoder.inc.h"
#include "arch/generic/float.inc.h"
#include "arch/generic/rows.inc.h"
