#include "app/books/csv.h"

#include <string.h>

void csv_init(struct csv *csv)
{
    memset(csv, 0, sizeof *csv); /* no copy of it: it is large */
    csv->line = csv->next_line = 1;
    buf_init(&csv->text, CSV_ROW_BYTES);
}

void csv_done(struct csv *csv)
{
    buf_done(&csv->text);
}

struct slice csv_field(const struct csv *csv, size_t i)
{
    if (i >= csv->count)
        return SLICE("");
    size_t begin = i > 0 ? csv->ends[i - 1] : 0;
    return slice_sub(buf_slice(&csv->text), begin, csv->ends[i] - begin);
}

static void end_field(struct csv *csv)
{
    if (csv->count == CSV_FIELDS_MAX)
        csv->fault = "has more than 2000 fields";
    else
        csv->ends[csv->count++] = (uint32_t)csv->text.len;
    csv->state = CSV_BEGINS;
}

static void add(struct csv *csv, char byte)
{
    buf_add_byte(&csv->text, byte);
    if (csv->text.failed != OK)
        csv->fault = "is longer than 1 MiB";
}

/* A carriage return belongs to the end of the line. */
static void drop_return(struct csv *csv)
{
    size_t begin = csv->count > 0 ? csv->ends[csv->count - 1] : 0;
    if (csv->text.len > begin && csv->text.ptr[csv->text.len - 1] == '\r')
        buf_cut(&csv->text, csv->text.len - 1);
}

static void take_in_quotes(struct csv *csv, char byte)
{
    if (byte == '"')
        csv->state = CSV_BEHIND_QUOTE;
    else
        add(csv, byte);
}

/* True: the row has ended. */
static bool take_outside(struct csv *csv, char byte)
{
    if (byte == ',') {
        end_field(csv);
    } else if (byte == '\n') {
        drop_return(csv);
        end_field(csv);
        return true;
    } else if (byte == '"' && csv->state == CSV_BEGINS) {
        csv->state = CSV_IN_QUOTES;
    } else if (byte == '"' && csv->state == CSV_BEHIND_QUOTE) {
        add(csv, byte);
        csv->state = CSV_IN_QUOTES;
    } else if (csv->state == CSV_BEHIND_QUOTE && byte != '\r') {
        csv->fault = "has bytes behind a closing quote";
    } else {
        add(csv, byte);
        csv->state = csv->state == CSV_BEHIND_QUOTE ? CSV_BEHIND_QUOTE : CSV_IN_FIELD;
    }
    return false;
}

static void begin_row(struct csv *csv)
{
    csv->is_over = false;
    csv->count = 0;
    csv->line = csv->next_line;
    buf_reset(&csv->text);
}

static void skip_bom(const struct csv *csv, struct slice *piece)
{
    struct slice bom = SLICE("\xef\xbb\xbf");
    if (csv->next_line == 1 && csv->text.len == 0 && csv->count == 0 && slice_starts(*piece, bom))
        *piece = slice_sub(*piece, bom.len, SIZE_MAX);
}

bool csv_next(struct csv *csv, struct slice *piece)
{
    bool is_whole = false;
    size_t at = 0;
    if (csv->is_over)
        begin_row(csv);
    skip_bom(csv, piece);
    while (at < piece->len && !is_whole && csv->fault == NULL) {
        char byte = piece->ptr[at++];
        csv->next_line += byte == '\n';
        if (csv->state == CSV_IN_QUOTES)
            take_in_quotes(csv, byte);
        else
            is_whole = take_outside(csv, byte);
    }
    *piece = slice_sub(*piece, at, SIZE_MAX);
    csv->is_over = is_whole;
    return is_whole && csv->fault == NULL;
}

bool csv_end(struct csv *csv)
{
    if (csv->is_over)
        begin_row(csv);
    if (csv->state == CSV_IN_QUOTES)
        csv->fault = "is cut within quotes";
    if (csv->fault != NULL || (csv->text.len == 0 && csv->count == 0))
        return false;
    drop_return(csv);
    end_field(csv);
    csv->is_over = true;
    return csv->fault == NULL;
}
