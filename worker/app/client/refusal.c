#include "app/client/refusal.h"

#include "base/attr.h"
#include "base/glob.h"

static const struct {
    const char *glob;
    struct refusal refusal;
} TEXTS[] = {
#define REFUSAL(kind, glob, text) {glob, {REFUSAL_##kind, text}},
#include "app/client/refusal.def"
};

static const struct {
    enum err err;
    struct refusal refusal;
} ERRORS[] = {
#define ERROR(err, kind, text) {ERR_##err, {REFUSAL_##kind, text}},
#include "app/client/refusal.def"
};

/* Texts count where the error's type leaves open what is meant. */
static bool has_many_meanings(enum err err)
{
    return err == ERR_REJECTED || err == ERR_ACCESS_DENIED || err == ERR_MODEL_NOT_FOUND ||
           err == ERR_SIGNATURE || err == ERR_CREDENTIALS_OLD;
}

struct refusal refusal_of(const struct why *why)
{
    struct slice message = slice_of_text(why->message);
    for (size_t i = 0; i < COUNT_OF(TEXTS) && has_many_meanings(why->err); i++)
        if (glob_match(slice_of_text(TEXTS[i].glob), message, true))
            return TEXTS[i].refusal;
    for (size_t i = 0; i < COUNT_OF(ERRORS); i++)
        if (ERRORS[i].err == why->err)
            return ERRORS[i].refusal;
    return (struct refusal){REFUSAL_OF_MODEL, "the call failed"};
}

const char *refusal_regions(struct slice model, struct slice region)
{
    static const struct {
        const char *profile, *regions;
    } ROWS[] = {
        {"us.", "us-"},   {"us-gov.", "us-gov-"},   {"eu.", "eu-"},
        {"apac.", "ap-"}, {"jp.", "ap-northeast-"}, {"au.", "ap-southeast-"},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++)
        if (slice_starts(model, slice_of_text(ROWS[i].profile)))
            return slice_starts(region, slice_of_text(ROWS[i].regions)) ? NULL : ROWS[i].regions;
    return NULL;
}
