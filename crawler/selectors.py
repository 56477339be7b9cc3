"""Selectors: XPath, or CSS turned into it."""

from lxml import etree
from parsel import csstranslator


def to_xpath(selector: str) -> str:
    """An XPath as it is, CSS translated. Raises SelectorError or XPathError when it is neither."""
    if selector.startswith(("/", "./", "(", "descendant")):
        etree.XPath(selector)
        return selector
    return str(csstranslator.HTMLTranslator().css_to_xpath(selector))
