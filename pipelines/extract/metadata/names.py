"""Names: a line that may be a byline -> the people it names, each by the name alone."""

import re

from pipelines.extract.metadata.months import MONTH_NUMBER, month_key
from pipelines.extract.phrases import Openings, pattern, phrases, whole_words
from pipelines.text import CJK_LETTER, clean, fold

OPENINGS = "|".join(sorted(phrases("bylines"), key=len, reverse=True))
"""The longest first: `text and photos` before `text`."""


BY = re.compile(rf"^(?:{OPENINGS})(?:\s*+[:：/]\s*+|\s++|(?<=[:：]))", re.I)


BYLINE = re.compile(
    rf"(?:^|[\d.,:;|·•/)–-]\s{{1,3}}|\d ?uhr\s)(?P<words>{OPENINGS})(?P<sign>\s*+[:：/]\s*+|\s++|(?<=[:：]))", re.I
)
"""Where a line opens as a byline: at its beginning, or behind a date."""


EMAIL = re.compile(r"(?<![^\s@])[^\s@]++@[\w.-]*\.\w+")


ROLE = whole_words("roles")


NEWSROOM = whole_words("newsrooms")


ORGANISATION = re.compile(rf"\b(?:{pattern('organisations')}|{pattern('outlets')})(?!\w)", re.I)


AGENCY = re.compile(rf"{pattern('agencies')}\b(?! [A-ZÀ-Þ])|{pattern('agencies')} in \S+$", re.I)


NAME_BREAK = re.compile(
    rf"(?:(?<!\s)\s++)?(?:[;|•·、，،]|(?<=\s)(?:[/&]|{pattern('and')})(?=\s))\s*+|(?<!\s)[^\S\n]*+\n\s*+", re.I
)


SMALL_WORDS, LABEL_WORDS = frozenset(phrases("small_words")), frozenset(phrases("label_words"))


LABEL = Openings("labels", "controls", skip=r"^[\W_]+", after=r"[^\w]*$")


NOBODY = frozenset(phrases("nobody"))


ADDRESS = re.compile(r"https?://|www\.|/", re.I)


SLUG = re.compile(r"[a-z]+(?:-[a-z]+)+")


ASIDE = re.compile(r"\([^()]*+\)?|\[[^\[\]]*+\]?|(?<!\w)@\w++")
"""What stands in brackets behind a name, and the name somebody has on a platform."""


AFTER_NAME = re.compile(rf"\s(?:{pattern('after_names')}|[Ff]or)(?:\s.*)?$")


REPORTER = re.compile(r"^(?:記者|记者)|(?:(?<!\s)\s++)?(?:기자|특파원|記者|记者|特派員)$")
"""Around a name, without a space where the script has none."""


DEGREE = re.compile(
    r"(?:Dr\.? ?)?(?:M\.?D|Ph\.? ?D|D\.?Phil|M\.?B\.?A|M\.?Sc|B\.?Sc|J\.?D|LL\.?[BM]|M\.?P\.?H|D\.?D\.?S|Ed\.?D|R\.?N|Esq|C\.?P\.?A|R\.?D)\.?",
    re.I,
)


WRITTEN_DEGREE = re.compile(r"(?<=\w)\s(?:MD|M\.D\.|PhD|Ph\.D\.?|MBA|MSc|BSc)$")
"""Behind a name without a comma: only what is no name however it is written."""


GENERATION = re.compile(r"(?:Jr|Sr|Jnr|Snr)\.?|I{2,3}|IV", re.I)


PARTICLES = frozenset(
    [
        "da",
        "das",
        "de",
        "del",
        "della",
        "den",
        "der",
        "des",
        "di",
        "do",
        "dos",
        "du",
        "el",
        "la",
        "le",
        "ten",
        "ter",
        "van",
        "von",
        "vom",
        "zu",
        "zum",
        "zur",
        "af",
        "av",
        "bin",
        "ibn",
        "al",
        "y",
        "e",
    ]
)


MAX_NAME_WORDS = 6
"""The longest people's names among the labelled pages have five words; a byline with more is a sentence."""


MAX_LINE = 2_000
"""Characters of a byline that are read: 500,000 without a space take EMAIL minutes."""


def people(line: str) -> list[str]:
    """`By Ann Lee and Bo Ray | Staff` -> [Ann Lee, Bo Ray]; [] for an address or nobody."""
    line = clean(line[:MAX_LINE])
    if ADDRESS.match(line) or fold(line) in NOBODY:
        return []
    line = ASIDE.sub(" ", EMAIL.sub("", without_opening(line)))
    return [name for part in NAME_BREAK.split(line.strip(EDGES)) for name in _one_or_list(part)]


EDGES = " ,;|-–—"


def byline(line: str) -> list[str]:
    """The people of a line that opens as a byline: `12 May 2026 · Posted by Ann Lee under News` -> [Ann Lee]."""
    opening = BYLINE.search(line) if len(line) < MAX_BYLINE else None
    if not opening or PICTURE.search(line[: opening.start("words")]):
        return []
    rest = _without_month(AFTER_BYLINE.split(line[opening.end() :], maxsplit=1)[0])
    first, *others = people(rest) or [""]
    sure = opening["sign"].strip() or " " in opening["words"].strip() or opening.start() > 0 or len(line) < MAX_SHORT
    if not (is_full_name(first) or (sure and " " not in first and _is_capitalised(first))):
        return []
    return [first, *(name for name in others if is_full_name(name) or is_no_person(name))]


MAX_BYLINE, MAX_SHORT = 160, 24
"""Characters of a line that is a byline, and of one that is short enough to be no sentence: `By Tobi`."""


AFTER_BYLINE = re.compile(
    rf"\s?[|•·\d]|\s[-–—/~]{{1,2}}\s|\s(?:{pattern('after_names')}|In|On|At|Am|Vom|Published|Posted|Updated)\s|\s(?i:{pattern('stamps')}|{pattern('updates')}"
    r"|lesezeit|lesedauer|reading time|read time)(?=:|[^\d,;\n]{0,20}\d)"
)


PICTURE = re.compile(r"credit|photo|foto|image|bild|video|illustration|©", re.I)
"""What is signed by another than the text."""


def _without_month(name: str) -> str:
    """A name without the month of the date behind it, where enough is left: `Ann Lee May`."""
    words = name.split()
    return " ".join(words[:-1]) if len(words) > 2 and month_key(words[-1].strip(".")) in MONTH_NUMBER else name


def _is_capitalised(name: str) -> bool:
    return name[:1].isupper() and looks_like_name(name) and len(name) > 2


def is_full_name(name: str) -> bool:
    """Whether it has two words, of which only particles are in lower case, or is short and of a script without words."""
    if " " not in name:
        return looks_like_name(name) and CJK_LETTER.search(name) is not None and 2 <= len(name) <= 8
    low = [word for word in name.split() if word[0].islower()]
    return looks_like_name(name) and PARTICLES.issuperset(low) and not name.split()[-1][0].islower()


def without_opening(line: str) -> str:
    """A line without what announces the author: `Geschrieben von: Ann Lee` -> `Ann Lee`."""
    while (rest := BY.sub("", line)) != line and rest:
        line = rest
    return line


def _one_or_list(part: str) -> list[str]:
    pieces = [name for piece in part.split(",") if (name := _bare(piece))]
    pieces = _with_generation([piece for piece in pieces if not DEGREE.fullmatch(piece)])
    if _is_inverted(pieces):
        return [f"{pieces[1]} {pieces[0]}"]
    return [piece for piece in pieces if _may_be_somebody(piece)]


def _may_be_somebody(piece: str) -> bool:
    return (
        bool(re.search(r"[^\W\d_]{2}", piece))
        and not ROLE.search(piece)
        and not ADDRESS.match(piece)
        and fold(piece) not in NOBODY
    )


def _bare(piece: str) -> str:
    """A name without what is written around it, however much that is."""
    name = " ".join(piece.split())
    while (barer := _barer(name)) != name:
        name = barer
    return name


def _barer(name: str) -> str:
    name = without_opening(name.strip(" .,:-–—()*/"))
    name = name.replace("-", " ").title() if SLUG.fullmatch(name) else name
    before = AFTER_NAME.sub("", name)
    if len(before.split()) > 1:
        name = before
    return WRITTEN_DEGREE.sub("", REPORTER.sub("", name) or name)


def _with_generation(pieces: list[str]) -> list[str]:
    """`Bo Ray`, `Jr` -> `Bo Ray Jr`."""
    joined = list[str]()
    for piece in pieces:
        if joined and GENERATION.fullmatch(piece) and not BY.match(joined[-1] + " "):
            joined[-1] += f" {piece}"
        else:
            joined.append(piece)
    return joined


def _is_inverted(pieces: list[str]) -> bool:
    """Whether a family name stands before its given name: `Lee, Ann`, `Jong, Ann de`."""
    if len(pieces) != 2 or any(is_no_person(piece) or ROLE.search(piece) or BY.match(piece + " ") for piece in pieces):
        return False
    family, given = ([word for word in piece.split() if word not in PARTICLES] for piece in pieces)
    return (
        len(family) == 1
        and len(family[0]) > 2
        and 1 <= len(given) <= 2
        and all(
            (word.istitle() and not re.search(r"[\d_]", word)) or INITIALS.fullmatch(word) for word in (*family, *given)
        )
    )


INITIALS = re.compile(r"(?:[A-ZÀ-Þ]\.?-?){1,3}|Mc[A-Z]\w+|O'[A-Z]\w+")


def is_no_person(name: str) -> bool:
    """An agency, a newsroom, a company: what signs without being anybody."""
    return bool(AGENCY.match(name) or NEWSROOM.search(name) or ORGANISATION.search(name))


def is_handle(name: str) -> bool:
    """Whether it is how somebody logs in, or a site's address: `alee`, `ann.lee`, `ledger.example`."""
    return (
        " " not in name and (name.islower() or re.search(r"[\d_.@]", name) is not None) and not CJK_LETTER.search(name)
    )


def looks_like_name(line: str) -> bool:
    """Whether a line may be a person's name; `About Us` and `The Weight of a Key` are none."""
    words = line.split()
    return (
        1 <= len(words) <= MAX_NAME_WORDS
        and len(line) < 60
        and not re.search(r"[\d@!?:»«›‹→←|\[\]{}<>=#*…„“”\"©®™\\^+]", line)
        and sum(not word[:1].islower() for word in words) >= len(words) / 2
        and words[0].lower() not in LABEL_WORDS
        and SMALL_WORDS.isdisjoint(words)
        and not LABEL.match(line)
    )
