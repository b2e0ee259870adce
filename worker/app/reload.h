/* Takes changes of the settings while the worker runs. SIGHUP reads the settings file again, and so
 * does a change of its content or of the price file's (settings.watch): ConfigMaps swap links, so
 * neither times nor inodes are compared. A changed file must have the same content for a second, or
 * a tenth of it after SIGHUP, because an editor may be writing it. All or nothing: with one mistake
 * the settings stay as they are. What needs a restart (settings.def) is named in a log line and not
 * applied.
 *
 * The engine lends terms to requests (engine_reload), so the settings of earlier readings live
 * until their last request is gone; ENGINE_TERMS_MAX bounds them, and a change waits while they are
 * all in use. Loop thread only. */
#ifndef APP_RELOAD_H
#define APP_RELOAD_H

#include "app/assembly.h"

/* Where settings come from; borrowed. */
struct settings_origin {
    const char *file; /* NULL = only defaults, "-" = standard input */
    const char *const *overrides;
    size_t override_count;
};

struct reload {
    struct settings_origin origin;
    struct assembly *assembly;
    struct engine *engine;
    struct io *io;
    const struct settings *first;             /* of the start: what needs a restart holds */
    const struct settings *now;               /* what reloads */
    struct settings *owned[ENGINE_TERMS_MAX]; /* by number of the terms; NULL = none, or `first` */
    bool is_off;                              /* the worker was not made from a file */
    bool has_failed;                          /* the last reading had mistakes */
    bool is_asked;                            /* by a SIGHUP that was not served yet */
    bool is_waiting;                          /* for free terms */
    struct buf prices_file; /* the price file that the last reading named; "" = none */
    uint64_t read_hash;     /* of the content that was read last, the price file's with it */
    uint64_t seen_hash;     /* of the content seen last, which may be unfinished */
    int64_t due_ms;         /* of the next look */
};

/* Fills in a reload of the parts of a worker that was made from `settings`; all is borrowed. */
void reload_init(struct reload *reload, const struct settings_origin *origin,
                 const struct settings *settings, struct assembly *assembly);
/* io_config.watch: frees settings that are not used any more, and takes changes. */
void reload_step(struct reload *reload, int64_t now_ms, bool is_asked);
/* After engine_free. */
void reload_done(struct reload *reload);

#endif
