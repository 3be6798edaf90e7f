"""Training of the lung finder's network."""
