"""Articles that are the same, or tell the same: copies (match) when they are stored, stories at the end of a run."""
