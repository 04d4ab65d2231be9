#ifndef STYLE_H
#define STYLE_H

/* CSS of the page that html.c begins: light, dark, a telephone, A4. */
extern const char style[];

#endif
