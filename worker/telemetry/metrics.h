/* Metrics: one list (metrics.def), counted in memory and printed in Prometheus' text format 0.0.4.
 * A series is a metric with label values. A set of metrics holds at most METRICS_SERIES_MAX series;
 * what would be another one is counted in the metric's series whose labels all say `other`, so a
 * hostile label value costs no memory. Counters and histograms live as long as the set; a gauge
 * shows only what was set since metrics_begin_scrape. One thread.
 * Source: Prometheus, "Exposition formats", text-based format. */
#ifndef TELEMETRY_METRICS_H
#define TELEMETRY_METRICS_H

#include "base/buf.h"
#include "base/slice.h"

#define METRICS_SERIES_MAX 8192
#define METRICS_LABELS_MAX 4

enum metric {
#define METRIC(id, kind, unit, name, labels, help) METRIC_##id,
#include "telemetry/metrics.def"
#undef METRIC
    METRIC_COUNT
};

struct metrics;

/* NULL: no memory. */
struct metrics *metrics_new(void);
/* NULL is allowed. */
void metrics_free(struct metrics *metrics);

/* `labels` are the values of the metric's labels, in the order of its row; NULL where it has none.
 * Values are texts of any bytes; invalid UTF-8 and controls show as `?`. Each adds to a counter
 * (by >= 0), sets a gauge, or adds an observation to a histogram; in thousandths where the
 * metric's unit is MILLI, in 10⁻⁹ where it is NANO. `metrics` NULL: nothing happens. */
void metrics_add(struct metrics *metrics, enum metric metric, const struct slice *labels,
                 int64_t by);
/* Raises a counter that is counted elsewhere to this total. */
void metrics_raise(struct metrics *metrics, enum metric metric, const struct slice *labels,
                   int64_t total);
void metrics_set(struct metrics *metrics, enum metric metric, const struct slice *labels,
                 int64_t value);
void metrics_observe(struct metrics *metrics, enum metric metric, const struct slice *labels,
                     int64_t value);

/* Forgets the gauges' values: who knows them sets them before metrics_print. */
void metrics_begin_scrape(struct metrics *metrics);
/* Appends all series, each metric with its HELP and TYPE lines. The buf's limit is the only
 * failure.
 */
void metrics_print(const struct metrics *metrics, struct buf *ret_text);
/* The value of a counter or gauge; 0 when there is none. */
int64_t metrics_value(struct metrics *metrics, enum metric metric, const struct slice *labels);
/* Prefix and the name behind it, labels and help of a metric; static. */
const char *metric_prefix(enum metric metric);
const char *metric_name(enum metric metric);
const char *metric_labels(enum metric metric);
const char *metric_help(enum metric metric);

#endif
