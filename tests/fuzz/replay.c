/* Feeds every file of the folder argv[1] to a fuzz target, once: the findings of a fuzzer are
 * tested without a fuzzer. Fails when the folder is missing or empty, because then nothing was
 * tested. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_BYTES_MAX ((size_t)16 * 1024 * 1024)
#define PATH_BYTES_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The buffer is as big as the file, so that a sanitizer sees a read behind its end. */
static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        return -1;
    }
    long size = ftell(file);
    if (size < 0 || (size_t)size > FILE_BYTES_MAX || fseek(file, 0, SEEK_SET) != 0) {
        fprintf(stderr, "%s: unreadable or too large\n", path);
        (void)fclose(file);
        return -1;
    }
    size_t len = (size_t)size;
    uint8_t *data = malloc(len == 0 ? 1 : len);
    size_t got = data == NULL ? 0 : fread(data, 1, len, file);
    (void)fclose(file);
    if (data == NULL || got != len) {
        fprintf(stderr, "%s: cannot be read\n", path);
        free(data);
        return -1;
    }
    (void)LLVMFuzzerTestOneInput(data, len);
    free(data);
    return 0;
}

static int replay_folder(DIR *folder, const char *name)
{
    int count = 0;
    struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        char path[PATH_BYTES_MAX];
        if (entry->d_name[0] == '.')
            continue;
        int printed = snprintf(path, sizeof path, "%s/%s", name, entry->d_name);
        if (printed < 0 || (size_t)printed >= sizeof path || replay_file(path) != 0)
            return -1;
        count++;
    }
    return count;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    DIR *folder = opendir(argv[1]);
    if (folder == NULL) {
        perror(argv[1]);
        return 1;
    }
    int count = replay_folder(folder, argv[1]);
    (void)closedir(folder);
    if (count <= 0) {
        fprintf(stderr, "%s: nothing replayed\n", argv[1]);
        return 1;
    }
    printf("%d inputs replayed\n", count);
    return 0;
}
