// Replaced by the first file of Checking.
