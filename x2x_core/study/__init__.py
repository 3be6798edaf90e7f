"""Reader studies: people read edited and unedited radiographs without knowing which is which.

- `definition`: the study as its readers get it;
- `design`: parts, questions and balanced orders of a study, from a folder of results or from a reading sheet;
- `page`: the page on which a reader works, which needs no network;
- `answers`: the file that a reader hands back;
- `serving`: the same page from a local server that stores the answers;
- `statistics`: figures of readers and cases, on arrays;
- `analysis`: answers and the key give tables with intervals.
"""
