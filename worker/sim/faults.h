/* The faults that bedrock-sim can show: one list, faults.def. It is the parser of their names, the
 * manual page and the behaviour of those that are plain error answers. */
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

enum fault_kind { FAULT_KIND_STATUS, FAULT_KIND_EXCEPTION, FAULT_KIND_ACT };
enum fault_applies { FAULT_APPLIES_ANY, FAULT_APPLIES_STREAM, FAULT_APPLIES_WHOLE };
/* What is billed: HEARD = the input, and the output that was sent before the fault. */
enum fault_costs { FAULT_COSTS_NOTHING, FAULT_COSTS_INPUT, FAULT_COSTS_HEARD, FAULT_COSTS_ALL };

struct fault_row {
    const char *word;
    enum fault_kind kind;
    enum fault_applies applies;
    int status; /* 0 = no answer comes */
    const char *type;
    enum fault_costs costs;
    const char *words;
};

/* Indexed by enum fault; the row of FAULT_NONE has the word "none". */
extern const struct fault_row FAULTS[FAULT_COUNT];

MUST_CHECK bool fault_from_word(struct slice word, enum fault *ret_fault);
/* Streams and whole answers do not show the same faults. */
bool fault_fits(enum fault fault, bool is_stream);

#endif
