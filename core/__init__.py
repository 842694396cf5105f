"""Client factories and the vocabulary that the packages share."""
