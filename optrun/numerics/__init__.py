"""What all arithmetic stands on: compiled kernels, fixed-order sums, random streams."""
