import { InputError } from '../errors';

/**
 * The one line a user reads where the native engine is missing.
 * @param work what needs it, as the line shall begin: `training`
 * @param cause kept for those who debug set-up
 */
export function engineUnavailable(work: string, cause: unknown): InputError {
  const wanted = process.env.CIM_PRUNING_ENGINE;
  const why =
    wanted === 'wasm' || wanted === 'cpu'
      ? `but CIM_PRUNING_ENGINE asks for ${wanted}`
      : 'which is not installed here: run `npm run setup`';
  return new InputError(`${work} needs the native TensorFlow engine, ${why}`, { cause });
}
