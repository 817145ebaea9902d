/* Going on after a kill: the results of the layers that are done and the residual stream behind the last of them, kept in
 * the folder of results as "resume.state". The same command finds it there and begins with the next layer; the digits are
 * those of a run that was never stopped. A state of other work, or a damaged one, is passed over with a warning.
 *
 * A state is as large as the residual stream (4 bytes x tokens x width), so it is written by time: when so many seconds
 * have passed since the last one, or twenty times what that took, whichever is longer.
 */
#ifndef IP_CORE_RESUME_H
#define IP_CORE_RESUME_H

#include "core/base/hash.h"
#include "core/forward/store.h"
#include "core/input/session.h"

typedef struct ip_resume {
    char *path; /* NULL: nothing is kept */
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

/* Fills regions and stream from a state that fits and returns the first layer that is left to do; 0: none fits. */
size_t ip_resume_take(ip_resume *resume, ip_session *session, const ip_store *store);

/* After a layer: keeps a state if it is time. A disk that cannot hold it is a warning, once. */
void ip_resume_keep(ip_resume *resume, ip_session *session, const ip_store *store, size_t layer);

/* Removes the state of a folder whose results are whole. */
void ip_resume_forget(const char *folder);

#endif
