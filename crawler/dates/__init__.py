"""Dates: strings of pages and feeds -> moments in UTC, in every notation, language, calendar and zone."""
