"""Time zones: `EDT`, `CEST` or `PT` beside a time -> the offset from UTC, with the meaning it has where the page is from."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

OFFSETS_BY_NAME = """
UTC 0 GMT 0 UT 0 Z 0 WET 0 WEST 1 BST 1 CET 1 CEST 2 MEZ 1 MESZ 2 EET 2 EEST 3 OEZ 2 OESZ 3 MSK 3 МСК 3 TRT 3 TSİ 3
SAST 2 CAT 2 EAT 3 WAT 1 GST 4 PKT 5 IST 5.5 NPT 5.75 BDT 6 MMT 6.5 ICT 7 WIB 7 WITA 8 WIT 9 SGT 8 MYT 8 PHT 8 HKT 8
JST 9 KST 9 AWST 8 ACST 9.5 ACDT 10.5 AEST 10 AEDT 11 NZST 12 NZDT 13
NST -3.5 NDT -2.5 AST -4 ADT -3 EST -5 EDT -4 CST -6 CDT -5 MST -7 MDT -6 PST -8 PDT -7 AKST -9 AKDT -8 HST -10
BRT -3 ART -3 CLT -4 CLST -3 COT -5 PET -5 VET -4
"""

REGIONAL_OFFSETS = """
CST CN 8 CST TW 8 CST MO 8 CST CU -5 IST IL 2 IDT IL 3 IST IE 1 BST BD 6 PST PH 8 MST MY 8 SST SG 8 WST AU 8
EST AU 10 EDT AU 11 CST AU 9.5 CDT AU 10.5 AST SA 3 AST AE 4 AST IQ 3 AST KW 3 AST QA 3 AST BH 3 AST YE 3 GST GU 10
"""
"""What a name means in one country (ISO 3166) only."""

GENERAL = {
    "ET": "America/New_York",
    "CT": "America/Chicago",
    "MT": "America/Denver",
    "PT": "America/Los_Angeles",
    "AKT": "America/Anchorage",
    "Eastern": "America/New_York",
    "Central": "America/Chicago",
    "Mountain": "America/Denver",
    "Pacific": "America/Los_Angeles",
}
"""Names that leave open whether it is summer."""


def _pairs(table: str, size: int) -> Mapping[tuple[str, ...], timedelta]:
    """A table's rows of some names and the hours that they mean."""
    words = table.split()
    rows = [words[at : at + size + 1] for at in range(0, len(words), size + 1)]
    return {tuple(row[:size]): timedelta(hours=float(row[size])) for row in rows}


OFFSETS, REGIONAL = _pairs(OFFSETS_BY_NAME, 1), _pairs(REGIONAL_OFFSETS, 2)


def offset_of(name: str, when: datetime, region: str | None) -> timedelta | None:
    """How far a zone is ahead of UTC at a local time, None for what is no zone's name; `region` is a country or None."""
    if name in GENERAL or "/" in name:
        try:
            return when.replace(tzinfo=ZoneInfo(GENERAL.get(name, name))).utcoffset()
        except ZoneInfoNotFoundError:
            return None
    return REGIONAL.get((name, region or "")) or OFFSETS.get((name,))
