/* Vectors along a row whose last one may be short, in the vocabulary of vec.h (included before this). */
#ifndef IP_ARCH_GENERIC_LOAD_H
#define IP_ARCH_GENERIC_LOAD_H

/* Lanes of the vector that starts at element i of n. */
IP_INLINE size_t rows_left(size_t n, size_t i) { return n - i < IP_LANES ? n - i : IP_LANES; }

/* A vector that may be the last, short one: missing lanes hold fill. */
IP_INLINE v16f rows_load(const float *p, size_t n, size_t i, float fill) {
    return n - i >= IP_LANES ? vf_load(p + i) : vf_load_part(p + i, n - i, fill);
}

IP_INLINE void rows_store(float *p, v16f v, size_t n, size_t i) {
    if (n - i >= IP_LANES) {
        vf_store(p + i, v);
    } else {
        vf_store_part(p + i, v, n - i);
    }
}

#endif
