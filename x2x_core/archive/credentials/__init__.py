"""Content credentials (C2PA) of pictures: signed statements of what made them, from what, written and checked."""
