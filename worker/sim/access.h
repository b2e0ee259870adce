/* Who may call: SigV4 signatures are computed anew and compared, bearer tokens are compared, and a
 * signature's clock may be off by so much. Refusals are AWS's: type, status 403 and text. */
#ifndef SIM_ACCESS_H
#define SIM_ACCESS_H

#include "sim/settings.h"
#include "wire/bedrock/sigv4.h"

#define ACCESS_WORDS_MAX 320

/* What a signature covers. `header` gives the value of a request header, null = none. */
struct access_request {
    struct slice method, path, query, body;
    struct slice (*header)(void *self, const char *name);
    void *self;
};

struct access_verdict {
    const char *type; /* of the refusal; NULL = welcome */
    char words[ACCESS_WORDS_MAX];
    bool is_clock_off;          /* refused for its instant alone, as far as was looked */
    struct slice access_key_id; /* of the settings; null = bearer, or nobody */
};

/* The day's signing keys, one a key of the settings. Zeroed at first. */
struct access_cache {
    struct sigv4_key keys[SIM_KEYS_MAX];
};

/* wall_ms: the simulator's own clock. */
void access_check(const struct sim_config *config, struct access_cache *cache,
                  const struct access_request *request, int64_t wall_ms,
                  struct access_verdict *ret_verdict);

#endif
