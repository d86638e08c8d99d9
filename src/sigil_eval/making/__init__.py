"""From crates to rows of training data: fetched, compiled, read, cleaned, written."""
