"""A saved page is a test: SLUG/page.html (or page.txt) is what a server sent, SLUG/page.toml what must come of it.

    url = "https://www.ledger.example/crane"     # the page's address
    content_type = "text/html; charset=utf-8"    # its header; as the file's name says unless given, "" where there was none
    via = "feed"                                 # optional, like fetched_at = 2026-11-21T00:00:00Z

    [source]                                     # optional: keys of a [[source]] in sources.toml
    timezone = "Europe/London"

    [hints]                                      # optional: what its feed said, keys of crawler.items.Hints
    title = "Crane falls"

    [expected]                                   # at least one: any field of crawler.items.Article, and
    title = "Crane falls on north quay"
    absent = ["description"]                     # fields the page does not state
    lines = ["The first paragraph.", "…"]        # the whole text; or what it must hold, and must not:
    with = ["a few words of it"]
    without = ["Read more"]
                                                 # or, of what is no article, only: refused = "index"

Each key of [expected] is one test: `pytest tests/pages -k SLUG`. What is committed is the smallest page that shows the thing,
in our own words; `private/`, which git ignores, is for real pages. `python -m tests.pages add FILE` begins a folder.
"""
