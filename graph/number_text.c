#include "graph/number_text.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#if defined(__APPLE__)
#include <xlocale.h>
#endif

/* The calling thread's locale between plain_begin() and plain_end(): C, whatever the process or the thread has set. In glibc and musl
   the C locale of newlocale() is a constant: it costs neither memory nor a lock. */
typedef struct plain {
    locale_t c, former;
} plain;

static bool plain_begin(plain *p)
{
    p->c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!p->c)
        return false;
    p->former = uselocale(p->c);
    return true;
}

static void plain_end(const plain *p)
{
    uselocale(p->former);
    freelocale(p->c);
}

int tg_vformat(char *text, size_t size, const char *format, va_list arguments)
{
    plain p;
    if (size)
        *text = '\0';
    if (!plain_begin(&p))
        return -1;
    int length = vsnprintf(text, size, format, arguments);
    plain_end(&p);
    return length;
}

int tg_format(char *text, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = tg_vformat(text, size, format, arguments);
    va_end(arguments);
    return length;
}

int tg_vput(FILE *out, const char *format, va_list arguments)
{
    plain p;
    if (!plain_begin(&p))
        return -1;
    int length = vfprintf(out, format, arguments);
    plain_end(&p);
    return length;
}

int tg_put(FILE *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = tg_vput(out, format, arguments);
    va_end(arguments);
    return length;
}

/* Where there is no C locale nothing is taken, as from a text that is no number. */
double tg_take_f64(const char *text, char **end)
{
    plain p;
    if (end)
        *end = (char *)text;
    if (!plain_begin(&p))
        return 0;
    double value = strtod(text, end);
    plain_end(&p);
    return value;
}

float tg_take_f32(const char *text, char **end)
{
    plain p;
    if (end)
        *end = (char *)text;
    if (!plain_begin(&p))
        return 0;
    float value = strtof(text, end);
    plain_end(&p);
    return value;
}

const char *tg_system_reason(int error)
{
    plain p;
    if (!plain_begin(&p))
        return tg_status_text(TG_ERROR_MEMORY);
    const char *text = strerror(error);
    plain_end(&p);
    return text;
}
