"""What makes the next source an afternoon's work: everything here follows from a contract.toml."""
