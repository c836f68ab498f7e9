"""An atlas: a picture of every unit of some layers, in a folder that a person explores in a browser.

The one idea: the folder is the state. ``atlas.json`` says what was asked for and what is drawn; whatever is
missing is drawn by the next run, and everything else (sheets, the page, its data) follows from it.

    units.py      layers, channels and classes asked for -> units, each with its target
    catalog.py    atlas.json: units, pictures, settings; its format version
    jobs.py       what is missing -> jobs that know nothing of each other; drawing them
    folder.py     the folder: held by one process, begun or gone on with
    making.py     what is missing, drawn into the folder
    sheets.py     a contact sheet of each layer
    examples.py   the photos of a folder that excite each unit most
    page.py       the page and its data, from the files in page/

Must not import: the command line.
"""
