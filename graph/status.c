#include "graph/status.h"

const char *tg_status_text(tg_status status)
{
    switch (status) {
    case TG_OK: return "no error";
    case TG_ERROR_MEMORY: return "out of memory";
    case TG_ERROR_ARGUMENT: return "wrong argument";
    case TG_ERROR_GRAPH: return "the graph has an error";
    case TG_ERROR_UNFED: return "an input was not fed";
    case TG_ERROR_RANGE: return "index out of range";
    case TG_ERROR_NONFINITE: return "not finite";
    case TG_ERROR_IO: return "input or output failed";
    case TG_ERROR_FORMAT: return "damaged file";
    case TG_ERROR_SYSTEM: return "the system refused a thread or a lock";
    case TG_ERROR_STOPPED: return "stopped";
    case TG_ERROR_DIVERGED: return "the loss exploded";
    }
    return "unknown status";
}
