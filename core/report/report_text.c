/* Words and numbers of the page. A file's text may hold anything: what HTML gives a meaning is escaped, what is no
 * character becomes U+FFFD, and what would turn the direction of the text around it is left out. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"
#include "core/report/report.h"

static const char *entity(unsigned char c) {
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return c < 0x20 || c == 0x7F ? " " : NULL;
    }
}

/* Control characters of C1, and marks and overrides of direction: invisible, and able to make text look like other
 * text. */
static bool invisible(uint32_t code) {
    return (code >= 0x80 && code < 0xA0) || code == 0x061C || (code >= 0x200E && code <= 0x200F) ||
           (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF;
}

/* One character at p: its escaped form in *out, *size bytes; returns how many bytes of p it took. */
static size_t escape_one(const unsigned char *p, size_t n, const char **out, size_t *size) {
    size_t step = ip_utf8_step(p, n);
    const char *name = step == 1 ? entity(*p) : NULL;
    *out = (const char *)p;
    *size = step;
    if (step == 0) {
        *out = "\xEF\xBF\xBD";
        *size = 3;
        return ip_utf8_bad(p, n);
    }
    if (name) {
        *out = name;
        *size = strlen(name);
    } else if (step > 1 && invisible(ip_utf8_decode(p, step))) {
        *size = 0;
    }
    return step;
}

void report_escape(FILE *file, const char *text) {
    const unsigned char *p = (const unsigned char *)text;
    for (size_t n = strlen(text); n > 0;) {
        const char *out;
        size_t size, taken = escape_one(p, n, &out, &size);
        fwrite(out, 1, size, file);
        p += taken;
        n -= taken;
    }
}

char *report_escaped(const char *text) {
    size_t n = strlen(text), used = 0;
    if (n > SIZE_MAX / 6 - 1) return NULL;
    char *copy = malloc(n * 6 + 1); /* the longest form, &quot;, of every byte */
    const unsigned char *p = (const unsigned char *)text;
    while (copy && n > 0) {
        const char *out;
        size_t size, taken = escape_one(p, n, &out, &size);
        memcpy(copy + used, out, size);
        used += size;
        p += taken;
        n -= taken;
    }
    if (copy) copy[used] = '\0';
    return copy;
}

const char *report_fixed(double x, int decimals, char out[IP_NUMBER_ROOM]) {
    if (!isfinite(x)) return strcpy(out, "–");
    ip_number_fixed(x, decimals, out);
    /* No "-0.00". */
    if (out[0] == '-' && strspn(out + 1, "0.") == strlen(out + 1)) memmove(out, out + 1, strlen(out));
    return out;
}

const char *report_place(double x, char out[IP_NUMBER_ROOM]) {
    double most = 100000.0;
    if (!(x > -most)) x = -most;
    if (x > most) x = most;
    return report_fixed(x, 1, out);
}

const double report_nats_per_bit = 0.6931471805599453;

double report_bits(double nats) { return nats / report_nats_per_bit; }

const char *report_order_name(unsigned order) {
    static const char *const names[IP_MAX_ORDERS] = {"tokens", "bigrams", "trigrams", "quadgrams"};
    return order >= 1 && order <= IP_MAX_ORDERS ? names[order - 1] : "n-grams";
}

void report_shorten(const char *text, size_t most, report_short *out) {
    const unsigned char *p = (const unsigned char *)text;
    size_t n = strlen(text), used = 0;
    for (size_t seen = 0; n > 0 && seen < most && used + 16 < sizeof out->text; seen++) {
        const char *one;
        size_t size, taken = escape_one(p, n, &one, &size);
        memcpy(out->text + used, one, size);
        used += size;
        p += taken;
        n -= taken;
    }
    strcpy(out->text + used, n > 0 ? "…" : "");
}

double report_number(const ip_node *node, const char *key) {
    double x = NAN;
    return ip_node_number(ip_node_get(node, key), &x) ? x : NAN;
}
