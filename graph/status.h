/* Status codes, and the macros that the public declarations share. */
#ifndef TG_GRAPH_STATUS_H
#define TG_GRAPH_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define TG_BEGIN_DECLS extern "C" {
#define TG_END_DECLS }
#else
#define TG_BEGIN_DECLS
#define TG_END_DECLS
#endif

#if defined(__GNUC__)
#define TG_API __attribute__((visibility("default")))
#define TG_MUST_USE __attribute__((warn_unused_result))
#define TG_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define TG_API
#define TG_MUST_USE
#define TG_PRINTF(text, first)
#endif

TG_BEGIN_DECLS

/** What a call with side effects answers. Everything but TG_OK is a failure and has changed nothing. */
typedef enum tg_status {
    TG_OK = 0,
    TG_ERROR_MEMORY,    /**< the allocator returned NULL */
    TG_ERROR_ARGUMENT,  /**< a wrong size, name, option or handle */
    TG_ERROR_GRAPH,     /**< the graph carries an error: see tg_graph_error() */
    TG_ERROR_UNFED,     /**< an input of the plan was never fed */
    TG_ERROR_RANGE,     /**< an index lies outside the axis it indexes */
    TG_ERROR_NONFINITE, /**< a NaN or an infinity would have reached a variable */
    TG_ERROR_IO,        /**< a file could not be read or written */
    TG_ERROR_FORMAT,    /**< a file's contents are not what its format promises */
    TG_ERROR_SYSTEM,    /**< the system refused a thread or a lock */
    TG_ERROR_STOPPED,   /**< the caller asked for an end */
    TG_ERROR_DIVERGED   /**< training made the loss explode, though it stayed finite */
} tg_status;

/** A short English name for a status, such as "out of memory". Never NULL; static storage. */
TG_API const char *tg_status_text(tg_status status);

TG_END_DECLS

#endif
