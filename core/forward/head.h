/* The head over all states of the store: per row the log-sum-exp of its logits and the logit of the token that follows,
 * and for the lens what the entropy of the prediction needs. Logits are never stored; the vocabulary comes in blocks. */
#ifndef IP_CORE_HEAD_H
#define IP_CORE_HEAD_H

#include "core/forward/layers.h"

/* Logits per step of the log-sum-exp: a constant of the arithmetic. */
enum { IP_VOCABULARY_PANEL = 256, IP_VOCABULARY_BLOCK = 4096 };

typedef struct ip_head_row {
    ip_lse lse;
    float target; /* logit of the token that follows */
} ip_head_row;

typedef struct ip_head {
    const ip_layers *layers;
    int64_t end; /* id that the last row of a document predicts, or -1: nothing */
    uint64_t tokens;
    ip_head_row *rows; /* one per token */
    double *weighted;  /* per token, as the kernel lse_entropy has it; NULL without the lens */
    bool norm;         /* the states have yet to pass the final norm */
    bool checked;      /* the weights are known to be finite */
    ip_matrix matrix;  /* of the block at hand */
    size_t first;      /* its first token */
    void *packed;
    char *work; /* per worker: activations, logits of a panel, normed states */
    size_t work_bytes, all_work_bytes, act_bytes, packed_bytes;
} ip_head;

/* Anonymous bytes of a pass. */
uint64_t ip_head_bytes(const ip_session *session, uint64_t tokens, bool lens);

/* layers must outlive it. */
ip_status ip_head_open(ip_head *head, const ip_layers *layers, int64_t end, bool lens, ip_error *error);
void ip_head_close(ip_head *head);

/* One pass over the vocabulary for the states as they stand in the store; norm: they are not those of the last layer. */
ip_status ip_head_run(ip_head *head, const char *stage, bool norm, ip_error *error);

#endif
