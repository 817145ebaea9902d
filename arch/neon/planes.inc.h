/* Codes in bytes, BLOCK consecutive k of one output or row side by side: panels [k / BLOCK][16 outputs][BLOCK].
 *
 * int16 activations are two planes of signed bytes, q = 128 * hi + lo with -64 <= lo < 64: |q| <= 16319 makes both fit.
 * A sum over a group is then 128 * (sum of hi) + (sum of lo), all of it exact: 128 * 32 * 128 * 128 < 2^27. One half
 * group of 16 inputs lies as hi [16 / BLOCK][4 rows][BLOCK], then lo the same; int8 activations have one plane. */

static void pack_blocks(void *panel, const int8_t *codes, size_t stride, size_t count, size_t k) {
    int8_t *out = panel;
    for (size_t j = 0; j < k; j += BLOCK) {
        for (size_t lane = 0; lane < IP_LANES; lane++) {
            if (lane < count) {
                memcpy(out, codes + lane * stride + j, BLOCK);
            } else {
                memset(out, 0, BLOCK);
            }
            out += BLOCK;
        }
    }
}

/* Bytes of one plane of 16 inputs. */
enum { PLANE = IP_GROUP / 2 * ROWS_OF_CODES };

/* Input i of 16, row t, inside a plane. */
IP_INLINE size_t plane_at(size_t i, size_t t) { return (i / BLOCK * ROWS_OF_CODES + t) * BLOCK + i % BLOCK; }

IP_INLINE void put_two_planes(unsigned char *group, size_t t, size_t g16, const int16_t *q) {
    int8_t *hi = (int8_t *)group + g16 * 2 * PLANE, *lo = hi + PLANE;
    for (size_t i = 0; i < IP_LANES; i++) {
        int low = ((q[i] + 64) & 127) - 64;
        hi[plane_at(i, t)] = (int8_t)((q[i] - low) / 128);
        lo[plane_at(i, t)] = (int8_t)low;
    }
}

IP_INLINE void put_one_plane(unsigned char *group, size_t t, size_t g16, const int16_t *q) {
    int8_t *out = (int8_t *)group + g16 * PLANE;
    for (size_t i = 0; i < IP_LANES; i++) out[plane_at(i, t)] = (int8_t)q[i];
}
