#include <string.h>

#include "train/flags.h"
#include "train/json_text.h"

static bool is_set(const tg_flag *flag, double value)
{
    bool limits = flag->low != 0 || flag->high != 0;
    return flag->initial || !limits || (value <= flag->high && (flag->above_low ? value > flag->low : value >= flag->low));
}

static void put_list(const tg_integer_list *list, char *text, size_t size)
{
    size_t at = 0;
    for (int i = 0; i < list->count && at < size; i++)
        at += (size_t)snprintf(text + at, size - at, "%s%lld", i ? "," : "", (long long)list->values[i]);
}

bool tg_flag_text(const tg_flag *flag, const void *values, char *text, size_t size)
{
    const void *value = (const char *)values + flag->offset;
    char real[TG_REAL_TEXT];
    snprintf(text, size, "%s", "");
    switch (flag->kind) {
    case TG_FLAG_SWITCH: return *(const bool *)value;
    case TG_FLAG_INTEGER:
        if (is_set(flag, (double)*(const int64_t *)value))
            snprintf(text, size, "%lld", (long long)*(const int64_t *)value);
        break;
    case TG_FLAG_UNSIGNED: snprintf(text, size, "%llu", (unsigned long long)*(const uint64_t *)value); break;
    case TG_FLAG_REAL:
        if (is_set(flag, *(const double *)value))
            snprintf(text, size, "%s", tg_real_text(*(const double *)value, real));
        break;
    case TG_FLAG_TEXT:
        if (*(const char *const *)value)
            snprintf(text, size, "%s", *(const char *const *)value);
        return *(const char *const *)value != NULL;
    case TG_FLAG_CHOICE: snprintf(text, size, "%s", flag->choice(*(const int *)value)); break;
    case TG_FLAG_LIST: put_list(value, text, size); break;
    }
    return *text != '\0';
}
