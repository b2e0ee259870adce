#include "base/heap.h"

#include <stdbool.h>

static bool is_before(const struct heap_node *a, const struct heap_node *b)
{
    return a->key < b->key || (a->key == b->key && a->order < b->order);
}

static uint32_t rank_of(const struct heap_node *node)
{
    return node == NULL ? 0 : node->rank;
}

/* The shorter way is on the right. */
static void lean_left(struct heap_node *node)
{
    if (rank_of(node->left) < rank_of(node->right)) {
        struct heap_node *left = node->left;
        node->left = node->right;
        node->right = left;
    }
    node->rank = rank_of(node->right) + 1;
}

/* Goes down the right ways only, which have O(log n) nodes, and up again. Returns the new top. */
static struct heap_node *merge(struct heap_node *a, struct heap_node *b)
{
    struct heap_node *top = NULL, *last = NULL;
    while (a != NULL && b != NULL) {
        struct heap_node *first = is_before(a, b) ? a : b, *other = first == a ? b : a;
        first->up = last;
        if (last == NULL)
            top = first;
        else
            last->right = first;
        last = first;
        a = first->right;
        b = other;
    }
    struct heap_node *rest = a != NULL ? a : b;
    if (last == NULL)
        return rest;
    last->right = rest;
    if (rest != NULL)
        rest->up = last;
    for (struct heap_node *node = last; node != NULL; node = node->up)
        lean_left(node);
    return top;
}

void heap_add(struct heap *heap, struct heap_node *node)
{
    node->left = node->right = node->up = NULL;
    node->rank = 1;
    heap->root = merge(heap->root, node);
    heap->root->up = NULL;
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
    struct heap_node *up = node->up;
    if (node->left != NULL)
        node->left->up = NULL;
    if (node->right != NULL)
        node->right->up = NULL;
    struct heap_node *below = merge(node->left, node->right);
    if (below != NULL)
        below->up = up;
    if (up == NULL)
        heap->root = below;
    else if (up->left == node)
        up->left = below;
    else
        up->right = below;
    for (bool has_changed = true; up != NULL && has_changed; up = up->up) {
        uint32_t before = up->rank;
        lean_left(up);
        has_changed = up->rank != before;
    }
}

struct heap_node *heap_walk(const struct heap *heap, const struct heap_node *node)
{
    if (node == NULL)
        return heap->root;
    if (node->left != NULL)
        return node->left;
    if (node->right != NULL)
        return node->right;
    for (; node->up != NULL; node = node->up)
        if (node->up->left == node && node->up->right != NULL)
            return node->up->right;
    return NULL;
}
