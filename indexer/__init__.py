"""The indexer: event → coalesce → hydrate → write, and the proof that nothing slipped past."""
