"""The instruction language: what is asked of an edit."""
