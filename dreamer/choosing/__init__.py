"""Sheets to choose from: one photo dreamt in many ways, small, and any of them picked to be dreamt whole.

Must not import anything: the names are where they are used.
"""
