/* The hidden states of the counted positions, as estimators read them once a layer is done. */
#ifndef IP_CORE_STATE_ROWS_H
#define IP_CORE_STATE_ROWS_H

#include "core/estimators/method.h"
#include "core/forward/layers.h"

typedef struct ip_state_rows {
    const ip_layers *layers;
    const uint64_t *position_base; /* [documents + 1]: counted positions before each document */
    unsigned orders;
    size_t layer;
} ip_state_rows;

/* rows->context must outlive it. */
ip_rows ip_state_rows_of(ip_state_rows *states);

#endif
