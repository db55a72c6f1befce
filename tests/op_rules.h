/* Each rewrite rule by itself: that it fires, and that what it makes keeps to the rule's class. */
#ifndef TG_TESTS_OP_RULES_H
#define TG_TESTS_OP_RULES_H

#include "graph/op.h"
#include "ops/ops.h"

/** What a case builds from: constants of the working float, unless another dtype is given. */
typedef struct rule_operands {
    tg_tensor x, z;           /**< [7] */
    tg_tensor table, other;   /**< [6, 8], and [8, 5] */
    tg_tensor image, kernel;  /**< [2, 9, 10, 3], and [3, 3, 3, 5] */
    tg_tensor deep, filters;  /**< [2, 9, 8, 17], and [3, 3, 17, 18] */
    tg_tensor pooled;         /**< [2, 4, 4, 5] */
    tg_tensor places;         /**< u8 [2, 4, 4, 5], below 4 */
    tg_tensor bytes, weights; /**< u8 [3, 64], and [64, 16] */
    tg_tensor indices;        /**< i32 [3], below 6 */
} rule_operands;

/** How a rule comes to fire. */
typedef struct rule_case {
    const tg_op *op;
    const char *rule;
    /** What the rule rewrites: equal by == of an EXACT rule. */
    tg_tensor (*build)(const rule_operands *on);
    /** A ROUNDS or NORMWISE rule's sum, on operands that are not negative; NULL: what `build` makes of these. */
    tg_tensor (*terms)(const rule_operands *on);
    /** Where `build` gives positions, by a rule of another class: the value at each, which is what the class says something of. */
    tg_tensor (*taken)(const rule_operands *on);
} rule_case;

/** Tries each rule of the op: fails if one has no case, does not fire in one of its cases, or does not keep to its class there, on
    some instruction set in f32 or (where it fires there) f64. */
void tg_test_rules(const tg_op *op, const rule_case *cases, int n);

#endif
