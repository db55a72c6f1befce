/* Inside the library: text from outside, as file names, names in files and fields, that must not steer the terminal it is shown on. One
   rule for all of it: what is no printable UTF-8 is written as \x1B, \xFF (a byte) or \u202E (a character). Such are control characters,
   bytes that are not UTF-8, and what turns the direction of writing or hides. */
#ifndef TG_GRAPH_SAFE_TEXT_H
#define TG_GRAPH_SAFE_TEXT_H

#include <stdarg.h>
#include <stdio.h>

#include "graph/status.h"

/** Bytes of the well-formed UTF-8 character that text begins with (RFC 3629); 0 if it is none. */
int tg_utf8_length(const char *text);
/** The number of such a character. */
uint32_t tg_utf8_code(const char *text, int length);
/** Whether a character steers a terminal, the direction of writing or hides: C0, C1, bidirectional controls, line separators, marks of
    byte order, annotations, tags. */
bool tg_steers(uint32_t code);

/** Makes a text of at most size - 1 bytes safe, in place; what no longer fits is cut. Returns it. */
char *tg_make_safe(char *text, size_t size);
/** Writes a text, made safe. */
void tg_put_safe(FILE *out, const char *text);
/** A message: tg_format(), made safe as a whole, so that no argument need be. */
void tg_message(char *text, size_t size, const char *format, ...) TG_PRINTF(3, 4);
void tg_vmessage(char *text, size_t size, const char *format, va_list arguments) TG_PRINTF(3, 0);

#endif
