"""Masks that are made from the photo: where a dream may be seen, without anybody painting it.

    calls.py      dreamer.mask: a photo -> a mask to start from
    subject.py    the subject, by what a network takes the photo for
    sky.py        the sky, by a horizon
    edges.py      strong edges
    cutting.py    marks -> a region, at the photo's own edges
    guided.py     values that end where a picture has an edge
    calming.py    where a photo is calm, so that its dream can be

Must not import: dreams, the command line.
"""
