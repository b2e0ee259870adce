/* Rows of a price file in the making, from others' lists; and a row as text. */
#ifndef APP_PRICES_IMPORT_ROWS_H
#define APP_PRICES_IMPORT_ROWS_H

#include "base/arena.h"
#include "base/buf.h"
#include "policy/price.h"

/* An offer's name of a model, and the glob that rows get for it. */
struct import_name {
    struct slice offered, model;
};

/* Rows in the order of the list. The arena owns rows and texts. */
struct import {
    struct arena *arena;
    const struct import_name *names; /* for offers */
    size_t name_count;
    struct price_row *rows;
    size_t count;
    bool is_offer;       /* else LiteLLM's map */
    struct buf *notes;   /* a line for what was left out, and why */
    struct buf *unnamed; /* rows of an offer without a name, as comments */
    char currency[MONEY_CURRENCY_LEN + 1];
};

/* The row with this key, made if there is none; NULL: there are too many. Texts are borrowed. */
struct price_row *import_row(struct import *import, const struct price_row *key);
/* Sets the price of a class from a number's text. Notes why not, by the name of the place. */
void import_price(struct import *import, struct price_row *row, enum price_class class,
                  struct slice number, int shift, struct slice place);

/* Appends the row as an item's flow map, `{model: "x", input: 3}`. */
void price_row_add(struct buf *buf, const struct price_row *row);

#endif
