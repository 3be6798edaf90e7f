"""Design of a study: what is read, which questions are asked, in which order, and the key that stays apart.

- `questions`: the questions of each task;
- `collection`: edits and unedited pictures of a folder of results;
- `parts`, `sheet_parts`: parts of a study from such a folder, or from a reading sheet;
- `orders`: balanced orders for each reader;
- `making`: writes the study and its key.
"""
