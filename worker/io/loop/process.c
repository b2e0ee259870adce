#include "io/loop/process.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "telemetry/metrics.h"

/* The soft limit is lowered, so that it can be raised again up to the hard one. A core that goes to
 * a program (core_pattern `|…`) ignores the limit, but not the other. */
void process_hide(bool is_hidden)
{
    struct rlimit limit;
    (void)prctl(PR_SET_DUMPABLE, is_hidden ? 0 : 1, 0, 0, 0);
    if (getrlimit(RLIMIT_CORE, &limit) != 0)
        return;
    limit.rlim_cur = is_hidden ? 0 : limit.rlim_max;
    (void)setrlimit(RLIMIT_CORE, &limit);
}

/* The second number of /proc/self/statm; -1 = not known. */
static int64_t resident_pages(void)
{
    long long pages = -1;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return -1;
    if (fscanf(file, "%*d %lld", &pages) != 1)
        pages = -1;
    (void)fclose(file);
    return pages;
}

/* -1 = not known. The folder's own descriptor does not count. */
static int64_t open_files(void)
{
    int64_t count = -1;
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL)
        return -1;
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        count += entry->d_name[0] != '.';
    (void)closedir(folder);
    return count;
}

static int64_t ms_of(struct timeval time)
{
    return (int64_t)time.tv_sec * 1000 + time.tv_usec / 1000;
}

void process_meter(struct metrics *metrics, int64_t started_wall_ms)
{
    struct rusage usage;
    struct rlimit limit;
    int64_t pages = resident_pages(), files = open_files();
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        metrics_raise(metrics, METRIC_PROCESS_CPU, NULL,
                      ms_of(usage.ru_utime) + ms_of(usage.ru_stime));
    if (pages >= 0)
        metrics_set(metrics, METRIC_PROCESS_MEMORY, NULL, pages * sysconf(_SC_PAGESIZE));
    if (files >= 0)
        metrics_set(metrics, METRIC_PROCESS_FILES, NULL, files);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        metrics_set(metrics, METRIC_PROCESS_FILES_MAX, NULL, (int64_t)limit.rlim_cur);
    metrics_set(metrics, METRIC_PROCESS_START, NULL, started_wall_ms);
}
