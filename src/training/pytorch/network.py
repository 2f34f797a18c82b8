"""A network description (src/networks/description.ts, as JSON) run by PyTorch. Tensors are NCHW in channels-last memory."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F


def initial_parameters(description, seed, device):
    """Fresh parameters by PyTorch name, float32: normal with variance 2 / fan-out (He et al. 2015); dense layers uniform."""
    generator = torch.Generator().manual_seed(seed)
    parameters = {}
    for node in description['nodes']:
        name = node['name']
        if node['op'] == 'conv':
            shape = (node['outChannels'], node['inChannels'] // node['groups'], node['kernel'], node['kernel'])
            deviation = math.sqrt(2 / (node['kernel'] ** 2 * node['outChannels']))
            parameters[f'{name}.weight'] = deviation * torch.randn(shape, generator=generator)
            if node['bias']:
                parameters[f'{name}.bias'] = torch.zeros(node['outChannels'])
        elif node['op'] == 'dense':
            bound = 1 / math.sqrt(node['inFeatures'])
            shape = (node['outFeatures'], node['inFeatures'])
            parameters[f'{name}.weight'] = bound * (2 * torch.rand(shape, generator=generator) - 1)
            if node['bias']:
                parameters[f'{name}.bias'] = torch.zeros(node['outFeatures'])
        elif node['op'] == 'batchnorm':
            for suffix, value in (('weight', 1.0), ('bias', 0.0), ('running_mean', 0.0), ('running_var', 1.0)):
                parameters[f'{name}.{suffix}'] = torch.full((node['channels'],), value)
    return {name: value.to(device) for name, value in parameters.items()}


def is_statistic(name):
    return name.endswith(('.running_mean', '.running_var'))


def forward(description, parameters, pictures, training, dtype=torch.float32, momentum=None):
    """Logits [N, classes], float32.

    pictures: normalised [N, 3, H, W]; training: batch norm uses the batch's statistics
    dtype: of activations and convolutions; momentum: share of the batch in the running statistics, moved in place
    """
    values = {'input': pictures.to(dtype)}
    for node in description['nodes']:
        name, op = node['name'], node['op']
        x = values[node['input']] if 'input' in node else None
        if op == 'conv':
            bias = parameters.get(f'{name}.bias')
            y = F.conv2d(x, parameters[f'{name}.weight'].to(dtype), None if bias is None else bias.to(dtype),
                         node['stride'], node['padding'], 1, node['groups'])
        elif op == 'batchnorm':
            mean, variance, scale, shift = (
                parameters[f'{name}.{part}'] for part in ('running_mean', 'running_var', 'weight', 'bias'))
            if training and momentum is None:
                mean = variance = None
            y = F.batch_norm(x, mean, variance, scale, shift, training, momentum or 0.0, node['epsilon'])
        elif op == 'relu':
            y = F.relu(x)
        elif op == 'add':
            y = values[node['inputs'][0]] + values[node['inputs'][1]]
        elif op == 'maxpool':
            y = F.max_pool2d(x, node['kernel'], node['stride'], node['padding'])
        elif op == 'subsample-pad':
            y = F.pad(x[:, :, ::node['stride'], ::node['stride']], (0, 0, 0, 0, *node['padChannels']))
        elif op == 'globalpool':
            y = x.float().mean((2, 3))
        elif op == 'avgpool':
            y = F.adaptive_avg_pool2d(x, node['grid'])
        elif op == 'flatten':
            y = x.flatten(1)
        elif op == 'dropout':
            y = F.dropout(x, node['rate'], training)
        elif op == 'dense':
            y = F.linear(x.float(), parameters[f'{name}.weight'], parameters.get(f'{name}.bias'))
        else:
            raise ValueError(f"node '{name}': op '{op}' is unknown")
        values[name] = y
    return values[description['nodes'][-1]['name']]
