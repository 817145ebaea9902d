/* NumPy arrays. The header is a Python dictionary written as text; only the one form that NumPy writes (in any order
 * and spacing, with either quote) is read, nothing is evaluated:
 *
 *   93 'NUMPY' major minor  length (2 or 4 bytes)  {'descr': '<f4', 'fortran_order': False, 'shape': (8, 16), }  data
 */
#include "core/base/npy.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cursor.h"

typedef struct header {
    const char *at, *end; /* what is left of the dictionary */
    char descr[16];
    bool has_descr, has_order, has_shape, fortran;
    unsigned dims;
    uint64_t shape[4];
    const char *wrong; /* what is wrong, NULL so far */
} header;

static void skip_space(header *h) {
    while (h->at < h->end && (*h->at == ' ' || *h->at == '\n' || *h->at == '\t' || *h->at == '\r')) h->at++;
}

/* Takes c if it is next, white space before it skipped. */
static bool take(header *h, char c) {
    skip_space(h);
    if (h->at == h->end || *h->at != c) return false;
    h->at++;
    return true;
}

static bool take_word(header *h, const char *word) {
    size_t n = strlen(word);
    skip_space(h);
    if ((size_t)(h->end - h->at) < n || memcmp(h->at, word, n) != 0) return false;
    h->at += n;
    return true;
}

/* A quoted string without escapes. */
static bool take_string(header *h, char *out, size_t room) {
    skip_space(h);
    char quote = h->at < h->end ? *h->at : '\0';
    if (quote != '\'' && quote != '"') return false;
    const char *close = memchr(h->at + 1, quote, (size_t)(h->end - h->at - 1));
    if (!close || (size_t)(close - h->at - 1) >= room) return false;
    size_t n = (size_t)(close - h->at - 1);
    memcpy(out, h->at + 1, n);
    out[n] = '\0';
    h->at = close + 1;
    return strlen(out) == n && !memchr(out, '\\', n);
}

static void read_shape(header *h) {
    h->has_shape = true;
    h->wrong = "shape is not a tuple of at most four whole numbers";
    if (!take(h, '(')) return;
    while (!take(h, ')')) {
        if (h->dims == 4) return;
        skip_space(h);
        uint64_t n = 0;
        const char *first = h->at;
        for (; h->at < h->end && *h->at >= '0' && *h->at <= '9'; h->at++) {
            if (n > (UINT64_MAX - 9) / 10) return;
            n = n * 10 + (uint64_t)(*h->at - '0');
        }
        if (h->at == first) return;
        h->shape[h->dims++] = n;
        if (!take(h, ',')) {
            if (h->dims == 1 || !take(h, ')')) return; /* (5) is a number, not a tuple */
            break;
        }
    }
    h->wrong = NULL;
}

static void read_entry(header *h) {
    char key[16];
    h->wrong = "header is not a dictionary of descr, fortran_order and shape";
    if (!take_string(h, key, sizeof key) || !take(h, ':')) return;
    if (strcmp(key, "descr") == 0 && !h->has_descr) {
        h->has_descr = true;
        skip_space(h);
        if (take_string(h, h->descr, sizeof h->descr))
            h->wrong = NULL;
        else
            h->wrong = "descr is not one simple dtype (structured or nested)";
    } else if (strcmp(key, "fortran_order") == 0 && !h->has_order) {
        h->has_order = true;
        h->fortran = take_word(h, "True");
        if (h->fortran || take_word(h, "False")) h->wrong = NULL;
    } else if (strcmp(key, "shape") == 0 && !h->has_shape) {
        read_shape(h);
    } else {
        h->wrong = "header has a key twice or one that is not descr, fortran_order or shape";
    }
}

static void read_header(header *h) {
    h->wrong = "header is not a dictionary";
    if (!take(h, '{')) return;
    while (!take(h, '}')) {
        read_entry(h);
        if (h->wrong) return;
        if (take(h, ',')) continue;
        h->wrong = "header is not a dictionary";
        if (!take(h, '}')) return;
        break;
    }
    skip_space(h);
    h->wrong = h->at != h->end ? "header holds more than a dictionary"
               : !h->has_descr ? "header has no descr"
               : !h->has_order ? "header has no fortran_order"
               : !h->has_shape ? "header has no shape"
                               : NULL;
}

static bool read_descr(ip_npy *npy, const char *descr) {
    const uint16_t one = 1;
    bool little = *(const unsigned char *)&one == 1;
    char order = descr[0], kind = order ? descr[1] : '\0';
    if (!kind || !descr[2] || descr[3]) return false;
    unsigned size = (unsigned)(descr[2] - '0');
    bool sized = kind == 'f'                  ? size == 2 || size == 4 || size == 8
                 : kind == 'i' || kind == 'u' ? size == 1 || size == 2 || size == 4 || size == 8
                                              : false;
    if (!sized || (order != '<' && order != '>' && order != '=' && !(order == '|' && size == 1))) return false;
    npy->kind = kind;
    npy->size = size;
    npy->swapped = size > 1 && order != '=' && (order == '<') != little;
    return true;
}

/* Position of the data, or a refusal. */
static ip_status parse(ip_npy *npy, ip_error *error) {
    ip_cursor c = {npy->map.data, npy->map.size, 0, false};
    if (c.size == 0) return ip_fail(error, IP_BAD_INPUT, "%s: not an .npy file: it is empty", npy->path);
    const unsigned char *magic = ip_cursor_take(&c, 6);
    if (c.size >= 2 && memcmp(c.data, "PK", 2) == 0)
        return ip_fail(error, IP_BAD_INPUT, "%s: not an .npy file but a zip (.npz); save one array with numpy.save",
                       npy->path);
    if (!magic || memcmp(magic, "\x93NUMPY", 6) != 0)
        return ip_fail(error, IP_BAD_INPUT, "%s: not an .npy file (its magic bytes are missing)", npy->path);
    unsigned major = (unsigned)ip_cursor_uint(&c, 1), minor = (unsigned)ip_cursor_uint(&c, 1);
    if (c.failed) return ip_fail(error, IP_BAD_INPUT, "%s: truncated .npy file: nothing after the magic", npy->path);
    if (major < 1 || major > 3 || minor != 0)
        return ip_fail(error, IP_BAD_INPUT, "%s: .npy version %u.%u is not known (1.0, 2.0 and 3.0 are)", npy->path,
                       major, minor);
    uint64_t length = ip_cursor_uint(&c, major == 1 ? 2 : 4);
    const unsigned char *text = ip_cursor_take(&c, length);
    if (!text)
        return ip_fail(error, IP_BAD_INPUT, "%s: .npy header of %" PRIu64 " bytes is longer than the file", npy->path,
                       length);
    header h = {.at = (const char *)text, .end = (const char *)text + length};
    read_header(&h);
    if (h.wrong) return ip_fail(error, IP_BAD_INPUT, "%s: .npy %s", npy->path, h.wrong);
    if (!read_descr(npy, h.descr))
        return ip_fail(error, IP_BAD_INPUT,
                       "%s: .npy descr '%s' is no dtype that is read here (f2 f4 f8, i1 to i8, u1 to u8%s)", npy->path,
                       h.descr, strchr(h.descr, 'O') ? "; objects are never unpickled" : "");
    npy->fortran = h.fortran;
    npy->dims = h.dims;
    memcpy(npy->shape, h.shape, sizeof npy->shape);
    npy->count = 1;
    uint64_t bytes = npy->size;
    bool fits = true, none = false;
    for (unsigned i = 0; i < h.dims; i++) {
        none = none || h.shape[i] == 0;
        fits = fits && ip_mul_u64(npy->count, h.shape[i], &npy->count) && ip_mul_u64(bytes, h.shape[i], &bytes);
    }
    if (!fits && !none)
        return ip_fail(error, IP_BAD_INPUT, "%s: .npy shape is too large: its size overflows", npy->path);
    if (none) npy->count = bytes = 0;
    npy->data = ip_cursor_take(&c, bytes);
    if (!npy->data)
        return ip_fail(error, IP_BAD_INPUT,
                       "%s: truncated .npy file: its shape says %" PRIu64 " bytes of data, there are %zu", npy->path,
                       bytes, ip_cursor_left(&c));
    return IP_OK;
}

ip_status ip_npy_open(ip_npy *npy, const char *path, ip_error *error) {
    memset(npy, 0, sizeof *npy);
    ip_status status = ip_map_open(&npy->map, path, error);
    if (status != IP_OK) return status;
    npy->path = strdup(path);
    status = npy->path ? parse(npy, error) : ip_fail(error, IP_FAILED, "%s: out of memory", path);
    if (status != IP_OK) ip_npy_close(npy);
    return status;
}

void ip_npy_close(ip_npy *npy) {
    ip_map_close(&npy->map);
    free(npy->path);
    memset(npy, 0, sizeof *npy);
}

/* Bits of element i of the file's own order. */
static uint64_t bits_at(const ip_npy *npy, uint64_t i) {
    const unsigned char *p = npy->data + i * npy->size;
    switch (npy->size) {
    case 1: return *p;
    case 2: {
        uint16_t v;
        memcpy(&v, p, sizeof v);
        return npy->swapped ? __builtin_bswap16(v) : v;
    }
    case 4: {
        uint32_t v;
        memcpy(&v, p, sizeof v);
        return npy->swapped ? __builtin_bswap32(v) : v;
    }
    default: {
        uint64_t v;
        memcpy(&v, p, sizeof v);
        return npy->swapped ? __builtin_bswap64(v) : v;
    }
    }
}

/* Half precision to float: exact. */
static float from_half(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 0x1F, fraction = half & 0x3FF;
    uint32_t bits;
    if (exponent == 0x1F) {
        bits = sign | 0x7F800000u | fraction << 13;
    } else if (exponent != 0) {
        bits = sign | (exponent + 112) << 23 | fraction << 13;
    } else {
        /* Subnormal: fraction units of 2^-24, a product that a float holds exactly. */
        float value = (float)fraction * 0x1p-24f;
        return sign ? -value : value;
    }
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double float_at(const ip_npy *npy, uint64_t i) {
    uint64_t bits = bits_at(npy, i);
    if (npy->size == 2) return from_half((uint16_t)bits);
    if (npy->size == 4) {
        uint32_t low = (uint32_t)bits;
        float value;
        memcpy(&value, &low, sizeof value);
        return value;
    }
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

void ip_npy_row_f64(const ip_npy *npy, uint64_t row, double *out) {
    uint64_t rows = npy->shape[0], columns = npy->shape[1];
    for (uint64_t c = 0; c < columns; c++) out[c] = float_at(npy, npy->fortran ? c * rows + row : row * columns + c);
}

void ip_npy_row_f32(const ip_npy *npy, uint64_t row, float *out) {
    uint64_t rows = npy->shape[0], columns = npy->shape[1];
    if (npy->size == 4 && !npy->swapped && !npy->fortran) {
        memcpy(out, npy->data + row * columns * 4, columns * 4);
        return;
    }
    for (uint64_t c = 0; c < columns; c++)
        out[c] = (float)float_at(npy, npy->fortran ? c * rows + row : row * columns + c);
}

int64_t ip_npy_int(const ip_npy *npy, uint64_t i) {
    if (npy->fortran) {
        /* Digits of i, last dimension first, become the place with the first dimension fastest. */
        uint64_t index[4], place = 0;
        for (unsigned d = npy->dims; d-- > 0;) {
            index[d] = i % npy->shape[d];
            i /= npy->shape[d];
        }
        for (unsigned d = npy->dims; d-- > 0;) place = place * npy->shape[d] + index[d];
        i = place;
    }
    uint64_t bits = bits_at(npy, i);
    if (npy->kind == 'u' || npy->size == 8) return (int64_t)bits;
    return npy->size == 1 ? (int8_t)bits : npy->size == 2 ? (int16_t)bits : (int32_t)bits;
}

ip_status ip_npy_header(FILE *file, const char *descr, unsigned dims, const uint64_t *shape) {
    char text[256];
    size_t at = (size_t)snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
    for (unsigned i = 0; i < dims; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%" PRIu64, i ? ", " : "", shape[i]);
    at += (size_t)snprintf(text + at, sizeof text - at, "%s), }", dims == 1 ? "," : "");
    /* 118 bytes of text make 128 in all; four huge dimensions take the next multiple of 64. */
    size_t length = at < 118 ? 118 : 182;
    memset(text + at, ' ', length - at - 1);
    text[length - 1] = '\n';
    unsigned char lead[10] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)length, 0};
    bool good = fwrite(lead, 1, sizeof lead, file) == sizeof lead && fwrite(text, 1, length, file) == length;
    return good ? IP_OK : IP_FAILED;
}

ip_status ip_npy_write(const char *path, const char *descr, unsigned dims, const uint64_t *shape, const void *values,
                       ip_error *error) {
    ip_out out;
    ip_status status = ip_out_open(&out, path, error);
    if (status != IP_OK) return status;
    size_t size = (size_t)(descr[2] - '0'), count = 1; /* "<f4" */
    for (unsigned i = 0; i < dims; i++) count *= (size_t)shape[i];
    /* What cannot be written is told by the commit. */
    if (ip_npy_header(out.file, descr, dims, shape) == IP_OK && count > 0) fwrite(values, size, count, out.file);
    return ip_out_commit(&out, error);
}
