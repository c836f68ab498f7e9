"""Adversarial examples: a photo changed as little as can be, so that a network takes it for something else.

    settings.py     FoolSettings: what one attack is told
    classifier.py   Classifier: how a network sees photos of any size; Sight: how far a photo is from being taken for
                    another class, and the way there
    levels.py       changes in whole levels: what a file can hold
    attacks.py      FGSM, PGD, Carlini and Wagner's, and the least change by each
    fooled.py       Fooled: the photo after the attack, with what networks say of it
    calls.py        fool: what others call
    rates.py        how many of many photos are fooled by which change; the report and its plot

The one idea: a photo is climbed as everything here is, but in whole levels of its own pixels and no further than it
must, and what counts is what a network says of the file as it was written.
"""
