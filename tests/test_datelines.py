"""The dateline: the place that opens a report, and what looks like one."""

import pytest

from pipelines.extract.metadata.datelines import dateline

REST = "Ferry operator Selkie Lines asked a court on Thursday to shield it from creditors while it talks to lenders."


@pytest.mark.parametrize(
    ("opening", "place"),
    [
        ("CALDERWICK, Nov 12 (Corvane) - ", "CALDERWICK"),
        ("PORT ELLERY (Corvane) — ", "PORT ELLERY"),
        ("ST. ORMA, Low. (AP) — ", "ST. ORMA, Low."),
        ("STELLIN, Lowmarch — ", "STELLIN, Lowmarch"),
        ("STELLIN — ", "STELLIN"),
        ("STELLIN -- ", "STELLIN"),
        ("STELLIN, Nov. 22 – ", "STELLIN"),
        ("STELLIN/HOLLIN (Corvane) - ", "STELLIN/HOLLIN"),
        ("Lindental (dpa) - ", "Lindental"),
        ("Lindental/Stellin (dpa/AFP) – ", "Lindental/Stellin"),
        ("San Mirto, 12 nov (EFE).- ", "San Mirto"),
        ("SAN MIRTO, 12 NOV.- ", "SAN MIRTO"),
        ("(ANSA) - MIRTO, 12 NOV - ", "MIRTO"),
        ("السنديان 12 نوفمبر (CNN) -- ", "السنديان"),
    ],
)
def test_a_dateline_is_its_place_alone_in_the_pages_spelling(opening: str, place: str) -> None:
    assert dateline(opening + REST) == place


@pytest.mark.parametrize(
    "line",
    [
        REST,
        f"UPDATE — {REST}",
        f"BREAKING (Corvane) - {REST}",
        f"EILMELDUNG – {REST}",
        f"AI — {REST}",
        f"CALDERWICK: {REST}",
        f"Calderwick – {REST}",
        f"Julia Kerr (SPD) – {REST}",
        f"(Corvane) - {REST}",
        f"SELKIE – the operator of four ferries – said: {REST}",
        f"NOV 12 - {REST}",
        "CALDERWICK - HOLLIN",
        "HOLLIN — ",
        "",
    ],
)
def test_what_may_be_something_else_is_no_dateline(line: str) -> None:
    assert dateline(line) is None
