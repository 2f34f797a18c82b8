"""PyTorch's and CrossSim's side of bench/compare-crossbar.mjs: the speed workload on one thread.

    python crossbar_rival.py REPEATS [CROSS_SIM]     CROSS_SIM: a checkout of sandialabs/cross-sim, if it is to be timed

PyTorch: bit planes as float32 products, a tile at a time, clipped and added (what a script of a research group does, blocked
so that it stays in the cache). CrossSim: AnalogCore with ideal devices, balanced columns, bit-sliced weights, one-bit input
slices and a 3-bit ADC. Prints one JSON object; every side's outputs are checked by their FNV-1a.
"""
import json
import sys
import time

import numpy as np

ROWS, COLUMNS, VECTORS, TILE, MOST = 1152, 128, 1024, 128, 7


def draws(seed, count):
    """The generator of the workload, by doubling: s_n = a_n s_0 + c_n mod 2^32."""
    out = np.empty(count, np.uint64)
    state = seed
    for i in range(count):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        out[i] = state
    return out


def workload():
    inputs = (draws(1, VECTORS * ROWS) >> np.uint64(24)).astype(np.int64).reshape(VECTORS, ROWS)
    s = draws(2, ROWS * COLUMNS).astype(np.int64)
    magnitude = (s >> 24) & 127
    codes = np.where(((s >> 15) & 255) < 51, np.where((s >> 23) & 1 == 1, -magnitude, magnitude), 0)
    return inputs, codes.reshape(ROWS, COLUMNS)


def fnv1a(outputs):
    value = 0x811C9DC5
    for byte in outputs.astype("<i4").tobytes():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return f"{value:08x}"


def median_of(run, repeats):
    outputs = run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        outputs = run()
        times.append(1e3 * (time.perf_counter() - start))
    return float(np.median(times)), fnv1a(np.rint(np.asarray(outputs)).astype(np.int64))


def pytorch(inputs, codes, repeats):
    import torch

    torch.set_num_threads(1)
    x = torch.from_numpy(inputs.astype(np.uint8))
    planes = []
    for tile in range(0, ROWS, TILE):
        block = codes[tile : tile + TILE]
        bits = [(np.abs(block) >> p & 1) * (np.sign(block) == sign) for sign in (1, -1) for p in range(7)]
        planes.append(torch.from_numpy(np.concatenate(bits, 1).astype(np.float32)))
    weight = torch.tensor([float(sign * 2**p) for sign in (1, -1) for p in range(7)])

    def run():
        y = torch.zeros(VECTORS, COLUMNS)
        for t, plane in enumerate(planes):
            block = x[:, t * TILE : (t + 1) * TILE]
            for bit in range(8):
                sums = ((block >> bit) & 1).float() @ plane
                counts = sums.clamp_(max=MOST).view(VECTORS, 14, COLUMNS)
                y += 2.0**bit * torch.einsum("mpn,p->mn", counts, weight)
        return y.numpy()

    milliseconds, check = median_of(run, repeats)
    return {"milliseconds": milliseconds, "fnv1a": check, "version": torch.__version__}


def cross_sim(inputs, codes, repeats, checkout):
    sys.path.insert(0, checkout)
    from simulator import AnalogCore, CrossSimParameters
    from simulator.parameters.core_parameters import CoreStyle, BitSlicedCoreStyle  # noqa: F401

    params = CrossSimParameters()
    core = params.core
    core.style = CoreStyle.BITSLICED
    core.weight_bits = 8
    core.rows_max = TILE
    core.cols_max = COLUMNS
    core.bit_sliced.style = BitSlicedCoreStyle.BALANCED
    core.bit_sliced.num_slices = 7
    core.balanced.subtract_current_in_xbar = False
    core.complex_matrix = False
    core.mapping.weights.percentile = None
    core.mapping.weights.min, core.mapping.weights.max = -127, 127
    core.mapping.inputs.mvm.min, core.mapping.inputs.mvm.max = 0, 255
    params.xbar.device.cell_bits = 1
    params.xbar.device.Rmax = np.inf
    params.xbar.dac.mvm.bits = 8
    params.xbar.dac.mvm.input_bitslicing = True
    params.xbar.dac.mvm.slice_size = 1
    params.xbar.dac.mvm.model = "QuantizerDAC"
    params.xbar.dac.mvm.signed = False
    params.xbar.adc.mvm.model = "QuantizerADC"
    params.xbar.adc.mvm.bits = 3
    params.xbar.adc.mvm.signed = False
    params.xbar.adc.mvm.adc_per_ibit = True
    params.xbar.adc.mvm.adc_range_option = "CALIBRATED"
    params.xbar.adc.mvm.calibrated_range = np.tile([0.0, 7.0], (7, 1))
    array = AnalogCore(codes.T.astype(np.float64), params=params)
    x = np.ascontiguousarray(inputs.T.astype(np.float64))

    milliseconds, check = median_of(lambda: array.matmat(x).T, repeats)
    return {"milliseconds": milliseconds, "fnv1a": check}


def main():
    repeats = int(sys.argv[1])
    inputs, codes = workload()
    result = {}
    try:
        result["pytorch"] = pytorch(inputs, codes, repeats)
    except ImportError as error:
        result["pytorch"] = {"absent": str(error)}
    if len(sys.argv) > 2:
        result["crossSim"] = cross_sim(inputs, codes, repeats, sys.argv[2])
    print(json.dumps(result))


main()
