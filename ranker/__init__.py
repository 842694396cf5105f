"""DiscoRank: PageRank over a graph in which every activity is a weighted edge."""
