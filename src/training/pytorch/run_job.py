"""Trains or prunes a network as a job file says, on a GPU where there is one.

    python3 run_job.py JOB.json

The job (`writeJob` in run-pytorch.ts): {"key" (given back with the result), "description", "mean", "std", "seed",
"data": pictures, "start", "teacher": parameters or null, each a safetensors file, "stage", "output"}. The stage:
{"epochs", "batchSize", "rate", "warmup", "weightDecay", "labelSmoothing", "crop", "cutout", "averageDecay",
"distillation"}, optionally "mixing" (share of the pictures that are mixed with another: mixup, Zhang et al. 2018),
and, where it prunes, "prune": {"rows", "bitLimit", "pull"}, optionally "weightBits" (a sign and the planes; default
8), with {"relax", "interval"}, optionally "firstBitLimit": for the share `relax` of the training real weights are
trained and pulled to the nearest codes that keep the limits (a proximal method: Bai, Wang and Liberty 2019), then
bits stay and only codes are used; or with {"refreshes"}: only codes are used, from the first step on, and their bits
are chosen anew so many times over the first 85 % of the training, while real weights are pulled to them, and weights
without bits follow the share "prunedGradient" (default 1) of their gradients. OUTPUT gets
all parameters in PyTorch's names, and where it prunes, for every crossbar layer L instead of `L.weight` its `L.codes`
(int8 [rows, out], rows in the order ky, kx, c) and `L.scales` ([out]); metadata hold stage, curve and engine. One
line of JSON an epoch goes to stdout. About once a minute the state is kept in OUTPUT.state, from which the same job
goes on.
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
from bit_schedule import bit_limit, chooses_bits, is_relaxed, pull_after
from network import forward, initial_parameters, is_statistic
from pictures import Pictures

# Steps of the average of the weights are taken together.
AVERAGE_EVERY = 5
EVALUATE_EVERY = 10
# Seconds between two states that are kept.
KEEP_EVERY = 60


def learning_rate(stage, step, steps):
    """Linear to the peak, then half a cosine to 0."""
    climb = round(stage['warmup'] * steps)
    if step < climb:
        return stage['rate'] * (step + 1) / climb
    return stage['rate'] * (1 + math.cos(math.pi * (step - climb) / max(1, steps - climb))) / 2


class Training:
    """What a training changes: real weights, their average, optimiser, bits and curve."""

    def __init__(self, parameters, stage, limits, device):
        self.limits, self.curve = limits, []
        self.latent = {name: value.detach().clone() for name, value in parameters.items()}
        self.trained = [name for name in self.latent if not is_statistic(name)]
        self.values = [self.latent[name].requires_grad_(True) for name in self.trained]
        self.average = [value.detach().clone() for value in self.values]
        decayed = [value for value in self.values if value.dim() > 1]
        plain = [value for value in self.values if value.dim() == 1]
        self.optimizer = torch.optim.SGD(
            [{'params': decayed, 'weight_decay': stage['weightDecay']}, {'params': plain, 'weight_decay': 0}],
            lr=0.1, momentum=0.9, nesterov=True, fused=device.type == 'cuda')

    def move(self, rate):
        for group in self.optimizer.param_groups:
            group['lr'] = rate
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)

    def averaged(self):
        """All parameters, trained ones as their averages."""
        parameters = {name: value.detach().clone() for name, value in self.latent.items()}
        parameters.update({name: value.clone() for name, value in zip(self.trained, self.average)})
        return parameters

    def seconds(self):
        return self.curve[-1]['seconds'] if self.curve else 0

    def keep(self, job, generator):
        """Everything that the next epoch depends on, in OUTPUT.state."""
        device = self.values[0].device
        bits = [(layer.mask, layer.scale, layer.prices) for layer in self.limits.layers] if self.limits else []
        random = [generator.get_state(), torch.get_rng_state()]
        if device.type == 'cuda':
            random.append(torch.cuda.get_rng_state())
        path = state_of(job)
        torch.save({'key': job['key'], 'device': device.type, 'values': self.values, 'average': self.average,
                    'bits': bits, 'random': random, 'optimizer': self.optimizer.state_dict(), 'curve': self.curve},
                   path + '.part')
        os.replace(path + '.part', path)

    @torch.no_grad()
    def resume(self, job, generator):
        """Goes on from the job's state, if there is one; that of another job or device is refused."""
        path, device = state_of(job), self.values[0].device
        if not os.path.exists(path):
            return
        state = torch.load(path, map_location='cpu', weights_only=True)
        if state['key'] != job['key']:
            raise SystemExit(f'{path} is the state of another job: finish that one or remove it')
        if state['device'] != device.type:
            raise SystemExit(f"{path} was kept on {state['device']}: go on there or remove it")
        for own, kept in zip(self.values + self.average, state['values'] + state['average']):
            own.copy_(kept)
        for layer, bits in zip(self.limits.layers if self.limits else [], state['bits']):
            layer.mask, layer.scale, layer.prices = (part.to(device) for part in bits)
        self.optimizer.load_state_dict(state['optimizer'])
        generator.set_state(state['random'][0])
        torch.set_rng_state(state['random'][1])
        if device.type == 'cuda':
            torch.cuda.set_rng_state(state['random'][2])
        self.curve = state['curve']

    def forget(self, job):
        if os.path.exists(state_of(job)):
            os.remove(state_of(job))


def state_of(job):
    return job['output'] + '.state'


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
        prune = stage.get('prune')
        epoch_steps = self.pictures.steps(stage)
        steps = epoch_steps * stage['epochs']
        training = Training(self.parameters, stage, self.limits(prune), device)
        training.resume(job, self.generator)
        latent, limits, average = training.latent, training.limits, training.average
        kept = time.time()
        started, step = kept - training.seconds(), len(training.curve) * epoch_steps
        for epoch in range(len(training.curve), stage['epochs']):
            loss_sum = torch.zeros((), device=device)
            right = torch.zeros((), device=device)
            for pictures, labels in self.pictures.epoch(stage, stage['cutout']):
                if prune and chooses_bits(prune, step, steps):
                    refit = 'relax' in prune
                    limits.choose(self.crossbar_weights(limits, latent), bit_limit(prune, step, steps), refit)
                pictures, targets = self.taught(stage, pictures, labels)
                relaxed = prune is not None and is_relaxed(prune, step, steps)
                loss, hits = self.loss_of(latent, *self.arrays(None if relaxed else limits), pictures, targets)
                loss.backward()
                if prune and prune.get('prunedGradient', 1) < 1:
                    limits.hold_back(self.crossbar_gradients(limits, latent), prune['prunedGradient'])
                training.move(learning_rate(stage, step, steps))
                share = pull_after(prune, step, steps) if prune else 0
                if share > 0:
                    limits.pull(self.crossbar_weights(limits, latent), share)
                step += 1
                if step % AVERAGE_EVERY == 0:
                    share = 1 - min(stage['averageDecay'], (1 + step) / (10 + step)) ** AVERAGE_EVERY
                    torch._foreach_lerp_(average, [value.detach() for value in training.values], share)
                loss_sum += loss.detach()
                right += hits
            record = {'epoch': epoch, 'loss': loss_sum.item() / epoch_steps,
                      'trainAccuracy': 100 * right.item() / epoch_steps, 'seconds': time.time() - started}
            last = epoch == stage['epochs'] - 1
            if last or (epoch + 1) % EVALUATE_EVERY == 0:
                final = training.averaged()
                used = self.used_weights(final, limits)
                self.reestimate(stage, used)
                record['testAccuracy'] = self.accuracy(used)
            if not math.isfinite(record['loss']):
                raise SystemExit(f"loss is {record['loss']} in epoch {epoch + 1}: lower the rate")
            training.curve.append(record)
            print(json.dumps({key: round(value, 4) for key, value in record.items()}), flush=True)
            if not last and time.time() - kept > KEEP_EVERY:
                training.keep(job, self.generator)
                kept = time.time()
        self.save(stage, job['output'], final, used, limits, training.curve)
        training.forget(job)

    def limits(self, prune):
        if prune is None:
            return None
        layers = crossbar_layers(self.description, self.parameters, prune['rows'], self.job['std'])
        return BitLimits(layers, prune.get('weightBits', 8) - 1, self.device)

    def crossbar_weights(self, limits, parameters):
        return {layer.name: parameters[f'{layer.name}.weight'].detach() for layer in limits.layers}

    def crossbar_gradients(self, limits, parameters):
        return {layer.name: parameters[f'{layer.name}.weight'].grad for layer in limits.layers}

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
