#include "models/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_quoted(FILE *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%";
    if (*word && word[strspn(word, plain)] == '\0') {
        fputs(word, out);
        return;
    }
    fputc('\'', out);
    for (; *word; word++)
        fputs(*word == '\'' ? "'\\''" : (char[]){*word, '\0'}, out);
    fputc('\'', out);
}

static void put_variable(FILE *out, const char *name)
{
    const char *value = getenv(name);
    if (!value)
        return;
    fprintf(out, "%s=", name);
    put_quoted(out, value);
    fputc(' ', out);
}

/* Whether a run that is done again, or goes on, leaves a flag out. */
static bool left_out(const char *flag, const char *resume)
{
    bool begins = strcmp(flag, "load") == 0 || strcmp(flag, "checkpoint") == 0 || strcmp(flag, "trace") == 0;
    return strcmp(flag, "resume") == 0 || (resume && begins);
}

static void put_flag(FILE *out, const char *name, const char *value)
{
    fprintf(out, " --%s", name);
    if (*value) {
        fputc(' ', out);
        put_quoted(out, value);
    }
}

char *command_again(const mnist_program *program, const settings *s, const char *invoked, const char *resume)
{
    char *text = NULL;
    size_t size = 0;
    setting_text *list = malloc(MOST_SETTINGS * sizeof *list);
    FILE *out = list ? open_memstream(&text, &size) : NULL;
    if (!out) {
        free(list);
        return NULL;
    }
    int n = list_settings(program, s, list);
    put_variable(out, "TG_ISA");
    if (!s->data)
        put_variable(out, "MNIST_DIR");
    put_quoted(out, invoked);
    for (int i = 0; i < n; i++)
        if ((list[i].changed || strcmp(list[i].name, "seed") == 0) && !left_out(list[i].name, resume))
            put_flag(out, list[i].name, list[i].value);
    if (resume)
        put_flag(out, "resume", resume);
    free(list);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}
