"""Template news, made up: every genre is one form that is filled again and again, so that no two reports of it are copies."""

import random
from collections.abc import Callable

from tests.benchmarks.dedup import invented_word

GENRES = {
    "weather": """
        {Town} weather for {day}: {degrees} degrees and {sky}
        {Town} will be {sky} on {day} with a high of {degrees} degrees in the afternoon and a low of {degrees} overnight. Winds will
        reach up to {n} miles an hour from the {side}, and the chance of rain is {n} per cent.
        Sunrise is at {clock} and sunset at {clock}. The outlook for the rest of the week is {sky} with temperatures near the average
        for the time of year. For warnings of severe weather see the pages of the national weather service.""",
    "traffic": """
        Delays on the {road} near {Town} after crash
        Drivers on the {road} face delays of up to {n} minutes after a crash between {n} vehicles near {Town} this {half}. One lane is
        closed {side}bound between junctions {n} and {n} and traffic is queueing as far as {Town}.
        Emergency services were called shortly after {clock}. The highways agency expects normal conditions to return between {clock}
        and {clock}. Drivers are advised to allow extra time for their journeys and to find another way where they can.""",
    "shares": """
        {Firm} shares {move} {n} per cent
        Shares of {Firm} {move} {n}.{n} per cent to {money} in {half} trading on {day}, while the broader market was little changed.
        The stock has a fifty day average of {money} and a two hundred day average of {money}. The company has a market value of
        {money} million and a price to earnings ratio of {n}.{n}.
        Several hedge funds have recently changed their holdings in the stock. {Firm} raised its stake by {n} per cent in the first
        quarter and now owns {many} shares after buying an additional {many} in the last quarter.""",
    "match": """
        {Town} {score} {Town}
        {Town} beat {Town} {score} on {day} in front of {many} people. {Person} opened the scoring in the {n}th minute and {Person}
        added a second before the break.
        The visitors pulled one back through {Person} but could not find an equaliser despite late pressure. The result leaves {Town}
        in {n}th place with {n} points, and they travel to {Town} on {day}.""",
    "appeal": """
        Police appeal after burglary in {Street}, {Town}
        Officers are appealing for witnesses after a burglary in {Street} in {Town} at about {clock} on {day}. A {sky} man in his
        {n}s was seen leaving the scene on a bicycle with {thing}.
        Detective Constable {Person} said: "We would like to hear from anyone who was in the area at the time and saw anything
        suspicious, or who has footage from a doorbell or a dashboard camera."
        Anyone with information is asked to call the police and quote reference {many}, or to give it anonymously to the charity that
        takes such calls.""",
    "obituary": """
        {Person}, {n}, of {Town}
        {Person}, {n}, of {Town}, passed away peacefully on {day} surrounded by family. Born in {Town} to {Person} and {Person}, she
        worked for many years at {Firm} and loved gardening, baking and spending time with her grandchildren.
        She is survived by her children {Person} and {Person}. A service will be held at {clock} on {day} at the chapel in {Street}.
        In lieu of flowers the family asks that donations be made to the hospice.""",
    "court": """
        {Town} magistrates: {Person} fined for speeding
        {Person}, {n}, of {Street}, {Town}, was fined {money} at {Town} magistrates court on {day} after admitting driving at {n} miles
        an hour in a zone of {n} on the {road}.
        The defendant was ordered to pay a victim surcharge of {money} and costs of {money}, and the licence was endorsed with {n}
        points. All details are taken from the register of the court and were correct at the time of the hearing.""",
    "recipe": """
        {Person}'s {thing} with {thing}
        This {sky} dish from {Person} takes {n} minutes and serves {n}. Heat the oven to {n}0 degrees and line a tray with baking paper.
        Put {n}0 grams of {thing} into a bowl with a pinch of salt, add {n} spoons of oil and stir until smooth.
        Add the {thing}, pour everything into the tray and bake for {n} minutes until golden brown. Leave to cool for {n} minutes
        before you cut it, and serve with {thing}.""",
    "horoscope": """
        {Sign}: your horoscope for {day}
        Today the moon moves into {Sign} and asks you to think about {thing}. A conversation with somebody born under {Sign} in the
        {half} may change how you see {thing}, so keep an open mind and listen before you speak.
        Do not be afraid to say what you want at work. Your lucky number is {n} and your colour is {sky}. Remember that patience is a
        strength and that not everything has to be decided at once.""",
    "filing": """
        {Firm} files for offering
        {Firm} said it filed a registration statement with the securities commission covering an offering of {money} million of
        subordinated notes due in {n} years.
        The company said proceeds from the sale will be used for general corporate purposes, which may include the repayment of
        outstanding debt. {Firm} named {Firm} as lead manager of the offering, and the terms are to be set at the time of sale.""",
    "dividend": """
        {Firm} declares quarterly dividend
        The board of {Firm} declared a regular quarterly dividend of {n} cents a share on its common stock, payable on {day} to
        shareholders of record at the close of business on {day}.
        The company, which has its seat in {Town}, has paid dividends without interruption for {n} years. Future dividends will be
        decided by the board in its discretion and will depend on earnings and on the needs of the business.""",
    "planning": """
        Plans for {n} homes in {Street}, {Town}
        {Firm} has applied for permission to build {n} homes on land off {Street} in {Town}. The plans include a playground, {n}
        parking spaces and a path to the {road}.
        A statement with the application says the scheme would provide much needed housing in a sustainable location. Neighbours
        have until {day} to comment, and the council's planning committee is expected to decide in the coming months.""",
    "lottery": """
        Lottery results for {day}
        The winning numbers in the draw on {day} were {n}, {n}, {n}, {n}, {n} and {n}, and the bonus ball was {n}. The jackpot was
        {money} million and {n} tickets won it.
        Another {many} players won smaller prizes. The next draw takes place on {day} at {clock}. Tickets can be bought in shops and
        online until an hour before the draw, and players must be of age.""",
    "quake": """
        Earthquake of magnitude {n}.{n} strikes near {Town}
        A shallow earthquake of magnitude {n}.{n} was reported on {day} at {clock} {n} miles {side} of {Town}, according to the
        geological survey. It occurred at a depth of {n} miles.
        In the last ten days there have been {n} earthquakes of magnitude three or greater centred nearby. This report was written
        by a computer program from a notice of the survey and was read by an editor before it was published.""",
}
"""A headline and paragraphs. Every `{slot}` is filled anew each time it stands there."""

NOTICES = [
    """Anyone with information can call the Northshire Constabulary on 01555 604100 between 9am and 5pm, Monday to Friday, or
    Tellus on 0555 555 111, or write to Constabulary House, Mill Road, Eastwick, Northshire NS15 9BZ, giving the reference.""",
    """The Northshire Courier was founded in Eastwick in 1859 and has belonged to Hallam Media since 2017. Its newsroom is at
    Weir House, Tanner Close, Eastwick NS2 4DU. Call the newsdesk on 01555 227800 or the offices in Ashby and Corwick on 768181.""",
    """Subscribe to Northshire Online Plus for 99p a month until 31 December and get every story from Eastwick, Ashby, Corwick,
    Dunmere, Fallow and Tunwell with fewer adverts, on Android, iPad and iPhone, and the Courier's Sunday Quiz with 50 questions.""",
]
"""What a site prints under every report, with more names and figures than many reports have."""

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SKIES = ("sunny", "cloudy", "dry", "wet", "bright", "grey", "mild", "cold", "golden", "dark")
_SIDES = ("north", "south", "east", "west")

Report = list[str]
"""Its headline, then its paragraphs."""


class TemplateNews:
    """Reports by the forms of GENRES, and copies of them as other desks print them."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._slots: dict[str, Callable[[], str]] = {
            "Town": self._name,
            "Person": lambda: f"{self._name()} {self._name()}",
            "Firm": lambda: f"{self._name()} {self._chance.choice(('Corp', 'Group', 'Holdings', 'Industries'))}",
            "Street": lambda: f"{self._name()} {self._chance.choice(('Street', 'Road', 'Lane'))}",
            "Sign": self._name,
            "thing": lambda: self._name().lower(),
            "day": lambda: self._chance.choice(_DAYS),
            "sky": lambda: self._chance.choice(_SKIES),
            "side": lambda: self._chance.choice(_SIDES),
            "half": lambda: self._chance.choice(("morning", "afternoon", "evening")),
            "move": lambda: self._chance.choice(("rose", "fell")),
            "road": lambda: f"A{self._chance.randint(1, 999)}",
            "n": lambda: str(self._chance.randint(2, 60)),
            "degrees": lambda: str(self._chance.randint(1, 35)),
            "many": lambda: f"{self._chance.randint(1, 99)},{self._chance.randint(100, 999)}",
            "money": lambda: f"${self._chance.randint(2, 900)}",
            "clock": lambda: f"{self._chance.randint(0, 23)}:{self._chance.randint(10, 59)}",
            "score": lambda: f"{self._chance.randint(2, 5)}-1",
        }

    def report(self, genre: str) -> Report:
        """One more of a genre."""
        headline, *paragraphs = _paragraphs(GENRES[genre])
        return [self._filled(headline), *(self._filled(paragraph) for paragraph in paragraphs)]

    def brief(self, genre: str, notices: int) -> Report:
        """A headline and one paragraph, over so many of NOTICES: a quarter of it is its own."""
        return [*self.report(genre)[:2], *(" ".join(notice.split()) for notice in NOTICES[:notices])]

    def copies(self, report: Report) -> dict[str, Report]:
        """A report as it may stand elsewhere, by what was done to it."""
        headline, *body = report
        corrected = "\n".join(report).split(" ")
        if places := [place for place, word in enumerate(corrected) if word.isdigit()]:
            corrected[self._chance.choice(places)] = str(self._chance.randint(61, 99))
        return {
            "headline": [self._sentence(6), *body],
            "paragraph": [headline, *body, self._sentence(25)],
            "shortened": [headline, *body[:-1], body[-1].split(". ")[0] + "."],
            "corrected": " ".join(corrected).split("\n"),
            "updated": [headline, body[0], self._sentence(15), *body[1:]],
            "framed": [self._sentence(8), *report, self._sentence(12)],
        }

    def _filled(self, form: str) -> str:
        parts = form.split("{")
        return parts[0] + "".join(
            self._slots[slot]() + rest for slot, _, rest in (part.partition("}") for part in parts[1:])
        )

    def _name(self) -> str:
        return (invented_word(self._chance) + invented_word(self._chance)).capitalize()

    def _sentence(self, words: int) -> str:
        return " ".join(self._name().lower() for _ in range(words)).capitalize() + "."


def _paragraphs(form: str) -> list[str]:
    """A form's paragraphs: each begins with a capital or a slot, behind a line that ends a sentence, or the headline."""
    headline, *lines = [line.strip() for line in form.strip().splitlines()]
    found = [""]
    for line in lines:
        found[-1] = f"{found[-1]} {line}".strip()
        if line.endswith((".", '"')):
            found.append("")
    return [headline, *(paragraph for paragraph in found if paragraph)]
