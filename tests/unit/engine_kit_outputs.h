/* What an engine of engine_kit.h has committed. That header includes this one at its end. */
#ifndef ENGINE_KIT_OUTPUTS_H
#define ENGINE_KIT_OUTPUTS_H

/* Commits until a batch with an output of this kind is open; returns the index of the first one. */
static inline size_t kit_batch_with(struct kit *kit, enum output_kind kind)
{
    for (int round = 0; round < 50; round++) {
        for (size_t i = 0; kit->has_batch && i < kit->batch.output_count; i++)
            if (kit->batch.outputs[i]->kind == kind)
                return i;
        if (kit->has_batch)
            kit_commit(kit);
        kit_wait(kit, kit->config.commit_interval_ms);
    }
    fail_msg("no batch with such an output comes");
    return 0;
}

static inline size_t kit_count(const struct kit *kit, enum output_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < kit->output_count; i++)
        count += kit->outputs[i].kind == kind;
    return count;
}

/* The n-th committed output of a kind. */
static inline const struct kit_text *kit_output(const struct kit *kit, enum output_kind kind,
                                                size_t n)
{
    for (size_t i = 0; i < kit->output_count; i++)
        if (kit->outputs[i].kind == kind && n-- == 0)
            return &kit->outputs[i];
    fail_msg("there is no such output");
    return &kit->outputs[0];
}

static inline void assert_says(const struct kit_text *text, const char *part)
{
    if (strstr(text->value, part) == NULL)
        fail_msg("%s\nis not said in\n%s", part, text->value);
}

#endif
