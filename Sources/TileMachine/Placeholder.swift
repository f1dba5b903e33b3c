// Replaced by the first file of TileMachine.
