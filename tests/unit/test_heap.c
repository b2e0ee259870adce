#include "unit/unit.h"

#include "base/heap.h"
#include "base/random.h"

#define NODES 300

static struct heap_node nodes[NODES];
static bool is_in[NODES];

static void add(struct heap *heap, int index, int64_t key, uint64_t order)
{
    nodes[index].key = key;
    nodes[index].order = order;
    heap_add(heap, &nodes[index]);
    is_in[index] = true;
}

static const struct heap_node *least(void)
{
    const struct heap_node *first = NULL;
    for (int i = 0; i < NODES; i++)
        if (is_in[i] && (first == NULL || nodes[i].key < first->key ||
                         (nodes[i].key == first->key && nodes[i].order < first->order)))
            first = &nodes[i];
    return first;
}

/* Each node on its way is before those below it, and leans to the left. */
static size_t check_below(const struct heap_node *node)
{
    if (node == NULL)
        return 0;
    uint32_t left = node->left == NULL ? 0 : node->left->rank;
    uint32_t right = node->right == NULL ? 0 : node->right->rank;
    assert_true(left >= right);
    assert_int_equal(node->rank, right + 1);
    assert_true(node->left == NULL || (node->left->up == node && node->left->key >= node->key));
    assert_true(node->right == NULL || (node->right->up == node && node->right->key >= node->key));
    return 1 + check_below(node->left) + check_below(node->right);
}

static void check(const struct heap *heap)
{
    size_t count = 0, walked = 0;
    for (int i = 0; i < NODES; i++)
        count += is_in[i];
    assert_int_equal(check_below(heap->root), count);
    assert_true(heap->root == NULL || heap->root->up == NULL);
    for (const struct heap_node *node = NULL; (node = heap_walk(heap, node)) != NULL;)
        walked += is_in[node - nodes];
    assert_int_equal(walked, count);
    assert_ptr_equal(heap->root, least());
}

static void the_least_key_is_first_and_equal_keys_keep_their_order(void **state)
{
    (void)state;
    struct heap heap = {.root = NULL};
    assert_null(heap_walk(&heap, NULL));
    add(&heap, 0, 5, 1);
    add(&heap, 1, 3, 3);
    add(&heap, 2, 3, 2);
    add(&heap, 3, -1, 4);
    static const int ORDER[] = {3, 2, 1, 0};
    for (size_t i = 0; i < COUNT_OF(ORDER); i++) {
        assert_ptr_equal(heap.root, &nodes[ORDER[i]]);
        heap_remove(&heap, heap.root);
    }
    assert_null(heap.root);
    memset(is_in, 0, sizeof is_in);
}

static void any_node_can_be_removed(void **state)
{
    (void)state;
    struct heap heap = {.root = NULL};
    struct random random;
    random_init(&random, 7);
    memset(is_in, 0, sizeof is_in);
    for (uint64_t step = 0; step < 4000; step++) {
        int index = (int)random_below(&random, NODES);
        if (is_in[index]) {
            heap_remove(&heap, &nodes[index]);
            is_in[index] = false;
        } else {
            add(&heap, index, (int64_t)random_below(&random, 50), step);
        }
        check(&heap);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_key_is_first_and_equal_keys_keep_their_order),
        cmocka_unit_test(any_node_can_be_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
