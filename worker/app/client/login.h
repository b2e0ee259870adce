/* How the Kafka clients of commands log in to Amazon MSK: with the credentials that the AWS
 * environment has, which are read again for each token. librdkafka's threads ask for tokens. */
#ifndef APP_CLIENT_LOGIN_H
#define APP_CLIENT_LOGIN_H

#include "app/settings/settings.h"

struct login;
struct rd_kafka_s;

/* Makes a login if the settings, which it borrows, ask for one. NULL: they do not, or memory ran
 * out.
 */
struct login *login_new(const struct settings *settings);
/* Adds a client that was just made, and removes it before its end. NULL is fine. */
void login_add(struct login *login, struct rd_kafka_s *client);
void login_remove(struct login *login, struct rd_kafka_s *client);
/* Gives the client a token, or tells it why there is none. */
void login_refresh(struct login *login, struct rd_kafka_s *client);
void login_free(struct login *login);

#endif
