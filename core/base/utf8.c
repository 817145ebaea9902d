/* Strict UTF-8: the ranges of the second byte carry all of the standard's table 3-7. */
#include "core/base/utf8.h"

#include <stdlib.h>
#include <string.h>

/* Number of bytes that a lead byte announces (0: not a lead byte) and the allowed range of the byte after it. */
static size_t lead(unsigned char c, unsigned char *low, unsigned char *high) {
    *low = 0x80;
    *high = 0xBF;
    if (c < 0x80) return 1;
    if (c >= 0xC2 && c <= 0xDF) return 2;
    if (c >= 0xE0 && c <= 0xEF) {
        if (c == 0xE0) *low = 0xA0;
        if (c == 0xED) *high = 0x9F;
        return 3;
    }
    if (c >= 0xF0 && c <= 0xF4) {
        if (c == 0xF0) *low = 0x90;
        if (c == 0xF4) *high = 0x8F;
        return 4;
    }
    return 0;
}

/* Bytes of the longest well-formed prefix of a character at p; *want is the length its lead byte announces. */
static size_t good_prefix(const unsigned char *p, size_t n, size_t *want) {
    unsigned char low, high;
    *want = lead(p[0], &low, &high);
    if (*want == 0) return 0;
    size_t got = 1;
    while (got < *want && got < n && p[got] >= low && p[got] <= high) {
        low = 0x80;
        high = 0xBF;
        got++;
    }
    return got;
}

size_t ip_utf8_step(const unsigned char *p, size_t n) {
    if (p[0] < 0x80) return 1;
    size_t want, got = good_prefix(p, n, &want);
    return got != 0 && got == want ? got : 0;
}

size_t ip_utf8_bad(const unsigned char *p, size_t n) {
    size_t want, got = good_prefix(p, n, &want);
    return got == 0 ? 1 : got;
}

uint32_t ip_utf8_decode(const unsigned char *p, size_t step) {
    switch (step) {
    case 1: return p[0];
    case 2: return (uint32_t)(p[0] & 0x1F) << 6 | (p[1] & 0x3F);
    case 3: return (uint32_t)(p[0] & 0x0F) << 12 | (uint32_t)(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
    default:
        return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3F) << 12 | (uint32_t)(p[2] & 0x3F) << 6 |
               (p[3] & 0x3F);
    }
}

size_t ip_utf8_encode(uint32_t code, unsigned char *out) {
    if (code < 0x80) {
        out[0] = (unsigned char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (unsigned char)(0xC0 | code >> 6);
        out[1] = (unsigned char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (unsigned char)(0xE0 | code >> 12);
        out[1] = (unsigned char)(0x80 | (code >> 6 & 0x3F));
        out[2] = (unsigned char)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (unsigned char)(0xF0 | code >> 18);
    out[1] = (unsigned char)(0x80 | (code >> 12 & 0x3F));
    out[2] = (unsigned char)(0x80 | (code >> 6 & 0x3F));
    out[3] = (unsigned char)(0x80 | (code & 0x3F));
    return 4;
}

size_t ip_utf8_valid_prefix(const unsigned char *p, size_t n) {
    size_t i = 0;
    while (i < n) {
        size_t step = ip_utf8_step(p + i, n - i);
        if (step == 0) break;
        i += step;
    }
    return i;
}

char *ip_utf8_replace(const unsigned char *p, size_t n, size_t *out_n, size_t *replaced) {
    *replaced = 0;
    size_t need = 0;
    for (size_t i = 0; i < n;) {
        size_t step = ip_utf8_step(p + i, n - i);
        if (step == 0) {
            (*replaced)++;
            need += 3;
            i += ip_utf8_bad(p + i, n - i);
        } else {
            need += step;
            i += step;
        }
    }
    char *out = malloc(need + 1);
    if (!out) return NULL;
    size_t o = 0;
    for (size_t i = 0; i < n;) {
        size_t step = ip_utf8_step(p + i, n - i);
        if (step == 0) {
            memcpy(out + o, "\xEF\xBF\xBD", 3);
            o += 3;
            i += ip_utf8_bad(p + i, n - i);
        } else {
            memcpy(out + o, p + i, step);
            o += step;
            i += step;
        }
    }
    out[o] = '\0';
    *out_n = o;
    return out;
}
