"""Whole folders of photos: what is to be done, done somewhere, and a record of it.

The one idea: a job is a value (a photo's name, a picture's name, settings), so it can be done by any process on any
machine that reaches the folders. What is done is said by a record beside the pictures, written after each of them; a
run that was interrupted in any way is gone on with by running it again.

    folder.py       Folder: names, reading, writing in one move, one run at a time
    folders.py      the folder of a path or a URL
    local.py        a folder of this machine
    remote.py       a folder by its URL: s3://, gs:// and whatever else fsspec knows
    names.py        which names of a listing may be used, and where they lie
    globs.py        patterns such as **/*.jpg
    jobs.py         Job; which photo becomes which picture
    left_out.py     what becomes no picture, and why
    records.py      Record; which pictures are done, and which are ours at all
    working.py      one job done: read, dream, write, record
    running.py      a whole run, as a generator of what happened
    report.py       the same as counts, and as lines
    report_file.py  those lines in a file, or a stream
"""
