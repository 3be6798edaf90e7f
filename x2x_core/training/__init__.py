"""Training: the autoencoder, the editing model, the lung finder and the bundled scorers."""
