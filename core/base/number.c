/* printf and strtod follow the locale's decimal point; a host program may have set one. */
#include "core/base/number.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
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

bool ip_number_parse(const char *text, double *out) {
    size_t start = strspn(text, " \t"), n = strspn(text + start, "0123456789+-.eE");
    if (n == 0 || n > 400 || text[start + n + strspn(text + start + n, " \t")] != '\0') return false;
    char room[512];
    const char *point = localeconv()->decimal_point;
    size_t length = 0, wide = strlen(point);
    for (size_t i = 0; i < n && length + wide + 1 < sizeof room; i++) {
        const char c = text[start + i];
        memcpy(room + length, c == '.' && wide > 0 ? point : &c, c == '.' && wide > 0 ? wide : 1);
        length += c == '.' && wide > 0 ? wide : 1;
    }
    room[length] = '\0';
    char *end;
    *out = strtod(room, &end);
    return *end == '\0' && end != room && isfinite(*out);
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
