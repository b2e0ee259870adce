#include "app/commands/usage_reconcile.h"

#include <errno.h>
#include <string.h>

#include "app/books/period.h"
#include "app/books/rows.h"
#include "base/memory.h"
#include "wire/formats/json.h"

#define PIECE_BYTES    65536
#define LINE_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define TEXT_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define TABLE_NAMED    20
#define CLOCKS_MS      60000 /* by which the log's times and the records' may differ */
#define UUID_BYTES     40

/* ---- reading the file ---- */

struct source {
    struct usage_reconcile *reconcile;
    FILE *file;
    char *piece;
    struct slice rest; /* of the piece */
    int64_t line;
};

PRINTF(2, 3)
static bool fail(const struct source *source, const char *format, ...)
{
    va_list args;
    (void)fprintf(stderr, "%s", source->reconcile->file);
    if (source->line > 0)
        (void)fprintf(stderr, ":%lld", (long long)source->line);
    (void)fprintf(stderr, ": ");
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fprintf(stderr, "\n");
    return false;
}

/* Fills the piece again. False: the file has ended, or cannot be read (*ret_is_broken). */
static bool fill(struct source *source, bool *ret_is_broken)
{
    size_t got = fread(source->piece, 1, PIECE_BYTES, source->file);
    source->rest = slice_of(source->piece, got);
    *ret_is_broken = ferror(source->file) != 0;
    return got > 0 && !*ret_is_broken;
}

static bool take_row(struct source *source, const struct csv *csv)
{
    struct reconcile *bill = &source->reconcile->bill;
    source->line = csv->line;
    enum err err = reconcile_take_row(bill, csv);
    if (err == ERR_FORMAT)
        return fail(source, "%s", bill->fault);
    return err == OK || fail(source, "the report has too many sums; name a shorter time by --month "
                                     "or --since and --until");
}

static bool take_rows(struct source *source, struct csv *csv)
{
    bool is_good = true, is_broken = false;
    do {
        while (is_good && csv_next(csv, &source->rest))
            is_good = take_row(source, csv);
    } while (is_good && csv->fault == NULL && fill(source, &is_broken));
    if (is_good && csv->fault == NULL && !is_broken && csv_end(csv))
        is_good = take_row(source, csv);
    source->line = csv->line;
    if (is_broken)
        return fail(source, "cannot be read: %s", strerror(errno));
    if (is_good && csv->fault != NULL)
        return fail(source, "the row %s", csv->fault);
    return is_good;
}

static bool read_bill(struct source *source)
{
    struct csv *csv = memory_new(sizeof *csv);
    if (csv == NULL)
        return fail(source, "out of memory");
    csv_init(csv);
    bool is_good = take_rows(source, csv);
    csv_done(csv);
    memory_free(csv);
    source->line = 0;
    if (is_good && source->reconcile->bill.token_rows == 0)
        return fail(source, "the report has no row for tokens of Bedrock");
    return is_good;
}

static bool take_line(struct source *source, struct slice line)
{
    struct invocations *log = &source->reconcile->log;
    source->line++;
    enum err err = invocations_take_line(log, line);
    if (err == ERR_FORMAT)
        return fail(source, "the line %s", log->why);
    if (err == ERR_TOO_LARGE)
        return fail(source, "more than %d calls; compare the logs of fewer hours at once",
                    INVOCATIONS_MAX);
    return err == OK || fail(source, "out of memory");
}

static bool read_log(struct source *source)
{
    struct buf line OWNED_BY(buf_done);
    bool is_good = true, is_broken = false;
    buf_init(&line, LINE_BYTES_MAX);
    do {
        while (is_good && source->rest.len > 0) {
            size_t end = slice_find(source->rest, '\n');
            buf_add(&line, slice_sub(source->rest, 0, end));
            bool is_whole = end < source->rest.len;
            source->rest = slice_sub(source->rest, end + 1, SIZE_MAX);
            if (line.failed != OK)
                return fail(source, "the line behind is longer than 64 MiB");
            if (is_whole)
                is_good = take_line(source, buf_slice(&line));
            if (is_whole)
                buf_reset(&line);
        }
    } while (is_good && fill(source, &is_broken));
    if (is_broken)
        return fail(source, "cannot be read: %s", strerror(errno));
    return is_good && (line.len == 0 || take_line(source, buf_slice(&line)));
}

/* A log begins with an object, a report with a heading. */
static bool read_source(struct source *source, const struct book_plan *plan)
{
    struct usage_reconcile *reconcile = source->reconcile;
    bool is_broken = false;
    if (!fill(source, &is_broken))
        return is_broken ? fail(source, "cannot be read: %s", strerror(errno))
                         : fail(source, "is empty");
    struct slice begin = slice_trim(source->rest);
    if (begin.len > 0 && begin.ptr[0] == '{') {
        reconcile->kind = RECONCILE_LOG;
        invocations_init(&reconcile->log, plan->seed);
        return read_log(source);
    }
    reconcile->kind = RECONCILE_BILL;
    reconcile_init(&reconcile->bill, plan->since_ms, plan->until_ms, plan->seed);
    return read_bill(source);
}

/* ---- the plan ---- */

static bool plan_for_bill(const struct source *source, struct book_plan *plan)
{
    const struct reconcile *bill = &source->reconcile->bill;
    bool has_since = plan->since_ms != INT64_MIN, has_until = plan->until_ms != INT64_MAX;
    if ((has_since && period_day(plan->since_ms) != plan->since_ms) ||
        (has_until && period_day(plan->until_ms) != plan->until_ms))
        return fail(source, "a report has days; --since and --until must be days, too");
    if (!has_since && bill->first_day_ms != INT64_MAX)
        plan->since_ms = bill->first_day_ms;
    if (!has_until && bill->first_day_ms != INT64_MAX)
        plan->until_ms = bill->last_day_ms + PERIOD_DAY_MS;
    return true;
}

static bool plan_for_log(struct usage_reconcile *reconcile, struct book_plan *plan)
{
    struct invocations *log = &reconcile->log;
    plan->heard = invocations_hear;
    plan->hearer = log;
    if (plan->since_ms == INT64_MIN && log->count > 0)
        plan->since_ms = log->first_ms - CLOCKS_MS;
    if (plan->until_ms == INT64_MAX && log->count > 0)
        plan->until_ms = log->last_ms + CLOCKS_MS;
    return true;
}

bool usage_reconcile_read(struct usage_reconcile *reconcile, const char *file,
                          struct book_plan *plan)
{
    char fault[COLUMNS_FAULT_BYTES];
    bool is_input = strcmp(file, "-") == 0;
    reconcile->file = is_input ? "standard input" : file;
    struct source source = {.reconcile = reconcile};
    source.file = is_input ? stdin : fopen(file, "rb");
    if (source.file == NULL)
        return fail(&source, "cannot be read: %s", strerror(errno));
    source.piece = memory_new(PIECE_BYTES);
    bool is_good = source.piece != NULL && read_source(&source, plan);
    memory_free(source.piece);
    if (!is_input)
        (void)fclose(source.file);
    source.line = 0;
    if (!is_good || !columns_add(&plan->columns, SLICE(RECONCILE_COLUMNS), fault))
        return false;
    return reconcile->kind == RECONCILE_BILL ? plan_for_bill(&source, plan)
                                             : plan_for_log(reconcile, plan);
}

void usage_reconcile_done(struct usage_reconcile *reconcile)
{
    if (reconcile->kind == RECONCILE_BILL)
        reconcile_done(&reconcile->bill);
    if (reconcile->kind == RECONCILE_LOG)
        invocations_done(&reconcile->log);
}

/* ---- the bill ---- */

static const char *side_of(const struct reconcile_line *line)
{
    if (line->model.ptr == NULL)
        return "only_aws";
    if (line->usage_type.ptr == NULL)
        return "only_records";
    return reconcile_aws_tokens(line) == line->tokens ? "equal" : "differs";
}

static void add_money_field(struct buf *buf, const struct money_sum *sum, bool is_known)
{
    if (is_known)
        money_add_sum(buf, sum);
}

static void add_line_csv(struct buf *buf, const struct reconcile_line *line)
{
    const struct slice fields[] = {line->day, line->region, line->tier, line->model,
                                   line->usage_type};
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        rows_add_csv_field(buf, fields[i]);
        buf_add_byte(buf, ',');
    }
    buf_addf(buf, "%s,%lld,%lld,%lld,", usage_class_name(line->class), (long long)line->tokens,
             (long long)reconcile_aws_tokens(line),
             (long long)(line->tokens - reconcile_aws_tokens(line)));
    add_money_field(buf, &line->cost, line->has_cost && line->model.ptr != NULL);
    buf_add_byte(buf, ',');
    add_money_field(buf, &line->aws_cost, line->usage_type.ptr != NULL);
    buf_addf(buf, ",%s\r\n", side_of(line));
}

static void add_line_json(struct buf *buf, const struct reconcile_line *line)
{
    buf_add_byte(buf, '{');
    json_add_text_member(buf, "day", line->day);
    json_add_text_member(buf, "region", line->region);
    json_add_text_member(buf, "tier", line->tier);
    json_add_text_member(buf, "model", line->model);
    json_add_text_member(buf, "usage_type", line->usage_type);
    json_add_text_member(buf, "class", slice_of_text(usage_class_name(line->class)));
    json_add_int_member(buf, "tokens", line->tokens);
    json_add_int_member(buf, "aws_tokens", reconcile_aws_tokens(line));
    json_add_text_member(buf, "side", slice_of_text(side_of(line)));
    buf_add_text(buf, "}\n");
}

static void add_line_table(struct buf *buf, const struct reconcile_line *line)
{
    char ours[SCREEN_COUNT_BYTES], aws[SCREEN_COUNT_BYTES], apart[SCREEN_COUNT_BYTES];
    int64_t aws_tokens = reconcile_aws_tokens(line);
    struct slice name = line->model.ptr != NULL ? line->model : line->usage_type;
    buf_addf(buf, "%.10s  %-14s %13s %13s %13s  %.*s%s%.*s%s\n", line->day.ptr,
             usage_class_name(line->class),
             line->model.ptr != NULL ? screen_count(line->tokens, ours) : "-",
             line->usage_type.ptr != NULL ? screen_count(aws_tokens, aws) : "-",
             screen_count(line->tokens - aws_tokens, apart), SLICE_ARG(name),
             slice_equal(line->tier, SLICE("default")) ? "" : " ",
             slice_equal(line->tier, SLICE("default")) ? 0 : (int)line->tier.len, line->tier.ptr,
             line->is_global ? " global" : "");
}

struct sides {
    int64_t equal, differs, only_aws, only_records;
};

static struct sides count_sides(const struct reconcile_line *const *lines, size_t count)
{
    struct sides sides = {0};
    for (size_t i = 0; i < count; i++) {
        const char *side = side_of(lines[i]);
        sides.equal += strcmp(side, "equal") == 0;
        sides.differs += strcmp(side, "differs") == 0;
        sides.only_aws += strcmp(side, "only_aws") == 0;
        sides.only_records += strcmp(side, "only_records") == 0;
    }
    return sides;
}

static void add_lines(struct buf *buf, const struct usage_output *output,
                      const struct reconcile_line *const *lines, size_t count)
{
    bool is_table = output->format == USAGE_TABLE;
    struct sides sides = count_sides(lines, count);
    if (output->format == USAGE_CSV)
        buf_add_text(buf, "day,region,tier,model,usage_type,class,tokens,aws_tokens,difference,"
                          "cost,aws_cost,side\r\n");
    if (is_table && (size_t)sides.equal < count)
        buf_addf(buf, "%-10s  %-14s %13s %13s %13s  %s\n", "day", "tokens", "records", "AWS",
                 "difference", "model or usage type");
    for (size_t i = 0; i < count; i++) {
        if (output->format == USAGE_CSV)
            add_line_csv(buf, lines[i]);
        else if (output->format == USAGE_JSON)
            add_line_json(buf, lines[i]);
        else if (strcmp(side_of(lines[i]), "equal") != 0)
            add_line_table(buf, lines[i]);
    }
    if (is_table)
        buf_addf(
            buf,
            "%zu sums by day, model and class of tokens: %lld equal, %lld differ, %lld only in "
            "AWS's report, %lld only in the records\n",
            count, (long long)sides.equal, (long long)sides.differs, (long long)sides.only_aws,
            (long long)sides.only_records);
}

static enum err print_bill(struct usage_reconcile *reconcile, const struct usage_output *output,
                           const struct book *book)
{
    size_t count = 0;
    enum err err = OK;
    for (size_t i = 0; i < book->tally.count && err == OK; i++)
        err = reconcile_take_sums(&reconcile->bill, book->tally.rows[i]);
    const struct reconcile_line **lines =
        err == OK ? reconcile_lines(&reconcile->bill, &count) : NULL;
    if (lines == NULL)
        return err == OK ? ERR_NO_MEMORY : err;
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, TEXT_BYTES_MAX);
    add_lines(&buf, output, lines, count);
    (void)fwrite(buf.ptr, 1, buf.len, stdout);
    memory_free(lines);
    return buf.failed;
}

/* ---- the log ---- */

static void write_id(const struct entry_id *id, char ret_text[UUID_BYTES])
{
    char *at = ret_text;
    for (size_t i = 0; i < ENTRY_ID_BYTES; i++)
        at += snprintf(at, 4, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                       id->bytes[i]);
}

static const char *const SIDES[] = {
    [SIDE_DIFFERS] = "differs", [SIDE_ONLY_LOG] = "only_log", [SIDE_ONLY_BOOK] = "only_records"};

static void add_count_member(struct buf *buf, const char *name, int64_t count)
{
    if (count >= 0)
        json_add_int_member(buf, name, count);
}

static void add_count(struct buf *buf, int64_t count)
{
    if (count >= 0)
        buf_add_int(buf, count);
}

static void add_named(struct buf *buf, enum usage_format format, enum invocation_side side,
                      const struct invocation_named *named)
{
    char id[UUID_BYTES];
    write_id(&named->id, id);
    if (format == USAGE_JSON) {
        buf_add_byte(buf, '{');
        json_add_text_member(buf, "bedrock_request_id", slice_of_text(id));
        json_add_text_member(buf, "side", slice_of_text(SIDES[side]));
        add_count_member(buf, "input_tokens", named->book_input);
        add_count_member(buf, "output_tokens", named->book_output);
        add_count_member(buf, "aws_input_tokens", named->input);
        add_count_member(buf, "aws_output_tokens", named->output);
        buf_add_text(buf, "}\n");
        return;
    }
    const int64_t counts[] = {named->book_input, named->book_output, named->input, named->output};
    buf_addf(buf, "%s,%s", id, SIDES[side]);
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        buf_add_byte(buf, ',');
        add_count(buf, counts[i]);
    }
    buf_add_text(buf, "\r\n");
}

static void add_side_table(struct buf *buf, const struct invocations *log,
                           enum invocation_side side)
{
    static const char *const TITLES[] = {
        [SIDE_DIFFERS] = "other counts (records, then log; input + output)",
        [SIDE_ONLY_LOG] = "only in the log",
        [SIDE_ONLY_BOOK] = "only in the records",
    };
    char id[UUID_BYTES];
    if (log->counts[side] == 0)
        return;
    buf_addf(buf, "%s: %lld\n", TITLES[side], (long long)log->counts[side]);
    for (int64_t i = 0; i < log->counts[side] && i < TABLE_NAMED; i++) {
        const struct invocation_named *named = &log->named[side][i];
        write_id(&named->id, id);
        buf_addf(buf, "  %s", id);
        if (named->book_input >= 0)
            buf_addf(buf, "  %lld + %lld", (long long)named->book_input,
                     (long long)named->book_output);
        if (named->input >= 0)
            buf_addf(buf, "  %lld + %lld", (long long)named->input, (long long)named->output);
        buf_add_byte(buf, '\n');
    }
    if (log->counts[side] > TABLE_NAMED)
        buf_addf(buf, "  … %lld more\n", (long long)(log->counts[side] - TABLE_NAMED));
}

static void add_log_table(struct buf *buf, const struct invocations *log)
{
    buf_addf(buf, "%zu calls in the log with counts, %lld rejected ones: %lld equal\n", log->count,
             (long long)log->rejected, (long long)log->equal);
    for (int side = 0; side < INVOCATION_SIDES; side++)
        add_side_table(buf, log, (enum invocation_side)side);
    if (log->without_id > 0)
        buf_addf(buf, "%lld records of this time have no request id of Bedrock's\n",
                 (long long)log->without_id);
}

static void add_log_rows(struct buf *buf, enum usage_format format, const struct invocations *log)
{
    if (format == USAGE_CSV)
        buf_add_text(buf, "bedrock_request_id,side,input_tokens,output_tokens,aws_input_tokens,"
                          "aws_output_tokens\r\n");
    for (int side = 0; side < INVOCATION_SIDES; side++)
        for (int64_t i = 0; i < log->counts[side] && i < INVOCATIONS_NAMED_MAX; i++)
            add_named(buf, format, (enum invocation_side)side, &log->named[side][i]);
}

enum err usage_reconcile_print(struct usage_reconcile *reconcile, struct usage_output *output,
                               const struct book *book)
{
    enum err err = OK;
    screen_clear(&output->err);
    if (reconcile->kind == RECONCILE_BILL) {
        err = print_bill(reconcile, output, book);
    } else {
        struct buf buf OWNED_BY(buf_done);
        buf_init(&buf, TEXT_BYTES_MAX);
        invocations_end(&reconcile->log);
        if (output->format == USAGE_TABLE)
            add_log_table(&buf, &reconcile->log);
        else
            add_log_rows(&buf, output->format, &reconcile->log);
        (void)fwrite(buf.ptr, 1, buf.len, stdout);
        err = buf.failed;
    }
    (void)fflush(stdout);
    usage_print_notices(output, book);
    return err;
}
