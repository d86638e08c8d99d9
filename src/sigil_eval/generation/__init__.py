"""From a problem to samples: prompts, model loading, seeded sampling, and a resumable journal."""
