"""Numbers -> a chart as SVG, drawn here by pygal: no script, no font, nothing to load. The page has the numbers as a table, too."""

from collections.abc import Sequence
from typing import Any

import pygal
from markupsafe import Markup
from pygal.style import Style

_STYLE = Style(
    background="transparent",
    plot_background="transparent",
    foreground="currentColor",
    foreground_strong="currentColor",
    foreground_subtle="currentColor",
    colors=("#2f6f9f",),
    font_family="inherit",
    label_font_size=11,
    major_label_font_size=11,
    value_font_size=11,
)


def bars(title: str, labels: Sequence[str], values: Sequence[int], *, every: int = 1) -> Markup:
    """A bar for each value; every so manieth label is written under its bar, and all of them are in the bars' titles."""
    top = max(-(-max(values) // 4) * 4, 4)
    chart = pygal.Bar(
        width=720, height=220, js=(), style=_STYLE, show_legend=False, disable_xml_declaration=True, title=None, margin=4,
        spacing=8, include_x_axis=True, explicit_size=False, print_values=False, pretty_print=False,
        x_labels=list(labels), x_labels_major=list(labels)[::-1][::every], show_minor_x_labels=every == 1, range=(0, top), y_labels=[top * step // 4 for step in range(5)], truncate_label=-1,
    )  # fmt: skip
    chart.value_formatter = lambda value: f"{value:,.0f}"
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
