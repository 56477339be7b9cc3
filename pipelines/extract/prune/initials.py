"""Initials: a paragraph's decorated first letter (drop cap) is joined to its word, whatever element or picture it is."""

import re
from collections.abc import Iterable
from itertools import islice

import lxml.html

from pipelines.extract.tree import BLOCKS

INITIAL = re.compile(r"[\"'“”„«»‘’‹›¿¡]{0,2}\s?([^\W\d_])")
"""One letter, quoted or not."""


NAMED = re.compile(r"drop|initial|lettrine|capital|first-?letter|lead-?letter|\bcap\b|versal", re.I)
"""What templates call an initial."""


MAX_INITIAL, MAX_ALTERNATIVE = 12, 40
"""Characters under which an element is one letter and the white space around it; a picture's words are those of a letter."""


LETTER_AT_END = re.compile(r"(?:^|.*[\s:\"'“„«-])([^\W\d_])[\"'”“»]?\s*$")
"""`T`, `Drop cap T`, `Letter: T`."""


SPOKEN = re.compile(r"sr-only|visually|screen-?reader|assistive|off-?screen")
"""What only screen readers say, by its class."""


def show_beginnings(hidden: Iterable[lxml.html.HtmlElement]) -> None:
    """Shows a decorated beginning that is hidden from screen readers alone: they are told its words by a twin."""
    for element in hidden:
        if (
            element.get("aria-hidden") != "true"
            or element.tag in BLOCKS
            or len(element.text_content()) >= MAX_BEGINNING
        ):
            continue
        letters = _letters(element)
        if letters.isalpha() and _begins_block(element) and (len(letters) == 1 or _has_twin(element, letters)):
            del element.attrib["aria-hidden"]


MAX_BEGINNING = 60
"""Characters of a decorated beginning."""


def _letters(element: lxml.html.HtmlElement) -> str:
    return "".join(element.text_content().split())


def _begins_block(element: lxml.html.HtmlElement) -> bool:
    """Whether nothing that is seen stands before an element in its block, but its initial."""
    while element.tag not in BLOCKS:
        around = element.getparent()
        if around is None or (around.text or "").strip():
            return False
        for number, before in enumerate(element.itersiblings(preceding=True)):
            if number == MAX_BEFORE:
                return False
            if (before.tail or "").strip():
                return False
            if before.tag in BLOCKS:
                return True
            if not is_spoken(before) and len(_letters(before)) > 1:
                return False
        element = around
    return True


MAX_BEFORE = 20
"""Elements without text, or of one letter, that may stand before a decorated beginning."""


def _has_twin(element: lxml.html.HtmlElement, letters: str) -> bool:
    """Whether something for screen readers in the same block says the same, or the whole of which it is a part."""
    block = next((around for around in element.iterancestors() if around.tag in BLOCKS), None)
    return block is not None and any(
        is_spoken(one) and letters in _letters(one) for one in block.iter("span", "b", "em")
    )


def is_spoken(element: lxml.html.HtmlElement) -> bool:
    """Whether an element is for screen readers only."""
    return is_name_of_spoken(element.get("class", ""))


def is_name_of_spoken(names: str) -> bool:
    """Whether a class says so."""
    return SPOKEN.search(names) is not None


def join_initials(tree: lxml.html.HtmlElement, letters: Iterable[lxml.html.HtmlElement]) -> None:
    """Joins every initial to its word: from an element of its own, from one for screen readers, or from a picture."""
    for picture in list(tree.iter("img")):
        said = picture.get("alt", "")
        letter = LETTER_AT_END.fullmatch(said) if len(said) < MAX_ALTERNATIVE else None
        if letter and not letter[1].islower() and _goes_on(picture, letter[1], following(picture)):
            picture.tag, picture.text = "span", letter[1]
            _join(tree, picture, letter[1])
    for leaf in letters:
        letter = INITIAL.fullmatch((leaf.text or "").strip())
        if letter and not letter[1].islower() and _goes_on(leaf, letter[1], following(leaf)):
            if not is_spoken(leaf):
                _join(tree, leaf, leaf.text.strip())
            elif _begins_block(leaf) and not any(map(_letters, leaf.itersiblings(preceding=True))):
                del leaf.attrib["class"]


def _alone(element: lxml.html.HtmlElement) -> lxml.html.HtmlElement:
    """The outermost element that holds nothing else."""
    around = element.getparent()
    while (
        around is not None
        and element.getprevious() is None
        and element.getnext() is None
        and not (around.text or "").strip()
        and not (element.tail or "").strip()
        and around.tag not in ("body", "article", "main")
    ):
        element, around = around, around.getparent()
    return element


def following(element: lxml.html.HtmlElement) -> str:
    """The text right after an element, in its block or at the beginning of the next one."""
    box = _alone(element)
    if (box.tail or "").strip():
        return str(box.tail)
    after = box.getnext()
    return "" if after is None else (box.tail or "") + (_first(after).text or "")


def _first(element: lxml.html.HtmlElement) -> lxml.html.HtmlElement:
    """The innermost element with which the text of an element begins."""
    while not (element.text or "").strip() and len(element):
        element = element[0]
    return element


def _goes_on(element: lxml.html.HtmlElement, letter: str, rest: str) -> bool:
    """Whether what follows a letter is the rest of its word, or of its sentence."""
    begin = rest.lstrip()[:2]
    if not begin or not _begins_block(element):
        return False
    named = any(NAMED.search(one.get("class", "")) for one in (element, *islice(element.iterancestors(), 1)))
    plain = element.tag != "img" and not named and not is_spoken(element)
    if plain and rest[0].isspace() and _alone(element).tag not in BLOCKS:
        return False  # a variable, an article in bold
    if letter.isupper() and (begin[0].islower() or (begin[0] in "'’" and begin[1:].isalpha())):
        return True
    return named and begin.isalpha() and (begin.isupper() or not (letter.isupper() or begin[0].isupper()))


def _join(tree: lxml.html.HtmlElement, element: lxml.html.HtmlElement, letter: str) -> None:
    """Puts a letter where the rest of its word stands."""
    box = _alone(element)
    gap = _gap(tree, letter, following(element))
    if (box.tail or "").strip():
        if box.tag in BLOCKS:
            _take_in(box, letter + gap)
        else:
            box.tail = (gap if not gap or box.tail[0].isspace() else "") + box.tail.lstrip()
        return
    after = box.getnext()
    if after.tag in BLOCKS or (box.tag in BLOCKS and after.tag not in BLOCKS):
        first = _first(after)
        first.text = letter + gap + first.text.lstrip()
        box.drop_tree()
    else:
        box.tail = gap


def _take_in(box: lxml.html.HtmlElement, begin: str) -> None:
    """Makes a block within a paragraph, which the parser ends there, the paragraph: it takes what follows up to the next."""
    text, rest = box.tail, []
    for after in box.itersiblings():
        if after.tag in BLOCKS:
            break
        rest.append(after)
    for child in list(box):
        box.remove(child)
    box.attrib.clear()
    box.tag, box.text, box.tail = "p", begin + text.lstrip(), None
    box.extend(rest)


WORDS = frozenset("aiouyeàèéáóúоаяиуівксα")
"""Letters that are words: what follows in another element may be the next word, or the rest of theirs."""


def _gap(tree: lxml.html.HtmlElement, letter: str, rest: str) -> str:
    """A space where the letter is a word and the page never says both as one."""
    letter = letter[-1].lower()
    if letter not in WORDS:
        return ""
    found = re.match(r"\w+", rest.strip())
    word = found[0].lower() if found else ""
    said = re.findall(rf"\b{letter}?{re.escape(word)}\b", " ".join(tree.itertext()).lower()) if word else []
    return " " if letter + word not in said and (said.count(word) > 1 or rest[:1].isspace()) else ""
