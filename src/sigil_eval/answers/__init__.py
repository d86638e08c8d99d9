"""From a model's text to a program, and the policy. Nothing is compiled or run here."""
