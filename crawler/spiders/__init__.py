"""Where pages come from: the live web (news) or copies of it (copies)."""
