"""The anatomy of the patient in the image: lungs, anatomical frame, sites of findings."""
