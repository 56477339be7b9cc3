"""The archive: the only writer of news.db, one file per table, and what is read from it to decide what to ask next."""
