/* Keys of the profile in the config file. */
#include "io/aws/file.h"
#include "io/aws/providers/static_keys.h"

enum err provider_config_file(struct search *search, struct keys *ret_keys)
{
    const struct aws_file *file = &search->environment->config;
    enum err err = take_static_keys(search, PROFILES_CONFIG, "the config file", ret_keys);
    if (err == ERR_NOT_FOUND && file->is_there)
        return search_lacks(search, "nor in %s", file->path);
    if (err == ERR_NOT_FOUND && file->is_directory)
        return search_lacks(search, "%s cannot be read: %s", file->path, FILE_IS_DIRECTORY);
    return err;
}
