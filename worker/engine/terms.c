#include "engine/terms.h"

#include "base/check.h"
#include "engine/target.h"

static void terms_set(struct engine *engine, struct terms *terms)
{
    const struct engine_config *config = &engine->config;
    *terms = (struct terms){
        .catalog = config->catalog,
        .reply_allowed = config->reply_allowed,
        .reply_allowed_count = config->reply_allowed_count,
        .retry = config->retry,
        .output = config->output,
        .prices = config->prices,
        .tenants = config->tenants,
    };
    engine->terms.now = (uint32_t)(terms - engine->terms.all);
    for (size_t i = 0; i < terms->catalog.alias_count; i++)
        engine->terms.had_fallbacks =
            engine->terms.had_fallbacks || terms->catalog.aliases[i].fallback_count > 0;
}

void terms_init(struct engine *engine)
{
    terms_set(engine, &engine->terms.all[0]);
}

bool terms_have_fallbacks(const struct engine *engine)
{
    return engine->terms.had_fallbacks;
}

struct terms *terms_take(struct engine *engine)
{
    struct terms *terms = &engine->terms.all[engine->terms.now];
    terms->jobs++;
    return terms;
}

void terms_return(struct terms *terms)
{
    CHECK(terms->jobs > 0);
    terms->jobs--;
}

bool engine_uses_terms(const struct engine *engine, uint32_t number)
{
    CHECK(number < ENGINE_TERMS_MAX);
    return number == engine->terms.now || engine->terms.all[number].jobs > 0;
}

/* What targets, cuts and metrics use is of the engine, not of a request: it changes at once. */
static void config_change(struct engine_config *config, const struct engine_config *from)
{
    struct traits_memo *memo = config->catalog.memo;
    config->catalog = from->catalog;
    config->catalog.memo = memo;
    config->reply_allowed = from->reply_allowed;
    config->reply_allowed_count = from->reply_allowed_count;
    config->retry = from->retry;
    config->tenants = from->tenants;
    config->start_per_second = from->start_per_second;
    config->prices = from->prices;
    config->quotas = from->quotas;
    config->commit_interval_ms = from->commit_interval_ms;
    config->output.echo_headers = from->output.echo_headers;
    config->output.echo_header_count = from->output.echo_header_count;
}

bool engine_reload(struct engine *engine, const struct engine_config *config, uint32_t *ret_number)
{
    for (uint32_t i = 0; i < ENGINE_TERMS_MAX; i++) {
        if (engine_uses_terms(engine, i))
            continue;
        config_change(&engine->config, config);
        targets_reload(engine);
        terms_set(engine, &engine->terms.all[i]);
        *ret_number = i;
        return true;
    }
    return false;
}
