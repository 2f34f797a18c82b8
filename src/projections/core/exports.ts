/** What the compiled core offers. */
export * from './codebook-solver';
export * from './column-buffers';
export * from './solver';
