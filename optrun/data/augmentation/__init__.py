"""Augmentation: training examples changed at random, anew every epoch.

Of whatever order a list is in, an image goes through geometry (in the list's order, as one map),
colours (in the list's order, as one map), noise, erasing, preprocessing, and mixing with another.
"""
