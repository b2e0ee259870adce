#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"
#include "policy/fair.h"

#define ENTRIES 4096

struct hall {
    struct fair_pool pool;
    struct fair_line line;
    struct fair_entry entries[ENTRIES];
    char names[ENTRIES][16];
    size_t count;
};

static struct hall *hall_new(void)
{
    struct hall *hall = calloc(1, sizeof *hall);
    assert_non_null(hall);
    assert_int_equal(fair_pool_init(&hall->pool, ENTRIES, 1), OK);
    return hall;
}

static size_t length(const struct link *list)
{
    size_t count = 0;
    for (const struct link *link = list->next; link != list; link = link->next)
        count++;
    return count;
}

/* Nothing is left of what waited. */
static void hall_free(struct hall *hall)
{
    for (struct fair_entry *entry; (entry = fair_next(&hall->line)) != NULL;)
        fair_remove(&hall->pool, &hall->line, entry);
    assert_int_equal(length(&hall->pool.free_tenants), ENTRIES);
    assert_int_equal(length(&hall->pool.free_queues), ENTRIES);
    for (enum fair_class class = 0; class < FAIR_CLASSES; class ++)
        assert_int_equal(hall->line.classes[class].tenant_count, 0);
    fair_pool_done(&hall->pool);
    free(hall);
}

struct who {
    const char *tenant;
    uint32_t weight;
    enum fair_class class;
    uint64_t partition;
};

static struct fair_entry *come(struct hall *hall, struct who who, uint64_t cost)
{
    assert_true(hall->count < ENTRIES);
    struct fair_entry *entry = &hall->entries[hall->count];
    (void)snprintf(hall->names[hall->count], sizeof hall->names[0], "%s", who.tenant);
    *entry = (struct fair_entry){.class = who.class,
                                 .weight = who.weight,
                                 .tenant = slice_of_text(hall->names[hall->count]),
                                 .partition = who.partition,
                                 .cost = cost};
    link_init(&entry->link);
    hall->count++;
    fair_add(&hall->pool, &hall->line, entry, false);
    return entry;
}

static struct fair_entry *take(struct hall *hall)
{
    struct fair_entry *entry = fair_next(&hall->line);
    assert_non_null(entry);
    fair_take(&hall->pool, &hall->line, entry);
    return entry;
}

static bool is_of(const struct fair_entry *entry, const char *tenant)
{
    return slice_equal_text(entry->tenant, tenant);
}

static const struct who FLOOD = {"flood", 1, FAIR_NORMAL, 0};
static const struct who QUIET = {"quiet", 1, FAIR_NORMAL, 0};

static void requests_of_one_tenant_and_partition_keep_their_order(void **state)
{
    (void)state;
    struct hall *hall = hall_new();
    for (uint64_t i = 0; i < 50; i++)
        (void)come(hall, FLOOD, 1 + i * 37 % 11);
    for (size_t i = 0; i < 50; i++)
        assert_ptr_equal(take(hall), &hall->entries[i]);
    hall_free(hall);
}

static void a_quiet_tenant_is_next_whatever_the_others_have(void **state)
{
    (void)state;
    struct hall *hall = hall_new();
    for (int i = 0; i < 2000; i++)
        (void)come(hall, FLOOD, 1000);
    for (int i = 0; i < 100; i++)
        (void)take(hall);
    struct fair_entry *quiet = come(hall, QUIET, 1000);
    int ahead = 0;
    while (take(hall) != quiet)
        ahead++;
    assert_true(ahead <= 1);
    hall_free(hall);
}

static uint64_t tokens_of(struct hall *hall, const char *tenant, uint64_t until)
{
    uint64_t own = 0;
    for (uint64_t all = 0; all < until;) {
        const struct fair_entry *entry = take(hall);
        all += entry->cost;
        own += is_of(entry, tenant) ? entry->cost : 0;
    }
    return own;
}

static void tenants_share_the_tokens_by_their_weights(void **state)
{
    (void)state;
    struct hall *hall = hall_new();
    for (int i = 0; i < 1000; i++) {
        (void)come(hall, (struct who){"small", 1, FAIR_NORMAL, 0}, 100);
        (void)come(hall, (struct who){"large", 1, FAIR_NORMAL, 0}, 700);
        (void)come(hall, (struct who){"heavy", 3, FAIR_NORMAL, 0}, 300);
    }
    assert_in_range(tokens_of(hall, "heavy", 50000), 29000, 31000);
    assert_in_range(tokens_of(hall, "large", 50000), 9000, 11000);
    hall_free(hall);
}

static void a_tenant_s_partitions_share_what_it_gets(void **state)
{
    (void)state;
    struct hall *hall = hall_new();
    for (int i = 0; i < 500; i++)
        (void)come(hall, (struct who){"a", 1, FAIR_NORMAL, 1}, 100);
    for (int i = 0; i < 10; i++)
        (void)come(hall, (struct who){"a", 1, FAIR_NORMAL, 2}, 100);
    for (int i = 0; i < 500; i++)
        (void)come(hall, (struct who){"b", 1, FAIR_NORMAL, 1}, 100);
    int second = 0, others = 0;
    for (int i = 0; i < 40; i++) {
        const struct fair_entry *entry = take(hall);
        second += entry->partition == 2;
        others += is_of(entry, "b");
    }
    assert_int_equal(second, 10);
    assert_int_equal(others, 20); /* two partitions are not two tenants */
    hall_free(hall);
}

/* A tenant that sends its next request when the last one is taken is forgotten each time. */
static void leaving_and_coming_again_gains_nothing(void **state)
{
    (void)state;
    struct hall *hall = hall_new();
    for (int i = 0; i < 1000; i++)
        (void)come(hall, FLOOD, 100);
    (void)come(hall, QUIET, 100);
    int taken = 0;
    for (int i = 0; i < 500; i++) {
        if (!is_of(take(hall), "quiet"))
            continue;
        taken++;
        (void)come(hall, QUIET, 100);
    }
    assert_in_range(taken, 249, 251);
    hall_free(hall);
}

static void high_comes_before_normal_and_normal_before_low(void **state)
{
    (void)state;
    struct hall *hall = hall_new();
    static const enum fair_class ORDER[] = {FAIR_LOW, FAIR_NORMAL, FAIR_HIGH};
    for (size_t i = 0; i < COUNT_OF(ORDER); i++)
        for (int k = 0; k < 2; k++)
            (void)come(hall, (struct who){"a", 1, ORDER[i], 0}, 100);
    for (int i = 0; i < 6; i++)
        assert_int_equal(take(hall)->class, i / 2);
    hall_free(hall);
}

static void normal_gets_fifteen_percent_and_low_five(void **state)
{
    (void)state;
    struct hall *hall = hall_new();
    uint64_t tokens[FAIR_CLASSES] = {0}, all = 0;
    for (int i = 0; i < 1000; i++) {
        (void)come(hall, (struct who){"a", 1, FAIR_HIGH, 0}, 100);
        (void)come(hall, (struct who){"b", 1, FAIR_NORMAL, 0}, 30);
        (void)come(hall, (struct who){"c", 1, FAIR_LOW, 0}, 250);
    }
    for (; all < 100000;) {
        const struct fair_entry *entry = take(hall);
        tokens[entry->class] += entry->cost;
        all += entry->cost;
    }
    assert_in_range(tokens[FAIR_NORMAL], 14900, 15100);
    assert_in_range(tokens[FAIR_LOW], 4750, 5000);
    hall_free(hall);
}

static void what_a_class_did_not_need_it_does_not_save(void **state)
{
    (void)state;
    struct hall *hall = hall_new();
    for (int i = 0; i < 100; i++)
        (void)come(hall, (struct who){"a", 1, FAIR_NORMAL, 0}, 100);
    for (int i = 0; i < 50; i++)
        (void)take(hall); /* normal ones, with nobody before them */
    for (int i = 0; i < 10; i++)
        (void)come(hall, (struct who){"b", 1, FAIR_HIGH, 0}, 100);
    for (int i = 0; i < 6; i++)
        assert_int_equal(take(hall)->class, FAIR_HIGH);
    hall_free(hall);
}

static void a_refused_request_is_the_next_of_its_tenant_and_its_tenant_is_next(void **state)
{
    (void)state;
    struct hall *hall = hall_new();
    for (int i = 0; i < 20; i++)
        (void)come(hall, FLOOD, 100);
    struct fair_entry *quiet = come(hall, QUIET, 900);
    while (take(hall) != quiet)
        ;
    for (int i = 0; i < 5; i++)
        (void)take(hall);
    fair_add(&hall->pool, &hall->line, quiet, true);
    assert_ptr_equal(take(hall), quiet);
    /* Many refused ones of a flood take one turn, not many. */
    struct fair_entry *refused[5];
    for (size_t i = 0; i < COUNT_OF(refused); i++)
        refused[i] = take(hall);
    for (size_t i = COUNT_OF(refused); i-- > 0;)
        fair_add(&hall->pool, &hall->line, refused[i], true);
    quiet = come(hall, QUIET, 100);
    assert_ptr_equal(take(hall), refused[0]);
    int ahead = 0;
    while (take(hall) != quiet)
        ahead++;
    assert_true(ahead <= 1);
    hall_free(hall);
}

static void a_billed_request_that_comes_back_pays_for_its_next_turn(void **state)
{
    (void)state;
    struct hall *hall = hall_new();
    struct fair_entry *first = come(hall, FLOOD, 100);
    for (int i = 0; i < 5; i++)
        (void)come(hall, QUIET, 100);
    assert_ptr_equal(take(hall), first);
    first->is_unbilled = false;
    fair_add(&hall->pool, &hall->line, first, true);
    assert_true(is_of(take(hall), "quiet"));
    hall_free(hall);
}

static void a_hundred_thousand_tenants_leave_nothing_behind(void **state)
{
    (void)state;
    struct hall *hall = hall_new();
    for (int i = 0; i < 100000; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "tenant-%d", i);
        hall->count = (size_t)i % ENTRIES;
        if (hall->entries[hall->count].queue != NULL)
            fair_remove(&hall->pool, &hall->line, &hall->entries[hall->count]);
        (void)come(hall, (struct who){name, 1 + (uint32_t)i % 3, (enum fair_class)(i % 3), 0}, 10);
    }
    assert_true(link_alone(&hall->pool.free_tenants)); /* and the latest have all there are */
    hall_free(hall);
}

static void absurd_costs_neither_overflow_nor_stop_others(void **state)
{
    (void)state;
    struct hall *hall = hall_new();
    for (int i = 0; i < 100; i++)
        (void)come(hall, (struct who){"absurd", 1, FAIR_NORMAL, 0}, UINT64_MAX);
    for (int i = 0; i < 100; i++)
        (void)come(hall, (struct who){"free", FAIR_WEIGHT_MAX, FAIR_NORMAL, 0}, 0);
    for (int i = 0; i < 100; i++)
        assert_true(is_of(take(hall), "free"));
    for (int i = 0; i < 100; i++)
        assert_true(is_of(take(hall), "absurd"));
    hall_free(hall);
}

static void a_place_says_how_many_are_taken_before(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"a", "b", "c", "d"};
    struct hall *hall = hall_new();
    struct random random;
    random_init(&random, 5);
    for (int round = 0; round < 20; round++) {
        hall->count = 0;
        for (int i = 0; i < 60; i++) {
            size_t name = random_below(&random, COUNT_OF(NAMES));
            struct who who = {NAMES[name], 1 + (uint32_t)name,
                              (enum fair_class)random_below(&random, FAIR_CLASSES),
                              random_below(&random, 3)};
            (void)come(hall, who, 1 + random_below(&random, 900));
            if (i % 5 == 4) { /* the entry has its turn, or leaves, or comes back */
                struct fair_entry *next = take(hall);
                if (random_below(&random, 2) == 0)
                    fair_add(&hall->pool, &hall->line, next, true);
            }
        }
        struct fair_walk walk;
        fair_walk_begin(&hall->line, &walk);
        struct fair_entry *order[60];
        uint32_t count = 0;
        while ((order[count] = fair_walk_next(&walk)) != NULL)
            count++;
        for (uint32_t i = 0; i < count; i += 7) {
            struct fair_place place = fair_place_of(&hall->line, order[i]);
            assert_int_equal(place.own + place.others, i);
        }
        for (uint32_t i = 0; i < count; i++)
            assert_ptr_equal(take(hall), order[i]);
        assert_null(fair_next(&hall->line));
    }
    hall_free(hall);
}

static void a_request_that_comes_can_tell_about_how_many_it_waits_for(void **state)
{
    (void)state;
    struct hall *hall = hall_new();
    for (int i = 0; i < 100; i++)
        (void)come(hall, FLOOD, 100);
    (void)come(hall, QUIET, 100);
    (void)come(hall, (struct who){"a", 1, FAIR_HIGH, 0}, 100);
    static const struct {
        enum fair_class class;
        const char *tenant;
        uint32_t ahead;
    } cases[] = {{FAIR_NORMAL, "flood", 102},
                 {FAIR_NORMAL, "new", 3},
                 {FAIR_HIGH, "flood", 1},
                 {FAIR_HIGH, "a", 1},
                 {FAIR_LOW, "new", 102}};
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(
            fair_ahead(&hall->pool, &hall->line, cases[i].class, slice_of_text(cases[i].tenant)),
            cases[i].ahead);
    hall_free(hall);
}

/* While a request waits, later ones of others get no more than their shares of the tokens. */
static void no_request_is_overtaken_by_more_than_the_shares(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"a", "b", "c", "d"};
    struct hall *hall = hall_new();
    struct random random;
    random_init(&random, 3);
    struct fair_entry *watched = NULL;
    uint64_t overtook = 0;
    for (int step = 0; step < 50000; step++) {
        size_t place = random_below(&random, 64);
        struct fair_entry *entry = &hall->entries[place];
        hall->count = place;
        if (entry->queue == NULL) {
            size_t name = random_below(&random, COUNT_OF(NAMES));
            struct who who = {NAMES[name], 1 + (uint32_t)name, FAIR_NORMAL, place % 3};
            entry = come(hall, who, 1 + random_below(&random, 1000));
            bool is_first = fair_place_of(&hall->line, entry).own == 0;
            if (watched == NULL && is_first) {
                watched = entry;
                overtook = 0;
            }
            continue;
        }
        if (random_below(&random, 8) == 0 && entry != watched) {
            fair_remove(&hall->pool, &hall->line, entry);
            continue;
        }
        entry = take(hall);
        overtook += entry->cost;
        if (entry == watched)
            watched = NULL;
        /* Its own tokens, times the weights of all four, and the largest request of each. */
        if (watched != NULL)
            assert_true(overtook <= watched->cost * 10 / watched->weight + 4 * 1000 + 3000);
    }
    hall_free(hall);
}

static void no_memory_is_reported(void **state)
{
    (void)state;
    for (int64_t after = 0; after < 4; after++) {
        struct fair_pool pool;
        int64_t before = memory_live();
        memory_fail_after(after);
        assert_int_equal(fair_pool_init(&pool, 10, 1), ERR_NO_MEMORY);
        memory_fail_after(-1);
        fair_pool_done(&pool);
        assert_int_equal(memory_live(), before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_of_one_tenant_and_partition_keep_their_order),
        cmocka_unit_test(a_quiet_tenant_is_next_whatever_the_others_have),
        cmocka_unit_test(tenants_share_the_tokens_by_their_weights),
        cmocka_unit_test(a_tenant_s_partitions_share_what_it_gets),
        cmocka_unit_test(leaving_and_coming_again_gains_nothing),
        cmocka_unit_test(high_comes_before_normal_and_normal_before_low),
        cmocka_unit_test(normal_gets_fifteen_percent_and_low_five),
        cmocka_unit_test(what_a_class_did_not_need_it_does_not_save),
        cmocka_unit_test(a_refused_request_is_the_next_of_its_tenant_and_its_tenant_is_next),
        cmocka_unit_test(a_billed_request_that_comes_back_pays_for_its_next_turn),
        cmocka_unit_test(a_hundred_thousand_tenants_leave_nothing_behind),
        cmocka_unit_test(absurd_costs_neither_overflow_nor_stop_others),
        cmocka_unit_test(a_place_says_how_many_are_taken_before),
        cmocka_unit_test(a_request_that_comes_can_tell_about_how_many_it_waits_for),
        cmocka_unit_test(no_request_is_overtaken_by_more_than_the_shares),
        cmocka_unit_test(no_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
