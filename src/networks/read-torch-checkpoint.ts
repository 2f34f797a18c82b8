import { InputError } from '../errors';
import { type FileParts, readFileParts } from './read-file-parts';
import { readZipEntries, type ZipArchive } from './read-zip-entries';
import { DTYPES, type Dtype, elementCount, type StoredTensor, type TensorData } from './stored-tensor';
import { type Pickled, unpickle } from './unpickle';

/** Storage classes of `torch`, by the dtype of their elements. */
const STORAGES: Readonly<Record<string, Dtype>> = {
  DoubleStorage: 'F64',
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
};

/** Keys under which training scripts nest a state dict. */
const NESTINGS = ['state_dict', 'model_state_dict', 'model', 'net', 'network', 'weights'];

/** `torch.FloatStorage` and its kin, as the pickle names them. */
interface StorageType {
  readonly storage: Dtype;
}

interface Storage {
  readonly key: string;
  readonly dtype: Dtype;
}

/** A tensor whose numbers have not been read yet. */
interface PickledTensor {
  readonly tensorOf: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

const hasKey = <K extends string>(value: unknown, key: K): value is Record<K, unknown> =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key);

const isTensor = (value: unknown): value is PickledTensor => hasKey(value, 'tensorOf');

const areCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);

function allowedGlobals(path: string): Map<string, unknown> {
  const rebuildTensor = (
    storage: Pickled,
    offset: Pickled,
    shape: Pickled,
    strides: Pickled,
  ): PickledTensor => {
    const valid = hasKey(storage, 'key') && areCounts([offset]) && areCounts(shape) && areCounts(strides);
    if (!valid || shape.length !== strides.length) throw new InputError(`${path} holds a damaged tensor`);
    return { tensorOf: storage as unknown as Storage, offset: offset as number, shape, strides };
  };
  const orderedDict = (pairs?: Pickled) => {
    if (pairs === undefined) return new Map();
    if (Array.isArray(pairs) && pairs.every(Array.isArray)) return new Map(pairs as [unknown, unknown][]);
    throw new InputError(`${path} holds a damaged pickle`);
  };
  return new Map<string, unknown>([
    ['collections.OrderedDict', orderedDict],
    ['torch._utils._rebuild_tensor_v2', rebuildTensor],
    ['torch._utils._rebuild_parameter', (tensor: Pickled) => tensor],
    ...Object.entries(STORAGES).map(([name, storage]): [string, unknown] => [`torch.${name}`, { storage }]),
  ]);
}

/** Persistent id of a storage: ('storage', type, key, device, element count). */
function storageOf(path: string, id: Pickled): Storage {
  if (!Array.isArray(id) || id[0] !== 'storage' || !hasKey(id[1], 'storage') || typeof id[2] !== 'string')
    throw new InputError(`${path} holds a damaged reference to a storage`);
  return { key: id[2], dtype: (id[1] as unknown as StorageType).storage };
}

/** Copies the tensor out of its storage, row-major whatever its strides. */
function gather(storage: TensorData, { offset, shape, strides }: PickledTensor): TensorData {
  const out = new (storage.constructor as new (length: number) => TensorData)(elementCount(shape));
  const index = new Array<number>(shape.length).fill(0);
  let from = offset;
  for (let i = 0; i < out.length; i++) {
    out[i] = storage[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= shape[axis] * strides[axis];
      index[axis] = 0;
    }
  }
  return out;
}

const isRowMajor = ({ shape, strides }: PickledTensor) => {
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== step) return false;
    step *= shape[axis];
  }
  return true;
};

function takeTensor(path: string, name: string, storage: TensorData, tensor: PickledTensor): TensorData {
  const { offset, shape, strides } = tensor;
  const count = elementCount(shape);
  const last = shape.reduce((sum, side, axis) => sum + (side - 1) * strides[axis], offset);
  if (count > 0 && last >= storage.length)
    throw new InputError(`${path} is truncated: tensor '${name}' reaches past the end of its storage`);
  // A shape can only claim more numbers than its storage holds by repeating them (stride 0), which no parameter does.
  if (count > storage.length)
    throw new InputError(`${path}: tensor '${name}' of shape [${shape}] is larger than its storage`);
  if (isRowMajor(tensor)) return count === storage.length ? storage : storage.slice(offset, offset + count);
  return gather(storage, tensor);
}

/** The dictionary of tensors itself, out of the keys it may be nested in. */
function stateDict(path: string, root: Pickled): Map<unknown, unknown> {
  let found = root;
  while (found instanceof Map) {
    const map: Map<unknown, unknown> = found;
    const key = NESTINGS.find((name) => map.get(name) instanceof Map);
    if (!key) break;
    found = map.get(key);
  }
  if (!(found instanceof Map))
    throw new InputError(`${path} holds no state dict: it is not a dictionary of tensors`);
  if (![...found.values()].some(isTensor))
    throw new InputError(
      `${path} holds no state dict: its keys are ${[...found.keys()].slice(0, 8).map(String).join(', ') || 'none'}`,
    );
  return found;
}

/** Name of the archive's root folder, which is where `data.pkl` lies. */
function archiveRoot(path: string, zip: ZipArchive): string {
  const name = zip.names.find((entry) => /^([^/]+\/)?data\.pkl$/.test(entry));
  if (!name) throw new InputError(`${path} is a ZIP file but no PyTorch checkpoint: it has no data.pkl`);
  return name.slice(0, -'data.pkl'.length);
}

function readArchive(file: FileParts): Map<string, StoredTensor> {
  const { path } = file;
  const zip = readZipEntries(file);
  const root = archiveRoot(path, zip);
  const order = zip.read(`${root}byteorder`);
  if (order && new TextDecoder().decode(order).trim() !== 'little')
    throw new InputError(`${path} was saved on a big-endian machine, which is not supported`);
  const persistent = (id: Pickled) => storageOf(path, id);
  const pickle = unpickle(zip.read(`${root}data.pkl`)!, { path, globals: allowedGlobals(path), persistent });
  const storages = new Map<string, TensorData>();
  const storageData = ({ key, dtype }: Storage) => {
    const id = `${dtype} ${key}`;
    if (!storages.has(id)) {
      const bytes = zip.read(`${root}data/${key}`);
      if (!bytes) throw new InputError(`${path} is damaged: its storage data/${key} is missing`);
      const whole = bytes.length - (bytes.length % DTYPES[dtype].bytes);
      storages.set(
        id,
        DTYPES[dtype].read(whole === bytes.length ? bytes.buffer : bytes.buffer.slice(0, whole)),
      );
    }
    return storages.get(id)!;
  };
  const tensors = new Map<string, StoredTensor>();
  for (const [name, value] of stateDict(path, pickle)) {
    if (typeof name !== 'string' || !isTensor(value)) continue;
    const { shape, tensorOf } = value;
    const data = takeTensor(path, name, storageData(tensorOf), value);
    tensors.set(name, { dtype: tensorOf.dtype, shape, data });
  }
  return tensors;
}

const CONVERT = "load it in PyTorch and save it again with torch.save(state_dict, 'new.pth')";

/**
 * Reads the tensors of a PyTorch state dict from the ZIP file that `torch.save` writes since 1.6 (`.pth`, `.pt`,
 * `.th`), in its order, also where it is nested under `state_dict`, `model` or the like. Pickled code is never run.
 * Throws InputError where the file is no ZIP (older formats: says how to convert), is truncated, or holds foreign objects.
 */
export function readTorchCheckpoint(path: string): Map<string, StoredTensor> {
  return readFileParts(path, (file) => {
    const start = file.read(0, Math.min(4, file.size));
    if (start[0] === 0x80 && start[1] >= 2)
      throw new InputError(
        `${path} is no ZIP file but a checkpoint as PyTorch before 1.6 wrote it: ${CONVERT}`,
      );
    if (start.length < 4 || start[0] !== 0x50 || start[1] !== 0x4b)
      throw new InputError(`${path} is no PyTorch checkpoint: it is no ZIP file`);
    return readArchive(file);
  });
}
