"""The file news.db itself: its schema, how it is opened and locked, copied, and examined. Knows no page."""
