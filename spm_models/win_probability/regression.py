"""Ridge logistic regression with a Laplace posterior, and Platt calibration on later data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spm_models.errors import ModelError

Floats = npt.NDArray[np.float64]

#: Prior variance of a standardised coefficient, from strongest shrinking to weakest.
PRIOR_VARIANCES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
Z80 = 1.2815515655446004  # half of an 80 % interval in standard deviations
FLAT = 1e-4  # prior precision of the intercept: next to nothing, and finite when all are won
STEPS = 60
PLATT_SPREAD = (0.5, 0.3)  # how far shift and slope may lie from 0 and 1 before data speak


@dataclass
class Ridge:
    """Coefficients and their covariance; column 0 of the covariance belongs to the intercept.

    Notes
    -----
    Laplace's approximation: the posterior is normal with the inverse Hessian as covariance (MacKay, Neural
    Computation 4, 1992).
    """

    intercept: float
    coefficients: Floats
    covariance: Floats

    @classmethod
    def fit(
        cls, x: Floats, won: npt.NDArray[np.bool_], weight: Floats, variance: float, start: Ridge | None = None
    ) -> Ridge:
        """Maximum a posteriori fit with coefficients ~ N(0, ``variance``) and a free intercept.

        Newton's method with halved steps; ``start`` saves steps when a neighbouring strength has been fitted.

        Raises
        ------
        ModelError
            When it does not converge.
        """
        design = np.column_stack([np.ones(len(x)), x])
        prior = np.full(design.shape[1], 1 / variance)
        prior[0] = FLAT
        beta = np.zeros(design.shape[1]) if start is None else np.array([start.intercept, *start.coefficients])
        loss = _loss(design, won, weight, prior, beta)
        for _ in range(STEPS):
            p = sigmoid(design @ beta)
            gradient = design.T @ (weight * (p - won)) + prior * beta
            hessian = (design * (weight * p * (1 - p))[:, None]).T @ design
            hessian[np.diag_indices_from(hessian)] += prior
            step = np.linalg.solve(hessian, gradient)
            if gradient @ step < 1e-8:
                inverse = np.asarray(np.linalg.inv(hessian), dtype=np.float64)
                return cls(float(beta[0]), beta[1:], inverse)
            size, fresh = 1.0, _loss(design, won, weight, prior, beta - step)
            while fresh > loss and size > 1e-4:
                size /= 2
                fresh = _loss(design, won, weight, prior, beta - size * step)
            beta, loss = beta - size * step, fresh
        raise ModelError("The regression did not converge", found=f"{STEPS} steps, {x.shape} numbers")

    def log_odds(self, x: Floats) -> Floats:
        """Linear predictor, shape (rows,)."""
        return np.asarray(self.intercept + x @ self.coefficients)

    def variance(self, x: Floats) -> Floats:
        """Posterior variance of the linear predictor, shape (rows,)."""
        design = np.column_stack([np.ones(len(x)), x])
        return np.asarray(((design @ self.covariance) * design).sum(axis=1))


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


def _loss(design: Floats, won: npt.NDArray[np.bool_], weight: Floats, prior: Floats, beta: Floats) -> float:
    """Negative log posterior, up to a constant."""
    odds = design @ beta
    return float(weight @ (np.logaddexp(0, odds) - won * odds) + 0.5 * prior @ np.square(beta))


def sigmoid(x: Floats) -> Floats:
    """Probability from log-odds."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * np.asarray(x))))
