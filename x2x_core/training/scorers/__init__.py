"""Training of the bundled scorers: findings and attributes of simulated radiographs, each with its own network."""
