// Replaced by the first test of Checking.
