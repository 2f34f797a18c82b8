import { checkWhole } from '../check-number';
import { InputError } from '../errors';
import { cifarResNet, resnet18Cifar } from './cifar-resnet';
import type { NetworkDescription } from './description';
import { imagenetResNet } from './imagenet-resnet';
import { tinyNetwork } from './tiny-network';
import { cifarVgg, imagenetVgg } from './vgg';

/** The zoo. `-projection`: 1x1 convolutions as shortcuts; `-mlp`: three dense layers at the end. */
const ZOO: Readonly<Record<string, (classes?: number) => NetworkDescription>> = {
  tiny: (classes) => tinyNetwork({ classes }),
  ...Object.fromEntries(
    ([20, 32, 44, 56] as const).flatMap((depth) => [
      [`resnet${depth}`, (classes?: number) => cifarResNet(depth, 'A', classes)],
      [`resnet${depth}-projection`, (classes?: number) => cifarResNet(depth, 'B', classes)],
    ]),
  ),
  'resnet18-cifar': resnet18Cifar,
  ...Object.fromEntries(
    ([11, 13, 16, 19] as const).flatMap((depth) => [
      [`vgg${depth}`, (classes?: number) => cifarVgg(depth, 'linear', classes)],
      [`vgg${depth}-mlp`, (classes?: number) => cifarVgg(depth, 'mlp', classes)],
    ]),
  ),
  ...Object.fromEntries(
    ([18, 34, 50] as const).map((depth) => [
      `resnet${depth}-imagenet`,
      (classes?: number) => imagenetResNet(depth, classes),
    ]),
  ),
  'vgg16-imagenet': (classes) => imagenetVgg(16, classes),
};

/** Every name that `networkByName` knows. */
export const networkNames: readonly string[] = Object.keys(ZOO);

/**
 * The network `name` of the zoo, with its usual number of classes (10 or 1000) unless `classes` says otherwise.
 * Throws InputError, listing the known names, for any other name.
 */
export function networkByName(
  name: string,
  { classes }: { readonly classes?: number } = {},
): NetworkDescription {
  if (!Object.hasOwn(ZOO, name))
    throw new InputError(`unknown network '${name}'; known networks: ${networkNames.join(', ')}`);
  if (classes !== undefined) checkWhole(`network ${name}: classes`, classes, 2);
  return ZOO[name](classes);
}
