#include "sim/settings.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "yaml/document.h"
#include "yaml/units.h"

#define READ_STEP 16384

struct sim_config *sim_config_new(void)
{
    struct sim_config *config = memory_new(sizeof *config);
    if (config == NULL)
        return NULL;
    arena_init(&config->arena, DOCUMENT_ARENA_BYTES);
    if (!sim_config_read(config, slice_of(SIM_SCRIPT, SIM_SCRIPT_LEN), "built-in")) {
        sim_config_free(config);
        return NULL;
    }
    return config;
}

void sim_config_free(struct sim_config *config)
{
    if (config == NULL)
        return;
    arena_done(&config->arena);
    memory_free(config);
}

static enum err read_file(const char *path, struct buf *ret_text)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return ERR_IO;
    for (;;) {
        char *room = buf_reserve(ret_text, READ_STEP);
        size_t got = room != NULL ? fread(room, 1, READ_STEP, file) : 0;
        ret_text->len += got;
        if (got == 0)
            break;
    }
    bool broken = ferror(file) != 0;
    (void)fclose(file);
    return broken ? ERR_IO : ret_text->failed;
}

bool sim_config_read_file(struct sim_config *config, const char *path)
{
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, DOCUMENT_BYTES_MAX + READ_STEP);
    enum err err = read_file(path, &text);
    if (err == OK || err == ERR_TOO_LARGE) /* the reader reports the size */
        return sim_config_read(config, buf_slice(&text), path);
    problems_init(&config->problems);
    problems_add(&config->problems, (struct place){path, 0, 0}, SLICE(""), "%s",
                 err == ERR_IO ? "cannot be read; name another file with -c" : err_words(err));
    return false;
}

bool sim_config_add_quota(struct sim_config *config, struct slice text)
{
    struct sim_quota quota = {.model = SLICE("*"), .burst_ms = 60000, .burndown = 1};
    size_t equals = slice_find(text, '=');
    if (equals < text.len) {
        quota.model = slice_sub(text, 0, equals);
        text = slice_sub(text, equals + 1, text.len);
    }
    size_t slash = slice_find(text, '/');
    if (!slice_to_int64(slice_sub(text, 0, slash), &quota.requests) || quota.requests < 0 ||
        config->quota_count == SIM_QUOTAS_MAX)
        return false;
    if (slash < text.len &&
        (!slice_to_int64(slice_sub(text, slash + 1, text.len), &quota.tokens) || quota.tokens < 0))
        return false;
    if (!sim_config_keep(config, quota.model, &quota.model))
        return false;
    memmove(&config->quotas[1], &config->quotas[0], config->quota_count * sizeof quota);
    config->quotas[0] = quota;
    config->quota_count++;
    return true;
}

/* Splits `left=right` into a text and a number from 0 to 1. */
static bool split(struct slice text, struct slice *ret_left, double *ret_rate)
{
    size_t equals = slice_find(text, '=');
    *ret_left = slice_sub(text, 0, equals);
    return equals < text.len && number_read(slice_sub(text, equals + 1, text.len), ret_rate) &&
           *ret_rate >= 0 && *ret_rate <= 1;
}

bool sim_config_add_step(struct sim_config *config, struct slice text)
{
    struct sim_quota_step step = {.model = SLICE("")};
    struct slice at;
    if (config->quota_step_count == SIM_QUOTA_STEPS_MAX || !split(text, &at, &step.factor) ||
        !units_read_span(at, &step.at_ms))
        return false;
    config->quota_steps[config->quota_step_count++] = step;
    return true;
}

bool sim_config_add_competitor(struct sim_config *config, struct slice text)
{
    struct sim_competitor other = {.model = SLICE("")};
    struct slice span;
    if (config->competitor_count == SIM_COMPETITORS_MAX || !split(text, &span, &other.share))
        return false;
    size_t dash = slice_find(span, '-');
    if (dash == span.len || !units_read_span(slice_sub(span, 0, dash), &other.from_ms) ||
        !units_read_span(slice_sub(span, dash + 1, span.len), &other.to_ms) ||
        other.to_ms <= other.from_ms)
        return false;
    config->competitors[config->competitor_count++] = other;
    return true;
}
