/* replay.c - runs a fuzz target with the bytes of files, without libFuzzer.
 *
 * usage: replay_TARGET FILE_OR_DIRECTORY...
 *
 * Of a directory every file is run, in no particular order. Says how many
 * there were; with -v names each before it is run. Linked with one target;
 * any compiler and any flags do. */
#define _DEFAULT_SOURCE 1

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned files;
static bool     verbose;

/* In memory of just its size, so that reading past the end is noticed. */
static bool run_file(const char *path, size_t size)
{
    FILE    *file = fopen(path, "rb");
    uint8_t *data = malloc(size > 0 ? size : 1);
    bool     read =
        file != NULL && data != NULL && fread(data, 1, size, file) == size;

    if (verbose)
        fprintf(stderr, "%s\n", path);
    if (read)
        LLVMFuzzerTestOneInput(data, size);
    else
        perror(path);
    free(data);
    if (file != NULL)
        fclose(file);
    files++;
    return read;
}

static bool run(const char *path)
{
    struct stat    st;
    struct dirent *entry;
    DIR           *dir;
    char           inside[1024];
    bool           good = true;

    if (stat(path, &st) != 0) {
        perror(path);
        return false;
    }
    if (!S_ISDIR(st.st_mode))
        return run_file(path, (size_t)st.st_size);
    dir = opendir(path);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.' && stat(inside, &st) == 0
            && S_ISREG(st.st_mode))
            good = run_file(inside, (size_t)st.st_size) && good;
    }
    if (dir != NULL)
        closedir(dir);
    return good;
}

int main(int argc, char **argv)
{
    bool good = true;
    int  i = 1;

    verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
    for (i += verbose; i < argc; i++)
        good = run(argv[i]) && good;
    printf("%u files\n", files);
    return good && files > 0 ? 0 : 1;
}
