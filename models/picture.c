#include "models/picture.h"

#include <stdio.h>

#include "models/mnist_program.h"

#include "train/whole_file.h"

static tg_status write_picture(FILE *out, void *user)
{
    const picture *p = user;
    tg_dot_options options = tg_dot_defaults();
    options.title = p->title;
    options.highlight = p->highlight;
    return p->plan ? tg_dump_plan(out, p->plan, options) : tg_dot(out, p->graph, options);
}

static tg_status write_whole(const char *path, const picture *p, char *message, size_t size)
{
    picture copy = *p;
    return tg_write_whole(path, write_picture, &copy, message, size);
}

int write_graph(console *c, const char *path, const picture *p)
{
    char message[TG_MESSAGE_SIZE];
    if (write_whole(path, p, message, sizeof message) == TG_OK)
        return EXIT_DONE;
    console_complain(c, "%s", message);
    return EXIT_FAILED;
}

void show_culprit(console *c, const char *folder, const tg_graph *graph, const tg_nonfinite *found)
{
    char path[4096], message[TG_MESSAGE_SIZE];
    picture p = {.title = found->message, .graph = graph, .highlight = &found->node};
    snprintf(path, sizeof path, "%s%sdiverged.dot", folder ? folder : "", folder ? "/" : "");
    if (!graph)
        return;
    if (write_whole(path, &p, message, sizeof message) == TG_OK)
        console_complain(c, "%s shows the graph with that node in red", path);
    else
        console_complain(c, "there is no picture of the graph: %s", message);
}
