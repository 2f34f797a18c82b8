import type { Recipe } from './recipes';

/** What stands for the imported network in the recipes. */
export const IMPORTED = 'imported';

/** Points that pruning a fine-tuned network may cost. */
export const fineTuningDrop = 0.25;

const SIZE = '--size 112 --resize 112';
const CODING = '--encoding csd --weight-bits 7';
const ADMM = `--balanced-rows --ridge shrinkage ${SIZE}`;
const LAYERS = `${CODING} --rows 128 ${ADMM} --calibration 512`;
const RETRAINING = `${CODING} --rows 128 --method training --frozen-batch-norm --epochs 4 --batch-size 64 --rate 0.01 --distillation 0.95 --mixing 0.5 --average-decay 0.99 --calibration 512 ${SIZE}`;

const recipe = (name: string, line: string, minutes: number): Recipe => ({
  name,
  data: 'imagenet-folder',
  line,
  minutes,
  time: 'estimated',
});

/**
 * An imported ImageNet ResNet-18 fine-tuned on class folders of pictures of 112 pixels, then pruned to 3 and to 2 bits: layer
 * ADMM chooses the bits, retraining under them learns from the fine-tuned network, and the 2-bit network comes from the 3-bit
 * one. A third has ADCs that differ by layer and plane, together of the energy of 2 bits everywhere, and needs no retraining:
 * they are shared out on fewer pictures than layers are pruned for them on, since late layers have few patches a picture.
 */
export const fineTuningRecipes: readonly Recipe[] = [
  recipe(
    'fine-tuned',
    `train resnet18-imagenet --start {${IMPORTED}} ${SIZE} --schedule cosine --epochs 20 --batch-size 128 --rate 0.02 --warmup 0.1 --cutout 16 --mixing 0.5 --weight-decay 0.0005 --average-decay 0.99`,
    56,
  ),
  recipe('layers-adc3', `prune {fine-tuned} --adc-bits 3 ${LAYERS} --iterations 10`, 14),
  recipe('fine-tuned-r128-adc3', `prune {fine-tuned} --start {layers-adc3} --adc-bits 3 ${RETRAINING}`, 10),
  recipe('layers-adc2', `prune {fine-tuned-r128-adc3} --adc-bits 2 ${LAYERS} --iterations 4`, 7),
  recipe('fine-tuned-r128-adc2', `prune {fine-tuned} --start {layers-adc2} --adc-bits 2 ${RETRAINING}`, 10),
  recipe('shares-adc2', `prune {fine-tuned} --allocate-planes --adc-bits 2 ${LAYERS} --iterations 10`, 40),
  recipe(
    'fine-tuned-r128-adc2-allocated',
    `prune {fine-tuned} --adc-bits-of {shares-adc2} ${ADMM} --calibration 2048 --iterations 10`,
    13,
  ),
];

/** The same with float networks trained by PyTorch, in mixed precision. */
export const byPytorch = (recipe: Recipe): Recipe =>
  recipe.line.startsWith('train ')
    ? { ...recipe, line: `${recipe.line} --half`, minutes: 2, engine: 'pytorch' }
    : recipe;
