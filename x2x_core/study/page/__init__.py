"""The page on which a reader works: one HTML file beside the pictures, which needs no network."""
