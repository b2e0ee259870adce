/* Asks AWS whose the keys are: GetCallerIdentity of the Security Token Service, which needs no
 * right and costs nothing. */
#ifndef APP_CLIENT_CALLER_H
#define APP_CLIENT_CALLER_H

#include "app/assembly.h"
#include "io/aws/provider.h"

#define CALLER_WORDS_MAX 1024

/* Writes for people whose the keys are: account and ARN, or why AWS does not say. True: it says.
 * Blocks up to some 10 s; asks once. */
bool caller_describe(struct search *search, const struct credentials *credentials,
                     char ret_words[CALLER_WORDS_MAX]);
/* Writes when the keys end, as `; they end at …`; nothing when they do not. */
void caller_describe_end(const struct credentials *credentials, char *ret_words, size_t room);

#endif
