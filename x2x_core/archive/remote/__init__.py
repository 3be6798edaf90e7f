"""Archives of other machines, by DICOMweb or DIMSE: find, fetch, and store results beside their originals."""
