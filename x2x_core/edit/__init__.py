"""The stages of an edit, from the request to the composed image."""
