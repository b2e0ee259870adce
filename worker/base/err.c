#include "base/err.h"

#include "base/attr.h"
#include "base/check.h"

struct row {
    enum remedy remedy;
    int retryable;
    const char *name, *code, *words;
};

static const struct row ROWS[ERR_COUNT] = {
    [OK] = {DO_NOTHING, 0, "OK", "ok", "no failure"},
#define ERR(name, remedy, code, retryable, words)                                                  \
    [ERR_##name] = {remedy, retryable, #name, code, words},
#include "base/err.def"
#undef ERR
};

static const struct row *row_of(enum err err)
{
    CHECK((unsigned)err < ERR_COUNT);
    return &ROWS[err];
}

enum remedy err_remedy(enum err err)
{
    return row_of(err)->remedy;
}

const char *err_code(enum err err)
{
    return row_of(err)->code;
}

int err_retryable(enum err err)
{
    return row_of(err)->retryable;
}

const char *err_words(enum err err)
{
    return row_of(err)->words;
}

const char *err_name(enum err err)
{
    return row_of(err)->name;
}
