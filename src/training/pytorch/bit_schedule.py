"""When bits are chosen, under which limit, and how far real weights are then pulled: as src/admm/relaxation.ts and
refreshing.ts. `prune` as in run_job.py."""

from __future__ import annotations

import math

# Steps of the pull are taken together.
PULL_EVERY = 5


def relaxed_steps(prune, steps):
    """Never all: at the step after them bits are chosen for the last time."""
    return min(steps - 1, math.ceil(prune['relax'] * steps))


def is_relaxed(prune, step, steps):
    """Whether the forward pass uses real weights."""
    return 'relax' in prune and step < relaxed_steps(prune, steps)


def refreshed_steps(steps):
    """Steps within which bits are chosen anew."""
    return 85 * steps // 100


def chooses_bits(prune, step, steps):
    """Whether bits are chosen before this step."""
    if 'refreshes' not in prune:
        last = relaxed_steps(prune, steps)
        return step == last or (step < last and step % prune['interval'] == 0)
    refreshes, last = prune['refreshes'], refreshed_steps(steps)
    return step == 0 or (step <= last and step * refreshes // last > (step - 1) * refreshes // last)


def bit_limit(prune, step, steps):
    """The limit of a choice: where a first one is given, it falls on a cubic curve over the first half of the relaxed steps."""
    limit = prune['bitLimit']
    if 'firstBitLimit' not in prune:
        return limit
    last = relaxed_steps(prune, steps)
    fall = max(0, 1 - 2 * step / last) ** 3 if step < last else 0
    return limit + math.floor(max(0, prune['firstBitLimit'] - limit) * fall + 0.5)


def pull_after(prune, step, steps):
    """How far real weights move to the codes after this step, those of several steps together; 0: not at all."""
    last = refreshed_steps(steps) if 'refreshes' in prune else relaxed_steps(prune, steps)
    if step >= last or step % PULL_EVERY != 0:
        return 0
    first, end = prune['pull']
    return 1 - (1 - first * (end / first) ** (step / last)) ** PULL_EVERY
