/* Layout of 16-bit codes in pairs of k, for machines that multiply pairs (vpmaddwd, vpdpwssd):
 * panels [k / 2][16 outputs][2] int16, activations [k / 2][ROWS_OF_CODES][2] int16. */

IP_INLINE void pack_pairs(void *panel, const int8_t *codes, size_t stride, size_t count, size_t k) {
    int16_t *out = panel;
    for (size_t j = 0; j < k; j += 2) {
        for (size_t lane = 0; lane < IP_LANES; lane++) {
            const int8_t *code = codes + lane * stride + j;
            out[j * IP_LANES + lane * 2] = lane < count ? code[0] : 0;
            out[j * IP_LANES + lane * 2 + 1] = lane < count ? code[1] : 0;
        }
    }
}
