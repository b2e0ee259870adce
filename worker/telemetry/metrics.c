#include "telemetry/metrics.h"

#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "base/utf8.h"

#define LABEL_BYTES_MAX 128 /* of one value, as shown */
#define LABELS_BYTES    1024
#define RECENT_BYTES    200                      /* of all values of a series */
#define RECENT_SERIES   4                        /* of each metric */
#define TABLE_ROOM      (2 * METRICS_SERIES_MAX) /* a power of two */

enum kind { COUNTER, GAUGE, HISTOGRAM };
enum unit { COUNT, MILLI, NANO };

static const struct row {
    const char *name, *labels, *help;
    enum kind kind;
    enum unit unit;
} rows[METRIC_COUNT] = {
#define METRIC(id, kind, unit, name, labels, help) {name, labels, help, kind, unit},
#include "telemetry/metrics.def"
#undef METRIC
};

/* Upper bounds of the buckets of every histogram: 10 ms, doubled up to 90 minutes. */
static const int64_t bounds_ms[] = {10,     20,     40,     80,      160,     320,    640,
                                    1280,   2560,   5120,   10240,   20480,   40960,  81920,
                                    163840, 327680, 655360, 1310720, 2621440, 5242880};

struct histogram {
    uint64_t counts[COUNT_OF(bounds_ms) + 1];
};

struct series {
    struct series *next;         /* of the same metric, in the order of their births */
    struct histogram *histogram; /* NULL unless it is one */
    int64_t value;               /* of a histogram: the sum */
    bool is_set;                 /* of a gauge: since the last scrape began */
    enum metric metric;
    size_t len;
    char labels[]; /* `model="x",region="y"` */
};

/* Label values that were used lately, and their series: most events have the same ones again. */
struct recent {
    struct series *series; /* NULL = free */
    size_t lens[METRICS_LABELS_MAX];
    char text[RECENT_BYTES];
};

struct metrics {
    struct recent recent[METRIC_COUNT][RECENT_SERIES];
    unsigned next_recent[METRIC_COUNT]; /* which one the next replaces */
    size_t label_counts[METRIC_COUNT];
    struct series *table[TABLE_ROOM];
    struct series *first[METRIC_COUNT], *last[METRIC_COUNT];
    size_t count;
    struct buf labels; /* scratch */
};

const char *metric_prefix(enum metric metric)
{
    bool is_common = strncmp(rows[metric].name, "process_", strlen("process_")) == 0;
    return is_common ? "" : "bedrock_worker_";
}

const char *metric_name(enum metric metric)
{
    return rows[metric].name;
}

const char *metric_labels(enum metric metric)
{
    return rows[metric].labels;
}

const char *metric_help(enum metric metric)
{
    return rows[metric].help;
}

/* --- birth and death --- */

struct metrics *metrics_new(void)
{
    struct metrics *metrics = memory_new(sizeof *metrics);
    if (metrics == NULL)
        return NULL;
    buf_init(&metrics->labels, LABELS_BYTES);
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        const char *names = rows[i].labels;
        metrics->label_counts[i] = *names != '\0';
        for (; *names != '\0'; names++)
            metrics->label_counts[i] += *names == ',';
    }
    return metrics;
}

void metrics_free(struct metrics *metrics)
{
    if (metrics == NULL)
        return;
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        for (struct series *series = metrics->first[i], *next; series != NULL; series = next) {
            next = series->next;
            memory_free(series->histogram);
            memory_free(series);
        }
    }
    buf_done(&metrics->labels);
    memory_free(metrics);
}

/* --- labels --- */

static bool is_plain(struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c < ' ' || c > '~' || c == '"' || c == '\\')
            return false;
    }
    return value.len <= LABEL_BYTES_MAX;
}

static void add_value(struct buf *text, struct slice value)
{
    if (is_plain(value)) {
        buf_add(text, value);
        return;
    }
    struct slice shown = utf8_clip(slice_sub(value, 0, utf8_valid_len(value)), LABEL_BYTES_MAX);
    for (size_t i = 0; i < shown.len; i++) {
        char c = shown.ptr[i];
        if (c == '"' || c == '\\')
            buf_add_byte(text, '\\');
        buf_add_byte(text, (unsigned char)c < ' ' || c == 0x7f ? '?' : c);
    }
    if (shown.len < value.len)
        buf_add_byte(text, '?');
}

/* The labels as printed; with is_other each says `other`. */
static struct slice labels_of(struct metrics *metrics, enum metric metric,
                              const struct slice *values, bool is_other)
{
    struct buf *text = &metrics->labels;
    struct slice names = slice_of_text(rows[metric].labels);
    buf_reset(text);
    for (size_t i = 0; names.len > 0; i++) {
        CHECK(i < METRICS_LABELS_MAX && (values != NULL || is_other));
        size_t end = slice_find(names, ',');
        buf_add_text(text, i > 0 ? "," : "");
        buf_add(text, slice_sub(names, 0, end));
        buf_add_text(text, "=\"");
        add_value(text, is_other ? SLICE("other") : values[i]);
        buf_add_byte(text, '"');
        names = slice_sub(names, end + 1, SIZE_MAX);
    }
    return text->failed == OK ? buf_slice(text) : SLICE("");
}

/* --- series --- */

/* Where the series is in the table, or would be. */
static size_t place_of(const struct metrics *metrics, enum metric metric, struct slice labels)
{
    size_t at = (size_t)slice_hash(labels, metric) & (TABLE_ROOM - 1);
    for (;; at = (at + 1) & (TABLE_ROOM - 1)) {
        const struct series *series = metrics->table[at];
        if (series == NULL || (series->metric == metric &&
                               slice_equal(slice_of(series->labels, series->len), labels)))
            return at;
    }
}

static struct series *series_new(struct metrics *metrics, enum metric metric, struct slice labels)
{
    struct series *series = memory_new(sizeof *series + labels.len + 1);
    if (series == NULL)
        return NULL;
    series->metric = metric;
    series->len = labels.len;
    if (labels.len > 0)
        memcpy(series->labels, labels.ptr, labels.len);
    if (rows[metric].kind == HISTOGRAM)
        series->histogram = memory_new(sizeof *series->histogram);
    if (rows[metric].kind == HISTOGRAM && series->histogram == NULL) {
        memory_free(series);
        return NULL;
    }
    if (metrics->first[metric] == NULL)
        metrics->first[metric] = series;
    else
        metrics->last[metric]->next = series;
    metrics->last[metric] = series;
    metrics->count++;
    return series;
}

static bool is_recent(const struct recent *recent, const struct slice *values, size_t count)
{
    const char *text = recent->text;
    if (recent->series == NULL)
        return false;
    for (size_t i = 0; i < count; text += recent->lens[i++])
        if (values[i].len != recent->lens[i] ||
            (values[i].len > 0 && memcmp(text, values[i].ptr, values[i].len) != 0))
            return false;
    return true;
}

static void remember(struct metrics *metrics, enum metric metric, const struct slice *values,
                     struct series *series)
{
    size_t count = metrics->label_counts[metric], len = 0;
    struct recent *recent =
        &metrics->recent[metric][metrics->next_recent[metric]++ % RECENT_SERIES];
    recent->series = NULL;
    for (size_t i = 0; i < count; i++) {
        if (values[i].len > sizeof recent->text - len)
            return;
        if (values[i].len > 0)
            memcpy(recent->text + len, values[i].ptr, values[i].len);
        recent->lens[i] = values[i].len;
        len += values[i].len;
    }
    recent->series = series;
}

/* NULL: no memory. The set's last place of a metric is for `other`. */
static struct series *find_by_text(struct metrics *metrics, enum metric metric,
                                   const struct slice *values)
{
    struct slice labels = labels_of(metrics, metric, values, false);
    size_t place = place_of(metrics, metric, labels);
    if (metrics->table[place] == NULL && metrics->count >= METRICS_SERIES_MAX - METRIC_COUNT &&
        rows[metric].labels[0] != '\0') {
        labels = labels_of(metrics, metric, NULL, true);
        place = place_of(metrics, metric, labels);
    }
    if (metrics->table[place] == NULL)
        metrics->table[place] = series_new(metrics, metric, labels);
    return metrics->table[place];
}

static struct series *find(struct metrics *metrics, enum metric metric, const struct slice *values)
{
    const struct recent *recent = metrics->recent[metric];
    for (size_t i = 0; i < RECENT_SERIES; i++)
        if (is_recent(&recent[i], values, metrics->label_counts[metric]))
            return recent[i].series;
    struct series *series = find_by_text(metrics, metric, values);
    if (series != NULL)
        remember(metrics, metric, values, series);
    return series;
}

void metrics_add(struct metrics *metrics, enum metric metric, const struct slice *labels,
                 int64_t by)
{
    if (metrics == NULL)
        return;
    CHECK(rows[metric].kind == COUNTER && by >= 0);
    struct series *series = find(metrics, metric, labels);
    if (series != NULL && __builtin_add_overflow(series->value, by, &series->value))
        series->value = INT64_MAX;
}

void metrics_raise(struct metrics *metrics, enum metric metric, const struct slice *labels,
                   int64_t total)
{
    if (metrics == NULL)
        return;
    CHECK(rows[metric].kind == COUNTER);
    struct series *series = find(metrics, metric, labels);
    if (series != NULL && series->value < total)
        series->value = total;
}

void metrics_set(struct metrics *metrics, enum metric metric, const struct slice *labels,
                 int64_t value)
{
    if (metrics == NULL)
        return;
    CHECK(rows[metric].kind == GAUGE);
    struct series *series = find(metrics, metric, labels);
    if (series == NULL)
        return;
    series->value = value;
    series->is_set = true;
}

void metrics_observe(struct metrics *metrics, enum metric metric, const struct slice *labels,
                     int64_t value)
{
    if (metrics == NULL)
        return;
    CHECK(rows[metric].kind == HISTOGRAM);
    struct series *series = find(metrics, metric, labels);
    size_t bucket = 0;
    if (series == NULL)
        return;
    value = value < 0 ? 0 : value;
    while (bucket < COUNT_OF(bounds_ms) && value > bounds_ms[bucket])
        bucket++;
    series->histogram->counts[bucket]++;
    if (__builtin_add_overflow(series->value, value, &series->value))
        series->value = INT64_MAX;
}

int64_t metrics_value(struct metrics *metrics, enum metric metric, const struct slice *labels)
{
    struct slice text = labels_of(metrics, metric, labels, false);
    const struct series *series = metrics->table[place_of(metrics, metric, text)];
    return series == NULL ? 0 : series->value;
}

void metrics_begin_scrape(struct metrics *metrics)
{
    for (size_t i = 0; i < METRIC_COUNT; i++)
        for (struct series *series = metrics->first[i]; series != NULL; series = series->next)
            series->is_set = false;
}

/* --- printing --- */

static void add_number(struct buf *text, enum unit unit, int64_t value)
{
    if (unit == COUNT) {
        buf_add_int(text, value);
        return;
    }
    long long units = unit == MILLI ? 1000 : 1000000000, size = value < 0 ? -value : value;
    buf_addf(text, "%s%lld", value < 0 ? "-" : "", size / units);
    if (size % units != 0)
        buf_addf(text, ".%0*lld", unit == MILLI ? 3 : 9, size % units);
}

/* `name_suffix{labels,le="…"} ` */
static void add_name(struct buf *text, const struct series *series, const char *suffix,
                     const char *bound)
{
    buf_add_text(text, metric_prefix(series->metric));
    buf_add_text(text, rows[series->metric].name);
    buf_add_text(text, suffix);
    if (series->len > 0 || bound != NULL) {
        buf_add_byte(text, '{');
        buf_add(text, slice_of(series->labels, series->len));
        if (bound != NULL)
            buf_addf(text, "%sle=\"%s\"", series->len > 0 ? "," : "", bound);
        buf_add_byte(text, '}');
    }
    buf_add_byte(text, ' ');
}

static void print_histogram(struct buf *text, const struct series *series)
{
    enum unit unit = rows[series->metric].unit;
    int64_t count = 0;
    for (size_t i = 0; i <= COUNT_OF(bounds_ms); i++) {
        struct buf bound OWNED_BY(buf_done);
        buf_init(&bound, 32);
        count += (int64_t)series->histogram->counts[i];
        if (i == COUNT_OF(bounds_ms))
            buf_add_text(&bound, "+Inf");
        else
            add_number(&bound, unit, bounds_ms[i]);
        add_name(text, series, "_bucket", buf_text(&bound));
        buf_addf(text, "%lld\n", (long long)count);
    }
    add_name(text, series, "_sum", NULL);
    add_number(text, unit, series->value);
    buf_add_byte(text, '\n');
    add_name(text, series, "_count", NULL);
    buf_addf(text, "%lld\n", (long long)count);
}

static void print_series(struct buf *text, const struct series *series)
{
    const struct row *row = &rows[series->metric];
    if (row->kind == HISTOGRAM) {
        print_histogram(text, series);
        return;
    }
    if (row->kind == GAUGE && !series->is_set)
        return;
    add_name(text, series, "", NULL);
    add_number(text, row->unit, series->value);
    buf_add_byte(text, '\n');
}

void metrics_print(const struct metrics *metrics, struct buf *ret_text)
{
    static const char *const kinds[] = {
        [COUNTER] = "counter", [GAUGE] = "gauge", [HISTOGRAM] = "histogram"};
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        const char *prefix = metric_prefix((enum metric)i);
        buf_addf(ret_text, "# HELP %s%s %s\n# TYPE %s%s %s\n", prefix, rows[i].name, rows[i].help,
                 prefix, rows[i].name, kinds[rows[i].kind]);
        for (const struct series *series = metrics->first[i]; series != NULL; series = series->next)
            print_series(ret_text, series);
    }
}
