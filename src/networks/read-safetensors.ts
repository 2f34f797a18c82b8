import { InputError } from '../errors';
import { type FileParts, readFileParts } from './read-file-parts';
import { DTYPES, type Dtype, elementCount, isDtype, type StoredTensor } from './stored-tensor';

/** What a safetensors file holds: tensors in the header's order, and the strings of `__metadata__`. */
export interface SafetensorsFile {
  readonly tensors: Map<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

interface Entry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}

interface Header {
  readonly entries: Entry[];
  readonly metadata: Record<string, string>;
  /** Where the tensors' bytes begin in the file. */
  readonly dataStart: number;
}

/** The reference implementation's limit, against a length that is no length. */
const LONGEST_HEADER = 100_000_000;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const areCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);

function parseJson(file: FileParts, bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new InputError(`${file.path} is no safetensors file: its header is no valid JSON`);
  }
  if (!isObject(header)) throw new InputError(`${file.path}: the safetensors header must be a JSON object`);
  return header;
}

function parseMetadata(file: FileParts, value: unknown): Record<string, string> {
  if (value === undefined) return {};
  if (!isObject(value) || Object.values(value).some((item) => typeof item !== 'string'))
    throw new InputError(`${file.path}: header field '__metadata__' must map names to strings`);
  return value as Record<string, string>;
}

function parseEntry(file: FileParts, name: string, value: unknown, dataLength: number): Entry {
  const where = `${file.path}: tensor '${name}'`;
  if (!isObject(value)) throw new InputError(`${where}: its header entry must be an object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isDtype(dtype))
    throw new InputError(
      `${where}: dtype is ${JSON.stringify(dtype)}; allowed are ${Object.keys(DTYPES).join(', ')}`,
    );
  if (!areCounts(shape)) throw new InputError(`${where}: shape must be a list of whole numbers`);
  if (!areCounts(offsets) || offsets.length !== 2 || offsets[0] > offsets[1])
    throw new InputError(`${where}: data_offsets must be [start, end]`);
  const [start, end] = offsets;
  const needed = elementCount(shape) * DTYPES[dtype].bytes;
  if (end - start !== needed)
    throw new InputError(
      `${where}: data_offsets span ${end - start} bytes, but ${dtype} of shape [${shape}] takes ${needed}`,
    );
  if (end > dataLength)
    throw new InputError(
      `${file.path} is truncated: tensor '${name}' ends at byte ${end} of the data, the file has ${dataLength}`,
    );
  return { name, dtype, shape, start, end };
}

/** As in the reference implementation the tensors must cover the data without overlap, hole or rest. */
function requireCover(file: FileParts, entries: readonly Entry[], dataLength: number): void {
  let covered = 0;
  let before = 'the header';
  for (const entry of [...entries].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (entry.start !== covered)
      throw new InputError(
        `${file.path}: tensor '${entry.name}': data_offsets ${entry.start < covered ? 'overlap those of' : 'leave a hole after'} ${before}`,
      );
    covered = entry.end;
    before = `'${entry.name}'`;
  }
  if (covered !== dataLength)
    throw new InputError(`${file.path}: ${dataLength - covered} bytes follow the last tensor ${before}`);
}

function readHeader(file: FileParts): Header {
  if (file.size < 8) throw new InputError(`${file.path} is no safetensors file: it has ${file.size} bytes`);
  const length = Number(new DataView(file.read(0, 8).buffer).getBigUint64(0, true));
  if (length > LONGEST_HEADER)
    throw new InputError(`${file.path} is no safetensors file: it claims a header of ${length} bytes`);
  if (8 + length > file.size)
    throw new InputError(
      `${file.path} is truncated: its header takes ${length} bytes, the file has ${file.size - 8}`,
    );
  const { __metadata__: metadata, ...tensors } = parseJson(file, file.read(8, length));
  const dataStart = 8 + length;
  const dataLength = file.size - dataStart;
  const entries = Object.entries(tensors).map(([name, value]) => parseEntry(file, name, value, dataLength));
  requireCover(file, entries, dataLength);
  return { entries, metadata: parseMetadata(file, metadata), dataStart };
}

/**
 * Reads the safetensors file `path` (https://huggingface.co/docs/safetensors). Throws InputError, naming the file and
 * the field, where it is missing, truncated, or its header is not valid.
 */
export function readSafetensors(path: string): SafetensorsFile {
  return readFileParts(path, (file) => {
    const { entries, metadata, dataStart } = readHeader(file);
    const tensors = new Map(
      entries.map(({ name, dtype, shape, start, end }): [string, StoredTensor] => {
        const bytes = file.read(dataStart + start, end - start);
        return [name, { dtype, shape, data: DTYPES[dtype].read(bytes.buffer) }];
      }),
    );
    return { tensors, metadata };
  });
}

/** The strings of `__metadata__` alone, without reading the tensors; errors as in `readSafetensors`. */
export function readSafetensorsMetadata(path: string): Readonly<Record<string, string>> {
  return readFileParts(path, (file) => readHeader(file).metadata);
}
