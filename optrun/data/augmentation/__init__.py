"""Augmentation: training examples changed at random, anew every epoch.

Whatever order a list has, an image goes through geometry (in the list's order, as one map), colours
(as one map), noise, erasing, preprocessing, and mixing with another example.
"""
