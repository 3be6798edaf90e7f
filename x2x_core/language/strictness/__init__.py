"""Strict reading: words that were not understood, but could change where or what is edited, stop the edit.

To leave out "in the azygos lobe" would edit both lungs, and to leave out "refrain from" would do what is forbidden.
Unknown words that only describe ("a spiculated nodule") are left out with a warning. Findings and places that no
request claims stop the edit as well.

- `turning`: words that could turn a request round.
- `places`: sides, zones and levels that are not understood or contradict each other.
- `requests`: verbs without findings, findings without verbs, open choices.
"""
