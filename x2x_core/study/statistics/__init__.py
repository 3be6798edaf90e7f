"""Statistics of readers and cases, on arrays.

- `ratings`: what readers answered, and a table of it in CSV;
- `figures`: AUC and accuracy of each reader, with their covariances (jackknife, DeLong, unbiased);
- `obuchowski_rockette`: comparison of methods, readers and cases random;
- `one_shot`: Gallas' estimate of the variance of the readers' mean AUC;
- `agreement`, `paired`, `equivalence`, `power`: kappa, McNemar, two one-sided tests, planning.
"""
