/* Authentication: decides whether a caller may call. It computes the AWS Signature Version 4 of the
 * request again and compares it, or compares the bearer token, and limits how far the signature's
 * time may be off. A rejection has the exception type and text of AWS; its status is 403. */
#ifndef SIM_ACCESS_H
#define SIM_ACCESS_H

#include "sim/settings.h"
#include "wire/bedrock/sigv4.h"

#define ACCESS_TEXT_MAX 320

/* The parts of a request that a signature covers. `header` returns the value of a request header;
 * null = it has none. */
struct access_request {
    struct slice method, path, query, body;
    struct slice (*header)(void *self, const char *name);
    void *self;
};

struct access_verdict {
    const char *type; /* exception type of the rejection; NULL = the caller may call */
    char text[ACCESS_TEXT_MAX];
    bool is_clock_off;          /* the only fault found is the signature's time */
    struct slice access_key_id; /* of the settings; null = bearer token, or none */
};

/* The signing keys of the day, one per key of the settings. Zeroed at first. */
struct access_cache {
    struct sigv4_key keys[SIM_KEYS_MAX];
};

/* Checks a request at `wall_ms`, the simulator's wall time. */
void access_check(const struct sim_config *config, struct access_cache *cache,
                  const struct access_request *request, int64_t wall_ms,
                  struct access_verdict *ret_verdict);

#endif
