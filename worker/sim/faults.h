/* The faults that bedrock-sim can inject: one list, faults.def, from which come the parser of their
 * names, the help page and the error answers. */
#ifndef SIM_FAULTS_H
#define SIM_FAULTS_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/slice.h"

enum fault {
    FAULT_NONE,
#define FAULT(name, word, kind, applies, status, type, costs, words) FAULT_##name,
#include "sim/faults.def"
#undef FAULT
    FAULT_COUNT
};

/* STATUS: an error answer; EXCEPTION: a frame that ends a stream; ACT: code in writing.c. */
enum fault_kind { FAULT_KIND_STATUS, FAULT_KIND_EXCEPTION, FAULT_KIND_ACT };
/* STREAM: only ConverseStream; WHOLE: only Converse. */
enum fault_applies { FAULT_APPLIES_ANY, FAULT_APPLIES_STREAM, FAULT_APPLIES_WHOLE };
/* What the call bills; SENT: the input, and the output that was sent before the fault. */
enum fault_costs { FAULT_COSTS_NOTHING, FAULT_COSTS_INPUT, FAULT_COSTS_SENT, FAULT_COSTS_ALL };

/* A row of faults.def. */
struct fault_row {
    const char *word; /* its name in settings and directives */
    enum fault_kind kind;
    enum fault_applies applies;
    int status; /* 0 = no answer is sent */
    const char *type;
    enum fault_costs costs;
    const char *text; /* of the error, or what the fault does */
};

/* By enum fault; the word of FAULT_NONE is "none". */
extern const struct fault_row FAULTS[FAULT_COUNT];

/* Finds a fault by its word; false when there is none. */
MUST_CHECK bool fault_from_word(struct slice word, enum fault *ret_fault);
/* Does the fault apply to a stream, or to a whole answer? */
bool fault_fits(enum fault fault, bool is_stream);

#endif
