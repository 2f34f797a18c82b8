/**
 * A network as plain data. The forward pass, the list of parameters, batch-norm folding and the mapping to crossbars
 * all derive from it. Node names are the module names of the PyTorch network it mirrors (torchvision,
 * akamaster/pytorch_resnet_cifar10, chenyaofo/pytorch-cifar-models), so that parameter names match theirs.
 * Tensors are NHWC.
 */
export interface NetworkDescription {
  readonly name: string;
  readonly input: { readonly height: number; readonly width: number; readonly channels: number };
  readonly classes: number;
  /** In an order in which every node comes after its inputs; the last node's output is the logits [N, classes]. */
  readonly nodes: readonly Node[];
}

/** `input` names another node, or is `'input'` for the normalised picture. */
export type Node =
  | ConvNode
  | BatchNormNode
  | { readonly op: 'relu'; readonly name: string; readonly input: string }
  | { readonly op: 'add'; readonly name: string; readonly inputs: readonly [string, string] }
  | {
      readonly op: 'maxpool';
      readonly name: string;
      readonly input: string;
      readonly kernel: number;
      readonly stride: number;
      readonly padding: number;
    }
  /** Option-A shortcut (He et al. 2016): every `stride`-th pixel, channels padded with zeros on both sides. */
  | {
      readonly op: 'subsample-pad';
      readonly name: string;
      readonly input: string;
      readonly stride: number;
      readonly padChannels: readonly [number, number];
    }
  /** Mean over height and width: [N, H, W, C] -> [N, C]. */
  | { readonly op: 'globalpool'; readonly name: string; readonly input: string }
  /** Mean over a `grid` x `grid` partition of the picture: [N, H, W, C] -> [N, grid, grid, C]. */
  | { readonly op: 'avgpool'; readonly name: string; readonly input: string; readonly grid: number }
  /** [N, H, W, C] -> [N, C*H*W] in PyTorch's order (channel slowest). */
  | { readonly op: 'flatten'; readonly name: string; readonly input: string }
  | { readonly op: 'dropout'; readonly name: string; readonly input: string; readonly rate: number }
  | DenseNode;

export interface ConvNode {
  readonly op: 'conv';
  readonly name: string;
  readonly input: string;
  readonly inChannels: number;
  readonly outChannels: number;
  /** Side of the square kernel. */
  readonly kernel: number;
  readonly stride: number;
  /** Zeros added on every side of the picture. */
  readonly padding: number;
  /** Channel groups; 1 for an ordinary convolution. */
  readonly groups: number;
  readonly bias: boolean;
}

export interface BatchNormNode {
  readonly op: 'batchnorm';
  readonly name: string;
  readonly input: string;
  readonly channels: number;
  readonly epsilon: number;
}

export interface DenseNode {
  readonly op: 'dense';
  readonly name: string;
  readonly input: string;
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly bias: boolean;
}

/**
 * Parameters by PyTorch name (`layer1.0.conv1.weight`, `bn1.running_var`, ...), float32, in PyTorch's layouts:
 * convolution OIHW [out, in/groups, kernel, kernel], dense [out, in], the rest [channels].
 */
export type Parameters = Map<string, { readonly shape: readonly number[]; readonly data: Float32Array }>;
