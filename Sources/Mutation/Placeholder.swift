// Replaced by the first file of Mutation.
