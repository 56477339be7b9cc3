"""From the web, or local copies of it, to pages: the first half of the flow."""
