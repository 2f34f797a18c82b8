"""A data set on the training device, augmented there. Batches are normalised [B, 3, H, W] in channels-last memory."""

from __future__ import annotations

import torch
from safetensors.torch import load_file

# Training pictures that batch norm's statistics are measured on.
REESTIMATION = 10000
EVALUATION_BATCH = 1000


class Pictures:
    """Labelled pictures as run-pytorch.ts writes them; every epoch crops, mirrors and cuts out anew."""

    def __init__(self, path, mean, std, device, generator):
        self.device, self.generator = device, generator
        self.mean = torch.tensor(mean, device=device)
        self.std = torch.tensor(std, device=device)
        data = load_file(path)
        self.pixels, self.test_pixels = (data[f'{part}.pixels'].to(device) for part in ('train', 'test'))
        self.labels, self.test_labels = (data[f'{part}.labels'].long().to(device) for part in ('train', 'test'))
        self.padded = None

    def normalised(self, pixels):
        """uint8 [B, H, W, 3] to [B, 3, H, W]."""
        return ((pixels.float() / 255 - self.mean) / self.std).permute(0, 3, 1, 2)

    def draw(self, count, high):
        return torch.randint(high, (count, 1), generator=self.generator, device=self.device)

    def steps(self, stage):
        return len(self.labels) // stage['batchSize']

    def epoch(self, stage, cutout):
        """Yields (pictures, labels [B] int64); the last pictures that fill no batch are left out."""
        crop, count = stage['crop'], len(self.labels)
        height, width = self.pixels.shape[1:3]
        if self.padded is None:
            fill = (self.mean * 255).round().to(torch.uint8)
            self.padded = fill.expand(count, height + 2 * crop, width + 2 * crop, 3).contiguous()
            self.padded[:, crop:crop + height, crop:crop + width] = self.pixels
        order = torch.randperm(count, generator=self.generator, device=self.device)
        for start in range(0, self.steps(stage) * stage['batchSize'], stage['batchSize']):
            index = order[start:start + stage['batchSize']]
            yield self.augmented(index, height, width, crop, cutout), self.labels[index]

    def augmented(self, index, height, width, crop, cutout):
        count = len(index)
        down, across = (torch.arange(side, device=self.device) for side in (height, width))
        rows = self.draw(count, 2 * crop + 1) + down
        columns = self.draw(count, 2 * crop + 1) + torch.where(self.draw(count, 2) == 1, width - 1 - across, across)
        batch = self.normalised(self.padded[index[:, None, None], rows[:, :, None], columns[:, None, :]])
        if cutout > 0:
            off = [steps - self.draw(count, len(steps)) + cutout // 2 for steps in (down, across)]
            inside = [(value >= 0) & (value < cutout) for value in off]
            batch = torch.where((inside[0][:, :, None] & inside[1][:, None, :])[:, None], 0.0, batch)
        return batch

    def reestimation(self, stage):
        """Cropped as in training, for the borders that a crop adds shift the statistics; whole, as test pictures are."""
        for i, (pictures, _) in enumerate(self.epoch(stage, cutout=0)):
            if i * stage['batchSize'] >= REESTIMATION:
                return
            yield pictures

    def test(self):
        for pixels, labels in zip(self.test_pixels.split(EVALUATION_BATCH), self.test_labels.split(EVALUATION_BATCH)):
            yield self.normalised(pixels), labels
