/* bedrock-sim's page of help, 80 columns wide, and the same as a manual page. */
#include "sim/help.h"

#include <stdio.h>

#include "base/roff.h"
#include "base/wrap.h"
#include "sim/faults.h"

#define PAGE_BYTES_MAX ((size_t)64 * 1024)
#define PAGE_COLUMNS   80
#define INDENT         2
#define OPTION_INDENT  6
#define FAULT_INDENT   26

static const struct {
    const char *name, *value, *text;
    char letter;
} OPTIONS[] = {
#define OPTION(id, letter, name, value, text) {name, value, text, letter},
#include "sim/options.def"
#undef OPTION
};

/* The page in the making. */
struct page {
    struct buf text;
    bool is_manual; /* in troff's language */
};

static void add_heading(struct page *page, const char *heading)
{
    if (page->is_manual)
        roff_add_heading(&page->text, heading, false);
    else
        buf_addf(&page->text, "%s\n", heading);
}

static void add_words(struct page *page, const char *words)
{
    if (page->is_manual) {
        roff_add_text(&page->text, slice_of_text(words));
        return;
    }
    buf_add_text(&page->text, "  ");
    wrap_add(&page->text, slice_of_text(words), INDENT, PAGE_COLUMNS);
    buf_add_text(&page->text, "\n\n");
}

/* A heading, and its text wrapped below. */
static void add_section(struct page *page, const char *heading, const char *text)
{
    add_heading(page, heading);
    add_words(page, text);
}

static void add_manual_option(struct buf *text, size_t at)
{
    char term[64];
    const char letter[] = {'-', OPTIONS[at].letter, ',', ' ', '\0'};
    (void)snprintf(term, sizeof term, "%s--%s", OPTIONS[at].letter != 0 ? letter : "",
                   OPTIONS[at].name);
    roff_add_item(text, term, OPTIONS[at].value);
    roff_add_text(text, slice_of_text(OPTIONS[at].text));
}

static void add_option(struct buf *text, size_t at)
{
    buf_add_text(text, "  ");
    if (OPTIONS[at].letter != 0)
        buf_addf(text, "-%c, ", OPTIONS[at].letter);
    buf_addf(text, "--%s%s%s\n%*s", OPTIONS[at].name, OPTIONS[at].value != NULL ? " " : "",
             OPTIONS[at].value != NULL ? OPTIONS[at].value : "", OPTION_INDENT, "");
    wrap_add(text, slice_of_text(OPTIONS[at].text), OPTION_INDENT, PAGE_COLUMNS);
    buf_add_byte(text, '\n');
}

static void add_options(struct page *page)
{
    add_heading(page, "OPTIONS");
    for (size_t i = 0; i < COUNT_OF(OPTIONS); i++)
        (page->is_manual ? add_manual_option : add_option)(&page->text, i);
    if (!page->is_manual)
        buf_add_byte(&page->text, '\n');
}

static void add_fault(struct page *page, const struct fault_row *row)
{
    static const char *const COSTS[] = {"free", "input", "input and what was sent", "all"};
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, PAGE_BYTES_MAX);
    if (row->kind == FAULT_KIND_STATUS)
        buf_addf(&text, "%d %s", row->status, row->type);
    else if (row->kind == FAULT_KIND_EXCEPTION)
        buf_addf(&text, "stream: %s", row->type);
    else
        buf_addf(&text, "%s%s",
                 row->applies == FAULT_APPLIES_STREAM  ? "stream: "
                 : row->applies == FAULT_APPLIES_WHOLE ? "whole answer: "
                                                       : "",
                 row->text);
    buf_addf(&text, " (costs: %s)", COSTS[row->costs]);
    if (page->is_manual) {
        roff_add_item(&page->text, row->word, NULL);
        roff_add_text(&page->text, buf_slice(&text));
        return;
    }
    buf_addf(&page->text, "  %-*s", FAULT_INDENT - INDENT, row->word);
    wrap_add(&page->text, buf_slice(&text), FAULT_INDENT, PAGE_COLUMNS);
    buf_add_byte(&page->text, '\n');
}

static void add_faults(struct page *page)
{
    add_heading(page, "FAULTS");
    for (int fault = FAULT_NONE + 1; fault < FAULT_COUNT; fault++)
        add_fault(page, &FAULTS[fault]);
    buf_add_text(&page->text, page->is_manual ? ".PP\n" : "\n");
    add_words(page, "Faults of streams do not touch whole answers, and the other way round. A "
                    "rejected call costs nothing; one whose answer is cut costs its input and the "
                    "output that was sent; one whose answer is lost costs all. The ledger has the "
                    "tokens.");
}

void help_print(bool is_manual)
{
    struct page page = {.is_manual = is_manual};
    buf_init(&page.text, PAGE_BYTES_MAX);
    if (is_manual)
        roff_add_title(&page.text, "BEDROCK-SIM", 1, "bedrock-worker " BEDROCK_VERSION);
    add_section(&page, "NAME",
                "bedrock-sim - a local Amazon Bedrock Runtime for development and tests");
    add_section(&page, "SYNOPSIS", "bedrock-sim [OPTION]...");
    add_section(
        &page, "DESCRIPTION",
        "Serves Converse, ConverseStream, InvokeModel, InvokeModelWithResponseStream and "
        "CountTokens over HTTP as Amazon Bedrock does. It verifies signatures (SigV4) and bearer "
        "tokens, checks request bodies against the service's and the vendors' rules, answers by "
        "script or from the prompt, and injects faults by rate, rule or order. "
        "A ledger records every call with the tokens that it billed. The program prints where it "
        "listens and the environment that a client needs, and runs until SIGTERM or SIGINT.");
    add_options(&page);
    add_section(
        &page, "DIRECTIVES",
        "A prompt (the last user turn) can order how its own call is treated:\n\n"
        "    [[sim:fault=throttling;times=2]][[sim:fault=cut_stream;after=3]] Hello.\n\n"
        "Each block holds for its `times` calls with this very prompt, the next block for those "
        "after; a block without `times` holds for all that remain. Orders: fault=NAME, times=N, "
        "latency=DELAY or milliseconds, gap=DELAY, bytes=N (of the answer's text), after=N "
        "(events before a stream's fault), retry_after=2s, skew=1h, text=…, stop_reason=…, "
        "input_tokens=N, output_tokens=N, tool=NAME or any (calls a tool of the request), "
        "input=JSON (of that call; without `;` and `]]`), calls=N (tools at once), reasoning=…, "
        "redacted=1 (hides it), citations=1, guardrail=input or output (blocks, if the request "
        "names a guardrail). [[id:NAME]] in a prompt is the caller's tag: the ledger keeps it.");
    add_section(
        &page, "ANSWERS",
        "Without a script the answer repeats the prompt and names its media. A forced tool is "
        "called, and a prescribed schema is answered, with a value made from the schema; a turn "
        "with tool results is answered with text. A model that is told to think has reasoning "
        "before its text; Claude's is signed, and comes back unchanged or is rejected. A prompt "
        "up to a cache point is written to the cache at first and read later, however short it "
        "is. A body of InvokeModel has the form of its model's family: anthropic, amazon nova and "
        "titan, meta llama, mistral, deepseek, cohere command-r, OpenAI's form for the others, "
        "one prompt for imported models.");
    add_faults(&page);
    add_section(
        &page, "LEDGER",
        "Members of a line: event (begin, end), call (number), operation, request_id, "
        "model, tag, access_key_id, invocation_id and sdk_request (the client's amz-sdk "
        "headers), started_at, started_us; at the end also ended_at, ended_us, outcome "
        "(ok, an error's type, a fault's name, client_gone, stopped), fault, status, "
        "billed, input_tokens (with those of the cache), output_tokens, "
        "cache_read_tokens, cache_write_tokens and, of these, cache_write_1h_tokens if there are "
        "any, whole. CountTokens "
        "bills nothing.");
    add_section(&page, "ADDRESSES", "GET /_sim/stats returns the counters as JSON.");
    add_section(&page, "EXAMPLE",
                "  bedrock-sim --port 9911 --ledger calls.jsonl --throttle-rate 0.05 \\\n"
                "      --cut-rate 0.02 --latency 'lognormal(800ms, 0.5)'");
    add_section(&page, "EXIT STATUS",
                "0 done, 1 failed (port taken, ledger not writable), 2 wrong settings or a wrong "
                "command line");
    struct slice text = buf_slice(&page.text);
    if (!is_manual) /* without the empty line at the end */
        text = slice_sub(text, 0, text.len > 0 ? text.len - 1 : 0);
    (void)fwrite(text.ptr, 1, text.len, stdout);
    buf_done(&page.text);
}
