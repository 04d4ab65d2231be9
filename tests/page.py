"""page.py FILE: what is on a page of kms-report, for the tests.

Prints each table, a row a line: caption, head and cells, apart by TABs; then
`say' with the words of each banner, and each number of the summary.  Saves the
files that it offers.  Exits 1, and
says why, where the page is not well formed, not accessible or not alone: this
is the second judge of what kms-report writes.
"""

import base64
import hashlib
import re
import sys
import unicodedata
import urllib.parse
from html.parser import HTMLParser

CSV = 'data:text/csv;charset=utf-8,'
VOID = {'meta', 'link', 'br'}
EMPTY = {'rect', 'line', 'path'}  # of SVG
KNOWN = VOID | EMPTY | set(
    'html head title style body header main footer nav section h1 h2 p strong a q '
    'bdi code time dl dt dd div span table caption thead tbody tr th td ul li '
    'svg desc text'.split())
ATTRIBUTES = set(
    'lang charset http-equiv content name rel href class id role tabindex '
    'scope datetime download aria-labelledby aria-label aria-hidden viewbox fill stroke '
    'stroke-width stroke-linecap stroke-linejoin d x y x1 x2 y1 y2 width '
    'height rx dy text-anchor'.split())


def bad(what):
    sys.exit('page.py: ' + what)


class Page(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.heads, self.ids, self.rows = [], [], [], []
        self.text = {}  # of elements that are over
        self.refs, self.metas, self.sums = [], {}, []
        self.caption = None
        self.says = []  # boxes with the words that come first
        self.files = {}  # to save, by name
        self.svg = None

    def handle_starttag(self, tag, attrs, closed=False):
        a = dict(attrs)
        if len(a) != len(attrs) or tag not in KNOWN:
            bad('element %s %s' % (tag, attrs))
        for name, value in attrs:
            if name not in ATTRIBUTES:
                bad('attribute %s of %s' % (name, tag))
        if a.get('href', '#')[0] != '#' and a['href'] != 'data:,' and \
                not ('download' in a and a['href'].startswith(CSV)):
            bad('a link to %s' % a['href'])
        if 'download' in a:
            self.files[a['download']] = urllib.parse.unquote(
                a['href'][len(CSV):], errors='strict')
        if (tag in EMPTY) != closed:
            bad('%s is not closed as it should be' % tag)
        self.ids += [a['id']] if 'id' in a else []
        self.refs += a.get('aria-labelledby', '').split()
        self.refs += [a['href'][1:]] if a.get('href', '')[:1] == '#' else []
        if tag == 'html' and a.get('lang') != 'en':
            bad('no lang')
        if tag == 'meta':
            self.metas[a.get('name') or a.get('http-equiv')] = a.get('content')
        if tag == 'th' and a.get('scope') not in ('row', 'col'):
            bad('th without scope')
        if tag == 'section' and 'aria-labelledby' not in a:
            bad('a section without a name')
        if tag == 'svg':
            if a.get('role') == 'img':
                self.svg = a['aria-labelledby'].split()
            elif a.get('aria-hidden') != 'true':
                bad('svg is neither an image nor hidden')
        if tag == 'table':
            self.caption = None
        if tag == 'tr':
            self.rows.append([])
        if tag not in VOID and not closed:
            self.open.append((tag, a, []))

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs, True)

    def handle_data(self, data):
        for _, _, text in self.open:
            text.append(data)

    def handle_decl(self, decl):
        if decl != 'DOCTYPE html':
            bad(decl)

    def handle_comment(self, data):
        bad('a comment')

    unknown_decl = handle_pi = handle_comment

    def handle_endtag(self, tag):
        if not self.open or self.open[-1][0] != tag:
            bad('%s ends in %s' % (tag, self.open and self.open[-1][0]))
        _, a, text = self.open.pop()
        text = ' '.join(''.join(text).split())
        if tag in ('title', 'desc', 'style'):
            if not text:
                bad('empty ' + tag)
            self.text.setdefault(tag, []).append(text)
        if tag in ('h1', 'h2'):
            self.heads.append((int(tag[1]), text))
        if tag == 'caption':
            self.caption = text
        if tag in ('th', 'td'):
            self.rows[-1].append(text)
        if tag == 'tr':
            if not self.caption:
                bad('a row without a caption')
            self.rows[-1].insert(0, self.caption)
        if a.get('class', '').startswith('say '):
            self.says.append(a['class'][4:] + '\t' + text)
        if tag == 'dt':
            self.sums.append([text])
        if tag == 'dd':
            self.sums[-1].append(text)


def luminance(colour):
    if len(colour) == 4:
        colour = '#' + ''.join(2 * c for c in colour[1:])
    rgb = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    rgb = [c / 12.92 if c <= .03928 else ((c + .055) / 1.055) ** 2.4
           for c in rgb]
    return sum(w * c for w, c in zip((.2126, .7152, .0722), rgb))


def contrast(style):
    """WCAG 1.4.3 and 1.4.11, in light and in dark."""
    schemes = re.findall(r':root \{(.*?)\}', style, re.S)[:2]
    for scheme in schemes:
        c = {k: luminance(v)
             for k, v in re.findall(r'--(\w+): (#[0-9a-f]+);', scheme)}
        for ink, ground, least in [
                ('ink', 'bg', 4.5), ('ink', 'card', 4.5), ('soft', 'bg', 4.5),
                ('soft', 'card', 4.5), ('ok', 'okbg', 4.5),
                ('warn', 'warnbg', 4.5), ('bad', 'badbg', 4.5),
                ('none', 'nonebg', 4.5), ('ok', 'card', 4.5),
                ('warn', 'card', 4.5), ('bad', 'card', 4.5),
                ('none', 'card', 4.5), ('bar', 'card', 3)]:
            hi, lo = max(c[ink], c[ground]), min(c[ink], c[ground])
            if (hi + .05) / (lo + .05) < least:
                bad('contrast of %s on %s' % (ink, ground))


def main():
    raw = open(sys.argv[1], 'rb').read().decode('utf-8')
    for c in raw:
        if c != '\n' and unicodedata.category(c) in ('Cc', 'Cf', 'Zl', 'Zp'):
            bad('character U+%04X' % ord(c))
    p = Page()
    p.feed(raw)
    p.close()
    if p.open:
        bad('not closed: %s' % p.open[-1][0])
    if len(set(p.ids)) != len(p.ids) or set(p.refs) - set(p.ids):
        bad('ids: %s, of which none is, or two are' % p.refs)
    if [h for h, _ in p.heads][:2] != [1, 2] or \
            [h for h, _ in p.heads].count(1) != 1:
        bad('headings: %s' % p.heads)
    style = raw[raw.index('<style>') + 7:raw.index('</style>')]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    if p.metas.get('Content-Security-Policy') != \
            "default-src 'none'; style-src 'sha256-%s'; img-src data:; " \
            "base-uri 'none'; form-action 'none'" % digest:
        bad('policy: %s' % p.metas)
    if re.search(r'url\(|@import|expression|javascript', style):
        bad('the style asks for something')
    contrast(style)
    for row in p.rows:
        print('\t'.join(row))
    for words in p.says:
        print('say\t' + words)
    for row in p.sums:
        print('\t'.join(row))
    for name, text in p.files.items():
        open(name, 'w', newline='').write(text)


main()
