"""Files that somebody named, and what is in them: opened safely, read within bounds.

regular.py     the one way to open a file: regular files, nothing that blocks
documents.py   TOML and JSON: read within bounds, TOML written so that nothing breaks out of it
npy.py         NumPy's files from elsewhere: numbers only, no more than the file holds
names.py       names that a folder can hold
digests.py     the one way to compute a file's digest
"""
