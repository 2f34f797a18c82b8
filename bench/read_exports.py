"""The other side of bench/check-exports.mjs: exported files in the hands of the tools that they are for.

    python read_exports.py FOLDER TIMELOOP_PYTHON ACCELERGY CIMLOOP CROSS_SIM     (checkouts; '' leaves a reader out)

Prints a line a reader; what is refused or differs ends with an error.
"""
import glob
import json
import math
import os
import sys
import types

import numpy as np

folder, timeloop_python, accelergy, cimloop, cross_sim = sys.argv[1:6]
with open(os.path.join(folder, "expected.json")) as file:
    expected = json.load(file)


def binary(name, dtype, shape):
    return np.fromfile(os.path.join(folder, name), dtype).reshape(shape)


def codes(i, layer):
    return binary(f"{i}.codes.bin", np.int8, (layer["rows"], layer["columns"]))


def read_onnx():
    import onnx
    import onnxruntime

    path = os.path.join(folder, "onnx", "network.onnx")
    onnx.checker.check_model(onnx.load(path), full_check=True)
    pictures = binary("pictures.bin", np.uint8, expected["pictures"]).transpose(0, 3, 1, 2)
    ours = binary("logits.bin", np.float32, (len(pictures), -1))
    session = onnxruntime.InferenceSession(path)
    theirs = session.run(["logits"], {"picture": np.ascontiguousarray(pictures)})[0]
    same = int((ours.argmax(1) == theirs.argmax(1)).sum())
    apart = float(np.abs(ours - theirs).max() / np.abs(ours).max())
    print(f"onnxruntime {onnxruntime.__version__}: {same} of {len(ours)} classes agree, logits differ by {apart:.2%} of the largest")
    # A tie rounded the other way moves an activation by one code.
    assert same >= 0.97 * len(ours) and apart < 0.05


def read_timeloop():
    # The front end is Python alone; the package around it would ask for compiled bindings.
    package = types.ModuleType("pytimeloop")
    package.__path__ = [os.path.join(timeloop_python, "pytimeloop")]
    sys.modules["pytimeloop"] = package
    sys.path[:0] = [accelergy, os.path.join(cimloop, "workspace", "scripts")]
    import pytimeloop.timeloopfe.v4 as tl
    import yaml
    from processors import ArrayProcessor
    from pytimeloop.timeloopfe.v4.art import Art
    from pytimeloop.timeloopfe.v4.ert import Ert

    components = os.path.join(folder, "timeloop", "components")
    for key, reader in (("ERT", Ert), ("ART", Art)):
        with open(os.path.join(components, f"{key}.yaml")) as file:
            table = reader(**yaml.safe_load(file)[key])
        table.check_unrecognized()
        print(f"timeloopfe {key}: {len(table.tables)} components")

    top = os.path.join(cimloop, "workspace", "models", "top.yaml.jinja2")
    problems = sorted(glob.glob(os.path.join(folder, "timeloop", "problems", "*.yaml")))
    assert len(problems) == len(expected["layers"])
    for i, (path, layer) in enumerate(zip(problems, expected["layers"])):
        macro = {"macro": "basic_analog", "iso": "basic_analog", "system": "ws_dummy_buffer_one_macro"}
        spec = tl.Specification.from_yaml_files(
            top, processors=[ArrayProcessor], jinja_parse_data={**macro, "layer": os.path.abspath(path)}
        )._process()
        spec.problem.check_unrecognized()
        size = spec.problem.instance
        assert math.prod(size[key] for key in "NGCMPQRS") == layer["macs"], (layer, dict(size))
        assert [size[key] for key in "XYZ"] == [8, 8, 8]
        # The macro stores weights with an offset: the top bit is 1 of those above zero.
        own = codes(i, layer)
        top_bit = spec.variables["WEIGHT_BIT_DISTRIBUTION"][0]
        share = np.mean(own > 0)
        assert abs(top_bit - share) < 0.01, (layer["name"], top_bit, share)
    print(f"CiMLoop: {len(problems)} workloads, their products and weights as ours")


def read_cross_sim():
    sys.path[:0] = [cross_sim, os.path.join(folder, "crosssim")]
    from crosssim_layer import crosssim_layer

    random = np.random.default_rng(1)
    for i, layer in enumerate(expected["layers"]):
        core = crosssim_layer(layer["name"])
        inputs = random.integers(0, 256, (layer["rows"], 4))
        width = core.shape[1]
        padded = np.zeros((width, 4))
        padded[: layer["rows"]] = inputs
        products = np.rint(core.matmat(padded)).astype(np.int64)
        assert (products == codes(i, layer).astype(np.int64).T @ inputs).all(), layer["name"]
    print(f"CrossSim: exact integer products in {len(expected['layers'])} layers")


read_onnx()
if timeloop_python and accelergy and cimloop:
    read_timeloop()
if cross_sim:
    read_cross_sim()
