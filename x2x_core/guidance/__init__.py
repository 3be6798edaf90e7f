"""Relevance R, guidance map G and guidance mask M: where an instruction may change the image."""
