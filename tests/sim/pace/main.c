/* Runs the scenarios of quotas, with the quota known and not, and compares what comes of them with
 * the goals of scenarios.c: `pace_worlds` all of them, `pace_worlds WORD` those with it in their
 * names, `pace_worlds -v WORD` with the log. */
#include "sim/pace/pace.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static bool miss(const char *what, bool is_met)
{
    if (!is_met)
        printf("    missed: %s\n", what);
    return !is_met;
}

/* From the tenth minute on a spent day is probed once a minute, whatever waits. */
static bool misses_probes(const struct pace_world *world)
{
    bool has_missed = false;
    for (int at = 720; at + 60 < world->mark_count && world->scenario->day_s > 0; at += 60) {
        uint32_t begun = world->marks[at + 60].begun[0] - world->marks[at].begun[0];
        has_missed = has_missed || begun > 1;
    }
    return miss("one probe a minute", !has_missed);
}

/* A small quota that is learned: one refusal a minute when it is settled; of one request a second,
 * the first minute grants most of it, though the bucket is full at first and the rate far above it.
 */
static bool misses_minutes(const struct pace_world *world, const struct goal *goal)
{
    const struct pace_mark *minute = &world->marks[60];
    bool is_slow = world->scenario->calls_per_second == 1;
    bool has_missed = false;
    for (int at = goal->settled_s; at > 0 && at + 60 < world->mark_count; at += 60) {
        uint32_t refused = world->marks[at + 60].refused[1] - world->marks[at].refused[1];
        if (refused > 1)
            printf("    %u refusals of the small one in minute %d\n", refused, at / 60 + 1);
        has_missed = has_missed || refused > 1;
    }
    has_missed = miss("one refusal a minute", !has_missed);
    if (!is_slow || world->scenario->streams > 0)
        return has_missed;
    return miss("the first minute", minute->begun[0] - minute->refused[0] >= 48 &&
                                        minute->refused[0] * 8 <= minute->begun[0]);
}

static bool misses_quiet(const struct pace_world *world, const struct pace_figures *figures)
{
    if (!world->scenario->has_quiet_tenant)
        return false;
    printf("    quiet tenant: p95 of %d waits %.2f s\n", world->quiet_count, figures->quiet_p95_s);
    return miss("quiet tenant's wait", world->quiet_count > 100 && figures->quiet_p95_s <= 1);
}

static bool misses_streams(const struct pace_world *world, const struct goal *goal)
{
    if (world->scenario->streams == 0)
        return false;
    double s = (double)(world->after_eight_ms - world->eighth_ms) / 1000;
    printf("    next call %.1f s after eight refusals\n", s);
    return miss("the next call",
                world->eighth_ms > 0 && world->after_eight_ms > 0 && s <= goal->next_call_s);
}

static bool misses_goal(const struct pace_figures *figures, const struct goal *goal)
{
    int missed = miss("goodput", figures->goodput[0] >= goal->goodput);
    missed += miss("waste", figures->waste[0] <= goal->waste);
    missed += miss("Jain", figures->jain >= goal->jain);
    missed += miss("goodput of the small one", figures->goodput[1] >= goal->small_goodput);
    missed += miss("waste of the small one",
                   goal->small_waste <= 0 || figures->waste[1] <= goal->small_waste);
    for (int i = 0; i < 2; i++)
        missed += miss("recovery",
                       goal->recovery_s[i] <= 0 || figures->recovery_s[i] <= goal->recovery_s[i]);
    return missed > 0;
}

static void show(const struct pace_world *world, const struct pace_figures *figures, double cpu_s)
{
    double fullest = 0, longest_s = 0;
    for (int i = 0; i < PACE_WORKERS; i++) {
        const struct promises *promises = &world->workers[i].promises;
        double s = (double)promises->longest_ms / 1000;
        fullest = promises->fullest > fullest ? promises->fullest : fullest;
        longest_s = s > longest_s ? s : longest_s;
    }
    printf("%-16s %-7s goodput %5.1f, waste %5.2f, Jain %5.3f", world->scenario->name,
           world->is_known ? "known" : "learned", figures->goodput[0], figures->waste[0],
           figures->jain);
    if (world->scenario->small_rpm > 0)
        printf("; small %5.1f, %5.2f", figures->goodput[1], figures->waste[1]);
    for (int i = 0; i < 2; i++)
        if (figures->recovery_s[i] > 0)
            printf("; recovery %.0f s", figures->recovery_s[i]);
    printf("; fullest minute %.0f %%, longest wait %.0f s, CPU %.1f s\n", 100 * fullest, longest_s,
           cpu_s);
    fflush(stdout);
}

static bool run(const struct pinned *pinned, bool is_known, bool is_loud)
{
    clock_t began = clock();
    struct pace_world *world = pace_run(&pinned->scenario, is_known, is_loud);
    struct pace_figures figures = pace_figures(world);
    show(world, &figures, (double)(clock() - began) / CLOCKS_PER_SEC);
    const struct goal *goal = is_known ? &pinned->known : &pinned->unknown;
    bool has_missed = misses_goal(&figures, goal);
    has_missed = misses_probes(world) || has_missed;
    has_missed = (!is_known && misses_minutes(world, goal)) || has_missed;
    has_missed = misses_quiet(world, &figures) || has_missed;
    has_missed = misses_streams(world, goal) || has_missed;
    pace_free(world);
    return has_missed;
}

int main(int argc, char **argv)
{
    bool is_loud = argc > 1 && strcmp(argv[1], "-v") == 0;
    const char *word = argc > 1 + is_loud ? argv[1 + is_loud] : "";
    int missed = 0, worlds = 0;
    for (size_t i = 0; i < PINNED_COUNT; i++) {
        if (strstr(PINNED[i].scenario.name, word) == NULL)
            continue;
        missed += run(&PINNED[i], true, is_loud);
        missed += run(&PINNED[i], false, is_loud);
        worlds += 2;
    }
    printf("%d worlds of quotas, %d missed their goals\n", worlds, missed);
    return missed > 0 || worlds == 0;
}
