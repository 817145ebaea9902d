/* NEON: the kernels of the generic bodies, for every AArch64 machine. */
#include <stdbool.h>
#include <string.h>

#include "arch/erf.h"
#include "arch/neon/vec.h"

#include "arch/generic/load.h"
#include "arch/generic/walk.h"

#include "arch/generic/activations.inc.h"
#include "arch/generic/attention.inc.h"
#include "arch/generic/encoder.inc.h"
#include "arch/generic/float.inc.h"
#include "arch/generic/rows.inc.h"
