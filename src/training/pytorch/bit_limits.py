"""Weights under bit limits: masks of allowed bits, chosen now and then; codes; pull towards them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from bit_projection import nearest_codes, nearest_table, project

# The first scales give a channel's largest weight one of these shares of the largest code; twice that where few planes
# make clipping it worth while.
FEW_PLANES = 4
SCALE_CANDIDATES = tuple(code / 127 for code in (127, 110, 96, 84, 72, 62, 54, 46, 40, 34, 28, 22, 16))
# Row tiles of a layer that they are compared on: the search costs more than all later projections otherwise.
SCALE_TILES = 4


@dataclass
class Layer:
    """A crossbar layer; its matrix has rows in the order (ky, kx, c) and one column an output channel."""
    name: str
    rows: int
    tiles: int
    height: int
    # 1 / (255 std) by input channel where the layer reads pixels, else None.
    pixel_factors: torch.Tensor | None
    mask: torch.Tensor | None = None
    scale: torch.Tensor | None = None
    prices: torch.Tensor | None = None


def crossbar_layers(description, parameters, crossbar_rows, std):
    layers = []
    for node in description['nodes']:
        if node['op'] not in ('conv', 'dense'):
            continue
        weight = parameters[f"{node['name']}.weight"]
        rows = weight[0].numel()
        tiles = math.ceil(rows / crossbar_rows)
        # As src/bitplanes/even-tile-rows.ts: rows lie evenly on the tiles.
        height = math.ceil(rows / tiles)
        factors = None
        if node['input'] == 'input':
            if node.get('groups', 1) != 1:
                raise SystemExit(f"{node['name']}: a first layer in groups cannot be pruned here")
            factors = (1 / (255 * torch.tensor(std, device=weight.device)))[None, :, None, None]
        layers.append(Layer(node['name'], rows, tiles, height, factors))
    return layers


def by_channel(values, weight):
    """[out] broadcast over a weight [out, ...]."""
    return values.reshape(-1, *[1] * (weight.dim() - 1))


class BitLimits:
    """Masks, scales and prices of all layers; `quantized` makes what the forward pass uses."""

    def __init__(self, layers, planes, device):
        self.layers = layers
        self.planes = planes
        self.table = nearest_table(device, planes)

    def in_codes(self, layer, weight):
        """The weights in units of their scales, before rounding."""
        factor = 1 if layer.pixel_factors is None else layer.pixel_factors
        return weight * factor / by_channel(layer.scale, weight)

    def codes(self, layer, weight):
        return nearest_codes(self.in_codes(layer, weight), layer.mask, self.table)

    def quantized(self, layer, weight):
        """codes * scale as a weight; the gradient goes straight through to the real weight."""
        return straight_through(weight, layer.mask, layer.scale, layer.pixel_factors, self.table)

    def columns_of(self, layer, values):
        """[out, in, ky, kx] or [out, in] to [tiles * out, H], H the next power of two, missing rows 0."""
        out = values.shape[0]
        rows = values.permute(0, 2, 3, 1).reshape(out, -1) if values.dim() == 4 else values
        padded = torch.zeros(out, layer.tiles * layer.height, device=values.device)
        padded[:, :layer.rows] = rows
        size = max(16, 1 << (layer.height - 1).bit_length())
        result = torch.zeros(layer.tiles, out, size, device=values.device)
        result[:, :, :layer.height] = padded.reshape(out, layer.tiles, layer.height).transpose(0, 1)
        return result.reshape(layer.tiles * out, size)

    def weights_of(self, layer, columns, like):
        """The way back."""
        out = like.shape[0]
        rows = columns.reshape(layer.tiles, out, -1)[:, :, :layer.height].transpose(0, 1).reshape(out, -1)[:, :layer.rows]
        if like.dim() == 2:
            return rows.contiguous()
        _, channels, height, width = like.shape
        return rows.reshape(out, height, width, channels).permute(0, 3, 1, 2).contiguous()

    @torch.no_grad()
    def choose(self, weights, limit, refit=True):
        """Masks for the weights (by layer name). The first call finds scales too; `refit`: later ones fit them anew."""
        for layer in self.layers:
            weight = weights[layer.name]
            if layer.scale is None:
                self.find_scales(layer, weight, limit)
            target = self.in_codes(layer, weight)
            columns = self.columns_of(layer, target)
            warm = layer.prices is not None
            if not warm:
                layer.prices = torch.zeros(columns.shape[0], 2, 8, device=weight.device)
            masks = project(columns, limit, layer.prices, warm, self.planes)
            layer.mask = self.weights_of(layer, masks, weight)
            if refit or not warm:
                self.refit_scales(layer, weight)

    def find_scales(self, layer, weight, limit):
        """For each output channel the scale whose codes lose least, on some of its tiles."""
        factor = 1 if layer.pixel_factors is None else layer.pixel_factors
        largest = (weight * factor).abs().flatten(1).amax(1).clamp(min=1e-12)
        tiles = torch.linspace(0, layer.tiles - 1, min(SCALE_TILES, layer.tiles)).round().long()
        reach = ((1 << self.planes) - 1) * (2 if self.planes <= FEW_PLANES else 1)
        best = torch.full_like(largest, torch.inf)
        chosen = largest.clone()
        for share in SCALE_CANDIDATES:
            layer.scale = largest / (share * reach)
            columns = self.columns_of(layer, self.in_codes(layer, weight))
            columns = columns.reshape(layer.tiles, *largest.shape, -1)[tiles.to(columns.device)].flatten(0, 1)
            masks = project(columns, limit, planes=self.planes)
            error = ((columns - nearest_codes(columns, masks, self.table)) ** 2).sum(1)
            error = error.reshape(len(tiles), -1).sum(0) * layer.scale ** 2
            chosen = torch.where(error < best, layer.scale, chosen)
            best = torch.minimum(error, best)
        layer.scale = chosen

    def refit_scales(self, layer, weight):
        """Least squares: scale *= <t, q> / <q, q>."""
        target, code = self.in_codes(layer, weight).flatten(1), self.codes(layer, weight).flatten(1)
        power = (code * code).sum(1)
        ratio = torch.where(power > 0, (target * code).sum(1) / power.clamp(min=1), 1.0)
        layer.scale = layer.scale * ratio.clamp(0.8, 1.25)

    @torch.no_grad()
    def pull(self, weights, share):
        """Moves the real weights (by layer name) by a share of the way to their codes, in place."""
        for layer in self.layers:
            weight = weights[layer.name]
            weight.lerp_(self.quantized(layer, weight), share)

    @torch.no_grad()
    def hold_back(self, gradients, share):
        """Leaves weights without bits a share of their gradients (by layer name), in place."""
        for layer in self.layers:
            gradients[layer.name].mul_(torch.where(layer.mask == 0, share, 1.0))

    def worst(self, weights):
        """Most ones of any bit column of the codes: what the limit has to be compared with."""
        most = 0
        for layer in self.layers:
            columns = self.columns_of(layer, self.codes(layer, weights[layer.name]))
            for signed in (columns.clamp(min=0), (-columns).clamp(min=0)):
                for plane in range(self.planes):
                    most = max(most, int(((signed.int() >> plane) & 1).sum(1).max()))
        return most


def straight_through(weight, mask, scale, pixel_factors, table):
    """The nearest allowed code as a weight; the gradient goes straight through to the real one."""
    factor = 1 if pixel_factors is None else pixel_factors
    unit = by_channel(scale, weight) / factor
    nearest = nearest_codes(weight.detach() / unit, mask, table) * unit
    return weight + (nearest - weight).detach()
