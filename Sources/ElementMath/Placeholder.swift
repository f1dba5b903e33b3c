// Replaced by the first file of ElementMath.
