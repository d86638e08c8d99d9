"""From a model's raw text to a verdict: extract, judge by policy, compile, execute."""
