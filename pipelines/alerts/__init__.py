"""Alerts: what is new and holds some words is sent, once.

`outbox` knows the tables: it notes what is new in one transaction, and what was sent. `messages` makes of it what a person or a
program reads, `ways` hands that to a file, a mail server, a webhook, a command or Apprise. `send` is the way from one to the other.
"""
