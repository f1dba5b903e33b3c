// Replaced by the first test of TensorMath.
