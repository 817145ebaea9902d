/* Canonical composition (NFC): the door to utf8proc. */
#include <stdlib.h>
#include <utf8proc.h>

#include "models/tokenizer_internal.h"

/* Below U+0300 nothing composes or decomposes by itself; U+0300 begins with the byte 0xCC. */
bool ip_nfc_is_plain(const char *text, size_t n) {
    unsigned char high = 0;
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        for (size_t k = 0; k < 16; k++) high = (unsigned char)text[i + k] > high ? (unsigned char)text[i + k] : high;
        if (high >= 0xCC) return false;
    }
    for (; i < n; i++)
        if ((unsigned char)text[i] >= 0xCC) return false;
    return true;
}

ip_status ip_nfc(const char *text, size_t n, char **out, size_t *out_n, ip_error *error) {
    utf8proc_uint8_t *result = NULL;
    utf8proc_ssize_t got =
        utf8proc_map((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)n, &result, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    if (got < 0) {
        free(result);
        return ip_fail(error, IP_FAILED, "tokenizer: normalising a text of %zu bytes: %s", n, utf8proc_errmsg(got));
    }
    *out = (char *)result;
    *out_n = (size_t)got;
    return IP_OK;
}
