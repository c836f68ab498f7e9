"""Activation atlases: what a layer tells apart in one's own photos, as a map."""
