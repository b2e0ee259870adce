#include <stdio.h>
#include <string.h>

#include "app/client/screen.h"
#include "app/demo/demo.h"
#include "app/demo/load.h"
#include "base/memory.h"

#define CUSTOMERS  97
#define ROOM_FIRST 4096

static const char *const TENANTS[LOAD_TENANTS] = {"acme", "globex", "initech"};

void load_tally_init(struct load_tally *tally, uint64_t seed)
{
    *tally = (struct load_tally){.room = 0};
    (void)snprintf(tally->run, sizeof tally->run, "%08x", (unsigned)(seed & 0xffffffffU));
    for (size_t i = 0; i < LOAD_TENANTS; i++)
        tally->tenants[i].name = TENANTS[i];
}

void load_tally_done(struct load_tally *tally)
{
    memory_free(tally->answers);
}

const char *load_tally_tenant(const struct load_tally *tally, size_t number)
{
    return tally->tenants[number % LOAD_TENANTS].name;
}

int64_t load_tally_open(const struct load_tally *tally)
{
    return (int64_t)tally->sent - tally->answered;
}

static bool make_room(struct load_tally *tally)
{
    if (tally->sent < tally->room)
        return true;
    size_t room = tally->room == 0 ? ROOM_FIRST : tally->room * 2;
    uint8_t *answers = memory_resize(tally->answers, room);
    if (answers == NULL)
        return false;
    memset(answers + tally->room, 0, room - tally->room);
    tally->answers = answers;
    tally->room = room;
    return true;
}

bool load_tally_ask(struct load_tally *tally, struct slice model, struct buf *ret_value,
                    struct buf *ret_key)
{
    size_t number = tally->sent;
    if (!make_room(tally))
        return false;
    struct load_tenant *tenant = &tally->tenants[number % LOAD_TENANTS];
    buf_addf(ret_value, "{\"id\":\"load-%s-%zu\",\"tenant\":\"%s\",", tally->run, number,
             tenant->name);
    if (model.len > 0)
        buf_addf(ret_value, "\"model\":\"%.*s\",", SLICE_ARG(model));
    buf_add_text(ret_value, "\"messages\":[{\"role\":\"user\",\"content\":\"");
    demo_add_prompt(number, ret_value);
    buf_add_text(ret_value, "\"}],\"max_tokens\":200}");
    buf_addf(ret_key, "customer-%zu", number % CUSTOMERS);
    tally->sent++;
    tenant->asked++;
    return true;
}

/* The number of a request of this run; SIZE_MAX = it is another's. */
static size_t number_of(const struct load_tally *tally, struct slice id)
{
    char prefix[32];
    int64_t number = 0;
    (void)snprintf(prefix, sizeof prefix, "load-%s-", tally->run);
    struct slice before = slice_of_text(prefix);
    if (!slice_starts(id, before) || !slice_to_int64(slice_sub(id, before.len, id.len), &number) ||
        number < 0 || (uint64_t)number >= tally->sent)
        return SIZE_MAX;
    return (size_t)number;
}

void load_tally_add_response(struct load_tally *tally, struct arena *arena, struct slice value,
                             struct load_answer *ret_answer)
{
    struct reading reading;
    *ret_answer = (struct load_answer){.is_new = false};
    if (reading_of_response(arena, value, &reading) != OK)
        return;
    size_t number = number_of(tally, reading.id);
    if (number == SIZE_MAX)
        return;
    if (tally->answers[number] > 0) {
        tally->twice += tally->answers[number] == 1;
        tally->answers[number] = 2;
        return;
    }
    struct load_tenant *tenant = &tally->tenants[number % LOAD_TENANTS];
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, READING_TEXT_MAX);
    if (reading.content != NULL)
        reading_add_text(arena, reading.content, &text);
    tally->answers[number] = 1;
    tally->answered++;
    tenant->answered++;
    tenant->failed += !reading.is_ok;
    if (!reading.is_ok && tally->trouble[0] == '\0')
        (void)snprintf(tally->trouble, sizeof tally->trouble, "%.*s: %.*s: %.*s",
                       SLICE_ARG(reading.id), SLICE_ARG(reading.error_code),
                       SLICE_ARG(reading.error_message));
    *ret_answer = (struct load_answer){.number = number, .is_new = true, .is_ok = reading.is_ok};
    if (!reading.is_ok)
        ret_answer->text = reading.error_message;
    else if (!arena_copy(arena, buf_slice(&text), &ret_answer->text))
        ret_answer->text = SLICE("(too long to show)");
}

void load_tally_add_usage(struct load_tally *tally, struct arena *arena, struct slice value)
{
    const struct json *root = NULL;
    if (json_parse(arena, value, &root, NULL) != OK)
        return;
    const struct json *data = json_member(root, "data");
    const struct json *counts = json_member(data, "usage");
    size_t number = number_of(tally, reading_text(arena, data, "request_id"));
    if (number == SIZE_MAX)
        return;
    struct load_tenant *tenant = &tally->tenants[number % LOAD_TENANTS];
    tenant->input_tokens += reading_int(counts, "input_tokens", 0);
    tenant->output_tokens += reading_int(counts, "output_tokens", 0);
    tenant->lost_calls += json_equal_text(json_member(data, "reason"), "worker_lost");
}

static void add_row(struct buf *text, const struct load_tenant *tenant)
{
    char asked[SCREEN_COUNT_BYTES], answered[SCREEN_COUNT_BYTES], input[SCREEN_COUNT_BYTES],
        output[SCREEN_COUNT_BYTES];
    buf_addf(text, "%-10s %9s %9s %7lld %7lld %11s %11s %11lld\n", tenant->name,
             screen_count(tenant->asked, asked), screen_count(tenant->answered, answered),
             (long long)tenant->failed, (long long)(tenant->asked - tenant->answered),
             screen_count(tenant->input_tokens, input), screen_count(tenant->output_tokens, output),
             (long long)tenant->lost_calls);
}

void load_tally_add_table(const struct load_tally *tally, struct buf *text)
{
    struct load_tenant all = {.name = "all"};
    buf_addf(text, "%-10s %9s %9s %7s %7s %11s %11s %11s\n", "tenant", "asked", "answered",
             "errors", "open", "tokens in", "tokens out", "calls lost");
    for (size_t i = 0; i < LOAD_TENANTS; i++) {
        const struct load_tenant *tenant = &tally->tenants[i];
        add_row(text, tenant);
        all.asked += tenant->asked;
        all.answered += tenant->answered;
        all.failed += tenant->failed;
        all.input_tokens += tenant->input_tokens;
        all.output_tokens += tenant->output_tokens;
        all.lost_calls += tenant->lost_calls;
    }
    add_row(text, &all);
}
