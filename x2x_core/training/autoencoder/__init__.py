"""Training of the autoencoder: crops of radiographs are reconstructed."""
