/* --profile: where the time of a training step went. */
#ifndef MODELS_PROFILE_H
#define MODELS_PROFILE_H

#include "exec/profile.h"
#include "models/console.h"

/** Shows a plan's parts by their share of the time, largest first; as a JSON line in that style. `batch`: images of a step.
    False if memory is out. */
bool show_profile(const console *c, const tg_plan *plan, int64_t batch);

#endif
