"""The version of the program, for whatever says it without needing the rest."""

__version__ = "0.1.0"
