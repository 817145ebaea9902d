/* What recognising (chat.c) and rendering (chat_render.c) share; nothing else includes it. */
#ifndef IP_CORE_CHAT_INTERNAL_H
#define IP_CORE_CHAT_INTERNAL_H

#include "core/preference/chat.h"

/* chat_families.def says what these mean. */
typedef enum ip_system_place {
    OWN_TURN,
    WITH_FIRST,
    WITH_LAST,
    FIRST_OR_LAST,
    DATED,
    DROPPED,
    REFUSED
} ip_system_place;
enum { TRIM = 1, TRIM_TURNS = 2, TRIM_REPLY = 4, TRIM_WHOLE = 8, RAW_LINES = 16 };

typedef struct ip_turn_form {
    const char *before, *behind;
} ip_turn_form;

typedef struct ip_chat_family {
    const char *name, *must[3];
    ip_turn_form user, assistant;
    const char *opening;
    struct {
        ip_system_place where;
        const char *before, *behind;
    } system;
    unsigned flags;
} ip_chat_family;

struct ip_chat {
    const ip_chat_family *family;
    char *bos, *eos;
    char *standard;   /* system message of a dialogue that has none, or NULL */
    char *date;       /* of DATED */
    bool begins;      /* BOS stands in front */
    bool ends;        /* EOS stands behind a finished dialogue */
    bool alternates;  /* user and assistant must take turns, the user first */
    bool system_last; /* of FIRST_OR_LAST */
};

#endif
