/* Secrets that this process knows (keys, tokens, passwords), so that no foreign text repeats them:
 * whoever reads a secret has it learned, and whoever shows a text of curl, librdkafka or a service
 * has it masked first. The room keeps lengths and hashes, never the secrets, so that there is
 * nothing to overwrite. It is the only state of the pure floors that the whole process shares. Any
 * thread, without a lock. */
#ifndef BASE_SECRETS_H
#define BASE_SECRETS_H

#include "base/buf.h"

#define SECRETS_BYTES_MIN   4  /* a shorter one is not masked: it would make texts unreadable */
#define SECRETS_WORD_BYTES  8  /* a shorter one is masked only where it is a whole word */
#define SECRETS_CUT_BYTES   12 /* so much of a longer one, at the end of a text, counts as it */
#define SECRETS_LASTING_MAX 64 /* further ones replace the oldest of their kind */
#define SECRETS_PASSING_MAX 256

/* Learns a secret, as it is and as percent-encoding writes it. `is_lasting`: one of the settings;
 * otherwise one that others will replace, such as a session token. */
void secrets_learn(struct slice secret, bool is_lasting);
/* Finds the first secret in the text, also one that the text's end cuts off. False: there is none.
 */
bool secrets_find(struct slice text, size_t *ret_at, size_t *ret_len);
/* Appends the text with `***` in the place of each secret. */
void secrets_add_masked(struct buf *buf, struct slice text);
/* Masks a NUL-terminated text where it stands; it does not get longer. */
void secrets_mask(char *text);
/* For tests: forgets all of them. */
void secrets_forget_all(void);

#endif
