"""Platt calibration on later deals, and what turns log-odds into probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

Z80 = 1.2815515655446004  # half of an 80 % interval in standard deviations
PLATT_SPREAD = (0.5, 0.3)  # how far shift and slope may lie from 0 and 1 before data speak


@dataclass
class Platt:
    """Calibrated log-odds = ``shift`` + ``slope`` × log-odds.

    Learned on log-odds given to deals before their outcome was known, with normal priors around 0 and 1, so that few
    deals change little. A line keeps reasons additive; isotonic regression would not, and needs more than a thousand
    outcomes to be worth it (Platt 1999; Niculescu-Mizil and Caruana, ICML 2005).
    """

    shift: float = 0.0
    slope: float = 1.0
    covariance: tuple[tuple[float, float], tuple[float, float]] = ((0.0, 0.0), (0.0, 0.0))

    @classmethod
    def fit(cls, log_odds: Floats, won: npt.NDArray[np.bool_], weight: Floats) -> Platt:
        """Newton's method; a dozen steps are plenty for two parameters."""
        design = np.column_stack([np.ones(len(log_odds)), log_odds])
        prior = np.diag(1 / np.square(PLATT_SPREAD))
        start = beta = np.array([0.0, 1.0])
        hessian = prior
        for _ in range(25):
            p = sigmoid(design @ beta)
            gradient = design.T @ (weight * (p - won)) + prior @ (beta - start)
            hessian = (design * (weight * p * (1 - p))[:, None]).T @ design + prior
            step = np.linalg.solve(hessian, gradient)
            beta = beta - step
            if np.abs(step).max() < 1e-10:
                break
        inverse = np.linalg.inv(hessian)
        rows = ((float(inverse[0, 0]), float(inverse[0, 1])), (float(inverse[1, 0]), float(inverse[1, 1])))
        return cls(float(beta[0]), max(float(beta[1]), 0.0), rows)

    def log_odds(self, raw: Floats) -> Floats:
        """Calibrated log-odds."""
        return np.asarray(self.shift + self.slope * raw)

    def variance(self, raw: Floats, raw_variance: Floats) -> Floats:
        """Variance of the calibrated log-odds, from the model and from the calibration itself."""
        (a, ab), (_, b) = self.covariance
        return np.asarray(self.slope**2 * raw_variance + a + 2 * ab * raw + b * raw**2)


def sigmoid(x: Floats) -> Floats:
    """Probability from log-odds."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * np.asarray(x))))
