/* printf writes the locale's decimal point; a host program may have set one. */
#include "core/base/number.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

const char *ip_number_text(double x, char out[IP_NUMBER_ROOM]) {
    if (!isfinite(x)) return strcpy(out, "null");
    snprintf(out, IP_NUMBER_ROOM, "%.17g", x);
    const char *point = localeconv()->decimal_point;
    char *at = *point && strcmp(point, ".") != 0 ? strstr(out, point) : NULL;
    if (at) {
        *at = '.';
        memmove(at + 1, at + strlen(point), strlen(at + strlen(point)) + 1);
    }
    return out;
}
