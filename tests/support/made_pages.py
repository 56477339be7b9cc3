"""Made pages for the line chooser: the kinds of lines that labelled pages have too few of, in words of no language.

Lists and headings that are links, closing dates, short last sentences, bold labels, verse, each between ordinary
paragraphs; and beside them what looks alike and is no text: teasers, bylines, dates, promotions. A page's words are
drawn from a small vocabulary of its own, so that nothing can be learnt by heart.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape

PAGES = 240


SYLLABLES = [
    "ba",
    "der",
    "kin",
    "lo",
    "mes",
    "tra",
    "vin",
    "so",
    "pel",
    "gar",
    "ni",
    "us",
    "che",
    "an",
    "ter",
    "fal",
    "ru",
    "mo",
    "des",
    "il",
    "en",
    "sta",
    "wer",
    "qui",
    "plo",
]


MONTHS = [
    "January",
    "March",
    "May",
    "June",
    "October",
    "December",
    "janvier",
    "mars",
    "juillet",
    "août",
    "Januar",
    "Mai",
    "Oktober",
    "Dezember",
    "enero",
    "abril",
    "septiembre",
    "gennaio",
    "luglio",
    "stycznia",
    "maja",
    "января",
    "мая",
    "октября",
]


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a page, as markup, and its lines if they are the article's."""

    html: str
    lines: tuple[str, ...] = ()


class Writer:
    """Writes one page from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        pick = self.random.choice
        self.usual = [self.word(1) for _ in range(12)]
        self.words = [self.word(4) for _ in range(260)]
        self.paragraph_tag = pick(("p", "p", "p", "p", "div", "div class='para'", "p class='text'"))
        self.heading_tag = pick(("h2", "h2", "h3", "h4"))
        self.name = f"{pick(self.words).title()} {pick(self.words).title()}"

    # ------------------------------------------------------------------------------------------------------- words
    def word(self, most: int) -> str:
        return "".join(self.random.choice(SYLLABLES) for _ in range(self.random.randint(1, most)))

    def phrase(self, least: int, most: int) -> str:
        return " ".join(
            self.random.choice(self.usual if self.random.random() < 0.45 else self.words)
            for _ in range(self.random.randint(least, most))
        )

    def sentence(self, least: int = 8, most: int = 24) -> str:
        text = self.phrase(least, most)
        if self.random.random() < 0.4:
            text = text.replace(" ", ", ", 1)
        return text[0].upper() + text[1:] + self.random.choice("......?!")

    def prose(self) -> str:
        return " ".join(self.sentence() for _ in range(self.random.randint(1, 4)))

    def title(self) -> str:
        return self.phrase(5, 12).capitalize()

    def short_name(self) -> str:
        return self.phrase(1, 4).title()

    def day(self) -> str:
        month, day, year = self.random.choice(MONTHS), self.random.randint(1, 28), self.random.randint(2009, 2027)
        return self.random.choice(
            (
                f"{day} {month} {year}",
                f"{month} {day}, {year}",
                f"{day}. {month} {year}",
                f"{day:02}.{self.random.randint(1, 12):02}.{year}",
            )
        )

    # ------------------------------------------------------------------------------------------------- of the article
    def block(self, markup: str, line: str, tag: str | None = None) -> Part:
        tag = tag or self.paragraph_tag
        return Part(f"<{tag}>{markup}</{tag.split()[0]}>", (line,))

    def paragraph(self) -> Part:
        text = self.prose()
        words = text.split()
        if self.random.random() < 0.3:
            at = self.random.randrange(len(words))
            words[at] = self.random.choice(
                ("<a href='/x/{0}'>{0}</a>", "<i>{0}</i>", "<b>{0}</b>", "<a href='https://other.example/'>{0}</a>")
            ).format(words[at])
        return self.block(" ".join(words), text)

    def spoken(self) -> Part:
        text = self.random.choice(("“{}”", "„{}“", "«{}»", "{}", "– {}")).format(self.sentence(2, 7))
        return self.block(text, text)

    def labelled(self) -> Part:
        label = self.random.choice(
            ("Watch", "Read", "Listen", "Info", "Lire", "Video", "Note", "Important", self.short_name())
        )
        text = self.prose()
        return self.block(
            f"<{(bold := self.random.choice(('strong', 'b')))}>{label}:</{bold}> {text}", f"{label}: {text}"
        )

    def small_capitals(self) -> Part:
        text = self.prose()
        first, rest = text[0], text[1:]
        words = rest.split(" ")
        return self.block(
            f"<span class='initial'>{first}</span><small>{' '.join(words[:2])}</small> {' '.join(words[2:])}", text
        )

    def heading(self) -> Part:
        text = self.random.choice((self.short_name(), self.title(), self.sentence(3, 7)))
        return self.block(text, text, self.heading_tag)

    def verse(self) -> Part:
        lines = [
            self.phrase(3, 7).capitalize() + self.random.choice(("", ",", ".", ""))
            for _ in range(self.random.randint(3, 6))
        ]
        return Part(f"<p>{'<br>'.join(lines)}</p>", (*lines,))

    def listed(self) -> Part:
        lines = [
            self.random.choice((self.short_name, self.sentence, self.title))() for _ in range(self.random.randint(2, 7))
        ]
        return Part(f"<ul>{''.join(f'<li>{line}</li>' for line in lines)}</ul>", (*lines,))

    def linked_list(self) -> Part:
        intro = self.phrase(5, 12).capitalize() + ":"
        lines = [self.short_name() for _ in range(self.random.randint(3, 8))]
        host = self.random.choice(("", "", "https://other.example"))
        kind = self.random.choice(("ul", "ol"))
        entries = "".join(f"<li><a href='{host}/places/{number}'>{line}</a></li>" for number, line in enumerate(lines))
        return Part(f"{self.block(intro, intro).html}<{kind}>{entries}</{kind}>", (intro, *lines))

    def listicle(self) -> Part:
        html, lines = "", list[str]()
        for number in range(self.random.randint(3, 8)):
            name, text = self.short_name(), self.prose()
            numbered = f"{number + 1}. {name}" if self.random.random() < 0.3 else name
            html += f"<{self.heading_tag}><a href='/places/{number}'>{numbered}</a></{self.heading_tag}>{self.block(text, text).html}"
            lines += [numbered, text]
        return Part(html, tuple(lines))

    def roster(self) -> Part:
        lines = [
            f"{self.short_name()}, {self.random.randint(17, 90)}, {self.phrase(1, 3)}"
            for _ in range(self.random.randint(4, 9))
        ]
        entries = "".join(
            "<li><a href='/people/{}'>{}</a>{}</li>".format(number, *line.partition(",")[::2])
            for number, line in enumerate(lines)
        ).replace("</a>", "</a>,")
        return Part(f"<ul>{entries}</ul>", tuple(lines))

    def questions(self) -> Part:
        html, lines = "", list[str]()
        for _ in range(self.random.randint(2, 5)):
            question, answer = self.sentence(3, 9)[:-1] + "?", self.prose()
            html += (
                self.random.choice(
                    ("<p><strong>{}</strong></p>", f"<{self.heading_tag}>{{}}</{self.heading_tag}>")
                ).format(question)
                + self.block(answer, answer).html
            )
            lines += [question, answer]
        return Part(html, tuple(lines))

    def ending(self) -> Part:
        text = self.phrase(2, 6).capitalize()
        end = self.random.choice(("{0} {1}.", "“{0} {1},” {2}.", "{0} {1} {2}.", "{0} {2}.")).format(
            text, self.day(), self.phrase(1, 3)
        )
        return self.block(end, end)

    def dates(self) -> Part:
        intro = self.phrase(1, 4).capitalize()
        lines = [f"{self.day()}: {self.phrase(2, 5)}" for _ in range(self.random.randint(2, 5))]
        return Part(
            f"<{self.heading_tag}>{intro}</{self.heading_tag}><ul>{''.join(f'<li>{line}</li>' for line in lines)}</ul>",
            (intro, *lines),
        )

    def live(self) -> Part:
        """The entries of a live blog, each below its clock."""
        html, lines = "", list[str]()
        for _ in range(self.random.randint(2, 6)):
            clock = f"{self.random.randint(1, 23)}:{self.random.randint(10, 59)}"
            said = [self.block(text, text) for text in (self.prose() for _ in range(self.random.randint(1, 3)))]
            title = self.title()
            html += (
                f"<article class='entry'><header><time>{clock}</time></header><{self.heading_tag}>{title}"
                f"</{self.heading_tag}>{''.join(part.html for part in said)}</article>"
            )
            lines += [title, *(line for part in said for line in part.lines)]
        return Part(html, tuple(lines))

    # ------------------------------------------------------------------------------------------------ beside the article
    def byline(self) -> Part:
        text = self.random.choice(("By {0}", "{0}", "Von {0}", "Par {0}", "Text: {0}", "{0}, {1}")).format(
            self.name, self.phrase(1, 3)
        )
        return Part(
            self.random.choice(
                (
                    "<p class='byline'>{}</p>",
                    "<div class='meta'>{}</div>",
                    "<p>{}</p>",
                    "<div class='author'><a href='/by'>{}</a></div>",
                )
            ).format(text)
        )

    def stamp(self) -> Part:
        text = self.random.choice(
            ("{0}", "{0}, {1}", "Published {0}", "{0} | {1}", "Updated: {0} {1}", "Stand: {0}")
        ).format(self.day(), f"{self.random.randint(1, 23)}:{self.random.randint(10, 59)}")
        return Part(
            self.random.choice(
                (
                    "<p class='date'>{}</p>",
                    "<div class='meta'><time>{}</time></div>",
                    "<p>{}</p>",
                    "<span class='time'>{}</span>",
                )
            ).format(text)
        )

    def agency(self) -> Part:
        name = self.random.choice(self.words).title()
        text = self.prose()
        dated = f"{self.random.choice(self.words).upper()}, {self.day()} ({name}) - {text}"
        return Part(f"<p>{name}</p><p>{dated}</p>", (dated,))

    def points(self) -> Part:
        """A list of main points, as stands above a text."""
        label = self.random.choice(
            ("The main points", "Key points", "In short", "L'essentiel", "Das Wichtigste in Kürze", "At a glance")
        )
        entries = "".join(f"<li>{self.sentence(7, 16)}</li>" for _ in range(self.random.randint(2, 5)))
        return Part(
            self.random.choice(("<h3>{}</h3>{}", "<p>{}</p>{}", "<div class='summary'><h2>{}</h2>{}</div>")).format(
                label, f"<ul>{entries}</ul>"
            )
        )

    def credit(self) -> Part:
        text = self.random.choice(
            (
                "Additional reporting by {0}",
                "© {1} {0}. All rights reserved.",
                "Editing by {0}",
                "Photo: {0}",
                "Contact: {0}",
                "{0} is a reporter at the {2}.",
                "Edited by {0}",
                "© {2}",
                "Mit Material von {0}",
                "Source: {2}",
                "{0}",
            )
        ).format(self.name, self.random.randint(2009, 2027), self.short_name())
        return Part(
            self.random.choice(("<p>{}</p>", "<p><em>{}</em></p>", "<div>{}</div>", "<p class='credit'>{}</p>")).format(
                text
            )
        )

    def advert(self) -> Part:
        label = self.random.choice(
            (
                "Advertisement",
                "ADVERTISEMENT",
                "Anzeige",
                "Publicité",
                "Publicidad",
                "Pubblicità",
                "Реклама",
                "Story continues below",
                "Werbung",
            )
        )
        return Part(
            self.random.choice(
                ("<div class='ad-slot'>{}</div>", "<p>{}</p>", "<div>{}</div>", "<div class='ad'><span>{}</span></div>")
            ).format(label)
        )

    def also(self) -> Part:
        label = self.random.choice(
            (
                "Read also",
                "Lire aussi",
                "Lesen Sie auch",
                "Lea también",
                "Leia também",
                "Читайте также",
                "See also",
                "Leggi anche",
                "Zobacz też",
            )
        )
        link = f"<a href='/news/{self.random.randint(1, 99)}'>{self.title()}</a>"
        return Part(
            self.random.choice(
                (
                    f"<p>{label}: {link}</p>",
                    f"<p><strong>{label}:</strong> {link}</p>",
                    f"<div class='box'><p>{label}</p><p>{link}</p></div>",
                    f"<p>{link}</p>",
                )
            )
        )

    def related(self) -> Part:
        label = self.random.choice(
            ("Related", "More news", "Most read", "À lire aussi", "Mehr zum Thema", "Te puede interesar", "Новости")
        )
        cards = range(self.random.randint(3, 7))
        style = self.random.randrange(4)
        entries = "".join(self._card(style) for _ in cards)
        around = self.random.choice(
            ("<div class='related'>{}</div>", "<aside>{}</aside>", "<section>{}</section>", "{}", "<div>{}</div>")
        )
        return Part(around.format(f"<h3>{label}</h3>" + (f"<ul>{entries}</ul>" if style == 0 else entries)))

    def _card(self, style: int) -> str:
        link = f"<a href='/news/{self.random.randint(1, 9999)}'>{self.title()}</a>"
        deck = self.sentence()
        return (
            f"<li>{link}</li>",
            f"<div class='card'><h3>{link}</h3><p>{deck}</p></div>",
            f"<article><h4>{link}</h4><p>{deck}</p><span>{self.day()}</span></article>",
            f"<p>{link}</p>",
        )[style]

    def promotion(self) -> Part:
        text = self.random.choice(
            (
                "Sign up for our newsletter and get the best of {0} every morning.",
                "Abonnez-vous à notre lettre {0}.",
                "Jetzt {0} abonnieren und weiterlesen.",
                "Follow us on {0}.",
                "© {1} {0}. All rights reserved.",
                "Advertisement",
                "Share this article",
                "Tags: {0}",
            )
        ).format(self.phrase(1, 3), self.random.randint(2010, 2026))
        return Part(self.random.choice(("<p>{}</p>", "<div class='promo'>{}</div>", "<div>{}</div>")).format(text))

    def box(self) -> Part:
        """Bold words and a link in a box of their own, as asks for an address or money."""
        words, link = (
            self.phrase(4, 11).capitalize(),
            f"<a href='/{self.random.choice(self.words)}'>{self.phrase(1, 3)}</a>",
        )
        return Part(
            self.random.choice(
                ("<div class='box'><b>{}</b>{}</div>", "<aside><p>{}</p>{}</aside>", "<div><h4>{}</h4><p>{}</p></div>")
            ).format(words, link)
        )

    def comments(self) -> Part:
        return Part(
            "<div class='comments'>"
            + "".join(
                f"<div class='comment'><b>{self.short_name()}</b><p>{self.prose()}</p></div>"
                for _ in range(self.random.randint(1, 5))
            )
            + "</div>"
        )


INSIDE: tuple[Callable[[Writer], Part], ...] = (
    Writer.spoken,
    Writer.labelled,
    Writer.heading,
    Writer.listed,
    Writer.linked_list,
    Writer.listicle,
    Writer.roster,
    Writer.questions,
    Writer.verse,
    Writer.live,
)


BETWEEN: tuple[Callable[[Writer], Part], ...] = (
    Writer.also,
    Writer.promotion,
    Writer.advert,
    Writer.advert,
    Writer.box,
)


AFTER: tuple[Callable[[Writer], Part], ...] = (
    Writer.related,
    Writer.related,
    Writer.promotion,
    Writer.comments,
    Writer.byline,
    Writer.credit,
    Writer.credit,
)


WRAPPERS = (
    "<main><article>{}</article></main>",
    "<div class='story'>{}</div>",
    "<div id='content'><div class='main'>{}</div></div>",
    "<article class='post'><div class='entry-content'>{}</div></article>",
    "<div>{}</div>",
    "<section><div class='body'>{}</div></section>",
)


def made_pages(number: int = PAGES) -> Iterator[tuple[str, list[str]]]:
    """Markup and the article's lines."""
    for seed in range(number):
        yield _page(Writer(seed))


def _page(writer: Writer) -> tuple[str, list[str]]:
    chance, title = writer.random.random, writer.title()
    head = [make(writer) for make in (Writer.byline, Writer.stamp) if chance() < 0.6]
    if chance() < 0.1:
        head.append(writer.points())
    body = [writer.small_capitals() if chance() < 0.15 else writer.agency() if chance() < 0.1 else writer.paragraph()]
    if chance() < 0.1:
        body = [writer.verse() for _ in range(3)]
    for _ in range(writer.random.randint(1, 4)):
        body += [
            writer.random.choice(INSIDE)(writer),
            *(writer.paragraph() for _ in range(writer.random.randint(0, 3))),
        ]
        if chance() < 0.3:
            body += [writer.random.choice(BETWEEN)(writer), writer.paragraph()]
    if chance() < 0.35:
        body.append(writer.ending())
    elif chance() < 0.3:
        body.append(writer.dates())
    if chance() < 0.1:
        body = [Part(f"<div class='piece'>{part.html}</div>", part.lines) for part in body]
        body = [piece for part in body for piece in (part, writer.advert())]
    after = [writer.random.choice(AFTER)(writer) for _ in range(writer.random.randint(0, 4))]
    parts = [*head, *body]
    if inside := chance() < 0.5:
        parts += after
    text = "".join(part.html for part in parts)
    page = writer.random.choice(WRAPPERS).format(f"<h1>{title}</h1>{text}") + (
        "" if inside else "".join(part.html for part in after)
    )
    lines = [line for part in body for line in part.lines]
    return f"<html><head><title>{escape(title)}</title></head><body>{page}</body></html>", lines
