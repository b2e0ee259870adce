#include "app/reload.h"

#include "base/memory.h"

#define SETTLED_MS   1000 /* the content must stay the same for this long, */
#define ASKED_MS     100  /* or, after a SIGHUP, for this long */
#define SLOW_MS      1000 /* between two looks when there are no free terms */
#define UNREADABLE   0    /* in place of a hash */
#define PRICES_PRIME 0x9e3779b97f4a7c15U
#define NAMES_MAX    2048
#define MISTAKES_MAX 3 /* in the log line */

static void log_line(const struct reload *reload, enum log_event event,
                     const struct log_field *fields, size_t count)
{
    const struct ports *ports = io_ports(reload->io);
    ports->log(ports->self, event, fields, count);
}

static const char *file_name(const struct reload *reload)
{
    return reload->origin.file == NULL ? "the defaults" : reload->origin.file;
}

static void settings_drop(struct settings *settings)
{
    if (settings != NULL)
        settings_free(settings);
    memory_free(settings);
}

/* ---- contents ---- */

/* Of the settings' text and the price file's content together. */
static uint64_t joined_hash(uint64_t settings, uint64_t prices)
{
    return settings ^ (prices * PRICES_PRIME);
}

/* The content of the price file that the last reading named. */
static uint64_t prices_hash(struct reload *reload)
{
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, DOCUMENT_BYTES_MAX);
    if (reload->prices_file.len == 0 ||
        settings_read_regular(buf_text(&reload->prices_file), &text) != NULL)
        return UNREADABLE;
    return price_file_hash(buf_slice(&text));
}

/* Remembers what was read, to see when it changes. */
static void note_read(struct reload *reload, const struct settings *settings)
{
    buf_reset(&reload->prices_file);
    buf_add(&reload->prices_file, settings->prices_file.file);
    reload->read_hash = joined_hash(settings->file_hash, settings->hashes.prices_file);
    reload->seen_hash = reload->read_hash;
}

/* ---- a reading ---- */

/* The mistakes that come first, with their places. */
static void add_first(const struct problems *problems, struct buf *buf)
{
    for (size_t i = 0; i < problems->count && i < MISTAKES_MAX; i++) {
        const struct problem *problem = &problems->list[i];
        buf_addf(buf, "%s%s", i > 0 ? "; " : "", problem->place.file);
        if (problem->place.line > 0)
            buf_addf(buf, ":%u:%u", problem->place.line, problem->place.column);
        buf_addf(buf, ": %s%s%s", problem->path, problem->path[0] != '\0' ? ": " : "",
                 problem->text);
    }
}

static void log_mistakes(const struct reload *reload, const struct problems *problems)
{
    struct buf first OWNED_BY(buf_done);
    buf_init(&first, MISTAKES_MAX * sizeof(struct problem) * 2);
    add_first(problems, &first);
    const struct log_field fields[] = {
        FIELD_TEXT("file", slice_of_text(file_name(reload))),
        FIELD_INT("mistakes", (int64_t)problems_found(problems)),
        FIELD_TEXT("first", buf_slice(&first)),
    };
    log_line(reload, LOG_SETTINGS_NOT_RELOADED, fields, COUNT_OF(fields));
}

/* commit_interval reloads and transaction.timeout.ms does not, so the file alone does not show
 * whether they go together. */
static void check_interval(const struct reload *reload, const struct settings *settings,
                           struct problems *problems)
{
    const struct kafka_config *kafka = &reload->assembly->io.kafka;
    int64_t limit_ms = kafka_conf_number(kafka, KAFKA_PUBLISHER, "transaction.timeout.ms");
    if (kafka->exactly_once && limit_ms > 0 && settings->delivery_commit_interval_ms >= limit_ms)
        problems_add(problems, settings->at.delivery_commit_interval_ms,
                     SLICE("delivery.commit_interval"),
                     "must be below transaction.timeout.ms, which is %lld ms until a restart",
                     (long long)limit_ms);
}

/* The threads that keep identities fresh are made at the start. */
static void check_identities(const struct reload *reload, const struct settings *settings,
                             struct problems *problems)
{
    if (!settings_identities_equal(reload->first, settings))
        problems_add(problems, settings->at.models_aliases, SLICE("models.aliases"),
                     "change identities of aliases, which needs a restart");
}

/* The usage topic is read from the start of the longest span, since the worker's start. */
static void check_budgets(const struct reload *reload, const struct settings *settings,
                          struct problems *problems)
{
    if (tenant_longest_span(&settings->tenants.table) >
        tenant_longest_span(&reload->first->tenants.table))
        problems_add(problems, settings->at.tenants, SLICE("tenants"),
                     "have a budget for a longer span than any at the start, which needs a "
                     "restart");
}

/* Reads text and variables anew. False: `problems` says why. */
static bool read_again(const struct reload *reload, struct slice text, struct settings *settings,
                       struct problems *problems)
{
    const struct settings_origin *origin = &reload->origin;
    struct settings_source source = {
        .text = text,
        .file = origin->file != NULL ? origin->file : "default",
        .overrides = origin->overrides,
        .override_count = origin->override_count,
        .environment = settings_environment(),
    };
    if (settings_read(settings, &source, problems)) {
        check_interval(reload, settings, problems);
        check_identities(reload, settings, problems);
        check_budgets(reload, settings, problems);
    }
    return problems->count == 0;
}

/* ---- a change ---- */

static void log_names(const struct reload *reload, enum log_event event, const struct buf *names)
{
    const struct log_field fields[] = {
        FIELD_TEXT("file", slice_of_text(file_name(reload))),
        FIELD_TEXT("names", buf_slice(names)),
    };
    log_line(reload, event, fields, COUNT_OF(fields));
}

static void log_need_restart(const struct reload *reload, const struct settings *settings)
{
    struct buf names OWNED_BY(buf_done);
    buf_init(&names, NAMES_MAX);
    if (settings_add_changes(reload->first, settings, false, &names) > 0)
        log_names(reload, LOG_SETTINGS_NEED_RESTART, &names);
}

/* Gives the settings to engine and io, and owns them. False: there are no free terms. */
static bool apply(struct reload *reload, struct settings *settings)
{
    struct assembly *assembly = reload->assembly;
    struct engine_config engine = assembly->engine;
    struct io_config io = assembly->io;
    uint32_t number;
    assembly_change(settings, &engine, &io);
    if (!engine_reload(reload->engine, &engine, &number))
        return false;
    assembly->engine = engine;
    assembly->io = io;
    io_change(reload->io, &io);
    reload->owned[number] = settings;
    reload->now = settings;
    return true;
}

/* Takes over `settings`, which have no mistakes: applies and owns them, or frees them. */
static void take(struct reload *reload, struct settings *settings)
{
    struct buf names OWNED_BY(buf_done);
    buf_init(&names, NAMES_MAX);
    size_t changes = settings_add_changes(reload->now, settings, true, &names);
    bool is_applied = changes > 0 && apply(reload, settings);
    bool was_waiting = reload->is_waiting;
    reload->is_waiting = changes > 0 && !is_applied;
    if (reload->is_waiting && !was_waiting)
        log_names(reload, LOG_SETTINGS_WAIT, &names);
    if (!reload->is_waiting) {
        reload->has_failed = false;
        log_need_restart(reload, settings);
        if (changes == 0)
            buf_add_text(&names, "nothing");
        log_names(reload, LOG_SETTINGS_RELOADED, &names);
    }
    if (!is_applied)
        settings_drop(settings);
}

/* ---- when ---- */

/* The settings stay as they are. */
static void fail(struct reload *reload, const struct problems *problems)
{
    reload->has_failed = true;
    reload->is_waiting = false;
    log_mistakes(reload, problems);
}

/* Reads a text that may be new. */
static void reload_text(struct reload *reload, struct slice text)
{
    struct settings *settings = memory_new(sizeof *settings);
    struct problems *problems = memory_new(sizeof *problems);
    bool is_tried = settings != NULL && problems != NULL;
    bool is_right = is_tried && read_again(reload, text, settings, problems);
    if (is_tried)
        note_read(reload, settings);
    if (is_right) {
        take(reload, settings);
        settings = NULL;
    } else if (problems != NULL) {
        if (settings == NULL)
            problems_add(problems, (struct place){"settings", 0, 0}, SLICE(""), "out of memory");
        fail(reload, problems);
    }
    settings_drop(settings);
    memory_free(problems);
}

/* Looks at the content; reads it if it has changed and then stayed the same, or is asked for. A
 * file that cannot be read is a content, too. */
static void look(struct reload *reload, int64_t now_ms)
{
    struct buf text OWNED_BY(buf_done);
    struct problems *problems = memory_new(sizeof *problems);
    const char *file = reload->origin.file;
    buf_init(&text, DOCUMENT_BYTES_MAX + 4096);
    if (problems == NULL)
        return;
    problems_init(problems);
    bool is_read = file == NULL || settings_read_file(file, &text, problems);
    uint64_t hash = UNREADABLE;
    if (is_read)
        hash = joined_hash(settings_text_hash(buf_slice(&text)), prices_hash(reload));
    bool is_new = hash != reload->read_hash, has_settled = hash == reload->seen_hash;
    reload->seen_hash = hash;
    if (is_new && !has_settled) {
        reload->due_ms = now_ms + (reload->is_asked ? ASKED_MS : SETTLED_MS);
    } else if (is_new || reload->is_asked || reload->is_waiting) {
        reload->is_asked = false;
        reload->read_hash = hash;
        if (is_read)
            reload_text(reload, buf_slice(&text));
        else
            fail(reload, problems);
    }
    memory_free(problems);
}

/* Frees the settings of earlier readings that no request has any more. */
static void sweep(struct reload *reload)
{
    for (uint32_t i = 0; i < ENGINE_TERMS_MAX; i++) {
        if (reload->owned[i] == NULL || engine_uses_terms(reload->engine, i))
            continue;
        settings_drop(reload->owned[i]);
        reload->owned[i] = NULL;
    }
}

void reload_init(struct reload *reload, const struct settings_origin *origin,
                 const struct settings *settings, struct assembly *assembly)
{
    *reload = (struct reload){
        .origin = origin != NULL ? *origin : (struct settings_origin){0},
        .assembly = assembly,
        .first = settings,
        .now = settings,
        .is_off = origin == NULL,
        .due_ms = INT64_MIN,
    };
    buf_init(&reload->prices_file, SIZE_MAX);
    note_read(reload, settings);
}

static void log_pipe(struct reload *reload)
{
    const struct log_field fields[] = {
        FIELD_TEXT("file", slice_of_text(file_name(reload))),
        FIELD_INT("mistakes", 1),
        FIELD_TEXT("first", SLICE("it cannot be read a second time; start the worker with a file")),
    };
    reload->is_asked = false;
    log_line(reload, LOG_SETTINGS_NOT_RELOADED, fields, COUNT_OF(fields));
}

void reload_step(struct reload *reload, int64_t now_ms, bool is_asked)
{
    const char *file = reload->origin.file;
    int64_t watch_ms = reload->now->settings_watch_ms;
    if (reload->is_off)
        return;
    sweep(reload);
    if (reload->due_ms == INT64_MIN)
        reload->due_ms = now_ms + watch_ms;
    if (is_asked)
        reload->due_ms = now_ms;
    reload->is_asked |= is_asked;
    bool has_file = file != NULL || reload->prices_file.len > 0;
    bool is_watching = reload->is_asked || reload->is_waiting || (watch_ms > 0 && has_file);
    if (!is_watching || now_ms < reload->due_ms)
        return;
    reload->due_ms = now_ms + (reload->is_waiting ? SLOW_MS : watch_ms);
    if (file == NULL || !settings_file_is_pipe(file))
        look(reload, now_ms);
    else if (reload->is_asked)
        log_pipe(reload);
}

void reload_done(struct reload *reload)
{
    buf_done(&reload->prices_file);
    for (uint32_t i = 0; i < ENGINE_TERMS_MAX; i++) {
        settings_drop(reload->owned[i]);
        reload->owned[i] = NULL;
    }
}
