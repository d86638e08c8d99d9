"""Work on many machines, by Ray: which nodes may have it, and what becomes of it when they go."""
