"""PyTorch's side of `bench/compare-pytorch.mjs`: the same network, parameters, pictures and step, timed on the CPU.

    python torch_rival.py NETWORK train|infer PARAMETERS.safetensors BATCH STEPS THREADS [channels_last] [bfloat16|int8]

bfloat16: autocast in training, the whole network in inference. int8 (inference): PyTorch's own static quantisation (FX, x86).

Prints one JSON line: median milliseconds a step and the check value (first loss, or mean square of the logits).
"""
import json
import statistics
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn


class Block(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(cout)
        self.stride = stride

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        if self.stride != 1:
            pad = x.shape[1] // 2
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, pad, pad))
        return F.relu(y + x)


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        widths, cin = [16, 32, 64], 16
        for i, w in enumerate(widths):
            blocks = []
            for b in range(3):
                blocks.append(Block(cin, w, 2 if i > 0 and b == 0 else 1))
                cin = w
            setattr(self, f'layer{i + 1}', nn.Sequential(*blocks))
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean((2, 3)))


class Vgg16(nn.Module):
    def __init__(self):
        super().__init__()
        layers, cin = [], 3
        for w in [64, 64, 'M', 128, 128, 'M', 256, 256, 256, 'M', 512, 512, 512, 'M', 512, 512, 512, 'M']:
            if w == 'M':
                layers.append(nn.MaxPool2d(2, 2))
                continue
            layers += [nn.Conv2d(cin, w, 3, 1, 1), nn.BatchNorm2d(w), nn.ReLU(inplace=True)]
            cin = w
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(512, 10)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


def pixels(batch):
    out = np.empty(batch * 3072, np.uint8)
    state = 1
    for i in range(out.size):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        out[i] = state >> 24
    return torch.from_numpy(out.reshape(batch, 32, 32, 3)).permute(0, 3, 1, 2)


def quantized(model, x):
    from torch.ao.quantization import get_default_qconfig_mapping
    from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

    prepared = prepare_fx(model, get_default_qconfig_mapping('x86'), (x,))
    with torch.inference_mode():
        prepared(x)
    return convert_fx(prepared)


def frozen(model, x):
    """Batch norm folded into convolutions, the graph frozen and optimised: PyTorch's inference at its best."""
    from torch.fx.experimental.optimization import fuse

    with torch.inference_mode():
        traced = torch.jit.trace(fuse(model), x)
        return torch.jit.optimize_for_inference(torch.jit.freeze(traced))


def main():
    name, mode, path, batch, steps, threads, *layout = sys.argv[1:]
    torch.set_num_threads(int(threads))
    model = {'resnet20': ResNet20, 'vgg16': Vgg16}[name]()
    state = model.state_dict()
    given = load_file(path)
    model.load_state_dict({k: given.get(k, v) for k, v in state.items()})
    x = (pixels(int(batch)).float() / 255 - 0.5) / 0.25
    if 'channels_last' in layout:
        model, x = model.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    labels = torch.arange(int(batch)) % 10
    checks, times = [], []
    if mode == 'train':
        decay = [p for p in model.parameters() if p.dim() > 1]
        rest = [p for p in model.parameters() if p.dim() <= 1]
        groups = [{'params': decay, 'weight_decay': 5e-4}, {'params': rest, 'weight_decay': 0}]
        opt = torch.optim.SGD(groups, 0.01, momentum=0.9, nesterov=True, foreach=True)
        model.train()
    else:
        model.eval()
        if 'int8' in layout:
            model = quantized(model, x)
        if 'bfloat16' in layout:
            model, x = model.bfloat16(), x.bfloat16()
        if 'frozen' in layout:
            model = frozen(model, x)
    autocast = torch.autocast('cpu', torch.bfloat16, enabled=mode == 'train' and 'bfloat16' in layout)
    for step in range(-2, int(steps)):
        start = time.perf_counter()
        if mode == 'train':
            opt.zero_grad(set_to_none=True)
            with autocast:
                loss = F.cross_entropy(model(x).float(), labels)
            loss.backward()
            opt.step()
            value = loss.item()
        else:
            with torch.inference_mode():
                value = model(x).float().square().mean().item()
        checks.append(value)
        if step >= 0:
            times.append((time.perf_counter() - start) * 1e3)
    # In training the later check, after two steps, is of gradients and optimiser too.
    result = {'milliseconds': statistics.median(times), 'check': checks[0], 'later': checks[2]}
    print(json.dumps({**result, 'torch': torch.__version__}))


main()
