#ifndef REPORT_STYLE_H
#define REPORT_STYLE_H

/* CSS of the page that report/html.c begins: light, dark, a telephone, A4. */
extern const char style[];

#endif
