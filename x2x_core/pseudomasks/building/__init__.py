"""Building pseudomask atlases from bounding boxes, and scoring them."""
