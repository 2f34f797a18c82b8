import { engineVersion } from './engine';
import { openNativeEngine } from './native-engine';

/** The engine's former name: new code imports `engine`. */
export {
  type Attribute,
  attribute,
  DType,
  dispose,
  keep,
  liveTensors,
  read,
  run,
  runMany,
  scope,
  type Tensor,
  upload,
} from './engine';

/** Whether the native engine can be loaded here. */
export function nativeAvailable(): boolean {
  try {
    openNativeEngine();
    return true;
  } catch {
    return false;
  }
}

/** `TensorFlow 2.18.1` or the like, for provenance. */
export function nativeVersion(): string {
  const { name, version } = engineVersion();
  return `${name} ${version}`;
}
