#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "exec/compile.h"
#include "graph/number_text.h"

char *tg_node_label(const tg_node *node, char *text, size_t size)
{
    bool named = node->name && *node->name, scoped = node->scope && *node->scope;
    snprintf(text, size, "%s%s%s%s%s%s", node->op->name, named ? " \"" : "", named ? node->name : "", named ? "\"" : "",
             scoped ? " of layer " : "", scoped ? node->scope : "");
    return text;
}

tg_status tg_plan_fail(const tg_plan *plan, tg_status status, tg_where where, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    tg_vformat(plan->error, TG_PLAN_ERROR_BYTES, format, arguments);
    va_end(arguments);
    size_t length = strlen(plan->error);
    if (where.file)
        snprintf(plan->error + length, TG_PLAN_ERROR_BYTES - length, " (%s:%d)", where.file, where.line);
    return status;
}
