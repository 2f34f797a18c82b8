/** WebAssembly compiled from a core of this package. */
export interface CompiledModule {
  /** Tells one from another wherever it is sent. */
  readonly id: number;
  /** A WebAssembly.Module, which this package's types do not know. */
  readonly module: object;
}

export type ModuleSource = CompiledModule | (() => Uint8Array | undefined) | undefined;

/** Node and browsers have it; only what is used here. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { readonly exports: object };
};

let modules = 0;

/** The place of one compiled module: `use` gives it, or a function that gives its bytes when they are first needed. */
export function moduleSlot(): {
  use(source: ModuleSource): void;
  get(): CompiledModule | undefined;
} {
  let source: ModuleSource;
  return {
    use: (given) => {
      source = given;
    },
    get: () => {
      if (typeof source === 'function') {
        const bytes = source();
        source = bytes && { id: ++modules, module: new WebAssembly.Module(bytes) };
      }
      return source;
    },
  };
}

/** A fresh instance with memory of its own; `what` names it where it runs out of that. */
export function instantiate<Exports>({ module }: CompiledModule, what: string): Exports {
  const abort = () => {
    throw new Error(`${what} ran out of memory`);
  };
  return new WebAssembly.Instance(module, { env: { abort } }).exports as Exports;
}
