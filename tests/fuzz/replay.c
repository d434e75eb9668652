/* In the fuzzer's place: runs the target once over every file of the folders and files named. */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static unsigned replayed;

static void replay_file(const char *path)
{
    static uint8_t data[1 << 20];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    size_t len = fread(data, 1, sizeof data, file);
    (void)fclose(file);
    /* Prints the name first, so that after a crash the last line names the input. */
    printf("%s\n", path);
    (void)fflush(stdout);
    struct fuzz_input input = {data, len};
    uint8_t *copy = fuzz_bytes(&input, len, &len);
    (void)LLVMFuzzerTestOneInput(copy, len);
    free(copy);
    replayed++;
}

static void replay_input(const char *path)
{
    struct stat state;
    DIR *folder = stat(path, &state) == 0 && S_ISDIR(state.st_mode) ? opendir(path) : NULL;
    if (folder == NULL) {
        replay_file(path);
        return;
    }
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char inside[4096];
        if (entry->d_name[0] != '.') {
            (void)snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name);
            replay_input(inside);
        }
    }
    (void)closedir(folder);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        replay_input(argv[i]);
    }
    printf("%u inputs\n", replayed);
    return replayed > 0 ? 0 : 1;
}
