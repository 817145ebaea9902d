/* printf writes the locale's decimal point; a host program may have set one. */
#include "core/base/number.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *with_point(char out[IP_NUMBER_ROOM]) {
    const char *point = localeconv()->decimal_point;
    char *at = *point && strcmp(point, ".") != 0 ? strstr(out, point) : NULL;
    if (at) {
        *at = '.';
        memmove(at + 1, at + strlen(point), strlen(at + strlen(point)) + 1);
    }
    return out;
}

const char *ip_number_text(double x, char out[IP_NUMBER_ROOM]) {
    if (!isfinite(x)) return strcpy(out, "null");
    snprintf(out, IP_NUMBER_ROOM, "%.17g", x);
    return with_point(out);
}

const char *ip_number_fixed(double x, int decimals, char out[IP_NUMBER_ROOM]) {
    if (!isfinite(x)) return strcpy(out, "null");
    if (decimals < 0) decimals = 0;
    if (decimals > 9) decimals = 9;
    snprintf(out, IP_NUMBER_ROOM, fabs(x) < 1e15 ? "%.*f" : "%.*e", decimals, x);
    return with_point(out);
}
