"""Whole folders of photos: what is to be done, done somewhere, and a record of it.

The one idea: a job is a value (a photo's name, a picture's name, settings), so it can be done by any process on any
machine that reaches the folders. What is done is said by a record beside the pictures, written after each of them; a
run that was interrupted in any way is gone on with by running it again.

    folders.py      Folder: names, reading, writing in one move, one run at a time
    local.py        a folder of this machine
    remote.py       a folder by its URL: s3://, gs:// and whatever else fsspec knows
    jobs.py         Job; which photo becomes which picture
    records.py      Record; which pictures are done, and which are ours at all
    working.py      one job done: read, dream, write, record
    running.py      a whole run, as a generator of what happened
    report.py       the same as JSON Lines, and as counts
    outcomes.py     what becomes of a job: a result, or a failure as a value
    pools.py        any jobs on processes of this machine
    ray_pool.py     any jobs on a Ray cluster
    resources.py    how a machine is shared out among workers
"""
