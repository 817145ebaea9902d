/* Sizes as people write them. */
#include <errno.h>
#include <stdlib.h>

#include "core/infoplane.h"

bool ip_parse_size(const char *text, uint64_t *bytes) {
    if (*text < '0' || *text > '9') return false;
    char *end;
    errno = 0;
    unsigned long long whole = strtoull(text, &end, 10);
    if (errno != 0) return false;
    unsigned shift = 0;
    switch (*end) {
    case 'k':
    case 'K': shift = 10; break;
    case 'm':
    case 'M': shift = 20; break;
    case 'g':
    case 'G': shift = 30; break;
    case 't':
    case 'T': shift = 40; break;
    case '\0': break;
    default: return false;
    }
    if (shift > 0) end++;
    if (end[0] == 'i' && shift > 0) end++; /* MiB and MB are the same here: powers of 1024 */
    if (end[0] == 'B') end++;
    if (*end != '\0' || whole > (UINT64_MAX >> shift)) return false;
    *bytes = (uint64_t)whole << shift;
    return true;
}
