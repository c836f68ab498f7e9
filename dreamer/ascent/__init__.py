"""Gradient ascent on a picture. Knows nothing of files, presets or which network it climbs."""
