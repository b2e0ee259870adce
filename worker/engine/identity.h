/* Identities: as whom the worker signs calls. An identity has credentials or a reason why it has
 * none, a version that changes with the credentials, and the offset of this machine's clock from
 * the service's. A target points to its identity, so an identity without credentials stops only its
 * own targets. The engine owns the identities of its configuration; they stay in place.
 */
#ifndef ENGINE_IDENTITY_H
#define ENGINE_IDENTITY_H

#include "engine/state.h"

/* Makes the identities of engine_config, without credentials. ERR_NO_MEMORY. */
MUST_CHECK enum err identities_init(struct engine *engine);
/* Wipes and frees the credentials of all. */
void identities_done(struct engine *engine);
/* Asks io for new credentials. */
void identity_refresh(struct engine *engine, const struct identity *identity);
/* Copies the present credentials. NULL: there are none; `reason` (copied) says why. Logs each new
 * reason and the same one once a minute, and when credentials are back. Without memory the identity
 * has none. */
void identity_set(struct engine *engine, struct identity *identity,
                  const struct credentials *credentials, struct slice reason);
/* Corrects the clock by the Date of an answer of the service: `date_ms` is Unix time in
 * milliseconds. Logs a correction at most once a minute. */
void identity_correct_clock(struct engine *engine, struct identity *identity, int64_t date_ms);
/* Records in a new attempt the credentials' version and the clock offset that sign it. */
void identity_stamp(const struct identity *identity, struct attempt *attempt);
/* Whether the worker would sign this attempt differently now. */
bool identity_has_changed(const struct identity *identity, const struct attempt *attempt);

#endif
