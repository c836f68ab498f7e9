"""Learned priors: networks that know what pictures look like, for pictures that a network's gradient alone would spoil.

``specs`` says which there are, ``pulls`` loads those that make a picture likelier, and ``denoiser`` builds the one that
ships. Must not import Keras or anything heavy here.
"""
