/* Offer files of AWS's Price List: products with attributes, and their terms on demand. A product's
 * usage type says region, model, class of tokens and tier, in words that differ between offers; no
 * offer says a model's id. So rows are made for the names that the user gives an id for, and others
 * become comments. */
#include "app/prices/imports.h"

#include <string.h>

#include "base/attr.h"
#include "wire/formats/text.h"

#define USAGE_MAX    256
#define LONG_CONTEXT 200000

/* The words of a usage type, in lower case, that say what it counts: the first that is in it. */
static const struct {
    const char *word;
    enum price_class class;
} classes[] = {
    {"cache-read", PRICE_CACHE_READ},
    {"cacheread", PRICE_CACHE_READ},
    {"cache-write-1h", PRICE_CACHE_WRITE_1H},
    {"cachewrite1h", PRICE_CACHE_WRITE_1H},
    {"cache-write", PRICE_CACHE_WRITE_5M},
    {"cachewrite", PRICE_CACHE_WRITE_5M},
    {"input", PRICE_INPUT},
    {"output", PRICE_OUTPUT},
};

static const char *const tiers[] = {"batch", "flex", "priority", "reserved"};
/* Not tokens on demand. */
static const char *const others[] = {"provisioned", "commit", "custom", "image", "video",
                                     "audio",       "speech", "search", "train", "storage"};

/* A product while it is read. */
struct offer {
    char usage[USAGE_MAX]; /* in lower case */
    struct slice name, region;
    const struct json *dimension; /* unit and price */
};

static bool has(const struct offer *offer, const char *word)
{
    return strstr(offer->usage, word) != NULL;
}

/* In lower case; what a terminal would not print becomes '?'. */
static void lower(struct slice text, char ret[USAGE_MAX])
{
    slice_write(text, ret, USAGE_MAX);
    for (char *at = ret; *at != '\0'; at++) {
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at + ('a' - 'A'));
        else if (*at < ' ' || *at > '~')
            *at = '?';
    }
}

/* The price dimension of a product's terms on demand: the first of the first. */
static const struct json *dimension_of(const struct json *terms, struct slice sku)
{
    const struct json *offers = json_member_of(json_member(terms, "OnDemand"), sku);
    const struct json *offer = offers == NULL ? NULL : offers->first;
    const struct json *dimensions = json_member(offer, "priceDimensions");
    return dimensions == NULL ? NULL : dimensions->first;
}

/* Of the usage type, what stands between the region and the class: USE1-Claude4.6Sonnet-input-… */
static struct slice name_in(struct slice usage, const struct offer *offer)
{
    size_t begin = slice_find(usage, '-') + 1, end = usage.len;
    for (size_t i = 0; i < COUNT_OF(classes); i++) {
        const char *word = strstr(offer->usage, classes[i].word);
        if (word != NULL && (size_t)(word - offer->usage) < end)
            end = (size_t)(word - offer->usage);
    }
    while (end > begin && (usage.ptr[end - 1] == '-' || usage.ptr[end - 1] == '_'))
        end--;
    return end > begin ? slice_sub(usage, begin, end - begin) : usage;
}

static struct slice text_of(struct import *import, const struct json *object, const char *name)
{
    struct slice text = SLICE_NULL;
    return json_string(import->arena, json_member(object, name), &text) ? text : SLICE_NULL;
}

/* False: the product does not count tokens on demand. */
static bool read_offer(struct import *import, const struct json *product, const struct json *terms,
                       struct offer *ret)
{
    const struct json *attributes = json_member(product, "attributes");
    struct slice usage = text_of(import, attributes, "usagetype");
    *ret = (struct offer){.region = text_of(import, attributes, "regionCode"),
                          .dimension = dimension_of(terms, product->name)};
    lower(usage, ret->usage);
    for (size_t i = 0; i < COUNT_OF(others); i++)
        if (has(ret, others[i]))
            return false;
    if (usage.len == 0 || usage.len >= USAGE_MAX || ret->dimension == NULL)
        return false;
    ret->name = text_of(import, attributes, "model");
    if (ret->name.len == 0 && has(ret, "mp:"))
        ret->name = text_of(import, attributes, "servicename");
    if (ret->name.len == 0)
        ret->name = name_in(usage, ret);
    return ret->name.len > 0 && text_is_region(ret->region);
}

/* A price for a thousand or a million of tokens, as a power of ten for one. */
static bool read_unit(const struct offer *offer, struct slice unit, int *ret_shift)
{
    char words[USAGE_MAX];
    lower(unit, words);
    bool is_thousand = strstr(words, "1k") != NULL || strstr(words, "thousand") != NULL;
    bool is_million = strstr(words, "1m") != NULL || strstr(words, "million") != NULL;
    bool is_marketplace = has(offer, "mp:") && strstr(words, "unit") != NULL;
    *ret_shift = is_thousand ? -3 : -6;
    return is_thousand || is_million || is_marketplace;
}

static struct price_row key_of(const struct offer *offer, struct slice model)
{
    struct price_row key = {.model = model, .region = offer->region, .tier = SLICE(PRICE_TIER)};
    for (size_t i = 0; i < COUNT_OF(tiers); i++)
        if (has(offer, tiers[i]))
            key.tier = slice_of_text(tiers[i]);
    if (has(offer, "global"))
        key.region = SLICE(PRICE_GLOBAL);
    if (has(offer, "long_ctx") || has(offer, "long-context") || has(offer, "longcontext"))
        key.context_over = LONG_CONTEXT;
    return key;
}

static struct slice model_of(const struct import *import, struct slice offered)
{
    for (size_t i = 0; i < import->name_count; i++)
        if (slice_equal(import->names[i].offered, offered))
            return import->names[i].model;
    return SLICE_NULL;
}

/* A price of a name that the user did not give: a comment. */
static void add_unnamed(struct import *import, const struct offer *offer, enum price_class class,
                        struct slice number, int shift)
{
    int64_t price;
    struct buf words OWNED_BY(buf_done);
    buf_init(&words, 1024);
    if (!money_read_number(number, shift, &price))
        return;
    buf_addf(&words, "#   %.*s: %s, %s ", SLICE_ARG(offer->name), offer->usage,
             price_class_name(class));
    money_add_price(&words, price);
    for (size_t i = 0; i < words.len; i++) /* a name must not end the comment */
        if (words.ptr[i] < ' ' || words.ptr[i] > '~')
            words.ptr[i] = '?';
    buf_add(import->unnamed, buf_slice(&words));
    buf_add_byte(import->unnamed, '\n');
}

static enum err take_product(struct import *import, const struct json *product,
                             const struct json *terms)
{
    struct offer offer;
    int shift = 0;
    size_t i = 0;
    if (!read_offer(import, product, terms, &offer))
        return OK;
    while (i < COUNT_OF(classes) && !has(&offer, classes[i].word))
        i++;
    const struct json *each = json_member(offer.dimension, "pricePerUnit");
    struct slice number = text_of(import, each, import->currency);
    if (i == COUNT_OF(classes) || number.len == 0)
        return OK;
    if (!read_unit(&offer, text_of(import, offer.dimension, "unit"), &shift)) {
        buf_addf(import->notes, "%s is left out: its unit is not a number of tokens\n",
                 offer.usage);
        return OK;
    }
    struct slice model = model_of(import, offer.name);
    if (model.len == 0) {
        add_unnamed(import, &offer, classes[i].class, number, shift);
        return OK;
    }
    struct price_row key = key_of(&offer, model);
    struct price_row *row = import_row(import, &key);
    if (row == NULL)
        return ERR_TOO_LARGE;
    import_price(import, row, classes[i].class, number, shift, slice_of_text(offer.usage));
    return OK;
}

/* USD, or what the first price is in. */
static void find_currency(struct import *import, const struct json *root)
{
    const struct json *products = json_member(root, "products");
    const struct json *terms = json_member(root, "terms");
    const struct json *product = products->first;
    const struct json *dimension = product == NULL ? NULL : dimension_of(terms, product->name);
    const struct json *each = json_member(dimension, "pricePerUnit");
    if (each != NULL && each->first != NULL && money_is_currency(each->first->name) &&
        json_member(each, "USD") == NULL)
        slice_write(each->first->name, import->currency, sizeof import->currency);
}

enum err import_offers(struct import *import, const struct json *root)
{
    const struct json *products = json_member(root, "products");
    enum err err = OK;
    if (!json_is(products, JSON_OBJECT))
        return ERR_FORMAT;
    find_currency(import, root);
    for (const struct json *item = products->first; item != NULL && err == OK; item = item->next)
        err = take_product(import, item, json_member(root, "terms"));
    return err;
}
