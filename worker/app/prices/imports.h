/* Makes rows of a price file from others' lists of prices, digit by digit: LiteLLM's map
 * (model_prices_and_context_window.json), whose prices are floats for one token, and the offer
 * files of AWS's Price List. What has no exact price, or none for tokens, is left out with a note.
 * Sources: LiteLLM's model_prices_and_context_window.json; AWS, "Using the bulk API". The offers'
 * reader was not tried on a real file. */
#ifndef APP_PRICES_IMPORTS_H
#define APP_PRICES_IMPORTS_H

#include "app/prices/import_rows.h"
#include "base/err.h"
#include "wire/formats/json.h"

/* A limit for the arena that holds any list within IMPORT_BYTES_MAX. */
#define IMPORT_ARENA_BYTES ((size_t)1024 * 1024 * 1024)
#define IMPORT_BYTES_MAX   ((size_t)64 * 1024 * 1024)
#define IMPORT_NOTES_MAX   ((size_t)1024 * 1024)

/* Fills in rows, count, is_offer and currency from the text; the caller gives the rest. ERR_FORMAT:
 * it is neither of the lists, and *ret_fault says why if it is no JSON (else words is NULL).
 * ERR_NO_MEMORY, ERR_TOO_LARGE: more than PRICE_ROWS_MAX rows. */
MUST_CHECK enum err import_read(struct import *import, struct slice text,
                                struct json_fault *ret_fault);

/* Read one kind of list (litellm.c, offers.c). */
enum err import_litellm(struct import *import, const struct json *root);
enum err import_offers(struct import *import, const struct json *root);

#endif
