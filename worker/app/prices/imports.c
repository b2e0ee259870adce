#include "app/prices/imports.h"

enum err import_read(struct import *import, struct slice text, struct json_fault *ret_fault)
{
    const struct json *root = NULL;
    *ret_fault = (struct json_fault){.words = NULL};
    import->rows = arena_new_array(import->arena, PRICE_ROWS_MAX, sizeof *import->rows);
    import->count = 0;
    if (import->rows == NULL)
        return ERR_NO_MEMORY;
    enum err err = json_parse(import->arena, text, &root, ret_fault);
    if (err != OK)
        return err;
    if (!json_is(root, JSON_OBJECT))
        return ERR_FORMAT;
    import->is_offer = json_member(root, "products") != NULL && json_member(root, "terms") != NULL;
    slice_write(SLICE("USD"), import->currency, sizeof import->currency);
    err = import->is_offer ? import_offers(import, root) : import_litellm(import, root);
    return err == OK && import->count == 0 && import->unnamed->len == 0 ? ERR_FORMAT : err;
}
