// Replaced by the first file of TensorMath.
