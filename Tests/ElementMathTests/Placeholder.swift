// Replaced by the first test of ElementMath.
