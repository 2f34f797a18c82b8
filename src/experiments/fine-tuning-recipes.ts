import type { Recipe } from './recipes';

/** What stands for the imported network in the recipes. */
export const IMPORTED = 'imported';

/** Points that pruning a fine-tuned network may cost. */
export const fineTuningDrop = 0.25;

const SIZE = '--size 112 --resize 112';
const LAYERS = `--rows 128 --balanced-rows --ridge shrinkage --calibration 512 --iterations 10 ${SIZE}`;
const RETRAINING = `--method training --frozen-batch-norm --rows 128 --epochs 8 --batch-size 64 --rate 0.01 --distillation 0.95 --mixing 0.5 --average-decay 0.99 --calibration 512 ${SIZE}`;

const recipe = (name: string, line: string, minutes: number): Recipe => ({
  name,
  data: 'imagenet-folder',
  line,
  minutes,
  time: 'estimated',
});

/**
 * An imported ImageNet ResNet-18 fine-tuned on class folders of pictures of 112 pixels, then pruned to 3 and to 2 bits: layer
 * ADMM chooses the bits, retraining under them learns from the fine-tuned network; the 2-bit network comes from the 3-bit one.
 */
export const fineTuningRecipes: readonly Recipe[] = [
  recipe(
    'fine-tuned',
    `train resnet18-imagenet --start {${IMPORTED}} --epochs 5 --rate 0.01 --warmup 0.1 --schedule cosine --batch-size 64 --cutout 16 --average-decay 0.99 ${SIZE}`,
    14,
  ),
  recipe('layers-adc3', `prune {fine-tuned} --adc-bits 3 ${LAYERS}`, 5),
  recipe('fine-tuned-r128-adc3', `prune {fine-tuned} --start {layers-adc3} --adc-bits 3 ${RETRAINING}`, 28),
  recipe('layers-adc2', `prune {fine-tuned-r128-adc3} --adc-bits 2 ${LAYERS}`, 5),
  recipe('fine-tuned-r128-adc2', `prune {fine-tuned} --start {layers-adc2} --adc-bits 2 ${RETRAINING}`, 28),
];
