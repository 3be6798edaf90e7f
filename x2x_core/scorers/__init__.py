"""Networks that read a radiograph: finding scorers, feature extractors, segmenters."""
