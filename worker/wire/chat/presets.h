/* Presets: fields of a request for which an alias of the settings may give a default, beside the
 * parameters: the PRESET rows of request_fields.def, and additional_model_request_fields, whose
 * members join those of the request. The settings read the defaults of an alias as a request
 * (struct model_alias, presets); so a preset is checked once, and copying it is all that a request
 * costs. */
#ifndef WIRE_CHAT_PRESETS_H
#define WIRE_CHAT_PRESETS_H

#include "wire/chat/reader.h"

/* What a default is: a text; several; an object whose values are texts and switches; any object. */
enum preset_form { PRESET_TEXT, PRESET_TEXTS, PRESET_MEMBERS, PRESET_OBJECT };

struct preset_row {
    const char *name; /* of the request's field */
    enum preset_form form;
    size_t at, size; /* in struct request; the first slice there is null where there is none */
};

const struct preset_row *preset_rows(size_t *ret_count);
/* NULL: no field of this name may have a default. */
const struct preset_row *preset_find(struct slice name);
/* Fills in what the request leaves out. ERR_NO_MEMORY. */
MUST_CHECK enum err presets_apply(struct reader *reader, const struct request *presets);

#endif
