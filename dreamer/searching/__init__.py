"""Photos, and crops of them, that units answer to most and least."""
