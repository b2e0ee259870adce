#include "app/redrive/tally.h"

#include <string.h>

#include "app/client/screen.h"
#include "base/utf8.h"

static struct tally_code *find(struct tally *tally, const struct dead_letter *letter)
{
    char code[TALLY_CODE_BYTES];
    struct slice shown = letter->code.len > 0 ? letter->code : SLICE("(no code)");
    shown = slice_sub(shown, 0, utf8_valid_len(shown));
    slice_write(utf8_clip(shown, sizeof code - 1), code, sizeof code);
    for (char *at = code; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = '?';
    for (size_t i = 0; i < tally->code_count; i++)
        if (strcmp(tally->codes[i].code, code) == 0)
            return &tally->codes[i];
    struct tally_code *row = &tally->codes[tally->code_count];
    if (tally->code_count == TALLY_CODES_MAX) {
        slice_write(SLICE("(other codes)"), row->code, sizeof row->code);
        return row;
    }
    tally->code_count++;
    memcpy(row->code, code, sizeof code);
    row->is_retryable = letter->is_retryable;
    return row;
}

void tally_add(struct tally *tally, const struct dead_letter *letter, enum fate fate)
{
    struct tally_code *row = find(tally, letter);
    row->letters++;
    row->sent += fate == FATE_SENT;
    tally->fates[fate]++;
}

int64_t tally_chosen(const struct tally *tally)
{
    int64_t sum = 0;
    for (size_t i = 0; i < COUNT_OF(tally->codes); i++)
        sum += tally->codes[i].letters;
    return sum;
}

static void add_codes(const struct tally *tally, bool is_dry, struct buf *text)
{
    char letters[SCREEN_COUNT_BYTES], sent[SCREEN_COUNT_BYTES];
    buf_addf(text, "%-36.36s %12s %12s  %s\n", "code", "letters",
             is_dry ? "to redrive" : "redriven", "retryable");
    for (size_t i = 0; i < COUNT_OF(tally->codes); i++) {
        const struct tally_code *row = &tally->codes[i];
        if (row->letters > 0)
            buf_addf(text, "%-36.36s %12s %12s  %s\n", row->code,
                     screen_count(row->letters, letters), screen_count(row->sent, sent),
                     row->is_retryable ? "yes" : "no");
    }
}

void tally_add_text(const struct tally *tally, bool is_dry, struct buf *text)
{
    char count[SCREEN_COUNT_BYTES];
    if (tally_chosen(tally) > 0) {
        add_codes(tally, is_dry, text);
        buf_add_byte(text, '\n');
    }
    for (int i = 0; i < FATE_COUNT; i++) {
        enum fate fate = (enum fate)i;
        if (tally->fates[fate] == 0 && fate != FATE_SENT)
            continue;
        bool would = is_dry && (fate == FATE_SENT || fate == FATE_PARKED);
        buf_addf(text, "%12s  %s%s\n", screen_count(tally->fates[fate], count),
                 would ? "would be " : "", fate_words(fate));
    }
    if (tally->before > 0)
        buf_addf(text, "%12s  passed over: redriven by an earlier run\n",
                 screen_count(tally->before, count));
    if (tally->others > 0)
        buf_addf(text, "%12s  left out by the filters\n", screen_count(tally->others, count));
}
