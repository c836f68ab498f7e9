"""Networks on tables: the rows that a unit answers to, and the least change of a row that flips an answer.

columns   what a row is made of: kinds, ranges, how a network is given them; from TOML, or learnt from a table
tables    a table of somebody's as rows of numbers
network   rows -> what the network is given, exactly and for climbing. Where networks and rows meet
climbing  gradient ascent on rows, with projection
searching the same by single steps, through the network as it is
changing  the least change of a row
run       all of it for an objective, or for every unit of a layer
rows      what comes of it, as values
page      every unit of a layer as a page
"""
