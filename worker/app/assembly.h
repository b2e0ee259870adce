/* From settings to a worker: the configurations of io and engine, borrowed from the settings (which
 * must outlive them), and the bound on memory that is logged at start. */
#ifndef APP_ASSEMBLY_H
#define APP_ASSEMBLY_H

#include "app/settings.h"
#include "engine/engine.h"
#include "io/io.h"

void assembly_kafka_config(const struct settings *settings, struct slice transactional_id,
                           struct kafka_config *ret_config);

#endif
