/* Error values and their formatting. */
#include "core/base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/utf8.h"

void ip_make_printable(char *text) {
    size_t n = strlen(text), i = 0;
    while (i < n) {
        unsigned char c = (unsigned char)text[i];
        size_t step = ip_utf8_step((const unsigned char *)text + i, n - i);
        int control = c < 0x20 || c == 0x7F || (c == 0xC2 && (unsigned char)text[i + 1] < 0xA0);
        if (step == 0 || control) {
            size_t bad = step == 0 ? 1 : step;
            memset(text + i, '?', bad);
            i += bad;
        } else {
            i += step;
        }
    }
}

ip_status ip_fail(ip_error *error, ip_status status, const char *format, ...) {
    if (error) {
        va_list args;
        va_start(args, format);
        int written = vsnprintf(error->message, sizeof error->message, format, args);
        va_end(args);
        if (written < 0) error->message[0] = '\0';
        error->status = status;
        ip_make_printable(error->message);
    }
    return status;
}
