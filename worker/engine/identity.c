#include "engine/identity.h"

#include <string.h>

#include "base/memory.h"
#include "engine/log.h"

#define CREDENTIALS_BYTES_MAX (320 * 1024) /* as io takes them: io/aws/keys.h */

enum err identities_init(struct engine *engine)
{
    uint32_t count = engine->config.identity_count;
    engine->identities = memory_new(count * sizeof *engine->identities);
    if (engine->identities == NULL)
        return ERR_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++)
        arena_init(&engine->identities[i].arena, CREDENTIALS_BYTES_MAX);
    return OK;
}

static void clear(struct identity *identity)
{
    identity->credentials = (struct credentials){0};
    identity->has_credentials = false;
    arena_wipe(&identity->arena);
}

void identities_done(struct engine *engine)
{
    for (uint32_t i = 0; engine->identities != NULL && i < engine->config.identity_count; i++) {
        clear(&engine->identities[i]);
        arena_done(&engine->identities[i].arena);
    }
    memory_free(engine->identities);
    engine->identities = NULL;
}

void identity_refresh(struct engine *engine, const struct identity *identity)
{
    engine->ports.credentials_refresh(engine->ports.self,
                                      (uint32_t)(identity - engine->identities));
}

/* Logs each new reason, and the same one once a minute. */
static void log_missing(struct engine *engine, struct identity *identity, struct slice reason)
{
    char text[WHY_MESSAGE_MAX];
    why_copy(text, sizeof text, reason.len > 0 ? reason : SLICE("none were found"));
    bool is_due = log_is_due(engine, &identity->missing_log_due_ms);
    if (strcmp(text, identity->reason) == 0 && !is_due)
        return;
    memcpy(identity->reason, text, sizeof text);
    ENGINE_LOG(engine, LOG_CREDENTIALS_MISSING, FIELD_TEXT("reason", slice_of_text(text)));
}

static bool is_known(const struct identity *identity, const struct credentials *credentials)
{
    const struct credentials *own = &identity->credentials;
    return identity->has_credentials &&
           slice_equal(own->access_key_id, credentials->access_key_id) &&
           slice_equal(own->secret_access_key, credentials->secret_access_key) &&
           slice_equal(own->session_token, credentials->session_token) &&
           slice_equal(own->bearer_token, credentials->bearer_token) &&
           own->expires_wall_ms == credentials->expires_wall_ms;
}

static bool copy(struct identity *identity, const struct credentials *credentials)
{
    struct credentials *own = &identity->credentials;
    struct arena *arena = &identity->arena;
    own->expires_wall_ms = credentials->expires_wall_ms;
    return arena_copy(arena, credentials->access_key_id, &own->access_key_id) &&
           arena_copy(arena, credentials->secret_access_key, &own->secret_access_key) &&
           arena_copy(arena, credentials->session_token, &own->session_token) &&
           arena_copy(arena, credentials->bearer_token, &own->bearer_token);
}

void identity_set(struct engine *engine, struct identity *identity,
                  const struct credentials *credentials, struct slice reason)
{
    if (credentials != NULL && is_known(identity, credentials))
        return;
    clear(identity);
    identity->version++;
    if (credentials == NULL) {
        log_missing(engine, identity, reason);
        return;
    }
    identity->has_credentials = copy(identity, credentials);
    if (!identity->has_credentials) {
        log_missing(engine, identity, slice_of_text(err_words(ERR_NO_MEMORY)));
        return;
    }
    if (identity->reason[0] != '\0')
        engine_log(engine, LOG_CREDENTIALS_FOUND, NULL, 0);
    identity->reason[0] = '\0';
}

void identity_correct_clock(struct engine *engine, struct identity *identity, int64_t date_ms)
{
    if (!clock_skew_hear(&identity->clock, engine->wall_ms, date_ms) ||
        !log_is_due(engine, &identity->clock_log_due_ms))
        return;
    ENGINE_LOG(engine, LOG_CLOCK_CORRECTED,
               FIELD_INT("offset_ms", clock_skew_offset_ms(&identity->clock)));
}

void identity_stamp(const struct identity *identity, struct attempt *attempt)
{
    attempt->credentials_version = identity->version;
    attempt->clock_offset_ms = clock_skew_offset_ms(&identity->clock);
}

bool identity_has_changed(const struct identity *identity, const struct attempt *attempt)
{
    return attempt->credentials_version != identity->version ||
           attempt->clock_offset_ms != clock_skew_offset_ms(&identity->clock);
}
