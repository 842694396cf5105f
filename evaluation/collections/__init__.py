"""Collections: documents, queries and judgments that others made, to measure searches by."""
