"""Numbers -> a chart as SVG, drawn here by pygal: no script, no font, nothing to load. The page has the numbers as a table, too."""

from collections.abc import Sequence
from typing import Any

import pygal
from markupsafe import Markup
from pygal.style import Style

from pipelines.publish.formatting import number

_STYLE = Style(
    background="transparent",
    plot_background="transparent",
    foreground="currentColor",
    foreground_strong="currentColor",
    foreground_subtle="currentColor",
    colors=("#2f6f9f",),
    font_family="inherit",
    label_font_size=12,
    major_label_font_size=12,
    value_font_size=12,
)

WIDTH = 360
"""Units of a drawing, of which letters have 12: on the narrowest phone a unit is a pixel, on a wide screen one and a half."""


def columns(title: str, labels: Sequence[str], values: Sequence[int], *, every: int) -> Markup:
    """A column for each value, from left to right; every so manieth label is written under its column, the last one too, and
    all of them are in the columns' titles."""
    marked = list(labels)[::-1][::every]
    return _drawn(pygal.Bar, title, labels, values, 180, x_labels_major=marked, show_minor_x_labels=False)


def rows(title: str, labels: Sequence[str], values: Sequence[int]) -> Markup:
    """A bar for each value, one below the other, with its label before it."""
    return _drawn(pygal.HorizontalBar, title, labels[::-1], values[::-1], 30 * len(values) + 30)


def _drawn(kind: Any, title: str, labels: Sequence[str], values: Sequence[int], height: int, **more: Any) -> Markup:
    top = max(-(-max(values) // 4) * 4, 4)
    chart = kind(
        width=WIDTH, height=height, js=(), style=_STYLE, show_legend=False, disable_xml_declaration=True, title=None, margin=4, margin_right=18,
        spacing=8, include_x_axis=True, explicit_size=False, print_values=False, pretty_print=False,
        x_labels=list(labels), range=(0, top), y_labels=[top * step // 4 for step in range(5)], truncate_label=-1, **more,
    )  # fmt: skip
    chart.value_formatter = lambda value: number(round(value))
    chart.add(title, list(values))
    chart.add_xml_filter(lambda svg: _as_picture(svg, title))
    return Markup(chart.render(is_unicode=True))


def _as_picture(svg: Any, title: str) -> Any:
    """One picture with a name, to those who hear the page. pygal writes its settings into a script, for the one that it
    would load; the policy forbids it and nothing reads it."""
    svg.set("role", "img")
    svg.set("aria-label", title)
    for script in svg.findall(".//script"):
        script.getparent().remove(script)
    return svg
