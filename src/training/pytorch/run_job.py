"""Trains or prunes a network as a job file says, on a GPU where there is one.

    python3 run_job.py JOB.json

The job (`writeJob` in run-pytorch.ts): {"key" (given back with the result), "description", "mean", "std", "seed",
"data": pictures, "start", "teacher": parameters or null, each a safetensors file, "stage", "output"}. The stage:
{"epochs", "batchSize", "rate", "warmup", "weightDecay", "labelSmoothing", "crop", "cutout", "averageDecay",
"distillation"}, optionally "mixing" (share of the pictures that are mixed with another: mixup, Zhang et al. 2018),
and, where it prunes, "prune": {"rows", "bitLimit", "firstBitLimit", "interval", "relax", "pull"}: for the share
`relax` of the training real weights are trained and pulled to the nearest codes that keep the limits (a proximal
method: Bai, Wang and Liberty 2019), then bits stay and only codes are used. OUTPUT gets all parameters in PyTorch's
names, and where it prunes, for every crossbar layer L instead of `L.weight` its `L.codes` (int8 [rows, out], rows in
the order ky, kx, c) and `L.scales` ([out]); metadata hold stage, curve and engine. One line of JSON an epoch goes to
stdout.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time

import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import save_file

from bit_limits import BitLimits, crossbar_layers, straight_through
from network import forward, initial_parameters, is_statistic
from pictures import Pictures

# Steps of the average of the weights are taken together, and so are those of the pull.
AVERAGE_EVERY = 5
PULL_EVERY = 5
EVALUATE_EVERY = 10


def learning_rate(stage, step, steps):
    """Linear to the peak, then half a cosine to 0."""
    climb = round(stage['warmup'] * steps)
    if step < climb:
        return stage['rate'] * (step + 1) / climb
    return stage['rate'] * (1 + math.cos(math.pi * (step - climb) / max(1, steps - climb))) / 2


class Job:
    def __init__(self, path):
        self.job = json.load(open(path))
        self.device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
        self.dtype = torch.bfloat16 if self.device.type == 'cuda' else torch.float32
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.benchmark = True
        self.description = description = self.job['description']
        self.generator = torch.Generator(self.device).manual_seed(self.job['seed'])
        self.pictures = Pictures(self.job['data'], self.job['mean'], self.job['std'], self.device, self.generator)
        start, self.teacher = (self.parameters_of(self.job[name]) for name in ('start', 'teacher'))
        self.parameters = start or initial_parameters(description, self.job['seed'], self.device)
        compiled = torch.compile if self.device.type == 'cuda' else (lambda f: f)

        def loss_of(parameters, masks, scales, factors, table, pictures, targets):
            own = dict(parameters)
            for name in masks:
                own[name] = straight_through(parameters[name], masks[name], scales[name], factors[name], table)
            logits = forward(description, own, pictures, True, self.dtype)
            loss = -(targets * F.log_softmax(logits, 1)).sum(1).mean()
            return loss, (logits.argmax(1) == targets.argmax(1)).float().mean()

        def teach(parameters, pictures):
            return forward(description, parameters, pictures, False, self.dtype).softmax(1)

        self.loss_of, self.teach = compiled(loss_of), compiled(teach)

    def parameters_of(self, path):
        if path is None:
            return None
        with safe_open(path, 'pt') as file:
            return {name: file.get_tensor(name).float().to(self.device) for name in file.keys()}

    def run(self):
        job, device, stage = self.job, self.device, self.job['stage']
        started = time.time()
        prune = stage.get('prune')
        epoch_steps = self.pictures.steps(stage)
        steps = epoch_steps * stage['epochs']
        latent = {name: value.detach().clone() for name, value in self.parameters.items()}
        trained = [name for name in latent if not is_statistic(name)]
        for name in trained:
            latent[name].requires_grad_(True)
        decayed = [latent[name] for name in trained if latent[name].dim() > 1]
        plain = [latent[name] for name in trained if latent[name].dim() == 1]
        optimizer = torch.optim.SGD(
            [{'params': decayed, 'weight_decay': stage['weightDecay']}, {'params': plain, 'weight_decay': 0}],
            lr=0.1, momentum=0.9, nesterov=True, fused=device.type == 'cuda')
        values = [latent[name] for name in trained]
        average = [value.detach().clone() for value in values]
        limits = None
        if prune:
            limits = BitLimits(crossbar_layers(self.description, latent, prune['rows'], job['std']), device)
        curve, step = [], 0
        for epoch in range(stage['epochs']):
            loss_sum = torch.zeros((), device=device)
            right = torch.zeros((), device=device)
            for pictures, labels in self.pictures.epoch(stage):
                if prune:
                    self.choose_bits(prune, limits, latent, step, steps)
                pictures, targets = self.taught(stage, pictures, labels)
                relaxed = prune is not None and step < prune['relax'] * steps
                loss, hits = self.loss_of(latent, *self.arrays(None if relaxed else limits), pictures, targets)
                loss.backward()
                for group in optimizer.param_groups:
                    group['lr'] = learning_rate(stage, step, steps)
                optimizer.step()
                if relaxed and step % PULL_EVERY == 0:
                    share = 1 - (1 - self.pull_at(prune, step, steps)) ** PULL_EVERY
                    limits.pull(self.crossbar_weights(limits, latent), share)
                optimizer.zero_grad(set_to_none=True)
                step += 1
                if step % AVERAGE_EVERY == 0:
                    share = 1 - min(stage['averageDecay'], (1 + step) / (10 + step)) ** AVERAGE_EVERY
                    torch._foreach_lerp_(average, [value.detach() for value in values], share)
                loss_sum += loss.detach()
                right += hits
            record = {'epoch': epoch, 'loss': loss_sum.item() / epoch_steps,
                      'trainAccuracy': 100 * right.item() / epoch_steps, 'seconds': time.time() - started}
            last = epoch == stage['epochs'] - 1
            if last or (epoch + 1) % EVALUATE_EVERY == 0:
                final = self.final_parameters(latent, trained, average)
                used = self.used_weights(final, limits)
                self.reestimate(stage, used)
                record['testAccuracy'] = self.accuracy(used)
            if not math.isfinite(record['loss']):
                raise SystemExit(f"loss is {record['loss']} in epoch {epoch + 1}: lower the rate")
            curve.append(record)
            print(json.dumps({key: round(value, 4) for key, value in record.items()}), flush=True)
        self.save(stage, job['output'], final, used, limits, curve)

    def choose_bits(self, prune, limits, latent, step, steps):
        """New masks every `interval` steps while weights are relaxed; limits fall on a cubic curve over the first half of that."""
        last = math.ceil(prune['relax'] * steps)
        if step > last or (step % prune['interval'] != 0 and step != last):
            return
        first = prune.get('firstBitLimit', prune['bitLimit'])
        fall = max(0, 1 - 2 * step / max(1, last)) ** 3
        limit = prune['bitLimit'] + round((first - prune['bitLimit']) * fall)
        limits.choose(self.crossbar_weights(limits, latent), limit)

    def crossbar_weights(self, limits, parameters):
        return {layer.name: parameters[f'{layer.name}.weight'].detach() for layer in limits.layers}

    def pull_at(self, prune, step, steps):
        """Share of the way to the codes that every step takes: geometric from the first to the last."""
        first, last = prune['pull']
        return first * (last / first) ** (step / (prune['relax'] * steps))

    @torch.no_grad()
    def taught(self, stage, pictures, labels):
        """Pictures, some mixed, with target probabilities [B, classes]: smoothed labels and what the teacher tells."""
        classes, smoothing = self.description['classes'], float(stage['labelSmoothing'])
        targets = torch.full((len(labels), classes), smoothing / classes, device=self.device)
        targets.scatter_add_(1, labels[:, None], torch.full((len(labels), 1), 1 - smoothing, device=self.device))
        if stage.get('mixing'):
            chance, share = torch.rand(2, len(labels), 1, generator=self.generator, device=self.device)
            share = torch.where(chance < stage['mixing'], share / 2, 0.0)
            targets = targets.lerp(targets.roll(1, 0), share)
            pictures = pictures.lerp(pictures.roll(1, 0), share[:, :, None, None])
        if self.teacher:
            targets.lerp_(self.teach(self.teacher, pictures), stage['distillation'])
        return pictures, targets

    def arrays(self, limits):
        if limits is None:
            return {}, {}, {}, None
        names = {layer.name: f'{layer.name}.weight' for layer in limits.layers}
        return ({names[layer.name]: layer.mask for layer in limits.layers},
                {names[layer.name]: layer.scale for layer in limits.layers},
                {names[layer.name]: layer.pixel_factors for layer in limits.layers}, limits.table)

    def final_parameters(self, latent, trained, average):
        final = {name: value.detach().clone() for name, value in latent.items()}
        final.update({name: value.clone() for name, value in zip(trained, average)})
        return final

    def used_weights(self, parameters, limits):
        used = {name: value.clone() for name, value in parameters.items()}
        for layer in limits.layers if limits else []:
            name = f'{layer.name}.weight'
            used[name] = limits.quantized(layer, parameters[name]).detach()
        return used

    @torch.no_grad()
    def reestimate(self, stage, parameters):
        """Running statistics of batch norm as means over training pictures, in place."""
        for i, pictures in enumerate(self.pictures.reestimation(stage)):
            forward(self.description, parameters, pictures, True, self.dtype, 1 / (i + 1))

    @torch.no_grad()
    def accuracy(self, parameters):
        right = count = 0
        for pictures, labels in self.pictures.test():
            right += (forward(self.description, parameters, pictures, False).argmax(1) == labels).sum().item()
            count += len(labels)
        return 100 * right / count

    def save(self, stage, path, parameters, used, limits, curve):
        tensors = {name: value.contiguous().cpu() for name, value in used.items()}
        for layer in limits.layers if limits else []:
            weight = parameters[f'{layer.name}.weight']
            codes = limits.codes(layer, weight)
            rows = codes.permute(2, 3, 1, 0).reshape(layer.rows, -1) if codes.dim() == 4 else codes.T
            del tensors[f'{layer.name}.weight']
            tensors[f'{layer.name}.codes'] = rows.to(torch.int8).contiguous().cpu()
            tensors[f'{layer.name}.scales'] = layer.scale.cpu()
        if limits:
            worst = limits.worst(self.crossbar_weights(limits, parameters))
            if worst > stage['prune']['bitLimit']:
                raise SystemExit(f"{worst} ones in a bit column, {stage['prune']['bitLimit']} are allowed")
        device = torch.cuda.get_device_name() if self.device.type == 'cuda' else 'CPU'
        notes = {'key': self.job['key'], 'network': self.description['name'], 'stage': stage, 'seed': self.job['seed'],
                 'curve': curve, 'mean': self.job['mean'], 'std': self.job['std'],
                 'engine': {'name': 'PyTorch', 'version': f'{torch.__version__}, {device}'}}
        save_file(tensors, path + '.part', {key: json.dumps(value) for key, value in notes.items()})
        os.replace(path + '.part', path)


if __name__ == '__main__':
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    Job(sys.argv[1]).run()
