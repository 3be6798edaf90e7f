"""Networks that read a radiograph: scorers of findings and attributes, feature extractors, segmenters."""
