"""From results to what people read: metrics.json, Markdown, HTML, and the terminal summary."""
