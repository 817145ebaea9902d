#!/usr/bin/env bash
# The bound of the golden text joints at normal and high effort against the best that is known: an hour of one processor.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
cmake=${CMAKE_COMMAND:-cmake}
"$cmake" --preset dev >/dev/null
"$cmake" --build build/dev --target unit-bound >/dev/null
INFOPLANE_LONG=1 exec build/dev/bin/unit-bound
