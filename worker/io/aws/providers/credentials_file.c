/* Keys of the profile in the credentials file. */
#include "io/aws/file.h"
#include "io/aws/providers/static_keys.h"

static enum err lacks(struct search *search)
{
    const struct aws_file *file = &search->environment->credentials;
    if (file->is_there)
        return search_lacks(search, "profile %s has no aws_access_key_id in %s", search->profile,
                            file->path);
    if (file->is_directory)
        return search_lacks(search, "%s cannot be read: %s", file->path, FILE_IS_DIRECTORY);
    if (file->path[0] != '\0')
        return search_lacks(search, "there is no %s", file->path);
    return search_lacks(search, "HOME is not set, so there is no credentials file");
}

enum err provider_credentials_file(struct search *search, struct keys *ret_keys)
{
    enum err err =
        take_static_keys(search, PROFILES_CREDENTIALS, "the shared credentials file", ret_keys);
    return err == ERR_NOT_FOUND ? lacks(search) : err;
}
