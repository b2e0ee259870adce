/* Fallbacks: the aliases that may be called in an alias's place. An alias names some; theirs follow
 * them. They may not lead back to the alias. */
#include "app/settings/parts.h"

#include <string.h>

#define LOOP_BYTES_MAX 400

/* What one alias names. */
struct named {
    uint32_t at[MODEL_FALLBACKS_MAX]; /* places in the list of aliases */
    struct place places[MODEL_FALLBACKS_MAX];
    size_t count;
    enum { UNSEEN, OPEN, DONE } walk; /* OPEN: the walk is at it, or behind it */
    size_t walked;                    /* of its names */
};

struct fallbacks {
    struct settings_reader *reader;
    struct model_alias *list;
    size_t count;
    struct named *named; /* of each alias */
    uint32_t *way;       /* the aliases whose walk is open, from its start */
    size_t way_len;
};

static uint32_t find(const struct fallbacks *fallbacks, struct slice name)
{
    uint32_t at = 0;
    while (at < fallbacks->count && !slice_equal(fallbacks->list[at].name, name))
        at++;
    return at;
}

static struct slice path_of(const struct fallbacks *fallbacks, uint32_t alias, const char *member)
{
    struct arena *arena = &fallbacks->reader->settings->arena;
    struct slice path = document_path(arena, SLICE("models.aliases"), fallbacks->list[alias].name);
    return document_path(arena, path, slice_of_text(member));
}

static bool is_named(const struct named *named, uint32_t at)
{
    for (size_t i = 0; i < named->count; i++)
        if (named->at[i] == at)
            return true;
    return false;
}

static void add_unknown(const struct fallbacks *fallbacks, struct place place, struct slice path,
                        struct slice name)
{
    struct suggest suggest;
    suggest_init(&suggest, name);
    for (size_t i = 0; i < fallbacks->count; i++)
        suggest_offer(&suggest, fallbacks->list[i].name);
    if (suggest.nearest.ptr != NULL)
        problems_add(fallbacks->reader->problems, place, path,
                     "%.*s is no alias; did you mean %.*s?", SLICE_ARG(name),
                     SLICE_ARG(suggest.nearest));
    else
        problems_add(fallbacks->reader->problems, place, path,
                     "%.*s is no alias; write one of models.aliases", SLICE_ARG(name));
}

/* Takes one name of the list of `alias`. */
static void take_name(const struct fallbacks *fallbacks, uint32_t alias,
                      const struct document_node *item, struct slice path)
{
    struct named *named = &fallbacks->named[alias];
    struct problems *problems = fallbacks->reader->problems;
    struct slice name = SLICE_NULL;
    if (!settings_take_text(fallbacks->reader, item, path, &name))
        return;
    uint32_t at = find(fallbacks, name);
    if (at == fallbacks->count) {
        add_unknown(fallbacks, item->place, path, name);
    } else if (at == alias) {
        problems_add(problems, item->place, path, "%.*s is the alias itself; remove it",
                     SLICE_ARG(name));
    } else if (is_named(named, at)) {
        problems_add(problems, item->place, path, "%.*s is there twice; keep one of them",
                     SLICE_ARG(name));
    } else {
        named->places[named->count] = item->place;
        named->at[named->count++] = at;
    }
}

static const struct document_node *member_of(const struct document_node *map, const char *name)
{
    for (const struct document_node *item = map->first; item != NULL; item = item->next)
        if (slice_equal_text(item->key, name))
            return item;
    return NULL;
}

static void take_names(const struct fallbacks *fallbacks, const struct document_node *item)
{
    uint32_t alias = find(fallbacks, item->key);
    if (alias == fallbacks->count || item->kind != DOCUMENT_MAP)
        return;
    const struct document_node *names = member_of(item, "fallback");
    const struct document_node *after = member_of(item, "fallback_after");
    if (names == NULL && after != NULL)
        problems_add(fallbacks->reader->problems, after->place,
                     path_of(fallbacks, alias, "fallback_after"),
                     "has no effect without fallback; set that too");
    if (names == NULL || names->kind != DOCUMENT_LIST || names->count > MODEL_FALLBACKS_MAX)
        return;
    struct slice path = path_of(fallbacks, alias, "fallback");
    for (const struct document_node *name = names->first; name != NULL; name = name->next)
        take_name(fallbacks, alias, name, path);
}

/* ---- loops ---- */

/* The end of the way names `again`, which is on it. */
static void add_loop(const struct fallbacks *fallbacks, uint32_t again, struct place place)
{
    struct slice name = fallbacks->list[again].name;
    struct buf loop OWNED_BY(buf_done);
    bool is_in = false;
    buf_init(&loop, LOOP_BYTES_MAX);
    for (size_t i = 0; i < fallbacks->way_len; i++) {
        is_in = is_in || fallbacks->way[i] == again;
        if (is_in)
            buf_addf(&loop, "%.*s, ", SLICE_ARG(fallbacks->list[fallbacks->way[i]].name));
    }
    buf_add(&loop, name);
    problems_add(fallbacks->reader->problems, place,
                 path_of(fallbacks, fallbacks->way[fallbacks->way_len - 1], "fallback"),
                 "%.*s leads back to itself (%s); remove one of them", SLICE_ARG(name),
                 loop.failed == OK ? buf_text(&loop) : "a long way");
}

static void step_to(struct fallbacks *fallbacks, uint32_t alias)
{
    fallbacks->named[alias].walk = OPEN;
    fallbacks->way[fallbacks->way_len++] = alias;
}

/* Walks over all that follows an alias; false: it found a loop. */
static bool walk_from(struct fallbacks *fallbacks, uint32_t alias)
{
    bool is_good = true;
    step_to(fallbacks, alias);
    while (fallbacks->way_len > 0) {
        struct named *named = &fallbacks->named[fallbacks->way[fallbacks->way_len - 1]];
        if (named->walked == named->count) {
            named->walk = DONE;
            fallbacks->way_len--;
            continue;
        }
        size_t which = named->walked++;
        uint32_t next = named->at[which];
        if (fallbacks->named[next].walk == UNSEEN)
            step_to(fallbacks, next);
        else if (fallbacks->named[next].walk == OPEN) {
            add_loop(fallbacks, next, named->places[which]);
            is_good = false;
        }
    }
    return is_good;
}

static bool walk(struct fallbacks *fallbacks)
{
    bool is_good = true;
    for (uint32_t i = 0; i < fallbacks->count; i++)
        if (fallbacks->named[i].walk == UNSEEN)
            is_good = walk_from(fallbacks, i) && is_good;
    return is_good;
}

/* ---- the lists ---- */

/* Those that an alias names, and behind each what it names. */
struct chain {
    uint32_t at[MODEL_FALLBACKS_MAX];
    size_t count;
    bool is_full;
};

/* Adds what `alias` names, unless it is there, with what follows. The way has no loop. */
static void add_chain(struct fallbacks *fallbacks, uint32_t alias, struct chain *chain)
{
    for (uint32_t i = 0; i < fallbacks->count; i++)
        fallbacks->named[i].walked = 0;
    fallbacks->way[0] = alias;
    fallbacks->way_len = 1;
    while (fallbacks->way_len > 0) {
        struct named *named = &fallbacks->named[fallbacks->way[fallbacks->way_len - 1]];
        if (named->walked == named->count) {
            fallbacks->way_len--;
            continue;
        }
        uint32_t next = named->at[named->walked++];
        bool is_there = false;
        for (size_t i = 0; i < chain->count; i++)
            is_there = is_there || chain->at[i] == next;
        if (is_there)
            continue;
        chain->is_full = chain->count == MODEL_FALLBACKS_MAX;
        if (chain->is_full)
            return;
        chain->at[chain->count++] = next;
        fallbacks->way[fallbacks->way_len++] = next;
    }
}

static void set_chain(struct fallbacks *fallbacks, uint32_t alias)
{
    struct problems *problems = fallbacks->reader->problems;
    const struct named *named = &fallbacks->named[alias];
    struct chain chain = {.count = 0};
    if (named->count == 0)
        return;
    add_chain(fallbacks, alias, &chain);
    struct slice path = path_of(fallbacks, alias, "fallback");
    uint32_t *at = arena_new_array(&fallbacks->reader->settings->arena, chain.count, sizeof *at);
    if (chain.is_full)
        problems_add(problems, named->places[0], path,
                     "leads to more than %d aliases, theirs included; remove some",
                     MODEL_FALLBACKS_MAX);
    else if (at == NULL)
        problems_add(problems, named->places[0], path, "out of memory");
    if (chain.is_full || at == NULL)
        return;
    memcpy(at, chain.at, chain.count * sizeof *at);
    fallbacks->list[alias].fallbacks = at;
    fallbacks->list[alias].fallback_count = chain.count;
}

void settings_take_fallbacks(struct settings_reader *reader, const struct document_node *node,
                             struct model_alias *list, size_t count)
{
    struct arena *arena = &reader->settings->arena;
    struct fallbacks fallbacks = {.reader = reader, .list = list, .count = count};
    fallbacks.named = arena_new_array(arena, count, sizeof *fallbacks.named);
    fallbacks.way = arena_new_array(arena, count, sizeof *fallbacks.way);
    if (fallbacks.named == NULL || fallbacks.way == NULL) {
        problems_add(reader->problems, node->place, SLICE("models.aliases"), "out of memory");
        return;
    }
    for (const struct document_node *item = node->first; item != NULL; item = item->next)
        if (!document_is_repeated(node, item))
            take_names(&fallbacks, item);
    if (!walk(&fallbacks))
        return;
    for (uint32_t i = 0; i < count; i++)
        set_chain(&fallbacks, i);
}
