// Replaced by the first test of TileMachine.
