"""The Rust language: tokens, syntax, and the names in a source. Knows nothing of judging."""
