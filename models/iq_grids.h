/* The grids of the codebook types: an entry holds the elements of eight (or four) weights side by side, element k at bit
 * 2 * k (or 3 * k) as an index into the grid's alphabet. */
#ifndef IP_MODELS_IQ_GRIDS_H
#define IP_MODELS_IQ_GRIDS_H

#include <stdint.h>

extern const uint16_t ip_grid_iq2xxs[256]; /* eight of 8, 25, 43 */
extern const uint16_t ip_grid_iq2xs[512];
extern const uint16_t ip_grid_iq2s[1024];
extern const uint16_t ip_grid_iq3xxs[256]; /* four of 4, 12, 20, 28, 36, 44, 52, 62 */
extern const uint16_t ip_grid_iq3s[512];   /* four of 1, 3, 5 .. 15 */
extern const uint16_t ip_grid_iq1s[2048];  /* eight of -1, 0, 1 */

#endif
