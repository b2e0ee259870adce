#include "sim/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/instant.h"
#include "wire/formats/json.h"

#define PENDING_BYTES_MAX (8 * 1024 * 1024)
#define WRITE_AT_BYTES    (64 * 1024)
#define FILE_MODE         0644

enum err journal_open(struct journal *journal, struct slice path, int64_t flush_ms)
{
    *journal = (struct journal){.file = -1, .flush_ms = flush_ms, .due_ms = INT64_MAX};
    buf_init(&journal->pending, PENDING_BYTES_MAX);
    if (path.len == 0)
        return OK;
    /* settings keep a NUL behind their texts */
    journal->file = open(path.ptr, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, FILE_MODE);
    return journal->file >= 0 ? OK : ERR_IO;
}

void journal_close(struct journal *journal)
{
    journal_flush(journal);
    if (journal->file >= 0)
        (void)close(journal->file);
    journal->file = -1;
    buf_done(&journal->pending);
}

void journal_flush(struct journal *journal)
{
    struct slice left = buf_slice(&journal->pending);
    bool failed = journal->pending.failed != OK;
    while (journal->file >= 0 && left.len > 0 && !failed) {
        ssize_t done = write(journal->file, left.ptr, left.len);
        if (done < 0 && errno == EINTR)
            continue;
        failed = done < 0;
        left = slice_sub(left, failed ? 0 : (size_t)done, left.len);
    }
    if (failed && !journal->broken) {
        journal->broken = true;
        (void)fprintf(stderr, "bedrock-sim: the ledger cannot be written: %s\n", strerror(errno));
    }
    buf_reset(&journal->pending);
    journal->due_ms = INT64_MAX;
}

void journal_turn(struct journal *journal, int64_t now_ms)
{
    if (now_ms >= journal->due_ms)
        journal_flush(journal);
}

static void add_instant(struct buf *buf, const char *name, int64_t wall_us)
{
    json_add_name(buf, name);
    buf_add_byte(buf, '"');
    instant_add_rfc3339(buf, wall_us / 1000);
    buf_add_byte(buf, '"');
}

static void add_identity(struct buf *buf, const struct journal_call *call)
{
    json_add_int_member(buf, "call", call->serial);
    json_add_text_member(buf, "operation", slice_of_text(call->operation));
    json_add_text_member(buf, "request_id", call->request_id);
    json_add_text_member(buf, "model", call->model);
    json_add_text_member(buf, "tag", call->tag);
    json_add_text_member(buf, "access_key_id", call->access_key_id);
    json_add_text_member(buf, "invocation_id", call->invocation_id);
    json_add_text_member(buf, "sdk_request", call->sdk_request);
    add_instant(buf, "started_at", call->started_us);
    json_add_int_member(buf, "started_us", call->started_us);
}

static void line_end(struct journal *journal, int64_t now_ms)
{
    buf_add_text(&journal->pending, "}\n");
    if (journal->pending.len >= WRITE_AT_BYTES)
        journal_flush(journal);
    else if (journal->due_ms == INT64_MAX)
        journal->due_ms = now_ms + journal->flush_ms;
}

void journal_begin(struct journal *journal, const struct journal_call *call, int64_t now_ms)
{
    if (journal->file < 0)
        return;
    buf_add_text(&journal->pending, "{\"event\":\"begin\"");
    add_identity(&journal->pending, call);
    line_end(journal, now_ms);
}

void journal_end(struct journal *journal, const struct journal_call *call, int64_t now_ms)
{
    struct buf *buf = &journal->pending;
    if (journal->file < 0)
        return;
    buf_add_text(buf, "{\"event\":\"end\"");
    add_identity(buf, call);
    add_instant(buf, "ended_at", call->ended_us);
    json_add_int_member(buf, "ended_us", call->ended_us);
    json_add_text_member(buf, "outcome", slice_of_text(call->outcome));
    json_add_text_member(buf, "fault", slice_of_text(call->fault));
    json_add_int_member(buf, "status", call->status);
    json_add_bool_member(buf, "billed", call->billed);
    json_add_int_member(buf, "input_tokens", call->input_tokens);
    json_add_int_member(buf, "output_tokens", call->output_tokens);
    if (call->cache_read_tokens > 0 || call->cache_write_tokens > 0) {
        json_add_int_member(buf, "cache_read_tokens", call->cache_read_tokens);
        json_add_int_member(buf, "cache_write_tokens", call->cache_write_tokens);
        json_add_int_member(buf, "cache_write_1h_tokens", call->cache_write_1h_tokens);
    }
    json_add_bool_member(buf, "whole", call->whole);
    line_end(journal, now_ms);
}
