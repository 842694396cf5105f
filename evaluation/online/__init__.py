"""How search does, by what people do with it: measures, click models and queries, from the log."""
