/* Next-token loss, and the logit lens: sums over what a pass of the head left in its rows. */
#ifndef IP_CORE_LOSS_H
#define IP_CORE_LOSS_H

#include "core/forward/head.h"
#include "core/infoplane.h"
#include "core/numbers/wide.h"

/* token_loss: -log p of tokens 1 .. n-1 of every document, joined, malloc'ed. With head->end >= 0, with_end also counts,
 * for each document that has a token, -log p of token `end` after its last. */
ip_status ip_loss_collect(const ip_head *head, float **token_loss, ip_loss_result *loss, ip_loss_result *with_end,
                          ip_error *error);

/* Of passes with the lens, over the tokens that the loss counts: sums of -log p (what is above zero, what below), of the
 * entropy of the prediction (the same), in units of 2^-32 nats, and the tokens. Sums of parts add up. */
enum { IP_LENS_SUMS = 5 };
typedef struct ip_lens_sums {
    ip_wide of[IP_LENS_SUMS];
} ip_lens_sums;

ip_status ip_lens_collect(const ip_head *head, ip_lens_sums *sums, ip_error *error);
/* Means, nats. */
void ip_lens_means(const ip_lens_sums *sums, double *nats, double *entropy);

/* -log p of the token that follows token i of the corpus (`end` behind the last of a document), nats. */
double ip_loss_of_token(const ip_head *head, uint64_t i);

/* The same sums from losses per token of the corpus; those behind a document's last token count with with_end alone. */
ip_status ip_loss_sum(const ip_corpus *corpus, const double *losses, bool ends, float **token_loss,
                      ip_loss_result *loss, ip_loss_result *with_end, ip_error *error);

#endif
