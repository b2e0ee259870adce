/* Has the process learn the secrets of the settings and of the environment (base/secrets.h), so
 * that no text shows them. */
#ifndef APP_SETTINGS_LEARN_H
#define APP_SETTINGS_LEARN_H

#include "base/slice.h"

/* Learns the password of a proxy's URL, as it is written, decoded, and as the header of basic
 * authentication has it. The URL may be invalid. */
void learn_proxy(struct slice url);
/* Learns the values of header lines, each ended by CRLF. */
void learn_headers(struct slice lines);

#endif
