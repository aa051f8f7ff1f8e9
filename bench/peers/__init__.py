"""What people would write instead: the same files, the same join on the plain number, the same sums per person."""
