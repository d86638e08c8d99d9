"""From samples to result rows, and the proof that the judge can be trusted with them."""
