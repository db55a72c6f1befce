/* Inside the library: numbers as text, with a point, whatever locale the process has set. Everything that formats a float, or reads one,
   comes through here, as does what asks for the case of a letter or for the system's words; tests/test_number_text.py keeps it so. */
#ifndef TG_GRAPH_NUMBER_TEXT_H
#define TG_GRAPH_NUMBER_TEXT_H

#include <stdarg.h>
#include <stdio.h>

#include "graph/status.h"

/** snprintf() and fprintf(), and those that take a list of arguments, as in the C locale; -1 where the system has no memory for that
    locale, which glibc and musl never need. */
int tg_format(char *text, size_t size, const char *format, ...) TG_PRINTF(3, 4);
int tg_vformat(char *text, size_t size, const char *format, va_list arguments) TG_PRINTF(3, 0);
int tg_put(FILE *out, const char *format, ...) TG_PRINTF(2, 3);
int tg_vput(FILE *out, const char *format, va_list arguments) TG_PRINTF(2, 0);

/** strtod() and strtof() as in the C locale. */
double tg_take_f64(const char *text, char **end);
float tg_take_f32(const char *text, char **end);

/** strerror() in English, whatever language the process has set. */
const char *tg_system_reason(int error);

/** Letters of ASCII alone. */
static inline bool tg_is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static inline bool tg_is_lower(char c) { return c >= 'a' && c <= 'z'; }
static inline char tg_to_lower(char c) { return (char)(tg_is_upper(c) ? c - 'A' + 'a' : c); }

#endif
