/* Identities: as whom calls are signed. An identity has credentials (or a reason why it has none),
 * the version of them that a call was signed with, and how far this machine's clock is from that of
 * the service. Targets point to their identity, so that one without credentials stops only its own
 * targets. The engine has one identity today; its owner keeps it in place while targets point to
 * it. */
#ifndef ENGINE_IDENTITY_H
#define ENGINE_IDENTITY_H

#include "engine/state.h"

void identity_init(struct identity *identity);
/* Wipes the credentials. */
void identity_done(struct identity *identity);
/* The credentials that there are now (copied), or NULL: none, `reason` says why (copied). As
 * engine_credentials; logs when there are none any more, once for each reason, and when there are
 * some again. */
void identity_set(struct engine *engine, struct identity *identity,
                  const struct credentials *credentials, struct slice reason);
/* An answer of the service had this Date: corrects the clock, and logs it at most once a minute. */
void identity_correct_clock(struct engine *engine, struct identity *identity, int64_t date_ms);
/* Notes with what an attempt that begins now is signed. */
void identity_stamp(const struct identity *identity, struct attempt *attempt);
/* Whether the same attempt would be signed otherwise now. */
bool identity_has_changed(const struct identity *identity, const struct attempt *attempt);

#endif
