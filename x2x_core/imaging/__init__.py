"""Reading and writing radiographs, their geometry, and the provenance that they carry."""
