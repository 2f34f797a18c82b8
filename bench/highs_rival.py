"""HiGHS' side of `bench/compare-highs.mjs`: the projection of a column as a mixed-integer program, by scipy.optimize.milp.

    python highs_rival.py SECONDS plain|reduced < columns.json > answers.json

A binary variable per (row, code), one equality a row, one inequality a bit column, one for the value limit. `plain` has all
codes; `reduced` leaves out those that a subset of their own bits reaches at no larger cost: the subset keeps every limit
that the code keeps, so an optimum without them exists. Without a value limit each polarity is a program of its own. Only the processor time of `milp`
is counted.
"""
import json
import sys
import time

import numpy as np
import scipy
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_matrix


def useful_codes(size, planes):
    """Codes that no subset of their bits beats or equals."""
    codes = np.arange(2**planes)
    error = np.abs(size - codes)
    nearest = error.copy()
    for plane in range(planes):
        has = codes >> plane & 1 == 1
        nearest[has] = np.minimum(nearest[has], nearest[codes[has] ^ (1 << plane)])
    smaller = np.full(codes.size, np.inf)
    for plane in range(planes):
        has = codes >> plane & 1 == 1
        smaller[has] = np.minimum(smaller[has], nearest[codes[has] ^ (1 << plane)])
    return codes[error < smaller]


def solve(targets, curvature, planes, bits, values, seconds, reduced):
    cost, rows, uses = [], [], []
    for row, (target, weight) in enumerate(zip(targets, curvature)):
        for code in useful_codes(abs(target), planes) if reduced else range(2**planes):
            at = len(cost)
            cost.append(weight * (abs(target) - code) ** 2)
            rows.append((row, at))
            side = 0 if target > 0 else planes
            uses += [(side + plane, at) for plane in range(planes) if code >> plane & 1]
            if values is not None and code > 0:
                uses.append((2 * planes, at))
    matrix = lambda at, height: coo_matrix(
        (np.ones(len(at)), tuple(np.array(at).reshape(-1, 2).T)), shape=(height, len(cost))
    ).tocsr()
    limits = np.array([bits] * (2 * planes) + [np.inf if values is None else values])
    constraints = [
        LinearConstraint(matrix(rows, len(targets)), 1, 1),
        LinearConstraint(matrix(uses, limits.size), -np.inf, limits),
    ]
    start = time.process_time()
    found = milp(
        np.array(cost),
        constraints=constraints,
        integrality=np.ones(len(cost)),
        bounds=Bounds(0, 1),
        options={'mip_rel_gap': 1e-9, 'time_limit': seconds},
    )
    spent = time.process_time() - start
    return {
        'milliseconds': 1e3 * spent,
        'finished': found.status == 0,
        'objective': None if found.x is None else float(found.fun),
        'bound': float(found.mip_dual_bound) if found.mip_dual_bound is not None else 0.0,
    }


def solve_column(column, seconds, reduced):
    targets = np.array(column['targets'])
    curvature = np.array(column['curvature'] or [1.0] * targets.size)
    common = (column['planes'], column['bitLimit'], column['valueLimit'], seconds, reduced)
    if column['valueLimit'] is not None:
        return solve(targets, curvature, *common)
    parts = [solve(targets[side], curvature[side], *common) for side in (targets > 0, targets <= 0)]
    found = all(part['objective'] is not None for part in parts)
    return {
        'milliseconds': sum(part['milliseconds'] for part in parts),
        'finished': all(part['finished'] for part in parts),
        'objective': sum(part['objective'] for part in parts) if found else None,
        'bound': sum(part['bound'] for part in parts),
    }


def main():
    seconds, form = sys.argv[1:]
    answers = [solve_column(column, float(seconds), form == 'reduced') for column in json.load(sys.stdin)]
    print(json.dumps({'scipy': scipy.__version__, 'answers': answers}))


main()
