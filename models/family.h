/* What a model family is: a row of families/families.def and one file with this description.
 *
 * A family says in data how its decoder differs from others: the traits below, and the names of its tensors where they
 * are not the usual ones. Shared code (build*.c) reads the usual hyper-parameters, calls the family's configure for
 * what is its own, and binds the tensors. Both kinds of checkpoint go the same way. */
#ifndef IP_MODELS_FAMILY_H
#define IP_MODELS_FAMILY_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/status.h"
#include "models/plan.h"

typedef struct ip_build ip_build;

typedef enum ip_role {
#define IP_ROLE(role, gguf, folder) IP_ROLE_##role,
#include "models/roles.def"
#undef IP_ROLE
    IP_ROLES
} ip_role;

/* Another name than the usual one; a list ends with name NULL. */
typedef struct ip_name {
    ip_role role;
    const char *name;
} ip_name;

typedef enum ip_order {
    IP_ORDER_PRE,         /* norms before attention and MLP */
    IP_ORDER_POST,        /* norms behind them */
    IP_ORDER_SANDWICH,    /* both */
    IP_ORDER_PARALLEL,    /* one norm feeds both branches */
    IP_ORDER_PARALLEL_TWO /* a norm each */
} ip_order;

typedef enum ip_qk_norm {
    IP_QK_NONE,
    IP_QK_HEAD, /* over each head, one gain for all */
    IP_QK_EACH, /* over each head, a gain of its own */
    IP_QK_FULL  /* over all heads together */
} ip_qk_norm;

/* How q, k and v stand in the folder's tensors. A GGUF file has attn_q, attn_k, attn_v, or attn_qkv in that order. */
typedef enum ip_fusion {
    IP_FUSION_NONE,
    IP_FUSION_THIRDS, /* all q, all k, all v */
    IP_FUSION_GROUPS  /* per key head: its q heads, its k, its v */
} ip_fusion;

typedef enum ip_window_rule {
    IP_WINDOW_NEVER,
    IP_WINDOW_ALL,    /* every layer, if there is a window */
    IP_WINDOW_PERIOD, /* every but each period-th layer */
    IP_WINDOW_FROM    /* layers from max_window_layers on, if use_sliding_window */
} ip_window_rule;

typedef enum ip_routing {
    IP_ROUTING_SOFTMAX,    /* softmax over all; renormalised if norm_topk_prob */
    IP_ROUTING_NORMALISED, /* softmax over all, always renormalised */
    IP_ROUTING_CHOSEN      /* softmax over the chosen */
} ip_routing;

/* Hyper-parameters of GGUF files that a family takes notice of; a file that sets another one is refused. */
enum {
    IP_USES_CLIP = 1,
    IP_USES_SOFTCAP = 2,
    IP_USES_LOGIT_SOFTCAP = 4,
    IP_USES_EMBEDDING_SCALE = 8,
    IP_USES_RESIDUAL_SCALE = 16,
    IP_USES_LOGIT_SCALE = 32,
    IP_USES_PARALLEL = 64,
    IP_USES_EXPERTS = 128
};

typedef struct ip_traits {
    ip_norm_kind norm;
    bool norm_bias;     /* layer norms have biases */
    bool norm_plus_one; /* folders store gain - 1 */
    bool norm_free;     /* norms have no parameters */
    double eps;         /* when config.json does not say */
    ip_order order;
    ip_activation activation;
    bool activation_fixed; /* whatever config.json says */
    bool gated;
    bool fused_gate_up;      /* gate and up stand in one tensor */
    ip_fusion fusion;        /* of folders */
    bool transposed;         /* matrices of folders are [inputs, outputs] */
    bool experts_transposed; /* those of experts are, with gate and up in every other column */
    bool permuted;           /* q and k rows of GGUF files have rotary pairs side by side */
    bool interleaved;        /* so do those of folders and files: the rotation itself is of neighbours */
    ip_qk_norm qk_norm;
    ip_norm_kind qk_kind;
    bool qk_bias, qk_plus_one, qk_rotated; /* rotated: normed after the rotation */
    bool v_norm;                           /* values are RMS-normed per head, without gain */
    /* Biases of folders (GGUF files have what they have): of q, k and v, of o, of the MLP, of the head; keys that say so. */
    bool q_bias, o_bias, mlp_bias, head_bias;
    const char *q_bias_key, *o_bias_key, *mlp_bias_key;
    size_t heads, kv_heads, head; /* when config.json does not say; 0: heads required, as many, width / heads */
    bool wide;                    /* the feed-forward width is 4 times the model's when config.json does not say */
    ip_window_rule window_rule;
    size_t window, window_period; /* window when the key of config.json is absent; 0: none */
    double rope_base, rotary_part;
    bool no_rope;
    bool positions; /* learned ones, from row position0 of their tensor */
    size_t position0;
    bool embedding_norm;
    bool sinks;
    double local_rope_base; /* > 0: sliding layers rotate with this base (the main one if equal), without scaling */
    bool temperature;       /* queries grow with the position */
    bool untruncated;       /* yarn's ramp in GGUF files */
    bool alibi, alibi_bf16;
    bool tied; /* when config.json does not say */
    unsigned uses;
    double softcap, logit_softcap, embedding_scale, residual_scale, logit_scale, attention_scale; /* 0: as usual */
    double clip;
    size_t experts, experts_used; /* of folders, when config.json does not say */
    ip_routing routing;
    bool files_normalise;    /* weights of GGUF files that do not say whether they are renormalised are */
    bool hidden_from_tensor; /* GGUF files: feed_forward_length is not to be trusted */
} ip_traits;

typedef struct ip_family {
    const char *name;          /* for people, --family */
    const char *architecture;  /* general.architecture; NULL: no GGUF file says so */
    const char *model_type;    /* of config.json, several separated by |; NULL: none */
    const char *folder_prefix; /* before all names of a folder, besides "model." and none; NULL */
    const char *folder_blocks; /* NULL: "layers." */
    const ip_name *folder_names, *file_names;
    ip_traits traits;
    ip_status (*configure)(ip_build *b);            /* after the shared keys; NULL: nothing is its own */
    ip_status (*bind_block)(ip_build *b, size_t i); /* after the shared tensors of block i; NULL: nothing */
} ip_family;

/* One per row. */
#define IP_FAMILY(family) extern const ip_family ip_family_##family;
#include "models/families/families.def"
#undef IP_FAMILY

size_t ip_family_count(void);
const ip_family *ip_family_at(size_t index); /* index < ip_family_count() */

#endif
