#include "app/commands/checking.h"

void report(struct checking *checking, enum verdict verdict, const char *what, const char *words)
{
    static const struct {
        const char *label;
        enum screen_style style;
    } VERDICTS[] = {
        [VERDICT_OK] = {"ok", STYLE_GOOD},
        [VERDICT_WARN] = {"warn", STYLE_HEADING},
        [VERDICT_FAIL] = {"FAIL", STYLE_BAD},
    };
    screen_printf(&checking->screen, VERDICTS[verdict].label, VERDICTS[verdict].style, "%s: %s",
                  what, words);
    checking->failures += verdict == VERDICT_FAIL;
    checking->warnings += verdict == VERDICT_WARN;
}

void report_is(struct checking *checking, bool is_good, const char *what, const char *words)
{
    report(checking, is_good ? VERDICT_OK : VERDICT_FAIL, what, words);
}
