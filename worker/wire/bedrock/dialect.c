#include "wire/bedrock/dialect.h"

const struct dialect *dialect_for(const struct request *request)
{
    (void)request;
    return &dialect_converse;
}
