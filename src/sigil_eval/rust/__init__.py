"""The Rust language, known once: its words, tokens, syntax, items, and what names in it mean."""
