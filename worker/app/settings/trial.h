/* A request that is read as a worker would read it, so that `check` rejects a default, a model or a
 * template that would fail every request of its kind. One trial, one request. */
#ifndef APP_SETTINGS_TRIAL_H
#define APP_SETTINGS_TRIAL_H

#include "base/attr.h"
#include "wire/chat/request.h"

struct trial {
    struct arena arena;
    struct buf value;
    struct request request; /* as it was read */
    struct why why;         /* or why not */
};

void trial_init(struct trial *trial);
void trial_done(struct trial *trial);
/* A request with this member (raw JSON). */
MUST_CHECK enum err trial_field(struct trial *trial, const char *name, struct slice json);
/* One that names no model. */
MUST_CHECK enum err trial_model(struct trial *trial, const struct catalog *catalog);
/* One with this message behind a user's; one with only these messages. Braces stay as they are. */
MUST_CHECK enum err trial_message(struct trial *trial, const struct template_message *message);
MUST_CHECK enum err trial_template(struct trial *trial, const struct template_named *named);
/* What is wrong, after a failure; and which message is at fault, SIZE_MAX = no single one. */
const char *trial_words(const struct trial *trial);
size_t trial_index(const struct trial *trial);

#endif
