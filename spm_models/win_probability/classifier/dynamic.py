"""Logistic regression whose coefficients may wander: one structure, followed at several paces at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from spm_models.win_probability.classifier.drift import attenuation

Floats = npt.NDArray[np.float64]
NEWTON_STEPS, LARGEST_STEP = 6, 2.0
LEAST_INFORMATION = 1e-4  # p (1 - p) of a row, so that a step stays finite


@dataclass(eq=False)
class DynamicLogistic:
    """K filters with the same features and different paces.

    Parameters
    ----------
    name : str
    columns : ndarray of int, shape (d,)
        Which of the features (1, log-odds, design columns …) have a coefficient.
    offset : bool
        Whether the log-odds given are added with a fixed coefficient of 1.
    mean : ndarray, shape (K, d)
    covariance : ndarray, shape (K, d, d)
    pace : ndarray, shape (K, d)
        Variance that each coefficient gains with every label.

    Notes
    -----
    A random walk of the coefficients, the likelihood of each block of labels by Laplace's approximation around the
    block's posterior mode: the extended Kalman filter for binomial outcomes, iterated (M. West, P. J. Harrison and
    H. S. Migon, Dynamic generalized linear models and Bayesian forecasting, JASA 80, 1985; L. Fahrmeir, Posterior mode
    estimation by extended Kalman filtering, JASA 87, 1992). Predictions are drawn towards even by the variance that
    the coefficients have and gain until the labels arrive.
    """

    name: str
    columns: npt.NDArray[np.int64]
    offset: bool
    mean: Floats
    covariance: Floats
    pace: Floats

    @classmethod
    def start(
        cls, name: str, columns: npt.ArrayLike, mean: npt.ArrayLike, variance: npt.ArrayLike, pace: npt.ArrayLike,
        *, offset: bool = False,
    ) -> DynamicLogistic:  # fmt: skip
        """Independent normal coefficients before the first label; ``pace`` has one row a filter."""
        paces = np.atleast_2d(np.asarray(pace, dtype=float))
        k = len(paces)
        means = np.tile(np.asarray(mean, dtype=float), (k, 1))
        return cls(name, np.asarray(columns, dtype=np.int64), offset, means,
                   np.tile(np.diag(np.asarray(variance, dtype=float)), (k, 1, 1)), paces)  # fmt: skip

    def learn(self, features: Floats, y: Floats, weight: Floats) -> None:
        """Take in a block of labels; features have shape (n, all columns), column 1 holds the log-odds given."""
        F = features[:, self.columns]
        given = features[:, 1] if self.offset else 0.0
        diagonal = np.arange(F.shape[1])
        before = self.covariance.copy()
        before[:, diagonal, diagonal] += self.pace * weight.sum()
        precision = np.linalg.inv(before)
        theta = self.mean.copy()
        for _ in range(NEWTON_STEPS):
            p = special.expit(theta @ F.T + given)
            gradient = ((p - y) * weight) @ F + np.einsum("kde,ke->kd", precision, theta - self.mean)
            information = np.maximum(p * (1 - p), LEAST_INFORMATION) * weight
            hessian = precision + np.stack([(F * row[:, None]).T @ F for row in information])
            step = np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
            largest = np.abs(step).max(axis=1, keepdims=True)
            theta -= step * np.minimum(1, LARGEST_STEP / np.maximum(largest, 1e-12))
            if largest.max() < 1e-4:
                break
        self.mean = theta
        after = np.linalg.inv(hessian)
        self.covariance = (after + after.transpose(0, 2, 1)) / 2

    def coefficients(self, moments: Floats, ahead: float) -> Floats:
        """What each filter says as coefficients of all features, shape (K, all columns).

        Parameters
        ----------
        moments : ndarray, shape (all columns, all columns)
            Mean outer product of recent rows' features: one attenuation for all rows keeps the sum additive.
        ahead : float
            Labels that will have come and gone unseen before those of the rows to be predicted.
        """
        typical = moments[np.ix_(self.columns, self.columns)]
        variance = np.einsum("kde,de->k", self.covariance, typical) + ahead * (self.pace @ np.diag(typical))
        full = np.zeros((len(self.pace), len(moments)))
        full[:, self.columns] = self.mean
        if self.offset:
            full[:, 1] += 1.0
        return np.asarray(full * attenuation(variance)[:, None])

    def variance(self, features: Floats, ahead: float) -> Floats:
        """Variance of each filter's log-odds, shape (K, n)."""
        F = features[:, self.columns]
        now = np.einsum("nd,kde,ne->kn", F, self.covariance, F, optimize=True)
        return np.asarray(now + ahead * (self.pace @ np.square(F).T))
