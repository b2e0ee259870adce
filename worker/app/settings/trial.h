/* A trial reads a request as the worker does, so that the settings reader can reject a default, a
 * model or a template with which every request would fail. A trial is for one request and owns it.
 */
#ifndef APP_SETTINGS_TRIAL_H
#define APP_SETTINGS_TRIAL_H

#include "base/attr.h"
#include "wire/chat/request.h"

struct trial {
    struct arena arena;
    struct buf value;
    struct request request;
    struct why why; /* why it is rejected */
};

void trial_init(struct trial *trial);
void trial_done(struct trial *trial);
/* Reads a request with this member (JSON). As the others: OK, or the error of the request. */
MUST_CHECK enum err trial_field(struct trial *trial, const char *name, struct slice json);
/* Reads a request with these members (`,"name":value` each, known to be good) into the arena, where
 * it stays. */
MUST_CHECK enum err trial_keep(struct arena *arena, struct slice members,
                               const struct request **ret_request);
/* Reads a request without a model. */
MUST_CHECK enum err trial_model(struct trial *trial, const struct catalog *catalog);
/* Read a request with this message behind one of the user, and one with only the template's
 * messages. Variables in braces stay. */
MUST_CHECK enum err trial_message(struct trial *trial, const struct template_message *message);
MUST_CHECK enum err trial_template(struct trial *trial, const struct template_named *named);
/* After an error: what is wrong, and the index of the message at fault (SIZE_MAX = no single one).
 */
const char *trial_reason(const struct trial *trial);
size_t trial_index(const struct trial *trial);

#endif
