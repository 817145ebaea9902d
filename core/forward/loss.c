/* What the head says of every token: its loss, its entropy. Sums over tokens are fixed-point (units of 2^-32 nats), so
 * nothing depends on the order of documents or threads.
 */
#include "core/forward/loss.h"

#include <math.h>
#include <stdlib.h>

#include "arch/scalar_math.h"

/* -log p of one row, in nats; fixed-point for the sums. */
static double row_loss(const ip_head_row *row) {
    return (double)row->lse.max + ip_log(row->lse.sum) - (double)row->target;
}

static void add_fixed(ip_wide *plus, ip_wide *minus, double x) {
    int64_t fixed = (int64_t)nearbyint(x * 0x1p32);
    /* A loss below zero is rounding only, but must not wrap. */
    if (fixed >= 0) {
        ip_wide_add_product(plus, 1, (uint64_t)fixed);
    } else {
        ip_wide_add_product(minus, 1, (uint64_t)-fixed);
    }
}

static ip_loss_result mean_of(ip_wide plus, ip_wide minus, uint64_t tokens) {
    double total = (ip_wide_double(plus) - ip_wide_double(minus)) * 0x1p-32;
    return (ip_loss_result){tokens > 0 ? total / (double)tokens : 0.0, tokens};
}

double ip_loss_of_token(const ip_head *head, uint64_t i) { return row_loss(&head->rows[i]); }

/* Losses come from the head's rows, or from an array. */
static ip_status sum_losses(const ip_corpus *corpus, const ip_head *head, const double *losses, bool with_ends,
                            float **token_loss, ip_loss_result *loss, ip_loss_result *with_end, ip_error *error) {
    *token_loss = malloc((corpus->tokens + 1) * sizeof **token_loss);
    if (!*token_loss) return ip_fail(error, IP_FAILED, "out of memory for the losses");
    ip_wide plus = {0, 0}, minus = {0, 0}, end_plus = {0, 0}, end_minus = {0, 0};
    uint64_t tokens = 0, ends = 0;
    for (size_t d = 0; d < corpus->documents; d++) {
        uint64_t begin = corpus->offsets[d], end = corpus->offsets[d + 1];
        for (uint64_t i = begin; i < end; i++) {
            if (i + 1 == end && !with_ends) break;
            double x = head ? row_loss(&head->rows[i]) : losses[i];
            if (!isfinite(x))
                return ip_fail(error, IP_FAILED, "the loss of document %zu, token %llu is not finite", d,
                               (unsigned long long)(i - begin + 1));
            if (i + 1 < end) {
                (*token_loss)[tokens++] = (float)x;
                add_fixed(&plus, &minus, x);
            } else {
                ends++;
                add_fixed(&end_plus, &end_minus, x);
            }
        }
    }
    *loss = mean_of(plus, minus, tokens);
    ip_wide_add(&end_plus, plus);
    ip_wide_add(&end_minus, minus);
    *with_end = mean_of(end_plus, end_minus, tokens + ends);
    return IP_OK;
}

ip_status ip_loss_collect(const ip_head *head, float **token_loss, ip_loss_result *loss, ip_loss_result *with_end,
                          ip_error *error) {
    return sum_losses(&head->layers->session->corpus, head, NULL, head->end >= 0, token_loss, loss, with_end, error);
}

ip_status ip_loss_sum(const ip_corpus *corpus, const double *losses, bool ends, float **token_loss,
                      ip_loss_result *loss, ip_loss_result *with_end, ip_error *error) {
    return sum_losses(corpus, NULL, losses, ends, token_loss, loss, with_end, error);
}

/* The entropy of one row's prediction, nats. */
static double row_entropy(const ip_head *head, uint64_t i) {
    const ip_lse *lse = &head->rows[i].lse;
    return ip_log(lse->sum) - head->weighted[i] / lse->sum;
}

ip_status ip_lens_collect(const ip_head *head, ip_lens_sums *sums, ip_error *error) {
    const ip_corpus *corpus = &head->layers->session->corpus;
    ip_wide *of = sums->of;
    *sums = (ip_lens_sums){0};
    for (size_t d = 0; d < corpus->documents; d++) {
        for (uint64_t i = corpus->offsets[d]; i + 1 < corpus->offsets[d + 1]; i++) {
            double x = row_loss(&head->rows[i]), h = row_entropy(head, i);
            if (!isfinite(x) || !isfinite(h))
                return ip_fail(error, IP_FAILED, "the lens at document %zu, token %llu is not finite", d,
                               (unsigned long long)(i - corpus->offsets[d]));
            add_fixed(&of[0], &of[1], x);
            add_fixed(&of[2], &of[3], h);
            of[4].low++;
        }
    }
    return IP_OK;
}

void ip_lens_means(const ip_lens_sums *sums, double *nats, double *entropy) {
    *nats = mean_of(sums->of[0], sums->of[1], sums->of[4].low).nats_per_token;
    *entropy = mean_of(sums->of[2], sums->of[3], sums->of[4].low).nats_per_token;
}
