/* Keys that stand in one of the shared files: what the providers of both files do alike. */
#ifndef IO_AWS_PROVIDERS_STATIC_KEYS_H
#define IO_AWS_PROVIDERS_STATIC_KEYS_H

#include "io/aws/provider.h"

/* Takes the profile's keys from one of the shared files. */
MUST_CHECK enum err take_static_keys(struct search *search, enum profiles_file file,
                                     const char *source, struct keys *ret_keys);

#endif
