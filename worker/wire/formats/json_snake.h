/* The names of members in LangChain's case, as json_camel.h takes them back: AWS's documentIndex is
 * its document_index. Only what AWS names is renamed: letters, digits and `_`, in the first four
 * levels; what the members say stays byte for byte. Source: langchain-aws 1.9.1, _camel_to_snake.
 */
#ifndef WIRE_FORMATS_JSON_SNAKE_H
#define WIRE_FORMATS_JSON_SNAKE_H

#include "wire/formats/json.h"

void json_add_snake(struct buf *json, const struct json *object);

#endif
