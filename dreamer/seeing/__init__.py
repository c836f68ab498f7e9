"""What a network sees in a photo, and where."""
