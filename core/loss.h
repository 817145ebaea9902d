/* Next-token loss: one pass over the vocabulary matrix in blocks, logits never stored. */
#ifndef IP_CORE_LOSS_H
#define IP_CORE_LOSS_H

#include "core/layers.h"

/* Logits per step of the log-sum-exp: a constant of the arithmetic. */
enum { IP_VOCABULARY_PANEL = 256, IP_VOCABULARY_BLOCK = 4096 };

/* Anonymous bytes of the pass. */
uint64_t ip_loss_bytes(const ip_session *session, uint64_t tokens);

/* From the states after the final norm, as ip_layers_run leaves them in the store. token_loss: -log p of tokens 1 .. n-1
 * of every document, joined, malloc'ed. end >= 0: with_end also counts, for each document that has a token, -log p of
 * token `end` after its last. */
ip_status ip_loss_run(const ip_layers *layers, int64_t end, float **token_loss, ip_loss_result *loss,
                      ip_loss_result *with_end, ip_error *error);

#endif
