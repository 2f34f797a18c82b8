import type { Recipe } from './recipes';

/** What stands for the imported network in the recipes. */
export const IMPORTED = 'imported';

/** Points that pruning a fine-tuned network may cost. */
export const fineTuningDrop = 0.25;

const SIZE = '--size 112 --resize 112';
const CODING = '--encoding csd --weight-bits 7 --rows 128';
const ADMM = `--balanced-rows --ridge shrinkage --iterations 10 ${SIZE}`;
/** Late layers have 16 patches a picture: few pictures cost accuracy. */
const MANY = '--calibration 6144 --patches 98304';
/** Bits chosen anew, two to three times an epoch: those that layer ADMM chose are a start that training improves on. */
const RETRAINING = `--method training --frozen-batch-norm --batch-size 64 --rate 0.01 --distillation 0.95 --mixing 0.5 --views 0.35 --average-decay 0.99 --calibration 512 ${SIZE}`;

const recipe = (name: string, line: string, minutes: number): Recipe => ({
  name,
  data: 'imagenet-folder',
  line,
  minutes,
  time: 'estimated',
});

/**
 * An imported ImageNet ResNet-18 fine-tuned on class folders of pictures of 112 pixels, then pruned to 3 and to 2 bits: by layer
 * ADMM, then by training that learns from the fine-tuned network and chooses the bits anew on its way. A third network has
 * ADCs that differ by layer and plane, together of the energy of 2 bits everywhere: few pictures share them out, many choose
 * the bits.
 */
export const fineTuningRecipes: readonly Recipe[] = [
  recipe(
    'fine-tuned',
    `train resnet18-imagenet --start {${IMPORTED}} ${SIZE} --schedule cosine --epochs 20 --batch-size 128 --rate 0.02 --warmup 0.1 --cutout 16 --mixing 0.5 --weight-decay 0.0005 --average-decay 0.99`,
    20,
  ),
  recipe('layers-adc3', `prune {fine-tuned} --adc-bits 3 ${CODING} ${ADMM} ${MANY}`, 12),
  recipe(
    'fine-tuned-r128-adc3',
    `prune {fine-tuned} --start {layers-adc3} --adc-bits 3 ${CODING} ${RETRAINING} --mask-refreshes 12 --epochs 6`,
    10,
  ),
  recipe('layers-adc2', `prune {fine-tuned} --adc-bits 2 ${CODING} ${ADMM} ${MANY}`, 13),
  recipe(
    'fine-tuned-r128-adc2',
    `prune {fine-tuned} --start {layers-adc2} --adc-bits 2 ${CODING} ${RETRAINING} --mask-refreshes 24 --epochs 12`,
    18,
  ),
  recipe(
    'shares-adc2',
    `prune {fine-tuned} --allocate-planes --adc-bits 2 ${CODING} ${ADMM} --calibration 512 --patches 24576`,
    15,
  ),
  recipe(
    'fine-tuned-r128-adc2-allocated',
    `prune {fine-tuned} --adc-bits-of {shares-adc2} ${ADMM} ${MANY}`,
    10,
  ),
];

/** The same with float networks trained by PyTorch, in mixed precision. */
export const byPytorch = (recipe: Recipe): Recipe =>
  recipe.line.startsWith('train ')
    ? { ...recipe, line: `${recipe.line} --half`, minutes: 2, engine: 'pytorch' }
    : recipe;
