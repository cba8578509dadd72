"""How sure a score is: logistic regression averaged over how strongly it might be shrunk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spm_models.errors import ModelError

Floats = npt.NDArray[np.float64]

#: Prior variances of a standardised coefficient that are averaged over.
VARIANCES = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
BLOCK_VARIANCE = 0.25  # of the levels of stretches of time, in squared log-odds
INTERCEPT_PRECISION = 1e-2  # next to nothing, and finite where all were won
MOST_ROWS = 8_000  # more tell little new
STEPS = 60
LARGEST_MOVE = 4.0  # of the log-odds in one step


@dataclass(frozen=True)
class Posterior:
    """Mean and covariance of intercept (place 0) and coefficients, averaged over the strength of shrinking.

    Parameters
    ----------
    mean : ndarray, shape (1 + columns,)
    covariance : ndarray, shape (1 + columns, 1 + columns)

    Notes
    -----
    One ridge logistic regression per prior variance, each with Laplace's normal approximation (MacKay, Neural
    Computation 4, 1992), weighted by its marginal likelihood (Bayesian model averaging; Hoeting et al., Statistical
    Science 14, 1999). The mixture's first two moments are kept. An interval around the single best strength is too
    narrow on few deals: it takes "no difference was seen" for "there is no difference".

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = rng.normal(size=(400, 1))
    >>> won = rng.random(400) < 1 / (1 + np.exp(-x[:, 0]))
    >>> posterior = Posterior.fit(x, won, np.ones(400))
    >>> (posterior.log_odds(x[:3]).shape, bool(abs(posterior.mean[1] - 1) < 3 * posterior.covariance[1, 1] ** 0.5))
    ((3,), True)
    """

    mean: Floats
    covariance: Floats

    @classmethod
    def fit(
        cls,
        x: Floats,
        won: npt.ArrayLike,
        weight: Floats,
        *,
        block: npt.NDArray[np.int64] | None = None,
        variances: tuple[float, ...] = VARIANCES,
    ) -> Posterior:
        """Learn from standardised columns.

        Parameters
        ----------
        x : ndarray, shape (rows, columns)
        won : array-like of bool, shape (rows,)
        weight : ndarray, shape (rows,)
            Their sum is the number of deals that the rows are worth.
        block : ndarray of int, shape (rows,), optional
            Stretch of time in which a row was seen. Each has a level of its own, a normal random effect: a column that
            changes with the calendar only is then as good as the number of stretches, not the number of rows, shows.
            Predictions are for a stretch of the mean level.
        variances : tuple of float
            Prior variances to average over, in rising order.

        Raises
        ------
        ModelError
            When a regression does not converge.
        """
        y = np.asarray(won, dtype=float)
        if len(x) > MOST_ROWS:
            kept = np.linspace(0, len(x) - 1, MOST_ROWS).astype(int)
            scale = weight.sum() / weight[kept].sum()
            x, y, weight = x[kept], y[kept], weight[kept] * scale
            block = None if block is None else block[kept]
        columns = 1 + x.shape[1]
        design = _design(x) if block is None else np.column_stack([_design(x), np.eye(int(block.max()) + 1)[block]])
        means, covariances, evidence = [], [], []
        beta = np.zeros(design.shape[1])
        for variance in variances:
            precision = np.full(design.shape[1], 1 / variance)
            precision[0] = INTERCEPT_PRECISION
            precision[columns:] = 1 / BLOCK_VARIANCE
            beta, covariance, likelihood = _laplace(design, y, weight, precision, beta)
            means.append(beta[:columns])
            covariances.append(covariance[:columns, :columns])
            evidence.append(likelihood)
        share = np.exp(np.array(evidence) - max(evidence))
        share /= share.sum()
        stacked = np.array(means)
        mean = share @ stacked
        off = stacked - mean
        return cls(mean, np.einsum("v,vij->ij", share, np.array(covariances)) + (off * share[:, None]).T @ off)

    def log_odds(self, x: Floats) -> Floats:
        """Mean of the linear predictor, shape (rows,)."""
        return np.asarray(self.mean[0] + x @ self.mean[1:])

    def variance(self, x: Floats) -> Floats:
        """Variance of the linear predictor, shape (rows,)."""
        root = np.linalg.cholesky(self.covariance + 1e-12 * np.eye(len(self.covariance)))
        return np.asarray(np.square(root[0] + x @ root[1:]).sum(axis=1))


def _laplace(
    design: Floats, y: Floats, weight: Floats, precision: Floats, start: Floats
) -> tuple[Floats, Floats, float]:
    """Most probable coefficients, inverse Hessian there, and log marginal likelihood."""
    beta, loss = start, _loss(design, y, weight, precision, start)
    for _ in range(STEPS):
        p = _sigmoid(design @ beta)
        gradient = design.T @ (weight * (p - y)) + precision * beta
        hessian = (design * (weight * p * (1 - p))[:, None]).T @ design
        hessian[np.diag_indices_from(hessian)] += precision
        step = np.linalg.solve(hessian, gradient)
        if gradient @ step < 1e-8:
            _, log_determinant = np.linalg.slogdet(hessian)
            evidence = 0.5 * (np.log(precision).sum() - log_determinant) - loss
            return beta, np.asarray(np.linalg.inv(hessian)), float(evidence)
        size = min(1.0, LARGEST_MOVE / max(float(np.abs(design @ step).max()), 1e-12))
        fresh = _loss(design, y, weight, precision, beta - size * step)
        while fresh > loss and size > 1e-6:
            size /= 2
            fresh = _loss(design, y, weight, precision, beta - size * step)
        beta, loss = beta - size * step, fresh
    raise ModelError("The regression did not converge", found=f"{STEPS} steps, {design.shape} numbers")


def _loss(design: Floats, y: Floats, weight: Floats, precision: Floats, beta: Floats) -> float:
    log_odds = design @ beta
    misfit = weight @ (np.logaddexp(0.0, log_odds) - y * log_odds)
    return float(misfit + 0.5 * precision @ np.square(beta))


def _design(x: Floats) -> Floats:
    return np.column_stack([np.ones(len(x)), x])


def _sigmoid(log_odds: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * log_odds)))
