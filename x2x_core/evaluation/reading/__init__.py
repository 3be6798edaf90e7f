"""Blinded reading of edits: what readers see, one picture at a time, who did not see the request.

- `plan`: which films, requests and seeds;
- `pictures`: the edits and drawn lesions, resumable;
- `sheet`: the pictures under neutral names in shuffled order with lists to fill in, and the answer key apart;
- `answers`, `grading`: filled lists and the key give a table with Wilson's intervals.
"""
