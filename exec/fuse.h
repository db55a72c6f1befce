/* The fusion pass: an annotation beside the simplified graph. Pointwise nodes form groups that run as one program; a group may follow
   a contraction as its epilogue. */
#ifndef TG_EXEC_FUSE_H
#define TG_EXEC_FUSE_H

#include "exec/values.h"

typedef struct tg_group {
    int32_t sink;                    /**< its last node, which every other member leads to */
    int32_t contraction;             /**< the product that it is the epilogue of, or -1 */
    int32_t first_member, n_members; /**< its part of `members`: pointwise nodes, ascending */
    int64_t count;                   /**< elements of every member */
    tg_segment segment;
} tg_group;

typedef struct tg_fusion {
    tg_group *groups;
    int32_t n_groups;
    int32_t *of; /**< by node: the group of a pointwise node, or of a contraction with an epilogue; -1 */
    int32_t *members;
} tg_fusion;

/** Every pointwise node gets a group; with `fuse` false one of its own. False if the pool's memory is out. */
bool tg_fuse(tg_fusion *fusion, const tg_value_table *values, bool fuse, tg_pool *pool);

/** Whether a member's value is read outside of its group. */
bool tg_group_exposes(const tg_value_table *values, const tg_group *group, int32_t member);

#endif
