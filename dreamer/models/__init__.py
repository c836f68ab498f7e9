"""Networks and their weights. Knows nothing of pictures, files of pictures or ascent."""
