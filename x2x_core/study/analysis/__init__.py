"""Analysis of a study: answers and the key give tables with intervals, and a record.

- `readings`: answers joined with what the key says, sides as they were before pictures changed sides;
- `quality`: completeness, attention checks, repeated cases, time;
- `realism`, `findings`, `preference`: a section for each task;
- `sheet`: a reading sheet, graded as `x2x evaluate reading` does;
- `comparison`: the comparison of methods by several readers, of a study or of any table of ratings;
- `run`: all of it.
"""
