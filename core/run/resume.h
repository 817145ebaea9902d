/* Going on after a kill: the results of the layers that are done and the residual stream behind the last of them, kept in
 * the folder of results as "resume.state". The same command finds it there and begins with the next layer; the digits are
 * those of a run that was never stopped. A state of other work, or a damaged one, is passed over with a warning.
 *
 * A state is as large as the residual stream (4 bytes x tokens x width), so it is written by time: when so many seconds
 * have passed since the last one, or twenty times what that took, whichever is longer.
 *
 * Ranks keep one each, "resume-R-of-N-1.state" and "-2" by turns, when rank 0 finds it time: a job that dies while they are
 * written leaves some of the new and all of the old, and goes on with a layer that every rank has.
 */
#ifndef IP_CORE_RESUME_H
#define IP_CORE_RESUME_H

#include "core/base/hash.h"
#include "core/base/ranks_door.h"
#include "core/forward/store.h"
#include "core/input/session.h"

typedef struct ip_resume {
    char *path;            /* NULL: nothing is kept */
    const ip_ranks *ranks; /* NULL alone */
    char *before;          /* of a rank: where the state before this one stands; they change places */
    char key[IP_HASH_HEX];
    double every, due;
    struct {
        void *data;
        size_t bytes;
    } regions[16]; /* what the layers leave beside the stream, as bytes of this machine */
    size_t count;
} ip_resume;

/* Keeps states in settings->checkpoint, when that names a folder. The key says which work it is: model file, tokens and
 * every setting that reaches a digit; anchors: their fingerprint, empty when drawn. */
ip_status ip_resume_open(ip_resume *resume, const ip_session *session, const char *model, const char *anchors,
                         ip_error *error);
void ip_resume_close(ip_resume *resume); /* keeps the file */

/* Adds bytes to what is kept, and is filled by ip_resume_take; sizes belong to the work, data NULL with 0 is fine. */
void ip_resume_region(ip_resume *resume, void *data, size_t bytes);

/* Together: fills regions and stream from a state that fits and returns the first layer that is left to do; 0: none fits. */
size_t ip_resume_take(ip_resume *resume, ip_session *session, const ip_store *store);

/* Together, after a layer: keeps a state if it is time. A disk that cannot hold it is a warning, once. */
void ip_resume_keep(ip_resume *resume, ip_session *session, const ip_store *store, size_t layer);

/* Removes the state of a folder whose results are whole. */
void ip_resume_forget(const char *folder);

#endif
