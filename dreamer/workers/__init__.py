"""Workers: any jobs done by processes of this machine or of a cluster; what ``batching`` and ``atlases`` share.

    places.py      where jobs are done, and the pool that this means
    outcomes.py    what becomes of a job: a result, or a failure as a value
    pools.py       jobs on processes of this machine: retries, deaths
    process.py     one such process, from both ends: it can be ended at any moment
    ray.py         jobs on a Ray cluster
    resources.py   how a machine is shared out among workers
    limits.py      how long a job may take, if nobody says otherwise

Must not import what the jobs are about.
"""
