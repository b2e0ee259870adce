#include "sim/faults.h"

const struct fault_row FAULTS[FAULT_COUNT] = {
    [FAULT_NONE] = {"none", FAULT_KIND_ACT, FAULT_APPLIES_ANY, 200, "", FAULT_COSTS_ALL, ""},
#define FAULT(name, word, kind, applies, status, type, costs, text)                                \
    [FAULT_##name] = {word,                                                                        \
                      FAULT_KIND_##kind,                                                           \
                      FAULT_APPLIES_##applies,                                                     \
                      status,                                                                      \
                      type,                                                                        \
                      FAULT_COSTS_##costs,                                                         \
                      text},
#include "sim/faults.def"
#undef FAULT
};

bool fault_from_word(struct slice word, enum fault *ret_fault)
{
    for (int fault = FAULT_NONE; fault < FAULT_COUNT; fault++) {
        if (slice_equal_text(word, FAULTS[fault].word)) {
            *ret_fault = (enum fault)fault;
            return true;
        }
    }
    return false;
}

bool fault_fits(enum fault fault, bool is_stream)
{
    enum fault_applies applies = FAULTS[fault].applies;
    return applies == FAULT_APPLIES_ANY || (applies == FAULT_APPLIES_STREAM) == is_stream;
}
