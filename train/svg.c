#include <string.h>

#include "graph/number_text.h"
#include "graph/safe_text.h"
#include "train/json_text.h"
#include "train/svg_draw.h"

void tg_xml_text(FILE *out, const char *text)
{
    while (*text) {
        int length = tg_utf8_length(text);
        unsigned char first = (unsigned char)*text;
        bool held = length > 0 && (first >= 0x20 || first == '\t' || first == '\n') && first != 0x7F &&
                    strncmp(text, "\xEF\xBF\xBE", 3) != 0 && strncmp(text, "\xEF\xBF\xBF", 3) != 0;
        const char *entity = first == '&'    ? "&amp;"
                             : first == '<'  ? "&lt;"
                             : first == '>'  ? "&gt;"
                             : first == '"'  ? "&quot;"
                             : first == '\'' ? "&#39;"
                                             : NULL;
        if (!held)
            fputs("\xEF\xBF\xBD", out);
        else if (entity)
            fputs(entity, out);
        else
            fwrite(text, 1, (size_t)length, out);
        text += length ? length : 1;
    }
}

/* One place for how all figures look; --c0 and so on are tg_svg_color. */
static const char style[] =
    "<style>\n"
    ".tg-figure{--paper:#fff;--ink:#1c1e21;--faint:#8a9099;--line:#c9ced6;--heat:#08519c;--c0:#1f77b4;--c1:#f07800;--c2:#2a9a2a;"
    "--c3:#8a56c0;--c4:#d62728;--c5:#8c564b;--c6:#d858b0;--c7:#12a5b8;"
    "font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}\n"
    "@media (prefers-color-scheme:dark){.tg-figure{--paper:#16181c;--ink:#e6e8eb;--faint:#7d858f;--line:#3d434b;--heat:#3f8fd8;"
    "--c0:#58aaf0;--c1:#ffa347;--c2:#5fce5f;--c3:#c29bf0;--c4:#ff7a70;--c5:#c89a8c;--c6:#f59ad4;--c7:#4fd0e0}}\n"
    ".tg-paper{fill:var(--paper)}.tg-figure text{fill:var(--ink)}.tg-title{font-size:16px;font-weight:600}"
    ".tg-label{font-size:14px}.tg-small{font-size:12.5px}.tg-middle{text-anchor:middle}.tg-end{text-anchor:end}"
    ".tg-figure text.tg-faint{fill:var(--faint)}.tg-figure text.tg-on-heat{fill:#fff}.tg-heat{fill:var(--heat)}"
    ".tg-grid{stroke:var(--line);stroke-width:.6}.tg-frame{fill:none;stroke:var(--faint)}"
    ".tg-curve{fill:none;stroke-width:2;stroke-linejoin:round}.tg-dashed{stroke-dasharray:9 3 2 "
    "3}.tg-mark{stroke-width:1.5;stroke-dasharray:4 3}"
    ".tg-legend{fill:var(--paper);fill-opacity:.85;stroke:var(--line)}.tg-pixels{image-rendering:pixelated}"
    ".tg-s0{stroke:var(--c0)}.tg-s1{stroke:var(--c1)}.tg-s2{stroke:var(--c2)}.tg-s3{stroke:var(--c3)}"
    ".tg-s4{stroke:var(--c4)}.tg-s5{stroke:var(--c5)}.tg-s6{stroke:var(--c6)}.tg-s7{stroke:var(--c7)}"
    ".tg-f0{fill:var(--c0)}.tg-f1{fill:var(--c1)}.tg-f2{fill:var(--c2)}.tg-f3{fill:var(--c3)}"
    ".tg-f4{fill:var(--c4)}.tg-f5{fill:var(--c5)}.tg-f6{fill:var(--c6)}.tg-f7{fill:var(--c7)}\n"
    "</style>\n";

void tg_svg_open(FILE *out, double width, double height, const char *title)
{
    tg_put(out,
           "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"tg-figure\" width=\"%.0f\" height=\"%.0f\" "
           "viewBox=\"0 0 %.0f %.0f\" role=\"img\">\n<title>",
           width, height, width, height);
    tg_xml_text(out, title);
    fprintf(out, "</title>\n%s<rect class=\"tg-paper\" width=\"100%%\" height=\"100%%\"/>\n", style);
    tg_svg_text(out, width / 2, 24, "tg-title tg-middle", title);
}

tg_status tg_svg_close(FILE *out)
{
    fprintf(out, "</svg>\n");
    return ferror(out) ? TG_ERROR_IO : TG_OK;
}

void tg_svg_text(FILE *out, double x, double y, const char *classes, const char *text)
{
    tg_put(out, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">", classes, x, y);
    tg_xml_text(out, text);
    fprintf(out, "</text>\n");
}

static void turned_text(FILE *out, double x, double y, const char *anchor, int degrees, const char *text)
{
    tg_put(out, "<text class=\"tg-label %s\" transform=\"translate(%.1f %.1f) rotate(%d)\">", anchor, x, y, degrees);
    tg_xml_text(out, text);
    fprintf(out, "</text>\n");
}

void tg_svg_text_upwards(FILE *out, double x, double y, const char *text) { turned_text(out, x, y, "tg-middle", -90, text); }
void tg_svg_text_aslant(FILE *out, double x, double y, const char *text) { turned_text(out, x, y, "tg-end", -45, text); }
