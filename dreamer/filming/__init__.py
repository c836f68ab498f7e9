"""Videos that dream: the dream of a frame is carried to the next along the motion of the things below it.

    settings.py   VideoSettings: which piece, cuts, how much is carried, what the sound drives
    timeline.py   Timeline: looks at their times, and what lies between two of them
    wish.py       keywords -> both of these; names of results
    calls.py      video, video_steps: what others call
    run.py        VideoDream: a whole run; pooled.py: its shots in other processes
    made.py       Output, VideoStep, DreamtVideo: what a run takes and gives
    scanning.py   a first look: time stamps, and where shots end
    motion.py     where the things of a frame come from, and where that cannot be told
    carrying.py   the detail of a frame carried to the next, and held at its strength
    shots.py      the dream of a shot. Where climbs, looks, masks and motion meet
    flicker.py    how much a video flickers
    listening.py  what is heard in the sound, and what it does to settings
    masks.py      masks that are videos
    kept.py       frames kept on the disk until all are there
    jobs.py       a shot as a job of a pool
    preview.py    some frames as a sheet, and a short piece

Must not import the command line. Files of videos are read and written by `dreamer.videos` alone.
"""
