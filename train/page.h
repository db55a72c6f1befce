/* Inside the library: pages of HTML that hold all they need, in the reader's colour scheme, for wide and narrow windows and for print.
   They are well-formed XML too. */
#ifndef TG_TRAIN_PAGE_H
#define TG_TRAIN_PAGE_H

#include <stdio.h>

#include "graph/status.h"

/** Begins a page with its title, which is its heading too. Close it with tg_page_end(). */
void tg_page_begin(FILE *out, const char *title);
tg_status tg_page_end(FILE *out);
/** A heading of a part. */
void tg_page_heading(FILE *out, const char *text);
/** A paragraph; of the class "note", in a frame that is not to be overlooked. */
void tg_page_paragraph(FILE *out, const char *css_class, const char *text);

/** Begins a table with its headings, the first `n_text` columns being text and the others figures. */
void tg_page_table_begin(FILE *out, const char *const *headings, int n_cells, int n_text);
void tg_page_table_end(FILE *out);
/** The cells of a row: text, then figures. */
void tg_page_table_row(FILE *out, const char *const *cells, int n_cells, int n_text);

/** A figure of the page's head: "Test accuracy", "97.31 %". They stand between tg_page_facts_begin() and _end(). */
void tg_page_facts_begin(FILE *out);
void tg_page_fact(FILE *out, const char *name, const char *value);
void tg_page_facts_end(FILE *out);

/** Figures between these stand side by side where there is room. */
void tg_page_figures_begin(FILE *out);
void tg_page_figures_end(FILE *out);

#endif
