/* The passes from graph to graph: each rebuilds what is needed of a graph into a new one. */
#ifndef TG_EXEC_PASSES_H
#define TG_EXEC_PASSES_H

#include "graph/rebuild.h"

/** What a pass rebuilds: the first `count` nodes of a graph, as far as those marked in `needed` depend on them; a pass marks these. */
typedef struct tg_pass_source {
    const tg_graph *graph;
    int32_t count;
    uint8_t *needed; /**< by node */
} tg_pass_source;

/** Dead code removal: copies what is needed. map[id] is a node's id in the copy, or -1. NULL if memory is out; the copy may carry
    an error. */
tg_graph *tg_pass_order(tg_pass_source source, int32_t *map);

/** Which rules simplification may apply, and who is told of each that did: for tests of single rules. NULL members: all, nobody. */
typedef struct tg_rule_watch {
    bool (*allows)(void *user, const tg_rewrite_rule *rule);
    void (*applied)(void *user, const tg_rewrite_rule *rule);
    void *user;
} tg_rule_watch;

/** The same, and each node as it is copied is rewritten by the ops' rules (EXACT ones; all if `rounds`), and stands once
    however often it was recorded. What a rule leaves behind is dead: run tg_pass_order() over the result. `watch` may be NULL. */
tg_graph *tg_pass_simplify(tg_pass_source source, bool rounds, const tg_rule_watch *watch, int32_t *map);

/** The loop of both: copies with a recorder, or none. */
tg_graph *tg_pass_copy(tg_pass_source source, tg_recorder recorder, void *user, int32_t *map);

#endif
