"""Published figures of multireader studies, and figures of other programs for the ratings in tests/fixtures.

The ratings of the published study are not distributed here. `VAN_DYKE` holds what Smith, Hillis and Pesce print for
them in the user guide of MRMCaov 0.3.0 (empirical AUC; 5 readers, 2 methods, 69 cases without and 45 with the disease),
`POWER` what the tests of RJafroc expect. The figures for `RATINGS` were computed by iMRMC 2.1.2 and MRMCaov 0.3.0 in R
4.2.2.
"""

from pathlib import Path

RATINGS = Path(__file__).parent / "fixtures" / "study" / "ratings.csv"  # made by a random generator

VAN_DYKE = {
    # AUC by method and reader, from the rating tables of the study
    "values": [
        [0.91964573, 0.85877617, 0.90386473, 0.97310789, 0.82979066],
        [0.94782609, 0.90531401, 0.92173913, 0.99935588, 0.92995169],
    ],
    # components of the covariances: error, cov1, cov2, cov3; and Cov2 of each method
    "jackknife": (0.0008022883, 0.0003466137, 0.0003440748, 0.0002390284),
    "DeLong": (0.0007921325, 0.0003420090, 0.0003395265, 0.0002358497),
    "DeLong by method": (0.0004775239, 0.0002015292),
    "interaction": 0.0002045840,
    "reader": 0.0015364254,
    "f": 4.484854,
    "freedom": (1, 15.06611),
    "p": 0.05123303,
    "difference": (-0.04380032, 0.0206825, -0.0878671960, 0.0002665519, -2.117747),
    "means": ((0.8970370, 0.03307642, 12.59597, 0.8253461, 0.9687280),
              (0.9408374, 0.02150464, 12.56530, 0.8942155, 0.9874592)),
    "fixed readers": (5.475953, 1, 0.01927984),
}  # fmt: skip
POWER = {"readers": 10, "cases": 165, "difference": -0.043800322, "power": 0.80541995}

IMRMC = {
    "auc": (0.831380208333, 0.898763020833),
    "variance": (0.001985560369568, 0.001061375628731),
    "freedom": (9.06803250523, 10.39813136570),
    "difference": -0.0673828125,
    "variance of difference": 0.00155760324328,
    "freedom of difference": 3.46422340112,
}

# By covariance: F, its second degrees of freedom and p; reader, interaction, error, cov1, cov2, cov3.
MRMCAOV = {
    "jackknife": (2.894679915, 3.781301204, 0.1682122007),
    "DeLong": (2.911228906, 3.738433492, 0.1681433828),
    "unbiased": (2.915019239, 3.728717813, 0.1681293437),
}
MRMCAOV_COMPONENTS = {
    "DeLong": (0.0001889575379, 0.000763667788, 0.0028790963829, 0.0007672492625, 0.0007596894867, 0.0006784403254),
    "unbiased": (0.0001874496779, 0.0008216649054, 0.0028183775823, 0.0007655415558, 0.0007554599436, 0.0006752247588),
}
MRMCAOV_MEANS = {
    "A": (0.8313802083, 0.04488649128, 11.32089631),
    "B": (0.8987630208, 0.0329284521, 14.17359292),
}  # jackknife
