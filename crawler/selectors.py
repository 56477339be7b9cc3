"""XPath and CSS selectors: CSS is translated into XPath."""

from lxml import etree
from parsel import csstranslator


def to_xpath(selector: str) -> str:
    """Translate a CSS selector into XPath; an XPath stays as it is. Raises SelectorError or XPathError when it is neither."""
    if selector.startswith(("/", "./", "(", "descendant")):
        etree.XPath(selector)
        return selector
    return str(csstranslator.HTMLTranslator().css_to_xpath(selector))
