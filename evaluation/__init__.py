"""How good is a ranking? Runs are measured against judgments, as trec_eval does it."""
