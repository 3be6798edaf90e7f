"""Reports and figures of a recorded run."""
