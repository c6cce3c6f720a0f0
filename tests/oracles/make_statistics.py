"""Writes tests/testdata/statistics.json: SciPy's and statsmodels' results as reference for the tests.

    pip install scipy statsmodels
    python tests/oracles/make_statistics.py
"""

import json
from pathlib import Path

import numpy as np
import scipy
import statsmodels
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import ttost_ind

OUT = Path(__file__).resolve().parent.parent / "testdata" / "statistics.json"
MARGIN = 0.005
DEGREES = [1, 1.5, 2, 3.7, 9, 13.7, 30, 499, 9999]


def sample(rng: np.random.Generator, size: int, mean: float, deviation: float) -> list[float]:
    return [round(float(value), 4) for value in rng.normal(mean, deviation, size)]


def compare(one: list[float], other: list[float]) -> dict:
    """Welch's test, its interval, and the equivalence test with the same degrees of freedom."""
    test = stats.ttest_ind(one, other, equal_var=False)
    interval = test.confidence_interval(0.95)
    equivalence = ttost_ind(one, other, -MARGIN, MARGIN, usevar="unequal")[0]
    pair = {} if len(one) != len(other) else {"correlation": stats.pearsonr(one, other).statistic}
    return {
        "one": one,
        "other": other,
        "p": test.pvalue,
        "interval": [interval.low, interval.high],
        "equivalenceP": equivalence,
        **pair,
    }


def main() -> None:
    rng = np.random.default_rng(0)
    # like the comparison's: a clear difference, one near 0, few seeds, unequal numbers and spreads
    samples = [
        compare(sample(rng, 10, 0.803, 0.004), sample(rng, 10, 0.748, 0.003)),
        compare(sample(rng, 10, 0.803, 0.004), sample(rng, 10, 0.804, 0.002)),
        compare(sample(rng, 10, 0.803, 0.001), sample(rng, 10, 0.803, 0.001)),
        compare(sample(rng, 2, 0.803, 0.004), sample(rng, 2, 0.803, 0.004)),
        compare(sample(rng, 3, 0.6, 0.02), sample(rng, 8, 0.58, 0.001)),
    ]
    p = [0.001, 0.04, 0.03, 0.005, 0.03, 0.9]
    result = {
        "madeBy": "tests/oracles/make_statistics.py",
        "scipy": scipy.__version__,
        "statsmodels": statsmodels.__version__,
        "margin": MARGIN,
        "student": [
            {
                "degrees": degrees,
                "quantile": stats.t.isf(0.025, degrees),
                "tails": {str(t): stats.t.sf(t, degrees) for t in [-1, 0, 0.5, 3, 20]},
            }
            for degrees in DEGREES
        ],
        "samples": samples,
        "holm": {"p": p, "adjusted": list(multipletests(p, method="holm")[1])},
    }
    OUT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
