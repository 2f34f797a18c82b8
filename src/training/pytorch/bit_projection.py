"""Projection of many weight columns on their bit limits at once, for training on a GPU.

A column holds the crossbar weights of one (row tile, output channel), in units of its scale. Each weight becomes a code
of at most `planes` bits of magnitude and the sign of the weight; in every bit plane and polarity at most `limit` codes
have a one. Prices of the planes (multipliers of the relaxed problem, Fisher 1981) steer each weight's nearest code;
what still breaks a limit afterwards is dropped at least regret, from the highest plane down, and places left over are
given to the weights that gain most. `src/projections` holds the certified projections; this one has no bound, but takes milliseconds for
millions of weights.
"""

from __future__ import annotations

import os

import torch

try:
    import triton
    import triton.language as tl
except ImportError:  # PyTorch without a GPU
    triton = None

# Bit planes of the magnitude of an 8-bit weight.
PLANES = 7
# First step of the prices, in units of the square of the plane's value, and its decay an iteration: reach any price
# that matters (a one is never worth more than about 3 units) and end in steps of a few percent.
FIRST_STEP = 0.4
DECAY = 0.88
COLD_ITERATIONS = 30
# From the prices of the last projection.
WARM_STEP = 0.08
WARM_ITERATIONS = 12


def project(columns, limit, prices=None, warm=False, planes=PLANES):
    """Masks of the bits that each weight may use.

    columns: float32 [P, H], H a power of two (rows that are missing are 0), weights in units of the scale
    limit: ones a bit column, from 1
    prices: float32 [P, 2, 8], changed in place: at first zeros; warm: those of an earlier call on nearly the same weights
    planes: bits of a magnitude, 1 to 7
    Returns uint8 [P, H]: bits 0 .. planes - 1 those a weight may use, bit 7 set where it is negative.
    """
    if prices is None:
        prices = torch.zeros(columns.shape[0], 2, 8, device=columns.device)
    step, iterations = (WARM_STEP, WARM_ITERATIONS) if warm else (FIRST_STEP, COLD_ITERATIONS)
    columns = columns.contiguous().float()
    if columns.is_cuda or os.environ.get('TRITON_INTERPRET') == '1':
        masks = torch.empty(columns.shape, dtype=torch.uint8, device=columns.device)
        count, height = columns.shape
        _project[(count,)](
            columns, prices, masks, limit, step, DECAY, iterations, HEIGHT=height, PLANES=planes, num_warps=8)
        return masks
    return torch.cat([
        _project_plainly(part, limit, own, step, iterations, planes)
        for part, own in zip(columns.split(2048), prices.split(2048))
    ])


def _project_plainly(columns, limit, prices, step, iterations, planes):
    """What the kernel below does, in PyTorch: for machines without a GPU."""
    codes = torch.arange(1 << planes, device=columns.device)
    place = torch.arange(8, device=columns.device)
    bits = ((codes[:, None] >> place) & 1).float()
    unit = 4.0 ** place
    negative = columns < 0
    polarity = torch.stack([~negative, negative], 1)
    distance = (columns.abs()[:, :, None] - codes) ** 2

    def priced():
        price = prices @ bits.T
        return distance + torch.where(negative[:, :, None], price[:, 1, None], price[:, 0, None])

    def ones(code):
        own = ((code[:, :, None] >> place) & 1).float()
        return polarity.float() @ own

    for _ in range(iterations):
        code = priced().argmin(2)
        move = ((ones(code) - limit) / limit).clamp(-1, 1)
        prices.copy_((prices + step * unit * move).clamp(min=0))
        step *= DECAY
    cost = priced()
    allowed = torch.full_like(code, len(codes) - 1)

    def best(cost, allowed):
        return torch.where((codes & ~allowed[:, :, None]) == 0, cost, torch.inf).min(2)

    def rank(score, group):
        """Place of each score among those of its polarity, highest first."""
        ahead = (score[:, None, :] > score[:, :, None]) | (
            (score[:, None, :] == score[:, :, None])
            & (torch.arange(score.shape[1])[None, None, :] < torch.arange(score.shape[1])[None, :, None])
        )
        return (ahead & (group[:, None, :] == group[:, :, None])).sum(2)

    current, code = best(cost, allowed)
    for plane in reversed(range(planes)):
        has = (code >> plane) & 1 == 1
        without, _ = best(cost, allowed & ~(1 << plane))
        regret = torch.where(has, without - current, -1.0)
        keeps = has & (rank(regret, negative) < limit)
        allowed = torch.where(keeps, allowed, allowed & ~(1 << plane))
        current, code = best(cost, allowed)
    for plane in reversed(range(planes)):
        now, _ = best(distance, allowed)
        has = (allowed >> plane) & 1 == 1
        then, _ = best(distance, allowed | (1 << plane))
        gain = torch.where(has, -1.0, now - then)
        free = limit - (polarity.float() @ has.float()[:, :, None])[:, :, 0]
        own = torch.where(negative, free[:, 1, None], free[:, 0, None])
        takes = (gain > 0) & (rank(gain, negative) < own)
        allowed = torch.where(takes, allowed | (1 << plane), allowed)
    return (allowed | (negative.long() << 7)).to(torch.uint8)


if triton is not None:

    @triton.jit
    def _best(cost, codes, allowed):
        """Least cost [HEIGHT] among the codes that use allowed bits only."""
        return tl.min(tl.where((codes[None, :] & ~allowed[:, None]) == 0, cost, float('inf')), 1)

    @triton.jit
    def _best_code(cost, codes, allowed):
        return tl.argmin(tl.where((codes[None, :] & ~allowed[:, None]) == 0, cost, float('inf')), 1).to(tl.int32)

    @triton.jit
    def _rank(score, sign, rows):
        """Place of each score among those of its polarity, highest first."""
        ahead = (score[None, :] > score[:, None]) | ((score[None, :] == score[:, None]) & (rows[None, :] < rows[:, None]))
        return tl.sum((ahead & (sign[None, :] == sign[:, None])).to(tl.int32), 1)

    @triton.jit
    def _project(columns, prices, masks, limit, step, decay, iterations,
                 HEIGHT: tl.constexpr, PLANES: tl.constexpr):
        column = tl.program_id(0)
        rows = tl.arange(0, HEIGHT)
        codes = tl.arange(0, 1 << PLANES)
        planes = tl.arange(0, 8)
        bits = ((codes[None, :] >> planes[:, None]) & 1).to(tl.float32)
        unit = tl.exp2(2.0 * planes.to(tl.float32))
        weights = tl.load(columns + column * HEIGHT + rows)
        sign = (weights < 0).to(tl.int32)
        magnitude = tl.abs(weights)
        positive = (1 - sign).to(tl.float32)
        negative = sign.to(tl.float32)
        levels = codes.to(tl.float32)
        above = tl.load(prices + column * 16 + planes)
        below = tl.load(prices + column * 16 + 8 + planes)
        limits = limit * 1.0
        size = step
        for _ in range(iterations):
            up = tl.sum(above[:, None] * bits, 0)
            down = tl.sum(below[:, None] * bits, 0)
            off = magnitude[:, None] - levels[None, :]
            cost = off * off + tl.where(sign[:, None] == 1, down[None, :], up[None, :])
            code = tl.argmin(cost, 1).to(tl.int32)
            own = ((code[None, :] >> planes[:, None]) & 1).to(tl.float32)
            over_up = (tl.sum(own * positive[None, :], 1) - limits) / limits
            over_down = (tl.sum(own * negative[None, :], 1) - limits) / limits
            above = tl.maximum(above + size * unit * tl.minimum(tl.maximum(over_up, -1.0), 1.0), 0.0)
            below = tl.maximum(below + size * unit * tl.minimum(tl.maximum(over_down, -1.0), 1.0), 0.0)
            size = size * decay
        tl.store(prices + column * 16 + planes, above)
        tl.store(prices + column * 16 + 8 + planes, below)
        up = tl.sum(above[:, None] * bits, 0)
        down = tl.sum(below[:, None] * bits, 0)
        off = magnitude[:, None] - levels[None, :]
        distance = off * off
        cost = distance + tl.where(sign[:, None] == 1, down[None, :], up[None, :])
        allowed = tl.zeros([HEIGHT], tl.int32) + ((1 << PLANES) - 1)
        code = _best_code(cost, codes, allowed)
        current = _best(cost, codes, allowed)
        for step_down in range(PLANES):
            bit = 1 << (PLANES - 1 - step_down)
            has = (code & bit) != 0
            without = _best(cost, codes, allowed & ~bit)
            regret = tl.where(has, without - current, -1.0)
            keeps = has & (_rank(regret, sign, rows) < limit)
            allowed = tl.where(keeps, allowed, allowed & ~bit)
            code = _best_code(cost, codes, allowed)
            current = _best(cost, codes, allowed)
        for step_down in range(PLANES):
            bit = 1 << (PLANES - 1 - step_down)
            now = _best(distance, codes, allowed)
            has = (allowed & bit) != 0
            then = _best(distance, codes, allowed | bit)
            gain = tl.where(has, -1.0, now - then)
            own = has.to(tl.int32)
            free_up = limit - tl.sum(own * (1 - sign), 0)
            free_down = limit - tl.sum(own * sign, 0)
            free = tl.where(sign == 1, free_down, free_up)
            takes = (gain > 0) & (_rank(gain, sign, rows) < free)
            allowed = tl.where(takes, allowed | bit, allowed)
        tl.store(masks + column * HEIGHT + rows, (allowed | (sign << 7)).to(tl.uint8))


def nearest_table(device, planes=PLANES):
    """uint8 [2^planes masks * 256]: the nearest code to a magnitude that uses the mask's bits only.

    Codes change over half way between two of them, at multiples of a half: an entry serves all magnitudes between two of
    these, and is found for the middle.
    """
    codes = torch.arange(1 << planes)
    magnitudes = (torch.arange(2 * len(codes)) + 0.5) / 2
    distance = (magnitudes[:, None] - codes).abs()
    table = torch.stack([torch.where((codes & ~mask) == 0, distance, torch.inf).argmin(1) for mask in codes])
    return table.to(torch.uint8).to(device).flatten()


def nearest_codes(weights, masks, table):
    """Signed codes (float32) nearest to weights, in units of the scale, among those that the masks allow."""
    # 2^(2 planes + 1) entries.
    halves = 1 << (len(table).bit_length() // 2)
    index = (weights.abs() * 2).floor().clamp(max=halves - 1).int()
    code = table[(masks & 127).int() * halves + index].float()
    negative = weights < 0
    return torch.where(negative == (masks > 127), torch.where(negative, -code, code), 0.0)
