"""Writing results back into an archive: DICOM objects with their provenance, and the check of what was written."""
