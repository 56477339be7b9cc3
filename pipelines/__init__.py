"""From pages to news.db, and from there to its readers: the second half of the flow."""
