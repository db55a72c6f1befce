#include "train/page.h"

#include "train/svg.h"

static const char style[] =
    ":root{color-scheme:light "
    "dark;--page:#f4f5f7;--card:#fff;--text:#1c1e21;--dim:#5d6670;--rule:#d9dde3;--warn:#8a4b00;--warn-back:#fff3dc}\n"
    "@media (prefers-color-scheme:dark){:root{--page:#0e0f12;--card:#16181c;--text:#e6e8eb;--dim:#9aa3ad;--rule:#31363d;"
    "--warn:#ffcf87;--warn-back:#33260f}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;padding:1.2rem 1rem 3rem;max-width:66rem;background:var(--page);color:var(--text);"
    "font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}\n"
    "h1{font-size:1.6rem;line-height:1.25;margin:.4rem 0 1rem;overflow-wrap:anywhere}"
    "h2{font-size:1.15rem;margin:2.2rem 0 .7rem;break-after:avoid}\n"
    "p{margin:.6rem 0;overflow-wrap:anywhere}.dim{color:var(--dim)}\n"
    ".note{padding:.7rem 1rem;border:1px solid "
    "currentColor;border-radius:8px;color:var(--warn);background:var(--warn-back);font-weight:600}\n"
    ".facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(6.6rem,1fr));gap:.7rem;margin:0}\n"
    ".facts div{background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:.5rem .6rem;white-space:nowrap}"
    ".facts dt{color:var(--dim);font-size:.85rem}.facts "
    "dd{margin:0;font-size:1.25rem;font-weight:600;font-variant-numeric:tabular-nums}\n"
    ".figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));gap:1rem;align-items:start}\n"
    ".figures>svg{display:block;width:100%;max-width:34rem;height:auto;margin:0 auto;border:1px solid "
    "var(--rule);border-radius:8px;"
    "break-inside:avoid}\n"
    ".scroll{overflow-x:auto;border:1px solid var(--rule);border-radius:8px;background:var(--card)}\n"
    ".graph{background:#fff;text-align:center}.graph svg{height:auto;min-width:30rem;max-width:100%}\n"
    "table{border-collapse:collapse;width:100%;font-size:.95rem;font-variant-numeric:tabular-nums}"
    "th,td{padding:.35rem .8rem;text-align:right;border-top:1px solid var(--rule);white-space:nowrap}"
    "thead "
    "th{border-top:0;color:var(--dim);font-weight:600}.text{text-align:left}td.text{white-space:normal;overflow-wrap:break-word}"
    "\n"
    "pre{margin:0;padding:.8rem 1rem;white-space:pre-wrap;overflow-wrap:anywhere;font:.9rem/1.5 "
    "ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',"
    "monospace}\n"
    "@media (max-width:34rem){th,td{padding:.3rem .5rem}table{font-size:.85rem}}\n"
    "@media print{body{max-width:none;padding:0;background:none;font-size:11pt}.figures{grid-template-columns:1fr 1fr}.graph "
    "svg{min-width:0;max-height:23cm}.scroll,tr{break-inside:avoid}"
    "*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}\n";

void tg_page_begin(FILE *out, const char *title)
{
    fprintf(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
                 "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>");
    tg_xml_text(out, title);
    fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<h1>", style);
    tg_xml_text(out, title);
    fprintf(out, "</h1>\n");
}

tg_status tg_page_end(FILE *out)
{
    fprintf(out, "</body>\n</html>\n");
    return ferror(out) ? TG_ERROR_IO : TG_OK;
}

void tg_page_heading(FILE *out, const char *text)
{
    fprintf(out, "<h2>");
    tg_xml_text(out, text);
    fprintf(out, "</h2>\n");
}

void tg_page_paragraph(FILE *out, const char *css_class, const char *text)
{
    fprintf(out, "<p class=\"%s\">", css_class);
    tg_xml_text(out, text);
    fprintf(out, "</p>\n");
}

static void put_cell(FILE *out, const char *tag, bool is_text, const char *text)
{
    fprintf(out, is_text ? "<%s class=\"text\">" : "<%s>", tag);
    tg_xml_text(out, text);
    fprintf(out, "</%s>", tag);
}

void tg_page_table_begin(FILE *out, const char *const *headings, int n_cells, int n_text)
{
    fprintf(out, "<div class=\"scroll\"><table>\n<thead><tr>");
    for (int i = 0; i < n_cells; i++)
        put_cell(out, "th", i < n_text, headings[i]);
    fprintf(out, "</tr></thead>\n<tbody>\n");
}

void tg_page_table_end(FILE *out) { fprintf(out, "</tbody>\n</table></div>\n"); }

void tg_page_table_row(FILE *out, const char *const *cells, int n_cells, int n_text)
{
    fprintf(out, "<tr>");
    for (int i = 0; i < n_cells; i++)
        put_cell(out, "td", i < n_text, cells[i]);
    fprintf(out, "</tr>\n");
}

void tg_page_facts_begin(FILE *out) { fprintf(out, "<dl class=\"facts\">\n"); }
void tg_page_facts_end(FILE *out) { fprintf(out, "</dl>\n"); }

void tg_page_fact(FILE *out, const char *name, const char *value)
{
    fprintf(out, "<div><dt>");
    tg_xml_text(out, name);
    fprintf(out, "</dt><dd>");
    tg_xml_text(out, value);
    fprintf(out, "</dd></div>\n");
}

void tg_page_figures_begin(FILE *out) { fprintf(out, "<div class=\"figures\">\n"); }
void tg_page_figures_end(FILE *out) { fprintf(out, "</div>\n"); }
