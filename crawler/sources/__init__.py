"""Sources: reading and writing sources.toml, and lists of other programs (OPML, CSV, text)."""
