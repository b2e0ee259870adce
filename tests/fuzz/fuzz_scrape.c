/* Any bytes as the Host header of a scrape, and as the value of a label: only hosts of the
 * settings, addresses and localhost are known, and a line stays a line of Prometheus' text format.
 */
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "io/server/server.h"
#include "telemetry/metrics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool ends_with(struct slice text, const char *end)
{
    size_t len = strlen(end);
    return text.len >= len && memcmp(text.ptr + text.len - len, end, len) == 0;
}

/* Known without a glob: nothing but an address or localhost. With one: its names, too. */
static void try_host(struct slice host)
{
    static const struct slice HOSTS[] = {{"*.example.org", 13}};
    bool is_known = server_knows_host(NULL, 0, host);
    bool is_listed = server_knows_host(HOSTS, 1, host);
    CHECK(!is_known || is_listed);
    CHECK(!is_known || !ends_with(host, ".org"));
}

static void try_label(struct slice value)
{
    struct metrics *metrics = metrics_new();
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, 1 << 20);
    CHECK(metrics != NULL);
    metrics_add(metrics, METRIC_REQUESTS_TAKEN, &value, 7);
    metrics_add(metrics, METRIC_REQUESTS_TAKEN, &value, 1);
    metrics_print(metrics, &text);
    CHECK(text.failed == OK && metrics_value(metrics, METRIC_REQUESTS_TAKEN, &value) == 8);
    const char *line = strstr(buf_text(&text), "\nbedrock_worker_requests_taken_total{topic=\"");
    CHECK(line != NULL && strlen(buf_text(&text)) == text.len);
    const char *end = strchr(line + 1, '\n');
    CHECK(end != NULL && end - line > 5 && memcmp(end - 4, "\"} 8", 4) == 0);
    metrics_free(metrics);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of(data, size);
    size_t end = slice_find(text, '\n');
    try_host(slice_sub(text, 0, end));
    try_label(slice_sub(text, end + 1, SIZE_MAX));
    return 0;
}
