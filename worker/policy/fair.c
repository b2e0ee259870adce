#include "policy/fair.h"

#include "base/check.h"
#include "base/memory.h"

#define TAG_SCALE FAIR_WEIGHT_MAX /* tags of one token at weight 1 */
#define WHOLE     100

/* A member of a ring. */
struct flow {
    struct heap_node node; /* its key: the tag at which its first request would be finished */
    int64_t start;         /* … if it began at this one */
    uint32_t weight;
};

struct fair_tenant {
    struct flow flow;
    struct link link; /* free, or in its bucket */
    struct fair_line *line;
    enum fair_class class;
    struct fair_ring queues; /* not empty */
};

/* The entries of one tenant, class and partition. */
struct fair_queue {
    struct flow flow;
    struct link link; /* free, or in its bucket */
    struct fair_tenant *tenant;
    uint64_t partition;
    struct link entries; /* not empty */
};

/* Hundredths of all tokens that a class gets at least while its requests wait. */
static const uint64_t LEAST[FAIR_CLASSES] = {[FAIR_NORMAL] = 15, [FAIR_LOW] = 5};

/* ---- the pool ---- */

static struct link *buckets_new(size_t count)
{
    struct link *buckets = memory_new(count * sizeof *buckets);
    for (size_t i = 0; buckets != NULL && i < count; i++)
        link_init(&buckets[i]);
    return buckets;
}

enum err fair_pool_init(struct fair_pool *pool, size_t entries, uint64_t seed)
{
    size_t count = 1;
    while (count < entries)
        count *= 2;
    *pool = (struct fair_pool){.mask = count - 1, .seed = seed};
    link_init(&pool->free_tenants);
    link_init(&pool->free_queues);
    pool->tenant_buckets = buckets_new(count);
    pool->queue_buckets = buckets_new(count);
    pool->tenants = memory_new(entries * sizeof *pool->tenants);
    pool->queues = memory_new(entries * sizeof *pool->queues);
    if (pool->tenant_buckets == NULL || pool->queue_buckets == NULL || pool->tenants == NULL ||
        pool->queues == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < entries; i++) {
        link_init(&pool->tenants[i].link);
        link_init(&pool->queues[i].link);
        list_add_last(&pool->free_tenants, &pool->tenants[i].link);
        list_add_last(&pool->free_queues, &pool->queues[i].link);
    }
    return OK;
}

void fair_pool_done(struct fair_pool *pool)
{
    memory_free(pool->tenant_buckets);
    memory_free(pool->queue_buckets);
    memory_free(pool->tenants);
    memory_free(pool->queues);
}

/* ---- rings ---- */

static uint64_t cost_of(const struct fair_entry *entry)
{
    return entry->cost == 0 ? 1 : entry->cost < FAIR_COST_MAX ? entry->cost : FAIR_COST_MAX;
}

static int64_t tags_of(uint64_t cost, uint32_t weight)
{
    int64_t tags = (int64_t)(cost * TAG_SCALE / weight);
    return tags == 0 ? 1 : tags;
}

/* The member's first request has this cost from now on. */
static void ring_place(struct fair_ring *ring, struct flow *flow, uint64_t cost)
{
    heap_remove(&ring->heap, &flow->node);
    flow->node.key = flow->start + tags_of(cost, flow->weight);
    heap_add(&ring->heap, &flow->node);
}

/* A member comes, with a request of this cost. */
static void ring_enter(struct fair_pool *pool, struct fair_ring *ring, struct flow *flow,
                       uint64_t cost)
{
    if (ring->heap.root == NULL)
        ring->tag = 0;
    flow->start = ring->tag;
    flow->node.order = pool->order++;
    flow->node.key = flow->start + tags_of(cost, flow->weight);
    heap_add(&ring->heap, &flow->node);
}

/* The member's first request is taken. */
static void ring_take(struct fair_ring *ring, struct flow *flow)
{
    if (flow->node.key > ring->tag)
        ring->tag = flow->node.key;
    flow->start = ring->tag;
}

/* The member's next request was taken before and cost nothing: it is next. */
static void ring_give_back(const struct fair_ring *ring, struct flow *flow, uint64_t cost)
{
    int64_t start = ring->tag - tags_of(cost, flow->weight);
    if (start < flow->start)
        flow->start = start;
}

/* ---- tenants and their partitions ---- */

static uint64_t mixed(uint64_t hash, uint64_t number)
{
    hash = (hash ^ number) * 0x9e3779b97f4a7c15ULL;
    return hash ^ hash >> 32;
}

static struct link *tenant_bucket(const struct fair_pool *pool, const struct fair_line *line,
                                  enum fair_class class, struct slice tenant)
{
    uint64_t hash = slice_hash(tenant, pool->seed);
    hash = mixed(mixed(hash, (uint64_t) class), (uintptr_t)line);
    return &pool->tenant_buckets[hash & pool->mask];
}

static struct link *queue_bucket(const struct fair_pool *pool, const struct fair_tenant *tenant,
                                 uint64_t partition)
{
    return &pool->queue_buckets[mixed(mixed(pool->seed, partition), (uintptr_t)tenant) &
                                pool->mask];
}

static struct fair_entry *first_of_queue(const struct fair_queue *queue)
{
    return LINK_OWNER(queue->entries.next, struct fair_entry, link);
}

static struct fair_queue *first_queue(const struct fair_tenant *tenant)
{
    return HEAP_OWNER(tenant->queues.heap.root, struct fair_queue, flow.node);
}

static struct fair_entry *first_of_tenant(const struct fair_tenant *tenant)
{
    return first_of_queue(first_queue(tenant));
}

/* NULL = none waits. */
static struct fair_entry *first_of_class(const struct fair_line *line, enum fair_class class)
{
    struct heap_node *root = line->classes[class].tenants.heap.root;
    return root == NULL ? NULL : first_of_tenant(HEAP_OWNER(root, struct fair_tenant, flow.node));
}

static struct fair_tenant *find_tenant(const struct fair_pool *pool, const struct fair_line *line,
                                       enum fair_class class, struct slice name)
{
    struct link *bucket = tenant_bucket(pool, line, class, name);
    for (struct link *link = bucket->next; link != bucket; link = link->next) {
        struct fair_tenant *tenant = LINK_OWNER(link, struct fair_tenant, link);
        if (tenant->line == line && tenant->class == class &&
            slice_equal(first_of_tenant(tenant)->tenant, name))
            return tenant;
    }
    return NULL;
}

static struct fair_queue *find_queue(const struct fair_pool *pool, const struct fair_tenant *tenant,
                                     uint64_t partition)
{
    struct link *bucket = queue_bucket(pool, tenant, partition);
    for (struct link *link = bucket->next; link != bucket; link = link->next) {
        struct fair_queue *queue = LINK_OWNER(link, struct fair_queue, link);
        if (queue->tenant == tenant && queue->partition == partition)
            return queue;
    }
    return NULL;
}

/* The caller adds the first queue. */
static struct fair_tenant *new_tenant(struct fair_pool *pool, struct fair_line *line,
                                      const struct fair_entry *entry)
{
    struct link *link = list_first(&pool->free_tenants);
    CHECK(link != NULL);
    struct fair_tenant *tenant = LINK_OWNER(link, struct fair_tenant, link);
    link_out(link);
    tenant->line = line;
    tenant->class = entry->class;
    tenant->flow.weight = entry->weight;
    tenant->queues = (struct fair_ring){.tag = 0};
    list_add_last(tenant_bucket(pool, line, entry->class, entry->tenant), link);
    ring_enter(pool, &line->classes[entry->class].tenants, &tenant->flow, cost_of(entry));
    line->classes[entry->class].tenant_count++;
    return tenant;
}

/* The caller adds the first entry. */
static struct fair_queue *new_queue(struct fair_pool *pool, struct fair_tenant *tenant,
                                    const struct fair_entry *entry)
{
    struct link *link = list_first(&pool->free_queues);
    CHECK(link != NULL);
    struct fair_queue *queue = LINK_OWNER(link, struct fair_queue, link);
    link_out(link);
    queue->tenant = tenant;
    queue->partition = entry->partition;
    queue->flow.weight = 1;
    link_init(&queue->entries);
    list_add_last(queue_bucket(pool, tenant, entry->partition), link);
    ring_enter(pool, &tenant->queues, &queue->flow, cost_of(entry));
    return queue;
}

static struct fair_ring *ring_of(const struct fair_tenant *tenant)
{
    return &tenant->line->classes[tenant->class].tenants;
}

/* The tenant's and the queue's first request may be another one. */
static void place(struct fair_queue *queue)
{
    struct fair_tenant *tenant = queue->tenant;
    ring_place(&tenant->queues, &queue->flow, cost_of(first_of_queue(queue)));
    ring_place(ring_of(tenant), &tenant->flow, cost_of(first_of_tenant(tenant)));
}

/* Forgets what has no waiting request. */
static void forget(struct fair_pool *pool, struct fair_queue *queue)
{
    struct fair_tenant *tenant = queue->tenant;
    heap_remove(&tenant->queues.heap, &queue->flow.node);
    link_out(&queue->link);
    list_add_first(&pool->free_queues, &queue->link);
    if (tenant->queues.heap.root != NULL) {
        ring_place(ring_of(tenant), &tenant->flow, cost_of(first_of_tenant(tenant)));
        return;
    }
    heap_remove(&ring_of(tenant)->heap, &tenant->flow.node);
    link_out(&tenant->link);
    list_add_first(&pool->free_tenants, &tenant->link);
    tenant->line->classes[tenant->class].tenant_count--;
}

/* ---- entries ---- */

static void come_back(struct fair_queue *queue, const struct fair_entry *entry)
{
    struct fair_tenant *tenant = queue->tenant;
    ring_give_back(&tenant->queues, &queue->flow, cost_of(entry));
    ring_give_back(ring_of(tenant), &tenant->flow, cost_of(entry));
    tenant->line->classes[entry->class].saved += entry->saved;
}

void fair_add(struct fair_pool *pool, struct fair_line *line, struct fair_entry *entry,
              bool at_front)
{
    CHECK(entry->queue == NULL && entry->weight > 0 && entry->weight <= FAIR_WEIGHT_MAX);
    struct fair_tenant *tenant = find_tenant(pool, line, entry->class, entry->tenant);
    if (tenant == NULL)
        tenant = new_tenant(pool, line, entry);
    struct fair_queue *queue = find_queue(pool, tenant, entry->partition);
    if (queue == NULL)
        queue = new_queue(pool, tenant, entry);
    tenant->flow.weight = entry->weight;
    if (at_front)
        list_add_first(&queue->entries, &entry->link);
    else
        list_add_last(&queue->entries, &entry->link);
    if (at_front && entry->is_unbilled)
        come_back(queue, entry);
    entry->is_unbilled = false;
    entry->queue = queue;
    line->classes[entry->class].waiting++;
    place(queue);
}

void fair_remove(struct fair_pool *pool, struct fair_line *line, struct fair_entry *entry)
{
    struct fair_queue *queue = entry->queue;
    CHECK(queue != NULL && queue->tenant->line == line);
    link_out(&entry->link);
    entry->queue = NULL;
    if (--line->classes[entry->class].waiting == 0)
        line->classes[entry->class].saved = 0;
    if (link_alone(&queue->entries))
        forget(pool, queue);
    else
        place(queue);
}

/* Whose turn it is among the first entries of the classes; NULL = there is none. */
static struct fair_entry *choose_class(struct fair_entry *const first[FAIR_CLASSES],
                                       const uint64_t saved[FAIR_CLASSES])
{
    for (enum fair_class class = FAIR_NORMAL; class < FAIR_CLASSES; class ++)
        if (first[class] != NULL && saved[class] >= cost_of(first[class]) * WHOLE)
            return first[class];
    for (enum fair_class class = 0; class < FAIR_CLASSES; class ++)
        if (first[class] != NULL)
            return first[class];
    return NULL;
}

/* Each waiting class saves up its part of what the entry costs; its own class spends, and the
 * function returns how much. */
static uint64_t charge_classes(struct fair_entry *const first[FAIR_CLASSES],
                               uint64_t saved[FAIR_CLASSES], const struct fair_entry *entry)
{
    uint64_t cost = cost_of(entry), *own = &saved[entry->class];
    for (enum fair_class class = FAIR_NORMAL; class < FAIR_CLASSES; class ++)
        if (first[class] != NULL)
            saved[class] += cost * LEAST[class];
    uint64_t spent = *own < cost * WHOLE ? *own : cost * WHOLE;
    *own -= spent;
    return spent;
}

static void find_first(const struct fair_line *line, struct fair_entry *ret_first[FAIR_CLASSES],
                       uint64_t ret_saved[FAIR_CLASSES])
{
    for (enum fair_class class = 0; class < FAIR_CLASSES; class ++) {
        ret_first[class] = first_of_class(line, class);
        ret_saved[class] = line->classes[class].saved;
    }
}

struct fair_entry *fair_next(const struct fair_line *line)
{
    struct fair_entry *first[FAIR_CLASSES];
    uint64_t saved[FAIR_CLASSES];
    find_first(line, first, saved);
    return choose_class(first, saved);
}

void fair_take(struct fair_pool *pool, struct fair_line *line, struct fair_entry *entry)
{
    struct fair_queue *queue = entry->queue;
    struct fair_entry *first[FAIR_CLASSES];
    uint64_t saved[FAIR_CLASSES];
    CHECK(queue != NULL);
    ring_take(&queue->tenant->queues, &queue->flow);
    ring_take(ring_of(queue->tenant), &queue->tenant->flow);
    find_first(line, first, saved);
    entry->saved = charge_classes(first, saved, entry);
    for (enum fair_class class = 0; class < FAIR_CLASSES; class ++)
        line->classes[class].saved = saved[class];
    fair_remove(pool, line, entry);
    entry->is_unbilled = true;
}

/* ---- the order of the turns ---- */

/* NULL = the heap is empty. */
static struct fair_entry *take_sorted(struct heap *heap)
{
    struct heap_node *root = heap->root;
    if (root == NULL)
        return NULL;
    heap_remove(heap, root);
    return HEAP_OWNER(root, struct fair_entry, sorted);
}

/* Sorts in a member's next request; *start is where it begins, and then the one after it. */
static void sort_next(struct heap *heap, struct fair_entry *entry, const struct fair_ring *ring,
                      const struct flow *flow, int64_t *start)
{
    int64_t tag = *start + tags_of(cost_of(entry), flow->weight);
    entry->sorted.key = tag;
    entry->sorted.order = flow->node.order;
    heap_add(heap, &entry->sorted);
    *start = tag < ring->tag ? ring->tag : tag;
}

/* Sorts the entries of a queue among those of its tenant. */
static void sort_queue(struct fair_queue *queue, struct heap *of_tenant)
{
    const struct fair_ring *ring = &queue->tenant->queues;
    int64_t start = queue->flow.start;
    for (struct link *link = queue->entries.next; link != &queue->entries; link = link->next) {
        struct fair_entry *entry = LINK_OWNER(link, struct fair_entry, link);
        sort_next(of_tenant, entry, ring, &queue->flow, &start);
    }
}

/* Sorts the entries of a tenant among those of its class. */
static void sort_tenant(struct fair_tenant *tenant, struct heap *of_class)
{
    struct heap own = {.root = NULL};
    int64_t start = tenant->flow.start;
    for (struct heap_node *node = NULL; (node = heap_walk(&tenant->queues.heap, node)) != NULL;)
        sort_queue(HEAP_OWNER(node, struct fair_queue, flow.node), &own);
    for (struct fair_entry *entry; (entry = take_sorted(&own)) != NULL;)
        sort_next(of_class, entry, ring_of(tenant), &tenant->flow, &start);
}

void fair_walk_begin(const struct fair_line *line, struct fair_walk *ret_walk)
{
    *ret_walk = (struct fair_walk){.saved = {0}};
    for (enum fair_class class = 0; class < FAIR_CLASSES; class ++) {
        ret_walk->saved[class] = line->classes[class].saved;
        for (struct heap_node *node = NULL;
             (node = heap_walk(&line->classes[class].tenants.heap, node)) != NULL;)
            sort_tenant(HEAP_OWNER(node, struct fair_tenant, flow.node), &ret_walk->sorted[class]);
    }
}

struct fair_entry *fair_walk_next(struct fair_walk *walk)
{
    struct fair_entry *first[FAIR_CLASSES];
    for (enum fair_class class = 0; class < FAIR_CLASSES; class ++) {
        struct heap_node *root = walk->sorted[class].root;
        first[class] = root == NULL ? NULL : HEAP_OWNER(root, struct fair_entry, sorted);
    }
    struct fair_entry *next = choose_class(first, walk->saved);
    if (next == NULL)
        return NULL;
    (void)charge_classes(first, walk->saved, next);
    return take_sorted(&walk->sorted[next->class]);
}

uint32_t fair_ahead(const struct fair_pool *pool, const struct fair_line *line,
                    enum fair_class class, struct slice tenant)
{
    bool waits = find_tenant(pool, line, class, tenant) != NULL;
    uint32_t count = waits ? line->classes[class].waiting : line->classes[class].tenant_count;
    for (enum fair_class higher = 0; higher < class; higher++)
        count += line->classes[higher].waiting;
    return count;
}

struct fair_place fair_place_of(const struct fair_line *line, const struct fair_entry *entry)
{
    struct fair_place place = {.own = 0};
    struct fair_walk walk;
    CHECK(entry->queue != NULL && entry->queue->tenant->line == line);
    fair_walk_begin(line, &walk);
    for (struct fair_entry *other; (other = fair_walk_next(&walk)) != entry;)
        if (other->queue->tenant == entry->queue->tenant)
            place.own++;
        else
            place.others++;
    return place;
}
