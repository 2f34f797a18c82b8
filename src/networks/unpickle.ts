import { InputError } from '../errors';

/** Plain data: dictionaries become Maps, tuples and lists arrays; the rest is what `globals` and `persistent` return. */
export type Pickled = unknown;

export interface UnpickleOptions {
  /** For messages. */
  readonly path: string;
  /**
   * What the pickle may name, by `module.name`: a function is called where the pickle calls the name, anything else is
   * plain data. Every other name is refused, so that no pickled code can run.
   */
  readonly globals: ReadonlyMap<string, unknown>;
  /** The object for a persistent id. */
  readonly persistent: (id: Pickled) => Pickled;
}

/** The opcodes that `torch.save` writes (pickle protocols 2 to 5); values as in Python's pickletools. */
const OP = {
  MARK: 0x28,
  EMPTY_TUPLE: 0x29,
  STOP: 0x2e,
  BINBYTES: 0x42,
  SHORT_BINBYTES: 0x43,
  BINFLOAT: 0x47,
  BININT: 0x4a,
  BININT1: 0x4b,
  BININT2: 0x4d,
  NONE: 0x4e,
  BINPERSID: 0x51,
  REDUCE: 0x52,
  BINUNICODE: 0x58,
  EMPTY_LIST: 0x5d,
  APPEND: 0x61,
  BUILD: 0x62,
  GLOBAL: 0x63,
  APPENDS: 0x65,
  BINGET: 0x68,
  LONG_BINGET: 0x6a,
  BINPUT: 0x71,
  LONG_BINPUT: 0x72,
  SETITEM: 0x73,
  TUPLE: 0x74,
  SETITEMS: 0x75,
  EMPTY_DICT: 0x7d,
  PROTO: 0x80,
  TUPLE1: 0x85,
  TUPLE2: 0x86,
  TUPLE3: 0x87,
  NEWTRUE: 0x88,
  NEWFALSE: 0x89,
  LONG1: 0x8a,
  SHORT_BINUNICODE: 0x8c,
  BINUNICODE8: 0x8d,
  EMPTY_SET: 0x8f,
  ADDITEMS: 0x90,
  STACK_GLOBAL: 0x93,
  MEMOIZE: 0x94,
  FRAME: 0x95,
} as const;

/** The bytes of a pickle, read one after the other. */
interface Reader {
  take(length: number): Uint8Array;
  uint(length: 1 | 2 | 4 | 8): number;
  int32(): number;
  float64(): number;
  text(length: number): string;
  line(): string;
}

function openReader(bytes: Uint8Array, path: string): Reader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const utf8 = new TextDecoder();
  let at = 0;
  const skip = (length: number) => {
    if (at + length > bytes.length) throw new InputError(`${path} is truncated: its pickle ends early`);
    at += length;
    return at - length;
  };
  const take = (length: number) => {
    const start = skip(length);
    return bytes.subarray(start, start + length);
  };
  const uint = (length: 1 | 2 | 4 | 8) => {
    const start = skip(length);
    if (length === 1) return view.getUint8(start);
    if (length === 2) return view.getUint16(start, true);
    if (length === 4) return view.getUint32(start, true);
    return Number(view.getBigUint64(start, true));
  };
  const text = (length: number) => utf8.decode(take(length));
  const line = () => {
    const end = bytes.indexOf(0x0a, at);
    if (end < 0) throw new InputError(`${path} is truncated: its pickle ends early`);
    const value = text(end - at);
    at = end + 1;
    return value;
  };
  return {
    take,
    uint,
    text,
    line,
    int32: () => view.getInt32(skip(4), true),
    float64: () => view.getFloat64(skip(8), false),
  };
}

/** Two's complement, little-endian, any length; a number where it is exact. */
function readLong(bytes: Uint8Array): number | bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]);
  if (bytes.length > 0) value = BigInt.asIntN(8 * bytes.length, value);
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** The stack of a pickle machine; a mark remembers where a group of items began. */
interface Stack {
  push(value: Pickled): void;
  pop(): Pickled;
  top(): Pickled;
  mark(): void;
  /** Takes the items since the last mark. */
  group(): Pickled[];
}

function openStack(damaged: () => InputError): Stack {
  const items: Pickled[] = [];
  const marks: number[] = [];
  const needItem = () => {
    if (items.length <= (marks.at(-1) ?? 0)) throw damaged();
  };
  return {
    push: (value) => {
      items.push(value);
    },
    pop: () => {
      needItem();
      return items.pop();
    },
    top: () => {
      needItem();
      return items[items.length - 1];
    },
    mark: () => {
      marks.push(items.length);
    },
    group: () => {
      const start = marks.pop();
      if (start === undefined) throw damaged();
      return items.splice(start);
    },
  };
}

/** One pickle being read. */
interface Machine {
  readonly reader: Reader;
  readonly stack: Stack;
  readonly memo: Map<number, Pickled>;
  readonly options: UnpickleOptions;
  readonly damaged: () => InputError;
}

function findGlobal({ options }: Machine, module: Pickled, name: Pickled): Pickled {
  const full = `${module}.${name}`;
  if (!options.globals.has(full))
    throw new InputError(
      `${options.path} holds a foreign object ${full}; only tensors and plain data are read (no pickled code is run): save it with torch.save(model.state_dict(), ...)`,
    );
  return options.globals.get(full);
}

function setItems({ damaged }: Machine, target: Pickled, pairs: Pickled[]): void {
  if (!(target instanceof Map) || pairs.length % 2) throw damaged();
  for (let i = 0; i < pairs.length; i += 2) target.set(pairs[i], pairs[i + 1]);
}

function appendItems({ damaged }: Machine, target: Pickled, items: Pickled[]): void {
  if (!Array.isArray(target)) throw damaged();
  for (const item of items) target.push(item);
}

function reduce({ stack, damaged }: Machine): void {
  const args = stack.pop();
  const callable = stack.pop();
  if (typeof callable !== 'function' || !Array.isArray(args)) throw damaged();
  stack.push(callable(...args));
}

/** `__setstate__`: only the attributes of a dictionary (`_metadata` of a state dict), which carry no tensors. */
function build({ stack, damaged }: Machine): void {
  stack.pop();
  if (!(stack.top() instanceof Map)) throw damaged();
}

function tuple(machine: Machine, length: number): void {
  const items = Array.from({ length }, () => machine.stack.pop());
  machine.stack.push(items.reverse());
}

function recall({ memo, stack, damaged }: Machine, index: number): void {
  if (!memo.has(index)) throw damaged();
  stack.push(memo.get(index));
}

/** What each opcode but STOP does. */
const ACTIONS: ReadonlyMap<number, (machine: Machine) => void> = new Map<number, (machine: Machine) => void>([
  [OP.PROTO, ({ reader }) => void reader.uint(1)],
  [OP.FRAME, ({ reader }) => void reader.uint(8)],
  [OP.MARK, ({ stack }) => stack.mark()],
  [OP.NONE, ({ stack }) => stack.push(null)],
  [OP.NEWTRUE, ({ stack }) => stack.push(true)],
  [OP.NEWFALSE, ({ stack }) => stack.push(false)],
  [OP.BININT, ({ stack, reader }) => stack.push(reader.int32())],
  [OP.BININT1, ({ stack, reader }) => stack.push(reader.uint(1))],
  [OP.BININT2, ({ stack, reader }) => stack.push(reader.uint(2))],
  [OP.LONG1, ({ stack, reader }) => stack.push(readLong(reader.take(reader.uint(1))))],
  [OP.BINFLOAT, ({ stack, reader }) => stack.push(reader.float64())],
  [OP.BINUNICODE, ({ stack, reader }) => stack.push(reader.text(reader.uint(4)))],
  [OP.SHORT_BINUNICODE, ({ stack, reader }) => stack.push(reader.text(reader.uint(1)))],
  [OP.BINUNICODE8, ({ stack, reader }) => stack.push(reader.text(reader.uint(8)))],
  [OP.BINBYTES, ({ stack, reader }) => stack.push(reader.take(reader.uint(4)))],
  [OP.SHORT_BINBYTES, ({ stack, reader }) => stack.push(reader.take(reader.uint(1)))],
  [OP.EMPTY_TUPLE, ({ stack }) => stack.push([])],
  [OP.EMPTY_LIST, ({ stack }) => stack.push([])],
  [OP.EMPTY_SET, ({ stack }) => stack.push([])],
  [OP.EMPTY_DICT, ({ stack }) => stack.push(new Map())],
  [OP.TUPLE, ({ stack }) => stack.push(stack.group())],
  [OP.TUPLE1, (machine) => tuple(machine, 1)],
  [OP.TUPLE2, (machine) => tuple(machine, 2)],
  [OP.TUPLE3, (machine) => tuple(machine, 3)],
  [OP.BINPUT, ({ memo, stack, reader }) => void memo.set(reader.uint(1), stack.top())],
  [OP.LONG_BINPUT, ({ memo, stack, reader }) => void memo.set(reader.uint(4), stack.top())],
  [OP.MEMOIZE, ({ memo, stack }) => void memo.set(memo.size, stack.top())],
  [OP.BINGET, (machine) => recall(machine, machine.reader.uint(1))],
  [OP.LONG_BINGET, (machine) => recall(machine, machine.reader.uint(4))],
  [OP.BINPERSID, ({ stack, options }) => stack.push(options.persistent(stack.pop()))],
  [
    OP.GLOBAL,
    (machine) => {
      const module = machine.reader.line();
      machine.stack.push(findGlobal(machine, module, machine.reader.line()));
    },
  ],
  [
    OP.STACK_GLOBAL,
    (machine) => {
      const name = machine.stack.pop();
      machine.stack.push(findGlobal(machine, machine.stack.pop(), name));
    },
  ],
  [OP.REDUCE, reduce],
  [OP.BUILD, build],
  [
    OP.SETITEM,
    (machine) => {
      const value = machine.stack.pop();
      const key = machine.stack.pop();
      setItems(machine, machine.stack.top(), [key, value]);
    },
  ],
  [
    OP.SETITEMS,
    (machine) => {
      const pairs = machine.stack.group();
      setItems(machine, machine.stack.top(), pairs);
    },
  ],
  [
    OP.APPEND,
    (machine) => {
      const item = machine.stack.pop();
      appendItems(machine, machine.stack.top(), [item]);
    },
  ],
  [
    OP.APPENDS,
    (machine) => {
      const items = machine.stack.group();
      appendItems(machine, machine.stack.top(), items);
    },
  ],
  [
    OP.ADDITEMS,
    (machine) => {
      const items = machine.stack.group();
      appendItems(machine, machine.stack.top(), items);
    },
  ],
]);

/**
 * Reads a pickle as data, without executing anything: the subset of opcodes that `torch.save` writes, and only the
 * names in `globals`. Throws InputError for every other name (a foreign object), an unknown opcode, or a damaged pickle.
 */
export function unpickle(bytes: Uint8Array, options: UnpickleOptions): Pickled {
  const damaged = () => new InputError(`${options.path} holds a damaged pickle`);
  const reader = openReader(bytes, options.path);
  const stack = openStack(damaged);
  const machine: Machine = { reader, stack, memo: new Map(), options, damaged };
  for (;;) {
    const opcode = reader.uint(1);
    if (opcode === OP.STOP) return stack.pop();
    const action = ACTIONS.get(opcode);
    if (!action)
      throw new InputError(
        `${options.path} holds a pickle opcode 0x${opcode.toString(16)} that torch.save does not write for a state dict`,
      );
    action(machine);
  }
}
