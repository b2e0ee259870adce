#include "base/secrets.h"

#include <stdatomic.h>
#include <string.h>

#define MASK  "***"
#define PRIME UINT64_C(0x100000001b3) /* of FNV-1a */
#define START UINT64_C(0xcbf29ce484222325)

/* Many tokens begin alike (bedrock-api-key-…), so what is left of one is compared in full, up to
 * the last of these lengths that it has. */
static const size_t CUTS[] = {
    SECRETS_CUT_BYTES, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256, 512, 1024};
#define CUT_COUNT (sizeof CUTS / sizeof CUTS[0])

/* What is known of a secret: the hashes of its first SECRETS_WORD_BYTES bytes, of all, and of the
 * beginnings of it that CUTS lists. A reader that meets a slot while it changes sees none, or takes
 * some text for a secret: neither is worth a lock. */
struct slot {
    _Atomic uint64_t head, whole, cuts[CUT_COUNT];
    _Atomic size_t len; /* 0 = none */
};

/* The slots of one kind, filled in turn. */
struct shelf {
    struct slot *slots;
    size_t room;
    _Atomic size_t learned;
};

static struct slot lasting[SECRETS_LASTING_MAX], passing[SECRETS_PASSING_MAX];
static struct shelf shelves[] = {{passing, SECRETS_PASSING_MAX, 0},
                                 {lasting, SECRETS_LASTING_MAX, 0}};

static uint64_t hash_step(uint64_t hash, char byte)
{
    return (hash ^ (unsigned char)byte) * PRIME;
}

static uint64_t hash_of(const char *ptr, size_t len)
{
    uint64_t hash = START;
    for (size_t i = 0; i < len; i++)
        hash = hash_step(hash, ptr[i]);
    return hash;
}

static size_t head_len(size_t len)
{
    return len < SECRETS_WORD_BYTES ? len : SECRETS_WORD_BYTES;
}

/* ---- learning ---- */

/* A secret that is being read, byte by byte. */
struct reading {
    uint64_t head, whole, cuts[CUT_COUNT];
    size_t len;
};

static void read_byte(struct reading *reading, char byte)
{
    reading->whole = hash_step(reading->whole, byte);
    if (reading->len++ < SECRETS_WORD_BYTES)
        reading->head = reading->whole;
    for (size_t i = 0; i < CUT_COUNT; i++) {
        if (reading->len == CUTS[i])
            reading->cuts[i] = reading->whole;
    }
}

static bool is_known(const struct shelf *shelf, const struct reading *reading)
{
    for (size_t i = 0; i < shelf->room; i++) {
        if (atomic_load(&shelf->slots[i].len) == reading->len &&
            atomic_load(&shelf->slots[i].whole) == reading->whole)
            return true;
    }
    return false;
}

static void keep(struct shelf *shelf, const struct reading *reading)
{
    if (reading->len < SECRETS_BYTES_MIN || is_known(shelf, reading))
        return;
    struct slot *slot = &shelf->slots[atomic_fetch_add(&shelf->learned, 1) % shelf->room];
    atomic_store(&slot->len, 0);
    atomic_store(&slot->head, reading->head);
    atomic_store(&slot->whole, reading->whole);
    for (size_t i = 0; i < CUT_COUNT; i++)
        atomic_store(&slot->cuts[i], reading->cuts[i]);
    atomic_store(&slot->len, reading->len);
}

static bool is_unreserved(char byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

void secrets_learn(struct slice secret, bool is_lasting)
{
    static const char DIGITS[] = "0123456789ABCDEF";
    struct reading plain = {.head = START, .whole = START}, encoded = plain;
    for (size_t i = 0; i < secret.len; i++) {
        char byte = secret.ptr[i];
        read_byte(&plain, byte);
        if (is_unreserved(byte)) {
            read_byte(&encoded, byte);
            continue;
        }
        read_byte(&encoded, '%');
        read_byte(&encoded, DIGITS[(unsigned char)byte >> 4]);
        read_byte(&encoded, DIGITS[(unsigned char)byte & 15]);
    }
    keep(&shelves[is_lasting], &plain);
    if (encoded.len != plain.len && plain.len >= SECRETS_BYTES_MIN)
        keep(&shelves[is_lasting], &encoded);
}

/* ---- masking ---- */

static bool is_word_byte(char byte)
{
    return is_unreserved(byte) && byte != '.' && byte != '~';
}

static bool is_whole_word(struct slice text, size_t at, size_t len)
{
    return (at == 0 || !is_word_byte(text.ptr[at - 1])) &&
           (at + len == text.len || !is_word_byte(text.ptr[at + len]));
}

/* Is the rest of the text the beginning of this secret? */
static bool is_cut(const struct slot *slot, const char *ptr, size_t rest)
{
    size_t last = CUT_COUNT;
    while (last > 0 && CUTS[last - 1] > rest)
        last--;
    return last > 0 && hash_of(ptr, CUTS[last - 1]) == atomic_load(&slot->cuts[last - 1]);
}

/* The length of this secret where it stands at `at`; 0 = it does not. `head` is the hash of
 * the next SECRETS_WORD_BYTES bytes, if there are as many. */
static size_t len_at(const struct slot *slot, struct slice text, size_t at, uint64_t head)
{
    size_t len = atomic_load_explicit(&slot->len, memory_order_acquire), rest = text.len - at;
    if (len == 0 || rest < head_len(len))
        return 0;
    const char *ptr = text.ptr + at;
    if (len < SECRETS_WORD_BYTES)
        return hash_of(ptr, len) == atomic_load(&slot->whole) && is_whole_word(text, at, len) ? len
                                                                                              : 0;
    if (atomic_load_explicit(&slot->head, memory_order_relaxed) != head)
        return 0;
    if (rest < len)
        return is_cut(slot, ptr, rest) ? rest : 0;
    return hash_of(ptr, len) == atomic_load(&slot->whole) ? len : 0;
}

static size_t longest_at(struct slice text, size_t at)
{
    size_t longest = 0, rest = text.len - at;
    uint64_t head = rest < SECRETS_WORD_BYTES ? 0 : hash_of(text.ptr + at, SECRETS_WORD_BYTES);
    for (size_t i = 0; i < sizeof shelves / sizeof shelves[0]; i++) {
        size_t learned = atomic_load(&shelves[i].learned);
        for (size_t j = 0; j < shelves[i].room && j < learned; j++) {
            size_t len = len_at(&shelves[i].slots[j], text, at, head);
            longest = len > longest ? len : longest;
        }
    }
    return longest;
}

bool secrets_find(struct slice text, size_t *ret_at, size_t *ret_len)
{
    if (atomic_load(&shelves[0].learned) + atomic_load(&shelves[1].learned) == 0)
        return false;
    for (size_t at = 0; at + SECRETS_BYTES_MIN <= text.len; at++) {
        size_t len = longest_at(text, at);
        if (len == 0)
            continue;
        *ret_at = at;
        *ret_len = len;
        return true;
    }
    return false;
}

void secrets_add_masked(struct buf *buf, struct slice text)
{
    size_t at, len;
    while (secrets_find(text, &at, &len)) {
        buf_add(buf, slice_sub(text, 0, at));
        buf_add_text(buf, MASK);
        text = slice_sub(text, at + len, text.len);
    }
    buf_add(buf, text);
}

void secrets_mask(char *text)
{
    size_t at, len, left = strlen(text);
    while (secrets_find(slice_of(text, left), &at, &len)) {
        memcpy(text + at, MASK, sizeof MASK - 1);
        memmove(text + at + sizeof MASK - 1, text + at + len, left - at - len + 1);
        text += at + sizeof MASK - 1;
        left -= at + len;
    }
}

void secrets_forget_all(void)
{
    for (size_t i = 0; i < sizeof shelves / sizeof shelves[0]; i++) {
        for (size_t j = 0; j < shelves[i].room; j++)
            atomic_store(&shelves[i].slots[j].len, 0);
        atomic_store(&shelves[i].learned, 0);
    }
}
