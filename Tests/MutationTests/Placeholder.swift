// Replaced by the first test of Mutation.
